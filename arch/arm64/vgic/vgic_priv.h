/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of arch/arm64/vgic share; nobody else includes it. */
#ifndef VGIC_PRIV_H
#define VGIC_PRIV_H

#include <lib/bits.h>
#include <hv/domain.h>
#include <hv/vcpu.h>
#include <arch/vgic.h>

/*
 * One critical section on a domain's interrupts: which vCPUs have to look at
 * their list registers afterwards. They are told when the lock is dropped.
 */
struct vgic_op {
	struct domain *d;
	uint64_t kick[MAX_VCPUS_PER_DOMAIN / 64];
};

/* The lock is held already. */
static inline void vgic_op_init_locked(struct vgic_op *op, struct domain *d)
{
	op->d = d;
	op->kick[0] = 0;
	op->kick[1] = 0;
}

static inline void vgic_op_begin(struct vgic_op *op, struct domain *d)
	NO_LOCK_ANALYSIS;
static inline void vgic_op_begin(struct vgic_op *op, struct domain *d)
{
	spin_lock(&d->arch.vgic.lock);
	vgic_op_init_locked(op, d);
}

void vgic_kick_all(const struct vgic_op *op);

static inline void vgic_op_end(struct vgic_op *op) NO_LOCK_ANALYSIS;
static inline void vgic_op_end(struct vgic_op *op)
{
	spin_unlock(&op->d->arch.vgic.lock);
	if (op->kick[0] | op->kick[1]) {
		vgic_kick_all(op);
	}
}

static inline void vgic_op_kick(struct vgic_op *op, const struct vcpu *v)
{
	op->kick[v->id / 64 % ARRAY_SIZE(op->kick)] |= BIT64(v->id % 64);
}

static inline struct vcpu *vgic_vcpu_of(const struct domain *d, uint32_t id)
{
	return id < d->max_vcpus ? d->vcpu[array_index_nospec(id, d->max_vcpus)]
				 : NULL;
}

static inline bool vgic_is_loaded_here(const struct vcpu *v)
{
	return v->arch.vgic.loaded_on == this_cpu();
}

/* Number of @q among candidates. All LPIs have that bit, nothing else has. */
static inline unsigned int virq_index(const struct virq *q)
{
	return unlikely(q->intid & VGIC_LPI_FIRST) ?
		       q->intid - (VGIC_LPI_FIRST - VGIC_LPI_INDEX) :
		       q->intid;
}

/*
 * LPI @n, an INTID or an index; NULL: no such. Inline: a call would cost those
 * who look up others a stack frame.
 */
static inline struct virq *virq_lookup_lpi(const struct domain *d, uint32_t n)
{
	n -= n < VGIC_LPI_FIRST ? VGIC_LPI_INDEX : VGIC_LPI_FIRST;
	if (!d->arch.vgic.lpi || n >= VGIC_NR_LPIS) {
		return NULL;
	}
	return &d->arch.vgic.lpi[array_index_nospec(n, VGIC_NR_LPIS)];
}

/*
 * By INTID or index. NULL: no such interrupt, or a private one without @v.
 */
static inline struct virq *virq_lookup(struct domain *d, struct vcpu *v,
				       uint32_t intid)
{
	uint32_t spi = intid - VGIC_NR_PRIVATE;

	if (intid < VGIC_NR_PRIVATE) {
		return v ? &v->arch.vgic.priv[intid] : NULL;
	}
	if (unlikely(spi >= d->arch.vgic.nr_spis)) {
		return virq_lookup_lpi(d, intid);
	}
	return &d->arch.vgic.spi[array_index_nospec(spi, d->arch.vgic.nr_spis)];
}

/* Pending as far as memory knows: without what a list register holds. */
static inline bool virq_is_pending(const struct virq *q)
{
	return q->latch || q->sources || (q->line && !q->edge);
}

static inline unsigned int vgic_all_lrs(void)
{
	return (1u << vgic_hw_caps.nr_lrs) - 1;
}

/* Image of @q: all but state, link and EOI. */
static inline uint64_t vgic_lr_base(const struct virq *q)
{
	uint64_t group = q->flags & VIRQ_GROUP1;

	return q->intid | (uint64_t)q->priority * field_lsb(ICH_LR_PRIORITY) |
	       group * (ICH_LR_GROUP / VIRQ_GROUP1);
}

static inline uint64_t vgic_lr_pending_linked(const struct virq *q)
{
	return vgic_lr_base(q) | field_prep(ICH_LR_STATE, LR_PENDING) |
	       ICH_LR_HW | (uint64_t)q->pintid * field_lsb(ICH_LR_PINTID);
}

/* Image of @q, not a GICv2 SGI, pending and not active. */
static inline uint64_t vgic_lr_pending(const struct virq *q)
{
	uint64_t lr = vgic_lr_base(q) | field_prep(ICH_LR_STATE, LR_PENDING);

	if (q->flags & VIRQ_HW) {
		return vgic_lr_pending_linked(q);
	}
	/* A line is sampled again when the guest is done. */
	return (q->flags & (VIRQ_LINE | VIRQ_EDGE)) == VIRQ_LINE ?
		       lr | ICH_LR_EOI : lr;
}

/* ---- vgic_lr.c: pure ----------------------------------------------------- */
/*
 * Image of @q, which is pending or active, for a list register. @deliver: its
 * pending state may go in; if it is not active, it does.
 */
uint64_t vgic_lr_pack(const struct virq *q, bool deliver);
/* @q has the list register @lr, with state pending: the rest of @q. */
void vgic_lr_move_pending(struct virq *q, uint64_t lr);
/* Take the state out of a list register back into @q. */
void vgic_lr_unpack(struct virq *q, uint64_t lr);

/* ---- vgic_state.c -------------------------------------------------------- */
/*
 * Before a change: bring q's state into memory. False: the list register is
 * in another CPU; the change has to go through the req_ bits.
 */
__must_check bool virq_unload(struct vgic_op *op, struct virq *q);
/* After it: queue @q for whom it concerns. @mem is what virq_unload said. */
void virq_commit(struct vgic_op *op, struct virq *q, bool mem);
/* Latch, source or line of @q was set: deliver. */
void virq_pend(struct vgic_op *op, struct virq *q);
/* The list register @n of @v, which holds @q, now contains @lr: release it. */
void virq_fold(struct vcpu *v, struct virq *q, unsigned int n, uint64_t lr);
/* @q is in no list register: is it a candidate, and whose? */
void virq_settle(struct vgic_op *op, struct virq *q);
void virq_dequeue(struct domain *d, struct virq *q);
/* Write @q to the free list register @n of @v, loaded here. */
void virq_place(struct vcpu *v, struct virq *q, unsigned int n);
/*
 * Deactivate the physical line, if it can be done from this CPU; @v is who
 * has @q.
 */
bool virq_release_phys(const struct vcpu *v, struct virq *q);

/* ---- vgic_flush.c -------------------------------------------------------- */
/*
 * A list register above @n of @v, loaded here, holds a pending interrupt that a
 * GIC would take before @q: of the same priority and a lower INTID.
 */
bool vgic_passes(struct vcpu *v, const struct virq *q, unsigned int n);

/*
 * Above @n some of @v's are in use that count for @q: an SPI. An LPI comes
 * again only when its device sends another message.
 */
static inline bool vgic_has_above(const struct vcpu *v, const struct virq *q,
				  unsigned int n)
{
	return (unsigned int)v->arch.vgic.lr_used >> n > 1 &&
	       q->intid - VGIC_NR_PRIVATE < VGIC_LPI_FIRST - VGIC_NR_PRIVATE;
}

/*
 * Which of @free, not 0, is for @intid: SGIs from the first on, SPIs and LPIs
 * from the last on, PPIs behind the first SGI.
 */
static inline unsigned int vgic_pick_lr(unsigned int free, uint32_t intid)
{
	if (intid >= VGIC_NR_PRIVATE) {
		return fls64(free);
	}
	return ffs64(intid >= 16 && (free & ~1u) ? free & ~1u : free);
}

/* ---- vgic_change.c ------------------------------------------------------- */
/* State as a guest reads it; looks at the physical line where that counts. */
bool virq_read_pending(struct vgic_op *op, struct virq *q);
bool virq_read_active(struct vgic_op *op, struct virq *q);
/* Changes that a register write makes. */
void virq_set_enable(struct vgic_op *op, struct virq *q, bool enable);
void virq_set_pending(struct vgic_op *op, struct virq *q);
void virq_clear_pending(struct vgic_op *op, struct virq *q);
void virq_set_active(struct vgic_op *op, struct virq *q, bool active);
void virq_set_priority(struct vgic_op *op, struct virq *q, uint8_t priority);
void virq_set_edge(struct vgic_op *op, struct virq *q, bool edge);
void virq_set_target(struct vgic_op *op, struct virq *q, uint16_t vcpu);
/* GICv2: SGI @q from vCPU @src (0..7) pending or not. */
void virq_set_source(struct vgic_op *op, struct virq *q, unsigned int src);
void virq_clear_source(struct vgic_op *op, struct virq *q, unsigned int src);
/* ---- vgic.c -------------------------------------------------------------- */
/* @q, which is all zeros, as after reset; of or for the vCPU @target. */
void virq_init(struct virq *q, uint32_t intid, uint16_t target,
	       uint8_t version);
/* GICD_CTLR: forwarding on or off. */
void vgic_set_enabled(struct domain *d, uint32_t ctlr, bool enabled);

#endif
