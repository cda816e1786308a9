/* SPDX-License-Identifier: Apache-2.0 */
/* All RAM is mapped, not executable, at a constant offset. */
#ifndef ARCH_DIRECTMAP_H
#define ARCH_DIRECTMAP_H

#include <lib/types.h>

#define DIRECTMAP_BASE UINT64_C(0x0000800000000000)

static inline void *hv_va(paddr_t pa)
{
	return (void *)(uintptr_t)(pa.v + DIRECTMAP_BASE);
}

/* @va must be in the direct map. */
static inline paddr_t hv_pa(const void *va)
{
	return paddr((uint64_t)(uintptr_t)va - DIRECTMAP_BASE);
}

#endif
