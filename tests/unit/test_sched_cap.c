/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <lib/errno.h>
#include "fake_cpus.h"

#define US     UINT64_C(1000)
#define SECOND (1000 * MS)

static struct vcpu *v[CPUS_VCPUS];
static struct vcpu *hog; /* of another domain, without a cap */
static struct vcpu *others[1];
static struct shared_info others_info;
static struct domain other = {
	.id = 1,
	.vcpu = others,
	.max_vcpus = 1,
	.shared_info = &others_info,
};

static void start(uint16_t nr_cpus, uint32_t nr_vcpus, uint32_t percent)
{
	cpus_start(nr_cpus, "credit2");
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		v[i] = cpus_vcpu(0);
		vcpu_online(v[i]);
	}
	cr_assert_eq(sched_set_cap(&cpus_dom, percent), 0);
}

static void start_hog(void)
{
	other.pool = cpus_dom.pool;
	cr_assert_eq(vcpu_create(&other, 0, 0), 0);
	hog = others[0];
	vcpu_online(hog);
}

/* All CPUs look @late_ns after each time they want to. */
static void run(uint64_t ns, uint64_t late_ns)
{
	uint64_t end = fake_time_ns + ns;

	cpus_settle();
	while (fake_time_ns < end) {
		uint64_t next = end;

		for (uint32_t i = 0; i < nr_pcpus; i++) {
			uint64_t at = pcpus[i]->timer_deadline_ns;

			if (at < next - late_ns) {
				next = at + late_ns;
			}
		}
		fake_time_ns = next > fake_time_ns ? next : fake_time_ns + 1;
		cpus_settle();
	}
}

/* The part of all CPUs in 1/100 % that the capped domain had since the last. */
static uint64_t part(uint64_t ns)
{
	static uint64_t before;
	uint64_t sum = 0;
	uint64_t part;

	for (uint32_t i = 0; i < CPUS_VCPUS && v[i]; i++) {
		sum += sched_vcpu_cpu_time_ns(v[i]);
	}
	part = (sum - before) * 10000 / ns;
	before = sum;
	return part;
}

static void check_part(uint64_t ns, uint64_t late_ns, uint64_t percent)
{
	uint64_t got;

	(void)part(1);
	run(ns, late_ns);
	got = part(ns);
	cr_assert_geq(got, percent * 99, "%lu", got);
	cr_assert_leq(got, percent * 101, "%lu", got);
}

static uint32_t nr_running(void)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < CPUS_VCPUS && v[i]; i++) {
		nr += v[i]->state == VCPU_RUNNING;
	}
	return nr;
}

Test(sched_cap, alone_on_a_cpu)
{
	start(1, 1, 35);
	check_part(60 * SECOND, 0, 35);
	cr_assert_eq(sched_set_cap(&cpus_dom, 1), 0);
	run(10 * MS, 0); /* the next period has the new one */
	check_part(SECOND, 0, 1);
	cr_assert_eq(sched_set_cap(&cpus_dom, 100), 0);
	run(10 * MS, 0);
	check_part(SECOND, 0, 100);
}

Test(sched_cap, looks_that_come_late)
{
	start(1, 1, 35);
	check_part(60 * SECOND, 90 * US, 35);
}

/* What it ran after the end of a period, before its CPU looked, counts. */
Test(sched_cap, late_look_at_the_end_of_a_period)
{
	const uint64_t late = 90 * US;
	uint64_t before;

	start(1, 1, 60); /* the first period begins */
	cpus_settle();
	cpus_block(v[0]);
	run(5 * MS, 0);
	vcpu_wake(v[0]);
	run(4 * MS, 0);
	before = sched_vcpu_cpu_time_ns(v[0]) + MS;
	fake_time_ns += MS + late;
	run(9 * MS, late);
	cr_assert_eq(sched_vcpu_cpu_time_ns(v[0]) - before, 6 * MS + late);
}

Test(sched_cap, beside_a_hog)
{
	start(1, 1, 25);
	start_hog();
	check_part(60 * SECOND, 0, 25);
	cr_assert_geq(sched_vcpu_cpu_time_ns(hog), 44 * SECOND);
}

Test(sched_cap, several_cpus)
{
	start(4, 3, 150);
	check_part(60 * SECOND, 0, 150);
	for (uint32_t i = 0; i < 3; i++) { /* all have the same of it */
		cr_assert_geq(sched_vcpu_cpu_time_ns(v[i]), 29 * SECOND);
	}
	start_hog(); /* three CPUs are for it alone */
	check_part(60 * SECOND, 0, 150);
}

/* Of three domains with a vCPU for each CPU, the third has no cap. */
Test(sched_cap, all_cpus_are_wanted)
{
	static struct vcpu *of[3][2];
	struct domain part[3];

	cpus_start(2, "credit2");
	for (uint32_t i = 0; i < 6; i++) {
		v[i] = cpus_vcpu(0);
		of[i / 2][i % 2] = v[i];
	}
	for (uint32_t i = 0; i < 3; i++) {
		part[i] = (struct domain){
			.vcpu = of[i],
			.nr_vcpus = 2,
			.max_vcpus = 2,
			.pool = cpus_dom.pool,
		};
	}
	cr_assert_eq(sched_set_cap(&part[0], 70), 0);
	cr_assert_eq(sched_set_cap(&part[1], 33), 0);
	for (uint32_t i = 0; i < 6; i++) {
		vcpu_online(v[i]);
	}
	run(60 * SECOND, 0);
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_geq(sched_vcpu_cpu_time_ns(of[0][i]), 20900 * MS);
		cr_assert_geq(sched_vcpu_cpu_time_ns(of[1][i]), 9890 * MS);
		cr_assert_geq(sched_vcpu_cpu_time_ns(of[2][i]), 29000 * MS);
	}
}

Test(sched_cap, more_vcpus_than_slices)
{
	start(2, 8, 7); /* slices are 100 us; a budget has seven */
	check_part(60 * SECOND, 0, 7);
	for (uint32_t i = 0; i < 8; i++) { /* they take turns */
		cr_assert_geq(sched_vcpu_cpu_time_ns(v[i]), 520 * MS);
		cr_assert_leq(sched_vcpu_cpu_time_ns(v[i]), 530 * MS);
	}
}

Test(sched_cap, no_timer_while_nobody_waits)
{
	start(2, 2, 50);
	run(SECOND + MS, 0);
	while (nr_running() == 0) { /* the budget is used up */
		run(MS, 0);
	}
	for (uint32_t i = 0; i < 2; i++) {
		while (v[i]->state != VCPU_RUNNING) {
			run(100 * US, 0);
		}
		cpus_block(v[i]);
	}
	run(100 * MS, 0);
	cr_assert(pcpus[0]->idle);
	cr_assert_eq(pcpus[0]->timer_deadline_ns, UINT64_MAX);
	cr_assert_eq(pcpus[1]->timer_deadline_ns, UINT64_MAX);
	vcpu_wake(v[0]);
	run(US, 0);
	cr_assert_eq(v[0]->state, VCPU_RUNNING);
}

/* What one gives back, another that is parked has at once. */
Test(sched_cap, rest_of_a_sleeper)
{
	start(2, 2, 100); /* slices of 5 ms */
	cpus_settle();
	cpus_block(v[0]);
	run(3 * MS, 0);
	vcpu_wake(v[0]);
	run(2 * MS + US, 0);
	cr_assert_eq(v[1]->state, VCPU_RUNNABLE);
	cpus_block(v[0]);
	run(US, 0);
	cr_assert_eq(v[1]->state, VCPU_RUNNING);
	run(4 * MS, 0);
	cr_assert_eq(v[1]->state, VCPU_RUNNABLE);
	cr_assert_eq(sched_vcpu_cpu_time_ns(v[0]) +
			     sched_vcpu_cpu_time_ns(v[1]),
		     10 * MS);
}

Test(sched_cap, comes_and_goes)
{
	struct sched_params p;

	start(2, 2, 20);
	cr_assert_eq(sched_set_cap(&cpus_dom, 201), -EINVAL);
	run(SECOND, 0);
	sched_get_params(v[1], &p);
	cr_assert_eq(p.cap, 20);
	run(5 * MS, 0);
	cr_assert_eq(nr_running(), 0);
	cr_assert_eq(sched_set_cap(&cpus_dom, 0), 0);
	run(US, 0);
	cr_assert_eq(nr_running(), 2);
	check_part(SECOND, 0, 200);
	sched_get_params(v[1], &p);
	cr_assert_eq(p.cap, 0);
	cr_assert_eq(sched_set_cap(&cpus_dom, 0), 0);
	cpus_fail_at = 1;
	cr_assert_eq(sched_set_cap(&cpus_dom, 10), -ENOMEM);
	cpus_fail_at = 0;
	cr_assert_eq(sched_set_cap(&cpus_dom, 10), 0);
	check_part(SECOND, 0, 10);
}

Test(sched_cap, paused_while_parked)
{
	start(1, 1, 10);
	run(SECOND + 5 * MS, 0);
	cr_assert_eq(nr_running(), 0);
	vcpu_pause(v[0]);
	run(SECOND, 0);
	vcpu_unpause(v[0]);
	check_part(SECOND, 0, 10);
	vcpu_offline(v[0]);
	run(MS, 0);
	cr_assert_eq(sched_set_cap(&cpus_dom, 0), 0);
	vcpu_destroy(v[0]);
	v[0] = NULL;
}

/* The last vCPU takes the limit along; nothing is left behind. */
Test(sched_cap, end_of_a_domain)
{
	long live;

	cpus_start(2, "credit2");
	live = cpus_live;
	for (uint32_t i = 0; i < 3; i++) {
		v[i] = cpus_vcpu(0);
		vcpu_online(v[i]);
	}
	cr_assert_eq(sched_set_cap(&cpus_dom, 30), 0);
	run(SECOND + 5 * MS, 0);
	cr_assert_eq(nr_running(), 0);
	for (uint32_t i = 0; i < 3; i++) {
		vcpu_offline(v[i]);
	}
	run(MS, 0);
	for (uint32_t i = 0; i < 3; i++) {
		vcpu_destroy(v[i]);
	}
	cr_assert_eq(cpus_live, live);
	run(SECOND, 0);
}
