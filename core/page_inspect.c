/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the frame table says of a frame, for the auditor.
 *
 * Rule    looks only: page_of() would give a chunk its table.
 * Locks   page_lock (rank PAGE_ALLOC), for one record.
 */
#include "page_priv.h"

#include <abi/xen.h>
#include <lib/bits.h>

/* Of a region without records; else false. */
static bool region_inspect(const struct mem_bank *b, uint64_t m,
			   struct page_state *s) REQUIRES(page_lock)
{
	enum region_state r = region_state(b, m);

	if (r == REGION_KNOWN) {
		return false;
	}
	s->owner = OWNER_NONE;
	s->flags = r == REGION_FREE ? PGF_FREE : PGF_RESERVED;
	s->nr = BIT64(MAX_ORDER) - (m & (BIT64(MAX_ORDER) - 1));
	return true;
}

bool page_inspect(mfn_t m, struct page_state *s)
{
	const struct mem_bank *b = bank_of(m.v);
	const struct page_chunk *c;

	*s = (struct page_state){ .nr = 1 };
	if (!b) {
		return false;
	}
	spin_lock(&page_lock);
	c = chunk_of(b, m.v);
	if (!region_inspect(b, m.v, s)) {
		const struct page *pg = frame_of(b, m.v);
		bool split = (c->flags & CHUNK_SPLIT) != 0;

		s->count = split ? pg->count : c->count;
		s->owner = split ? pg->owner : c->owner;
		s->flags = split ? pg->flags : c->flags;
		s->nr = split ? 1 : chunk_part(m.v, CHUNK_PAGES);
	}
	spin_unlock(&page_lock);
	s->nr = s->nr < b->first + b->nr - m.v ? s->nr
					       : b->first + b->nr - m.v;
	return true;
}

bool page_is_hv(mfn_t m)
{
	struct page_state s;

	return page_inspect(m, &s) && s.owner == DOMID_XEN && s.count != 0 &&
	       (s.flags & PGF_ALLOCATED);
}

mfn_t page_next_of_ram(mfn_t m)
{
	for (uint32_t i = 0; i < page_nr_banks; i++) { /* MAX_MEM_BANKS */
		const struct mem_bank *b = &page_bank[i];

		if (b->usable && m.v < b->first + b->nr) {
			return m.v < b->first ? mfn(b->first) : m;
		}
	}
	return mfn(INVALID_FRAME);
}
