/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's PCI hosts, at boot. */
#ifndef BOOT_PCI_H
#define BOOT_PCI_H

#include <hv/platform.h>
#include "fdt_util.h"

struct boot_domain;
struct domain;
struct pci_host;

/*
 * List those whose functions can be given to guests. After dom0 has got its
 * devices; before, or without it, when domains of the tree have functions, for
 * which room is found then.
 */
void boot_pci(struct dt *t, const struct platform *p);
/* All that are listed, by their .next. */
const struct pci_host *boot_pci_hosts(void);
/* DMA of functions of all these goes by the caches. */
bool boot_pci_is_coherent(void);

/* ---- domains of the tree (pci_place.c) ----------------------------------- */

/*
 * Put the BARs of those functions of @h that domains shall have into its
 * windows; all others are off. A domain whose function finds no room is
 * refused. @beside dom0 they are at the windows' ends, which are .kept.
 */
void boot_pci_place(struct pci_host *h, bool beside);
/*
 * pci_keep.c: dom0, which has its devices, but does not run, has these
 * functions no more. A domain is refused with one that cannot be kept from it.
 */
void boot_pci_keep(void);
/*
 * @d, which @b has made and nobody else knows of, gets its functions. After an
 * error, logged, it has none.
 */
__must_check int boot_pci_give(struct domain *d, const struct boot_domain *b);
/* It will not run, and has none. */
void boot_pci_take(struct domain *d);

#endif
