/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At which level of the guest's own tables did its walk meet a hole? The
 * hardware tells EL2 where, not at which level; the guest is owed it.
 *
 * Not     a translation: that is the hardware's (mm/gva.c).
 * CPU     the vCPU's own, with its EL1 registers live.
 * Bounds  four levels. The tables are the guest's: each is looked up, held
 *         by a reference while one word of it is read, and only compared.
 * Spec    [ARM] D8.2 "Translation process", 4 KiB granule; other granules
 *         are answered with the last level.
 */
#include <arch/pte.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/page_alloc.h>

#define TCR_T0SZ FIELD64(5, 0)
#define TCR_T1SZ FIELD64(21, 16)
#define TCR_TG0 FIELD64(15, 14)
#define TCR_TG1 FIELD64(31, 30)
#define TG0_4K 0u
#define TG1_4K 2u
#define TTBR_BADDR FIELD64(47, 1)
#define VA_UPPER BIT64(55)
#define LAST_LEVEL 3u

static bool read_descriptor(struct domain *d, uint64_t at, uint64_t *out)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(d, ipa_to_gfn(ipa(at)), &e);
	const uint64_t *word;

	if (!pg) {
		return false;
	}
	word = (const uint64_t *)hv_va(
		paddr(mfn_to_paddr(page_mfn(pg)).v + (at & ~PAGE_MASK & ~7ul)));
	*out = __atomic_load_n(word, __ATOMIC_RELAXED);
	page_put(pg);
	return true;
}

unsigned int s1_walk_level(struct vcpu *v, uint64_t va, ipa_t fault)
{
	uint64_t tcr = read_sysreg(tcr_el1);
	bool upper = (va & VA_UPPER) != 0;
	uint64_t table = (upper ? read_sysreg(ttbr1_el1) :
				  read_sysreg(ttbr0_el1)) & TTBR_BADDR;
	uint64_t tsz = upper ? field_get(TCR_T1SZ, tcr) :
			       field_get(TCR_T0SZ, tcr);
	bool granule_4k = upper ? field_get(TCR_TG1, tcr) == TG1_4K :
				  field_get(TCR_TG0, tcr) == TG0_4K;
	unsigned int level;

	if (!granule_4k || tsz < 16 || tsz > 39) {
		return LAST_LEVEL;
	}
	for (level = (unsigned int)(tsz - 16) / 9; level < LAST_LEVEL;
	     level++) { /* bound: levels */
		uint64_t index = (va >> PT_LEVEL_SHIFT(level)) &
				 (PT_ENTRIES - 1);
		uint64_t at = table + index * 8;
		uint64_t pte;

		if (at >> PAGE_SHIFT == fault.v >> PAGE_SHIFT ||
		    !read_descriptor(v->domain, at, &pte)) {
			break;
		}
		table = pte & PTE_ADDR;
	}
	return level;
}
