/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache maintenance by address.
 *
 * Bounds  len / line size; callers bound len.
 * Spec    [ARM] D7.5 "Cache support".
 */
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <hv/arch.h>

#define CTR_DMINLINE FIELD64(19, 16)
#define DCZID_DZP BIT64(4)
#define DCZID_BS FIELD64(3, 0)

static uint64_t dcache_line(void)
{
	return UINT64_C(4) << field_get(CTR_DMINLINE, read_sysreg(ctr_el0));
}

static void clean_line(uint64_t a)
{
	__asm__ volatile("dc civac, %0" : : "r"(a) : "memory");
}

void arch_clean_dcache(const void *va, size_t len)
{
	uint64_t line = dcache_line();
	uint64_t a = align_down((uint64_t)(uintptr_t)va, line);
	uint64_t end = (uint64_t)(uintptr_t)va + len;

	/* Four a turn: whole pages are cleaned for each new guest. */
	for (; a + 3 * line < end; a += 4 * line) {
		clean_line(a);
		clean_line(a + line);
		clean_line(a + 2 * line);
		clean_line(a + 3 * line);
	}
	for (; a < end; a += line) {
		clean_line(a);
	}
	dsb(sy); /* before a device or a guest with caches off looks */
}

void arch_invalidate_icache(void)
{
	__asm__ volatile("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
}

static void zero_block(char *p)
{
	__asm__ volatile("dc zva, %0" : : "r"(p) : "memory");
}

void arch_clear_page(void *page)
{
	uint64_t dczid = read_sysreg(dczid_el0);
	uint64_t block = UINT64_C(4) << field_get(DCZID_BS, dczid);
	char *p = page;
	char *end = p + PAGE_SIZE;

	if (!(dczid & DCZID_DZP) && 4 * block <= PAGE_SIZE) {
		for (; p < end; p += 4 * block) {
			zero_block(p);
			zero_block(p + block);
			zero_block(p + 2 * block);
			zero_block(p + 3 * block);
		}
		return;
	}
	for (; p < end; p += 16) {
		__asm__ volatile("stp xzr, xzr, [%0]" : : "r"(p) : "memory");
	}
}
