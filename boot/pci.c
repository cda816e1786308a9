/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's PCI hosts: which of them have functions that the toolstack may
 * give to guests.
 *
 * Why     the whole of configuration space is mapped here, as EL2's own map
 *         does not change after boot: 1 MiB a bus, in blocks of 2 MiB.
 * CPU     the boot CPU.
 * Bounds  one visit per node.
 */
#include "pci.h"

#include <arch/stage1.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <lib/string.h>
#include "dom_nodes.h"
#include "fdt_pci.h"
#include "iommu.h"

/* What is being read. */
static struct fdt_pci found;

/* The kernel numbers hosts itself, where the tree does not, from 0. */
static uint32_t nr_unnumbered(struct dt *t)
{
	struct dt_prop q;
	uint32_t nr = 0;

	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		const char *type = dt_string(t, i, DT_DEVICE_TYPE);

		nr += type && strcmp(type, "pci") == 0 &&
		      dt_has(t, i, DT_RANGES) && dt_is_available(t, i) &&
		      !dt_prop_named(t, i, "linux,pci-domain", &q);
	}
	return nr;
}

static const char *read_host(struct dt *t, const struct platform *p,
			     uint32_t idx)
{
	struct pci_host *h = &found.host;
	const char *wrong;
	struct dt_prop q;

	memset(&found, 0, sizeof(found));
	h->behind = boot_iommu_device(idx);
	if (!h->behind || h->behind->owner != hardware_domain) {
		return "no SMMU watches it for dom0";
	}
	if (!dt_prop_named(t, idx, "linux,pci-domain", &q) &&
	    nr_unnumbered(t) > 1) {
		return "one of several without \"linux,pci-domain\"";
	}
	wrong = fdt_pci_read(t, p, idx, &found);
	for (uint32_t i = 0; !wrong && i < h->nr_streams; i++) {
		h->stream[i].unit = boot_iommu_unit(found.smmu[i]);
		if (!h->stream[i].unit) {
			wrong = "its SMMU does not work";
		}
	}
	if (wrong) {
		return wrong;
	}
	h->ecam = stage1_map_device(found.ecam.start, found.ecam.size);
	return h->ecam ? NULL : "no room for its registers";
}

static void list(struct dt *t, const struct platform *p, uint32_t idx)
{
	const char *wrong = read_host(t, p, idx);
	struct pci_host *h;

	if (!wrong) {
		h = heap_alloc(NULL, sizeof(*h));
		wrong = h ? NULL : "no memory to list it";
	}
	if (wrong) {
		log_info("%s: its PCI functions are dom0's alone: %s\n",
			 dt_node_name(t, idx), wrong);
		return;
	}
	*h = found.host;
	h->name = h->behind->name;
	pci_add_host(h);
	log_info("%s: PCI %04x:%02x-%02x, for guests of the toolstack\n",
		 h->name, h->segment, h->first_bus, h->last_bus);
}

void boot_pci(struct dt *t, const struct platform *p)
{
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (fdt_is_pci(t, i) && dt_is_available(t, i) &&
		    !dom_node_is_hidden(i)) {
			list(t, p, i);
		}
	}
}
