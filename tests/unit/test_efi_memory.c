/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's map of memory: an honest one, and hostile ones. */
// LINK: boot/efi_memory.c boot/ranges.c
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <lib/errno.h>

#include "boot/efi.h"
#include "boot/efi_memory.h"

#define MIB UINT64_C(0x100000)
#define PAGES(mib) ((mib)*MIB / EFI_PAGE_SIZE)
#define STRIDE 48u /* as edk2: more than the structure */
#define EFI_RESERVED 0u
#define EFI_MMIO 11u

static uint8_t map[STRIDE * 4096] __attribute__((aligned(8)));
static uint64_t size;
static struct efi_memory m;

static void add(uint32_t type, uint64_t start, uint64_t pages, uint64_t attr)
{
	const struct efi_memory_descriptor d = {
		.type = type,
		.physical = start,
		.nr_pages = pages,
		.attribute = attr,
	};

	cr_assert_leq(size + STRIDE, sizeof(map));
	memset(map + size, 0xa5, STRIDE);
	memcpy(map + size, &d, sizeof(d));
	size += STRIDE;
}

static void ram(uint32_t type, uint64_t start_mib, uint64_t mib)
{
	add(type, start_mib * MIB, PAGES(mib), EFI_MEMORY_WB | 0xf);
}

static int read_map(void)
{
	return efi_memory_read(&m, map, size, STRIDE);
}

static void expect(const struct ranges *s, uint32_t i, uint64_t start_mib,
		   uint64_t mib)
{
	cr_assert_lt(i, s->nr);
	cr_assert_eq(s->r[i].start, start_mib * MIB, "%u at %#lx", i,
		     (unsigned long)s->r[i].start);
	cr_assert_eq(s->r[i].size, mib * MIB);
}

Test(efi_memory, runtime_services_stay_reserved)
{
	ram(EFI_CONVENTIONAL, 1024, 512);
	ram(EFI_LOADER_DATA, 1536, 64);
	ram(EFI_RUNTIME_SERVICES_DATA, 1600, 1);
	ram(EFI_RUNTIME_SERVICES_CODE, 1601, 1);
	ram(EFI_BOOT_SERVICES_CODE, 1602, 30);
	ram(EFI_ACPI_NVS, 1632, 1);
	ram(EFI_BOOT_SERVICES_DATA, 1633, 15);
	add(EFI_MMIO, 64 * MIB, PAGES(64), UINT64_C(1) << 63 | 1);
	cr_assert_eq(read_map(), 0);
	cr_assert_eq(m.ram.nr, 1);
	expect(&m.ram, 0, 1024, 624);
	cr_assert_eq(m.reserved.nr, 2);
	expect(&m.reserved, 0, 1600, 2);
	expect(&m.reserved, 1, 1632, 1);
}

/* What may not even be mapped parts the memory. */
Test(efi_memory, unknown_types_are_no_memory)
{
	ram(EFI_CONVENTIONAL, 0, 64);
	ram(EFI_RESERVED, 64, 1);
	ram(EFI_LOADER_CODE, 65, 63);
	ram(8, 128, 1);   /* unusable */
	ram(14, 129, 64); /* persistent */
	ram(0x70000001, 256, 64);
	add(EFI_CONVENTIONAL, 512 * MIB, PAGES(64), 1); /* uncached */
	cr_assert_eq(read_map(), 0);
	cr_assert_eq(m.ram.nr, 2);
	expect(&m.ram, 0, 0, 64);
	expect(&m.ram, 1, 65, 63);
	cr_assert_eq(m.reserved.nr, 0);
}

/* The same page twice: the stricter one is believed, in either order. */
Test(efi_memory, overlap_goes_to_the_stricter)
{
	for (int turn = 0; turn < 2; turn++) {
		size = 0;
		if (turn) {
			ram(EFI_CONVENTIONAL, 0, 64);
		}
		ram(EFI_RUNTIME_SERVICES_DATA, 16, 1);
		ram(EFI_RESERVED, 32, 1);
		if (!turn) {
			ram(EFI_CONVENTIONAL, 0, 64);
		}
		cr_assert_eq(read_map(), 0);
		cr_assert_eq(m.ram.nr, 2);
		expect(&m.ram, 0, 0, 32);
		expect(&m.ram, 1, 33, 31);
		expect(&m.reserved, 0, 16, 1);
	}
}

/* A bank without room for its own table would stop the boot. */
Test(efi_memory, banks_without_room_are_dropped)
{
	ram(EFI_CONVENTIONAL, 0, 3);
	ram(EFI_RUNTIME_SERVICES_DATA, 16, 64);
	ram(EFI_CONVENTIONAL, 80, 2);
	ram(EFI_CONVENTIONAL, 128, 64);
	cr_assert_eq(read_map(), 0);
	cr_assert_eq(m.ram.nr, 1);
	expect(&m.ram, 0, 128, 64);
	cr_assert_eq(m.reserved.nr, 0);
}

/* More reserved places than the boot path takes: what lies between goes. */
Test(efi_memory, closest_reserves_become_one)
{
	ram(EFI_CONVENTIONAL, 0, 4096);
	for (uint64_t i = 0; i < 100; i++) {
		ram(EFI_RUNTIME_SERVICES_DATA, 10 * i + (i < 70 ? 0 : i), 1);
	}
	cr_assert_eq(read_map(), 0);
	cr_assert_eq(m.reserved.nr, 40);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t at = (10 * i + (i < 70 ? 0 : i)) * MIB;

		cr_assert(ranges_contain(&m.reserved, at, MIB));
	}
}

Test(efi_memory, no_map_at_all)
{
	cr_assert_eq(efi_memory_read(&m, map, 0, STRIDE), -EINVAL);
	cr_assert_eq(efi_memory_read(&m, map, 480, 39), -EINVAL);
	cr_assert_eq(efi_memory_read(&m, map, 480, 0), -EINVAL);
	cr_assert_eq(efi_memory_read(&m, map, STRIDE - 1, STRIDE), -EINVAL);
	ram(EFI_MMIO, 0, 64);
	cr_assert_eq(read_map(), -ENOMEM);
}

/* Sizes that wrap, starts at the top: no crash, no range that wraps. */
Test(efi_memory, numbers_beyond_all_memory)
{
	ram(EFI_CONVENTIONAL, 0, 64);
	add(EFI_CONVENTIONAL, UINT64_MAX - 4095, 1, EFI_MEMORY_WB);
	add(EFI_CONVENTIONAL, 1ull << 50, UINT64_MAX, EFI_MEMORY_WB);
	add(EFI_RUNTIME_SERVICES_DATA, 1ull << 51, UINT64_MAX / 2,
	    EFI_MEMORY_WB);
	add(EFI_CONVENTIONAL, 12345, 0, EFI_MEMORY_WB);
	cr_assert_eq(read_map(), 0);
	for (uint32_t i = 0; i < m.ram.nr; i++) {
		cr_assert_leq(m.ram.r[i].size,
			      UINT64_MAX - m.ram.r[i].start);
	}
}

static uint32_t seed = 11;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const uint8_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 7, 9, 10, 11, 14 };

/* Any map, page by page against what it says. */
Test(efi_memory, random_maps)
{
	enum { MIBS = 512 };
	static uint8_t kept[MIBS]; /* 0 nothing said, 1 free, 2 kept, 3 never */

	for (uint32_t round = 0; round < 300; round++) {
		size = 0;
		memset(kept, 0, sizeof(kept));
		for (uint32_t n = random_below(60) + 1; n > 0; n--) {
			uint32_t type = types[random_below(sizeof(types))];
			uint32_t start = random_below(MIBS);
			uint32_t len = random_below(MIBS - start) / 4;
			bool keep = type == 5 || type == 6 || type > 8;
			uint8_t use = type == 0 || type > 10 ? 3 : 1 + keep;

			ram(type, start, len);
			for (uint32_t i = start; i < start + len; i++) {
				kept[i] = use > kept[i] ? use : kept[i];
			}
		}
		if (read_map()) {
			continue;
		}
		for (uint32_t i = 0; i < MIBS; i++) {
			bool in = ranges_contain(&m.ram, i * MIB, MIB);
			bool out = ranges_contain(&m.reserved, i * MIB, MIB);

			cr_assert(!in || kept[i] == 1 || kept[i] == 2);
			cr_assert(!in || kept[i] != 2 || out, "%u", i);
		}
	}
}
