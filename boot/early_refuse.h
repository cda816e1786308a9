/* SPDX-License-Identifier: Apache-2.0 */
/* Something can be said although nothing is set up or readable. */
#ifndef BOOT_EARLY_REFUSE_H
#define BOOT_EARLY_REFUSE_H

#include <lib/types.h>

/* Called by start.S when this is not EL2, the MMU off; returns to stop. */
void early_wrong_level(uint64_t fdt_pa, uint64_t current_el);

#endif
