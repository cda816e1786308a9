/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BARs of a guest's PCI functions, and their memory in its address space.
 *
 * Owns    addresses that the guest writes; which pages of the window are
 *         mapped: always a first part of a BAR, at the place it has claimed.
 * Not     the real BARs, which stay where the machine has them.
 * Rule    a BAR claims its place before the first page and gives it up after
 *         the last one. A place within another's is not claimed: who comes
 *         later has nothing until its own BAR or a command is written, and
 *         the place is free. Nothing that is mapped already is replaced.
 * Locks   vpci.lock, held by the caller; p2m's inside of it.
 * Bounds  STEP_PAGES of mapping and unmapping a call, so never a block that
 *         would have to be split; all BARs of a domain against each other.
 * Spec    [PCI] "Base Addresses".
 */
#include "vpci_priv.h"

#include <lib/check.h>
#include <lib/errno.h>

#define STEP_PAGES 64u
#define WINDOW_PAGES (uint32_t)(VPCI_MEM_SIZE >> PAGE_SHIFT)
#define BAR_64 BIT32(2) /* memory, 64 bits, not prefetchable */

STATIC_ASSERT(VPCI_MEM_BASE % VPCI_MEM_SIZE == 0, "see wanted()");

__cold int vpci_bars_check(const struct pci_function *f)
{
	for (uint32_t i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *b = &f->bar[i];

		if (b->nr == 0) {
			continue;
		}
		if ((b->nr & (b->nr - 1)) != 0 || b->mfn > UINT64_MAX - b->nr ||
		    (b->is_64 &&
		     (i + 1 == PCI_BARS || f->bar[i + 1].nr != 0))) {
			return -EINVAL;
		}
		if (b->nr > WINDOW_PAGES) {
			return -ENOSPC;
		}
	}
	return 0;
}

/* Word @i is the upper half of the BAR before it. */
static bool is_upper(const struct vpci_function *vf, uint32_t i)
{
	return i > 0 && vf->f->bar[i - 1].nr != 0 && vf->f->bar[i - 1].is_64;
}

uint32_t vpci_bar_read(const struct vpci_function *vf, uint32_t i)
{
	if (is_upper(vf, i)) {
		return (uint32_t)(vf->bar[i - 1].addr >> 32);
	}
	if (vf->f->bar[i].nr == 0) {
		return 0;
	}
	return (uint32_t)vf->bar[i].addr | (vf->f->bar[i].is_64 ? BAR_64 : 0);
}

void vpci_bar_write(struct vpci_function *vf, uint32_t i, uint32_t val,
		    uint32_t lanes)
{
	bool upper = is_upper(vf, i);
	unsigned int shift = upper ? 32 : 0;
	uint32_t own = upper ? i - 1 : i;
	struct vpci_bar *b = &vf->bar[own];
	uint64_t size = (uint64_t)vf->f->bar[own].nr << PAGE_SHIFT;
	uint64_t was = b->addr;

	if (size == 0) {
		return;
	}
	b->addr &= ~((uint64_t)lanes << shift);
	b->addr |= (uint64_t)(val & lanes) << shift;
	b->addr &= ~(size - 1);
	if (b->addr != was) {
		b->has_failed = false;
	}
}

void vpci_bars_retry(struct vpci_function *vf)
{
	for (uint32_t i = 0; i < PCI_BARS; i++) {
		vf->bar[i].has_failed = false;
	}
}

/* Pages of BAR @i that the guest should find, if there is room. */
static uint32_t wanted(const struct vpci_function *vf, uint32_t i)
{
	const struct vpci_bar *b = &vf->bar[i];

	/* Aligned to its size, as the window is: all of it is in, or none. */
	if (vf->is_leaving || !(vf->command & PCI_COMMAND_MEMORY) ||
	    b->has_failed || b->addr - VPCI_MEM_BASE >= VPCI_MEM_SIZE) {
		return 0;
	}
	return vf->f->bar[i].nr;
}

/* Another one has claimed a page of @nr from @g on. */
static bool is_taken(const struct vpci *vp, uint64_t g, uint32_t nr)
{
	for (uint32_t s = 0; s < VPCI_FUNCTIONS; s++) {
		const struct vpci_function *vf = vp->slot[s];

		for (uint32_t i = 0; vf && i < PCI_BARS; i++) {
			const struct vpci_bar *b = &vf->bar[i];

			if (b->is_claimed && b->gfn < g + nr &&
			    g < b->gfn + vf->f->bar[i].nr) {
				return true;
			}
		}
	}
	return false;
}

/* Still what we have mapped there: the toolstack may have unmapped it. */
static bool is_ours(struct domain *d, uint64_t g, uint64_t m)
{
	struct p2m_entry e = p2m_lookup(d, gfn(g));

	return e.type == P2M_MMIO_DEV && e.mfn.v == m;
}

/* The last pages of BAR @i go, and with the first one its place. */
static void unmap_some(struct domain *d, struct vpci_function *vf, uint32_t i,
		       uint32_t *budget)
{
	struct vpci_bar *b = &vf->bar[i];

	for (; b->nr_mapped != 0 && *budget != 0; (*budget)--) {
		uint64_t at = b->nr_mapped - 1;
		uint64_t g = b->gfn + at;

		if (is_ours(d, g, vf->f->bar[i].mfn + at) &&
		    NEVER(p2m_remove_page(d, gfn(g), P2M_MASK(P2M_MMIO_DEV)) ==
			  -ENOMEM)) {
			*budget = 0;
			return; /* the guest's call is repeated */
		}
		b->nr_mapped--;
	}
	b->is_claimed = b->nr_mapped != 0;
}

static void map_some(struct domain *d, struct vpci_function *vf, uint32_t i,
		     uint32_t *budget)
{
	const struct pci_bar *real = &vf->f->bar[i];
	struct vpci_bar *b = &vf->bar[i];
	uint32_t nr = min_u32(real->nr - b->nr_mapped, *budget);

	if (nr == 0) {
		return;
	}
	*budget -= nr;
	if (p2m_map_mmio(d, gfn(b->gfn + b->nr_mapped),
			 mfn(real->mfn + b->nr_mapped), nr,
			 P2M_MMIO_DEV) == 0) {
		b->nr_mapped += nr;
	} else {
		b->has_failed = true; /* all of it, or nothing */
		d->guest_errors++;
	}
}

/* Pages go that should not be where they are. True: some still are. */
static bool leave_places(struct domain *d, struct vpci_function *vf,
			 uint32_t *budget)
{
	bool more = false;

	for (uint32_t i = 0; i < PCI_BARS; i++) {
		struct vpci_bar *b = &vf->bar[i];

		if (b->is_claimed &&
		    (wanted(vf, i) == 0 || b->gfn != b->addr >> PAGE_SHIFT)) {
			unmap_some(d, vf, i, budget);
			more = more || b->is_claimed;
		}
	}
	return more;
}

/* Pages come that should be there. True: some do not yet. */
static bool take_places(struct domain *d, struct vpci *vp,
			struct vpci_function *vf, uint32_t *budget)
{
	bool more = false;

	for (uint32_t i = 0; i < PCI_BARS; i++) {
		struct vpci_bar *b = &vf->bar[i];
		uint32_t nr = wanted(vf, i);
		uint64_t g = b->addr >> PAGE_SHIFT;

		if (nr != 0 && !b->is_claimed && !is_taken(vp, g, nr)) {
			b->is_claimed = true;
			b->gfn = g;
		}
		if (nr != 0 && b->is_claimed) {
			map_some(d, vf, i, budget);
			more = more || b->nr_mapped != nr;
		}
	}
	return more;
}

bool vpci_bars_step(struct domain *d, struct vpci *vp)
{
	uint32_t budget = STEP_PAGES;
	bool more = false;

	for (uint32_t s = 0; s < VPCI_FUNCTIONS; s++) {
		if (vp->slot[s]) {
			more |= leave_places(d, vp->slot[s], &budget);
		}
	}
	for (uint32_t s = 0; !more && s < VPCI_FUNCTIONS; s++) {
		if (vp->slot[s]) {
			more |= take_places(d, vp, vp->slot[s], &budget);
		}
	}
	return more;
}

bool vpci_bars_drop(struct domain *d, struct vpci_function *vf)
{
	uint32_t budget = STEP_PAGES;

	return leave_places(d, vf, &budget);
}
