/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes "xen,evtchn-v1" -> the ends of event channels that are there from
 * birth on, each with the end it leads to.
 *
 * Owns    the list of ends.
 * Not     making them (dom0less.c).
 * Rule    an end is judged alone first; only an end that is right itself can
 *         show that another one leads to the wrong place. So of two domains
 *         that one mistake concerns, one is refused: that with the mistake.
 * Bounds  MAX_STATIC_EVTCHNS ends, each looked up among all.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt "Static Event Channel".
 */
#include "fdt_dom_evtchn.h"

#include <hv/console.h>
#include <lib/errno.h>
#include "fdt_dom.h"
#include "fdt_parts.h"

#define PROP	      "xen,evtchn"
#define PORT_MAX      1023u /* of a domain: as its limit for all its ports */
#define DOM0_PORT_MAX 4095u /* of the format that it begins with */

struct static_evtchn static_evtchns[MAX_STATIC_EVTCHNS];
uint32_t nr_static_evtchns;

const char *const dt_evtchn[] = {"xen,evtchn-v1", NULL};

void fdt_evtchn_reset(void)
{
	nr_static_evtchns = 0;
}

static bool is_taken(const struct static_evtchn *e)
{
	for (uint32_t i = 0; i < nr_static_evtchns; i++) {
		if (static_evtchns[i].dom == e->dom &&
		    static_evtchns[i].port == e->port) {
			return true;
		}
	}
	return false;
}

static int check_port(struct dt *t, const struct static_evtchn *e)
{
	uint32_t most = e->dom == STATIC_DOM0 ? DOM0_PORT_MAX : PORT_MAX;

	if (e->port == 0 || e->port > most) {
		return dt_error(t, e->node, PROP,
				"begins with a port that is not from 1 to "
				"1023, for dom0 4095; choose another",
				-EINVAL);
	}
	if (is_taken(e)) {
		return dt_error(t, e->node, PROP,
				"begins with a port that another node of the "
				"domain has; choose another",
				-EINVAL);
	}
	return 0;
}

int fdt_evtchn_parse(struct dt *t, uint32_t idx, uint8_t dom)
{
	struct static_evtchn *e = &static_evtchns[nr_static_evtchns];
	struct dt_prop p;
	int rc;

	if (nr_static_evtchns == MAX_STATIC_EVTCHNS) {
		return dt_error(t, idx, "compatible",
				"makes more than 128 ends of event channels; "
				"leave some out",
				-ENOSPC);
	}
	if (!dt_prop_named(t, idx, PROP, &p)) {
		return dt_error(t, idx, PROP,
				"is missing; add it: a port and "
				"the phandle of the other end",
				-EINVAL);
	}
	if (p.len != 8) {
		return dt_error(t, idx, PROP,
				"is not a port and a phandle; "
				"write <PORT &OTHER_END>",
				-EINVAL);
	}
	*e = (struct static_evtchn){
		.node = (uint16_t)idx,
		.peer = STATIC_NO_PEER,
		.port = dt_be32(p.data),
		.to = dt_be32(p.data + 4),
		.dom = dom,
	};
	rc = check_port(t, e);
	nr_static_evtchns += rc == 0;
	return rc;
}

/* ---- the other ends ------------------------------------------------------ */

static bool is_refused(const struct static_evtchn *e)
{
	return e->dom != STATIC_DOM0 && boot_domains[e->dom].refused;
}

static void refuse(struct static_evtchn *e)
{
	if (e->dom != STATIC_DOM0) {
		boot_domains[e->dom].refused = true;
	}
	e->node = 0; /* leads nowhere, and nothing leads here */
}

/* An end of some domain, refused or not. */
static bool is_end(struct dt *t, uint32_t idx)
{
	uint32_t up = t->node[idx].parent;

	return dt_is_compatible(t, idx, dt_evtchn) &&
	       (dt_is_compatible(t, up, dt_domain) ||
		up == dt_resolve(t, "/chosen", 7));
}

static int check_target(struct dt *t, struct static_evtchn *e)
{
	uint32_t to = dt_by_phandle(t, e->to);

	if (to == DT_NONE) {
		return dt_error(t, e->node, PROP,
				"names a node that is not "
				"there; set the phandle of the other end",
				-ENOENT);
	}
	if (to == e->node) {
		return dt_error(t, e->node, PROP,
				"names its own node; set the "
				"phandle of the other end",
				-EINVAL);
	}
	if (!is_end(t, to)) {
		return dt_error(t, e->node, PROP,
				"names a node that is no "
				"\"xen,evtchn-v1\" of a domain; set the "
				"phandle of the other end",
				-EINVAL);
	}
	return 0;
}

static struct static_evtchn *end_at(uint32_t node)
{
	for (uint32_t i = 0; i < nr_static_evtchns; i++) {
		if (static_evtchns[i].node == node) {
			return &static_evtchns[i];
		}
	}
	return NULL;
}

static int find_peer(struct dt *t, struct static_evtchn *e)
{
	struct static_evtchn *other = end_at(dt_by_phandle(t, e->to));

	if (!other || is_refused(other)) {
		return 0; /* that one's mistake */
	}
	if (dt_by_phandle(t, other->to) != e->node) {
		return dt_error(t, e->node, PROP,
				"names a node that names "
				"another one; let the two name each other",
				-EINVAL);
	}
	e->peer = (uint16_t)(other - static_evtchns);
	return 0;
}

static void for_each_end(struct dt *t,
			 int (*check)(struct dt *t, struct static_evtchn *e))
{
	for (uint32_t i = 0; i < nr_static_evtchns; i++) {
		struct static_evtchn *e = &static_evtchns[i];

		if (e->node != 0 && !is_refused(e) && check(t, e)) {
			refuse(e);
		}
	}
}

void fdt_evtchn_link(struct dt *t)
{
	for_each_end(t, check_target);
	for_each_end(t, find_peer);
}
