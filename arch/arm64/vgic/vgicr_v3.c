/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redistributors a GICv3 guest sees: two frames of 64 KiB for each vCPU,
 * contiguous. Any vCPU may access any of them.
 *
 * Owns    nothing.
 * Absent  GICR_WAKER, IGROUPR0, IGRPMODR0 and NSACR read as zero and ignore
 *         writes: nobody sleeps, all interrupts are group 1. So do PROPBASER
 *         and PENDBASER without an ITS.
 * LPIs    one PROPBASER for all vCPUs, as the architecture wants them alike.
 *         What is pending is not in the guest's memory: PENDBASER is kept only.
 * Locks   the engine's (vgic_mmio.c).
 * Spec    [GIC] "The GIC Redistributor register map".
 */
#include "vgic_its.h"
#include "vgic_mmio.h"
#include "vgicr_v3.h"

#define GICR_FRAME_SHIFT 16
#define GICR_STRIDE_SHIFT 17
#define GICR_FRAME_MASK 0xffffu

#define GICR_CTLR_LPIS BIT64(0)
#define GICR_TYPER_PLPIS BIT64(0)
#define GICR_TYPER_LAST BIT64(4)
#define GICR_TYPER_PROC FIELD64(23, 8)
#define GICR_TYPER_AFF FIELD64(63, 32)

#define GICR_PENDBASER 0x0078u
#define PROPBASER_BITS                                                        \
	(FIELD64(58, 56) | FIELD64(51, 12) | FIELD64(11, 7) | FIELD64(4, 0))
#define PENDBASER_BITS (FIELD64(58, 56) | FIELD64(51, 16) | FIELD64(11, 7))

/* NULL: none, and no LPIs. */
static struct vits *its_of(const struct vgic_access *a)
{
	return a->owner->domain->arch.vgic.its;
}

static bool lpis_on(const struct vits *s, const struct vcpu *v)
{
	return s->lpis_on[v->id / 64] >> v->id % 64 & 1;
}

static uint64_t rd_typer(const struct vgic_access *a)
{
	uint32_t id = a->owner->id;
	uint64_t typer = field_prep(GICR_TYPER_PROC, id) |
			 field_prep(GICR_TYPER_AFF, (id >> 4) << 8 | (id & 15));

	if (id + 1 == a->owner->domain->max_vcpus) {
		typer |= GICR_TYPER_LAST;
	}
	if (its_of(a)) {
		typer |= GICR_TYPER_PLPIS;
	}
	return vgic_part(a, typer);
}

static uint64_t rd_ctlr(const struct vgic_access *a)
{
	const struct vits *s = its_of(a);

	return s && lpis_on(s, a->owner) ? GICR_CTLR_LPIS : 0;
}

static void wr_ctlr(const struct vgic_access *a, uint64_t val)
{
	uint64_t bit = BIT64(a->owner->id % 64);
	struct vits *s = its_of(a);

	if (!s) {
		return;
	}
	if (val & GICR_CTLR_LPIS) {
		__atomic_fetch_or(&s->lpis_on[a->owner->id / 64], bit,
				  __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_and(&s->lpis_on[a->owner->id / 64], ~bit,
				   __ATOMIC_RELAXED);
	}
}

/* With LPIs on they stay as they are. */
static uint64_t rd_base(const struct vgic_access *a)
{
	const struct vits *s = its_of(a);

	if (!s) {
		return 0;
	}
	return vgic_part(a, a->offset < GICR_PENDBASER ?
				    s->propbaser :
				    s->pendbaser[a->owner->id]);
}

static void wr_base(const struct vgic_access *a, uint64_t val)
{
	struct vits *s = its_of(a);
	uint64_t *reg;

	if (!s || lpis_on(s, a->owner)) {
		return;
	}
	if (a->offset < GICR_PENDBASER) {
		reg = &s->propbaser;
		*reg = vgic_merge(a, *reg, val) & PROPBASER_BITS;
	} else {
		reg = &s->pendbaser[a->owner->id];
		*reg = vgic_merge(a, *reg, val) & PENDBASER_BITS;
	}
}

static const struct vgic_reg rd_rows[] = {
	/*  offset  bytes  widths  read  write  */
	REG_PLAIN(0x0008, 8, 4 | 8, rd_typer, NULL), /* TYPER */
	REG_PLAIN(0x0000, 4, 4, rd_ctlr, wr_ctlr), /* CTLR: none is pending */
	REG_PLAIN(0x0004, 4, 4, vgic_rd_iidr_v3, NULL), /* IIDR */
	REG_PLAIN(0x0014, 4, 4, NULL, NULL), /* WAKER */
	/* and, behind it, PENDBASER */
	REG_PLAIN(0x0070, 16, 4 | 8, rd_base, wr_base), /* PROPBASER */
	REG_PLAIN(0xffe8, 4, 4, vgic_rd_pidr2_v3, NULL), /* PIDR2 */
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
