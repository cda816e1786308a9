/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: what a port is bound to, and closing.
 *
 * Owns    the states of ports and the references between two ends.
 * Not     the table (evtchn.c), nor the format of the event memory.
 * Rule    every operation looks, and then changes what cannot fail; both ends
 *         of a pair change under both locks, and each end holds a reference
 *         on the other's domain.
 * Locks   d->evtchn.lock (rank EVTCHN); two domains: lock_pair(), lower id
 *         first. No reference is dropped under them.
 * Spec    [XEN] event_channel.h.
 */
#include "evtchn_priv.h"

#include "evtchn_policy.h"
#include <lib/bits.h>
#include <lib/errno.h>

/* ---- binding ------------------------------------------------------------- */

int64_t evtchn_op_alloc_unbound(struct vcpu *v, union hc_arg *arg)
{
	evtchn_alloc_unbound_t *a = &arg->evtchn_alloc_unbound;
	struct domain *d = domain_get_for(v, a->dom);
	uint32_t port = 0;
	int rc;

	if (!d) {
		return -ESRCH;
	}
	if (d != v->domain && !v->domain->is_control) {
		domain_put(d);
		return -EPERM;
	}
	spin_lock(&d->evtchn.lock);
	rc = evtchn_port_alloc(d, &port);
	if (rc == 0) {
		struct evtchn *chn = evtchn_find(d, port);

		chn->state = ECS_UNBOUND;
		chn->peer_domid = a->remote_dom == DOMID_SELF ?
					  v->domain->id :
					  a->remote_dom;
		a->port = port;
	}
	spin_unlock(&d->evtchn.lock);
	domain_put(d);
	return rc;
}

static void join(struct evtchn *chn, struct domain *peer, uint32_t port)
{
	chn->state = ECS_INTERDOMAIN;
	chn->u = port;
	chn->peer = peer;
	chn->peer_domid = peer->id;
	domain_get(peer);
}

/* Both locked: join a new port of @l with @rport of @r. */
static int bind_pair_locked(struct domain *l, struct domain *r, uint32_t rport,
			    uint32_t *lport) NO_LOCK_ANALYSIS
{
	struct evtchn *rchn = evtchn_find(r, rport);
	struct evtchn *lchn;
	int rc;

	if (!rchn || rport == 0 || rchn->state != ECS_UNBOUND ||
	    rchn->peer_domid != l->id) {
		return -EINVAL;
	}
	if (!domains_may_share(l, r)) {
		return -EPERM;
	}
	rc = evtchn_port_alloc(l, lport);
	if (rc) {
		return rc;
	}
	lchn = evtchn_find(l, *lport);
	join(lchn, r, rport);
	join(rchn, l, *lport);
	evtchn_raise(l, lchn, *lport); /* events sent before were dropped */
	return 0;
}

/* In the order of the ids; one domain may be both. */
static void lock_both(struct domain *a, struct domain *b) NO_LOCK_ANALYSIS
{
	struct domain *first = a->id < b->id ? a : b;
	struct domain *second = first == a ? b : a;

	lock_pair(&first->evtchn.lock, &second->evtchn.lock);
}

static void unlock_both(struct domain *a, struct domain *b) NO_LOCK_ANALYSIS
{
	unlock_pair(&a->evtchn.lock, &b->evtchn.lock);
}

int64_t evtchn_op_bind_interdomain(struct vcpu *v, union hc_arg *arg)
{
	evtchn_bind_interdomain_t *a = &arg->evtchn_bind_interdomain;
	struct domain *l = v->domain;
	struct domain *r = domain_get_for(v, a->remote_dom);
	uint32_t port = 0;
	int rc;

	if (!r) {
		return -ESRCH;
	}
	lock_both(l, r);
	rc = bind_pair_locked(l, r, a->remote_port, &port);
	unlock_both(l, r);
	domain_put(r);
	a->local_port = port;
	return rc;
}

__cold int evtchn_open_at(struct domain *d, uint32_t port, domid_t peer)
{
	int rc;

	spin_lock(&d->evtchn.lock);
	rc = evtchn_port_take(d, port);
	if (rc == 0) {
		evtchn_find(d, port)->state = ECS_UNBOUND;
		evtchn_find(d, port)->peer_domid = peer;
		evtchn_find(d, port)->is_static = true;
		d->evtchn.nr_static++;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

__cold int evtchn_join(struct domain *l, uint32_t lport, struct domain *r,
		       uint32_t rport)
{
	struct evtchn *lchn, *rchn;
	int rc = -EINVAL;

	lock_both(l, r);
	lchn = evtchn_find(l, lport);
	rchn = evtchn_find(r, rport);
	if (lchn && rchn && lchn->state == ECS_UNBOUND &&
	    rchn->state == ECS_UNBOUND) {
		join(lchn, r, rport);
		join(rchn, l, lport);
		evtchn_raise(r, rchn, rport);
		rc = 0;
	}
	unlock_both(l, r);
	return rc;
}

static bool virq_is_global(uint32_t virq)
{
	switch (virq) {
	case VIRQ_TIMER:
	case VIRQ_DEBUG:
	case VIRQ_XENOPROF:
	case VIRQ_XENPMU:
		return false;
	default:
		return true;
	}
}

static int bind_locked(struct domain *d, uint8_t state, uint32_t vcpu,
		       uint32_t u, uint32_t *port) REQUIRES(d->evtchn.lock)
{
	int rc = evtchn_port_alloc(d, port);

	if (rc == 0) {
		struct evtchn *chn = evtchn_find(d, *port);

		chn->state = state;
		chn->vcpu = vcpu;
		chn->u = u;
	}
	return rc;
}

int64_t evtchn_op_bind_virq(struct vcpu *v, union hc_arg *arg)
{
	evtchn_bind_virq_t *a = &arg->evtchn_bind_virq;
	struct domain *d = v->domain;
	struct vcpu *t = evtchn_vcpu(d, a->vcpu);
	uint32_t virq = a->virq;
	uint32_t port = 0;
	int rc = -EEXIST;

	if (virq >= NR_VIRQS || (virq_is_global(virq) && a->vcpu != 0)) {
		return -EINVAL;
	}
	virq = (uint32_t)array_index_nospec(virq, NR_VIRQS);
	if (!t) {
		return -ENOENT;
	}
	spin_lock(&d->evtchn.lock);
	if (!t->virq_port[virq]) {
		rc = bind_locked(d, ECS_VIRQ, t->id, virq, &port);
	}
	if (rc == 0) {
		t->virq_port[virq] = port;
	}
	spin_unlock(&d->evtchn.lock);
	a->port = port;
	return rc;
}

int64_t evtchn_op_bind_ipi(struct vcpu *v, union hc_arg *arg)
{
	evtchn_bind_ipi_t *a = &arg->evtchn_bind_ipi;
	struct domain *d = v->domain;
	struct vcpu *t = evtchn_vcpu(d, a->vcpu);
	uint32_t port = 0;
	int rc;

	if (!t) {
		return -ENOENT;
	}
	spin_lock(&d->evtchn.lock);
	rc = bind_locked(d, ECS_IPI, t->id, 0, &port);
	spin_unlock(&d->evtchn.lock);
	a->port = port;
	return rc;
}

/* No physical interrupts through event channels on this architecture. */
int64_t evtchn_op_bind_pirq(struct vcpu *v, union hc_arg *arg)
{
	(void)v;
	(void)arg;
	return -ENOMEM;
}

static bool may_move(const struct evtchn *chn)
{
	return chn->state == ECS_VIRQ ? virq_is_global(chn->u)
				      : chn->state == ECS_UNBOUND ||
						chn->state == ECS_INTERDOMAIN;
}

int64_t evtchn_op_bind_vcpu(struct vcpu *v, union hc_arg *arg)
{
	const evtchn_bind_vcpu_t *a = &arg->evtchn_bind_vcpu;
	struct domain *d = v->domain;
	struct vcpu *t = evtchn_vcpu(d, a->vcpu);
	struct evtchn *chn;
	int rc = -EINVAL;

	if (!t) {
		return -ENOENT;
	}
	spin_lock(&d->evtchn.lock);
	chn = a->port ? evtchn_find(d, a->port) : NULL;
	if (chn && may_move(chn)) {
		chn->vcpu = t->id;
		rc = 0;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

/* ---- closing ------------------------------------------------------------- */

/* A reference on the peer of @port, or NULL; -EINVAL: no such open port. */
static int peer_of(struct domain *d, uint32_t port, struct domain **peer)
{
	struct evtchn *chn;
	int rc = -EINVAL;

	*peer = NULL;
	spin_lock(&d->evtchn.lock);
	chn = port ? evtchn_find(d, port) : NULL;
	if (chn && chn->state != ECS_FREE) {
		rc = 0;
		if (chn->state == ECS_INTERDOMAIN) {
			*peer = chn->peer;
			domain_get(*peer);
		}
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

static void unbind_virq(struct domain *d, uint32_t virq, uint32_t port)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) { /* it may have moved since */
		if (v->virq_port[virq] == port) {
			v->virq_port[virq] = 0;
		}
	}
}

/* The other end waits for a new peer. */
static void unbind_peer(const struct domain *d, const struct evtchn *chn)
{
	struct evtchn *rchn = evtchn_find(chn->peer, chn->u);

	rchn->state = ECS_UNBOUND;
	rchn->peer_domid = d->id;
	rchn->peer = NULL;
	rchn->u = 0;
}

/*
 * @d and @peer locked. *@bound: the two ends' references on each other's
 * domain are for the caller to drop.
 */
static int close_locked(struct domain *d, uint32_t port,
			const struct domain *peer, bool *bound)
	NO_LOCK_ANALYSIS
{
	struct evtchn *chn = evtchn_find(d, port);

	*bound = false;
	switch ((enum evtchn_state)chn->state) {
	case ECS_FREE:
		return -EINVAL;
	case ECS_UNBOUND:
	case ECS_IPI:
		break;
	case ECS_VIRQ:
		unbind_virq(d, chn->u, port);
		break;
	case ECS_INTERDOMAIN:
		if (chn->peer != peer) {
			return -EAGAIN; /* closed and bound anew meanwhile */
		}
		unbind_peer(d, chn);
		*bound = true;
		break;
	}
	evtchn_port_free(d, chn, port);
	return 0;
}

/*
 * The peer is only known under the lock, and both locks go in the order of
 * the ids: look, let go, take both, look again.
 */
int evtchn_close_port(struct domain *d, uint32_t port)
{
	struct domain *peer;
	struct domain *second;
	bool bound;
	int rc = peer_of(d, port, &peer);

	if (rc) {
		return rc;
	}
	second = peer ? peer : d;
	lock_both(d, second);
	rc = close_locked(d, port, peer, &bound);
	unlock_both(d, second);
	if (bound) {
		domain_put(d);
		domain_put(peer);
	}
	if (peer) {
		domain_put(peer);
	}
	return rc;
}

int64_t evtchn_op_close(struct vcpu *v, union hc_arg *arg)
{
	int rc = evtchn_close_port(v->domain, arg->evtchn_close.port);

	return rc == -EAGAIN ? HC_AGAIN : rc;
}

/* ---- looking ------------------------------------------------------------- */

static void status_fill(const struct evtchn *chn, evtchn_status_t *s)
{
	s->vcpu = chn->vcpu;
	switch ((enum evtchn_state)chn->state) {
	case ECS_FREE:
		s->status = EVTCHNSTAT_closed;
		break;
	case ECS_UNBOUND:
		s->status = EVTCHNSTAT_unbound;
		s->u.unbound.dom = chn->peer_domid;
		break;
	case ECS_INTERDOMAIN:
		s->status = EVTCHNSTAT_interdomain;
		s->u.interdomain.dom = chn->peer->id;
		s->u.interdomain.port = chn->u;
		break;
	case ECS_VIRQ:
		s->status = EVTCHNSTAT_virq;
		s->u.virq = chn->u;
		break;
	case ECS_IPI:
		s->status = EVTCHNSTAT_ipi;
		break;
	}
}

int64_t evtchn_op_status(struct vcpu *v, union hc_arg *arg)
{
	evtchn_status_t *s = &arg->evtchn_status;
	struct domain *d = domain_get_for(v, s->dom);
	struct evtchn *chn;
	int rc = 0;

	if (!d) {
		return -ESRCH;
	}
	spin_lock(&d->evtchn.lock);
	chn = evtchn_find(d, s->port);
	if (d != v->domain && !v->domain->is_control) {
		rc = -EPERM;
	} else if (!chn) {
		rc = -EINVAL;
	} else if (s->port == 0) {
		s->status = EVTCHNSTAT_closed;
		s->vcpu = 0;
	} else {
		status_fill(chn, s);
	}
	spin_unlock(&d->evtchn.lock);
	domain_put(d);
	return rc;
}
