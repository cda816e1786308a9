/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong, where, and what cures it. */
#ifndef BULKHEAD_IMAGE_REPORT_H
#define BULKHEAD_IMAGE_REPORT_H

#include <stdint.h>

/* The file that lines are of; and how many mistakes were told. */
extern const char *report_file;
extern unsigned int nr_mistakes;

/*
 * One mistake: "what; cure". Printed as FILE:LINE: error: and FILE:LINE:
 * cure:, on standard error. Line 0: of no line.
 */
void bad(int line, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* End the program with status 1 when there were mistakes. */
void stop_if_bad(void);
/* What this program cannot do without: "what; cure", then the end. */
void die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* Memory or the end of the program; zeroed, never given back. */
void *need(uint64_t size);
char *need_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
