/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cadence UART, as Zynq and ZynqMP have it.
 *
 * Owns    the registers it is given. The loader's baud rate stays.
 * Spec    [ZYNQMP] "UART Controller".
 */
#include "uart_priv.h"
#include <hv/uart.h>
#include <lib/bits.h>

#define CR 0x00u
#define IER 0x08u
#define IDR 0x0cu
#define ISR 0x14u
#define RXTOUT 0x1cu
#define RXWM 0x20u
#define SR 0x2cu
#define FIFO 0x30u

#define CR_RXEN BIT32(2)
#define CR_TXEN BIT32(4)
#define INT_RXWM BIT32(0)
#define INT_TXEMPTY BIT32(3)
#define INT_TIMEOUT BIT32(8)
#define INT_ALL 0x1fffu
#define SR_RXEMPTY BIT32(1)
#define SR_TXEMPTY BIT32(3)
#define TX_FIFO 16u /* characters at least: 64 in the chips, fewer in QEMU */

static void cadence_init(void *regs)
{
	mmio_write32(reg(regs, IDR), INT_ALL);
	mmio_write32(reg(regs, ISR), INT_ALL);
	mmio_write32(reg(regs, RXWM), 1); /* at the first character */
	mmio_write32(reg(regs, RXTOUT), 10);
	mmio_write32(reg(regs, CR), CR_RXEN | CR_TXEN);
}

/*
 * The interrupt stays up until it is cleared, which must be before the look:
 * what empties the FIFO after that raises it again.
 */
static uint32_t cadence_room(void *regs)
{
	uint32_t sr;

	mmio_write32(reg(regs, ISR), INT_TXEMPTY);
	sr = mmio_read32(reg(regs, SR));
	return sr & SR_TXEMPTY ? TX_FIFO : 0;
}

static void cadence_put(void *regs, char c)
{
	mmio_write32(reg(regs, FIFO), (uint8_t)c);
}

static bool is_empty(void *regs)
{
	return mmio_read32(reg(regs, SR)) & SR_RXEMPTY;
}

/*
 * The interrupt stays up until it is cleared here, also when the FIFO is empty.
 * What comes between the look and the clearing is seen by the second look.
 */
static int cadence_getc(void *regs)
{
	if (is_empty(regs)) {
		mmio_write32(reg(regs, ISR), INT_RXWM | INT_TIMEOUT);
		if (is_empty(regs)) {
			return -1;
		}
	}
	return (int)(mmio_read32(reg(regs, FIFO)) & 0xff);
}

static void cadence_irqs(void *regs, bool room)
{
	mmio_write32(reg(regs, IER), INT_RXWM | INT_TIMEOUT);
	mmio_write32(reg(regs, room ? IER : IDR), INT_TXEMPTY);
}

static const char *const compatible[] = { "xlnx,xuartps", "cdns,uart-r1p12",
					  "cdns,uart-r1p8", NULL };

const struct uart uart_cadence = {
	.name = "Cadence UART",
	.init = cadence_init,
	.room = cadence_room,
	.put = cadence_put,
	.getc = cadence_getc,
	.irqs = cadence_irqs,
	.compatible = compatible,
};
