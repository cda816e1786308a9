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
	uint32_t reg[64];      /* written last, by offset / 4 */
	bool came;             /* cadence: latched until cleared */
	const char *between;   /* cadence: comes while the driver looks */
	bool overrun;          /* lpuart: takes nothing until it is cleared */
	bool timeout;          /* 8250: one that an empty FIFO reports */
	bool busy;             /* 8250: the loader wrote while it was busy */
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

static bool has_room(void)
{
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
	port.out[port.nr_out++] = (char)c;
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
		return (port.in[0] ? 0 : 1u << 1) | (has_room() ? 0 : 1u << 4);
	default:
		return reg(off);
	}
}

static void cadence_write(uint32_t off, uint32_t v)
{
	if (off == 0x30) {
		sent(v);
	}
	if (off == 0x14 && (v & 0x101) == 0x101) {
		port.came = false;
		if (port.between) {
			strcat(port.in, port.between);
			port.between = NULL;
		}
	}
}

static bool cadence_line(void)
{
	port.came |= port.in[0] != 0;
	return port.came && (reg(0x08) & 1) && (reg(0x00) & 0x14) == 0x14;
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
		       (has_room() ? 3u << 22 : 0);
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
		return port.busy ? 7 : port.in[0] ? 4 : port.timeout ? 12 : 1;
	case 5:
		return (port.in[0] ? 1 : 0) | (has_room() ? 0x60 : 0) | 0x1e;
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
	uint32_t loader[2];    /* a register that the loader wrote, and what */
	uint32_t shift, width; /* 8250 */
};

#define PORT(u, model)                                                        \
	.uart = &(u), .read = model##_read, .write = model##_write,           \
	.line = model##_line

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
};

static void use(const struct model *m)
{
	memset(&port, 0, sizeof(port));
	model_read = m->read;
	model_write = m->write;
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
		m->uart->putc(frame, 'a');
		port.full_for = 50;
		m->uart->putc(frame, (char)0xe4);
		cr_expect_str_eq(port.out, "a\xe4", "%s", m->uart->name);
	}
}

/* A port whose clock is off never has room. */
Test(uart, a_dead_port_does_not_hold_us)
{
	FOR_EACH_MODEL(m) {
		port.full_for = 100000;
		m->uart->putc(frame, 'a');
		cr_expect_eq(port.nr_out, 1, "%s", m->uart->name);
	}
}

Test(uart, takes_characters_by_interrupt)
{
	FOR_EACH_MODEL(m) {
		cr_expect_eq(m->uart->getc(frame), -1);
		strcpy(port.in, "x\xfc");
		cr_expect_not(m->line(), "%s: not yet asked for",
			      m->uart->name);
		m->uart->irq_enable(frame);
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
	uart_cadence.irq_enable(frame);
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
	uart_lpuart.irq_enable(frame);
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
	uart_dw_apb.irq_enable(frame);
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

Test(uart, ns8250_layouts)
{
	static const struct {
		uint32_t shift, width;
		int rc;
	} t[] = {
		{ 0, 1, 0 }, { 2, 1, 0 }, { 2, 4, 0 }, { 4, 4, 0 },
		{ 1, 4, -22 }, { 0, 4, -22 }, { 5, 1, -22 }, { 0, 0, -22 },
		{ 2, 2, -22 }, { 2, 8, -22 }, { 0xffffffff, 1, -22 },
		{ 2, 0xffffffff, -22 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		cr_expect_eq(uart_ns8250.layout(t[i].shift, t[i].width),
			     t[i].rc, "%u %u", t[i].shift, t[i].width);
	}
}
