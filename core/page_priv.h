/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the frame allocator share. All of it is under page_lock
 * except where said.
 */
#ifndef CORE_PAGE_PRIV_H
#define CORE_PAGE_PRIV_H

#include <hv/lock.h>
#include <hv/page_alloc.h>

#define CHUNK_PAGES 512u      /* 2 MiB */
#define REGION_CHUNKS 512u    /* 1 GiB */
#define CHUNK_SPLIT 0x80u     /* in page_chunk.flags: the table tells */

/*
 * A region that nobody has looked into has no records yet, but zeros, which
 * page_of() takes for frames that nobody has.
 */
enum region_state {
	REGION_KNOWN,    /* its records tell */
	REGION_RESERVED, /* as all of a bank is at first */
	REGION_FREE,
};

/*
 * Record of a 2 MiB chunk. While it is not split, count, owner and flags hold
 * for each of its 512 frames (the template). The first 8 bytes are laid out
 * as struct page, so that one tree serves both levels.
 */
struct page_chunk {
	uint32_t count;
	uint16_t owner;
	uint8_t flags;     /* PGF_* | CHUNK_SPLIT; SPLIT read without lock */
	uint8_t node;      /* of the region's tree of whole free chunks */
	uint8_t part;      /* of the region's tree of split chunks */
	uint8_t part_leaf; /* root of this split chunk's frame tree; 0: full */
	uint8_t region;    /* of a region's first: enum region_state */
	uint8_t reserved[5];
};
STATIC_ASSERT(sizeof(struct page_chunk) == 16, "1 TiB costs 8 MiB");
STATIC_ASSERT(offsetof(struct page_chunk, flags) ==
		      offsetof(struct page, flags) &&
	      offsetof(struct page_chunk, node) == offsetof(struct page, node),
	      "struct page_tree walks both");

struct mem_bank {
	/* What page_of() reads; usable is 0 until there is a table. */
	uint64_t first;           /* frames [first, first + nr) */
	uint64_t usable;
	uintptr_t chunk_of_0;     /* where the record of frame 0 would be */
	uintptr_t frame_of_0;     /* and its struct page */

	uint64_t nr;
	uint64_t base;            /* frame of chunk[0]: 1 GiB aligned */
	uint64_t table_base;      /* frame of table[0]: 2 MiB aligned */
	uint64_t nr_regions;
	struct page_chunk *chunk; /* [nr_regions * REGION_CHUNKS]; NULL: none */
	struct page *table;
};

extern struct spinlock page_lock;
extern struct mem_bank page_bank[MAX_MEM_BANKS];
extern uint32_t page_nr_banks;
extern uint64_t page_nr_free;

/* ---- page_claim.c -------------------------------------------------------- */
extern uint64_t page_nr_claimed; /* sum of all domains' claimed_pages */
/* How many of @nr frames for @d (NULL: nobody's) it has claimed. */
uint64_t claim_part_locked(const struct domain *d, uint64_t nr)
	REQUIRES(page_lock);
/* It has taken so many of them, or gives them up. */
void claim_reduce_locked(struct domain *d, uint64_t nr) REQUIRES(page_lock);

/* ---- page_tree.c: buddy trees of 512 leaves, nodes in the entries -------- */
struct page_tree {
	uint8_t *entry; /* flags of entry 0; the node is the byte after */
	size_t stride;
};

static inline struct page_tree tree_of_frames(struct page *first)
{
	return (struct page_tree){ .entry = &first->flags,
				   .stride = sizeof(*first) };
}

static inline struct page_tree tree_of_chunks(struct page_chunk *first)
{
	return (struct page_tree){ .entry = &first->flags,
				   .stride = sizeof(*first) };
}

/* Largest free block: its order + 1; 0: nothing free. */
unsigned int tree_root(struct page_tree t);
/* Index of a free block of 2^order leaves, the lowest; -1: none. */
int tree_find(struct page_tree t, unsigned int order);
/*
 * Leaves [idx, idx + 2^order) changed to free or busy: the caller has set
 * their flags; make the nodes agree.
 */
void tree_set(struct page_tree t, unsigned int idx, unsigned int order,
	      bool is_free);

/* The region's index of split chunks with free frames. */
void part_set(struct page_chunk *region, unsigned int idx, unsigned int root);
/* Lowest chunk with a free block of 2^order frames; -1: none. */
int part_find(const struct page_chunk *region, unsigned int order);

/* ---- page_table.c ---------------------------------------------------- */
struct mem_bank *bank_of(uint64_t m);
struct page_chunk *chunk_of(const struct mem_bank *b, uint64_t m);
/* Entry of a frame whose chunk is split. */
struct page *frame_of(const struct mem_bank *b, uint64_t m);
void chunk_split_locked(struct mem_bank *b, uint64_t m) REQUIRES(page_lock);
enum region_state region_state(const struct mem_bank *b, uint64_t m)
	REQUIRES(page_lock);
/* Write its records, if it has none. */
void region_know_locked(struct mem_bank *b, uint64_t m) REQUIRES(page_lock);
/* 2^order chunks from frame @m on, all free / not free any more. */
void chunks_free_locked(struct mem_bank *b, uint64_t m, unsigned int order)
	REQUIRES(page_lock);
void chunks_take_locked(struct mem_bank *b, uint64_t m, unsigned int order)
	REQUIRES(page_lock);
/* The last reference is gone: free, or unused again if it is static memory. */
void chunk_unused_locked(struct mem_bank *b, uint64_t m) REQUIRES(page_lock);
void frame_unused_locked(struct mem_bank *b, uint64_t m) REQUIRES(page_lock);
/* Frames of a split chunk. */
void frames_take_locked(struct mem_bank *b, uint64_t m, unsigned int order)
	REQUIRES(page_lock);

/* ---- page_alloc.c ---------------------------------------------------- */
/* Count @nr frames as @d's; false: it may not have that many. */
bool frames_charge(struct domain *d, uint64_t nr);

/* ---- page_range.c ---------------------------------------------------- */
void frames_uncharge(struct domain *d, uint64_t nr);
/* Frames taken, not visible to anyone yet. */
void frames_scrub(uint64_t m, uint64_t nr, bool clean_cache);
void frames_publish(uint16_t owner, uint64_t m, uint64_t nr);

/* Frames from @m to the end of its chunk, at most @nr. */
static inline uint64_t chunk_part(uint64_t m, uint64_t nr)
{
	uint64_t left = CHUNK_PAGES - (m & (CHUNK_PAGES - 1));

	return nr < left ? nr : left;
}

static inline bool chunk_is_split(const struct page_chunk *c)
{
	/* Pairs with chunk_split_locked(): the table is complete. */
	return (__atomic_load_n(&c->flags, __ATOMIC_ACQUIRE) & CHUNK_SPLIT) !=
	       0;
}

#endif
