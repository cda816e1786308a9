/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walker over 4 KiB-granule tables, for EL2's stage 1 and guests' stage 2.
 *
 * Owns    the rules of editing live tables: a valid descriptor is never
 *         overwritten by another valid one; it is broken, invalidated, then
 *         made anew (pte_replace, the only place).
 * Not     attributes (stage1.c, stage2.c) and not where pages come from: both
 *         arrive in struct pgtable_env, so that the file runs in host tests.
 * Locks   the caller's; lookups may run beside an edit.
 * Bounds  a walk visits at most 4 levels; map and unmap visit each entry of
 *         the range once.
 * Spec    [ARM] D8.2 "Translation process", D8.16.1 "Using break-before-make".
 */
#include "pgtable.h"
#include <lib/check.h>
#include <lib/errno.h>

static uint64_t level_size(unsigned int level)
{
	return BIT64(PT_LEVEL_SHIFT(level));
}

static bool is_table(uint64_t pte, unsigned int level)
{
	return level < 3 && (pte & (PTE_VALID | PTE_TABLE)) ==
				    (PTE_VALID | PTE_TABLE);
}

static uint64_t leaf(uint64_t pa, uint64_t attrs, unsigned int level)
{
	return pa | attrs | PTE_VALID | (level == 3 ? PTE_TABLE : 0);
}

static uint64_t pte_read(const uint64_t *slot)
{
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

static void pte_write(uint64_t *slot, uint64_t pte)
{
	__atomic_store_n(slot, pte, __ATOMIC_RELEASE);
}

/*
 * Break, invalidate, make. [ARM] D8.16.1 "Using break-before-make". What is
 * made anew stands broken, not empty, meanwhile: lookups beside us go on
 * finding it, and a guest that faults on it learns to come again.
 */
static void pte_replace(struct pgtable *t, uint64_t *slot, uint64_t addr,
			uint64_t pte)
{
	pte_write(slot, pte ? *slot & ~PTE_VALID : 0);
	t->env->sync(t);
	t->env->invalidate(t, addr);
	if (pte) {
		pte_write(slot, pte);
		t->env->sync(t);
	}
}

/* The entry of @addr in the root tables, which may be concatenated. */
static uint64_t *root_slot(const struct pgtable *t, uint64_t addr)
{
	unsigned int shift = (unsigned int)PT_LEVEL_SHIFT(t->start_level);

	return t->env->table_va(t->root) + (addr >> shift);
}

static uint64_t *next_slot(const struct pgtable *t, uint64_t table_pte,
			   uint64_t addr, unsigned int level)
{
	uint64_t *table = t->env->table_va(table_pte & PTE_ADDR);

	return table + ((addr >> PT_LEVEL_SHIFT(level)) & (PT_ENTRIES - 1));
}

static bool in_space(const struct pgtable *t, uint64_t addr, uint64_t size)
{
	uint64_t limit = BIT64(t->addr_bits);

	return addr < limit && size <= limit - addr;
}

uint64_t pgtable_lookup(const struct pgtable *t, uint64_t addr,
			unsigned int *level)
{
	unsigned int l = t->start_level;
	uint64_t pte;

	if (!in_space(t, addr, 1)) {
		return 0;
	}
	pte = pte_read(root_slot(t, addr));
	while (is_table(pte, l)) { /* bound: level 3 */
		l++;
		pte = pte_read(next_slot(t, pte, addr, l));
	}
	*level = l;
	return pte ? pte | PTE_VALID : 0; /* broken: valid again in a moment */
}

/* Replace the block in @slot by a table of the same translations. */
__cold static int split_block(struct pgtable *t, uint64_t *slot, uint64_t addr,
			      unsigned int level)
{
	uint64_t pte = *slot;
	uint64_t pa = t->env->table_alloc(t);
	uint64_t step = level_size(level + 1);
	uint64_t out = pte & PTE_ADDR;
	uint64_t *table;

	if (!pa) {
		return -ENOMEM;
	}
	table = t->env->table_va(pa);
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		table[i] = leaf(out + i * step, pte & ~PTE_ADDR & ~UINT64_C(3),
				level + 1);
	}
	pte_replace(t, slot, align_down(addr, level_size(level)),
		    pa | PTE_TABLE | PTE_VALID);
	return 0;
}

/*
 * The slot for @addr at @want; tables are made on the way. NULL with *rc:
 * -ENOMEM, or -EEXIST when a larger block is in the way and @split is false.
 */
static uint64_t *walk_to(struct pgtable *t, uint64_t addr, unsigned int want,
			 bool split, int *rc)
{
	uint64_t *slot = root_slot(t, addr);

	for (unsigned int l = t->start_level; l < want; l++) {
		if (!(*slot & PTE_VALID)) {
			uint64_t pa = t->env->table_alloc(t);

			if (!pa) {
				*rc = -ENOMEM;
				return NULL;
			}
			t->env->sync(t); /* zeroed before it is reachable */
			pte_write(slot, pa | PTE_TABLE | PTE_VALID);
		} else if (!is_table(*slot, l)) {
			*rc = split ? split_block(t, slot, addr, l) : -EEXIST;
			if (*rc) {
				return NULL;
			}
		}
		slot = next_slot(t, *slot, addr, l + 1);
	}
	return slot;
}

/* The lowest level (largest block) usable at this point of a mapping. */
static unsigned int best_level(const struct pgtable *t, uint64_t addr,
			       uint64_t pa, uint64_t size)
{
	unsigned int l = t->start_level < 1 ? 1 : t->start_level;

	if (t->pages_only) {
		return 3;
	}
	while (l < 3 && (size < level_size(l) ||
			 ((addr | pa) & (level_size(l) - 1)))) {
		l++;
	}
	return l;
}

/* Undo of a mapping that stopped half-way: [addr, end) was mapped by us. */
__cold static void unmap_leaves(struct pgtable *t, uint64_t addr, uint64_t end)
{
	while (addr < end) {
		unsigned int l = t->start_level;
		uint64_t *slot = root_slot(t, addr);

		while (is_table(*slot, l)) {
			l++;
			slot = next_slot(t, *slot, addr, l);
		}
		pte_replace(t, slot, addr, 0);
		addr += level_size(l);
	}
}

/*
 * Fill entries from @slot on, within its table, while each takes a whole
 * block of this level. Returns the bytes mapped; less than wanted, 0 at
 * worst, when an entry is valid already.
 */
static uint64_t fill(uint64_t *slot, unsigned int level, uint64_t addr,
		     uint64_t pa, uint64_t size, uint64_t attrs)
{
	uint64_t step = level_size(level);
	uint64_t index = (addr >> PT_LEVEL_SHIFT(level)) & (PT_ENTRIES - 1);
	uint64_t in_table = PT_ENTRIES - index;
	uint64_t nr = size / step < in_table ? size / step : in_table;
	uint64_t pte = leaf(pa, attrs, level);
	uint64_t i;

	for (i = 0; i < nr && !(slot[i] & PTE_VALID); i++) {
		pte_write(&slot[i], pte);
		pte += step;
	}
	return i * step;
}

int pgtable_map(struct pgtable *t, uint64_t addr, uint64_t pa, uint64_t size,
		uint64_t attrs)
{
	uint64_t start = addr;
	uint64_t end = addr + size;
	int rc = 0;

	if (!in_space(t, addr, size) || ((addr | pa | size) & ~PAGE_MASK)) {
		return -EINVAL;
	}
	while (addr < end) {
		unsigned int l = best_level(t, addr, pa, end - addr);
		uint64_t *slot = walk_to(t, addr, l, false, &rc);
		uint64_t done;

		/* An empty table where a block could go: fill the table. */
		while (slot && is_table(*slot, l)) {
			l++;
			slot = next_slot(t, *slot, addr, l);
		}
		done = slot ? fill(slot, l, addr, pa, end - addr, attrs) : 0;
		if (done == 0) {
			unmap_leaves(t, start, addr);
			return rc ? rc : -EEXIST;
		}
		addr += done;
		pa += done;
	}
	t->env->sync(t);
	return 0;
}

int pgtable_unmap_page(struct pgtable *t, uint64_t addr, uint64_t *old)
{
	unsigned int l = t->start_level;
	uint64_t *slot;
	int rc = 0;

	if (!in_space(t, addr, 1)) {
		return -ENOENT;
	}
	slot = root_slot(t, addr);
	while (is_table(*slot, l)) { /* bound: level 3 */
		l++;
		slot = next_slot(t, *slot, addr, l);
	}
	if (!(*slot & PTE_VALID)) {
		return -ENOENT;
	}
	if (l < 3) { /* a block: only this page of it goes */
		slot = walk_to(t, addr, 3, true, &rc);
		if (!slot) {
			return rc;
		}
	}
	*old = *slot;
	pte_replace(t, slot, addr, 0);
	return 0;
}

__cold int pgtable_protect(struct pgtable *t, uint64_t addr, uint64_t size,
			   uint64_t clear, uint64_t set)
{
	for (uint64_t a = addr; a < addr + size; a += PAGE_SIZE) {
		int rc = 0;
		uint64_t *slot = walk_to(t, a, 3, true, &rc);

		if (!slot) {
			return rc;
		}
		if (!(*slot & PTE_VALID)) {
			return -ENOENT;
		}
		/* Rights only: no break needed. [ARM] D8.16.1 */
		pte_write(slot, (*slot & ~clear) | set);
		t->env->sync(t);
		t->env->invalidate(t, a);
	}
	return 0;
}

static void clean_page_of(const uint64_t *slot,
			  void (*clean)(const void *va, size_t len))
{
	clean((const char *)slot - ((uintptr_t)slot & ~PAGE_MASK), PAGE_SIZE);
}

__cold void pgtable_clean(const struct pgtable *t, uint64_t addr,
			  void (*clean)(const void *va, size_t len))
{
	unsigned int l = t->start_level;
	const uint64_t *slot = root_slot(t, addr);

	clean_page_of(slot, clean);
	while (is_table(*slot, l)) { /* bound: level 3 */
		l++;
		slot = next_slot(t, *slot, addr, l);
		clean_page_of(slot, clean);
	}
}

/* Free the tables below @slot's table; its page is kept. */
__cold static bool free_below(struct pgtable *t, uint64_t *slot,
			      unsigned int level, unsigned int *budget)
{
	uint64_t *mid = t->env->table_va(*slot & PTE_ADDR);

	if (level + 1 < 3) {
		for (unsigned int i = 0; i < PT_ENTRIES; i++) {
			if (!is_table(mid[i], level + 1)) {
				continue;
			}
			if (*budget == 0) {
				return false;
			}
			if (level + 2 < 3) {
				uint64_t *low = t->env->table_va(mid[i] &
								 PTE_ADDR);

				for (unsigned int j = 0; j < PT_ENTRIES; j++) {
					if (is_table(low[j], level + 2)) {
						t->env->table_free(
							t, low[j] & PTE_ADDR);
						low[j] = 0;
					}
				}
			}
			t->env->table_free(t, mid[i] & PTE_ADDR);
			mid[i] = 0;
			(*budget)--;
		}
	}
	t->env->table_free(t, *slot & PTE_ADDR);
	*slot = 0;
	return true;
}

__cold int pgtable_free_step(struct pgtable *t, unsigned int budget)
{
	uint64_t *root = t->env->table_va(t->root);
	unsigned int nr = PT_ENTRIES * t->nr_roots;

	for (unsigned int i = 0; i < nr; i++) {
		if (!is_table(root[i], t->start_level)) {
			root[i] = 0;
			continue;
		}
		if (!free_below(t, &root[i], t->start_level, &budget)) {
			return -EAGAIN;
		}
	}
	return 0;
}
