/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy "rtds": what is promised to whom, and that it can be kept.
 *
 * Owns    ->period_ns, ->budget_ns and ->extratime of each server.
 * Not     who runs, and how budgets are used up (sched_rtds.c).
 * Locks   rtds.lock for what changes; the sum of shares is read under
 *         control_lock, under which all changes but the end of a domain are.
 * Bounds  the vCPUs of one domain.
 */
#include "sched_rtds_priv.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/percpu.h>
#include <hv/platform.h>

#define PARAM_US_MIN  10u		  /* of a period and of a budget */
#define PERIOD_US_MAX 1000000000u	  /* deadlines stay far from levels */
#define SHARE_ONE     (UINT64_C(1) << 32) /* a whole CPU */

/* Rounded down: three thirds are a whole. */
static uint64_t share(uint64_t budget, uint64_t period)
{
	return budget * SHARE_ONE / period;
}

uint64_t rtds_share_of(const struct server *e)
{
	return share(e->budget_ns / NS_PER_US, e->period_ns / NS_PER_US);
}

bool rtds_is_sane(const struct sched_params *p)
{
	return p->period_us >= PARAM_US_MIN && p->period_us <= PERIOD_US_MAX &&
	       p->budget_us >= PARAM_US_MIN && p->budget_us <= p->period_us;
}

/*
 * More than all CPUs have cannot be promised, unless that is forced. What asks
 * for no more than before is taken in any case: it may be the way out.
 */
int rtds_admit(const struct domain *d, const struct vcpu *v,
	       const struct sched_params *p)
{
	uint64_t cpus = (uint64_t)popcount64(d->pool->cpus) * SHARE_ONE;
	uint64_t total_share = rtds_of(d->pool)->total_share;
	uint64_t before = 0;
	uint64_t after = 0;
	const struct vcpu *t;
	uint32_t i;

	if (!rtds_is_sane(p)) {
		return -EINVAL;
	}
	domain_for_each_vcpu (d, t, i) {
		if (!v || t == v) {
			before += rtds_share_of(server_of(t));
			after += share(p->budget_us, p->period_us);
		}
	}
	if (after <= before || total_share - before + after <= cpus) {
		return 0;
	}
	log_warn("rtds: d%u: %u us in %u us %s: all would ask for %llu%% of "
		 "%llu%%\n",
		 d->id, p->budget_us, p->period_us,
		 options.sched_forced ? "forced" : "refused",
		 (unsigned long long)(((total_share - before + after) * 100 +
				       SHARE_ONE / 2) /
				      SHARE_ONE),
		 (unsigned long long)(cpus * 100 / SHARE_ONE));
	return options.sched_forced ? 0 : -ENOSPC;
}

void rtds_promise(struct rtds *all, struct server *e,
		  const struct sched_params *p)
{
	all->total_share -= rtds_share_of(e);
	e->period_ns = p->period_us * NS_PER_US;
	e->budget_ns = p->budget_us * NS_PER_US;
	e->extratime = p->extratime;
	all->total_share += rtds_share_of(e);
}

void rtds_get_params(const struct vcpu *v, struct sched_params *p)
{
	const struct server *e = server_of(v);

	p->period_us = (uint32_t)(e->period_ns / NS_PER_US);
	p->budget_us = (uint32_t)(e->budget_ns / NS_PER_US);
	p->extratime = e->extratime;
}
