/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/uart/pl011.c drivers/uart/imx.c drivers/uart/cadence.c
// LINK: drivers/uart/lpuart.c drivers/uart/ns8250.c
// CFLAGS: -include tests/fakes/fake_uart_port.h
/*
 * The UART drivers against models of their registers: a FIFO each way, what
 * the interrupt line does, and what the loader had left.
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#include <hv/uart.h>

static char frame[0x1000];

/* What all of the models have. */
static struct {
	char in[64];           /* not fetched yet */
	char out[64];
	uint32_t nr_out;
	uint32_t full_for;     /* polls for which there is no room */
	uint32_t queued;       /* of these, in the FIFO still */
	uint32_t depth;        /* of the FIFO; 0: drains at once */
	bool room_came;        /* pl011, cadence: latched */
	uint32_t reg[64];      /* written last, by offset / 4 */
	bool came;             /* cadence: latched until cleared */
	bool asked;            /* cadence: interrupts that are enabled */
	bool room_mask;
	const char *between;   /* cadence: comes while the driver looks */
	bool overrun;          /* lpuart: takes nothing until it is cleared */
	bool timeout;          /* 8250: one that an empty FIFO reports */
	bool busy;             /* 8250: the loader wrote while it was busy */
	bool model_latches;    /* cadence: above the mark it does not end */
	bool no_fifo;          /* 8250: the plain one */
	bool is_aux;           /* 8250: a mini-UART: room for one is room */
	uint32_t shift, width; /* 8250: 1 << shift from register to register */
} port;

static uint32_t (*model_read)(uint32_t off);
static void (*model_write)(uint32_t off, uint32_t v);

/* The models' registers are 4 bytes apart, whatever the port's are. */
static uint32_t offset_of(const volatile void *p, uint32_t width)
{
	uint32_t off = (uint32_t)((const volatile char *)p - frame);

	cr_assert_eq(width, port.width);
	cr_assert_eq(off % (1u << port.shift), 0);
	off = off >> port.shift << 2;
	cr_assert_lt(off, sizeof(port.reg));
	return off;
}

static void written(uint32_t off, uint32_t v)
{
	port.reg[off / 4] = v;
	model_write(off, v);
}

uint32_t mmio_read32(const volatile void *p)
{
	return model_read(offset_of(p, 4));
}

void mmio_write32(volatile void *p, uint32_t v)
{
	written(offset_of(p, 4), v);
}

uint8_t mmio_read8(const volatile void *p)
{
	return (uint8_t)model_read(offset_of(p, 1));
}

void mmio_write8(volatile void *p, uint8_t v)
{
	written(offset_of(p, 1), v);
}

static uint32_t reg(uint32_t off)
{
	return port.reg[off / 4];
}

/* The FIFO to the line has all its places free, as far as a model has one. */
static bool has_room(void)
{
	if (port.queued >= (port.depth ? port.depth : 64)) {
		return false;
	}
	if (port.full_for) {
		port.full_for--;
		return false;
	}
	return true;
}

static uint32_t fetch(void)
{
	uint32_t c = (uint8_t)port.in[0];

	cr_assert_neq(c, 0, "an empty FIFO is read");
	memmove(port.in, port.in + 1, strlen(port.in));
	return c;
}

static void sent(uint32_t c)
{
	cr_assert_eq(port.full_for, 0, "a full FIFO is written");
	cr_assert_lt(port.nr_out, sizeof(port.out) - 1);
	port.out[port.nr_out++] = (char)c;
	if (port.depth) {
		port.queued++;
		cr_assert_leq(port.queued, port.depth, "it overflows");
	}
}

/* ---- PL011 --------------------------------------------------------------- */

static uint32_t pl011_read(uint32_t off)
{
	switch (off) {
	case 0x00:
		return fetch() | 0x300; /* with errors */
	case 0x18:
		return (port.in[0] ? 0 : 1u << 4) | (has_room() ? 0 : 1u << 5);
	default:
		return reg(off);
	}
}

static void pl011_write(uint32_t off, uint32_t v)
{
	if (off == 0) {
		sent(v);
	}
}

/* Falls to half: not a level, and over when it is above that again. */
static bool pl011_room_line(void)
{
	return port.room_came && (reg(0x38) & 1u << 5);
}

static bool pl011_line(void)
{
	return port.in[0] && (reg(0x38) & 1u << 4) &&
	       (reg(0x30) & 0x301) == 0x301;
}

/* ---- i.MX ---------------------------------------------------------------- */

static uint32_t imx_read(uint32_t off)
{
	switch (off) {
	case 0x00:
		return fetch() | 1u << 15 | 1u << 14; /* ready, error */
	case 0x98:
		return port.in[0] ? 1 : 0;
	case 0xb4:
		return has_room() ? 0 : 1u << 4;
	default:
		return reg(off);
	}
}

static void imx_write(uint32_t off, uint32_t v)
{
	if (off == 0x40) {
		sent(v);
	}
	if (off == 0x84) {
		cr_expect(v & 1, "SRST resets the FIFOs when it is written 0");
	}
}

static bool imx_room_line(void)
{
	return port.queued == 0 && (reg(0x80) & 1u << 6);
}

static bool imx_line(void)
{
	return port.in[0] && (reg(0x8c) & 1) && (reg(0x80) & 1) &&
	       (reg(0x84) & 7) == 7;
}

/* ---- Cadence ------------------------------------------------------------- */

static uint32_t cadence_read(uint32_t off)
{
	switch (off) {
	case 0x30:
		return fetch();
	case 0x2c:
		return (port.in[0] ? 0 : 1u << 1) |
		       (has_room() ? port.queued ? 0 : 1u << 3 : 1u << 4);
	default:
		return reg(off);
	}
}

static void cadence_write(uint32_t off, uint32_t v)
{
	if (off == 0x30) {
		sent(v);
	}
	if (off == 0x14 && (v & 8)) {
		port.room_came = false;
	}
	if (off == 0x08 || off == 0x0c) {
		port.asked |= off == 0x08 && (v & 1);
		port.room_mask = v & 8 ? off == 0x08 : port.room_mask;
	}
	if (off == 0x14 && (v & 0x101) == 0x101) {
		port.came = false;
		if (port.between) {
			strcat(port.in, port.between);
			port.between = NULL;
		}
	}
}

/* Latched from the state, enabled by one register and not by another. */
static bool cadence_room_line(void)
{
	port.room_came |= port.queued == 0;
	return port.room_came && port.room_mask;
}

static bool cadence_line(void)
{
	port.came |= port.in[0] != 0;
	return port.came && port.asked && (reg(0x00) & 0x14) == 0x14;
}

/* ---- LPUART -------------------------------------------------------------- */

static bool lpuart_is_on(void)
{
	return reg(0x18) & (3u << 18);
}

static uint32_t lpuart_read(uint32_t off)
{
	uint32_t mark = reg(0x2c) >> 16 & 0xff;

	switch (off) {
	case 0x1c:
		return fetch() | 3u << 14; /* parity and frame errors */
	case 0x14:
		return (port.overrun ? 1u << 19 : 0) |
		       (strlen(port.in) > mark ? 1u << 21 : 0) |
		       (has_room() && port.queued == 0 ? 3u << 22 : 0);
	case 0x28:
		return reg(off) | 3u << 4; /* 16 characters */
	default:
		return reg(off);
	}
}

static void lpuart_write(uint32_t off, uint32_t v)
{
	if (off == 0x1c) {
		sent(v);
	}
	if (off == 0x14 && (v & 1u << 19)) {
		port.overrun = false;
	}
	if (off == 0x28 || off == 0x2c) {
		cr_expect_not(lpuart_is_on(), "FIFOs change while it is on");
	}
}

static bool lpuart_room_line(void)
{
	return port.queued == 0 && (reg(0x18) & 1u << 23);
}

static bool lpuart_line(void)
{
	return strlen(port.in) > (reg(0x2c) >> 16 & 0xff) &&
	       (reg(0x18) & 1u << 21) && (reg(0x18) & 1u << 18);
}

/* ---- 8250 ---------------------------------------------------------------- */

static uint32_t ns_read(uint32_t off)
{
	switch (off / 4) {
	case 0:
		if (port.timeout) {
			port.timeout = false;
			return 0; /* whatever the FIFO had */
		}
		return fetch() | 0xab00; /* a word's other bytes */
	case 2:
		return (port.busy ? 7 :
			port.in[0] ? 4 :
			port.timeout ? 12 : 1) | (port.no_fifo ? 0 : 0xc0);
	case 5:
		return (port.in[0] ? 1 : 0) |
		       (has_room() && (port.queued == 0 || port.is_aux) ?
				0x60 : 0) | 0x1e;
	case 31:
		port.busy = false;
		return 0;
	default:
		return reg(off);
	}
}

static void ns_write(uint32_t off, uint32_t v)
{
	if (off == 0) {
		sent(v);
	}
}

static bool ns_room_line(void)
{
	return port.queued == 0 && (reg(4) & 2) && (reg(16) & 8);
}

/* A mini-UART's interrupt for characters needs bit 2 as well. */
static bool ns_line(void)
{
	bool came = port.in[0] || port.timeout || port.busy;

	return came && (reg(4) & 5) == 5 && (reg(16) & 8);
}

/* -------------------------------------------------------------------------- */

struct model {
	const struct uart *uart;
	uint32_t (*read)(uint32_t off);
	void (*write)(uint32_t off, uint32_t v);
	bool (*line)(void);
	bool (*room_line)(void);
	uint32_t loader[2];    /* a register that the loader wrote, and what */
	uint32_t shift, width; /* 8250 */
};

#define PORT(u, model)                                                        \
	.uart = &(u), .read = model##_read, .write = model##_write,           \
	.line = model##_line, .room_line = model##_room_line

static const struct model models[] = {
	{ PORT(uart_pl011, pl011), .loader = { 0x38, 0x7ff } },
	/* Flow control, the aging timer and an escape character are on. */
	{ PORT(uart_imx, imx), .loader = { 0x84, 0x8039 } },
	{ PORT(uart_cadence, cadence), .loader = { 0x08, 0 } },
	/* All interrupts but for characters, 7 bits and parity. */
	{ PORT(uart_lpuart, lpuart), .loader = { 0x18, 0x28dc0802 } },
	{ PORT(uart_ns8250, ns), .loader = { 4, 0xff }, .width = 1 },
	{ PORT(uart_dw_apb, ns), .loader = { 4, 0xff }, .shift = 2,
	  .width = 4 },
	{ PORT(uart_dw_apb, ns), .loader = { 4, 0xff }, .shift = 2,
	  .width = 1 },
	{ PORT(uart_ns8250_words, ns), .loader = { 4, 0xff }, .shift = 2,
	  .width = 4 },
	{ PORT(uart_bcm_aux, ns), .loader = { 4, 0xff }, .shift = 2,
	  .width = 4 },
};

static void use(const struct model *m)
{
	memset(&port, 0, sizeof(port));
	model_read = m->read;
	model_write = m->write;
	port.is_aux = m->uart == &uart_bcm_aux;
	port.reg[m->loader[0] / 4] = m->loader[1];
	port.shift = m->width ? m->shift : 2;
	port.width = m->width ? m->width : 4;
	if (m->uart->layout) {
		cr_assert_eq(m->uart->layout(m->shift, m->width), 0);
	}
	m->uart->init(frame);
}

static void use_uart(const struct uart *u)
{
	const struct model *m = models;

	while (m->uart != u) {
		m++;
	}
	use(m);
}

#define FOR_EACH_MODEL(m) \
	for (const struct model *m = models; \
	     m < models + sizeof(models) / sizeof(models[0]) && \
	     (use(m), true); m++)

Test(uart, prints_when_there_is_room)
{
	FOR_EACH_MODEL(m) {
		cr_expect_gt(m->uart->room(frame), 0);
		m->uart->put(frame, 'a');
		port.full_for = 2;
		cr_expect_eq(m->uart->room(frame) + m->uart->room(frame), 0);
		cr_expect_gt(m->uart->room(frame), 0);
		m->uart->put(frame, (char)0xe4);
		cr_expect_str_eq(port.out, "a\xe4", "%s", m->uart->name);
	}
}

/* The line takes @n characters from the FIFO. */
static void drain(uint32_t n)
{
	for (; n && port.queued; n--) {
		port.queued--;
		port.room_came |= port.queued <= 8;
	}
}

/* What room() says, and again, until it says 0. How many that were. */
static uint32_t fill(const struct uart *u, uint32_t most)
{
	uint32_t n = 0, room = 0;

	for (; n < most; n++, room--) {
		room = room ? room : u->room(frame);
		if (room == 0) {
			break;
		}
		u->put(frame, 'x');
		port.room_came &= port.queued <= 8 || port.model_latches;
	}
	port.nr_out = 0;
	return n;
}

/*
 * The interrupt for room: not unless it is asked for, not while the FIFO is
 * full, when it is empty at the latest, and never once it is switched off.
 */
Test(uart, says_by_interrupt_that_there_is_room)
{
	FOR_EACH_MODEL(m) {
		const char *name = m->uart->name;
		uint32_t n;

		if (m->uart->polled) {
			continue;
		}
		port.model_latches = m->uart == &uart_cadence;
		port.depth = port.is_aux ? 8 : 16;
		m->uart->irqs(frame, false);
		n = fill(m->uart, 64);
		cr_expect_eq(n, port.depth, "%s: %u", name, n);
		drain(100);
		cr_expect_not(m->room_line(), "%s: not asked for", name);
		fill(m->uart, 64);
		m->uart->irqs(frame, true);
		for (int i = 0; i < 3; i++) {
			cr_expect_eq(fill(m->uart, 64), 0);
			cr_expect_not(m->room_line(), "%s: full", name);
			drain(1);
			if (fill(m->uart, 64) == 0) {
				drain(100);
				cr_expect(m->room_line(), "%s", name);
				cr_expect_gt(fill(m->uart, 64), 0);
			}
		}
		strcpy(port.in, "c");
		cr_expect(m->line(), "%s: still receives", name);
		cr_expect_eq(m->uart->getc(frame), 'c');
		drain(100);
		cr_expect(m->room_line(), "%s", name);
		m->uart->irqs(frame, false);
		cr_expect_not(m->room_line(), "%s: off", name);
		strcpy(port.in, "d");
		cr_expect(m->line(), "%s: still receives", name);
	}
}

/* All but the one that is polled: several characters an interrupt. */
Test(uart, fills_its_fifo)
{
	FOR_EACH_MODEL(m) {
		port.no_fifo = true;
		port.depth = 1;
		m->uart->init(frame);
		cr_expect(!m->uart->layout || m->uart->room(frame) == 1);
	}
	use_uart(&uart_lpuart);
	cr_expect_eq(uart_lpuart.room(frame), 16);
	use_uart(&uart_ns8250);
	cr_expect_eq(uart_ns8250.room(frame), 16);
}

/* What empties the FIFO while room is looked for raises the line again. */
Test(uart, cadence_loses_no_interrupt_for_room)
{
	use_uart(&uart_cadence);
	port.model_latches = true;
	port.depth = 16;
	fill(&uart_cadence, 64);
	uart_cadence.irqs(frame, true);
	cr_expect_eq(uart_cadence.room(frame), 0);
	cr_expect_not(cadence_room_line());
	drain(100);
	cr_expect(cadence_room_line());
	fill(&uart_cadence, 1);
	cr_expect_eq(uart_cadence.room(frame), 0, "only when it is empty");
	cr_expect_not(cadence_room_line(), "storm");
}

Test(uart, takes_characters_by_interrupt)
{
	FOR_EACH_MODEL(m) {
		cr_expect_eq(m->uart->getc(frame), -1);
		strcpy(port.in, "x\xfc");
		cr_expect_not(m->line(), "%s: not yet asked for",
			      m->uart->name);
		m->uart->irqs(frame, false);
		cr_expect(m->line(), "%s", m->uart->name);
		cr_expect_eq(m->uart->getc(frame), 'x');
		cr_expect(m->line(), "%s", m->uart->name);
		cr_expect_eq(m->uart->getc(frame), 0xfc);
		cr_expect_eq(m->uart->getc(frame), -1);
		cr_expect_not(m->line(), "%s: storm", m->uart->name);
	}
}

/* What comes while the interrupt is being cleared is not lost. */
Test(uart, cadence_clears_and_looks_again)
{
	use_uart(&uart_cadence);
	uart_cadence.irqs(frame, false);
	strcpy(port.in, "a");
	cr_expect(cadence_line());
	cr_expect_eq(uart_cadence.getc(frame), 'a');
	port.between = "b";
	cr_expect_eq(uart_cadence.getc(frame), 'b');
	cr_expect_eq(uart_cadence.getc(frame), -1);
	cr_expect_not(cadence_line());
}

Test(uart, imx_leaves_nothing_of_the_loaders_on)
{
	use_uart(&uart_imx);
	cr_expect_eq(reg(0x84) & 0x8018, 0);
	cr_expect_eq(reg(0x84) & 0x20, 0x20, "the word's length stays");
	cr_expect_eq(reg(0x8c), 0);
	cr_expect_eq(reg(0x80), 1);
}

Test(uart, lpuart_takes_on_after_an_overrun)
{
	use_uart(&uart_lpuart);
	uart_lpuart.irqs(frame, false);
	strcpy(port.in, "a");
	port.overrun = true;
	cr_expect_eq(uart_lpuart.getc(frame), 'a');
	cr_expect_not(port.overrun);
}

/* What the loader sent is out, then everything of its own is off. */
Test(uart, lpuart_leaves_nothing_of_the_loaders_on)
{
	use_uart(&uart_lpuart);
	cr_expect_eq(reg(0x18), 0x000c0802, "%#x", reg(0x18));
	port.reg[0x10 / 4] = 0x00b0c0a1;
	port.reg[0x24 / 4] = 0x1f;
	port.full_for = 50;
	uart_lpuart.init(frame);
	cr_expect_eq(port.full_for, 0, "not before the last character");
	cr_expect_eq(reg(0x10), 0x000000a1, "the baud rate stays: %#x",
		     reg(0x10));
	cr_expect_eq(reg(0x24), 0);
	cr_expect_eq(reg(0x28), 0x4088);
	port.full_for = 1000000; /* never: its clock is off */
	uart_lpuart.init(frame);
	cr_expect_eq(port.full_for, 900000);
}

/* Stays up with nothing to fetch: until a certain register is read. */
Test(uart, dw_has_no_storm_from_what_is_no_character)
{
	use_uart(&uart_dw_apb);
	uart_dw_apb.irqs(frame, false);
	port.timeout = true;
	cr_expect(ns_line());
	cr_expect_eq(uart_dw_apb.getc(frame), -1);
	cr_expect_not(ns_line());
	port.busy = true;
	cr_expect(ns_line());
	cr_expect_eq(uart_dw_apb.getc(frame), -1);
	cr_expect_not(ns_line());
	strcpy(port.in, "a");
	port.busy = true;
	cr_expect_eq(uart_dw_apb.getc(frame), 'a');
	cr_expect_eq(uart_dw_apb.getc(frame), -1);
	cr_expect_not(ns_line());
}
