/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller sets of the policy credit2: weights, caps, the rate limit.
 *
 * Owns    which domain has a cap.
 * Not     what the weights do (sched_credit2.c), nor the caps (sched_cap.c).
 * Locks   control_lock; the run queue lock around what a vCPU has.
 */
#include <abi/xen.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/percpu.h>
#include <hv/work.h>
#include "sched_credit2_priv.h"

uint32_t sched_ratelimit_us(const struct cpupool *p)
{
	return __atomic_load_n(&credit2_of(p)->ratelimit_us, __ATOMIC_RELAXED);
}

int sched_set_ratelimit_us(struct cpupool *p, uint32_t us)
{
	if (us != 0 && (us < XEN_SYSCTL_SCHED_RATELIMIT_MIN ||
			us > XEN_SYSCTL_SCHED_RATELIMIT_MAX)) {
		return -EINVAL;
	}
	__atomic_store_n(&credit2_of(p)->ratelimit_us, us, __ATOMIC_RELAXED);
	return 0;
}

int credit2_set_params(struct pcpu *c, struct vcpu *v,
		       const struct sched_params *p)
{
	(void)c;
	if (p->weight == 0 || p->weight > SCHED_WEIGHT_MAX) {
		return -EINVAL;
	}
	unit_of(v)->weight = p->weight;
	return 0;
}

void credit2_get_params(const struct vcpu *v, struct sched_params *p)
{
	const struct cap *cap = unit_of(v)->share.cap;

	p->weight = unit_of(v)->weight;
	p->cap = cap ? cap_percent(cap) : 0;
}

void credit2_leave_cap(struct cap *cap)
{
	if (cap && cap_leave(cap)) {
		cap_destroy(cap);
	}
}

/* @v's time comes out of @cap from now on (NULL: of nothing). */
static void share_cap(struct vcpu *v, struct cap *cap) NO_LOCK_ANALYSIS
{
	struct pcpu *c = sched_lock_vcpu(v);

	sched_remove_locked(c, v);
	unit_of(v)->share = (struct cap_share){.cap = cap};
	sched_place_unlock(c, v, arch_time_ns());
	pcpu_post(c, PWORK_RESCHED);
}

static void look_for_caps(const struct cpupool *p)
{
	credit2_of(p)->has_caps = true;
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		if (pcpus[i]->pool == p && pcpus[i]->sched) {
			pcpus[i]->sched->has_caps = true;
		}
	}
}

static int begin_cap(struct domain *d, uint32_t percent)
{
	struct cap *cap = cap_create(percent, d->nr_vcpus, arch_time_ns());
	struct vcpu *v;
	uint32_t i;

	if (!cap) {
		return -ENOMEM;
	}
	look_for_caps(d->pool);
	domain_for_each_vcpu (d, v, i) {
		share_cap(v, cap);
	}
	return 0;
}

static void end_cap(struct domain *d, struct cap *cap)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu (d, v, i) {
		share_cap(v, NULL);
	}
	domain_for_each_vcpu (d, v, i) {
		credit2_leave_cap(cap);
	}
}

int sched_set_cap(struct domain *d, uint32_t percent)
{
	struct cap *cap = d->vcpu[0] ? unit_of(d->vcpu[0])->share.cap : NULL;

	if (percent > 100 * d->nr_vcpus) {
		return -EINVAL;
	}
	if (percent != 0 && !cap) {
		return begin_cap(d, percent);
	}
	if (percent != 0) {
		cap_set_percent(cap, percent, arch_time_ns());
	} else if (cap) {
		end_cap(d, cap);
	}
	return 0;
}
