/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of command line options: text to bool, number, size, word.
 *
 * Not     which option has which (the rows in cmdline.c), messages about bad
 *         ones (there as well).
 * Spec    [XEN] docs/misc/xen-command-line.pandoc, "Parameter details".
 */
#include "option_values.h"

#include <hv/console.h>
#include <lib/errno.h>
#include <lib/string.h>

#define WATCHDOG_DEFAULT_SECONDS 5u

/* ---- pieces -------------------------------------------------------------- */

static uint32_t digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return (uint32_t)(c - '0');
	}
	if (c >= 'a' && c <= 'f') {
		return (uint32_t)(c - 'a') + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return (uint32_t)(c - 'A') + 10;
	}
	return UINT32_MAX;
}

/* Decimal or 0x; *@s moves behind it. -EINVAL: none there, or too large. */
static int number_read(const char **s, uint64_t *out)
{
	const char *p = *s;
	uint32_t base = 10;
	uint64_t v = 0;
	const char *start;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (start = p; digit_value(*p) < base; p++) {
		uint32_t d = digit_value(*p);

		if (v > (UINT64_MAX - d) / base) {
			return -EINVAL;
		}
		v = v * base + d;
	}
	if (p == start) {
		return -EINVAL;
	}
	*s = p;
	*out = v;
	return 0;
}

/* A number and B, K, M, G or T; K when there is none. */
static int size_read(const char **s, uint64_t *out)
{
	static const char units[] = "bkmgt";
	uint32_t shift = 10;
	uint64_t v;
	int rc = number_read(s, &v);

	if (rc) {
		return rc;
	}
	for (uint32_t i = 0; units[i] != 0; i++) {
		if ((**s | 0x20) == units[i]) {
			shift = 10 * i;
			(*s)++;
			break;
		}
	}
	if (v > UINT64_MAX >> shift) {
		return -EINVAL;
	}
	*out = v << shift;
	return 0;
}

/* ---- kinds --------------------------------------------------------------- */

int option_bool(const struct option_row *row, const char *value, void *field,
		struct options *o)
{
	static const struct {
		const char *text;
		bool means;
	} words[] = {
		{ .text = "", .means = true },
		{ .text = "1", .means = true },
		{ .text = "yes", .means = true },
		{ .text = "on", .means = true },
		{ .text = "true", .means = true },
		{ .text = "enable", .means = true },
		{ .text = "0", .means = false },
		{ .text = "no", .means = false },
		{ .text = "off", .means = false },
		{ .text = "false", .means = false },
		{ .text = "disable", .means = false },
	};
	bool *b = field;

	(void)row;
	(void)o;
	for (uint32_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(value ? value : "", words[i].text) == 0) {
			*b = words[i].means;
			return 0;
		}
	}
	return -EINVAL;
}

int option_number(const struct option_row *row, const char *value, void *field,
		  struct options *o)
{
	uint64_t v;

	(void)o;
	if (!value || number_read(&value, &v) || *value != 0 ||
	    v < row->min || v > row->max) {
		return -EINVAL;
	}
	if (row->size == sizeof(uint32_t)) {
		uint32_t v32 = (uint32_t)v;

		memcpy(field, &v32, sizeof(v32));
	} else {
		memcpy(field, &v, sizeof(v));
	}
	return 0;
}

int option_range(const struct option_row *row, const char *value, void *field,
		 struct options *o)
{
	uint64_t lo = 0;
	uint64_t hi;
	uint32_t *out = field;

	(void)o;
	if (!value || (*value != '-' && number_read(&value, &lo))) {
		return -EINVAL;
	}
	hi = lo;
	if (*value == '-') {
		value++;
		hi = row->max;
		if (*value != 0 && number_read(&value, &hi)) {
			return -EINVAL;
		}
	}
	if (*value != 0 || hi < lo || hi < row->min || hi > row->max) {
		return -EINVAL;
	}
	*out = (uint32_t)hi;
	return 0;
}

int option_text(const struct option_row *row, const char *value, void *field,
		struct options *o)
{
	size_t len = value ? strlen(value) : 0;

	(void)o;
	if (len == 0 || len >= row->size) {
		return -EINVAL;
	}
	memcpy(field, value, len + 1);
	return 0;
}

int option_word(const struct option_row *row, const char *value, void *field,
		struct options *o)
{
	for (const char *const *w = row->words; value && *w; w++) {
		if (strcmp(*w, value) == 0) {
			return option_text(row, value, field, o);
		}
	}
	return -EINVAL;
}

/* ---- options with a form of their own ------------------------------------ */

/* Parts between commas; "max:" and "min:" name the other two members. */
int option_dom0_mem(const struct option_row *row, const char *value,
		    void *field, struct options *o)
{
	uint64_t want = o->dom0_mem;
	uint64_t min = 0;
	uint64_t max = UINT64_MAX;

	(void)row;
	(void)field;
	if (!value) {
		return -EINVAL;
	}
	for (;;) { /* bound: each part consumes a character */
		uint64_t *part = &want;

		if (strncmp(value, "min:", 4) == 0) {
			part = &min;
			value += 4;
		} else if (strncmp(value, "max:", 4) == 0) {
			part = &max;
			value += 4;
		}
		if (size_read(&value, part) || *part == 0) {
			return -EINVAL;
		}
		if (*value == 0) {
			break;
		}
		if (*value++ != ',') {
			return -EINVAL;
		}
	}
	if (min > max) {
		return -EINVAL;
	}
	o->dom0_mem = want;
	o->dom0_mem_min = min;
	o->dom0_mem_max = max;
	return 0;
}

int option_either(const struct option_row *row, const char *value, void *field,
		  struct options *o)
{
	bool *second = field;

	(void)o;
	if (!value || (strcmp(value, row->words[0]) != 0 &&
		       strcmp(value, row->words[1]) != 0)) {
		return -EINVAL;
	}
	*second = strcmp(value, row->words[1]) == 0;
	return 0;
}

int option_watchdog(const struct option_row *row, const char *value,
		    void *field, struct options *o)
{
	uint32_t *seconds = field;
	bool on = true;

	/* Xen's "force" means: even without a working counter. */
	if (value && strcmp(value, "force") == 0) {
		value = "on";
	}
	if (option_bool(row, value, &on, o)) {
		return -EINVAL;
	}
	if (!on) {
		*seconds = 0;
	} else if (*seconds == 0) {
		*seconds = WATCHDOG_DEFAULT_SECONDS;
	}
	return 0;
}

static int level_read(const char *s, size_t len, uint8_t *out)
{
	static const struct {
		const char *text;
		uint8_t level;
	} levels[] = {
		{ .text = "none", .level = LOG_ERR },
		{ .text = "error", .level = LOG_ERR },
		{ .text = "warning", .level = LOG_WARN },
		{ .text = "info", .level = LOG_INFO },
		{ .text = "debug", .level = LOG_DEBUG },
		{ .text = "all", .level = LOG_DEBUG },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strncmp(levels[i].text, s, len) == 0 &&
		    levels[i].text[len] == 0) {
			*out = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

/* Of "a/b" b: our messages below a are few enough to need no rate limit. */
int option_loglvl(const struct option_row *row, const char *value, void *field,
		  struct options *o)
{
	uint8_t *out = field;
	uint8_t level;
	const char *slash;

	(void)row;
	(void)o;
	if (!value || value[0] == 0) {
		return -EINVAL;
	}
	slash = strchr(value, '/');
	if (slash) {
		if (level_read(value, (size_t)(slash - value), &level)) {
			return -EINVAL;
		}
		value = slash + 1;
	}
	if (level_read(value, strlen(value), &level)) {
		return -EINVAL;
	}
	*out = level;
	return 0;
}
