/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of UARTs share. */
#ifndef UART_PRIV_H
#define UART_PRIV_H

#include <arch/mmio_access.h>
#include <lib/types.h>

static __force_inline volatile void *reg(void *regs, unsigned int off)
{
	return (volatile char *)regs + off;
}

#endif
