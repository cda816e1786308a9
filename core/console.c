/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log and the serial line: a ring that a control domain can read, output
 * to the UART, input to a domain or to the console keys.
 *
 * Owns    the ring, the input buffer, who gets input.
 * Not     how characters get out and in (console_serial.c), what a key does
 *         (console_keys.c); lines of domains other than dom0 in the making,
 *         and what was typed for them (console_guest.c).
 * Locks   console_lock (rank CONSOLE), a leaf; none after console_force().
 * Bounds  a line of CONSOLE_LINE characters; RX_BATCH characters an interrupt.
 */
#include <hv/console.h>

#include "console_priv.h"
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/evtchn.h>
#include <hv/guest_console.h>
#include <hv/irq.h>
#include <hv/uart.h>
#include <hv/work.h>
#include <lib/printf.h>
#include <lib/string.h>

#define RING_SIZE CONSOLE_RING_SIZE
#define CONSOLE_LINE 256u
#define INPUT_SIZE 256u /* power of two */
#define RX_BATCH 64u
#define SWITCH_KEY 0x01 /* ctrl-a */
#define SWITCH_COUNT 3u
#define GUEST_BURST 10u
#define GUEST_PERIOD_NS UINT64_C(1000000000)

static struct spinlock console_lock = SPINLOCK_INIT(CONSOLE);
static char ring[RING_SIZE];
static uint64_t ring_head; /* characters ever written */
static uint64_t ring_cleared; /* what is before is not shown any more */
static bool ring_news; /* atomic; a controller may want to know */
static uint32_t uart_intid;
static bool forced;
static uint8_t level_hv = LOG_INFO, level_guest = LOG_WARN;

static struct {
	uint32_t head, tail; /* characters ever kept for dom0, and taken */
	uint32_t switch_seen; /* so often the key, one after the other */
	domid_t to; /* a domain, or DOMID_HV: the console keys */
	char ring[INPUT_SIZE];
} input;
static bool line_is_open; /* of domain open_line_of, console_lock */
static domid_t open_line_of;

static struct {
	uint64_t since_ns;
	uint32_t count;
	uint32_t dropped;
} guest_rate;

/* Taken unless a panic goes on: not for the compiler's analysis. */
static void lock(void) NO_LOCK_ANALYSIS;
static void unlock(void) NO_LOCK_ANALYSIS;

static void lock(void)
{
	if (!forced) {
		spin_lock(&console_lock);
	}
}

static void unlock(void)
{
	if (!forced) {
		spin_unlock(&console_lock);
	}
}

static void put_line(const char *text, bool to_uart)
{
	for (const char *p = text; *p; p++) {
		ring[ring_head++ & (RING_SIZE - 1)] = *p;
	}
	if (to_uart) {
		serial_text(text);
	}
}

/* A domain's line that is not complete ends here: another one comes. */
static void end_open_line(void)
{
	if (line_is_open) {
		serial_char('\n');
		line_is_open = false;
	}
}

static void log_line(bool to_uart, const char *fmt, va_list ap)
	__printf(2, 0);
static void log_line(bool to_uart, const char *fmt, va_list ap)
{
	char line[CONSOLE_LINE];
	size_t len;

	hv_vsnprintf(line, sizeof(line) - 1, fmt, ap);
	len = strlen(line);
	if (len == 0 || line[len - 1] != '\n') {
		line[len] = '\n';
		line[len + 1] = '\0';
	}
	lock();
	if (to_uart) {
		end_open_line();
	}
	put_line("(BH) ", to_uart);
	put_line(line, to_uart);
	serial_push();
	unlock();
	if (!forced && hardware_domain) { /* no CPU has any before */
		__atomic_store_n(&ring_news, true, __ATOMIC_SEQ_CST);
		pcpu_post_self(PWORK_KEY);
	}
}

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(lvl <= level_hv || forced, fmt, ap);
	va_end(ap);
}

/* A guest can provoke these: a burst a second, the rest is counted. */
static bool guest_may_log(uint32_t *dropped)
{
	uint64_t now = arch_time_ns();
	bool ok;

	lock();
	if (now - guest_rate.since_ns > GUEST_PERIOD_NS) {
		guest_rate.since_ns = now;
		guest_rate.count = 0;
	}
	ok = guest_rate.count < GUEST_BURST;
	*dropped = 0;
	if (ok) {
		guest_rate.count++;
		*dropped = guest_rate.dropped;
		guest_rate.dropped = 0;
	} else {
		guest_rate.dropped++;
	}
	unlock();
	return ok;
}

void log_guest(const struct domain *d, enum log_level lvl, const char *fmt,
	       ...)
{
	char line[CONSOLE_LINE - 40];
	uint32_t dropped;
	va_list ap;

	if (!guest_may_log(&dropped)) {
		return;
	}
	va_start(ap, fmt);
	hv_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (dropped) {
		log_printf(LOG_WARN, "%u messages about guests left out\n",
			   dropped);
	}
	log_printf(lvl <= level_guest ? LOG_ERR : LOG_DEBUG, "%s: %s",
		   d ? d->name : "nobody", line);
}

void console_force(void)
{
	forced = true;
	serial_flush();
}

void console_flush(void)
{
	lock();
	serial_flush();
	unlock();
}

void console_set_levels(enum log_level hv, enum log_level guest)
{
	level_hv = (uint8_t)hv;
	level_guest = (uint8_t)guest;
}

void console_init(const struct uart *u, void *regs, uint32_t intid)
{
	uart_intid = intid;
	serial_init(u, regs);
	for (uint64_t i = ring_head > RING_SIZE ? ring_head - RING_SIZE : 0;
	     i < ring_head; i++) { /* what waited for this */
		serial_char(ring[i & (RING_SIZE - 1)]);
	}
}

/* ---- output and input of domains --------------------------------------- */

void console_write_domain(const struct domain *d, const char *buf,
			  uint32_t len)
{
	char mark[sizeof(d->name) + 3];

	hv_snprintf(mark, sizeof(mark), "(%s) ", d->name);
	lock();
	for (uint32_t i = 0; i < len; i++) { /* bound: the caller's piece */
		if (line_is_open && open_line_of != d->id) {
			end_open_line();
		}
		if (!line_is_open) {
			serial_text(mark);
		}
		line_is_open = buf[i] != '\n';
		open_line_of = d->id;
		serial_char(buf[i]);
	}
	serial_push();
	unlock();
}

void console_write_guest(struct domain *d, const char *buf, uint32_t len)
{
	(void)d;
	lock();
	serial_write(buf, len);
	serial_push();
	unlock();
}

bool console_input_waiting(void)
{
	return __atomic_load_n(&input.head, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&input.tail, __ATOMIC_RELAXED);
}

uint32_t console_read_guest(char *buf, uint32_t len)
{
	uint32_t n = 0;

	lock();
	while (n < len && input.tail != input.head) {
		buf[n++] = input.ring[input.tail++ & (INPUT_SIZE - 1)];
	}
	unlock();
	return n;
}

uint32_t console_ring_read(char *buf, uint32_t len, uint32_t *index)
{
	uint64_t first, from;
	uint32_t n = 0;

	lock();
	first = ring_head > RING_SIZE ? ring_head - RING_SIZE : 0;
	first = first < ring_cleared ? ring_cleared : first;
	/* The caller's index is the low half of a position in the ring. */
	from = ring_head - (uint32_t)((uint32_t)ring_head - *index);
	from = from < first || from > ring_head ? first : from;
	while (n < len && from < ring_head) {
		buf[n++] = ring[from++ & (RING_SIZE - 1)];
	}
	*index = (uint32_t)from;
	unlock();
	return n;
}

void console_ring_clear(void)
{
	lock();
	ring_cleared = ring_head;
	unlock();
}

/*
 * A level-sensitive line: it is low only when the FIFO is empty, so characters
 * are fetched here. Interrupts are taken with no lock held, which makes this
 * as good a place as a work point.
 */
static void uart_irq(uint32_t intid)
{
	(void)intid;
	console_poll();
	lock();
	serial_push();
	unlock();
}

void console_start_irq(void)
{
	if (uart_intid == 0) {
		return;
	}
	if (irq_request(uart_intid, IRQ_LEVEL, uart_irq) == 0) {
		serial_by_irq();
	} else {
		log_warn("Console: interrupt %u is taken; no input\n",
			 uart_intid);
	}
}

bool console_input_is(const struct domain *d)
{
	return __atomic_load_n(&input.to, __ATOMIC_RELAXED) == d->id;
}

/* The first domain from @id on that can be typed to, with a reference. */
static struct domain *next_to_type_to(domid_t id)
{
	struct domain *d = domain_next_get(id);

	while (d && !d->is_hardware && !d->console) { /* bound: ids rise */
		id = (domid_t)(d->id + 1);
		domain_put(d);
		d = domain_next_get(id);
	}
	return d;
}

static void give_input(struct domain *d)
{
	__atomic_store_n(&input.to, d ? d->id : DOMID_HV, __ATOMIC_RELAXED);
	if (!d) {
		log_err("Input goes to the hypervisor now: h lists its keys; "
			"ctrl-a three times: on to the next\n");
		return;
	}
	log_err("Input goes to %s now\n", d->is_hardware ? "dom0" : d->name);
	if (d->console) {
		guest_console_flush(d);
	}
	domain_put(d);
}

/* The hypervisor, dom0, the others by their ids, the hypervisor. */
static void switch_input(void)
{
	give_input(next_to_type_to(input.to == DOMID_HV ? 0 : input.to + 1u));
}

void console_input_begin(void)
{
	if (!hardware_domain) {
		give_input(next_to_type_to(0));
	}
}

static void keep_for_dom0(char c)
{
	lock();
	if (input.head - input.tail < INPUT_SIZE) {
		input.ring[input.head++ & (INPUT_SIZE - 1)] = c;
	}
	unlock();
}

/* @c is typed; true: dom0 has new input. */
static bool deliver(char c)
{
	struct domain *d;

	if (input.to == DOMID_HV) {
		console_key(c);
		return false;
	}
	if (input.to == 0) {
		keep_for_dom0(c);
		return true;
	}
	d = domain_lookup_get(input.to);
	if (!d) {
		switch_input(); /* it is gone */
		return false;
	}
	guest_console_input(d, c);
	domain_put(d);
	return false;
}

/* True: dom0 has new input. */
static bool take_char(char c)
{
	if (c == SWITCH_KEY) {
		if (++input.switch_seen == SWITCH_COUNT) {
			input.switch_seen = 0;
			switch_input();
		}
		return false;
	}
	input.switch_seen = 0;
	return deliver(c);
}

void console_poll(void)
{
	bool news = false;

	for (uint32_t i = 0; i < RX_BATCH; i++) {
		int c = serial_getc();

		if (c < 0) {
			break;
		}
		news |= take_char((char)c);
	}
	if (news && hardware_domain) {
		evtchn_send_global_virq(hardware_domain, VIRQ_CONSOLE);
	}
}

void console_tell_news(void)
{
	if (__atomic_exchange_n(&ring_news, false, __ATOMIC_SEQ_CST)) {
		evtchn_send_global_virq(hardware_domain, VIRQ_CON_RING);
	}
}
