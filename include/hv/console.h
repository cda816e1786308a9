/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: a ring that dom0 can read (xl dmesg), the serial console, and the
 * console keys.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <stdarg.h>
#include <lib/types.h>

struct vcpu;
struct domain;
struct uart;

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Format "(BH) text", a newline is added when missing; always goes to the
 * ring, to the UART by loglvl.
 */
void log_printf(enum log_level lvl, const char *fmt, ...) __printf(2, 3);
#define log_err(...) log_printf(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_printf(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_printf(LOG_INFO, __VA_ARGS__)
/*
 * About a guest (NULL: nobody's device); rate-limited, all domains together;
 * counted when dropped.
 */
void log_guest(const struct domain *d, enum log_level lvl, const char *fmt,
	       ...) __printf(3, 4);

/* After a panic: straight to the UART, no locks; what waited first. */
void console_force(void);
/* Before the machine ends: all is out, and what comes waits for itself. */
void console_flush(void);
/* Output from here on; what was logged before is written out now. */
void console_init(const struct uart *u, void *regs, uint32_t intid);
/*
 * Input from here on, and output by interrupt; with irqchip set, on the CPU
 * that shall take it.
 */
void console_start_irq(void);
void console_set_levels(enum log_level hv, enum log_level guest);
/* dom0's bytes: to the UART as they are. */
void console_write_guest(struct domain *d, const char *buf, uint32_t len);
/*
 * Another domain's: each line begins with "(d1) ". What does not end a line is
 * seen too, and the rest may follow.
 */
void console_write_domain(const struct domain *d, const char *buf,
			  uint32_t len);
/* The keyboard is @d's. */
bool console_input_is(const struct domain *d);
/* Boot is over: without dom0 the keyboard is the first domain's. */
void console_input_begin(void);
/* There is input for dom0. */
bool console_input_waiting(void);
/* Input for dom0 (console_io read): bytes copied, 0: none. */
uint32_t console_read_guest(char *buf, uint32_t len);
#define CONSOLE_RING_SIZE 16384u /* bytes of log kept; a power of two */
/*
 * Copy log from position *@index (of which the ring knows the low 32 bits; too
 * old: the oldest) on and move it. Bytes copied; 0: that is all.
 */
uint32_t console_ring_read(char *buf, uint32_t len, uint32_t *index);
/* Readers get nothing of what was logged so far. */
void console_ring_clear(void);
/*
 * Take what was typed. In the interrupt of the UART alone: two CPUs at it would
 * mix up the characters.
 */
void console_poll(void);
/* PWORK_KEY: there is new log, a controller may want to know. */
void console_tell_news(void);

/* console_guest.c: @d gets its own (hv/guest_console.h). -ENOMEM. */
__must_check int guest_console_init(struct domain *d);
void guest_console_fini(struct domain *d);

/* console_keys.c: what key @key does, now; work point of any CPU. */
void console_key(char key);
/* debug_keys of a control domain: each character of @keys. */
void console_keys(const char *keys, uint32_t len);

#endif
