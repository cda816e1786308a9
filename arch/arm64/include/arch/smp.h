/* SPDX-License-Identifier: Apache-2.0 */
/* How a CPU that starts gets into this image; see cpu/smp.c. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include <lib/types.h>

/*
 * The next CPU to start is @cpu, with its area: gives the physical address to
 * start it at, which it may use until arch_cpu_started().
 */
uint64_t smp_entry_open(uint16_t cpu);

#endif
