/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

static struct vcpu *v[4];

/* Two CPUs; v[0] and v[1] own one each, v[2] waits, v[3] is off. */
static void setup(void)
{
	cpus_start(2, "null");
	for (uint32_t i = 0; i < 4; i++) {
		v[i] = cpus_vcpu(0);
	}
	for (uint32_t i = 0; i < 3; i++) {
		vcpu_online(v[i]);
		cpus_settle();
	}
}

TestSuite(sched_null, .init = setup);

static void check(const struct vcpu *on0, const struct vcpu *on1)
{
	cpus_run(10 * MS);
	cr_assert_eq(pcpus[0]->current, on0);
	cr_assert_eq(pcpus[1]->current, on1);
	for (uint32_t i = 0; i < 2; i++) { /* no ticks */
		cr_assert_eq(pcpus[i]->slice_timer.cpu, CPU_NONE);
		cr_assert_eq(pcpus[i]->idle, !pcpus[i]->current);
	}
}

Test(sched_null, one_a_cpu_and_the_rest_waits)
{
	check(v[0], v[1]);
	cr_assert_eq(v[2]->state, VCPU_RUNNABLE);
	cr_assert_eq(sched_nr_queued(pcpus[0]) + sched_nr_queued(pcpus[1]), 1);
	cr_assert_not(sched_yield_to_others(pcpus[0], v[0]));
	check(v[0], v[1]);
}

Test(sched_null, a_cpu_stays_with_its_owner)
{
	cpus_block(v[0]);
	check(NULL, v[1]);
	vcpu_pause(v[1]);
	check(NULL, NULL);
	vcpu_wake(v[0]);
	vcpu_unpause(v[1]);
	check(v[0], v[1]);
}

/* ---- ways for a CPU to become free --------------------------------------- */

static void go_off(struct vcpu *t)
{
	vcpu_offline(t);
}

static void block_and_go_off(struct vcpu *t)
{
	cpus_block(t);
	cpus_settle();
	vcpu_offline(t);
}

static void die(struct vcpu *t)
{
	vcpu_pause(t);
	cpus_settle();
	vcpu_destroy(t);
}

static void move_away(struct vcpu *t)
{
	uint16_t other = !t->cpu;

	cr_assert_eq(vcpu_set_hard_affinity(t, BIT64(other)), 0);
}

static void block_and_move_away(struct vcpu *t)
{
	cpus_block(t);
	cpus_settle();
	move_away(t);
	vcpu_wake(t);
}

static void (*const leave[])(struct vcpu *t) = {
	go_off,
	block_and_go_off,
	move_away,
	block_and_move_away,
};

ParameterizedTestParameters(sched_null, a_free_cpu_is_taken)
{
	static int nr[2 * ARRAY_SIZE(leave)];

	for (size_t i = 0; i < ARRAY_SIZE(nr); i++) {
		nr[i] = (int)i;
	}
	return cr_make_param_array(int, nr, ARRAY_SIZE(nr));
}

ParameterizedTest(int *nr, sched_null, a_free_cpu_is_taken)
{
	uint32_t i = (uint32_t)*nr % 2;

	leave[*nr / 2](v[i]);
	check(i == 0 ? v[2] : v[0], i == 0 ? v[1] : v[2]);
}

Test(sched_null, the_dead_leave_nothing)
{
	die(v[2]); /* it waits */
	cr_assert_eq(sched_nr_queued(pcpus[0]) + sched_nr_queued(pcpus[1]), 0);
	vcpu_online(v[3]);
	cpus_settle();
	die(v[0]);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, v[3]);
	cr_assert_eq(pcpus[1]->current, v[1]);
}

/* ---- affinity ------------------------------------------------------------ */

/* CPU 1 is free, but who waits may not go there, until it may. */
Test(sched_null, one_that_waits_is_let_go)
{
	cr_assert_eq(vcpu_set_hard_affinity(v[2], BIT64(0)), 0);
	vcpu_offline(v[1]);
	check(v[0], NULL);
	cr_assert_eq(vcpu_set_hard_affinity(v[2], UINT64_MAX), 0);
	check(v[0], v[2]);
}

Test(sched_null, nothing_to_set)
{
	struct sched_params p = {.weight = 7};

	cr_assert_eq(sched_set_params(v[0], &p), -EINVAL);
	sched_get_params(v[0], &p);
	cr_assert_eq(p.weight, 0);
}

Test(sched_null_cpu, no_memory_no_cpu)
{
	fake_this_pcpu = percpu_init(0, 0, 0);
	cr_assert_eq(cpupool_create(0, sched_policy_by_name("null"),
				    &cpus_dom.pool), 0);
	cpus_fail_at = 1;
	cr_assert_eq(sched_init_cpu(), -ENOMEM);
	cr_assert_eq(cpus_online, 0);
	cr_assert_eq(sched_init_cpu(), 0);
	cr_assert_eq(cpus_online, 1);
}
