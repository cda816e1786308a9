/* SPDX-License-Identifier: Apache-2.0 */
/* log_printf() and check_failed() for host tests. */
#include "fake_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <lib/check.h>

char fake_log_last[FAKE_LOG_LEVELS][512];
uint32_t fake_log_count[FAKE_LOG_LEVELS];
bool fake_log_print;

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_log_last[lvl], sizeof(fake_log_last[lvl]), fmt, ap);
	va_end(ap);
	fake_log_count[lvl]++;
	if (fake_log_print) {
		fputs(fake_log_last[lvl], stderr);
	}
}

void fake_log_reset(void)
{
	memset(fake_log_last, 0, sizeof(fake_log_last));
	memset(fake_log_count, 0, sizeof(fake_log_count));
}

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}
