/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of a domain that was started at boot: lines of output, marked
 * with its name, and what is typed for it.
 */
#ifndef HV_GUEST_CONSOLE_H
#define HV_GUEST_CONSOLE_H

#include <lib/types.h>
#include <hv/lock.h>

struct domain;

#define GUEST_LINE 120u
#define GUEST_INPUT 64u /* power of two */

struct guest_console {
	struct spinlock lock; /* rank GUEST_CONSOLE; also the arch's UART */
	uint32_t line_len;
	uint32_t in_head;     /* characters ever put in */
	uint32_t in_tail;     /* ... and taken out */
	char line[GUEST_LINE]; /* not written yet */
	char in[GUEST_INPUT];
};

/* Its output, any CPU: whole lines, or at once while it has the keyboard. */
void guest_console_write(struct domain *d, const char *buf, uint32_t len);
/* Write what it has of a line: the keyboard is its own from now on. */
void guest_console_flush(struct domain *d);
/* Typed for it: kept for it, dropped when it does not read. */
void guest_console_input(struct domain *d, char c);
/* Input to @buf; bytes copied, 0: none. */
uint32_t guest_console_read(struct domain *d, char *buf, uint32_t len);
/* The next character, -1: none. */
int guest_console_getc_locked(struct guest_console *gc)
	REQUIRES(gc->lock);

static inline uint32_t guest_console_waiting(const struct guest_console *gc)
{
	return gc->in_head - gc->in_tail;
}

#endif
