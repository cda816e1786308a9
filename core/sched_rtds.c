/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy "rtds": each vCPU is a deferrable server. In each period it may use
 * its budget, whenever in the period it wants to; the earliest end of a period
 * (deadline) goes first, over all CPUs. A server with extratime goes on behind
 * all others when its budget is used up, one level lower for each further
 * budget's worth.
 *
 * Owns    struct server of each vCPU, struct rtds_cpu of each CPU, and the
 *         queue of those that may run on several CPUs. As an exception it
 *         writes v->cpu of a vCPU that it picks: all CPUs share one lock.
 * Not     which registers are where (sched.c), what servers are promised
 *         (sched_rtds_params.c).
 * Locks   one lock is every CPU's run queue lock; the sum of shares changes
 *         under it and under control_lock, but for the end of a domain.
 * Rule    s->key says how urgent is what a CPU runs or has been told to look
 *         at. Who begins to wait tells the CPU with the least urgent work, if
 *         that is less urgent; each decision passes on what is left over.
 * Bounds  O(log n + CPUs) while the vCPUs that wait are bound to one CPU or
 *         may use those that the first of them may; else those that wait are
 *         looked at one by one. One decision renews RENEW_MAX servers at most.
 */
#include "sched_rtds_priv.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/cpupool.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include <hv/prioq.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

#define LEVEL_SHIFT 60 /* above all deadlines: 36 years */
#define LEVEL_MAX   7u
#define NOTHING	    INT64_MAX
#define RENEW_MAX   8

static struct server *server_at(struct prioq_node *ready)
{
	return container_of(ready, struct server, ready);
}

/* ---- time ---------------------------------------------------------------- */

static void set_key(struct server *e)
{
	e->ready.key =
		(int64_t)((uint64_t)e->level << LEVEL_SHIFT | e->deadline_ns);
}

/* Not queued. Begin the period that @now is in, if that is another one. */
static void renew(struct server *e, uint64_t now)
{
	if (e->deadline_ns == 0) {
		e->deadline_ns = now;
	}
	if (now < e->deadline_ns) {
		return;
	}
	e->deadline_ns +=
		((now - e->deadline_ns) / e->period_ns + 1) * e->period_ns;
	e->left_ns = e->budget_ns;
	e->level = 0;
	set_key(e);
}

/* What runs on @s has used the time up to @now. */
static void charge(struct rtds_cpu *s, uint64_t now)
{
	struct server *e = s->running;
	uint64_t ran_ns;

	if (!e || now <= s->since_ns) {
		return;
	}
	if (now >= e->deadline_ns) {
		uint64_t began_ns;

		renew(e, now);
		began_ns = e->deadline_ns - e->period_ns;
		if (s->since_ns < began_ns) {
			s->since_ns = began_ns;
		}
	}
	ran_ns = now - s->since_ns;
	s->since_ns = now;
	e->left_ns -= ran_ns < e->left_ns ? ran_ns : e->left_ns;
	if (e->left_ns == 0 && e->extratime) {
		e->level += e->level < LEVEL_MAX;
		e->left_ns = e->budget_ns;
		set_key(e);
	}
}

/* @s runs nothing that could be charged until it looks again. */
static void stop_running(struct rtds_cpu *s, uint64_t now)
{
	charge(s, now);
	s->running = NULL;
	s->key = NOTHING;
}

/* ---- queues -------------------------------------------------------------- */

static bool is_bound_to(const struct vcpu *v, const struct pcpu *c)
{
	return v->loaded_on == c->id || v->cpus == BIT64(c->id);
}

static void wait_on(struct pcpu *c, struct server *e)
{
	struct rtds_cpu *s = rtds_cpu(c);

	if (e->left_ns == 0 || e->level > 0) {
		e->later.key = (int64_t)e->deadline_ns;
		e->later_in = &s->later;
		prioq_insert(e->later_in, &e->later);
	}
	if (e->left_ns > 0) {
		e->ready_in = is_bound_to(e->vcpu, c) ? &s->ready :
						       &s->all->shared;
		prioq_insert(e->ready_in, &e->ready);
	}
}

static void wait_no_more(struct server *e)
{
	if (prioq_has(&e->ready)) {
		prioq_remove(e->ready_in, &e->ready);
	}
	if (prioq_has(&e->later)) {
		prioq_remove(e->later_in, &e->later);
	}
}

/* The most urgent in the shared queue that may run on @c. */
static struct server *first_shared(const struct pcpu *c)
{
	const struct prioq *shared = &rtds_cpu(c)->all->shared;
	struct server *best = NULL;

	for (uint32_t i = 0; i < shared->nr; i++) { /* bound: who waits */
		struct server *e = server_at(shared->heap[i]);

		if ((e->vcpu->cpus & BIT64(c->id)) &&
		    (!best || e->ready.key < best->ready.key)) {
			best = e;
			if (i == 0) {
				break;
			}
		}
	}
	return best;
}

static struct server *first_of(const struct pcpu *c)
{
	struct prioq_node *own = prioq_first(&rtds_cpu(c)->ready);
	struct server *e = first_shared(c);

	if (own && (!e || own->key <= e->ready.key)) {
		return server_at(own);
	}
	return e;
}

static void begin_period(struct pcpu *c, struct server *e, uint64_t now)
{
	wait_no_more(e);
	renew(e, now);
	wait_on(c, e);
}

/* Budgets that are due on @c come back. */
static void replenish(struct pcpu *c, uint64_t now)
{
	for (int i = 0; i < RENEW_MAX; i++) {
		struct prioq_node *n = prioq_first(&rtds_cpu(c)->later);

		if (!n || (uint64_t)n->key > now) {
			break;
		}
		begin_period(c, container_of(n, struct server, later), now);
	}
}

/* The same, and none whose period is over: it missed, or came late. */
static struct server *first_in_time(struct pcpu *c, uint64_t now)
{
	for (int i = 0; i < RENEW_MAX; i++) {
		struct server *e = first_of(c);

		if (!e || now < e->deadline_ns) {
			return e;
		}
		begin_period(c, e, now);
	}
	return first_of(c);
}

/*
 * Somebody still waits: tell the CPU with the least urgent work, if that is
 * less urgent. That CPU does the same when it has looked.
 */
static uint64_t tell_another(const struct cpupool *p)
{
	struct rtds_cpu *worst = NULL;
	struct server *waits = NULL;
	uint64_t tell = 0;

	if (rtds_of(p)->shared.nr == 0) {
		return 0;
	}
	for (uint64_t m = p->cpus; m; m &= m - 1) { /* bound: NR_CPUS */
		struct pcpu *c = pcpus[ffs64(m)];
		struct rtds_cpu *s = rtds_cpu(c);
		struct server *e = first_shared(c);

		if (e && e->ready.key < s->key &&
		    (!worst || s->key > worst->key)) {
			worst = s;
			waits = e;
			tell = BIT64(c->id);
		}
	}
	if (worst) {
		worst->key = waits->ready.key;
	}
	return tell;
}

/* ---- the policy ---------------------------------------------------------- */

static int rtds_pool_init(struct cpupool *p)
{
	struct rtds *all = heap_alloc(NULL, sizeof(*all));

	if (!all) {
		return -ENOMEM;
	}
	spin_lock_init(&all->lock, LOCK_RANK_RUNQ);
	p->lock = &all->lock;
	p->sched = all;
	return 0;
}

static void rtds_pool_fini(struct cpupool *p)
{
	heap_free(NULL, rtds_of(p)->shared.heap);
	heap_free(NULL, p->sched);
}

static void free_cpu(struct rtds_cpu *s)
{
	heap_free(NULL, s->ready.heap);
	heap_free(NULL, s->later.heap);
	heap_free(NULL, s);
}

static void rtds_cpu_fini(struct pcpu *c)
{
	free_cpu(rtds_cpu(c));
}

static int rtds_cpu_init(struct pcpu *c)
{
	struct rtds *all = rtds_of(c->pool);
	struct rtds_cpu *s = heap_alloc(NULL, sizeof(*s));

	if (!s) {
		return -ENOMEM;
	}
	if (prioq_reserve(&s->ready, all->nr_servers, &all->lock) != 0 ||
	    prioq_reserve(&s->later, all->nr_servers, &all->lock) != 0) {
		free_cpu(s);
		return -ENOMEM;
	}
	s->all = all;
	s->key = NOTHING;
	s->until_ns = UINT64_MAX;
	c->sched = (struct sched_cpu *)(void *)s;
	return 0;
}

/* Room in every queue for one more. */
static int reserve_all(const struct cpupool *p)
{
	struct rtds *all = rtds_of(p);
	uint32_t nr = all->nr_servers + 1;
	int rc = prioq_reserve(&all->shared, nr, &all->lock);

	for (uint32_t i = 0; i < nr_pcpus && rc == 0; i++) {
		struct rtds_cpu *s = pcpus[i]->pool == p ? rtds_cpu(pcpus[i]) :
							   NULL;

		if (s) {
			rc = prioq_reserve(&s->ready, nr, &all->lock);
		}
		if (s && rc == 0) {
			rc = prioq_reserve(&s->later, nr, &all->lock);
		}
	}
	return rc;
}

static void count(struct rtds *all, const struct server *e, bool comes)
{
	spin_lock(&all->lock);
	if (comes) {
		all->nr_servers++;
		all->total_share += rtds_share_of(e);
	} else {
		all->nr_servers--;
		all->total_share -= rtds_share_of(e);
	}
	spin_unlock(&all->lock);
}

static int rtds_vcpu_init(struct cpupool *p, struct vcpu *v, void **priv)
{
	struct server *e = heap_alloc(NULL, sizeof(*e));

	if (!e) {
		return -ENOMEM;
	}
	if (reserve_all(p) != 0) {
		heap_free(NULL, e);
		return -ENOMEM;
	}
	e->vcpu = v;
	e->ready.pos = PRIOQ_OUT;
	e->later.pos = PRIOQ_OUT;
	e->period_ns = SCHED_PERIOD_US_DEFAULT * NS_PER_US;
	e->budget_ns = SCHED_BUDGET_US_DEFAULT * NS_PER_US;
	e->extratime = true;
	*priv = e;
	count(rtds_of(p), e, true);
	return 0;
}

static void rtds_vcpu_fini(struct cpupool *p, void *priv)
{
	count(rtds_of(p), priv, false);
	heap_free(NULL, priv);
}

static bool rtds_enqueue(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	struct rtds_cpu *s = rtds_cpu(c);
	struct server *e = server_of(v);
	bool tell;

	if (s->running == e) { /* it slept, and woke before the CPU looked */
		stop_running(s, now);
	}
	renew(e, now);
	wait_on(c, e);
	tell = prioq_has(&e->later) && e->deadline_ns < s->until_ns;
	if (prioq_has(&e->ready) && e->ready.key < s->key) {
		s->key = e->ready.key;
		tell = true;
	}
	return tell;
}

static void rtds_dequeue(struct pcpu *c, struct vcpu *v)
{
	(void)c;
	wait_no_more(server_of(v));
}

static bool rtds_leave(struct pcpu *c, struct vcpu *v)
{
	if (rtds_cpu(c)->running == server_of(v)) {
		stop_running(rtds_cpu(c), arch_time_ns());
	}
	return false;
}

static uint64_t next_look(const struct rtds_cpu *s, uint64_t now)
{
	const struct prioq_node *n = prioq_first(&s->later);
	const struct server *e = s->running;
	uint64_t until = n ? (uint64_t)n->key : UINT64_MAX;

	if (e) {
		until = e->deadline_ns < until ? e->deadline_ns : until;
		until = now + e->left_ns < until ? now + e->left_ns : until;
	}
	return until;
}

static struct sched_decision rtds_pick(struct pcpu *c, struct vcpu *prev,
				       bool prev_runnable, uint64_t now)
{
	struct rtds_cpu *s = rtds_cpu(c);
	struct server *mine = prev_runnable ? server_of(prev) : NULL;
	struct server *e;

	charge(s, now);
	replenish(c, now);
	e = first_in_time(c, now);
	if (mine && mine->left_ns > 0 &&
	    (!e || mine->ready.key <= e->ready.key)) {
		e = mine;
	} else {
		if (e) {
			wait_no_more(e);
			__atomic_store_n(&e->vcpu->cpu, c->id,
					 __ATOMIC_RELEASE);
		}
		if (mine) {
			wait_on(c, mine);
		}
	}
	s->running = e;
	s->key = e ? e->ready.key : NOTHING;
	s->since_ns = now;
	s->until_ns = next_look(s, now);
	c->tell = tell_another(c->pool);
	return (struct sched_decision){
		.next = e ? e->vcpu : NULL,
		.until_ns = s->until_ns,
	};
}

/* A budget is the server's own, and waiting for another would use it up. */
static bool rtds_yield(struct pcpu *c, struct vcpu *prev)
{
	(void)c;
	(void)prev;
	return false;
}

/* The CPU with the least urgent work; its own before others like it. */
static uint16_t rtds_choose_cpu(const struct vcpu *v, uint64_t idle)
{
	uint64_t allowed = v->cpus;
	uint16_t best = v->cpu;

	(void)idle; /* what has been told to a CPU counts as well */
	if (!allowed) {
		return best;
	}
	if (!(BIT64(best) & allowed)) {
		best = (uint16_t)ffs64(allowed);
	}
	for (uint64_t m = allowed; m; m &= m - 1) { /* bound: NR_CPUS */
		uint16_t cpu = (uint16_t)ffs64(m);

		if (rtds_cpu(pcpus[cpu])->key > rtds_cpu(pcpus[best])->key) {
			best = cpu;
		}
	}
	return best;
}

static uint32_t rtds_nr_queued(const struct pcpu *c)
{
	return __atomic_load_n(&rtds_cpu(c)->ready.nr, __ATOMIC_SEQ_CST) +
	       __atomic_load_n(&rtds_cpu(c)->all->shared.nr, __ATOMIC_SEQ_CST);
}

static struct vcpu *rtds_steal(struct pcpu *from, uint16_t to)
{
	(void)from;
	(void)to;
	return NULL; /* the queue is shared: rtds_pick() has looked */
}

/* The period that @now is in is @e's last with its old parameters. */
static void bring_up_to(struct pcpu *c, struct server *e, uint64_t now)
{
	if (rtds_cpu(c)->running == e) {
		charge(rtds_cpu(c), now);
	} else if (prioq_has(&e->ready) || prioq_has(&e->later)) {
		begin_period(c, e, now);
	} else if (e->deadline_ns != 0) {
		renew(e, now);
	}
}

static int rtds_set_params(struct pcpu *c, struct vcpu *v,
			   const struct sched_params *p)
{
	struct server *e = server_of(v);

	if (!rtds_is_sane(p)) {
		return -EINVAL;
	}
	bring_up_to(c, e, arch_time_ns());
	rtds_promise(rtds_cpu(c)->all, e, p);
	return 0;
}

const struct sched_policy sched_rtds = {
	.name = "rtds",
	.sched_id = SCHED_ID_RTDS,
	.has_shared_queue = true,
	.is_real_time = true,
	.pool_init = rtds_pool_init,
	.pool_fini = rtds_pool_fini,
	.cpu_init = rtds_cpu_init,
	.cpu_fini = rtds_cpu_fini,
	.vcpu_init = rtds_vcpu_init,
	.vcpu_fini = rtds_vcpu_fini,
	.enqueue = rtds_enqueue,
	.dequeue = rtds_dequeue,
	.leave = rtds_leave,
	.pick = rtds_pick,
	.yield = rtds_yield,
	.choose_cpu = rtds_choose_cpu,
	.nr_queued = rtds_nr_queued,
	.steal = rtds_steal,
	.admit = rtds_admit,
	.set_params = rtds_set_params,
	.get_params = rtds_get_params,
};
