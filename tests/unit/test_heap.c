/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/heap.c core/page_alloc.c core/page_claim.c
// LINK: core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/lock.c debug/lock_check.c arch/fake/mem.c
// LINK: arch/fake/p2m.c arch/fake/cpu.c arch/fake/last_words.c
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include "arch/fake/fake_arch.h"

#define MIB UINT64_C(0x100000)

static struct domain dom;

static void setup(uint64_t size)
{
	fake_ram_init(size);
	cr_assert_eq(page_alloc_add_bank(paddr(FAKE_RAM_BASE), size), 0);
	page_alloc_free_range(paddr(FAKE_RAM_BASE), size);
}

static bool is_filled(const uint8_t *p, size_t n, uint8_t with)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] != with) {
			return false;
		}
	}
	return true;
}

Test(heap, every_size_is_zeroed_aligned_and_comes_back)
{
	uint64_t before;
	size_t size;

	setup(16 * MIB);
	before = page_alloc_nr_free();
	for (size = 1; size <= 65536; size += size < 3000 ? 1 : 509) {
		uint8_t *p = heap_alloc(&dom, size);

		cr_assert_not_null(p);
		cr_assert_eq((uintptr_t)p % 16, 0);
		cr_assert(is_filled(p, size, 0));
		memset(p, 0xee, size);
		heap_free(&dom, p);
	}
	/* One empty slab per class may stay. */
	cr_assert_leq(before - page_alloc_nr_free(), 12);
	cr_assert_eq(before - page_alloc_nr_free(), heap_nr_slabs());
	cr_assert_eq(dom.xen_pages, 0);
}

Test(heap, bounds)
{
	uint64_t before;
	void *p;

	setup(16 * MIB);
	before = page_alloc_nr_free();
	cr_assert_null(heap_alloc(NULL, 0));
	cr_assert_null(heap_alloc(NULL, 65537));
	cr_assert_null(heap_alloc(NULL, SIZE_MAX));
	heap_free(NULL, NULL);
	p = heap_alloc(&dom, 65536);
	cr_assert_eq(dom.xen_pages, 16);
	heap_free(&dom, p);
	cr_assert_eq(dom.xen_pages, 0);
	cr_assert_eq(page_alloc_nr_free(), before);
}

#define NR 3000
static struct {
	uint8_t *p;
	size_t size;
	uint8_t with;
} obj[NR];

Test(heap, many_objects_do_not_overlap)
{
	uint64_t before, x = 12345;
	unsigned int n, i;

	setup(16 * MIB);
	before = page_alloc_nr_free();
	for (n = 0; n < 40000; n++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		i = (unsigned int)(x >> 33) % NR;
		if (obj[i].p) {
			cr_assert(is_filled(obj[i].p, obj[i].size,
					    obj[i].with));
			heap_free(NULL, obj[i].p);
			obj[i].p = NULL;
			continue;
		}
		obj[i].size = (x >> 20) % 2100 + 1;
		obj[i].with = (uint8_t)(x >> 50);
		obj[i].p = heap_alloc(NULL, obj[i].size);
		cr_assert_not_null(obj[i].p);
		memset(obj[i].p, obj[i].with, obj[i].size);
	}
	for (i = 0; i < NR; i++) {
		heap_free(NULL, obj[i].p);
	}
	cr_assert_leq(before - page_alloc_nr_free(), 12);
	cr_assert_eq(before - page_alloc_nr_free(), heap_nr_slabs());
}

Test(heap, no_memory_is_null)
{
	unsigned int n = 0;

	setup(4 * MIB);
	while (heap_alloc(NULL, 2000)) {
		n++;
	}
	cr_assert_gt(n, 1000);
	cr_assert_null(heap_alloc(NULL, 5000));
}

Test(heap, small_object_freed_twice_stops, .signal = SIGABRT)
{
	void *a, *b;

	setup(4 * MIB);
	a = heap_alloc(NULL, 100);
	b = heap_alloc(NULL, 100);
	(void)b;
	heap_free(NULL, a);
	heap_free(NULL, a);
}

Test(heap, pointer_into_the_middle_stops, .signal = SIGABRT)
{
	char *a;

	setup(4 * MIB);
	a = heap_alloc(NULL, 100);
	heap_free(NULL, a + 16);
}

Test(heap, large_object_freed_twice_stops, .signal = SIGABRT)
{
	void *a;

	setup(4 * MIB);
	a = heap_alloc(NULL, 5000);
	heap_free(NULL, a);
	heap_free(NULL, a);
}
