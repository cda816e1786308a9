/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy "null": one vCPU per CPU, no sharing, no timer. A CPU belongs to the
 * first vCPU that goes online there and stays its own while it sleeps or is
 * paused; further ones wait until a CPU becomes free.
 *
 * Owns    struct sched_cpu as seen here: the owner and those who wait.
 * Locks   the run queue lock of the CPU; ->owner and ->nr are read without it
 *         as hints: a wrong guess makes a vCPU wait, and waiting ends when an
 *         idle CPU without an owner looks around.
 * Bounds  queueing and picking are O(1), stealing visits the waiting.
 */
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <hv/cpupool.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

/* pcpu.sched is the policy's own; this policy's shape of it. */
struct null_cpu {
	struct vcpu *owner;
	struct list_node waiting; /* vcpu.runq */
	uint32_t nr_waiting;
};

static struct null_cpu *null_cpu(const struct pcpu *c)
{
	return (struct null_cpu *)(void *)c->sched;
}

static const struct vcpu *owner_of(const struct pcpu *c)
{
	return __atomic_load_n(&null_cpu(c)->owner, __ATOMIC_ACQUIRE);
}

static void owner_set(struct null_cpu *n, struct vcpu *v)
{
	__atomic_store_n(&n->owner, v, __ATOMIC_RELEASE);
}

static int null_cpu_init(struct pcpu *c)
{
	struct null_cpu *n = heap_alloc(NULL, sizeof(*n));

	if (!n) {
		return -ENOMEM;
	}
	list_init(&n->waiting);
	c->sched = (struct sched_cpu *)(void *)n;
	return 0;
}

static void null_cpu_fini(struct pcpu *c)
{
	heap_free(NULL, c->sched);
}

/* Off line, whose CPU it is would have none; from the pool it may go. */
static bool null_needs_cpu(struct cpupool *p, uint32_t cpu, bool off)
{
	const struct vcpu *v = off ? owner_of(pcpus[cpu]) : NULL;

	for (uint64_t m = p->cpus & ~BIT64(cpu); v && m; m &= m - 1) {
		if (!owner_of(pcpus[ffs64(m)])) { /* bound: NR_CPUS */
			return false;
		}
	}
	return v != NULL;
}

static int null_vcpu_init(struct cpupool *p, struct vcpu *v, void **priv)
{
	(void)p;
	(void)v;
	*priv = NULL;
	return 0;
}

static void null_vcpu_fini(struct cpupool *p, void *priv)
{
	(void)p;
	(void)priv;
}

static bool null_enqueue(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	struct null_cpu *n = null_cpu(c);

	(void)now;
	if (!n->owner) {
		owner_set(n, v);
	}
	if (n->owner == v) {
		return true;
	}
	list_add_tail(&v->runq, &n->waiting);
	__atomic_store_n(&n->nr_waiting, n->nr_waiting + 1, __ATOMIC_SEQ_CST);
	return false;
}

static void waiting_remove(struct null_cpu *n, struct vcpu *v)
{
	list_del(&v->runq);
	__atomic_store_n(&n->nr_waiting, n->nr_waiting - 1, __ATOMIC_SEQ_CST);
}

static void null_dequeue(struct pcpu *c, struct vcpu *v)
{
	if (null_cpu(c)->owner != v) {
		waiting_remove(null_cpu(c), v);
	}
}

static bool null_leave(struct pcpu *c, struct vcpu *v)
{
	struct null_cpu *n = null_cpu(c);
	struct vcpu *next = NULL;

	if (n->owner != v) {
		return false;
	}
	if (!list_is_empty(&n->waiting)) {
		next = list_entry(n->waiting.next, struct vcpu, runq);
		waiting_remove(n, next);
	}
	owner_set(n, next);
	return true; /* without an owner it looks at those who wait elsewhere */
}

static struct sched_decision null_pick(struct pcpu *c, struct vcpu *prev,
				       bool prev_runnable, uint64_t now)
{
	struct vcpu *owner = null_cpu(c)->owner;
	struct sched_decision dec = { .next = NULL, .until_ns = UINT64_MAX };

	(void)now;
	if (owner && (owner->queued || (owner == prev && prev_runnable))) {
		dec.next = owner;
	}
	return dec;
}

static bool null_yield(struct pcpu *c, struct vcpu *prev)
{
	(void)c;
	(void)prev;
	return false;
}

static uint16_t null_choose_cpu(const struct vcpu *v, uint64_t idle)
{
	uint64_t free = 0;

	(void)idle;
	for (uint64_t m = v->cpus; m; m &= m - 1) { /* bound: NR_CPUS */
		const struct vcpu *owner = owner_of(pcpus[ffs64(m)]);

		free |= !owner || owner == v ? m & -m : 0;
	}
	free = free & v->likes ? free & v->likes : free ? free : v->cpus;
	return !free || (free & BIT64(v->cpu)) ? v->cpu : (uint16_t)ffs64(free);
}

static uint32_t null_nr_queued(const struct pcpu *c)
{
	return __atomic_load_n(&null_cpu(c)->nr_waiting, __ATOMIC_SEQ_CST);
}

static struct vcpu *null_steal(struct pcpu *from, uint16_t to)
{
	struct null_cpu *n = null_cpu(from);
	struct list_node *pos;

	if (owner_of(pcpus[to])) {
		return NULL;
	}
	list_for_each(pos, &n->waiting) { /* bound: vCPUs without a CPU */
		struct vcpu *v = list_entry(pos, struct vcpu, runq);

		if ((v->cpus & BIT64(to)) &&
		    vcpu_is_descheduled(v)) {
			waiting_remove(n, v);
			return v;
		}
	}
	return NULL;
}

static int null_set_params(struct pcpu *c, struct vcpu *v,
			   const struct sched_params *p)
{
	(void)c;
	(void)v;
	(void)p;
	return -EINVAL; /* nothing is shared */
}

static void null_get_params(const struct vcpu *v, struct sched_params *p)
{
	(void)v;
	p->weight = 0;
}

const struct sched_policy sched_null = {
	.name = "null",
	.sched_id = SCHED_ID_NULL,
	.cpu_init = null_cpu_init,
	.cpu_fini = null_cpu_fini,
	.needs_cpu = null_needs_cpu,
	.vcpu_init = null_vcpu_init,
	.vcpu_fini = null_vcpu_fini,
	.enqueue = null_enqueue,
	.dequeue = null_dequeue,
	.leave = null_leave,
	.pick = null_pick,
	.yield = null_yield,
	.choose_cpu = null_choose_cpu,
	.nr_queued = null_nr_queued,
	.steal = null_steal,
	.set_params = null_set_params,
	.get_params = null_get_params,
};
