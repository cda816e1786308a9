/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy "rtds": what it keeps of a vCPU, of a CPU and of a pool, and
 * what sched_rtds_params.c, which knows what is promised to whom, does for
 * sched_rtds.c, which knows who runs.
 */
#ifndef CORE_SCHED_RTDS_PRIV_H
#define CORE_SCHED_RTDS_PRIV_H

#include <hv/cpupool.h>
#include <hv/prioq.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

#define NS_PER_US UINT64_C(1000)

struct server {
	struct prioq_node ready; /* has budget; key: level and deadline */
	struct prioq_node later; /* waits for its deadline, which is the key */
	struct prioq *ready_in;
	struct prioq *later_in;
	struct vcpu *vcpu;
	uint64_t period_ns;
	uint64_t budget_ns;
	uint64_t deadline_ns; /* end of this period; 0: none has begun */
	uint64_t left_ns;     /* of the budget of this period and level */
	uint32_t level;	      /* budgets beyond the first, saturating */
	bool extratime;
};

/* Of one pool. */
struct rtds {
	struct spinlock lock; /* every CPU's run queue lock */
	struct prioq shared;  /* ready on several CPUs, loaded on none */
	uint32_t nr_servers;  /* pool lock */
	uint64_t total_share; /* ->lock */
};

/* pcpu.sched is the policy's own; this policy's shape of it. */
struct rtds_cpu {
	struct rtds *all;
	struct prioq ready; /* those that can run here only, for now */
	struct prioq later;
	struct server *running;
	int64_t key;	   /* of what runs or is to be looked at */
	uint64_t since_ns; /* ->running is charged up to here */
	uint64_t until_ns; /* the CPU looks again then */
};

static inline struct rtds *rtds_of(const struct cpupool *p)
{
	return p->sched;
}

static inline struct rtds_cpu *rtds_cpu(const struct pcpu *c)
{
	return (struct rtds_cpu *)(void *)c->sched;
}

static inline struct server *server_of(const struct vcpu *v)
{
	return v->sched_priv;
}

/* In SHARE_ONE of a CPU. */
uint64_t rtds_share_of(const struct server *e);
/* May @v, or all of @d, have @p? sched_policy.admit */
int rtds_admit(const struct domain *d, const struct vcpu *v,
	       const struct sched_params *p);
bool rtds_is_sane(const struct sched_params *p);
/* @e, which is of @all, has @p, which is sane, from now on; lock held. */
void rtds_promise(struct rtds *all, struct server *e,
		  const struct sched_params *p);
void rtds_get_params(const struct vcpu *v, struct sched_params *p);

#endif
