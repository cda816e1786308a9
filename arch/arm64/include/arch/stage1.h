/* SPDX-License-Identifier: Apache-2.0 */
/* EL2's own map; see stage1.c. Boot CPU only, before seal. */
#ifndef ARCH_STAGE1_H
#define ARCH_STAGE1_H

#include <lib/types.h>

/* Where the image was loaded; machine address of a pointer into it. */
extern uint64_t hv_load_address;
paddr_t image_pa(const void *p);

void stage1_init(void);
/* Map RAM into the direct map. -ENOMEM, -EEXIST, -EINVAL. */
__must_check int stage1_map_ram(uint64_t start, uint64_t size);
/* Device registers; NULL: no room. Repeated requests map again. */
void *stage1_map_device(uint64_t pa, uint64_t size);
/* The loader's device tree, FDT_MAX_SIZE bytes from @pa, read-only. */
const void *stage1_map_fdt(uint64_t pa);
/* Pages at @va in the per-CPU area. */
__must_check int stage1_map_percpu(uint64_t va, uint64_t pa, uint64_t size);
/* Boot is over: data becomes read-only, boot code and identity map go. */
void stage1_seal(void);
/*
 * The first instructions of a CPU, which run at the image's own address while
 * the MMU goes on; executable, so only for as long as one starts.
 */
void stage1_identity(bool on);

#endif
