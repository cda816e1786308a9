/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A priority queue with the smallest key first, a binary heap of nodes that
 * live in the objects they queue. The caller's lock guards all but ->nr, which
 * others may read as a hint.
 */
#ifndef HV_PRIOQ_H
#define HV_PRIOQ_H

#include <lib/types.h>
#include <hv/lock.h>

#define PRIOQ_OUT UINT32_MAX

struct prioq_node {
	int64_t key;  /* not to be changed while queued */
	uint32_t pos; /* in the heap, or PRIOQ_OUT */
};

struct prioq {
	struct prioq_node **heap;
	uint32_t nr;
	uint32_t capacity;
};

/*
 * Make room for @want nodes; @lock is the one that guards @q and is not held.
 * A zeroed queue has room for none. -ENOMEM.
 */
__must_check int prioq_reserve(struct prioq *q, uint32_t want,
			       struct spinlock *lock);
/* O(log n); there is room. */
void prioq_insert(struct prioq *q, struct prioq_node *n);
void prioq_remove(struct prioq *q, struct prioq_node *n);

static inline struct prioq_node *prioq_first(const struct prioq *q)
{
	return q->nr ? q->heap[0] : NULL;
}

static inline bool prioq_has(const struct prioq_node *n)
{
	return n->pos != PRIOQ_OUT;
}

#endif
