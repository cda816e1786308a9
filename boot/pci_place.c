/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions of domains that the device tree starts: nobody else has looked
 * at the bus yet. Without dom0 nobody will; beside it, its kernel will place
 * all others, and is not told of the ends of windows, where these are.
 *
 * Why     firmware that starts no disk by itself leaves BARs where they were
 *         after reset, at 0; what it did place is placed anew, so that the
 *         outcome does not depend on it.
 * Rule    functions of the first bus only: a bridge is off, with all that is
 *         behind it, and so is each function that no domain gets, until
 *         dom0's kernel turns its own on.
 * Not     whether a function may be given (core/pci*.c): what is wrong with
 *         its BARs beside their place is said there.
 * CPU     the boot CPU.
 * Bounds  256 functions of a bus, 6 words of each. What a device says of its
 *         size is checked against the windows.
 * Spec    [PCI] 6.1, 6.2.5.1 "Address Maps"; [PCIE] 7.5.1.1.
 */
#include "pci.h"

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/pci.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "fdt_dom.h"

#define VENDOR 0x00u
#define COMMAND 0x04u
#define COMMAND_OFF 0x400u /* no addresses, no DMA, no INTx */
#define CLASS 0x0bu
#define CLASS_BRIDGE 0x06u
#define HEADER 0x0eu
#define HEADER_TYPE 0x7fu
#define BAR(n) (0x10u + 4u * (n))
#define BAR_PORTS 0x1u
#define NOTHING 0xffffffffu
#define LIMIT_32 (UINT64_C(1) << 32)
#define CUT UINT64_C(0x10000) /* dom0's windows end at a page of any kernel's */

/* How much of each window is taken, from its begin, or from its end. */
struct taken {
	uint64_t bytes[PCI_HOST_WINDOWS];
	bool beside; /* dom0: from the end */
};

/* ---- all that is on the bus ---------------------------------------------- */

/* At 0 nobody takes it for a neighbour of what is placed. */
static void clear_bars(const struct pci_function *f)
{
	for (uint32_t n = 0; n < PCI_BARS; n++) {
		if (!(pci_config_read(f, BAR(n), 4) & BAR_PORTS)) {
			pci_config_write(f, BAR(n), 4, 0);
		}
	}
}

/* But for the host's own part, whose bits may be about all of the bus. */
static void turn_off(const struct pci_function *f)
{
	bool is_endpoint = (pci_config_read(f, HEADER, 1) & HEADER_TYPE) == 0;

	if (pci_config_read(f, VENDOR, 4) == NOTHING ||
	    (is_endpoint && pci_config_read(f, CLASS, 1) == CLASS_BRIDGE)) {
		return;
	}
	pci_config_write(f, COMMAND, 2, COMMAND_OFF);
	if (is_endpoint) {
		clear_bars(f);
	}
}

/* ---- places -------------------------------------------------------------- */

/* An address on the bus for @m, 0: there is none. */
static uint64_t take(const struct pci_host *h, struct taken *taken,
		     const struct pci_measure *m)
{
	uint64_t limit = m->is_64 ? UINT64_MAX : LIMIT_32;

	for (uint32_t i = 0; i < h->nr_windows; i++) {
		const struct pci_window *w = &h->window[i];
		uint64_t from = w->bus + taken->bytes[i];
		uint64_t at = align_up(from ? from : 1, m->size);
		uint64_t skip = at - w->bus;

		if (at >= w->bus && skip <= w->size &&
		    m->size <= w->size - skip && at < limit &&
		    m->size <= limit - at) {
			taken->bytes[i] = skip + m->size;
			return at;
		}
	}
	return 0;
}

/* How much of @w dom0 may have when all from @at on is not its. */
static uint64_t rest_of(const struct pci_window *w, uint64_t at)
{
	uint64_t end = align_down(at, CUT);

	return end > w->bus ? end - w->bus : 0;
}

/* The same from the end of a window, of which dom0 keeps something. */
static uint64_t take_last(const struct pci_host *h, struct taken *taken,
			  const struct pci_measure *m)
{
	for (uint32_t i = 0; i < h->nr_windows; i++) {
		const struct pci_window *w = &h->window[i];
		uint64_t room = w->size - taken->bytes[i];
		uint64_t at;

		if (m->size > room || w->bus > UINT64_MAX - (w->size - 1) ||
		    (!m->is_64 && w->bus + (w->size - 1) >= LIMIT_32)) {
			continue;
		}
		at = align_down(w->bus + (room - m->size), m->size);
		if (at >= w->bus && rest_of(w, at) != 0) {
			taken->bytes[i] = w->size - (at - w->bus);
			return at;
		}
	}
	return 0;
}

/* What cannot be a BAR stays at 0, for which it is refused later. */
static bool can_be(const struct pci_measure *m)
{
	return m->is_memory && m->size >= PAGE_SIZE &&
	       (m->size & (m->size - 1)) == 0;
}

static int problem(const struct pci_function *f, const char *what)
{
	log_err("PCI %04x:%02x:%02x.%x: not for guests: %s\n", f->segment,
		f->bdf >> 8, f->bdf >> 3 & 31u, f->bdf & 7u, what);
	return -ENODEV;
}

static int place(const struct pci_function *f, struct taken *taken)
{
	struct pci_measure m;

	for (uint32_t n = 0; n < PCI_BARS; n += m.words) {
		uint64_t at;

		if (pci_measure(f, n, &m) || !can_be(&m)) {
			continue;
		}
		at = taken->beside ? take_last(f->host, taken, &m)
				   : take(f->host, taken, &m);
		if (at == 0) {
			return problem(f, "a BAR finds no room in its host's "
					  "windows");
		}
		pci_config_write(f, BAR(n), 4, (uint32_t)at);
		if (m.words == 2) {
			pci_config_write(f, BAR(n + 1), 4,
					 (uint32_t)(at >> 32));
		}
	}
	return 0;
}

/* An address that is in two of them would be dom0's after all. */
static bool windows_meet(const struct pci_host *h)
{
	for (uint32_t i = 0; i < h->nr_windows * h->nr_windows; i++) {
		const struct pci_window *a = &h->window[i / h->nr_windows];
		const struct pci_window *b = &h->window[i % h->nr_windows];

		if (a != b && a->bus - b->bus < b->size) {
			return true;
		}
	}
	return false;
}

/* One that is not there, or a bridge, is refused when it is given. */
static int place_one(const struct pci_function *f, struct taken *taken)
{
	if (f->bdf >> 8 != f->host->first_bus) {
		return problem(f, "it is behind a bridge");
	}
	if (taken->beside && windows_meet(f->host)) {
		return problem(f, "windows of its host overlap");
	}
	return (pci_config_read(f, HEADER, 1) & HEADER_TYPE) == 0 &&
			       pci_config_read(f, CLASS, 1) != CLASS_BRIDGE ?
		       place(f, taken) : 0;
}

static void place_all(const struct pci_host *h, struct boot_domain *b,
		      struct taken *taken)
{
	struct pci_function f = { .host = h, .segment = h->segment };

	for (uint32_t i = 0; i < b->pci.nr && !b->refused; i++) {
		uint32_t sbdf = b->pci.sbdf[i];

		f.bdf = (uint16_t)sbdf;
		if (sbdf >> 16 == h->segment && f.bdf >> 8 >= h->first_bus &&
		    f.bdf >> 8 <= h->last_bus) {
			b->refused = place_one(&f, taken) != 0;
		}
	}
}

/* What dom0 is not told of. */
static void note_cuts(struct pci_host *h, const struct taken *taken)
{
	for (uint32_t i = 0; i < h->nr_windows; i++) {
		const struct pci_window *w = &h->window[i];
		uint64_t at = w->bus + (w->size - taken->bytes[i]);

		if (taken->bytes[i] != 0) {
			h->kept[i] = w->size - rest_of(w, at);
			log_info("%s: the last %llu KiB of the window at %#llx "
				 "are not d0's\n", h->name,
				 (unsigned long long)h->kept[i] >> 10,
				 (unsigned long long)w->base);
		}
	}
}

void boot_pci_place(struct pci_host *h, bool beside)
{
	struct pci_function f = { .host = h, .segment = h->segment };
	struct taken taken = { .beside = beside };

	for (uint32_t n = 0; n < 256; n++) {
		f.bdf = (uint16_t)((uint32_t)h->first_bus << 8 | n);
		turn_off(&f);
	}
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		place_all(h, &boot_domains[i], &taken);
	}
	if (beside) {
		note_cuts(h, &taken);
	}
}

/* ---- domains ------------------------------------------------------------- */

static int give(struct domain *d, uint32_t sbdf)
{
	int rc;

	do { /* bound: the pages of its BARs */
		rc = pci_assign(d, sbdf);
	} while (rc == -EAGAIN);
	if (rc) {
		log_err("PCI %04x:%02x:%02x.%x: error %d when it was given to "
			"%s\n", sbdf >> 16, sbdf >> 8 & 0xff,
			sbdf >> 3 & 31u, sbdf & 7u, -rc, d->name);
	}
	return rc;
}

int boot_pci_give(struct domain *d, const struct boot_domain *b)
{
	int rc = 0;

	for (uint32_t i = 0; i < b->pci.nr && rc == 0; i++) {
		rc = give(d, b->pci.sbdf[i]);
	}
	return rc;
}

void boot_pci_take(struct domain *d)
{
	while (pci_release_step(d) == -EAGAIN) {
		/* bound: its functions, and RESET_GIVE_UP_NS of each */
	}
}
