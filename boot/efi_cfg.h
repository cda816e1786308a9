/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a configuration file in the form of Xen's xen.cfg. */
#ifndef BOOT_EFI_CFG_H
#define BOOT_EFI_CFG_H

#include <lib/types.h>

/* Characters without a NUL behind them. */
struct efi_text {
	const char *s;
	uint64_t len;
};

/*
 * The value of KEY=VALUE in [section] of @cfg: the first one, blanks around it
 * removed. False: there is none.
 */
__must_check bool efi_cfg_find(struct efi_text cfg, struct efi_text section,
			       const char *key, struct efi_text *value);
/* The first word of @value, and what comes behind the blanks after it. */
void efi_cfg_split(struct efi_text value, struct efi_text *first,
		   struct efi_text *rest);

#endif
