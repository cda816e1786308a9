/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy keeps of pools, CPUs and vCPUs: made before they are its own,
 * forgotten afterwards.
 *
 * Owns    v->sched_next.
 * Locks   CPUPOOL around each call of the policy.
 */
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <hv/work.h>

static struct spinlock pool_lock = SPINLOCK_INIT(CPUPOOL);

int sched_pool_init(struct cpupool *p)
{
	return p->policy->pool_init ? p->policy->pool_init(p) : 0;
}

void sched_pool_fini(struct cpupool *p)
{
	if (p->policy->pool_fini) {
		p->policy->pool_fini(p);
	}
}

int sched_cpu_init(struct pcpu *c)
{
	int rc;

	spin_lock(&pool_lock);
	rc = c->pool->policy->cpu_init(c);
	spin_unlock(&pool_lock);
	return rc;
}

void sched_cpu_fini(struct pcpu *c)
{
	spin_lock(&pool_lock);
	c->pool->policy->cpu_fini(c);
	c->sched = NULL;
	spin_unlock(&pool_lock);
}

void sched_vcpus_hold(void) NO_LOCK_ANALYSIS
{
	spin_lock(&pool_lock);
}

void sched_vcpus_release(void) NO_LOCK_ANALYSIS
{
	spin_unlock(&pool_lock);
}

int sched_vcpu_prepare(struct vcpu *v, struct cpupool *p)
{
	int rc;

	spin_lock(&pool_lock);
	rc = p->policy->vcpu_init(p, v, &v->sched_next);
	spin_unlock(&pool_lock);
	return rc;
}

void sched_vcpu_forget(struct cpupool *p, void *priv)
{
	spin_lock(&pool_lock);
	p->policy->vcpu_fini(p, priv);
	spin_unlock(&pool_lock);
}

void sched_vcpu_unprepare(struct vcpu *v, struct cpupool *p)
{
	sched_vcpu_forget(p, v->sched_next);
}

int sched_vcpu_init(struct vcpu *v)
{
	int rc = sched_vcpu_prepare(v, v->domain->pool);

	list_init(&v->runq);
	v->sched_priv = v->sched_next;
	return rc;
}

void sched_vcpu_fini(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);
	bool resched;

	sched_remove_locked(c, v);
	resched = c->policy->leave(c, v);
	sched_unlock(c);
	if (resched) {
		pcpu_post(c, PWORK_RESCHED);
	}
	sched_vcpu_forget(v->domain->pool, v->sched_priv);
}
