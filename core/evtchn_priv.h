/* SPDX-License-Identifier: Apache-2.0 */
/* What the event channel files share. */
#ifndef CORE_EVTCHN_PRIV_H
#define CORE_EVTCHN_PRIV_H

#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/hypercall.h>
#include <hv/vcpu.h>

enum evtchn_state {
	ECS_FREE,
	ECS_UNBOUND,     /* waits for peer_dom to bind */
	ECS_INTERDOMAIN, /* peer is the other end */
	ECS_VIRQ,
	ECS_IPI,
};

/*
 * One port; under the domain's EVTCHN lock, but for a look at peer and u in
 * is_pending_already().
 */
struct evtchn {
	struct domain *peer; /* INTERDOMAIN; holds a reference */
	uint32_t u;          /* INTERDOMAIN: peer port; VIRQ: its number */
	uint32_t vcpu;       /* whom to notify */
	uint16_t peer_domid; /* UNBOUND: who may bind; INTERDOMAIN: the peer */
	uint16_t last_vcpu;  /* FIFO: the queue it was in last; kept when the */
	uint8_t last_priority; /* port is closed */
	uint8_t priority;    /* FIFO: the queue it goes to next */
	uint8_t state;       /* enum evtchn_state */
	bool early : 1;      /* FIFO: pending, but has no word yet */
	bool is_static : 1;  /* of evtchn_open_at() */
};

struct evtchn_bucket {
	struct evtchn port[EVTCHN_BUCKET_PORTS];
	uint32_t nr_used; /* ports that are not free; EVTCHN lock */
};
STATIC_ASSERT(sizeof(struct evtchn_bucket) <= 2 * PAGE_SIZE,
	      "what evtchn.h says of buckets");

/* The two shared-memory formats behind one interface; EVTCHN lock held. */
struct evtchn_ops {
	/*
	 * Mark @chn, port @port of v's domain, pending for vCPU @v. True: the
	 * upcall of @v has become pending by it.
	 */
	bool (*set_pending)(struct vcpu *v, struct evtchn *chn, uint32_t port);
	/* True when the upcall of @v became pending. */
	bool (*unmask)(struct vcpu *v, struct evtchn *chn, uint32_t port);
	void (*clear_pending)(struct domain *d, struct evtchn *chn,
			      uint32_t port);
	bool (*is_pending)(const struct domain *d, uint32_t port);
	uint32_t max_ports;
};

extern const struct evtchn_ops evtchn_2l_ops;
extern const struct evtchn_ops evtchn_fifo_ops;

/* The port's record, NULL when there is no such port; EVTCHN lock held. */
struct evtchn *evtchn_find(const struct domain *d, uint32_t port);
/* The vCPU a guest names by @id, NULL: there is none. */
struct vcpu *evtchn_vcpu(const struct domain *d, uint32_t id);
/* Signal @chn's local side: port @port of @d; EVTCHN lock held. */
void evtchn_raise(struct domain *d, struct evtchn *chn, uint32_t port);
/* Take a free port; -ENOSPC, -ENOMEM. *out only on success; lock held. */
__must_check int evtchn_port_alloc(struct domain *d, uint32_t *out)
	REQUIRES(d->evtchn.lock);
/* Take that one; -EBUSY, -ENOSPC, -ENOMEM. */
__must_check int evtchn_port_take(struct domain *d, uint32_t port)
	REQUIRES(d->evtchn.lock);
void evtchn_port_free(struct domain *d, struct evtchn *chn, uint32_t port)
	REQUIRES(d->evtchn.lock);
/* -EINVAL: not open; -EAGAIN: lost a race, nothing done. */
__must_check int evtchn_close_port(struct domain *d, uint32_t port);

/*
 * evtchn_2l.c: without the lock; any @port. Looks after all that this CPU and
 * its guest stored, and before what the caller looks at next.
 */
bool evtchn_2l_is_pending(const struct domain *d, uint32_t port);

/* evtchn_bind.c */
int64_t evtchn_op_alloc_unbound(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_bind_interdomain(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_bind_virq(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_bind_ipi(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_bind_pirq(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_bind_vcpu(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_close(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_status(struct vcpu *v, union hc_arg *arg);

/* evtchn_fifo.c */
int64_t evtchn_op_init_control(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_expand_array(struct vcpu *v, union hc_arg *arg);
int64_t evtchn_op_set_priority(struct vcpu *v, union hc_arg *arg);
/* Back to the 2-level format; gives back what FIFO held. */
void evtchn_fifo_fini(struct domain *d);

#endif
