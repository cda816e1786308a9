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

static const struct vgic_reg *find(const struct vgic_regs *f, uint32_t offset)
{
	const struct vgic_reg *end = f->reg + f->nr;
	const struct vgic_reg *r = f->reg;

	r += offset < ARRAY_SIZE(f->first) << VGIC_BANK_SHIFT ?
		     f->first[array_index_nospec(offset >> VGIC_BANK_SHIFT,
						 ARRAY_SIZE(f->first))] :
		     f->first_high;
	for (; r < end; r++) { /* bound: rows of a file */
		if (offset - r->offset < r->len) {
			return r;
		}
	}
	return NULL;
}

/* The interrupts of @a: false when none of them exists. */
static bool find_irqs(const struct vgic_regs *f, const struct vgic_reg *r,
		      struct vgic_access *a)
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
	a->q = &vgic->spi[intid];
	a->nr = nr < exist ? nr : exist;
	if (!a->nr) {
		a->nr = 1; /* one half of a wide field */
	}
	return true;
}

static void access_irqs(const struct vgic_reg *r, const struct vgic_access *a,
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

enum mmio_result vgic_regs_access(const struct vgic_regs *f, struct vcpu *v,
				  struct vcpu *owner, uint32_t offset,
				  struct mmio_access *m)
{
	const struct vgic_reg *r = find(f, offset);
	struct vgic_access a;
	struct vgic_op op;

	if (unlikely(!r)) {
		goto zero;
	}
	if (unlikely(!(r->widths & m->size) || (offset & (m->size - 1u)))) {
		return MMIO_ABORT;
	}
	if (m->write && m->size < 8) {
		m->value &= (UINT64_C(1) << m->size * 8) - 1;
	}
	a.v = v;
	a.owner = owner;
	a.offset = offset;
	a.size = m->size;
	a.op = &op;
	if (r->bits_log2 != VGIC_REG_PLAIN) {
		if (!find_irqs(f, r, &a)) {
			goto zero;
		}
		access_irqs(r, &a, m);
	} else if (m->write && r->write) {
		r->write(&a, m->value);
	} else if (!m->write) {
		m->value = r->read ? r->read(&a) : 0;
	}
	return MMIO_OK;
zero:
	if (!m->write) {
		m->value = 0;
	}
	return MMIO_OK;
}
