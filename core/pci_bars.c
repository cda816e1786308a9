/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a PCI function: how large its BARs are, and whether all that
 * is there is its own.
 *
 * Rule    a BAR is whole pages within a window of its host's, where dom0 has
 *         nothing but device registers (which leaves out RAM, and what the
 *         hypervisor drives), and no other function of its bus begins in it.
 *         Without dom0, or kept from it, boot has looked at the windows and
 *         has placed it.
 * Locks   control_lock, held by the caller: dom0's toolstack has taken the
 *         function from its drivers.
 * Bounds  PCI_BARS; the 256 functions of a bus, 6 words of each.
 * Spec    [PCI] 6.2.5.1: all ones are written, and what reads as 0 then is
 *         inside; decoding is off meanwhile.
 */
#include <hv/pci.h>

#include <hv/domain.h>
#include <hv/p2m.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "pci_priv.h"

static uint32_t word_of(const struct pci_function *f, uint32_t n)
{
	return pci_config_read(f, PCI_BAR(n), 4);
}

/* What reads back after all ones; it is as before after that. */
static uint32_t mask_of(const struct pci_function *f, uint32_t n)
{
	uint32_t was = word_of(f, n);
	uint32_t mask;

	pci_config_write(f, PCI_BAR(n), 4, UINT32_MAX);
	mask = word_of(f, n);
	pci_config_write(f, PCI_BAR(n), 4, was);
	return mask;
}

/* Physical address of [bus, bus + size); 0: not in a window. */
static uint64_t in_window(const struct pci_host *h, uint64_t bus,
			  uint64_t size)
{
	for (uint32_t i = 0; i < h->nr_windows; i++) {
		const struct pci_window *w = &h->window[i];

		if (bus >= w->bus && size <= w->size &&
		    bus - w->bus <= w->size - size) {
			return w->base + (bus - w->bus);
		}
	}
	return 0;
}

/* What is wrong with a BAR of @size bytes at @bus; else it is in *b. */
static const char *judge(const struct pci_function *f, uint64_t bus,
			 uint64_t size, struct pci_bar *b)
{
	uint64_t base = in_window(f->host, bus, size);

	if ((size & (size - 1)) != 0) {
		return "the size of a BAR is no power of two";
	}
	if (size < PAGE_SIZE) {
		return "a BAR is smaller than a page";
	}
	if (base == 0) {
		return "a BAR is outside of its host's windows";
	}
	if ((bus & (size - 1)) != 0 || (base & (PAGE_SIZE - 1)) != 0) {
		return "a BAR is not aligned";
	}
	if (size >> PAGE_SHIFT > UINT32_MAX / PCI_BARS) {
		return "a BAR is too large";
	}
	b->mfn = base >> PAGE_SHIFT;
	b->nr = (uint32_t)(size >> PAGE_SHIFT);
	return NULL;
}

const char *pci_measure(const struct pci_function *f, uint32_t n,
			struct pci_measure *m)
{
	uint32_t low = word_of(f, n);
	uint64_t mask = mask_of(f, n);

	*m = (struct pci_measure){ .bus = low & ~PCI_BAR_FLAGS, .words = 1 };
	if (mask == 0 || (low & PCI_BAR_PORTS)) {
		return NULL;
	}
	m->prefetch = (low & PCI_BAR_PREFETCH) != 0;
	m->is_64 = (low & PCI_BAR_TYPE) == PCI_BAR_64;
	if (m->is_64 && n + 1 < PCI_BARS) {
		m->bus |= (uint64_t)word_of(f, n + 1) << 32;
		mask |= (uint64_t)mask_of(f, n + 1) << 32;
		m->words = 2;
	} else if ((low & PCI_BAR_TYPE) != 0) {
		return "a BAR is of no known type";
	} else {
		mask |= UINT64_C(0xffffffff) << 32;
	}
	mask &= ~(uint64_t)PCI_BAR_FLAGS;
	if (mask << 32 == 0 && !m->is_64) {
		return NULL;
	}
	m->size = ~mask + 1;
	m->is_memory = true;
	return NULL;
}

/* BAR @n, of *@words words; those of ports have no pages. */
static const char *read_bar(struct pci_function *f, uint32_t n,
			    uint32_t *words)
{
	struct pci_bar *b = &f->bar[n];
	struct pci_measure m;
	const char *wrong = pci_measure(f, n, &m);

	*words = m.words;
	b->prefetch = m.prefetch;
	b->is_64 = m.is_64;
	return wrong || !m.is_memory ? wrong : judge(f, m.bus, m.size, b);
}

static bool meets(const struct pci_bar *a, const struct pci_bar *b)
{
	return a->nr && b->nr && a->mfn < b->mfn + b->nr &&
	       b->mfn < a->mfn + a->nr;
}

static bool meets_function(const struct pci_function *f,
			   const struct pci_function *o)
{
	for (uint32_t i = 0; i < PCI_BARS * PCI_BARS; i++) {
		uint32_t n = i / PCI_BARS;

		if ((f != o || n != i % PCI_BARS) &&
		    meets(&f->bar[n], &o->bar[i % PCI_BARS])) {
			return true;
		}
	}
	return false;
}

static bool has_address(const struct pci_function *f, uint64_t base)
{
	for (uint32_t i = 0; i < PCI_BARS; i++) {
		if (base != 0 && f->bar[i].nr != 0 &&
		    (base >> PAGE_SHIFT) - f->bar[i].mfn < f->bar[i].nr) {
			return true;
		}
	}
	return false;
}

/* A BAR of @o, one that nobody has measured, begins in one of @f's. */
static bool begins_in(const struct pci_function *f,
		      const struct pci_function *o)
{
	for (uint32_t n = 0; n < PCI_BARS; n++) {
		uint32_t low = word_of(o, n);
		uint64_t bus = low & ~PCI_BAR_FLAGS;

		if (low & PCI_BAR_PORTS) {
			continue;
		}
		if ((low & PCI_BAR_TYPE) == PCI_BAR_64 && n + 1 < PCI_BARS) {
			bus |= (uint64_t)word_of(o, ++n) << 32;
		}
		if (bus != 0 && has_address(f, in_window(f->host, bus, 1))) {
			return true;
		}
	}
	return false;
}

/* Who else is on its bus, and is no bridge. */
static bool is_neighbour(const struct pci_function *o)
{
	return pci_config_read(o, PCI_VENDOR, 4) != PCI_NOTHING &&
	       (pci_config_read(o, PCI_HEADER, 1) & PCI_HEADER_TYPE) == 0;
}

static bool meets_neighbour(const struct pci_function *f)
{
	struct pci_function o = { .host = f->host, .segment = f->segment };

	for (uint32_t n = 0; n < 256; n++) {
		o.bdf = (uint16_t)((f->bdf & 0xff00u) | n);
		if (o.bdf != f->bdf && is_neighbour(&o) && begins_in(f, &o)) {
			return true;
		}
	}
	return false;
}

static bool is_shared(const struct pci_function *f)
{
	const struct pci_function *o = pci_next(NULL);

	for (; o; o = o->next) { /* bound: PCI_FUNCTIONS */
		if ((o->state != PCI_DOM0 || o->is_kept) && o != f &&
		    meets_function(f, o)) {
			return true;
		}
	}
	return meets_function(f, f) || meets_neighbour(f);
}

/* dom0 has all of it, as a device's: it is no RAM, and not the hypervisor's. */
static bool is_dom0s(const struct pci_bar *b)
{
	uint64_t at = b->mfn;

	while (at < b->mfn + b->nr) { /* bound: entries of dom0's tables */
		struct p2m_entry e = p2m_lookup(hardware_domain, gfn(at));

		if (e.type != P2M_MMIO_DIRECT || e.mfn.v != at) {
			return false;
		}
		at = align_down(at, BIT64(e.order)) + BIT64(e.order);
	}
	return true;
}

uint32_t pci_nr_pages(const struct pci_function *f)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < PCI_BARS; i++) {
		nr += f->bar[i].nr;
	}
	return nr;
}

uint64_t pci_page(const struct pci_function *f, uint32_t n)
{
	uint32_t i = 0;

	while (i < PCI_BARS - 1 && n >= f->bar[i].nr) {
		n -= f->bar[i++].nr;
	}
	return f->bar[i].mfn + n;
}

static const char *read_all(struct pci_function *f)
{
	const char *wrong = NULL;
	uint32_t words;

	for (uint32_t n = 0; n < PCI_BARS; n++) {
		f->bar[n] = (struct pci_bar){ .nr = 0 };
	}
	for (uint32_t n = 0; n < PCI_BARS && !wrong; n += words) {
		wrong = read_bar(f, n, &words);
	}
	if (!wrong && pci_nr_pages(f) > PCI_MAX_PAGES) {
		wrong = "its BARs are too large";
	}
	for (uint32_t n = 0; n < PCI_BARS && !wrong; n++) {
		if (pci_home(f) && !is_dom0s(&f->bar[n])) {
			wrong = "dom0 has no such device memory";
		}
	}
	if (!wrong && is_shared(f)) {
		wrong = "another one is in its BARs";
	}
	return wrong;
}

int pci_read_bars(struct pci_function *f)
{
	const char *wrong;

	pci_quiet(f);
	wrong = read_all(f);
	return wrong ? pci_refuse(f, wrong) : 0;
}
