/* SPDX-License-Identifier: Apache-2.0 */
/* The set of address ranges against a map with one byte a page. */
// LINK: boot/ranges.c
#include <criterion/criterion.h>
#include <string.h>

#include <lib/errno.h>

#include "boot/ranges.h"

#define PAGES 4096u

static struct mem_range room[256];
static struct mem_range small_room[2];
static struct ranges s = RANGES_IN(room);
static struct ranges small = RANGES_IN(small_room);
static uint8_t page[PAGES];
static uint32_t seed = 7;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void expect_same(void)
{
	struct mem_range hole;
	uint64_t pos = 0;
	uint64_t sum = 0;
	uint32_t i = 0;

	for (uint32_t n = 0; n < s.nr; n++) {
		cr_assert_gt(s.r[n].size, 0);
		cr_assert(n == 0 || s.r[n - 1].start + s.r[n - 1].size <
					    s.r[n].start, "they touch");
	}
	for (uint32_t n = 0; n < PAGES; n++) {
		sum += page[n];
		cr_assert_eq(ranges_contain(&s, n * PAGE_SIZE, PAGE_SIZE),
			     page[n] != 0, "page %u", n);
	}
	cr_assert_eq(ranges_total(&s), sum * PAGE_SIZE);
	while (ranges_next_hole(&s, &i, &pos, PAGES * PAGE_SIZE, &hole)) {
		for (uint64_t k = 0; k < hole.size / PAGE_SIZE; k++) {
			cr_assert_eq(page[hole.start / PAGE_SIZE + k], 0);
		}
		sum += hole.size / PAGE_SIZE;
	}
	cr_assert_eq(sum, PAGES, "a missed hole");
}

Test(ranges, any_order_overlapping_or_not)
{
	for (int round = 0; round < 20; round++) {
		ranges_clear(&s);
		memset(page, 0, sizeof(page));
		for (int n = 0; n < 300; n++) {
			uint32_t at = random_below(PAGES - 32);
			uint32_t len = 1 + random_below(31);
			uint32_t how = random_below(3);

			if (how == 0) {
				ranges_add_pages(&s, at * PAGE_SIZE + 1,
						 len * PAGE_SIZE - 2);
			} else if (how == 1) {
				cr_assert_eq(ranges_add(&s, at * PAGE_SIZE,
							len * PAGE_SIZE), 0);
			} else {
				cr_assert_eq(ranges_remove(&s, at * PAGE_SIZE,
							   len * PAGE_SIZE),
					     0);
			}
			memset(page + at, how != 2, len);
		}
		cr_assert_not(s.full);
		expect_same();
	}
}

Test(ranges, neighbours_join_and_nothing_is_nothing)
{
	ranges_clear(&s);
	cr_assert_eq(ranges_add(&s, 0x1000, 0x1000), 0);
	cr_assert_eq(ranges_add(&s, 0x3000, 0x1000), 0);
	cr_assert_eq(ranges_add(&s, 0x8000, 0), 0);
	cr_assert_eq(s.nr, 2);
	cr_assert_eq(ranges_add(&s, 0x2000, 0x1000), 0);
	cr_assert_eq(s.nr, 1);
	cr_assert(ranges_contain(&s, 0x1000, 0x3000));
	cr_assert_not(ranges_contain(&s, 0x1000, 0x3001));
	cr_assert_not(ranges_contain(&s, 0xfff, 2));
	cr_assert_not(ranges_contain(&s, 0x4000, 1));
	cr_assert_not(ranges_contain(&s, 0x2000, UINT64_MAX));
	cr_assert_eq(ranges_remove(&s, 0x4000, 0x1000), 0, "touches only");
	cr_assert_eq(ranges_remove(&s, 0, 0x1000), 0);
	cr_assert_eq(ranges_total(&s), 0x3000);
	cr_assert_eq(ranges_remove(&s, 0, UINT64_MAX), 0);
	cr_assert_eq(s.nr, 0);
}

Test(ranges, full)
{
	ranges_clear(&s);
	ranges_clear(&small);
	cr_assert_eq(ranges_add(&small, 0x1000, 0x3000), 0);
	cr_assert_eq(ranges_add(&small, 0x9000, 0x1000), 0);
	cr_assert_eq(ranges_copy(&s, &small), 0);
	cr_assert_eq(ranges_remove(&small, 0x2000, 0x1000), -ENOSPC);
	cr_assert_eq(ranges_add(&small, 0x20000, 0x1000), -ENOSPC);
	cr_assert(small.full);
	ranges_clear(&small);
	cr_assert_not(small.full);
	cr_assert_eq(ranges_add(&s, 0x20000, 0x1000), 0);
	cr_assert_eq(ranges_copy(&small, &s), -ENOSPC);
	for (uint64_t n = 0; n < 3; n++) {
		ranges_add_pages(&small, n << 20, 1);
	}
	cr_assert(small.full);
	cr_assert_eq(small.nr, 2);
}

Test(ranges, at_the_end_of_all_addresses)
{
	ranges_clear(&s);
	ranges_add_pages(&s, UINT64_MAX - 10, 11);
	ranges_add_pages(&s, UINT64_MAX - 0x5000, UINT64_MAX);
	ranges_add_pages(&s, 5, 0);
	cr_assert_eq(s.nr, 1);
	cr_assert_gt(s.r[0].start + s.r[0].size, s.r[0].start);
	cr_assert_eq(ranges_remove(&s, UINT64_MAX - 0x5000, UINT64_MAX), 0);
	cr_assert_leq(s.nr, 1);
}

Test(ranges, take_from_the_end_of_the_largest)
{
	struct mem_range got;

	ranges_clear(&s);
	cr_assert_eq(ranges_take(&s, 1, 0x10000, &got), -ENOMEM);
	/* 0x20000 and 0x30000 between boundaries, and one that has none. */
	cr_assert_eq(ranges_add(&s, 0x8000, 0x2f000), 0);
	cr_assert_eq(ranges_add(&s, 0x101000, 0x42000), 0);
	cr_assert_eq(ranges_add(&s, 0x201000, 0x1e000), 0);
	cr_assert_eq(ranges_take(&s, 0x11000, 0x10000, &got), 0);
	cr_assert_eq(got.start, 0x120000, "down to a boundary");
	cr_assert_eq(got.size, 0x11000);
	cr_assert_not(ranges_contain(&s, 0x130000, 0x1000));
	cr_assert(ranges_contain(&s, 0x131000, 0x1000));
	cr_assert_eq(ranges_take(&s, 0x90000, 0x10000, &got), 0);
	cr_assert_eq(got.start, 0x10000, "as much as there is");
	cr_assert_eq(got.size, 0x20000);
	cr_assert_eq(ranges_take(&s, 0x1000, 0x10000, &got), 0);
	cr_assert_eq(got.start, 0x110000);
	cr_assert_eq(ranges_take(&s, 0x1000, 0x10000, &got), -ENOMEM);
}
