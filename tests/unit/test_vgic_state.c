/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * Delivery: edges, levels, SGIs, and more interrupts than list registers,
 * against list registers that stop the test when they are misused.
 */
#include <criterion/criterion.h>

#include "fake_gic_guest.h"

TestSuite(vgic_state, .fini = world_fini);

/* ---- delivery ------------------------------------------------------------ */

Test(vgic_state, sgi_to_self_is_one_list_register_write)
{
	start(4, 1);
	fake_ich[0].lr_writes = 0;
	fake_ich[0].lr_reads = 0;
	sgi(0, 1, 1);
	cr_expect_eq(vc(0)->work, 0);
	cr_expect_eq(fake_ich[0].lr_writes, 1);
	cr_expect_eq(fake_ich[0].lr_reads, 0);
	cr_expect_eq(fake_ack(0), 1);
	cr_expect_eq(fake_ack(0), FAKE_NONE);
	fake_eoi(0, 1);
	/* The next one needs no more. */
	sgi(0, 1, 1);
	cr_expect_eq(vc(0)->work, 0);
	cr_expect_eq(fake_ich[0].lr_writes, 2);
	cr_expect_eq(take(0), 1);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_state, sgi_twice_before_it_is_taken_is_one)
{
	start(4, 1);
	sgi(0, 1, 1);
	sgi(0, 1, 1);
	world_settle();
	cr_expect_eq(take(0), 1);
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect_eq(fake_lrs_in_use(0), 0);
}

Test(vgic_state, sgi_while_active_comes_after_the_end)
{
	start(4, 1);
	sgi(0, 1, 1);
	cr_expect_eq(fake_ack(0), 1);
	sgi(0, 1, 1);
	world_settle();
	cr_expect_eq(fake_lr_state(0, 1), LR_BOTH);
	cr_expect(get(0, ISPEND, 1) && get(0, ISACT, 1));
	world_settle();
	cr_expect_eq(fake_ack(0), FAKE_NONE);
	fake_eoi(0, 1);
	cr_expect_eq(take(0), 1);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_state, sgi_targets)
{
	start(4, 4);
	sgi(0, 2, 0xe);
	cr_expect_eq(world.posts, 3);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	for (uint16_t i = 1; i < 4; i++) {
		cr_expect_eq(take(i), 2);
	}
	/* All but self. */
	world_on(1);
	vgic_v3_write_sgi1r(vc(1), BIT64(40) | UINT64_C(3) << 24 | 2);
	world_settle();
	cr_expect_eq(take(1), FAKE_NONE);
	cr_expect_eq(take(0), 3);
	cr_expect_eq(take(2), 3);
	cr_expect_eq(take(3), 3);
	/* Affinities that no vCPU has. */
	world_on(0);
	vgic_v3_write_sgi1r(vc(0), BIT64(32) | 0xf);
	vgic_v3_write_sgi1r(vc(0), BIT64(48) | 0xf);
	vgic_v3_write_sgi1r(vc(0), BIT64(16) | 0xf);
	vgic_v3_write_sgi1r(vc(0), BIT64(44) | 0xf);
	vgic_v3_write_sgi1r(vc(0), 0xfff0);
	world_settle();
	for (uint16_t i = 0; i < 4; i++) {
		cr_expect_eq(take(i), FAKE_NONE);
	}
}

Test(vgic_state, sgi_to_vcpu_17_has_aff1)
{
	world_init(3, 4, 20, 0);
	world_enable_all();
	world_run(17, 1);
	world_run(0, 0);
	vgic_v3_write_sgi1r(vc(0), BIT64(16) | UINT64_C(5) << 24 | 2);
	world_settle();
	cr_expect_eq(take(1), 5);
}

Test(vgic_state, sgi_to_offline_vcpu_pends_and_wakes_nobody)
{
	start(4, 1);
	world_fini();
	world_init(3, 4, 2, 0);
	world_enable_all();
	world_run(0, 0);
	vc(1)->state = VCPU_OFFLINE;
	world.posts = 0;
	sgi(0, 4, 2);
	cr_expect_eq(world.posts, 0);
	cr_expect(get(1, ISPEND, 4));
	world_run(1, 1);
	cr_expect_eq(take(1), 4);
}

Test(vgic_state, edge_spi)
{
	start(4, 1);
	make_edge(40, true);
	vgic_post_edge(d, NULL, 40);
	world_settle();
	cr_expect_eq(fake_ack(0), 40);
	vgic_post_edge(d, NULL, 40); /* a second edge is not lost */
	world_settle();
	fake_eoi(0, 40);
	world_settle();
	cr_expect_eq(take(0), 40);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_state, level_is_sampled_again_at_its_end)
{
	start(4, 1);
	vgic_set_level(d, NULL, 41, true);
	world_settle();
	cr_expect(fake_lr(0, 41) & ICH_LR_EOI);
	cr_expect_eq(fake_ack(0), 41);
	cr_expect(get(0, ISPEND, 41)); /* the line is still high */
	fake_eoi(0, 41);
	cr_expect(fake_maintenance(0));
	world_settle();
	cr_expect_eq(fake_ack(0), 41, "high line pends again");
	vgic_set_level(d, NULL, 41, false);
	world_settle();
	cr_expect(!get(0, ISPEND, 41));
	fake_eoi(0, 41);
	cr_expect(!fake_maintenance(0), "nobody has to look any more");
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_state, level_that_drops_before_it_is_taken_is_gone)
{
	start(4, 1);
	vgic_set_level(d, vc(0), 30, true);
	world_settle();
	cr_expect_eq(fake_lr_state(0, 30), LR_PENDING);
	vgic_set_level(d, vc(0), 30, false);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	/* ISPENDR latches it whatever the line does. */
	set(0, ISPEND, 30);
	vgic_set_level(d, vc(0), 30, true);
	world_settle();
	vgic_set_level(d, vc(0), 30, false);
	world_settle();
	cr_expect_eq(take(0), 30);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_state, level_rises_while_active)
{
	start(4, 1);
	set(0, ISPEND, 30);
	cr_expect_eq(fake_ack(0), 30);
	vgic_set_level(d, vc(0), 30, true);
	world_settle();
	fake_eoi(0, 30);
	world_settle();
	cr_expect_eq(fake_ack(0), 30);
	vgic_set_level(d, vc(0), 30, false);
	fake_eoi(0, 30);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_state, short_way_for_a_level)
{
	start(4, 1);
	fake_ich[0].lr_writes = 0;
	vgic_set_level(d, vc(0), 31, true);
	cr_expect_eq(vc(0)->work, 0);
	cr_expect_eq(fake_ich[0].lr_writes, 1);
	vgic_set_level(d, vc(0), 31, true); /* no change */
	cr_expect_eq(fake_ich[0].lr_writes, 1);
}

/* ---- more interrupts than list registers --------------------------------- */

Test(vgic_state, spill_in_priority_order)
{
	start(4, 1);
	for (uint32_t i = 0; i < 16; i++) {
		priority(0, i, (uint8_t)(0xf0 - (i * 5 % 16) * 8));
	}
	for (uint32_t i = 0; i < 16; i++) {
		sgi(0, i, 1);
	}
	world_settle();
	cr_expect_eq(fake_lrs_in_use(0), 4);
	for (uint32_t p = 0; p < 16; p++) {
		uint32_t want = (15 - p) * 13 % 16; /* 5 * 13 == 1 mod 16 */

		cr_expect_eq(take(0), want);
	}
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect(!fake_ich[0].few && !fake_ich[0].no_pending);
}

Test(vgic_state, spill_equal_priorities_by_intid)
{
	start(4, 1);
	for (uint32_t i = 16; i-- > 0;) {
		sgi(0, i, 1);
	}
	world_settle();
	for (uint32_t i = 0; i < 16; i++) {
		cr_expect_eq(take(0), i);
	}
}

Test(vgic_state, urgent_one_evicts_a_pending_one)
{
	start(4, 1);
	for (uint32_t i = 0; i < 6; i++) {
		sgi(0, i, 1);
	}
	world_settle();
	priority(0, 9, 0x20);
	sgi(0, 9, 1);
	world_settle();
	cr_expect_eq(take(0), 9);
	for (uint32_t i = 0; i < 6; i++) {
		cr_expect_eq(take(0), i);
	}
}

/* Preempted ones are active in list registers; the last makes room. */
Test(vgic_state, nested_deeper_than_list_registers)
{
	start(4, 1);
	for (uint32_t i = 0; i < 12; i++) {
		priority(0, i, (uint8_t)(0xe0 - i * 0x10));
		sgi(0, i, 1);
		world_settle();
		cr_expect_eq(fake_ack(0), i);
		world_settle();
	}
	sgi(0, 15, 1); /* less urgent than all */
	priority(0, 15, 0xf0);
	for (uint32_t i = 12; i-- > 0;) {
		cr_expect_eq(fake_ack(0), FAKE_NONE);
		fake_eoi(0, i);
		world_settle();
	}
	cr_expect_eq(fake_ich[0].eoi_count, 0, "every end was seen");
	cr_expect_eq(take(0), 15);
	for (uint32_t i = 0; i < 12; i++) {
		cr_expect(!get(0, ISACT, i));
	}
}

Test(vgic_state, many_active_ones_leave_room_for_a_pending_one)
{
	start(4, 1);
	for (uint32_t i = 0; i < 8; i++) {
		set(0, ISACT, i);
	}
	sgi(0, 10, 1);
	world_settle();
	cr_expect_eq(take(0), 10);
	for (uint32_t i = 0; i < 8; i++) {
		cr_expect(get(0, ISACT, i));
		set(0, ICACT, i);
		cr_expect(!get(0, ISACT, i));
	}
	cr_expect_eq(fake_lrs_in_use(0), 0);
}
