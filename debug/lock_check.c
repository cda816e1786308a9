/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking build: lock ranks. A CPU may take a lock only of a higher rank than
 * any it holds; lock_pair() may take one second lock of the same rank.
 *
 * Owns    pcpu.held_ranks (bit r: a lock of rank r is held) and
 *         pcpu.lock_pair_rank (r + 1: two of rank r are held; 0: none).
 * Locks   none: each CPU touches its own area only.
 */
#include <lib/bits.h>
#include <lib/check.h>
#include <hv/lock.h>
#include <hv/percpu.h>

STATIC_ASSERT(NR_LOCK_RANKS <= 32, "one bit a rank in held_ranks");

/* Also called before a CPU has its area: nothing to compare with then. */
void lock_check_acquire(const struct spinlock *l)
{
	struct pcpu *c = this_pcpu();

	if (!c) {
		return;
	}
	CHECK(l->rank < NR_LOCK_RANKS);
	CHECK((c->held_ranks >> l->rank) == 0); /* lock order inversion */
	c->held_ranks |= BIT32(l->rank);
}

void lock_check_pair(const struct spinlock *l)
{
	struct pcpu *c = this_pcpu();

	if (!c) {
		return;
	}
	/* The first of the pair is the highest lock held, and the only one. */
	CHECK((c->held_ranks >> l->rank) == 1);
	CHECK(c->lock_pair_rank == 0);
	c->lock_pair_rank = (uint32_t)l->rank + 1;
}

void lock_check_release(const struct spinlock *l)
{
	struct pcpu *c = this_pcpu();

	if (!c) {
		return;
	}
	CHECK(c->held_ranks & BIT32(l->rank));
	if (c->lock_pair_rank == (uint32_t)l->rank + 1) {
		c->lock_pair_rank = 0;
		return;
	}
	c->held_ranks &= ~BIT32(l->rank);
}
