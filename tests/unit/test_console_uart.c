/* SPDX-License-Identifier: Apache-2.0 */
// LINK: boot/console_uart.c drivers/uart/pl011.c drivers/uart/imx.c
// LINK: drivers/uart/cadence.c drivers/uart/lpuart.c drivers/uart/ns8250.c
// LINK: tests/fakes/fake_log.c
// CFLAGS: -include tests/fakes/fake_uart_port.h
// LIBS: -lfdt
/*
 * Which driver the console gets by its node, and whether its registers may lie
 * as the tree says.
 */
#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdlib.h>

#include <arch/stage1.h>
#include <hv/console.h>
#include <hv/uart.h>
#include <lib/errno.h>

#include "boot/boot.h"
#include "tests/fakes/fake_log.h"

static char tree[1024];
static char frame[0x1000];
static bool no_room;
static const struct uart *inited;
static uint32_t nr_writes;

void *stage1_map_device(uint64_t pa, uint64_t size)
{
	cr_assert_eq(pa, 0xfe215040);
	(void)size;
	return no_room ? NULL : frame;
}

void console_init(const struct uart *u, void *regs, uint32_t intid)
{
	cr_assert_eq(intid, 125);
	inited = u;
	u->init(regs);
}

uint8_t mmio_read8(const volatile void *p)
{
	(void)p;
	return 0xff;
}

uint32_t mmio_read32(const volatile void *p)
{
	(void)p;
	return ~0u;
}

void mmio_write8(volatile void *p, uint8_t v)
{
	(void)p;
	(void)v;
	nr_writes++;
}

void mmio_write32(volatile void *p, uint32_t v)
{
	cr_assert_eq((uintptr_t)p % 4, 0);
	(void)v;
	nr_writes++;
}

/* A port of the compatible list @list (@size bytes, the last 0). */
static struct platform port(const char *list, uint32_t size)
{
	struct platform p = {
		.fdt = tree,
		.uart = {
			.base = 0xfe215040, .size = 0x40, .intid = 125,
			.compatible = list, .compatible_size = size,
		},
	};

	cr_assert_eq(fdt_create_empty_tree(tree, sizeof(tree)), 0);
	p.uart.node = fdt_add_subnode(tree, 0, "serial@40");
	cr_assert_gt(p.uart.node, 0);
	fake_log_reset();
	return p;
}

#define PORT(list) port(list, sizeof(list))

static void set(const char *name, uint32_t v)
{
	cr_assert_eq(fdt_setprop_u32(tree, fdt_path_offset(tree, "/serial@40"),
				     name, v), 0);
}

Test(console_uart, the_first_name_that_is_known)
{
	struct platform p = PORT("fsl,imx8qm-lpuart\0fsl,imx8qxp-lpuart");

	cr_expect_eq(boot_console_driver(&p), &uart_lpuart);
	p = PORT("acme,uart\0arm,pl011\0ns16550a");
	cr_expect_eq(boot_console_driver(&p), &uart_pl011);
	p = PORT("brcm,bcm2835-aux-uart");
	cr_expect_eq(boot_console_driver(&p), &uart_bcm_aux);
	p = PORT("rockchip,rk3399-uart\0snps,dw-apb-uart");
	cr_expect_eq(boot_console_driver(&p), &uart_dw_apb);
	p = PORT("qcom,geni-debug-uart");
	cr_expect_null(boot_console_driver(&p));
	cr_expect_eq(boot_console_init(&p), -ENODEV);
	/* Other LPUARTs have their registers elsewhere. */
	p = PORT("fsl,ls1028a-lpuart");
	cr_expect_null(boot_console_driver(&p));
	p = PORT("fsl,ls1021a-lpuart");
	cr_expect_null(boot_console_driver(&p));
}

Test(console_uart, no_console)
{
	struct platform p = PORT("arm,pl011");

	p.uart.base = 0;
	cr_expect_eq(boot_console_init(&p), -ENODEV);
	p.uart.base = 0xfe215040;
	p.uart.compatible = NULL;
	cr_expect_eq(boot_console_init(&p), -ENODEV);
	p.uart.compatible = "arm,pl011";
	no_room = true;
	cr_expect_eq(boot_console_init(&p), -ENOMEM);
	cr_expect_null(inited);
	no_room = false;
	cr_expect_eq(boot_console_init(&p), 0);
	cr_expect_eq(inited, &uart_pl011);
	cr_expect_gt(nr_writes, 0);
}

struct lie {
	const char *what;
	uint32_t shift, width;
	uint64_t base, size;
	bool ok;
};

static const struct lie lies[] = {
	{ "words", 2, 4, 0xfe215040, 0x80, true },
	{ "bytes in words", 2, 1, 0xfe215041, 0x80, true },
	{ "too small by one", 2, 4, 0xfe215040, 0x7f, false },
	{ "bytes", 0, 1, 0xfe215043, 0x20, true },
	{ "words that overlap", 1, 4, 0xfe215040, 0x80, false },
	{ "not on a word", 2, 4, 0xfe215042, 0x80, false },
	{ "no width", 2, 0, 0xfe215040, 0x80, false },
	{ "half words", 2, 2, 0xfe215040, 0x80, false },
	{ "double words", 3, 8, 0xfe215040, 0x100, false },
	{ "far apart", 32, 4, 0xfe215040, UINT64_MAX, false },
	{ "nonsense", 0xffffffff, 0xffffffff, 0xfe215040, 0x80, false },
};

Test(console_uart, registers_lie_within_the_port)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct platform p = PORT("snps,dw-apb-uart");
		const struct uart *u;

		set("reg-shift", lies[i].shift);
		set("reg-io-width", lies[i].width);
		p.uart.base = lies[i].base;
		p.uart.size = lies[i].size;
		u = boot_console_driver(&p);
		cr_expect_eq(u, lies[i].ok ? &uart_dw_apb : NULL, "%s",
			     lies[i].what);
		cr_expect_eq(fake_log_count[LOG_WARN], lies[i].ok ? 0 : 1,
			     "%s", lies[i].what);
	}
}

/* Bytes side by side; a property of another length says nothing. */
Test(console_uart, what_the_tree_does_not_say)
{
	struct platform p = PORT("ns16550a");

	p.uart.size = 5;
	cr_expect_null(boot_console_driver(&p));
	p.uart.size = 6;
	cr_expect_eq(boot_console_driver(&p), &uart_ns8250);
	fdt_setprop(tree, p.uart.node, "reg-shift", "\0\0\0\0\0\0\0\x9", 8);
	cr_expect_eq(boot_console_driver(&p), &uart_ns8250);
	set("reg-shift", 9);
	cr_expect_null(boot_console_driver(&p));
	p = PORT("brcm,bcm2835-aux-uart");
	p.uart.size = 0x17;
	cr_expect_null(boot_console_driver(&p));
	p.uart.size = 0x18;
	cr_expect_eq(boot_console_driver(&p), &uart_bcm_aux);
}

Test(console_uart, ns8250_layouts)
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
