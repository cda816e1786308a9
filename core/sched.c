/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run queues: where a vCPU waits, who runs next, whose registers are loaded.
 *
 * Owns    v->cpu, v->queued, v->loaded_on; pcpu.current, .loaded, .idle; the
 *         map of idle CPUs.
 * Not     the order within a queue (the policy), nor the states (vcpu.c), nor
 *         who would rather be elsewhere (sched_soft.c).
 * Locks   pcpu.runq_lock (rank RUNQ), one at a time. A vCPU that changes CPUs
 *         is in no queue in between and is queued by whoever finds it so under
 *         the lock of its new CPU; that makes a second lock unnecessary.
 *         pcpu.current and .loaded change on their own CPU only. v->loaded_on
 *         is set by v->cpu under its lock and cleared by it after the save.
 * Idle    a CPU says that it is idle, then looks into the other queues; who
 *         queues a vCPU does that first, then looks for an idle CPU. Who
 *         queues on an idle CPU leaves it to that CPU: it says that it is idle
 *         no more, then looks whether several had come. So a vCPU never waits
 *         while a CPU it may use sleeps.
 * Bounds  sched_run() looks into each other CPU's queue at most once, and
 *         moves at most MOVE_MAX vCPUs that may not run here any more.
 */
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <hv/arch.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/platform.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <hv/work.h>

#define MOVE_MAX 8

static uint64_t idle_cpus; /* bitmap, atomic; each CPU its own bit */

uint64_t sched_idle_cpus(void)
{
	return __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST);
}

static void slice_over(void *arg)
{
	(void)arg;
	pcpu_post_self(PWORK_RESCHED);
}

void sched_enter_cpu(void)
{
	struct pcpu *c = this_pcpu();

	timer_init(&c->slice_timer, slice_over, NULL);
	c->slice_timer.stays = true;
	/* Nobody who began to wait while it was off waits for it. */
	__atomic_store_n(&c->work_gen, c->work_gen + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&c->online, true, __ATOMIC_RELEASE);
	__atomic_fetch_or(&cpus_online, BIT64(c->id), __ATOMIC_SEQ_CST);
}

int sched_init_cpu(void)
{
	struct pcpu *c = this_pcpu();
	int rc = c->pool ? 0 : cpupool_init_cpu(c);

	if (rc == 0) {
		sched_enter_cpu();
	}
	return rc;
}

void sched_switch_policy(struct pcpu *c, const struct cpupool *p)
{
	c->runq_lock = p->lock ? p->lock : &c->own_runq_lock;
	c->keeps = BIT64(c->id);
	c->own = BIT64(c->id);
	c->timer_slop_ns = p->policy->is_real_time ? 0 : options.timer_slop_ns;
	if (c->asked == c->policy) {
		c->asked = p->policy; /* and else it goes on being traced */
	}
	__atomic_store_n(&c->policy, p->policy, __ATOMIC_RELEASE);
}

uint32_t sched_nr_queued(const struct pcpu *c)
{
	return __atomic_load_n(&c->policy, __ATOMIC_ACQUIRE)->nr_queued(c);
}

struct pcpu *sched_lock_vcpu(struct vcpu *v) NO_LOCK_ANALYSIS
{
	/* Ends: a vCPU changes CPUs only after waiting on one of them. */
	for (;;) {
		uint16_t cpu = __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE);
		struct pcpu *c = pcpus[cpu];

		spin_lock(c->runq_lock);
		if (likely(v->cpu == cpu)) {
			return c;
		}
		spin_unlock(c->runq_lock);
	}
}

void sched_remove_locked(struct pcpu *c, struct vcpu *v)
{
	if (v->queued) {
		c->asked->dequeue(c, v);
		v->queued = false;
	}
}

void sched_requeue(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);

	sched_remove_locked(c, v);
	sched_place_unlock(c, v, arch_time_ns());
}

bool sched_leave_locked(struct pcpu *c, struct vcpu *v)
{
	return c->policy->leave(c, v);
}

bool sched_yield_to_others(struct pcpu *c, struct vcpu *v)
{
	return c->policy->yield(c, v);
}

static bool may_run_on(const struct vcpu *v, uint16_t cpu)
{
	return (v->cpus & BIT64(cpu)) != 0;
}

static bool wants_queue(const struct vcpu *v)
{
	return v->state == VCPU_RUNNABLE && !v->queued && v->pause_count == 0;
}

/*
 * A vCPU waits on a CPU that is busy: is there one that has nothing to do? Not
 * one that has been told already: that may be for another.
 */
static void offer_to_idle(uint64_t affinity)
{
	uint64_t m = __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST) & affinity;

	for (; m; m &= m - 1) { /* bound: NR_CPUS */
		struct pcpu *c = pcpus[ffs64(m)];

		if (!(__atomic_load_n(&c->work, __ATOMIC_SEQ_CST) &
		      PWORK_RESCHED)) {
			pcpu_post(c, PWORK_RESCHED);
			return;
		}
	}
}

/*
 * @c locked, @v not queued and in memory: it is @to's from here on. Unlocks
 * @c, which looks again when somebody waited for @v's place.
 */
static void give_to_cpu_unlock(struct pcpu *c, struct vcpu *v,
			       uint16_t to) NO_LOCK_ANALYSIS
{
	bool resched = c->policy->leave(c, v);

	__atomic_store_n(&v->cpu, to, __ATOMIC_RELEASE);
	spin_unlock(c->runq_lock);
	if (resched) {
		pcpu_post(c, PWORK_RESCHED);
	}
}

void sched_vcpu_move(struct vcpu *v, struct cpupool *old,
		     struct cpupool *p) NO_LOCK_ANALYSIS
{
	struct pcpu *c = sched_lock_vcpu(v);
	bool resched = c->policy->leave(c, v);
	void *priv = v->sched_priv;

	v->sched_priv = v->sched_next;
	v->hard_affinity = UINT64_MAX;
	v->pinned_from = 0;
	v->soft_affinity = UINT64_MAX;
	vcpu_cpus_set(v, p->cpus);
	__atomic_store_n(&v->cpu, (uint16_t)ffs64(p->cpus), __ATOMIC_RELEASE);
	spin_unlock(c->runq_lock);
	if (resched) {
		pcpu_post(c, PWORK_RESCHED);
	}
	sched_vcpu_forget(old, priv);
}

void sched_place_unlock(struct pcpu *c, struct vcpu *v,
			uint64_t now_ns) NO_LOCK_ANALYSIS
{
	uint64_t affinity = v->cpus;
	uint32_t leave = 0;
	bool resched = false;
	bool queued = false;

	if ((wants_queue(v) || !may_run_on(v, c->id)) &&
	    __atomic_load_n(&v->loaded_on, __ATOMIC_SEQ_CST) == CPU_NONE) {
		uint16_t to = c->policy->choose_cpu(
			v, __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST));

		if (to != c->id) {
			give_to_cpu_unlock(c, v, to);
			c = sched_lock_vcpu(v);
		}
		if (unlikely(!(v->likes & BIT64(c->id)))) {
			leave = PWORK_LEAVE; /* unless none becomes idle now */
		}
	}
	if (wants_queue(v)) {
		resched = c->asked->enqueue(c, v, now_ns);
		v->queued = true;
		queued = true;
	}
	spin_unlock(c->runq_lock);
	if (resched) {
		pcpu_post(c, PWORK_RESCHED | leave);
	}
	if (queued && !__atomic_load_n(&c->idle, __ATOMIC_SEQ_CST)) {
		offer_to_idle(affinity & ~BIT64(c->id));
	}
}

/* Run state of a vCPU that is not running; its lock held. */
static uint8_t waiting_runstate(const struct vcpu *v)
{
	if (v->state == VCPU_BLOCKED) {
		return RUNSTATE_blocked;
	}
	return v->state == VCPU_RUNNABLE && v->pause_count == 0
		       ? RUNSTATE_runnable
		       : RUNSTATE_offline;
}

/* @v stops being current on its CPU; lock held. */
static void put_prev(struct vcpu *v, uint64_t now)
{
	if (v->state == VCPU_RUNNING) {
		__atomic_store_n(&v->state, VCPU_RUNNABLE, __ATOMIC_SEQ_CST);
	}
	if (v->runstate == RUNSTATE_running) {
		vcpu_runstate_change(v, waiting_runstate(v), now);
	}
}

/* @v becomes current on @c; lock held. */
static void set_next(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	v->queued = false;
	__atomic_store_n(&v->loaded_on, c->id, __ATOMIC_SEQ_CST);
	__atomic_store_n(&v->state, VCPU_RUNNING, __ATOMIC_SEQ_CST);
	vcpu_runstate_change(v, RUNSTATE_running, now);
}

static void set_slice(struct pcpu *c, uint64_t until_ns)
{
	struct timer *t = &c->slice_timer;

	if (until_ns == UINT64_MAX) {
		if (t->cpu != CPU_NONE) {
			timer_cancel(t);
		}
	} else if (t->cpu == CPU_NONE || t->deadline_ns != until_ns) {
		timer_set(t, until_ns);
	}
}

/*
 * c->current becomes @v (NULL: idle) at @now. The time without one is in one
 * word, which others read: while there is a vCPU it is the sum, above 0; while
 * there is none, the sum less the time at which that began, never above 0.
 */
static void set_current(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	int64_t change = v ? (int64_t)now : -(int64_t)now;

	if (!v != !c->current) {
		__atomic_store_n(&c->idle_ns, c->idle_ns + change,
				 __ATOMIC_RELAXED);
	}
	c->current = v;
}

uint64_t sched_idle_ns(const struct pcpu *c)
{
	int64_t ns = __atomic_load_n(&c->idle_ns, __ATOMIC_RELAXED);

	return (uint64_t)ns + (ns > 0 ? 0 : arch_time_ns());
}

/* Ask the policy; c->current is its answer. */
static void pick(struct pcpu *c)
{
	struct vcpu *prev = c->current;
	struct sched_decision dec;
	uint64_t now;
	bool runnable;

	spin_lock(c->runq_lock);
	now = arch_time_ns(); /* not before what others noted under the lock */
	runnable = prev && prev->state == VCPU_RUNNING &&
		   prev->pause_count == 0 && (prev->cpus & c->own);
	dec = c->asked->pick(c, prev, runnable, now);
	if (dec.next != prev || !runnable) {
		if (prev) {
			put_prev(prev, now);
			prev->queued |= runnable;
		}
		if (dec.next) {
			set_next(c, dec.next, now);
		}
		set_current(c, dec.next, now);
	}
	spin_unlock(c->runq_lock);
	set_slice(c, dec.until_ns);
	while (unlikely(c->tell)) { /* bound: NR_CPUS */
		pcpu_post(pcpus[ffs64(c->tell)], PWORK_RESCHED);
		c->tell &= c->tell - 1;
	}
}

/* One vCPU that waits on @from comes here. */
static bool steal_from(struct pcpu *from, struct pcpu *c) NO_LOCK_ANALYSIS
{
	struct vcpu *v;

	spin_lock(from->runq_lock);
	v = from->policy->steal(from, c->id);
	if (!v) {
		spin_unlock(from->runq_lock);
		return false;
	}
	v->queued = false;
	give_to_cpu_unlock(from, v, c->id);
	sched_place_unlock(sched_lock_vcpu(v), v, arch_time_ns());
	return true;
}

/* Nothing to run here: look into the other queues, the longest first. */
static bool steal_any(struct pcpu *c)
{
	uint64_t left = c->pool->cpus & ~BIT64(c->id);

	while (left) { /* bound: NR_CPUS, one bit a round */
		struct pcpu *best = NULL;
		uint32_t most = 0;

		for (uint64_t m = left; m; m &= m - 1) {
			struct pcpu *o = pcpus[ffs64(m)];
			uint32_t n = c->policy->nr_queued(o);

			if (n > most) {
				most = n;
				best = o;
			}
		}
		if (!best) {
			return false;
		}
		/* It may like another idle CPU better and be there now. */
		if (steal_from(best, c) && c->policy->nr_queued(c) != 0) {
			return true;
		}
		left &= ~BIT64(best->id);
	}
	return false;
}

static void set_idle(struct pcpu *c, bool idle)
{
	if (c->idle == idle) {
		return;
	}
	__atomic_store_n(&c->idle, idle, __ATOMIC_SEQ_CST);
	if (idle) {
		__atomic_fetch_or(&idle_cpus, BIT64(c->id), __ATOMIC_SEQ_CST);
	} else {
		__atomic_fetch_and(&idle_cpus, ~BIT64(c->id), __ATOMIC_SEQ_CST);
	}
}

void sched_exit_cpu(void)
{
	struct pcpu *c = this_pcpu();

	ASSERT(!c->current && !c->loaded);
	timer_cancel(&c->slice_timer);
	set_idle(c, false);
	__atomic_fetch_and(&cpus_online, ~BIT64(c->id), __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->online, false, __ATOMIC_RELEASE);
}

/* @c has something to run. Who came besides may run on another idle CPU. */
static void end_idle(struct pcpu *c)
{
	set_idle(c, false);
	if (c->policy->nr_queued(c) != 0) {
		uint64_t m = __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST) &
			     c->pool->cpus;

		for (; m; m &= m - 1) { /* bound: NR_CPUS */
			pcpu_post(pcpus[ffs64(m)], PWORK_RESCHED);
		}
	}
}

/* The registers may wait in an idle CPU until @v or another runs there. */
static bool may_stay_loaded(const struct pcpu *c, const struct vcpu *v)
{
	uint8_t state = __atomic_load_n(&v->state, __ATOMIC_SEQ_CST);

	return state != VCPU_OFFLINE && (v->likes & c->keeps) &&
	       __atomic_load_n(&v->pause_count, __ATOMIC_SEQ_CST) == 0;
}

/* @v waits on @c, locked. May be another CPU's afterwards, which is locked. */
static struct pcpu *look_elsewhere(struct pcpu *c,
				   struct vcpu *v) NO_LOCK_ANALYSIS
{
	uint16_t to = CPU_NONE;

	if (c->policy->has_shared_queue || !may_run_on(v, c->id)) {
		sched_remove_locked(c, v);
	} else if (c->policy->push) {
		to = c->policy->push(c, v);
	}
	if (to != CPU_NONE) {
		sched_remove_locked(c, v);
		give_to_cpu_unlock(c, v, to);
		c = sched_lock_vcpu(v);
		if (wants_queue(v) && may_run_on(v, c->id)) {
			v->queued = true;
			if (c->asked->enqueue(c, v, arch_time_ns())) {
				pcpu_post(c, PWORK_RESCHED);
			}
		}
	}
	return c;
}

/* @v's registers went to memory. It may have to wait somewhere else now. */
static void unload(struct pcpu *c, struct vcpu *v)
{
	struct pcpu *home;
	uint64_t affinity;
	bool waits;

	arch_vcpu_save(v);
	c->loaded = NULL;
	__atomic_store_n(&v->loaded_on, CPU_NONE, __ATOMIC_SEQ_CST);
	/* From here on others may take it; it lives until our work point. */
	if (v->domain->shutdown_claimed) {
		pcpu_post_self(PWORK_DOMAIN);
	}
	if (__atomic_load_n(&v->state, __ATOMIC_SEQ_CST) != VCPU_RUNNABLE &&
	    may_run_on(v, c->id)) {
		return; /* who makes it runnable sees it in memory */
	}
	home = sched_lock_vcpu(v);
	if (home == c && v->queued) {
		home = look_elsewhere(c, v);
	}
	waits = v->queued;
	affinity = v->cpus & ~BIT64(home->id) & ~BIT64(c->id);
	sched_place_unlock(home, v, arch_time_ns());
	if (waits) {
		offer_to_idle(affinity);
	}
}

/* Make c->loaded what is to run; lazily when nothing is. */
static void switch_context(struct pcpu *c)
{
	struct vcpu *next = c->current;
	struct vcpu *old = c->loaded;

	if (old == next || (!next && may_stay_loaded(c, old))) {
		return;
	}
	if (old) {
		unload(c, old);
	}
	if (next) {
		c->loaded = next;
		arch_vcpu_load(next);
		trace_event(TRACE_SCHED_RUN, next->domain->id, next->id,
			    old ? old->domain->id : DOMID_IDLE);
	}
}

/*
 * A vCPU that was picked may not be here: its affinity changed while it was
 * queued. Put its registers away and let it go to another CPU.
 */
static void expel_current(struct pcpu *c)
{
	struct vcpu *v = c->current;
	uint64_t now;

	spin_lock(c->runq_lock);
	now = arch_time_ns();
	put_prev(v, now);
	set_current(c, NULL, now);
	spin_unlock(c->runq_lock);
	if (c->loaded == v) {
		unload(c, v);
		return;
	}
	__atomic_store_n(&v->loaded_on, CPU_NONE, __ATOMIC_SEQ_CST);
	sched_place_unlock(sched_lock_vcpu(v), v, arch_time_ns());
}

struct vcpu *sched_run(struct pcpu *c)
{
	struct vcpu *prev = c->current;

	pick(c);
	if (!c->current) {
		set_idle(c, true); /* before the look at the other queues */
		if (steal_any(c)) {
			pick(c);
		}
		if (unlikely(sched_has_soft) && !c->current) {
			sched_invite(c);
		}
	}
	for (int i = 0;
	     i < MOVE_MAX && c->current && !may_run_on(c->current, c->id);
	     i++) {
		expel_current(c);
		pick(c);
	}
	if (prev != c->current && prev && prev->runstate_area &&
	    c->loaded == prev) {
		vcpu_runstate_publish(prev);
	}
	switch_context(c);
	if (c->current) {
		if (c->idle) {
			end_idle(c);
		}
		if (unlikely(c->current->runstate_area) && c->current != prev) {
			vcpu_runstate_publish(c->current);
		}
	}
	return c->current;
}
