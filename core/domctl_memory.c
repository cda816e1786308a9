/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: limits of a domain's memory, and caches over it.
 *
 * Owns    d->max_pages and d->p2m.pool_pages of domains the toolstack makes.
 * Locks   control_lock, held by the caller; d->p2m.lock for the pool.
 * Bounds  STEP_PAGES pages cleaned a call.
 * Spec    [XEN] domctl.h.
 */
#include "domctl_priv.h"

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define STEP_PAGES 64u
#define KIB_PER_PAGE_SHIFT (PAGE_SHIFT - 10)

int64_t domctl_max_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	uint64_t pages = op->u.max_mem.max_memkb >> KIB_PER_PAGE_SHIFT;

	(void)v;
	/* The interface counts in 32 bits; less than it has stops growth. */
	pages = pages < UINT32_MAX ? pages : UINT32_MAX;
	__atomic_store_n(&d->max_pages, pages, __ATOMIC_RELAXED);
	return 0;
}

int64_t domctl_address_size(struct vcpu *v, struct domain *d,
			    struct xen_domctl *op)
{
	(void)v;
	(void)d;
	/* A 32-bit kernel would need EL1 in that state. */
	return op->u.address_size.size == 64 ? 0 : -EINVAL;
}

/* One node: a domain is near all of its memory. */
int64_t domctl_setnodeaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op)
{
	uint64_t nodes;
	int rc = control_bitmap_get(v, &op->u.nodeaffinity.nodemap, &nodes);

	(void)d;
	if (rc) {
		return rc;
	}
	return nodes & 1 ? 0 : -EINVAL;
}

int64_t domctl_getnodeaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op)
{
	(void)d;
	return control_bitmap_put(v, &op->u.nodeaffinity.nodemap, 1);
}

/* ---- caches -------------------------------------------------------------- */

/* What the toolstack wrote must be seen by a guest with its caches off. */
static void clean_page(struct domain *d, gfn_t g)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(d, g, &e);

	if (!pg) {
		return;
	}
	if (p2m_type_is_ram(e.type)) {
		arch_clean_dcache(hv_va(mfn_to_paddr(e.mfn)), PAGE_SIZE);
	}
	page_put(pg);
}

int64_t domctl_cacheflush(struct vcpu *v, struct domain *d,
			  struct xen_domctl *op)
{
	const struct xen_domctl_cacheflush *f = &op->u.cacheflush;
	uint64_t key = hc_cont_key(__HYPERVISOR_domctl, op->cmd, d->id,
				   f->start_pfn, f->nr_pfns);
	uint64_t at = hc_cont_position(v, key);
	uint64_t end;

	if (f->nr_pfns == 0) {
		return 0;
	}
	if (f->nr_pfns > BIT64(MAX_ORDER) ||
	    f->start_pfn + f->nr_pfns < f->start_pfn) {
		return -EINVAL;
	}
	at = at < f->nr_pfns ? at : f->nr_pfns;
	end = f->nr_pfns - at > STEP_PAGES ? at + STEP_PAGES : f->nr_pfns;
	for (; at < end; at++) { /* bound: STEP_PAGES */
		clean_page(d, gfn(f->start_pfn + at));
	}
	if (at < f->nr_pfns) {
		return hc_cont_again(v, key, at);
	}
	if (hc_cont_position(v, key) != 0) {
		hc_cont_end(v);
	}
	arch_invalidate_icache();
	return 0;
}

/* ---- frames for tables --------------------------------------------------- */

int64_t domctl_get_mempool(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op)
{
	uint64_t pages = d->p2m.pool_pages;

	(void)v;
	op->u.paging_mempool.size = pages == UINT64_MAX ? 0
							: pages << PAGE_SHIFT;
	return 0;
}

int64_t domctl_set_mempool(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op)
{
	uint64_t bytes = op->u.paging_mempool.size;
	int rc = 0;

	(void)v;
	if (d->is_hardware || (bytes & ~PAGE_MASK) != 0) {
		return -EINVAL;
	}
	spin_lock(&d->p2m.lock);
	if (bytes >> PAGE_SHIFT < d->p2m.used_pages) {
		rc = -ENOMEM; /* tables in use stay */
	} else {
		d->p2m.pool_pages = bytes >> PAGE_SHIFT;
	}
	spin_unlock(&d->p2m.lock);
	return rc;
}
