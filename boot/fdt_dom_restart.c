/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a "xen,domain" node says about the end of its domain: properties of our
 * own, "bulkhead,...", read and judged.
 *
 * Not     what they do (core/restart.c).
 * Rule    as in fdt_dom.c: a mistake refuses its domain, with one message.
 * Bounds  the rows of two tables a property.
 */
#include "fdt_dom_restart.h"

#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_parts.h"

#define MOST_MS	   3600000u /* an hour */
#define BACKOFF_MS 1000u
#define NOT_SAID   UINT32_MAX

static const char *const on_names[NR_RESTART_CAUSES] = {
	[RESTART_POWEROFF] = "bulkhead,on-poweroff",
	[RESTART_REBOOT] = "bulkhead,on-reboot",
	[RESTART_CRASH] = "bulkhead,on-crash",
	[RESTART_WATCHDOG] = "bulkhead,on-watchdog",
};

static const char *const actions[] = {
	[RESTART_HALT] = "halt",
	[RESTART_AGAIN] = "restart",
	[RESTART_CRASH_MACHINE] = "crash-machine",
};

struct number {
	const char *name;
	size_t to; /* uint32_t in struct restart_policy */
	uint32_t min;
	uint32_t max;
	const char *range; /* the message when it is not between them */
};

static const struct number numbers[] = {
	{.name = "bulkhead,restart-limit",
	 .to = offsetof(struct restart_policy, limit),
	 .min = 1,
	 .max = NOT_SAID - 1,
	 .range = "is not a number from 1 on; leave it out for no limit"},
	{.name = "bulkhead,restart-backoff-ms",
	 .to = offsetof(struct restart_policy, backoff_ms),
	 .min = 0,
	 .max = MOST_MS,
	 .range = "is not a number of milliseconds up to an hour; write "
		  "<1000> for a second"},
	{.name = "bulkhead,heartbeat-ms",
	 .to = offsetof(struct restart_policy, heartbeat_ms),
	 .min = 1,
	 .max = MOST_MS,
	 .range = "is not a number of milliseconds from 1 to an hour; leave "
		  "it out when the guest gives no signs of life"},
};

void fdt_dom_restart_none(struct restart_policy *out)
{
	*out = (struct restart_policy){.backoff_ms = NOT_SAID};
}

static int read_action(struct dt *t, uint32_t idx, const char *name,
		       const struct dt_prop *p, uint8_t *out)
{
	for (uint8_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (p->len == strlen(actions[i]) + 1 &&
		    memcmp(p->data, actions[i], p->len) == 0) {
			*out = i;
			return 0;
		}
	}
	return dt_error(t, idx, name,
			"is none of \"restart\", \"halt\", "
			"\"crash-machine\"; write one of them",
			-EINVAL);
}

static int read_number(struct dt *t, uint32_t idx, const struct number *n,
		       const struct dt_prop *p, struct restart_policy *out)
{
	uint32_t *to = (uint32_t *)(void *)((char *)out + n->to);

	if (p->len != sizeof(*to) || dt_be32(p->data) < n->min ||
	    dt_be32(p->data) > n->max) {
		return dt_error(t, idx, n->name, n->range, -EINVAL);
	}
	*to = dt_be32(p->data);
	return 0;
}

int fdt_dom_restart_prop(struct dt *t, uint32_t idx, const char *name,
			 const struct dt_prop *p, struct restart_policy *out)
{
	for (uint32_t i = 0; i < NR_RESTART_CAUSES; i++) {
		if (strcmp(name, on_names[i]) == 0) {
			return read_action(t, idx, name, p, &out->on[i]);
		}
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(name, numbers[i].name) == 0) {
			return read_number(t, idx, &numbers[i], p, out);
		}
	}
	return -ENOENT;
}

static bool has_action(const struct restart_policy *p, uint8_t action)
{
	for (uint32_t i = 0; i < NR_RESTART_CAUSES; i++) {
		if (p->on[i] == action) {
			return true;
		}
	}
	return false;
}

bool fdt_dom_restarts(const struct restart_policy *p)
{
	return has_action(p, RESTART_AGAIN);
}

bool fdt_dom_has_policy(const struct restart_policy *p)
{
	return p->heartbeat_ms || fdt_dom_restarts(p) ||
	       has_action(p, RESTART_CRASH_MACHINE);
}

int fdt_dom_restart_check(struct dt *t, uint32_t idx,
			  struct restart_policy *out)
{
	bool never = !fdt_dom_restarts(out);

	if (never && (out->limit || out->backoff_ms != NOT_SAID)) {
		return dt_error(t, idx,
				out->limit ? numbers[0].name : numbers[1].name,
				"is about restarts, and nothing restarts this "
				"domain; set \"bulkhead,on-crash\" to "
				"\"restart\"",
				-EINVAL);
	}
	if (out->backoff_ms == NOT_SAID) {
		out->backoff_ms = BACKOFF_MS;
	}
	return 0;
}
