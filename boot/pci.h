/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's PCI hosts, at boot. */
#ifndef BOOT_PCI_H
#define BOOT_PCI_H

#include <hv/platform.h>
#include "fdt_util.h"

struct boot_domain;
struct domain;
struct pci_host;

/* List those whose functions can be given to guests; dom0 has its devices. */
void boot_pci(struct dt *t, const struct platform *p);
/* DMA of functions of all these goes by the caches. */
bool boot_pci_is_coherent(void);

/* ---- without dom0 (pci_place.c) ------------------------------------------ */

/*
 * Put the BARs of those functions of @h that domains shall have into its
 * windows; all others are off. A domain whose function finds no room is
 * refused.
 */
void boot_pci_place(struct pci_host *h);
/*
 * @d, which @b has made and nobody else knows of, gets its functions. After an
 * error, logged, it has none.
 */
__must_check int boot_pci_give(struct domain *d, const struct boot_domain *b);
/* It will not run, and has none. */
void boot_pci_take(struct domain *d);

#endif
