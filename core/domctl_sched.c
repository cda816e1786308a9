/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: the share of the CPUs that vCPUs have.
 *
 * Owns    the form in which each policy's parameters travel.
 * Not     what they mean (sched_*.c).
 * Locks   control_lock, held by the caller: what was admitted fits until the
 *         change.
 * Bounds  the vCPUs of one domain; LIST_BATCH elements of a list, of which
 *         the caller asks for the rest again.
 * Spec    [XEN] domctl.h.
 */
#include "domctl_priv.h"

#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define LIST_BATCH 64u

/* All of them, or none. */
static int set_all(struct domain *d, const struct sched_params *params)
{
	struct vcpu *t;
	uint32_t i;
	int rc = sched_admit(d, NULL, params);

	domain_for_each_vcpu (d, t, i) {
		if (rc == 0) {
			rc = sched_set_params(t, params);
		}
	}
	return rc;
}

/* ---- credit2 ------------------------------------------------------------- */

/* A weight of 0 leaves it as it is; a cap of 0 is no limit. */
static int put_credit2(struct domain *d,
		       const struct xen_domctl_sched_credit2 *p)
{
	struct sched_params params = {.weight = p->weight};
	int rc = p->weight != 0 ? set_all(d, &params) : 0;

	return rc ? rc : sched_set_cap(d, p->cap);
}

static int get_credit2(const struct domain *d,
		       struct xen_domctl_sched_credit2 *p)
{
	struct sched_params params = {.weight = SCHED_WEIGHT_DEFAULT};

	if (d->vcpu[0]) {
		sched_get_params(d->vcpu[0], &params);
	}
	p->weight = (uint16_t)params.weight;
	p->cap = (uint16_t)params.cap;
	return 0;
}

static int64_t scheduler_credit2(struct domain *d,
				 struct xen_domctl_scheduler_op *s)
{
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return put_credit2(d, &s->u.credit2);
	case XEN_DOMCTL_SCHEDOP_getinfo:
		return get_credit2(d, &s->u.credit2);
	default:
		return -EINVAL;
	}
}

/* ---- rtds ---------------------------------------------------------------- */

static struct sched_params params_of_rtds(const struct xen_domctl_sched_rtds *r)
{
	return (struct sched_params){
		.period_us = r->period,
		.budget_us = r->budget,
		.extratime = (r->flags & XEN_DOMCTL_SCHEDRT_extra) != 0,
	};
}

static int put_one_rtds(struct domain *d, struct vcpu *t,
			const struct xen_domctl_sched_rtds *r)
{
	struct sched_params params = params_of_rtds(r);
	int rc = sched_admit(d, t, &params);

	return rc ? rc : sched_set_params(t, &params);
}

static void get_one_rtds(struct vcpu *t, struct xen_domctl_sched_rtds *r)
{
	struct sched_params params = {.period_us = 0};

	sched_get_params(t, &params);
	*r = (struct xen_domctl_sched_rtds){
		.period = params.period_us,
		.budget = params.budget_us,
		.flags = params.extratime ? XEN_DOMCTL_SCHEDRT_extra : 0,
	};
}

static int one_of_list(struct domain *d, bool put,
		       struct xen_domctl_schedparam_vcpu *e)
{
	struct vcpu *t;

	if (e->vcpuid >= d->max_vcpus) {
		return -EINVAL;
	}
	t = d->vcpu[array_index_nospec(e->vcpuid, d->max_vcpus)];
	if (!t) {
		return -EINVAL;
	}
	if (put) {
		return put_one_rtds(d, t, &e->u.rtds);
	}
	get_one_rtds(t, &e->u.rtds);
	return 0;
}

/* The vCPUs that the caller lists; nr_vcpus becomes how many were done. */
static int list_rtds(struct vcpu *v, struct domain *d,
		     struct xen_domctl_scheduler_op *s)
{
	bool put = s->cmd == XEN_DOMCTL_SCHEDOP_putvcpuinfo;
	uint32_t nr =
		s->u.v.nr_vcpus < LIST_BATCH ? s->u.v.nr_vcpus : LIST_BATCH;
	struct xen_domctl_schedparam_vcpu e;
	struct guest_iter it;
	int rc = guest_iter_init(&it, v, s->u.v.vcpus.q, nr, sizeof(e));

	s->u.v.nr_vcpus = 0;
	while (rc == 0 && s->u.v.nr_vcpus < nr) {
		rc = guest_iter_next(&it, &e);
		if (rc == 0) {
			rc = one_of_list(d, put, &e);
		}
		if (rc == 0 && !put) {
			rc = guest_iter_reply(&it, &e);
		}
		s->u.v.nr_vcpus += rc == 0;
	}
	return rc;
}

static int64_t scheduler_rtds(struct vcpu *v, struct domain *d,
			      struct xen_domctl_scheduler_op *s)
{
	struct sched_params params;

	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo:
		params = params_of_rtds(&s->u.rtds);
		return set_all(d, &params);
	case XEN_DOMCTL_SCHEDOP_getinfo: /* of no vCPU: what a new one has */
		s->u.rtds.period = SCHED_PERIOD_US_DEFAULT;
		s->u.rtds.budget = SCHED_BUDGET_US_DEFAULT;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putvcpuinfo:
	case XEN_DOMCTL_SCHEDOP_getvcpuinfo:
		return list_rtds(v, d, s);
	default:
		return -EINVAL;
	}
}

int64_t domctl_scheduler(struct vcpu *v, struct domain *d,
			 struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->sched_id != d->pool->policy->sched_id) {
		return -EINVAL;
	}
	switch (s->sched_id) {
	case XEN_SCHEDULER_CREDIT2:
		return scheduler_credit2(d, s);
	case XEN_SCHEDULER_RTDS:
		return scheduler_rtds(v, d, s);
	default:
		return 0; /* nothing to set */
	}
}
