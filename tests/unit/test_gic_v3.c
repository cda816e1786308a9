/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/gic/gicv3.c drivers/gic/ich.c drivers/gic/its.c
// LINK: tests/fakes/fake_gic_port.c
// CFLAGS: -include tests/fakes/fake_gic_port.h
/* The GICv3 drivers: order and contents of register accesses. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <lib/errno.h>
#include "arch/gic.h"

uint32_t irqchip_nr_lines; /* core/irq.c's */

void arch_clean_dcache(const void *va, size_t len)
{
	(void)va;
	(void)len;
}

/* Register names as the drivers' assembler sees them. */
#define ICC_IAR1 "S3_0_C12_C12_0"
#define ICC_EOIR1 "S3_0_C12_C12_1"
#define ICC_DIR "S3_0_C12_C11_1"
#define ICC_SGI1R "S3_0_C12_C11_5"
#define ICC_CTLR "S3_0_C12_C12_4"
#define ICC_SRE_EL2 "S3_4_C12_C9_5"
#define ICC_PMR "S3_0_C4_C6_0"
#define ICC_IGRPEN1 "S3_0_C12_C12_7"
#define ICH_HCR "S3_4_C12_C11_0"
#define ICH_VTR "S3_4_C12_C11_1"
#define ICH_VMCR "S3_4_C12_C11_7"
#define ICH_ELRSR "S3_4_C12_C11_5"

const struct vgic_hw *vgic_hw;
struct vgic_hw_caps vgic_hw_caps;
static uint64_t mpidr[2] = { 0x80000000, UINT64_C(0x0100030212) };

static struct gicv3_config config(void)
{
	struct gicv3_config c = {
		.gicd = fake_gicd,
		.gicr = { { fake_gicr[0], sizeof(fake_gicr[0]) },
			  { fake_gicr[1], 3 * sizeof(fake_gicr[0]) } },
		.nr_gicr = 2,
		.mpidr = mpidr,
		.nr_cpus = 2,
	};

	return c;
}

static void machine(void)
{
	fake_gic_port_reset();
	fake_set32(fake_gicd, 0x4, 2);         /* 96 INTIDs */
	fake_set32(fake_gicd, 0xffe8, 0x3b);
	for (uint32_t i = 0; i < 96; i += 32) {
		mmio_write32(fake_gicd + 0x100 + i / 8, ~0u); /* all on */
		mmio_write32(fake_gicd + 0x300 + i / 8, ~0u);
	}
	fake_set64(fake_gicr[0], 8, 0x10);     /* Aff 0, Last */
	fake_set64(fake_gicr[1], 8, UINT64_C(0x05) << 32);
	fake_set64(fake_gicr[2], 8, UINT64_C(0x01030212) << 32 | 0x10);
	fake_set32(fake_gicr[0], 0x14, 2);
	fake_set32(fake_gicr[2], 0x14, 2);
	fake_sysreg_set("mpidr_el1", mpidr[0]);
	fake_event_clear();
}

static void up(void)
{
	struct gicv3_config c = config();

	machine();
	cr_assert_eq(gicv3_init(&c), 0);
}

Test(gic_v3, init_leaves_all_spis_quiet)
{
	up();
	cr_expect_eq(irqchip_nr_lines, 96);
	cr_expect_eq(fake_get32(fake_gicd, 0), 0x12);
	for (uint32_t i = 32; i < 96; i++) {
		cr_expect_eq(fake_get64(fake_gicd, 0x6000 + i * 8), 0);
		cr_expect_eq(fake_gicd[0x400 + i], 0xa0);
	}
	for (uint32_t w = 1; w < 3; w++) {
		cr_expect_eq(fake_get32(fake_gicd, 0x100 + w * 4), 0);
		cr_expect_eq(fake_get32(fake_gicd, 0x300 + w * 4), 0);
		cr_expect_eq(fake_get32(fake_gicd, 0x80 + w * 4), ~0u);
	}
	/* Off first, with affinity routing on; on last. */
	cr_expect_eq(fake_event_find("gicd+0", 0x10, 0), 0);
	cr_expect_gt(fake_event_find("gicd+0", 0x12, 0),
		     fake_event_find("gicd+62f8", 0, 0));
}

Test(gic_v3, init_refuses)
{
	struct gicv3_config c = config();

	machine();
	fake_set32(fake_gicd, 0xffe8, 0x2b);
	cr_expect_eq(gicv3_init(&c), -ENODEV);
	machine();
	c.nr_gicr = 1;
	cr_expect_eq(gicv3_init(&c), -ENODEV, "CPU 1 has no redistributor");
	c = config();
	c.gicr_stride = 0x10000;
	cr_expect_eq(gicv3_init(&c), -EINVAL);
	c = config();
	c.nr_cpus = 33;
	cr_expect_eq(gicv3_init(&c), -EINVAL);
	c.nr_cpus = 0;
	cr_expect_eq(gicv3_init(&c), -EINVAL);
	c = config();
	fake_stuck = 1u << 31;
	cr_expect_eq(gicv3_init(&c), -EIO, "a bounded wait");
}

/* Frames of a GICv4 are twice as large; a region may be cut short. */
Test(gic_v3, redistributors_with_vlpis)
{
	struct gicv3_config c = config();

	machine();
	fake_set64(fake_gicr[1], 8, UINT64_C(0x05) << 32 | 2);
	cr_expect_eq(gicv3_init(&c), -ENODEV);
	fake_set64(fake_gicr[3], 8, UINT64_C(0x01030212) << 32 | 0x10);
	cr_expect_eq(gicv3_init(&c), 0);
	c.gicr[1].size = 0x1ffff;
	cr_expect_eq(gicv3_init(&c), -ENODEV);
	c = config();
	c.gicr_stride = 0x40000;
	fake_set64(fake_gicr[1], 8, UINT64_C(0x05) << 32);
	cr_expect_eq(gicv3_init(&c), 0);
}

Test(gic_v3, init_cpu_wakes_and_enables_in_order)
{
	int sre;
	int on;

	up();
	fake_sysreg_set("mpidr_el1", mpidr[1]);
	gicv3_irqchip.init_cpu();
	cr_expect_eq(fake_get32(fake_gicr[2], 0x14), 0);
	cr_expect_eq(fake_get32(fake_gicr[0], 0x14), 2, "not another one's");
	cr_expect_eq(fake_get32(fake_gicr[2], 0x10100), 3);
	sre = fake_event_find(ICC_SRE_EL2, 0xf, 0);
	on = fake_event_find(ICC_IGRPEN1, 1, 0);
	cr_expect_geq(sre, 0);
	cr_expect_eq(fake_event_find("isb", 0, sre), sre + 1);
	cr_expect_gt(fake_event_find(ICC_CTLR, 2, sre), sre);
	cr_expect_gt(on, fake_event_find(ICC_PMR, 0xff, 0));
}

Test(gic_v3, ack_eoi_deactivate)
{
	up();
	fake_sysreg_set(ICC_IAR1, 72);
	cr_expect_eq(gicv3_irqchip.ack(), 72);
	for (uint32_t i = 1020; i < 1024; i++) {
		fake_sysreg_set(ICC_IAR1, i);
		cr_expect_geq(gicv3_irqchip.ack(), NR_INTIDS);
	}
	gicv3_irqchip.eoi(72);
	cr_expect_eq(fake_sysreg_get(ICC_EOIR1), 72);
	gicv3_irqchip.deactivate(73);
	cr_expect_eq(fake_sysreg_get(ICC_DIR), 73);
}

Test(gic_v3, lines)
{
	up();
	gicv3_irqchip.enable(40);
	cr_expect_eq(fake_get32(fake_gicd, 0x104), 1u << 8);
	gicv3_irqchip.enable(27);
	cr_expect_eq(fake_get32(fake_gicr[0], 0x10100), 1u << 27);
	gicv3_irqchip.set_active(27, true);
	cr_expect_eq(fake_get32(fake_gicr[0], 0x10300) >> 27 & 1, 1);
	gicv3_irqchip.set_active(27, false);
	cr_expect_eq(fake_get32(fake_gicr[0], 0x10300) >> 27 & 1, 0);
	gicv3_irqchip.set_pending(41, true);
	cr_expect(gicv3_irqchip.is_pending(41));
	gicv3_irqchip.set_pending(41, false);
	cr_expect(!gicv3_irqchip.is_pending(41));
	gicv3_irqchip.route(40, 1);
	cr_expect_eq(fake_get64(fake_gicd, 0x6000 + 40 * 8), mpidr[1]);
	gicv3_irqchip.disable(40);
	cr_expect_eq(fake_get32(fake_gicd, 0x104), 0);
	/* What does not exist is not touched. */
	fake_event_clear();
	gicv3_irqchip.enable(96);
	gicv3_irqchip.disable(1019);
	gicv3_irqchip.route(96, 0);
	gicv3_irqchip.route(31, 0);
	gicv3_irqchip.route(40, 2);
	gicv3_irqchip.set_trigger(3, IRQ_LEVEL);
	gicv3_irqchip.send_ipi(2, 0);
	cr_expect(!gicv3_irqchip.is_pending(96));
	cr_expect_eq(fake_event_find("gicd+6140", 0, 0), -1);
	cr_expect_eq(fake_event_count(ICC_SGI1R), 0);
	cr_expect_eq(fake_event_count("gicd+180"), 0);
}

/* The configuration may change only while the line is disabled. */
Test(gic_v3, trigger)
{
	up();
	gicv3_irqchip.enable(40);
	fake_event_clear();
	gicv3_irqchip.set_trigger(40, IRQ_EDGE);
	cr_expect_eq(fake_event_find("gicd+184", 1u << 8, 0), 0);
	cr_expect_eq(fake_event_find("gicd+c08", 2u << 16, 0), 1);
	cr_expect_eq(fake_event_find("gicd+104", 1u << 8, 0), 2);
	gicv3_irqchip.set_trigger(41, IRQ_EDGE);
	gicv3_irqchip.set_trigger(40, IRQ_LEVEL);
	cr_expect_eq(fake_get32(fake_gicd, 0xc08), 2u << 18);
}

/* Aff3.2.1.0 = 1.3.2.0x12 of CPU 1: range selector 1, bit 2. */
Test(gic_v3, ipi_after_our_stores)
{
	uint64_t want = UINT64_C(1) << 48 | UINT64_C(1) << 44 |
			UINT64_C(3) << 32 | 2u << 24 | 2u << 16 | 1u << 2;

	up();
	fake_event_clear();
	gicv3_irqchip.send_ipi(1, 2);
	cr_expect_eq(fake_event_find("dsb ishst", 0, 0), 0);
	cr_expect_eq(fake_event_find(ICC_SGI1R, want, 0), 1);
}

/* ---- list registers ------------------------------------------------------ */

static uint64_t vtr(uint64_t lrs, uint64_t prebits, uint64_t pribits)
{
	return (lrs - 1) | (prebits - 1) << 26 | (pribits - 1) << 29;
}

Test(gic_v3, ich_counts)
{
	machine();
	fake_sysreg_set(ICH_VTR, vtr(4, 5, 5));
	cr_expect_eq(ich_init(), 0);
	cr_expect_eq(vgic_hw_caps.nr_lrs, 4);
	cr_expect_eq(vgic_hw_caps.nr_prio_bits, 5);
	fake_sysreg_set(ICH_VTR, vtr(32, 7, 7));
	cr_expect_eq(ich_init(), 0);
	cr_expect_eq(vgic_hw_caps.nr_lrs, 16);
	fake_sysreg_set(ICH_VTR, 0);
	cr_expect_eq(ich_init(), -ENODEV);
}

Test(gic_v3, ich_list_registers)
{
	char name[24];

	machine();
	fake_sysreg_set(ICH_VTR, vtr(16, 5, 5));
	cr_expect_eq(ich_init(), 0);
	for (unsigned int n = 0; n < 16; n++) {
		snprintf(name, sizeof(name), "S3_4_C12_C%u_%u", 12 + n / 8,
			 n % 8);
		ich_vgic_hw.write_lr(n, 1000 + n);
		cr_expect_eq(fake_sysreg_get(name), 1000 + n);
		cr_expect_eq(ich_vgic_hw.read_lr(n), 1000 + n);
	}
	cr_expect_eq(ich_vgic_hw.read_lr(16), 0);
	ich_vgic_hw.write_lr(16, 1);
	ich_vgic_hw.init_cpu();
	for (unsigned int n = 0; n < 16; n++) {
		cr_expect_eq(ich_vgic_hw.read_lr(n), 0);
	}
	cr_expect_eq(fake_sysreg_get(ICH_HCR), 0);
}

Test(gic_v3, ich_interface_goes_with_its_vcpu)
{
	for (uint64_t prebits = 5; prebits <= 7; prebits++) {
		uint32_t nr = prebits == 5 ? 1 : prebits == 6 ? 2 : 4;
		struct vgic_cpuif c;
		char name[24];

		machine();
		fake_sysreg_set(ICH_VTR, vtr(4, prebits, prebits));
		cr_expect_eq(ich_init(), 0);
		ich_vgic_hw.reset_cpuif(&c);
		ich_vgic_hw.load_cpuif(&c);
		cr_expect_eq(fake_sysreg_get(ICH_HCR), 1);
		ich_vgic_hw.refill_irq(true, true);
		cr_expect_eq(fake_sysreg_get(ICH_HCR), 0xb);
		ich_vgic_hw.refill_irq(true, false);
		cr_expect_eq(fake_sysreg_get(ICH_HCR), 0x3);
		fake_sysreg_set(ICH_VMCR, 0xf8000002);
		for (uint32_t i = 0; i < nr; i++) {
			snprintf(name, sizeof(name), "S3_4_C12_C9_%u", i);
			fake_sysreg_set(name, 0x10 + i);
			snprintf(name, sizeof(name), "S3_4_C12_C8_%u", i);
			fake_sysreg_set(name, 0x20 + i);
		}
		ich_vgic_hw.save_cpuif(&c);
		cr_expect_eq(fake_sysreg_get(ICH_HCR), 0, "off");
		ich_vgic_hw.init_cpu();
		ich_vgic_hw.load_cpuif(&c);
		cr_expect_eq(fake_sysreg_get(ICH_HCR), 0x3);
		cr_expect_eq(fake_sysreg_get(ICH_VMCR), 0xf8000002);
		for (uint32_t i = 0; i < nr; i++) {
			snprintf(name, sizeof(name), "S3_4_C12_C9_%u", i);
			cr_expect_eq(fake_sysreg_get(name), 0x10 + i);
			snprintf(name, sizeof(name), "S3_4_C12_C8_%u", i);
			cr_expect_eq(fake_sysreg_get(name), 0x20 + i);
		}
	}
}

Test(gic_v3, ich_lines)
{
	up();
	ich_vgic_hw.set_phys_active(40, true);
	cr_expect_eq(fake_get32(fake_gicd, 0x304), 1u << 8);
	gicv3_irqchip.set_pending(40, true);
	cr_expect(ich_vgic_hw.is_phys_pending(40));
	fake_sysreg_set(ICH_ELRSR, 0xd);
	cr_expect_eq(ich_vgic_hw.empty_lrs(), 0xd);
}
