/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A description as it is written: sections of `key = value`, in the syntax of
 * xl's files, with the line of each. Nothing is judged here.
 */
#ifndef BULKHEAD_IMAGE_CFG_H
#define BULKHEAD_IMAGE_CFG_H

#include <stdbool.h>
#include <stdint.h>

#define CFG_MAX_SECTIONS 64u
#define CFG_MAX_ENTRIES 64u /* of a section */
#define CFG_MAX_ITEMS 64u   /* of a list */

enum cfg_kind { CFG_NUMBER, CFG_TEXT, CFG_LIST };

struct cfg_value {
	enum cfg_kind kind;
	int line;
	uint64_t number;
	char *text;                /* CFG_TEXT; what it says */
	uint32_t nr;               /* CFG_LIST */
	struct cfg_value *item;
};

struct cfg_entry {
	char *key;
	int line;
	struct cfg_value value;
};

struct cfg_section {
	char *name; /* "" for what stands before the first [name] */
	int line;
	uint32_t nr;
	struct cfg_entry entry[CFG_MAX_ENTRIES];
};

struct cfg {
	uint32_t nr; /* at least 1: the machine's */
	struct cfg_section section[CFG_MAX_SECTIONS];
};

/* Read @file; mistakes are told by bad(). False: it cannot be read at all. */
bool cfg_read(struct cfg *c, const char *file);
/* NULL: not there. */
const struct cfg_entry *cfg_find(const struct cfg_section *s,
				 const char *key);
/* The text of a key, or @absent. */
const char *cfg_text(const struct cfg_section *s, const char *key,
		     const char *absent);
uint64_t cfg_number(const struct cfg_section *s, const char *key,
		    uint64_t absent);
/* Line of @key in @s, of @s itself without one. */
int cfg_line(const struct cfg_section *s, const char *key);
/* Put @key = "@text" in the place of what @s says; NULL: take it away. */
void cfg_set(struct cfg_section *s, const char *key, const char *text);

#endif
