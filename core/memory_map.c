/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_op: single pages into and out of a domain's physical map: the
 * shared page, grant table frames, and pages of other domains.
 *
 * Owns    the rules of who may map what where.
 * Not     references of mappings (p2m.c), grant frames (gnttab.c).
 * Rule    a page of another domain is RAM of that domain, which still owns
 *         it: checked with a reference held, which the mapping takes over.
 * Locks   none here.
 * Bounds  STEP_PAGES pages of a batch a step.
 * Spec    [XEN] memory.h "XENMEM_add_to_physmap".
 */
#include "memory_priv.h"

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <hv/tracebuf.h>
#include <lib/errno.h>

#define STEP_PAGES 64u

static int add_shared_info(struct domain *d, uint64_t idx, gfn_t g)
{
	struct page *pg = d->shared_info_page;
	int rc;

	if (idx != 0) {
		return -EINVAL;
	}
	if (!page_get(pg)) {
		return -EBUSY; /* mapped two thousand million times */
	}
	rc = p2m_map_page(d, g, pg, P2M_XEN_RW);
	if (rc) {
		page_put(pg);
	}
	return rc;
}

/* Page @idx of @from at @g of @d. */
static int add_foreign(struct domain *d, struct domain *from, uint64_t idx,
		       gfn_t g)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(from, gfn(idx), &e);
	enum p2m_type t = e.type == P2M_RAM_RO ? P2M_FOREIGN_RO
					       : P2M_FOREIGN_RW;
	int rc = -EINVAL;

	if (!pg) {
		return -EINVAL;
	}
	if (p2m_type_is_ram(e.type) && page_owner(pg) == from->id) {
		rc = p2m_map_page(d, g, pg, t);
	}
	if (rc) {
		page_put(pg);
	}
	return rc;
}

/* The hypervisor's, by frame number: trace buffers. */
static int add_trace_page(struct domain *d, uint64_t idx, gfn_t g)
{
	bool writable;
	struct page *pg = tracebuf_page_get(mfn(idx), &writable);
	int rc;

	if (!pg) {
		return -EINVAL;
	}
	rc = p2m_map_page(d, g, pg,
			  writable ? P2M_FOREIGN_RW : P2M_FOREIGN_RO);
	if (rc) {
		page_put(pg);
	}
	return rc;
}

/*
 * @from: owner of foreign pages, NULL for the other spaces. -EAGAIN: part of
 * it is done, call again.
 */
static int add_one(struct domain *d, struct domain *from, uint32_t space,
		   uint64_t idx, gfn_t g)
{
	switch (space) {
	case XENMAPSPACE_shared_info:
		return add_shared_info(d, idx, g);
	case XENMAPSPACE_grant_table:
		/* Bit 31 asks for version 2's status frames: not there. */
		return idx > INT32_MAX ? -EINVAL
				       : gnttab_map_frame(d, (uint32_t)idx,
							  g.v);
	case XENMAPSPACE_gmfn_foreign:
		return from ? add_foreign(d, from, idx, g) : -ENOSYS;
	default:
		return -ENOSYS;
	}
}

int64_t mem_op_add(struct vcpu *v, union hc_arg *arg)
{
	const xen_add_to_physmap_t *a = &arg->mem_add_to_physmap;
	struct domain *d;
	int64_t rc = memory_target(v, a->domid, &d);

	if (rc) {
		return rc;
	}
	rc = add_one(d, NULL, a->space, a->idx, gfn(a->gpfn));
	domain_put(d);
	return rc == -EAGAIN ? HC_AGAIN : rc;
}

/* ---- batch ----------------------------------------------------------- */

struct batch {
	struct domain *d;
	struct domain *from;
	uint32_t space;
	bool of_hypervisor;     /* from DOMID_XEN */
	uint64_t errs;          /* guest address of the results */
	struct guest_iter idxs;
	struct guest_iter gpfns;
};

static int batch_init(struct vcpu *v, struct batch *b,
		      const xen_add_to_physmap_batch_t *a, uint64_t start)
{
	b->space = a->space;
	b->errs = a->errs.q;
	if (guest_iter_init(&b->idxs, v, a->idxs.q, a->size,
			    sizeof(xen_ulong_t)) != 0 ||
	    guest_iter_init(&b->gpfns, v, a->gpfns.q, a->size,
			    sizeof(xen_pfn_t)) != 0 ||
	    a->errs.q > UINT64_MAX - a->size * sizeof(int32_t)) {
		return -EFAULT;
	}
	guest_iter_seek(&b->idxs, start);
	guest_iter_seek(&b->gpfns, start);
	return 0;
}

/* 0: the next page is done, well or not; -EFAULT; -EAGAIN: it needs more. */
static int batch_one(struct vcpu *v, struct batch *b)
{
	uint64_t slot = b->errs + b->idxs.next * sizeof(int32_t);
	xen_ulong_t idx;
	xen_pfn_t g;
	int32_t result;

	if (guest_iter_next(&b->idxs, &idx) != 0 ||
	    guest_iter_next(&b->gpfns, &g) != 0) {
		return -EFAULT;
	}
	result = b->of_hypervisor
			 ? add_trace_page(b->d, idx, gfn(g))
			 : add_one(b->d, b->from, b->space, idx, gfn(g));
	if (result == -EAGAIN) {
		guest_iter_seek(&b->idxs, b->idxs.next - 1);
		guest_iter_seek(&b->gpfns, b->gpfns.next - 1);
		return result;
	}
	return guest_copy_out(v, slot, &result, sizeof(result));
}

static int64_t batch_step(struct vcpu *v, struct batch *b, uint64_t key)
{
	uint64_t start = b->idxs.next;
	uint64_t end = start + STEP_PAGES;
	int64_t rc = 0;

	end = end < b->idxs.nr ? end : b->idxs.nr;
	while (b->idxs.next < end && rc == 0) { /* bound: STEP_PAGES */
		rc = batch_one(v, b);
	}
	if (rc == -EAGAIN || (rc == 0 && b->idxs.next < b->idxs.nr)) {
		return hc_cont_again(v, key, b->idxs.next);
	}
	if (start != 0) {
		hc_cont_end(v);
	}
	return rc;
}

static bool is_of_hypervisor(const xen_add_to_physmap_batch_t *a)
{
	return a->space == XENMAPSPACE_gmfn_foreign &&
	       a->u.foreign_domid == DOMID_XEN;
}

/* With a reference, or NULL and 0 for pages that no domain owns. */
static int batch_owner(struct vcpu *v, const xen_add_to_physmap_batch_t *a,
		       const struct domain *d, struct domain **out)
{
	*out = NULL;
	if (a->space != XENMAPSPACE_gmfn_foreign) {
		return a->u.res0 != 0 ? -EOPNOTSUPP : 0;
	}
	if (!hc_permitted(v, HC_CTRL)) {
		return -EPERM;
	}
	if (is_of_hypervisor(a)) {
		return 0;
	}
	*out = domain_get_for(v, a->u.foreign_domid);
	if (!*out) {
		return -ESRCH;
	}
	if (*out == d) { /* it has its own pages already */
		domain_put(*out);
		return -EINVAL;
	}
	return 0;
}

static int64_t batch_run(struct vcpu *v, struct domain *d,
			 const xen_add_to_physmap_batch_t *a)
{
	uint64_t who = (uint64_t)a->domid << 48 | (uint64_t)a->space << 32 |
		       (uint64_t)a->size << 16 | a->u.res0;
	uint64_t key = hc_cont_key(__HYPERVISOR_memory_op,
				   XENMEM_add_to_physmap_batch, a->idxs.q,
				   a->gpfns.q, who);
	struct batch b = { .d = d, .of_hypervisor = is_of_hypervisor(a) };
	int64_t rc = batch_owner(v, a, d, &b.from);

	if (rc) {
		return rc;
	}
	rc = batch_init(v, &b, a, hc_cont_position(v, key));
	if (rc == 0) {
		rc = batch_step(v, &b, key);
	}
	if (b.from) {
		domain_put(b.from);
	}
	return rc;
}

int64_t mem_op_add_batch(struct vcpu *v, union hc_arg *arg)
{
	const xen_add_to_physmap_batch_t *a = &arg->mem_add_to_physmap_batch;
	struct domain *d;
	int64_t rc = memory_target(v, a->domid, &d);

	if (rc) {
		return rc;
	}
	rc = batch_run(v, d, a);
	domain_put(d);
	return rc;
}

/* ---- remove ---------------------------------------------------------- */

int64_t mem_op_remove(struct vcpu *v, union hc_arg *arg)
{
	const xen_remove_from_physmap_t *a = &arg->mem_remove_from_physmap;
	struct domain *d;
	int64_t rc = memory_target(v, a->domid, &d);

	if (rc) {
		return rc;
	}
	rc = p2m_remove_page(d, gfn(a->gpfn),
			     P2M_MASK_RAM | P2M_MASK_FOREIGN | P2M_MASK_GRANT |
				     P2M_MASK(P2M_XEN_RW));
	domain_put(d);
	return rc;
}
