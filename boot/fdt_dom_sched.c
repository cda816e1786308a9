/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of a domain, or of one vCPU -> parameters of the scheduler.
 *
 * Not     whether the CPUs have that much (dom_sched.c).
 * Bounds  four properties a node.
 * Spec    Ours: no release of Xen has such properties. The names are those of
 *         xl sched-credit2 and xl sched-rtds.
 */
#include "fdt_dom_sched.h"

#include <lib/errno.h>
#include "fdt_parts.h"

static int read_us(struct dt *t, uint32_t idx, const char *name, uint32_t *to)
{
	struct dt_prop p;

	if (!dt_prop_named(t, idx, name, &p)) {
		return 0;
	}
	*to = p.len == 4 ? dt_be32(p.data) : 0;
	return *to ? 0 : dt_error(t, idx, name, "is not a number of "
				  "microseconds; write <4000>", -EINVAL);
}

int fdt_sched_check(struct dt *t, uint32_t idx, const struct boot_sched *s)
{
	if (s->extratime && !s->budget_us) {
		return dt_error(t, idx, "bulkhead,extratime", "is nothing "
				"without \"bulkhead,budget-us\"; add it",
				-EINVAL);
	}
	if (!s->budget_us != !s->period_us) {
		return dt_error(t, idx, s->budget_us ? "bulkhead,budget-us"
						     : "bulkhead,period-us",
				"is alone; \"bulkhead,budget-us\" and "
				"\"bulkhead,period-us\" go together", -EINVAL);
	}
	if (s->budget_us > s->period_us) {
		return dt_error(t, idx, "bulkhead,budget-us", "is more than "
				"\"bulkhead,period-us\"; write less", -EINVAL);
	}
	return 0;
}

int fdt_sched_read(struct dt *t, uint32_t idx, struct boot_sched *s)
{
	struct dt_prop p;
	int rc = read_us(t, idx, "bulkhead,budget-us", &s->budget_us);

	if (rc == 0) {
		rc = read_us(t, idx, "bulkhead,period-us", &s->period_us);
	}
	s->extratime = dt_prop_named(t, idx, "bulkhead,extratime", &p);
	return rc ? rc : fdt_sched_check(t, idx, s);
}
