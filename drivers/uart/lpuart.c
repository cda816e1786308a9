/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LPUART with 32-bit registers behind four of identification: i.MX 7ULP,
 * 8ULP, 8QuadMax, 8QuadXPlus, 8DXL and 93.
 *
 * Owns    the registers it is given. The loader's baud rate stays.
 * Not     Layerscape's, whose registers begin at 0, some of them big-endian;
 *         Vybrid's of 8-bit registers.
 * Bounds  TX_TRIES polls for the end of what the loader sent.
 * Spec    [IMX8QMRM] "Low Power Universal Asynchronous Receiver/Transmitter".
 */
#include "uart_priv.h"
#include <hv/uart.h>
#include <lib/bits.h>

#define TX_TRIES 100000u

#define BAUD 0x10u
#define STAT 0x14u
#define CTRL 0x18u
#define DATA 0x1cu
#define MODIR 0x24u
#define FIFO 0x28u
#define WATER 0x2cu

#define BAUD_INTERRUPTS (BIT32(14) | BIT32(15)) /* RXEDGIE, LBKDIE */
#define BAUD_DMA (BIT32(20) | BIT32(21) | BIT32(23)) /* RIDMAE RDMAE TDMAE */
#define STAT_TDRE BIT32(23)
#define STAT_TC BIT32(22)
#define STAT_RDRF BIT32(21)
#define STAT_OR BIT32(19)
#define CTRL_TIE BIT32(23)
#define CTRL_RIE BIT32(21)
#define CTRL_TE BIT32(19)
#define CTRL_RE BIT32(18)
/* TXINV, M7, M, PE, PT: what a character looks like stays the loader's */
#define CTRL_FORMAT (BIT32(28) | BIT32(11) | BIT32(4) | BIT32(1) | BIT32(0))
#define FIFO_RXFE BIT32(3)
#define FIFO_TXFE BIT32(7)
#define FIFO_RXFLUSH BIT32(14)
#define FIFO_TXSIZE(fifo) ((fifo) >> 4 & 7)

static void wait_for_last(void *regs)
{
	uint32_t tries = TX_TRIES;

	while (!(mmio_read32(reg(regs, STAT)) & STAT_TC) && --tries) {
		/* bound: TX_TRIES */
	}
}

/*
 * FIFOs and their marks may be changed only while nothing is sent or taken.
 * With both marks at 0, one character is enough for an interrupt, and room
 * means that all before has left the FIFO.
 */
static void lpuart_init(void *regs)
{
	uint32_t format = mmio_read32(reg(regs, CTRL)) & CTRL_FORMAT;
	uint32_t baud = mmio_read32(reg(regs, BAUD));

	wait_for_last(regs);
	mmio_write32(reg(regs, CTRL), format);
	mmio_write32(reg(regs, BAUD), baud & ~(BAUD_INTERRUPTS | BAUD_DMA));
	mmio_write32(reg(regs, MODIR), 0); /* no flow control, no infrared */
	mmio_write32(reg(regs, FIFO), FIFO_RXFE | FIFO_TXFE | FIFO_RXFLUSH);
	mmio_write32(reg(regs, WATER), 0);
	mmio_write32(reg(regs, CTRL), format | CTRL_TE | CTRL_RE);
}

/* Sizes are 1, 4, 8, 16 and so on. */
static uint32_t lpuart_room(void *regs)
{
	uint32_t size = FIFO_TXSIZE(mmio_read32(reg(regs, FIFO)));

	if (!(mmio_read32(reg(regs, STAT)) & STAT_TDRE)) {
		return 0;
	}
	return size ? 2u << size : 1;
}

static void lpuart_put(void *regs, char c)
{
	mmio_write32(reg(regs, DATA), (uint8_t)c);
}

/* Nothing is taken any more after an overrun until it is cleared. */
static int lpuart_getc(void *regs)
{
	uint32_t stat = mmio_read32(reg(regs, STAT));

	if (stat & STAT_OR) {
		mmio_write32(reg(regs, STAT), stat); /* flags: 1 clears */
	}
	if (!(stat & STAT_RDRF)) {
		return -1;
	}
	return (int)(mmio_read32(reg(regs, DATA)) & 0xff);
}

static void lpuart_irqs(void *regs, bool room)
{
	uint32_t ctrl = mmio_read32(reg(regs, CTRL)) & ~CTRL_TIE;

	mmio_write32(reg(regs, CTRL),
		     ctrl | CTRL_RIE | (room ? CTRL_TIE : 0));
}

static const char *const compatible[] = { "fsl,imx8qxp-lpuart",
					  "fsl,imx7ulp-lpuart", NULL };

const struct uart uart_lpuart = {
	.name = "LPUART",
	.init = lpuart_init,
	.room = lpuart_room,
	.put = lpuart_put,
	.getc = lpuart_getc,
	.irqs = lpuart_irqs,
	.compatible = compatible,
};
