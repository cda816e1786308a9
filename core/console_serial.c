/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial line. On the way out characters for which there is no room wait in
 * a ring, and the UART's interrupt for room takes them from there, so that who
 * writes need not wait.
 * Without that interrupt, when the ring is full, and before the machine ends,
 * who writes waits for room.
 *
 * Owns    the ring and the UART.
 * Not     what a line looks like, who may write, where input goes (console.c).
 * Locks   the caller's: console_lock, or none after console_force(): what
 *         another CPU left half done then costs a character, no more. Input
 *         is the CPU's that handles the interrupt.
 * Bounds  SERIAL_TRIES looks for room, and only one while those found none;
 *         UART_BURST characters an interrupt.
 */
#include "console_priv.h"

#define SERIAL_TRIES 400000u /* longer than sixteen characters at 9600 baud */

static struct {
	const struct uart *uart;
	void *regs;
	uint32_t head, tail; /* characters ever written, and sent */
	bool by_irq; /* who writes does not wait */
	bool irq_on; /* the interrupt for room */
	bool stuck;  /* there was none in SERIAL_TRIES */
	char ring[SERIAL_SIZE];
} serial;

void serial_init(const struct uart *u, void *regs)
{
	serial.uart = u;
	serial.regs = regs;
	u->init(regs);
}

void serial_by_irq(void)
{
	serial.uart->irqs(serial.regs, false);
	serial.by_irq = !serial.uart->polled;
}

static char oldest(void)
{
	return serial.ring[serial.tail++ & (SERIAL_SIZE - 1)];
}

/* A port that never has room gets its characters all the same. */
static void put_waiting(char c)
{
	uint32_t tries = serial.stuck ? 1 : SERIAL_TRIES;

	while (!serial.uart->room(serial.regs) && --tries) {
		/* bound: SERIAL_TRIES */
	}
	serial.stuck = tries == 0;
	serial.uart->put(serial.regs, c);
}

static __attribute__((noinline)) void wait_or_keep(char c)
{
	if (!serial.by_irq) {
		put_waiting(c);
		return;
	}
	if (serial.head - serial.tail == SERIAL_SIZE) {
		put_waiting(oldest());
	}
	serial.ring[serial.head++ & (SERIAL_SIZE - 1)] = c;
}

/* At once, when nothing waits before it and there is room. */
static __force_inline void send(const struct uart *u, void *regs, char c)
{
	if (likely(serial.head == serial.tail && u->room(regs))) {
		u->put(regs, c);
		serial.stuck = false;
	} else {
		wait_or_keep(c);
	}
}

static __force_inline void send_line(const struct uart *u, void *regs, char c)
{
	if (c == '\n') {
		send(u, regs, '\r');
	}
	send(u, regs, c);
}

void serial_char(char c)
{
	if (serial.uart) {
		send_line(serial.uart, serial.regs, c);
	}
}

void serial_write(const char *buf, uint32_t len)
{
	const struct uart *u = serial.uart;
	void *regs = serial.regs;

	for (uint32_t i = 0; u && i < len; i++) { /* bound: the caller's */
		send_line(u, regs, buf[i]);
	}
}

void serial_text(const char *text)
{
	const struct uart *u = serial.uart;
	void *regs = serial.regs;

	for (; u && *text; text++) { /* bound: a string of ours */
		send_line(u, regs, *text);
	}
}

int serial_getc(void)
{
	return serial.uart->getc(serial.regs);
}

void serial_push(void)
{
	uint32_t room = 0;
	bool more;

	if (!serial.by_irq || (serial.head == serial.tail && !serial.irq_on)) {
		return;
	}
	for (uint32_t n = UART_BURST; n && serial.tail != serial.head; n--) {
		room = room ? room : serial.uart->room(serial.regs);
		if (room-- == 0) {
			break;
		}
		serial.uart->put(serial.regs, oldest());
	}
	more = serial.tail != serial.head;
	if (more != serial.irq_on) {
		serial.irq_on = more;
		serial.uart->irqs(serial.regs, more);
	}
}

void serial_flush(void)
{
	uint32_t n = serial.head - serial.tail;

	if (!serial.by_irq) {
		return;
	}
	serial.by_irq = false;
	serial.irq_on = false;
	serial.uart->irqs(serial.regs, false);
	if (n > SERIAL_SIZE) {
		n = 0; /* another CPU moved the tail, and never stopped */
	}
	for (; n; n--) { /* bound: SERIAL_SIZE */
		put_waiting(oldest());
	}
}
