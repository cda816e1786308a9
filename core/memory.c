/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_op: a domain's reservation, and questions about it.
 *
 * Owns    the table of sub-operations; populate, decrease and claim.
 * Not     mapping single pages (memory_map.c), nor frames (page_alloc.c).
 * Rule    lists are walked one private element at a time; the result is the
 *         number of extents done, also when it stops early.
 * Direct  a direct-mapped domain keeps what it gives up: nobody else gets it,
 *         and populating the same guest frame brings the same frame back,
 *         because devices reach it by its machine address. So does one with
 *         static memory: the heap has none for it.
 * Locks   none here.
 * Bounds  STEP_EXTENTS extents or STEP_FRAMES frames a step; an extent is at
 *         most MAX_EXTENT_ORDER.
 * Spec    [XEN] memory.h; docs/abi.md "memory_op".
 */
#include "memory_priv.h"

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <hv/static_mem.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>

#define STEP_EXTENTS 64u
#define STEP_FRAMES 512u
/*
 * Larger ones are not done: the scrub of one extent is not interruptible.
 * The toolstack goes on with 2 MiB when it gets nothing for 1 GiB.
 */
#define MAX_EXTENT_ORDER ORDER_2M
/* The rest of cmd: start extent of an interrupted call, Xen's own business. */
#define MEMOP_CMD_MASK 0x3fu

int memory_target(struct vcpu *v, domid_t domid, struct domain **out)
{
	struct domain *d = domain_get_for(v, domid);

	if (!d) {
		return -ESRCH;
	}
	if (d != v->domain && !hc_permitted(v, HC_CTRL)) {
		domain_put(d);
		return -EPERM;
	}
	*out = d;
	return 0;
}

/* ---- populate -------------------------------------------------------- */

static int populate_new(struct domain *d, gfn_t g, unsigned int order)
{
	mfn_t m;
	int rc = dom_alloc_pages(d, order, &m);

	if (rc) {
		return rc;
	}
	rc = p2m_map_ram(d, g, m, order, P2M_RAM_RW);
	if (rc) {
		page_release_range(d, m, BIT64(order));
	}
	return rc;
}

int memory_populate(struct domain *d, uint64_t g, unsigned int order)
{
	if (!is_aligned(g, BIT64(order))) {
		return -EINVAL;
	}
	if (d->direct_mapped || d->static_mem) {
		mfn_t m = d->static_mem ?
				  static_mem_home(d, gfn(g), BIT64(order)) :
				  mfn(g);

		/* Refused by p2m_map_ram() unless the frames are its own. */
		return p2m_map_ram(d, gfn(g), m, order, P2M_RAM_RW);
	}
	return populate_new(d, gfn(g), order);
}

/* ---- decrease -------------------------------------------------------- */

static int decrease_one(struct domain *d, uint64_t g, unsigned int order)
{
	uint64_t i;
	int rc = 0;

	if (g > INVALID_FRAME - BIT64(order)) {
		return -EINVAL;
	}
	for (i = 0; i < BIT64(order) && rc == 0; i++) {
		rc = p2m_remove_page(d, gfn(g + i), P2M_MASK_RAM);
	}
	return rc;
}

/* ---- the walk they share --------------------------------------------- */

typedef int (*extent_fn)(struct domain *d, uint64_t g, unsigned int order);

struct extent_walk {
	struct guest_iter it;
	unsigned int order;
	extent_fn fn;
};

/* True: goes on later. False: it->next extents are done. */
static bool walk_step(struct domain *d, struct extent_walk *w)
{
	uint64_t frames = 0;
	uint32_t i;
	xen_pfn_t g;

	for (i = 0; i < STEP_EXTENTS && frames < STEP_FRAMES; i++) {
		if (guest_iter_next(&w->it, &g) != 0) {
			return false;
		}
		if (w->fn(d, g, w->order) != 0) {
			w->it.next--; /* this one is not done */
			return false;
		}
		frames += BIT64(w->order);
	}
	return w->it.next < w->it.nr;
}

static int64_t walk_extents(struct vcpu *v, const union hc_arg *arg,
			    uint32_t op, extent_fn fn)
{
	const xen_memory_reservation_t *r = &arg->mem_reservation;
	struct extent_walk w = { .order = r->extent_order, .fn = fn };
	uint64_t key = hc_cont_key(__HYPERVISOR_memory_op, op,
				   r->extent_start.q, r->nr_extents,
				   r->extent_order << 16 | r->domid);
	uint64_t start = hc_cont_position(v, key);
	struct domain *d;
	bool again;
	int rc;

	if (r->extent_order > MAX_EXTENT_ORDER ||
	    r->nr_extents > UINT32_MAX ||
	    guest_iter_init(&w.it, v, r->extent_start.q, r->nr_extents,
			    sizeof(xen_pfn_t)) != 0) {
		return 0; /* nothing done */
	}
	rc = memory_target(v, r->domid, &d);
	if (rc) {
		return rc == -ESRCH ? 0 : rc;
	}
	guest_iter_seek(&w.it, start);
	again = walk_step(d, &w);
	domain_put(d);
	if (again) {
		return hc_cont_again(v, key, w.it.next);
	}
	if (start != 0) {
		hc_cont_end(v);
	}
	return (int64_t)w.it.next;
}

static int64_t mem_op_decrease(struct vcpu *v, union hc_arg *arg)
{
	return walk_extents(v, arg, XENMEM_decrease_reservation, decrease_one);
}

static int64_t mem_op_populate(struct vcpu *v, union hc_arg *arg)
{
	return walk_extents(v, arg, XENMEM_populate_physmap, memory_populate);
}

/* Memory without an address is of no use to a translated guest. */
static int64_t mem_op_increase(struct vcpu *v, union hc_arg *arg)
{
	(void)v;
	(void)arg;
	return 0;
}

/* ---- claim ----------------------------------------------------------- */

static int64_t mem_op_claim(struct vcpu *v, union hc_arg *arg)
{
	const xen_memory_reservation_t *r = &arg->mem_reservation;
	struct domain *d;
	int rc = 0;

	(void)v;
	if (r->extent_start.q != 0 || r->extent_order != 0 ||
	    r->mem_flags != 0) {
		return -EINVAL;
	}
	d = domain_lookup_get(r->domid);
	if (!d) {
		return -EINVAL;
	}
	if (r->nr_extents == 0) {
		page_unclaim(d);
	} else {
		rc = page_claim(d, r->nr_extents);
	}
	domain_put(d);
	return rc;
}

/* ---- questions ------------------------------------------------------- */

static int64_t mem_op_current(struct vcpu *v, union hc_arg *arg)
{
	struct domain *d;
	int64_t n = memory_target(v, arg->mem_domid, &d);

	if (n == 0) {
		n = (int64_t)__atomic_load_n(&d->tot_pages, __ATOMIC_RELAXED);
		domain_put(d);
	}
	return n;
}

static int64_t mem_op_maximum(struct vcpu *v, union hc_arg *arg)
{
	struct domain *d;
	int64_t n = memory_target(v, arg->mem_domid, &d);

	if (n == 0) {
		/* No limit is shown as the largest number, not as an error. */
		n = (int64_t)(__atomic_load_n(&d->max_pages,
					      __ATOMIC_RELAXED) &
			      INT64_MAX);
		domain_put(d);
	}
	return n;
}

static int64_t mem_op_maximum_gpfn(struct vcpu *v, union hc_arg *arg)
{
	struct domain *d;
	int64_t n = memory_target(v, arg->mem_domid, &d);

	if (n == 0) {
		n = (int64_t)d->p2m.max_gfn;
		domain_put(d);
	}
	return n;
}

/* No domain has a NUMA layout. */
static int64_t mem_op_vnumainfo(struct vcpu *v, union hc_arg *arg)
{
	(void)v;
	(void)arg;
	return -EOPNOTSUPP;
}

/*
 * Memory that a device needs at the same address: there is none. The toolstack
 * asks before it gives a PCI function to a domain.
 */
static int64_t mem_op_reserved(struct vcpu *v, union hc_arg *arg)
{
	(void)v;
	if (arg->mem_reserved.flags & ~(uint32_t)XENMEM_RDM_ALL) {
		return -EINVAL;
	}
	arg->mem_reserved.nr_entries = 0;
	return 0;
}

static const struct hc_subop mem_subops[] = {
	[XENMEM_increase_reservation] =
		SUBOP(mem_reservation, mem_op_increase, HC_IN, HC_ANY),
	[XENMEM_decrease_reservation] =
		SUBOP(mem_reservation, mem_op_decrease, HC_IN, HC_ANY),
	[XENMEM_current_reservation] =
		SUBOP(mem_domid, mem_op_current, HC_IN, HC_ANY),
	[XENMEM_maximum_reservation] =
		SUBOP(mem_domid, mem_op_maximum, HC_IN, HC_ANY),
	[XENMEM_populate_physmap] =
		SUBOP(mem_reservation, mem_op_populate, HC_IN, HC_ANY),
	[XENMEM_add_to_physmap] =
		SUBOP(mem_add_to_physmap, mem_op_add, HC_IN, HC_ANY),
	[XENMEM_maximum_gpfn] =
		SUBOP(mem_domid, mem_op_maximum_gpfn, HC_IN, HC_ANY),
	[XENMEM_remove_from_physmap] =
		SUBOP(mem_remove_from_physmap, mem_op_remove, HC_IN, HC_ANY),
	[XENMEM_add_to_physmap_batch] =
		SUBOP(mem_add_to_physmap_batch, mem_op_add_batch, HC_IN,
		      HC_ANY),
	[XENMEM_acquire_resource] =
		SUBOP(mem_acquire_resource, mem_op_acquire, HC_IN | HC_OUT,
		      HC_CTRL),
	[XENMEM_claim_pages] =
		SUBOP(mem_reservation, mem_op_claim, HC_IN, HC_CTRL),
	[XENMEM_reserved_device_memory_map] =
		SUBOP(mem_reserved, mem_op_reserved, HC_IN | HC_OUT, HC_ANY),
	[XENMEM_get_vnumainfo] = SUBOP(vnuma_info, mem_op_vnumainfo, HC_IN,
				       HC_ANY),
};

/*
 * These answer with the number of extents done, and that is 0 when not even
 * the argument can be read.
 */
static int64_t reservation_op(struct vcpu *v, uint64_t op, uint64_t uarg)
{
	int64_t rc = hypercall_subop(v, mem_subops, ARRAY_SIZE(mem_subops),
				     op, uarg);

	return rc == -EFAULT ? 0 : rc;
}

int64_t hc_memory_op(struct vcpu *v, const uint64_t *args)
{
	uint64_t op = args[0] & MEMOP_CMD_MASK;

	switch (op) {
	case XENMEM_maximum_ram_page: /* has no argument */
		return (int64_t)page_alloc_max_mfn();
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return reservation_op(v, op, args[1]);
	default:
		return hypercall_subop(v, mem_subops, ARRAY_SIZE(mem_subops),
				       op, args[1]);
	}
}
