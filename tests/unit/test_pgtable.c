/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/mm/pgtable.c
/*
 * The page-table walker over a fake memory that logs what the hardware would
 * see: entries broken, invalidated, made; tables allocated and freed.
 */
#include "arch/arm64/mm/pgtable.h"
#include <criterion/criterion.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TABLES 64
#define TABLE_BASE UINT64_C(0x100000000)

static uint64_t tables[MAX_TABLES][PT_ENTRIES] __attribute__((aligned(4096)));
static bool used[MAX_TABLES];
static int allocs_left;
static unsigned int nr_used, nr_invalidated;
static uint64_t last_invalidated;
/* Every valid leaf that was ever seen by invalidate() must be broken then. */
static struct pgtable pt;
static bool broken_when_invalidated;
static uint64_t found_when_invalidated[4]; /* by nr_invalidated, the last 4 */

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

static uint64_t fake_alloc(struct pgtable *t)
{
	(void)t;
	if (allocs_left == 0) {
		return 0;
	}
	allocs_left--;
	for (unsigned int i = 1; i < MAX_TABLES; i++) {
		if (!used[i]) {
			used[i] = true;
			nr_used++;
			memset(tables[i], 0, sizeof(tables[i]));
			return TABLE_BASE + i * 4096;
		}
	}
	return 0;
}

static uint64_t *fake_va(uint64_t pa)
{
	cr_assert_geq(pa, TABLE_BASE);
	cr_assert_lt(pa, TABLE_BASE + sizeof(tables));
	return tables[(pa - TABLE_BASE) / 4096];
}

static void fake_free(struct pgtable *t, uint64_t pa)
{
	unsigned int i = (unsigned int)((pa - TABLE_BASE) / 4096);

	(void)t;
	cr_assert(used[i], "table %u freed twice", i);
	used[i] = false;
	nr_used--;
}

static void fake_sync(struct pgtable *t)
{
	(void)t;
}

/* As the hardware does: the descriptor that translates @addr; 0: none. */
static uint64_t walk(uint64_t addr)
{
	uint64_t *slot = &tables[0][0] + (addr >> PT_LEVEL_SHIFT(1));

	for (unsigned int l = 2; l <= 3 && (*slot & 3) == 3; l++) {
		slot = fake_va(*slot & PTE_ADDR) +
		       ((addr >> PT_LEVEL_SHIFT(l)) & (PT_ENTRIES - 1));
	}
	return *slot & PTE_VALID ? *slot : 0;
}

#define DOORBELL UINT64_C(0x08090000)
#define DOORBELL_PTE (DOORBELL | S2_AP_WRITE | PTE_VALID | PTE_TABLE)

/* A page without the access flag: an SMMU ignores that, a CPU does not. */
static bool has_doorbell;

static void look_at_doorbell(void)
{
	cr_assert(!has_doorbell || walk(DOORBELL) == DOORBELL_PTE);
}

static void fake_invalidate(struct pgtable *t, uint64_t addr)
{
	unsigned int level;

	look_at_doorbell();
	nr_invalidated++;
	last_invalidated = addr;
	/* [ARM] D8.16.1: the entry must be invalid at this moment. */
	if (walk(addr)) {
		broken_when_invalidated = false;
	}
	found_when_invalidated[nr_invalidated & 3] =
		pgtable_lookup(t, addr, &level);
}

static const struct pgtable_env env = {
	.table_alloc = fake_alloc,
	.table_free = fake_free,
	.table_va = fake_va,
	.sync = fake_sync,
	.invalidate = fake_invalidate,
};

static void setup(void)
{
	memset(used, 0, sizeof(used));
	memset(tables, 0, sizeof(tables));
	nr_used = nr_invalidated = 0;
	allocs_left = MAX_TABLES;
	broken_when_invalidated = true;
	/* 40 bits: two concatenated level-1 roots (tables 0 and 1). */
	used[0] = used[1] = true;
	pt = (struct pgtable){ .env = &env, .root = TABLE_BASE,
			       .start_level = 1, .nr_roots = 2,
			       .addr_bits = 40 };
}

TestSuite(pgtable, .init = setup);

#define GIB UINT64_C(0x40000000)
#define MIB UINT64_C(0x100000)

Test(pgtable, uses_the_largest_block)
{
	unsigned int level;

	cr_assert_eq(pgtable_map(&pt, GIB, GIB, GIB, PTE_AF), 0);
	cr_assert_eq(nr_used, 0);
	cr_assert_neq(pgtable_lookup(&pt, GIB + 0x1234, &level), 0);
	cr_assert_eq(level, 1);

	cr_assert_eq(pgtable_map(&pt, 2 * GIB, 2 * GIB, 2 * MIB, PTE_AF), 0);
	cr_assert_neq(pgtable_lookup(&pt, 2 * GIB, &level), 0);
	cr_assert_eq(level, 2);
	cr_assert_eq(pgtable_lookup(&pt, 2 * GIB + 2 * MIB, &level), 0);

	cr_assert_eq(pgtable_map(&pt, 3 * GIB, 4096, 2 * MIB, PTE_AF), 0);
	cr_assert_neq(pgtable_lookup(&pt, 3 * GIB, &level), 0);
	cr_assert_eq(level, 3, "unaligned output address: pages");
}

/* What a device uses is never split, so it is never broken for a moment. */
Test(pgtable, pages_only)
{
	uint64_t old;
	unsigned int level;

	pt.pages_only = true;
	cr_assert_eq(pgtable_map(&pt, GIB, GIB, 4 * MIB, PTE_AF), 0);
	cr_assert_neq(pgtable_lookup(&pt, GIB, &level), 0);
	cr_expect_eq(level, 3);
	cr_assert_eq(pgtable_unmap_page(&pt, GIB + 2 * MIB, &old), 0);
	cr_expect_eq(nr_invalidated, 1, "the page itself");
	cr_expect_eq(last_invalidated, GIB + 2 * MIB);
	pt.pages_only = false;
}

static const void *cleaned[8];
static unsigned int nr_cleaned;

static void fake_clean(const void *va, size_t len)
{
	cr_assert_eq(len, PAGE_SIZE);
	cleaned[nr_cleaned++] = va;
}

Test(pgtable, clean_every_table_on_the_way)
{
	pt.pages_only = true;
	cr_assert_eq(pgtable_map(&pt, GIB, GIB, 4096, PTE_AF), 0);
	pt.pages_only = false;
	pgtable_clean(&pt, GIB + 4096, fake_clean);
	cr_assert_eq(nr_cleaned, 3);
	cr_expect_eq(cleaned[0], tables[0]);
	cr_expect_eq(cleaned[1], tables[1 + 1]);
	cr_expect_eq(cleaned[2], tables[1 + 2]);
	nr_cleaned = 0;
	pgtable_clean(&pt, UINT64_C(0x8000000000), fake_clean);
	cr_assert_eq(nr_cleaned, 1, "nothing below it");
	cr_expect_eq(cleaned[0], tables[1], "the second root");
}

Test(pgtable, second_root_table_serves_the_upper_half)
{
	unsigned int level;
	uint64_t high = UINT64_C(0x8000000000);

	cr_assert_eq(pgtable_map(&pt, high, high, GIB, PTE_AF), 0);
	cr_assert_neq(tables[1][0], 0);
	cr_assert_neq(pgtable_lookup(&pt, high, &level), 0);
}

Test(pgtable, refuses_what_does_not_fit)
{
	cr_assert_eq(pgtable_map(&pt, 1, 0, 4096, 0), -EINVAL);
	cr_assert_eq(pgtable_map(&pt, 0, 1, 4096, 0), -EINVAL);
	cr_assert_eq(pgtable_map(&pt, 0, 0, 1, 0), -EINVAL);
	cr_assert_eq(pgtable_map(&pt, UINT64_C(1) << 40, 0, 4096, 0), -EINVAL);
	cr_assert_eq(pgtable_map(&pt, (UINT64_C(1) << 40) - 4096, 0, 8192, 0),
		     -EINVAL);
	cr_assert_eq(pgtable_map(&pt, UINT64_MAX & PAGE_MASK, 0, 8192, 0),
		     -EINVAL);
}

Test(pgtable, mapping_over_a_mapping_changes_nothing)
{
	unsigned int level;

	cr_assert_eq(pgtable_map(&pt, 4 * 4096, 0x5000, 4096, PTE_AF), 0);
	cr_assert_eq(pgtable_map(&pt, 0, 0x100000, 8 * 4096, PTE_AF), -EEXIST);
	cr_assert_eq(pgtable_lookup(&pt, 0, &level), 0, "undone");
	cr_assert_eq(pgtable_lookup(&pt, 3 * 4096, &level), 0, "undone");
	cr_assert_eq(pgtable_lookup(&pt, 4 * 4096, &level) & PTE_ADDR, 0x5000);
	cr_assert_eq(pgtable_map(&pt, 0, 0, 2 * MIB, PTE_AF), -EEXIST,
		     "a block over a table with one page");
	cr_assert_eq(pgtable_lookup(&pt, 4 * 4096, &level) & PTE_ADDR, 0x5000);
}

Test(pgtable, unmap_splits_a_block_and_keeps_the_rest)
{
	unsigned int level;
	uint64_t old = 0;

	cr_assert_eq(pgtable_map(&pt, GIB, GIB, GIB, PTE_AF | S2_AP_READ), 0);
	cr_assert_eq(pgtable_unmap_page(&pt, GIB + 0x5000, &old), 0);
	cr_assert_eq(old & PTE_ADDR, GIB + 0x5000);
	cr_assert_eq(nr_used, 2);
	cr_assert_eq(nr_invalidated, 3, "two splits and the page");
	cr_assert(broken_when_invalidated);
	cr_assert_eq(pgtable_lookup(&pt, GIB + 0x5000, &level), 0);
	for (uint64_t a = GIB; a < 2 * GIB; a += 4096 * 509) {
		uint64_t pte = pgtable_lookup(&pt, a, &level);
		uint64_t in_block = (UINT64_C(1) << PT_LEVEL_SHIFT(level)) - 1;

		if (a == GIB + 0x5000) {
			continue;
		}
		cr_assert_eq((pte & PTE_ADDR) | (a & in_block & PAGE_MASK), a);
		cr_assert(pte & S2_AP_READ);
	}
	cr_assert_eq(pgtable_unmap_page(&pt, GIB + 0x5000, &old), -ENOENT);
}

/* A guest that comes while it is broken would take its memory for lost. */
Test(pgtable, a_block_is_found_while_it_is_split)
{
	uint64_t old;

	cr_assert_eq(pgtable_map(&pt, GIB, GIB, 2 * MIB, PTE_AF), 0);
	cr_assert_eq(pgtable_unmap_page(&pt, GIB, &old), 0);
	cr_assert_eq(nr_invalidated, 2, "the split, then the page");
	cr_assert(broken_when_invalidated);
	cr_assert_eq(found_when_invalidated[1], GIB | PTE_AF | PTE_VALID);
	cr_assert_eq(found_when_invalidated[2], 0, "what goes is gone");
	cr_assert(!walk(GIB));
	cr_assert(walk(GIB + PAGE_SIZE));
}

Test(pgtable, no_memory_for_a_split_leaves_the_block)
{
	unsigned int level;
	uint64_t old;

	cr_assert_eq(pgtable_map(&pt, GIB, GIB, GIB, PTE_AF), 0);
	allocs_left = 0;
	cr_assert_eq(pgtable_unmap_page(&pt, GIB, &old), -ENOMEM);
	cr_assert_neq(pgtable_lookup(&pt, GIB, &level), 0);
	cr_assert_eq(level, 1);
	allocs_left = 1; /* one split of two */
	cr_assert_eq(pgtable_unmap_page(&pt, GIB, &old), -ENOMEM);
	cr_assert_neq(pgtable_lookup(&pt, GIB, &level), 0);
}

Test(pgtable, failing_allocation_at_each_step_undoes_the_mapping)
{
	for (int n = 0; n < 3; n++) {
		unsigned int level;
		int rc;

		setup();
		allocs_left = n;
		/* crosses a 2 MiB boundary: needs two level-3 tables */
		rc = pgtable_map(&pt, 2 * MIB - 8192, 0x40001000, 4 * 4096,
				 PTE_AF);
		cr_assert_eq(rc, -ENOMEM);
		for (int i = -2; i < 2; i++) {
			cr_assert_eq(pgtable_lookup(
					     &pt,
					     2 * MIB + (uint64_t)(i * 4096),
					     &level), 0);
		}
		while (pgtable_free_step(&pt, 1) == -EAGAIN) {
		}
		cr_assert_eq(nr_used, 0);
	}
}

Test(pgtable, free_step_is_bounded_and_frees_all)
{
	int steps = 0;

	for (uint64_t g = 0; g < 8; g++) {
		cr_assert_eq(pgtable_map(&pt, g * GIB, 4096, 4096, PTE_AF), 0);
		cr_assert_eq(pgtable_map(&pt, g * GIB + 2 * MIB, 4096, 4096,
					 PTE_AF), 0);
	}
	cr_assert_gt(nr_used, 16);
	while (pgtable_free_step(&pt, 2) == -EAGAIN) {
		cr_assert_lt(++steps, 32);
	}
	cr_assert_gt(steps, 2);
	cr_assert_eq(nr_used, 0);
}

Test(pgtable, protect_changes_pages_only_in_range)
{
	unsigned int level;

	cr_assert_eq(pgtable_map(&pt, 0, 0, 8 * 4096, PTE_AF), 0);
	cr_assert_eq(pgtable_protect(&pt, 4096, 2 * 4096, PTE_AF, S1_RO), 0);
	cr_assert_eq(pgtable_lookup(&pt, 4096, &level) & (PTE_AF | S1_RO),
		     S1_RO);
	cr_assert_eq(pgtable_lookup(&pt, 3 * 4096, &level) & (PTE_AF | S1_RO),
		     PTE_AF);
	cr_assert_eq(pgtable_protect(&pt, 8 * 4096, 4096, 0, 0), -ENOENT);
}

/*
 * One page for devices alone, as its neighbours come, are split and go: the
 * entry is there at each moment, never has the access flag, and nothing takes
 * its place or has it in its block.
 */
Test(pgtable, a_doorbell_among_others)
{
	static const uint64_t sizes[] = { 4096, 8 * 4096, 2 * MIB, 4 * MIB };
	uint32_t r = 1;
	uint64_t old;

	cr_assert_eq(pgtable_map(&pt, DOORBELL, DOORBELL, 4096, S2_AP_WRITE),
		     0);
	has_doorbell = true;
	for (unsigned int n = 0; n < 100000; n++) {
		uint64_t size, at;
		int rc;

		r = r * 1664525u + 1013904223u;
		size = sizes[r >> 30];
		at = 0x07c00000 + align_down((r >> 8) % (8 * MIB), size);
		if (at <= DOORBELL && DOORBELL - at < size) {
			cr_assert_eq(pgtable_map(&pt, at, GIB + at, size,
						 S2_AP_WRITE | PTE_AF),
				     -EEXIST);
		} else if (r & 0x80) {
			rc = pgtable_map(&pt, at, GIB + at, size,
					 S2_AP_WRITE | PTE_AF);
			cr_assert(rc == 0 || rc == -EEXIST, "%d", rc);
		} else {
			for (uint64_t i = 0; i < size; i += 4096) {
				rc = pgtable_unmap_page(&pt, at + i, &old);
				cr_assert(rc == 0 || rc == -ENOENT);
				cr_assert(rc || (old & PTE_AF));
			}
		}
		look_at_doorbell();
	}
	has_doorbell = false;
	cr_expect(broken_when_invalidated);
	cr_expect_gt(nr_invalidated, 1000);
}
