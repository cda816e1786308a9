/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's map of memory as the device tree says it. */
#ifndef BOOT_EFI_MEMORY_H
#define BOOT_EFI_MEMORY_H

#include "ranges.h"

struct efi_memory {
	struct ranges ram;	/* for the tree's memory node */
	struct ranges usable;	/* ... the firmware is through with it */
	struct ranges reserved; /* ... it is not: for /memreserve/ */
	struct mem_range ram_r[MAX_RANGES];
	struct mem_range usable_r[MAX_RANGES];
	struct mem_range reserved_r[MAX_RANGES];
};

/*
 * @map: @size bytes of descriptors, @stride apart. -EINVAL: it is none;
 * -ENOSPC: more pieces than fit; -ENOMEM: no memory in it.
 */
__must_check int efi_memory_read(struct efi_memory *m, const void *map,
				 uint64_t size, uint64_t stride);

#endif
