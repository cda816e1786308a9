/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xen,static-mem, direct-map, xen,static-heap and nodes
 * "xen,domain-shared-memory-v1": read, and judged each for itself.
 *
 * Owns    what is set aside for dom0 and for the heap.
 * Not     where it lies in the machine (fdt_dom_mem_check.c), nor handing it
 *         out (memory.c, dom_mem.c). No hardware is touched.
 * Bounds  MAX_STATIC_BANKS, MAX_SHARED, MAX_STATIC_HEAP; one look at each
 *         property of a node for each name.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt "Static Allocation",
 *         "Static Heap Memory", "Static Shared Memory".
 */
#include "fdt_dom_mem.h"

#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_parts.h"
#include "modules.h"

struct boot_mem dom0_mem;
struct mem_range boot_heap[MAX_STATIC_HEAP];
uint32_t nr_boot_heap;

const char *const dt_shared_memory[] = { "xen,domain-shared-memory-v1", NULL };

/* A property and the cells that its numbers have. */
struct cell_list {
	const char *name;
	const char *ac_name; /* Xen 4.16's: says the cells itself */
	const char *sc_name;
	struct dt_prop p;
	uint32_t ac;
	uint32_t sc;
};

/* @otherwise without that property; 0: it is no number. */
static uint32_t cells_named(struct dt *t, uint32_t idx, const char *name,
			    uint32_t otherwise)
{
	struct dt_prop p;

	if (!dt_prop_named(t, idx, name, &p)) {
		return otherwise;
	}
	return p.len == 4 ? dt_be32(p.data) : 0;
}

/* Without cells of its own: those of the nearest ancestor that has some. */
static bool find_cells(struct dt *t, uint32_t idx, struct cell_list *c)
{
	uint32_t bus = t->node[idx].parent;

	while (bus != 0 && !dt_has(t, bus, DT_ADDRESS_CELLS)) {
		bus = t->node[bus].parent; /* bound: depth of the tree */
	}
	c->ac = cells_named(t, idx, c->ac_name, t->node[bus].addr_cells);
	c->sc = cells_named(t, idx, c->sc_name, t->node[bus].size_cells);
	return c->ac >= 1 && c->ac <= 2 && c->sc >= 1 && c->sc <= 2;
}

/* What can be wrong with a range whatever it is for; NULL: nothing. */
static const char *range_problem(const struct mem_range *r)
{
	if (r->size == 0) {
		return "has an empty range; give it a size";
	}
	if (!is_aligned(r->start | r->size, PAGE_SIZE)) {
		return "is not whole pages; align addresses and sizes to 4096";
	}
	if (r->start >= PA_LIMIT || r->size > PA_LIMIT - r->start) {
		return "ends beyond the last address there can be; correct it";
	}
	return NULL;
}

/* The ranges of @c, at most @max, to @out. 0 without the property. */
static int read_ranges(struct dt *t, uint32_t idx, struct cell_list *c,
		       struct mem_range *out, uint32_t max, uint32_t *nr)
{
	uint32_t step;

	*nr = 0;
	if (!dt_prop_named(t, idx, c->name, &c->p)) {
		return 0;
	}
	if (!find_cells(t, idx, c)) {
		return dt_error(t, idx, c->name, "has no number of cells; set "
				"#address-cells and #size-cells of the parent "
				"to 1 or 2", -EINVAL);
	}
	step = 4 * (c->ac + c->sc);
	if (c->p.len == 0 || c->p.len % step != 0) {
		return dt_error(t, idx, c->name, "is not a list of addresses "
				"and sizes in the cells of the parent; correct "
				"it", -EINVAL);
	}
	if (c->p.len / step > max) {
		return dt_error(t, idx, c->name, "is more than 8 ranges; join "
				"some", -ENOSPC);
	}
	for (uint32_t at = 0; at < c->p.len; at += step) {
		struct mem_range *r = &out[(*nr)++];
		const char *problem;

		r->start = dt_cells(c->p.data + at, c->ac);
		r->size = dt_cells(c->p.data + at + 4 * c->ac, c->sc);
		problem = range_problem(r);
		if (problem) {
			return dt_error(t, idx, c->name, problem, -EINVAL);
		}
	}
	return 0;
}

/* ---- a domain's own ------------------------------------------------------ */

int fdt_dom_mem_parse(struct dt *t, uint32_t idx, struct boot_mem *m)
{
	struct cell_list c = {
		.name = "xen,static-mem",
		.ac_name = "#xen,static-mem-address-cells",
		.sc_name = "#xen,static-mem-size-cells",
	};
	struct dt_prop p;
	int rc = read_ranges(t, idx, &c, m->bank, MAX_STATIC_BANKS,
			     &m->nr_banks);

	m->direct_map = dt_prop_named(t, idx, "direct-map", &p);
	if (rc == 0 && m->direct_map && m->nr_banks == 0) {
		return dt_error(t, idx, "direct-map", "needs static memory; "
				"add \"xen,static-mem\"", -EINVAL);
	}
	return rc;
}

/* ---- the heap's ---------------------------------------------------------- */

static bool is_in_a_bank(const struct platform *p, const struct mem_range *r)
{
	for (uint32_t i = 0; i < p->nr_banks; i++) {
		const struct mem_range *b = &p->bank[i];

		if (r->start >= b->start && r->size <= b->size &&
		    r->start - b->start <= b->size - r->size) {
			return true;
		}
	}
	return false;
}

int fdt_static_heap_parse(struct dt *t, const struct platform *p)
{
	struct cell_list c = {
		.name = "xen,static-heap",
		.ac_name = "#xen,static-heap-address-cells",
		.sc_name = "#xen,static-heap-size-cells",
	};
	uint32_t chosen = dt_resolve(t, "/chosen", 7);
	int rc;

	nr_boot_heap = 0;
	if (chosen == DT_NONE) {
		return 0;
	}
	rc = read_ranges(t, chosen, &c, boot_heap, MAX_STATIC_HEAP,
			 &nr_boot_heap);
	for (uint32_t i = 0; i < nr_boot_heap && rc == 0; i++) {
		if (!is_in_a_bank(p, &boot_heap[i])) {
			rc = dt_error(t, chosen, c.name, "is not inside one "
				      "bank of memory; correct it", -EINVAL);
		}
	}
	return rc;
}

/* ---- shared -------------------------------------------------------------- */

static int read_id(struct dt *t, uint32_t idx, struct shm_use *u)
{
	struct dt_prop p;

	if (!dt_prop_named(t, idx, "xen,shm-id", &p)) {
		return dt_error(t, idx, "xen,shm-id", "is missing; add it",
				-ENOENT);
	}
	if (p.len < 2 || p.len > sizeof(u->id) ||
	    strnlen((const char *)p.data, p.len) != p.len - 1) {
		return dt_error(t, idx, "xen,shm-id", "is not a string of 1 to "
				"15 characters; correct it", -EINVAL);
	}
	memcpy(u->id, p.data, p.len);
	return 0;
}

static int read_role(struct dt *t, uint32_t idx, struct shm_use *u)
{
	struct dt_prop p;

	u->role = SHM_NO_ROLE;
	if (!dt_prop_named(t, idx, "role", &p)) {
		return 0;
	}
	if (p.len == sizeof("owner") && memcmp(p.data, "owner", p.len) == 0) {
		u->role = SHM_OWNER;
		return 0;
	}
	if (p.len == sizeof("borrower") &&
	    memcmp(p.data, "borrower", p.len) == 0) {
		u->role = SHM_BORROWER;
		return 0;
	}
	return dt_error(t, idx, "role", "is neither \"owner\" nor "
			"\"borrower\"; write one of them", -EINVAL);
}

/* <host address, guest address, size> */
static int read_places(struct dt *t, uint32_t idx, struct shm_use *u)
{
	struct cell_list c = {
		.name = "xen,shared-mem",
		.ac_name = "#xen,shared-mem-address-cells",
		.sc_name = "#xen,shared-mem-size-cells",
	};
	struct mem_range guest;
	const char *problem;

	if (!dt_prop_named(t, idx, c.name, &c.p)) {
		return dt_error(t, idx, c.name, "is missing; add it", -ENOENT);
	}
	if (!find_cells(t, idx, &c) || c.p.len != 4 * (2 * c.ac + c.sc)) {
		return dt_error(t, idx, c.name, "is not one host address, "
				"guest address and size in the cells of the "
				"parent; correct it", -EINVAL);
	}
	u->host.start = dt_cells(c.p.data, c.ac);
	u->ipa = dt_cells(c.p.data + 4 * c.ac, c.ac);
	u->host.size = dt_cells(c.p.data + 8 * c.ac, c.sc);
	guest = (struct mem_range){ .start = u->ipa, .size = u->host.size };
	problem = range_problem(&u->host);
	problem = problem ? problem : range_problem(&guest);
	return problem ? dt_error(t, idx, c.name, problem, -EINVAL) : 0;
}

int fdt_dom_mem_shared(struct dt *t, uint32_t idx, struct boot_mem *m)
{
	struct shm_use *u = &m->shm[m->nr_shm];
	int rc;

	if (m->nr_shm == MAX_SHARED) {
		return dt_error(t, idx, "compatible", "makes more than 8 "
				"regions of shared memory; drop some",
				-ENOSPC);
	}
	rc = read_id(t, idx, u);
	if (rc == 0) {
		rc = read_role(t, idx, u);
	}
	if (rc == 0) {
		rc = read_places(t, idx, u);
	}
	if (rc) {
		return rc;
	}
	for (uint32_t i = 0; i < m->nr_shm; i++) {
		if (strcmp(m->shm[i].id, u->id) == 0) {
			return dt_error(t, idx, "xen,shm-id", "is there twice "
					"for one domain; drop one", -EEXIST);
		}
	}
	m->nr_shm++;
	return 0;
}

void fdt_dom_mem_dom0(struct dt *t, uint32_t idx, const struct platform *p)
{
	if (!module_find(p, MODULE_KERNEL)) {
		log_warn("device tree: /chosen/%s: is dom0's, and there is no "
			 "dom0; ignored\n", dt_node_name(t, idx));
	} else if (fdt_dom_mem_shared(t, idx, &dom0_mem)) {
		log_warn("device tree: /chosen/%s: left out; dom0 is started "
			 "without it\n", dt_node_name(t, idx));
	}
}
