/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: creation, and the links to physical lines.
 *
 * Owns    struct vgic and struct vgic_vcpu from creation to destruction, the
 *         link of a virtual interrupt to a physical line.
 * Not     how interrupts arrive (vgic_post.c), the state machine
 *         (vgic_state.c), list registers (vgic_flush.c), register files
 *         (vgic_mmio.c and the rows beside it).
 * Locks   one per domain (rank VGIC). irq_guest_*() are called with it held.
 * Callers the builder and the tear-down of a domain; any CPU for links.
 * Spec    [GIC] "Virtual interrupt handling and prioritization".
 */
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/dom_config.h>
#include <hv/heap.h>
#include <hv/irq.h>
#include "vgic_priv.h"

#define PRIORITY_RESET 0xa0u
#define VCPUS_MAX_V2 8u

const struct vgic_hw *vgic_hw __ro_after_boot;
struct vgic_hw_caps vgic_hw_caps __ro_after_boot;

/* ---- creation ------------------------------------------------------------ */

void virq_init(struct virq *q, uint32_t intid, uint16_t target,
	       uint8_t version)
{
	q->intid = (uint16_t)intid;
	q->target = target;
	q->lr_vcpu = VGIC_NO_VCPU;
	q->lr = VGIC_LR_NONE;
	q->priority = PRIORITY_RESET;
	q->edge = intid < 16;
	q->group1 = version == 3;
	/* GICv2 implementations have their SGIs enabled. */
	q->enabled = version == 2 && intid < 16;
	q->targets_v2 = (uint8_t)(1u << target % 8);
}

int vgic_domain_init(struct domain *d, const struct dom_config *cfg)
{
	struct vgic *vgic = &d->arch.vgic;
	uint32_t nr = cfg->nr_spis;

	if (cfg->gic_version != vgic_hw->version ||
	    nr > VGIC_MAX_INTIDS - VGIC_NR_PRIVATE ||
	    d->max_vcpus > MAX_VCPUS_PER_DOMAIN ||
	    (cfg->gic_version == 2 && d->max_vcpus > VCPUS_MAX_V2)) {
		return -EINVAL;
	}
	if (nr) {
		vgic->spi = heap_alloc(d, nr * sizeof(vgic->spi[0]));
		if (!vgic->spi) {
			return -ENOMEM;
		}
	}
	spin_lock_init(&vgic->lock, LOCK_RANK_VGIC);
	vgic->version = cfg->gic_version;
	vgic->enabled = false;
	vgic->ctlr = 0;
	vgic->nr_spis = nr;
	for (uint32_t i = 0; i < nr; i++) {
		virq_init(&vgic->spi[i], VGIC_NR_PRIVATE + i, 0,
			  vgic->version);
	}
	return 0;
}

void vgic_domain_fini(struct domain *d)
{
	struct vgic *vgic = &d->arch.vgic;

	for (uint32_t i = 0; i < vgic->nr_spis; i++) {
		vgic_unlink_hw(d, NULL, VGIC_NR_PRIVATE + i);
	}
	heap_free(d, vgic->spi);
	vgic->spi = NULL;
	vgic->nr_spis = 0;
}

int vgic_vcpu_init(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;

	for (uint32_t i = 0; i < VGIC_NR_PRIVATE; i++) {
		virq_init(&vg->priv[i], i, (uint16_t)v->id,
			  v->domain->arch.vgic.version);
	}
	vg->loaded_on = CPU_NONE;
	vg->is_slow = true;
	vgic_hw->reset_cpuif(&vg->cpuif);
	return 0;
}

/* Nothing of the domain may refer to a vCPU that goes away. */
void vgic_vcpu_fini(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	struct vgic_op op;

	if (vg->loaded_on != CPU_NONE || !v->domain->arch.vgic.version) {
		return; /* never initialised */
	}
	vgic_op_begin(&op, v->domain);
	for (uint32_t i = 0; i < VGIC_NR_INDICES; i++) {
		struct virq *q = virq_lookup(v->domain, v, i);

		if (!q || q->lr_vcpu != v->id) {
			continue;
		}
		if (q->lr != VGIC_LR_NONE) {
			virq_fold(v, q, q->lr, vg->lr_saved[q->lr]);
		}
		q->queued = 0; /* its candidates go with it */
		q->lr_vcpu = VGIC_NO_VCPU;
	}
	vgic_op_end(&op);
}

/* What is in list registers has to come out, or candidates to go in. */
void vgic_set_enabled(struct domain *d, uint32_t ctlr, bool enabled)
{
	struct vgic *vgic = &d->arch.vgic;
	struct vgic_op op;
	struct vcpu *v;
	uint32_t i;

	vgic_op_begin(&op, d);
	vgic->ctlr = ctlr;
	if (vgic->enabled != enabled) {
		vgic->enabled = enabled;
		/* bound: vCPUs of a domain */
		domain_for_each_vcpu(d, v, i) {
			v->arch.vgic.resync = true;
			v->arch.vgic.is_slow = true;
			vgic_op_kick(&op, v);
		}
	}
	vgic_op_end(&op);
}

/* ---- physical lines ------------------------------------------------------ */

int vgic_link_hw(struct domain *d, struct vcpu *v, uint32_t intid,
		 uint32_t pintid)
{
	bool private = intid < VGIC_NR_PRIVATE;
	struct virq *q = virq_lookup(d, v, intid);
	struct vgic_op op;
	const struct vcpu *t;
	int rc = -EBUSY;

	if (!q || intid < 16 || pintid < 16 || pintid >= VGIC_MAX_INTIDS ||
	    private != (pintid < VGIC_NR_PRIVATE)) {
		return -EINVAL;
	}
	vgic_op_begin(&op, d);
	if (q->hw || q->phys) {
		goto out;
	}
	if (!virq_unload(&op, q)) {
		virq_commit(&op, q, false); /* its CPU lets go, if it can */
		goto out;
	}
	q->hw = 1;
	q->pintid = (uint16_t)pintid;
	rc = 0;
	if (private) {
		v->arch.vgic.linked |= 1u << intid;
	} else {
		t = vgic_vcpu_of(d, q->target);
		if (t) {
			irq_guest_route(pintid, t->cpu);
		}
		irq_guest_enable(pintid, q->enabled);
	}
	virq_settle(&op, q);
out:
	vgic_op_end(&op);
	return rc;
}

void vgic_unlink_hw(struct domain *d, struct vcpu *v, uint32_t intid)
{
	struct virq *q = virq_lookup(d, v, intid);
	struct vgic_op op;
	bool mem;

	if (!q) {
		return;
	}
	vgic_op_begin(&op, d);
	if (q->hw) {
		mem = virq_unload(&op, q);
		q->hw = 0;
		q->soft = 0;
		if (!q->edge) {
			q->latch = 0; /* It was the line's state. */
			q->req_unpend = !mem;
		}
		if (intid < VGIC_NR_PRIVATE) {
			v->arch.vgic.linked &= ~(1u << intid);
		}
		if (q->phys) {
			/* False: the flush of the CPU it is in does it. */
			(void)virq_release_phys(v, q);
		}
		virq_commit(&op, q, mem);
	}
	vgic_op_end(&op);
}
