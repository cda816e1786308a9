/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distributor a GICv2 guest sees: no security extensions, one group, at
 * most 8 CPUs. INTIDs below 32 are banked: each vCPU sees its own. The CPU
 * interface is the hardware's, mapped elsewhere.
 *
 * Owns    nothing.
 * Absent  IGROUPR and NSACR: there is one group only.
 * Locks   the engine's (vgic_mmio.c); GICD_SGIR takes the vGIC lock.
 * Spec    [GIC] "GICv2 Distributor", "GICD_SGIR", "GICD_ITARGETSR<n>".
 */
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/dom_config.h>
#include "vgic_mmio.h"

#define GICD_SIZE 0x1000u

#define GICD_CTLR_ENABLE 1u

#define SGIR_FILTER FIELD64(25, 24)
#define SGIR_TARGETS FIELD64(23, 16)
#define SGIR_INTID FIELD64(3, 0)

static uint64_t rd_ctlr(const struct vgic_access *a)
{
	return a->v->domain->arch.vgic.ctlr;
}

static void wr_ctlr(const struct vgic_access *a, uint64_t val)
{
	uint32_t ctlr = (uint32_t)val & GICD_CTLR_ENABLE;

	vgic_set_enabled(a->v->domain, ctlr, ctlr != 0);
}

static uint64_t rd_typer(const struct vgic_access *a)
{
	const struct domain *d = a->v->domain;

	return (d->arch.vgic.nr_spis + 31) / 32 | (d->max_vcpus - 1) << 5;
}

static uint64_t rd_iidr(const struct vgic_access *a)
{
	(void)a;
	return GIC_IIDR_V2;
}

static uint64_t rd_pidr2(const struct vgic_access *a)
{
	(void)a;
	return GIC_PIDR2_V2;
}

/* ---- GICD_ITARGETSR<n>: one byte each, private ones name who reads ------- */

static uint64_t rd_targets(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		val |= (uint64_t)a->q[i].targets_v2 << i * 8;
	}
	return val;
}

static void wr_targets(const struct vgic_access *a, uint64_t val)
{
	uint32_t all = (1u << a->v->domain->max_vcpus) - 1;

	if (a->q->intid < VGIC_NR_PRIVATE) {
		return;
	}
	for (uint32_t i = 0; i < a->nr; i++) {
		uint32_t targets = (uint32_t)(val >> i * 8) & 0xff & all;

		a->q[i].targets_v2 = (uint8_t)targets;
		virq_set_target(a->op, &a->q[i],
				targets ? (uint16_t)ffs64(targets) :
					  (uint16_t)VGIC_NO_VCPU);
	}
}

/* ---- SGIs: pending once for each CPU that sent it ------------------------ */

static uint32_t sgir_targets(const struct vcpu *v, uint64_t val)
{
	uint32_t all = (1u << v->domain->max_vcpus) - 1;

	switch (field_get(SGIR_FILTER, val)) {
	case 0:
		return (uint32_t)field_get(SGIR_TARGETS, val) & all;
	case 1:
		return all & ~(1u << v->id);
	case 2:
		return 1u << v->id;
	default:
		return 0; /* reserved */
	}
}

static void wr_sgir(const struct vgic_access *a, uint64_t val)
{
	uint32_t intid = (uint32_t)field_get(SGIR_INTID, val);
	struct domain *d = a->v->domain;
	struct vgic_op op;

	vgic_op_begin(&op, d);
	/* bound: 8 vCPUs */
	for (uint32_t b = sgir_targets(a->v, val); b; b &= b - 1) {
		struct vcpu *t = vgic_vcpu_of(d, ffs64(b));

		if (t) {
			virq_set_source(&op, &t->arch.vgic.priv[intid],
					a->v->id % 8);
		}
	}
	vgic_op_end(&op);
}

static uint64_t rd_sgi_pending(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		/* What is in a list register counts as pending, too. */
		if (virq_read_pending(a->op, &a->q[i]) &&
		    virq_unload(a->op, &a->q[i])) {
			virq_commit(a->op, &a->q[i], true);
		}
		val |= (uint64_t)a->q[i].sources << i * 8;
	}
	return val;
}

static void wr_sgi_set(const struct vgic_access *a, uint64_t val)
{
	/* bound: 32 bits */
	for (; val; val &= val - 1) {
		unsigned int bit = ffs64(val);

		virq_set_source(a->op, &a->q[bit / 8], bit % 8);
	}
}

static void wr_sgi_clear(const struct vgic_access *a, uint64_t val)
{
	/* bound: 32 bits */
	for (; val; val &= val - 1) {
		unsigned int bit = ffs64(val);

		virq_clear_source(a->op, &a->q[bit / 8], bit % 8);
	}
}

/* ---- rows ---------------------------------------------------------------- */

enum {
	R_TYPER,
	R_CTLR,
	R_IIDR,
	R_ISENABLER,
	R_ICENABLER,
	R_ISPENDR,
	R_ICPENDR,
	R_ISACTIVER,
	R_ICACTIVER,
	R_IPRIORITYR,
	R_ITARGETSR,
	R_ICFGR,
	R_SGIR,
	R_CPENDSGIR,
	R_SPENDSGIR,
	R_PIDR2,
	R_END,
};

static const struct vgic_reg rows[] = {
	/*  offset  bytes  (log2 bits)  widths  read  write  */
	[R_TYPER] = REG_PLAIN(0x004, 4, 4, rd_typer, NULL),
	[R_CTLR] = REG_PLAIN(0x000, 4, 4, rd_ctlr, wr_ctlr),
	[R_IIDR] = REG_PLAIN(0x008, 4, 4, rd_iidr, NULL),
	[R_ISENABLER] = REG_PER_IRQ(0x100, 0x80, 0, 4, vgic_rd_enable,
				    vgic_wr_set_enable),
	[R_ICENABLER] = REG_PER_IRQ(0x180, 0x80, 0, 4, vgic_rd_enable,
				    vgic_wr_clear_enable),
	[R_ISPENDR] = REG_PER_IRQ(0x200, 0x80, 0, 4, vgic_rd_pending,
				  vgic_wr_set_pending),
	[R_ICPENDR] = REG_PER_IRQ(0x280, 0x80, 0, 4, vgic_rd_pending,
				  vgic_wr_clear_pending),
	[R_ISACTIVER] = REG_PER_IRQ(0x300, 0x80, 0, 4, vgic_rd_active,
				    vgic_wr_set_active),
	[R_ICACTIVER] = REG_PER_IRQ(0x380, 0x80, 0, 4, vgic_rd_active,
				    vgic_wr_clear_active),
	[R_IPRIORITYR] = REG_PER_IRQ(0x400, 0x400, 3, 1 | 4, vgic_rd_priority,
				     vgic_wr_priority),
	[R_ITARGETSR] = REG_PER_IRQ(0x800, 0x400, 3, 1 | 4, rd_targets,
				    wr_targets),
	[R_ICFGR] = REG_PER_IRQ(0xc00, 0x100, 1, 4, vgic_rd_config,
				vgic_wr_config),
	[R_SGIR] = REG_PLAIN(0xf00, 4, 4, NULL, wr_sgir),
	[R_CPENDSGIR] = REG_PER_IRQ(0xf10, 16, 3, 1 | 4, rd_sgi_pending,
				    wr_sgi_clear),
	[R_SPENDSGIR] = REG_PER_IRQ(0xf20, 16, 3, 1 | 4, rd_sgi_pending,
				    wr_sgi_set),
	[R_PIDR2] = REG_PLAIN(0xfe8, 4, 4, rd_pidr2, NULL),
	[R_END] = REG_END,
};

#define BANK(offset) ((offset) >> VGIC_BANK_SHIFT)

static const struct vgic_regs gicd_v2 = {
	.reg = rows,
	.has_private = true,
	.first = {
		[BANK(0x000)] = R_TYPER,
		[BANK(0x100)] = R_ISENABLER,
		[BANK(0x180)] = R_ICENABLER,
		[BANK(0x200)] = R_ISPENDR,
		[BANK(0x280)] = R_ICPENDR,
		[BANK(0x300)] = R_ISACTIVER,
		[BANK(0x380)] = R_ICACTIVER,
		[BANK(0x400) ... BANK(0x780)] = R_IPRIORITYR,
		[BANK(0x800) ... BANK(0xb80)] = R_ITARGETSR,
		[BANK(0xc00) ... BANK(0xc80)] = R_ICFGR,
		[BANK(0xf00)] = R_SGIR,
		[BANK(0xf80)] = R_PIDR2,
	},
	.first_high = R_END,
};

static enum mmio_result gicd_access(struct vcpu *v, struct mmio_access *m,
				    void *opaque)
{
	(void)opaque;
	return vgic_regs_access(v, m, &gicd_v2, v);
}

int vgic_v2_map(struct domain *d, const struct dom_config *cfg)
{
	const struct mmio_range gicd = {
		.start = cfg->gicd_base,
		.size = GICD_SIZE,
		.fn = gicd_access,
	};

	if (d->arch.vgic.version != 2) {
		return -EINVAL;
	}
	return mmio_register(d, &gicd);
}
