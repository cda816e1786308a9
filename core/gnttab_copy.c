/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: copying between pages that are granted or one's own.
 *
 * Owns    nothing: what a copy uses is given back before it ends.
 * Rule    both sides are checked and held before the first byte moves.
 * Bounds  one page an element.
 * Spec    [XEN] grant_table.h "GNTTABOP_copy".
 */
#include "gnttab_priv.h"

#include "evtchn_policy.h"
#include <hv/arch.h>
#include <lib/errno.h>
#include <lib/string.h>

struct side {
	struct domain *granter; /* NULL: a page of the caller's own */
	struct grant_use use;
	struct page *pg;
	char *at;
};

typedef struct gnttab_copy_ptr copy_ptr;

/* A frame of another domain, not by a grant: no, if there is one. */
__cold static int16_t refuse_foreign(domid_t id)
{
	struct domain *d = domain_lookup_get(id);

	if (!d) {
		return GNTST_bad_domain;
	}
	domain_put(d);
	return GNTST_permission_denied;
}

/* A frame of the caller's own address space. */
static int16_t open_own(struct domain *d, const copy_ptr *p, struct side *s)
{
	struct p2m_entry e;

	if (p->domid != DOMID_SELF) {
		return refuse_foreign(p->domid);
	}
	s->pg = p2m_get_page(d, gfn(p->u.gmfn), &e);
	if (!s->pg) {
		return GNTST_bad_page;
	}
	if (!p2m_type_is_ram(e.type) || page_owner(s->pg) != d->id ||
	    (s->use.write && e.type != P2M_RAM_RW)) {
		page_put(s->pg);
		return GNTST_bad_page;
	}
	return GNTST_okay;
}

static int16_t open_granted(struct vcpu *v, const copy_ptr *p, struct side *s)
{
	struct domain *d = domain_get_for(v, p->domid);
	int16_t st;

	if (!d) {
		return GNTST_bad_domain;
	}
	s->use.ref = p->u.ref;
	s->use.who = v->domain->id;
	st = domains_may_share(d, v->domain)
		     ? grant_acquire(d, &s->use, &s->pg)
		     : GNTST_permission_denied;
	if (st == GNTST_okay) {
		s->granter = d;
	} else {
		domain_put(d);
	}
	return st;
}

static int16_t side_open(struct vcpu *v, const copy_ptr *p, bool by_ref,
			 struct side *s)
{
	int16_t st = by_ref ? open_granted(v, p, s)
			    : open_own(v->domain, p, s);

	if (st == GNTST_okay) {
		s->at = (char *)hv_va(mfn_to_paddr(page_mfn(s->pg))) +
			p->offset;
	}
	return st;
}

static void side_close(struct side *s)
{
	page_put(s->pg);
	if (s->granter) {
		grant_release(s->granter, &s->use);
		domain_put(s->granter);
	}
}

static bool fits(const copy_ptr *p, uint16_t len)
{
	return p->offset <= PAGE_SIZE && len <= PAGE_SIZE - p->offset;
}

static int16_t copy_one(struct vcpu *v, const gnttab_copy_t *c)
{
	struct side src = { .use = { .write = false } };
	struct side dst = { .use = { .write = true } };
	int16_t st;

	if (!fits(&c->source, c->len) || !fits(&c->dest, c->len)) {
		return GNTST_bad_copy_arg;
	}
	st = side_open(v, &c->source, c->flags & GNTCOPY_source_gref, &src);
	if (st != GNTST_okay) {
		return st;
	}
	st = side_open(v, &c->dest, c->flags & GNTCOPY_dest_gref, &dst);
	if (st == GNTST_okay) {
		memmove(dst.at, src.at, c->len);
		side_close(&dst);
	}
	side_close(&src);
	return st;
}

int gnttab_op_copy(struct vcpu *v, union gnttab_arg *arg)
{
	arg->copy.status = copy_one(v, &arg->copy);
	return 0;
}
