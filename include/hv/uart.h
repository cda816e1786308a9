/* SPDX-License-Identifier: Apache-2.0 */
/* PORT: a serial line for the console. Four functions a driver. */
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
};

extern const struct uart uart_pl011, uart_imx, uart_cadence;

#endif
