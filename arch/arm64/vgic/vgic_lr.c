/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of list registers: what a virtual interrupt looks like in one, and
 * what one tells about a virtual interrupt.
 *
 * Owns    nothing: every function works on its arguments.
 * Not     which interrupt goes where (vgic_flush.c), nor the GICv2 layout
 *         (drivers/gic/gich.c).
 * Locks   the caller holds the domain's vGIC lock.
 * Spec    [GIC] "ICH_LR<n>_EL2, Interrupt Controller List Registers".
 */
#include "vgic_priv.h"

/* GICv2 SGIs carry the CPU that sent them. */
static inline bool has_source(const struct virq *q)
{
	return q->intid < 16 && !q->group1;
}

/*
 * One source at a time. While more wait, the end of this one is reported, so
 * that the next can follow.
 */
static uint64_t pack_sgi_v2(const struct virq *q, uint64_t lr, bool deliver)
{
	uint8_t rest = q->sources;

	if (q->active) {
		lr |= field_prep(ICH_LR_STATE, LR_ACTIVE) |
		      field_prep(ICH_LR_V2_SOURCE, q->active_src);
	} else if (deliver && rest) {
		lr |= field_prep(ICH_LR_STATE, LR_PENDING) |
		      field_prep(ICH_LR_V2_SOURCE, ffs64(rest));
		rest &= (uint8_t)(rest - 1);
	}
	return rest ? lr | ICH_LR_EOI : lr;
}

uint64_t vgic_lr_pack(const struct virq *q, bool deliver)
{
	uint64_t lr = vgic_lr_base(q);
	bool level = q->line && !q->edge;
	bool in = deliver && q->latch;

	if (has_source(q)) {
		return pack_sgi_v2(q, lr, deliver);
	}
	if (!q->active) {
		return vgic_lr_pending(q);
	}
	/*
	 * A line that is high while the interrupt is active is looked at
	 * again at its end; only a latch makes it pending now.
	 */
	lr |= field_prep(ICH_LR_STATE, in ? LR_BOTH : LR_ACTIVE);
	/*
	 * Pending and active is for software interrupts only: the physical
	 * line is then deactivated by us, at the end that EOI reports. So is
	 * a latch that has to wait for that end, to go to another vCPU.
	 */
	if (q->hw && !q->latch) {
		return lr | ICH_LR_HW | field_prep(ICH_LR_PINTID, q->pintid);
	}
	return q->hw || level || (q->latch && !in) ? lr | ICH_LR_EOI : lr;
}

void vgic_lr_move_pending(struct virq *q, uint64_t lr)
{
	if (has_source(q)) {
		q->sources &= (uint8_t)~(1u << field_get(ICH_LR_V2_SOURCE, lr));
		q->lr_latch = 1;
		return;
	}
	q->lr_latch = q->latch;
	q->latch = 0;
}

void vgic_lr_unpack(struct virq *q, uint64_t lr)
{
	uint64_t state = field_get(ICH_LR_STATE, lr);
	unsigned int source = (unsigned int)field_get(ICH_LR_V2_SOURCE, lr);
	bool pending = (state & LR_PENDING) && q->lr_latch && !q->req_unpend;

	q->active = (state & LR_ACTIVE) != 0;
	if (q->active && has_source(q)) {
		q->active_src = (uint8_t)source;
	}
	if (pending && has_source(q)) {
		q->sources |= (uint8_t)(1u << source);
	} else if (pending) {
		q->latch = 1;
	} else if (!q->latch) {
		q->soft = 0;
	}
	if (q->req_inactive) {
		q->active = 0;
	}
	if (q->req_active) {
		q->active = 1;
	}
	/*
	 * The guest's own deactivation has reached the physical line; it may
	 * have fired again since (vgic_post_hw sets the latch).
	 */
	if (state == LR_FREE && !q->lr_sw && (!q->latch || q->soft)) {
		q->phys = 0;
	}
	q->lr_latch = 0;
	q->lr_sw = 0;
	q->req_unpend = 0;
	q->req_inactive = 0;
	q->req_active = 0;
}
