/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions of domains of the device tree that dom0 is kept from.
 *
 * Rule    before dom0 runs it has neither stream nor memory nor messages nor
 *         configuration page of them, and never gets any; whether the domain
 *         starts or not, and after its end.
 * Not     where they are (pci_place.c), what dom0's tree says (dom_fdt.c).
 * CPU     the boot CPU; dom0 has its devices, and does not run.
 * Bounds  the functions that the tree names, eight each.
 */
#include "pci.h"

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/mmio.h>
#include <hv/p2m.h>
#include <hv/pci.h>
#include <lib/errno.h>
#include "fdt_dom.h"

#define BUS_SHIFT 20u /* a page a function */
#define VENDOR 0x00u
#define HEADER 0x0eu
#define HEADER_MANY 0x80u
#define NOTHING 0xffffffffu

/* dom0 reads all ones in its page: there is none. */
static int hide(const struct pci_function *f)
{
	const struct pci_host *h = f->host;
	uint64_t page = (h->ecam_base >> PAGE_SHIFT) +
			(f->bdf - ((uint32_t)h->first_bus << 8));
	struct mmio_range r = {
		.start = h->ecam_base,
		.size = (h->last_bus - h->first_bus + UINT64_C(1))
			<< BUS_SHIFT,
		.fn = pci_config_absent,
	};
	int rc = 0;

	if (!mmio_is_modelled(hardware_domain, ipa(r.start), r.size)) {
		rc = mmio_register(hardware_domain, &r);
	}
	return rc ? rc : p2m_remove_page(hardware_domain, gfn(page),
					 P2M_MASK(P2M_MMIO_DIRECT));
}

static int keep(uint32_t sbdf)
{
	const struct pci_function *f;
	int rc = pci_keep(sbdf, &f);

	if (rc == 0) {
		rc = hide(f);
		if (rc) {
			log_err("PCI %s: error %d when it was hidden from "
				"d0\n", f->name, -rc);
		}
	}
	return rc;
}

/* Linux looks for the others only where there is a function 0. */
static void tell_of_others(uint32_t sbdf)
{
	struct pci_function o = { .segment = (uint16_t)(sbdf >> 16) };
	const struct pci_host *h = boot_pci_hosts();
	uint32_t bus = sbdf >> 8 & 0xff;

	while (h && (h->segment != o.segment || bus < h->first_bus ||
		     bus > h->last_bus)) {
		h = h->next; /* bound: hosts of the tree */
	}
	o.host = h;
	o.bdf = (uint16_t)sbdf;
	if (!h || (sbdf & 7u) != 0 ||
	    !(pci_config_read(&o, HEADER, 1) & HEADER_MANY)) {
		return;
	}
	for (uint32_t n = 1; n < 8; n++) {
		o.bdf = (uint16_t)(sbdf + n);
		if (!pci_is_kept(sbdf + n) &&
		    pci_config_read(&o, VENDOR, 4) != NOTHING) {
			log_warn("PCI %04x:%02x:%02x.%x: d0 will not find it, "
				 "as function 0 of its device is not d0's\n",
				 o.segment, bus, sbdf >> 3 & 31u, n);
		}
	}
}

void boot_pci_keep(void)
{
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		struct boot_domain *b = &boot_domains[i];

		for (uint32_t n = 0; n < b->pci.nr && !b->refused; n++) {
			b->refused = keep(b->pci.sbdf[n]) != 0;
		}
	}
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		const struct boot_domain *b = &boot_domains[i];

		for (uint32_t n = 0; n < b->pci.nr; n++) {
			if (pci_is_kept(b->pci.sbdf[n])) {
				tell_of_others(b->pci.sbdf[n]);
			}
		}
	}
}
