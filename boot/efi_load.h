/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel and ramdisk from the folder that the image was started from. */
#ifndef BOOT_EFI_LOAD_H
#define BOOT_EFI_LOAD_H

#include "efi.h"
#include "efi_tree.h"

struct efi_loaded {
	bool is_here; /* we have loaded it, not another loader */
	struct efi_chosen chosen;
	struct mem_range dtb; /* size 0: the firmware's */
};

/*
 * Read the configuration file beside the image and what it names. Not 0: the
 * cause and the cure have been said.
 */
__must_check int efi_load(const struct efi *e, struct efi_loaded *to);

#endif
