/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest reads of an interrupt's state, and the changes it makes by
 * register writes. Each change: take the interrupt out of its list register
 * (virq_unload), change it in memory, queue it again (virq_commit).
 *
 * Owns    nothing beyond vgic_state.c, whose fields it changes.
 * Not     which register says what (vgic_irq_regs.c and the rows).
 * Locks   the domain's vGIC lock is held. irq_guest_*() are called under it.
 * Linked  a guest's enable, trigger and route of a linked SPI go to the
 *         physical line. Disabling leaves a pending line pending and active:
 *         nothing is lost, and enabling delivers it.
 * Bounds  every function is O(1).
 * Spec    [GIC] "GICD_ISPENDR<n>", "GICD_ISACTIVER<n>", "GICD_ICFGR<n>".
 */
#include <lib/check.h>
#include <hv/irq.h>
#include "vgic_priv.h"

static inline bool is_sgi_v2(const struct virq *q)
{
	return q->intid < 16 && !q->group1;
}

/* ---- what a guest reads -------------------------------------------------- */

/*
 * State in the list register of @q as far as this CPU can see it. What is in
 * another CPU is answered from memory; when that may have ended since, its
 * owner is asked to look, so that a guest that polls for the end sees it.
 */
static uint64_t lr_state(struct vgic_op *op, struct virq *q)
{
	const struct vcpu *v = vgic_vcpu_of(op->d, q->lr_vcpu);
	uint64_t state;

	if (q->lr == VGIC_LR_NONE || NEVER(!v)) {
		return q->active ? LR_ACTIVE : LR_FREE;
	}
	if (v->arch.vgic.loaded_on == CPU_NONE) {
		state = field_get(ICH_LR_STATE, v->arch.vgic.lr_saved[q->lr]);
	} else if (vgic_is_loaded_here(v)) {
		state = field_get(ICH_LR_STATE, vgic_hw->read_lr(q->lr));
	} else {
		state = (q->active ? LR_ACTIVE : 0u) |
			(q->lr_latch ? LR_PENDING : 0u);
		if (state) {
			virq_commit(op, q, false);
		}
	}
	if (q->req_unpend) {
		state &= ~(uint64_t)LR_PENDING;
	}
	if (q->req_inactive) {
		state &= ~(uint64_t)LR_ACTIVE;
	}
	return q->req_active ? state | LR_ACTIVE : state;
}

/*
 * A level-sensitive physical line that dropped before the guest took the
 * interrupt: it is not pending any more.
 */
static bool line_has_dropped(struct vgic_op *op, const struct virq *q)
{
	const struct vcpu *v = vgic_vcpu_of(op->d, q->target);

	if (!q->hw || !q->phys || q->edge || q->soft) {
		return false;
	}
	if (q->pintid < VGIC_NR_PRIVATE && (!v || !vgic_is_loaded_here(v))) {
		return false;
	}
	return !vgic_hw->is_phys_pending(q->pintid);
}

bool virq_read_pending(struct vgic_op *op, struct virq *q)
{
	uint64_t state = lr_state(op, q);

	if (!(state & LR_PENDING) && !virq_is_pending(q)) {
		return false;
	}
	if (!(state & LR_ACTIVE) && line_has_dropped(op, q) &&
	    virq_unload(op, q)) {
		q->latch = 0;
		virq_settle(op, q);
		return false;
	}
	return true;
}

bool virq_read_active(struct vgic_op *op, struct virq *q)
{
	return (lr_state(op, q) & LR_ACTIVE) != 0;
}

/* ---- what a guest writes ------------------------------------------------- */

/* To where its vCPU is now: others need not be interrupted for it. */
static void enable_line(const struct vgic_op *op, const struct virq *q)
{
	const struct vcpu *v = vgic_vcpu_of(op->d, q->target);

	if (q->enabled && v) {
		irq_guest_route(q->pintid, v->cpu);
	}
	irq_guest_enable(q->pintid, q->enabled);
}

void virq_set_enable(struct vgic_op *op, struct virq *q, bool enable)
{
	bool mem;

	if (q->enabled == enable) {
		return;
	}
	mem = virq_unload(op, q);
	q->enabled = enable;
	virq_commit(op, q, mem);
	if (q->hw && q->pintid >= VGIC_NR_PRIVATE) {
		enable_line(op, q);
	}
}

void virq_set_pending(struct vgic_op *op, struct virq *q)
{
	if (is_sgi_v2(q)) {
		return; /* GICD_SPENDSGIR is their register. */
	}
	if (q->hw) {
		bool mem = virq_unload(op, q); /* is its line active still? */

		q->latch = 1;
		q->soft = 1;
		virq_commit(op, q, mem);
		return;
	}
	q->latch = 1;
	virq_pend(op, q);
}

void virq_clear_pending(struct vgic_op *op, struct virq *q)
{
	bool mem;

	if (is_sgi_v2(q)) {
		return;
	}
	mem = virq_unload(op, q);
	q->latch = 0;
	q->soft = 0;
	q->req_unpend = !mem;
	virq_commit(op, q, mem);
}

void virq_set_active(struct vgic_op *op, struct virq *q, bool active)
{
	bool mem = virq_unload(op, q);

	if (mem) {
		if (active && !q->active && !q->queued) {
			q->lr_vcpu = q->target;
		}
		q->active = active;
	} else {
		q->req_active = active;
		q->req_inactive = !active;
	}
	virq_commit(op, q, mem);
}

void virq_set_priority(struct vgic_op *op, struct virq *q, uint8_t priority)
{
	unsigned int unused = 8u - vgic_hw_caps.nr_prio_bits;
	bool mem;

	/* Bits that the virtual CPU interface does not have are zero. */
	priority &= (uint8_t)(0xffu << unused);
	if (q->priority == priority) {
		return;
	}
	mem = virq_unload(op, q);
	q->priority = priority;
	virq_commit(op, q, mem);
}

void virq_set_edge(struct vgic_op *op, struct virq *q, bool edge)
{
	bool mem;

	if (q->intid < 16 || q->edge == edge) {
		return; /* SGIs are edge-triggered. */
	}
	mem = virq_unload(op, q);
	q->edge = edge;
	virq_commit(op, q, mem);
	if (q->hw && q->pintid >= VGIC_NR_PRIVATE) {
		irq_guest_set_trigger(q->pintid, edge ? IRQ_EDGE : IRQ_LEVEL);
	}
}

void virq_set_target(struct vgic_op *op, struct virq *q, uint16_t vcpu)
{
	const struct vcpu *v = vgic_vcpu_of(op->d, vcpu);
	bool mem;

	if (q->target == vcpu) {
		return;
	}
	mem = virq_unload(op, q);
	q->target = vcpu;
	virq_commit(op, q, mem);
	if (q->hw && v) {
		irq_guest_route(q->pintid, v->cpu);
	}
}

void virq_set_source(struct vgic_op *op, struct virq *q, unsigned int src)
{
	q->sources |= (uint8_t)(1u << src);
	virq_pend(op, q);
}

void virq_clear_source(struct vgic_op *op, struct virq *q, unsigned int src)
{
	bool mem = virq_unload(op, q);

	q->sources &= (uint8_t)~(1u << src);
	virq_commit(op, q, mem);
}
