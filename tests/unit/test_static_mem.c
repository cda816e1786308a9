/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is set aside: whose it is, that it is cleared, that it never
 * meets the heap, and that a frame somebody still holds is nobody else's.
 */
// LINK: core/static_mem.c core/heap.c core/page_alloc.c core/page_claim.c
// LINK: core/page_table.c core/page_tree.c core/page_range.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c
#include <criterion/criterion.h>
#include <string.h>

#include <abi/xen.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <hv/static_mem.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/page_priv.h"
#include "fake_pages.h"

#define HEAP (16 * MIB)
/* Set aside: what follows the heap. Two whole chunks and parts of two. */
#define AT (FIRST + HEAP / PAGE_SIZE + 100)
#define NR (2 * CHUNK_PAGES + 600)

static uint64_t before;

static void setup(void)
{
	fake_ram_init(32 * MIB);
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), 32 * MIB), 0);
	page_alloc_free_range(paddr(FAKE_RAM_BASE), HEAP);
	for (unsigned int i = 0; i < ARRAY_SIZE(dom); i++) {
		dom[i].id = (domid_t)(i + 1);
		dom[i].max_pages = UINT64_MAX;
	}
	/* The small object of the first claim: its page stays with the heap. */
	heap_free(&dom[0], heap_alloc(&dom[0], sizeof(struct static_mem)));
	before = page_alloc_nr_free();
}

static void teardown(void)
{
	check_invariants();
}

TestSuite(static_mem, .init = setup, .fini = teardown);

static unsigned char *bytes(uint64_t m)
{
	return hv_va(mfn_to_paddr(mfn(m)));
}

static int claim(struct domain *d, uint64_t g, uint64_t m, uint64_t nr)
{
	const struct static_piece p = { .gfn = g, .mfn = m, .nr = nr };

	return dom_claim_static(d, &p);
}

static void finish(struct domain *d)
{
	while (static_mem_fini_step(d) == -EAGAIN) {
	}
	heap_free(d, d->static_mem);
	d->static_mem = NULL;
}

Test(static_mem, is_cleared_and_charged_and_never_the_heaps)
{
	for (uint64_t i = 0; i < NR; i++) {
		bytes(AT + i)[5] = 1;
	}
	cr_assert_eq(claim(&dom[0], 0x40000, AT, NR), 0);
	cr_assert_eq(dom[0].tot_pages, NR);
	for (uint64_t i = 0; i < NR; i++) {
		cr_assert_eq(bytes(AT + i)[5], 0);
	}
	/* At the edges as in the middle; around it there is nobody's. */
	cr_assert(page_get_owned(page_of(mfn(AT)), 1));
	page_put(page_of(mfn(AT)));
	cr_assert_eq(page_of(mfn(AT + NR - 1))->count, 1);
	cr_assert_eq(page_of(mfn(AT + 700))->count, 1);
	cr_assert(!page_of(mfn(AT - 1)) || page_of(mfn(AT - 1))->count == 0);
	cr_assert(!page_of(mfn(AT + NR)) || page_of(mfn(AT + NR))->count == 0);
	finish(&dom[0]);
	cr_assert_eq(dom[0].tot_pages, 0);
	cr_assert_eq(page_alloc_nr_free(), before);
	for (uint64_t i = 0; i < NR; i++) {
		struct page *pg = page_of(mfn(AT + i));

		cr_assert(!pg || (pg->count == 0 && !page_get(pg)));
		bytes(AT + i)[9] = 2;
	}
	/* The next one finds nothing of it. */
	cr_assert_eq(claim(&dom[1], 0x40000, AT, NR), 0);
	cr_assert_eq(bytes(AT)[9], 0);
	cr_assert_eq(bytes(AT + NR - 1)[9], 0);
	cr_assert_eq(page_of(mfn(AT + 5))->owner, 2);
	finish(&dom[1]);
	cr_assert_eq(page_alloc_nr_free(), before);
}

Test(static_mem, what_somebody_has_is_not_to_be_had)
{
	mfn_t m;

	cr_assert_eq(claim(&dom[0], 0x40000, AT, NR), 0);
	cr_assert_eq(claim(&dom[1], 0x40000, AT + NR - 1, 2), -EBUSY);
	cr_assert_eq(claim(&dom[1], 0x40000, AT - 1, 2), -EBUSY);
	cr_assert_eq(claim(&dom[1], 0x40000, AT + 600, 1), -EBUSY);
	cr_assert_eq(claim(&dom[1], 0x40000, AT - 1, 1), 0);
	/* The heap's, free or not, the end of memory, nothing at all. */
	cr_assert_eq(claim(&dom[1], 0, FIRST, 1), -EBUSY);
	cr_assert_eq(dom_alloc_pages(&dom[2], 0, &m), 0);
	cr_assert_eq(claim(&dom[1], 0, m.v, 1), -EBUSY);
	cr_assert_eq(claim(&dom[1], 0, FIRST + 32 * MIB / PAGE_SIZE - 1, 2),
		     -EBUSY);
	cr_assert_eq(claim(&dom[1], 0, 5, 1), -EBUSY);
	cr_assert_eq(static_mem_claim(DOMID_IO, mfn(AT - 2), 0), -EBUSY);
	cr_assert_eq(dom[1].tot_pages, 1);
	page_release_owner(&dom[2], page_of(m));
	finish(&dom[0]);
	finish(&dom[1]);
	cr_assert_eq(page_alloc_nr_free(), before);
}

Test(static_mem, limits)
{
	dom[0].max_pages = 10;
	cr_assert_eq(claim(&dom[0], 0, AT, 11), -ENOMEM);
	for (uint64_t i = 0; i < MAX_STATIC_PIECES; i++) {
		cr_assert_eq(claim(&dom[0], i, AT + i, 1), 0);
	}
	cr_assert_eq(claim(&dom[0], 50, AT + 50, 1), -ENOSPC);
	cr_assert_eq(dom[0].tot_pages, MAX_STATIC_PIECES);
	finish(&dom[0]);
	cr_assert_eq(dom[0].tot_pages, 0);
}

Test(static_mem, home)
{
	cr_assert_eq(claim(&dom[0], 0x40000, AT, 512), 0);
	cr_assert_eq(claim(&dom[0], 0x40200, AT + 1000, 8), 0);
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x40000), 1).v, AT);
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x401ff), 1).v, AT + 511);
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x40200), 8).v, AT + 1000);
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x401ff), 2).v,
		     INVALID_FRAME, "not one piece");
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x40208), 1).v,
		     INVALID_FRAME);
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x3ffff), 1).v,
		     INVALID_FRAME);
	cr_assert_eq(static_mem_home(&dom[0], gfn(0x40000), UINT64_MAX).v,
		     INVALID_FRAME);
	finish(&dom[0]);
}

/* Another domain has mapped one frame alone, and one whole chunk. */
Test(static_mem, a_frame_that_is_held_changes_no_owner)
{
	uint64_t chunk = (AT + CHUNK_PAGES) & ~UINT64_C(511);

	cr_assert_eq(claim(&dom[0], 0x40000, AT, NR), 0);
	cr_assert_eq(page_ref_range(1, mfn(chunk), CHUNK_PAGES), 0);
	cr_assert(page_get_owned(page_of(mfn(AT + 3)), 1));
	finish(&dom[0]);
	cr_assert_eq(dom[0].tot_pages, 0);
	cr_assert_eq(claim(&dom[1], 0x40000, AT, 8), -EBUSY);
	cr_assert_eq(claim(&dom[1], 0x40000, chunk + 7, 1), -EBUSY);
	cr_assert_eq(claim(&dom[1], 0x40000, AT, 3), 0);
	cr_assert_eq(page_of(mfn(AT + 3))->owner, 1);
	/* Nobody gets a new hold on what its owner has given up. */
	cr_assert(!page_get_owned(page_of(mfn(AT + 3)), 1));
	page_put(page_of(mfn(AT + 3)));
	page_unref_range(mfn(chunk), CHUNK_PAGES);
	finish(&dom[1]);
	cr_assert_eq(claim(&dom[1], 0x40000, AT, NR), 0);
	finish(&dom[1]);
	cr_assert_eq(page_alloc_nr_free(), before);
}

/* A region is nobody's but DOMID_IO's, whoever comes and goes. */
Test(static_mem, a_region_outlives_its_users)
{
	cr_assert_eq(static_mem_claim(DOMID_IO, mfn(AT), NR), 0);
	cr_assert_eq(static_mem_claim(DOMID_IO, mfn(AT), 1), -EBUSY);
	cr_assert_eq(page_ref_range(DOMID_IO, mfn(AT), NR), 0);
	cr_assert_eq(page_ref_range(1, mfn(AT), 1), -EINVAL);
	bytes(AT)[0] = 7;
	page_unref_range(mfn(AT), NR);
	cr_assert_eq(page_of(mfn(AT))->count, 1);
	cr_assert_eq(page_of(mfn(AT + NR - 1))->count, 1);
	cr_assert_eq(claim(&dom[0], 0, AT, 1), -EBUSY);
	cr_assert_eq(page_ref_range(DOMID_IO, mfn(AT), NR), 0);
	cr_assert_eq(bytes(AT)[0], 7);
	page_unref_range(mfn(AT), NR);
	cr_assert_eq(page_alloc_nr_free(), before);
}
