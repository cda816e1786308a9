/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow half of a spinlock.
 *
 * Owns    the order of those that wait, and whether there is one.
 * Order   who finds the lock held counts itself in l->waiters, so that nobody
 *         who comes later takes it at once, and draws a ticket.
 * Bounds  a waiter waits for at most NR_CPUS - 1 holders, each of which holds
 *         the lock for a bounded time; tickets make the order that of arrival.
 * Not so  on a machine whose CPUs stand still now and then: an emulator with
 *         fewer CPUs of its own, or a host that has other work. There the lock
 *         goes to one that does not run, and all behind it stand as well, for
 *         a slice of the host's at each step. Who has waited for longer than
 *         holders on hardware can take gives the order up, for good: from then
 *         on whoever looks first has the lock.
 */
#include <hv/lock.h>

#include <hv/arch.h>
#include <hv/percpu.h>
#include <lib/bits.h>

STATIC_ASSERT(NR_CPUS <= UINT8_MAX, "tickets and waiters are bytes");

#define POLLS_MAX BIT32(20) /* some milliseconds */

static bool order_is_given_up; /* atomic; never back */

static void poll(uint32_t *polls)
{
	arch_cpu_relax();
	if (++*polls == POLLS_MAX) {
		__atomic_store_n(&order_is_given_up, true, __ATOMIC_RELAXED);
	}
}

static void take(struct spinlock *l, uint32_t *polls)
{
	while (__atomic_load_n(&l->held, __ATOMIC_RELAXED) != 0 ||
	       __atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE) != 0) {
		poll(polls);
	}
}

__cold void spin_lock_wait(struct spinlock *l)
{
	uint32_t polls = 0;
	uint8_t ticket;

	if (__atomic_load_n(&order_is_given_up, __ATOMIC_RELAXED)) {
		take(l, &polls);
		return;
	}
	__atomic_fetch_add(&l->waiters, 1, __ATOMIC_RELAXED);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&l->head, __ATOMIC_RELAXED) != ticket) {
		poll(&polls);
	}
	take(l, &polls);
	__atomic_store_n(&l->head, (uint8_t)(ticket + 1), __ATOMIC_RELAXED);
	__atomic_fetch_sub(&l->waiters, 1, __ATOMIC_RELAXED);
}
