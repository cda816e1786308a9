/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a boot that cannot go on because of how the machine was set up.
 *
 * Not     bugs of ours: those are panic()'s, with registers and trace.
 * CPU     the boot CPU; others that run already are stopped.
 */
#include "boot.h"

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/ipi.h>
#include <hv/irqchip.h>
#include <lib/printf.h>

void boot_refuse(const char *fmt, ...)
{
	char text[192];
	va_list ap;

	if (irqchip) {
		ipi_stop_others();
	}
	console_force();
	va_start(ap, fmt);
	hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_err("Cannot boot: %s\n", text);
	arch_halt();
}
