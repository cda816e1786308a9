/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware below us; see cpu/psci.c. */
#ifndef ARCH_PSCI_H
#define ARCH_PSCI_H

#include <lib/types.h>

/*
 * One SMC or HVC, by the conduit of the device tree: @x is x0 to x3, of the
 * call and of its answer; @a4 is x4.
 */
void firmware_call_regs(uint64_t x[4], uint64_t a4);
/* The same of three arguments with one result. */
int64_t firmware_call(uint64_t fid, uint64_t a1, uint64_t a2, uint64_t a3);
/* Ask for versions once; needs platform. */
void psci_init(void);
uint32_t psci_smccc_version(void);
/* -errno; @ctx arrives in x0 at @entry with the MMU off. */
__must_check int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t ctx);

/* This CPU; returns only when the firmware keeps it on: -errno. */
int psci_cpu_off(void);
bool psci_cpu_is_off(uint64_t mpidr);

#endif
