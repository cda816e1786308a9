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
 * grant or foreign map. At 0 it is free again; it is scrubbed before it gets
 * its next owner.
 */
struct page {
	uint32_t count;        /* atomic */
	uint16_t owner;        /* domid, DOMID_XEN for ours, OWNER_NONE */
	uint8_t flags;         /* PGF_* */
	uint8_t node;          /* allocator: node of the chunk's free tree */
};
STATIC_ASSERT(sizeof(struct page) == 8, "2 MiB of RAM cost 4 KiB of table");

enum page_flags {
	PGF_ALLOCATED = 1u << 0, /* the allocation's own count is held */
	PGF_DIRTY = 1u << 1,     /* must be scrubbed before a new owner */
	PGF_FREE = 1u << 2,
	/* Never free: image, modules, static memory, also while it is owned. */
	PGF_RESERVED = 1u << 3,
	PGF_HEAP_ORDER = 7u << 4, /* heap.c: size of a large object */
};

/* A count at this value is never taken any higher: page_get() refuses. */
#define PAGE_COUNT_MAX 0x7fffffffu
/* Attempts of one atomic update before it counts as refused. */
#define PAGE_CAS_TRIES 4096u

/* ---- boot (boot CPU only) ------------------------------------------------ */
/*
 * Declare a bank of RAM, in ascending order; whole bank busy. The frame
 * table comes out of the first range of the bank that is freed and is large
 * enough (8 bytes a page and 16 a 2 MiB chunk); until then page_of() knows no
 * frame of this bank. -EINVAL, -ENOSPC.
 */
__must_check int page_alloc_add_bank(paddr_t start, uint64_t size);
/* Bytes of that table for a bank, a multiple of PAGE_SIZE. */
uint64_t page_alloc_table_size(paddr_t start, uint64_t size);
/* Give a range of a bank to the allocator, 4 KiB granular, contents dirty. */
void page_alloc_free_range(paddr_t start, uint64_t size);

/* ---- frames -------------------------------------------------------------- */
/* NULL when @m is not RAM that we manage, or is free or reserved. */
struct page *page_of(mfn_t m);
mfn_t page_mfn(const struct page *pg);
/* The last reference is gone: @was is the count before. */
void page_put_last(struct page *pg, uint32_t was);

/* page_get() when the first attempt lost a race; bounded. */
bool page_get_contended(struct page *pg);

/* Take a reference; false when the frame is free (count 0) or wraps. */
__must_check static inline bool page_get(struct page *pg)
{
	uint32_t c = __atomic_load_n(&pg->count, __ATOMIC_RELAXED);

	if (unlikely(c - 1 >= PAGE_COUNT_MAX - 1)) {
		return false; /* 0, or as high as it may go */
	}
	return likely(__atomic_compare_exchange_n(&pg->count, &c, c + 1, true,
						  __ATOMIC_ACQUIRE,
						  __ATOMIC_RELAXED)) ||
	       page_get_contended(pg);
}

static inline void page_put(struct page *pg)
{
	uint32_t was = __atomic_fetch_sub(&pg->count, 1, __ATOMIC_RELEASE);

	if (unlikely(was <= 1)) {
		page_put_last(pg, was);
	}
}

static inline uint16_t page_owner(const struct page *pg)
{
	return __atomic_load_n(&pg->owner, __ATOMIC_RELAXED);
}

/* page_get(), only if @owner owns it and has not given it up. */
__must_check bool page_get_owned(struct page *pg, uint16_t owner);

/*
 * The same for @nr frames from @m on, all or nothing: -EINVAL when one is not
 * @owner's. A 2 MiB chunk that is of one kind throughout costs one step.
 */
__must_check int page_ref_range(uint16_t owner, mfn_t m, uint64_t nr);
void page_unref_range(mfn_t m, uint64_t nr);
/* Audit: what is known of a frame. */
struct page_state {
	uint32_t count;
	uint16_t owner;
	uint8_t flags;  /* PGF_* */
	uint64_t nr;    /* frames from it on of which the same is known */
};
/* False: it is not RAM that we manage. Looks, and changes nothing. */
bool page_inspect(mfn_t m, struct page_state *s);
/* It is RAM, and allocated for the hypervisor itself. */
bool page_is_hv(mfn_t m);
/* Frames from the first of RAM on, to the next bank or INVALID_FRAME. */
mfn_t page_next_of_ram(mfn_t m);
/* Drop the allocation's own reference (once; later calls do nothing). */
void page_release_owner(struct domain *d, struct page *pg);
void page_release_range(struct domain *d, mfn_t m, uint64_t nr);

/*
 * Allocate 2^order frames for the hypervisor itself (zeroed) on behalf of @d
 * (NULL: nobody), mapped in the direct map. NULL when there is none.
 */
void *hv_alloc_pages(struct domain *d, unsigned int order);
/* NULL allowed. Frames that a guest still maps stay ours until unmapped. */
void hv_free_pages(struct domain *d, void *va, unsigned int order);

/*
 * Allocate 2^order contiguous frames owned by @d (count 1, PGF_ALLOCATED),
 * scrubbed; charges d->tot_pages, respects d->max_pages. -ENOMEM (*out not
 * touched).
 */
__must_check int dom_alloc_pages(struct domain *d, unsigned int order,
				 mfn_t *out);
/*
 * Set frames aside for @d: nobody else gets them until it has @total in all,
 * or ends. -EINVAL when @d has that many already, may not have them, has a
 * claim or is being torn down; -ENOMEM when too few are free.
 */
__must_check int page_claim(struct domain *d, uint64_t total);
/* Give up what is left of it. */
void page_unclaim(struct domain *d);
/*
 * Claim an exact range that the allocator has (dom0's modules in place,
 * direct-mapped domains); contents are kept. Boot only. -EBUSY when any of
 * it is taken, -ENOMEM when @d may not have that much.
 */
__must_check int dom_claim_range(struct domain *d, mfn_t start, uint64_t nr);

uint64_t page_alloc_nr_free(void);  /* exact */
uint64_t page_alloc_nr_claimed(void); /* of these, for page_claim() */
uint64_t page_alloc_nr_total(void); /* RAM of all banks */
uint64_t page_alloc_max_mfn(void);  /* one past the last frame of RAM */

#endif
