/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans of sched=arinc653: what is refused, when a plan begins, whose windows
 * are, and 10^5 frames to the nanosecond. Random ones: test_sched_model.c.
 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <lib/errno.h>
#include "fake_cpus.h"

#define US     UINT64_C(1000)
#define FRAMES 100000

/* One window: @cpu and @vcpu as the ABI packs them. */
#define SLOT(c, v, us)                                                         \
	{                                                                      \
		.vcpu_id = (c) << SCHED_PLAN_CPU_SHIFT | (v),                  \
		.runtime = (us)*US                                             \
	}

static struct vcpu *v[CPUS_VCPUS];

static void setup(void)
{
	fake_time_ns = 7 * MS + 13;
	cpus_start(2, "arinc653");
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		v[i] = cpus_vcpu(0);
	}
}

TestSuite(arinc653, .init = setup);

/* v2 goes from CPU 0 to CPU 1 with nothing in between. */
static const struct xen_sysctl_arinc653_schedule two_cpus = {
	.major_frame = 1000 * US,
	.num_sched_entries = 6,
	.sched_entries = {SLOT(0, 0, 300), SLOT(0, 2, 300), SLOT(0, 1, 399),
			  SLOT(1, 3, 600), SLOT(1, 2, 100), SLOT(1, 4, 300)},
};

static void all_online(void)
{
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		vcpu_online(v[i]);
	}
	cpus_settle();
}

static void go_to(uint64_t ns)
{
	fake_time_ns = ns;
	cpus_settle();
}

/* Each edge, from 1 ns before it on; -1: nobody. */
Test(arinc653, windows_of_many_frames)
{
	static const struct {
		uint64_t at;
		int on[2];
	} edge[] = {{0, {0, 3}},
		    {300, {2, 3}},
		    {600, {1, 2}},
		    {700, {1, 4}},
		    {999, {-1, 4}}};
	static const uint64_t share[CPUS_VCPUS] = {300, 399, 400, 600, 300};
	uint64_t begin = fake_time_ns;

	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	all_online();
	for (uint32_t i = 0; i < FRAMES * ARRAY_SIZE(edge); i++) {
		uint32_t n = i % ARRAY_SIZE(edge);
		struct vcpu *before[2] = {pcpus[0]->current, pcpus[1]->current};
		uint64_t at = begin + i / ARRAY_SIZE(edge) * 1000 * US +
			      edge[n].at * US;

		if (i > 0) {
			go_to(at - 1);
		}
		for (uint32_t c = 0; c < 2; c++) {
			cr_assert_eq(pcpus[c]->current, before[c], "%u", i);
		}
		go_to(at);
		for (uint32_t c = 0; c < 2; c++) {
			int on = edge[n].on[c];

			cr_assert_eq(pcpus[c]->current, on < 0 ? NULL : v[on],
				     "CPU %u at edge %u", c, i);
		}
	}
	go_to(begin + FRAMES * 1000 * US);
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		cr_assert_eq(sched_vcpu_cpu_time_ns(v[i]),
			     FRAMES * share[i] * US, "v%u", i);
	}
}

/* What has begun ends as it was planned; the next frame is the new plan's. */
Test(arinc653, a_new_plan_waits_for_the_end_of_the_frame)
{
	static const struct xen_sysctl_arinc653_schedule other = {
		.major_frame = 400 * US,
		.num_sched_entries = 1,
		.sched_entries = {SLOT(1, 0, 400)},
	};
	uint64_t begin = fake_time_ns;

	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	all_online();
	go_to(begin + 650 * US);
	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	/* The last one counts. */
	cr_assert_eq(sched_plan_set(cpus_dom.pool, &other), 0);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, v[1]);
	go_to(begin + 1000 * US - 1);
	cr_assert_null(pcpus[0]->current);
	cr_assert_eq(pcpus[1]->current, v[4]);
	go_to(begin + 1000 * US);
	cr_assert_null(pcpus[0]->current);
	cr_assert_eq(pcpus[1]->current, v[0]);
	go_to(begin + 1300 * US);
	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	go_to(begin + 1400 * US - 1);
	cr_assert_eq(pcpus[1]->current, v[0]);
	go_to(begin + 1400 * US);
	cr_assert_eq(pcpus[0]->current, v[0]);
	cr_assert_eq(pcpus[1]->current, v[3]);
}

/* What Xen refuses, and what would not be what it says. */
Test(arinc653, plans_that_are_refused)
{
	static const struct xen_sysctl_arinc653_schedule bad[] = {
		{0, 1, {SLOT(0, 0, 100)}},
		{1001 * 1000 * MS, 1, {SLOT(0, 0, 100)}},
		{UINT64_MAX, 1, {SLOT(0, 0, 100)}},
		{9 * US, 1, {SLOT(0, SCHED_PLAN_NOBODY, 9)}},
		{1000 * US, 0, {SLOT(0, 0, 100)}},
		{1000 * US, 65, {SLOT(0, 0, 10)}},
		{1000 * US, 1, {SLOT(0, 0, 0)}},
		{1000 * US, 1, {SLOT(0, 0, 9)}},
		{1000 * US, 1, {SLOT(0, 0, 1001)}},
		{1000 * US, 1, {{.runtime = UINT64_MAX}}},
		{1000 * US, 1, {SLOT(2, 0, 100)}},
		{1000 * US, 1, {SLOT(64u, 0, 100)}},
		{1000 * US, 1, {SLOT(65535u, 0, 100)}},
		{1000 * US, 3, {SLOT(0, 1, 500), SLOT(1, 0, 9), SLOT(0, 0, 9)}},
		{1000 * US, 2, {SLOT(0, 1, 500), SLOT(0, 0, 501)}},
		{1000 * US, 2, {SLOT(0, 0, 300), SLOT(1, 0, 100)}},
	};
	struct xen_sysctl_arinc653_schedule s;

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(sched_plan_set(cpus_dom.pool, &bad[i]), -EINVAL,
			     "%u", i);
	}
	sched_plan_get(cpus_dom.pool, &s);
	cr_assert_eq(s.num_sched_entries, 0);
	cpus_fail_at = 1;
	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), -ENOMEM);
	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	sched_plan_get(cpus_dom.pool, &s);
	cr_assert_arr_eq(&s, &two_cpus, sizeof(s));
}

/* dom0's, before anybody made a plan: 10 ms each, side by side. */
Test(arinc653, the_first_plan_is_of_dom0)
{
	struct xen_sysctl_arinc653_schedule s;

	cpus_dom.is_control = true;
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		vcpu_destroy(v[i]);
	}
	cpus_dom.nr_vcpus = 0;
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		v[i] = cpus_vcpu(0);
	}
	sched_plan_get(cpus_dom.pool, &s);
	cr_assert_eq(s.num_sched_entries, CPUS_VCPUS);
	cr_assert_eq(s.major_frame, CPUS_VCPUS / 2 * 10 * MS);
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		cr_assert_eq(s.sched_entries[i].vcpu_id, i | i % 2 << 16);
		cr_assert_eq(s.sched_entries[i].runtime, 10 * MS);
	}
	all_online();
	go_to(s.major_frame);
	cr_assert_eq(pcpus[1]->current, v[1]);
	go_to(s.major_frame + 10 * MS);
	cr_assert_eq(pcpus[0]->current, v[2]);
}

/* A window waits for a vCPU that is not there yet, or no more. */
Test(arinc653, windows_outlive_their_vcpus)
{
	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	vcpu_destroy(v[0]);
	cpus_dom.nr_vcpus = 0;
	cpus_settle();
	cr_assert_null(pcpus[0]->current);
	v[0] = cpus_vcpu(0);
	vcpu_online(v[0]);
	cpus_run(MS);
	cr_assert_eq(pcpus[0]->current, v[0]);
}

/* Who is late in its window still has it; who wakes outside of one waits. */
Test(arinc653, sleep_and_wake)
{
	uint64_t begin = fake_time_ns;

	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	all_online();
	cpus_block(v[0]);
	cpus_settle();
	cr_assert_null(pcpus[0]->current);
	go_to(begin + 100 * US);
	vcpu_wake(v[0]);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, v[0]);
	cpus_block(v[0]);
	go_to(begin + 999 * US);
	vcpu_wake(v[0]);
	cpus_settle();
	cr_assert_null(pcpus[0]->current);
	go_to(begin + 1000 * US);
	cr_assert_eq(pcpus[0]->current, v[0]);
}

/* A CPU that looks frames later is where it would be had it looked. */
Test(arinc653, a_late_look_moves_no_edge)
{
	uint64_t begin = fake_time_ns;

	cr_assert_eq(sched_plan_set(cpus_dom.pool, &two_cpus), 0);
	all_online();
	go_to(begin + 5 * 1000 * US + 650 * US);
	cr_assert_eq(pcpus[0]->current, v[1]);
	cr_assert_eq(pcpus[1]->current, v[2]);
	cr_assert_eq(pcpus[0]->slice_timer.deadline_ns, begin + 5999 * US);
}

/* Of any length, and on several CPUs at once. */
Test(arinc653, gaps)
{
	static const struct xen_sysctl_arinc653_schedule gaps = {
		.major_frame = 1000 * US,
		.num_sched_entries = 4,
		.sched_entries = {SLOT(0, SCHED_PLAN_NOBODY, 1),
				  SLOT(0, 0, 999),
				  SLOT(1, SCHED_PLAN_NOBODY, 500),
				  SLOT(1, 1, 500)},
	};
	uint64_t begin = fake_time_ns;

	cr_assert_eq(sched_plan_set(cpus_dom.pool, &gaps), 0);
	all_online();
	cr_assert_null(pcpus[0]->current);
	go_to(begin + US);
	cr_assert_eq(pcpus[0]->current, v[0]);
	cr_assert_null(pcpus[1]->current);
	go_to(begin + 500 * US);
	cr_assert_eq(pcpus[1]->current, v[1]);
}
