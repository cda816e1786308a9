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

#define FRAMES_BELOW_4G (BIT64(32) >> PAGE_SHIFT)

/* A block of split chunks in the GiB that starts at frame @region. */
static bool take_from_part(struct mem_bank *b, uint64_t region,
			   unsigned int order, uint64_t *m) REQUIRES(page_lock)
{
	int c = part_find(chunk_of(b, region), order);
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
	int c = tree_find(tree_of_chunks(chunk_of(b, region)), chunk_order);

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
static bool take_anywhere(bool whole, bool below_4g, unsigned int order,
			  uint64_t *m) REQUIRES(page_lock)
{
	uint32_t i;
	uint64_t r;

	for (i = page_nr_banks; i-- > 0;) { /* bound: MAX_MEM_BANKS */
		struct mem_bank *b = &page_bank[i];

		for (r = b->chunk ? b->nr_regions : 0; r-- > 0;) {
			uint64_t region = b->base + (r << MAX_ORDER);

			if (below_4g && region >= FRAMES_BELOW_4G) {
				continue;
			}
			if (take_from(whole, b, region, order, m)) {
				return true;
			}
		}
	}
	return false;
}

/* For @d, whose claim shrinks by them; NULL: for nobody who could have one. */
static bool frames_take(struct domain *d, unsigned int order, bool below_4g,
			uint64_t *m)
{
	uint64_t own;
	bool ok;

	if (order > MAX_ORDER) {
		return false;
	}
	spin_lock(&page_lock);
	own = claim_part_locked(d, BIT64(order));
	ok = page_nr_free - page_nr_claimed + own >= BIT64(order) &&
	     ((order < ORDER_2M && take_anywhere(false, below_4g, order, m)) ||
	      take_anywhere(true, below_4g, order, m));
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

	if (!frames_take(NULL, order, false, &m)) {
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

static bool charge(struct domain *d, uint64_t nr)
{
	uint64_t max = __atomic_load_n(&d->max_pages, __ATOMIC_RELAXED);
	uint64_t now = __atomic_add_fetch(&d->tot_pages, nr, __ATOMIC_RELAXED);

	if (now > max || now < nr) {
		(void)__atomic_fetch_sub(&d->tot_pages, nr, __ATOMIC_RELAXED);
		return false;
	}
	return true;
}

static void uncharge(struct domain *d, uint64_t nr)
{
	(void)__atomic_fetch_sub(&d->tot_pages, nr, __ATOMIC_RELAXED);
}

int dom_alloc_pages(struct domain *d, unsigned int order, unsigned int flags,
		    mfn_t *out)
{
	uint64_t m;

	if (order > MAX_ORDER || !charge(d, BIT64(order))) {
		return -ENOMEM;
	}
	if (!frames_take(d, order, (flags & DALLOC_BELOW_4G) != 0, &m)) {
		uncharge(d, BIT64(order));
		return -ENOMEM;
	}
	if (!(flags & DALLOC_NO_SCRUB)) {
		frames_scrub(m, BIT64(order), true);
	}
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

static int range_claim(struct domain *d, uint64_t m, uint64_t nr, bool scrub)
{
	int rc;

	if (nr == 0 || m + nr < m) {
		return -EINVAL;
	}
	if (!charge(d, nr)) {
		return -ENOMEM;
	}
	rc = range_take(m, nr);
	if (rc) {
		uncharge(d, nr);
		return rc;
	}
	if (scrub) {
		frames_scrub(m, nr, true);
	}
	frames_publish(d->id, m, nr);
	return 0;
}

int dom_claim_range(struct domain *d, mfn_t start, uint64_t nr)
{
	return range_claim(d, start.v, nr, false);
}

/* A run of free chunks. */
struct run {
	uint64_t m;
	uint64_t nr;
};

/* The first run of @b below frame @limit that has @want, or the longest. */
static struct run bank_best_run(const struct mem_bank *b, uint64_t want,
				uint64_t limit, struct run best)
	REQUIRES(page_lock)
{
	struct run now = { 0 };
	uint64_t end = b->first + b->nr;
	uint64_t m;

	end = end < limit ? end : limit;
	for (m = b->table_base; m < end && best.nr < want; m += CHUNK_PAGES) {
		uint8_t flags = chunk_of(b, m)->flags;

		if (!(flags & PGF_FREE)) { /* a split chunk is not whole */
			now.nr = 0;
			continue;
		}
		now.m = now.nr == 0 ? m : now.m;
		now.nr += CHUNK_PAGES;
		if (now.nr > best.nr) {
			best = now;
		}
	}
	return best;
}

int dom_alloc_exact_or_best(struct domain *d, uint64_t want_pages,
			    unsigned int flags, mfn_t *start,
			    uint64_t *got_pages)
{
	uint64_t limit = flags & DALLOC_BELOW_4G ? FRAMES_BELOW_4G
						 : UINT64_MAX;
	struct run best = { 0 };
	uint64_t nr;
	uint32_t i;
	int rc;

	spin_lock(&page_lock);
	for (i = 0; i < page_nr_banks; i++) { /* bound: MAX_MEM_BANKS */
		if (page_bank[i].chunk) {
			best = bank_best_run(&page_bank[i], want_pages, limit,
					     best);
		}
	}
	spin_unlock(&page_lock);
	nr = best.nr < want_pages ? best.nr : want_pages;
	if (nr == 0) {
		return -ENOMEM;
	}
	rc = range_claim(d, best.m, nr, !(flags & DALLOC_NO_SCRUB));
	if (rc) {
		return rc;
	}
	*start = mfn(best.m);
	*got_pages = nr;
	return 0;
}
