/* SPDX-License-Identifier: Apache-2.0 */
/* A serial port found and written by code that needs nothing set up. */
#ifndef BOOT_EARLY_UART_H
#define BOOT_EARLY_UART_H

#include <lib/types.h>

struct early_uart {
	uint64_t base;          /* of its registers */
	const char *compatible; /* by which it was recognised */
	uint8_t row;            /* of early_uart.c's kinds of ports */
	uint8_t shift;          /* 1 << shift bytes from register to register */
	uint8_t width;          /* bytes of a register */
};

/*
 * The port that the tree of at most @max bytes at @fdt names as its console, or
 * else the first one in it that is of a known kind and not disabled; false:
 * none. Nothing in the tree is trusted.
 */
bool early_uart_find(uint64_t fdt, uint64_t max, struct early_uart *u);
/* Its transmitter on, where the loader may have left it off. */
void early_uart_start(const struct early_uart *u);
/* One character, polled; within a bounded time even if there is no port. */
void early_uart_put(const struct early_uart *u, char c);

#endif
