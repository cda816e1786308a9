/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a domain: everything it holds goes, in bounded steps, and what
 * others hold of it goes with them.
 *
 * Owns    the order of tear-down; d->teardown.
 * Not     the parts: each module gives back its own.
 * Order   vCPUs stop first, so nothing of the guest's own doing can race; its
 *         signals and mappings of others go before its memory does.
 * Locks   control_lock: one tear-down at a time.
 * Bounds  each part does a bounded piece and answers -EAGAIN for more.
 */
#include <hv/domain.h>

#include <hv/hypercall.h>
#include <hv/irq.h>
#include <lib/errno.h>

/* No vCPU of it runs again, on any CPU. */
static int stop(struct domain *d)
{
	if (__atomic_exchange_n(&d->state, DOM_DYING, __ATOMIC_SEQ_CST) !=
	    DOM_DYING) {
		domain_pause(d);
		domain_watchdog_stop(d);
		domain_tell_controller();
	}
	return domain_is_descheduled(d) ? 0 : -EAGAIN;
}

static int release_lines(struct domain *d)
{
	irq_release_all(d);
	return 0;
}

static int (*const parts[])(struct domain *d) = {
	stop,
	evtchn_fini_step,
	gnttab_release_step,
	release_lines,
	p2m_fini_step,
};

int domain_destroy_step(struct domain *d)
{
	int rc;

	if (d->state == DOM_DEAD) {
		return 0;
	}
	while (d->teardown < ARRAY_SIZE(parts)) {
		rc = parts[d->teardown](d);
		if (rc) {
			return rc;
		}
		d->teardown++;
	}
	d->state = DOM_DEAD;
	domain_put(d); /* the one it was made with */
	return 0;
}
