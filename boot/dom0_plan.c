/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which memory dom0 gets, 1:1, and what lies where in it. Kernel and ramdisk
 * stay where the loader put them when that is possible, so that nothing is
 * copied; memory that 32-bit DMA reaches comes first.
 *
 * Owns    nothing: decides, changes nothing.
 * Bounds  a few passes over at most MAX_RANGES ranges.
 * Spec    Linux Documentation/arch/arm64/booting "Call the kernel image".
 */
#include "boot.h"
#include "kernel_image.h"
#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ALIGN_2M (UINT64_C(1) << 21)
#define FDT_ROOM (UINT64_C(2) << 20)
#define MIB(x) ((unsigned long long)((x) >> 20))

/* What is left to choose from while the plan grows. */
static struct mem_range left_r[MAX_RANGES] __noinit;
static struct ranges left = RANGES_IN(left_r);

static int take(struct dom0_plan *plan, uint64_t start, uint64_t size)
{
	uint32_t i = 0;

	if (plan->nr_banks == ARRAY_SIZE(plan->bank)) {
		log_err("dom0_mem: free memory is in too many pieces, %u are "
			"not enough; ask for less\n", plan->nr_banks);
		return -ENOSPC;
	}
	while (i < plan->nr_banks && plan->bank[i].start < start) {
		i++;
	}
	memmove(&plan->bank[i + 1], &plan->bank[i],
		(plan->nr_banks - i) * sizeof(plan->bank[0]));
	plan->bank[i] = (struct mem_range){ .start = start, .size = size };
	plan->nr_banks++;
	return ranges_remove(&left, start, size);
}

/* The 2 MiB-aligned inside of the range of @left that holds @addr. */
static struct mem_range around(uint64_t addr)
{
	for (uint32_t i = 0; i < left.nr; i++) {
		uint64_t s = align_up(left.r[i].start, ALIGN_2M);
		uint64_t e = align_down(left.r[i].start + left.r[i].size,
					ALIGN_2M);

		if (s <= addr && addr < e) {
			return (struct mem_range){ .start = s, .size = e - s };
		}
	}
	return (struct mem_range){ 0 };
}

/*
 * A window of @want bytes that begins at the module when the range is long
 * enough behind it, earlier when it is not.
 */
static int take_around(struct dom0_plan *plan, uint64_t addr, uint64_t *want)
{
	struct mem_range r = around(addr);
	uint64_t start, size;

	if (r.size == 0 || *want == 0) {
		return 0;
	}
	size = r.size < *want ? r.size : *want;
	start = align_down(addr, ALIGN_2M);
	if (r.start + r.size - start < size) {
		start = r.start + r.size - size;
	}
	*want -= size;
	return take(plan, start, size);
}

/* The largest piece below @limit, lowest first among equals. */
static int take_largest(struct dom0_plan *plan, uint64_t limit,
			uint64_t *want, bool *got)
{
	struct mem_range best = { 0 };

	for (uint32_t i = 0; i < left.nr; i++) {
		uint64_t s = align_up(left.r[i].start, ALIGN_2M);
		uint64_t end = left.r[i].start + left.r[i].size;
		uint64_t e = align_down(end < limit ? end : limit, ALIGN_2M);

		if (s < e && e - s > best.size) {
			best = (struct mem_range){ .start = s, .size = e - s };
		}
	}
	*got = best.size != 0;
	if (!*got) {
		return 0;
	}
	if (best.size > *want) {
		best.size = *want;
	}
	*want -= best.size;
	return take(plan, best.start, best.size);
}

static int take_rest(struct dom0_plan *plan, uint64_t want)
{
	uint64_t limits[] = { UINT64_C(1) << 32, UINT64_MAX };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		bool got = true;

		while (want && got && rc == 0) { /* bound: banks of the plan */
			rc = take_largest(plan, limits[i], &want, &got);
		}
	}
	if (want && rc == 0) {
		log_err("dom0_mem: %llu MiB more wanted than there is free; "
			"ask for less\n", MIB(want));
		return -ENOMEM;
	}
	return rc;
}

static bool in_banks(const struct dom0_plan *plan, uint64_t start,
		     uint64_t size)
{
	for (uint32_t i = 0; i < plan->nr_banks; i++) {
		const struct mem_range *b = &plan->bank[i];

		if (start >= b->start && size <= b->size &&
		    start - b->start <= b->size - size) {
			return true;
		}
	}
	return false;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* A 2 MiB-aligned hole of @size in the banks that touches none of @busy. */
static int find_hole(const struct dom0_plan *plan, uint64_t size,
		     const struct mem_range *busy, uint32_t nr_busy,
		     uint64_t *out)
{
	for (uint32_t b = 0; b < plan->nr_banks; b++) {
		uint64_t at = plan->bank[b].start;
		uint64_t end = at + plan->bank[b].size;
		uint32_t tries = nr_busy + 1;

		while (tries-- && at < end && size <= end - at) {
			uint32_t i = 0;

			while (i < nr_busy && !overlap(at, size, busy[i].start,
						       busy[i].size)) {
				i++;
			}
			if (i == nr_busy) {
				*out = at;
				return 0;
			}
			at = align_up(busy[i].start + busy[i].size, ALIGN_2M);
		}
	}
	log_err("dom0_mem: no room for %llu MiB of kernel, ramdisk or device "
		"tree in dom0's memory; give it more\n", MIB(size) + 1);
	return -ENOSPC;
}

static int place_images(struct dom0_plan *plan,
			const struct boot_module *kernel,
			const struct kernel_image *image,
			const struct boot_module *ramdisk)
{
	struct mem_range busy[3] = { 0 };
	bool rd_moves = ramdisk && !in_banks(plan, ramdisk->start,
					     ramdisk->size);
	int rc;

	if (ramdisk && !rd_moves) {
		plan->ramdisk_load = ramdisk->start;
		plan->ramdisk_size = ramdisk->size;
		busy[1] = (struct mem_range){ .start = ramdisk->start,
					      .size = ramdisk->size };
	}
	/* The loader's copy stays in use until it has been moved. */
	plan->kernel_in_place =
		!image->gzip && image->payload_offset == 0 &&
		is_aligned(kernel->start - image->text_offset,
					   ALIGN_2M) &&
		in_banks(plan, kernel->start, plan->kernel_span) &&
		!(busy[1].size && overlap(kernel->start, plan->kernel_span,
					  busy[1].start, busy[1].size));
	busy[0] = (struct mem_range){ .start = kernel->start,
				      .size = kernel->size };
	if (plan->kernel_in_place) {
		plan->kernel_load = kernel->start;
		busy[0].size = plan->kernel_span;
	} else {
		rc = find_hole(plan, plan->kernel_span + image->text_offset,
			       busy, 2, &plan->kernel_load);
		if (rc) {
			return rc;
		}
		plan->kernel_load += image->text_offset;
		busy[2] = (struct mem_range){ .start = plan->kernel_load,
					      .size = plan->kernel_span };
	}
	if (rd_moves) {
		rc = find_hole(plan, ramdisk->size, busy, 3,
			       &plan->ramdisk_load);
		if (rc) {
			return rc;
		}
		plan->ramdisk_size = ramdisk->size;
		busy[1] = (struct mem_range){ .start = plan->ramdisk_load,
					      .size = ramdisk->size };
	}
	plan->fdt_room = FDT_ROOM;
	return find_hole(plan, FDT_ROOM, busy, 3, &plan->fdt_load);
}

int dom0_plan_make(const struct ranges *free, uint64_t want,
		   const struct boot_module *kernel,
		   const struct kernel_image *image,
		   const struct boot_module *ramdisk, struct dom0_plan *plan)
{
	uint64_t rest = align_up(want, ALIGN_2M);
	int rc = ranges_copy(&left, free);

	if (rc) {
		return rc;
	}
	memset(plan, 0, sizeof(*plan));
	plan->kernel_span = align_up(image->image_size, PAGE_SIZE);
	rc = take_around(plan, kernel->start, &rest);
	if (rc == 0 && ramdisk &&
	    !in_banks(plan, ramdisk->start, ramdisk->size)) {
		rc = take_around(plan, ramdisk->start, &rest);
	}
	if (rc == 0 && rest) {
		rc = take_rest(plan, rest);
	}
	return rc ? rc : place_images(plan, kernel, image, ramdisk);
}
