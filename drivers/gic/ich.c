/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 virtual CPU interface: list registers as system registers.
 *
 * Owns    ICH_*_EL2 of each CPU.
 * Not     what list registers contain; physical lines (gicv3.c).
 * Context every function acts on the CPU that calls it. No barriers: an
 *         exception return makes the writes count for the guest.
 * Spec    [GIC] "ICH_HCR_EL2", "ICH_VMCR_EL2", "ICH_VTR_EL2",
 *         "ICH_AP1R<n>_EL2", "ICH_ELRSR_EL2".
 */
#include <lib/errno.h>
#include <arch/barrier.h>
#include "gic_priv.h"
#include "gic_sysreg.h"

#define ICH_HCR_EN BIT64(0)
#define ICH_HCR_UIE BIT64(1)
#define ICH_HCR_NPIE BIT64(3)
#define ICH_VTR_LISTREGS FIELD64(4, 0)
#define ICH_VTR_PREBITS FIELD64(28, 26)
#define ICH_VTR_PRIBITS FIELD64(31, 29)
#define ICC_SRE_EL1_ALL 0x7u /* SRE, DFB, DIB */

/* Active priority registers of each group: 1, 2 or 4. */
static uint8_t nr_aprs __ro_after_boot;

#define LR_READ(n, reg)                                                       \
	case n:                                                               \
		return read_sysreg(reg);
#define LR_WRITE(n, reg)                                                      \
	case n:                                                               \
		write_sysreg(lr, reg);                                        \
		break;

static uint64_t ich_read_lr(unsigned int n)
{
	switch (n) {
		ICH_LRS(LR_READ)
	default:
		return 0;
	}
}

static void ich_write_lr(unsigned int n, uint64_t lr)
{
	/* Most interrupts come alone: spare them the jump table. */
	if (likely(n == 0)) {
		gic_write_sysreg(lr, ICH_LR0_EL2);
		return;
	}
	switch (n) {
		ICH_LRS(LR_WRITE)
	default:
		break;
	}
}

static uint64_t ich_empty_lrs(void)
{
	return gic_read_sysreg(ICH_ELRSR_EL2);
}

static uint64_t ich_eoi_lrs(void)
{
	return gic_read_sysreg(ICH_EISR_EL2);
}

static void ich_refill_irq(bool few, bool no_pending)
{
	uint64_t hcr = gic_read_sysreg(ICH_HCR_EL2);

	hcr &= ~(ICH_HCR_UIE | ICH_HCR_NPIE);
	hcr |= (few ? ICH_HCR_UIE : 0) | (no_pending ? ICH_HCR_NPIE : 0);
	gic_write_sysreg(hcr, ICH_HCR_EL2);
}

static void ich_save_cpuif(struct vgic_cpuif *c)
{
	c->vmcr = gic_read_sysreg(ICH_VMCR_EL2);
	c->hcr = gic_read_sysreg(ICH_HCR_EL2);
	gic_write_sysreg(0, ICH_HCR_EL2);
	if (nr_aprs > 2) {
		c->ap0r[3] = (uint32_t)gic_read_sysreg(ICH_AP0R3_EL2);
		c->ap0r[2] = (uint32_t)gic_read_sysreg(ICH_AP0R2_EL2);
		c->ap1r[3] = (uint32_t)gic_read_sysreg(ICH_AP1R3_EL2);
		c->ap1r[2] = (uint32_t)gic_read_sysreg(ICH_AP1R2_EL2);
	}
	if (nr_aprs > 1) {
		c->ap0r[1] = (uint32_t)gic_read_sysreg(ICH_AP0R1_EL2);
		c->ap1r[1] = (uint32_t)gic_read_sysreg(ICH_AP1R1_EL2);
	}
	c->ap0r[0] = (uint32_t)gic_read_sysreg(ICH_AP0R0_EL2);
	c->ap1r[0] = (uint32_t)gic_read_sysreg(ICH_AP1R0_EL2);
}

static void ich_load_cpuif(const struct vgic_cpuif *c)
{
	if (nr_aprs > 2) {
		gic_write_sysreg(c->ap0r[3], ICH_AP0R3_EL2);
		gic_write_sysreg(c->ap0r[2], ICH_AP0R2_EL2);
		gic_write_sysreg(c->ap1r[3], ICH_AP1R3_EL2);
		gic_write_sysreg(c->ap1r[2], ICH_AP1R2_EL2);
	}
	if (nr_aprs > 1) {
		gic_write_sysreg(c->ap0r[1], ICH_AP0R1_EL2);
		gic_write_sysreg(c->ap1r[1], ICH_AP1R1_EL2);
	}
	gic_write_sysreg(c->ap0r[0], ICH_AP0R0_EL2);
	gic_write_sysreg(c->ap1r[0], ICH_AP1R0_EL2);
	gic_write_sysreg(c->vmcr, ICH_VMCR_EL2);
	gic_write_sysreg(c->hcr, ICH_HCR_EL2);
}

/* As after a reset: groups off, everything masked. */
static void ich_reset_cpuif(struct vgic_cpuif *c)
{
	*c = (struct vgic_cpuif){ .hcr = ICH_HCR_EN };
}

static void ich_init_cpu(void)
{
	static const struct vgic_cpuif off;

	/* Guests use system registers, whatever was here before. */
	gic_write_sysreg(ICC_SRE_EL1_ALL, ICC_SRE_EL1);
	for (unsigned int n = 0; n < vgic_hw_caps.nr_lrs; n++) {
		ich_write_lr(n, 0);
	}
	ich_load_cpuif(&off);
	isb();
}

const struct vgic_hw ich_vgic_hw = {
	.version = 3,
	.init_cpu = ich_init_cpu,
	.read_lr = ich_read_lr,
	.write_lr = ich_write_lr,
	.empty_lrs = ich_empty_lrs,
	.eoi_lrs = ich_eoi_lrs,
	.refill_irq = ich_refill_irq,
	.save_cpuif = ich_save_cpuif,
	.load_cpuif = ich_load_cpuif,
	.reset_cpuif = ich_reset_cpuif,
	.set_phys_active = gicv3_set_active,
	.is_phys_pending = gicv3_is_pending,
};

int ich_init(void)
{
	uint64_t vtr = gic_read_sysreg(ICH_VTR_EL2);
	uint64_t nr_lrs = field_get(ICH_VTR_LISTREGS, vtr) + 1;
	uint64_t prebits = field_get(ICH_VTR_PREBITS, vtr) + 1;

	if (prebits < 5) {
		return -ENODEV; /* the architecture has 5 at least */
	}
	nr_aprs = (uint8_t)(prebits == 5 ? 1 : prebits == 6 ? 2 : 4);
	vgic_hw_caps.nr_lrs =
		(uint8_t)(nr_lrs < VGIC_MAX_LRS ? nr_lrs : VGIC_MAX_LRS);
	vgic_hw_caps.nr_prio_bits =
		(uint8_t)(field_get(ICH_VTR_PRIBITS, vtr) + 1);
	return 0;
}
