/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUs that the device tree leaves to a domain's vCPUs. */
#ifndef BOOT_FDT_DOM_VCPU_H
#define BOOT_FDT_DOM_VCPU_H

#include <hv/platform.h>
#include "fdt_dom_sched.h"
#include "fdt_util.h"

#define MAX_BOOT_VCPUS 128u /* of all domains together that a node names */

struct boot_vcpu {
	uint64_t cpus; /* bit per CPU; 0: nothing said */
	uint8_t dom;   /* index of boot_domains[] */
	uint8_t id;
	struct boot_sched sched;
};

extern struct boot_vcpu boot_vcpus[MAX_BOOT_VCPUS];
extern uint32_t nr_boot_vcpus;
extern const char *const dt_vcpu[]; /* "compatible" of such a node */

void fdt_vcpu_reset(void);
/*
 * Node @idx of domain @dom, whose number of vCPUs is known. -EINVAL, -ENOSPC:
 * logged.
 */
__must_check int fdt_vcpu_parse(struct dt *t, uint32_t idx,
				const struct platform *p, uint8_t dom);

#endif
