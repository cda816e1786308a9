/* SPDX-License-Identifier: Apache-2.0 */
/* PORT: a serial line for the console. Six functions a driver, or seven. */
#ifndef HV_UART_H
#define HV_UART_H

#include <lib/types.h>

struct uart {
	const char *name;
	void (*init)(void *regs);    /* keep the loader's baud rate */
	uint32_t (*room)(void *regs); /* put() so many now; 0: none */
	void (*put)(void *regs, char c); /* what room() said there is */
	int (*getc)(void *regs);     /* -1: nothing */
	/*
	 * Interrupt when something has come, and while @room is true when
	 * there is room again: after room() said 0, or after UART_BURST
	 * characters put at once. One may come without a reason.
	 */
	void (*irqs)(void *regs, bool room);
	const char *const *compatible;  /* NULL-terminated */
	/*
	 * NULL, or before init: register n is at n << @shift and is accessed
	 * by @width bytes. -EINVAL: not by this driver.
	 */
	int (*layout)(uint32_t shift, uint32_t width);
	uint8_t shift, width; /* where the device tree has none */
	uint8_t nr_regs;
	bool polled; /* its interrupt for room is not relied upon */
};

/* More than the FIFO level at which any of the drivers' interrupts comes. */
#define UART_BURST 32u

extern const struct uart uart_pl011, uart_imx, uart_cadence, uart_lpuart,
	uart_ns8250, uart_dw_apb, uart_bcm_aux, uart_ns8250_words;

#endif
