/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Started at the wrong exception level: say so on the console that the device
 * tree names, then stop.
 *
 * CPU     the boot CPU with the MMU off: see early_uart.c for what that means.
 */
#include "early_refuse.h"
#include "early_uart.h"

#define FDT_MAGIC_IN_MEMORY 0xedfe0dd0u /* as read, little-endian */

void early_wrong_level(uint64_t fdt_pa, uint64_t current_el)
{
	static const char msg[] =
		"\r\nBulkhead must be started at EL2 (non-secure), but this "
		"CPU is at EL*.\r\nWith QEMU: -M virt,virtualization=on and "
		"without secure=on.\r\n";
	struct early_uart u;

	if ((fdt_pa & 3) ||
	    *(const uint32_t *)(uintptr_t)fdt_pa != FDT_MAGIC_IN_MEMORY ||
	    !early_uart_find(fdt_pa, UINT64_MAX, &u)) {
		return;
	}
	early_uart_start(&u);
	for (const char *p = msg; *p; p++) {
		early_uart_put(&u, *p == '*' ?
					   (char)('0' + (current_el >> 2 & 3)) :
					   *p);
	}
}
