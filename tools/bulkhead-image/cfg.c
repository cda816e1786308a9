/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax of xl's files, with section heads, read character by character.
 *
 *   # comment
 *   key = 12 | 0x50000000 | "text" | 'text' | [ value, value, ]
 *   [name]
 *
 * Not     libxlutil: its entries have no lines that a caller could name, and
 *         a misspelt key cannot be found with it.
 * Bounds  CFG_MAX_SECTIONS, _ENTRIES and _ITEMS; lists hold no lists.
 */
#include "cfg.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define MAX_FILE (1u << 20)

struct reader {
	const char *p;
	int line;
};

static void skip_blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t' || *r->p == '\r') {
		r->p++;
	}
	if (*r->p == '#') {
		r->p += strcspn(r->p, "\n");
	}
}

/* Also over the ends of lines: inside of a list. */
static void skip_lines(struct reader *r)
{
	skip_blanks(r);
	while (*r->p == '\n') {
		r->p++;
		r->line++;
		skip_blanks(r);
	}
}

static void skip_rest(struct reader *r)
{
	r->p += strcspn(r->p, "\n");
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' ||
	       c == '+' || c == ',';
}

static char *read_word(struct reader *r)
{
	const char *start = r->p;

	while (is_word(*r->p)) {
		r->p++;
	}
	return need_text("%.*s", (int)(r->p - start), start);
}

static bool read_text(struct reader *r, struct cfg_value *v)
{
	char quote = *r->p++;
	size_t len = 0;

	while (r->p[len] && r->p[len] != quote && r->p[len] != '\n') {
		len++;
	}
	if (r->p[len] != quote) {
		bad(r->line, "text without its closing %c; add it", quote);
		return false;
	}
	v->kind = CFG_TEXT;
	v->text = need_text("%.*s", (int)len, r->p);
	r->p += len + 1;
	return true;
}

static bool read_number(struct reader *r, struct cfg_value *v)
{
	char *word = read_word(r);
	char *end;

	errno = 0;
	v->kind = CFG_NUMBER;
	v->number = strtoull(word, &end, 0);
	if (*end || end == word || errno) {
		bad(r->line, "%s is no number; write 12 or 0x50000000, texts "
		    "in quotes", word);
		return false;
	}
	return true;
}

static bool read_plain(struct reader *r, struct cfg_value *v)
{
	v->line = r->line;
	if (*r->p == '"' || *r->p == '\'') {
		return read_text(r, v);
	}
	if (isdigit((unsigned char)*r->p)) {
		return read_number(r, v);
	}
	bad(r->line, "no value here; write a number, a \"text\" or a [ list ]");
	return false;
}

static bool read_list(struct reader *r, struct cfg_value *v)
{
	v->kind = CFG_LIST;
	v->line = r->line;
	v->item = need(CFG_MAX_ITEMS * sizeof(*v->item));
	r->p++;
	for (skip_lines(r); *r->p != ']'; skip_lines(r)) {
		if (v->nr == CFG_MAX_ITEMS) {
			bad(v->line, "more than %u values in a list; make it "
			    "shorter", CFG_MAX_ITEMS);
			return false;
		}
		if (*r->p == 0) {
			bad(v->line, "list without its closing ]; add it");
			return false;
		}
		if (!read_plain(r, &v->item[v->nr])) {
			return false;
		}
		v->nr++;
		skip_lines(r);
		if (*r->p == ',') {
			r->p++;
		} else if (*r->p != ']') {
			bad(r->line, "values of a list without a comma between "
			    "them; add it, or the closing ]");
			return false;
		}
	}
	r->p++;
	return true;
}

static struct cfg_section *new_section(struct cfg *c, char *name, int line)
{
	struct cfg_section *s = &c->section[c->nr];

	if (c->nr == CFG_MAX_SECTIONS) {
		die("more than %u sections in %s; describe fewer domains",
		    CFG_MAX_SECTIONS, report_file);
	}
	for (uint32_t i = 1; i < c->nr; i++) {
		if (strcmp(c->section[i].name, name) == 0) {
			bad(line, "[%s] is there already, in line %d; give the "
			    "domains different names", name,
			    c->section[i].line);
		}
	}
	s->name = name;
	s->line = line;
	c->nr++;
	return s;
}

static void read_head(struct reader *r, struct cfg *c)
{
	char *name;

	r->p++;
	skip_blanks(r);
	name = read_word(r);
	skip_blanks(r);
	if (!name[0] || *r->p != ']') {
		bad(r->line, "[ without a name and ]; write [name], of "
		    "letters, digits and ._+-");
		skip_rest(r);
		/* Its keys are not the section's before. */
		new_section(c, need_text("?%d", r->line), r->line);
		return;
	}
	r->p++;
	new_section(c, name, r->line);
}

static void read_entry(struct reader *r, struct cfg_section *s)
{
	struct cfg_entry e = { .line = r->line };
	const struct cfg_entry *old;

	e.key = read_word(r);
	skip_blanks(r);
	if (!e.key[0] || *r->p != '=') {
		bad(r->line, "no `key = value` here; write it so, or # before "
		    "a comment");
		skip_rest(r);
		return;
	}
	r->p++;
	skip_blanks(r);
	if (!(*r->p == '[' ? read_list : read_plain)(r, &e.value)) {
		skip_rest(r);
		return;
	}
	old = cfg_find(s, e.key);
	if (old) {
		bad(e.line, "%s is given already, in line %d; leave one out",
		    e.key, old->line);
	} else if (s->nr == CFG_MAX_ENTRIES) {
		bad(e.line, "more than %u keys; leave some out",
		    CFG_MAX_ENTRIES);
	} else {
		s->entry[s->nr++] = e;
	}
}

static void read_all(struct reader *r, struct cfg *c)
{
	for (skip_lines(r); *r->p; skip_lines(r)) {
		if (*r->p == '[') {
			read_head(r, c);
		} else {
			read_entry(r, &c->section[c->nr - 1]);
		}
		skip_blanks(r);
		if (*r->p && *r->p != '\n') {
			bad(r->line, "\"%.*s\" after the value; begin a new "
			    "line", (int)strcspn(r->p, "\n"), r->p);
			skip_rest(r);
		}
	}
}

bool cfg_read(struct cfg *c, const char *file)
{
	FILE *f = fopen(file, "rb");
	struct reader r = { .line = 1 };
	char *text;
	size_t len;

	if (!f) {
		return false;
	}
	text = need(MAX_FILE + 1);
	len = fread(text, 1, MAX_FILE, f);
	fclose(f);
	if (len == MAX_FILE || strlen(text) != len) {
		return false;
	}
	r.p = text;
	c->nr = 1;
	c->section[0].name = "";
	c->section[0].line = 0;
	read_all(&r, c);
	return true;
}

const struct cfg_entry *cfg_find(const struct cfg_section *s, const char *key)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		if (strcmp(s->entry[i].key, key) == 0) {
			return &s->entry[i];
		}
	}
	return NULL;
}

const char *cfg_text(const struct cfg_section *s, const char *key,
		     const char *absent)
{
	const struct cfg_entry *e = cfg_find(s, key);

	return e && e->value.kind == CFG_TEXT ? e->value.text : absent;
}

uint64_t cfg_number(const struct cfg_section *s, const char *key,
		    uint64_t absent)
{
	const struct cfg_entry *e = cfg_find(s, key);

	return e && e->value.kind == CFG_NUMBER ? e->value.number : absent;
}

int cfg_line(const struct cfg_section *s, const char *key)
{
	const struct cfg_entry *e = cfg_find(s, key);

	return e ? e->line : s->line;
}

void cfg_set(struct cfg_section *s, const char *key, const char *text)
{
	uint32_t i = 0;

	while (i < s->nr && strcmp(s->entry[i].key, key) != 0) {
		i++;
	}
	if (!text && i < s->nr) {
		s->entry[i] = s->entry[--s->nr];
	} else if (text && i < CFG_MAX_ENTRIES) {
		s->nr += i == s->nr;
		s->entry[i] = (struct cfg_entry){
			.key = need_text("%s", key),
			.value = { .kind = CFG_TEXT,
				   .text = need_text("%s", text) },
		};
	}
}
