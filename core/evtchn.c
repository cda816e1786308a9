/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: a port table per domain and the one-way signals between
 * ports.
 *
 * Owns    d->evtchn, the records of its ports, and sending.
 * Not     binding and closing (evtchn_bind.c), the bits guests look at
 *         (evtchn_2l.c, evtchn_fifo.c), nor how a vCPU is interrupted.
 * Locks   d->evtchn.lock (rank EVTCHN) for every port and for the format,
 *         but for the look before a signal (is_pending_already). A signal to
 *         another domain is given with that domain's lock only: the sender's
 *         is let go first, a reference keeps the peer.
 * Bounds  a signal is O(1); taking a port looks at EVTCHN_MAX_BUCKETS counts
 *         and the ports of one bucket; close of all goes by steps.
 * Spec    [XEN] event_channel.h. Spurious events are allowed, lost ones not.
 */
#include <hv/evtchn.h>

#include "evtchn_priv.h"
#include "guest_win_fast.h"
#include <hv/arch.h>
#include <hv/heap.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>

#define CLOSE_BATCH 64u
#define LOOK_BATCH 4096u
#define FREE_BUCKETS 32u

/* @port is known to be in the table. */
static inline struct evtchn *port_record(const struct domain *d, uint32_t port)
{
	return &d->evtchn.bucket[port / EVTCHN_BUCKET_PORTS]
			->port[port % EVTCHN_BUCKET_PORTS];
}

static inline struct evtchn *port_find(const struct domain *d, uint32_t port)
{
	uint64_t b = array_index_nospec(port / EVTCHN_BUCKET_PORTS,
					EVTCHN_MAX_BUCKETS);
	struct evtchn_bucket *bucket;

	if (unlikely(port >= EVTCHN_MAX_BUCKETS * EVTCHN_BUCKET_PORTS)) {
		return NULL;
	}
	/* Pairs with add_bucket_locked(); the address depends on it. */
	bucket = __atomic_load_n(&d->evtchn.bucket[b], __ATOMIC_RELAXED);
	return likely(bucket) ? &bucket->port[port % EVTCHN_BUCKET_PORTS]
			      : NULL;
}

struct evtchn *evtchn_find(const struct domain *d, uint32_t port)
{
	return port_find(d, port);
}

struct vcpu *evtchn_vcpu(const struct domain *d, uint32_t id)
{
	return id < d->max_vcpus
		       ? d->vcpu[array_index_nospec(id, d->max_vcpus)]
		       : NULL;
}

__cold int evtchn_init(struct domain *d, uint32_t max_port)
{
	struct evtchn_table *t = &d->evtchn;

	spin_lock_init(&t->lock, LOCK_RANK_EVTCHN);
	t->ops = &evtchn_2l_ops;
	t->max_port = max_port;
	t->bucket = heap_alloc(d, EVTCHN_MAX_BUCKETS * sizeof(*t->bucket));
	if (!t->bucket) {
		return -ENOMEM;
	}
	t->bucket[0] = heap_alloc(d, sizeof(*t->bucket[0]));
	if (!t->bucket[0]) {
		heap_free(d, t->bucket);
		t->bucket = NULL;
		return -ENOMEM;
	}
	t->bucket[0]->port[0].state = ECS_VIRQ; /* port 0 is nobody's */
	t->bucket[0]->nr_used = 1;
	t->nr_ports = EVTCHN_BUCKET_PORTS;
	t->free_hint = 1;
	t->close_next = 1;
	return 0;
}

__cold int evtchn_free_step(struct domain *d)
{
	struct evtchn_table *t = &d->evtchn;
	uint32_t freed;

	if (!t->bucket) {
		return 0;
	}
	for (freed = 0; t->nr_ports > 0 && freed < FREE_BUCKETS; freed++) {
		t->nr_ports -= EVTCHN_BUCKET_PORTS;
		heap_free(d, t->bucket[t->nr_ports / EVTCHN_BUCKET_PORTS]);
	}
	if (t->nr_ports > 0) {
		return -EAGAIN;
	}
	evtchn_fifo_fini(d);
	heap_free(d, t->bucket);
	t->bucket = NULL;
	return 0;
}

__cold void evtchn_fini(struct domain *d)
{
	while (evtchn_free_step(d) == -EAGAIN) {
		/* bound: its buckets */
	}
}

/* ---- the table ----------------------------------------------------------- */

static uint32_t port_limit(const struct evtchn_table *t)
{
	uint32_t most = t->ops->max_ports - 1;

	return t->max_port < most ? t->max_port : most;
}

__cold static int add_bucket_locked(struct domain *d) REQUIRES(d->evtchn.lock)
{
	struct evtchn_table *t = &d->evtchn;
	uint32_t b = t->nr_ports / EVTCHN_BUCKET_PORTS;
	struct evtchn_bucket *bucket;

	if (b >= EVTCHN_MAX_BUCKETS || t->nr_ports > port_limit(t)) {
		return -ENOSPC;
	}
	bucket = heap_alloc(d, sizeof(*bucket));
	if (!bucket) {
		return -ENOMEM;
	}
	__atomic_store_n(&t->bucket[b], bucket, __ATOMIC_RELEASE);
	__atomic_store_n(&t->nr_ports, t->nr_ports + EVTCHN_BUCKET_PORTS,
			 __ATOMIC_RELAXED);
	return 0;
}

static uint32_t bucket_used(const struct evtchn_table *t, uint32_t port)
{
	return t->bucket[port / EVTCHN_BUCKET_PORTS]->nr_used;
}

/* The lowest free port; the one after the last when there is none. */
__cold static uint32_t lowest_free(const struct domain *d)
	REQUIRES(d->evtchn.lock)
{
	const struct evtchn_table *t = &d->evtchn;
	uint32_t p = t->free_hint;

	/* Bound: the buckets, then the ports of one. */
	while (p < t->nr_ports && port_record(d, p)->state != ECS_FREE) {
		p = bucket_used(t, p) == EVTCHN_BUCKET_PORTS
			    ? (p / EVTCHN_BUCKET_PORTS + 1) *
				      EVTCHN_BUCKET_PORTS
			    : p + 1;
	}
	return p;
}

__cold static void port_taken(struct domain *d, uint32_t port)
	REQUIRES(d->evtchn.lock)
{
	d->evtchn.active++;
	d->evtchn.bucket[port / EVTCHN_BUCKET_PORTS]->nr_used++;
	port_record(d, port)->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
}

__cold int evtchn_port_alloc(struct domain *d, uint32_t *out)
{
	struct evtchn_table *t = &d->evtchn;
	uint32_t limit = port_limit(t);
	uint32_t p;
	int rc = 0;

	if (d->state >= DOM_DYING) {
		return -EINVAL; /* they are being closed */
	}
	p = lowest_free(d);
	t->free_hint = p;
	if (p > limit) {
		return -ENOSPC;
	}
	if (p == t->nr_ports) {
		rc = add_bucket_locked(d);
	}
	if (rc == 0) {
		t->free_hint = p + 1;
		port_taken(d, p);
		*out = p;
	}
	return rc;
}

__cold int evtchn_port_take(struct domain *d, uint32_t port)
{
	struct evtchn_table *t = &d->evtchn;
	int rc = port == 0 || port > port_limit(t) ? -ENOSPC : 0;

	while (rc == 0 && port >= t->nr_ports) { /* bound: port / 256 */
		rc = add_bucket_locked(d);
	}
	if (rc == 0 && port_record(d, port)->state != ECS_FREE) {
		rc = -EBUSY;
	}
	if (rc == 0) {
		port_taken(d, port);
	}
	return rc;
}

__cold void evtchn_port_free(struct domain *d, struct evtchn *chn,
			     uint32_t port)
{
	bool was_static = chn->is_static;

	d->evtchn.ops->clear_pending(d, chn, port);
	/* The last queue stays known: its tail may still name the port. */
	*chn = (struct evtchn){
		.state = ECS_FREE,
		.last_vcpu = chn->last_vcpu,
		.last_priority = chn->last_priority,
	};
	d->evtchn.active--;
	d->evtchn.nr_static -= was_static;
	d->evtchn.bucket[port / EVTCHN_BUCKET_PORTS]->nr_used--;
	if (port < d->evtchn.free_hint) {
		d->evtchn.free_hint = port;
	}
}

/* As at birth, but for the pending bit, which goes with its page. */
static void refresh_static(struct domain *d, uint32_t port)
{
	struct evtchn *chn;

	spin_lock(&d->evtchn.lock);
	chn = port_record(d, port);
	d->evtchn.ops->clear_pending(d, chn, port);
	chn->vcpu = 0;
	chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	chn->early = false;
	spin_unlock(&d->evtchn.lock);
}

/* -EINVAL: there is nothing to close; -EAGAIN. */
static int close_one(struct domain *d, uint32_t port, bool keep_static)
{
	if (keep_static && port_record(d, port)->is_static) {
		refresh_static(d, port);
		return 0;
	}
	return evtchn_close_port(d, port);
}

__cold static int close_step(struct domain *d, bool keep_static)
{
	struct evtchn_table *t = &d->evtchn;
	uint32_t closed = 0;
	uint32_t looked = 0;

	while (t->bucket && t->close_next < t->nr_ports) {
		if (closed == CLOSE_BATCH || looked++ == LOOK_BATCH) {
			return -EAGAIN;
		}
		switch (close_one(d, t->close_next, keep_static)) {
		case 0:
			closed++;
			break;
		case -EAGAIN:
			return -EAGAIN;
		default:
			break; /* was closed */
		}
		t->close_next++;
	}
	t->close_next = 1;
	if (t->active != (keep_static ? t->nr_static : 0)) {
		return -EAGAIN; /* opened behind our back */
	}
	if (t->bucket) {
		evtchn_fifo_fini(d);
	}
	return 0;
}

__cold int evtchn_fini_step(struct domain *d)
{
	return close_step(d, false);
}

__cold int evtchn_reset_step(struct domain *d)
{
	return close_step(d, true);
}

/* ---- what others call ---------------------------------------------------- */

static inline void raise_locked(struct domain *d, struct evtchn *chn,
				uint32_t port)
{
	struct vcpu *v = d->vcpu[chn->vcpu];

	if (unlikely(!v)) {
		return;
	}
	if (unlikely(__atomic_load_n(&v->poll, __ATOMIC_RELAXED))) {
		/* It may wait for a port that it has masked. */
		(void)d->evtchn.ops->set_pending(v, chn, port);
		__atomic_store_n(&v->poll, false, __ATOMIC_RELAXED);
		vcpu_post(v, VWORK_UPCALL);
		return;
	}
	if (unlikely(d->evtchn.ops->set_pending(v, chn, port))) {
		vcpu_post(v, VWORK_UPCALL);
	}
}

void evtchn_raise(struct domain *d, struct evtchn *chn, uint32_t port)
{
	raise_locked(d, chn, port);
}

bool evtchn_upcall_pending(const struct vcpu *v)
{
	return __atomic_load_n(&v->info->evtchn_upcall_pending,
			       __ATOMIC_SEQ_CST) != 0;
}

bool evtchn_is_pending(struct domain *d, uint32_t port)
{
	bool yes;

	spin_lock(&d->evtchn.lock);
	yes = evtchn_find(d, port) && port < d->evtchn.ops->max_ports &&
	      d->evtchn.ops->is_pending(d, port);
	spin_unlock(&d->evtchn.lock);
	return yes;
}

__cold void evtchn_vcpu_info_moved(struct vcpu *v)
{
	__atomic_store_n(&v->info->evtchn_pending_sel, ~(xen_ulong_t)0,
			 __ATOMIC_SEQ_CST);
	__atomic_store_n(&v->info->evtchn_upcall_pending, 1,
			 __ATOMIC_SEQ_CST);
	vcpu_post(v, VWORK_UPCALL);
}

void evtchn_send_virq(struct vcpu *v, uint32_t virq)
{
	struct domain *d = v->domain;
	uint32_t port;
	struct evtchn *chn;

	spin_lock(&d->evtchn.lock);
	port = v->virq_port[virq];
	chn = port ? evtchn_find(d, port) : NULL;
	if (chn && chn->state == ECS_VIRQ) {
		evtchn_raise(d, chn, port);
	}
	spin_unlock(&d->evtchn.lock);
}

void evtchn_send_global_virq(struct domain *d, uint32_t virq)
{
	if (d && d->vcpu[0]) {
		evtchn_send_virq(d->vcpu[0], virq);
	}
}

void evtchn_send_from_hv(struct domain *d, uint32_t port)
{
	struct evtchn *chn;

	spin_lock(&d->evtchn.lock);
	chn = evtchn_find(d, port);
	if (chn && chn->state == ECS_INTERDOMAIN) {
		evtchn_raise(d, chn, port);
	}
	spin_unlock(&d->evtchn.lock);
}

/* ---- operations ---------------------------------------------------------- */

/*
 * The other end is in another domain; unlocks @d. What was bound when we
 * looked may be closed now: then the event is spurious or dropped.
 */
static int64_t send_to_peer(struct domain *d, const struct evtchn *chn)
	NO_LOCK_ANALYSIS
{
	struct domain *peer = chn->peer;
	uint32_t port = chn->u;

	domain_get(peer);
	spin_unlock(&d->evtchn.lock);
	evtchn_send_from_hv(peer, port);
	domain_put(peer);
	return 0;
}

/* What is not a signal within one domain; unlocks @d. */
__cold static int64_t send_other(struct domain *d, struct evtchn *chn,
				 uint32_t port) NO_LOCK_ANALYSIS
{
	int64_t rc = 0;

	if (chn && chn->state == ECS_INTERDOMAIN) {
		return send_to_peer(d, chn);
	}
	if (chn && chn->state == ECS_IPI) {
		evtchn_raise(d, chn, port);
	} else if (!chn || chn->state != ECS_UNBOUND) { /* that is no error */
		rc = -EINVAL;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

static int64_t send_port(struct vcpu *v, uint32_t port) NO_LOCK_ANALYSIS;
static __attribute__((noinline)) int64_t send_port(struct vcpu *v,
						   uint32_t port)
{
	struct domain *d = v->domain;
	struct evtchn *chn;

	spin_lock(&d->evtchn.lock);
	chn = port_find(d, port);
	if (unlikely(!chn || chn->peer != d)) { /* has a peer: INTERDOMAIN */
		return send_other(d, chn, port);
	}
	raise_locked(d, port_record(d, chn->u), chn->u);
	spin_unlock(&d->evtchn.lock);
	return 0;
}

/*
 * Is what a signal from @port would set in the 2-level format set already, at
 * a port of the same domain? Then it has nothing to do and needs no lock. The
 * bit was looked at while the format was 2-level, and after whatever the
 * guest stored before its signal: who clears the bit later finds that. The
 * record may be torn when another vCPU closes the port just now: which of the
 * two is first is not defined for the guest either.
 */
static inline bool is_pending_already(const struct domain *d, uint32_t port)
{
	const struct evtchn *chn = port_find(d, port);

	return chn && __atomic_load_n(&chn->peer, __ATOMIC_RELAXED) == d &&
	       evtchn_2l_is_pending(d, __atomic_load_n(&chn->u,
						       __ATOMIC_RELAXED)) &&
	       !__atomic_load_n(&d->evtchn.fifo, __ATOMIC_RELAXED);
}

static int64_t op_send(struct vcpu *v, union hc_arg *arg)
{
	return send_port(v, arg->evtchn_send.port);
}

static int64_t op_unmask(struct vcpu *v, union hc_arg *arg)
{
	struct domain *d = v->domain;
	uint32_t port = arg->evtchn_unmask.port;
	struct evtchn *chn;
	struct vcpu *t;
	int64_t rc = -EINVAL;

	spin_lock(&d->evtchn.lock);
	chn = evtchn_find(d, port);
	if (chn && port < d->evtchn.ops->max_ports) {
		t = d->vcpu[chn->vcpu];
		if (t && d->evtchn.ops->unmask(t, chn, port)) {
			vcpu_post(t, VWORK_UPCALL);
		}
		rc = 0;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

/* All ports of a domain closed; long, so it goes by steps. */
__cold static int64_t op_reset(struct vcpu *v, union hc_arg *arg)
{
	struct domain *d = domain_get_for(v, arg->evtchn_reset.dom);
	int rc;

	if (!d) {
		return -ESRCH;
	}
	rc = d != v->domain && !v->domain->is_control ? -EPERM :
							evtchn_fini_step(d);
	domain_put(d);
	return rc == -EAGAIN ? HC_AGAIN : rc;
}

#define IN_OUT (HC_IN | HC_OUT)

static const struct hc_subop evtchn_subops[] = {
	[EVTCHNOP_bind_interdomain] =
		SUBOP(evtchn_bind_interdomain, evtchn_op_bind_interdomain,
		      IN_OUT, HC_ANY),
	[EVTCHNOP_bind_virq] =
		SUBOP(evtchn_bind_virq, evtchn_op_bind_virq, IN_OUT, HC_ANY),
	[EVTCHNOP_bind_pirq] =
		SUBOP(evtchn_bind_virq, evtchn_op_bind_pirq, HC_IN, HC_ANY),
	[EVTCHNOP_close] =
		SUBOP(evtchn_close, evtchn_op_close, HC_IN, HC_ANY),
	[EVTCHNOP_send] = SUBOP(evtchn_send, op_send, HC_IN, HC_ANY),
	[EVTCHNOP_status] =
		SUBOP(evtchn_status, evtchn_op_status, IN_OUT, HC_ANY),
	[EVTCHNOP_alloc_unbound] =
		SUBOP(evtchn_alloc_unbound, evtchn_op_alloc_unbound, IN_OUT,
		      HC_ANY),
	[EVTCHNOP_bind_ipi] =
		SUBOP(evtchn_bind_ipi, evtchn_op_bind_ipi, IN_OUT, HC_ANY),
	[EVTCHNOP_bind_vcpu] =
		SUBOP(evtchn_bind_vcpu, evtchn_op_bind_vcpu, HC_IN, HC_ANY),
	[EVTCHNOP_unmask] = SUBOP(evtchn_unmask, op_unmask, HC_IN, HC_ANY),
	[EVTCHNOP_reset] = SUBOP(evtchn_reset, op_reset, HC_IN, HC_ANY),
	[EVTCHNOP_init_control] =
		SUBOP(evtchn_init_control, evtchn_op_init_control, IN_OUT,
		      HC_ANY),
	[EVTCHNOP_expand_array] =
		SUBOP(evtchn_expand_array, evtchn_op_expand_array, HC_IN,
		      HC_ANY),
	[EVTCHNOP_set_priority] =
		SUBOP(evtchn_set_priority, evtchn_op_set_priority, HC_IN,
		      HC_ANY),
};

/*
 * The same as op_send through the table, for what guests call most: the port
 * is all there is to read, so no reply window has to stay open.
 */
static inline int64_t send_fast(struct vcpu *v, uint64_t uarg)
{
	uint32_t port;

	if (unlikely(guest_peek(v, &port, uarg, sizeof(port)))) {
		return hypercall_subop(v, evtchn_subops,
				       ARRAY_SIZE(evtchn_subops), EVTCHNOP_send,
				       uarg);
	}
	return is_pending_already(v->domain, port) ? 0 : send_port(v, port);
}

int64_t hc_event_channel_op(struct vcpu *v, const uint64_t *args)
{
	if (likely((uint32_t)args[0] == EVTCHNOP_send &&
		   args[1] % sizeof(evtchn_send_t) == 0)) { /* one page */
		return send_fast(v, args[1]);
	}
	return hypercall_subop(v, evtchn_subops, ARRAY_SIZE(evtchn_subops),
			       args[0], args[1]);
}
