/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dom0's devices: every register page and every SPI of the nodes that dom0
 * may see.
 *
 * Not     mapping and routing (the caller's callbacks), /reserved-memory
 *         (p->reserved).
 * Why     disabled nodes count too: dom0 may enable them by an overlay, and
 *         nobody else owns them. RAM, the GIC, ITS, SMMUs and the console
 *         are cut out, whatever a node claims.
 * Bounds  MAX_DEVICE_RANGES ranges, 988 SPIs, one visit per node.
 */
#include "dom_fdt.h"

#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "dom_nodes.h"
#include "fdt_addr.h"
#include "fdt_irq.h"
#include "fdt_parts.h"
#include "ranges.h"

#define MAX_DEVICE_RANGES 1500u
#define MAX_CUTS 256u
#define NR_INTIDS 1020u
#define FIRST_SPI 32u
#define EXTENDED_ALIGN UINT64_C(0x200000)
#define EXTENDED_MIN UINT64_C(0x4000000)
#define BUS_WINDOW_MAX UINT64_C(0x10000000)

static struct mem_range found_r[MAX_DEVICE_RANGES] __noinit;
static struct mem_range cuts_r[MAX_CUTS] __noinit;
static struct ranges found = RANGES_IN(found_r);
static struct ranges cuts = RANGES_IN(cuts_r);
static uint8_t spi_known[(NR_INTIDS + 7) / 8];
static uint8_t spi_edge[(NR_INTIDS + 7) / 8];
static uint32_t nr_skipped; /* entries that could not be read */

static void collect_reg(struct dt *t, uint32_t idx, struct ranges *l)
{
	struct mem_range r;
	int rc;

	for (uint32_t n = 0;; n++) { /* bound: entries of one property */
		rc = dt_reg(t, idx, n, &r);
		if (rc == 0) {
			ranges_add_pages(l, r.start, r.size);
		} else if (rc != -ENXIO) {
			break;
		}
	}
	nr_skipped += rc == -EINVAL;
}

static void collect_pci(struct dt *t, uint32_t idx, struct ranges *l)
{
	const char *type = dt_string(t, idx, DT_DEVICE_TYPE);
	struct mem_range r;
	int rc;

	if (!type || strcmp(type, "pci") != 0) {
		return;
	}
	for (uint32_t n = 0;; n++) { /* bound: entries of one property */
		rc = dt_pci_window(t, idx, n, &r);
		if (rc == 0) {
			ranges_add_pages(l, r.start, r.size);
		} else if (rc != -ENXIO) {
			break;
		}
	}
	nr_skipped += rc == -EINVAL;
}

static void spi_add(const struct dt_irq *q)
{
	uint8_t bit = (uint8_t)(1u << (q->intid % 8));

	if (q->intid < FIRST_SPI || q->intid >= NR_INTIDS) {
		return; /* extended SPIs: skipped, the vGIC has none */
	}
	spi_known[q->intid / 8] |= bit;
	if (q->trigger == IRQ_EDGE) {
		spi_edge[q->intid / 8] |= bit;
	}
}

static void collect_irqs(struct dt *t, uint32_t gic, uint32_t idx)
{
	struct dt_irq q;
	uint32_t pos = 0;
	int rc;

	for (uint32_t n = 0;; n++) { /* bound: entries of one property */
		rc = dt_irq(t, gic, idx, n, &q);
		if (rc == 0) {
			spi_add(&q);
		} else if (rc != -ENXIO) {
			break;
		}
	}
	nr_skipped += rc == -EINVAL;
	do { /* bound: each row moves pos forward, an error ends */
		uint32_t before = pos;

		rc = dt_irq_map_next(t, gic, idx, &pos, &q);
		if (rc == 0) {
			spi_add(&q);
		} else if (pos == before) {
			break;
		}
	} while (true);
	nr_skipped += rc == -EINVAL;
}

/* SPIs that a GICv2m frame can raise, when the tree tells them. */
static int collect_v2m(struct dt *t, uint32_t idx,
		       const struct dom0_devices *cb, void *arg)
{
	uint32_t base = dt_u32(t, idx, DT_MSI_BASE_SPI, 0);
	uint32_t nr = dt_u32(t, idx, DT_MSI_NUM_SPIS, 0);
	struct mem_range r;

	if (base != 0 && nr != 0 && nr < NR_INTIDS) {
		for (uint32_t i = 0; i < nr && base < NR_INTIDS; i++, base++) {
			struct dt_irq q = { .intid = base,
					    .trigger = IRQ_EDGE };

			spi_add(&q);
		}
		return 0;
	}
	if (!cb->v2m || !dt_is_compatible(t, idx, dt_gic_v2m) ||
	    dt_reg(t, idx, 0, &r)) {
		return 0;
	}
	return cb->v2m(r.start, r.size, arg);
}

/* Top-level subtrees whose "reg" is no device. */
static bool is_no_device(struct dt *t, uint32_t idx)
{
	const char *name = dt_node_name(t, idx);

	return t->node[idx].parent == 0 &&
	       (strcmp(name, "chosen") == 0 || strcmp(name, "cpus") == 0 ||
		strcmp(name, "reserved-memory") == 0);
}

static bool is_memory(struct dt *t, uint32_t idx)
{
	const char *type = dt_string(t, idx, DT_DEVICE_TYPE);

	return type && strcmp(type, "memory") == 0;
}

/* What must never be dom0's although some node may claim it. */
static void collect_cuts(struct dt *t, const struct platform *p)
{
	ranges_clear(&cuts);
	for (uint32_t i = 0; i < p->nr_banks; i++) {
		ranges_add_pages(&cuts, p->bank[i].start, p->bank[i].size);
	}
	/* A console smaller than a page shares it with dom0's devices. */
	if (p->uart.node >= 0 && p->uart.size >= PAGE_SIZE) {
		ranges_add_pages(&cuts, p->uart.base, p->uart.size);
	}
	if (p->its.node) {
		ranges_add_pages(&cuts, p->its.base, p->its.size);
	}
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (dom_node_is_hidden(i) && dom_node_is_ours(t, p, i)) {
			collect_reg(t, i, &cuts);
		}
	}
}

static int collect_devices(struct dt *t, const struct platform *p,
			   const struct dom0_devices *cb, void *arg)
{
	uint32_t gic = dt_by_offset(t, p->gic.node);
	int rc = 0;

	ranges_clear(&found);
	nr_skipped = 0;
	memset(spi_known, 0, sizeof(spi_known));
	memset(spi_edge, 0, sizeof(spi_edge));
	for (uint32_t i = 1; i < t->nr_nodes && rc == 0; i++) {
		if (is_no_device(t, i)) {
			i = t->node[i].end - 1u;
			continue;
		}
		if (dom_node_is_hidden(i)) {
			continue;
		}
		collect_reg(t, i, &found);
		collect_pci(t, i, &found);
		if (t->node[i].parent == gic) {
			rc = collect_v2m(t, i, cb, arg);
		} else {
			collect_irqs(t, gic, i);
		}
	}
	return rc;
}

static int report_mmio(const struct dom0_devices *cb, void *arg)
{
	uint32_t cut = 0;

	for (uint32_t i = 0; i < found.nr && cb->mmio; i++) {
		uint64_t pos = found.r[i].start;
		uint64_t end = pos + found.r[i].size;
		struct mem_range r;

		while (ranges_next_hole(&cuts, &cut, &pos, end, &r)) {
			int rc = cb->mmio(r.start, r.size, arg);

			if (rc) {
				return rc;
			}
		}
	}
	return 0;
}

static int report_spis(const struct dom0_devices *cb, uint32_t uart_intid,
		       void *arg)
{
	for (uint32_t i = FIRST_SPI; i < NR_INTIDS && cb->spi; i++) {
		bool edge = (spi_edge[i / 8] >> (i % 8)) & 1;
		int rc;

		if (!((spi_known[i / 8] >> (i % 8)) & 1) || i == uart_intid) {
			continue;
		}
		rc = cb->spi(i, edge ? IRQ_EDGE : IRQ_LEVEL, arg);
		if (rc) {
			return rc;
		}
	}
	return 0;
}

static int table_full(void)
{
	log_err("device tree: more than %u separate device ranges; raise "
		"MAX_DEVICE_RANGES\n", MAX_DEVICE_RANGES);
	return -ENOSPC;
}

int dom0_devices_walk(const struct platform *p, const struct dom0_devices *cb,
		      void *arg)
{
	struct dt *t = &host_dt;
	int rc = dom_nodes_select(t, p);

	if (rc) {
		return rc;
	}
	collect_cuts(t, p);
	rc = collect_devices(t, p, cb, arg);
	if (rc) {
		return rc;
	}
	if (found.full || cuts.full) {
		return table_full();
	}
	if (nr_skipped) {
		log_warn("device tree: %u malformed \"reg\", \"ranges\" or "
			 "\"interrupts\" skipped; dom0 lacks these devices\n",
			 nr_skipped);
	}
	rc = report_mmio(cb, arg);
	return rc ? rc : report_spis(cb, p->uart.node >= 0 ? p->uart.intid : 0,
				     arg);
}

/* ---- extended regions ---------------------------------------------------- */

/*
 * A small window of a bus may hold devices that no node names. A large one is
 * the way to everything and says nothing.
 */
static void collect_bus(struct dt *t, uint32_t idx, struct ranges *l)
{
	const struct dt_node *b = &t->node[idx];
	const struct dt_node *up = &t->node[b->parent];
	uint32_t len;
	const uint8_t *r = dt_prop(t, idx, DT_RANGES, &len);
	uint32_t entry = 4u * ((uint32_t)b->addr_cells + up->addr_cells +
			       b->size_cells);

	if (!r || b->addr_cells > 2 || up->addr_cells > 2 ||
	    b->size_cells > 2 || entry == 0) {
		return;
	}
	for (uint32_t pos = 0; len - pos >= entry; pos += entry) {
		const uint8_t *p = r + pos + 4u * b->addr_cells;
		uint64_t size = dt_cells(p + 4u * up->addr_cells,
					 b->size_cells);
		uint64_t base;

		if (size <= BUS_WINDOW_MAX &&
		    dt_translate(t, b->parent, dt_cells(p, up->addr_cells),
				 &base) == 0) {
			ranges_add_pages(l, base, size);
		}
	}
}

/* Everything that is something, whoever owns it. */
static int collect_used(struct dt *t, const struct platform *p,
			const struct mem_range *avoid, uint32_t nr_avoid)
{
	ranges_clear(&found);
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (is_no_device(t, i)) {
			i = t->node[i].end - 1u;
		} else if (!is_memory(t, i)) {
			collect_reg(t, i, &found);
			collect_pci(t, i, &found);
			collect_bus(t, i, &found);
		}
	}
	for (uint32_t i = 0; i < p->nr_banks; i++) {
		ranges_add_pages(&found, p->bank[i].start, p->bank[i].size);
	}
	for (uint32_t i = 0; i < p->nr_reserved; i++) {
		ranges_add_pages(&found, p->reserved[i].start,
			       p->reserved[i].size);
	}
	for (uint32_t i = 0; i < nr_avoid; i++) {
		ranges_add_pages(&found, avoid[i].start, avoid[i].size);
	}
	return found.full ? table_full() : 0;
}

int dom0_find_extended_regions(const struct platform *p, uint32_t ipa_bits,
			       const struct mem_range *avoid,
			       uint32_t nr_avoid, struct mem_range *out,
			       uint32_t max, uint32_t *out_nr)
{
	struct dt *t = &host_dt;
	struct mem_range hole;
	uint64_t pos = 0;
	uint32_t i = 0;
	int rc = dom_nodes_select(t, p);

	*out_nr = 0;
	if (rc) {
		return rc;
	}
	rc = collect_used(t, p, avoid, nr_avoid);
	if (rc) {
		return rc;
	}
	while (*out_nr < max && ipa_bits < 64 &&
	       ranges_next_hole(&found, &i, &pos, BIT64(ipa_bits), &hole)) {
		uint64_t start = align_up(hole.start, EXTENDED_ALIGN);
		uint64_t end = align_down(hole.start + hole.size,
					  EXTENDED_ALIGN);

		if (end > start && end - start >= EXTENDED_MIN) {
			out[(*out_nr)++] = (struct mem_range){
				.start = start, .size = end - start };
		}
	}
	return 0;
}
