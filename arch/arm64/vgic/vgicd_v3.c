/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distributor a GICv3 guest sees: one security state as seen from the
 * non-secure side, affinity routing always on, no message-based SPIs; LPIs for
 * a domain with an ITS.
 *
 * Owns    nothing; vgic_v3_map() also registers the redistributors.
 * Absent  INTIDs below 32 are in the redistributors and read as zero here, so
 *         do IGROUPR, IGRPMODR, NSACR (all interrupts are group 1), ITARGETSR
 *         and SGIR (legacy), which have no rows.
 * Locks   the engine's (vgic_mmio.c).
 * Spec    [GIC] "The GIC Distributor register map".
 */
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/dom_config.h>
#include "vgic_its.h"
#include "vgic_mmio.h"
#include "vgicr_v3.h"

#define GICD_SIZE 0x10000u

#define GICD_CTLR_ENABLE_GRP1A 0x02u
#define GICD_CTLR_ARE_NS 0x10u
#define GICD_TYPER_IDBITS (9u << 19) /* 10 bits of INTID */
#define GICD_TYPER_ITS (13u << 19 | 1u << 17 | 9u << 11) /* 14; 1024 LPIs */

#define IROUTER_AFF (FIELD64(39, 32) | FIELD64(23, 0))
#define IROUTER_IRM BIT64(31)
#define IROUTER_AFF0 FIELD64(7, 0)
#define IROUTER_AFF1 FIELD64(15, 8)

static uint64_t rd_ctlr(const struct vgic_access *a)
{
	return a->v->domain->arch.vgic.ctlr | GICD_CTLR_ARE_NS;
}

static void wr_ctlr(const struct vgic_access *a, uint64_t val)
{
	uint32_t ctlr = (uint32_t)val & GICD_CTLR_ENABLE_GRP1A;

	vgic_set_enabled(a->v->domain, ctlr, ctlr != 0);
}

static uint64_t rd_typer(const struct vgic_access *a)
{
	return a->v->domain->arch.vgic.typer;
}

/* ---- GICD_IROUTER<n>: 64 bits, or one of its words ----------------------- */

static unsigned int word_shift(const struct vgic_access *a)
{
	return (a->offset & 4) * 8;
}

static uint64_t rd_irouter(const struct vgic_access *a)
{
	return a->size == 8 ? a->q->irouter :
			      (uint32_t)(a->q->irouter >> word_shift(a));
}

/* An affinity that no vCPU has: delivered to nobody. */
static uint16_t irouter_target(uint64_t irouter)
{
	uint64_t aff0 = field_get(IROUTER_AFF0, irouter);

	if (irouter & IROUTER_IRM) {
		return 0; /* 1 of N: we choose the first */
	}
	if ((irouter & ~(IROUTER_AFF0 | IROUTER_AFF1)) || aff0 > 15) {
		return VGIC_NO_VCPU;
	}
	return (uint16_t)(field_get(IROUTER_AFF1, irouter) << 4 | aff0);
}

static void wr_irouter(const struct vgic_access *a, uint64_t val)
{
	uint64_t new = val;
	uint16_t target;

	if (a->size == 4) {
		uint64_t mask = UINT64_C(0xffffffff) << word_shift(a);

		new = (a->q->irouter & ~mask) | val << word_shift(a);
	}
	a->q->irouter = new & (IROUTER_AFF | IROUTER_IRM);
	target = irouter_target(a->q->irouter);
	virq_set_target(a->op, a->q,
			target < a->v->domain->max_vcpus ? target :
							   VGIC_NO_VCPU);
}

/* ---- rows ---------------------------------------------------------------- */

enum {
	R_TYPER,
	R_CTLR,
	R_IIDR,
	R_TYPER2,
	R_ISENABLER,
	R_ICENABLER,
	R_ISPENDR,
	R_ICPENDR,
	R_ISACTIVER,
	R_ICACTIVER,
	R_IPRIORITYR,
	R_ICFGR,
	R_IROUTER,
	R_PIDR2,
	R_END,
};

static const struct vgic_reg rows[] = {
	/*  offset  bytes  (log2 bits)  widths  read  write  */
	[R_TYPER] = REG_PLAIN(0x0004, 4, 4, rd_typer, NULL),
	[R_CTLR] = REG_PLAIN(0x0000, 4, 4, rd_ctlr, wr_ctlr),
	[R_IIDR] = REG_PLAIN(0x0008, 4, 4, vgic_rd_iidr_v3, NULL),
	[R_TYPER2] = REG_PLAIN(0x000c, 4, 4, NULL, NULL),
	[R_ISENABLER] = REG_PER_IRQ(0x0100, 0x80, 0, 4, vgic_rd_enable,
				    vgic_wr_set_enable),
	[R_ICENABLER] = REG_PER_IRQ(0x0180, 0x80, 0, 4, vgic_rd_enable,
				    vgic_wr_clear_enable),
	[R_ISPENDR] = REG_PER_IRQ(0x0200, 0x80, 0, 4, vgic_rd_pending,
				  vgic_wr_set_pending),
	[R_ICPENDR] = REG_PER_IRQ(0x0280, 0x80, 0, 4, vgic_rd_pending,
				  vgic_wr_clear_pending),
	[R_ISACTIVER] = REG_PER_IRQ(0x0300, 0x80, 0, 4, vgic_rd_active,
				    vgic_wr_set_active),
	[R_ICACTIVER] = REG_PER_IRQ(0x0380, 0x80, 0, 4, vgic_rd_active,
				    vgic_wr_clear_active),
	[R_IPRIORITYR] = REG_PER_IRQ(0x0400, 0x400, 3, 1 | 4, vgic_rd_priority,
				     vgic_wr_priority),
	[R_ICFGR] = REG_PER_IRQ(0x0c00, 0x100, 1, 4, vgic_rd_config,
				vgic_wr_config),
	[R_IROUTER] = REG_PER_IRQ(0x6000, 0x2000, 6, 4 | 8, rd_irouter,
				  wr_irouter),
	[R_PIDR2] = REG_PLAIN(0xffe8, 4, 4, vgic_rd_pidr2_v3, NULL),
	[R_END] = REG_END,
};

#define BANK(offset) ((offset) >> VGIC_BANK_SHIFT)

static const struct vgic_regs gicd_v3 = {
	.reg = rows,
	.has_private = false,
	.first = {
		[BANK(0x000)] = R_TYPER,
		[BANK(0x100)] = R_ISENABLER,
		[BANK(0x180)] = R_ICENABLER,
		[BANK(0x200)] = R_ISPENDR,
		[BANK(0x280)] = R_ICPENDR,
		[BANK(0x300)] = R_ISACTIVER,
		[BANK(0x380)] = R_ICACTIVER,
		[BANK(0x400) ... BANK(0x780)] = R_IPRIORITYR,
		[BANK(0xc00) ... BANK(0xc80)] = R_ICFGR,
	},
	.first_high = R_IROUTER,
};

static enum mmio_result gicd_access(struct vcpu *v, struct mmio_access *m,
				    void *opaque)
{
	(void)opaque;
	return vgic_regs_access(v, m, &gicd_v3, v);
}

/* ITLinesNumber counts blocks of 32 after the first; CPUNumber: up to 8. */
__cold void vgicd_v3_describe(struct domain *d)
{
	uint32_t cpus = d->max_vcpus < 8 ? d->max_vcpus : 8;

	d->arch.vgic.typer =
		(d->arch.vgic.nr_spis + 31) / 32 | (cpus - 1) << 5 |
		(d->arch.vgic.its ? GICD_TYPER_ITS : GICD_TYPER_IDBITS);
}

int vgic_v3_map(struct domain *d, const struct dom_config *cfg)
{
	const struct mmio_range gicd = {
		.start = cfg->gicd_base,
		.size = GICD_SIZE,
		.fn = gicd_access,
	};
	int rc;

	if (d->arch.vgic.version != 3) {
		return -EINVAL;
	}
	vgicd_v3_describe(d);
	rc = mmio_register(d, &gicd);
	if (rc) {
		return rc;
	}
	return vgicr_v3_map(d, cfg->gicr_base);
}
