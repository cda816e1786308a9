/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of RAM: who owns each, how many references hold it, and the free
 * ones. Start-up cost does not grow with memory: the table of a 2 MiB chunk
 * is filled in when a frame of it is first looked at on its own.
 */
#ifndef HV_PAGE_ALLOC_H
#define HV_PAGE_ALLOC_H

#include <lib/types.h>

struct domain;

#define MAX_ORDER 18u          /* 1 GiB */
#define ORDER_4K 0u
#define ORDER_2M 9u
#define ORDER_1G 18u
#define OWNER_NONE 0x7fffu     /* free, or nobody's yet */
#define MAX_MEM_BANKS 32u

/*
 * One frame. An allocated frame has count >= 1: one for being allocated
 * (PGF_ALLOCATED, dropped by page_release_owner()), one per mapping, window,
 * grant or foreign map. At 0 it is scrubbed and free again.
 */
struct page {
	uint32_t count;        /* atomic */
	uint16_t owner;        /* domid, DOMID_XEN for ours, OWNER_NONE */
	uint8_t flags;         /* PGF_* */
	uint8_t order;         /* of the free block this frame heads */
};

enum page_flags {
	PGF_ALLOCATED = 1u << 0, /* the allocation's own count is held */
	PGF_DIRTY = 1u << 1,     /* must be scrubbed before a new owner */
	PGF_FREE_HEAD = 1u << 2,
	PGF_RESERVED = 1u << 3,  /* never given out (image, module, DTB) */
};

/* ---- boot (boot CPU only) ------------------------------------------------ */
/* Declare a bank of RAM; carve the frame table out of it. Whole bank busy. */
__must_check int page_alloc_add_bank(paddr_t start, uint64_t size);
/* Give a range of a bank to the allocator, 4 KiB granular, contents dirty. */
void page_alloc_free_range(paddr_t start, uint64_t size);

/* ---- frames -------------------------------------------------------------- */
/* NULL when @m is not RAM that we manage. */
struct page *page_of(mfn_t m);
mfn_t page_mfn(const struct page *pg);
/* Take a reference; false when the frame is free (count 0) or wraps. */
__must_check bool page_get(struct page *pg);
/* Same, only if @owner owns it. */
__must_check bool page_get_owned(struct page *pg, uint16_t owner);
void page_put(struct page *pg);

/*
 * Allocate 2^order frames for the hypervisor itself (zeroed) on behalf of @d
 * (NULL: nobody), mapped in the direct map. NULL when there is none.
 */
void *hv_alloc_pages(struct domain *d, unsigned int order);
void hv_free_pages(struct domain *d, void *va, unsigned int order);

enum dom_alloc_flags {
	DALLOC_BELOW_4G = 1u << 0,
	DALLOC_NO_SCRUB = 1u << 1, /* boot, first owner only */
};
/*
 * Allocate 2^order contiguous frames owned by @d (count 1, PGF_ALLOCATED),
 * scrubbed; charges d->tot_pages, respects d->max_pages. -ENOMEM (*out not
 * touched).
 */
__must_check int dom_alloc_pages(struct domain *d, unsigned int order,
				 unsigned int flags, mfn_t *out);
/*
 * Claim an exact range that the allocator has (dom0's modules in place,
 * direct-mapped domains). -EBUSY when any of it is taken.
 */
__must_check int dom_claim_range(struct domain *d, mfn_t start, uint64_t nr);
/* Drop the allocation's own reference (once; later calls do nothing). */
void page_release_owner(struct domain *d, struct page *pg);
/* Largest free block that dom_alloc_pages would give, for planning dom0. */
uint64_t page_alloc_nr_free(void);
uint64_t page_alloc_nr_total(void);
/* Walk free blocks >= order from the top of a bank: used for dom0 banks. */
__must_check int dom_alloc_exact_or_best(struct domain *d, uint64_t want_pages,
					 unsigned int flags, mfn_t *start,
					 uint64_t *got_pages);

#endif
