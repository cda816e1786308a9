/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's PCI hosts: which of them have functions that the toolstack or
 * the device tree may give to guests.
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
#include "modules.h"

/* What is being read. */
static struct fdt_pci found;
static bool is_incoherent; /* one of those listed */
static bool has_dom0;      /* or will have */
static const struct pci_host *last_host;

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

/* It, or what it is in: its DMA goes by the caches. */
static bool is_coherent(struct dt *t, uint32_t idx)
{
	struct dt_prop q;

	while (!dt_prop_named(t, idx, "dma-coherent", &q)) {
		if (idx == 0) {
			return false;
		}
		idx = t->node[idx].parent; /* bound: DT_MAX_DEPTH */
	}
	return true;
}

const struct pci_host *boot_pci_hosts(void)
{
	return last_host;
}

bool boot_pci_is_coherent(void)
{
	return !is_incoherent;
}

static const char *read_host(struct dt *t, const struct platform *p,
			     uint32_t idx)
{
	struct pci_host *h = &found.host;
	const char *wrong;
	struct dt_prop q;

	memset(&found, 0, sizeof(found));
	h->behind = boot_iommu_device(idx);
	if (dt_has(t, idx, DT_XEN_PASSTHROUGH)) {
		return "all of it is for one domain";
	}
	if (!h->behind || h->behind->owner != hardware_domain) {
		return has_dom0 ? "no SMMU watches it for dom0" :
				  "no SMMU watches it";
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
		h = heap_alloc(NULL, sizeof(*h) + PCI_BUSES * sizeof(*h->up));
		wrong = h ? NULL : "no memory to list it";
	}
	if (wrong) {
		log_info("%s: its PCI functions are %s: %s\n",
			 dt_node_name(t, idx),
			 has_dom0 ? "dom0's alone" : "nobody's", wrong);
		return;
	}
	*h = found.host;
	h->name = h->behind->name;
	h->node = idx;
	h->ecam_base = found.ecam.start;
	is_incoherent |= !is_coherent(t, idx);
	h->up = (uint16_t *)(h + 1); /* zeros: no bridge is known */
	pci_add_host(h);
	log_info("%s: PCI %04x:%02x-%02x, for %s\n", h->name, h->segment,
		 h->first_bus, h->last_bus,
		 has_dom0 ? "guests of the toolstack" :
			    "domains of the device tree");
	last_host = h;
	if (!hardware_domain) {
		boot_pci_place(h, has_dom0);
	}
}

void boot_pci(struct dt *t, const struct platform *p)
{
	has_dom0 = module_find(p, MODULE_KERNEL) != NULL;
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (fdt_is_pci(t, i) && dt_is_available(t, i) &&
		    !dom_node_is_hidden(i)) {
			list(t, p, i);
		}
	}
}
