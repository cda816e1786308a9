/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static memory: frames that never meet the allocator's free trees.
 *
 * Owns    d->static_mem, which frames are whose home.
 * Not     which memory is static (boot/), mapping it (p2m.c).
 * Rule    PGF_RESERVED stays on such a frame while it has an owner; who drops
 *         the last reference makes it unused, not free (page_table.c).
 * Locks   page_lock for the look at the frames; claims are made at boot or
 *         under control_lock, so nobody takes one between look and claim.
 * Bounds  a claim clears what it takes; static_mem_fini_step(): 2 MiB.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt "Static Allocation".
 */
#include <hv/static_mem.h>

#include "page_priv.h"

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <lib/errno.h>

static bool part_is_unused(struct mem_bank *b, uint64_t m, uint64_t nr)
	REQUIRES(page_lock)
{
	const struct page_chunk *c = chunk_of(b, m);
	uint64_t i;

	if (!(c->flags & CHUNK_SPLIT)) {
		return c->flags == PGF_RESERVED && c->count == 0;
	}
	for (i = 0; i < nr; i++) { /* bound: CHUNK_PAGES */
		const struct page *pg = frame_of(b, m + i);

		if (pg->flags != PGF_RESERVED || pg->count != 0) {
			return false;
		}
	}
	return true;
}

/* All unused; chunks of which only a part is meant are split. */
static bool range_is_unused_locked(uint64_t m, uint64_t nr) REQUIRES(page_lock)
{
	struct mem_bank *b = bank_of(m);
	uint64_t at;
	uint64_t step;

	if (!b || nr > b->first + b->nr - m) {
		return false;
	}
	for (at = 0; at < nr; at += step) { /* bound: chunks of the range */
		step = chunk_part(m + at, nr - at);
		region_know_locked(b, m + at);
		if (!part_is_unused(b, m + at, step)) {
			return false;
		}
		if (step != CHUNK_PAGES) {
			chunk_split_locked(b, m + at);
		}
	}
	return true;
}

int static_mem_claim(uint16_t owner, mfn_t m, uint64_t nr)
{
	bool ok;
	uint64_t i;

	spin_lock(&page_lock);
	ok = nr != 0 && range_is_unused_locked(m.v, nr);
	spin_unlock(&page_lock);
	if (!ok) {
		return -EBUSY;
	}
	for (i = 0; i < nr; i++) { /* bound: the range */
		void *va = hv_va(mfn_to_paddr(mfn(m.v + i)));

		arch_clear_page(va);
		/* The guest may read it with its caches off. */
		arch_clean_dcache(va, PAGE_SIZE);
	}
	frames_publish(owner, m.v, nr);
	return 0;
}

/* Room for one more piece; NULL: none. */
static struct static_piece *next_piece(struct domain *d)
{
	if (!d->static_mem) {
		d->static_mem = heap_alloc(d, sizeof(*d->static_mem));
	}
	if (!d->static_mem || d->static_mem->nr == MAX_STATIC_PIECES) {
		return NULL;
	}
	return &d->static_mem->piece[d->static_mem->nr];
}

int dom_claim_static(struct domain *d, const struct static_piece *p)
{
	struct static_piece *to = next_piece(d);
	int rc;

	if (!to) {
		return -ENOSPC;
	}
	if (!frames_charge(d, p->nr)) {
		return -ENOMEM;
	}
	rc = static_mem_claim(d->id, mfn(p->mfn), p->nr);
	if (rc) {
		frames_uncharge(d, p->nr);
		return rc;
	}
	*to = *p;
	d->static_mem->nr++;
	return 0;
}

mfn_t static_mem_home(const struct domain *d, gfn_t g, uint64_t nr)
{
	const struct static_mem *s = d->static_mem;
	uint32_t i;

	for (i = 0; i < s->nr; i++) { /* bound: MAX_STATIC_PIECES */
		uint64_t at = g.v - s->piece[i].gfn;

		if (at < s->piece[i].nr && nr <= s->piece[i].nr - at) {
			return mfn(s->piece[i].mfn + at);
		}
	}
	return mfn(INVALID_FRAME);
}

int static_mem_fini_step(struct domain *d)
{
	struct static_mem *s = d->static_mem;
	const struct static_piece *p;
	uint64_t m;
	uint64_t nr;

	if (!s || s->piece_done == s->nr) {
		return 0; /* others may still ask for a home: domain_free() */
	}
	p = &s->piece[s->piece_done];
	m = p->mfn + s->frames_done;
	nr = chunk_part(m, p->nr - s->frames_done);
	page_release_range(d, mfn(m), nr);
	s->frames_done += nr;
	if (s->frames_done == p->nr) {
		s->piece_done++;
		s->frames_done = 0;
	}
	return -EAGAIN;
}
