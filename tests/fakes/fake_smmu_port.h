/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host stand-ins for <arch/mmio_access.h> and <arch/barrier.h>, for tests of
 * SMMU drivers; included before everything (the CFLAGS line of the tests).
 */
#ifndef FAKE_SMMU_PORT_H
#define FAKE_SMMU_PORT_H

#define ARCH_MMIO_ACCESS_H
#define ARCH_BARRIER_H

#include <stdint.h>

uint32_t mmio_read32(const volatile void *p);
void mmio_write32(volatile void *p, uint32_t v);
void mmio_write64(volatile void *p, uint64_t v);
#define dsb(scope) fake_barrier()
#define dmb(scope) fake_barrier()
void fake_barrier(void);

#endif
