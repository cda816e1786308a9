/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file in the form of Xen's xen.cfg: sections in brackets,
 * KEY=VALUE lines, and comments that begin with a # or a semicolon.
 *
 * Why     a line is looked for each time: nothing is kept or changed.
 * CPU     the boot CPU under the firmware: position independent, see efi.c.
 * Bounds  the length of the file for each look-up.
 * Spec    [XEN] docs/misc/efi.pandoc.
 */
#include "efi_cfg.h"

#include <lib/string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Line ends of all kinds; no other control character has a meaning. */
static bool is_end(char c)
{
	return (uint8_t)c < ' ' && c != '\t';
}

static struct efi_text trim(struct efi_text t)
{
	while (t.len > 0 && is_blank(t.s[0])) {
		t.s++;
		t.len--;
	}
	while (t.len > 0 && is_blank(t.s[t.len - 1])) {
		t.len--;
	}
	return t;
}

/* Take the first line off @cfg. False: nothing is left. */
static bool next_line(struct efi_text *cfg, struct efi_text *line)
{
	uint64_t n = 0;

	if (cfg->len == 0) {
		return false;
	}
	while (n < cfg->len && !is_end(cfg->s[n])) {
		n++;
	}
	*line = trim((struct efi_text){cfg->s, n});
	n += n < cfg->len;
	cfg->s += n;
	cfg->len -= n;
	return true;
}

static bool is_head_of(struct efi_text line, struct efi_text section)
{
	return line.len == section.len + 2 && line.s[line.len - 1] == ']' &&
	       memcmp(line.s + 1, section.s, section.len) == 0;
}

/* @line without KEY and '='. False: it is another key's. */
static bool is_key(struct efi_text line, const char *key,
		   struct efi_text *value)
{
	size_t n = strlen(key);

	if (line.len < n || memcmp(line.s, key, n) != 0) {
		return false;
	}
	*value = trim((struct efi_text){line.s + n, line.len - n});
	if (value->len == 0 || value->s[0] != '=') {
		return false;
	}
	*value = trim((struct efi_text){value->s + 1, value->len - 1});
	return true;
}

bool efi_cfg_find(struct efi_text cfg, struct efi_text section, const char *key,
		  struct efi_text *value)
{
	struct efi_text line;
	bool here = false;

	while (next_line(&cfg, &line)) { /* bound: each takes one off */
		if (line.len == 0 || line.s[0] == '#' || line.s[0] == ';') {
			continue;
		}
		if (line.s[0] == '[') {
			here = is_head_of(line, section);
		} else if (here && is_key(line, key, value)) {
			return true;
		}
	}
	return false;
}

void efi_cfg_split(struct efi_text value, struct efi_text *first,
		   struct efi_text *rest)
{
	uint64_t n = 0;

	while (n < value.len && !is_blank(value.s[n])) {
		n++;
	}
	*first = (struct efi_text){value.s, n};
	*rest = trim((struct efi_text){value.s + n, value.len - n});
}
