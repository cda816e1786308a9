/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: the map-track table, a record per mapping that the domain has
 * made, named by its handle.
 *
 * Owns    the pages of records, the free handles, and the chains by which a
 *         frame is found.
 * Not     what a record stands for (gnttab_map.c).
 * Locks   d->gnttab.lock (rank GNTTAB). A record that is being worked on
 *         without it is TRACK_BUSY.
 * Bounds  O(1), but tables_make() once a domain; FLUSH_CHAIN records are
 *         looked at to find a mapped frame.
 */
#include "gnttab_priv.h"

#include <hv/arch.h>
#include <hv/heap.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define HASH_BITS 9u
#define HASH_SIZE (1u << HASH_BITS)
#define FLUSH_CHAIN 4096u
/* The ABI counts frames of its own, smaller records. */
#define ABI_HANDLES_PER_FRAME 256u
#define MAX_HANDLES (512u * 1024u)
#define TRACKS_PER_PAGE ((uint32_t)(PAGE_SIZE / sizeof(struct grant_maptrack)))

/* ---- handles ------------------------------------------------------------- */

struct grant_maptrack *gnttab_track_at(const struct gnttab *t, uint32_t handle)
{
	return &t->maptrack[handle / TRACKS_PER_PAGE]
			   [handle % TRACKS_PER_PAGE];
}

struct grant_maptrack *gnttab_track_find(const struct gnttab *t,
					 uint32_t handle)
{
	struct grant_maptrack *m;

	if (handle >= t->nr_handles) {
		return NULL;
	}
	handle = (uint32_t)array_index_nospec(handle, t->nr_handles);
	m = gnttab_track_at(t, handle);
	return m->flags == 0 || (m->flags & TRACK_BUSY) ? NULL : m;
}

static uint32_t handle_limit(const struct gnttab *t)
{
	uint64_t nr = (uint64_t)t->max_maptrack_frames * ABI_HANDLES_PER_FRAME;

	return nr < MAX_HANDLES ? (uint32_t)nr : MAX_HANDLES;
}

/* The first handle of all: the table of pages, and the chains. */
static int tables_make(struct domain *d)
{
	struct gnttab *t = &d->gnttab;
	uint32_t pages = (handle_limit(t) + TRACKS_PER_PAGE - 1) /
			 TRACKS_PER_PAGE;
	uint32_t i;

	if (t->maptrack) {
		return 0;
	}
	if (!t->maptrack_hash) {
		t->maptrack_hash =
			heap_alloc(d, HASH_SIZE * sizeof(*t->maptrack_hash));
		for (i = 0; t->maptrack_hash && i < HASH_SIZE; i++) {
			t->maptrack_hash[i] = NO_HANDLE;
		}
	}
	if (!t->maptrack_hash) {
		return -ENOMEM;
	}
	t->maptrack = heap_alloc(d, pages * sizeof(*t->maptrack));
	return t->maptrack ? 0 : -ENOMEM;
}

static int handle_make_locked(struct domain *d, uint32_t *handle)
	REQUIRES(d->gnttab.lock)
{
	struct gnttab *t = &d->gnttab;
	uint32_t page = t->nr_handles / TRACKS_PER_PAGE;
	int rc;

	if (t->nr_handles >= handle_limit(t)) {
		return -ENOSPC;
	}
	rc = tables_make(d);
	if (rc) {
		return rc;
	}
	if (!t->maptrack[page]) {
		t->maptrack[page] = hv_alloc_pages(d, 0);
		if (!t->maptrack[page]) {
			return -ENOMEM;
		}
	}
	*handle = t->nr_handles++;
	return 0;
}

int gnttab_handle_get(struct domain *d, uint32_t *handle)
{
	struct gnttab *t = &d->gnttab;
	int rc = 0;

	spin_lock(&d->gnttab.lock);
	if (t->maptrack_free != NO_HANDLE) {
		*handle = t->maptrack_free;
		t->maptrack_free = gnttab_track_at(t, *handle)->next;
	} else {
		rc = handle_make_locked(d, handle);
	}
	if (rc == 0) {
		gnttab_track_at(t, *handle)->flags = TRACK_BUSY;
		t->nr_maptrack++;
	}
	spin_unlock(&d->gnttab.lock);
	return rc;
}

static void handle_put_locked(struct gnttab *t, uint32_t handle)
{
	struct grant_maptrack *m = gnttab_track_at(t, handle);

	*m = (struct grant_maptrack){ .next = t->maptrack_free };
	t->maptrack_free = handle;
	t->nr_maptrack--;
}

void gnttab_handle_put(struct domain *d, uint32_t handle)
{
	spin_lock(&d->gnttab.lock);
	handle_put_locked(&d->gnttab, handle);
	spin_unlock(&d->gnttab.lock);
}

int gnttab_maptrack_fini_step(struct domain *d)
{
	struct gnttab *t = &d->gnttab;
	uint32_t freed;

	for (freed = 0; t->nr_handles > 0 && freed < FINI_PAGES; freed++) {
		uint32_t page = (t->nr_handles - 1) / TRACKS_PER_PAGE;

		hv_free_pages(d, t->maptrack[page], 0);
		t->nr_handles = page * TRACKS_PER_PAGE;
	}
	if (t->nr_handles > 0) {
		return -EAGAIN;
	}
	heap_free(d, t->maptrack);
	heap_free(d, t->maptrack_hash);
	t->maptrack = NULL;
	t->maptrack_hash = NULL;
	t->maptrack_free = NO_HANDLE;
	return 0;
}

/* ---- by frame ------------------------------------------------------------ */

static uint32_t *chain_of(const struct gnttab *t, const struct page *pg)
{
	uint64_t h = page_mfn(pg).v * UINT64_C(0x9e3779b97f4a7c15);

	return &t->maptrack_hash[h >> (64 - HASH_BITS)];
}

static void chain_add_locked(struct gnttab *t, uint32_t handle)
{
	struct grant_maptrack *m = gnttab_track_at(t, handle);
	uint32_t *head = chain_of(t, m->pg);

	m->prev = NO_HANDLE;
	m->next = *head;
	if (*head != NO_HANDLE) {
		gnttab_track_at(t, *head)->prev = handle;
	}
	*head = handle;
}

static void chain_del_locked(struct gnttab *t, uint32_t handle)
{
	const struct grant_maptrack *m = gnttab_track_at(t, handle);

	if (m->prev != NO_HANDLE) {
		gnttab_track_at(t, m->prev)->next = m->next;
	} else {
		*chain_of(t, m->pg) = m->next;
	}
	if (m->next != NO_HANDLE) {
		gnttab_track_at(t, m->next)->prev = m->prev;
	}
}

bool gnttab_get_if_mapped(struct domain *d, struct page *pg)
{
	struct gnttab *t = &d->gnttab;
	uint32_t handle = NO_HANDLE;
	bool found = false;
	uint32_t i;

	spin_lock(&t->lock);
	if (t->maptrack_hash) {
		handle = *chain_of(t, pg);
	}
	for (i = 0; i < FLUSH_CHAIN && handle != NO_HANDLE && !found; i++) {
		const struct grant_maptrack *m = gnttab_track_at(t, handle);

		found = m->pg == pg && !(m->flags & TRACK_BUSY) &&
			page_get(pg);
		handle = m->next;
	}
	spin_unlock(&t->lock);
	return found;
}

uint8_t gnttab_track_type(struct domain *d, const struct page *pg)
{
	struct gnttab *t = &d->gnttab;
	uint8_t type = P2M_NONE;
	uint32_t handle;

	spin_lock(&t->lock);
	handle = *chain_of(t, pg);
	while (handle != NO_HANDLE && type != P2M_GRANT_RW) {
		const struct grant_maptrack *m = gnttab_track_at(t, handle);

		if (m->pg == pg && !(m->flags & TRACK_BUSY)) {
			type = m->flags & GNTMAP_readonly ? P2M_GRANT_RO :
							    P2M_GRANT_RW;
		}
		handle = m->next; /* bound: what @d, the control domain, has */
	}
	spin_unlock(&t->lock);
	return type;
}

/* One that is being unmapped counts: it was mapped up to now. */
__cold bool gnttab_maps(struct domain *d, mfn_t m, gfn_t g, bool write)
{
	struct gnttab *t = &d->gnttab;
	const struct page *pg = page_of(m);
	uint32_t handle = NO_HANDLE;
	bool found = false;

	spin_lock(&t->lock);
	if (t->maptrack_hash && pg) {
		handle = *chain_of(t, pg);
	}
	for (uint32_t i = 0;
	     i < FLUSH_CHAIN && handle != NO_HANDLE && !found; i++) {
		const struct grant_maptrack *r = gnttab_track_at(t, handle);

		found = r->pg == pg &&
			((r->gfn == g.v && (r->flags & GNTMAP_host_map)) ||
			 (d->iommu.grants && m.v == g.v)) &&
			!(write && (r->flags & GNTMAP_readonly));
		handle = r->next;
	}
	spin_unlock(&t->lock);
	return found;
}

void gnttab_track_publish(struct domain *d, uint32_t handle,
			  const struct grant_maptrack *m)
{
	struct gnttab *t = &d->gnttab;

	spin_lock(&t->lock);
	*gnttab_track_at(t, handle) = *m;
	chain_add_locked(t, handle);
	spin_unlock(&t->lock);
}

void gnttab_track_retire_locked(struct gnttab *t, uint32_t handle)
{
	chain_del_locked(t, handle);
	handle_put_locked(t, handle);
}
