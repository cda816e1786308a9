/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: a domain's interrupts as after creation, for its next life.
 *
 * Owns    nothing; each interrupt leaves its list register and the candidates
 *         before it changes, so that what comes meanwhile finds it whole.
 * Locks   the domain's vGIC lock, let go after each step.
 * CPU     that of vCPU 0, which is loaded; no other vCPU of the domain is.
 * Bounds  a vCPU, or STEP_SPIS interrupts, a step.
 */
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/irq.h>
#include "vgic_priv.h"

#define STEP_SPIS 64u

static void virq_reset(struct vgic_op *op, struct vcpu *v, struct virq *q)
{
	struct virq old;
	bool private = q->intid < VGIC_NR_PRIVATE;

	if (NEVER(!virq_unload(op, q))) {
		return; /* in a CPU that has no vCPU of this domain */
	}
	virq_dequeue(op->d, q);
	if (q->phys) {
		(void)virq_release_phys(v, q);
	}
	old = *q;
	*q = (struct virq){0};
	virq_init(q, old.intid, private ? (uint16_t)v->id : 0,
		  op->d->arch.vgic.version);
	q->hw = old.hw;
	q->pintid = old.pintid;
	if (q->hw && !private) {
		irq_guest_reset(q->pintid);
	}
}

static void reset_vcpu(struct vgic_op *op, struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;

	for (uint32_t i = 0; i < VGIC_NR_PRIVATE; i++) {
		virq_reset(op, v, &vg->priv[i]);
	}
	if (vgic_is_loaded_here(v)) {
		vgic_hw->save_cpuif(&vg->cpuif);
		vgic_hw->reset_cpuif(&vg->cpuif);
		vgic_hw->load_cpuif(&vg->cpuif);
	} else {
		vgic_hw->reset_cpuif(&vg->cpuif);
	}
}

static void reset_spis(struct vgic_op *op, uint64_t first)
{
	struct vgic *vgic = &op->d->arch.vgic;

	for (uint64_t i = first; i < first + STEP_SPIS && i < vgic->nr_spis;
	     i++) {
		virq_reset(op, NULL, &vgic->spi[i]);
	}
}

/* *@at: 0; from 1 on SPIs, in whole steps; then vCPUs, whose LRs are empty. */
__cold int vgic_reset_step(struct domain *d, uint64_t *at)
{
	uint64_t first = align_up(d->arch.vgic.nr_spis, STEP_SPIS) + 1;
	uint64_t n = *at;
	struct vgic_op op;

	if (n == 0) {
		ASSERT(!d->arch.vgic.its); /* boot-time domains have none */
		vgic_set_enabled(d, 0, false);
		*at = 1;
		return -EAGAIN;
	}
	vgic_op_begin(&op, d);
	if (n < first) {
		reset_spis(&op, n - 1);
		n += STEP_SPIS;
	} else {
		if (d->vcpu[n - first]) {
			reset_vcpu(&op, d->vcpu[n - first]);
		}
		n++;
	}
	vgic_op_end(&op);
	*at = n;
	return n < first + d->max_vcpus ? -EAGAIN : 0;
}
