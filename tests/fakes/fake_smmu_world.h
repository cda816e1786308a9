/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units of the SMMUv2 driver over the register model, and owners of memory
 * with real stage-2 tables (arch/arm64/mm/pgtable.c) for them to walk.
 *
 * A frame belongs to the hypervisor, to an owner, or to nobody. One that goes
 * back is filled with descriptors that lead to the hypervisor's first frame,
 * and is the next to be given out: who still uses it is found out.
 */
#ifndef FAKE_SMMU_WORLD_H
#define FAKE_SMMU_WORLD_H

#include "fake_smmu500.h" /* before what it stands in for */

#include <criterion/criterion.h>
#include <lib/errno.h>

#include "arch/arm64/mm/pgtable.h"
#include "drivers/smmu/smmuv2_priv.h"
#include <hv/iommu.h>

#define WORLD_RAM UINT64_C(0x80000000)
#define WORLD_FRAMES 256u
#define WORLD_OWNERS 4u
#define WORLD_IPAS 8u /* pages of an owner that a test maps */

enum { FRAME_FREE = -1, FRAME_HV = -2 };

struct world_owner {
	struct pgtable pt;
	struct iommu_space space;
	uint16_t id;
};

extern struct iommu world_unit[FAKE_SMMUS];
extern struct iommu_config world_config[FAKE_SMMUS];
extern struct world_owner world_owner[WORLD_OWNERS];
extern int world_frame[WORLD_FRAMES]; /* its owner, or FRAME_... */
/* Every word that fault() said. */
extern struct iommu_fault world_faults[64];
extern uint32_t world_nr_faults;
extern bool world_no_memory;

/* Models as a boot loader leaves them, drivers not started. */
void world_reset(void);
/* A config as boot code makes it; the driver's init() with it. */
int world_start(uint32_t n);
/* Both, and all owners empty. */
void world_init(void);
/* New tables; the owner's tag is its number + 1. */
void world_owner_make(uint32_t o);
/* Its frames and tables go, without a word to any unit. */
void world_owner_end(uint32_t o);
/* Page @page of its addresses gets a frame; false: it has one, none left. */
bool world_map(uint32_t o, uint64_t page, bool writable);
bool world_unmap(uint32_t o, uint64_t page);
/* The frame where the owner's page is, and whether it may be written. */
bool world_find(uint32_t o, uint64_t page, uint64_t *pa, bool *writable);

int world_attach(uint32_t n, uint32_t first, uint32_t nr, uint32_t o);
void world_detach(uint32_t n, uint32_t first, uint32_t nr, uint32_t o);
/* An access of @stream to page @page ends so; DMA_DONE: in @o's own frame. */
void world_expect(uint32_t n, uint32_t stream, uint64_t page,
		  enum fake_dma_end end, uint32_t o);

#endif
