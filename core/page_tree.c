/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buddy trees: which power-of-two blocks of 512 entries are free.
 *
 * Owns    the node bytes of struct page and struct page_chunk. Node 1 is the
 *         root, node n has children 2n and 2n+1, node n < 512 lives in entry
 *         n, and leaf 512 + i is the PGF_FREE flag of entry i.
 * Value   of a node: 1 + the order of the largest free block below it, 0 when
 *         there is none. Always exact, so that single leaves of a larger
 *         block can be freed or taken.
 * Not     counts, owners, or what a leaf stands for.
 * Locks   the caller's (page_lock).
 * Bounds  find: 9 steps; set: the block's size plus 9.
 */
#include "page_priv.h"

#include <lib/bits.h>
#include <lib/check.h>

#define LEAVES 512u
#define LEAF_LEVEL 9u

STATIC_ASSERT(CHUNK_PAGES == LEAVES && REGION_CHUNKS == LEAVES, "one shape");

static uint8_t *node_at(struct page_tree t, unsigned int n)
{
	return t.entry + n * t.stride + 1;
}

static unsigned int node_value(struct page_tree t, unsigned int n)
{
	if (n < LEAVES) {
		return *node_at(t, n);
	}
	return (t.entry[(n - LEAVES) * t.stride] & PGF_FREE) != 0;
}

static unsigned int node_order(unsigned int n)
{
	return LEAF_LEVEL - fls64(n);
}

unsigned int tree_root(struct page_tree t)
{
	return node_value(t, 1);
}

int tree_find(struct page_tree t, unsigned int order)
{
	unsigned int n = 1;

	if (node_value(t, 1) <= order) {
		return -1;
	}
	while (node_order(n) > order) { /* bound: LEAF_LEVEL */
		n *= 2;
		if (node_value(t, n) <= order) {
			n++;
		}
	}
	return (int)((n << order) - LEAVES);
}

static void tree_update_above(struct page_tree t, unsigned int n)
{
	while (n > 1) { /* bound: LEAF_LEVEL */
		unsigned int left;
		unsigned int right;
		unsigned int full; /* value of a child that is wholly free */

		n /= 2;
		left = node_value(t, 2 * n);
		right = node_value(t, 2 * n + 1);
		full = node_order(n);
		if (left == full && right == full) {
			left = full + 1;
		} else if (right > left) {
			left = right;
		}
		if (*node_at(t, n) == left) {
			return; /* nothing changes further up */
		}
		*node_at(t, n) = (uint8_t)left;
	}
}

void tree_set(struct page_tree t, unsigned int idx, unsigned int order,
	      bool is_free)
{
	unsigned int level;

	ASSERT(order <= LEAF_LEVEL && is_aligned(idx, BIT64(order)));
	for (level = 1; level <= order; level++) {
		uint8_t value = (uint8_t)(is_free ? level + 1 : 0);
		uint8_t *node = node_at(t, (LEAVES + idx) >> level);
		unsigned int nr = 1u << (order - level);

		for (; nr > 0; nr--, node += t.stride) {
			*node = value;
		}
	}
	tree_update_above(t, (LEAVES + idx) >> order);
}

static unsigned int part_value(const struct page_chunk *region, unsigned int n)
{
	return n < LEAVES ? region[n].part : region[n - LEAVES].part_leaf;
}

void part_set(struct page_chunk *region, unsigned int idx, unsigned int root)
{
	unsigned int n = LEAVES + idx;

	region[idx].part_leaf = (uint8_t)root;
	while (n > 1) { /* bound: LEAF_LEVEL */
		unsigned int left;
		unsigned int right;

		n /= 2;
		left = part_value(region, 2 * n);
		right = part_value(region, 2 * n + 1);
		left = left > right ? left : right;
		if (region[n].part == left) {
			return; /* nothing changes further up */
		}
		region[n].part = (uint8_t)left;
	}
}

int part_find(const struct page_chunk *region, unsigned int order)
{
	unsigned int n = 1;

	if (part_value(region, 1) <= order) {
		return -1;
	}
	while (n < LEAVES) { /* bound: LEAF_LEVEL */
		n *= 2;
		if (part_value(region, n) <= order) {
			n++;
		}
	}
	return (int)(n - LEAVES);
}
