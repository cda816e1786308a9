/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of UARTs share. */
#ifndef UART_PRIV_H
#define UART_PRIV_H

#include <arch/mmio_access.h>
#include <lib/types.h>

#define TX_TRIES 100000u

static __force_inline volatile void *reg(void *regs, unsigned int off)
{
	return (volatile char *)regs + off;
}

/* Until there is room: no more than TX_TRIES looks whether @full is clear. */
static __force_inline void wait_for_room(void *regs, unsigned int off,
					 uint32_t full)
{
	uint32_t tries = TX_TRIES;

	while ((mmio_read32(reg(regs, off)) & full) && --tries) {
		/* bound: TX_TRIES */
	}
}

/* The same where the bit says that there is room. */
static __force_inline void wait_until_set(void *regs, unsigned int off,
					  uint32_t room)
{
	uint32_t tries = TX_TRIES;

	while (!(mmio_read32(reg(regs, off)) & room) && --tries) {
		/* bound: TX_TRIES */
	}
}

#endif
