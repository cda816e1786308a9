/* SPDX-License-Identifier: Apache-2.0 */
/* The one page-table walker; see pgtable.c. */
#ifndef ARM64_PGTABLE_H
#define ARM64_PGTABLE_H

#include <lib/types.h>
#include <arch/pte.h>

struct pgtable;

/* What the walker needs of its surroundings; const tables. */
struct pgtable_env {
	/* A zeroed table page: its machine address, 0: none. */
	uint64_t (*table_alloc)(struct pgtable *t);
	void (*table_free)(struct pgtable *t, uint64_t pa);
	uint64_t *(*table_va)(uint64_t pa);
	/* Entry stores so far are visible to the walkers. */
	void (*sync)(struct pgtable *t);
	/* Forget the translation of @addr; complete on return. */
	void (*invalidate)(struct pgtable *t, uint64_t addr);
};

struct pgtable {
	const struct pgtable_env *env;
	uint64_t root;       /* machine address of the (first) root table */
	uint8_t start_level; /* 0 or 1 */
	uint8_t nr_roots;    /* concatenated tables at the start level */
	uint8_t addr_bits;
	bool pages_only;     /* pgtable_map() makes no blocks */
};

/*
 * Map [addr, addr + size) to @pa with the descriptor bits @attrs, in the
 * largest blocks that alignment allows. -EEXIST: something is mapped there;
 * -ENOMEM: no table page; -EINVAL: unaligned or outside the space. After an
 * error nothing of the range is mapped.
 */
__must_check int pgtable_map(struct pgtable *t, uint64_t addr, uint64_t pa,
			     uint64_t size, uint64_t attrs);
/* Unmap one page; blocks are split. *old: the page's former descriptor. */
__must_check int pgtable_unmap_page(struct pgtable *t, uint64_t addr,
				    uint64_t *old);
/* Change attribute bits of mapped pages of a range (page entries only). */
__must_check int pgtable_protect(struct pgtable *t, uint64_t addr,
				 uint64_t size, uint64_t clear, uint64_t set);
/*
 * The leaf descriptor that translates @addr, 0: none. *level is where.
 * Safe against concurrent edits of the same tables.
 */
uint64_t pgtable_lookup(const struct pgtable *t, uint64_t addr,
			unsigned int *level);
/* @clean each table page on the way to @addr. */
void pgtable_clean(const struct pgtable *t, uint64_t addr,
		   void (*clean)(const void *va, size_t len));
/*
 * Free all tables below the roots, at most @budget pages a call; -EAGAIN:
 * call again. No translation through them may be live.
 */
__must_check int pgtable_free_step(struct pgtable *t, unsigned int budget);

#endif
