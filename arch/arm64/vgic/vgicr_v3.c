/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redistributors a GICv3 guest sees: two frames of 64 KiB for each vCPU,
 * contiguous, without LPIs. Any vCPU may access any of them.
 *
 * Owns    nothing.
 * Absent  GICR_WAKER, PROPBASER, PENDBASER, IGROUPR0, IGRPMODR0 and NSACR
 *         read as zero and ignore writes: nobody sleeps, there are no LPIs,
 *         all interrupts are group 1.
 * Locks   the engine's (vgic_mmio.c).
 * Spec    [GIC] "The GIC Redistributor register map".
 */
#include "vgic_mmio.h"
#include "vgicr_v3.h"

#define GICR_FRAME_SHIFT 16
#define GICR_STRIDE_SHIFT 17
#define GICR_FRAME_MASK 0xffffu

#define GICR_TYPER_LAST BIT64(4)
#define GICR_TYPER_PROC FIELD64(23, 8)
#define GICR_TYPER_AFF FIELD64(63, 32)

static uint64_t rd_typer(const struct vgic_access *a)
{
	uint32_t id = a->owner->id;
	uint64_t typer = field_prep(GICR_TYPER_PROC, id) |
			 field_prep(GICR_TYPER_AFF, (id >> 4) << 8 | (id & 15));

	if (id + 1 == a->owner->domain->max_vcpus) {
		typer |= GICR_TYPER_LAST;
	}
	return a->size == 8 ? typer :
			      (uint32_t)(typer >> (a->offset & 4) * 8);
}

static uint64_t rd_iidr(const struct vgic_access *a)
{
	(void)a;
	return GIC_IIDR_V3;
}

static uint64_t rd_pidr2(const struct vgic_access *a)
{
	(void)a;
	return GIC_PIDR2_V3;
}

static const struct vgic_reg rd_rows[] = {
	/*  offset  bytes  widths  read  write  */
	REG_PLAIN(0x0008, 8, 4 | 8, rd_typer, NULL), /* TYPER */
	REG_PLAIN(0x0000, 4, 4, NULL, NULL), /* CTLR: no write is pending */
	REG_PLAIN(0x0004, 4, 4, rd_iidr, NULL), /* IIDR */
	REG_PLAIN(0x0014, 4, 4, NULL, NULL), /* WAKER */
	REG_PLAIN(0x0070, 16, 4 | 8, NULL, NULL), /* PROPBASER, PENDBASER */
	REG_PLAIN(0xffe8, 4, 4, rd_pidr2, NULL), /* PIDR2 */
	REG_END,
};

static const struct vgic_regs gicr_rd = {
	.reg = rd_rows,
};

enum {
	R_ISENABLER,
	R_ICENABLER,
	R_ISPENDR,
	R_ICPENDR,
	R_ISACTIVER,
	R_ICACTIVER,
	R_IPRIORITYR,
	R_ICFGR,
	R_END,
};

static const struct vgic_reg sgi_rows[] = {
	/*  offset  bytes  log2 bits  widths  read  write  */
	[R_ISENABLER] = REG_PER_IRQ(0x0100, 4, 0, 4, vgic_rd_enable,
				    vgic_wr_set_enable),
	[R_ICENABLER] = REG_PER_IRQ(0x0180, 4, 0, 4, vgic_rd_enable,
				    vgic_wr_clear_enable),
	[R_ISPENDR] = REG_PER_IRQ(0x0200, 4, 0, 4, vgic_rd_pending,
				  vgic_wr_set_pending),
	[R_ICPENDR] = REG_PER_IRQ(0x0280, 4, 0, 4, vgic_rd_pending,
				  vgic_wr_clear_pending),
	[R_ISACTIVER] = REG_PER_IRQ(0x0300, 4, 0, 4, vgic_rd_active,
				    vgic_wr_set_active),
	[R_ICACTIVER] = REG_PER_IRQ(0x0380, 4, 0, 4, vgic_rd_active,
				    vgic_wr_clear_active),
	[R_IPRIORITYR] = REG_PER_IRQ(0x0400, 32, 3, 1 | 4, vgic_rd_priority,
				     vgic_wr_priority),
	[R_ICFGR] = REG_PER_IRQ(0x0c00, 8, 1, 4, vgic_rd_config,
				vgic_wr_config),
	[R_END] = REG_END,
};

#define BANK(offset) ((offset) >> VGIC_BANK_SHIFT)

static const struct vgic_regs gicr_sgi = {
	.reg = sgi_rows,
	.has_private = true,
	.first = {
		[BANK(0x100)] = R_ISENABLER,
		[BANK(0x180)] = R_ICENABLER,
		[BANK(0x200)] = R_ISPENDR,
		[BANK(0x280)] = R_ICPENDR,
		[BANK(0x300)] = R_ISACTIVER,
		[BANK(0x380)] = R_ICACTIVER,
		[BANK(0x400)] = R_IPRIORITYR,
		[BANK(0xc00)] = R_ICFGR,
	},
	.first_high = R_END,
};

static enum mmio_result gicr_access(struct vcpu *v, struct mmio_access *m,
				    void *opaque)
{
	uint32_t offset = (uint32_t)m->offset;
	struct vcpu *owner = vgic_vcpu_of(v->domain,
					  offset >> GICR_STRIDE_SHIFT);
	const struct vgic_regs *f =
		offset >> GICR_FRAME_SHIFT & 1 ? &gicr_sgi : &gicr_rd;

	(void)opaque;
	if (!owner) {
		return MMIO_ABORT;
	}
	m->offset = offset & GICR_FRAME_MASK;
	return vgic_regs_access(v, m, f, owner);
}

int vgicr_v3_map(struct domain *d, uint64_t base)
{
	const struct mmio_range gicr = {
		.start = base,
		.size = (uint64_t)d->max_vcpus << GICR_STRIDE_SHIFT,
		.fn = gicr_access,
	};

	return mmio_register(d, &gicr);
}
