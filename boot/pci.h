/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's PCI hosts, at boot. */
#ifndef BOOT_PCI_H
#define BOOT_PCI_H

#include <hv/platform.h>
#include "fdt_util.h"

/* List those whose functions can be given to guests; dom0 has its devices. */
void boot_pci(struct dt *t, const struct platform *p);

#endif
