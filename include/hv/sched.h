/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduling port: sched.c keeps vCPU states and asks one policy per CPU
 * pool. A policy is one const table; all its functions run under the run
 * queue lock of the CPU named, interrupts masked, and are bounded.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <lib/types.h>
#include <abi/xen.h>

struct vcpu;
struct pcpu;
struct domain;

struct sched_decision {
	struct vcpu *next;   /* NULL: idle */
	uint64_t slice_ns;   /* UINT64_MAX: until something happens */
};

struct sched_policy {
	const char *name;    /* as in sched= */
	uint32_t sched_id;   /* XEN_SCHEDULER_* */
	/* Per-CPU and per-vCPU parts. -ENOMEM. */
	int (*cpu_init)(struct pcpu *c);
	void (*cpu_fini)(struct pcpu *c);
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_fini)(struct vcpu *v);
	/* @v became runnable on CPU c; true: c should reschedule. */
	bool (*enqueue)(struct pcpu *c, struct vcpu *v, uint64_t now_ns);
	/* @v is runnable and queued, but must not be picked any more. */
	void (*dequeue)(struct pcpu *c, struct vcpu *v);
	/*
	 * Who runs next on @c. @prev is what ran (NULL: idle); when it is
	 * still runnable it is not queued and may be returned again.
	 */
	struct sched_decision (*pick)(struct pcpu *c, struct vcpu *prev,
				      bool prev_runnable, uint64_t now_ns);
	/* prev gives up the rest of its slice. */
	void (*yield)(struct pcpu *c, struct vcpu *prev);
	/* CPU for a vCPU that wakes; within its hard affinity. */
	uint16_t (*choose_cpu)(struct vcpu *v);
};

extern const struct sched_policy sched_credit2, sched_null;
extern const struct sched_policy *const sched_policies[];

/* By name as given in sched=; NULL: unknown. */
const struct sched_policy *sched_policy_by_name(const char *name);
void sched_init(const struct sched_policy *p); /* boot CPU, once */
void sched_init_cpu(void);                     /* every CPU */
/*
 * Work point: choose who runs on this CPU, switch context if it changed.
 * Returns the vCPU or NULL for idle.
 */
struct vcpu *sched_run(struct pcpu *c);
__must_check int sched_vcpu_init(struct vcpu *v);
void sched_vcpu_fini(struct vcpu *v);
/* Guest time accounting for getdomaininfo and runstate. */
uint64_t sched_vcpu_cpu_time_ns(const struct vcpu *v);

#endif
