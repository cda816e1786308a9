/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's device tree as a table of nodes and properties, made in one
 * checked pass.
 *
 * Owns    host_dt. The blob itself is only read and must not change.
 * Not     what nodes mean (fdt_platform.c), addresses (fdt_addr.c) and
 *         interrupts (fdt_irq.c).
 * Why     libfdt checks the header and names; the tags are taken apart here,
 *         as it would do it six times as dearly, and what it would look for
 *         from the start each time (parents, phandles, properties by name)
 *         is noted by libfdt's offsets. docs/adr/0008.
 * Rule    behind the pass, what an entry's offset names lies in the blob.
 * Bounds  DT_MAX_SIZE, DT_MAX_NODES, DT_MAX_PROPS, DT_MAX_DEPTH; each look-up
 *         reads the entries of one node.
 * Spec    [DT] 5 "Flattened Devicetree (DTB) Format".
 */
#include "fdt_util.h"

#include <hv/console.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>

#define PROP_NAME_SHIFT 24u
#define PROP_OFFSET (BIT64(PROP_NAME_SHIFT) - 1)

struct dt host_dt __noinit;

STATIC_ASSERT(DT_NR_NAMES <= 64, "dt_node.names has a bit per name");
STATIC_ASSERT(DT_MAX_SIZE / 4 <= PROP_OFFSET, "an offset fits an entry");

#define DT_NAME_TEXT(id, text) [DT_##id] = text,
static const char *const dt_names[DT_NR_NAMES] = { DT_NAMES(DT_NAME_TEXT) };
#undef DT_NAME_TEXT

static enum dt_name name_find(const char *s)
{
	for (uint32_t i = DT_OTHER + 1; i < DT_NR_NAMES; i++) {
		if (s[0] == dt_names[i][0] && strcmp(s, dt_names[i]) == 0) {
			return (enum dt_name)i;
		}
	}
	return DT_OTHER;
}

/*
 * What the name at @nameoff is: checked and compared once per distinct name.
 * DT_NR_NAMES: it is none.
 */
static enum dt_name name_at(struct dt *t, uint32_t nameoff)
{
	const char *s;
	enum dt_name n;

	if (nameoff < DT_NAME_SLOTS && t->name_id[nameoff] != 0) {
		return (enum dt_name)(t->name_id[nameoff] - 1);
	}
	s = fdt_get_string(t->fdt, (int)nameoff, NULL);
	if (!s) {
		return DT_NR_NAMES;
	}
	n = name_find(s);
	t->names |= BIT64(n);
	if (nameoff < DT_NAME_SLOTS) {
		t->name_id[nameoff] = (uint8_t)(n + 1);
	}
	return n;
}

static int header_error(const char *what, const char *cure)
{
	log_err("device tree: %s; %s\n", what, cure);
	return -EINVAL;
}

/* libfdt's checks of the header, and those it leaves to its callers. */
static int header_check(const void *fdt, uint64_t max_size)
{
	int rc = fdt_check_header(fdt);

	if (rc == -FDT_ERR_BADMAGIC || rc == -FDT_ERR_BADSTATE) {
		return header_error("not found where the loader said",
				    "pass its address in x0, 8-byte aligned");
	}
	if (rc == -FDT_ERR_BADVERSION || (rc == 0 && fdt_version(fdt) < 17)) {
		return header_error("its version is not 17",
				    "compile it with a current dtc");
	}
	if (fdt_totalsize(fdt) > max_size ||
	    fdt_totalsize(fdt) > DT_MAX_SIZE) {
		return header_error("its total size is beyond 2 MiB or cut off",
				    "load the whole tree");
	}
	if (rc || fdt_num_mem_rsv(fdt) < 0 ||
	    ((fdt_off_dt_struct(fdt) | fdt_off_mem_rsvmap(fdt)) & 3) != 0) {
		return header_error("a block lies outside it",
				    "load the whole tree");
	}
	return 0;
}

/* The pass has seen to it that all of it is there. */
static const struct fdt_property *property_at(const struct dt *t, uint32_t off)
{
	return (const struct fdt_property *)(const void *)(t->structs + off);
}

static void phandle_add(struct dt *t, uint32_t idx, uint32_t phandle)
{
	uint32_t slot = (phandle * 2654435761u) % DT_PHANDLE_SLOTS;

	/* bound: the table has twice as many slots as there are nodes */
	while (t->by_phandle[slot] != 0) {
		slot = (slot + 1) % DT_PHANDLE_SLOTS;
	}
	t->by_phandle[slot] = (uint16_t)(idx + 1);
	t->node[idx].phandle = phandle;
	if (phandle > t->max_phandle) {
		t->max_phandle = phandle;
	}
}

/* @len: of the property, @v: its first cell. */
static uint8_t cells_value(uint32_t len, uint32_t v)
{
	return len != 4 || v > 4 ? 0xff : (uint8_t)v;
}

#define NOTED                                                                 \
	(BIT64(DT_ADDRESS_CELLS) | BIT64(DT_SIZE_CELLS) |                     \
	 BIT64(DT_INTERRUPT_PARENT) | BIT64(DT_INTERRUPT_CELLS) |             \
	 BIT64(DT_PHANDLE) | BIT64(DT_LINUX_PHANDLE))

static void note_prop(struct dt *t, uint32_t idx, enum dt_name name,
		      const struct fdt_property *p)
{
	struct dt_node *n = &t->node[idx];
	uint32_t len;
	uint32_t v;

	n->names |= BIT64(name);
	if (!(NOTED & BIT64(name))) {
		return;
	}
	len = fdt32_to_cpu(p->len);
	v = len == 4 ? dt_be32((const uint8_t *)p->data) : 0;
	if (name == DT_ADDRESS_CELLS) {
		n->addr_cells = cells_value(len, v);
	} else if (name == DT_SIZE_CELLS) {
		n->size_cells = cells_value(len, v);
	} else if (name == DT_INTERRUPT_PARENT) {
		n->irq_parent = v;
		n->irq_by_index = false;
	} else if (name == DT_INTERRUPT_CELLS) {
		n->irq_cells = v <= 4 ? (uint8_t)v : 0;
	} else if ((name == DT_PHANDLE || name == DT_LINUX_PHANDLE) &&
		   n->phandle == 0 && v != 0 && v != UINT32_MAX) {
		phandle_add(t, idx, v);
	}
}

static int too_many(const char *what, const char *limit, uint32_t max)
{
	log_err("device tree: more than %u %s; raise %s\n", max, what, limit);
	return -E2BIG;
}

static int prop_entry(struct dt *t, uint32_t entry)
{
	if (t->nr_props == DT_MAX_PROPS) {
		return too_many("nodes and properties", "DT_MAX_PROPS",
				DT_MAX_PROPS);
	}
	t->prop[t->nr_props++] = entry;
	return 0;
}

static int index_prop(struct dt *t, uint32_t idx, uint32_t off)
{
	const struct fdt_property *p = property_at(t, off);
	enum dt_name name = name_at(t, fdt32_to_cpu(p->nameoff));

	if (name == DT_NR_NAMES) {
		return -ENOENT;
	}
	note_prop(t, idx, name, p);
	return prop_entry(t, (uint32_t)name << PROP_NAME_SHIFT | off / 4);
}

static int index_node(struct dt *t, uint32_t off, uint32_t parent)
{
	struct dt_node *n;

	if (t->nr_nodes == DT_MAX_NODES) {
		return too_many("nodes", "DT_MAX_NODES", DT_MAX_NODES);
	}
	n = &t->node[t->nr_nodes];
	*n = (struct dt_node){
		.offset = off,
		.props = t->nr_props,
		.parent = (uint16_t)parent,
		.addr_cells = 2,
		.size_cells = 1,
	};
	/* The parent's properties are complete: they precede its subnodes. */
	if (t->nr_nodes > 0) {
		const struct dt_node *up = &t->node[parent];
		bool here = dt_has(t, parent, DT_INTERRUPT_CELLS);

		/* A controller is the interrupt parent of its children. */
		n->irq_by_index = here || up->irq_by_index;
		n->irq_parent = here ? parent : up->irq_parent;
	}
	t->nr_nodes++;
	return 0;
}

/* Where the pass is. */
struct pass {
	uint16_t open[DT_MAX_DEPTH]; /* nodes */
	uint32_t depth;
	bool in_props; /* of the innermost open node */
};

/* The properties of the innermost open node are complete. */
static int end_props(struct dt *t, struct pass *s)
{
	if (!s->in_props) {
		return 0;
	}
	s->in_props = false;
	return prop_entry(t, 0);
}

/* One tag. -ENOENT: it does not belong here. */
static int index_tag(struct dt *t, struct pass *s, uint32_t tag, uint32_t off)
{
	int rc;

	if (tag == FDT_NOP) {
		return 0;
	}
	if (tag == FDT_PROP && s->in_props) {
		return index_prop(t, s->open[s->depth - 1], off);
	}
	rc = end_props(t, s);
	if (rc) {
		return rc;
	}
	if (tag == FDT_BEGIN_NODE && s->depth < DT_MAX_DEPTH &&
	    (s->depth > 0 || t->nr_nodes == 0)) {
		rc = index_node(t, off, s->depth ? s->open[s->depth - 1] : 0);
		if (rc) {
			return rc;
		}
		s->open[s->depth++] = (uint16_t)(t->nr_nodes - 1);
		s->in_props = true;
		return 0;
	}
	if (tag == FDT_END_NODE && s->depth > 0) {
		t->node[s->open[--s->depth]].end = (uint16_t)t->nr_nodes;
		return 0;
	}
	return -ENOENT;
}

/* Behind the name at @off and its padding; 0: it does not end in the block. */
static uint32_t name_end(const struct dt *t, uint32_t off)
{
	while (off + 4 <= t->structs_size) { /* bound: the block's words */
		uint32_t w = dt_be32((const uint8_t *)t->structs + off);

		off += 4;
		if (((w - 0x01010101u) & ~w & 0x80808080u) != 0) {
			return off; /* a byte of it is 0 */
		}
	}
	return 0;
}

/* Behind the tag at @off; 0: it is none, or does not end in the block. */
static uint32_t tag_end(const struct dt *t, uint32_t tag, uint32_t off)
{
	uint32_t left = t->structs_size - off;
	uint32_t len;

	switch (tag) {
	case FDT_BEGIN_NODE:
		return name_end(t, off + FDT_TAGSIZE);
	case FDT_PROP:
		if (left < sizeof(struct fdt_property)) {
			return 0;
		}
		left -= (uint32_t)sizeof(struct fdt_property);
		len = fdt32_to_cpu(property_at(t, off)->len);
		if (len > left || align_up(len, 4) > left) {
			return 0;
		}
		return t->structs_size - left + (uint32_t)align_up(len, 4);
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END:
		return off + FDT_TAGSIZE;
	default:
		return 0;
	}
}

static int broken(uint32_t off, uint32_t depth)
{
	log_err("device tree: broken at offset 0x%x (depth %u, at most %u); "
		"compile it again with dtc\n", off, depth, DT_MAX_DEPTH);
	return -EINVAL;
}

static int index_tree(struct dt *t)
{
	struct pass s = { .depth = 0 };
	uint32_t off = 0;

	/* bound: each tag moves off forward */
	while (off + FDT_TAGSIZE <= t->structs_size) {
		uint32_t tag = dt_be32((const uint8_t *)t->structs + off);
		uint32_t next = tag_end(t, tag, off);
		int rc = -ENOENT;

		if (tag == FDT_END && s.depth == 0 && t->nr_nodes > 0) {
			return 0;
		}
		if (next != 0) {
			rc = index_tag(t, &s, tag, off);
		}
		if (rc == -ENOENT) {
			break;
		}
		if (rc) {
			return rc;
		}
		off = next;
	}
	return broken(off, s.depth);
}

static void close_tree(struct dt *t)
{
	t->fdt = NULL;
	t->nr_nodes = 0;
	t->nr_props = 0;
	t->max_phandle = 0;
	t->names = 0;
	t->node[0].end = 0;
}

int dt_open(struct dt *t, const void *fdt, uint64_t max_size)
{
	static uint32_t nr_opened;
	int rc;

	t->generation = ++nr_opened;
	memset(t->by_phandle, 0, sizeof(t->by_phandle));
	close_tree(t);
	if (!fdt || ((uintptr_t)fdt & 3) != 0 ||
	    max_size < sizeof(struct fdt_header)) {
		return header_error("not found where the loader said",
				    "pass its address in x0, 8-byte aligned");
	}
	rc = header_check(fdt, max_size);
	if (rc == 0) {
		t->fdt = fdt;
		t->strings = (const char *)fdt + fdt_off_dt_strings(fdt);
		t->structs = (const char *)fdt + fdt_off_dt_struct(fdt);
		t->structs_size = fdt_size_dt_struct(fdt);
		/* No more of it than can be looked at. */
		memset(t->name_id, 0,
		       fdt_size_dt_strings(fdt) < DT_NAME_SLOTS ?
			       fdt_size_dt_strings(fdt) : DT_NAME_SLOTS);
		rc = index_tree(t);
	}
	if (rc) {
		close_tree(t);
	}
	return rc;
}

const char *dt_node_name(const struct dt *t, uint32_t idx)
{
	return t->structs + t->node[idx].offset + FDT_TAGSIZE;
}

uint32_t dt_by_phandle(const struct dt *t, uint32_t phandle)
{
	uint32_t slot = (phandle * 2654435761u) % DT_PHANDLE_SLOTS;

	if (phandle == 0) {
		return DT_NONE;
	}
	while (t->by_phandle[slot] != 0) { /* bound: as in phandle_add */
		uint32_t idx = t->by_phandle[slot] - 1u;

		if (t->node[idx].phandle == phandle) {
			return idx;
		}
		slot = (slot + 1) % DT_PHANDLE_SLOTS;
	}
	return DT_NONE;
}

uint32_t dt_irq_parent(const struct dt *t, uint32_t idx)
{
	const struct dt_node *n = &t->node[idx];

	return n->irq_by_index ? n->irq_parent :
	       dt_by_phandle(t, n->irq_parent);
}

/* The property of an entry of prop[]. */
static void prop_read(const struct dt *t, uint32_t entry, struct dt_prop *out)
{
	const struct fdt_property *p =
		property_at(t, (uint32_t)(4 * (entry & PROP_OFFSET)));

	out->data = (const uint8_t *)p->data;
	out->len = fdt32_to_cpu(p->len);
	out->nameoff = fdt32_to_cpu(p->nameoff);
	out->name = (enum dt_name)(entry >> PROP_NAME_SHIFT);
}

bool dt_prop_next(struct dt *t, uint32_t *cursor, struct dt_prop *out)
{
	uint32_t entry = t->prop[*cursor];

	if (entry == 0) {
		return false;
	}
	prop_read(t, entry, out);
	(*cursor)++;
	return true;
}

const uint8_t *dt_prop(struct dt *t, uint32_t idx, enum dt_name name,
		       uint32_t *len)
{
	const uint32_t *e = &t->prop[t->node[idx].props];
	struct dt_prop p = { .len = 0 };

	if (dt_has(t, idx, name)) {
		while (*e >> PROP_NAME_SHIFT != name) { /* bound: it is there */
			e++;
		}
		prop_read(t, *e, &p);
	}
	if (len) {
		*len = p.len;
	}
	return p.data;
}
