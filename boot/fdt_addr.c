/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "reg" and "ranges": from what a node says to the address a CPU uses.
 *
 * Not     which addresses may be mapped (dom_devices.c decides).
 * Bounds  one visit per ancestor and per entry of its "ranges".
 * Spec    [DT] 2.3.6 "reg", 2.3.8 "ranges"; [PCI-OF] 2.2.1.1 for the three
 *         address cells of a PCI bus.
 */
#include "fdt_addr.h"

#include <lib/errno.h>

#define PCI_CELLS 3u

int dt_reg_raw(struct dt *t, uint32_t idx, uint32_t n, struct mem_range *out)
{
	const struct dt_node *bus = &t->node[t->node[idx].parent];
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, DT_REG, &len);
	uint32_t entry;

	if (!data) {
		return -ENOENT;
	}
	if (bus->addr_cells > 4 || bus->size_cells > 4) {
		return -EINVAL;
	}
	entry = 4u * ((uint32_t)bus->addr_cells + bus->size_cells);
	if (entry == 0 || len % entry != 0) {
		return -EINVAL;
	}
	if (n >= len / entry) {
		return -ENOENT;
	}
	if (bus->addr_cells > 2 || bus->size_cells > 2) {
		return -ENXIO;
	}
	data += (size_t)n * entry;
	out->start = dt_cells(data, bus->addr_cells);
	out->size = dt_cells(data + 4u * bus->addr_cells, bus->size_cells);
	return 0;
}

/* One step up: from the children's space of @bus into its own. */
static int translate_up(struct dt *t, uint32_t bus, uint64_t *addr)
{
	const struct dt_node *b = &t->node[bus];
	const struct dt_node *up = &t->node[b->parent];
	uint32_t len;
	const uint8_t *r = dt_prop(t, bus, DT_RANGES, &len);
	uint32_t entry = 4u * ((uint32_t)b->addr_cells + up->addr_cells +
			       b->size_cells);

	if (!r || b->addr_cells > 2 || up->addr_cells > 2 ||
	    b->size_cells > 2) {
		return -ENXIO;
	}
	if (len == 0) {
		return 0;
	}
	if (entry == 0 || len % entry != 0) {
		return -EINVAL;
	}
	for (uint32_t pos = 0; pos < len; pos += entry) {
		uint64_t child = dt_cells(r + pos, b->addr_cells);
		uint64_t base = dt_cells(r + pos + 4u * b->addr_cells,
					 up->addr_cells);
		uint64_t size = dt_cells(r + pos + entry - 4u * b->size_cells,
					 b->size_cells);

		if (*addr < child || *addr - child >= size) {
			continue;
		}
		if (*addr - child > UINT64_MAX - base) {
			return -EINVAL;
		}
		*addr = base + (*addr - child);
		return 0;
	}
	return -ENXIO;
}

int dt_translate(struct dt *t, uint32_t bus, uint64_t addr, uint64_t *out)
{
	while (bus != 0) { /* bound: DT_MAX_DEPTH */
		int rc = translate_up(t, bus, &addr);

		if (rc) {
			return rc;
		}
		bus = t->node[bus].parent;
	}
	*out = addr;
	return 0;
}

int dt_reg(struct dt *t, uint32_t idx, uint32_t n, struct mem_range *out)
{
	uint32_t bus = t->node[idx].parent;
	struct mem_range r;
	int rc = dt_reg_raw(t, idx, n, &r);

	if (rc) {
		return rc;
	}
	if (t->node[bus].size_cells == 0) {
		return -ENXIO;
	}
	rc = dt_translate(t, bus, r.start, &r.start);
	if (rc) {
		return rc;
	}
	if (r.size > UINT64_MAX - r.start) {
		return -EINVAL;
	}
	*out = r;
	return 0;
}

int dt_pci_window(struct dt *t, uint32_t idx, uint32_t n,
		  struct mem_range *out)
{
	const struct dt_node *b = &t->node[idx];
	const struct dt_node *up = &t->node[b->parent];
	uint32_t len;
	const uint8_t *r = dt_prop(t, idx, DT_RANGES, &len);
	uint32_t entry;
	int rc;

	if (!r || len == 0) {
		return -ENOENT;
	}
	if (b->addr_cells != PCI_CELLS || up->addr_cells > 2 ||
	    b->size_cells > 2) {
		return -EINVAL;
	}
	entry = 4u * (PCI_CELLS + up->addr_cells + b->size_cells);
	if (len % entry != 0) {
		return -EINVAL;
	}
	if (n >= len / entry) {
		return -ENOENT;
	}
	r += (size_t)n * entry;
	out->size = dt_cells(r + entry - 4u * b->size_cells, b->size_cells);
	rc = dt_translate(t, b->parent,
			  dt_cells(r + 4u * PCI_CELLS, up->addr_cells),
			  &out->start);
	if (rc) {
		return rc;
	}
	return out->size > UINT64_MAX - out->start ? -EINVAL : 0;
}
