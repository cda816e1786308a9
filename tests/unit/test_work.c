/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <lib/bits.h>
#include "fake_cpus.h"

#define ALL_VWORK (VWORK_UPCALL | VWORK_VIRQ | VWORK_VTIMER)

static struct vcpu *v;

/* v runs on CPU 0; CPU 1 sleeps. */
static void setup(void)
{
	cpus_start(2, "credit2");
	v = cpus_vcpu(0);
	vcpu_cpus_set(v, BIT64(0));
	vcpu_online(v);
	cpus_settle();
	cpus_ipis[0][IPI_KICK] = cpus_ipis[1][IPI_KICK] = 0;
}

TestSuite(work, .init = setup);

/* ---- posting ------------------------------------------------------------- */

Test(work, a_post_kicks_once_and_only_who_runs_elsewhere)
{
	static const struct {
		uint8_t state;
		uint16_t poster;
		uint32_t old, bits, kicks;
	} rows[] = {
		{VCPU_RUNNING, 1, 0, VWORK_VIRQ, 1},
		{VCPU_RUNNING, 1, VWORK_VIRQ, VWORK_VIRQ, 0},
		{VCPU_RUNNING, 1, VWORK_VIRQ, VWORK_UPCALL, 1},
		{VCPU_RUNNING, 1, VWORK_VIRQ, ALL_VWORK, 1},
		{VCPU_RUNNING, 0, 0, VWORK_VIRQ, 0},
		{VCPU_RUNNABLE, 1, 0, VWORK_VIRQ, 0},
		{VCPU_OFFLINE, 1, 0, VWORK_VIRQ, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cpus_ipis[0][IPI_KICK] = 0;
		v->state = rows[i].state;
		v->work = rows[i].old;
		on_cpu(rows[i].poster);
		vcpu_post(v, rows[i].bits);
		cr_assert_eq(v->work, rows[i].old | rows[i].bits);
		cr_assert_eq(v->state, rows[i].state);
		cr_assert_eq(cpus_ipis[0][IPI_KICK], rows[i].kicks, "row %zu",
			     i);
	}
	cr_assert_eq(cpus_ipis[1][IPI_KICK], 0);
}

/* Who set the bit may have seen it run, and it blocked after that. */
Test(work, a_bit_that_was_set_still_wakes)
{
	cpus_block(v);
	cpus_settle();
	v->work = VWORK_VIRQ;
	vcpu_post(v, VWORK_VIRQ);
	cr_assert_eq(v->state, VCPU_RUNNABLE);
}

Test(work, a_cpu_is_kicked_for_new_bits)
{
	pcpu_post(pcpus[1], PWORK_KEY);
	pcpu_post(pcpus[1], PWORK_KEY);
	cr_assert_eq(cpus_ipis[1][IPI_KICK], 1);
	pcpu_post(pcpus[1], PWORK_KEY | PWORK_DOMAIN);
	cr_assert_eq(cpus_ipis[1][IPI_KICK], 2);
	pcpu_post(pcpus[0], PWORK_KEY);
	pcpu_post_self(PWORK_DOMAIN);
	cr_assert_eq(cpus_ipis[0][IPI_KICK], 0);
	cr_assert_eq(pcpus[0]->work, PWORK_KEY | PWORK_DOMAIN);
}

/* ---- emptying ------------------------------------------------------------ */

static uint32_t calls;

static void count_call(void *arg)
{
	calls += *(uint32_t *)arg;
}

Test(work, each_bit_has_its_work)
{
	uint32_t one = 1;

	cr_assert_eq(ipi_post_call(0, count_call, &one), 0);
	pcpu_post_self(PWORK_KEY | PWORK_DOMAIN | PWORK_AUDIT |
		       PWORK_RESCHED);
	vcpu_post(v, ALL_VWORK);
	cpus_step(0);
	cr_assert_eq(calls, 1);
	cr_assert_eq(cpus_seen.keys, 1);
	cr_assert_eq(cpus_seen.polls, 1);
	cr_assert_eq(cpus_seen.audits, 1);
	cr_assert_eq(cpus_seen.flushes, 1);
	cr_assert_eq(cpus_seen.upcalls, 1);
	cr_assert_eq(cpus_seen.vtimers, 1);
	cr_assert(v->arch.upcall_level);
	cr_assert_eq(v->work | pcpus[0]->work, 0);
	cpus_step(0); /* and only once */
	cr_assert_eq(cpus_seen.keys + cpus_seen.polls + cpus_seen.flushes, 3);
}

static uint32_t reposts;

/* CPU 1 posts all of it while CPU 0 is emptying. */
static void post_again(struct vcpu *t)
{
	on_cpu(1);
	vcpu_post(t, ALL_VWORK);
	pcpu_post(pcpus[0], PWORK_KEY);
	on_cpu(0);
	cpus_ipis[0][IPI_KICK] = 0; /* taken, CPU 0 is at EL2 */
	if (--reposts) {
		cpus_in_flush = post_again;
	}
}

Test(work, what_is_posted_while_emptying_is_done_before_entry)
{
	reposts = 3;
	cpus_in_flush = post_again;
	vcpu_post(v, VWORK_VIRQ);
	cpus_step(0);
	cr_assert_eq(cpus_seen.flushes, 4);
	cr_assert_eq(cpus_seen.vtimers, 3);
	cr_assert_eq(cpus_seen.keys, 3);
	cr_assert_eq(v->work | pcpus[0]->work, 0);
}

Test(work, a_flood_of_posts_does_not_hold_the_cpu)
{
	reposts = 1000;
	cpus_in_flush = post_again;
	vcpu_post(v, VWORK_VIRQ);
	cpus_step(0);
	cr_assert_eq(cpus_seen.flushes, 16);
	cr_assert_neq(v->work, 0); /* left, and the CPU comes back for it: */
	cr_assert_eq(cpus_ipis[0][IPI_KICK], 1);
}

/* What is left to do of a vCPU that left is done where it runs next. */
Test(work, bits_of_one_that_waits_stay)
{
	struct vcpu *other = cpus_vcpu(0);

	vcpu_cpus_set(other, BIT64(0));
	vcpu_online(other);
	vcpu_pause(v);
	cpus_settle();
	cr_assert_eq(pcpus[0]->current, other);
	on_cpu(1);
	vcpu_post(v, VWORK_VIRQ);
	cpus_settle();
	cr_assert_eq(v->work, VWORK_VIRQ);
	cr_assert_eq(cpus_seen.flushes, 0);
	vcpu_unpause(v);
	cpus_run(20 * MS);
	cr_assert_eq(v->work, 0);
	cr_assert_eq(cpus_seen.flushes, 1);
}

Test(work, a_cpu_that_stops_is_gone)
{
	pcpu_post(pcpus[1], PWORK_STOP);
	cpus_step(1);
	cr_assert_eq(cpus_halted[1], 1);
	cr_assert_not(pcpus[1]->online);
	cr_assert_eq(cpus_online, BIT64(0));
	cr_assert_eq(cpus_halted[0], 0);
}

/* ---- generations --------------------------------------------------------- */

Test(work, every_other_cpu_passes_a_work_point)
{
	uint32_t gen[NR_CPUS];

	on_cpu(0);
	work_gen_snapshot(gen);
	cr_assert_not(work_gen_passed(gen));
	cr_assert_neq(pcpus[0]->work, 0); /* another may go on with it */
	on_cpu(1);
	cr_assert_not(work_gen_passed(gen));
	on_cpu(0);
	cpus_step(0);
	cr_assert_not(work_gen_passed(gen));
	cpus_step(1); /* it slept, and was told */
	cr_assert(work_gen_passed(gen));
	work_gen_snapshot(gen);
	cr_assert_not(work_gen_passed(gen));
	pcpus[1]->online = false;
	cr_assert(work_gen_passed(gen));
}

/* ---- idle time ----------------------------------------------------------- */

Test(work, idle_time_is_what_no_vcpu_had)
{
	uint64_t busy, idle;
	struct vcpu *other;

	cpus_run(1 * MS); /* time 0 is none at which a machine runs */
	cpus_block(v);
	cpus_run(1 * MS);
	vcpu_wake(v);
	cpus_settle();
	busy = sched_idle_ns(pcpus[0]);
	idle = sched_idle_ns(pcpus[1]);
	cr_assert_eq(busy, 1 * MS);
	cpus_run(5 * MS); /* v on CPU 0; CPU 1 sleeps and is not woken */
	cr_assert_eq(sched_idle_ns(pcpus[0]), busy);
	cr_assert_eq(sched_idle_ns(pcpus[1]), idle + 5 * MS);
	cpus_block(v);
	cpus_run(3 * MS);
	vcpu_wake(v);
	cpus_run(2 * MS);
	cr_assert_eq(sched_idle_ns(pcpus[0]), busy + 3 * MS);
	other = cpus_vcpu(1);
	vcpu_cpus_set(other, BIT64(1));
	vcpu_online(other);
	cpus_run(4 * MS);
	cr_assert_eq(sched_idle_ns(pcpus[1]), idle + 10 * MS);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(1)), 0);
	cpus_run(4 * MS); /* they share CPU 1 */
	cr_assert_eq(sched_idle_ns(pcpus[1]), idle + 10 * MS);
	cr_assert_eq(sched_idle_ns(pcpus[0]), busy + 7 * MS);
}
