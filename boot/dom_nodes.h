/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes of the host's tree dom0 gets to see. */
#ifndef BOOT_DOM_NODES_H
#define BOOT_DOM_NODES_H

#include <hv/platform.h>
#include "fdt_util.h"

/*
 * Decide for every node of p->fdt, once; later calls for the same tree cost
 * nothing. -EINVAL when host_dt cannot be opened on it.
 */
__must_check int dom_nodes_select(struct dt *t, const struct platform *p);
bool dom_node_is_hidden(uint32_t idx);
/* Between devices and memory; there are others than Arm's. */
bool dom_node_is_smmu(struct dt *t, uint32_t idx);
/* The system controller of an i.MX 8, or a message unit of its. */
bool dom_node_is_scu(struct dt *t, uint32_t idx);
/* A GICv2m frame, or the ITS that we drive, below @gic: dom0 sees it. */
bool dom_node_is_msi(struct dt *t, const struct platform *p, uint32_t gic,
		     uint32_t idx);
/*
 * Hidden and its registers must stay out of dom0's reach: GIC, ITS, SMMU; the
 * system controller when @p says so.
 */
bool dom_node_is_ours(struct dt *t, const struct platform *p, uint32_t idx);
/* A property that dom0 must not see although its node stays. */
bool dom_prop_is_hidden(struct dt *t, uint32_t idx, const struct dt_prop *p);

#endif
