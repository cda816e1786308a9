/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of one virtual interrupt: in memory, a candidate, in a list register.
 *
 * An interrupt is in memory, or in one list register (LR). In memory it is
 * pending by its latch, by its line, or by a GICv2 source; when it also is
 * enabled, or active, it is a candidate of the vCPU it is meant for. Going
 * into an LR consumes the latch (lr_latch remembers it), so that an edge that
 * comes later is not taken for the one delivered. A change to an interrupt in
 * an LR first takes it out again (virq_unload); when the LR is in another
 * CPU, the change is noted (stale, req_*) and that vCPU is told to flush.
 *
 * Owns    the fields of struct virq, a vCPU's candidates.
 * Not     what a guest asks to change (vgic_change.c), filling list registers
 *         (vgic_flush.c).
 * Locks   the domain's vGIC lock (rank VGIC) for everything; telling a vCPU
 *         waits until it is dropped (struct vgic_op).
 * Linked  q->phys: the physical line is active because of us. It implies that
 *         the interrupt is latched, active or in an LR; when none of these
 *         holds any more the line is deactivated, so that it can fire again.
 * Bounds  every function is O(1).
 * Spec    [GIC] "Interrupt handling state machine", "Level-sensitive".
 */
#include <lib/check.h>
#include "vgic_priv.h"

/* ---- telling vCPUs ------------------------------------------------------- */

void vgic_kick_all(const struct vgic_op *op)
{
	/* bound: one bit a vCPU */
	for (unsigned int w = 0; w < ARRAY_SIZE(op->kick); w++) {
		for (uint64_t b = op->kick[w]; b; b &= b - 1) {
			struct vcpu *v =
				vgic_vcpu_of(op->d, w * 64 + ffs64(b));

			if (!v) {
				continue;
			}
			if (this_pcpu()->current == v &&
			    v->state == VCPU_RUNNING) {
				(void)__atomic_fetch_or(&v->work, VWORK_VIRQ,
							__ATOMIC_RELAXED);
			} else if (vcpu_is_online(v)) {
				vcpu_post(v, VWORK_VIRQ);
			}
		}
	}
}

/* ---- candidates ---------------------------------------------------------- */

static __force_inline void enqueue(struct vcpu *v, struct virq *q)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	unsigned int i = virq_index(q);

	vg->candidates[i / 64] |= BIT64(i % 64);
	vg->summary |= BIT32(i / 64);
	vg->is_slow = true;
	q->queued = 1;
	q->lr_vcpu = (uint16_t)v->id;
}

void virq_dequeue(struct domain *d, struct virq *q)
{
	struct vcpu *v = vgic_vcpu_of(d, q->lr_vcpu);
	unsigned int i = virq_index(q);

	if (!q->queued || NEVER(!v)) {
		return;
	}
	v->arch.vgic.candidates[i / 64] &= ~BIT64(i % 64);
	if (!v->arch.vgic.candidates[i / 64]) {
		v->arch.vgic.summary &= ~BIT32(i / 64);
	}
	q->queued = 0;
}

/*
 * Let the physical line fire again. A private one can only be reached by the
 * CPU it belongs to; a vCPU that is not loaded holds none.
 */
bool virq_release_phys(const struct vcpu *v, struct virq *q)
{
	if (q->pintid < VGIC_NR_PRIVATE) {
		if (v && v->arch.vgic.loaded_on != CPU_NONE &&
		    !vgic_is_loaded_here(v)) {
			return false;
		}
		if (!v || v->arch.vgic.loaded_on == CPU_NONE) {
			q->phys = 0;
			return true;
		}
	}
	vgic_hw->set_phys_active(q->pintid, false);
	q->phys = 0;
	return true;
}

void virq_settle(struct vgic_op *op, struct virq *q)
{
	bool keep = q->active && q->lr_vcpu != VGIC_NO_VCPU;
	struct vcpu *v = vgic_vcpu_of(op->d, keep ? q->lr_vcpu : q->target);
	bool wanted = q->active || (q->enabled && virq_is_pending(q));

	ASSERT(q->lr == VGIC_LR_NONE);
	if (q->phys && !q->latch && !q->active &&
	    !virq_release_phys(v, q)) {
		wanted = true; /* its owner's flush will do it */
	}
	if (q->queued && (!wanted || !v || v->id != q->lr_vcpu)) {
		virq_dequeue(op->d, q);
	}
	if (!wanted || !v) {
		q->lr_vcpu = VGIC_NO_VCPU;
		return;
	}
	if (!q->queued) {
		enqueue(v, q);
	}
	vgic_op_kick(op, v);
}

/* ---- in and out of list registers ---------------------------------------- */

void virq_fold(struct vcpu *v, struct virq *q, unsigned int n, uint64_t lr)
{
	v->arch.vgic.lr_used &= (uint16_t)~(1u << n);
	v->arch.vgic.lr_eoi &= (uint16_t)~(1u << n);
	vgic_lr_unpack(q, lr);
	q->lr = VGIC_LR_NONE;
	q->stale = 0;
}

bool virq_unload(struct vgic_op *op, struct virq *q)
{
	struct vcpu *v;
	unsigned int n = q->lr;
	uint64_t lr;

	if (n == VGIC_LR_NONE) {
		return true;
	}
	v = vgic_vcpu_of(op->d, q->lr_vcpu);
	if (NEVER(!v)) {
		return false;
	}
	if (v->arch.vgic.loaded_on == CPU_NONE) {
		lr = v->arch.vgic.lr_saved[n];
		v->arch.vgic.lr_saved[n] = 0;
	} else if (vgic_is_loaded_here(v)) {
		lr = vgic_hw->read_lr(n);
		vgic_hw->write_lr(n, 0);
	} else {
		return false;
	}
	virq_fold(v, q, n, lr);
	return true;
}

void virq_commit(struct vgic_op *op, struct virq *q, bool mem)
{
	struct vcpu *v;

	if (mem) {
		virq_settle(op, q);
		return;
	}
	q->stale = 1;
	v = vgic_vcpu_of(op->d, q->lr_vcpu);
	if (!NEVER(!v)) {
		enqueue(v, q);
		vgic_op_kick(op, v);
	}
}

void virq_place(struct vcpu *v, struct virq *q, unsigned int n)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	unsigned int bit = 1u << n;
	bool deliver = q->enabled && v->domain->arch.vgic.enabled;
	uint64_t lr;

	/*
	 * An active one that was routed away pends where it goes, later. While
	 * others wait, the end of an active one has to make room.
	 */
	if (q->active && (q->target != v->id || vg->waiting)) {
		deliver = false;
	}
	lr = vgic_lr_pack(q, deliver);
	if (q->hw) {
		q->lr_sw = !(lr & ICH_LR_HW);
		if (!q->phys) {
			/* Pended by a register write, or loaded elsewhere. */
			vgic_hw->set_phys_active(q->pintid, true);
			q->phys = 1;
		}
	}
	if (lr & field_lsb(ICH_LR_STATE)) {
		vgic_lr_move_pending(q, lr);
	}
	vg->lr_used |= (uint16_t)bit;
	if (unlikely((lr & (ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI)) {
		vg->lr_eoi |= (uint16_t)bit;
	}
	vg->lr_intid[n] = q->intid;
	q->lr = (uint8_t)n;
	q->lr_vcpu = (uint16_t)v->id;
	vgic_hw->write_lr(n, lr);
}

void virq_pend(struct vgic_op *op, struct virq *q)
{
	struct vcpu *v;

	if (q->lr == VGIC_LR_NONE) {
		virq_settle(op, q);
		return;
	}
	v = vgic_vcpu_of(op->d, q->lr_vcpu);
	if (!NEVER(!v)) {
		enqueue(v, q);
		vgic_op_kick(op, v);
	}
}
