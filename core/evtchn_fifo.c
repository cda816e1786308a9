/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels, FIFO format: a word per port in pages of the guest, linked
 * into 16 queues a vCPU whose heads are in a control block of the guest.
 *
 * Owns    the only accesses to those words, and the tails of the queues.
 * Not     what a port is bound to (evtchn_bind.c).
 * Rule    nothing that the guest writes is followed: LINK fields are written
 *         and never read, tails are ours. A guest that scribbles over its
 *         words loses its own events.
 *         The guest takes a queue from its head; we add behind the tail. If
 *         the tail is not LINKED any more the queue is used up, and the new
 *         port becomes the head. Only then the queue's ready bit is set.
 * Locks   d->evtchn.lock, held by every caller in evtchn.c.
 * Bounds  WORD_TRIES attempts to change a word. A guest that never lets one
 *         succeed loses the event. Migration from the 2-level format visits
 *         4096 ports, a new page 1024.
 * Spec    [XEN] event_channel.h "FIFO ABI".
 */
#include "evtchn_priv.h"

#include <hv/arch.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define WORDS_PER_PAGE ((uint32_t)(PAGE_SIZE / sizeof(event_word_t)))
#define MAX_PAGES (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)
#define WORD_TRIES 64u

#define PENDING BIT32(EVTCHN_FIFO_PENDING)
#define MASKED BIT32(EVTCHN_FIFO_MASKED)
#define LINKED BIT32(EVTCHN_FIFO_LINKED)
#define BUSY BIT32(EVTCHN_FIFO_BUSY)
#define LINK ((uint32_t)EVTCHN_FIFO_LINK_MASK)

struct evtchn_fifo_vcpu {
	struct page *page;
	struct evtchn_fifo_control_block *control;
	uint32_t tail[EVTCHN_FIFO_MAX_QUEUES]; /* port, 0: none */
};

struct evtchn_fifo {
	uint32_t nr_pages;
	event_word_t *words[MAX_PAGES];
	struct page *page[MAX_PAGES];
	struct evtchn_fifo_vcpu *vcpu[]; /* [max_vcpus]; also v->fifo */
};

/* ---- words --------------------------------------------------------------- */

struct word_change {
	uint32_t need;  /* refused unless all of these are set */
	uint32_t veto;  /* refused if any of these is set */
	uint32_t clear;
	uint32_t set;
};

/*
 * One change of a word that the guest may write at the same time. False: it
 * was refused, or the guest did not let it happen. *@old: as it was.
 */
static inline bool word_change(uint32_t *w, struct word_change c,
			       uint32_t *old)
{
	uint32_t tries = WORD_TRIES;

	*old = __atomic_load_n(w, __ATOMIC_RELAXED);
	do {
		if ((*old & c.need) != c.need || (*old & c.veto) != 0) {
			return false;
		}
		if (likely(__atomic_compare_exchange_n(
			    w, old, (*old & ~c.clear) | c.set, true,
			    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))) {
			return true;
		}
	} while (--tries != 0); /* bound: WORD_TRIES */
	return false;
}

static inline event_word_t *word_of(const struct domain *d, uint32_t port)
{
	const struct evtchn_fifo *f = d->evtchn.fifo;
	uint32_t i = port / WORDS_PER_PAGE;

	return likely(i < f->nr_pages) ? &f->words[i][port % WORDS_PER_PAGE]
				       : NULL;
}

/* ---- queues -------------------------------------------------------------- */

/* Let @w, the word of a tail, lead to @port; false: it is not queued. */
static bool link_behind(uint32_t *w, uint32_t port)
{
	struct word_change c = { .need = LINKED, .clear = LINK, .set = port };
	uint32_t old;
	bool ok = word_change(w, c, &old);

	if (likely(ok) || !(old & LINKED)) {
		return ok;
	}
	/* It keeps changing: ask the guest not to touch its mask. */
	(void)word_change(w, (struct word_change){ .set = BUSY }, &old);
	ok = word_change(w, c, &old);
	(void)word_change(w, (struct word_change){ .clear = BUSY }, &old);
	return ok;
}

/* A port that was the tail of another queue is so no longer. */
static void leave_last_queue(struct vcpu *v, struct evtchn *chn, uint32_t port)
{
	struct vcpu *last = v->domain->vcpu[chn->last_vcpu];
	uint32_t q = chn->last_priority;

	if (last == v && q == chn->priority) {
		return;
	}
	if (last && last->fifo && last->fifo->tail[q] == port) {
		last->fifo->tail[q] = 0;
	}
	chn->last_vcpu = (uint16_t)v->id;
	chn->last_priority = chn->priority;
}

/*
 * Queue @port, which is pending, for @v, unless it is masked or queued.
 * True: the upcall of @v is pending by it.
 */
static bool enqueue(struct vcpu *v, struct evtchn *chn, uint32_t port,
		    uint32_t *w)
{
	const struct word_change enter = {
		.need = PENDING,
		.veto = MASKED | LINKED,
		.clear = LINK,
		.set = LINKED,
	};
	struct evtchn_fifo_vcpu *f = v->fifo;
	uint32_t q = chn->priority;
	uint32_t tail, old;

	if (!f || !word_change(w, enter, &old)) {
		return false;
	}
	leave_last_queue(v, chn, port);
	tail = f->tail[q];
	f->tail[q] = port;
	if (tail != 0 && tail != port &&
	    link_behind(word_of(v->domain, tail), port)) {
		return false; /* the guest finds it behind the tail */
	}
	__atomic_store_n(&f->control->head[q], port, __ATOMIC_RELEASE);
	if (!word_change(&f->control->ready,
			 (struct word_change){ .set = BIT32(q) }, &old) ||
	    (old & BIT32(q))) {
		return false;
	}
	__atomic_store_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	return true;
}

/* ---- the interface ------------------------------------------------------- */

static bool set_pending(struct vcpu *v, struct evtchn *chn, uint32_t port)
{
	uint32_t *w = word_of(v->domain, port);
	uint32_t old;

	if (unlikely(!w)) {
		chn->early = true; /* until its page comes */
		return false;
	}
	if (unlikely(!word_change(w, (struct word_change){ .set = PENDING },
				  &old)) ||
	    (old & (MASKED | LINKED))) {
		return false; /* told when unmasked, or found in the queue */
	}
	return enqueue(v, chn, port, w);
}

static bool unmask(struct vcpu *v, struct evtchn *chn, uint32_t port)
{
	uint32_t *w = word_of(v->domain, port);
	uint32_t old;

	if (!w || port == 0 ||
	    !word_change(w, (struct word_change){ .clear = MASKED }, &old)) {
		return false;
	}
	return (old & PENDING) && enqueue(v, chn, port, w);
}

/* It stays in its queue: the guest skips what is not pending. */
static void clear_pending(struct domain *d, struct evtchn *chn, uint32_t port)
{
	uint32_t *w = word_of(d, port);
	uint32_t old;

	chn->early = false;
	if (w) {
		(void)word_change(w, (struct word_change){ .clear = PENDING },
				  &old);
	}
}

static bool is_pending(const struct domain *d, uint32_t port)
{
	const uint32_t *w = word_of(d, port);

	return w ? (__atomic_load_n(w, __ATOMIC_SEQ_CST) & PENDING) != 0
		 : evtchn_find(d, port)->early;
}

const struct evtchn_ops evtchn_fifo_ops = {
	.set_pending = set_pending,
	.unmask = unmask,
	.clear_pending = clear_pending,
	.is_pending = is_pending,
	.max_ports = EVTCHN_FIFO_NR_CHANNELS,
};

/* ---- making and freeing -------------------------------------------------- */

/* A page of @d's own RAM that it may write, with a reference. */
static struct page *own_page(struct domain *d, uint64_t g)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(d, gfn(g), &e);

	if (pg && (e.type != P2M_RAM_RW || page_owner(pg) != d->id)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

static void *page_va(const struct page *pg)
{
	return hv_va(mfn_to_paddr(page_mfn(pg)));
}

/* Nothing of it is in use any more. */
static void fifo_free(struct domain *d, struct evtchn_fifo *f)
{
	uint32_t i;

	for (i = 0; i < f->nr_pages; i++) { /* bound: MAX_PAGES */
		page_put(f->page[i]);
	}
	for (i = 0; i < d->max_vcpus; i++) {
		if (f->vcpu[i]) {
			page_put(f->vcpu[i]->page);
			heap_free(d, f->vcpu[i]);
		}
	}
	heap_free(d, f);
}

void evtchn_fifo_fini(struct domain *d)
{
	struct evtchn_fifo *f;
	struct vcpu *v;
	uint32_t i;

	spin_lock(&d->evtchn.lock);
	f = d->evtchn.fifo;
	d->evtchn.fifo = NULL;
	d->evtchn.ops = &evtchn_2l_ops;
	domain_for_each_vcpu(d, v, i) {
		v->fifo = NULL;
	}
	spin_unlock(&d->evtchn.lock);
	if (f) {
		fifo_free(d, f);
	}
}

/* What is pending in the 2-level format waits for its word. */
static void migrate_locked(struct domain *d) REQUIRES(d->evtchn.lock)
{
	struct shared_info *s = d->shared_info;
	struct evtchn *chn;
	uint64_t bits;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(s->evtchn_pending); i++) { /* bound: 64 */
		bits = __atomic_load_n(&s->evtchn_pending[i],
				       __ATOMIC_SEQ_CST);
		__atomic_store_n(&s->evtchn_pending[i], 0, __ATOMIC_RELAXED);
		for (; bits != 0; bits &= bits - 1) {
			chn = evtchn_find(d, i * 64 + ffs64(bits));
			if (chn && chn != evtchn_find(d, 0)) {
				chn->early = chn->state != ECS_FREE;
			}
		}
	}
}

/* *@fresh is taken when the domain has no FIFO yet. */
static int install_locked(struct domain *d, struct vcpu *t,
			  struct evtchn_fifo **fresh,
			  struct evtchn_fifo_vcpu *block)
	REQUIRES(d->evtchn.lock)
{
	struct evtchn_table *table = &d->evtchn;

	if (table->fifo && table->fifo->vcpu[t->id]) {
		return -EINVAL;
	}
	if (!table->fifo) { /* commit */
		migrate_locked(d);
		table->fifo = *fresh;
		table->ops = &evtchn_fifo_ops;
		*fresh = NULL;
	}
	table->fifo->vcpu[t->id] = block;
	t->fifo = block;
	return 0;
}

static int control_install(struct domain *d, struct vcpu *t, struct page *pg,
			   uint32_t offset)
{
	struct evtchn_fifo *fresh;
	struct evtchn_fifo_vcpu *block;
	int rc = -ENOMEM;

	fresh = heap_alloc(d, sizeof(*fresh) +
				      d->max_vcpus * sizeof(fresh->vcpu[0]));
	block = heap_alloc(d, sizeof(*block));
	if (fresh && block) {
		block->page = pg;
		block->control = (void *)((char *)page_va(pg) + offset);
		spin_lock(&d->evtchn.lock);
		rc = install_locked(d, t, &fresh, block);
		spin_unlock(&d->evtchn.lock);
	}
	if (rc) {
		heap_free(d, block);
	}
	heap_free(d, fresh);
	return rc;
}

int64_t evtchn_op_init_control(struct vcpu *v, union hc_arg *arg)
{
	evtchn_init_control_t *a = &arg->evtchn_init_control;
	struct vcpu *t = evtchn_vcpu(v->domain, a->vcpu);
	struct page *pg;
	int rc;

	if (!t) {
		return -ENOENT;
	}
	if (a->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) ||
	    !is_aligned(a->offset, 8)) {
		return -EINVAL;
	}
	pg = own_page(v->domain, a->control_gfn);
	if (!pg) {
		return -EINVAL;
	}
	rc = control_install(v->domain, t, pg, a->offset);
	if (rc) {
		page_put(pg);
	}
	a->link_bits = EVTCHN_FIFO_LINK_BITS;
	return rc;
}

/* The ports of a new page that have waited for it. */
static void queue_early_locked(struct domain *d, uint32_t first)
	REQUIRES(d->evtchn.lock)
{
	struct evtchn *chn;
	uint32_t p;

	for (p = first; p < first + WORDS_PER_PAGE; p++) {
		chn = evtchn_find(d, p);
		if (!chn) {
			break;
		}
		if (chn->early) {
			chn->early = false;
			evtchn_raise(d, chn, p);
		}
	}
}

static int expand_locked(struct domain *d, struct page *pg)
	REQUIRES(d->evtchn.lock)
{
	struct evtchn_fifo *f = d->evtchn.fifo;
	uint32_t i;

	if (!f) {
		return -EOPNOTSUPP;
	}
	i = f->nr_pages;
	if (i == MAX_PAGES) {
		return -ENOSPC;
	}
	if (!pg) {
		return -EINVAL;
	}
	f->page[i] = pg;
	f->words[i] = page_va(pg);
	f->nr_pages++;
	queue_early_locked(d, i * WORDS_PER_PAGE);
	return 0;
}

int64_t evtchn_op_expand_array(struct vcpu *v, union hc_arg *arg)
{
	struct domain *d = v->domain;
	struct page *pg = own_page(d, arg->evtchn_expand_array.array_gfn);
	int rc;

	spin_lock(&d->evtchn.lock);
	rc = expand_locked(d, pg);
	spin_unlock(&d->evtchn.lock);
	if (rc && pg) {
		page_put(pg);
	}
	return rc;
}

int64_t evtchn_op_set_priority(struct vcpu *v, union hc_arg *arg)
{
	const evtchn_set_priority_t *a = &arg->evtchn_set_priority;
	struct domain *d = v->domain;
	struct evtchn *chn;
	int rc = 0;

	spin_lock(&d->evtchn.lock);
	chn = evtchn_find(d, a->port);
	if (!chn) {
		rc = -EINVAL;
	} else if (!d->evtchn.fifo) {
		rc = -ENOSYS;
	} else if (a->priority > EVTCHN_FIFO_PRIORITY_MIN) {
		rc = -EINVAL;
	} else {
		chn->priority = (uint8_t)a->priority;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}
