/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Banks of RAM and domains for tests of the frame allocator, and what must
 * hold after every operation.
 */
#ifndef FAKE_PAGES_H
#define FAKE_PAGES_H

#include <criterion/criterion.h>

#include <hv/domain.h>
#include <hv/page_alloc.h>
#include "arch/fake/fake_arch.h"
#include "core/page_priv.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define FIRST (FAKE_RAM_BASE >> PAGE_SHIFT)

static struct domain dom[4];

/* One bank of @size, all of it free. */
static inline void setup_bank(uint64_t size)
{
	unsigned int i;

	fake_ram_init(size);
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), size), 0);
	page_alloc_free_range(paddr(FAKE_RAM_BASE), size);
	for (i = 0; i < ARRAY_SIZE(dom); i++) {
		dom[i].id = (domid_t)(i + 1);
		dom[i].max_pages = UINT64_MAX;
	}
}

/* The trees and the counter say what the records say. */
static inline void check_invariants(void)
{
	uint64_t nr_free = 0;
	uint32_t k;

	for (k = 0; k < page_nr_banks; k++) {
		struct mem_bank *b = &page_bank[k];
		uint64_t c;

		for (c = 0; c < b->nr_regions * REGION_CHUNKS; c++) {
			struct page_chunk *r = &b->chunk[c];
			uint64_t m = b->base + c * CHUNK_PAGES;
			unsigned int i, here = 0;
			struct page *pg;

			if (c % REGION_CHUNKS == 0 && r->region != 0) {
				nr_free += r->region == REGION_FREE ?
						   BIT64(MAX_ORDER) : 0;
				c += REGION_CHUNKS - 1;
				continue;
			}
			if (!(r->flags & CHUNK_SPLIT)) {
				cr_assert_eq(r->part_leaf, 0);
				if (r->flags & PGF_FREE) {
					cr_assert_eq(r->count, 0);
					cr_assert_eq(r->owner, OWNER_NONE);
					nr_free += CHUNK_PAGES;
				}
				continue;
			}
			pg = frame_of(b, m);
			for (i = 0; i < CHUNK_PAGES; i++) {
				if (pg[i].flags & PGF_FREE) {
					cr_assert_eq(pg[i].count, 0);
					here++;
				}
			}
			cr_assert_lt(here, CHUNK_PAGES);
			cr_assert_eq(r->part_leaf,
				     tree_root(tree_of_frames(pg)));
			cr_assert_eq(r->part_leaf == 0, here == 0);
			nr_free += here;
		}
	}
	cr_assert_eq(page_alloc_nr_free(), nr_free);
}

#endif
