/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMUs of the machine's tree, and which streams a device's accesses carry.
 *
 * Not     driving one (drivers/smmu), nor who gets a device (iommu.c).
 * Bounds  entries of one property; for mmu-masters those of every SMMU.
 * Spec    Linux's bindings iommu.txt ("iommus"), pci-iommu.txt ("iommu-map"),
 *         arm,smmu.yaml ("#global-interrupts", a mask as second cell, and the
 *         older "mmu-masters" at the SMMU with "#stream-id-cells" at the
 *         device).
 */
#include "fdt_iommu.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include "dom_nodes.h"
#include "fdt_addr.h"
#include "fdt_irq.h"

#define MAX_IRQ_ENTRIES 160u /* an SMMU-500 names up to 128 contexts */
#define STREAM_BITS 0x7fffu  /* of an SMMUv2 */
#define STREAM_TOP BIT32(14)

struct found {
	struct dt *t;
	struct dt_stream *out;
	uint32_t max;
	uint32_t nr;
};

static uint32_t cell_of(struct dt *t, uint32_t idx, const char *name,
			uint32_t absent)
{
	struct dt_prop p;

	return dt_prop_named(t, idx, name, &p) && p.len >= 4 ? dt_be32(p.data)
							     : absent;
}

/* One of "iommus": @smmu is DT_NONE where it is of another kind of unit. */
struct entry {
	uint32_t smmu;
	uint32_t id;
	uint32_t mask; /* bits of @id of no matter */
};

/* The one at *pos, which moves on. -EINVAL: malformed; -ENOENT: no more. */
static int next_entry(struct dt *t, uint32_t idx, uint32_t *pos,
		      struct entry *e)
{
	uint32_t len, to, cells;
	const uint8_t *p = dt_prop(t, idx, DT_IOMMUS, &len);

	if (!p || *pos == len) {
		return -ENOENT;
	}
	to = len - *pos < 4 ? DT_NONE : dt_by_phandle(t, dt_be32(p + *pos));
	cells = to == DT_NONE ? 0 : cell_of(t, to, "#iommu-cells", 1);
	if (to == DT_NONE || cells > 8 || len - *pos < 4 + 4 * cells) {
		return -EINVAL;
	}
	p += *pos;
	*pos += 4 + 4 * cells;
	*e = (struct entry){.smmu = DT_NONE};
	if (!dom_node_is_smmu(t, to)) {
		return 0;
	}
	if (cells < 1 || cells > 2) {
		return -EINVAL;
	}
	e->smmu = to;
	e->id = dt_be32(p + 4);
	e->mask = cells == 2 ? dt_be32(p + 8) : 0;
	return 0;
}

/* The "iommu-map" of node @idx names @smmu. */
static bool maps_to(struct dt *t, uint32_t idx, uint32_t smmu)
{
	uint32_t len = 0;
	const uint8_t *p = dt_prop(t, idx, DT_IOMMU_MAP, &len);

	for (uint32_t pos = 0; p && pos + 8 <= len; pos += 16) {
		if (dt_by_phandle(t, dt_be32(p + pos + 4)) == smmu) {
			return true;
		}
	}
	return false;
}

/* Bits that all devices of @smmu mask; none without any. */
static uint32_t common_mask(struct dt *t, uint32_t smmu)
{
	uint32_t common = 0;
	bool any = false;

	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		struct entry e;
		uint32_t pos = 0;

		if (dt_has(t, i, DT_IOMMU_MAP) && maps_to(t, i, smmu)) {
			return 0;
		}
		while (dt_has(t, i, DT_IOMMUS) &&
		       next_entry(t, i, &pos, &e) == 0) {
			if (e.smmu == smmu) {
				common = any ? common & e.mask : e.mask;
				any = true;
			}
		}
	}
	return common;
}

uint32_t dt_stream_mask(struct dt *t, uint32_t smmu)
{
	uint32_t mask = cell_of(t, smmu, "stream-match-mask", 0);
	uint32_t common;

	if (mask != 0 || cell_of(t, smmu, "#iommu-cells", 1) != 2) {
		return mask & STREAM_BITS;
	}
	common = common_mask(t, smmu);
	for (uint32_t bit = STREAM_TOP; common & bit; bit >>= 1) {
		mask |= bit;
	}
	return mask;
}

static int add(struct found *f, uint32_t smmu, uint32_t first, uint32_t nr)
{
	if (nr == 0 || first > UINT32_MAX - (nr - 1)) {
		return -EINVAL;
	}
	if (f->nr == f->max) {
		return -ENOSPC;
	}
	f->out[f->nr++] = (struct dt_stream){
		.smmu = smmu,
		.first = first & ~dt_stream_mask(f->t, smmu),
		.nr = nr,
	};
	return 0;
}

/* A range for each value of the mask's bits above the lowest that are set. */
static int add_masked(struct found *f, const struct entry *e, uint32_t mask)
{
	uint32_t low = (mask ^ (mask + 1)) >> 1;
	uint32_t upper = mask & ~low;
	uint32_t some = 0;
	int rc;

	do {
		rc = add(f, e->smmu, (e->id & ~mask) | some, low + 1);
		some = (some - upper) & upper; /* the next set of its bits */
	} while (rc == 0 && some != 0); /* bound: f->max */
	return rc;
}

/* "iommus": <&smmu id [mask]>, again and again. */
static int add_iommus(struct dt *t, uint32_t idx, struct found *f)
{
	struct entry e;
	uint32_t pos = 0;
	int rc = next_entry(t, idx, &pos, &e);

	while (rc == 0) {
		if (e.smmu != DT_NONE) {
			rc = add_masked(f, &e,
					e.mask & ~dt_stream_mask(t, e.smmu));
		}
		rc = rc ? rc : next_entry(t, idx, &pos, &e);
	}
	return rc == -ENOENT ? 0 : rc;
}

/* "iommu-map": <function &smmu first number>, again and again. */
static int add_map(struct dt *t, uint32_t idx, struct found *f)
{
	uint32_t len;
	const uint8_t *p = dt_prop(t, idx, DT_IOMMU_MAP, &len);
	int rc = 0;

	if (!p) {
		return 0;
	}
	if (len == 0 || len % 16 != 0) {
		return -EINVAL;
	}
	for (uint32_t pos = 0; pos < len && rc == 0; pos += 16) {
		uint32_t to = dt_by_phandle(t, dt_be32(p + pos + 4));

		if (to != DT_NONE && dom_node_is_smmu(t, to)) {
			rc = add(f, to, dt_be32(p + pos + 8),
				 dt_be32(p + pos + 12));
		}
	}
	return rc;
}

/* "mmu-masters" of @smmu: <&device id ...>, as many as the device says. */
static int add_masters(struct dt *t, uint32_t smmu, uint32_t idx,
		       struct found *f)
{
	uint32_t len, pos = 0;
	const uint8_t *p = dt_prop(t, smmu, DT_MMU_MASTERS, &len);
	int rc = 0;

	while (p && rc == 0 && pos < len) {
		uint32_t dev = len - pos < 4
				       ? DT_NONE
				       : dt_by_phandle(t, dt_be32(p + pos));
		uint32_t ids = dev == DT_NONE
				       ? UINT32_MAX
				       : cell_of(t, dev, "#stream-id-cells", 0);

		if (ids > (len - pos) / 4 - 1) {
			return -EINVAL;
		}
		for (uint32_t i = 0; dev == idx && i < ids && rc == 0; i++) {
			rc = add(f, smmu, dt_be32(p + pos + 4 + 4 * i), 1);
		}
		pos += 4 + 4 * ids;
	}
	return rc;
}

int dt_streams(struct dt *t, uint32_t idx, struct dt_stream *out, uint32_t max,
	       uint32_t *nr)
{
	struct found f = {.t = t, .out = out, .max = max};
	int rc = add_iommus(t, idx, &f);

	if (rc == 0) {
		rc = add_map(t, idx, &f);
	}
	for (uint32_t i = 1; rc == 0 && dt_has_any(t, DT_MMU_MASTERS) &&
			     t->node[idx].phandle && i < t->nr_nodes;
	     i++) {
		if (dt_has(t, i, DT_MMU_MASTERS)) {
			rc = add_masters(t, i, idx, &f);
		}
	}
	*nr = f.nr;
	return rc;
}

static bool has_irq(const struct dt_smmu *s, uint32_t intid)
{
	for (uint32_t i = 0; i < s->nr_irqs; i++) {
		if (s->irq[i] == intid) {
			return true;
		}
	}
	return false;
}

int dt_smmu(struct dt *t, uint32_t gic, uint32_t idx, struct dt_smmu *out)
{
	struct mem_range regs;
	struct dt_prop p;
	struct dt_irq q;
	int rc = dt_reg(t, idx, 0, &regs);

	*out = (struct dt_smmu){.base = regs.start, .size = regs.size};
	if (rc) {
		return -EINVAL;
	}
	out->coherent = dt_prop_named(t, idx, "dma-coherent", &p);
	out->nr_global_irqs = cell_of(t, idx, "#global-interrupts", 1);
	for (uint32_t n = 0; n < MAX_IRQ_ENTRIES; n++) {
		rc = dt_irq(t, gic, idx, n, &q);
		if (rc == -ENOENT) {
			return 0;
		}
		if (rc || q.intid < 32 || q.intid >= NR_INTIDS) {
			return -EINVAL;
		}
		if (has_irq(out, q.intid)) {
			continue;
		}
		if (out->nr_irqs == IOMMU_MAX_IRQS) {
			return 0; /* of an SMMUv2's last contexts */
		}
		out->irq[out->nr_irqs] = q.intid;
		out->irq_edge[out->nr_irqs++] = q.trigger == IRQ_EDGE;
	}
	return 0;
}
