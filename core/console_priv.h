/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What console.c asks of the serial line (console_serial.c). Output with the
 * console's lock, or after console_force().
 */
#ifndef CORE_CONSOLE_PRIV_H
#define CORE_CONSOLE_PRIV_H

#include <hv/uart.h>
#include <lib/types.h>

#define SERIAL_SIZE 8192u /* characters that wait at most; a power of two */

/* To @u from here on, waiting for each character. */
void serial_init(const struct uart *u, void *regs);
/* The UART's interrupt is taken from now on: by it, if it can. Boot only. */
void serial_by_irq(void);
/* "\n" goes as "\r\n". Waits, bounded, when SERIAL_SIZE wait already. */
void serial_char(char c);
void serial_text(const char *text);
void serial_write(const char *buf, uint32_t len);
/*
 * A piece of text is complete, or the UART has its interrupt: out with what
 * there is room for, and with the rest by interrupt.
 */
void serial_push(void);
/* Out with all that waits, and from now on waiting for each character. */
void serial_flush(void);
/* What has come; -1: nothing. In the interrupt alone. */
int serial_getc(void);

#endif
