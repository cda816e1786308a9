/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References and ownership of frames, one or many at a time.
 *
 * Owns    the rules of struct page.count, .owner and PGF_ALLOCATED.
 * Not     which frames are free (page_alloc.c, page_table.c).
 * Rule    a frame is visible to others from the moment its count is not 0:
 *         owner and flags are stored before, with a release.
 * Locks   none for a single frame: atomics. page_lock while a uniform chunk's
 *         record stands for its frames.
 * Bounds  a range costs one step a uniform chunk and one a frame of others.
 */
#include "page_priv.h"

#include <hv/arch.h>
#include <hv/domain.h>
#include <lib/check.h>
#include <lib/errno.h>

bool page_get_contended(struct page *pg)
{
	uint32_t c = __atomic_load_n(&pg->count, __ATOMIC_RELAXED);
	uint32_t tries;

	for (tries = 0; tries < PAGE_CAS_TRIES; tries++) {
		if (c - 1 >= PAGE_COUNT_MAX - 1) {
			return false;
		}
		if (__atomic_compare_exchange_n(&pg->count, &c, c + 1, true,
						__ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			return true;
		}
	}
	return false;
}

bool page_get_owned(struct page *pg, uint16_t owner)
{
	if (!page_get(pg)) {
		return false;
	}
	/* With a reference held, the owner does not change any more. */
	if (likely(page_owner(pg) == owner &&
		   (__atomic_load_n(&pg->flags, __ATOMIC_RELAXED) &
		    PGF_ALLOCATED))) {
		return true;
	}
	page_put(pg);
	return false;
}

/* What to do with each frame, or each uniform chunk, of a range. */
enum range_op { RANGE_REF, RANGE_UNREF, RANGE_RELEASE };

static bool chunk_apply(struct mem_bank *b, uint64_t m, struct page_chunk *c,
			enum range_op op, uint16_t owner)
	REQUIRES(page_lock)
{
	if (op != RANGE_UNREF &&
	    (c->owner != owner || !(c->flags & PGF_ALLOCATED))) {
		return false;
	}
	if (op == RANGE_REF) {
		if (c->count == 0 || c->count >= PAGE_COUNT_MAX) {
			return false;
		}
		c->count++;
		return true;
	}
	if (op == RANGE_RELEASE) {
		c->flags = (uint8_t)(c->flags & ~PGF_ALLOCATED);
	}
	CHECK(c->count != 0); /* somebody put what he had not got */
	c->count--;
	if (c->count == 0) {
		chunk_unused_locked(b, m);
	}
	return true;
}

/* True when the chunk at @m was uniform; *done: the operation applied. */
static bool chunk_try(uint64_t m, enum range_op op, uint16_t owner, bool *done)
{
	struct mem_bank *b = bank_of(m);
	struct page_chunk *c;
	bool uniform;

	*done = false;
	if (!b) {
		return false;
	}
	c = chunk_of(b, m);
	if (chunk_is_split(c)) {
		return false;
	}
	spin_lock(&page_lock);
	uniform = !(c->flags & CHUNK_SPLIT);
	if (uniform) {
		*done = chunk_apply(b, m, c, op, owner);
	}
	spin_unlock(&page_lock);
	return uniform;
}

static bool is_whole_chunk(uint64_t m, uint64_t nr)
{
	return (m & (CHUNK_PAGES - 1)) == 0 && nr >= CHUNK_PAGES;
}

int page_ref_range(uint16_t owner, mfn_t m, uint64_t nr)
{
	uint64_t at = 0;

	while (at < nr) { /* bound: nr */
		struct page *pg;
		bool done;

		if (is_whole_chunk(m.v + at, nr - at) &&
		    chunk_try(m.v + at, RANGE_REF, owner, &done)) {
			if (!done) {
				break;
			}
			at += CHUNK_PAGES;
			continue;
		}
		pg = page_of(mfn(m.v + at));
		if (!pg || !page_get_owned(pg, owner)) {
			break;
		}
		at++;
	}
	if (at < nr) {
		page_unref_range(m, at);
		return -EINVAL;
	}
	return 0;
}

void page_unref_range(mfn_t m, uint64_t nr)
{
	uint64_t at = 0;

	while (at < nr) { /* bound: nr */
		struct page *pg;
		bool done;

		if (is_whole_chunk(m.v + at, nr - at) &&
		    chunk_try(m.v + at, RANGE_UNREF, OWNER_NONE, &done)) {
			at += CHUNK_PAGES;
			continue;
		}
		pg = page_of(mfn(m.v + at));
		CHECK(pg);
		page_put(pg);
		at++;
	}
}

/* True when this call dropped the allocation's reference. */
static bool release_one(uint16_t owner, struct page *pg)
{
	uint8_t old;

	if (page_owner(pg) != owner) {
		return false;
	}
	old = __atomic_fetch_and(&pg->flags, (uint8_t)~PGF_ALLOCATED,
				 __ATOMIC_RELAXED);
	if (!(old & PGF_ALLOCATED)) {
		return false;
	}
	page_put(pg);
	return true;
}

void frames_uncharge(struct domain *d, uint64_t nr)
{
	(void)__atomic_fetch_sub(&d->tot_pages, nr, __ATOMIC_RELAXED);
}

void page_release_owner(struct domain *d, struct page *pg)
{
	if (release_one(d->id, pg)) {
		frames_uncharge(d, 1);
	}
}

void page_release_range(struct domain *d, mfn_t m, uint64_t nr)
{
	uint64_t at = 0;
	uint64_t released = 0;

	while (at < nr) { /* bound: nr */
		struct page *pg;
		bool done;

		if (is_whole_chunk(m.v + at, nr - at) &&
		    chunk_try(m.v + at, RANGE_RELEASE, d->id, &done)) {
			released += done ? CHUNK_PAGES : 0;
			at += CHUNK_PAGES;
			continue;
		}
		pg = page_of(mfn(m.v + at));
		if (pg && release_one(d->id, pg)) {
			released++;
		}
		at++;
	}
	frames_uncharge(d, released);
}

/* ---- frames on their way to an owner --------------------------------- */

static bool is_dirty(const struct mem_bank *b, uint64_t m)
{
	const struct page_chunk *c = chunk_of(b, m);

	if (chunk_is_split(c)) {
		return (frame_of(b, m)->flags & PGF_DIRTY) != 0;
	}
	return (c->flags & PGF_DIRTY) != 0;
}

void frames_scrub(uint64_t m, uint64_t nr, bool clean_cache)
{
	const struct mem_bank *b = bank_of(m);
	uint64_t at;

	for (at = 0; at < nr; at++) { /* bound: nr */
		void *va = hv_va(mfn_to_paddr(mfn(m + at)));

		if (!is_dirty(b, m + at)) {
			continue;
		}
		arch_clear_page(va);
		if (clean_cache) {
			/* The guest may read it with its caches off. */
			arch_clean_dcache(va, PAGE_SIZE);
		}
	}
}

void frames_publish(uint16_t owner, uint64_t m, uint64_t nr)
{
	const struct mem_bank *b = bank_of(m);
	uint64_t step;

	spin_lock(&page_lock);
	for (; nr > 0; m += step, nr -= step) { /* bound: chunks of the range */
		struct page_chunk *c = chunk_of(b, m);
		struct page *pg = frame_of(b, m);
		uint64_t i;

		step = chunk_part(m, nr);
		if (!(c->flags & CHUNK_SPLIT)) {
			c->owner = owner;
			c->flags = (uint8_t)(PGF_ALLOCATED |
					     (c->flags & PGF_RESERVED));
			c->count = 1;
			continue;
		}
		for (i = 0; i < step; i++) {
			pg[i].owner = owner;
			pg[i].flags = (uint8_t)(PGF_ALLOCATED |
						(pg[i].flags & PGF_RESERVED));
			/* From here on page_get() can see it. */
			__atomic_store_n(&pg[i].count, 1, __ATOMIC_RELEASE);
		}
	}
	spin_unlock(&page_lock);
}
