/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame table: banks of RAM, 2 MiB chunks, and frames.
 *
 * Owns    page_bank[], the chunk records and the table of struct page.
 * Not     who gets a frame (page_alloc.c), nor counting many (page_range.c).
 * State   of a chunk: uniform (its record holds for all 512 frames) or split
 *         (its 4 KiB of the table do). A chunk splits when one of its frames
 *         is looked at on its own, and becomes uniform again when all its
 *         frames are free. Table memory is written at the split, not before.
 *         The chunks of 1 GiB have records when one of them matters.
 * Locks   page_lock (rank PAGE_ALLOC, leaf) for every change. page_of() takes
 *         it only to split; then it is one acquire load.
 * Bounds  splitting writes 512 entries; all else is O(1) or 9 tree steps.
 */
#include "page_priv.h"

#include <abi/xen.h>
#include <hv/arch.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Ranges freed before the bank has its table. */
#define MAX_EARLY 32u

struct spinlock page_lock = SPINLOCK_INIT(PAGE_ALLOC);
struct mem_bank page_bank[MAX_MEM_BANKS];
uint32_t page_nr_banks;
uint64_t page_nr_free;

static struct {
	uint64_t first;
	uint64_t nr;
} early[MAX_EARLY];
static uint32_t nr_early;

struct mem_bank *bank_of(uint64_t m)
{
	uint32_t i;

	for (i = 0; i < page_nr_banks; i++) { /* bound: MAX_MEM_BANKS */
		struct mem_bank *b = &page_bank[i];

		if (m - b->first < b->usable) {
			return b;
		}
	}
	return NULL;
}

struct page_chunk *chunk_of(const struct mem_bank *b, uint64_t m)
{
	return &b->chunk[(m - b->base) / CHUNK_PAGES];
}

struct page *frame_of(const struct mem_bank *b, uint64_t m)
{
	return &b->table[m - b->table_base];
}

static struct page_chunk *region_of(const struct mem_bank *b, uint64_t m)
{
	uint64_t first = align_down((m - b->base) / CHUNK_PAGES, REGION_CHUNKS);

	return &b->chunk[first];
}

static unsigned int index_in_region(const struct mem_bank *b, uint64_t m)
{
	return (unsigned int)((m - b->base) / CHUNK_PAGES) % REGION_CHUNKS;
}

enum region_state region_state(const struct mem_bank *b, uint64_t m)
{
	return (enum region_state)region_of(b, m)->region;
}

void region_know_locked(struct mem_bank *b, uint64_t m)
{
	struct page_chunk *c = region_of(b, m);
	bool is_free = c->region == REGION_FREE;
	struct page_chunk e = {
		.owner = OWNER_NONE,
		.flags = is_free ? PGF_FREE | PGF_DIRTY : PGF_RESERVED,
	};
	unsigned int level, i;
	uint64_t words[2]; /* one store an entry */

	if (c->region == REGION_KNOWN) {
		return;
	}
	c[0] = e;
	for (level = 0; level < ORDER_2M; level++) {
		e.node = (uint8_t)(is_free ? ORDER_2M + 1 - level : 0);
		__builtin_memcpy(words, &e, sizeof(e));
		for (i = 1u << level; i < 2u << level; i++) {
			__builtin_memcpy(&c[i], words, sizeof(e));
		}
	}
}

void chunks_free_locked(struct mem_bank *b, uint64_t m, unsigned int order)
{
	struct page_chunk *c = chunk_of(b, m);
	uint32_t nr = 1u << order;
	uint32_t i;

	for (i = 0; i < nr; i++) { /* bound: REGION_CHUNKS */
		c[i].count = 0;
		c[i].owner = OWNER_NONE;
		__atomic_store_n(&c[i].flags, PGF_FREE | PGF_DIRTY,
				 __ATOMIC_RELEASE);
	}
	tree_set(tree_of_chunks(region_of(b, m)), index_in_region(b, m), order,
		 true);
	page_nr_free += (uint64_t)nr * CHUNK_PAGES;
}

void chunks_take_locked(struct mem_bank *b, uint64_t m, unsigned int order)
{
	struct page_chunk *c = chunk_of(b, m);
	uint32_t nr = 1u << order;
	uint32_t i;

	for (i = 0; i < nr; i++) { /* bound: REGION_CHUNKS */
		ASSERT((c[i].flags & PGF_FREE) && c[i].count == 0);
		c[i].flags = c[i].flags & PGF_DIRTY;
	}
	tree_set(tree_of_chunks(region_of(b, m)), index_in_region(b, m), order,
		 false);
	page_nr_free -= (uint64_t)nr * CHUNK_PAGES;
}

static void part_update(struct mem_bank *b, uint64_t m)
{
	struct page *first = frame_of(b, align_down(m, CHUNK_PAGES));

	part_set(region_of(b, m), index_in_region(b, m),
		 tree_root(tree_of_frames(first)));
}

/* All 512 entries like @e, the nodes of their tree included. */
static void frames_fill(struct page *pg, struct page e, bool is_free)
{
	unsigned int level, i;
	uint64_t word; /* one store an entry */

	pg[0] = e;
	for (level = 0; level < ORDER_2M; level++) {
		e.node = (uint8_t)(is_free ? ORDER_2M + 1 - level : 0);
		__builtin_memcpy(&word, &e, sizeof(e));
		for (i = 1u << level; i < 2u << level; i++) {
			__builtin_memcpy(&pg[i], &word, sizeof(e));
		}
	}
}

void chunk_split_locked(struct mem_bank *b, uint64_t m)
{
	struct page_chunk *c = chunk_of(b, m);
	uint64_t start = align_down(m, CHUNK_PAGES);
	struct page *pg = frame_of(b, start);
	struct page template = { .count = c->count, .owner = c->owner };
	bool is_free = (c->flags & PGF_FREE) != 0;
	uint8_t flags = c->flags;

	if (flags & CHUNK_SPLIT) {
		return;
	}
	template.flags = flags;
	if (is_free) {
		chunks_take_locked(b, start, 0);
		page_nr_free += CHUNK_PAGES; /* they stay free, one by one */
	}
	frames_fill(pg, template, is_free);
	part_update(b, start);
	/* Pairs with chunk_is_split(). */
	__atomic_store_n(&c->flags, CHUNK_SPLIT, __ATOMIC_RELEASE);
}

/* A block of a chunk that is split. */
static void frames_free_locked(struct mem_bank *b, uint64_t m,
			       unsigned int order) REQUIRES(page_lock)
{
	uint64_t start = align_down(m, CHUNK_PAGES);
	struct page *pg = frame_of(b, m);
	struct page_tree t = tree_of_frames(frame_of(b, start));
	uint32_t nr = 1u << order;
	uint32_t i;

	for (i = 0; i < nr; i++) { /* bound: CHUNK_PAGES */
		pg[i].owner = OWNER_NONE;
		pg[i].flags = PGF_FREE | PGF_DIRTY;
	}
	tree_set(t, (unsigned int)(m - start), order, true);
	page_nr_free += nr;
	if (tree_root(t) == ORDER_2M + 1) {
		/* Nobody has a reference to any of them: one record again. */
		part_set(region_of(b, m), index_in_region(b, m), 0);
		page_nr_free -= CHUNK_PAGES;
		chunks_free_locked(b, start, 0);
		return;
	}
	part_update(b, m);
}

void frame_unused_locked(struct mem_bank *b, uint64_t m)
{
	struct page *pg = frame_of(b, m);

	if (!(pg->flags & PGF_RESERVED)) {
		frames_free_locked(b, m, 0);
		return;
	}
	pg->owner = OWNER_NONE;
	pg->flags = PGF_RESERVED;
}

void chunk_unused_locked(struct mem_bank *b, uint64_t m)
{
	struct page_chunk *c = chunk_of(b, m);

	if (!(c->flags & PGF_RESERVED)) {
		chunks_free_locked(b, m, 0);
		return;
	}
	c->owner = OWNER_NONE;
	c->flags = PGF_RESERVED;
}

void frames_take_locked(struct mem_bank *b, uint64_t m, unsigned int order)
{
	uint64_t start = align_down(m, CHUNK_PAGES);
	struct page *pg = frame_of(b, m);
	uint32_t nr = 1u << order;
	uint32_t i;

	for (i = 0; i < nr; i++) { /* bound: CHUNK_PAGES */
		ASSERT((pg[i].flags & PGF_FREE) && pg[i].count == 0);
		pg[i].flags = pg[i].flags & PGF_DIRTY;
	}
	tree_set(tree_of_frames(frame_of(b, start)), (unsigned int)(m - start),
		 order, false);
	part_update(b, m);
	page_nr_free -= nr;
}

/* ---- look-up --------------------------------------------------------- */

/* The chunk has no table yet: make it, if anybody owns the frames. */
__cold __attribute__((noinline)) static struct page *
page_of_uniform(struct mem_bank *b, uint64_t m)
{
	struct page_chunk *c = chunk_of(b, m);
	struct page *pg = NULL;

	spin_lock(&page_lock);
	if (!(c->flags & CHUNK_SPLIT) && c->count != 0) {
		chunk_split_locked(b, m);
	}
	if (c->flags & CHUNK_SPLIT) {
		pg = frame_of(b, m);
	}
	spin_unlock(&page_lock);
	return pg;
}

static inline struct page *page_in(struct mem_bank *b, uint64_t m)
{
	const struct page_chunk *c =
		(const struct page_chunk *)b->chunk_of_0 + m / CHUNK_PAGES;

	if (unlikely(!chunk_is_split(c))) {
		return page_of_uniform(b, m);
	}
	return (struct page *)b->frame_of_0 + m;
}

struct page *page_of(mfn_t m)
{
	struct mem_bank *b = &page_bank[0];

	/* Most machines have one; without any, nothing of it is usable. */
	if (likely(m.v - b->first < b->usable)) {
		return page_in(b, m.v);
	}
	b = bank_of(m.v);
	return b ? page_in(b, m.v) : NULL;
}

mfn_t page_mfn(const struct page *pg)
{
	uint32_t i;

	for (i = 0; i < page_nr_banks; i++) { /* bound: MAX_MEM_BANKS */
		const struct mem_bank *b = &page_bank[i];
		uint64_t idx;

		if (!b->table || pg < b->table) {
			continue;
		}
		idx = (uint64_t)(pg - b->table) + b->table_base;
		if (idx - b->first < b->nr) {
			return mfn(idx);
		}
	}
	CHECK(pg == NULL); /* not of the table: we are wrong */
	return mfn(INVALID_FRAME);
}

void page_put_last(struct page *pg, uint32_t was)
{
	uint64_t m;
	struct mem_bank *b;

	CHECK(was == 1); /* 0: somebody put what he had not got */
	/* Pairs with the releases of all earlier puts. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	m = page_mfn(pg).v;
	b = bank_of(m);
	CHECK(b);
	spin_lock(&page_lock);
	frame_unused_locked(b, m);
	spin_unlock(&page_lock);
}

/* ---- boot ------------------------------------------------------------ */

__cold static struct mem_bank bank_describe(uint64_t first, uint64_t end)
{
	struct mem_bank b = {
		.first = first,
		.nr = end - first,
		.base = align_down(first, BIT64(MAX_ORDER)),
		.table_base = align_down(first, CHUNK_PAGES),
	};

	b.nr_regions = (align_up(end, BIT64(MAX_ORDER)) - b.base) >> MAX_ORDER;
	return b;
}

/* Bytes of the records and the table of @b; both multiples of a page. */
static uint64_t records_size(const struct mem_bank *b)
{
	return b->nr_regions * REGION_CHUNKS * sizeof(struct page_chunk);
}

static uint64_t table_size(const struct mem_bank *b)
{
	uint64_t end = align_up(b->first + b->nr, CHUNK_PAGES);

	return (end - b->table_base) * sizeof(struct page);
}

__cold uint64_t page_alloc_table_size(paddr_t start, uint64_t size)
{
	struct mem_bank b =
		bank_describe(align_up(start.v, PAGE_SIZE) >> PAGE_SHIFT,
			      (start.v + size) >> PAGE_SHIFT);

	return records_size(&b) + table_size(&b);
}

__cold int page_alloc_add_bank(paddr_t start, uint64_t size)
{
	uint64_t first = align_up(start.v, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t end = (start.v + size) >> PAGE_SHIFT;
	struct mem_bank *b;

	if (start.v + size < start.v || first >= end) {
		return -EINVAL;
	}
	if (page_nr_banks == MAX_MEM_BANKS) {
		return -ENOSPC;
	}
	b = &page_bank[page_nr_banks];
	if (page_nr_banks > 0 && first < b[-1].first + b[-1].nr) {
		return -EINVAL;
	}
	*b = bank_describe(first, end);
	page_nr_banks++;
	return 0;
}

/* Part of a chunk: by blocks, as each frame alone would cost a tree's depth. */
static void part_free(struct mem_bank *b, uint64_t m, uint64_t nr)
	REQUIRES(page_lock)
{
	chunk_split_locked(b, m);
	while (nr > 0) { /* bound: two blocks an order */
		unsigned int order = m % CHUNK_PAGES ? ffs64(m) : ORDER_2M;
		const struct page *pg = frame_of(b, m);
		uint64_t i;

		order = order < fls64(nr) ? order : fls64(nr);
		for (i = 0; i < BIT64(order); i++) { /* bound: CHUNK_PAGES */
			ASSERT(pg[i].flags == PGF_RESERVED);
		}
		frames_free_locked(b, m, order);
		m += BIT64(order);
		nr -= BIT64(order);
	}
}

/*
 * The largest block of whole chunks at @m, of @nr chunks that may be freed;
 * one chunk where one of them is split.
 */
static unsigned int whole_order(const struct mem_bank *b, uint64_t m,
				uint64_t nr)
{
	const struct page_chunk *c = chunk_of(b, m);
	uint64_t idx = m / CHUNK_PAGES;
	unsigned int order = idx % REGION_CHUNKS ? ffs64(idx) :
						   MAX_ORDER - ORDER_2M;
	uint64_t i;

	order = order < fls64(nr) ? order : fls64(nr);
	for (i = 0; i < BIT64(order); i++) { /* bound: REGION_CHUNKS */
		if (c[i].flags != PGF_RESERVED) {
			CHECK(c[i].flags & CHUNK_SPLIT);
			return 0;
		}
	}
	return order;
}

/* A region that is free as a whole needs no records. */
static bool region_free(struct mem_bank *b, uint64_t m, uint64_t nr)
	REQUIRES(page_lock)
{
	if (!is_aligned(m, BIT64(MAX_ORDER)) || nr < BIT64(MAX_ORDER) ||
	    region_state(b, m) != REGION_RESERVED) {
		return false;
	}
	region_of(b, m)->region = REGION_FREE;
	page_nr_free += BIT64(MAX_ORDER);
	return true;
}

/* Free frames [m, m + nr) of one bank with a table; they were reserved. */
__cold static void bank_free_range(struct mem_bank *b, uint64_t m, uint64_t nr)
{
	spin_lock(&page_lock);
	while (nr > 0) { /* bound: chunks of the range */
		uint64_t step = chunk_part(m, nr);
		struct page_chunk *c = chunk_of(b, m);

		if (region_free(b, m, nr)) {
			m += BIT64(MAX_ORDER);
			nr -= BIT64(MAX_ORDER);
			continue;
		}
		region_know_locked(b, m);
		if (step == CHUNK_PAGES && !(c->flags & CHUNK_SPLIT)) {
			unsigned int order =
				whole_order(b, m, nr / CHUNK_PAGES);

			chunks_free_locked(b, m, order);
			step = BIT64(order) * CHUNK_PAGES;
		} else {
			part_free(b, m, step);
		}
		m += step;
		nr -= step;
	}
	spin_unlock(&page_lock);
}

/* Take the records and the table from the top of [m, m + *nr). */
__cold static void bank_carve_table(struct mem_bank *b, uint64_t m,
				    uint64_t *nr)
{
	uint64_t need = (records_size(b) + table_size(b)) >> PAGE_SHIFT;
	uint64_t i;
	char *va;

	if (*nr < need) {
		return;
	}
	*nr -= need;
	va = hv_va(mfn_to_paddr(mfn(m + *nr)));
	b->table = (struct page *)(void *)(va + records_size(b));
	b->chunk = (struct page_chunk *)(void *)va;
	for (i = 0; i < records_size(b); i += PAGE_SIZE) {
		arch_clear_page(va + i);
	}
	for (i = 0; i < b->nr_regions; i++) {
		b->chunk[i * REGION_CHUNKS].region = REGION_RESERVED;
	}
	b->chunk_of_0 = (uintptr_t)b->chunk -
			b->base / CHUNK_PAGES * sizeof(struct page_chunk);
	b->frame_of_0 = (uintptr_t)b->table -
			b->table_base * sizeof(struct page);
	b->usable = b->nr;
}

__cold static struct mem_bank *bank_declared(uint64_t m)
{
	uint32_t i;

	for (i = 0; i < page_nr_banks; i++) { /* bound: MAX_MEM_BANKS */
		if (m - page_bank[i].first < page_bank[i].nr) {
			return &page_bank[i];
		}
	}
	return NULL;
}

__cold static void free_early_ranges(void)
{
	uint32_t i;

	for (i = 0; i < nr_early; i++) {
		struct mem_bank *b = bank_of(early[i].first);

		if (b) {
			bank_free_range(b, early[i].first, early[i].nr);
			early[i] = early[--nr_early];
			i--; /* look at the one that took its place */
		}
	}
}

__cold void page_alloc_free_range(paddr_t start, uint64_t size)
{
	uint64_t first = align_up(start.v, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t end = (start.v + size) >> PAGE_SHIFT;
	struct mem_bank *b = bank_declared(first);
	uint64_t nr;

	if (first >= end) {
		return;
	}
	nr = end - first;
	CHECK(b && nr <= b->first + b->nr - first);
	if (!b->chunk) {
		bank_carve_table(b, first, &nr);
		if (b->chunk) {
			free_early_ranges();
		} else if (nr_early < MAX_EARLY) {
			early[nr_early].first = first;
			early[nr_early].nr = nr;
			nr_early++;
			return;
		} else {
			return; /* not used: a bank in more than 32 pieces */
		}
	}
	bank_free_range(b, first, nr);
}

uint64_t page_alloc_nr_free(void)
{
	return __atomic_load_n(&page_nr_free, __ATOMIC_RELAXED);
}

uint64_t page_alloc_nr_total(void)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < page_nr_banks; i++) { /* bound: MAX_MEM_BANKS */
		sum += page_bank[i].nr;
	}
	return sum;
}

uint64_t page_alloc_max_mfn(void)
{
	const struct mem_bank *last = &page_bank[page_nr_banks - 1];

	return page_nr_banks == 0 ? 0 : last->first + last->nr;
}
