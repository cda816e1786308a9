/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/timer.c core/percpu.c core/lock.c debug/lock_check.c
// LINK: arch/fake/cpu.c arch/fake/last_words.c
// LIBS: -Wl,--wrap=arch_cpu_relax
#include <criterion/criterion.h>

#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/timer.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define NR 40
#define NEVER UINT64_MAX

void timer_expired(void);

struct options options; /* no slop but where a test sets one */

static struct timer t[NR];
static unsigned int ran[2 * NR]; /* indices, in the order they ran */
static unsigned int nr_ran;
static bool again;               /* the callback arms its timer anew */
static bool stop_next;           /* the callback cancels the next one */
static bool saw_running;

static void on_cpu(uint16_t cpu)
{
	fake_this_pcpu = pcpus[cpu];
}

static void note(void *arg)
{
	struct timer *me = arg;
	unsigned int i = (unsigned int)(me - t);

	cr_assert_lt(nr_ran, 2 * NR);
	ran[nr_ran++] = i;
	saw_running = timer_is_running(me);
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(me->cpu, CPU_NONE); /* it may be armed again */
	if (again) {
		timer_set(me, fake_time_ns + 100);
	}
	if (stop_next) {
		timer_cancel(me + 1);
	}
}

static void setup(void)
{
	for (uint16_t cpu = 2; cpu-- > 0;) {
		percpu_init(cpu, cpu, 0);
		on_cpu(cpu);
		timer_init_cpu();
	}
	for (unsigned int i = 0; i < NR; i++) {
		timer_init(&t[i], note, &t[i]);
	}
}

TestSuite(timer, .init = setup);

static void run_at(uint64_t now)
{
	fake_time_ns = now;
	timer_run_due();
}

Test(timer, they_run_by_deadline)
{
	static const uint64_t when[] = { 50, 20, 40, 10, 30 };

	cr_assert_eq(fake_timer_deadline_ns, NEVER);
	for (unsigned int i = 0; i < 5; i++) {
		timer_set(&t[i], when[i]);
	}
	cr_assert_eq(fake_timer_deadline_ns, 10);
	run_at(9);
	cr_assert_eq(nr_ran, 0);
	cr_assert_eq(fake_timer_deadline_ns, 10);
	run_at(30); /* a deadline that is now is due */
	cr_assert_eq(nr_ran, 3);
	cr_assert_eq(ran[0], 3);
	cr_assert_eq(ran[1], 1);
	cr_assert_eq(ran[2], 4);
	cr_assert_eq(fake_timer_deadline_ns, 40);
	fake_time_ns = 1000;
	timer_expired();
	cr_assert_eq(ran[3], 2);
	cr_assert_eq(ran[4], 0);
	cr_assert_eq(fake_timer_deadline_ns, NEVER);
	run_at(NEVER - 1);
	cr_assert_eq(nr_ran, 5);
}

Test(timer, equal_deadlines_run_as_they_were_armed)
{
	for (unsigned int i = 0; i < 10; i++) {
		timer_set(&t[9 - i], 77);
	}
	run_at(77);
	cr_assert_eq(nr_ran, 10);
	for (unsigned int i = 0; i < 10; i++) {
		cr_assert_eq(ran[i], 9 - i);
	}
}

Test(timer, cancel)
{
	timer_cancel(&t[0]); /* not armed: nothing */
	timer_set(&t[0], 10);
	timer_set(&t[1], 20);
	timer_set(&t[2], 30);
	timer_cancel(&t[0]);
	timer_cancel(&t[1]);
	timer_cancel(&t[1]);
	cr_assert_eq(t[0].cpu, CPU_NONE);
	/* The comparator stays early and is set anew when it fires. */
	cr_assert_eq(fake_timer_deadline_ns, 10);
	run_at(10);
	cr_assert_eq(nr_ran, 0);
	cr_assert_eq(fake_timer_deadline_ns, 30);
	run_at(30);
	cr_assert_eq(nr_ran, 1);
	cr_assert_eq(ran[0], 2);
}

Test(timer, arming_again_moves_it)
{
	timer_set(&t[0], 10);
	timer_set(&t[1], 20);
	timer_set(&t[0], 30);
	run_at(25);
	cr_assert_eq(nr_ran, 1);
	cr_assert_eq(ran[0], 1);
	cr_assert_eq(fake_timer_deadline_ns, 30);
	timer_set(&t[0], 5); /* in the past: at once */
	cr_assert_eq(fake_timer_deadline_ns, 5);
	run_at(25);
	cr_assert_eq(nr_ran, 2);
	cr_assert_eq(ran[1], 0);
}

Test(timer, a_callback_arms_its_own)
{
	again = true;
	timer_set(&t[0], 10);
	run_at(10);
	cr_assert(saw_running);
	cr_assert(!timer_is_running(&t[0]));
	cr_assert_eq(nr_ran, 1);
	cr_assert_eq(fake_timer_deadline_ns, 110);
	run_at(110);
	run_at(209);
	cr_assert_eq(nr_ran, 2);
	cr_assert_eq(fake_timer_deadline_ns, 210);
}

Test(timer, a_callback_cancels_another_that_is_due)
{
	stop_next = true;
	timer_set(&t[0], 10);
	timer_set(&t[1], 10);
	timer_set(&t[2], 10);
	run_at(10);
	cr_assert_eq(nr_ran, 2);
	cr_assert_eq(ran[0], 0);
	cr_assert_eq(ran[1], 2);
}

Test(timer, one_expiry_runs_one_batch)
{
	for (unsigned int i = 0; i < NR; i++) {
		timer_set(&t[i], 100 + i);
	}
	run_at(1000);
	cr_assert_eq(nr_ran, TIMER_BATCH);
	/* The rest fires at once. */
	cr_assert_eq(fake_timer_deadline_ns, 100 + TIMER_BATCH);
	run_at(1000);
	cr_assert_eq(nr_ran, 2 * TIMER_BATCH);
	run_at(1000);
	cr_assert_eq(nr_ran, NR);
	cr_assert_eq(fake_timer_deadline_ns, NEVER);
	for (unsigned int i = 0; i < NR; i++) {
		cr_assert_eq(ran[i], i);
	}
}

Test(timer, a_timer_that_is_always_due_ends_with_the_batch)
{
	again = true;
	timer_set(&t[0], 10);
	fake_time_ns = UINT64_MAX - 50; /* now + 100 is 49: past */
	timer_run_due();
	cr_assert_eq(nr_ran, TIMER_BATCH);
	cr_assert_eq(fake_timer_deadline_ns, 49);
}

Test(timer, each_cpu_has_its_own)
{
	timer_set(&t[0], 10);
	on_cpu(1);
	cr_assert_eq(pcpus[1]->timer_deadline_ns, NEVER);
	timer_set(&t[1], 20);
	cr_assert_eq(t[0].cpu, 0);
	cr_assert_eq(t[1].cpu, 1);
	run_at(50);
	cr_assert_eq(nr_ran, 1);
	cr_assert_eq(ran[0], 1);
	timer_set(&t[0], 60); /* comes here from the other CPU */
	cr_assert_eq(t[0].cpu, 1);
	on_cpu(0);
	run_at(70);
	cr_assert_eq(nr_ran, 1);
	cr_assert_eq(pcpus[0]->timer_deadline_ns, NEVER);
	timer_cancel(&t[0]); /* from afar */
	on_cpu(1);
	run_at(70);
	cr_assert_eq(nr_ran, 1);
}

/* ---- timer_slop ---------------------------------------------------------- */

Test(timer, deadlines_within_the_slop_share_an_interrupt)
{
	this_pcpu()->timer_slop_ns = 50;
	timer_set(&t[0], 100);
	cr_assert_eq(fake_timer_deadline_ns, 100); /* alone: not a bit later */
	timer_set(&t[1], 130);
	cr_assert_eq(fake_timer_deadline_ns, 130);
	timer_set(&t[2], 150);
	cr_assert_eq(fake_timer_deadline_ns, 150);
	timer_set(&t[3], 151); /* too far from the first */
	cr_assert_eq(fake_timer_deadline_ns, 150);
	timer_set(&t[4], 120);
	cr_assert_eq(fake_timer_deadline_ns, 150);
	run_at(150);
	cr_assert_eq(nr_ran, 4);
	cr_assert_eq(ran[0], 0);
	cr_assert_eq(ran[3], 2);
	cr_assert_eq(fake_timer_deadline_ns, 151);
	run_at(151);
	cr_assert_eq(nr_ran, 5);
	cr_assert_eq(fake_timer_deadline_ns, NEVER);
}

Test(timer, a_new_first_one_ends_the_group_sooner)
{
	this_pcpu()->timer_slop_ns = 50;
	timer_set(&t[0], 100);
	timer_set(&t[1], 150);
	cr_assert_eq(fake_timer_deadline_ns, 150);
	timer_set(&t[2], 90);
	cr_assert_eq(fake_timer_deadline_ns, 100);
	timer_set(&t[3], 10);
	cr_assert_eq(fake_timer_deadline_ns, 10);
}

Test(timer, nobody_waits_for_a_cancelled_one)
{
	this_pcpu()->timer_slop_ns = 50;
	timer_set(&t[0], 100);
	timer_cancel(&t[0]);
	timer_set(&t[1], 80);
	cr_assert_eq(fake_timer_deadline_ns, 80);
}

/* Random deadlines: no callback early, none later than the slop. */
Test(timer, never_early_never_later_than_the_slop)
{
	uint64_t seed = 1, interrupts = 0;

	this_pcpu()->timer_slop_ns = 1000;
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned int i = round % NR;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (t[i].cpu == CPU_NONE) {
			timer_set(&t[i], fake_time_ns + 1 +
						 (seed >> 40) % 20000);
		}
		if (round % 3 == 0 && fake_timer_deadline_ns != NEVER) {
			unsigned int before = nr_ran = 0;

			fake_time_ns = fake_timer_deadline_ns;
			timer_run_due();
			interrupts++;
			for (unsigned int k = before; k < nr_ran; k++) {
				uint64_t at = t[ran[k]].deadline_ns;

				cr_assert_leq(at, fake_time_ns);
				cr_assert_leq(fake_time_ns - at, 1000);
			}
		}
	}
	cr_assert_gt(interrupts, 100);
}

static unsigned int nr_waits;

void __wrap_arch_cpu_relax(void);
void __wrap_arch_cpu_relax(void)
{
	if (++nr_waits == 3) {
		pcpus[1]->timer_running = NULL; /* the callback is over */
	}
}

Test(timer, cancel_waits_for_a_callback_elsewhere)
{
	on_cpu(0);
	timer_set(&t[1], 100);
	pcpus[1]->timer_running = &t[0];
	timer_cancel_wait(&t[1]);
	cr_assert_eq(nr_waits, 0); /* another one's */
	cr_assert_eq(t[1].cpu, CPU_NONE);
	timer_cancel_wait(&t[0]);
	cr_assert_eq(nr_waits, 3);
}

/* What stays is the CPU's own; each lock of the two is let go again. */
Test(timer, another_cpu_takes_them)
{
	on_cpu(1);
	for (unsigned int i = 0; i < NR; i++) {
		timer_set(&t[i], 1000 - i);
	}
	t[7].stays = true;
	on_cpu(0);
	timer_set(&t[3], 5000); /* here already */
	fake_timer_deadline_ns = 0;
	cr_assert_eq(timer_take_from(pcpus[1]), -EAGAIN);
	cr_assert_eq(timer_take_from(pcpus[1]), -EAGAIN);
	cr_assert(timer_has_others(pcpus[1]));
	cr_assert_eq(timer_take_from(pcpus[1]), 0);
	cr_assert_eq(timer_take_from(pcpus[1]), 0);
	cr_assert_not(timer_has_others(pcpus[1]));
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	for (unsigned int i = 0; i < NR; i++) {
		cr_assert_eq(t[i].cpu, i == 7 ? 1 : 0);
		cr_assert_eq(t[i].deadline_ns, i == 3 ? 5000 : 1000 - i);
	}
	cr_assert_eq(fake_timer_deadline_ns, 1000 - (NR - 1));
	timer_cancel(&t[NR - 1]); /* found where it is now */
	cr_assert_eq(t[NR - 1].cpu, CPU_NONE);
}
