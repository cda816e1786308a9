/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mistakes of a description: one error line and one line with the cure each.
 *
 * Owns    the count of mistakes, and all memory of this program: it lives for
 *         one description, so nothing is freed.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 1024u

/* All that need() gave, so that a leak checker finds it. */
struct piece {
	struct piece *next;
	uint64_t align;
};

const char *report_file;
unsigned int nr_mistakes;
static struct piece *pieces;

static void print_one(const char *file, int line, const char *kind,
		      const char *text)
{
	if (line) {
		fprintf(stderr, "%s:%d: %s %s\n", file, line, kind, text);
	} else {
		fprintf(stderr, "%s: %s %s\n", file, kind, text);
	}
}

/* @text is "what; cure", the last "; " divides. */
static void print_both(const char *file, int line, char *text)
{
	char *cure = NULL;
	char *p = text;

	text[strcspn(text, "\n")] = 0;
	while ((p = strstr(p, "; ")) != NULL) {
		cure = p;
		p += 2;
	}
	if (cure) {
		*cure = 0;
	}
	print_one(file, line, "error:", text);
	if (cure) {
		print_one(file, line, "cure: ", cure + 2);
	}
}

void bad(int line, const char *fmt, ...)
{
	char text[MAX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_both(report_file ? report_file : "bulkhead-image", line, text);
	nr_mistakes++;
}

void stop_if_bad(void)
{
	if (nr_mistakes) {
		fprintf(stderr, "bulkhead-image: %u mistake%s, nothing "
			"written\n", nr_mistakes, nr_mistakes > 1 ? "s" : "");
		exit(1);
	}
}

void die(const char *fmt, ...)
{
	char text[MAX_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_both("bulkhead-image", 0, text);
	exit(1);
}

void *need(uint64_t size)
{
	struct piece *p = calloc(1, sizeof(*p) + size);

	if (!p) {
		die("no memory for %llu bytes; give this machine more",
		    (unsigned long long)size);
	}
	p->next = pieces;
	pieces = p;
	return p + 1;
}

char *need_text(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = need((uint64_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}
