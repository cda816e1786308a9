/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority queues of the scheduling policies.
 *
 * Owns    the order of the nodes in a heap, and its array.
 * Locks   the caller's.
 * Bounds  inserting and removing walk one path of the heap: log2 n. The array
 *         grows by doubling, never while a decision is made.
 */
#include <hv/prioq.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <hv/heap.h>

#define FIRST_CAPACITY 32u

static void put(struct prioq *q, uint32_t pos, struct prioq_node *n)
{
	q->heap[pos] = n;
	n->pos = pos;
}

static void move_up(struct prioq *q, uint32_t pos, struct prioq_node *n)
{
	while (pos > 0) { /* bound: log2 n */
		uint32_t parent = (pos - 1) / 2;

		if (q->heap[parent]->key <= n->key) {
			break;
		}
		put(q, pos, q->heap[parent]);
		pos = parent;
	}
	put(q, pos, n);
}

static void move_down(struct prioq *q, uint32_t pos, struct prioq_node *n)
{
	for (;;) { /* bound: log2 n */
		uint32_t child = 2 * pos + 1;

		if (child + 1 < q->nr &&
		    q->heap[child + 1]->key < q->heap[child]->key) {
			child++;
		}
		if (child >= q->nr || n->key <= q->heap[child]->key) {
			break;
		}
		put(q, pos, q->heap[child]);
		pos = child;
	}
	put(q, pos, n);
}

/* Ordered with the map of idle CPUs: see sched.c. */
static void nr_set(struct prioq *q, uint32_t nr)
{
	__atomic_store_n(&q->nr, nr, __ATOMIC_SEQ_CST);
}

void prioq_insert(struct prioq *q, struct prioq_node *n)
{
	nr_set(q, q->nr + 1);
	move_up(q, q->nr - 1, n);
}

void prioq_remove(struct prioq *q, struct prioq_node *n)
{
	uint32_t pos = n->pos;
	struct prioq_node *last = q->heap[q->nr - 1];

	nr_set(q, q->nr - 1);
	n->pos = PRIOQ_OUT;
	if (last == n) {
		return;
	}
	if (pos > 0 && q->heap[(pos - 1) / 2]->key > last->key) {
		move_up(q, pos, last);
	} else {
		move_down(q, pos, last);
	}
}

int prioq_reserve(struct prioq *q, uint32_t want, struct spinlock *lock)
{
	uint32_t capacity = q->capacity ? q->capacity : FIRST_CAPACITY;
	struct prioq_node **bigger;
	struct prioq_node **old;

	while (capacity < want) { /* bound: 32 doublings */
		capacity *= 2;
	}
	if (capacity == q->capacity) {
		return 0;
	}
	bigger = heap_alloc(NULL, capacity * sizeof(*bigger));
	if (!bigger) {
		return -ENOMEM;
	}
	spin_lock(lock);
	old = q->heap;
	if (q->nr) {
		memcpy(bigger, old, q->nr * sizeof(*bigger));
	}
	q->heap = bigger;
	q->capacity = capacity;
	spin_unlock(lock);
	heap_free(NULL, old);
	return 0;
}
