/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the machine's tree that the toolstack may give away. */
#ifndef BOOT_PLATDEV_H
#define BOOT_PLATDEV_H

#include <hv/platform.h>
#include "fdt_util.h"

/*
 * List them, once, when it is known which nodes dom0 sees and what is behind
 * an SMMU. One that cannot be given away is left out, and the log says why.
 */
void boot_platdevs(struct dt *t, const struct platform *p);

struct domain;
struct boot_devices;

/* @d has these already: the toolstack has none of them to give till its end. */
void boot_platdevs_note(struct domain *d, const struct boot_devices *dev);

#endif
