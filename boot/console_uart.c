/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drivers of serial ports, as a const table: which one serves the port
 * that is the console, and its registers mapped.
 *
 * Not     which port that is (fdt_console.c).
 * CPU     the boot CPU.
 * Spec    [DT] 4.2.1 "Serial Class Binding": reg-shift, and of Linux's
 *         bindings reg-io-width.
 */
#include "boot.h"
#include <arch/stage1.h>
#include <hv/console.h>
#include <hv/uart.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>

static const struct uart *const uarts[] = {
	&uart_pl011, &uart_imx, &uart_cadence, &uart_lpuart,
	&uart_ns8250, &uart_dw_apb, &uart_bcm_aux, &uart_ns8250_words,
};

static const struct uart *find_uart(const char *compatible)
{
	for (size_t i = 0; i < ARRAY_SIZE(uarts); i++) {
		for (const char *const *c = uarts[i]->compatible; *c; c++) {
			if (strcmp(*c, compatible) == 0) {
				return uarts[i];
			}
		}
	}
	return NULL;
}

/* A port names itself first and then what it is like: the first one we know. */
static const struct uart *driver_of(const char *list, uint32_t size)
{
	const struct uart *u = NULL;

	for (uint32_t at = 0; at < size && !u; ) {
		u = find_uart(list + at);
		at += (uint32_t)strlen(list + at) + 1;
	}
	return u;
}

static uint32_t number(const struct platform *p, const char *name,
		       uint32_t absent)
{
	int len;
	const fdt32_t *v = fdt_getprop(p->fdt, p->uart.node, name, &len);

	return v && len == (int)sizeof(*v) ? fdt32_ld(v) : absent;
}

/* All registers of the driver's must be within the port's. */
static int lay_out(const struct platform *p, const struct uart *u)
{
	bool guess = p->uart.node < 0;
	uint32_t shift = guess ? p->uart.shift :
				 number(p, "reg-shift", u->shift);
	uint32_t width = guess ? p->uart.width :
				 number(p, "reg-io-width", u->width);

	if (u->layout(shift, width) || p->uart.base % width != 0 ||
	    p->uart.size >> shift < u->nr_regs) {
		log_warn("device tree: the console's \"reg\", \"reg-shift\" "
			 "(%u) and \"reg-io-width\" (%u) do not fit; there is "
			 "no console\n", shift, width);
		return -ENODEV;
	}
	return 0;
}

const struct uart *boot_console_driver(const struct platform *p)
{
	const struct uart *u;

	if (p->uart.base == 0 || !p->uart.compatible) {
		return NULL;
	}
	u = driver_of(p->uart.compatible, p->uart.compatible_size);
	return u && u->layout && lay_out(p, u) ? NULL : u;
}

int boot_console_init(const struct platform *p)
{
	const struct uart *u = boot_console_driver(p);
	void *regs;

	if (!u) {
		return -ENODEV;
	}
	regs = stage1_map_device(p->uart.base, p->uart.size);
	if (!regs) {
		return -ENOMEM;
	}
	console_init(u, regs, p->uart.intid);
	return 0;
}
