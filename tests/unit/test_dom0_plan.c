/* SPDX-License-Identifier: Apache-2.0 */
/* Which memory dom0 gets and what lies where in it. */
// LINK: boot/dom0_plan.c boot/ranges.c tests/fakes/fake_log.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/boot.h"
#include "boot/kernel_image.h"
#include "fake_log.h"

#define MIB UINT64_C(0x100000)
#define ALIGN_2M (2 * MIB)

static struct mem_range room[MAX_RANGES];
static struct ranges memory = RANGES_IN(room);
static struct kernel_image image;
static struct boot_module kernel;
static struct boot_module ramdisk;
static struct dom0_plan plan;

/* 1 GiB at 0x40000000; kernel at +256 MiB, ramdisk behind it. */
static void setup(void)
{
	ranges_clear(&memory);
	cr_assert_eq(ranges_add(&memory, 0x40400000, 0x3fc00000), 0);
	image = (struct kernel_image){ .file_size = 30 * MIB,
				       .image_size = 32 * MIB };
	kernel = (struct boot_module){ .kind = MODULE_KERNEL,
				       .start = 0x50000000,
				       .size = 30 * MIB };
	ramdisk = (struct boot_module){ .kind = MODULE_RAMDISK,
					.start = 0x52000000,
					.size = 5 * MIB + 123 };
	fake_log_reset();
}

static int make(uint64_t want, bool with_ramdisk)
{
	return dom0_plan_make(&memory, want, &kernel, &image,
			      with_ramdisk ? &ramdisk : NULL, &plan);
}

static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a + a_size <= b || b + b_size <= a;
}

static bool in_banks(uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < plan.nr_banks; i++) {
		if (start >= plan.bank[i].start &&
		    start + size <= plan.bank[i].start + plan.bank[i].size) {
			return true;
		}
	}
	return false;
}

/* What holds for every plan. */
static void expect_sound(uint64_t want)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < plan.nr_banks; i++) {
		const struct mem_range *b = &plan.bank[i];

		cr_assert_eq((b->start | b->size) % ALIGN_2M, 0);
		cr_assert(ranges_contain(&memory, b->start, b->size));
		cr_assert(i == 0 || b[-1].start + b[-1].size <= b->start);
		sum += b->size;
	}
	cr_assert_eq(sum, want);
	cr_assert(in_banks(plan.kernel_load, plan.kernel_span));
	cr_assert(in_banks(plan.fdt_load, plan.fdt_room));
	cr_assert_eq((plan.kernel_load - image.text_offset) % ALIGN_2M, 0);
	cr_assert_geq(plan.kernel_span, image.image_size);
	cr_assert(apart(plan.kernel_load, plan.kernel_span, plan.fdt_load,
			plan.fdt_room));
	/* A kernel that moves must not be overwritten before it has. */
	cr_assert(plan.kernel_in_place ||
		  apart(plan.kernel_load, plan.kernel_span, kernel.start,
			kernel.size));
	cr_assert(plan.kernel_in_place == (plan.kernel_load == kernel.start));
	if (plan.ramdisk_size) {
		cr_assert_eq(plan.ramdisk_size, ramdisk.size);
		cr_assert(in_banks(plan.ramdisk_load, ramdisk.size));
		cr_assert(apart(plan.kernel_load, plan.kernel_span,
				plan.ramdisk_load, ramdisk.size));
		cr_assert(apart(plan.fdt_load, plan.fdt_room,
				plan.ramdisk_load, ramdisk.size));
	}
}

Test(dom0_plan, kernel_and_ramdisk_stay_in_place, .init = setup)
{
	cr_assert_eq(make(256 * MIB, true), 0);
	expect_sound(256 * MIB);
	cr_assert_eq(plan.nr_banks, 1);
	cr_assert_eq(plan.bank[0].start, kernel.start);
	cr_assert(plan.kernel_in_place);
	cr_assert_eq(plan.ramdisk_load, ramdisk.start);
}

Test(dom0_plan, no_ramdisk, .init = setup)
{
	cr_assert_eq(make(64 * MIB, false), 0);
	expect_sound(64 * MIB);
	cr_assert_eq(plan.ramdisk_size, 0);
	cr_assert_eq(plan.ramdisk_load, 0);
}

Test(dom0_plan, size_is_rounded_up, .init = setup)
{
	cr_assert_eq(make(255 * MIB + 1, true), 0);
	expect_sound(256 * MIB);
}

Test(dom0_plan, kernel_off_its_boundary_moves, .init = setup)
{
	kernel.start += 0x1000;
	cr_assert_eq(make(256 * MIB, true), 0);
	expect_sound(256 * MIB);
	cr_assert_not(plan.kernel_in_place);
	/* An old kernel's offset is where it already is. */
	setup();
	image.text_offset = 0x80000;
	kernel.start += 0x80000;
	ramdisk.start += ALIGN_2M;
	cr_assert_eq(make(256 * MIB, true), 0);
	expect_sound(256 * MIB);
	cr_assert(plan.kernel_in_place);
	kernel.start -= 0x80000;
	cr_assert_eq(make(256 * MIB, true), 0);
	expect_sound(256 * MIB);
	cr_assert_not(plan.kernel_in_place);
}

Test(dom0_plan, ramdisk_in_the_way_of_bss, .init = setup)
{
	ramdisk.start = kernel.start + 31 * MIB;
	cr_assert_eq(make(256 * MIB, true), 0);
	expect_sound(256 * MIB);
	cr_assert_not(plan.kernel_in_place);
	cr_assert_eq(plan.ramdisk_load, ramdisk.start);
}

Test(dom0_plan, ramdisk_outside_moves_in, .init = setup)
{
	ramdisk.start = 0x70000000;
	cr_assert_eq(make(64 * MIB, true), 0);
	expect_sound(64 * MIB);
	cr_assert(plan.kernel_in_place);
	cr_assert_neq(plan.ramdisk_load, ramdisk.start);
}

Test(dom0_plan, packed_kernel_is_unpacked_elsewhere, .init = setup)
{
	image.gzip = true;
	image.text_offset = 0x80000;
	kernel.size = 10 * MIB;
	cr_assert_eq(make(128 * MIB, true), 0);
	expect_sound(128 * MIB);
	cr_assert_not(plan.kernel_in_place);
	setup();
	image.payload_offset = 64; /* inside a uImage */
	cr_assert_eq(make(128 * MIB, true), 0);
	expect_sound(128 * MIB);
	cr_assert_not(plan.kernel_in_place);
}

Test(dom0_plan, window_moves_down_at_the_end_of_memory, .init = setup)
{
	kernel.start = 0x7c000000;
	ramdisk.start = 0x7e000000;
	cr_assert_eq(make(512 * MIB, true), 0);
	expect_sound(512 * MIB);
	cr_assert_eq(plan.bank[0].start, 0x60000000);
	cr_assert(plan.kernel_in_place);
}

Test(dom0_plan, small_machine_with_two_banks, .init = setup)
{
	ranges_clear(&memory);
	cr_assert_eq(ranges_add(&memory, 0x40300000, 0xfd00000), 0);
	cr_assert_eq(ranges_add(&memory, 0x80000000, 0x10000000), 0);
	kernel.start = 0x48000000;
	ramdisk.start = 0x88000000;
	cr_assert_eq(make(384 * MIB, true), 0);
	expect_sound(384 * MIB);
	cr_assert_eq(plan.nr_banks, 2);
	cr_assert(plan.kernel_in_place);
	cr_assert_eq(plan.ramdisk_load, ramdisk.start);
}

Test(dom0_plan, device_tree_is_a_hole_in_the_middle, .init = setup)
{
	cr_assert_eq(ranges_remove(&memory, 0x4a000000, 0x100000), 0);
	kernel.start = 0x48000000;
	ramdisk.start = 0x50000000;
	cr_assert_eq(make(768 * MIB, true), 0);
	expect_sound(768 * MIB);
	cr_assert_geq(plan.nr_banks, 2);
	/* The hole is where the kernel's bss would be. */
	setup();
	cr_assert_eq(ranges_remove(&memory, 0x51f00000, 0x100000), 0);
	cr_assert_eq(make(768 * MIB, true), 0);
	expect_sound(768 * MIB);
	cr_assert_not(plan.kernel_in_place);
}

Test(dom0_plan, low_memory_first, .init = setup)
{
	cr_assert_eq(ranges_add(&memory, UINT64_C(0x100000000), 4096 * MIB),
		     0);
	kernel.start = UINT64_C(0x110000000);
	cr_assert_eq(make(512 * MIB, false), 0);
	expect_sound(512 * MIB);
	cr_assert_geq(plan.kernel_load, UINT64_C(0x100000000));
	kernel.start = 0x50000000;
	cr_assert_eq(make(1536 * MIB, false), 0);
	expect_sound(1536 * MIB);
	cr_assert_eq(plan.bank[0].start, 0x40400000);
	cr_assert_eq(plan.bank[plan.nr_banks - 1].start,
		     UINT64_C(0x100000000));
}

Test(dom0_plan, more_than_there_is, .init = setup)
{
	cr_assert_eq(make(4096 * MIB, true), -ENOMEM);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "dom0_mem: 3076 MiB "
				  "more wanted"), "%s", fake_log_last[LOG_ERR]);
}

Test(dom0_plan, too_little_for_the_images, .init = setup)
{
	cr_assert_eq(make(32 * MIB, true), -ENOSPC);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "give it more"));
}

Test(dom0_plan, memory_in_crumbs, .init = setup)
{
	ranges_clear(&memory);
	for (uint64_t i = 0; i < 20; i++) {
		cr_assert_eq(ranges_add(&memory, 0x40000000 + i * 64 * MIB,
					48 * MIB), 0);
	}
	cr_assert_eq(make(20 * 48 * MIB, false), -ENOSPC, "banks are few");
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "too many pieces"));
}
