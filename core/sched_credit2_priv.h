/* SPDX-License-Identifier: Apache-2.0 */
/* What sched_credit2.c and sched_credit2_params.c share. */
#ifndef CORE_SCHED_CREDIT2_PRIV_H
#define CORE_SCHED_CREDIT2_PRIV_H

#include <hv/cpupool.h>
#include <hv/prioq.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include "sched_cap_priv.h"

struct unit {
	struct prioq_node node; /* key: virtual ns */
	struct vcpu *vcpu;
	int64_t jumped;	 /* of the key: what it did not run for */
	uint32_t weight;
	bool detached; /* the key is a distance from a floor */
	bool yields;
	struct cap_share share;
};

/* Of one pool. */
struct credit2 {
	/* Time that nobody takes from a vCPU that got the CPU; atomic. */
	uint32_t ratelimit_us;
	uint32_t nr_units; /* pool lock */
	bool has_caps;	   /* some domain has one, or had; control_lock */
};

struct sched_cpu {
	const struct credit2 *all;
	struct prioq waiting;
	int64_t floor;
	uint64_t charged_ns; /* current's time is accounted up to here */
	uint64_t slice_start_ns;
	/* Who ran last, and, as of since_ns, for others to see: atomic. */
	const struct unit *last_run; /* only compared */
	int64_t served;
	uint64_t since_ns;
	uint32_t weight;
	uint64_t push_ns; /* not before that is one sent away to be fair */
	bool has_caps;	 /* as ->all says; control_lock sets */
	bool has_parked; /* the decision that is being made */
};

static inline struct credit2 *credit2_of(const struct cpupool *p)
{
	return p->sched;
}

static inline struct unit *unit_of(const struct vcpu *v)
{
	return v->sched_priv;
}

void credit2_leave_cap(struct cap *cap);
int credit2_set_params(struct pcpu *c, struct vcpu *v,
		       const struct sched_params *p);
void credit2_get_params(const struct vcpu *v, struct sched_params *p);

#endif
