/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scheduler does, as records for trace buffers: a policy in front of
 * the real one, which a traced CPU asks instead (pcpu.asked).
 *
 * Owns    v->traced: which run state the trace says that @v is in, so that
 *         each record goes on from the one before it.
 * Not     the buffers (tracebuf.c), nor how long states last (runstate.c).
 * Locks   the run queue lock of the CPU named, as for every policy.
 * Bounds  seven records a switch, two a wake-up.
 * Spec    [XEN] trace.h "TRC_SCHED_*"; kinds, words and order are Xen's.
 */
#include <hv/tracebuf.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

/* Of v->traced: the run state; the rest says in which trace that was. */
#define STATE 3u
#define TRACES 63u /* 1 to 63, and again; 0: none yet */

/* Words of records about somebody: domain and vCPU, and both in one. */
struct who {
	uint32_t domain, vcpu;
};

/* What a CPU runs as far as its trace says; own CPU. */
static struct {
	struct who who;
	uint64_t since_ns;
} shown[NR_CPUS];

static struct who who_is(const struct vcpu *v)
{
	return v ? (struct who){ v->domain->id, v->id }
		 : (struct who){ DOMID_IDLE, this_cpu() };
}

static void put_change(struct who w, uint32_t from, uint32_t to)
{
	uint32_t word = w.domain << 16 | w.vcpu;

	tracebuf_write(TRC_SCHED_RUNSTATE_CHANGE | from << 8 | to << 4, &word,
		       1);
}

static void put_continue(struct who w)
{
	uint32_t word = w.domain << 16 | w.vcpu;

	tracebuf_write(TRC_SCHED_CONTINUE_RUNNING, &word, 1);
}

/* @v goes to @to; @from is what it was if this trace does not know yet. */
static void change(struct vcpu *v, uint8_t from, uint8_t to)
{
	uint32_t nr = __atomic_load_n(&tracebuf_nr, __ATOMIC_RELAXED);
	uint8_t trace = (uint8_t)((nr % TRACES + 1) << 2);

	if ((v->traced & ~STATE) == trace) {
		from = v->traced & STATE;
	}
	v->traced = trace | to;
	if (from == RUNSTATE_blocked && to == RUNSTATE_runnable) {
		struct who w = who_is(v);

		tracebuf_write(TRC_SCHED_WAKE, &w.domain, 2);
	}
	if (from != to) {
		put_change(who_is(v), from, to);
	}
}

static uint32_t ns_word(uint64_t ns)
{
	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void put_switch(struct who prev, const struct vcpu *next,
		       uint64_t until_ns, uint64_t now)
{
	struct who w = who_is(next);
	uint64_t since = shown[this_cpu()].since_ns;
	const uint32_t old[] = { prev.domain, prev.vcpu, ns_word(now - since) };
	const uint32_t new[] = {
		w.domain, w.vcpu,
		next ? ns_word(now - next->runstate_entry_ns) : 0,
		ns_word(until_ns != UINT64_MAX ? until_ns - now : until_ns),
	};
	const uint32_t both[] = { prev.domain, prev.vcpu, w.domain, w.vcpu };

	tracebuf_write(TRC_SCHED_SWITCH_INFPREV, old, ARRAY_SIZE(old));
	tracebuf_write(TRC_SCHED_SWITCH_INFNEXT, new, ARRAY_SIZE(new));
	tracebuf_write(TRC_SCHED_SWITCH, both, ARRAY_SIZE(both));
	shown[this_cpu()].who = w;
	shown[this_cpu()].since_ns = now;
}

/* What @v, which leaves its CPU, does from here on. */
static uint8_t next_state(const struct vcpu *v)
{
	if (v->state == VCPU_BLOCKED) {
		return RUNSTATE_blocked;
	}
	return v->state == VCPU_OFFLINE || v->pause_count != 0
		       ? RUNSTATE_offline
		       : RUNSTATE_runnable;
}

/*
 * A CPU stops running @old, which was @prev; NULL: idle, or sent to another
 * CPU, where its record says so. One that was woken first has said so, too.
 */
static void change_from(struct who old, struct vcpu *prev)
{
	if (prev) {
		change(prev, RUNSTATE_running, next_state(prev));
	} else if (old.domain == DOMID_IDLE) {
		put_change(old, RUNSTATE_running, RUNSTATE_runnable);
	}
}

static void change_to(struct vcpu *next)
{
	if (next) {
		change(next, RUNSTATE_runnable, RUNSTATE_running);
	} else {
		put_change(who_is(NULL), RUNSTATE_runnable, RUNSTATE_running);
	}
}

static struct sched_decision traced_pick(struct pcpu *c, struct vcpu *prev,
					 bool runnable, uint64_t now)
{
	struct sched_decision dec = c->policy->pick(c, prev, runnable, now);
	struct who old = shown[c->id].who;
	struct who new = who_is(dec.next);

	if (prev == dec.next && runnable) {
		put_continue(new);
		return dec;
	}
	if (prev && prev->state == VCPU_BLOCKED) {
		tracebuf_write(TRC_SCHED_BLOCK, &old.domain, 2);
	}
	if (old.domain != new.domain || old.vcpu != new.vcpu) {
		put_switch(old, dec.next, dec.until_ns, now);
	}
	if (prev || dec.next || old.domain != DOMID_IDLE) {
		change_from(old, prev);
		change_to(dec.next);
	}
	return dec;
}

/* It may only have changed CPUs: then it is runnable for longer. */
static bool traced_enqueue(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	change(v,
	       v->runstate_entry_ns == now ? RUNSTATE_blocked
					   : RUNSTATE_runnable,
	       RUNSTATE_runnable);
	return c->policy->enqueue(c, v, now);
}

static void traced_dequeue(struct pcpu *c, struct vcpu *v)
{
	if (next_state(v) == RUNSTATE_offline) {
		change(v, RUNSTATE_runnable, RUNSTATE_offline);
	}
	c->policy->dequeue(c, v);
}

static const struct sched_policy sched_traced = {
	.pick = traced_pick,
	.enqueue = traced_enqueue,
	.dequeue = traced_dequeue,
};

void sched_trace(struct pcpu *c, bool on)
{
	const struct sched_policy *asked = on ? &sched_traced : c->policy;
	struct who w = who_is(c->current);

	if (c->asked == asked) {
		return;
	}
	spin_lock(c->runq_lock);
	c->asked = asked;
	if (on) {
		shown[c->id].who = w;
		shown[c->id].since_ns = arch_time_ns();
		put_continue(w);
	}
	spin_unlock(c->runq_lock);
}
