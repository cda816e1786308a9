/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell UART (PL011) and the SBSA subset of it.
 *
 * Owns    the registers it is given. The loader's baud rate stays.
 * Spec    [PL011] 3 "Programmer's model".
 */
#include "uart_priv.h"
#include <hv/uart.h>
#include <lib/bits.h>

#define UARTDR 0x00u
#define UARTFR 0x18u
#define UARTCR 0x30u
#define UARTIMSC 0x38u
#define UARTICR 0x44u

#define FR_RXFE BIT32(4)
#define FR_TXFF BIT32(5)
#define CR_UARTEN BIT32(0)
#define CR_TXE BIT32(8)
#define CR_RXE BIT32(9)
#define INT_RX BIT32(4)
#define INT_TX BIT32(5)
#define INT_RT BIT32(6)

static void pl011_init(void *regs)
{
	mmio_write32(reg(regs, UARTIMSC), 0);
	mmio_write32(reg(regs, UARTICR), 0x7ff);
	mmio_write32(reg(regs, UARTCR), CR_UARTEN | CR_TXE | CR_RXE);
}

static uint32_t pl011_room(void *regs)
{
	return mmio_read32(reg(regs, UARTFR)) & FR_TXFF ? 0 : 1;
}

static void pl011_put(void *regs, char c)
{
	mmio_write32(reg(regs, UARTDR), (uint8_t)c);
}

static int pl011_getc(void *regs)
{
	if (mmio_read32(reg(regs, UARTFR)) & FR_RXFE) {
		return -1;
	}
	return (int)(mmio_read32(reg(regs, UARTDR)) & 0xff);
}

/*
 * The interrupt for room comes when the FIFO falls to half of its 16 or 32
 * places, not because it is empty: it must have held more.
 */
static void pl011_irqs(void *regs, bool room)
{
	mmio_write32(reg(regs, UARTIMSC),
		     INT_RX | INT_RT | (room ? INT_TX : 0));
}

static const char *const compatible[] = { "arm,pl011", "arm,sbsa-uart",
					  NULL };

const struct uart uart_pl011 = {
	.name = "PL011",
	.init = pl011_init,
	.room = pl011_room,
	.put = pl011_put,
	.getc = pl011_getc,
	.irqs = pl011_irqs,
	.compatible = compatible,
};
