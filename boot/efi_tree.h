/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's device tree, copied with other memory and modules. */
#ifndef BOOT_EFI_TREE_H
#define BOOT_EFI_TREE_H

#include "efi_memory.h"

struct efi_tree {
	const uint8_t *fdt;
	uint32_t structs, structs_size;
	uint32_t strings, strings_size;
	uint32_t addr_cells, size_cells; /* of the root */
	uint32_t boot_cpu;
	bool has_cpus;	  /* it describes a machine */
	bool has_modules; /* somebody has loaded dom0, or a domain */
};

/* What we loaded ourselves, for /chosen. Texts end with a NUL. */
struct efi_chosen {
	struct mem_range kernel, ramdisk; /* size 0: none */
	const char *options;		  /* the hypervisor's command line */
	const char *kernel_args;
};

/*
 * -EINVAL: the @max bytes at @fdt, which is 4-byte aligned, are not a whole
 * tree.
 */
__must_check int efi_tree_read(struct efi_tree *t, const void *fdt,
			       uint64_t max);
/* Bytes that are enough for efi_tree_write(). */
uint64_t efi_tree_size(const struct efi_tree *t, const struct efi_chosen *c);
/*
 * The tree with the memory of @m and, unless it is NULL, the modules of @c
 * into @buf. -ENOSPC; -ERANGE: memory beyond what the root's cells can say.
 */
__must_check int efi_tree_write(const struct efi_tree *t,
				const struct efi_memory *m,
				const struct efi_chosen *c, void *buf,
				uint64_t size);

#endif
