/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software timers: per CPU a list sorted by deadline, on one comparator.
 *
 * Owns    pcpu.timers, pcpu.timer_deadline_ns, pcpu.timer_running, and the
 *         list fields of every armed struct timer.
 * Not     the comparator (arch_timer_arm), nor what a deadline means.
 * Locks   pcpu.timer_lock (rank TIMER) of the CPU a timer is armed on; two, the
 *         lower CPU first, for one that changes CPUs. The
 *         callback runs without it. Two CPUs may not arm one timer at once:
 *         whoever owns the object around it sees to that; cancel is free.
 * Bounds  arming walks the list from the front: at most the number of timers
 *         armed on this CPU, which is four a vCPU, two a domain and a few of
 *         ours. One expiry runs TIMER_BATCH callbacks.
 *
 * The comparator may be earlier than the first deadline (its timer was
 * cancelled): it is then set anew when it fires, not before. It is later, by
 * timer_slop at most, when another deadline follows within that time.
 */
#include <hv/timer.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/entry.h>
#include <hv/percpu.h>
#include <hv/platform.h>

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	list_init(&t->node);
	t->fn = fn;
	t->arg = arg;
	t->deadline_ns = 0;
	t->cpu = CPU_NONE;
	t->stays = false;
}

static void timer_unlink_locked(struct timer *t)
{
	list_del(&t->node);
	__atomic_store_n(&t->cpu, CPU_NONE, __ATOMIC_RELEASE);
}

void timer_cancel(struct timer *t)
{
	uint16_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);

	/* Ends: only whoever arms it could make it change CPUs again. */
	while (cpu != CPU_NONE) {
		struct pcpu *c = pcpus[cpu];

		spin_lock(&c->timer_lock);
		if (t->cpu == cpu) {
			timer_unlink_locked(t);
		}
		spin_unlock(&c->timer_lock);
		cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
	}
}

static __force_inline void timer_link_locked(struct pcpu *c, struct timer *t)
{
	struct list_node *pos;

	list_for_each (pos, &c->timers) { /* bound: timers armed here */
		if (list_entry(pos, struct timer, node)->deadline_ns >
		    t->deadline_ns) {
			break;
		}
	}
	list_add_before(&t->node, pos);
	__atomic_store_n(&t->cpu, c->id, __ATOMIC_RELEASE);
}

static uint64_t timer_at(struct list_node *pos)
{
	return list_entry(pos, struct timer, node)->deadline_ns;
}

/*
 * The last deadline that lies within timer_slop of the first: one interrupt
 * then serves all up to there, none of them early. UINT64_MAX: none armed.
 */
static __force_inline uint64_t timer_group_end_locked(const struct pcpu *c)
{
	struct list_node *pos;
	uint64_t end = UINT64_MAX;

	list_for_each (pos, &c->timers) { /* bound: timers armed here */
		if (timer_at(pos) - timer_at(c->timers.next) >
		    c->timer_slop_ns) {
			break;
		}
		end = timer_at(pos);
	}
	return end;
}

static __force_inline void timer_arm_locked(struct pcpu *c,
					    uint64_t deadline_ns)
{
	if (c->timer_deadline_ns != deadline_ns) {
		c->timer_deadline_ns = deadline_ns;
		arch_timer_arm(deadline_ns);
	}
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	struct pcpu *c = this_pcpu();

	ASSERT(t->fn);
	if (t->cpu != CPU_NONE) {
		timer_cancel(t);
	}
	spin_lock(&c->timer_lock);
	t->deadline_ns = deadline_ns;
	timer_link_locked(c, t);
	if (timer_at(c->timers.next) <= c->timer_deadline_ns) {
		timer_arm_locked(c, timer_group_end_locked(c));
	}
	spin_unlock(&c->timer_lock);
}

bool timer_is_running(const struct timer *t)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		const struct pcpu *c = pcpus[i];

		if (c &&
		    __atomic_load_n(&c->timer_running, __ATOMIC_ACQUIRE) == t) {
			return true;
		}
	}
	return false;
}

void timer_cancel_wait(struct timer *t)
{
	timer_cancel(t);
	while (timer_is_running(t)) { /* bound: one callback */
		arch_cpu_relax();
	}
}

/* Take out the first timer if it is due. */
static struct timer *timer_pop_due(struct pcpu *c, uint64_t now)
{
	struct timer *t = NULL;

	spin_lock(&c->timer_lock);
	if (!list_is_empty(&c->timers)) {
		t = list_entry(c->timers.next, struct timer, node);
		if (t->deadline_ns > now) {
			t = NULL;
		} else {
			/* Before the unlink: see timer_is_running(). */
			__atomic_store_n(&c->timer_running, t,
					 __ATOMIC_RELEASE);
			timer_unlink_locked(t);
		}
	}
	spin_unlock(&c->timer_lock);
	return t;
}

static void timer_rearm(struct pcpu *c)
{
	spin_lock(&c->timer_lock);
	c->timer_deadline_ns = 0; /* it fired: to be written in any case */
	timer_arm_locked(c, timer_group_end_locked(c));
	spin_unlock(&c->timer_lock);
}

void timer_run_due(void)
{
	struct pcpu *c = this_pcpu();
	uint64_t now = arch_time_ns();

	for (int i = 0; i < TIMER_BATCH; i++) {
		struct timer *t = timer_pop_due(c, now);

		if (!t) {
			break;
		}
		t->fn(t->arg);
		__atomic_store_n(&c->timer_running, NULL, __ATOMIC_RELEASE);
	}
	/* A deadline in the past fires at once: the rest of a long batch. */
	timer_rearm(c);
}

void timer_expired(void)
{
	timer_run_due();
}

/* ---- a CPU goes off line ------------------------------------------------- */

/* The first that need not stay; NULL: none. */
static struct timer *first_other_locked(const struct pcpu *c)
{
	struct list_node *pos;

	list_for_each (pos, &c->timers) { /* bound: three stay */
		struct timer *t = list_entry(pos, struct timer, node);

		if (!t->stays) {
			return t;
		}
	}
	return NULL;
}

bool timer_has_others(struct pcpu *c)
{
	bool has;

	spin_lock(&c->timer_lock);
	has = first_other_locked(c) != NULL;
	spin_unlock(&c->timer_lock);
	return has;
}

/* Both locks at once: who cancels it finds it on one of the two. */
static bool take_one(struct pcpu *from, struct pcpu *c) NO_LOCK_ANALYSIS
{
	struct pcpu *low = from->id < c->id ? from : c;
	struct pcpu *high = from->id < c->id ? c : from;
	struct timer *t;

	lock_pair(&low->timer_lock, &high->timer_lock);
	t = first_other_locked(from);
	if (t) {
		list_del(&t->node);
		timer_link_locked(c, t);
		timer_arm_locked(c, timer_group_end_locked(c));
	}
	unlock_pair(&low->timer_lock, &high->timer_lock);
	return t != NULL;
}

int timer_take_from(struct pcpu *from)
{
	for (int i = 0; i < TIMER_BATCH; i++) {
		if (!take_one(from, this_pcpu())) {
			return 0;
		}
	}
	return -EAGAIN;
}

void timer_init_cpu(void)
{
	struct pcpu *c = this_pcpu();

	c->timer_deadline_ns = UINT64_MAX;
	arch_timer_arm(UINT64_MAX);
}
