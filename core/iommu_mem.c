/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of IOMMUs' own tables: a driver takes it when it starts, and when a
 * table is divided, which may be at a domain's end.
 */
#include <hv/iommu_dev.h>

#include <hv/arch.h>
#include <hv/page_alloc.h>

void *iommu_alloc_frames(unsigned int order, uint64_t *pa)
{
	void *va = hv_alloc_pages(NULL, order);

	*pa = va ? hv_pa(va).v : 0;
	return va;
}

void *iommu_memory_at(uint64_t pa)
{
	return page_is_hv(paddr_to_mfn(paddr(pa))) ? hv_va(paddr(pa)) : NULL;
}
