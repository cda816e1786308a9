/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of the ITS that a guest sees: no tables in its memory (no
 * GITS_BASER<n>, collections are in the ITS), one queue of commands.
 *
 * Owns    nothing beyond struct vits.
 * Doorbell GITS_TRANSLATER is for devices, which reach the physical one; what
 *         a vCPU writes there is lost. Devices behind an IOMMU go by the
 *         domain's own tables: one page of it is there, for them alone.
 * Locks   its_lock around each access.
 * Bounds  a write runs a step of the queue; while more waits, the guest
 *         repeats it (MMIO_AGAIN), with its interrupts in between.
 * Spec    [GIC] "The ITS register map".
 */
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/p2m.h>
#include <hv/platform.h>
#include "vgic_its.h"
#include "vgic_mmio.h"

#define ITS_SIZE 0x20000u /* registers, translation */

#define CTLR_ENABLED BIT32(0)
#define CTLR_QUIESCENT BIT32(31)
#define TYPER_PHYSICAL BIT64(0)
#define TYPER_ID_BITS FIELD64(12, 8)
#define TYPER_DEVBITS FIELD64(17, 13)
#define TYPER_HCC FIELD64(31, 24)
#define DEV_BITS 16u
#define CBASER_VALID BIT64(63)
#define CBASER_BITS                                                           \
	(CBASER_VALID | FIELD64(61, 59) | FIELD64(55, 53) | FIELD64(51, 10) | \
	 FIELD64(7, 0))
#define CWRITER_BITS FIELD64(19, 5)

static struct vits *its_of(const struct vgic_access *a)
{
	return a->v->domain->arch.vgic.its;
}

static uint64_t rd_ctlr(const struct vgic_access *a)
{
	return CTLR_QUIESCENT | (its_of(a)->enabled ? CTLR_ENABLED : 0);
}

static void wr_ctlr(const struct vgic_access *a, uint64_t val)
{
	its_of(a)->enabled = val & CTLR_ENABLED;
}

static uint64_t rd_typer(const struct vgic_access *a)
{
	uint32_t nr = vits_nr_collections(its_of(a));

	return vgic_part(a, TYPER_PHYSICAL |
				    field_prep(TYPER_ID_BITS,
					       VITS_EVENT_BITS - 1) |
				    field_prep(TYPER_DEVBITS, DEV_BITS - 1) |
				    field_prep(TYPER_HCC, nr));
}

static uint64_t rd_cbaser(const struct vgic_access *a)
{
	return vgic_part(a, its_of(a)->cbaser);
}

/* A new queue is empty. */
static void wr_cbaser(const struct vgic_access *a, uint64_t val)
{
	struct vits *s = its_of(a);

	if (!s->enabled) {
		s->cbaser = vgic_merge(a, s->cbaser, val) & CBASER_BITS;
		s->creadr = 0;
		s->cwriter = 0;
	}
}

static uint64_t rd_cwriter(const struct vgic_access *a)
{
	return vgic_part(a, its_of(a)->cwriter);
}

/* One outside of the queue is ignored by vits_run_queue(). */
static void wr_cwriter(const struct vgic_access *a, uint64_t val)
{
	its_of(a)->cwriter =
		vgic_merge(a, its_of(a)->cwriter, val) & CWRITER_BITS;
}

static uint64_t rd_creadr(const struct vgic_access *a)
{
	return vgic_part(a, its_of(a)->creadr);
}

static const struct vgic_reg rows[] = {
	/*  offset  bytes  widths  read  write  */
	REG_PLAIN(0x0088, 8, 4 | 8, rd_cwriter, wr_cwriter), /* CWRITER */
	REG_PLAIN(0x0090, 8, 4 | 8, rd_creadr, NULL), /* CREADR */
	REG_PLAIN(0x0000, 4, 4, rd_ctlr, wr_ctlr), /* CTLR */
	REG_PLAIN(0x0004, 4, 4, vgic_rd_iidr_v3, NULL), /* IIDR */
	REG_PLAIN(0x0008, 8, 4 | 8, rd_typer, NULL), /* TYPER */
	REG_PLAIN(0x0080, 8, 4 | 8, rd_cbaser, wr_cbaser), /* CBASER */
	REG_PLAIN(0x0100, 64, 4 | 8, NULL, NULL), /* BASER: none */
	REG_PLAIN(0xffe8, 4, 4, vgic_rd_pidr2_v3, NULL), /* PIDR2 */
	REG_END,
};

static const struct vgic_regs its_regs = {
	.reg = rows,
};

static enum mmio_result its_access(struct vcpu *v, struct mmio_access *m,
				   void *opaque)
{
	struct vits *s = opaque;
	enum mmio_result rc;

	spin_lock(&its_lock);
	rc = vgic_regs_access(v, m, &its_regs, v);
	if (rc == MMIO_OK && m->write && vits_run_queue(s)) {
		rc = MMIO_AGAIN;
	}
	spin_unlock(&its_lock);
	return rc;
}

__cold int vits_map_regs(struct vits *s, uint64_t base)
{
	const struct mmio_range its = {
		.start = base,
		.size = ITS_SIZE,
		.fn = its_access,
		.opaque = s,
	};
	struct domain *d = s->d;
	gfn_t g = ipa_to_gfn(ipa(base + ITS_DOORBELL));
	int rc = 0;

	/* The machine's doorbell, where the domain sees its own. */
	if (d->iommu.enabled) {
		paddr_t real = paddr(platform.its.base + ITS_DOORBELL);

		rc = p2m_map_mmio(d, g, paddr_to_mfn(real), 1, P2M_DOORBELL);
	}
	if (rc) {
		return rc;
	}
	rc = mmio_register(d, &its);
	if (rc && d->iommu.enabled) {
		(void)ALWAYS(p2m_remove_page(d, g, P2M_MASK(P2M_DOORBELL)) ==
			     0);
	}
	return rc;
}
