/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 8250 family: 16550A, Synopsys' APB UART, and those whose registers are
 * always words (mini-UART of Raspberry Pis, Tegra, K3).
 *
 * Owns    the registers it is given, and how far they are apart (one port of
 *         a machine is the console). The loader's baud rate stays.
 * Not     interrupts for room of Tegra and K3, whose FIFOs have marks of their
 *         own: they are polled for it.
 * Spec    [16550] "Registers"; [DWUART] "Register Descriptions"; [BCM2711] 2.2
 *         "Mini UART".
 */
#include "uart_priv.h"
#include <hv/uart.h>
#include <lib/bits.h>
#include <lib/errno.h>

/* Numbers of registers. */
#define RBR 0u /* read: received; written: to send */
#define IER 1u
#define IIR 2u /* read; written: FCR */
#define MCR 4u
#define LSR 5u
#define DW_USR 31u

#define IER_RX BIT32(0)
#define IER_ROOM BIT32(1)
#define IER_LINE BIT32(2) /* the mini-UART raises nothing without it */
#define IIR_ID 0x0fu
#define IIR_TIMEOUT 0x0cu
#define DW_IIR_BUSY 0x07u
#define IIR_FIFO BIT32(6) /* there is one, and it works */
#define TX_FIFO 16u
#define FCR_ENABLE BIT32(0) /* with the lowest mark for an interrupt */
#define MCR_READY 0x0bu /* DTR, RTS, OUT2: interrupts leave the chip */
#define LSR_DR BIT32(0)
#define LSR_THRE BIT32(5)

static struct {
	uint8_t shift;
	bool words;
	uint8_t room; /* characters, when there is any */
} layout;

static uint32_t get(void *regs, uint32_t nr)
{
	volatile void *p = reg(regs, nr << layout.shift);

	return layout.words ? mmio_read32(p) : mmio_read8(p);
}

static void put(void *regs, uint32_t nr, uint8_t v)
{
	volatile void *p = reg(regs, nr << layout.shift);

	if (layout.words) {
		mmio_write32(p, v);
	} else {
		mmio_write8(p, v);
	}
}

static int ns8250_layout(uint32_t shift, uint32_t width)
{
	if (shift > 4 || (width != 1 && (width != 4 || shift < 2))) {
		return -EINVAL;
	}
	layout.shift = (uint8_t)shift;
	layout.words = width == 4;
	return 0;
}

static void ns8250_init(void *regs)
{
	put(regs, IER, 0);
	put(regs, IIR, FCR_ENABLE);
	put(regs, MCR, MCR_READY);
	layout.room = get(regs, IIR) & IIR_FIFO ? TX_FIFO : 1;
}

/* Room is there when the FIFO is empty. */
static uint32_t ns8250_room(void *regs)
{
	return get(regs, LSR) & LSR_THRE ? layout.room : 0;
}

/* In a mini-UART's when it is not full. */
static uint32_t aux_room(void *regs)
{
	return get(regs, LSR) & LSR_THRE ? 1 : 0;
}

static void ns8250_put(void *regs, char c)
{
	put(regs, RBR, (uint8_t)c);
}

/* Reading the line's state also ends the interrupt of an error. */
static int ns8250_getc(void *regs)
{
	if (!(get(regs, LSR) & LSR_DR)) {
		return -1;
	}
	return (int)(get(regs, RBR) & 0xff);
}

/*
 * Two interrupts of Synopsys' stay up although nothing has come: a time-out
 * that an empty FIFO reports, until a character is read; and a loader's write
 * to a busy port, until the port's own state is.
 */
static int dw_getc(void *regs)
{
	int c = ns8250_getc(regs);
	uint32_t id;

	if (c >= 0) {
		return c;
	}
	id = get(regs, IIR) & IIR_ID;
	if (id == IIR_TIMEOUT) {
		(void)get(regs, RBR);
	} else if (id == DW_IIR_BUSY) {
		(void)get(regs, DW_USR);
	}
	return -1;
}

static void ns8250_irqs(void *regs, bool room)
{
	put(regs, IER, IER_RX | IER_LINE | (room ? IER_ROOM : 0));
}

static const char *const compatible_bytes[] = { "ns16550a", "ns16550", NULL };
static const char *const compatible_dw[] = { "snps,dw-apb-uart", NULL };
static const char *const compatible_aux[] = { "brcm,bcm2835-aux-uart", NULL };
static const char *const compatible_words[] = { "nvidia,tegra20-uart",
						"ti,am654-uart", NULL };

/* What all of the family have; of .width bytes each, unless the tree says. */
#define FAMILY                                                                \
	.init = ns8250_init, .put = ns8250_put, .irqs = ns8250_irqs,          \
	.layout = ns8250_layout

const struct uart uart_ns8250 = {
	.name = "16550",
	FAMILY,
	.room = ns8250_room,
	.getc = ns8250_getc,
	.compatible = compatible_bytes,
	.width = 1,
	.nr_regs = LSR + 1,
};

const struct uart uart_dw_apb = {
	.name = "DesignWare UART",
	FAMILY,
	.room = ns8250_room,
	.getc = dw_getc,
	.compatible = compatible_dw,
	.width = 1,
	.nr_regs = DW_USR + 1,
};

const struct uart uart_bcm_aux = {
	.name = "16550 of words",
	FAMILY,
	.room = aux_room,
	.getc = ns8250_getc,
	.compatible = compatible_aux,
	.shift = 2,
	.width = 4,
	.nr_regs = LSR + 1,
};

const struct uart uart_ns8250_words = {
	.name = "16550 of words",
	FAMILY,
	.room = ns8250_room,
	.getc = ns8250_getc,
	.compatible = compatible_words,
	.shift = 2,
	.width = 4,
	.nr_regs = LSR + 1,
	.polled = true,
};
