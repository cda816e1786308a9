/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine of the emulated register files: finds the row of an access,
 * checks its width, finds the interrupts it is about and calls the row.
 *
 * Owns    nothing.
 * Rules   an offset without a row, and an INTID that does not exist, read as
 *         zero and ignore writes. A width the register does not have, or a
 *         misaligned access, is an external abort.
 * Locks   takes the domain's vGIC lock around rows with fields per interrupt.
 *         Other rows take what they need.
 * Callers the data abort handler, on the CPU of the vCPU that accesses.
 * Spec    [GIC] "GIC register access sizes".
 */
#include "vgic_mmio.h"

static inline const struct vgic_reg *find(const struct vgic_regs *f,
					  uint32_t offset)
{
	uint32_t bank = offset >> VGIC_BANK_SHIFT;
	const struct vgic_reg *r = f->reg;

	r += likely(bank < ARRAY_SIZE(f->first)) ?
		     f->first[array_index_nospec(bank, ARRAY_SIZE(f->first))] :
		     f->first_high;
	while (offset - r->offset >= r->len) { /* bound: REG_END has all */
		r++;
	}
	return r;
}

/* The interrupts of @a: false when none of them exists. */
static inline bool find_irqs(const struct vgic_regs *f,
			     const struct vgic_reg *r, struct vgic_access *a,
			     struct mmio_access *m)
{
	const struct vgic *vgic = &a->v->domain->arch.vgic;
	uint32_t intid = ((a->offset - r->offset) << 3) >> r->bits_log2;
	uint32_t nr = (a->size << 3) >> r->bits_log2;
	uint32_t exist;

	if (intid < VGIC_NR_PRIVATE) {
		a->q = &a->owner->arch.vgic.priv[intid];
		a->nr = nr; /* never crosses INTID 32 */
		return f->has_private;
	}
	intid -= VGIC_NR_PRIVATE;
	if (intid >= vgic->nr_spis) {
		return false;
	}
	intid = (uint32_t)array_index_nospec(intid, vgic->nr_spis);
	exist = vgic->nr_spis - intid;
	if (unlikely(nr > exist)) {
		nr = exist;
		m->value &= BIT64(nr << r->bits_log2) - 1;
	}
	a->q = &vgic->spi[intid];
	a->nr = nr;
	return true;
}

static inline void access_irqs(const struct vgic_reg *r,
			       const struct vgic_access *a,
			       struct mmio_access *m)
{
	vgic_op_begin(a->op, a->v->domain);
	if (!m->write) {
		m->value = r->read(a);
	} else if (r->write) {
		r->write(a, m->value);
	}
	vgic_op_end(a->op);
}

static enum mmio_result raz_wi(struct mmio_access *m)
{
	if (!m->write) {
		m->value = 0;
	}
	return MMIO_OK;
}

enum mmio_result vgic_regs_access(struct vcpu *v, struct mmio_access *m,
				  const struct vgic_regs *f,
				  struct vcpu *owner)
{
	uint32_t offset = (uint32_t)m->offset;
	const struct vgic_reg *r = find(f, offset);
	struct vgic_access a;
	struct vgic_op op;

	if (unlikely(!(r->widths & m->size) || (offset & (m->size - 1u)))) {
		return r->widths ? MMIO_ABORT : raz_wi(m);
	}
	a.v = v;
	a.owner = owner;
	a.offset = offset;
	a.size = m->size;
	if (r->bits_log2 != VGIC_REG_PLAIN) {
		if (!find_irqs(f, r, &a, m)) {
			return raz_wi(m);
		}
		a.op = &op;
		access_irqs(r, &a, m);
	} else if (!m->write) {
		m->value = r->read ? r->read(&a) : 0;
	} else if (r->write) {
		r->write(&a, m->value);
	}
	return MMIO_OK;
}

uint64_t vgic_rd_iidr_v3(const struct vgic_access *a)
{
	(void)a;
	return GIC_IIDR_V3;
}

uint64_t vgic_rd_pidr2_v3(const struct vgic_access *a)
{
	(void)a;
	return GIC_PIDR2_V3;
}
