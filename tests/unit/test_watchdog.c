/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/watchdog.c core/timer.c core/percpu.c core/lock.c
// LINK: debug/lock_check.c arch/fake/cpu.c tests/fakes/fake_log.c
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/entry.h>
#include <hv/ipi.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/timer.h>
#include <hv/watchdog.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_log.h"

#define SECOND UINT64_C(1000000000)
#define NR 4

struct options options;

static jmp_buf end;
static bool end_is_set; /* only run() may end so */
static char last_words[128];
static int call_rc;
static uint64_t comparator[NR];

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_words, sizeof(last_words), fmt, ap);
	va_end(ap);
	if (!end_is_set) {
		abort();
	}
	longjmp(end, 1);
}

static void on_cpu(uint16_t cpu)
{
	comparator[fake_this_pcpu->id] = fake_timer_deadline_ns;
	fake_this_pcpu = pcpus[cpu];
	fake_timer_deadline_ns = comparator[cpu];
}

int ipi_post_call(uint16_t cpu, void (*fn)(void *arg), void *arg)
{
	uint16_t me = this_cpu();

	if (call_rc) {
		return call_rc;
	}
	on_cpu(cpu);
	fn(arg);
	on_cpu(me);
	return 0;
}

static void cpus(uint16_t nr)
{
	for (uint16_t cpu = 0; cpu < nr; cpu++) {
		percpu_init(cpu, cpu, 0);
		pcpus[cpu]->online = true;
		cpus_online |= UINT64_C(1) << cpu;
		comparator[cpu] = UINT64_MAX;
	}
	fake_this_pcpu = pcpus[0];
	fake_log_reset();
}

/* Let time pass for all CPUs but those in @stuck; NULL, or the last words. */
static const char *run(uint64_t seconds, uint64_t stuck)
{
	uint64_t until = fake_time_ns + seconds * SECOND;

	if (setjmp(end)) {
		end_is_set = false;
		return last_words;
	}
	end_is_set = true;
	for (; fake_time_ns < until; fake_time_ns += SECOND / 10) {
		for (uint16_t cpu = 0; cpu < nr_pcpus; cpu++) {
			on_cpu(cpu);
			if (!(stuck >> cpu & 1) &&
			    fake_timer_deadline_ns <= fake_time_ns) {
				timer_run_due();
			}
		}
	}
	end_is_set = false;
	return NULL;
}

Test(watchdog, off_is_off)
{
	cpus(2);
	cr_assert_eq(watchdog_start(0), 0);
	cr_assert_null(run(100, 2));
	cr_assert_eq(fake_log_count[LOG_INFO] + fake_log_count[LOG_WARN], 0);
}

Test(watchdog, a_lone_cpu_is_told_so)
{
	cpus(1);
	cr_assert_eq(watchdog_start(5), 0);
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
	cr_assert_null(run(100, 0));
}

static void hangs(uint16_t cpu, const char *name)
{
	uint64_t start;
	const char *said;

	cpus(NR);
	cr_assert_eq(watchdog_start(5), 0);
	cr_assert_null(run(60, 0));
	start = fake_time_ns;
	said = run(60, UINT64_C(1) << cpu);
	cr_assert_not_null(said);
	cr_assert_not_null(strstr(said, name), "%s", said);
	cr_assert_not_null(strstr(said, "for 5 s"), "%s", said);
	cr_assert_eq(this_cpu(), (cpu + NR - 1) % NR);
	cr_assert_geq(fake_time_ns - start, 4 * SECOND);
	cr_assert_leq(fake_time_ns - start, 7 * SECOND);
}

Test(watchdog, the_first_hangs)
{
	hangs(0, "CPU 0");
}

Test(watchdog, one_in_the_middle_hangs)
{
	hangs(2, "CPU 2");
}

Test(watchdog, the_last_hangs)
{
	hangs(3, "CPU 3");
}

Test(watchdog, less_than_the_limit_is_forgiven)
{
	cpus(NR);
	cr_assert_eq(watchdog_start(5), 0);
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert_null(run(3, 1 << 2));
		cr_assert_null(run(2, 0));
	}
}

Test(watchdog, a_pause_of_the_whole_machine_accuses_nobody)
{
	cpus(NR);
	cr_assert_eq(watchdog_start(1), 0);
	cr_assert_null(run(3, 0));
	fake_time_ns += 1000 * SECOND;
	cr_assert_null(run(3, 0));
}

Test(watchdog, two_that_hang_side_by_side)
{
	const char *said;

	cpus(NR);
	cr_assert_eq(watchdog_start(5), 0);
	said = run(60, 1 << 1 | 1 << 2);
	cr_assert_not_null(said);
	cr_assert_not_null(strstr(said, "CPU 1"));
}

Test(watchdog, a_cpu_that_is_busy_on_purpose)
{
	cpus(2);
	cr_assert_eq(watchdog_start(5), 0);
	for (unsigned int i = 0; i < 20; i++) {
		on_cpu(1);
		watchdog_touch();
		cr_assert_null(run(3, 1 << 1));
	}
}

Test(watchdog, a_cpu_that_did_not_come_up)
{
	cpus(3);
	pcpus[1]->online = false;
	cpus_online = 1 | 1 << 2;
	cr_assert_eq(watchdog_start(5), 0);
	cr_assert_null(run(60, 1 << 1));
	cr_assert_not_null(run(60, 1 << 2));
}

Test(watchdog, a_cpu_that_takes_no_call)
{
	cpus(2);
	call_rc = -EBUSY;
	cr_assert_eq(watchdog_start(5), -EBUSY);
}

static void go(uint16_t cpu, bool on)
{
	on_cpu(cpu);
	if (!on) {
		watchdog_leave();
	}
	pcpus[cpu]->online = on;
	cpus_online ^= UINT64_C(1) << cpu;
	if (on) {
		watchdog_join();
	}
}

Test(watchdog, one_goes_off_line_and_comes_back)
{
	cpus(NR);
	cr_assert_eq(watchdog_start(5), 0);
	cr_assert_null(run(60, 0));
	go(2, false);
	cr_assert(list_is_empty(&pcpus[2]->timers));
	cr_assert_null(run(60, 0));
	go(2, true);
	cr_assert_null(run(60, 0));
	cr_assert_not_null(strstr(run(60, 1 << 2), "CPU 2"));
}

/* Without a watchdog there is nothing to leave. */
Test(watchdog, off_stays_off)
{
	cpus(2);
	go(1, false);
	go(1, true);
	cr_assert(list_is_empty(&pcpus[1]->timers));
	cr_assert_null(run(60, 2));
}
