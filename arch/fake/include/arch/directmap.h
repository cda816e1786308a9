/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host port: RAM is one array that the test allocates; machine addresses
 * start at FAKE_RAM_BASE so that an address and a pointer are never mixed up.
 */
#ifndef ARCH_DIRECTMAP_H
#define ARCH_DIRECTMAP_H

#include <lib/types.h>

#define FAKE_RAM_BASE UINT64_C(0x40000000)
extern uint8_t *fake_ram;
extern uint64_t fake_ram_size;

void *hv_va(paddr_t pa);
paddr_t hv_pa(const void *va);

#endif
