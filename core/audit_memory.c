/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The auditor: what is mapped where, and what the frame table says of it.
 *
 * Owns    the rules of which frame may be in whose tables.
 * Locks   the P2M lock of the domain for one entry; what the frame table says
 *         is read after it, as an item is made sure of before it is told.
 * Bounds  AUDIT_LOOKS frames an item.
 */
#include "audit_priv.h"

#include <hv/arch.h>
#include <hv/page_alloc.h>
#include <hv/tracebuf.h>
#include <lib/bits.h>

/* One guest frame of a domain, and the frame of RAM behind it. */
struct place {
	struct domain *d;
	gfn_t g;
	mfn_t m;
	uint8_t type;
	struct page_state s;
};

static void tell(struct audit *a, const struct place *p, const char *kind,
		 uint16_t owner)
{
	const uint64_t v[] = { p->d->id, p->g.v, p->m.v, owner };

	audit_found(a, AUDIT_PAGE, kind, v);
}

/* ---- RAM ----------------------------------------------------------------- */

static bool is_allocated(const struct place *p)
{
	return (p->s.flags & PGF_ALLOCATED) != 0;
}

static const char *wrong_ram(const struct place *p)
{
	if (p->s.owner != p->d->id) {
		return "not-its-own";
	}
	if (!is_allocated(p)) {
		return "given-up";
	}
	return p->s.count < 2 ? "uncounted" : NULL;
}

/* A frame of a table of grants, which the toolstack maps to fill it. */
static bool is_grant_frame(mfn_t m)
{
	struct domain *d = domain_next_get(0);
	bool found = false;

	while (d && !found) { /* bound: MAX_DOMAINS, ids rise */
		domid_t next = (domid_t)(d->id + 1);

		found = gnttab_is_frame(d, m);
		domain_put(d);
		d = domain_next_get(next);
	}
	if (d) {
		domain_put(d);
	}
	return found;
}

static bool is_trace(mfn_t m, bool write)
{
	bool writable = false;
	struct page *pg = tracebuf_page_get(m, &writable);

	if (!pg) {
		return false;
	}
	page_put(pg);
	return writable || !write;
}

/*
 * References that such a frame has at least: the allocation's, this mapping's,
 * and its owner's, who has its RAM mapped as long as it has it.
 */
static uint32_t least_count(const struct place *p)
{
	struct domain *owner = domain_lookup_get(p->s.owner);
	uint32_t least = is_allocated(p) ? 2 : 1;

	if (owner) {
		if (is_allocated(p) && !owner->direct_mapped &&
		    !owner->static_mem && !owner->p2m.dying) {
			least++;
		}
		domain_put(owner);
	}
	return least;
}

static const char *wrong_foreign(const struct place *p)
{
	bool write = p->type == P2M_FOREIGN_RW;

	if (p->s.owner == DOMID_IO) { /* a region of the device tree's */
		return p->s.count < 2 ? "uncounted" : NULL;
	}
	if (!p->d->is_control || p->s.owner == p->d->id) {
		return "not-permitted";
	}
	if (p->s.owner == DOMID_HV && is_allocated(p) &&
	    !is_trace(p->m, write) && !is_grant_frame(p->m)) {
		return "hypervisor";
	}
	return p->s.count < least_count(p) ? "uncounted" : NULL;
}

/* One of ours; what we have given up is kept by this mapping alone. */
static const char *wrong_ours(const struct place *p)
{
	if (p->s.owner != DOMID_HV) {
		return "not-shared";
	}
	if (!is_allocated(p)) {
		return NULL;
	}
	if (p->m.v != page_mfn(p->d->shared_info_page).v &&
	    !gnttab_is_frame(p->d, p->m)) {
		return "hypervisor";
	}
	return p->s.count < 2 ? "uncounted" : NULL;
}

static const char *wrong_grant(const struct place *p)
{
	if (!gnttab_maps(p->d, p->m, p->g, p->type == P2M_GRANT_RW)) {
		return "not-granted";
	}
	return p->s.count < 2 ? "uncounted" : NULL;
}

static const char *wrong_frame(const struct place *p)
{
	if ((p->s.flags & PGF_FREE) || p->s.count == 0) {
		return "free";
	}
	if (p->s.owner == DOMID_HV && p->type != P2M_XEN_RW &&
	    p->type != P2M_FOREIGN_RW && p->type != P2M_FOREIGN_RO) {
		return "hypervisor";
	}
	if (p2m_type_is_ram(p->type)) {
		return wrong_ram(p);
	}
	if (p->type == P2M_XEN_RW) {
		return wrong_ours(p);
	}
	return P2M_MASK(p->type) & P2M_MASK_GRANT ? wrong_grant(p)
						  : wrong_foreign(p);
}

/* ---- registers ----------------------------------------------------------- */

/* Who has @m as a device at @g now. */
static bool has_device(domid_t id, gfn_t g, mfn_t m)
{
	struct domain *d = domain_lookup_get(id);
	struct p2m_entry e;

	if (!d) {
		return false;
	}
	e = p2m_lookup(d, g);
	domain_put(d);
	return e.mfn.v == m.v && e.type != P2M_NONE &&
	       !p2m_type_is_counted(e.type);
}

/* Note what @p's domain has; the one that has it too, or OWNER_NONE. */
static uint16_t enter_range(struct audit *a, const struct place *p)
{
	struct audit_range *r = NULL;

	for (uint32_t i = 0; i < a->nr_ranges; i++) { /* AUDIT_RANGES */
		uint64_t at;

		r = &a->range[i];
		at = p->m.v - r->mfn;
		if (at >= r->nr) {
			continue;
		}
		if (r->domid == p->d->id) {
			return OWNER_NONE; /* looked at again */
		}
		if (has_device(r->domid, gfn(r->gfn + at), p->m)) {
			return r->domid;
		}
	}
	if (r && r->domid == p->d->id && p->m.v == r->mfn + r->nr &&
	    p->g.v == r->gfn + r->nr) {
		r->nr++;
	} else if (a->nr_ranges < AUDIT_RANGES) {
		a->range[a->nr_ranges++] = (struct audit_range){
			.gfn = p->g.v, .mfn = p->m.v, .nr = 1,
			.domid = p->d->id,
		};
	} else {
		a->nr_unsure++;
	}
	return OWNER_NONE;
}

/* dom0 has its devices where they are. */
static void check_device(struct audit *a, const struct place *p)
{
	const struct domain *hw = hardware_domain;
	uint16_t other;

	if (p->d->is_hardware || arch_mmio_is_shared(p->m, p->type)) {
		return;
	}
	other = hw && has_device(hw->id, gfn(p->m.v), p->m)
			? hw->id
			: enter_range(a, p);
	if (other != OWNER_NONE) {
		tell(a, p, "device-of-two", other);
	}
}

/* It may be in a bank of RAM, if it was never given to anybody. */
static const char *wrong_device(const struct place *p)
{
	return p->s.flags == PGF_RESERVED && p->s.count == 0 ? NULL : "ram";
}

/* ---- items --------------------------------------------------------------- */

static bool is_device(const struct place *p)
{
	return !p2m_type_is_counted(p->type);
}

/* The frame at @p and those after it of which the same holds. */
static void check_frame(struct audit *a, struct place *p)
{
	bool is_ram = page_inspect(p->m, &p->s);
	const char *kind;

	if (is_device(p)) {
		kind = is_ram ? wrong_device(p) : NULL;
		check_device(a, p);
	} else {
		kind = is_ram ? wrong_frame(p) : "not-ram";
	}
	if (kind) {
		tell(a, p, kind, is_ram ? p->s.owner : OWNER_NONE);
	}
}

/* One step for all of a device that nobody but dom0 can have. */
static bool is_far_from_ram(const struct place *p, uint64_t nr)
{
	mfn_t ram = page_next_of_ram(p->m);

	return is_device(p) && p->d->is_hardware && ram.v - p->m.v >= nr;
}

/* Of @nr frames that are mapped alike, as many as an item may look at. */
static uint32_t check_frames(struct audit *a, struct place *p, uint64_t nr)
{
	uint64_t end = p->g.v + nr;
	uint32_t looks = 0;

	if (is_far_from_ram(p, nr)) {
		p->g.v = end;
		looks = 1;
	}
	while (p->g.v < end && looks < AUDIT_LOOKS && !a->line[0]) {
		uint64_t step;

		check_frame(a, p);
		step = is_device(p) && !p->d->is_hardware ? 1 : p->s.nr;
		step = step < end - p->g.v ? step : end - p->g.v;
		p->g.v += step;
		p->m.v += step;
		looks++;
	}
	a->next = p->g.v;
	return looks;
}

uint32_t audit_maps(struct audit *a, struct domain *d)
{
	uint64_t limit = BIT64(arch_ipa_bits() - PAGE_SHIFT);
	struct place p = { .d = d, .g = gfn(a->pos) };
	struct p2m_raw r;
	uint64_t end;
	uint32_t cost = 1;
	bool dying;

	spin_lock(&d->p2m.lock);
	dying = d->p2m.dying; /* nothing uses its tables any more */
	if (!dying) {
		arch_p2m_inspect(d, p.g, &r);
	}
	spin_unlock(&d->p2m.lock);
	if (dying) {
		return cost;
	}
	end = align_down(p.g.v, BIT64(r.e.order)) + BIT64(r.e.order);
	p.m = r.e.mfn;
	p.type = r.e.type;
	a->next = end;
	if (r.is_bad_table) {
		tell(a, &p, "table", OWNER_NONE);
	} else if (r.is_mapped && !r.is_sound) {
		tell(a, &p, "rights", OWNER_NONE);
	} else if (r.is_mapped) {
		cost = check_frames(a, &p, end - p.g.v);
		a->nr[AUDITED_MAPS] += a->next - a->pos;
	}
	if (a->next >= limit) {
		a->next = AUDIT_END;
	}
	return cost;
}

/* What the frame table alone must say, whoever maps it. */
static const char *wrong_state(const struct page_state *s)
{
	struct domain *d;

	if (s->flags & PGF_FREE) {
		return s->count != 0 || s->owner != OWNER_NONE ? "free-and-used"
							       : NULL;
	}
	if (!(s->flags & PGF_ALLOCATED)) {
		return NULL; /* held by references only, or nobody's */
	}
	if (s->count == 0) {
		return "uncounted";
	}
	if (s->owner == DOMID_HV || s->owner == DOMID_IO) {
		return NULL;
	}
	d = domain_lookup_get(s->owner);
	if (!d) {
		return "no-such-owner";
	}
	domain_put(d);
	return NULL;
}

uint32_t audit_frames(struct audit *a, struct domain *none)
{
	mfn_t m = page_next_of_ram(mfn(a->pos));
	uint32_t looks;

	(void)none;
	for (looks = 0; looks < AUDIT_LOOKS && !a->line[0]; looks++) {
		struct page_state s;
		const char *kind;

		if (m.v == INVALID_FRAME || !page_inspect(m, &s)) {
			return looks + 1;
		}
		kind = wrong_state(&s);
		if (kind) {
			const uint64_t v[] = { s.owner, m.v, s.count,
					       s.flags };

			audit_found(a, AUDIT_FRAME, kind, v);
		}
		a->nr[AUDITED_PAGES] += s.nr;
		m = page_next_of_ram(mfn(m.v + s.nr));
	}
	a->next = m.v;
	return looks;
}
