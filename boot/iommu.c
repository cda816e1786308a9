/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's SMMUs, and the devices behind them: driven, listed, and those
 * of dom0 assigned to it.
 *
 * Owns    which device of core/iommu.c is which node of the tree.
 * CPU     the boot CPU.
 */
#include "boot.h"

#include <arch/stage1.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "dom_nodes.h"
#include "fdt_iommu.h"
#include "iommu.h"

#define MAX_DEVICES 128u

static const struct iommu_ops *const drivers[] = {&smmuv3_iommu,
						 &smmuv2_iommu};

static struct {
	uint32_t node;
	struct iommu *u; /* NULL: nothing drives it */
} known[MAX_IOMMUS];
static uint32_t nr_known;

static struct {
	uint32_t node;
	struct iommu_device *dev; /* NULL: behind a unit that does not work */
} listed[MAX_DEVICES];
static uint32_t nr_listed;

/* ---- units --------------------------------------------------------------- */

static const struct iommu_ops *driver_of(struct dt *t, uint32_t idx)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (dt_is_compatible(t, idx, drivers[i]->compatible)) {
			return drivers[i];
		}
	}
	return NULL;
}

/* The highest stream that a device behind @smmu has. */
static uint32_t highest_stream(struct dt *t, uint32_t smmu)
{
	struct dt_stream s[IOMMU_DEV_STREAMS];
	uint32_t most = 0;

	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		uint32_t nr = 0;
		int rc = dt_streams(t, i, s, IOMMU_DEV_STREAMS, &nr);

		for (uint32_t n = 0; rc == 0 && n < nr; n++) {
			uint32_t last = s[n].first + (s[n].nr - 1);

			if (s[n].smmu == smmu && last > most) {
				most = last;
			}
		}
	}
	return most;
}

static int unit_init(struct dt *t, uint32_t idx, const struct dt_smmu *n,
		     struct iommu *u)
{
	struct iommu_config c = {
		.regs_size = n->size,
		.coherent = n->coherent,
		.max_stream = highest_stream(t, idx),
		.nr_global_irqs = n->nr_global_irqs,
		.stream_mask = dt_stream_mask(t, idx),
		.alloc = iommu_alloc_frames,
		.at = iommu_memory_at,
		.clean = arch_clean_dcache,
		.fault = iommu_report,
	};
	int rc;

	if (n->size < u->ops->regs_min) {
		return -EINVAL;
	}
	c.regs = stage1_map_device(n->base, n->size);
	if (!c.regs) {
		return -ENOMEM;
	}
	spin_lock_init(&u->lock, LOCK_RANK_IOMMU);
	u->base = n->base;
	u->nr_irqs = n->nr_irqs;
	memcpy(u->irq, n->irq, sizeof(u->irq));
	memcpy(u->irq_edge, n->irq_edge, sizeof(u->irq_edge));
	rc = u->ops->init(u, &c);
	return rc ? rc : iommu_add_unit(u);
}

static struct iommu *unit_make(struct dt *t, uint32_t idx)
{
	uint32_t gic = dt_by_offset(t, platform.gic.node);
	struct iommu *u = heap_alloc(NULL, sizeof(*u));
	struct dt_smmu n;
	int rc = dt_smmu(t, gic, idx, &n);

	if (!u) {
		return NULL;
	}
	u->ops = driver_of(t, idx);
	if (rc == 0) {
		rc = unit_init(t, idx, &n, u);
	}
	if (rc) {
		log_err("%s: error %d: not driven. If no message above says "
			"that it refuses all, its devices are not kept from "
			"others' memory\n",
			dt_node_name(t, idx), -rc);
		return NULL; /* what the driver has of it stays */
	}
	log_info("%s at %#llx: streams 0-%#x, %u interrupts\n", u->ops->name,
		 (unsigned long long)n.base, u->max_stream, n.nr_irqs);
	return u;
}

static void units_init(struct dt *t)
{
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (!dom_node_is_smmu(t, i) || !dt_is_available(t, i)) {
			continue;
		}
		if (nr_known == MAX_IOMMUS) {
			log_warn("more than %u SMMUs: the rest is not used\n",
				 MAX_IOMMUS);
			return;
		}
		known[nr_known].node = i;
		if (driver_of(t, i)) {
			known[nr_known].u = unit_make(t, i);
		} else {
			log_warn("%s: no driver for this SMMU\n",
				 dt_node_name(t, i));
		}
		nr_known++;
	}
}

/* ---- devices ------------------------------------------------------------- */

struct iommu *boot_iommu_unit(uint32_t node)
{
	for (uint32_t i = 0; i < nr_known; i++) {
		if (known[i].node == node) {
			return known[i].u;
		}
	}
	return NULL;
}

static struct iommu_device *device_make(struct dt *t, uint32_t idx,
					const struct dt_stream *s, uint32_t nr)
{
	char path[128];
	const char *name = dt_path(t, idx, path, sizeof(path));
	size_t len = strlen(name) + 1;
	struct iommu_device *dev = heap_alloc(NULL, sizeof(*dev) + len);

	if (!dev) {
		return NULL;
	}
	memcpy(dev + 1, name, len);
	dev->name = (const char *)(dev + 1);
	dev->nr = nr;
	for (uint32_t i = 0; i < nr; i++) {
		dev->stream[i].unit = boot_iommu_unit(s[i].smmu);
		dev->stream[i].first = s[i].first;
		dev->stream[i].nr = s[i].nr;
		if (!dev->stream[i].unit) {
			heap_free(NULL, dev);
			return NULL;
		}
	}
	iommu_add_device(dev);
	return dev;
}

static void devices_list(struct dt *t)
{
	struct dt_stream s[IOMMU_DEV_STREAMS];

	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		uint32_t nr = 0;
		int rc = dt_streams(t, i, s, IOMMU_DEV_STREAMS, &nr);

		if (rc) {
			log_warn("device tree: %s: which streams of an SMMU it "
				 "has cannot be told (error %d): it reaches "
				 "nothing\n",
				 dt_node_name(t, i), -rc);
			continue;
		}
		if (nr == 0) {
			continue;
		}
		if (nr_listed == MAX_DEVICES) {
			log_warn("more than %u devices behind SMMUs: the rest "
				 "reaches nothing\n",
				 MAX_DEVICES);
			return;
		}
		listed[nr_listed].node = i;
		listed[nr_listed++].dev = device_make(t, i, s, nr);
	}
}

void boot_iommu_init(struct dt *t)
{
	/* A tree that names nobody's streams: an SMMU stays as it is. */
	if (dt_has_any(t, DT_IOMMUS) || dt_has_any(t, DT_IOMMU_MAP) ||
	    dt_has_any(t, DT_MMU_MASTERS)) {
		units_init(t);
		devices_list(t);
	}
}

struct iommu_device *boot_iommu_device(uint32_t node)
{
	for (uint32_t i = 0; i < nr_listed; i++) {
		if (listed[i].node == node) {
			return listed[i].dev;
		}
	}
	return NULL;
}

void boot_iommu_dom0(struct domain *d)
{
	uint32_t given = 0;

	for (uint32_t i = 0; i < nr_listed; i++) {
		int rc;

		if (!listed[i].dev || dom_node_is_hidden(listed[i].node)) {
			continue;
		}
		rc = iommu_assign(d, listed[i].dev);
		if (rc) {
			log_err("%s: error %d when it was given to %s: it "
				"reaches nothing\n",
				listed[i].dev->name, -rc, d->name);
			continue;
		}
		given++;
	}
	if (given) {
		log_info("%s: %u devices of its tree, and what is behind them, "
			 "reach its memory alone\n",
			 d->name, given);
	}
}
