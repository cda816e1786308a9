/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small zeroed objects of the hypervisor.
 *
 * Owns    slabs: one frame each, a header and objects of one size class;
 *         larger objects are whole blocks of frames.
 * Not     objects of a page or more that need no free without a size: use
 *         hv_alloc_pages().
 * Charge  whole blocks are charged to the domain's xen_pages; small objects
 *         are not, their number per domain is bounded by its vCPUs and ports.
 * Locks   heap_lock (rank HEAP) for the lists and headers.
 * Bounds  two bitmap words a search; a class keeps one empty slab at most.
 */
#include <hv/heap.h>

#include <hv/arch.h>
#include <hv/lock.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/list.h>
#include <lib/string.h>

#define SLAB_HEADER 64u
#define SLAB_MAGIC 0x51abu
#define HEAP_MAX_ORDER 4u /* 64 KiB */
#define NR_CLASSES ARRAY_SIZE(class_size)

/* Multiples of 16; the last ones fill a slab with 6, 4, 3 and 2 objects. */
static const uint16_t class_size[] = {
	32, 64, 96, 128, 192, 256, 336, 496, 672, 1008, 1344, 2016,
};

struct slab {
	struct list_node node;  /* in partial[], while an object is free */
	uint64_t used[2];       /* bit i: object i is handed out */
	uint16_t magic;
	uint16_t class;
	uint16_t nr_objects;
	uint16_t nr_used;
};
STATIC_ASSERT(sizeof(struct slab) <= SLAB_HEADER, "header leaves 4032 bytes");

static struct spinlock heap_lock = SPINLOCK_INIT(HEAP);
static struct list_node partial[ARRAY_SIZE(class_size)];
static uint32_t nr_slabs;

static unsigned int class_of(size_t size)
{
	unsigned int i;

	for (i = 0; i < NR_CLASSES; i++) {
		if (size <= class_size[i]) {
			break;
		}
	}
	return i;
}

static void slab_setup(struct slab *s, unsigned int class)
{
	s->magic = SLAB_MAGIC;
	s->class = (uint16_t)class;
	s->nr_objects =
		(uint16_t)((PAGE_SIZE - SLAB_HEADER) / class_size[class]);
	list_init(&s->node);
}

static void *slab_take_locked(struct slab *s) REQUIRES(heap_lock)
{
	unsigned int word = ~s->used[0] == 0 ? 1 : 0;
	unsigned int i = ffs64(~s->used[word]);

	s->used[word] |= BIT64(i);
	i += word * 64;
	ASSERT(i < s->nr_objects);
	s->nr_used++;
	if (s->nr_used == s->nr_objects) {
		list_del(&s->node);
	}
	return (char *)s + SLAB_HEADER + (size_t)i * class_size[s->class];
}

static void *partial_take(unsigned int class, struct slab *fresh)
{
	struct list_node *head = &partial[class];
	void *p = NULL;

	spin_lock(&heap_lock);
	if (!head->next) {
		list_init(head);
	}
	if (fresh) {
		nr_slabs++;
		list_add_tail(&fresh->node, head);
	}
	if (!list_is_empty(head)) {
		p = slab_take_locked(list_entry(head->next, struct slab, node));
	}
	spin_unlock(&heap_lock);
	return p;
}

static void *alloc_small(unsigned int class)
{
	void *p = partial_take(class, NULL);
	struct slab *s;

	if (!p) {
		s = hv_alloc_pages(NULL, 0);
		if (!s) {
			return NULL;
		}
		slab_setup(s, class);
		p = partial_take(class, s);
	}
	memset(p, 0, class_size[class]);
	return p;
}

static void *alloc_large(struct domain *d, size_t size)
{
	unsigned int order = 0;
	struct page *pg;
	void *p;

	while ((PAGE_SIZE << order) < size) { /* bound: HEAP_MAX_ORDER */
		order++;
	}
	p = hv_alloc_pages(d, order);
	if (p) {
		pg = page_of(paddr_to_mfn(hv_pa(p)));
		pg->flags |= (uint8_t)field_prep(PGF_HEAP_ORDER, order + 1);
	}
	return p;
}

void *heap_alloc(struct domain *d, size_t size)
{
	unsigned int class = class_of(size);

	if (size == 0 || size > (PAGE_SIZE << HEAP_MAX_ORDER)) {
		return NULL;
	}
	return class < NR_CLASSES ? alloc_small(class) : alloc_large(d, size);
}

static void free_large(struct domain *d, void *p)
{
	struct page *pg = page_of(paddr_to_mfn(hv_pa(p)));
	unsigned int order;

	CHECK(pg && (pg->flags & PGF_HEAP_ORDER));
	order = (unsigned int)field_get(PGF_HEAP_ORDER, pg->flags) - 1;
	pg->flags = (uint8_t)(pg->flags & ~PGF_HEAP_ORDER);
	hv_free_pages(d, p, order);
}

static void free_small(void *p)
{
	struct slab *s =
		(struct slab *)((uintptr_t)p & ~(uintptr_t)(PAGE_SIZE - 1));
	size_t off = (size_t)((char *)p - (char *)s) - SLAB_HEADER;
	bool is_empty;
	size_t i;

	CHECK(s->magic == SLAB_MAGIC && off % class_size[s->class] == 0);
	i = off / class_size[s->class];
	spin_lock(&heap_lock);
	CHECK(s->used[i / 64] & BIT64(i % 64)); /* freed twice */
	s->used[i / 64] &= ~BIT64(i % 64);
	if (s->nr_used == s->nr_objects) {
		list_add_tail(&s->node, &partial[s->class]);
	}
	s->nr_used--;
	/* The last of its class stays, or the next alloc makes it anew. */
	is_empty = s->nr_used == 0 &&
		   (s->node.next != &partial[s->class] ||
		    s->node.prev != &partial[s->class]);
	if (is_empty) {
		list_del(&s->node);
		s->magic = 0;
		nr_slabs--;
	}
	spin_unlock(&heap_lock);
	if (is_empty) {
		hv_free_pages(NULL, s, 0);
	}
}

void heap_free(struct domain *d, void *p)
{
	if (!p) {
		return;
	}
	if (((uintptr_t)p & (PAGE_SIZE - 1)) == 0) {
		free_large(d, p);
	} else {
		free_small(p);
	}
}

uint32_t heap_nr_slabs(void)
{
	return __atomic_load_n(&nr_slabs, __ATOMIC_RELAXED);
}
