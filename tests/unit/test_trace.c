/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/trace.c core/percpu.c core/lock.c debug/lock_check.c
// LINK: arch/fake/cpu.c arch/fake/last_words.c
// LIBS: -lpthread
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/trace.h>
#include <hv/work.h>
#include "arch/fake/fake_arch.h"

#define RING (PAGE_SIZE / sizeof(struct trace_rec))

static char out[65536];
static size_t out_len;
static bool no_memory;
static unsigned int meanwhile; /* records written while a line is printed */

struct options options;

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	cr_assert_eq(lvl, LOG_DEBUG);
	va_start(ap, fmt);
	out_len += (size_t)vsnprintf(out + out_len, sizeof(out) - out_len, fmt,
				     ap);
	va_end(ap);
	cr_assert_lt(out_len, sizeof(out));
	for (; meanwhile > 0; meanwhile--) {
		trace_event(TRACE_IRQ_SPURIOUS, 4242, 0, 0);
	}
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
	trace_dump_last(LOG_DEBUG, cpu, n);
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

/* ---- beside a writer ----------------------------------------------------- */

Test(trace, what_was_overwritten_is_counted)
{
	for (uint32_t i = 0; i < 2 * RING; i++) {
		trace_event(TRACE_IRQ_SPURIOUS, 1000 + i, 0, 0);
	}
	cr_assert_eq(lines(dump(0, RING + 100)), RING - 2, "all that is whole");
	cr_assert_not_null(strstr(out, "intid=1130\n"));
	cr_assert_not_null(strstr(out, "intid=1255\n"));
	/* After the first line the ten oldest go: nine have not been read. */
	meanwhile = 10;
	cr_assert_eq(lines(dump(0, RING)), RING - 2 - 9 + 1);
	cr_assert_not_null(strstr(out, "intid=1130\n"));
	for (char old[] = "intid=1131\n"; old[9] <= '9'; old[9]++) {
		cr_assert_null(strstr(out, old), "%s", old);
	}
	cr_assert_not_null(strstr(out, "intid=1140\n"));
	cr_assert_not_null(strstr(out, "CPU 0: 9 events were overwritten\n"));
	cr_assert_null(strstr(out, "4242"), "they came after it began");
	meanwhile = 10 * RING;
	cr_assert_eq(lines(dump(0, RING)), 2, "the first, and how many went");
}

static bool stop;

static void *writer(void *arg)
{
	(void)arg;
	for (uint32_t i = 1; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		trace_event(TRACE_SCHED_RUN, i, i, i);
		for (volatile uint32_t n = 0; n < i % 4096; n = n + 1) {
		}
	}
	return NULL;
}

/* Each line is of one record: its three values are the same. */
Test(trace, no_record_is_torn)
{
	unsigned int whole = 0;
	pthread_t t;

	cr_assert_eq(pthread_create(&t, NULL, writer, NULL), 0);
	while (whole < 100 * RING) { /* the writer runs, so it ends */
		const char *p = dump(0, RING);

		for (; (p = strstr(p, "dom=")) != NULL; p++, whole++) {
			unsigned int a;
			unsigned long long b, c;

			cr_assert_eq(sscanf(p, "dom=%u vcpu=%llu from=%llu",
					    &a, &b, &c), 3, "%s", p);
			cr_assert(a == b && b == c, "%u %llu %llu", a, b, c);
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(t, NULL), 0);
}

/* ---- all events ---------------------------------------------------------- */

Test(trace, records_of_trace_buffers)
{
	static const uint32_t words[] = { 0x10002, 7, 0xffffffff, 5, 6 };

	trace_xen(0x21011, words, 1);
	cr_assert_not_null(strstr(dump(0, 1), "CPU 0 XEN event=0x21011 "
					      "w01=0x10002 w23="));
	trace_xen(0x2800f, words, 5);
	cr_assert_not_null(strstr(dump(0, 1), "event=0x2800f "
				  "w01=0x700010002 w23=0x5ffffffff\n"));
}

/* The hooks are put in at the CPU's first work point. */
Test(trace_all, from_the_start)
{
	percpu_init(0, 0, 0);
	fake_this_pcpu = pcpus[0];
	trace_init_cpu();
	cr_assert_eq(pcpus[0]->work & PWORK_TRACE, 0);
	options.trace_all = true;
	no_memory = true;
	trace_init_cpu();
	cr_assert_eq(pcpus[0]->work & PWORK_TRACE, PWORK_TRACE);
}
