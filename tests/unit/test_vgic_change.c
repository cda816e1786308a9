/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * Changes to interrupts that are pending or active, in list registers here
 * and elsewhere; routing; vCPUs that move.
 */
#include <criterion/criterion.h>

#include "fake_gic_guest.h"

TestSuite(vgic_change, .fini = world_fini);

/* ---- changes while it is in a list register ------------------------------ */

Test(vgic_change, clear_pending_in_list_register)
{
	start(4, 1);
	sgi(0, 1, 1);
	set(0, ICPEND, 1);
	cr_expect(!get(0, ISPEND, 1));
	cr_expect_eq(take(0), FAKE_NONE);
	/* Pending and active: only pending goes. */
	sgi(0, 1, 1);
	cr_expect_eq(fake_ack(0), 1);
	sgi(0, 1, 1);
	world_settle();
	set(0, ICPEND, 1);
	cr_expect(get(0, ISACT, 1));
	cr_expect_eq(fake_lr_state(0, 1), LR_ACTIVE);
	fake_eoi(0, 1);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_change, disable_while_pending_keeps_it)
{
	start(4, 1);
	set(0, ISPEND, 50);
	set(0, ICEN, 50);
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect(get(0, ISPEND, 50));
	set(0, ISEN, 50);
	cr_expect_eq(take(0), 50);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_change, disable_while_active)
{
	start(4, 1);
	set(0, ISPEND, 50);
	cr_expect_eq(fake_ack(0), 50);
	set(0, ICEN, 50);
	cr_expect(get(0, ISACT, 50));
	set(0, ISPEND, 50);
	cr_expect_eq(fake_lr_state(0, 50), LR_ACTIVE);
	fake_eoi(0, 50);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	set(0, ISEN, 50);
	cr_expect_eq(take(0), 50);
}

Test(vgic_change, active_by_register)
{
	start(4, 1);
	set(0, ISACT, 1);
	cr_expect(get(0, ISACT, 1));
	sgi(0, 1, 1);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	set(0, ICACT, 1);
	cr_expect_eq(fake_ack(0), 1);
	set(0, ICACT, 1);
	cr_expect(!get(0, ISACT, 1));
	cr_expect_eq(fake_lrs_in_use(0), 0);
}

Test(vgic_change, priority_change_while_pending)
{
	start(4, 1);
	sgi(0, 1, 1);
	sgi(0, 2, 1);
	priority(0, 2, 0x10);
	cr_expect_eq(take(0), 2);
	cr_expect_eq(take(0), 1);
	/* Bits that the interface does not have are not kept. */
	priority(0, 2, 0xff);
	cr_expect_eq(reg_read(0, SGI_FRAME(0) + GICR_IPRIORITYR + 2, 1), 0xf8);
}

Test(vgic_change, distributor_off_takes_pending_ones_back)
{
	start(4, 1);
	sgi(0, 1, 1);
	set(0, ISPEND, 45);
	reg_write(0, GICD, 4, 0);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect(!vgic_has_pending(vc(0)));
	sgi(0, 2, 1);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	reg_write(0, GICD, 4, 2);
	world_settle();
	cr_expect(vgic_has_pending(vc(0)));
	cr_expect_eq(take(0), 1);
	cr_expect_eq(take(0), 2);
	cr_expect_eq(take(0), 45);
}

/* ---- routing ------------------------------------------------------------- */

Test(vgic_change, route_while_pending_here)
{
	start(4, 2);
	set(0, ISPEND, 60);
	cr_expect_eq(fake_lr_state(0, 60), LR_PENDING);
	reg_write(0, IROUTER(60), 8, 1);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect_eq(take(1), 60);
	cr_expect_eq(take(1), FAKE_NONE);
}

/* The list register is in another CPU: its owner gives it up. */
Test(vgic_change, route_while_pending_there)
{
	start(4, 2);
	reg_write(0, IROUTER(60), 8, 1);
	set(0, ISPEND, 60);
	cr_expect_eq(fake_lr_state(1, 60), LR_PENDING);
	cr_expect(get(0, ISPEND, 60));
	reg_write(0, IROUTER(60), 8, 0);
	cr_expect_eq(fake_lr_state(1, 60), LR_PENDING, "not touched from here");
	world_settle();
	cr_expect_eq(take(1), FAKE_NONE);
	cr_expect_eq(take(0), 60);
}

Test(vgic_change, route_while_active_stays_until_its_end)
{
	start(4, 2);
	make_edge(60, true);
	set(0, ISPEND, 60);
	cr_expect_eq(fake_ack(0), 60);
	reg_write(0, IROUTER(60), 8, 1);
	world_settle();
	cr_expect(get(0, ISACT, 60));
	fake_eoi(0, 60);
	world_settle();
	set(0, ISPEND, 60);
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect_eq(take(1), 60);
}

Test(vgic_change, route_to_nobody_waits)
{
	start(4, 2);
	reg_write(0, IROUTER(60), 8, 0x100);
	set(0, ISPEND, 60);
	cr_expect(get(0, ISPEND, 60));
	cr_expect_eq(take(0), FAKE_NONE);
	reg_write(0, IROUTER(60), 8, BIT64(31));
	world_settle();
	cr_expect_eq(take(0), 60);
}

Test(vgic_change, remote_changes_go_through_the_owner)
{
	start(4, 2);
	reg_write(0, IROUTER(60), 8, 1);
	set(0, ISPEND, 60);
	set(0, ICPEND, 60);
	cr_expect_eq(take(1), FAKE_NONE);
	set(0, ISPEND, 60);
	cr_expect_eq(fake_ack(1), 60);
	set(0, ICACT, 60);
	cr_expect_eq(fake_lr_state(1, 60), LR_FREE);
	/* Cleared and set again before the owner looks: set wins. */
	set(0, ISPEND, 60);
	world_on(0);
	reg_write(0, word(0, ICPEND, 60), 4, BIT(60));
	reg_write(0, word(0, ISPEND, 60), 4, BIT(60));
	world_settle();
	fake_drop(1);
	cr_expect_eq(take(1), 60);
	/* A private interrupt of another vCPU. */
	reg_write(0, SGI_FRAME(1) + ISPEND, 4, BIT(20));
	world_settle();
	cr_expect_eq(fake_ack(1), 20);
	cr_expect(get(1, ISPEND, 20) == false);
	reg_write(0, SGI_FRAME(1) + ICACT, 4, BIT(20));
	reg_write(0, SGI_FRAME(1) + ISACT, 4, BIT(20));
	world_settle();
	cr_expect_eq(fake_lr_state(1, 20), LR_ACTIVE);
}

/* A guest that waits for the end on another CPU sees it in the end. */
Test(vgic_change, polling_for_the_end_on_another_cpu)
{
	start(4, 2);
	make_edge(60, true);
	reg_write(0, IROUTER(60), 8, 1);
	set(0, ISPEND, 60);
	cr_expect_eq(fake_ack(1), 60);
	set(0, ISPEND, 60);
	cr_expect_eq(fake_lr_state(1, 60), LR_BOTH);
	cr_expect(get(0, ISACT, 60));
	world_settle();
	fake_eoi(1, 60);
	cr_expect_eq(fake_ack(1), 60);
	fake_eoi(1, 60);
	world.posts = 0;
	(void)get(0, ISACT, 60);
	cr_expect_eq(world.posts, 1);
	world_settle();
	cr_expect(!get(0, ISACT, 60));
	cr_expect(!get(0, ISPEND, 60));
	cr_expect_eq(world.posts, 1, "nothing left to ask for");
}

/* ---- moving vCPUs -------------------------------------------------------- */

Test(vgic_change, vcpu_moves_with_its_interrupts)
{
	start(4, 1);
	make_edge(40, true);
	priority(0, 3, 0x40);
	sgi(0, 1, 1);
	cr_expect_eq(fake_ack(0), 1);
	sgi(0, 3, 1);
	vgic_set_level(d, NULL, 41, true);
	world_settle();
	world_stop(0);
	cr_expect_eq(fake_lrs_in_use(0), 0);
	world_on(2);
	vgic_post_edge(d, NULL, 40);
	cr_expect(vgic_has_pending(vc(0)));
	vgic_set_level(d, NULL, 41, false); /* in a saved list register */
	world_run(0, 3);
	world_settle();
	cr_expect_eq(fake_ack(3), 3);
	fake_eoi(3, 3);
	fake_eoi(3, 1);
	world_settle();
	cr_expect_eq(take(3), 40);
	cr_expect_eq(take(3), FAKE_NONE);
}

Test(vgic_change, changes_to_a_vcpu_that_is_not_loaded)
{
	start(4, 2);
	set(1, ISPEND, 20);
	sgi(0, 5, 2);
	world_settle();
	cr_expect_eq(fake_ack(1), 5);
	world_stop(1);
	world_on(0);
	cr_expect(get(1, ISACT, 5));
	cr_expect(get(1, ISPEND, 20));
	reg_write(0, SGI_FRAME(1) + ICPEND, 4, BIT(20));
	cr_expect(!get(1, ISPEND, 20));
	reg_write(0, SGI_FRAME(1) + ICACT, 4, BIT(5));
	cr_expect(!vgic_has_pending(vc(1)));
	world_run(1, 2);
	cr_expect_eq(fake_lrs_in_use(2), 0);
}

Test(vgic_change, has_pending)
{
	start(4, 1);
	cr_expect(!vgic_has_pending(vc(0)));
	sgi(0, 1, 1);
	cr_expect(vgic_has_pending(vc(0)));
	cr_expect_eq(fake_ack(0), 1);
	cr_expect(!vgic_has_pending(vc(0)));
	vgic_post_edge(d, vc(0), 20);
	cr_expect(vgic_has_pending(vc(0)));
	set(0, ICEN, 20);
	cr_expect(!vgic_has_pending(vc(0)));
}

Test(vgic_change, blocked_vcpu_is_woken_not_only_marked)
{
	start(4, 1);
	vc(0)->state = VCPU_BLOCKED;
	world.posts = 0;
	vgic_post_edge(d, vc(0), 20);
	cr_expect_eq(world.posts, 1);
	cr_expect(vc(0)->work & VWORK_VIRQ);
	vc(0)->state = VCPU_RUNNING;
	world_settle();
	cr_expect_eq(take(0), 20);
}
