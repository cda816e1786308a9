/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event channels that boot makes between domains that have not asked: what
 * the device tree names, and the one for a xenstore.
 *
 * Not     which ones (fdt_dom_evtchn.c); the xenstore's page, which dom0's
 *         init-dom0less makes.
 * Rule    every end of a domain that starts is open; one whose peer did not
 *         start drops what is sent into it.
 * CPU     the boot CPU, when all domains are there and none has run.
 * Bounds  MAX_STATIC_EVTCHNS, MAX_BOOT_DOMAINS.
 */
#include "dom_build.h"
#include "fdt_dom.h"
#include "fdt_dom_evtchn.h"
#include <abi/xen.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <lib/errno.h>

/* With a reference, as the rest of the system looks domains up; or NULL. */
static struct domain *owner_of(const struct static_evtchn *e)
{
	domid_t id;

	if (e->node == 0) {
		return NULL; /* refused */
	}
	if (e->dom == STATIC_DOM0) {
		id = hardware_domain ? hardware_domain->id : DOMID_INVALID;
	} else {
		id = boot_domains[e->dom].domid;
	}
	return id == 0 && e->dom != STATIC_DOM0 ? NULL : domain_lookup_get(id);
}

static void open_end(const struct static_evtchn *e)
{
	struct domain *d = owner_of(e);
	struct domain *peer = e->peer == STATIC_NO_PEER
				      ? NULL
				      : owner_of(&static_evtchns[e->peer]);

	if (d) {
		int rc = evtchn_open_at(d, e->port,
					peer ? peer->id : DOMID_INVALID);

		if (rc) {
			log_err("%s: event channel %u: error %d\n", d->name,
				e->port, -rc);
		} else if (!peer) {
			log_warn("%s: event channel %u leads to a domain that "
				 "is not started\n",
				 d->name, e->port);
		}
		domain_put(d);
	}
	if (peer) {
		domain_put(peer);
	}
}

static void join_ends(const struct static_evtchn *e)
{
	const struct static_evtchn *other = &static_evtchns[e->peer];
	struct domain *d = owner_of(e);
	struct domain *peer = owner_of(other);

	if (d && peer && evtchn_join(d, e->port, peer, other->port)) {
		log_err("%s: event channel %u could not be joined\n", d->name,
			e->port);
	}
	if (d) {
		domain_put(d);
	}
	if (peer) {
		domain_put(peer);
	}
}

/*
 * For Xen's handshake: the port waits for dom0, and until its tool is through
 * with this domain the page is all ones.
 */
static void promise_xenstore(const struct boot_domain *b)
{
	struct domain *d = domain_lookup_get(b->domid);
	int rc = -EBUSY;

	for (uint32_t port = 1; d && rc == -EBUSY; port++) {
		rc = evtchn_open_at(d, port, hardware_domain->id);
		d->hvm_params[HVM_PARAM_STORE_EVTCHN] = rc ? 0 : port;
	}
	if (d) {
		d->hvm_params[HVM_PARAM_STORE_PFN] = UINT64_MAX;
		domain_put(d);
	}
	if (rc) {
		log_err("/chosen/%s: no event channel is left for a "
			"xenstore: error %d\n", b->name, -rc);
	}
}

void dom_build_evtchns(void)
{
	for (uint32_t i = 0; i < nr_static_evtchns; i++) {
		open_end(&static_evtchns[i]);
	}
	for (uint32_t i = 0; i < nr_static_evtchns; i++) {
		const struct static_evtchn *e = &static_evtchns[i];

		if (e->peer != STATIC_NO_PEER && e->peer > i) {
			join_ends(e);
		}
	}
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		if (boot_domains[i].xenstore && boot_domains[i].domid != 0) {
			promise_xenstore(&boot_domains[i]);
		}
	}
}
