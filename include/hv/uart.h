/* SPDX-License-Identifier: Apache-2.0 */
/* PORT: a serial line for the console. Four functions a driver, or five. */
#ifndef HV_UART_H
#define HV_UART_H

#include <lib/types.h>

struct uart {
	const char *name;
	void (*init)(void *regs);    /* keep the loader's baud rate */
	void (*putc)(void *regs, char c); /* waits, bounded */
	int (*getc)(void *regs);     /* -1: nothing */
	void (*irq_enable)(void *regs); /* receive interrupt on */
	const char *const *compatible;  /* NULL-terminated */
	/*
	 * NULL, or before init: register n is at n << @shift and is accessed
	 * by @width bytes. -EINVAL: not by this driver.
	 */
	int (*layout)(uint32_t shift, uint32_t width);
	uint8_t shift, width; /* where the device tree has none */
	uint8_t nr_regs;
};

extern const struct uart uart_pl011, uart_imx, uart_cadence, uart_lpuart,
	uart_ns8250, uart_dw_apb, uart_ns8250_words;

#endif
