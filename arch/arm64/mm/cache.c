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

void arch_clean_dcache(const void *va, size_t len)
{
	uint64_t line = dcache_line();
	uint64_t a = align_down((uint64_t)(uintptr_t)va, line);
	uint64_t end = (uint64_t)(uintptr_t)va + len;

	for (; a < end; a += line) {
		__asm__ volatile("dc civac, %0" : : "r"(a) : "memory");
	}
	dsb(sy); /* before a device or a guest with caches off looks */
}

void arch_invalidate_icache(void)
{
	__asm__ volatile("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
}

void arch_clear_page(void *page)
{
	uint64_t dczid = read_sysreg(dczid_el0);
	uint64_t block = UINT64_C(4) << field_get(DCZID_BS, dczid);
	char *p = page;

	if (!(dczid & DCZID_DZP) && block <= PAGE_SIZE) {
		for (uint64_t o = 0; o < PAGE_SIZE; o += block) {
			__asm__ volatile("dc zva, %0" : : "r"(p + o)
					 : "memory");
		}
		return;
	}
	for (uint64_t o = 0; o < PAGE_SIZE; o += 16) {
		__asm__ volatile("stp xzr, xzr, [%0]" : : "r"(p + o)
				 : "memory");
	}
}
