/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways by which a virtual interrupt arrives: an edge, a level, a physical
 * line, an SGI. Each has a short way for the common case, an interrupt for
 * the vCPU that runs here while nothing else waits: one list register write,
 * no flush. Everything else is a change of state and a request to flush.
 *
 * Owns    nothing beyond vgic_state.c, whose fields it changes.
 * Locks   the domain's vGIC lock, taken here.
 * Callers any CPU. ->is_slow of a vCPU says that the short way is closed, as
 *         it is by whatever queues a candidate (vgic_state.c).
 * Spec    [GIC] "Software Generated Interrupts", "ICC_SGI1R_EL1".
 */
#include "vgic_priv.h"

/* ---- posts --------------------------------------------------------------- */

/* Not past others that it has to wait for: a flush sorts them. */
static inline bool may_take(struct vcpu *v, const struct virq *q,
			    unsigned int n)
{
	if (likely(!vgic_has_above(v, q, n)) || !vgic_passes(v, q, n)) {
		return true;
	}
	v->arch.vgic.resync = true;
	return false;
}

/*
 * The short way, without a flush: @q, which is for @v, the vCPU that runs
 * here, is written to a list register at once, because nothing else waits and
 * one is free, or the one it had is empty. VGIC_LR_NONE: not so.
 */
static inline unsigned int quick_lr_of(struct vcpu *v, struct virq *q)
{
	unsigned int n = q->lr;
	unsigned int free;

	if (unlikely(v->arch.vgic.is_slow)) {
		return VGIC_LR_NONE;
	}
	if (likely(n != VGIC_LR_NONE)) {
		return (vgic_hw->empty_lrs() >> n & 1) && may_take(v, q, n) ?
			       n : VGIC_LR_NONE;
	}
	free = vgic_all_lrs() & ~(unsigned int)v->arch.vgic.lr_used;
	if (!free || (q->flags & VIRQ_ACTIVE)) {
		return VGIC_LR_NONE;
	}
	n = vgic_pick_lr(free, q->intid);
	if (!may_take(v, q, n)) {
		return VGIC_LR_NONE;
	}
	v->arch.vgic.lr_used |= (uint16_t)(1u << n);
	v->arch.vgic.lr_intid[n] = q->intid;
	q->lr = (uint8_t)n;
	q->lr_vcpu = (uint16_t)v->id;
	return n;
}

static inline unsigned int quick_lr(const struct domain *d, struct virq *q)
{
	struct vcpu *v = this_pcpu()->current;

	if (!v || v->domain != d || v->id != q->target ||
	    v->state != VCPU_RUNNING ||
	    (q->lr != VGIC_LR_NONE && q->lr_vcpu != v->id)) {
		return VGIC_LR_NONE;
	}
	return quick_lr_of(v, q);
}

#define QUICK_NOT                                                             \
	(VIRQ_LATCH | VIRQ_QUEUED | VIRQ_LR_SW | VIRQ_STALE | VIRQ_SOFT |     \
	 VIRQ_REQUESTS)

/* @q has a new edge: when its flags are as in @want, deliver, adding @set. */
static inline bool post_quick(struct domain *d, struct virq *q, uint32_t want,
			      uint32_t set)
{
	uint32_t flags = q->flags;
	unsigned int n;

	if ((flags & (QUICK_NOT | VIRQ_ENABLED | VIRQ_HW | VIRQ_LINE)) !=
	    want) {
		return false;
	}
	n = quick_lr(d, q);
	if (n == VGIC_LR_NONE) {
		return false;
	}
	q->flags = (uint16_t)((flags & ~VIRQ_ACTIVE) | VIRQ_LR_LATCH | set);
	vgic_hw->write_lr(n, vgic_lr_pending(q));
	return true;
}

static inline bool post_edge_quick(struct domain *d, struct virq *q)
{
	/* GICv2 SGIs come with a sender, another way. */
	return post_quick(d, q, VIRQ_ENABLED, 0);
}

static bool raise_quick(struct domain *d, struct virq *q)
{
	struct vcpu *v = this_pcpu()->current;
	unsigned int n;

	if ((q->flags & (QUICK_NOT | VIRQ_ENABLED | VIRQ_HW)) !=
	    VIRQ_ENABLED) {
		return false;
	}
	n = quick_lr(d, q);
	if (n == VGIC_LR_NONE) {
		return false;
	}
	q->active = 0;
	q->lr_latch = 0;
	v->arch.vgic.lr_eoi |= (uint16_t)(1u << n);
	vgic_hw->write_lr(n, vgic_lr_pending(q));
	return true;
}

void vgic_set_level(struct domain *d, struct vcpu *v, uint32_t intid,
		    bool level)
{
	struct virq *q = virq_lookup(d, v, intid);
	struct vgic_op op;

	if (!q) {
		return;
	}
	vgic_op_begin(&op, d);
	if (q->line == level) {
		vgic_op_end(&op);
		return;
	}
	q->line = level;
	if (level && q->edge) {
		q->latch = 1;
		virq_pend(&op, q);
	} else if (!level || !raise_quick(d, q)) {
		virq_commit(&op, q, virq_unload(&op, q));
	}
	vgic_op_end(&op);
}

void vgic_post_edge(struct domain *d, struct vcpu *v, uint32_t intid)
{
	struct virq *q = virq_lookup(d, v, intid);
	struct vgic_op op;

	if (!q) {
		return;
	}
	vgic_op_begin(&op, d);
	if (!post_edge_quick(d, q)) {
		q->latch = 1;
		virq_pend(&op, q);
	}
	vgic_op_end(&op);
}

void vgic_post_lpi(struct domain *d, struct virq *q)
{
	struct vgic_op op;

	vgic_op_begin(&op, d);
	if (!post_edge_quick(d, q)) {
		q->latch = 1;
		virq_pend(&op, q);
	}
	vgic_op_end(&op);
}

/* Takes over the lock. */
static void post_hw_slow(struct domain *d, struct virq *q) NO_LOCK_ANALYSIS;
static __attribute__((noinline)) void
post_hw_slow(struct domain *d, struct virq *q)
{
	struct vgic_op op;
	bool mem;

	vgic_op_init_locked(&op, d);
	if (q->hw) { /* else unlinked a moment ago: the line is not ours */
		q->phys = 1;
		q->latch = 1;
		q->soft = 0;
		mem = virq_unload(&op, q);
		if (mem && q->active && !q->edge) {
			/* The line is seen again when it is deactivated. */
			q->latch = 0;
		}
		virq_commit(&op, q, mem);
	}
	vgic_op_end(&op);
}

/*
 * A physical line of the vCPU whose list registers are in this CPU, for which
 * one was used before. It was active from then until the guest deactivated it,
 * which emptied that list register: no need to look. (QEMU's GICv2 has an SPI
 * active on the CPU that took it only; routed to another one meanwhile it may
 * fire there as well. Then it pends once more, and the guest finds nothing.)
 */
static inline bool post_linked_quick(struct vcpu *v, struct virq *q)
{
	uint32_t flags = q->flags;
	unsigned int n = q->lr;

	if (unlikely((flags & (QUICK_NOT | VIRQ_ENABLED | VIRQ_HW)) !=
			     (VIRQ_ENABLED | VIRQ_HW) ||
		     n == VGIC_LR_NONE)) {
		return false;
	}
	if (unlikely(v->arch.vgic.used_or_slow >> n > 1) &&
	    (v->arch.vgic.is_slow || vgic_has_above(v, q, n))) {
		return false; /* looked at by post_quick() */
	}
	q->flags = (uint16_t)((flags & ~VIRQ_ACTIVE) | VIRQ_LR_LATCH |
			      VIRQ_PHYS);
	vgic_hw->write_lr(n, vgic_lr_pending_linked(q));
	return true;
}

/*
 * Are the list registers of @v those that @q of @d goes to, and has gone to?
 * Both ids in one branch: they differ as good as never.
 */
static inline bool is_for(const struct vcpu *v, const struct domain *d,
			  const struct virq *q)
{
	return v && v->domain == d &&
	       (v->id == q->target) & (v->id == q->lr_vcpu);
}

struct virq *vgic_spi_of(struct domain *d, uint32_t intid)
{
	return virq_lookup(d, NULL, intid);
}

void vgic_post_hw(struct domain *d, struct virq *q) NO_LOCK_ANALYSIS;
void vgic_post_hw(struct domain *d, struct virq *q)
{
	struct pcpu *c = this_pcpu();
	struct vcpu *v = c->loaded;

	spin_lock(&d->arch.vgic.lock);
	if (likely(is_for(v, d, q) && post_linked_quick(v, q))) {
		spin_unlock(&d->arch.vgic.lock);
		if (unlikely(v != c->current)) {
			vcpu_wake(v); /* this CPU idles, for it */
		}
		return;
	}
	if (likely(post_quick(d, q, VIRQ_ENABLED | VIRQ_HW, VIRQ_PHYS))) {
		spin_unlock(&d->arch.vgic.lock);
		return;
	}
	post_hw_slow(d, q);
}

/* ---- software generated interrupts --------------------------------------- */

#define SGI1R_TARGETS FIELD64(15, 0)
#define SGI1R_AFF1 FIELD64(23, 16)
#define SGI1R_INTID FIELD64(27, 24)
#define SGI1R_AFF2 FIELD64(39, 32)
#define SGI1R_IRM BIT64(40)
#define SGI1R_RS FIELD64(47, 44)
#define SGI1R_AFF3 FIELD64(55, 48)
#define SGI1R_WHO                                                             \
	(SGI1R_TARGETS | SGI1R_AFF1 | SGI1R_AFF2 | SGI1R_IRM | SGI1R_RS |     \
	 SGI1R_AFF3)

static void post_sgi(struct vgic_op *op, struct vcpu *t, uint32_t intid)
{
	struct virq *q = &t->arch.vgic.priv[intid];

	if (post_edge_quick(op->d, q) || (q->latch && q->queued)) {
		return; /* delivered, or waits already */
	}
	q->latch = 1;
	virq_pend(op, q);
}

/* @v, which runs here, to itself. */
static inline bool post_sgi_quick(struct vcpu *v, struct virq *q)
{
	uint32_t flags = q->flags;
	unsigned int n;

	if ((flags & (QUICK_NOT | VIRQ_ENABLED)) != VIRQ_ENABLED) {
		return false;
	}
	n = quick_lr_of(v, q);
	if (n == VGIC_LR_NONE) {
		return false;
	}
	q->flags = (uint16_t)((flags & ~VIRQ_ACTIVE) | VIRQ_LR_LATCH);
	vgic_hw->write_lr(n, vgic_lr_base(q) |
				     field_prep(ICH_LR_STATE, LR_PENDING));
	return true;
}

static __attribute__((noinline)) void send_sgi(struct vcpu *v, uint64_t val)
{
	uint32_t intid = (uint32_t)field_get(SGI1R_INTID, val);
	uint32_t base = (uint32_t)field_get(SGI1R_AFF1, val) * 16;
	struct domain *d = v->domain;
	struct vgic_op op;
	struct vcpu *t;

	vgic_op_begin(&op, d);
	if (unlikely(val & SGI1R_IRM)) {
		/* bound: vCPUs of a domain */
		for (uint32_t i = 0; i < d->max_vcpus; i++) {
			t = d->vcpu[i];
			if (t && t != v) {
				post_sgi(&op, t, intid);
			}
		}
	} else if (!(val & (SGI1R_AFF2 | SGI1R_AFF3 | SGI1R_RS))) {
		/* bound: 16 bits */
		for (uint64_t b = val & SGI1R_TARGETS; b; b &= b - 1) {
			t = vgic_vcpu_of(d, base + ffs64(b));
			if (t) {
				post_sgi(&op, t, intid);
			}
		}
	}
	vgic_op_end(&op);
}

void vgic_v3_write_sgi1r(struct vcpu *v, uint64_t val)
{
	uint64_t self = BIT64(v->id % 16) | (uint64_t)(v->id / 16) << 16;
	struct virq *q = &v->arch.vgic.priv[field_get(SGI1R_INTID, val)];
	bool done;

	if (likely((val & SGI1R_WHO) == self)) {
		spin_lock(&v->domain->arch.vgic.lock);
		done = post_sgi_quick(v, q);
		spin_unlock(&v->domain->arch.vgic.lock);
		if (likely(done)) {
			return;
		}
	}
	send_sgi(v, val);
}
