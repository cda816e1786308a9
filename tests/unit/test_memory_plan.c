/* SPDX-License-Identifier: Apache-2.0 */
/* Which RAM is mapped, which is nobody's, which the hypervisor keeps. */
// LINK: boot/memory.c boot/ranges.c tests/fakes/fake_log.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>

#include "boot/boot.h"
#include "boot/fdt_dom.h"
#include "fake_log.h"

#define MIB UINT64_C(0x100000)
#define TABLE (3 * MIB)

static struct mem_range mapped_room[MAX_RANGES];
static struct mem_range freed_room[MAX_RANGES];
static struct ranges mapped_seen = RANGES_IN(mapped_room);
static struct ranges freed = RANGES_IN(freed_room);
static uint32_t nr_added;
static int map_result;
static struct platform p;
struct boot_domain boot_domains[MAX_BOOT_DOMAINS];
uint32_t nr_boot_domains;
struct boot_mem dom0_mem;
struct mem_range boot_heap[MAX_STATIC_HEAP];
uint32_t nr_boot_heap;

int stage1_map_ram(uint64_t start, uint64_t size)
{
	return map_result ? map_result : ranges_add(&mapped_seen, start, size);
}

int page_alloc_add_bank(paddr_t start, uint64_t size)
{
	cr_assert_eq(start.v, p.bank[nr_added].start);
	cr_assert_eq(size, p.bank[nr_added].size);
	nr_added++;
	return 0;
}

uint64_t page_alloc_table_size(paddr_t start, uint64_t size)
{
	(void)start;
	(void)size;
	return TABLE - PAGE_SIZE;
}

void page_alloc_free_range(paddr_t start, uint64_t size)
{
	uint64_t before = ranges_total(&freed);

	cr_assert_eq(ranges_add(&freed, start.v, size), 0);
	cr_assert_eq(ranges_total(&freed), before + size, "freed twice");
}

static void reserve(uint64_t start, uint64_t size, uint8_t flags)
{
	p.reserved[p.nr_reserved] = (struct mem_range){ start, size };
	p.reserved_flags[p.nr_reserved++] = flags;
}

static void setup(void)
{
	memset(&p, 0, sizeof(p));
	ranges_clear(&mapped_seen);
	ranges_clear(&freed);
	ranges_clear(&boot_free);
	p.bank[0] = (struct mem_range){ 0x40000000, 256 * MIB };
	p.bank[1] = (struct mem_range){ 0x80000000, 256 * MIB };
	p.nr_banks = 2;
	boot_image = (struct mem_range){ 0x40200000, 2 * MIB };
	boot_dtb = (struct mem_range){ 0x48000000, MIB };
	p.module[0] = (struct boot_module){ .kind = MODULE_KERNEL,
		.start = 0x4a000000, .size = 30 * MIB + 1 };
	p.nr_modules = 1;
	fake_log_reset();
}

Test(memory, everything_has_one_place, .init = setup)
{
	reserve(0x8f000000, 0x1800, RESERVED_NODE);
	reserve(0x88000800, 0x100, RESERVED_NODE | RESERVED_NO_MAP);
	cr_assert_eq(boot_memory_init(&p), 0, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(nr_added, 2);
	/* Mapped: all but our image and what must not be read. */
	cr_assert_eq(ranges_total(&mapped_seen), 510 * MIB - PAGE_SIZE);
	cr_assert_not(ranges_contain(&mapped_seen, 0x40200000, 1));
	cr_assert_not(ranges_contain(&mapped_seen, 0x88000000, 1));
	cr_assert(ranges_contain(&mapped_seen, 0x4a000000, 30 * MIB));
	/* A share of each bank, and more of the first. */
	cr_assert_eq(ranges_total(&freed), 2 * TABLE + 2 * MIB);
	cr_assert(ranges_contain(&freed, 0x80000000, TABLE));
	/* Nobody's: the rest, in whole pages. */
	cr_assert_eq(ranges_total(&boot_free),
		     512 * MIB - 2 * MIB - MIB - (30 * MIB + PAGE_SIZE) -
		     2 * PAGE_SIZE - PAGE_SIZE - ranges_total(&freed));
	cr_assert_not(ranges_contain(&boot_free, 0x48000000, 1));
	cr_assert_not(ranges_contain(&boot_free, 0x4a000000, 1));
	cr_assert_not(ranges_contain(&boot_free, 0x8f001000, 1));
	boot_memory_finish();
	cr_assert_eq(boot_free.nr, 0);
	cr_assert(ranges_contain(&freed, 0x8f002000, PAGE_SIZE));
	cr_assert_not(ranges_contain(&freed, 0x4a000000, 1));
}

Test(memory, images_of_boot_time_domains_stay, .init = setup)
{
	nr_boot_domains = 2;
	boot_domains[0].kernel = (struct mem_range){ 0x84000800, MIB };
	boot_domains[1].kernel = boot_domains[0].kernel; /* the same one */
	boot_domains[1].ramdisk = (struct mem_range){ 0x85000000, 100 };
	cr_assert_eq(boot_memory_init(&p), 0);
	cr_assert_not(ranges_contain(&boot_free, 0x84000000, 1));
	cr_assert_not(ranges_contain(&boot_free, 0x84100800, 1));
	cr_assert(ranges_contain(&boot_free, 0x84101000, PAGE_SIZE));
	cr_assert_not(ranges_contain(&boot_free, 0x85000000, 1));
	cr_assert(ranges_contain(&mapped_seen, 0x84000000, MIB));
	nr_boot_domains = 0;
}

Test(memory, the_share_is_taken_where_it_fits, .init = setup)
{
	/* 2 MiB below the image are too few. */
	cr_assert_eq(boot_memory_init(&p), 0);
	cr_assert(ranges_contain(&boot_free, 0x40000000, 2 * MIB));
	cr_assert(ranges_contain(&freed, 0x40400000, TABLE + 2 * MIB));
}

Test(memory, bank_without_room, .init = setup)
{
	p.bank[1].size = 2 * MIB;
	cr_assert_eq(boot_memory_init(&p), -ENOMEM);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR],
				  "memory bank 0x80000000: no room"));
}

Test(memory, errors_are_passed_on, .init = setup)
{
	map_result = -ENOMEM;
	cr_assert_eq(boot_memory_init(&p), -ENOMEM);
	setup();
	map_result = 0;
	/* More holes than a plan can hold. */
	p.nr_reserved = 0;
	for (uint64_t i = 0; i < MAX_RESERVED; i++) {
		reserve(0x41000000 + i * 0x2000, 0x1000, RESERVED_NODE);
	}
	cr_assert_eq(boot_memory_init(&p), 0);
	cr_assert_leq(boot_free.nr, MAX_RANGES);
}

Test(memory, static_memory_is_nobodys_to_give, .init = setup)
{
	nr_boot_domains = 2;
	boot_domains[0].mem.bank[0] = (struct mem_range){ 0x84000000, MIB };
	boot_domains[0].mem.nr_banks = 1;
	boot_domains[1].mem = boot_domains[0].mem;
	boot_domains[1].mem.bank[0].start = 0x86000000;
	boot_domains[1].refused = true;
	dom0_mem.shm[0].host = (struct mem_range){ 0x85000000, 4096 };
	dom0_mem.nr_shm = 1;
	cr_assert_eq(boot_memory_init(&p), 0);
	boot_memory_finish();
	cr_assert_not(ranges_contain(&freed, 0x84000000, 1));
	cr_assert_not(ranges_contain(&freed, 0x840ff000, 1));
	cr_assert_not(ranges_contain(&freed, 0x85000000, 1));
	cr_assert(ranges_contain(&freed, 0x85001000, 1));
	cr_assert(ranges_contain(&freed, 0x86000000, MIB), "a refused one's");
	/* We clear it and load images there. */
	cr_assert(ranges_contain(&mapped_seen, 0x84000000, 2 * MIB));
}

Test(memory, a_static_heap_is_all_there_is, .init = setup)
{
	boot_heap[0] = (struct mem_range){ 0x49000000, 64 * MIB };
	nr_boot_heap = 1;
	cr_assert_eq(boot_memory_init(&p), 0, "%s", fake_log_last[LOG_ERR]);
	/* The kernel lies in it; the second bank's table has to lie there. */
	cr_assert_eq(ranges_total(&boot_free) + ranges_total(&freed),
		     64 * MIB - (30 * MIB + PAGE_SIZE) + TABLE);
	cr_assert(ranges_contain(&freed, 0x80000000, TABLE));
	/* What is given back is heap as far as it lies there. */
	cr_assert_eq(boot_heap_add(&boot_free, 0x4cf00000, 2 * MIB), 0);
	cr_assert_eq(boot_heap_add(&boot_free, 0x88000000, MIB), 0);
	cr_assert_eq(boot_heap_add(&boot_free, 0x4a000000, PAGE_SIZE), 0);
	boot_memory_finish();
	cr_assert_not(ranges_contain(&freed, 0x4d000000, 1));
	cr_assert_not(ranges_contain(&freed, 0x88000000, 1));
	cr_assert(ranges_contain(&freed, 0x4a000000, PAGE_SIZE));
	cr_assert(ranges_contain(&mapped_seen, 0x88000000, MIB));
}
