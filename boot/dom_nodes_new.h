/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of a domain's tree that are not the host's. */
#ifndef BOOT_DOM_NODES_NEW_H
#define BOOT_DOM_NODES_NEW_H

#include "dom_fdt.h"
#include "fdt_writer.h"

/*
 * Append memory, CPUs, PSCI, interrupt controller, timer and /hypervisor to
 * the open root. -ERANGE when an address does not fit the root's cells, -EINVAL
 * when the GIC has fewer redistributors than dom0 has vCPUs. Logged.
 */
__must_check int dom_nodes_write_new(struct fdt_writer *w, struct dt *t,
				     const struct dom0_fdt_args *a);
/* The parts that every domain's tree has alike, into the open root. */
void dom_nodes_write_cpus(struct fdt_writer *w, struct dt *t, uint32_t nr);
void dom_nodes_write_psci(struct fdt_writer *w);

#endif
