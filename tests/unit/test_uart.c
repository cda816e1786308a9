/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/uart/pl011.c drivers/uart/imx.c drivers/uart/cadence.c
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
} port;

static uint32_t (*model_read)(uint32_t off);
static void (*model_write)(uint32_t off, uint32_t v);

uint32_t mmio_read32(const volatile void *p)
{
	return model_read((uint32_t)((const volatile char *)p - frame));
}

void mmio_write32(volatile void *p, uint32_t v)
{
	uint32_t off = (uint32_t)((volatile char *)p - frame);

	cr_assert_lt(off, sizeof(port.reg));
	port.reg[off / 4] = v;
	model_write(off, v);
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

/* -------------------------------------------------------------------------- */

struct model {
	const struct uart *uart;
	uint32_t (*read)(uint32_t off);
	void (*write)(uint32_t off, uint32_t v);
	bool (*line)(void);
	uint32_t loader[2];    /* a register that the loader wrote, and what */
};

static const struct model models[] = {
	{ &uart_pl011, pl011_read, pl011_write, pl011_line, { 0x38, 0x7ff } },
	/* Flow control, the aging timer and an escape character are on. */
	{ &uart_imx, imx_read, imx_write, imx_line, { 0x84, 0x8039 } },
	{ &uart_cadence, cadence_read, cadence_write, cadence_line,
	  { 0x08, 0 } },
};

static void use(const struct model *m)
{
	memset(&port, 0, sizeof(port));
	model_read = m->read;
	model_write = m->write;
	port.reg[m->loader[0] / 4] = m->loader[1];
	m->uart->init(frame);
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
	use(&models[2]);
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
	use(&models[1]);
	cr_expect_eq(reg(0x84) & 0x8018, 0);
	cr_expect_eq(reg(0x84) & 0x20, 0x20, "the word's length stays");
	cr_expect_eq(reg(0x8c), 0);
	cr_expect_eq(reg(0x80), 1);
}
