/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2 virtual interface control: list registers in memory-mapped frames,
 * which are banked: each CPU sees its own at the same address.
 *
 * Owns    the GICH frame; conversion between its 32-bit list registers and
 *         the GICv3 layout that the vGIC uses.
 * Not     what list registers contain; physical lines (gicv2.c); GICV, which
 *         the guest maps.
 * Context every function acts on the CPU that calls it.
 * Spec    [GICv2] 5.3 "Virtual interface control registers", "GICH_LRn".
 */
#include <lib/errno.h>
#include <arch/mmio_access.h>
#include <lib/bits.h>
#include "gic_priv.h"

#define GICH_HCR 0x00u
#define GICH_HCR_EN BIT32(0)
#define GICH_HCR_UIE BIT32(1)
#define GICH_HCR_NPIE BIT32(3)
#define GICH_VTR 0x04u
#define GICH_VTR_LISTREGS FIELD64(5, 0)
#define GICH_VTR_PRIBITS FIELD64(31, 29)
#define GICH_VMCR 0x08u
#define GICH_EISR0 0x20u
#define GICH_ELRSR0 0x30u
#define GICH_APR 0xf0u
#define GICH_LR 0x100u

#define GICH_LR_VIRTUALID FIELD64(9, 0)
#define GICH_LR_PHYSICALID FIELD64(19, 10) /* HW=1 */
#define GICH_LR_CPUID FIELD64(12, 10)      /* HW=0, an SGI */
#define GICH_LR_EOI BIT64(19)              /* HW=0 */
#define GICH_LR_PRIORITY FIELD64(27, 23)   /* the upper 5 of 8 bits */
#define GICH_LR_STATE FIELD64(29, 28)
#define GICH_LR_GRP1 BIT64(30)
#define GICH_LR_HW BIT64(31)
#define PRIORITY_SHIFT 3

static void *gich __ro_after_boot;

static void *reg(uint32_t offset)
{
	return (char *)gich + offset;
}

static uint32_t lr_to_v2(uint64_t lr)
{
	uint64_t v =
		field_prep(GICH_LR_VIRTUALID, field_get(ICH_LR_VINTID, lr)) |
		field_prep(GICH_LR_STATE, field_get(ICH_LR_STATE, lr)) |
		field_prep(GICH_LR_PRIORITY,
			   field_get(ICH_LR_PRIORITY, lr) >> PRIORITY_SHIFT);

	if (lr & ICH_LR_GROUP) {
		v |= GICH_LR_GRP1;
	}
	if (lr & ICH_LR_HW) {
		v |= GICH_LR_HW | field_prep(GICH_LR_PHYSICALID,
					     field_get(ICH_LR_PINTID, lr));
		return (uint32_t)v;
	}
	if (lr & ICH_LR_EOI) {
		v |= GICH_LR_EOI;
	}
	return (uint32_t)(v | field_prep(GICH_LR_CPUID,
					 field_get(ICH_LR_V2_SOURCE, lr)));
}

static uint64_t lr_from_v2(uint32_t v)
{
	uint64_t lr =
		field_prep(ICH_LR_VINTID, field_get(GICH_LR_VIRTUALID, v)) |
		field_prep(ICH_LR_STATE, field_get(GICH_LR_STATE, v)) |
		field_prep(ICH_LR_PRIORITY,
			   field_get(GICH_LR_PRIORITY, v) << PRIORITY_SHIFT);

	if (v & GICH_LR_GRP1) {
		lr |= ICH_LR_GROUP;
	}
	if (v & GICH_LR_HW) {
		return lr | ICH_LR_HW |
		       field_prep(ICH_LR_PINTID,
				  field_get(GICH_LR_PHYSICALID, v));
	}
	if (v & GICH_LR_EOI) {
		lr |= ICH_LR_EOI;
	}
	return lr | field_prep(ICH_LR_V2_SOURCE, field_get(GICH_LR_CPUID, v));
}

static uint64_t gich_read_lr(unsigned int n)
{
	return lr_from_v2(mmio_read32(reg(GICH_LR + n * 4)));
}

static void gich_write_lr(unsigned int n, uint64_t lr)
{
	mmio_write32(reg(GICH_LR + n * 4), lr_to_v2(lr));
}

static uint64_t gich_empty_lrs(void)
{
	return mmio_read32(reg(GICH_ELRSR0));
}

static uint64_t gich_eoi_lrs(void)
{
	return mmio_read32(reg(GICH_EISR0));
}

static void gich_refill_irq(bool few, bool no_pending)
{
	uint32_t hcr = mmio_read32(reg(GICH_HCR));

	hcr &= ~(GICH_HCR_UIE | GICH_HCR_NPIE);
	hcr |= (few ? GICH_HCR_UIE : 0) | (no_pending ? GICH_HCR_NPIE : 0);
	mmio_write32(reg(GICH_HCR), hcr);
}

static void gich_save_cpuif(struct vgic_cpuif *c)
{
	c->vmcr = mmio_read32(reg(GICH_VMCR));
	c->hcr = mmio_read32(reg(GICH_HCR));
	c->ap0r[0] = mmio_read32(reg(GICH_APR));
	mmio_write32(reg(GICH_HCR), 0);
}

static void gich_load_cpuif(const struct vgic_cpuif *c)
{
	mmio_write32(reg(GICH_APR), c->ap0r[0]);
	mmio_write32(reg(GICH_VMCR), (uint32_t)c->vmcr);
	mmio_write32(reg(GICH_HCR), (uint32_t)c->hcr);
}

/* As after a reset: groups off, everything masked. */
static void gich_reset_cpuif(struct vgic_cpuif *c)
{
	*c = (struct vgic_cpuif){ .hcr = GICH_HCR_EN };
}

static void gich_init_cpu(void)
{
	static const struct vgic_cpuif off;

	for (unsigned int n = 0; n < vgic_hw_caps.nr_lrs; n++) {
		gich_write_lr(n, 0);
	}
	gich_load_cpuif(&off);
}

const struct vgic_hw gich_vgic_hw = {
	.version = 2,
	.init_cpu = gich_init_cpu,
	.read_lr = gich_read_lr,
	.write_lr = gich_write_lr,
	.empty_lrs = gich_empty_lrs,
	.eoi_lrs = gich_eoi_lrs,
	.refill_irq = gich_refill_irq,
	.save_cpuif = gich_save_cpuif,
	.load_cpuif = gich_load_cpuif,
	.reset_cpuif = gich_reset_cpuif,
	.set_phys_active = gicv2_set_active,
	.is_phys_pending = gicv2_is_pending,
};

int gich_init(void *base)
{
	uint64_t vtr;
	uint64_t nr_lrs;

	if (!base) {
		return -ENODEV;
	}
	gich = base;
	vtr = mmio_read32(reg(GICH_VTR));
	nr_lrs = field_get(GICH_VTR_LISTREGS, vtr) + 1;
	vgic_hw_caps.nr_lrs =
		(uint8_t)(nr_lrs < VGIC_MAX_LRS ? nr_lrs : VGIC_MAX_LRS);
	vgic_hw_caps.nr_prio_bits =
		(uint8_t)(field_get(GICH_VTR_PRIBITS, vtr) + 1);
	return 0;
}
