/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A circular doubly linked list with the head as one of its nodes.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <lib/types.h>

struct list_node {
	struct list_node *next;
	struct list_node *prev;
};

static inline void list_init(struct list_node *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_is_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline void list_add_before(struct list_node *n, struct list_node *pos)
{
	n->next = pos;
	n->prev = pos->prev;
	pos->prev->next = n;
	pos->prev = n;
}

static inline void list_add_tail(struct list_node *n, struct list_node *head)
{
	list_add_before(n, head);
}

/* Takes @n out and leaves it an empty list of its own. */
static inline void list_del(struct list_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_for_each(pos, head)                                              \
	for (pos = (head)->next; pos != (head); pos = pos->next)

#endif
