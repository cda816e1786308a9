/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Soft affinity of vCPUs that run: who would rather be on another CPU goes
 * there when it becomes idle, or when who runs there would as soon be on a
 * third one, which is idle.
 *
 * Owns    nothing of a vCPU: it posts PWORK_LEAVE, and a CPU lets its own go.
 * Not     where a vCPU waits and wakes up (the policy's choose_cpu, steal).
 * Locks   none: pcpu.current is read as a hint. Who is told to let go looks
 *         itself, and tells the idle CPUs when it was told in vain.
 * Ends    each move brings one vCPU where it likes it or, next, another to its
 *         place there, and takes nobody from where only it likes to be.
 * Bounds  a look at each CPU's vCPU; at most two.
 */
#include <hv/sched.h>
#include <lib/bits.h>
#include <hv/cpupool.h>
#include <hv/vcpu.h>
#include <hv/work.h>

bool sched_has_soft;

void sched_heed_likes(void)
{
	__atomic_store_n(&sched_has_soft, true, __ATOMIC_RELAXED);
}

/* Any CPU; it lives until our work point. */
static const struct vcpu *current_of(const struct pcpu *c)
{
	return __atomic_load_n(&c->current, __ATOMIC_SEQ_CST);
}

static bool likes(const struct vcpu *v, const struct pcpu *c)
{
	return (v->likes & BIT64(c->id)) != 0;
}

/* Where those would rather be who run where they do not like it. */
static uint64_t wanted_cpus(const struct cpupool *p)
{
	uint64_t wanted = 0;

	for (uint64_t m = p->cpus; m; m &= m - 1) { /* bound: NR_CPUS */
		const struct pcpu *o = pcpus[ffs64(m)];
		const struct vcpu *v = current_of(o);

		if (v && !likes(v, o)) {
			wanted |= v->likes;
		}
	}
	return wanted & p->cpus;
}

/* Somebody waits on @c or, by @wanted, would rather be there. */
static bool others_want(const struct pcpu *c, uint64_t wanted)
{
	return (wanted & BIT64(c->id)) || c->policy->nr_queued(c) != 0;
}

__cold void sched_invite(struct pcpu *c)
{
	uint64_t wanted;
	struct pcpu *second = NULL;

	if (!c->policy->heeds_likes) {
		return;
	}
	wanted = wanted_cpus(c->pool);
	for (uint64_t m = c->pool->cpus; m; m &= m - 1) { /* bound: NR_CPUS */
		struct pcpu *o = pcpus[ffs64(m)];
		const struct vcpu *v = current_of(o);

		if (!v || !likes(v, c)) {
			continue;
		}
		if (!likes(v, o)) {
			pcpu_post(o, PWORK_LEAVE | PWORK_RESCHED);
			return;
		}
		if (others_want(o, wanted)) {
			second = o;
		}
	}
	if (second) {
		pcpu_post(second, PWORK_LEAVE | PWORK_RESCHED);
	}
}

/* Whoever runs on @c runs elsewhere, if it finds an idle CPU, or waits. */
static void let_go(struct pcpu *c)
{
	uint64_t keeps = c->keeps;

	__atomic_store_n(&c->own, 0, __ATOMIC_RELAXED);
	c->keeps = 0;
	(void)sched_run(c);
	__atomic_store_n(&c->own, BIT64(c->id), __ATOMIC_RELAXED);
	c->keeps = keeps;
}

void sched_leave_disliked(struct pcpu *c)
{
	const struct vcpu *v = sched_run(c);
	uint64_t idle = sched_idle_cpus();

	if (!c->policy->heeds_likes) {
		return;
	}
	if (v && (v->likes & idle) &&
	    (!likes(v, c) || others_want(c, wanted_cpus(c->pool)))) {
		let_go(c);
		return;
	}
	/* Who invited it may invite another. */
	for (uint64_t m = idle & c->pool->cpus; m; m &= m - 1) {
		pcpu_post(pcpus[ffs64(m)], PWORK_RESCHED); /* bound: NR_CPUS */
	}
}
