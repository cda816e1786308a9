/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For people at the console: which interrupts of a vCPU are on their way.
 *
 * CPU     the one that holds the vCPU's registers, or any while none does.
 * Locks   none: it also has to answer when something is stuck.
 * Bounds  a line a list register, and one for each of DUMP_WAITING interrupts
 *         that wait for one.
 */
#include "vgic_priv.h"
#include <hv/console.h>

#define DUMP_WAITING 16u

static void dump_lr(unsigned int n, uint64_t lr)
{
	static const char *const states[] = { "done", "pending", "active",
					      "pending and active" };

	log_err("  interrupt %u: %s, list register %u\n",
		(uint32_t)(lr & ICH_LR_VINTID),
		states[field_get(ICH_LR_STATE, lr)], n);
}

void vgic_dump(struct vcpu *v)
{
	const struct vgic_vcpu *vg = &v->arch.vgic;
	bool here = vgic_is_loaded_here(v);
	uint32_t waiting = 0;

	for (unsigned int n = 0; n < vgic_hw_caps.nr_lrs; n++) {
		if (vg->lr_used & BIT32(n)) {
			dump_lr(n, here ? vgic_hw->read_lr(n) :
					  vg->lr_saved[n]);
		}
	}
	for (uint32_t i = 0; i < VGIC_NR_INDICES; i++) {
		const struct virq *q = virq_lookup(v->domain, v, i);

		if ((vg->candidates[i / 64] & BIT64(i % 64)) && q &&
		    waiting++ < DUMP_WAITING) {
			log_err("  interrupt %u: waits\n", q->intid);
		}
	}
	if (waiting > DUMP_WAITING) {
		log_err("  %u more interrupts wait\n", waiting - DUMP_WAITING);
	}
}
