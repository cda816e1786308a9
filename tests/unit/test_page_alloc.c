/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/lock.c debug/lock_check.c arch/fake/mem.c
// LINK: arch/fake/p2m.c arch/fake/cpu.c arch/fake/last_words.c
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/page_priv.h"
#include "fake_pages.h"

Test(page_alloc, start_up_writes_records_only)
{
	uint64_t total = 2 * GIB / PAGE_SIZE;
	uint64_t table;

	setup_bank(2 * GIB);
	table = page_alloc_nr_total() - page_alloc_nr_free();
	cr_assert_eq(page_alloc_nr_total(), total);
	cr_assert_leq(table * PAGE_SIZE, 5 * MIB);
	cr_assert_eq(table * PAGE_SIZE,
		     page_alloc_table_size(paddr(FAKE_RAM_BASE), 2 * GIB));
	cr_assert_eq(page_alloc_max_mfn(), FIRST + total);
	check_invariants();
}

static unsigned int state_of(uint64_t gib)
{
	return page_bank[0].chunk[gib * REGION_CHUNKS].region;
}

/* 1 GiB that is free as a whole has no records until somebody wants of it. */
Test(page_alloc, regions_without_records)
{
	uint64_t gib = BIT64(MAX_ORDER), nr_free;
	mfn_t m, one;

	setup_bank(5 * GIB);
	nr_free = page_alloc_nr_free();
	for (uint64_t i = 0; i < 4; i++) {
		cr_assert_eq(state_of(i), REGION_FREE);
		cr_assert_null(page_of(mfn(FIRST + i * gib + 700)));
	}
	cr_assert_eq(state_of(4), REGION_KNOWN); /* the table is there */
	check_invariants();
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &one), 0);
	cr_assert_geq(one.v, FIRST + 4 * gib);
	cr_assert_eq(state_of(3), REGION_FREE);
	cr_assert_eq(dom_alloc_pages(&dom[0], MAX_ORDER, &m), 0);
	cr_assert_eq(m.v, FIRST + 3 * gib);
	cr_assert_eq(state_of(3), REGION_KNOWN);
	cr_assert_eq(page_alloc_nr_free(), nr_free - 1 - gib);
	check_invariants();
	/* An exact range across two of them. */
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST + gib - 3), 1000), 0);
	cr_assert_eq(state_of(0), REGION_KNOWN);
	cr_assert_eq(state_of(1), REGION_KNOWN);
	cr_assert_eq(state_of(2), REGION_FREE);
	cr_assert_eq(page_of(mfn(FIRST + gib))->owner, 2);
	cr_assert_null(page_of(mfn(FIRST + gib + 5000)));
	check_invariants();
	page_release_range(&dom[1], mfn(FIRST + gib - 3), 1000);
	page_release_range(&dom[0], m, gib);
	page_release_range(&dom[0], one, 1);
	cr_assert_eq(page_alloc_nr_free(), nr_free);
	check_invariants();
}

Test(page_alloc, page_of_knows_allocated_frames_only)
{
	mfn_t m;

	setup_bank(64 * MIB);
	cr_assert_null(page_of(mfn(0)));
	cr_assert_null(page_of(mfn(FIRST - 1)));
	cr_assert_null(page_of(mfn(FIRST + 64 * MIB / PAGE_SIZE)));
	cr_assert_null(page_of(mfn(FIRST))); /* free, whole chunk */
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), 0);
	cr_assert_not_null(page_of(m));
	cr_assert_eq(page_mfn(page_of(m)).v, m.v);
	cr_assert_eq(page_of(m)->owner, 1);
	cr_assert_eq(page_of(m)->count, 1);
	check_invariants();
}

Test(page_alloc, references_count_and_saturate)
{
	struct page *pg;
	uint64_t before;
	mfn_t m;

	setup_bank(16 * MIB);
	before = page_alloc_nr_free();
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), 0);
	pg = page_of(m);
	cr_assert(page_get(pg));
	cr_assert(page_get_owned(pg, 1));
	cr_assert_not(page_get_owned(pg, 2));
	cr_assert_eq(pg->count, 3);
	pg->count = PAGE_COUNT_MAX;
	cr_assert_not(page_get(pg));
	cr_assert_eq(pg->count, PAGE_COUNT_MAX);
	pg->count = 3;
	page_put(pg);
	page_put(pg);
	page_release_owner(&dom[0], pg);
	cr_assert_eq(page_alloc_nr_free(), before);
	cr_assert_eq(dom[0].tot_pages, 0);
	cr_assert_not(page_get(pg));
	check_invariants();
}

Test(page_alloc, owner_is_released_once)
{
	struct page *pg;
	mfn_t m;

	setup_bank(16 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), 0);
	pg = page_of(m);
	cr_assert(page_get(pg));
	page_release_owner(&dom[1], pg); /* not his */
	cr_assert_eq(pg->count, 2);
	page_release_owner(&dom[0], pg);
	page_release_owner(&dom[0], pg);
	cr_assert_eq(pg->count, 1);
	cr_assert_eq(dom[0].tot_pages, 0);
	cr_assert_not(page_get_owned(pg, 1)); /* given up */
	page_put(pg);
	check_invariants();
}

Test(page_alloc, put_of_what_is_not_held_stops, .signal = SIGABRT)
{
	struct page *pg;
	mfn_t m;

	setup_bank(16 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 1, &m), 0);
	pg = page_of(m);
	page_put(pg);
	page_put(pg);
}

Test(page_alloc, max_pages_is_a_limit)
{
	uint64_t before;
	mfn_t m;

	setup_bank(16 * MIB);
	before = page_alloc_nr_free();
	dom[0].max_pages = 3;
	cr_assert_eq(dom_alloc_pages(&dom[0], 2, &m), -ENOMEM);
	cr_assert_eq(dom_alloc_pages(&dom[0], 1, &m), 0);
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), 0);
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), -ENOMEM);
	cr_assert_eq(dom[0].tot_pages, 3);
	cr_assert_eq(page_alloc_nr_free(), before - 3);
	cr_assert_eq(dom_alloc_pages(&dom[1], 19, &m), -ENOMEM);
	cr_assert_eq(dom[1].tot_pages, 0);
}

static bool is_zero(mfn_t m, uint64_t nr)
{
	const uint8_t *p = hv_va(mfn_to_paddr(m));
	uint64_t i;

	for (i = 0; i < nr * PAGE_SIZE; i++) {
		if (p[i] != 0) {
			return false;
		}
	}
	return true;
}

Test(page_alloc, next_owner_finds_zeros)
{
	mfn_t m;
	void *p;

	setup_bank(16 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 3, &m), 0);
	cr_assert(is_zero(m, 8));
	cr_assert_eq(fake_nr_cache_cleans, 8);
	memset(hv_va(mfn_to_paddr(m)), 0x5a, 8 * PAGE_SIZE);
	page_release_range(&dom[0], m, 8);
	p = hv_alloc_pages(&dom[1], 2);
	cr_assert_eq(dom[1].xen_pages, 4);
	cr_assert(is_zero(paddr_to_mfn(hv_pa(p)), 4));
	cr_assert_eq(page_of(paddr_to_mfn(hv_pa(p)))->owner, DOMID_XEN);
	hv_free_pages(&dom[1], p, 2);
	cr_assert_eq(dom[1].xen_pages, 0);
	hv_free_pages(&dom[1], NULL, 2);
	cr_assert_eq(dom_alloc_pages(&dom[0], 9, &m), 0);
	cr_assert(is_zero(m, 512));
	check_invariants();
}

Test(page_alloc, a_claim_leaves_the_contents)
{
	mfn_t m = mfn(FIRST + 512);
	uint64_t clears;

	setup_bank(16 * MIB);
	clears = fake_nr_clears;
	cr_assert_eq(dom_claim_range(&dom[0], m, 1), 0);
	cr_assert_eq(*(uint8_t *)hv_va(mfn_to_paddr(m)), 0xa5);
	cr_assert_eq(fake_nr_clears, clears);
}

Test(page_alloc, hv_pages_freed_twice_stop, .signal = SIGABRT)
{
	void *p;

	setup_bank(16 * MIB);
	p = hv_alloc_pages(NULL, 0);
	cr_assert(page_get(page_of(paddr_to_mfn(hv_pa(p)))));
	hv_free_pages(NULL, p, 0);
	hv_free_pages(NULL, p, 0);
}

Test(page_alloc, a_page_a_guest_still_maps_stays_ours)
{
	struct page *pg;
	uint64_t before;
	void *p;

	setup_bank(16 * MIB);
	before = page_alloc_nr_free();
	p = hv_alloc_pages(NULL, 0);
	pg = page_of(paddr_to_mfn(hv_pa(p)));
	cr_assert(page_get(pg));
	hv_free_pages(NULL, p, 0);
	cr_assert_eq(page_alloc_nr_free(), before - 1);
	cr_assert_eq(pg->owner, DOMID_XEN);
	page_put(pg);
	cr_assert_eq(page_alloc_nr_free(), before);
}

Test(page_alloc, whole_chunks_cost_no_table)
{
	mfn_t m;

	setup_bank(64 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 10, &m), 0);
	cr_assert(is_aligned(m.v, 1024));
	cr_assert_eq(page_ref_range(1, m, 1024), 0);
	cr_assert_not(chunk_is_split(chunk_of(bank_of(m.v), m.v)));
	cr_assert_eq(page_ref_range(2, m, 1024), -EINVAL);
	/* One frame looked at on its own: the counts carry over. */
	cr_assert_eq(page_of(mfn(m.v + 5))->count, 2);
	cr_assert(chunk_is_split(chunk_of(bank_of(m.v), m.v)));
	cr_assert_not(chunk_is_split(chunk_of(bank_of(m.v), m.v + 512)));
	cr_assert_eq(page_ref_range(1, m, 1024), 0);
	cr_assert_eq(page_of(mfn(m.v + 511))->count, 3);
	page_unref_range(m, 1024);
	page_unref_range(m, 1024);
	cr_assert_eq(page_of(mfn(m.v + 1))->count, 1);
	page_release_range(&dom[0], m, 1024);
	page_release_range(&dom[0], m, 1024);
	cr_assert_eq(dom[0].tot_pages, 0);
	cr_assert_not(chunk_is_split(chunk_of(bank_of(m.v), m.v)));
	check_invariants();
}

Test(page_alloc, ref_range_is_all_or_nothing)
{
	mfn_t a, b;

	setup_bank(64 * MIB);
	cr_assert_eq(dom_claim_range(&dom[0], mfn(FIRST), 1030), 0);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST + 1030), 2), 0);
	a = mfn(FIRST);
	b = mfn(FIRST + 1029);
	cr_assert_eq(page_ref_range(1, a, 1032), -EINVAL);
	cr_assert_eq(page_of(b)->count, 1);
	cr_assert_eq(page_of(a)->count, 1);
	cr_assert_eq(page_ref_range(1, a, 1030), 0);
	cr_assert_eq(page_of(b)->count, 2);
	check_invariants();
}

Test(page_alloc, saturated_chunk_refuses)
{
	mfn_t m;

	setup_bank(64 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 9, &m), 0);
	chunk_of(bank_of(m.v), m.v)->count = PAGE_COUNT_MAX;
	cr_assert_eq(page_ref_range(1, m, 512), -EINVAL);
	cr_assert_eq(chunk_of(bank_of(m.v), m.v)->count, PAGE_COUNT_MAX);
}

Test(page_alloc, claim_takes_exactly_what_is_free)
{
	uint64_t before;

	setup_bank(64 * MIB);
	before = page_alloc_nr_free();
	cr_assert_eq(dom_claim_range(&dom[0], mfn(FIRST + 3), 1500), 0);
	cr_assert_eq(page_alloc_nr_free(), before - 1500);
	cr_assert_eq(dom[0].tot_pages, 1500);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST), 4), -EBUSY);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST + 1502), 4), -EBUSY);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST), 3), 0);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST), 0), -EINVAL);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(1), 1), -EBUSY);
	cr_assert_eq(dom_claim_range(&dom[1], mfn(FIRST + 4096), 1 << 20),
		     -EBUSY);
	cr_assert_eq(dom[1].tot_pages, 3);
	/* Contents in place are kept. */
	cr_assert_eq(*(uint8_t *)hv_va(mfn_to_paddr(mfn(FIRST + 3))), 0xa5);
	check_invariants();
	page_release_range(&dom[0], mfn(FIRST + 3), 1500);
	page_release_range(&dom[1], mfn(FIRST), 3);
	cr_assert_eq(page_alloc_nr_free(), before);
	check_invariants();
}

Test(page_alloc, reserved_holes_are_never_given_out)
{
	uint64_t size = 32 * MIB;
	uint64_t hole = FAKE_RAM_BASE + 5 * MIB + 0x3000;
	uint64_t n = 0;
	mfn_t m;

	fake_ram_init(size);
	dom[0].id = 1;
	dom[0].max_pages = UINT64_MAX;
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), size), 0);
	/* Too small for the table: kept for later. */
	page_alloc_free_range(paddr(FAKE_RAM_BASE), 0x2000);
	cr_assert_null(page_of(mfn(FIRST)));
	cr_assert_eq(page_alloc_nr_free(), 0);
	page_alloc_free_range(paddr(FAKE_RAM_BASE + 0x4000),
			      hole - FAKE_RAM_BASE - 0x4000);
	page_alloc_free_range(paddr(hole + 0x5000),
			      FAKE_RAM_BASE + size - hole - 0x5000);
	check_invariants();
	while (dom_alloc_pages(&dom[0], 0, &m) == 0) {
		uint64_t pa = mfn_to_paddr(m).v;

		cr_assert(pa < hole || pa >= hole + 0x5000);
		cr_assert(pa < FAKE_RAM_BASE + 0x2000 ||
			  pa >= FAKE_RAM_BASE + 0x4000);
		n++;
	}
	cr_assert_eq(page_alloc_nr_free(), 0);
	cr_assert_eq(n * PAGE_SIZE,
		     size - 0x2000 - 0x5000 -
			     page_alloc_table_size(paddr(FAKE_RAM_BASE), size));
	/* A module's memory comes back later. */
	page_alloc_free_range(paddr(hole), 0x5000);
	cr_assert_eq(page_alloc_nr_free(), 5);
	cr_assert_eq(dom_alloc_pages(&dom[0], 3, &m), -ENOMEM);
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), 0);
}

Test(page_alloc, freed_twice_at_boot_stops, .signal = SIGABRT)
{
	setup_bank(16 * MIB);
	page_alloc_free_range(paddr(FAKE_RAM_BASE), PAGE_SIZE);
}

Test(page_alloc, odd_bank_edges)
{
	uint64_t start = FAKE_RAM_BASE + 3 * PAGE_SIZE + 7;
	uint64_t n = 0;
	mfn_t m;

	fake_ram_init(16 * MIB);
	dom[0].id = 1;
	dom[0].max_pages = UINT64_MAX;
	cr_assert_eq(page_alloc_add_bank(paddr(start), 9 * MIB + 77), 0);
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), MIB), -EINVAL);
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), 0), -EINVAL);
	cr_assert_eq(page_alloc_add_bank(paddr(~UINT64_C(0) - 5), MIB),
		     -EINVAL);
	page_alloc_free_range(paddr(start), 9 * MIB + 77);
	check_invariants();
	while (dom_alloc_pages(&dom[0], 0, &m) == 0) {
		cr_assert(mfn_to_paddr(m).v >= start);
		cr_assert(mfn_to_paddr(m).v + PAGE_SIZE <=
			  start + 9 * MIB + 77);
		n++;
	}
	cr_assert_gt(n, 2000);
}

/* Guests get the upper bank, until it is used up. */
Test(page_alloc, banks_far_apart)
{
	uint64_t high = UINT64_C(0x100000000);
	uint64_t size = high + 64 * MIB - FAKE_RAM_BASE;
	uint32_t nr_high = 0;
	mfn_t m;

	fake_ram_init(size);
	dom[0].id = 1;
	dom[0].max_pages = UINT64_MAX;
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), 64 * MIB), 0);
	cr_assert_eq(page_alloc_add_bank(paddr(high), 64 * MIB), 0);
	page_alloc_free_range(paddr(FAKE_RAM_BASE), 64 * MIB);
	page_alloc_free_range(paddr(high), 64 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 9, &m), 0);
	while (mfn_to_paddr(m).v >= high && nr_high++ < 32) {
		cr_assert_eq(dom_alloc_pages(&dom[0], 9, &m), 0);
	}
	cr_assert_eq(nr_high, 31); /* the table takes one chunk apart */
	cr_assert_lt(mfn_to_paddr(m).v, FAKE_RAM_BASE + 64 * MIB);
	cr_assert_eq(dom_alloc_pages(&dom[0], 0, &m), 0);
	cr_assert_geq(mfn_to_paddr(m).v, high);
	check_invariants();
}

Test(page_alloc, dom0_bank_of_768_mib)
{
	uint64_t want = 768 * MIB / PAGE_SIZE;
	mfn_t m = mfn(FIRST);

	setup_bank(2 * GIB);
	cr_assert_eq(dom_claim_range(&dom[0], m, want), 0);
	cr_assert_eq(page_ref_range(1, m, want), 0);
	cr_assert_not(chunk_is_split(chunk_of(bank_of(m.v), m.v)));
	page_release_range(&dom[0], m, want);
	page_unref_range(m, want);
	check_invariants();
	/* A whole GiB as one block. */
	cr_assert_eq(dom_alloc_pages(&dom[0], 18, &m), 0);
	cr_assert(is_aligned(m.v, BIT64(18)));
	cr_assert_eq(dom_alloc_pages(&dom[1], 18, &m), -ENOMEM);
	check_invariants();
}
