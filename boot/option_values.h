/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of values an option can have; a row of boot/cmdline.c names one. */
#ifndef BOOT_OPTION_VALUES_H
#define BOOT_OPTION_VALUES_H

#include <hv/platform.h>

struct option_row {
	const char *name;
	/*
	 * @value is NULL for an option without '='; @field is the row's member
	 * of @o. -EINVAL: not allowed, nothing changed.
	 */
	int (*parse)(const struct option_row *row, const char *value,
		     void *field, struct options *o);
	uint32_t offset;
	uint32_t size;
	uint64_t min, max;         /* number */
	const char *const *words;  /* word: NULL at the end; either: two */
	const char *form;
	const char *help;
	const char *note;          /* bool: logged once it is on */
};

/* "", yes, on, true, enable, 1 and their opposites, into a bool. */
__must_check int option_bool(const struct option_row *row, const char *value,
			     void *field, struct options *o);
/* row->min to row->max, into a u32 or u64. */
__must_check int option_number(const struct option_row *row, const char *value,
			       void *field, struct options *o);
/* N or MIN-MAX: the larger, within row->min and row->max, into a u32. */
__must_check int option_range(const struct option_row *row, const char *value,
			      void *field, struct options *o);
/* Text that fits, into a char array. */
__must_check int option_text(const struct option_row *row, const char *value,
			     void *field, struct options *o);
/* One of row->words, into a char array. */
__must_check int option_word(const struct option_row *row, const char *value,
			     void *field, struct options *o);
__must_check int option_dom0_mem(const struct option_row *row,
				 const char *value, void *field,
				 struct options *o);
/* Whether it is the second of the two row->words, into a bool. */
__must_check int option_either(const struct option_row *row, const char *value,
			       void *field, struct options *o);
__must_check int option_watchdog(const struct option_row *row,
				 const char *value, void *field,
				 struct options *o);
__must_check int option_loglvl(const struct option_row *row, const char *value,
			       void *field, struct options *o);

#endif
