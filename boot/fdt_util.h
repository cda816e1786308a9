/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the host's device tree: one checked pass makes a table of nodes and
 * properties; after it nothing is searched for from the start.
 */
#ifndef BOOT_FDT_UTIL_H
#define BOOT_FDT_UTIL_H

#include <lib/types.h>
#include "fdt_names.h"

#define DT_MAX_SIZE (2u << 20)    /* arm64 boot protocol: 2 MiB at most */
#define DT_MAX_NODES 4096u        /* Debian's largest board tree has 997 */
#define DT_MAX_DEPTH 32u          /* ... and is 12 deep */
#define DT_PHANDLE_SLOTS 8192u    /* power of two, twice DT_MAX_NODES */
#define DT_NAME_SLOTS 16384u      /* string offsets with a remembered name */
#define DT_MAX_PROPS 16384u       /* Debian's largest has 4067, plus nodes */
#define DT_NONE UINT32_MAX        /* no such node */

struct dt_node {
	uint64_t names;      /* bit per enum dt_name: has that property */
	uint32_t offset;     /* libfdt's, of its begin tag */
	uint32_t props;      /* its first entry in dt.prop[] */
	uint32_t phandle;    /* 0: none */
	uint32_t irq_parent; /* phandle, or index if irq_by_index; 0: none */
	uint16_t parent;     /* index; the root is its own */
	uint16_t end;        /* index after its last descendant */
	uint8_t addr_cells;  /* of its children's addresses; 0xff: nonsense */
	uint8_t size_cells;
	uint8_t irq_cells;   /* of a specifier for it, 1 to 4; 0: nonsense */
	bool irq_by_index;
};

struct dt {
	const void *fdt;         /* NULL: nothing open */
	const char *strings;     /* property names, by nameoff */
	const char *structs;     /* the structure block, 4-byte aligned */
	uint32_t structs_size;   /* bytes */
	uint32_t nr_nodes;
	uint32_t nr_props;       /* entries of prop[] in use */
	uint32_t max_phandle;
	uint32_t generation;     /* counts dt_open() */
	uint64_t names;          /* bit per enum dt_name: some node has it */
	struct dt_node node[DT_MAX_NODES];
	/* Node by node: enum dt_name << 24 | libfdt's offset / 4; 0 ends. */
	uint32_t prop[DT_MAX_PROPS];
	uint16_t by_phandle[DT_PHANDLE_SLOTS]; /* index + 1; 0: free */
	uint8_t name_id[DT_NAME_SLOTS]; /* enum dt_name + 1; 0: not yet */
};

struct dt_prop {
	const uint8_t *data; /* 4-byte aligned */
	uint32_t len;
	uint32_t nameoff;
	enum dt_name name;
};

/* The one tree of this machine; too large for a stack. */
extern struct dt host_dt;

/*
 * Check @fdt, which has at most @max_size bytes, and make the table. -EINVAL
 * when it is no well-formed tree, -E2BIG when it is beyond our bounds; logged,
 * and the table is empty then.
 */
__must_check int dt_open(struct dt *t, const void *fdt, uint64_t max_size);

/* Has that property. */
static inline bool dt_has(const struct dt *t, uint32_t idx, enum dt_name name)
{
	return (t->node[idx].names >> name) & 1;
}

/* Some node has it. */
static inline bool dt_has_any(const struct dt *t, enum dt_name name)
{
	return (t->names >> name) & 1;
}

const char *dt_node_name(const struct dt *t, uint32_t idx);
/* Index of the node that libfdt would call @offset; DT_NONE. */
uint32_t dt_by_offset(const struct dt *t, int offset);
uint32_t dt_by_phandle(const struct dt *t, uint32_t phandle);
/* Where the "interrupts" of @idx go: its own word or an ancestor's. */
uint32_t dt_irq_parent(const struct dt *t, uint32_t idx);
/* "/a/b@1" or an alias, either with ":options" behind it; DT_NONE. */
uint32_t dt_resolve(struct dt *t, const char *path, uint32_t len);
/* Full path, shortened from the left when it does not fit. Points into @buf. */
const char *dt_path(const struct dt *t, uint32_t idx, char *buf, size_t size);

/* Step @cursor (from node.props) to the next property; false: no more. */
bool dt_prop_next(struct dt *t, uint32_t *cursor, struct dt_prop *out);
/* Value or NULL; @len may be NULL. An empty property is not NULL. */
const uint8_t *dt_prop(struct dt *t, uint32_t idx, enum dt_name name,
		       uint32_t *len);
/* The property of that name, one that enum dt_name need not know. */
bool dt_prop_named(struct dt *t, uint32_t idx, const char *name,
		   struct dt_prop *out);
/* Text of a property, NULL when absent or not terminated. */
const char *dt_string(struct dt *t, uint32_t idx, enum dt_name name);
/* First cell of a property, @absent without one. */
uint32_t dt_u32(struct dt *t, uint32_t idx, enum dt_name name,
		uint32_t absent);
/* One of the strings of "compatible" is in @list, which ends with NULL. */
bool dt_is_compatible(struct dt *t, uint32_t idx, const char *const *list);
/* "status" is absent, "okay" or "ok". */
bool dt_is_available(struct dt *t, uint32_t idx);

/* A cell; all of a tree's are aligned. */
static inline uint32_t dt_be32(const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, __builtin_assume_aligned(p, sizeof(v)), sizeof(v));
	return __builtin_bswap32(v);
}

/* A number of @cells cells, 0 to 2; more: the two lowest. */
static inline uint64_t dt_cells(const uint8_t *p, uint32_t cells)
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < cells; i++) {
		v = (v << 32) | dt_be32(p + 4 * (size_t)i);
	}
	return v;
}

#endif
