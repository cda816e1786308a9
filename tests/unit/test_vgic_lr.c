/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic_lr.c
/* Images of list registers: every state an interrupt can go in and come out. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include <lib/check.h>
#include "arch/arm64/vgic/vgic_priv.h"

/* What the headers refer to. */
struct pcpu *fake_this_pcpu;
const struct vgic_hw *vgic_hw;
struct vgic_hw_caps vgic_hw_caps;

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

void lock_check_acquire(const struct spinlock *l)
{
	(void)l;
}

void lock_check_release(const struct spinlock *l)
{
	(void)l;
}

void lock_check_pair(const struct spinlock *l)
{
	(void)l;
}

void spin_lock_wait(struct spinlock *l)
{
	(void)l;
}

void vgic_kick_all(const struct vgic_op *op)
{
	(void)op;
}

static struct virq virq(uint32_t flags)
{
	struct virq q = { .intid = 40, .pintid = 50, .priority = 0xa0 };

	q.flags = (uint16_t)(flags | VIRQ_ENABLED);
	return q;
}

#define V3 VIRQ_GROUP1
#define BASE (UINT64_C(0xa0) << 48 | 40)
#define PEND (UINT64_C(1) << 62)
#define ACT (UINT64_C(2) << 62)
#define LINKED (ICH_LR_HW | UINT64_C(50) << 32)

Test(vgic_lr, pack)
{
	static const struct {
		uint32_t flags;
		bool deliver;
		uint64_t want;
	} c[] = {
		{ V3 | VIRQ_LATCH | VIRQ_EDGE, true, PEND },
		{ V3 | VIRQ_LATCH, true, PEND },
		{ V3 | VIRQ_LINE, true, PEND | ICH_LR_EOI },
		{ V3 | VIRQ_LINE | VIRQ_LATCH, true, PEND | ICH_LR_EOI },
		{ V3 | VIRQ_LINE | VIRQ_LATCH | VIRQ_EDGE, true, PEND },
		{ V3 | VIRQ_ACTIVE, true, ACT },
		{ V3 | VIRQ_ACTIVE | VIRQ_LINE, true, ACT | ICH_LR_EOI },
		{ V3 | VIRQ_ACTIVE | VIRQ_LATCH, true, ACT | PEND },
		{ V3 | VIRQ_ACTIVE | VIRQ_LATCH, false, ACT | ICH_LR_EOI },
		{ V3 | VIRQ_HW | VIRQ_LATCH, true, PEND | LINKED },
		{ V3 | VIRQ_HW | VIRQ_ACTIVE, true, ACT | LINKED },
		{ V3 | VIRQ_HW | VIRQ_ACTIVE | VIRQ_LATCH, true,
		  ACT | PEND | ICH_LR_EOI },
		{ V3 | VIRQ_HW | VIRQ_ACTIVE | VIRQ_LATCH, false,
		  ACT | ICH_LR_EOI },
	};

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		struct virq q = virq(c[i].flags);

		cr_expect_eq(vgic_lr_pack(&q, c[i].deliver),
			     BASE | ICH_LR_GROUP | c[i].want, "case %zu", i);
		q = virq(c[i].flags & ~V3);
		cr_expect_eq(vgic_lr_pack(&q, c[i].deliver), BASE | c[i].want,
			     "case %zu of a GICv2 guest", i);
	}
}

Test(vgic_lr, latch_goes_in_and_comes_out)
{
	struct virq q = virq(V3 | VIRQ_LATCH | VIRQ_EDGE);

	vgic_lr_move_pending(&q, vgic_lr_pack(&q, true));
	cr_expect(!q.latch && q.lr_latch);
	vgic_lr_unpack(&q, BASE | PEND);
	cr_expect(q.latch && !q.lr_latch && !q.active);
	/* Taken: only what came later remains. */
	vgic_lr_move_pending(&q, 0);
	q.latch = 1;
	vgic_lr_unpack(&q, BASE | ACT);
	cr_expect(q.latch && q.active);
	/* A line's pending state is the line's, not a latch. */
	q = virq(V3 | VIRQ_LINE);
	vgic_lr_move_pending(&q, vgic_lr_pack(&q, true));
	vgic_lr_unpack(&q, BASE | PEND);
	cr_expect(!q.latch && !q.active);
}

Test(vgic_lr, requests_are_carried_out)
{
	struct virq q = virq(V3 | VIRQ_EDGE | VIRQ_LR_LATCH);

	q.req_unpend = 1;
	vgic_lr_unpack(&q, BASE | PEND | ACT);
	cr_expect(!q.latch && q.active && !(q.flags & VIRQ_REQUESTS));
	q.req_inactive = 1;
	vgic_lr_unpack(&q, BASE | ACT);
	cr_expect(!q.active);
	q.req_active = 1;
	vgic_lr_unpack(&q, BASE);
	cr_expect(q.active && !(q.flags & VIRQ_REQUESTS));
}

Test(vgic_lr, end_of_a_linked_one)
{
	struct virq q = virq(V3 | VIRQ_HW | VIRQ_PHYS | VIRQ_LR_LATCH);

	vgic_lr_unpack(&q, BASE | LINKED);
	cr_expect(!q.phys, "the guest's deactivation reached the line");
	/* It has fired again: active once more, for the new latch. */
	q = virq(V3 | VIRQ_HW | VIRQ_PHYS | VIRQ_LATCH);
	vgic_lr_unpack(&q, BASE | LINKED);
	cr_expect(q.phys);
	/* The latch is a register write's: the line has ended. */
	q = virq(V3 | VIRQ_HW | VIRQ_PHYS | VIRQ_LATCH | VIRQ_SOFT);
	vgic_lr_unpack(&q, BASE | LINKED);
	cr_expect(!q.phys && q.soft);
	/* HW=0 for a linked one: its end is ours to pass on. */
	q = virq(V3 | VIRQ_HW | VIRQ_PHYS | VIRQ_LR_SW);
	vgic_lr_unpack(&q, BASE | ICH_LR_EOI);
	cr_expect(q.phys && !q.lr_sw);
}

Test(vgic_lr, sgi_of_a_v2_guest)
{
	struct virq q = { .intid = 3, .sources = 0x84 };
	uint64_t lr;

	q.enabled = 1;
	lr = vgic_lr_pack(&q, true);
	cr_expect_eq(lr, 3 | PEND | UINT64_C(2) << 32 | ICH_LR_EOI);
	vgic_lr_move_pending(&q, lr);
	cr_expect_eq(q.sources, 0x80);
	vgic_lr_unpack(&q, 3 | ACT | UINT64_C(2) << 32);
	cr_expect(q.active && q.active_src == 2);
	lr = vgic_lr_pack(&q, true);
	cr_expect_eq(lr, 3 | ACT | UINT64_C(2) << 32 | ICH_LR_EOI);
	vgic_lr_unpack(&q, 0);
	lr = vgic_lr_pack(&q, true);
	cr_expect_eq(lr, 3 | PEND | UINT64_C(7) << 32);
	vgic_lr_move_pending(&q, lr);
	vgic_lr_unpack(&q, lr);
	cr_expect_eq(q.sources, 0x80);
}
