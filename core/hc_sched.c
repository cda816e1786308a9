/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_op: a guest gives up its CPU, stops, or watches itself.
 *
 * Owns    the watchdog timers of a domain; polling for events.
 * Not     run states (vcpu.c), nor what a stop means (domain.c).
 * Locks   d->lock for the watchdogs. Else owner CPU of the vCPU.
 * Bounds  MAX_POLL_PORTS ports a poll.
 * Spec    [XEN] sched.h "SCHEDOP_*".
 */
#include <hv/hypercall.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/restart.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define MAX_POLL_PORTS 128u
#define NR_WATCHDOGS 2u
#define NS_PER_SEC UINT64_C(1000000000)

static int64_t sched_op_shutdown(struct vcpu *v, union hc_arg *arg)
{
	domain_shutdown(v->domain, (uint8_t)arg->sched_shutdown.reason);
	return 0;
}

static int64_t sched_op_shutdown_code(struct vcpu *v, union hc_arg *arg)
{
	domain_set_shutdown_code(v->domain,
				 (uint8_t)arg->sched_shutdown.reason);
	return 0;
}

static int64_t sched_op_remote_shutdown(struct vcpu *v, union hc_arg *arg)
{
	const sched_remote_shutdown_t *r = &arg->sched_remote_shutdown;
	struct domain *d = domain_lookup_get(r->domain_id);

	(void)v;
	if (!d) {
		return -ESRCH;
	}
	spin_lock(&control_lock);
	domain_shutdown(d, (uint8_t)r->reason);
	spin_unlock(&control_lock);
	domain_put(d);
	return 0;
}

/* ---- poll ------------------------------------------------------------ */

/* 1: one of them is pending; 0: none; -errno. */
static int poll_any_pending(struct vcpu *v, uint64_t ports, uint32_t nr)
{
	struct guest_iter it;
	evtchn_port_t port;
	int rc = guest_iter_init(&it, v, ports, nr, sizeof(port));
	bool any = false;

	if (rc) {
		return rc;
	}
	while ((rc = guest_iter_next(&it, &port)) == 0) { /* bound: nr */
		if (port == 0 || port >= v->domain->evtchn.nr_ports) {
			return -EINVAL;
		}
		any |= evtchn_is_pending(v->domain, port);
	}
	return rc == -ENODATA ? any : rc;
}

static int64_t sched_op_poll(struct vcpu *v, union hc_arg *arg)
{
	const sched_poll_t *p = &arg->sched_poll;
	uint64_t offset = (uint64_t)v->domain->time_offset_ns;
	int rc;

	if (p->nr_ports > MAX_POLL_PORTS) {
		return -EINVAL;
	}
	/* Before the ports are looked at: an event from here on wakes it. */
	__atomic_store_n(&v->poll, true, __ATOMIC_SEQ_CST);
	rc = poll_any_pending(v, p->ports.q, p->nr_ports);
	if (rc != 0) {
		__atomic_store_n(&v->poll, false, __ATOMIC_RELAXED);
		return rc < 0 ? rc : 0;
	}
	/* An earlier poll that an event ended has left its timer. */
	timer_cancel(&v->poll_timer);
	if (p->timeout != 0 && p->timeout <= UINT64_MAX - offset) {
		timer_set(&v->poll_timer, p->timeout + offset);
	}
	vcpu_block(v);
	return 0;
}

/* ---- watchdogs ------------------------------------------------------- */

static void watchdog_expired(void *opaque)
{
	struct domain *d = opaque;

	domain_shutdown(d, SHUTDOWN_watchdog);
}

void domain_watchdog_init(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < NR_WATCHDOGS; i++) {
		timer_init(&d->watchdog[i], watchdog_expired, d);
	}
}

void domain_watchdog_stop(struct domain *d)
{
	uint32_t i;

	for (i = 0; i < NR_WATCHDOGS; i++) {
		timer_cancel(&d->watchdog[i]);
	}
}

/* Slot of watchdog @id, or of a free one for id 0; -errno. */
static int watchdog_slot(const struct domain *d, uint32_t id)
{
	uint32_t i;

	if (id != 0) {
		return d->watchdog_inuse & BIT32(id - 1) ? (int)id - 1
							 : -EINVAL;
	}
	for (i = 0; i < NR_WATCHDOGS; i++) {
		if (!(d->watchdog_inuse & BIT32(i))) {
			return (int)i;
		}
	}
	return -ENOSPC;
}

static int64_t watchdog_change_locked(struct domain *d, uint32_t id,
				      uint32_t seconds) REQUIRES(d->lock)
{
	int slot = watchdog_slot(d, id);
	uint64_t ns = seconds * NS_PER_SEC;

	if (slot < 0) {
		return slot;
	}
	if (seconds == 0) {
		d->watchdog_inuse &= (uint8_t)~BIT32(slot);
		timer_cancel(&d->watchdog[slot]);
		return 0;
	}
	d->watchdog_inuse |= (uint8_t)BIT32(slot);
	timer_set(&d->watchdog[slot], arch_time_ns() + ns);
	return id == 0 ? slot + 1 : 0;
}

static int64_t sched_op_watchdog(struct vcpu *v, union hc_arg *arg)
{
	const sched_watchdog_t *w = &arg->sched_watchdog;
	struct domain *d = v->domain;
	int64_t rc;

	if (w->id > NR_WATCHDOGS || (w->id == 0 && w->timeout == 0)) {
		return -EINVAL;
	}
	spin_lock(&d->lock);
	rc = watchdog_change_locked(d, w->id, w->timeout);
	spin_unlock(&d->lock);
	if (rc >= 0 && w->timeout != 0 && d->restart) {
		restart_heartbeat(d);
	}
	return rc;
}

/* ---------------------------------------------------------------------- */

static int64_t sched_op_pin_override(struct vcpu *v, union hc_arg *arg)
{
	int32_t cpu = arg->sched_pin_override.pcpu;

	if (cpu >= (int32_t)nr_pcpus) {
		return -EINVAL;
	}
	return vcpu_pin(v, cpu < 0 ? 0 : BIT64(cpu));
}

static const struct hc_subop sched_subops[] = {
	[SCHEDOP_shutdown] =
		SUBOP(sched_shutdown, sched_op_shutdown, HC_IN, HC_ANY),
	[SCHEDOP_poll] = SUBOP(sched_poll, sched_op_poll, HC_IN, HC_ANY),
	[SCHEDOP_remote_shutdown] =
		SUBOP(sched_remote_shutdown, sched_op_remote_shutdown, HC_IN,
		      HC_CTRL),
	[SCHEDOP_shutdown_code] =
		SUBOP(sched_shutdown, sched_op_shutdown_code, HC_IN, HC_ANY),
	[SCHEDOP_watchdog] =
		SUBOP(sched_watchdog, sched_op_watchdog, HC_IN, HC_ANY),
	[SCHEDOP_pin_override] =
		SUBOP(sched_pin_override, sched_op_pin_override, HC_IN,
		      HC_CTRL),
};

int64_t hc_sched_op(struct vcpu *v, const uint64_t *args)
{
	switch ((uint32_t)args[0]) {
	case SCHEDOP_yield:
		vcpu_yield(v);
		return 0;
	case SCHEDOP_block:
		/* "Re-enables event delivery": else nothing would wake it. */
		arch_hypercall_unmask(v);
		vcpu_block(v);
		return 0;
	default:
		return hypercall_subop(v, sched_subops,
				       ARRAY_SIZE(sched_subops), args[0],
				       args[1]);
	}
}
