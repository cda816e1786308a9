/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The auditor: what ties a domain to something outside it and has two ends,
 * interrupts, event ports, grants; and what keeps translations apart.
 *
 * Locks   EVTCHN or GNTTAB of one domain, then of both: under both the two
 *         ends agree. Interrupts: none, an item is made sure of before it is
 *         told; a domain that loses a line lives up to our next work point.
 * Bounds  one line, port, handle or pair of domains an item; VIRQS_AT_ONCE.
 */
#include "audit_priv.h"

#include "evtchn_policy.h"
#include "evtchn_priv.h"
#include "gnttab_priv.h"
#include <hv/arch.h>
#include <hv/irq.h>

#define VIRQS_AT_ONCE 16u
#define FIRST_SHARED_LINE 32u

/* ---- interrupts ---------------------------------------------------------- */

static bool is_domain(const struct domain *d)
{
	struct domain *found = domain_lookup_get(d->id);

	if (found) {
		domain_put(found);
	}
	return found == d;
}

static const char *wrong_line(const struct irq_desc *q, uint32_t line)
{
	uint32_t linked = 0;

	if (q->owner != IRQ_GUEST) {
		return q->guest ? "half-assigned" : NULL;
	}
	if (!q->guest || !q->domain) {
		return "half-assigned";
	}
	if (!is_domain(q->domain)) {
		return "no-such-domain";
	}
	if (arch_virq_of(q->domain, q->virq) != q->guest) {
		return "other-virq";
	}
	return arch_virq_line(q->domain, q->virq, &linked) && linked == line
		       ? NULL
		       : "not-linked";
}

static uint64_t owner_of(const struct irq_desc *q)
{
	return q && q->owner == IRQ_GUEST && q->domain ? q->domain->id
						       : DOMID_HV;
}

uint32_t audit_lines(struct audit *a, struct domain *none)
{
	uint32_t line = (uint32_t)a->pos;
	const struct irq_desc *q = irq_desc_of(line);
	const char *kind;

	(void)none;
	if (!q) {
		return 1;
	}
	a->next = a->pos + 1;
	a->nr[AUDITED_IRQS] += q->owner == IRQ_GUEST;
	kind = wrong_line(q, line);
	if (kind) {
		const uint64_t v[] = { owner_of(q), q->virq, line,
				       owner_of(q) };

		audit_found(a, AUDIT_IRQ, kind, v);
	}
	return 1;
}

/* The line that @virq is linked to says so, too. */
static void check_virq(struct audit *a, struct domain *d, uint32_t virq)
{
	uint32_t line = 0;
	const struct irq_desc *q;

	if (!arch_virq_line(d, virq, &line)) {
		return;
	}
	q = irq_desc_of(line);
	if (!q || q->owner != IRQ_GUEST || q->domain != d || q->virq != virq) {
		const uint64_t v[] = { d->id, virq, line, owner_of(q) };

		audit_found(a, AUDIT_IRQ,
			    q && q->owner == IRQ_GUEST ? "routed-twice"
						       : "not-assigned",
			    v);
	}
}

/* One that is torn down has no lines any more, and takes no interrupt. */
uint32_t audit_virqs(struct audit *a, struct domain *d)
{
	uint32_t virq = (uint32_t)a->pos + FIRST_SHARED_LINE;

	if (d->state >= DOM_DYING) {
		return 1;
	}
	for (uint32_t i = 0; i < VIRQS_AT_ONCE && !a->line[0]; i++, virq++) {
		if (!arch_virq_of(d, virq)) {
			return VIRQS_AT_ONCE;
		}
		check_virq(a, d, virq);
	}
	a->next = virq - FIRST_SHARED_LINE;
	return VIRQS_AT_ONCE;
}

/* ---- event ports --------------------------------------------------------- */

static __attribute__((noinline)) void
lock_both(struct spinlock *a, struct spinlock *b, bool swap) NO_LOCK_ANALYSIS
{
	lock_pair(swap ? b : a, swap ? a : b);
}

static void unlock_both(struct spinlock *a, struct spinlock *b)
	NO_LOCK_ANALYSIS
{
	unlock_pair(a, b);
}

/* The domain at the other end of @port, with a reference. */
static struct domain *peer_of(struct domain *d, uint32_t port)
{
	struct domain *peer = NULL;
	const struct evtchn *chn;

	spin_lock(&d->evtchn.lock);
	chn = evtchn_find(d, port);
	if (chn && chn->state == ECS_INTERDOMAIN && chn->peer) {
		peer = chn->peer;
		domain_get(peer);
	}
	spin_unlock(&d->evtchn.lock);
	return peer;
}

/* Both locked. */
static const char *wrong_pair(const struct domain *d, uint32_t port,
			      const struct domain *peer)
{
	const struct evtchn *chn = evtchn_find(d, port);
	const struct evtchn *end;

	if (!chn || chn->state != ECS_INTERDOMAIN || chn->peer != peer) {
		return NULL; /* closed meanwhile */
	}
	end = evtchn_find(peer, chn->u);
	if (!end || end->state != ECS_INTERDOMAIN || end->peer != d ||
	    end->u != port) {
		return "one-sided";
	}
	if (chn->peer_domid != peer->id) {
		return "other-peer";
	}
	return chn->is_static || domains_may_share(d, peer) ? NULL : "policy";
}

uint32_t audit_ports(struct audit *a, struct domain *d)
{
	uint32_t port = (uint32_t)a->pos;
	struct domain *peer = peer_of(d, port);
	const char *kind;
	uint64_t u = 0;

	if (port + 1 < d->evtchn.nr_ports) {
		a->next = port + 1;
	}
	if (!peer) {
		return 1;
	}
	lock_both(&d->evtchn.lock, &peer->evtchn.lock, peer->id < d->id);
	kind = wrong_pair(d, port, peer);
	if (kind) {
		u = evtchn_find(d, port)->u;
	}
	unlock_both(&d->evtchn.lock, &peer->evtchn.lock);
	a->nr[AUDITED_PORTS]++;
	if (kind) {
		const uint64_t v[] = { d->id, port, u, peer->id };

		audit_found(a, AUDIT_PORT, kind, v);
	}
	domain_put(peer);
	return 2;
}

/* ---- grants -------------------------------------------------------------- */

/* The record of @handle, and its granter with a reference; false: none. */
static bool track_get(struct domain *d, uint32_t handle,
		      struct grant_maptrack *copy)
{
	const struct grant_maptrack *m;

	spin_lock(&d->gnttab.lock);
	m = gnttab_track_find(&d->gnttab, handle);
	if (m) {
		*copy = *m;
		domain_get(copy->granter);
	}
	spin_unlock(&d->gnttab.lock);
	return m != NULL;
}

static const struct grant_active *active_of(const struct gnttab *t,
					    uint32_t ref)
{
	return ref / GRANTS_PER_FRAME < t->nr_frames
		       ? &t->active[ref / GRANTS_PER_FRAME]
				   [ref % GRANTS_PER_FRAME]
		       : NULL;
}

/* Both locked. */
static const char *wrong_track(const struct domain *d, uint32_t handle,
			       const struct grant_maptrack *was)
{
	const struct grant_maptrack *m = gnttab_track_find(&d->gnttab, handle);
	const struct grant_active *e;
	bool reads;

	if (!m || m->granter != was->granter || m->ref != was->ref) {
		return NULL; /* unmapped meanwhile */
	}
	reads = (m->flags & GNTMAP_readonly) != 0;
	e = active_of(&m->granter->gnttab, m->ref);
	if (!e || (reads ? e->nr_read : e->nr_write) == 0) {
		return "not-in-use";
	}
	if (e->domid != d->id) {
		return "other-mapper";
	}
	if (e->pg != m->pg) {
		return "other-page";
	}
	if (page_owner(m->pg) != m->granter->id) {
		return "other-owner";
	}
	return domains_may_share(d, m->granter) ? NULL : "policy";
}

uint32_t audit_grants(struct audit *a, struct domain *d)
{
	uint32_t handle = (uint32_t)a->pos;
	struct grant_maptrack m;
	struct gnttab *from;
	const char *kind;

	if (handle >= d->gnttab.nr_handles) {
		return 1;
	}
	a->next = a->pos + 1;
	if (!track_get(d, handle, &m)) {
		return 1;
	}
	from = &m.granter->gnttab;
	lock_both(&d->gnttab.lock, &from->lock, m.granter->id < d->id);
	kind = wrong_track(d, handle, &m);
	unlock_both(&d->gnttab.lock, &from->lock);
	a->nr[AUDITED_GRANTS]++;
	if (kind) {
		const uint64_t v[] = { d->id, handle, m.ref, m.granter->id };

		audit_found(a, AUDIT_GRANT, kind, v);
	}
	domain_put(m.granter);
	return 2;
}

/* ---- what the hardware tells domains by ---------------------------------- */

static const char *same_for_cpus(uint64_t root, uint64_t tag, uint64_t root_e,
				 uint64_t tag_e)
{
	if (root != 0 && root == root_e) {
		return "same-tables";
	}
	return tag != 0 && tag == tag_e ? "same-tag" : NULL;
}

/* Against one other domain: the first from a->pos on. */
uint32_t audit_tags(struct audit *a, struct domain *d)
{
	uint64_t from = a->pos > d->id ? a->pos : d->id + 1u;
	struct domain *e = domain_next_get((domid_t)from);
	uint64_t root, tag = arch_p2m_tag(d, &root);
	uint64_t root_e, tag_e;
	const char *kind;

	a->nr[AUDITED_TAGS] += a->pos == 0;
	if (!e) {
		return 4;
	}
	a->next = e->id + 1u;
	tag_e = arch_p2m_tag(e, &root_e);
	kind = same_for_cpus(root, tag, root_e, tag_e);
	if (!kind && d->iommu.tag != 0 && d->iommu.tag == e->iommu.tag) {
		kind = "same-tag"; /* for their devices */
		tag = d->iommu.tag;
	}
	if (kind) {
		const uint64_t v[] = { d->id, root, tag, e->id };

		audit_found(a, AUDIT_TAG, kind, v);
	}
	domain_put(e);
	return 4;
}
