/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that the device tree sets aside for domains, and for the heap. */
#ifndef BOOT_FDT_DOM_MEM_H
#define BOOT_FDT_DOM_MEM_H

#include <hv/platform.h>
#include "fdt_util.h"

#define MAX_STATIC_BANKS 8u /* of one domain */
#define MAX_SHARED 8u       /* regions of one domain */
#define MAX_STATIC_HEAP 8u
#define SHM_ID_SIZE 16u     /* with its NUL, as in Xen */

enum shm_role { SHM_NO_ROLE, SHM_OWNER, SHM_BORROWER };

/* One domain's use of a region that domains share. */
struct shm_use {
	char id[SHM_ID_SIZE];
	uint8_t role;          /* enum shm_role */
	uint64_t ipa;          /* where the domain has it */
	struct mem_range host;
};

/* Of one domain. */
struct boot_mem {
	struct mem_range bank[MAX_STATIC_BANKS]; /* machine addresses */
	uint32_t nr_banks;     /* 0: its memory comes from the heap */
	bool direct_map;
	bool said;             /* fdt_dom_mem_parse() has something to read */
	struct shm_use shm[MAX_SHARED];
	uint32_t nr_shm;
};

/* dom0's: it has shared memory only. */
extern struct boot_mem dom0_mem;
/* What alone is heap; none: all that is free. */
extern struct mem_range boot_heap[MAX_STATIC_HEAP];
extern uint32_t nr_boot_heap;

extern const char *const dt_shared_memory[]; /* "compatible" of a use */

/*
 * What the properties of node @idx say. -EINVAL, -ENOSPC: logged, as for all
 * of these.
 */
__must_check int fdt_dom_mem_parse(struct dt *t, uint32_t idx,
				   struct boot_mem *m);
/* One more use of a region, from node @idx. */
__must_check int fdt_dom_mem_shared(struct dt *t, uint32_t idx,
				    struct boot_mem *m);
/* A use of dom0's; a mistake leaves only that out. */
void fdt_dom_mem_dom0(struct dt *t, uint32_t idx, const struct platform *p);
/* xen,static-heap of /chosen. */
__must_check int fdt_static_heap_parse(struct dt *t, const struct platform *p);

/*
 * fdt_dom_mem_check.c: where all of it lies. Refuses the domains of which
 * something lies badly; dom0 loses its shared memory for that.
 */
void fdt_dom_mem_check(const struct platform *p, const struct mem_range *image,
		       const struct mem_range *dtb);

#endif
