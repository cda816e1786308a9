/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/panic.c core/percpu.c core/lock.c debug/lock_check.c
// LINK: arch/fake/cpu.c lib/printf.c
// LIBS: -Wl,--wrap=arch_halt,--wrap=arch_dump_self,--wrap=arch_vcpu_dump
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/ipi.h>
#include <hv/irqchip.h>
#include <hv/percpu.h>
#include <hv/trace.h>
#include <lib/bits.h>
#include <lib/check.h>
#include "arch/fake/fake_arch.h"

static char out[4096];
static jmp_buf halted;
static uint64_t nr_halts, nr_stops, nr_forced;
static struct domain dom = { .id = 3 };
static struct vcpu vcpu = { .id = 1, .domain = &dom };
static bool falls_again; /* a second fault, while the first is reported */

const struct irqchip *irqchip;

static void say(const char *fmt, ...)
{
	size_t at = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + at, sizeof(out) - at, fmt, ap);
	va_end(ap);
}

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	size_t at = strlen(out);
	va_list ap;

	cr_assert_eq(lvl, LOG_ERR);
	cr_assert_eq(nr_forced, 1); /* nothing before the console is ours */
	va_start(ap, fmt);
	vsnprintf(out + at, sizeof(out) - at, fmt, ap);
	va_end(ap);
}

void console_force(void)
{
	nr_forced++;
}

void ipi_stop_others(void)
{
	nr_stops++;
}

void trace_dump_last(enum log_level lvl, uint16_t cpu, uint32_t nr)
{
	cr_assert_eq(lvl, LOG_ERR);
	say("events %u %u\n", cpu, nr);
}

void __wrap_arch_halt(void);
void __wrap_arch_halt(void)
{
	nr_halts++;
	longjmp(halted, 1);
}

void __wrap_arch_vcpu_dump(struct vcpu *v);
void __wrap_arch_vcpu_dump(struct vcpu *v)
{
	say("registers of v%u\n", v->id);
}

void __wrap_arch_dump_self(void);
void __wrap_arch_dump_self(void)
{
	say("own registers\n");
	if (falls_again) {
		panic("while it told");
	}
}

static void start(void)
{
	fake_this_pcpu = percpu_init(0, 0, 0);
	(void)percpu_init(1, 1, 0);
	cpus_online = 1;
}

TestSuite(panic, .init = start);

Test(panic, says_all_and_stops)
{
	pcpus[0]->current = &vcpu;
	if (setjmp(halted) == 0) {
		panic("%s %d", "number", 7);
	}
	cr_assert_eq(nr_halts, 1);
	cr_assert_eq(nr_stops, 0); /* no controller yet to stop them by */
	cr_assert_str_eq(out, "BULKHEAD PANIC on CPU 0: number 7\n"
			      "own registers\n"
			      "Running: d3v1\n"
			      "registers of v1\n"
			      "Last events of this CPU:\n"
			      "events 0 16\n"
			      "The machine stops here; restart it by hand\n");
}

Test(panic, names_a_cpu_that_does_not_stop)
{
	static const struct irqchip chip;

	irqchip = &chip;
	cpus_online = 3;
	pcpus[1]->current = &vcpu;
	if (setjmp(halted) == 0) {
		check_failed("x == y", "file.c", 12);
	}
	cr_assert_eq(nr_stops, 1);
	cr_assert(strstr(out, "x == y does not hold at file.c:12\n"));
	cr_assert(strstr(out, "Running: no vCPU\n"));
	cr_assert(strstr(out, "CPU 1 did not stop\nIt ran d3v1\n"
			      "registers of v1\nevents 1 16\n"));
}

Test(panic, the_second_one_only_halts)
{
	falls_again = true;
	if (setjmp(halted) == 0) {
		panic("first");
	}
	cr_assert_eq(nr_halts, 1);
	cr_assert(strstr(out, "first"));
	cr_assert_null(strstr(out, "while it told"));
}
