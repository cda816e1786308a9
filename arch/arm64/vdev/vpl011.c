/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PL011 as far as guests use one: data, flags and interrupts; [SBSA]'s
 * subset, to which all other registers read as zero and ignore writes.
 *
 * Not     lines and input (core/console_guest.c).
 * Locks   d->console->lock; the vGIC's inside it.
 * Choice  sending takes no time, so the transmit FIFO is always empty. The
 *         receive interrupts follow the FIFO: a driver that takes one
 *         character and acknowledges is interrupted again.
 * Spec    PrimeCell UART (PL011) Technical Reference Manual, DDI 0183, 3.3.
 */
#include <arch/vpl011.h>

#include <abi/xen.h>
#include <arch/vgic.h>
#include <hv/arch.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/guest_console.h>
#include <hv/mmio.h>
#include <lib/bits.h>
#include <lib/errno.h>

enum { UARTDR = 0x00, UARTFR = 0x18, UARTIMSC = 0x38, UARTRIS = 0x3c,
       UARTMIS = 0x40, UARTICR = 0x44, UARTPERIPHID0 = 0xfe0 };

#define FR_RXFE BIT32(4)
#define FR_RXFF BIT32(6)
#define FR_TXFE BIT32(7)
#define INT_RX BIT32(4)
#define INT_TX BIT32(5)
#define INT_RT BIT32(6)
#define INT_ALL 0x7ffu

/* PeriphID0 to 3 (revision r1p5), PCellID0 to 3. */
static const uint8_t ids[] = { 0x11, 0x10, 0x34, 0x00,
			       0x0d, 0xf0, 0x05, 0xb1 };

static uint32_t ris(const struct domain *d)
{
	return (d->arch.uart.tx ? INT_TX : 0) |
	       (guest_console_waiting(d->console) ? INT_RX | INT_RT : 0);
}

void arch_uart_update_locked(struct domain *d)
{
	const struct vpl011 *u = &d->arch.uart;

	if (u->present) {
		vgic_set_level(d, NULL, u->intid,
			       (ris(d) & u->imsc) != 0);
	}
}

static uint32_t flags(const struct domain *d)
{
	uint32_t waiting = guest_console_waiting(d->console);

	return FR_TXFE | (waiting == 0 ? FR_RXFE : 0) |
	       (waiting == GUEST_INPUT ? FR_RXFF : 0);
}

static uint32_t read_locked(struct domain *d, uint64_t offset)
	REQUIRES(d->console->lock)
{
	int c;

	switch (offset) {
	case UARTDR:
		c = guest_console_getc_locked(d->console);
		return c < 0 ? 0 : (uint32_t)c;
	case UARTFR:
		return flags(d);
	case UARTIMSC:
		return d->arch.uart.imsc;
	case UARTRIS:
		return ris(d);
	case UARTMIS:
		return ris(d) & d->arch.uart.imsc;
	default:
		break;
	}
	if (offset >= UARTPERIPHID0) {
		return ids[array_index_nospec((offset - UARTPERIPHID0) / 4,
					      ARRAY_SIZE(ids))];
	}
	return 0;
}

static void write_locked(struct domain *d, uint64_t offset, uint32_t value)
	REQUIRES(d->console->lock)
{
	switch (offset) {
	case UARTDR:
		d->arch.uart.tx = true;
		break;
	case UARTIMSC:
		d->arch.uart.imsc = (uint16_t)(value & INT_ALL);
		break;
	case UARTICR:
		d->arch.uart.tx = d->arch.uart.tx && !(value & INT_TX);
		break;
	default:
		break;
	}
}

static enum mmio_result access(struct vcpu *v, struct mmio_access *a,
			       void *opaque)
{
	struct domain *d = opaque;
	uint64_t offset = a->offset & ~UINT64_C(3);

	(void)v;
	if (a->size > 4 || a->offset % a->size != 0) {
		return MMIO_ABORT;
	}
	if (a->write && a->offset == UARTDR) {
		char c = (char)a->value;

		guest_console_write(d, &c, 1);
	}
	spin_lock(&d->console->lock);
	if (a->write && a->offset == offset) {
		write_locked(d, offset, (uint32_t)a->value);
	} else if (!a->write) {
		a->value = read_locked(d, offset) >>
			   8 * (a->offset - offset);
	}
	arch_uart_update_locked(d);
	spin_unlock(&d->console->lock);
	return MMIO_OK;
}

__cold void vpl011_reset(struct domain *d)
{
	struct guest_console *gc = d->console;

	guest_console_flush(d);
	spin_lock(&gc->lock);
	gc->in_tail = gc->in_head; /* typed for its last life */
	d->arch.uart.imsc = 0;
	d->arch.uart.tx = true;
	arch_uart_update_locked(d);
	spin_unlock(&gc->lock);
}

int vpl011_init(struct domain *d, const struct dom_config *cfg)
{
	const struct mmio_range r = {
		.start = cfg->uart_base,
		.size = GUEST_PL011_SIZE,
		.fn = access,
		.opaque = d,
	};

	if (cfg->uart_intid < VGIC_NR_PRIVATE ||
	    cfg->uart_intid - VGIC_NR_PRIVATE >= d->arch.vgic.nr_spis) {
		return -EINVAL;
	}
	d->arch.uart.present = true;
	d->arch.uart.intid = (uint16_t)cfg->uart_intid;
	d->arch.uart.tx = true; /* as after reset: there is room */
	return mmio_register(d, &r);
}
