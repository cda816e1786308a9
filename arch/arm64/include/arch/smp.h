/* SPDX-License-Identifier: Apache-2.0 */
/* How a CPU that starts gets into this image; see cpu/smp.c. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include <lib/types.h>

/*
 * CPU @cpu may come, with its area: gives the physical address to start it at,
 * which it may use until arch_cpu_started().
 */
uint64_t smp_entry_open(uint16_t cpu);
/* It may not: it stops with its MMU off, unless it is on its way in already. */
void smp_entry_withdraw(uint16_t cpu);

#endif
