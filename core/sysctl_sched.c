/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: the scheduler and the pools of CPUs.
 *
 * Owns    how the one pool there is looks from outside.
 * Not     policies (sched_*.c).
 * Locks   none here.
 * Bounds  MAX_DOMAINS to count.
 * Spec    [XEN] sysctl.h.
 */
#include "sysctl_priv.h"

#include "domctl_priv.h"
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define POOL_0 0u

int64_t sysctl_sched_id(struct vcpu *v, struct xen_sysctl *op)
{
	(void)v;
	op->u.sched_id.sched_id = sched_policy_current()->sched_id;
	return 0;
}

static int64_t scheduler_arinc653(struct vcpu *v,
				  const struct xen_sysctl_scheduler_op *s)
{
	/* Too large for a stack. */
	struct xen_sysctl_arinc653_schedule *plan =
		heap_alloc(NULL, sizeof(*plan));
	uint64_t va = s->u.sched_arinc653.schedule.q;
	int rc;

	if (!plan) {
		return -ENOMEM;
	}
	if (s->cmd == XEN_SYSCTL_SCHEDOP_getinfo) {
		sched_plan_get(plan);
		rc = guest_copy_out(v, va, plan, sizeof(*plan));
	} else {
		rc = guest_copy_in(v, plan, va, sizeof(*plan));
		rc = rc ? rc : sched_plan_set(plan);
	}
	heap_free(NULL, plan);
	return rc;
}

int64_t sysctl_scheduler(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->cmd != XEN_SYSCTL_SCHEDOP_putinfo &&
	    s->cmd != XEN_SYSCTL_SCHEDOP_getinfo) {
		return -EINVAL;
	}
	if (s->cpupool_id != POOL_0) {
		return -ESRCH;
	}
	if (s->sched_id != sched_policy_current()->sched_id) {
		return -EINVAL;
	}
	if (s->sched_id == XEN_SCHEDULER_ARINC653) {
		return scheduler_arinc653(v, s);
	}
	if (s->sched_id != XEN_SCHEDULER_CREDIT2) {
		return -EOPNOTSUPP;
	}
	if (s->cmd == XEN_SYSCTL_SCHEDOP_getinfo) {
		s->u.sched_credit2.ratelimit_us = sched_ratelimit_us();
		return 0;
	}
	return sched_set_ratelimit_us(s->u.sched_credit2.ratelimit_us);
}

/* ---- pools --------------------------------------------------------------- */

static uint32_t count_domains(void)
{
	struct domain *d = domain_next_get(0);
	uint32_t n = 0;

	while (d) { /* bound: MAX_DOMAINS, ids rise */
		domid_t next = (domid_t)(d->id + 1);

		n++;
		domain_put(d);
		d = domain_next_get(next);
	}
	return n;
}

static int64_t pool_info(struct vcpu *v, struct xen_sysctl_cpupool_op *p)
{
	if (p->cpupool_id != POOL_0) {
		return -ENOENT; /* nor is there one with a higher number */
	}
	p->sched_id = sched_policy_current()->sched_id;
	p->n_dom = count_domains();
	return control_bitmap_put(v, &p->cpumap, cpus_online);
}

static int64_t pool_move(const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = domain_lookup_get((domid_t)p->domid);

	if (!d) {
		return -ESRCH;
	}
	domain_put(d);
	return p->cpupool_id == POOL_0 ? 0 : -ENOENT;
}

/* All CPUs are in pool 0, and it stays. */
int64_t sysctl_cpupool(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(v, p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return control_bitmap_put(v, &p->cpumap, 0);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move(p);
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return p->cpupool_id == POOL_0 ? -EBUSY : -ENOENT;
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return -ENOSPC;
	default:
		return -ENOSYS;
	}
}
