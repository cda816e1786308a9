/* SPDX-License-Identifier: Apache-2.0 */
/* The share of the CPUs that the device tree gives a domain, or one vCPU. */
#ifndef BOOT_FDT_DOM_SCHED_H
#define BOOT_FDT_DOM_SCHED_H

#include "fdt_util.h"

struct domain;

struct boot_sched {
	uint32_t weight;    /* of credit2; 0: nothing said */
	uint32_t budget_us; /* of rtds; 0: nothing said */
	uint32_t period_us; /* 0: nothing said */
	bool extratime;
};

/* The three of rtds in node @idx of a vCPU. -EINVAL: logged. */
__must_check int fdt_sched_read(struct dt *t, uint32_t idx,
				struct boot_sched *s);
/* What node @idx says goes together. -EINVAL: logged. */
__must_check int fdt_sched_check(struct dt *t, uint32_t idx,
				 const struct boot_sched *s);
/*
 * boot/dom_sched.c: gives the vCPUs of @d, number @dom of boot_domains[], what
 * the tree says. -ENOSPC: the CPUs do not have so much; logged.
 */
__must_check int dom_build_sched(struct domain *d, uint8_t dom);

#endif
