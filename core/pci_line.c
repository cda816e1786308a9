/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line that the interrupt pin of a PCI function pulls, and whose it is.
 *
 * Owns    pci_function.line and what belongs to it; pci_host.up.
 * Rule    a line is given away with a function when dom0 has it, and no other
 *         function of the host pulls it: neither those that are dom0's nor
 *         those of guests, whatever they do now, as who has them may change
 *         that. A bridge whose INTx is disabled does not count: dom0 has
 *         done that, and interrupts it for events of its own only. One that
 *         is kept from dom0 has none: dom0 shares lines of others with it.
 * Order   it is masked and nobody's; then its former owner's interrupt is not
 *         linked to it; then every CPU passes a work point, by which it has
 *         let go of both; then the next one has it.
 * Locks   control_lock, held by the caller.
 * Bounds  a bus of 256 functions a step of pci_line_find(); the walk from a
 *         bus to the first one: its number; GIVE_UP_NS for an interrupt that
 *         another CPU has in use.
 * Spec    [PCI] 2.2.6, 6.2.4 (pins); [PCI-BRIDGE] 9.1: behind a bridge pin n
 *         of device m is the bridge's pin (n + m) mod 4.
 */
#include <hv/pci.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/work.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include "pci_priv.h"

#define PINS 4u
#define GIVE_UP_NS UINT64_C(1000000000)

static uint32_t bus_of(uint32_t bdf)
{
	return bdf >> 8 & 0xffu;
}

static uint32_t device_of(uint32_t bdf)
{
	return bdf >> 3 & 31u;
}

/* ---- which it is --------------------------------------------------------- */

/* What @f pulls; 0: nothing, or nobody knows. */
static uint32_t line_of(const struct pci_function *f)
{
	const struct pci_host *h = f->host;
	uint32_t pin = pci_config_read(f, PCI_PIN, 1) - 1;
	uint32_t bdf = f->bdf;

	if (pin >= PINS) {
		return 0;
	}
	while (bus_of(bdf) > h->first_bus) { /* bound: less each time */
		uint32_t up = h->up[bus_of(bdf)];

		if (up == 0) {
			return 0;
		}
		pin = (pin + device_of(bdf)) % PINS;
		bdf = up - 1;
	}
	return h->line[device_of(bdf) * PINS + pin];
}

static void note_bridge(const struct pci_function *o)
{
	uint32_t behind = pci_config_read(o, PCI_SECONDARY, 1);

	if (behind > bus_of(o->bdf)) {
		o->host->up[behind] = (uint16_t)(o->bdf + 1);
	}
}

static bool is_off(const struct pci_function *o)
{
	return (pci_config_read(o, PCI_COMMAND, 2) & PCI_COMMAND_NO_INTX) != 0;
}

/* @o is there. In the first round bridges count, in the second one lines. */
static void look_at(struct pci_function *f, const struct pci_function *o,
		    bool first)
{
	bool bridge = (pci_config_read(o, PCI_HEADER, 1) & PCI_HEADER_TYPE) ==
		      PCI_HEADER_BRIDGE;

	if (first) {
		if (bridge) {
			note_bridge(o);
		}
	} else if (o->bdf != f->bdf && !(bridge && is_off(o)) &&
		   line_of(o) == f->line) {
		f->line = 0;
		f->shares = o->bdf;
	}
}

static void look_at_bus(struct pci_function *f, uint32_t bus, bool first)
{
	struct pci_function o = { .host = f->host, .segment = f->segment };
	uint32_t nr = 1; /* functions of the device */

	for (uint32_t n = 0; n < 256 && (first || f->line != 0); n++) {
		o.bdf = (uint16_t)(bus << 8 | n);
		if ((n & 7u) != 0 && (n & 7u) >= nr) {
			continue;
		}
		if (pci_config_read(&o, PCI_VENDOR, 4) == PCI_NOTHING) {
			nr = (n & 7u) == 0 ? 1 : nr;
			continue;
		}
		if ((n & 7u) == 0) {
			nr = pci_config_read(&o, PCI_HEADER, 1) &
					     PCI_HEADER_MANY ? 8 : 1;
		}
		look_at(f, &o, first);
	}
}

/* Between the rounds: all bridges are known. */
static void name_line(struct pci_function *f)
{
	const struct irq_desc *q;

	f->shares = f->bdf;
	f->pulls = (uint16_t)line_of(f);
	f->line = f->pulls;
	f->line_of = PCI_LINE_DOM0;
	q = irq_desc_of(f->line);
	if (!q || q->owner != IRQ_GUEST || q->domain != hardware_domain ||
	    q->virq != f->line || f->is_kept) {
		f->line = 0;
	}
}

/* Those that are not dom0's: one that is being reset does not answer. */
static void look_at_given(struct pci_function *f)
{
	const struct pci_function *o = pci_next(NULL);

	for (; o && f->line != 0; o = o->next) { /* bound: PCI_FUNCTIONS */
		if (o != f && o->state != PCI_DOM0 && o->pulls == f->line) {
			f->line = 0;
			f->shares = o->bdf;
		}
	}
}

int pci_line_find(struct pci_function *f)
{
	const struct pci_host *h = f->host;
	uint32_t nr = h->last_bus - h->first_bus + 1u;
	bool looked = false;

	if (f->look == 0) {
		f->line = 0;
	}
	while (f->look < 2 * nr) {
		uint32_t bus = h->first_bus + f->look % nr;

		if (f->look == nr) {
			name_line(f);
		}
		if (f->look >= nr && f->line == 0) {
			break;
		}
		if (bus == h->first_bus || h->up[bus] != 0) {
			if (looked) {
				return -EAGAIN;
			}
			look_at_bus(f, bus, f->look < nr);
			looked = true;
		}
		f->look++;
	}
	look_at_given(f);
	f->look = 0;
	return 0;
}

int pci_line_refuse(const struct pci_function *f)
{
	char why[80];

	if (f->shares == f->bdf) {
		return pci_refuse(f, "it has neither messages nor an "
				     "interrupt to give away");
	}
	hv_snprintf(why, sizeof(why),
		    "its interrupt is that of %04x:%02x:%02x.%x, too",
		    f->segment, bus_of(f->shares), device_of(f->shares),
		    f->shares & 7u);
	return pci_refuse(f, why);
}

/* ---- whose it is --------------------------------------------------------- */

void pci_line_take(struct pci_function *f, struct domain *d)
{
	uint32_t virq;

	if (f->line == 0 || f->line_of == PCI_LINE_NOBODY) {
		return;
	}
	virq = d->is_hardware ? f->line : f->virq;
	irq_release(d, f->line);
	arch_virq_unlink(d, virq);
	f->line_of = PCI_LINE_NOBODY;
	f->line_ns = arch_time_ns();
	work_gen_snapshot(f->line_gen);
}

static int connect(struct pci_function *f, struct domain *d, uint32_t virq)
{
	int rc = irq_assign_guest(d, f->line, virq, IRQ_LEVEL);

	if (rc) {
		return rc;
	}
	rc = arch_virq_link(d, virq, f->line);
	if (rc) {
		irq_release(d, f->line);
	}
	return rc;
}

int pci_line_give(struct pci_function *f, struct domain *d, uint32_t virq)
{
	int rc;

	if (f->line == 0 || f->line_of != PCI_LINE_NOBODY) {
		return 0;
	}
	if (!work_gen_passed(f->line_gen)) {
		return -EAGAIN;
	}
	rc = connect(f, d, virq);
	if (rc == -EBUSY && arch_time_ns() - f->line_ns < GIVE_UP_NS) {
		return -EAGAIN;
	}
	if (rc) {
		log_warn("PCI %s: %s cannot have its interrupt %u as %u\n",
			 f->name, d->name, f->line, virq);
		return d->is_hardware ? 0 : rc;
	}
	f->virq = (uint16_t)virq;
	f->line_of = d->is_hardware ? PCI_LINE_DOM0 : PCI_LINE_GUEST;
	return 0;
}
