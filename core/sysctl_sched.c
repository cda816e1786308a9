/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: the scheduler and the pools of CPUs.
 *
 * Owns    how pools look from outside.
 * Not     what they are (cpupool.c), policies (sched_*.c).
 * Locks   control_lock for each call.
 * Bounds  one step of a CPU's or domain's way a call.
 * Spec    [XEN] sysctl.h.
 */
#include "sysctl_priv.h"

#include "domctl_priv.h"
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/heap.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>

int64_t sysctl_sched_id(struct vcpu *v, struct xen_sysctl *op)
{
	(void)v;
	op->u.sched_id.sched_id = cpupool_default_policy()->sched_id;
	return 0;
}

static int64_t scheduler_arinc653(struct vcpu *v, struct cpupool *p,
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
		sched_plan_get(p, plan);
		rc = guest_copy_out(v, va, plan, sizeof(*plan));
	} else {
		rc = guest_copy_in(v, plan, va, sizeof(*plan));
		rc = rc ? rc : sched_plan_set(p, plan);
	}
	heap_free(NULL, plan);
	return rc;
}

static int64_t scheduler_locked(struct vcpu *v,
				struct xen_sysctl_scheduler_op *s)
{
	struct cpupool *p = cpupool_find(s->cpupool_id);

	if (!p) {
		return -ESRCH;
	}
	if (s->sched_id != p->policy->sched_id) {
		return -EINVAL;
	}
	if (s->sched_id == XEN_SCHEDULER_ARINC653) {
		return scheduler_arinc653(v, p, s);
	}
	if (s->sched_id != XEN_SCHEDULER_CREDIT2) {
		return -EOPNOTSUPP;
	}
	if (s->cmd == XEN_SYSCTL_SCHEDOP_getinfo) {
		s->u.sched_credit2.ratelimit_us = sched_ratelimit_us(p);
		return 0;
	}
	return sched_set_ratelimit_us(p, s->u.sched_credit2.ratelimit_us);
}

int64_t sysctl_scheduler(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;
	int64_t rc;

	if (s->cmd != XEN_SYSCTL_SCHEDOP_putinfo &&
	    s->cmd != XEN_SYSCTL_SCHEDOP_getinfo) {
		return -EINVAL;
	}
	spin_lock(&control_lock);
	rc = scheduler_locked(v, s);
	spin_unlock(&control_lock);
	return rc;
}

/* ---- pools --------------------------------------------------------------- */

static int64_t pool_create(struct xen_sysctl_cpupool_op *p)
{
	const struct sched_policy *policy = sched_policy_by_id(p->sched_id);
	struct cpupool *made;
	int rc;

	if (!policy) {
		return -ENOENT;
	}
	rc = cpupool_create(p->cpupool_id, policy, &made);
	if (rc == 0) {
		p->cpupool_id = made->id;
	}
	return rc;
}

static int64_t pool_info(struct vcpu *v, struct xen_sysctl_cpupool_op *p)
{
	const struct cpupool *found = cpupool_next(p->cpupool_id);

	if (!found) {
		return -ENOENT;
	}
	p->cpupool_id = found->id;
	p->sched_id = found->policy->sched_id;
	p->n_dom = __atomic_load_n(&found->nr_domains, __ATOMIC_RELAXED);
	return control_bitmap_put(v, &p->cpumap, found->cpus);
}

static int64_t pool_move(struct vcpu *v, const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = domain_lookup_get((domid_t)p->domid);
	int64_t rc = -EPERM; /* who asks runs */

	if (!d) {
		return -ESRCH;
	}
	if (d != v->domain) {
		rc = cpupool_move_step(d, cpupool_find(p->cpupool_id));
	}
	domain_put(d);
	return rc;
}

static int64_t pool_change(const struct xen_sysctl_cpupool_op *p)
{
	struct cpupool *pool = cpupool_find(p->cpupool_id);

	if (!pool) {
		return -ENOENT;
	}
	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return cpupool_destroy(pool);
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return cpupool_add_step(pool, p->cpu);
	default:
		return cpupool_remove_step(pool, p->cpu);
	}
}

static int64_t pool_op(struct vcpu *v, struct xen_sysctl_cpupool_op *p)
{
	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return pool_create(p);
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(v, p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return control_bitmap_put(v, &p->cpumap, cpupool_free_cpus());
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move(v, p);
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return pool_change(p);
	default:
		return -ENOSYS;
	}
}

int64_t sysctl_cpupool(struct vcpu *v, struct xen_sysctl *op)
{
	int64_t rc;

	spin_lock(&control_lock);
	rc = pool_op(v, &op->u.cpupool_op);
	spin_unlock(&control_lock);
	return rc == -EAGAIN ? HC_AGAIN : rc;
}
