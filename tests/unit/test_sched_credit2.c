/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/sched_cap.c
// LINK: core/sched_credit2.c core/prioq.c core/sched_arinc653.c
// LINK: core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/cpupool.c
// LINK: core/sched.c core/sched_params.c
// LINK: core/sched_keep.c core/sched_soft.c
// LINK: core/timer.c core/percpu.c
// LINK: core/lock.c debug/lock_check.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_sched_world.c
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <hv/work.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define MS UINT64_C(1000000)
#define NR 40

const struct sched_policy sched_null = { .name = "null" };

static struct domain dom;
static struct vcpu *vcpu[NR];
static uint64_t ran_ns[NR];
static uint64_t idle_ns;

/* ---- what the scheduler calls ------------------------------------------- */

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	return calloc(1, size);
}

void heap_free(struct domain *d, void *p)
{
	(void)d;
	free(p);
}

void pcpu_post(struct pcpu *c, uint32_t bits)
{
	c->work |= bits;
}

struct domain *domain_next_get(domid_t id)
{
	(void)id;
	return NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

void domain_pause(struct domain *d)
{
	(void)d;
}

void domain_unpause(struct domain *d)
{
	(void)d;
}

bool domain_is_descheduled(const struct domain *d)
{
	(void)d;
	return true;
}

void vcpu_runstate_publish(struct vcpu *v)
{
	(void)v;
}

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	(void)e;
	(void)a;
	(void)b;
	(void)c;
}

/* ---- simulated CPUs ------------------------------------------------------ */

static void start(uint16_t nr)
{
	for (uint16_t i = 0; i < nr; i++) {
		fake_this_pcpu = percpu_init(i, i, 0);
		timer_init_cpu();
	}
	cr_assert_eq(cpupool_create(0, sched_policy_by_name(""), &dom.pool), 0);
	for (uint16_t i = 0; i < nr; i++) {
		fake_this_pcpu = pcpus[i];
		cr_assert_eq(sched_init_cpu(), 0);
	}
	fake_this_pcpu = pcpus[0];
}

static struct vcpu *add(uint32_t weight)
{
	struct sched_params p = { .weight = weight };
	struct vcpu *v = calloc(1, sizeof(*v));
	uint32_t i = 0;

	while (vcpu[i]) {
		i++;
	}
	v->id = i;
	v->domain = &dom;
	v->loaded_on = CPU_NONE;
	v->hard_affinity = UINT64_MAX;
	v->soft_affinity = UINT64_MAX;
	vcpu_cpus_set(v, dom.pool->cpus);
	v->runstate = RUNSTATE_blocked;
	v->state = VCPU_BLOCKED;
	cr_assert_eq(sched_vcpu_init(v), 0);
	cr_assert_eq(sched_set_params(v, &p), 0);
	vcpu[i] = v;
	return v;
}

static void wake(struct vcpu *v)
{
	v->state = VCPU_RUNNABLE;
	sched_place_unlock(sched_lock_vcpu(v), v, fake_time_ns);
}

/* Work points of all CPUs, until none has work. */
static void settle(void)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		struct pcpu *c = pcpus[i];

		fake_this_pcpu = c;
		timer_run_due();
		if (c->work) {
			c->work = 0;
			(void)sched_run(c);
			cr_assert(!c->work || nr_pcpus > 1);
			i = UINT32_MAX; /* it may have told another */
		}
	}
}

/* Let @ns go by in steps of @step. */
static void run(uint64_t ns, uint64_t step)
{
	uint64_t end = fake_time_ns + ns;

	settle();
	while (fake_time_ns < end) {
		fake_time_ns += step;
		for (uint32_t i = 0; i < nr_pcpus; i++) {
			struct vcpu *v = pcpus[i]->current;

			if (v) {
				ran_ns[v->id] += step;
			} else {
				idle_ns += step;
			}
		}
		settle();
	}
}

/* A vCPU blocks by what it does: once it runs. */
static void sleep_now(struct vcpu *v)
{
	while (pcpus[v->cpu]->current != v) {
		run(MS / 4, MS / 4);
	}
	v->state = VCPU_BLOCKED;
	pcpus[v->cpu]->work |= PWORK_RESCHED;
}

static void check_share(uint32_t i, uint64_t want)
{
	cr_assert_gt(ran_ns[i], want - want / 100, "v%u: %lu of %lu", i,
		     ran_ns[i], want);
	cr_assert_lt(ran_ns[i], want + want / 100, "v%u: %lu of %lu", i,
		     ran_ns[i], want);
}

/* ---- tests --------------------------------------------------------------- */

Test(sched_credit2, shares_follow_weights)
{
	start(1);
	for (uint32_t w = 128; w <= 512; w *= 2) {
		wake(add(w));
	}
	run(7000 * MS, MS / 4);
	check_share(0, 1000 * MS);
	check_share(1, 2000 * MS);
	check_share(2, 4000 * MS);
	cr_assert_eq(idle_ns, 0);
	/* Run states say the same. */
	cr_assert_leq(llabs((long long)(sched_vcpu_cpu_time_ns(vcpu[2]) -
					ran_ns[2])), (long long)MS);
}

Test(sched_credit2, many_equal_ones)
{
	start(1);
	for (uint32_t i = 0; i < NR; i++) { /* the heap grows */
		wake(add(SCHED_WEIGHT_DEFAULT));
	}
	cr_assert_eq(sched_nr_queued(pcpus[0]), NR);
	run(NR * 1200 * MS, MS / 2);
	for (uint32_t i = 0; i < NR; i++) {
		check_share(i, 1200 * MS);
	}
}

Test(sched_credit2, idle_and_alone)
{
	struct vcpu *v;

	start(1);
	pcpus[0]->work = PWORK_RESCHED;
	run(10 * MS, MS);
	cr_assert_null(pcpus[0]->current);
	cr_assert(pcpus[0]->idle);
	cr_assert_eq(idle_ns, 10 * MS);
	v = add(1);
	wake(v);
	cr_assert(pcpus[0]->work & PWORK_RESCHED);
	run(50 * MS, MS);
	cr_assert_eq(ran_ns[0], 50 * MS);
	cr_assert(!pcpus[0]->idle);
	cr_assert_eq(pcpus[0]->slice_timer.cpu, CPU_NONE); /* no ticks */
	sleep_now(v);
	run(10 * MS, MS);
	cr_assert_eq(idle_ns, 20 * MS);
	cr_assert_eq(pcpus[0]->loaded, v); /* lazily */
	sched_vcpu_fini(v);
	free(v);
}

Test(sched_credit2, yield_gives_way)
{
	struct pcpu *c;
	struct vcpu *first;

	start(1);
	c = pcpus[0];
	wake(add(256));
	run(MS, MS);
	cr_assert(!sched_yield_to_others(c, c->current));
	wake(add(256));
	settle();
	first = c->current;
	cr_assert(sched_yield_to_others(c, first));
	cr_assert_eq(sched_run(c), vcpu[!first->id]);
	cr_assert_eq(first->state, VCPU_RUNNABLE);
	cr_assert(first->queued);
}

Test(sched_credit2, a_sleeper_saves_up_little)
{
	start(1);
	wake(add(256));
	wake(add(256));
	run(100 * MS, MS / 4);
	sleep_now(vcpu[1]);
	run(5000 * MS, MS);
	ran_ns[0] = ran_ns[1] = 0;
	wake(vcpu[1]);
	run(40 * MS, MS / 4);
	/* Half, and at most the bonus and a slice more. */
	cr_assert_geq(ran_ns[1], 14 * MS);
	cr_assert_leq(ran_ns[1], 30 * MS);
	cr_assert_geq(ran_ns[0], 10 * MS);
}

/* 5 s alone take nothing from it later: nobody else wanted that time. */
static void alone_then_beside_another(uint16_t nr_cpus)
{
	struct vcpu *v[3];

	start(nr_cpus);
	for (uint32_t i = 0; i <= nr_cpus; i++) {
		v[i] = add(256);
	}
	wake(v[0]);
	settle();
	fake_time_ns += 5000 * MS; /* nobody looks meanwhile */
	sleep_now(v[0]);
	settle();
	for (uint32_t i = 1; i <= nr_cpus; i++) {
		wake(v[i]);
	}
	run(10 * MS, MS / 4);
	ran_ns[0] = 0;
	wake(v[0]);
	run(40 * MS, MS / 4);
	cr_assert_geq(ran_ns[0], 14 * MS, "%lu", ran_ns[0]);
}

Test(sched_credit2, who_ran_alone_and_slept_comes_back_at_once)
{
	alone_then_beside_another(1);
}

Test(sched_credit2, who_ran_alone_comes_back_on_another_cpu)
{
	alone_then_beside_another(2);
}

Test(sched_credit2, the_rate_limit_comes_before_a_sleeper)
{
	struct vcpu *v;
	uint64_t got_ns;

	start(1);
	v = add(256);
	wake(v);
	wake(add(256));
	run(100 * MS, MS / 4);
	sleep_now(v);
	run(50 * MS, MS / 4);
	sleep_now(vcpu[1]);
	settle();
	wake(vcpu[1]); /* it gets the CPU now */
	settle();
	got_ns = fake_time_ns;
	run(MS / 4, MS / 4);
	wake(v); /* far ahead of it */
	settle();
	cr_assert_eq(pcpus[0]->current, vcpu[1]);
	cr_assert_eq(pcpus[0]->slice_timer.deadline_ns,
		     got_ns + sched_ratelimit_us(dom.pool) * UINT64_C(1000));
	run(MS / 2, MS / 4);
	cr_assert_eq(pcpus[0]->current, vcpu[1]);
	run(MS / 4, MS / 4);
	cr_assert_eq(pcpus[0]->current, v);
	/* Whoever has run that long already makes way at once. */
	sleep_now(v);
	run(2 * MS, MS / 4);
	wake(v);
	settle();
	cr_assert_eq(pcpus[0]->current, v);
}

Test(sched_credit2, a_rate_limit_longer_than_a_slice)
{
	start(1);
	cr_assert_eq(sched_set_ratelimit_us(dom.pool, 10000), 0);
	cr_assert_eq(sched_set_ratelimit_us(dom.pool, 1), -EINVAL);
	wake(add(256));
	wake(add(256));
	run(9 * MS, MS / 4);
	cr_assert_eq(ran_ns[pcpus[0]->current->id], 9 * MS);
	run(9 * MS, MS / 4);
	cr_assert_eq(ran_ns[pcpus[0]->current->id], 8 * MS);
	run(982 * MS, MS / 4);
	check_share(0, 500 * MS);
	cr_assert_eq(sched_set_ratelimit_us(dom.pool, 0), 0);
	cr_assert_eq(sched_ratelimit_us(dom.pool), 0);
}

Test(sched_credit2, no_cpu_idles_while_one_waits)
{
	start(4);
	for (uint32_t i = 0; i < 4; i++) {
		wake(add(256)); /* all at home on CPU 0 */
	}
	run(100 * MS, MS);
	cr_assert_leq(idle_ns, 3 * MS);
	for (uint32_t i = 0; i < 4; i++) {
		cr_assert_geq(ran_ns[i], 97 * MS);
	}
}

/* Three on one CPU, one on the other, none ever sleeps: two on each. */
Test(sched_credit2, busy_ones_spread_over_the_cpus)
{
	uint32_t asleep = 0;

	start(2);
	for (uint32_t i = 0; i < 6; i++) {
		wake(add(256));
		settle();
	}
	run(20 * MS, MS / 4);
	for (uint32_t i = 0; i < 6 && asleep < 2; i++) {
		if (vcpu[i]->cpu == 1) {
			sleep_now(vcpu[i]);
			asleep++;
		}
	}
	run(20 * MS, MS / 4);
	memset(ran_ns, 0, sizeof(ran_ns));
	run(4000 * MS, MS / 4);
	for (uint32_t i = 0; i < 6; i++) {
		if (vcpu[i]->state != VCPU_BLOCKED) {
			check_share(i, 2000 * MS);
		}
	}
}

Test(sched_credit2, weights_have_limits)
{
	struct sched_params p = { .weight = 0 };

	start(1);
	add(7);
	cr_assert_eq(sched_set_params(vcpu[0], &p), -EINVAL);
	p.weight = SCHED_WEIGHT_MAX + 1;
	cr_assert_eq(sched_set_params(vcpu[0], &p), -EINVAL);
	sched_get_params(vcpu[0], &p);
	cr_assert_eq(p.weight, 7);
	cr_assert_null(sched_policy_by_name("other"));
	cr_assert_eq(sched_policy_by_name("credit2"), &sched_credit2);
}

/* ---- more than one CPU, and one vCPU too many ---------------------------- */

/* Busy ones on @nr_cpus, of these weights: each its share, to 3 %. */
static void shares_over_cpus(uint16_t nr_cpus, const uint32_t *weights,
			     uint32_t nr, const uint32_t *want_percent)
{
	start(nr_cpus);
	for (uint32_t i = 0; i < nr; i++) {
		wake(add(weights[i]));
	}
	run(1000 * MS, MS / 4);
	for (uint32_t i = 0; i < nr; i++) {
		ran_ns[i] = 0;
	}
	run(10000 * MS, MS / 4);
	for (uint32_t i = 0; i < nr; i++) {
		cr_expect_lt(llabs((long long)(ran_ns[i] / (100 * MS)) -
				   want_percent[i]), 4, "v%u: %lu %%, not %u",
			     i, ran_ns[i] / (100 * MS), want_percent[i]);
	}
	cr_assert_eq(idle_ns, 0);
}

Test(sched_credit2, three_equal_ones_on_two_cpus)
{
	shares_over_cpus(2, (const uint32_t[]){ 256, 256, 256 }, 3,
			 (const uint32_t[]){ 67, 67, 67 });
}

Test(sched_credit2, five_equal_ones_on_four_cpus)
{
	shares_over_cpus(4, (const uint32_t[]){ 256, 256, 256, 256, 256 }, 5,
			 (const uint32_t[]){ 80, 80, 80, 80, 80 });
}

Test(sched_credit2, five_equal_ones_on_two_cpus)
{
	shares_over_cpus(2, (const uint32_t[]){ 256, 256, 256, 256, 256 }, 5,
			 (const uint32_t[]){ 40, 40, 40, 40, 40 });
}

Test(sched_credit2, the_heavy_one_has_a_cpu_of_two)
{
	shares_over_cpus(2, (const uint32_t[]){ 256, 256, 512 }, 3,
			 (const uint32_t[]){ 50, 50, 100 });
	cr_assert_eq(nr_pcpus, 2);
}

Test(sched_credit2, the_heavy_one_came_first)
{
	shares_over_cpus(2, (const uint32_t[]){ 512, 256, 256 }, 3,
			 (const uint32_t[]){ 100, 50, 50 });
}

/* Percent of a CPU for each: by weight, and nobody more than a whole one. */
static void ideal_shares(uint16_t nr_cpus, const uint32_t *weights,
			 uint32_t nr, uint32_t *percent)
{
	uint32_t left = 100u * nr_cpus;
	uint32_t sum = 0;
	bool again = true;

	for (uint32_t i = 0; i < nr; i++) {
		percent[i] = 0;
		sum += weights[i];
	}
	while (again) {
		again = false;
		for (uint32_t i = 0; i < nr; i++) {
			if (!percent[i] && weights[i] * left > 100 * sum) {
				percent[i] = 100;
				left -= 100;
				sum -= weights[i];
				again = true;
			}
		}
	}
	for (uint32_t i = 0; i < nr; i++) {
		percent[i] = percent[i] ? 100 : weights[i] * left / sum;
	}
}

ParameterizedTestParameters(sched_credit2, busy_ones_of_any_weights)
{
	static uint64_t dice[100];

	for (uint64_t i = 0; i < ARRAY_SIZE(dice); i++) {
		dice[i] = (i + 7) * UINT64_C(6364136223846793005);
		dice[i] ^= dice[i] >> 29;
	}
	return cr_make_param_array(uint64_t, dice, ARRAY_SIZE(dice));
}

ParameterizedTest(uint64_t *dice, sched_credit2, busy_ones_of_any_weights)
{
	uint16_t nr_cpus = (uint16_t)(2 + (*dice >> 33) % 3);
	uint32_t nr = nr_cpus + 1u + (uint32_t)(*dice >> 40) % (8u - nr_cpus);
	uint32_t weights[8];
	uint32_t percent[8];

	for (uint32_t i = 0; i < nr; i++) {
		weights[i] = 128u << (*dice >> (44 + 2 * i) & 3) % 3;
	}
	ideal_shares(nr_cpus, weights, nr, percent);
	shares_over_cpus(nr_cpus, weights, nr, percent);
}
