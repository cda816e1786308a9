/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: mapping pages of others, and what may be done with them.
 *
 * Owns    what a map-track record stands for.
 * Not     the table of records (gnttab_track.c), the entry that grants it
 *         (gnttab.c), nor the mapping's reference on the frame (p2m.c).
 * Rule    a record in use holds one use of the granter's entry and one
 *         reference on the granter. It goes only after the mapping is gone.
 * Locks   d->gnttab.lock (rank GNTTAB) of the mapper for its records, never
 *         held together with the granter's or while the p2m changes: a record
 *         being worked on is TRACK_BUSY instead.
 * Bounds  one page each; RELEASE_BATCH records a step.
 * Spec    [XEN] grant_table.h.
 */
#include "gnttab_priv.h"

#include "evtchn_policy.h"
#include <hv/arch.h>
#include <lib/check.h>
#include <lib/errno.h>

#define MAP_KINDS ((uint32_t)(GNTMAP_host_map | GNTMAP_device_map))
#define MAP_FLAGS (MAP_KINDS | (uint32_t)GNTMAP_readonly)
#define RELEASE_BATCH 32u
#define RELEASE_LOOK 4096u

/* ---- map ----------------------------------------------------------------- */

static int16_t map_host(struct domain *d, uint64_t g, struct page *pg,
			bool write)
{
	int rc;

	if (!page_get(pg)) {
		return GNTST_general_error;
	}
	rc = p2m_map_page(d, gfn(g), pg, write ? P2M_GRANT_RW : P2M_GRANT_RO);
	if (rc) {
		page_put(pg);
	}
	return gntst_from_errno(rc);
}

/* The caller's reference on @granter is the record's when it is okay. */
static int16_t map_from(struct domain *d, struct domain *granter,
			gnttab_map_grant_ref_t *a)
{
	struct grant_use use = {
		.ref = a->ref,
		.who = d->id,
		.write = !(a->flags & GNTMAP_readonly),
	};
	struct grant_maptrack m = {
		.granter = granter,
		.gfn = a->host_addr >> PAGE_SHIFT,
		.ref = a->ref,
		.flags = a->flags,
	};
	uint32_t handle;
	int16_t st;

	if (gnttab_handle_get(d, &handle) != 0) {
		return GNTST_no_device_space;
	}
	st = grant_acquire(granter, &use, &m.pg);
	if (st != GNTST_okay) {
		goto out_handle;
	}
	if (a->flags & GNTMAP_host_map) {
		st = map_host(d, m.gfn, m.pg, use.write);
	}
	page_put(m.pg); /* the entry's record holds it */
	if (st != GNTST_okay) {
		goto out_grant;
	}
	gnttab_track_publish(d, handle, &m); /* commit */
	a->handle = handle;
	a->dev_bus_addr = mfn_to_paddr(page_mfn(m.pg)).v;
	return GNTST_okay;

out_grant:
	grant_release(granter, &use);
out_handle:
	gnttab_handle_put(d, handle);
	return st;
}

static int16_t map_one(struct vcpu *v, gnttab_map_grant_ref_t *a)
{
	struct domain *granter;
	int16_t st;

	if (!(a->flags & MAP_KINDS)) {
		return GNTST_bad_gntref;
	}
	if (a->flags & ~MAP_FLAGS) {
		return GNTST_general_error;
	}
	granter = domain_lookup_get(a->dom);
	if (!granter) {
		return GNTST_bad_domain;
	}
	st = domains_may_share(granter, v->domain)
		     ? map_from(v->domain, granter, a)
		     : GNTST_permission_denied;
	if (st != GNTST_okay) {
		domain_put(granter);
	}
	return st;
}

/* ---- unmap --------------------------------------------------------------- */

/* Take @kinds away from the busy record; with the last one it goes too. */
static void track_drop(struct domain *d, uint32_t handle, uint32_t kinds)
{
	struct gnttab *t = &d->gnttab;
	struct grant_maptrack *m;
	struct domain *granter = NULL;
	struct grant_use use;

	spin_lock(&t->lock);
	m = gnttab_track_at(t, handle);
	m->flags &= ~(kinds | TRACK_BUSY);
	if (!(m->flags & MAP_KINDS)) {
		use = (struct grant_use){
			.ref = m->ref,
			.who = d->id,
			.write = !(m->flags & GNTMAP_readonly),
		};
		granter = m->granter;
		gnttab_track_retire_locked(t, handle);
	}
	spin_unlock(&t->lock);
	if (granter) {
		grant_release(granter, &use);
		domain_put(granter);
	}
}

/* The kinds that the request names, as far as they match the record. */
static int16_t kinds_asked(const struct grant_maptrack *m, uint64_t host_addr,
			   uint64_t dev_bus_addr, uint32_t *kinds)
{
	*kinds = 0;
	if (host_addr != 0 && (m->flags & GNTMAP_host_map)) {
		if (host_addr >> PAGE_SHIFT != m->gfn) {
			return GNTST_general_error;
		}
		*kinds |= GNTMAP_host_map;
	}
	if (dev_bus_addr != 0 && (m->flags & GNTMAP_device_map)) {
		if (dev_bus_addr >> PAGE_SHIFT != page_mfn(m->pg).v) {
			return GNTST_general_error;
		}
		*kinds |= GNTMAP_device_map;
	}
	return GNTST_okay;
}

/* @m: a copy of the record, which is busy. */
static int unmap_kinds(struct domain *d, const struct grant_maptrack *m,
		       uint32_t kinds)
{
	int rc = 0;

	if (kinds & m->flags & GNTMAP_host_map) {
		rc = p2m_remove_grant(d, gfn(m->gfn), m->pg);
	}
	if (unlikely(d->iommu.grants) && rc == 0 &&
	    !(m->flags & MAP_KINDS & ~kinds)) {
		rc = gnttab_dma_update(d, m->pg);
	}
	return rc;
}

static int16_t unmap_one(struct domain *d, uint32_t handle, uint64_t host_addr,
			 uint64_t dev_bus_addr)
{
	struct gnttab *t = &d->gnttab;
	struct grant_maptrack *m;
	struct grant_maptrack copy = { .flags = 0 };
	int16_t st = GNTST_bad_handle;
	uint32_t kinds = 0;
	int rc;

	spin_lock(&t->lock);
	m = gnttab_track_find(t, handle);
	if (m) {
		copy = *m;
		st = kinds_asked(m, host_addr, dev_bus_addr, &kinds);
	}
	if (kinds != 0 && st == GNTST_okay) {
		m->flags |= TRACK_BUSY;
	}
	spin_unlock(&t->lock);
	if (kinds == 0 || st != GNTST_okay) {
		return st;
	}
	rc = unmap_kinds(d, &copy, kinds);
	track_drop(d, handle, rc ? 0 : kinds);
	return gntst_from_errno(rc);
}

/* What has just been mapped is mapped for devices too, or not at all. */
static __cold int16_t map_dma(struct domain *d, const gnttab_map_grant_ref_t *a)
{
	struct page *pg = page_of(paddr_to_mfn(paddr(a->dev_bus_addr)));
	int rc = NEVER(!pg) ? -EINVAL : gnttab_dma_update(d, pg);

	if (rc) {
		(void)unmap_one(d, a->handle,
				a->flags & GNTMAP_host_map ? a->host_addr : 0,
				a->dev_bus_addr);
	}
	return gntst_from_errno(rc);
}

int gnttab_op_map(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_map_grant_ref_t *a = &arg->map;

	a->status = map_one(v, a);
	if (unlikely(v->domain->iommu.grants) && a->status == GNTST_okay) {
		a->status = map_dma(v->domain, a);
	}
	return 0;
}

int gnttab_op_unmap(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_unmap_grant_ref_t *a = &arg->unmap;

	a->status = unmap_one(v->domain, a->handle, a->host_addr,
			      a->dev_bus_addr);
	return 0;
}

/* There is no table entry to exchange when the guest's map is ours. */
int gnttab_op_replace(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_unmap_and_replace_t *a = &arg->replace;

	a->status = a->new_addr != 0
			    ? GNTST_general_error
			    : unmap_one(v->domain, a->handle, a->host_addr, 0);
	return 0;
}

/* 0: the record is gone, or was free; its vCPUs do not run any more. */
static int release_one(struct domain *d, uint32_t handle, uint32_t *cost)
{
	struct gnttab *t = &d->gnttab;
	struct grant_maptrack *m;
	struct grant_maptrack copy = { .flags = 0 };
	int rc;

	spin_lock(&t->lock);
	m = gnttab_track_find(t, handle);
	if (m) {
		copy = *m;
		m->flags |= TRACK_BUSY;
	}
	spin_unlock(&t->lock);
	if (!m) {
		return 0;
	}
	*cost += RELEASE_LOOK / RELEASE_BATCH;
	rc = unmap_kinds(d, &copy, MAP_KINDS);
	track_drop(d, handle, rc ? 0 : MAP_KINDS);
	return rc;
}

int gnttab_release_step(struct domain *d)
{
	struct gnttab *t = &d->gnttab;
	uint32_t cost = 0;

	for (; t->release_next < t->nr_handles; t->release_next++, cost++) {
		if (cost >= RELEASE_LOOK ||
		    release_one(d, t->release_next, &cost) != 0) {
			return -EAGAIN;
		}
	}
	return 0;
}

/* ---- caches -------------------------------------------------------------- */

/* A page of the caller's own, or one it has mapped, by machine address. */
int gnttab_op_cache_flush(struct vcpu *v, union gnttab_arg *arg)
{
	const gnttab_cache_flush_t *f = &arg->flush;
	struct page *pg;

	if (f->op & ~(uint32_t)(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL)) {
		return -EINVAL;
	}
	if (f->offset >= PAGE_SIZE || f->length > PAGE_SIZE - f->offset) {
		return -EINVAL;
	}
	if (f->length == 0 || f->op == 0) {
		return 0;
	}
	if (f->a.dev_bus_addr & ~PAGE_MASK) {
		return -EINVAL;
	}
	pg = page_of(paddr_to_mfn(paddr(f->a.dev_bus_addr)));
	if (!pg || (!page_get_owned(pg, v->domain->id) &&
		    !gnttab_get_if_mapped(v->domain, pg))) {
		return -EINVAL;
	}
	arch_clean_dcache((char *)hv_va(mfn_to_paddr(page_mfn(pg))) +
				  f->offset, f->length);
	page_put(pg);
	return 0;
}
