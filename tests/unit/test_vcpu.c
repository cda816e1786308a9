/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

static const char *const policies[] = {"credit2", "null"};
#define NR_POLICIES 2

/*
 * What happens to a vCPU of CPU 0, by CPU 1 but for `b`, a millisecond each:
 * o online, x offline, w wake, p pause, u unpause, v event, b block,
 * `.` all CPUs come to rest. A capital strikes in the middle of the next
 * block, between the change of state and the last look.
 */
static const struct story {
	const char *steps;
	uint8_t state, runstate;
} stories[] = {
	{"", VCPU_OFFLINE, RUNSTATE_offline},
	{"wv.", VCPU_OFFLINE, RUNSTATE_offline},
	{"o", VCPU_RUNNABLE, RUNSTATE_runnable},
	{"o.", VCPU_RUNNING, RUNSTATE_running},
	{"o.oo.", VCPU_RUNNING, RUNSTATE_running},
	{"o.b", VCPU_BLOCKED, RUNSTATE_running},
	{"o.b.", VCPU_BLOCKED, RUNSTATE_blocked},
	{"o.b.w", VCPU_RUNNABLE, RUNSTATE_runnable},
	{"o.b.w.", VCPU_RUNNING, RUNSTATE_running},
	/* An event before, in, and after the block, and in its sleep. */
	{"o.vb.", VCPU_RUNNING, RUNSTATE_running},
	{"o.Vb.", VCPU_RUNNING, RUNSTATE_running},
	{"o.bv.", VCPU_RUNNING, RUNSTATE_running},
	{"o.b.v.", VCPU_RUNNING, RUNSTATE_running},
	{"o.Wb.", VCPU_RUNNING, RUNSTATE_running},
	{"o.bw.", VCPU_RUNNING, RUNSTATE_running},
	/* Pauses count, and do not change what it waits for. */
	{"o.p", VCPU_RUNNING, RUNSTATE_running},
	{"o.p.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"o.pu.", VCPU_RUNNING, RUNSTATE_running},
	{"o.p.u.", VCPU_RUNNING, RUNSTATE_running},
	{"o.pp.u.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"o.pp.u.u.", VCPU_RUNNING, RUNSTATE_running},
	{"op.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"op.u.", VCPU_RUNNING, RUNSTATE_running},
	{"po.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"po.u.", VCPU_RUNNING, RUNSTATE_running},
	{"o.bp.", VCPU_BLOCKED, RUNSTATE_blocked},
	{"o.Pb.", VCPU_BLOCKED, RUNSTATE_blocked},
	{"o.Pb.u.", VCPU_BLOCKED, RUNSTATE_blocked},
	{"o.Pb.u.v.", VCPU_RUNNING, RUNSTATE_running},
	{"o.bwp.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"o.b.p.w.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"o.b.p.w.u.", VCPU_RUNNING, RUNSTATE_running},
	/* Off wins over all of it. */
	{"o.x", VCPU_OFFLINE, RUNSTATE_running},
	{"o.x.", VCPU_OFFLINE, RUNSTATE_offline},
	{"ox.", VCPU_OFFLINE, RUNSTATE_offline},
	{"o.Xb.", VCPU_OFFLINE, RUNSTATE_offline},
	{"o.bx.", VCPU_OFFLINE, RUNSTATE_offline},
	{"o.b.x.w.", VCPU_OFFLINE, RUNSTATE_offline},
	{"o.p.x.u.", VCPU_OFFLINE, RUNSTATE_offline},
	{"o.p.x.o.", VCPU_RUNNABLE, RUNSTATE_offline},
	{"o.p.x.o.u.", VCPU_RUNNING, RUNSTATE_running},
	{"o.x.o.", VCPU_RUNNING, RUNSTATE_running},
};

static char strikes; /* what the hook does, as a small letter */

static void act(struct vcpu *v, char what);

static void event(struct vcpu *v)
{
	vcpu_post(v, VWORK_UPCALL);
}

static void settle(struct vcpu *v)
{
	(void)v;
	cpus_settle();
}

static void in_block(struct vcpu *v)
{
	cr_assert_eq(v->state, VCPU_BLOCKED);
	act(v, strikes);
	on_cpu(v->cpu);
}

static const struct {
	char name;
	void (*fn)(struct vcpu *v);
} acts[] = {
	{'o', vcpu_online}, {'x', vcpu_offline}, {'w', vcpu_wake},
	{'p', vcpu_pause},  {'u', vcpu_unpause}, {'v', event},
	{'b', cpus_block},  {'.', settle},
};

static void act(struct vcpu *v, char what)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(acts) && acts[i].name != what) {
		i++;
	}
	on_cpu(1);
	if (i < ARRAY_SIZE(acts)) {
		acts[i].fn(v);
	} else {
		strikes = (char)(what | 0x20);
		cpus_in_has_pending = in_block;
	}
	fake_time_ns += MS;
}

static void tell(struct vcpu *v, const char *steps)
{
	for (const char *s = steps; *s; s++) {
		act(v, *s);
	}
}

static bool at_rest(const char *steps)
{
	size_t n = strlen(steps);

	return n > 0 && steps[n - 1] == '.';
}

/* Nothing else may be said about where a vCPU in this state is. */
static void check_place(const struct vcpu *v)
{
	bool runs = v->state == VCPU_RUNNING;

	cr_assert_eq(v == pcpus[0]->current, runs);
	cr_assert(!runs || pcpus[0]->loaded == v);
	cr_assert_eq(v->queued, v->state == VCPU_RUNNABLE && !v->pause_count);
	cr_assert(!v->pause_count || vcpu_is_descheduled(v));
	cr_assert(v->state != VCPU_OFFLINE || vcpu_is_descheduled(v));
	cr_assert_eq(vcpu_is_descheduled(v), pcpus[0]->loaded != v);
	cr_assert(!runs || !v->work);
}

ParameterizedTestParameters(vcpu, stories)
{
	static int nr[NR_POLICIES * ARRAY_SIZE(stories)];

	for (size_t i = 0; i < ARRAY_SIZE(nr); i++) {
		nr[i] = (int)i;
	}
	return cr_make_param_array(int, nr, ARRAY_SIZE(nr));
}

ParameterizedTest(int *nr, vcpu, stories)
{
	const struct story *s = &stories[*nr / NR_POLICIES];
	struct vcpu *v;

	cpus_start(2, policies[*nr % NR_POLICIES]);
	v = cpus_vcpu(0);
	vcpu_cpus_set(v, BIT64(0));
	tell(v, s->steps);
	cr_assert_eq(v->state, s->state, "%s: state %u", s->steps, v->state);
	cr_assert_eq(v->runstate, s->runstate, "%s: run state %u", s->steps,
		     v->runstate);
	if (at_rest(s->steps)) {
		check_place(v);
	}
	cpus_check_runstates();
}

/* ---- other CPUs ---------------------------------------------------------- */

/* Until @before, then it may run on CPU 1 only, until @after. */
static const struct {
	const char *before, *after;
} moves[] = {
	{"", "o."},	   {"o", "."},	   {"o.", "."},	   {"o.b", ".w."},
	{"o.b.", "w."},	   {"o.b.w", "."}, {"o.p", ".u."}, {"o.p.", "u."},
	{"o.b.p.", "uw."}, {"o.x.", "o."}, {"o.bv", "."},
};

ParameterizedTestParameters(vcpu, moves)
{
	static int nr[NR_POLICIES * ARRAY_SIZE(moves)];

	for (size_t i = 0; i < ARRAY_SIZE(nr); i++) {
		nr[i] = (int)i;
	}
	return cr_make_param_array(int, nr, ARRAY_SIZE(nr));
}

/* It moves, and who waited for its CPU gets that. */
ParameterizedTest(int *nr, vcpu, moves)
{
	const char *before = moves[*nr / NR_POLICIES].before;
	const char *after = moves[*nr / NR_POLICIES].after;
	struct vcpu *v, *other;

	cpus_start(2, policies[*nr % NR_POLICIES]);
	v = cpus_vcpu(0);
	other = cpus_vcpu(0);
	vcpu_cpus_set(v, BIT64(0));
	vcpu_cpus_set(other, BIT64(0));
	tell(v, before);
	vcpu_online(other);
	on_cpu(1);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(1)), 0);
	tell(v, after);
	cr_assert_eq(pcpus[1]->current, v, "%s/%s", before, after);
	cr_assert_eq(pcpus[1]->loaded, v);
	cr_assert_eq(v->cpu, 1);
	cr_assert_eq(pcpus[0]->current, other, "%s/%s", before, after);
	cpus_check_runstates();
}

ParameterizedTestParameters(vcpu, an_idle_cpu_takes_one_that_waits)
{
	static int nr[NR_POLICIES] = {0, 1};

	return cr_make_param_array(int, nr, NR_POLICIES);
}

/* CPU 1 sleeps; who waits for CPU 0 was not allowed there, and now is. */
ParameterizedTest(int *nr, vcpu, an_idle_cpu_takes_one_that_waits)
{
	struct vcpu *v[2], *runs, *waits;

	cpus_start(2, policies[*nr]);
	for (uint32_t i = 0; i < 2; i++) {
		v[i] = cpus_vcpu(0);
		vcpu_cpus_set(v[i], BIT64(0));
		tell(v[i], "o.");
	}
	runs = pcpus[0]->current;
	waits = runs == v[0] ? v[1] : v[0];
	cr_assert_null(pcpus[1]->current);
	cr_assert_eq(vcpu_set_hard_affinity(waits, UINT64_MAX), 0);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, runs);
	cr_assert_eq(pcpus[1]->current, waits);
}

Test(vcpu, affinity_needs_a_cpu_that_is_there)
{
	struct vcpu *v;

	cpus_start(2, "credit2");
	v = cpus_vcpu(0);
	cr_assert_eq(vcpu_set_hard_affinity(v, 0), -EINVAL);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(2) | BIT64(63)), -EINVAL);
	cr_assert_eq(v->hard_affinity, UINT64_MAX);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(1) | BIT64(40)), 0);
	vcpu_online(v);
	cpus_settle();
	cr_assert_eq(pcpus[1]->current, v);
}

Test(vcpu, a_pin_ends_where_it_began)
{
	struct vcpu *v;

	cpus_start(2, "credit2");
	v = cpus_vcpu(0);
	cr_assert_eq(vcpu_pin(v, 0), -EINVAL); /* it is not pinned */
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(0)), 0);
	vcpu_online(v);
	cpus_settle();
	cr_assert_eq(vcpu_pin(v, BIT64(2)), -EINVAL);
	cr_assert_eq(vcpu_pin(v, BIT64(1)), 0);
	cpus_settle();
	cr_assert_eq(pcpus[1]->current, v);
	cr_assert_eq(vcpu_pin(v, BIT64(1)), -EBUSY);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(0)), -EBUSY);
	cr_assert_eq(v->hard_affinity, BIT64(1));
	cr_assert_eq(vcpu_pin(v, 0), 0);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, v);
	cr_assert_eq(v->hard_affinity, BIT64(0));
	cr_assert_eq(vcpu_pin(v, 0), -EINVAL);
	cr_assert_eq(vcpu_set_hard_affinity(v, UINT64_MAX), 0);
}

/* A level that no work bit tells of. */
Test(vcpu, pending_state_keeps_it_awake)
{
	struct vcpu *v;

	cpus_start(1, "credit2");
	v = cpus_vcpu(0);
	vcpu_online(v);
	cpus_settle();
	v->arch.has_pending = true;
	cpus_block(v);
	cpus_settle();
	cr_assert_eq(v->state, VCPU_RUNNING);
	v->arch.has_pending = false;
	cpus_block(v);
	cr_assert_eq(v->state, VCPU_BLOCKED);
}

Test(vcpu, yield_is_a_turn_for_others)
{
	struct vcpu *v, *other;

	cpus_start(1, "credit2");
	v = cpus_vcpu(0);
	other = cpus_vcpu(0);
	vcpu_online(v);
	cpus_settle();
	vcpu_yield(v);
	cr_assert_eq(pcpus[0]->work, 0); /* there is nobody */
	vcpu_online(other);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, v);
	vcpu_yield(v);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, other);
}

Test(vcpu, unpaused_more_often_than_paused, .signal = SIGABRT)
{
	cpus_start(1, "credit2");
	vcpu_unpause(cpus_vcpu(0));
}
