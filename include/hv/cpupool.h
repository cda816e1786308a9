/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools: sets of CPUs, each with an instance of a policy of its own. A CPU is
 * in one pool or in none, where it idles; a domain is in one pool, always. The
 * CPUs of a pool are of one kind, so that no guest sees its CPU change.
 *
 * v->cpus, where a vCPU may run, is the part of its hard affinity that is in
 * its domain's pool; it is never empty while the vCPU can run.
 */
#ifndef HV_CPUPOOL_H
#define HV_CPUPOOL_H

#include <lib/types.h>
#include <hv/lock.h>

struct domain;
struct pcpu;
struct sched_policy;

#define CPUPOOL_ANY UINT32_MAX /* an id or a CPU: any that will do */

struct cpupool {
	struct cpupool *next; /* by id; control_lock */
	uint32_t id;
	uint32_t nr_domains;  /* atomic; it stays while there are any */
	uint64_t cpus;        /* bitmap; control_lock writes, atomic */
	uint64_t cpus_at_boot; /* that come here when they come on line */
	uint64_t kind;        /* c->kind of its CPUs; of the last one it had */
	const struct sched_policy *policy;
	struct spinlock *lock; /* of all its run queues; NULL: each its own */
	void *sched;           /* the policy's own */
};

/* What sched= said; boot CPU, once. */
void cpupool_set_default(const struct sched_policy *p);
const struct sched_policy *cpupool_default_policy(void);
/* control_lock held, from here on. -EEXIST, -ENOMEM. */
__must_check int cpupool_create(uint32_t id, const struct sched_policy *p,
				struct cpupool **out);
/* -EBUSY: it has CPUs or domains. */
__must_check int cpupool_destroy(struct cpupool *p);
struct cpupool *cpupool_find(uint32_t id); /* NULL: none */
/* The one with the lowest id >= @id; NULL: none. */
struct cpupool *cpupool_next(uint32_t id);
/* CPUs on line that are in no pool. */
uint64_t cpupool_free_cpus(void);
/*
 * One bounded step of taking CPU @cpu into @p, or out of it. -EAGAIN: call
 * again with the same parameters; with others: -EADDRNOTAVAIL. A CPU that is
 * not to be had is -ENODEV, one not in the pool -EADDRNOTAVAIL, none at all
 * -EINVAL. -EBUSY: the last CPU of domains.
 */
__must_check int cpupool_add_step(struct cpupool *p, uint32_t cpu);
__must_check int cpupool_remove_step(struct cpupool *p, uint32_t cpu);
/*
 * One bounded step of taking @c, which is on line, out of its pool, whose id
 * goes to *@id, and keeping it from all others. -EAGAIN: call again; -EBUSY: it
 * is needed there; -EADDRNOTAVAIL: another CPU is on its way.
 */
__must_check int cpupool_off_step(struct pcpu *c, uint32_t *id);
void cpupool_on(struct pcpu *c); /* it is one of the free ones again */
/* One step of moving @d to @p. -EAGAIN: call again; -ENOMEM: it stays. */
__must_check int cpupool_move_step(struct domain *d, struct cpupool *p);
/* The domain, which is being made, is in pool @id. -ESRCH, -ENODEV. */
__must_check int cpupool_enter(struct domain *d, uint32_t id);
void cpupool_leave(struct domain *d); /* nothing of @d is left */

/*
 * The calling CPU, which comes on line, goes to the pool that waits for it, or
 * to pool 0. -ENOMEM; -EXDEV: that has CPUs of another kind.
 */
__must_check int cpupool_init_cpu(struct pcpu *c);

#endif
