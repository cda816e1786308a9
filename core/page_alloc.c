/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who gets which frames: blocks of 2^order for the hypervisor and domains,
 * and exact ranges at boot.
 *
 * Owns    the choice of frames; charging of domains.
 * Not     the table and the trees it chooses from (page_table.c,
 *         page_tree.c), references (page_range.c), nor what is set aside
 *         (page_claim.c).
 * Rule    a frame goes free -> taken (count 0, found by nobody) -> scrubbed
 *         -> owned. The scrub is over before the owner can be seen.
 * Order   memory above 4 GiB first; within 1 GiB split chunks first, then the
 *         lowest whole block.
 * Locks   page_lock (rank PAGE_ALLOC), not during the scrub.
 * Bounds  a choice looks at two roots a GiB of RAM, then 9 + 9 tree steps.
 */
#include <hv/page_alloc.h>

#include "page_priv.h"

#include <hv/arch.h>
#include <hv/domain.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/string.h>

/* A block of split chunks in the GiB that starts at frame @region. */
static bool take_from_part(struct mem_bank *b, uint64_t region,
			   unsigned int order, uint64_t *m) REQUIRES(page_lock)
{
	int c = region_state(b, region) == REGION_KNOWN ?
			part_find(chunk_of(b, region), order) : -1;
	uint64_t chunk;
	int i;

	if (c < 0) {
		return false;
	}
	chunk = region + (uint64_t)c * CHUNK_PAGES;
	i = tree_find(tree_of_frames(frame_of(b, chunk)), order);
	if (NEVER(i < 0)) {
		return false;
	}
	*m = chunk + (uint64_t)i;
	frames_take_locked(b, *m, order);
	return true;
}

/* A block of whole chunks there, or part of one. */
static bool take_from_whole(struct mem_bank *b, uint64_t region,
			    unsigned int order, uint64_t *m)
	REQUIRES(page_lock)
{
	unsigned int chunk_order = order > ORDER_2M ? order - ORDER_2M : 0;
	int c;

	if (region_state(b, region) == REGION_FREE) {
		region_know_locked(b, region);
	}
	c = tree_find(tree_of_chunks(chunk_of(b, region)), chunk_order);
	if (c < 0) {
		return false;
	}
	*m = region + (uint64_t)c * CHUNK_PAGES;
	if (order < ORDER_2M) {
		chunk_split_locked(b, *m);
		frames_take_locked(b, *m, order);
	} else {
		chunks_take_locked(b, *m, chunk_order);
	}
	return true;
}

static bool take_from(bool whole, struct mem_bank *b, uint64_t region,
		      unsigned int order, uint64_t *m) REQUIRES(page_lock)
{
	return whole ? take_from_whole(b, region, order, m)
		     : take_from_part(b, region, order, m);
}

/* Every GiB of every bank, from the top. */
static bool take_anywhere(bool whole, unsigned int order, uint64_t *m)
	REQUIRES(page_lock)
{
	uint32_t i;
	uint64_t r;

	for (i = page_nr_banks; i-- > 0;) { /* bound: MAX_MEM_BANKS */
		struct mem_bank *b = &page_bank[i];

		for (r = b->chunk ? b->nr_regions : 0; r-- > 0;) {
			if (take_from(whole, b, b->base + (r << MAX_ORDER),
				      order, m)) {
				return true;
			}
		}
	}
	return false;
}

/* For @d, whose claim shrinks by them; NULL: for nobody who could have one. */
static bool frames_take(struct domain *d, unsigned int order, uint64_t *m)
{
	uint64_t own;
	bool ok;

	if (order > MAX_ORDER) {
		return false;
	}
	spin_lock(&page_lock);
	own = claim_part_locked(d, BIT64(order));
	ok = page_nr_free - page_nr_claimed + own >= BIT64(order) &&
	     ((order < ORDER_2M && take_anywhere(false, order, m)) ||
	      take_anywhere(true, order, m));
	if (ok) {
		claim_reduce_locked(d, own);
	}
	spin_unlock(&page_lock);
	return ok;
}

/* ---- the hypervisor's own -------------------------------------------- */

void *hv_alloc_pages(struct domain *d, unsigned int order)
{
	uint64_t m;

	if (!frames_take(NULL, order, &m)) {
		return NULL;
	}
	frames_scrub(m, BIT64(order), false);
	frames_publish(DOMID_HV, m, BIT64(order));
	if (d) {
		(void)__atomic_fetch_add(&d->xen_pages, BIT64(order),
					 __ATOMIC_RELAXED);
	}
	return hv_va(mfn_to_paddr(mfn(m)));
}

static void hv_free_frame(mfn_t m)
{
	struct page *pg = page_of(m);
	uint8_t old;

	CHECK(pg && page_owner(pg) == DOMID_HV);
	old = __atomic_fetch_and(&pg->flags, (uint8_t)~PGF_ALLOCATED,
				 __ATOMIC_RELAXED);
	CHECK(old & PGF_ALLOCATED); /* freed twice */
	page_put(pg);
}

void hv_free_pages(struct domain *d, void *va, unsigned int order)
{
	mfn_t m;
	uint64_t i;

	if (!va) {
		return;
	}
	m = paddr_to_mfn(hv_pa(va));
	for (i = 0; i < BIT64(order); i++) {
		hv_free_frame(mfn(m.v + i));
	}
	if (d) {
		(void)__atomic_fetch_sub(&d->xen_pages, BIT64(order),
					 __ATOMIC_RELAXED);
	}
}

/* ---- domains' -------------------------------------------------------- */

bool frames_charge(struct domain *d, uint64_t nr)
{
	uint64_t max = __atomic_load_n(&d->max_pages, __ATOMIC_RELAXED);
	uint64_t now = __atomic_add_fetch(&d->tot_pages, nr, __ATOMIC_RELAXED);

	if (now > max || now < nr) {
		frames_uncharge(d, nr);
		return false;
	}
	return true;
}

int dom_alloc_pages(struct domain *d, unsigned int order, mfn_t *out)
{
	uint64_t m;

	if (order > MAX_ORDER || !frames_charge(d, BIT64(order))) {
		return -ENOMEM;
	}
	if (!frames_take(d, order, &m)) {
		frames_uncharge(d, BIT64(order));
		return -ENOMEM;
	}
	frames_scrub(m, BIT64(order), true);
	frames_publish(d->id, m, BIT64(order));
	*out = mfn(m);
	return 0;
}

/* ---- exact ranges, at boot ------------------------------------------- */

static bool part_is_free(struct mem_bank *b, uint64_t m, uint64_t nr)
	REQUIRES(page_lock)
{
	const struct page_chunk *c = chunk_of(b, m);
	uint64_t i;

	if (!(c->flags & CHUNK_SPLIT)) {
		return (c->flags & PGF_FREE) != 0;
	}
	for (i = 0; i < nr; i++) { /* bound: CHUNK_PAGES */
		if (!(frame_of(b, m + i)->flags & PGF_FREE)) {
			return false;
		}
	}
	return true;
}

static void part_take(struct mem_bank *b, uint64_t m, uint64_t nr)
	REQUIRES(page_lock)
{
	uint64_t i;

	if (nr == CHUNK_PAGES && !(chunk_of(b, m)->flags & CHUNK_SPLIT)) {
		chunks_take_locked(b, m, 0);
		return;
	}
	chunk_split_locked(b, m);
	for (i = 0; i < nr; i++) { /* bound: CHUNK_PAGES */
		frames_take_locked(b, m + i, 0);
	}
}

static int range_take(uint64_t m, uint64_t nr)
{
	struct mem_bank *b = bank_of(m);
	uint64_t at;
	int rc = 0;

	if (!b || nr > b->first + b->nr - m) {
		return -EBUSY;
	}
	spin_lock(&page_lock);
	for (at = 0; at < nr && rc == 0; at += chunk_part(m + at, nr - at)) {
		region_know_locked(b, m + at);
		if (!part_is_free(b, m + at, chunk_part(m + at, nr - at))) {
			rc = -EBUSY;
		}
	}
	for (at = 0; at < nr && rc == 0; at += chunk_part(m + at, nr - at)) {
		part_take(b, m + at, chunk_part(m + at, nr - at));
	}
	spin_unlock(&page_lock);
	return rc;
}

int dom_claim_range(struct domain *d, mfn_t start, uint64_t nr)
{
	int rc;

	if (nr == 0 || start.v + nr < start.v) {
		return -EINVAL;
	}
	if (!frames_charge(d, nr)) {
		return -ENOMEM;
	}
	rc = range_take(start.v, nr);
	if (rc) {
		frames_uncharge(d, nr);
		return rc;
	}
	frames_publish(d->id, start.v, nr);
	return 0;
}
