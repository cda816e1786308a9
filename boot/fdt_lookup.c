/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookups over the node table: typed property values, paths and aliases.
 *
 * Not     the table itself (fdt_util.c).
 * Bounds  a path costs one visit per sibling of each component.
 * Spec    [DT] 2.2 "Device tree structure and conventions", 3.3 "/aliases".
 */
#include "fdt_util.h"

#include <lib/string.h>

uint32_t dt_by_offset(const struct dt *t, int offset)
{
	uint32_t lo = 0;
	uint32_t hi = t->nr_nodes;

	while (lo < hi) { /* bound: halves */
		uint32_t mid = lo + (hi - lo) / 2;

		if ((int)t->node[mid].offset == offset) {
			return mid;
		}
		if ((int)t->node[mid].offset < offset) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return DT_NONE;
}

bool dt_prop_named(struct dt *t, uint32_t idx, const char *name,
		   struct dt_prop *out)
{
	uint32_t cursor = t->node[idx].props;

	while (dt_prop_next(t, &cursor, out)) {
		if (strcmp(t->strings + out->nameoff, name) == 0) {
			return true;
		}
	}
	return false;
}

const char *dt_string(struct dt *t, uint32_t idx, enum dt_name name)
{
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, name, &len);

	if (!data || len == 0 || data[len - 1] != 0) {
		return NULL;
	}
	return (const char *)data;
}

uint32_t dt_u32(struct dt *t, uint32_t idx, enum dt_name name, uint32_t absent)
{
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, name, &len);

	return data && len >= 4 ? dt_be32(data) : absent;
}

bool dt_is_compatible(struct dt *t, uint32_t idx, const char *const *list)
{
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, DT_COMPATIBLE, &len);
	uint32_t pos = 0;

	if (!data || len == 0 || data[len - 1] != 0) {
		return false;
	}
	while (pos < len) {
		const char *s = (const char *)data + pos;

		for (const char *const *l = list; *l; l++) {
			if ((*l)[0] == s[0] && strcmp(*l, s) == 0) {
				return true;
			}
		}
		pos += (uint32_t)strlen(s) + 1;
	}
	return false;
}

bool dt_is_available(struct dt *t, uint32_t idx)
{
	const char *s = dt_string(t, idx, DT_STATUS);

	return !s || strcmp(s, "okay") == 0 || strcmp(s, "ok") == 0;
}

/* @part names a node when it is its name, or that before the '@'. */
static bool is_node_named(const char *name, const char *part, uint32_t len)
{
	return name[0] == part[0] && strncmp(name, part, len) == 0 &&
	       (name[len] == 0 ||
		(name[len] == '@' && !memchr(part, '@', len)));
}

static uint32_t child_named(const struct dt *t, uint32_t idx, const char *part,
			    uint32_t len)
{
	uint32_t c = idx + 1;

	while (c < t->node[idx].end) {
		if (is_node_named(dt_node_name(t, c), part, len)) {
			return c;
		}
		c = t->node[c].end;
	}
	return DT_NONE;
}

static uint32_t path_find(const struct dt *t, const char *path, uint32_t len)
{
	uint32_t idx = t->nr_nodes ? 0 : DT_NONE;
	uint32_t pos = 0;

	while (pos < len && idx != DT_NONE) {
		uint32_t start;

		while (pos < len && path[pos] == '/') {
			pos++;
		}
		start = pos;
		while (pos < len && path[pos] != '/') {
			pos++;
		}
		if (pos > start) {
			idx = child_named(t, idx, path + start, pos - start);
		}
	}
	return idx;
}

/* The value of alias @name, NULL when there is none. */
static const char *alias_find(struct dt *t, const char *name, uint32_t len,
			      uint32_t *out_len)
{
	uint32_t aliases = child_named(t, 0, "aliases", 7);
	struct dt_prop p;
	uint32_t cursor;

	if (aliases == DT_NONE) {
		return NULL;
	}
	cursor = t->node[aliases].props;
	while (dt_prop_next(t, &cursor, &p)) {
		const char *s = t->strings + p.nameoff;

		if (strncmp(s, name, len) == 0 && s[len] == 0) {
			*out_len = (uint32_t)strnlen((const char *)p.data,
						     p.len);
			return (const char *)p.data;
		}
	}
	return NULL;
}

uint32_t dt_resolve(struct dt *t, const char *path, uint32_t len)
{
	const char *colon = memchr(path, ':', len);
	const char *end;
	const char *value;
	uint32_t first;
	uint32_t idx;

	if (colon) {
		len = (uint32_t)(colon - path);
	}
	if (len == 0) {
		return DT_NONE;
	}
	if (path[0] == '/') {
		return path_find(t, path, len);
	}
	end = memchr(path, '/', len);
	first = end ? (uint32_t)(end - path) : len;
	value = alias_find(t, path, first, &len);
	if (!value || len == 0 || value[0] != '/') {
		return DT_NONE;
	}
	idx = path_find(t, value, len);
	/* "alias/child" names a node below the alias. */
	if (end && idx != DT_NONE) {
		return child_named(t, idx, end + 1, (uint32_t)strlen(end + 1));
	}
	return idx;
}

const char *dt_path(const struct dt *t, uint32_t idx, char *buf, size_t size)
{
	size_t pos = size - 1;

	buf[pos] = 0;
	if (idx == 0) {
		buf[--pos] = '/';
	}
	while (idx != 0) { /* bound: DT_MAX_DEPTH */
		const char *name = dt_node_name(t, idx);
		size_t len = strlen(name);

		if (len + 1 > pos) {
			break;
		}
		pos -= len;
		memcpy(buf + pos, name, len);
		buf[--pos] = '/';
		idx = t->node[idx].parent;
	}
	return buf + pos;
}
