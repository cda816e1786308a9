/* SPDX-License-Identifier: Apache-2.0 */
/* PCI hosts of the machine's tree whose functions can be given to guests. */
#ifndef BOOT_FDT_PCI_H
#define BOOT_FDT_PCI_H

#include <hv/pci.h>
#include <hv/platform.h>
#include "fdt_util.h"

struct fdt_pci {
	struct pci_host host; /* but .ecam, .behind, .up, .stream[].unit */
	struct mem_range ecam;     /* of its buses */
	uint32_t smmu[PCI_HOST_MAPS]; /* nodes, for each of .host.stream[] */
};

/* Node @idx is one that we know the kind of. */
bool fdt_is_pci(struct dt *t, uint32_t idx);
/* NULL, or what is wrong with it. */
const char *fdt_pci_read(struct dt *t, const struct platform *p, uint32_t idx,
			 struct fdt_pci *out);
/*
 * fdt_pins.c: @h->line of node @idx, those that nothing else of the machine
 * pulls. NULL, or what is wrong.
 */
const char *fdt_pci_pins(struct dt *t, const struct platform *p, uint32_t idx,
			 struct pci_host *h);

#endif
