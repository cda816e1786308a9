/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device tree says of a domain's share becomes its vCPUs' parameters.
 *
 * Not     what they mean, and whether all that was promised can be kept
 *         (core/sched_*.c by sched_admit(), as for the toolstack).
 * CPU     the boot CPU; the domain is built and not published.
 * Bounds  its vCPUs, and MAX_BOOT_VCPUS.
 */
#include "fdt_dom_sched.h"

#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include "fdt_dom.h"
#include "fdt_dom_vcpu.h"

/* @v: one vCPU of @d; NULL: all of them. */
static int set(struct domain *d, struct vcpu *v, const struct sched_params *p)
{
	struct vcpu *t;
	uint32_t i;
	int rc = sched_admit(d, v, p);

	domain_for_each_vcpu (d, t, i) {
		if (rc == 0 && (!v || v == t)) {
			rc = sched_set_params(t, p);
		}
	}
	return rc;
}

static int refuse(const char *name, const char *what, int rc)
{
	log_err("device tree: /chosen/%s: \"%s\" is more than the scheduler "
		"can promise beside what others have, or out of its range\n",
		name, what);
	return rc;
}

static void warn_of_other(const struct domain *d, const char *name,
			  const char *what)
{
	log_warn("device tree: /chosen/%s: \"%s\" is of another scheduler "
		 "than its pool's, %s; ignored\n",
		 name, what, d->pool->policy->name);
}

static int set_weight(struct domain *d, const struct boot_domain *b)
{
	struct sched_params p = { .weight = b->sched.weight };
	int rc;

	if (!p.weight) {
		return 0;
	}
	if (d->pool->policy != &sched_credit2) {
		warn_of_other(d, b->name, "bulkhead,weight");
		return 0;
	}
	rc = set(d, NULL, &p);
	return rc ? refuse(b->name, "bulkhead,weight", rc) : 0;
}

static int set_budget(struct domain *d, struct vcpu *v, const char *name,
		      const struct boot_sched *s)
{
	const struct sched_params p = { .period_us = s->period_us,
					.budget_us = s->budget_us,
					.extratime = s->extratime };
	int rc;

	if (!p.budget_us) {
		return 0;
	}
	if (d->pool->policy != &sched_rtds) {
		warn_of_other(d, name, "bulkhead,budget-us");
		return 0;
	}
	rc = set(d, v, &p);
	return rc ? refuse(name, "bulkhead,budget-us", rc) : 0;
}

int dom_build_sched(struct domain *d, uint8_t dom)
{
	const struct boot_domain *b = &boot_domains[dom];
	int rc = set_weight(d, b);

	if (rc == 0) {
		rc = set_budget(d, NULL, b->name, &b->sched);
	}
	for (uint32_t i = 0; i < nr_boot_vcpus && rc == 0; i++) {
		const struct boot_vcpu *v = &boot_vcpus[i];

		if (v->dom == dom) {
			rc = set_budget(d, d->vcpu[v->id], b->name, &v->sched);
		}
	}
	return rc;
}
