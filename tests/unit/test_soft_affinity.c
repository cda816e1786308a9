/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

static struct vcpu *v[6];

static void start(uint16_t cpus, const char *policy, uint32_t vcpus)
{
	cpus_start(cpus, policy);
	for (uint32_t i = 0; i < vcpus; i++) {
		v[i] = cpus_vcpu(0);
	}
}

static void run_at(const struct vcpu *t, uint16_t cpu)
{
	cr_assert_eq(pcpus[cpu]->current, t, "v%u: is on %u", t->id, t->cpu);
}

static const char *const both[] = {"credit2", "null"};

ParameterizedTestParameters(soft_affinity, wakes_where_it_likes)
{
	static int nr[] = {0, 1};

	return cr_make_param_array(int, nr, 2);
}

ParameterizedTest(int *nr, soft_affinity, wakes_where_it_likes)
{
	start(4, both[*nr], 2);
	vcpu_set_soft_affinity(v[0], BIT64(2));
	vcpu_online(v[0]);
	vcpu_online(v[1]);
	cpus_run(10 * MS);
	run_at(v[0], 2);
	cpus_block(v[0]);
	cpus_run(10 * MS);
	cr_assert_eq(v[0]->loaded_on, 2, "its registers wait there");
	vcpu_set_soft_affinity(v[0], BIT64(1) | BIT64(3));
	cpus_run(10 * MS);
	cr_assert_eq(v[0]->loaded_on, CPU_NONE, "and not where it has no wish");
	vcpu_wake(v[0]);
	cpus_run(10 * MS);
	run_at(v[0], 1);
}

/* Somebody is there: elsewhere, and back when there is nobody any more. */
Test(soft_affinity, goes_over_while_it_runs)
{
	start(2, "credit2", 2);
	cr_assert_eq(vcpu_set_hard_affinity(v[1], BIT64(1)), 0);
	vcpu_set_soft_affinity(v[0], BIT64(1));
	vcpu_online(v[1]);
	cpus_run(10 * MS);
	vcpu_online(v[0]);
	cpus_run(10 * MS);
	run_at(v[1], 1);
	run_at(v[0], 0);
	cpus_block(v[1]);
	cpus_run(10 * MS);
	run_at(v[0], 1);
	cr_assert_null(pcpus[0]->current);
	cr_assert_eq(pcpus[0]->own, BIT64(0));
}

/* It runs on, alone, when a wish is said: there it goes at once. */
Test(soft_affinity, a_new_wish_of_one_that_runs)
{
	start(4, "credit2", 1);
	vcpu_online(v[0]);
	cpus_run(10 * MS);
	run_at(v[0], 0);
	vcpu_set_soft_affinity(v[0], BIT64(3));
	cpus_run(MS);
	run_at(v[0], 3);
	vcpu_set_soft_affinity(v[0], UINT64_MAX);
	cpus_run(MS);
	run_at(v[0], 3);
	cr_assert_eq(v[0]->runstate_ns[RUNSTATE_runnable], 0, "no time lost");
}

/*
 * v1 would be anywhere, v0 on one CPU only, where v1 is: v1 makes room, also
 * when nobody waits there.
 */
Test(soft_affinity, who_would_be_anywhere_makes_room)
{
	start(3, "credit2", 2);
	cr_assert_eq(vcpu_set_hard_affinity(v[1], BIT64(1)), 0);
	vcpu_online(v[1]);
	cpus_run(10 * MS);
	vcpu_set_soft_affinity(v[0], BIT64(1));
	vcpu_online(v[0]);
	cpus_run(10 * MS);
	run_at(v[0], 0);
	run_at(v[1], 1);
	cr_assert_eq(vcpu_set_hard_affinity(v[1], UINT64_MAX), 0);
	cpus_run(10 * MS);
	run_at(v[0], 1);
	cr_assert_neq(v[1]->cpu, 1);
	cr_assert_eq(v[1]->state, VCPU_RUNNING);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(pcpus[i]->own, BIT64(i));
		cr_assert_eq(pcpus[i]->keeps, BIT64(i));
	}
}

/* The same when it waits at home, as v1 runs there, and a CPU becomes idle. */
Test(soft_affinity, who_waits_at_home_is_not_taken_away)
{
	start(2, "credit2", 3);
	cr_assert_eq(vcpu_set_hard_affinity(v[2], BIT64(0)), 0);
	cr_assert_eq(vcpu_set_hard_affinity(v[1], BIT64(1)), 0);
	cr_assert_eq(vcpu_set_hard_affinity(v[0], BIT64(1)), 0);
	vcpu_set_soft_affinity(v[0], BIT64(1));
	for (uint32_t i = 0; i < 3; i++) {
		vcpu_online(v[i]);
	}
	for (uint32_t i = 0; i < 100 && pcpus[1]->current != v[1]; i++) {
		cpus_run(MS);
	}
	run_at(v[1], 1);
	/* Set as they lie, so that nothing is queued anew. */
	v[0]->hard_affinity = v[1]->hard_affinity = UINT64_MAX;
	vcpu_cpus_set(v[0], 3);
	vcpu_cpus_set(v[1], 3);
	cpus_block(v[2]);
	cpus_run(MS);
	run_at(v[0], 1);
	run_at(v[1], 0);
}

/* It never makes a CPU idle while somebody waits. */
Test(soft_affinity, gives_way_to_work)
{
	start(2, "credit2", 4);
	for (uint32_t i = 0; i < 4; i++) {
		vcpu_set_soft_affinity(v[i], BIT64(1));
		vcpu_online(v[i]);
	}
	for (uint32_t ms = 0; ms < 100; ms++) {
		cpus_run(MS);
		cr_assert(pcpus[0]->current && pcpus[1]->current);
	}
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t ns = v[i]->runstate_ns[RUNSTATE_running];

		if (v[i]->runstate == RUNSTATE_running) {
			ns += fake_time_ns - v[i]->runstate_entry_ns;
		}
		cr_assert_gt(ns, 30 * MS, "v%u: %lu", i, ns);
	}
}

/* Of those that wait the one that likes it here, even if it is not first. */
Test(soft_affinity, who_likes_it_is_taken)
{
	start(2, "credit2", 4);
	cr_assert_eq(vcpu_set_hard_affinity(v[0], BIT64(1)), 0);
	cr_assert_eq(vcpu_set_hard_affinity(v[1], BIT64(0)), 0);
	vcpu_online(v[0]);
	vcpu_online(v[1]);
	cpus_run(MS);
	vcpu_set_soft_affinity(v[2], BIT64(0));
	vcpu_set_soft_affinity(v[3], BIT64(1));
	cr_assert_eq(vcpu_set_hard_affinity(v[3], BIT64(0)), 0);
	vcpu_online(v[2]);
	vcpu_online(v[3]);
	cr_assert_eq(v[2]->cpu, 0);
	cr_assert_eq(v[3]->cpu, 0);
	/* Set as it lay, so that nothing is queued anew. */
	vcpu_cpus_set(v[3], BIT64(0) | BIT64(1));
	cpus_block(v[0]);
	cpus_step(1);
	run_at(v[3], 1);
}

/* No wish of its can be met: as if it had none. */
Test(soft_affinity, wishes_outside_of_what_it_may)
{
	start(4, "credit2", 1);
	cr_assert_eq(vcpu_set_hard_affinity(v[0], BIT64(0) | BIT64(1)), 0);
	vcpu_set_soft_affinity(v[0], BIT64(3));
	cr_assert_eq(v[0]->likes, BIT64(0) | BIT64(1));
	vcpu_online(v[0]);
	cpus_run(10 * MS);
	run_at(v[0], 0);
	cpus_block(v[0]);
	cpus_run(10 * MS);
	cr_assert_eq(v[0]->loaded_on, 0);
	cr_assert_eq(vcpu_set_hard_affinity(v[0], UINT64_MAX), 0);
	cr_assert_eq(v[0]->likes, BIT64(3));
	vcpu_wake(v[0]);
	cpus_run(10 * MS);
	run_at(v[0], 3);
}

/* A policy whose vCPUs do not move for a wish is left alone by it. */
Test(soft_affinity, null_moves_nobody_that_runs)
{
	start(2, "null", 2);
	vcpu_online(v[0]);
	vcpu_online(v[1]);
	cpus_run(MS);
	vcpu_set_soft_affinity(v[0], BIT64(1));
	cpus_block(v[1]);
	cpus_run(10 * MS);
	run_at(v[0], 0);
	vcpu_wake(v[1]);
	cpus_run(MS);
	run_at(v[1], 1);
}

/* Who runs on @c would as soon be on a CPU that sleeps. */
static bool may_make_room(uint32_t c, uint64_t idle)
{
	return pcpus[c]->current && (pcpus[c]->current->likes & idle);
}

/*
 * 10^5 random wishes, sleeps, wake-ups, pins: nobody waits while a CPU that it
 * may use sleeps; nobody runs where it would rather not while one that it likes
 * sleeps, or while who is there likes one that sleeps and it may use itself.
 */
static void check_all(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(v); i++) {
		uint64_t idle = 0;

		for (uint32_t c = 0; c < nr_pcpus; c++) {
			idle |= pcpus[c]->current ? 0 : BIT64(c);
		}
		if (v[i]->state == VCPU_RUNNABLE) {
			cr_assert_eq(v[i]->cpus & idle, 0, "v%u waits", i);
		}
		if (v[i]->state == VCPU_RUNNING) {
			cr_assert(v[i]->cpus & BIT64(v[i]->cpu));
			cr_assert((v[i]->likes & BIT64(v[i]->cpu)) ||
					  !(v[i]->likes & idle),
				  "v%u on %u", i, v[i]->cpu);
			for (uint32_t c = 0; c < nr_pcpus; c++) {
				cr_assert((v[i]->likes & BIT64(v[i]->cpu)) ||
						  !(v[i]->likes & BIT64(c)) ||
						  !may_make_room(
							  c, idle & v[i]->cpus),
					  "v%u not on %u", i, c);
			}
		}
	}
}

Test(soft_affinity, random)
{
	srand(7);
	start(4, "credit2", ARRAY_SIZE(v));
	for (uint32_t i = 0; i < ARRAY_SIZE(v); i++) {
		vcpu_online(v[i]);
	}
	for (uint32_t n = 0; n < 100000; n++) {
		struct vcpu *t = v[rand() % ARRAY_SIZE(v)];
		uint64_t cpus = 1 + (uint64_t)rand() % 15;

		on_cpu((uint32_t)rand() % 4);
		if (rand() % 4 == 0) {
			vcpu_set_soft_affinity(t, cpus);
		} else if (rand() % 4 == 0) {
			cr_assert_eq(vcpu_set_hard_affinity(t, cpus), 0);
		} else {
			cpus_wake_or_block(t);
		}
		if (rand() % 2) {
			cpus_run(MS);
			check_all();
		}
	}
}
