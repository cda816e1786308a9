/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/console_serial.c
/*
 * The serial line's ring against a port that drains when the test says so, or
 * never: nothing is lost, the order is kept, every wait and burst is bounded.
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#include "core/console_priv.h"

#define TRIES 400000u

static char sent[65536];
static uint32_t nr_sent;
static uint32_t fifo;      /* characters in it */
static uint32_t depth;     /* 0: never any room */
static bool counts;        /* room() tells all of it */
static uint64_t looks;
static uint32_t drains_at; /* this many looks empty the FIFO; 0: none do */
static uint32_t irqs_set;  /* calls of irqs() */
static bool room_irq, initialised;

static void port_init(void *regs)
{
	(void)regs;
	initialised = true;
}

/* All or nothing, as a 16550A: the FIFO must be empty. Or as an LPUART. */
static uint32_t port_room(void *regs)
{
	(void)regs;
	looks++;
	if (drains_at && looks % drains_at == 0) {
		fifo = 0;
	}
	return counts ? depth - fifo : fifo ? 0 : depth;
}

static void port_put(void *regs, char c)
{
	(void)regs;
	fifo++;
	cr_assert(depth == 0 || fifo <= depth, "the FIFO overflows");
	cr_assert_lt(nr_sent, sizeof(sent) - 1);
	sent[nr_sent++] = c;
	sent[nr_sent] = '\0';
}

static int port_getc(void *regs)
{
	(void)regs;
	return 'k';
}

static void port_irqs(void *regs, bool room)
{
	(void)regs;
	irqs_set++;
	room_irq = room;
}

static struct uart port = {
	.init = port_init,
	.room = port_room,
	.put = port_put,
	.getc = port_getc,
	.irqs = port_irqs,
};

static void setup(void)
{
	depth = 16;
	serial_init(&port, NULL);
	cr_assert(initialised);
}

/* The interrupt, when it is on and the FIFO is empty. */
static bool interrupt(void)
{
	fifo = 0;
	if (room_irq) {
		serial_push();
	}
	return room_irq;
}

/* Characters that say where they stand. */
static void write_many(uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		serial_char((char)('0' + i % 67));
	}
}

static void expect_many(uint32_t n)
{
	cr_expect_eq(nr_sent, n, "%u of %u", nr_sent, n);
	for (uint32_t i = 0; i < n; i++) {
		cr_assert_eq(sent[i], (char)('0' + i % 67), "at %u", i);
	}
}

TestSuite(serial, .init = setup);

Test(no_serial, nobody_there)
{
	serial_char('x');
	serial_push();
	serial_flush();
	cr_expect_eq(nr_sent, 0);
}

Test(serial, waits_without_an_interrupt)
{
	drains_at = 50;
	serial_text("early\n");
	cr_expect_str_eq(sent, "early\r\n");
	serial_push();
	serial_flush();
	cr_expect_str_eq(sent, "early\r\n");
	cr_expect_eq(irqs_set, 0);
	cr_expect_eq(serial_getc(), 'k');
}

Test(serial, drains_by_interrupt)
{
	serial_by_irq();
	cr_expect_eq(irqs_set, 1);
	cr_expect_not(room_irq, "nothing waits");
	write_many(0, 100);
	cr_expect_eq(nr_sent, 1, "who writes takes the room there is");
	cr_expect_eq(looks, 2, "and looks no more once there is none");
	serial_push();
	cr_expect_eq(nr_sent, 1);
	cr_expect(room_irq);
	for (uint32_t i = 1; i <= 6; i++) {
		cr_expect(interrupt());
		cr_expect_eq(nr_sent, 1 + i * 16);
	}
	cr_expect_not(interrupt(), "off when all is out");
	expect_many(100);
	cr_expect_eq(irqs_set, 3, "only when it changes: %u", irqs_set);
}

Test(serial, a_line_that_fits_needs_no_interrupt)
{
	counts = true;
	serial_by_irq();
	serial_text("ok\n");
	serial_push();
	cr_expect_str_eq(sent, "ok\r\n");
	cr_expect_eq(irqs_set, 1);
}

/* QEMU's ports: nothing waits; what does has its bound an interrupt. */
Test(serial, bounded_where_there_is_always_room)
{
	drains_at = 1;
	depth = 1;
	serial_by_irq();
	write_many(0, 100);
	serial_push();
	expect_many(100);
	cr_expect_not(room_irq);
	drains_at = 0;
	write_many(100, 100);
	drains_at = 1;
	serial_push();
	cr_expect_eq(nr_sent, 100 + UART_BURST);
	cr_expect(room_irq);
	for (uint32_t i = 0; i < 3; i++) {
		interrupt();
	}
	cr_expect_not(room_irq);
	expect_many(200);
}

Test(serial, spurious_interrupts)
{
	serial_push();
	serial_by_irq();
	serial_push();
	cr_expect_eq(nr_sent, 0);
	write_many(0, 40);
	serial_push();
	looks = 0;
	for (uint32_t i = 0; i < 100; i++) {
		serial_push(); /* full: one look */
	}
	cr_expect_eq(looks, 100);
	cr_expect_eq(nr_sent, 1);
	cr_expect(room_irq);
}

/* An interrupt that got lost: the next text gets things going. */
Test(serial, a_lost_interrupt_is_made_up_for)
{
	serial_by_irq();
	write_many(0, 14);
	serial_push();
	cr_expect_eq(nr_sent, 1);
	fifo = 0;
	write_many(14, 3);
	serial_push();
	expect_many(17);
	cr_expect_not(room_irq);
}

/* Who writes waits for the oldest; the port drains, nobody interrupts. */
Test(serial, full_ring_loses_nothing)
{
	serial_by_irq();
	drains_at = 100;
	write_many(0, SERIAL_SIZE);
	cr_expect_eq(looks, 2);
	write_many(SERIAL_SIZE, 1000);
	cr_expect_eq(nr_sent, 1000);
	serial_flush();
	expect_many(SERIAL_SIZE + 1000);
}

Test(serial, a_port_that_never_has_room_costs_one_wait)
{
	serial_by_irq();
	depth = 0;
	write_many(0, SERIAL_SIZE);
	serial_push();
	cr_expect_eq(looks, 2);
	looks = 0;
	write_many(SERIAL_SIZE, 1);
	cr_expect_eq(looks, TRIES);
	looks = 0;
	write_many(SERIAL_SIZE + 1, 1000);
	cr_expect_eq(looks, 1000, "one look a character");
	serial_flush();
	cr_expect_eq(looks, 1000 + SERIAL_SIZE);
	expect_many(SERIAL_SIZE + 1001);
	depth = 16; /* it lives after all: waited for again */
	fifo = 0;
	serial_char('a');
	drains_at = 1000;
	looks = 1;
	serial_char('b');
	cr_expect_eq(looks, 1000);
}

Test(serial, flush_before_the_end)
{
	serial_by_irq();
	write_many(0, 3000);
	serial_push();
	cr_expect(room_irq);
	drains_at = 10;
	serial_flush();
	cr_expect_not(room_irq);
	expect_many(3000);
	write_many(3000, 20); /* last words: each waits */
	expect_many(3020);
	irqs_set = 0;
	serial_push(); /* an interrupt that was on its way */
	serial_flush();
	expect_many(3020);
	cr_expect_eq(irqs_set, 0);
}

/* The fault was inside of us: another flush than ours may be half done. */
Test(serial, flush_in_a_flush)
{
	drains_at = 1;
	serial_by_irq();
	write_many(0, 20);
	serial_flush();
	serial_flush();
	serial_text("last");
	cr_expect_eq(nr_sent, 24);
}

Test(serial, a_port_without_an_interrupt_for_room)
{
	port.polled = true;
	serial_by_irq();
	cr_expect_eq(irqs_set, 1, "it receives by interrupt");
	drains_at = 3;
	serial_text("line\n");
	cr_expect_str_eq(sent, "line\r\n");
	serial_push();
	cr_expect_eq(irqs_set, 1);
	cr_expect_not(room_irq);
}

/* Positions are 32 bits wide and go round. */
Test(serial, for_ever)
{
	uint64_t n = 0;

	drains_at = 3;
	serial_by_irq();
	for (uint32_t i = 0; i < 300000; i++) {
		write_many(i, 1);
		if (i % 5 == 0) {
			serial_push();
		}
		for (uint32_t k = 0; k < nr_sent; k++, n++) {
			cr_assert_eq(sent[k], (char)('0' + n % 67));
		}
		nr_sent = 0;
	}
	serial_flush();
	cr_expect_eq(n + nr_sent, 300000);
}
