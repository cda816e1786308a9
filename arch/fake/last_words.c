/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host port: failed checks and panics end the test program; for tests that do
 * not link core/panic.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <hv/entry.h>
#include <lib/check.h>

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
	abort();
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}
