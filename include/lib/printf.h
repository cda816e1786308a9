/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatted output to a buffer. Understands %d %i %u %x %X %c %s %p %% with
 * flags '-', '0', width, '*', precision for %s, and length l, ll, z, h, hh.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

#include <lib/types.h>

/*
 * Write at most @size - 1 characters and a NUL. Returns the number of
 * characters the whole text would have had. hv_ prefix: the host's libc has
 * its own.
 */
int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__printf(3, 0);
int hv_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
