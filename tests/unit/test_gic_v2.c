/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/gic/gicv2.c drivers/gic/gich.c tests/fakes/fake_gic_port.c
// CFLAGS: -include tests/fakes/fake_gic_port.h
/* The GICv2 drivers, and the two layouts of a list register. */
#include <criterion/criterion.h>
#include <string.h>

#include <lib/errno.h>
#include "arch/gic.h"

uint32_t irqchip_nr_lines; /* core/irq.c's */

const struct vgic_hw *vgic_hw;
struct vgic_hw_caps vgic_hw_caps;
static uint64_t mpidr[2] = { 0x80000000, 0x80000001 };

static struct gicv2_config config(void)
{
	struct gicv2_config c = {
		.gicd = fake_gicd,
		.gicc = fake_gicc,
		.mpidr = mpidr,
		.nr_cpus = 2,
	};

	return c;
}

static void machine(void)
{
	fake_gic_port_reset();
	fake_set32(fake_gicd, 0x4, 2);
	for (uint32_t i = 0; i < 96; i += 32) {
		mmio_write32(fake_gicd + 0x100 + i / 8, ~0u);
	}
	fake_set32(fake_gicd, 0x800, 0x04040404); /* we are interface 2 */
	fake_sysreg_set("mpidr_el1", mpidr[0]);
	fake_event_clear();
}

static void up(void)
{
	struct gicv2_config c = config();

	machine();
	cr_assert_eq(gicv2_init(&c), 0);
	gicv2_irqchip.init_cpu();
	/* The other CPU is interface 5. */
	fake_set32(fake_gicd, 0x800, 0x20202020);
	fake_sysreg_set("mpidr_el1", mpidr[1]);
	gicv2_irqchip.init_cpu();
	fake_sysreg_set("mpidr_el1", mpidr[0]);
}

Test(gic_v2, init)
{
	struct gicv2_config c = config();

	up();
	cr_expect_eq(irqchip_nr_lines, 96);
	cr_expect_eq(fake_get32(fake_gicd, 0), 1);
	cr_expect_eq(fake_get32(fake_gicc, 0), 0x201);
	cr_expect_eq(fake_get32(fake_gicc, 4), 0xff);
	cr_expect_eq(fake_get32(fake_gicd, 0x104), 0);
	cr_expect_eq(fake_get32(fake_gicd, 0x100), 3);
	cr_expect_eq(fake_gicd[0x800 + 40], 4, "routed to the boot CPU");
	c.nr_cpus = 9;
	cr_expect_eq(gicv2_init(&c), -EINVAL);
	c.nr_cpus = 1;
	c.gicc = NULL;
	cr_expect_eq(gicv2_init(&c), -EINVAL);
}

/* Only QEMU's has to be told to look again at a line that stayed high. */
Test(gic_v2, looks_once)
{
	static const uint32_t iidr[] = { 0x0202143b, 0, 0x0002043b };
	struct gicv2_config c = config();
	uint32_t enabled;

	for (uint32_t i = 0; i < 3; i++) {
		machine();
		fake_set32(fake_gicc, 0xfc, iidr[i]);
		cr_assert_eq(gicv2_init(&c), 0);
		cr_expect_eq(gicv2_looks_once, i == 2);
	}
	enabled = fake_get32(fake_gicd, 0x100);
	gicv2_look_again();
	cr_expect_eq(fake_get32(fake_gicd, 0x100), enabled);
}

/* Frames of 8 KiB, of 128 KiB, and with each 4 KiB repeated 16 times. */
Test(gic_v2, frame_of_the_cpu_interface)
{
	machine();
	fake_set32(fake_gicc, 0xfc, 0x0202143b);
	cr_expect_eq(gicv2_frame(fake_gicc, 0x20000), 0);
	fake_set32(fake_gicc, 0xf0fc, 0x0202143b);
	cr_expect_eq(gicv2_frame(fake_gicc, 0x20000), 0xf000);
	cr_expect_eq(gicv2_frame(fake_gicc, 0x2000), 0);
	cr_expect_eq(gicv2_frame(fake_gicc, 0x10000), 0);
	/* What answers like bare memory is no GIC. */
	fake_set32(fake_gicc, 0xfc, 0);
	fake_set32(fake_gicc, 0xf0fc, 0);
	cr_expect_eq(gicv2_frame(fake_gicc, 0x20000), 0);
}

Test(gic_v2, one_cpu_reads_no_target)
{
	struct gicv2_config c = config();

	machine();
	fake_set32(fake_gicd, 0x800, 0);
	c.nr_cpus = 1;
	cr_expect_eq(gicv2_init(&c), 0);
	gicv2_irqchip.send_ipi(0, 1);
	cr_expect_eq(fake_get32(fake_gicd, 0xf00), 1u << 16 | 1);
}

Test(gic_v2, lines)
{
	up();
	gicv2_irqchip.enable(40);
	cr_expect_eq(fake_get32(fake_gicd, 0x104), 1u << 8);
	gicv2_irqchip.route(40, 1);
	cr_expect_eq(fake_gicd[0x800 + 40], 0x20);
	gicv2_irqchip.set_trigger(40, IRQ_EDGE);
	cr_expect_eq(fake_get32(fake_gicd, 0xc08), 2u << 16);
	cr_expect_eq(fake_get32(fake_gicd, 0x104), 1u << 8);
	gicv2_irqchip.disable(40);
	cr_expect_eq(fake_get32(fake_gicd, 0x104), 0);
	gicv2_irqchip.set_active(40, true);
	cr_expect_eq(fake_get32(fake_gicd, 0x304), 1u << 8);
	gicv2_irqchip.set_pending(40, true);
	cr_expect(gicv2_irqchip.is_pending(40));
	fake_event_clear();
	gicv2_irqchip.enable(96);
	gicv2_irqchip.route(96, 0);
	gicv2_irqchip.route(40, 2);
	gicv2_irqchip.set_trigger(96, IRQ_EDGE);
	gicv2_irqchip.send_ipi(2, 0);
	cr_expect(!gicv2_irqchip.is_pending(96));
	cr_expect_eq(fake_event_count("gicd+f00"), 0);
	cr_expect_eq(fake_event_count("gicd+10c"), 0);
}

/* An SGI ends with the sender it came with, on the CPU that took it. */
Test(gic_v2, sgi_ends_with_its_sender)
{
	up();
	gicv2_irqchip.send_ipi(1, 2);
	cr_expect_eq(fake_get32(fake_gicd, 0xf00), 0x20u << 16 | 2);
	fake_set32(fake_gicc, 0xc, 3u << 10 | 2);
	cr_expect_eq(gicv2_irqchip.ack(), 2);
	fake_sysreg_set("mpidr_el1", mpidr[1]);
	fake_set32(fake_gicc, 0xc, 1u << 10 | 2);
	cr_expect_eq(gicv2_irqchip.ack(), 2);
	fake_sysreg_set("mpidr_el1", mpidr[0]);
	gicv2_irqchip.eoi(2);
	cr_expect_eq(fake_get32(fake_gicc, 0x10), 3u << 10 | 2);
	gicv2_irqchip.deactivate(2);
	cr_expect_eq(fake_get32(fake_gicc, 0x1000), 3u << 10 | 2);
	fake_set32(fake_gicc, 0xc, 72);
	cr_expect_eq(gicv2_irqchip.ack(), 72);
	gicv2_irqchip.eoi(72);
	cr_expect_eq(fake_get32(fake_gicc, 0x10), 72);
	fake_set32(fake_gicc, 0xc, 1023);
	cr_expect_geq(gicv2_irqchip.ack(), NR_INTIDS);
	fake_set32(fake_gicc, 0xc, 1022);
	cr_expect_geq(gicv2_irqchip.ack(), NR_INTIDS);
}

/* ---- list registers ------------------------------------------------------ */

static void up_gich(uint32_t nr_lrs)
{
	machine();
	fake_set32(fake_gich, 4, (nr_lrs - 1) | 4u << 29);
	cr_assert_eq(gich_init(fake_gich), 0);
}

static uint64_t there_and_back(uint64_t lr, uint32_t *v2)
{
	gich_vgic_hw.write_lr(3, lr);
	*v2 = fake_get32(fake_gich, 0x10c);
	return gich_vgic_hw.read_lr(3);
}

Test(gic_v2, list_register_layouts)
{
	uint32_t v2;
	uint64_t lr;

	up_gich(4);
	cr_expect_eq(vgic_hw_caps.nr_lrs, 4);
	cr_expect_eq(vgic_hw_caps.nr_prio_bits, 5);
	/* Linked: physical 40, virtual 50, priority 0xa0, pending. */
	lr = ICH_LR_HW | field_prep(ICH_LR_STATE, LR_PENDING) |
	     field_prep(ICH_LR_PRIORITY, 0xa0) |
	     field_prep(ICH_LR_PINTID, 40) | 50;
	cr_expect_eq(there_and_back(lr, &v2), lr);
	cr_expect_eq(v2, 1u << 31 | 1u << 28 | 0x14u << 23 | 40u << 10 | 50);
	/* Software, level: EOI; group 1; active and pending. */
	lr = ICH_LR_EOI | ICH_LR_GROUP | field_prep(ICH_LR_STATE, LR_BOTH) |
	     field_prep(ICH_LR_PRIORITY, 0xf8) | 1019;
	cr_expect_eq(there_and_back(lr, &v2), lr);
	cr_expect_eq(v2, 1u << 30 | 3u << 28 | 0x1fu << 23 | 1u << 19 | 1019);
	/* SGI 5 of CPU 7. */
	lr = field_prep(ICH_LR_STATE, LR_PENDING) |
	     field_prep(ICH_LR_V2_SOURCE, 7) | 5;
	cr_expect_eq(there_and_back(lr, &v2), lr);
	cr_expect_eq(v2, 1u << 28 | 7u << 10 | 5);
	/* Priority bits that GICv2 does not have are lost. */
	lr = field_prep(ICH_LR_PRIORITY, 0xff) | 60;
	cr_expect_eq(field_get(ICH_LR_PRIORITY, there_and_back(lr, &v2)), 0xf8);
}

Test(gic_v2, list_registers_round_trip)
{
	up_gich(4);
	for (uint32_t i = 0; i < 4096; i++) {
		uint64_t lr = field_prep(ICH_LR_STATE, i & 3) |
			      field_prep(ICH_LR_PRIORITY, (i & 31) << 3) |
			      (i * 7 % 1020);
		uint32_t v2;

		if (i & 64) {
			lr |= ICH_LR_HW |
			      field_prep(ICH_LR_PINTID, i * 13 % 1020);
		} else {
			lr |= (i & 128 ? ICH_LR_EOI : 0) |
			      field_prep(ICH_LR_V2_SOURCE, i >> 8 & 7);
		}
		lr |= i & 2048 ? ICH_LR_GROUP : 0;
		cr_assert_eq(there_and_back(lr, &v2), lr);
	}
}

Test(gic_v2, interface_goes_with_its_vcpu)
{
	struct vgic_cpuif c;

	up_gich(64);
	cr_expect_eq(vgic_hw_caps.nr_lrs, 16);
	gich_vgic_hw.reset_cpuif(&c);
	gich_vgic_hw.load_cpuif(&c);
	cr_expect_eq(fake_get32(fake_gich, 0), 1);
	gich_vgic_hw.refill_irq(false, true);
	cr_expect_eq(fake_get32(fake_gich, 0), 9);
	fake_set32(fake_gich, 8, 0x12345);
	fake_set32(fake_gich, 0xf0, 0x80);
	gich_vgic_hw.save_cpuif(&c);
	cr_expect_eq(fake_get32(fake_gich, 0), 0);
	fake_set32(fake_gich, 0x100, 0xffffffff);
	gich_vgic_hw.init_cpu();
	cr_expect_eq(fake_get32(fake_gich, 0x100), 0);
	cr_expect_eq(fake_get32(fake_gich, 8), 0);
	gich_vgic_hw.load_cpuif(&c);
	cr_expect_eq(fake_get32(fake_gich, 0), 9);
	cr_expect_eq(fake_get32(fake_gich, 8), 0x12345);
	cr_expect_eq(fake_get32(fake_gich, 0xf0), 0x80);
	fake_set32(fake_gich, 0x30, 0xfffe);
	fake_set32(fake_gich, 0x20, 0x2);
	cr_expect_eq(gich_vgic_hw.empty_lrs(), 0xfffe);
	cr_expect_eq(gich_vgic_hw.eoi_lrs(), 2);
	cr_expect_eq(gich_init(NULL), -ENODEV);
}
