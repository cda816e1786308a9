/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/trace.c core/percpu.c core/lock.c debug/lock_check.c
// LINK: arch/fake/cpu.c arch/fake/last_words.c
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/trace.h>
#include "arch/fake/fake_arch.h"

#define RING (PAGE_SIZE / sizeof(struct trace_rec))

static char out[65536];
static size_t out_len;
static bool no_memory;

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	cr_assert_eq(lvl, LOG_ERR);
	va_start(ap, fmt);
	out_len += (size_t)vsnprintf(out + out_len, sizeof(out) - out_len, fmt,
				     ap);
	va_end(ap);
	cr_assert_lt(out_len, sizeof(out));
}

void *hv_alloc_pages(struct domain *owner, unsigned int order)
{
	(void)owner;
	cr_assert_eq(order, 0);
	return no_memory ? NULL : calloc(1, PAGE_SIZE);
}

static void setup(void)
{
	for (uint16_t cpu = 2; cpu-- > 0;) {
		percpu_init(cpu, cpu, 0);
		fake_this_pcpu = pcpus[cpu];
		trace_init_cpu();
	}
}

TestSuite(trace, .init = setup);

static const char *dump(uint16_t cpu, unsigned int n)
{
	out_len = 0;
	out[0] = '\0';
	trace_dump_last(cpu, n);
	return out;
}

static unsigned int lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++) {
		n += *text == '\n';
	}
	return n;
}

Test(trace, arguments_have_names)
{
	fake_time_ns = UINT64_C(12000000345);
	trace_event(TRACE_SCHED_RUN, 3, 1, 32767);
	cr_assert_str_eq(dump(0, 8), "  12.000000345 CPU 0 SCHED_RUN dom=3 "
				     "vcpu=1 from=32767\n");
	trace_event(TRACE_HC_REFUSED, 2, 29, (uint64_t)-22);
	cr_assert_not_null(strstr(dump(0, 1), "dom=2 nr=29 rc=-22\n"));
	trace_event(TRACE_GUEST_ABORT, 1, 0x1234, 0x96000046);
	cr_assert_not_null(strstr(dump(0, 1),
				  "dom=1 ipa=0x1234 esr=0x96000046\n"));
}

/* Each event by its name; a value that was given is not left without one. */
Test(trace, every_event_has_a_format)
{
#define NAME(name, fmt) { #name, fmt },
	static const struct {
		const char *name, *fmt;
	} events[] = { TRACE_EVENTS(NAME) };

	cr_assert_eq(ARRAY_SIZE(events), NR_TRACE_EVENTS);
	for (uint32_t e = 1; e < NR_TRACE_EVENTS; e++) {
		trace_event((enum trace_event)e, 1, 2, 3);
		cr_assert_not_null(strstr(dump(0, 1), events[e].name));
		cr_assert_null(strstr(out, " %"));
		for (const char *p = strchr(events[e].fmt, '%'); p;
		     p = strchr(p + 1, '%')) {
			cr_assert_eq(p[-1], '=', "%s", events[e].name);
		}
	}
}

Test(trace, the_last_ones_of_each_cpu)
{
	for (uint32_t i = 0; i < RING + 10; i++) {
		trace_event(TRACE_IRQ_SPURIOUS, i, 0, 0);
	}
	cr_assert_eq(lines(dump(0, 5)), 5);
	cr_assert_not_null(strstr(out, "intid=133\n"));
	cr_assert_not_null(strstr(out, "intid=137\n"));
	cr_assert_null(strstr(out, "intid=132\n"));
	cr_assert_str_eq(dump(1, 5), "");
	fake_this_pcpu = pcpus[1];
	trace_event(TRACE_IRQ_SPURIOUS, 7, 0, 0);
	cr_assert_not_null(strstr(dump(1, 5), "CPU 1 IRQ_SPURIOUS intid=7\n"));
	cr_assert_eq(lines(dump(0, 5)), 5);
}

Test(trace, without_memory_there_is_none)
{
	no_memory = true;
	percpu_init(2, 2, 0);
	fake_this_pcpu = pcpus[2];
	trace_init_cpu();
	trace_event(TRACE_IRQ_SPURIOUS, 1, 0, 0);
	cr_assert_str_eq(dump(2, 5), "");
}

/* A CPU that is on line again has what it had. */
Test(trace, once_a_cpu)
{
	trace_event(TRACE_IRQ_SPURIOUS, 1, 0, 0);
	no_memory = true;
	trace_init_cpu();
	cr_assert_eq(lines(dump(0, 5)), 1);
}
