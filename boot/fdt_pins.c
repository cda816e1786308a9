/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupt pins of the functions of a PCI host: which SPI each pulls.
 *
 * Owns    pci_host.line.
 * Rule    lines that something else of the machine pulls, too, are left out,
 *         and so are those that are not level-sensitive: they are dom0's.
 * Not     which function pulls which of them now (core/pci_line.c).
 * Bounds  rows of one property, PCI_HOST_PINS for each; all interrupts of the
 *         machine's tree, PCI_HOST_PINS for each.
 * Spec    [PCI-OF] 4.3 "interrupt-map"; [DT] 2.4.3.
 */
#include "fdt_pci.h"

#include <lib/errno.h>
#include "fdt_irq.h"

#define CELLS 4u /* of a row's left side: three of the address, the pin */
#define FIRST_SPI 32u
#define NO_LINE 1u /* a row says so */

static const char malformed[] = "its \"interrupt-map\" is malformed";

/* @child, under @mask (NULL: all of it), is pin @n % 4 of device @n / 4. */
static bool is_for(const uint8_t *child, const uint8_t *mask, uint32_t n)
{
	const uint32_t is[CELLS] = { n / 4 << 11, 0, 0, n % 4 + 1 };

	for (uint32_t i = 0; i < CELLS; i++) {
		uint32_t m = mask ? dt_be32(mask + 4 * i) : UINT32_MAX;

		if ((dt_be32(child + 4 * i) ^ is[i]) & m) {
			return false;
		}
	}
	return true;
}

/* The first row that is for a pin counts. */
static void read_row(struct pci_host *h, const uint8_t *child,
		     const uint8_t *mask, uint32_t line)
{
	for (uint32_t n = 0; n < PCI_HOST_PINS; n++) {
		if (h->line[n] == 0 && is_for(child, mask, n)) {
			h->line[n] = (uint16_t)line;
		}
	}
}

static uint32_t line_of(const struct dt_irq *q)
{
	return q->trigger == IRQ_LEVEL && q->intid >= FIRST_SPI &&
			       q->intid < NR_INTIDS ? q->intid : NO_LINE;
}

static void drop(struct pci_host *h, uint32_t line)
{
	for (uint32_t n = 0; n < PCI_HOST_PINS; n++) {
		if (h->line[n] == line) {
			h->line[n] = 0;
		}
	}
}

/* Those of node @idx itself, and with @map those of what is behind it. */
static void drop_others(struct dt *t, uint32_t gic, uint32_t idx, bool map,
			struct pci_host *h)
{
	struct dt_irq q;
	uint32_t pos = 0;
	int rc = 0;

	for (uint32_t n = 0; rc == 0 || rc == -ENXIO; n++) {
		rc = dt_irq(t, gic, idx, n, &q);
		if (rc == 0) {
			drop(h, q.intid);
		}
	}
	for (rc = map ? 0 : -ENOENT; rc == 0 || rc == -ENXIO;) {
		rc = dt_irq_map_next(t, gic, idx, &pos, &q);
		if (rc == 0) {
			drop(h, q.intid);
		}
	}
}

const char *fdt_pci_pins(struct dt *t, const struct platform *p, uint32_t idx,
			 struct pci_host *h)
{
	uint32_t gic = dt_by_offset(t, p->gic.node);
	uint32_t len;
	const uint8_t *mask = dt_prop(t, idx, DT_INTERRUPT_MAP_MASK, &len);
	const uint8_t *child;
	struct dt_irq q;
	uint32_t pos = 0;
	int rc = 0;

	if (!dt_has(t, idx, DT_INTERRUPT_MAP)) {
		return NULL;
	}
	if (t->node[idx].addr_cells != CELLS - 1 ||
	    t->node[idx].irq_cells != 1 || (mask && len != 4 * CELLS)) {
		return malformed;
	}
	while (rc == 0 || rc == -ENXIO) {
		rc = dt_irq_map_row(t, gic, idx, &pos, &child, &q);
		if (rc == 0 || rc == -ENXIO) {
			read_row(h, child, mask,
				 rc == 0 ? line_of(&q) : NO_LINE);
		}
	}
	if (rc != -ENOENT) {
		return malformed;
	}
	drop(h, NO_LINE);
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		drop_others(t, gic, i, i != idx, h);
	}
	return NULL;
}
