/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: the shared frames of a domain, and what of them is in use.
 *
 * Owns    d->gnttab: the frames of entries, where the guest has them, and the
 *         private record of each entry that somebody uses.
 * Not     operations (gnttab_op.c, gnttab_map.c, gnttab_copy.c).
 * Rule    an entry is read and marked in one atomic step; while it is in use
 *         our record says which frame it is, whatever the guest writes.
 * Locks   d->gnttab.lock (rank GNTTAB) for the set of frames and the records.
 * Bounds  each operation touches one frame; growth adds GROW_FRAMES at a time.
 *         ENTRY_TRIES attempts to change an entry.
 * Spec    [XEN] grant_table.h, version 1 of the entries.
 */
#include <hv/gnttab.h>

#include "gnttab_priv.h"
#include <hv/arch.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define GROW_FRAMES 32u

int16_t gntst_from_errno(int rc)
{
	switch (rc) {
	case 0:
		return GNTST_okay;
	case -ESRCH:
		return GNTST_bad_domain;
	case -ENOSPC:
	case -ENOMEM:
		return GNTST_no_space;
	case -EPERM:
		return GNTST_permission_denied;
	case -EFAULT:
		return GNTST_bad_page;
	case -EAGAIN:
		return GNTST_eagain;
	default:
		return GNTST_general_error;
	}
}

int gnttab_init(struct domain *d, uint32_t max_frames,
		uint32_t max_maptrack_frames)
{
	struct gnttab *t = &d->gnttab;

	spin_lock_init(&t->lock, LOCK_RANK_GNTTAB);
	t->max_frames = max_frames;
	t->max_maptrack_frames = max_maptrack_frames;
	t->maptrack_free = NO_HANDLE;
	t->frame = heap_alloc(d, max_frames * sizeof(*t->frame));
	t->active = heap_alloc(d, max_frames * sizeof(*t->active));
	t->frame_gfn = heap_alloc(d, max_frames * sizeof(*t->frame_gfn));
	if (!t->frame || !t->active || !t->frame_gfn) {
		gnttab_fini(d);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < max_frames; i++) {
		t->frame_gfn[i] = INVALID_FRAME;
	}
	return 0;
}

int gnttab_fini_step(struct domain *d)
{
	struct gnttab *t = &d->gnttab;
	uint32_t freed;

	if (gnttab_maptrack_fini_step(d) == -EAGAIN) {
		return -EAGAIN;
	}
	for (freed = 0; t->nr_frames > 0 && freed < FINI_PAGES; freed++) {
		t->nr_frames--;
		hv_free_pages(d, t->frame[t->nr_frames], 0);
		hv_free_pages(d, t->active[t->nr_frames], ACTIVE_ORDER);
	}
	if (t->nr_frames > 0) {
		return -EAGAIN;
	}
	heap_free(d, t->frame_gfn);
	heap_free(d, t->active);
	heap_free(d, t->frame);
	t->frame_gfn = NULL;
	t->active = NULL;
	t->frame = NULL;
	return 0;
}

void gnttab_fini(struct domain *d)
{
	while (gnttab_fini_step(d) == -EAGAIN) {
		/* bound: its frames and handles */
	}
}

static bool is_idle(const struct grant_active *a)
{
	return a->nr_read == 0 && a->nr_write == 0;
}

static bool is_unused(const struct grant_active *a)
{
	for (uint32_t i = 0; i < GRANTS_PER_FRAME; i++) {
		if (!is_idle(&a[i])) {
			return false;
		}
	}
	return true;
}

/*
 * The last frame goes; when somebody uses an entry of it, it stays with all
 * before it, without entries.
 */
int gnttab_reset_step(struct domain *d)
{
	struct gnttab *t = &d->gnttab;
	void *frame = NULL;
	struct grant_active *active = NULL;
	uint32_t last;

	spin_lock(&t->lock);
	last = t->nr_frames - 1;
	if (t->nr_frames && is_unused(t->active[last])) {
		frame = t->frame[last];
		active = t->active[last];
		t->frame_gfn[last] = INVALID_FRAME;
		t->nr_frames--;
	}
	for (uint32_t i = 0; !frame && i < t->nr_frames; i++) {
		arch_clear_page(t->frame[i]);
	}
	spin_unlock(&t->lock);
	hv_free_pages(d, frame, 0);
	hv_free_pages(d, active, ACTIVE_ORDER);
	return frame ? -EAGAIN : 0;
}

static int add_frame_locked(struct domain *d) REQUIRES(d->gnttab.lock)
{
	struct gnttab *t = &d->gnttab;
	void *frame = hv_alloc_pages(d, 0);
	void *active;

	if (!frame) {
		return -ENOMEM;
	}
	active = hv_alloc_pages(d, ACTIVE_ORDER);
	if (!active) {
		hv_free_pages(d, frame, 0);
		return -ENOMEM;
	}
	t->frame[t->nr_frames] = frame;
	t->active[t->nr_frames] = active;
	t->nr_frames++;
	return 0;
}

int gnttab_grow_locked(struct domain *d, uint32_t nr)
{
	int rc = 0;

	if (nr > d->gnttab.max_frames) {
		return -EINVAL;
	}
	for (uint32_t i = 0; d->gnttab.nr_frames < nr && rc == 0; i++) {
		if (i == GROW_FRAMES) {
			return -EAGAIN;
		}
		rc = add_frame_locked(d);
	}
	return rc;
}

int gnttab_get_shared_frame(struct domain *d, uint32_t idx, struct page **pg)
{
	struct gnttab *t = &d->gnttab;
	int rc;

	if (idx >= t->max_frames) {
		return -EINVAL;
	}
	idx = (uint32_t)array_index_nospec(idx, t->max_frames);
	spin_lock(&d->gnttab.lock);
	rc = gnttab_grow_locked(d, idx + 1);
	if (rc == 0) {
		*pg = page_of(paddr_to_mfn(hv_pa(t->frame[idx])));
		rc = *pg && page_get(*pg) ? 0 : -ENOMEM;
	}
	spin_unlock(&d->gnttab.lock);
	return rc;
}

bool gnttab_is_frame(struct domain *d, mfn_t m)
{
	const struct gnttab *t = &d->gnttab;
	bool found = false;

	spin_lock(&d->gnttab.lock);
	for (uint32_t i = 0; i < t->nr_frames && !found; i++) {
		found = paddr_to_mfn(hv_pa(t->frame[i])).v == m.v;
	}
	spin_unlock(&d->gnttab.lock);
	return found;
}

/* A frame is in one place of the guest's address space at a time. */
int gnttab_map_frame(struct domain *d, uint32_t idx, uint64_t g)
{
	struct gnttab *t = &d->gnttab;
	struct page *pg;
	uint64_t old;
	int rc = gnttab_get_shared_frame(d, idx, &pg);

	if (rc) {
		return rc;
	}
	rc = p2m_map_page(d, gfn(g), pg, P2M_XEN_RW);
	if (rc) {
		page_put(pg);
		return rc;
	}
	spin_lock(&t->lock);
	old = t->frame_gfn[idx];
	t->frame_gfn[idx] = g;
	spin_unlock(&t->lock);
	if (old != INVALID_FRAME && old != g) {
		struct p2m_entry e = p2m_lookup(d, gfn(old));

		/* Only if it is still this frame that is there. */
		if (e.type == P2M_XEN_RW && e.mfn.v == page_mfn(pg).v) {
			rc = p2m_remove_page(d, gfn(old),
					     P2M_MASK(P2M_XEN_RW));
		}
	}
	return rc == -ENOENT ? 0 : rc;
}

/* ---- entries in use ------------------------------------------------------ */

/* An entry as one word, so that it is read and changed in one piece. */
union entry {
	uint64_t raw;
	grant_entry_v1_t e;
};
STATIC_ASSERT(sizeof(union entry) == 8, "one atomic access");

static uint64_t *entry_of(const struct gnttab *t, uint32_t ref)
{
	return (uint64_t *)t->frame[ref / GRANTS_PER_FRAME] +
	       ref % GRANTS_PER_FRAME;
}

static struct grant_active *active_of(const struct gnttab *t, uint32_t ref)
{
	uint32_t nr = t->nr_frames * GRANTS_PER_FRAME;

	if (ref >= nr) {
		return NULL;
	}
	ref = (uint32_t)array_index_nospec(ref, nr);
	return &t->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static bool entry_swap(uint64_t *p, union entry *old, union entry new)
{
	return __atomic_compare_exchange_n(p, &old->raw, new.raw, true,
					   __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

/* The entry grants it to @who: mark it as read, or written. */
static int16_t entry_mark(struct gnttab *t, uint32_t ref, domid_t who,
			  bool write, uint32_t *frame)
{
	uint64_t *p = entry_of(t, ref);
	union entry old = { .raw = __atomic_load_n(p, __ATOMIC_RELAXED) };
	union entry new;
	uint32_t i;

	for (i = 0; i < ENTRY_TRIES; i++) {
		if ((old.e.flags & GTF_type_mask) != GTF_permit_access ||
		    old.e.domid != who ||
		    (write && (old.e.flags & GTF_readonly))) {
			return GNTST_general_error;
		}
		new = old;
		new.e.flags |= (uint16_t)(write ? GTF_reading | GTF_writing
						: GTF_reading);
		if (entry_swap(p, &old, new)) {
			*frame = new.e.frame;
			return GNTST_okay;
		}
	}
	return GNTST_general_error; /* the guest keeps changing it */
}

/* A guest that does not let it happen keeps the marks: they are its own. */
static void entry_unmark(struct gnttab *t, uint32_t ref, uint32_t marks)
{
	uint64_t *p = entry_of(t, ref);
	union entry old = { .raw = __atomic_load_n(p, __ATOMIC_RELAXED) };
	union entry new;
	uint32_t i;

	for (i = 0; i < ENTRY_TRIES && marks != 0; i++) {
		new = old;
		new.e.flags &= (uint16_t)~marks;
		if (entry_swap(p, &old, new)) {
			return;
		}
	}
}

/* Marks that the record no longer justifies. */
static uint32_t marks_without(const struct grant_active *a)
{
	return (a->nr_write == 0 ? GTF_writing : 0u) |
	       (is_idle(a) ? GTF_reading : 0u);
}

/* RAM of the granter, with a reference; NULL: not such a page. */
static struct page *granted_page(struct domain *d, uint32_t frame,
				 bool *read_only)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(d, gfn(frame), &e);

	if (pg && (!p2m_type_is_ram(e.type) || page_owner(pg) != d->id)) {
		page_put(pg);
		return NULL;
	}
	*read_only = e.type == P2M_RAM_RO;
	return pg;
}

/* The frame of an entry that becomes active, or becomes written. */
static int16_t activate_locked(struct domain *d, struct grant_active *a,
			       const struct grant_use *u)
	REQUIRES(d->gnttab.lock)
{
	uint32_t frame;
	int16_t st = entry_mark(&d->gnttab, u->ref, u->who, u->write, &frame);

	if (st != GNTST_okay) {
		return st;
	}
	if (is_idle(a)) {
		a->pg = granted_page(d, frame, &a->read_only);
		a->domid = u->who;
	}
	if (!a->pg || (u->write && a->read_only)) {
		entry_unmark(&d->gnttab, u->ref, marks_without(a));
		if (is_idle(a) && a->pg) {
			page_put(a->pg);
			a->pg = NULL;
		}
		return GNTST_bad_page;
	}
	return GNTST_okay;
}

static int16_t acquire_locked(struct domain *d, const struct grant_use *u,
			      struct page **pg) REQUIRES(d->gnttab.lock)
{
	struct grant_active *a = active_of(&d->gnttab, u->ref);
	uint16_t *nr;
	int16_t st = GNTST_okay;

	if (!a) {
		return GNTST_bad_gntref;
	}
	nr = u->write ? &a->nr_write : &a->nr_read;
	if (*nr == UINT16_MAX || (!is_idle(a) && a->domid != u->who)) {
		return GNTST_general_error;
	}
	if (is_idle(a) || (u->write && a->nr_write == 0)) {
		st = activate_locked(d, a, u);
	}
	if (st != GNTST_okay) {
		return st;
	}
	(*nr)++;
	/* Cannot fail: the count is far from its end, and the record's own
	 * reference is there. */
	*pg = page_get(a->pg) ? a->pg : NULL;
	return GNTST_okay;
}

int16_t grant_acquire(struct domain *d, const struct grant_use *u,
		      struct page **pg)
{
	int16_t st;

	spin_lock(&d->gnttab.lock);
	st = acquire_locked(d, u, pg);
	spin_unlock(&d->gnttab.lock);
	if (st == GNTST_okay && !*pg) {
		grant_release(d, u);
		st = GNTST_general_error;
	}
	return st;
}

void grant_release(struct domain *d, const struct grant_use *u)
{
	struct grant_active *a;
	struct page *last = NULL;

	spin_lock(&d->gnttab.lock);
	a = active_of(&d->gnttab, u->ref);
	if (u->write) {
		a->nr_write--;
	} else {
		a->nr_read--;
	}
	entry_unmark(&d->gnttab, u->ref, marks_without(a));
	if (is_idle(a)) {
		last = a->pg;
		a->pg = NULL;
	}
	spin_unlock(&d->gnttab.lock);
	if (last) {
		page_put(last);
	}
}

/* Both entries at rest: the guest may not notice more than a copy. */
int16_t grant_swap(struct domain *d, uint32_t ref_a, uint32_t ref_b)
{
	struct gnttab *t = &d->gnttab;
	struct grant_active *a, *b;
	int16_t st = GNTST_okay;
	uint64_t old;

	spin_lock(&t->lock);
	a = active_of(t, ref_a);
	b = active_of(t, ref_b);
	if (!a || !b) {
		st = GNTST_bad_gntref;
	} else if (!is_idle(a) || !is_idle(b)) {
		st = GNTST_eagain;
	} else {
		old = __atomic_load_n(entry_of(t, ref_a), __ATOMIC_RELAXED);
		__atomic_store_n(entry_of(t, ref_a),
				 __atomic_load_n(entry_of(t, ref_b),
						 __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
		__atomic_store_n(entry_of(t, ref_b), old, __ATOMIC_RELEASE);
	}
	spin_unlock(&t->lock);
	return st;
}
