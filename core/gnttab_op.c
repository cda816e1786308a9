/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: the operations, as rows, and the walk over their lists.
 *
 * Owns    the dispatch; set-up and queries.
 * Not     mapping (gnttab_map.c) and copying (gnttab_copy.c).
 * Rule    an element's window is open before it is acted on, so its result
 *         can always be written; no element is read twice.
 * Locks   none here.
 * Bounds  a row's step of elements, then the call goes on later.
 * Spec    [XEN] grant_table.h.
 */
#include "gnttab_priv.h"

#include <hv/hypercall.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define LIST_PIECE 64u

/* ---- set-up and queries -------------------------------------------------- */

/* With a reference, or NULL and a status: who is asked about. */
static struct domain *asked(struct vcpu *v, domid_t id, int16_t *status)
{
	struct domain *d = domain_get_for(v, id);

	*status = d ? GNTST_okay : GNTST_bad_domain;
	if (d && d != v->domain && !v->domain->is_control) {
		*status = GNTST_permission_denied;
		domain_put(d);
		d = NULL;
	}
	return d;
}

static int op_query_size(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_query_size_t *q = &arg->query;
	struct domain *d = asked(v, q->dom, &q->status);

	if (d) {
		/* The first one is always there: made when it is needed. */
		q->nr_frames = d->gnttab.nr_frames ? d->gnttab.nr_frames : 1;
		q->max_nr_frames = d->gnttab.max_frames;
		domain_put(d);
	}
	return 0;
}

/* The guest frames of the table, where it is mapped. */
static int frames_out(struct vcpu *v, struct domain *d,
		      const gnttab_setup_table_t *s)
{
	xen_pfn_t g[LIST_PIECE];
	uint32_t at, i, n;
	int rc = 0;

	/* Bound: max_frames, which growth has made sure of. */
	for (at = 0; at < s->nr_frames && rc == 0; at += n) {
		n = min_u32(s->nr_frames - at, LIST_PIECE);
		for (i = 0; i < n; i++) {
			g[i] = __atomic_load_n(&d->gnttab.frame_gfn[at + i],
					       __ATOMIC_RELAXED);
		}
		rc = guest_copy_out(v, s->frame_list.q + at * sizeof(*g), g,
				    n * (uint32_t)sizeof(*g));
	}
	return rc;
}

static int op_setup_table(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_setup_table_t *s = &arg->setup;
	struct domain *d = asked(v, s->dom, &s->status);
	int rc;

	if (!d) {
		return 0;
	}
	spin_lock(&d->gnttab.lock);
	rc = gnttab_grow_locked(d, s->nr_frames);
	spin_unlock(&d->gnttab.lock);
	if (rc == 0) {
		rc = frames_out(v, d, s);
	} else if (rc != -EAGAIN) {
		s->status = GNTST_general_error;
		rc = 0;
	}
	domain_put(d);
	return rc;
}

/* Version 2 needs 64-bit frames that no guest here has: stay on 1. */
static int op_set_version(struct vcpu *v, union gnttab_arg *arg)
{
	uint32_t wanted = arg->set_version.version;

	(void)v;
	arg->set_version.version = 1;
	return wanted == 1 ? 0 : wanted == 2 ? -ENOSYS : -EINVAL;
}

static int op_get_version(struct vcpu *v, union gnttab_arg *arg)
{
	struct domain *d = domain_get_for(v, arg->get_version.dom);

	if (!d) {
		return -ESRCH;
	}
	arg->get_version.version = 1;
	domain_put(d);
	return 0;
}

/* Only version 2 has status frames. */
static int op_status_frames(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_get_status_frames_t *s = &arg->status_frames;
	struct domain *d = asked(v, s->dom, &s->status);

	if (d) {
		s->status = GNTST_general_error;
		domain_put(d);
	}
	return 0;
}

static int op_swap(struct vcpu *v, union gnttab_arg *arg)
{
	gnttab_swap_grant_ref_t *s = &arg->swap;

	s->status = grant_swap(v->domain, s->ref_a, s->ref_b);
	return 0;
}

/* ---- rows ---------------------------------------------------------------- */

enum row_flags {
	ROW_ONE = 1u << 0,    /* not a list: exactly one element */
	ROW_REPLY = 1u << 1,  /* the structure is written back */
	ROW_ALWAYS = 1u << 2, /* also when the operation failed */
};

struct row {
	int (*fn)(struct vcpu *v, union gnttab_arg *arg);
	uint16_t size;
	uint8_t step; /* elements at a time */
	uint8_t flags;
};

#define ROW(member, handler, elements, f)                                     \
	{                                                                     \
		.fn = (handler),                                              \
		.size = sizeof(((union gnttab_arg *)NULL)->member),           \
		.step = (elements),                                           \
		.flags = (f),                                                 \
	}
#define ONE (ROW_ONE | ROW_REPLY)

static const struct row rows[] = {
	/*                              structure      what it does   step */
	[GNTTABOP_map_grant_ref] = ROW(map, gnttab_op_map, 32, ROW_REPLY),
	[GNTTABOP_unmap_grant_ref] =
		ROW(unmap, gnttab_op_unmap, 32, ROW_REPLY),
	[GNTTABOP_setup_table] = ROW(setup, op_setup_table, 1, ONE),
	[GNTTABOP_copy] = ROW(copy, gnttab_op_copy, 32, ROW_REPLY),
	[GNTTABOP_query_size] = ROW(query, op_query_size, 1, ONE),
	[GNTTABOP_unmap_and_replace] =
		ROW(replace, gnttab_op_replace, 32, ROW_REPLY),
	[GNTTABOP_set_version] =
		ROW(set_version, op_set_version, 1, ONE | ROW_ALWAYS),
	[GNTTABOP_get_status_frames] =
		ROW(status_frames, op_status_frames, 1, ONE),
	[GNTTABOP_get_version] = ROW(get_version, op_get_version, 1, ONE),
	[GNTTABOP_swap_grant_ref] = ROW(swap, op_swap, 64, ROW_REPLY),
	[GNTTABOP_cache_flush] = ROW(flush, gnttab_op_cache_flush, 64, 0),
};

static int run_one(struct vcpu *v, const struct row *r, uint64_t va)
{
	union gnttab_arg arg;
	struct guest_win w;
	int rc = guest_win_open(v, va, r->size,
				r->flags & ROW_REPLY ? HC_IN | HC_OUT : HC_IN,
				&w);

	if (rc) {
		return rc;
	}
	guest_win_read(&w, &arg, 0, r->size);
	rc = r->fn(v, &arg);
	if ((r->flags & ROW_ALWAYS) || (rc == 0 && (r->flags & ROW_REPLY))) {
		guest_win_write(&w, &arg, 0, r->size);
	}
	guest_win_close(&w);
	return rc;
}

/* The list of @count elements at @va, from where it was left. */
static int64_t run_list(struct vcpu *v, uint32_t op, uint64_t va,
			uint32_t count)
{
	const struct row *r = &rows[op];
	uint64_t key = hc_cont_key(__HYPERVISOR_grant_table_op, op, va, count,
				   0);
	uint64_t start = hc_cont_position(v, key);
	uint64_t at = start < count ? start : count;
	uint64_t end = at + r->step < count ? at + r->step : count;
	int64_t rc = 0;

	for (; at < end && rc == 0; at++) { /* bound: r->step */
		rc = run_one(v, r, va + at * r->size);
	}
	if (rc == -EAGAIN) {
		return hc_cont_again(v, key, at - 1);
	}
	if (rc == 0 && at < count) {
		return hc_cont_again(v, key, at);
	}
	if (start != 0) {
		hc_cont_end(v);
	}
	return rc;
}

int64_t hc_grant_table_op(struct vcpu *v, const uint64_t *args)
{
	uint32_t op = (uint32_t)args[0];
	uint64_t va = args[1];
	uint32_t count = (uint32_t)args[2];

	if (count > INT32_MAX) {
		return -EINVAL;
	}
	if (op == GNTTABOP_transfer) {
		return -EOPNOTSUPP; /* of paravirtual guests */
	}
	if (op >= ARRAY_SIZE(rows)) {
		return -ENOSYS;
	}
	op = (uint32_t)array_index_nospec(op, ARRAY_SIZE(rows));
	if (!rows[op].fn) {
		return -ENOSYS;
	}
	if (op == GNTTABOP_set_version) {
		count = 1; /* whatever it says */
	}
	if ((rows[op].flags & ROW_ONE) && count != 1) {
		return -EINVAL;
	}
	if ((uint64_t)count * rows[op].size > UINT64_MAX - va) {
		return -EFAULT;
	}
	return run_list(v, op, va, count);
}
