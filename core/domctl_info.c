/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: what a domain and a vCPU are doing.
 *
 * Owns    nothing.
 * Locks   control_lock, held by the caller of an operation; the answer is of
 *         about now, no other lock is held over it as a whole.
 * Bounds  the vCPUs of one domain.
 * Spec    [XEN] domctl.h.
 */
#include "domctl_priv.h"

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>


/* Blocked: all of its vCPUs that are on line are. */
static uint32_t vcpu_flags(struct domain *d,
			   struct xen_domctl_getdomaininfo *info)
{
	uint32_t flags = XEN_DOMINF_blocked;
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		uint8_t state = __atomic_load_n(&v->state, __ATOMIC_RELAXED);

		info->cpu_time += sched_vcpu_cpu_time_ns(v);
		if (state == VCPU_OFFLINE) {
			continue;
		}
		info->nr_online_vcpus++;
		if (state != VCPU_BLOCKED) {
			flags &= ~(uint32_t)XEN_DOMINF_blocked;
		}
		if (v->runstate == RUNSTATE_running) {
			flags |= XEN_DOMINF_running;
		}
	}
	return flags;
}

static uint32_t life_flags(const struct domain *d)
{
	bool stopped = __atomic_load_n(&d->shutdown_claimed, __ATOMIC_ACQUIRE);

	return (d->state >= DOM_DYING ? XEN_DOMINF_dying : 0u) |
	       (stopped ? XEN_DOMINF_shutdown : 0u) |
	       (d->controller_pause ? XEN_DOMINF_paused : 0u) |
	       (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift;
}

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap |
		      life_flags(d) | vcpu_flags(d, info);
	info->tot_pages = __atomic_load_n(&d->tot_pages, __ATOMIC_RELAXED);
	info->max_pages = __atomic_load_n(&d->max_pages, __ATOMIC_RELAXED);
	info->outstanding_pages = d->claimed_pages;
	info->shared_info_frame = INVALID_FRAME; /* where the guest put it */
	info->max_vcpu_id = d->max_vcpus - 1;
	memcpy(info->handle, d->handle, sizeof(info->handle));
	info->cpupool = __atomic_load_n(&d->pool_id, __ATOMIC_RELAXED);
	info->gpaddr_bits = (uint8_t)arch_ipa_bits();
}

/* Of the domain with this id, or the next higher one there is. */
int64_t domctl_getinfo(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	if (op->domain >= DOMID_FIRST_RESERVED) {
		return -EINVAL;
	}
	d = domain_next_get(op->domain);
	if (!d) {
		return -ESRCH;
	}
	domain_info(d, &op->u.getdomaininfo);
	op->domain = d->id;
	domain_put(d);
	return 0;
}

int64_t domctl_getvcpuinfo(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	struct vcpu *t;

	(void)v;
	if (info->vcpu >= d->max_vcpus) {
		return -EINVAL;
	}
	t = d->vcpu[array_index_nospec(info->vcpu, d->max_vcpus)];
	if (!t) {
		return -ESRCH;
	}
	info->online = vcpu_is_online(t);
	info->blocked = __atomic_load_n(&t->state, __ATOMIC_RELAXED) ==
			VCPU_BLOCKED;
	info->running = t->runstate == RUNSTATE_running;
	info->cpu_time = sched_vcpu_cpu_time_ns(t);
	info->cpu = t->cpu;
	return 0;
}
