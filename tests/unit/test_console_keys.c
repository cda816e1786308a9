/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/console.c core/console_keys.c core/percpu.c core/lock.c
// LINK: debug/lock_check.c lib/printf.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/console_keys.h>
#include <hv/domain.h>
#include <hv/ipi.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <hv/trace.h>
#include <hv/uart.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define INTID 33u

static char out[65536];
static uint32_t out_len;
static const char *typed = "";
static unsigned int irq_on, virqs, traces, calls, debug_runs;
static int call_rc = -EBUSY;
static void (*irq_handler)(uint32_t intid);
static int request_rc;
static struct domain dom = { .id = 7, .name = "d7" };
struct domain *hardware_domain = &dom;

/* ---- what the console calls --------------------------------------------- */

static void init(void *regs)
{
	(void)regs;
}

static void put(void *regs, char c)
{
	(void)regs;
	cr_assert_lt(out_len, sizeof(out) - 1);
	out[out_len++] = c;
	out[out_len] = '\0';
}

static int get(void *regs)
{
	(void)regs;
	return *typed ? (uint8_t)*typed++ : -1;
}

static void irq_enable(void *regs)
{
	(void)regs;
	irq_on++;
}

static const struct uart uart = {
	.init = init,
	.putc = put,
	.getc = get,
	.irq_enable = irq_enable,
};

int irq_request(uint32_t intid, enum irq_trigger t, void (*h)(uint32_t intid))
{
	cr_assert_eq(intid, INTID);
	cr_assert_eq(t, IRQ_LEVEL);
	irq_handler = h;
	return request_rc;
}

const struct irq_desc *irq_desc_of(uint32_t intid)
{
	static const struct irq_desc mine = { .owner = IRQ_HV };

	return intid == INTID ? &mine : NULL;
}

void evtchn_send_global_virq(struct domain *d, uint32_t virq)
{
	cr_assert_eq(d, &dom);
	cr_assert(virq == VIRQ_CONSOLE || virq == VIRQ_CON_RING);
	virqs += virq == VIRQ_CONSOLE;
}

struct domain *domain_next_get(domid_t id)
{
	dom.refs += id <= dom.id;
	return id <= dom.id ? &dom : NULL;
}

void domain_put(struct domain *d)
{
	d->refs--;
}

uint64_t sched_vcpu_cpu_time_ns(struct vcpu *v)
{
	(void)v;
	return 5000;
}

uint32_t sched_nr_queued(const struct pcpu *c)
{
	return c->id + 3u;
}

uint64_t page_alloc_nr_total(void)
{
	return 256;
}

uint64_t page_alloc_nr_free(void)
{
	return 100;
}

int ipi_post_call(uint16_t cpu, void (*fn)(void *arg), void *arg)
{
	cr_assert_eq(cpu, 1);
	cr_assert_not_null(fn);
	cr_assert_null(arg);
	calls++;
	return call_rc;
}

void trace_dump_last(uint16_t cpu, unsigned int n)
{
	cr_assert_lt(cpu, nr_pcpus);
	traces += n;
}

static void debug_key(void)
{
	debug_runs++;
}

const struct console_key debug_keys[] = {
	{ '!', "of this test", debug_key },
	{ 'q', "hidden by the real one", debug_key },
	{ .key = 0 },
};

/* ---- help ---------------------------------------------------------------- */

static void setup(void)
{
	percpu_init(0, 0, 0);
	percpu_init(1, 1, 0);
	console_init(&uart, NULL, INTID);
	console_set_levels(LOG_INFO, LOG_WARN);
}

TestSuite(console_keys, .init = setup);

static void type(const char *text)
{
	typed = text;
	console_poll();
}

static const char *read_input(void)
{
	static char buf[512];
	uint32_t n = console_read_guest(buf, sizeof(buf) - 1);

	buf[n] = '\0';
	return buf;
}

/* ---- input --------------------------------------------------------------- */

Test(console_keys, input_goes_to_dom0)
{
	console_start_input();
	cr_assert_eq(irq_on, 1);
	typed = "hello";
	irq_handler(INTID);
	cr_assert_eq(virqs, 1);
	cr_assert(console_input_waiting());
	cr_assert_str_eq(read_input(), "hello");
	cr_assert(!console_input_waiting());
	typed = "kept"; /* other CPUs come by with news of the log */
	console_tell_news();
	cr_assert(!console_input_waiting());
	typed = "";
	type("");
	cr_assert_eq(virqs, 1);
	hardware_domain = NULL;
	type("early");
	cr_assert_str_eq(read_input(), "early");
}

Test(console_keys, a_line_that_is_taken)
{
	request_rc = -EBUSY;
	console_start_input();
	cr_assert_eq(irq_on, 0);
	cr_assert_not_null(strstr(out, "interrupt 33 is taken"));
}

Test(console_keys, input_is_bounded)
{
	char text[301], buf[512];

	memset(text, 'a', 300);
	text[255] = 'Y';
	text[256] = 'Z';
	text[300] = '\0';
	type(text);
	cr_assert_eq(strlen(typed), 300 - 64); /* one interrupt's share */
	for (unsigned int i = 0; i < 5; i++) {
		console_poll();
	}
	cr_assert_eq(console_read_guest(buf, 100), 100);
	cr_assert_eq(console_read_guest(buf, sizeof(buf)), 156);
	cr_assert_eq(buf[155], 'Y'); /* what did not fit is gone */
	type("after");
	cr_assert_str_eq(read_input(), "after");
}

Test(console_keys, ctrl_a_three_times_switches)
{
	type("\1\1x\1\1");
	cr_assert(!console_input_to_hv);
	type("y\1\1\1");
	cr_assert(console_input_to_hv);
	cr_assert_str_eq(read_input(), "xy");
	virqs = 0;
	out_len = 0;
	type("h");
	cr_assert_not_null(strstr(out, "(BH)   q  domains and"));
	cr_assert_eq(virqs, 0);
	cr_assert_str_eq(read_input(), "");
	type("\1\1");
	type("\1z");
	cr_assert(!console_input_to_hv);
	cr_assert_str_eq(read_input(), "z");
}

/* ---- keys ---------------------------------------------------------------- */

static bool key_says(const char *key, const char *text)
{
	out_len = 0;
	out[0] = '\0';
	console_keys(key, 1);
	return strstr(out, text);
}

Test(console_keys, what_they_say)
{
	struct vcpu v = { .id = 0, .domain = &dom, .state = VCPU_BLOCKED };
	struct vcpu *vcpus[] = { &v, NULL };

	dom.vcpu = vcpus;
	dom.max_vcpus = 2;
	dom.nr_vcpus = 1;
	dom.tot_pages = 11;
	cr_assert(key_says("q", "d7: id 7 state 0, 11 pages"));
	v.hard_affinity = 3;
	cr_assert(key_says("q",
			   "v0 blocked on CPU 0 of 0x3, pause 0, ran 5 us"));
	cr_assert(!key_says("q", "v1"));
	v.state = 77;
	cr_assert(key_says("q", "v0 ? on"));
	cr_assert(key_says("r", "CPU 1: offline, 4 waiting"));
	cr_assert(key_says("m", "RAM: 1024 KiB, free 400 KiB"));
	cr_assert(key_says("i", "INTID 33: hypervisor, CPU 0, level"));
	cr_assert(key_says("d", "CPU 1: does not take messages"));
	cr_assert(!key_says("t", "?"));
	cr_assert_eq(traces, 32); /* 16 of each CPU */
	cr_assert(!key_says("~", "(BH)"));
	cr_assert_eq(dom.refs, 0);
}

Test(console_keys, keys_of_the_checking_build)
{
	cr_assert(key_says("h", "(BH)   v  registers"));
	cr_assert(key_says("h", "(BH)   !  of this test"));
	(void)key_says("!", "");
	cr_assert_eq(debug_runs, 1);
	(void)key_says("q", "");
	cr_assert_eq(debug_runs, 1);
	console_keys("\0!", 2); /* 0 ends the tables, it is no key */
	cr_assert_eq(debug_runs, 2);
}

Test(console_keys, registers_of_vcpus)
{
	struct vcpu v[20];
	struct vcpu *vcpus[20];

	memset(v, 0, sizeof(v));
	for (uint32_t i = 0; i < 20; i++) {
		v[i] = (struct vcpu){ .id = i, .domain = &dom,
				      .loaded_on = CPU_NONE };
		vcpus[i] = &v[i];
	}
	dom.vcpu = vcpus;
	dom.max_vcpus = dom.nr_vcpus = 3;
	v[0].loaded_on = 0;  /* here */
	v[1].loaded_on = 1;  /* only that CPU can read them */
	cr_assert(key_says("v", "d7v1: CPU 1 does not take messages"));
	cr_assert_eq(fake_nr_vcpu_dumps, 2);
	cr_assert_eq(calls, 1);
	call_rc = 0;
	cr_assert(!key_says("v", "does not"));
	cr_assert_eq(calls, 2);
	cr_assert_eq(fake_this_pcpu->beats, 6);
	dom.max_vcpus = dom.nr_vcpus = 20;
	fake_nr_vcpu_dumps = 0;
	(void)key_says("v", "");
	cr_assert_eq(fake_nr_vcpu_dumps, 15); /* bounded: 16, one elsewhere */
	cr_assert_eq(dom.refs, 0);
}
