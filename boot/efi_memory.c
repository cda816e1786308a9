/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's map of memory as the device tree says it: memory, and what
 * of it stays the firmware's.
 *
 * Why     runtime services are not called, but the firmware's secure side and
 *         a crash kernel of dom0's may look there, and dom0 is told of
 *         nothing it could break.
 * CPU     the boot CPU under the firmware: position independent, see efi.c.
 * Bounds  the map's descriptors times MAX_RANGES.
 * Spec    [UEFI] 7.2.3 "GetMemoryMap".
 */
#include "efi_memory.h"
#include "efi.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

/* A bank has a table of its frames in it: less is not worth one. */
#define BANK_MIN UINT64_C(0x400000)
/* Of MAX_RESERVED; the tree has some of its own. */
#define RESERVED_MAX 40u

enum use { USE_NONE, USE_KEPT, USE_FREE };

static enum use use_of(const struct efi_memory_descriptor *d)
{
	if (!(d->attribute & EFI_MEMORY_WB)) {
		return USE_NONE;
	}
	switch (d->type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_SERVICES_CODE:
	case EFI_BOOT_SERVICES_DATA:
	case EFI_CONVENTIONAL:
		return USE_FREE;
	case EFI_RUNTIME_SERVICES_CODE:
	case EFI_RUNTIME_SERVICES_DATA:
	case EFI_ACPI_RECLAIM:
	case EFI_ACPI_NVS:
		return USE_KEPT;
	default:
		/* Devices, secure memory: not even to be mapped. */
		return USE_NONE;
	}
}

/* The stricter of two descriptors that overlap wins: those come later. */
static int take_in(struct efi_memory *m, const struct efi_memory_descriptor *d,
		   enum use pass)
{
	uint64_t size = d->nr_pages > UINT64_MAX / EFI_PAGE_SIZE
				? UINT64_MAX
				: d->nr_pages * EFI_PAGE_SIZE;
	int rc;

	if (use_of(d) != pass) {
		return 0;
	}
	if (pass == USE_FREE) {
		rc = ranges_add(&m->usable, d->physical, size);
		return rc ? rc : ranges_add(&m->ram, d->physical, size);
	}
	rc = ranges_remove(&m->usable, d->physical, size);
	if (rc == 0) {
		rc = pass == USE_KEPT
			     ? ranges_add(&m->ram, d->physical, size)
			     : ranges_remove(&m->ram, d->physical, size);
	}
	return rc;
}

static int take_in_all(struct efi_memory *m, const uint8_t *map, uint64_t size,
		       uint64_t stride)
{
	static const uint8_t order[] = {USE_FREE, USE_KEPT, USE_NONE};

	for (uint32_t pass = 0; pass < sizeof(order); pass++) {
		for (uint64_t at = 0; stride <= size - at; at += stride) {
			struct efi_memory_descriptor d;
			int rc;

			memcpy(&d, map + at, sizeof(d));
			rc = take_in(m, &d, (enum use)order[pass]);
			if (rc) {
				return rc;
			}
		}
	}
	return 0;
}

/* The largest piece of @in that begins in @bank. */
static uint64_t largest_in(const struct ranges *in,
			   const struct mem_range *bank)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < in->nr; i++) {
		const struct mem_range *r = &in->r[i];

		if (r->start >= bank->start &&
		    r->start - bank->start < bank->size && r->size > most) {
			most = r->size;
		}
	}
	return most;
}

static int drop_small_banks(struct efi_memory *m)
{
	uint32_t i = 0;

	while (i < m->ram.nr) { /* bound: one goes, or one is passed */
		const struct mem_range r = m->ram.r[i];
		int rc;

		if (largest_in(&m->usable, &r) >= BANK_MIN) {
			i++;
			continue;
		}
		rc = ranges_remove(&m->ram, r.start, r.size);
		rc = rc ? rc : ranges_remove(&m->usable, r.start, r.size);
		if (rc) {
			return rc;
		}
	}
	return m->ram.nr ? 0 : -ENOMEM;
}

/* Reserve what is between the two that are closest to each other. */
static int join_closest(struct ranges *s)
{
	uint64_t least = UINT64_MAX;
	uint64_t from = 0;

	for (uint32_t i = 1; i < s->nr; i++) {
		uint64_t end = s->r[i - 1].start + s->r[i - 1].size;

		if (s->r[i].start - end < least) {
			least = s->r[i].start - end;
			from = end;
		}
	}
	return ranges_add(s, from, least);
}

int efi_memory_read(struct efi_memory *m, const void *map, uint64_t size,
		    uint64_t stride)
{
	int rc;

	m->ram = (struct ranges)RANGES_IN(m->ram_r);
	m->usable = (struct ranges)RANGES_IN(m->usable_r);
	m->reserved = (struct ranges)RANGES_IN(m->reserved_r);
	if (stride < sizeof(struct efi_memory_descriptor) || stride > size) {
		return -EINVAL;
	}
	rc = take_in_all(m, map, size, stride);
	rc = rc ? rc : drop_small_banks(m);
	rc = rc ? rc : ranges_copy(&m->reserved, &m->ram);
	for (uint32_t i = 0; i < m->usable.nr && rc == 0; i++) {
		rc = ranges_remove(&m->reserved, m->usable.r[i].start,
				   m->usable.r[i].size);
	}
	while (rc == 0 && m->reserved.nr > RESERVED_MAX) {
		rc = join_closest(&m->reserved); /* bound: one less each */
	}
	return rc;
}
