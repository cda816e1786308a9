/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated PL011: registers, its interrupt line, input and output. */
// LINK: arch/arm64/vdev/vpl011.c core/console_guest.c core/lock.c
// LINK: debug/lock_check.c core/percpu.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <abi/xen.h>
#include <arch/vpl011.h>
#include <hv/console.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/guest_console.h>
#include <hv/mmio.h>
#include <hv/percpu.h>
#include <lib/bits.h>
#include <lib/errno.h>

enum { DR = 0x00, FR = 0x18, LCR_H = 0x2c, CR = 0x30, IMSC = 0x38, RIS = 0x3c,
       MIS = 0x40, ICR = 0x44, PERIPHID = 0xfe0 };
#define FR_RXFE BIT32(4)
#define FR_RXFF BIT32(6)
#define FR_TXFE BIT32(7)
#define RX BIT32(4)
#define TX BIT32(5)
#define RT BIT32(6)

static struct domain dom = { .id = 1, .name = "d1" };
static struct dom_config config = {
	.uart_base = GUEST_PL011_BASE, .uart_intid = GUEST_VPL011_SPI,
};
static struct mmio_range range;
static bool line;
static unsigned int nr_levels;
static char out[256];
static uint32_t out_len;

/* ---- what it calls ------------------------------------------------------- */

void vgic_set_level(struct domain *d, struct vcpu *v, uint32_t intid,
		    bool level)
{
	cr_assert_eq(d, &dom);
	cr_assert_null(v);
	cr_assert_eq(intid, config.uart_intid);
	line = level;
	nr_levels++;
}

int mmio_register(struct domain *d, const struct mmio_range *r)
{
	cr_assert_eq(d, &dom);
	range = *r;
	return 0;
}

void console_write_domain(const struct domain *d, const char *buf,
			  uint32_t len)
{
	cr_assert_eq(d, &dom);
	cr_assert_leq(out_len + len, sizeof(out));
	memcpy(out + out_len, buf, len);
	out_len += len;
}

bool console_input_is(const struct domain *d)
{
	(void)d;
	return false;
}

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	return calloc(1, size);
}

void heap_free(struct domain *d, void *mem)
{
	(void)d;
	free(mem);
}

/* ---- help ---------------------------------------------------------------- */

static enum mmio_result do_access(struct mmio_access *a)
{
	return range.fn(NULL, a, range.opaque);
}

static uint32_t rd(uint64_t reg)
{
	struct mmio_access a = { .offset = reg, .size = 4 };

	cr_assert_eq(do_access(&a), MMIO_OK);
	return (uint32_t)a.value;
}

static void wr(uint64_t reg, uint32_t v)
{
	struct mmio_access a = { .offset = reg, .size = 4, .write = true,
				 .value = v };

	cr_assert_eq(do_access(&a), MMIO_OK);
}

static void type(const char *text)
{
	for (; *text; text++) {
		guest_console_input(&dom, *text);
	}
}

static void setup(void)
{
	percpu_init(0, 0, 0);
	dom.arch.vgic.nr_spis = 32;
	cr_assert_eq(guest_console_init(&dom), 0);
	cr_assert_eq(vpl011_init(&dom, &config), 0);
}

static void teardown(void)
{
	guest_console_fini(&dom);
}

TestSuite(vpl011, .init = setup, .fini = teardown);

/* ---- the model ----------------------------------------------------------- */

Test(vpl011, place_and_reset_state)
{
	cr_assert_eq(range.start, GUEST_PL011_BASE);
	cr_assert_eq(range.size, GUEST_PL011_SIZE);
	cr_assert_eq(rd(FR), FR_TXFE | FR_RXFE);
	cr_assert_eq(rd(IMSC), 0);
	cr_assert_eq(rd(RIS), TX);
	cr_assert_eq(rd(MIS), 0);
	cr_assert(!line);
	dom.arch.vgic.nr_spis = 0;
	cr_assert_eq(vpl011_init(&dom, &config), -EINVAL);
	dom.arch.vgic.nr_spis = 2;
	config.uart_intid = 34;
	cr_assert_eq(vpl011_init(&dom, &config), -EINVAL);
	config.uart_intid = 31;
	cr_assert_eq(vpl011_init(&dom, &config), -EINVAL);
}

/* A direct-mapped domain has it where the machine's is. */
Test(vpl011, another_place_and_interrupt)
{
	config.uart_base = 0x9000000;
	config.uart_intid = 33;
	dom.arch.vgic.nr_spis = 2;
	cr_assert_eq(vpl011_init(&dom, &config), 0);
	cr_assert_eq(range.start, 0x9000000);
	wr(IMSC, TX);
	cr_assert(line);
}

Test(vpl011, sends_lines)
{
	for (const char *p = "hello\n"; *p; p++) {
		wr(DR, (uint8_t)*p | 0x100); /* error bits are not data */
		cr_assert_eq(rd(FR), FR_TXFE | FR_RXFE);
	}
	cr_assert_eq(out_len, 6);
	cr_assert_eq(memcmp(out, "hello\n", 6), 0);
}

Test(vpl011, receives)
{
	type("ab");
	cr_assert_eq(rd(FR), FR_TXFE);
	cr_assert_eq(rd(RIS), TX | RX | RT);
	cr_assert_eq(rd(DR), 'a');
	cr_assert_eq(rd(DR), 'b');
	cr_assert_eq(rd(FR), FR_TXFE | FR_RXFE);
	cr_assert_eq(rd(DR), 0, "nothing there");
	cr_assert_eq(rd(RIS), TX);
	guest_console_input(&dom, (char)0xff);
	cr_assert_eq(rd(DR), 0xff, "no sign, no error bits");
}

Test(vpl011, full)
{
	for (unsigned int i = 0; i < GUEST_INPUT + 3; i++) {
		guest_console_input(&dom, (char)('A' + i % 26));
	}
	cr_assert_eq(rd(FR), FR_TXFE | FR_RXFF);
	for (unsigned int i = 0; i < GUEST_INPUT; i++) {
		cr_assert_eq(rd(DR), 'A' + i % 26);
	}
	cr_assert_eq(rd(FR), FR_TXFE | FR_RXFE, "the rest was dropped");
}

Test(vpl011, receive_interrupt_follows_the_fifo)
{
	wr(IMSC, RX | RT);
	cr_assert(!line);
	type("xy");
	cr_assert(line);
	cr_assert_eq(rd(MIS), RX | RT);
	wr(ICR, RX | RT);
	cr_assert(line, "there is still something");
	rd(DR);
	cr_assert(line);
	rd(DR);
	cr_assert(!line);
	type("z");
	cr_assert(line);
	wr(IMSC, 0);
	cr_assert(!line);
	cr_assert_eq(rd(MIS), 0);
	wr(IMSC, RT);
	cr_assert(line);
}

Test(vpl011, transmit_interrupt_until_acknowledged)
{
	wr(IMSC, TX);
	cr_assert(line, "there is room");
	wr(ICR, RX | RT);
	cr_assert(line);
	wr(ICR, TX);
	cr_assert(!line);
	cr_assert_eq(rd(RIS), 0);
	wr(DR, 'c');
	cr_assert(line);
	wr(IMSC, 0xffffffff);
	cr_assert_eq(rd(IMSC), 0x7ff);
}

Test(vpl011, other_registers)
{
	static const uint8_t ids[] = { 0x11, 0x10, 0x34, 0x00,
				       0x0d, 0xf0, 0x05, 0xb1 };

	for (unsigned int i = 0; i < 8; i++) {
		wr(PERIPHID + 4 * i, 0xff);
		cr_assert_eq(rd(PERIPHID + 4 * i), ids[i]);
	}
	wr(CR, 0x301);
	wr(LCR_H, 0x70);
	wr(RIS, 0);
	wr(MIS, 0);
	wr(FR, 0);
	cr_assert_eq(rd(CR), 0);
	cr_assert_eq(rd(LCR_H), 0);
	cr_assert_eq(rd(ICR), 0);
	cr_assert_eq(rd(RIS), TX);
	cr_assert_eq(out_len, 0);
}

Test(vpl011, sizes)
{
	struct mmio_access a = { .offset = PERIPHID, .size = 8 };

	cr_assert_eq(do_access(&a), MMIO_ABORT);
	a.size = 4;
	a.offset = PERIPHID + 2;
	cr_assert_eq(do_access(&a), MMIO_ABORT);
	a.size = 1;
	a.offset = PERIPHID;
	cr_assert_eq(do_access(&a), MMIO_OK);
	cr_assert_eq(a.value, 0x11);
	type("q");
	a.offset = DR;
	cr_assert_eq(do_access(&a), MMIO_OK);
	cr_assert_eq(a.value, 'q');
	a = (struct mmio_access){ .offset = DR, .size = 1, .write = true,
				  .value = '\n' };
	cr_assert_eq(do_access(&a), MMIO_OK);
	cr_assert_eq(out_len, 1);
	/* A byte beside the data register is not the data register. */
	a.offset = DR + 1;
	cr_assert_eq(do_access(&a), MMIO_OK);
	cr_assert_eq(out_len, 1);
	a.offset = IMSC + 1;
	a.value = 0x7;
	cr_assert_eq(do_access(&a), MMIO_OK);
	cr_assert_eq(rd(IMSC), 0);
}

/* The hypercall takes from the same input; the line follows. */
Test(vpl011, input_by_hypercall)
{
	char buf[4];

	wr(IMSC, RX);
	type("abc");
	cr_assert(line);
	cr_assert_eq(guest_console_read(&dom, buf, sizeof(buf)), 3);
	cr_assert_eq(memcmp(buf, "abc", 3), 0);
	cr_assert(!line);
}

/* Its domain begins again: half a line goes out, what was typed is gone. */
Test(vpl011, reset)
{
	wr(IMSC, RX | TX);
	wr(ICR, TX);
	wr(DR, 'h');
	type("abc");
	cr_assert(line);
	vpl011_reset(&dom);
	cr_assert(!line);
	cr_assert_eq(out_len, 1);
	cr_assert_eq(rd(IMSC), 0);
	cr_assert_eq(rd(RIS), TX);
	cr_assert_eq(rd(FR), FR_RXFE | FR_TXFE);
	type("d");
	cr_assert_eq(rd(DR), 'd');
}
