/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI functions that the device tree gives to a domain. */
#ifndef BOOT_FDT_DOM_PCI_H
#define BOOT_FDT_DOM_PCI_H

#include <hv/platform.h>
#include <hv/vpci.h>
#include "fdt_util.h"

struct boot_domain;

/* As the machine names them: segment << 16, bus << 8, device << 3, function. */
struct boot_pci {
	uint32_t sbdf[VPCI_FUNCTIONS];
	uint32_t nr;
};

/* "bulkhead,pci" of node @idx, @p. -EINVAL, -ENOSPC, -EEXIST, logged. */
__must_check int fdt_dom_pci_parse(struct dt *t, uint32_t idx,
				   const struct dt_prop *p,
				   struct boot_domain *b);
/* Can a domain like @b, on this machine, have functions? -EINVAL, logged. */
__must_check int fdt_dom_pci_check(struct dt *t, const struct platform *p,
				   const struct boot_domain *b);
/* Some domain that is not refused has some. */
bool fdt_dom_pci_any(void);

#endif
