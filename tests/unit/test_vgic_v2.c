/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * What only GICv2 guests have: an SGI pending per sender, target bytes. And
 * creation of a vGIC.
 */
#include <criterion/criterion.h>

#include "fake_gic_guest.h"

TestSuite(vgic_v2, .fini = world_fini);

/* ---- GICv2 SGIs ---------------------------------------------------------- */

Test(vgic_v2, v2_sgi_pends_once_for_each_sender)
{
	start_v2(4);
	for (uint32_t i = 1; i < 4; i++) {
		sgir(i, 1u << 16 | 7);
		sgir(i, 1u << 16 | 7);
	}
	world_settle();
	world_on(0);
	cr_expect_eq(reg_read(0, GICD + GICD_SPENDSGIR + 4, 4), 0x0e000000);
	world_settle();
	for (uint32_t i = 1; i < 4; i++) {
		uint32_t iar = fake_ack(0);

		cr_expect_eq(iar, i << 10 | 7);
		world_settle();
		fake_eoi(0, iar);
		world_settle();
	}
	cr_expect_eq(fake_ack(0), FAKE_NONE);
}

Test(vgic_v2, v2_sgi_from_another_while_active)
{
	start_v2(2);
	sgir(0, 2u << 24 | 3); /* self */
	world_settle();
	cr_expect_eq(fake_ack(0), 3);
	sgir(1, 1u << 16 | 3);
	world_settle();
	world_on(0);
	cr_expect(get(0, ISPEND, 3) && get(0, ISACT, 3));
	world_settle();
	fake_eoi(0, 3);
	world_settle();
	cr_expect_eq(fake_ack(0), 1u << 10 | 3);
	fake_eoi(0, 1u << 10 | 3);
	sgir(0, 1u << 24 | 4); /* all others */
	world_settle();
	cr_expect_eq(fake_ack(0), FAKE_NONE);
	cr_expect_eq(fake_ack(1), 4);
}

Test(vgic_v2, v2_sgi_pending_registers)
{
	start_v2(2);
	/* 1: CPU 0, 1; 2: CPU 1 */
	reg_write(0, GICD + GICD_SPENDSGIR, 4, 0x00020300);
	world_settle();
	cr_expect_eq(reg_read(0, GICD + GICD_CPENDSGIR, 4), 0x00020300);
	cr_expect_eq(reg_read(1, GICD + GICD_CPENDSGIR, 4), 0);
	reg_write(0, GICD + GICD_CPENDSGIR + 1, 1, 0x01);
	world_settle();
	cr_expect_eq(reg_read(0, GICD + GICD_SPENDSGIR + 1, 1), 0x02);
	world_settle();
	reg_write(0, GICD + ISPEND, 4, 0xffff); /* no effect on SGIs */
	reg_write(0, GICD + ICPEND, 4, 0xffff);
	world_settle();
	cr_expect_eq(fake_ack(0), 1u << 10 | 1);
	fake_eoi(0, 1u << 10 | 1);
	world_settle();
	cr_expect_eq(fake_ack(0), 1u << 10 | 2);
	fake_eoi(0, 1u << 10 | 2);
	world_settle();
	cr_expect_eq(fake_ack(0), FAKE_NONE);
}

Test(vgic_v2, v2_targets)
{
	start_v2(2);
	reg_write(0, GICD + GICD_ITARGETSR + 40, 1, 2);
	set(0, ISPEND, 40);
	cr_expect_eq(take(1), 40);
	reg_write(0, GICD + GICD_ITARGETSR + 40, 1, 0xff);
	cr_expect_eq(reg_read(0, GICD + GICD_ITARGETSR + 40, 1), 3);
	set(0, ISPEND, 40);
	cr_expect_eq(take(0), 40);
	reg_write(0, GICD + GICD_ITARGETSR + 40, 1, 0);
	set(0, ISPEND, 40);
	cr_expect_eq(take(0), FAKE_NONE);
	reg_write(0, GICD + GICD_ITARGETSR + 40, 1, 1);
	world_settle();
	cr_expect_eq(take(0), 40);
}

/* ---- creation ------------------------------------------------------------ */

Test(vgic_v2, creation_that_fails_leaves_nothing)
{
	struct dom_config cfg = { .gic_version = 2, .nr_spis = 32 };

	world_init(3, 4, 1, 0);
	world_fini();
	d->max_vcpus = 1;
	cr_expect_eq(vgic_domain_init(d, &cfg), -EINVAL);
	cfg.gic_version = 3;
	cfg.nr_spis = 989;
	cr_expect_eq(vgic_domain_init(d, &cfg), -EINVAL);
	cfg.nr_spis = 988;
	d->max_vcpus = 129;
	cr_expect_eq(vgic_domain_init(d, &cfg), -EINVAL);
	d->max_vcpus = 1;
	fake_heap_fails = true;
	cr_expect_eq(vgic_domain_init(d, &cfg), -ENOMEM);
	fake_heap_fails = false;
	cr_expect_eq(vgic_domain_init(d, &cfg), 0);
	cr_expect_eq(vgic_v2_map(d, &cfg), -EINVAL);
	for (int i = 1; i <= 2; i++) {
		fake_mmio_fail_at = i;
		cr_expect_eq(vgic_v3_map(d, &cfg), -ENOSPC);
	}
	vgic_domain_fini(d);
	cr_expect_eq(fake_heap_live, 0);
	fake_ich_reset(2, 4);
	cfg.gic_version = 2;
	d->max_vcpus = 9;
	cr_expect_eq(vgic_domain_init(d, &cfg), -EINVAL);
}
