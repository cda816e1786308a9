/* SPDX-License-Identifier: Apache-2.0 */
/* The pools of CPUs that the device tree wants. */
#ifndef BOOT_FDT_POOLS_H
#define BOOT_FDT_POOLS_H

#include <hv/platform.h>
#include "fdt_util.h"

struct sched_policy;

/*
 * Read the nodes "xen,cpupool" of /chosen; @p tells the ids of CPUs. A mistake
 * is logged and -EINVAL.
 */
__must_check int fdt_pools_parse(struct dt *t, const struct platform *p);
/*
 * Make them, and pool 0 if none has the boot CPU; before the first CPU asks
 * for its pool. @normal is the policy of those that want none. -ENOMEM.
 */
__must_check int fdt_pools_make(const struct sched_policy *normal,
				const struct platform *p);
/* CPUs that a node names: without them the machine is not what was wanted. */
uint64_t fdt_pools_cpus(void);
/* Id of the pool whose node has @phandle; of 0: pool 0. -ENOENT. */
__must_check int fdt_pools_find(uint32_t phandle, uint32_t *id);
/* The node of the pool @id; DT_NONE: it has none. */
uint32_t fdt_pools_node(uint32_t id);

#endif
