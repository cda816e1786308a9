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

/* Format "(BH) text"; always goes to the ring, to the UART by loglvl. */
void log_printf(enum log_level lvl, const char *fmt, ...) __printf(2, 3);
#define log_err(...) log_printf(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_printf(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_printf(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_printf(LOG_DEBUG, __VA_ARGS__)
/* About a guest; rate-limited per domain, counted when dropped. */
void log_guest(const struct domain *d, enum log_level lvl, const char *fmt,
	       ...) __printf(3, 4);

/* After a panic: straight to the UART, no locks. */
void console_force(void);
void console_init(const struct uart *u, void *regs, uint32_t intid);
void console_set_levels(enum log_level hv, enum log_level guest);
/* dom0's bytes: to the UART as they are. */
void console_write_guest(struct domain *d, const char *buf, uint32_t len);
/* Input for dom0 (console_io read): bytes copied, 0: none. */
uint32_t console_read_guest(char *buf, uint32_t len);
/* Ring for readconsole: see sysctl. */
uint32_t console_ring_read(char *buf, uint32_t len, uint32_t *index,
			   bool clear);
/* PWORK_KEY: input arrived; handle it at a work point. */
void console_poll(void);
extern bool console_input_to_hv;

#endif
