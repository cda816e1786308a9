/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i.MX UART (i.MX 21 to i.MX 8M).
 *
 * Owns    the registers it is given. The loader's baud rate stays.
 * Spec    [IMX8MPRM] "Universal Asynchronous Receiver/Transmitter".
 */
#include "uart_priv.h"
#include <hv/uart.h>
#include <lib/bits.h>

#define URXD 0x00u
#define UTXD 0x40u
#define UCR1 0x80u
#define UCR2 0x84u
#define UCR3 0x88u
#define UCR4 0x8cu
#define USR2 0x98u
#define UTS 0xb4u

#define UCR1_UARTEN BIT32(0)
#define UCR1_TXMPTYEN BIT32(6)
#define UCR2_RUNS BIT32(0) /* SRST: 0 resets the FIFOs and state machines */
#define UCR2_RXEN BIT32(1)
#define UCR2_TXEN BIT32(2)
#define UCR2_ATEN BIT32(3)
#define UCR2_RTSEN BIT32(4)
#define UCR2_ESCI BIT32(15)
#define UCR3_RXDMUXSEL BIT32(2) /* must be set on all of these chips */
#define UCR4_DREN BIT32(0)
#define USR2_RDR BIT32(0)
#define UTS_TXFULL BIT32(4)

static void imx_init(void *regs)
{
	uint32_t ucr2 = mmio_read32(reg(regs, UCR2));

	/* Every interrupt and DMA request of the loader's is off after this. */
	mmio_write32(reg(regs, UCR1), UCR1_UARTEN);
	ucr2 &= ~(UCR2_ATEN | UCR2_RTSEN | UCR2_ESCI);
	ucr2 |= UCR2_RUNS | UCR2_RXEN | UCR2_TXEN;
	mmio_write32(reg(regs, UCR2), ucr2);
	mmio_write32(reg(regs, UCR3), UCR3_RXDMUXSEL);
	mmio_write32(reg(regs, UCR4), 0);
}

static uint32_t imx_room(void *regs)
{
	return mmio_read32(reg(regs, UTS)) & UTS_TXFULL ? 0 : 1;
}

static void imx_put(void *regs, char c)
{
	mmio_write32(reg(regs, UTXD), (uint8_t)c);
}

static int imx_getc(void *regs)
{
	if (!(mmio_read32(reg(regs, USR2)) & USR2_RDR)) {
		return -1;
	}
	return (int)(mmio_read32(reg(regs, URXD)) & 0xff);
}

/* For room: when the FIFO is empty, whatever mark in it the loader set. */
static void imx_irqs(void *regs, bool room)
{
	mmio_write32(reg(regs, UCR4), UCR4_DREN);
	mmio_write32(reg(regs, UCR1),
		     UCR1_UARTEN | (room ? UCR1_TXMPTYEN : 0));
}

static const char *const compatible[] = { "fsl,imx6q-uart", "fsl,imx53-uart",
					  "fsl,imx21-uart", NULL };

const struct uart uart_imx = {
	.name = "i.MX UART",
	.init = imx_init,
	.room = imx_room,
	.put = imx_put,
	.getc = imx_getc,
	.irqs = imx_irqs,
	.compatible = compatible,
};
