/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: ports of a domain and the one-way signals between them.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include <lib/types.h>
#include <abi/xen.h>
#include <hv/lock.h>

struct domain;
struct vcpu;
struct evtchn_bucket;
struct evtchn_ops;
struct evtchn_fifo;

/* Ports come in buckets of two pages, allocated as the domain uses them. */
#define EVTCHN_BUCKET_PORTS 256u
#define EVTCHN_MAX_BUCKETS (131072u / EVTCHN_BUCKET_PORTS)

struct evtchn_table {
	struct spinlock lock;         /* rank EVTCHN */
	struct evtchn_bucket **bucket; /* [EVTCHN_MAX_BUCKETS]; NULL: not yet */
	const struct evtchn_ops *ops; /* 2-level or FIFO */
	struct evtchn_fifo *fifo;     /* event array pages; NULL: 2-level */
	uint32_t max_port;            /* configured limit, inclusive */
	uint32_t nr_ports;            /* allocated port numbers, 0 included */
	uint32_t active;              /* ports not closed */
	uint32_t nr_static;           /* of these, of evtchn_open_at() */
	uint32_t free_hint;           /* no port below it is free */
	uint32_t close_next;          /* position of evtchn_fini_step() */
};

__must_check int evtchn_init(struct domain *d, uint32_t max_port);
/*
 * Close every port, a bounded number a step; -EAGAIN: call again. At the end
 * the domain is back in the 2-level format and holds no page for events.
 */
__must_check int evtchn_fini_step(struct domain *d);
/* The same, but ports of evtchn_open_at() stay, if the guest left them open. */
__must_check int evtchn_reset_step(struct domain *d);
/* Nobody can find @d: free its table, bounded step; -EAGAIN: call again. */
__must_check int evtchn_free_step(struct domain *d);
void evtchn_fini(struct domain *d); /* all of it */

/*
 * For whoever makes domains, whatever they may do themselves: open @port of
 * @d, to be joined; until then a signal into it is dropped. -EBUSY: it is
 * open; -ENOSPC: beyond the domain's limit; -ENOMEM.
 */
__must_check int evtchn_open_at(struct domain *d, uint32_t port, domid_t peer);
/*
 * Join two open ports, which belong to no pair yet, else -EINVAL. That of @r
 * is pending once.
 */
__must_check int evtchn_join(struct domain *l, uint32_t lport,
			     struct domain *r, uint32_t rport);

/* Raise a VIRQ; no effect when nobody bound it. Any CPU. */
void evtchn_send_virq(struct vcpu *v, uint32_t virq);        /* per vCPU */
void evtchn_send_global_virq(struct domain *d, uint32_t virq);
/* Hypervisor as a peer: signal local port @port of @d. */
void evtchn_send_from_hv(struct domain *d, uint32_t port);
/* True when @port has a pending event, masked or not (SCHEDOP_poll). */
bool evtchn_is_pending(struct domain *d, uint32_t port);
/* v->info moved: carry pending state over and raise the upcall. */
void evtchn_vcpu_info_moved(struct vcpu *v);
/* Owner CPU, work point: is the upcall line of @v high now? */
bool evtchn_upcall_pending(const struct vcpu *v);

#endif
