/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/console.c core/console_serial.c core/console_guest.c
// LINK: core/console_keys.c
// LINK: core/percpu.c core/lock.c debug/lock_check.c lib/printf.c
// LINK: arch/fake/cpu.c arch/fake/last_words.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/audit.h>
#include <hv/console.h>
#include <hv/console_keys.h>
#include <hv/domain.h>
#include <hv/guest_console.h>
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
static bool room_irq;
static bool has_fifo;
static uint32_t fifo;
static unsigned int irq_on, virqs, traces, calls, debug_runs;
static int call_rc = -EBUSY;
static void (*irq_handler)(uint32_t intid);
static int request_rc;
static struct domain dom = { .id = 0, .name = "d0", .is_hardware = true };
static struct guest_console con5;
static struct domain no_console = { .id = 3, .name = "d3" };
static struct domain dom5 = { .id = 5, .name = "d5", .console = &con5 };
static struct domain *const all[] = { &dom, &no_console, &dom5 };
static const struct sched_policy policy;
static unsigned int nr_domains = 1, uart_updates;
struct domain *hardware_domain = &dom;

/* ---- what the console calls --------------------------------------------- */

static void init(void *regs)
{
	(void)regs;
}

/* A FIFO of 32 that empties when a test says so; without one always room. */
static uint32_t room(void *regs)
{
	(void)regs;
	return has_fifo && fifo == 32 ? 0 : 1;
}

static void put(void *regs, char c)
{
	(void)regs;
	cr_assert_lt(out_len, sizeof(out) - 1);
	out[out_len++] = c;
	fifo++;
	out[out_len] = '\0';
}

static int get(void *regs)
{
	(void)regs;
	return *typed ? (uint8_t)*typed++ : -1;
}

static void irqs(void *regs, bool room)
{
	(void)regs;
	irq_on++;
	room_irq = room;
}

static const struct uart uart = {
	.init = init,
	.room = room,
	.put = put,
	.getc = get,
	.irqs = irqs,
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
	for (unsigned int i = 0; i < nr_domains; i++) {
		if (all[i]->id >= id) {
			all[i]->refs++;
			return all[i];
		}
	}
	return NULL;
}

struct domain *domain_lookup_get(domid_t id)
{
	struct domain *d = domain_next_get(id);

	if (d && d->id != id) {
		d->refs--;
		d = NULL;
	}
	return d;
}

void arch_uart_update_locked(struct domain *d)
{
	uart_updates += d == &dom5;
}

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	(void)size;
	return NULL;
}

void heap_free(struct domain *d, void *mem)
{
	(void)d;
	(void)mem;
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
	cr_assert_not_null(c->policy);
	return c->id + 3u;
}

uint64_t page_alloc_nr_total(void)
{
	return 256;
}

uint32_t heap_nr_slabs(void)
{
	return 7;
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

static enum log_level traces_lvl;

void trace_dump_last(enum log_level lvl, uint16_t cpu, unsigned int n)
{
	traces_lvl = lvl;
	cr_assert_lt(cpu, nr_pcpus);
	traces += n;
}

static unsigned int audits;

void audit_request(bool tells)
{
	cr_assert(tells);
	audits++;
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
	console_start_irq();
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
	console_start_irq();
	cr_assert_eq(irq_on, 0);
	cr_assert_not_null(strstr(out, "interrupt 33 is taken"));
}

/* 200 characters, of which the port takes 32 at once. */
static void start_a_long_line(char *line)
{
	memset(line, 'x', 195);
	strcpy(line + 195, "\r\n");
	out_len = 0;
	has_fifo = true;
	fifo = 0;
	log_err("%.195s", line);
	cr_assert_eq(out_len, 32);
	cr_assert(room_irq);
}

static void empty_and_interrupt(void)
{
	fifo = 0;
	irq_handler(INTID);
}

static void is_all_out(const char *line, const char *last)
{
	cr_assert_eq(strncmp(out, "(BH) ", 5), 0);
	cr_assert_eq(strncmp(out + 5, line, 197), 0);
	cr_assert_str_eq(out + 5 + 197, last);
}

Test(console_keys, output_by_interrupt)
{
	char line[200];

	console_start_irq();
	start_a_long_line(line);
	typed = "k";
	empty_and_interrupt();
	cr_assert_eq(out_len, 64);
	cr_assert_str_eq(read_input(), "k");
	console_write_guest(&dom, "guest\n", 6);
	cr_assert_eq(out_len, 64, "in its turn");
	for (unsigned int i = 0; i < 5; i++) {
		cr_assert(room_irq);
		empty_and_interrupt();
	}
	cr_assert(!room_irq);
	is_all_out(line, "guest\r\n");
}

/* The lock is held by a CPU that will not come back. */
Test(console_keys, a_panic_says_first_what_waits)
{
	char line[200];

	console_start_irq();
	start_a_long_line(line);
	has_fifo = false;
	console_force();
	cr_assert(!room_irq);
	is_all_out(line, "");
	log_err("last");
	irq_handler(INTID);
	is_all_out(line, "(BH) last\r\n");
}

Test(console_keys, flush_before_the_machine_ends)
{
	char line[200];

	console_start_irq();
	start_a_long_line(line);
	has_fifo = false;
	console_flush();
	cr_assert(!room_irq);
	log_err("The firmware did not");
	is_all_out(line, "(BH) The firmware did not\r\n");
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
	cr_assert(console_input_is(&dom));
	type("y\1\1\1");
	cr_assert(!console_input_is(&dom));
	cr_assert_str_eq(read_input(), "xy");
	virqs = 0;
	out_len = 0;
	type("h");
	cr_assert_not_null(strstr(out, "(BH)   q  domains and"));
	cr_assert_eq(virqs, 0);
	cr_assert_str_eq(read_input(), "");
	type("\1\1");
	type("\1z");
	cr_assert(console_input_is(&dom));
	cr_assert_str_eq(read_input(), "z");
}

Test(console_keys, ctrl_a_goes_round_all_that_can_be_typed_to)
{
	char buf[80];

	nr_domains = 3;
	spin_lock_init(&con5.lock, LOCK_RANK_GUEST_CONSOLE);
	guest_console_write(&dom5, "guest# ", 7);
	cr_assert_eq(out_len, 0);
	type("\1\1\1");
	cr_assert(console_input_is(&dom5));
	cr_assert_not_null(strstr(out, "Input goes to d5 now\r\n(d5) guest# "));
	type("ls");
	cr_assert_eq(uart_updates, 2);
	cr_assert_str_eq(read_input(), "");
	cr_assert_eq(guest_console_read(&dom5, buf, 1), 1);
	cr_assert_eq(buf[0], 'l');
	cr_assert_eq(guest_console_read(&dom5, buf, sizeof(buf)), 1);
	for (unsigned int i = 0; i < 2; i++) {
		type("0123456789012345678901234567890123456789");
	}
	cr_assert_eq(guest_console_read(&dom5, buf, sizeof(buf)), GUEST_INPUT);
	type("\1\1\1");
	type("q");
	cr_assert_not_null(strstr(out, "d5: id 5"));
	type("\1\1\1");
	cr_assert(console_input_is(&dom));
	cr_assert_eq(dom5.refs + dom.refs + no_console.refs, 0);
}

Test(console_keys, a_domain_that_is_gone_loses_the_keyboard)
{
	nr_domains = 3;
	spin_lock_init(&con5.lock, LOCK_RANK_GUEST_CONSOLE);
	type("\1\1\1");
	cr_assert(console_input_is(&dom5));
	nr_domains = 1;
	type("x");
	cr_assert(!console_input_is(&dom5));
	cr_assert_not_null(strstr(out, "Input goes to the hypervisor"));
}

Test(console_keys, without_dom0_the_first_domain_has_the_keyboard)
{
	nr_domains = 3;
	dom.is_hardware = false; /* nor a console */
	hardware_domain = NULL;
	spin_lock_init(&con5.lock, LOCK_RANK_GUEST_CONSOLE);
	console_input_begin();
	cr_assert(console_input_is(&dom5));
	type("a");
	cr_assert_eq(virqs, 0);
	cr_assert_eq(guest_console_waiting(&con5), 1);
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
	cr_assert(key_says("q", "d0: id 0 state 0, 11 pages"));
	v.cpus = 3;
	cr_assert(key_says("q",
			   "v0 blocked on CPU 0 of 0x3, pause 0, ran 5 us"));
	cr_assert(!key_says("q", "v1"));
	v.state = 77;
	cr_assert(key_says("q", "v0 ? on"));
	cr_assert(key_says("r", "CPU 1: offline, 0 waiting"), "never was on");
	pcpus[1]->policy = &policy;
	cr_assert(key_says("r", "CPU 1: offline, 4 waiting"));
	cr_assert(key_says("m", "RAM: 1024 KiB, free 400 KiB, 7 pages of"));
	cr_assert(key_says("i", "INTID 33: hypervisor, CPU 0, level"));
	cr_assert(key_says("d", "CPU 1: does not take messages"));
	cr_assert(!key_says("t", "?"));
	cr_assert_eq(traces, 32); /* 16 of each CPU */
	cr_assert_eq(traces_lvl, LOG_ERR);
	traces = 0;
	(void)key_says("k", "");
	cr_assert_eq(audits, 1);
	(void)key_says("T", "");
	cr_assert_eq(traces * 80, CONSOLE_RING_SIZE / 160 * 160);
	cr_assert_eq(traces_lvl, LOG_DEBUG); /* which no UART sends */
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
	cr_assert(key_says("v", "d0v1: CPU 1 does not take messages"));
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
