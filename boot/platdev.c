/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's tree -> devices that the toolstack may give to domains.
 *
 * Owns    which nodes those are: marked "xen,passthrough", with registers and
 *         interrupts of their own, and kept from others' memory by an SMMU,
 *         or "xen,force-assign-without-iommu" says that this is not needed.
 * Not     whose each is (core/platdev.c); PCI hosts.
 * CPU     the boot CPU.
 * Bounds  each "reg" of such a node is compared with all of the machine.
 * Spec    [XEN] docs/misc/arm/passthrough.txt.
 */
#include "platdev.h"

#include <hv/console.h>
#include <hv/heap.h>
#include <hv/platdev.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "dom_nodes.h"
#include "fdt_addr.h"
#include "fdt_dom_dev.h"
#include "fdt_irq.h"
#include "iommu.h"

#define FIRST_SPI 32u

/* What is being read, and the first thing that is wrong with it. */
static struct platdev found;

static const char *read_regs(struct dt *t, const struct platform *p,
			     uint32_t idx)
{
	struct mem_range r;
	int rc = 0;

	for (uint32_t n = 0; rc == 0 || rc == -ENXIO; n++) {
		rc = fdt_dev_pages(t, idx, n, &r);
		if (rc != 0 || r.size == 0) {
			continue;
		}
		if (fdt_dev_is_shared(t, p, idx, &r)) {
			return "another has a part of a page of its registers";
		}
		if (found.nr_ranges == PLATDEV_RANGES) {
			return "it has more than 8 ranges of registers";
		}
		found.range[found.nr_ranges].mfn = r.start >> PAGE_SHIFT;
		found.range[found.nr_ranges++].nr = r.size >> PAGE_SHIFT;
	}
	return rc == -EINVAL ? "its \"reg\" is malformed" : NULL;
}

static const char *read_lines(struct dt *t, const struct platform *p,
			      uint32_t idx)
{
	uint32_t gic = dt_by_offset(t, p->gic.node);
	struct dt_irq q;
	int rc = 0;

	for (uint32_t n = 0; rc == 0 || rc == -ENXIO; n++) {
		rc = dt_irq(t, gic, idx, n, &q);
		if (rc) {
			continue;
		}
		if (q.intid < FIRST_SPI || q.intid >= NR_INTIDS) {
			return "it has an interrupt that is no SPI";
		}
		if (found.nr_lines == PLATDEV_LINES) {
			return "it has more than 16 interrupts";
		}
		found.line[found.nr_lines].line = (uint16_t)q.intid;
		found.line[found.nr_lines++].trigger = (uint8_t)q.trigger;
	}
	return rc == -EINVAL ? "its \"interrupts\" is malformed" : NULL;
}

static bool is_hypervisors(struct dt *t, const struct platform *p,
			   uint32_t idx)
{
	uint32_t gic = dt_by_offset(t, p->gic.node);

	return (int)t->node[idx].offset == p->uart.node ||
	       dom_node_is_ours(t, p, idx) || dom_node_is_scu(t, idx) ||
	       dom_node_is_msi(t, p, gic, idx);
}

/* What is wrong with it; NULL: nothing. */
static const char *read_device(struct dt *t, const struct platform *p,
			       uint32_t idx)
{
	const char *wrong;

	memset(&found, 0, sizeof(found));
	if (is_hypervisors(t, p, idx)) {
		return "the hypervisor itself uses it";
	}
	found.behind = boot_iommu_device(idx);
	if (!found.behind && !dt_has(t, idx, DT_XEN_FORCE_ASSIGN)) {
		return "no IOMMU keeps it from the memory of all; if it does "
		       "no DMA add \"xen,force-assign-without-iommu\" to it";
	}
	wrong = read_regs(t, p, idx);
	return wrong ? wrong : read_lines(t, p, idx);
}

static void list(struct dt *t, const struct platform *p, uint32_t idx)
{
	char buf[PLATDEV_PATH_MAX];
	const char *path = dt_path(t, idx, buf, sizeof(buf));
	size_t len = strlen(path) + 1;
	const char *wrong = read_device(t, p, idx);
	struct platdev *dev;

	if (wrong) {
		log_info("%s: not for guests of the toolstack: %s\n", path,
			 wrong);
		return;
	}
	dev = heap_alloc(NULL, sizeof(*dev) + len);
	if (!dev) {
		log_err("%s: no memory to list it\n", path);
		return;
	}
	*dev = found;
	dev->path = memcpy(dev + 1, path, len);
	platdev_add(dev);
	log_info("%s: for guests of the toolstack: %u ranges of registers, "
		 "%u interrupts%s\n", path, dev->nr_ranges, dev->nr_lines,
		 dev->behind ? "" : "; if it does DMA, it reaches all memory");
}

void boot_platdevs_note(struct domain *d, const struct boot_devices *dev)
{
	for (uint32_t i = 0; i < dev->nr_regions; i++) {
		platdev_note_page(d, dev->region[i].host >> PAGE_SHIFT);
	}
	for (uint32_t i = 0; i < dev->nr_irqs; i++) {
		platdev_note_line(d, dev->irq[i].intid);
	}
}

void boot_platdevs(struct dt *t, const struct platform *p)
{
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		const char *type = dt_string(t, i, DT_DEVICE_TYPE);

		if (dt_has(t, i, DT_XEN_PASSTHROUGH) &&
		    (!type || strcmp(type, "pci") != 0)) {
			list(t, p, i);
		}
	}
}
