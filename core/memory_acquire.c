/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_op acquire_resource: pages that belong to another domain but are not
 * in its physical map. Here: grant table frames, which the toolstack fills in
 * before the domain runs.
 *
 * Owns    nothing.
 * Not     the frames (gnttab.c).
 * Rights  control domain (the row's HC_CTRL), and not on itself.
 * Bounds  STEP_FRAMES frames a step.
 * Spec    [XEN] memory.h "XENMEM_acquire_resource".
 */
#include "memory_priv.h"

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>

#define STEP_FRAMES 32u

static int acquire_check(const xen_mem_acquire_resource_t *a)
{
	if (a->type != XENMEM_resource_grant_table) {
		return -EOPNOTSUPP;
	}
	return a->id == XENMEM_resource_grant_table_id_shared ? 0 : -EINVAL;
}

static int map_one(struct domain *self, struct domain *d, uint32_t idx,
		   gfn_t g)
{
	struct page *pg;
	int rc = gnttab_get_shared_frame(d, idx, &pg);

	if (rc) {
		return rc;
	}
	rc = p2m_map_page(self, g, pg, P2M_FOREIGN_RW);
	if (rc) {
		page_put(pg);
	}
	return rc;
}

static int64_t map_step(struct vcpu *v, struct domain *d,
			const xen_mem_acquire_resource_t *a)
{
	uint64_t key = hc_cont_key(__HYPERVISOR_memory_op,
				   XENMEM_acquire_resource, a->frame_list.q,
				   (uint64_t)a->nr_frames << 32 | a->domid,
				   a->frame);
	uint64_t start = hc_cont_position(v, key);
	struct guest_iter it;
	xen_pfn_t g;
	int rc = guest_iter_init(&it, v, a->frame_list.q, a->nr_frames,
				 sizeof(g));

	if (rc) {
		return rc;
	}
	guest_iter_seek(&it, start);
	start = it.next;
	while (rc == 0 && it.next < it.nr && it.next - start < STEP_FRAMES) {
		rc = guest_iter_next(&it, &g);
		if (rc == 0) {
			rc = map_one(v->domain, d,
				     (uint32_t)(a->frame + it.next - 1),
				     gfn(g));
		}
	}
	if (rc == -EAGAIN) { /* the table is growing: this frame again */
		return hc_cont_again(v, key, it.next - 1);
	}
	if (rc == 0 && it.next < it.nr) {
		return hc_cont_again(v, key, it.next);
	}
	if (start != 0) {
		hc_cont_end(v);
	}
	return rc;
}

static int64_t acquire(struct vcpu *v, struct domain *d,
		       xen_mem_acquire_resource_t *a)
{
	uint32_t max = d->gnttab.max_frames;

	if (a->frame_list.q == 0) {
		if (a->nr_frames != 0) {
			return -EINVAL;
		}
		a->nr_frames = max;
		return 0;
	}
	if (a->frame > max || a->nr_frames > max - a->frame) {
		return -EINVAL;
	}
	return map_step(v, d, a);
}

int64_t mem_op_acquire(struct vcpu *v, union hc_arg *arg)
{
	xen_mem_acquire_resource_t *a = &arg->mem_acquire_resource;
	struct domain *d;
	int64_t rc;

	if (a->pad != 0) {
		return -EINVAL;
	}
	d = domain_lookup_get(a->domid); /* DOMID_SELF is nobody here */
	if (!d) {
		return -ESRCH;
	}
	rc = d == v->domain ? -EPERM : acquire_check(a);
	if (rc == 0) {
		rc = acquire(v, d, a);
	}
	domain_put(d);
	return rc;
}
