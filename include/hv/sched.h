/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduling port: vcpu.c keeps vCPU states, sched.c queues and switches
 * and asks one policy. A policy is one const table; its functions run under
 * the run queue lock of the CPU named unless said, and are bounded.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <lib/types.h>
#include <hv/percpu.h>

struct vcpu;
struct pcpu;
struct domain;
struct cpupool;

/* XEN_SCHEDULER_* of the ABI's domctl.h */
enum sched_id {
	SCHED_ID_CREDIT2 = 6,
	SCHED_ID_ARINC653 = 7,
	SCHED_ID_RTDS = 8,
	SCHED_ID_NULL = 9,
};

struct sched_decision {
	struct vcpu *next;  /* NULL: idle */
	uint64_t until_ns;  /* look again then; UINT64_MAX: no need to */
};

struct sched_params {
	uint32_t weight; /* 1..65535; share relative to others */
	uint32_t cap;	 /* sched_set_cap(); told, not taken */
	uint32_t period_us;
	uint32_t budget_us; /* in each period */
	bool extratime;     /* and more, when nobody else wants the CPU */
};
#define SCHED_WEIGHT_DEFAULT 256u
#define SCHED_WEIGHT_MAX 65535u
#define SCHED_PERIOD_US_DEFAULT 10000u
#define SCHED_BUDGET_US_DEFAULT 4000u

struct sched_policy {
	const char *name;    /* as in sched= */
	uint32_t sched_id;   /* enum sched_id */
	/*
	 * All CPUs have one run queue lock. Then pick may return a vCPU that
	 * waits elsewhere and is loaded nowhere, and makes it this CPU's; one
	 * that waits is queued anew when its registers are in memory.
	 */
	bool has_shared_queue;
	bool is_real_time; /* its times are not to be put off: timer_slop */
	/* One that runs goes over to an idle CPU which it likes better. */
	bool heeds_likes;
	/*
	 * What the policy keeps of a pool (p->sched and p->lock; no function:
	 * nothing), of a CPU (c->sched; c->pool is set) and of a vCPU, in a
	 * pool where it may be only later. CPUPOOL lock. -ENOMEM.
	 */
	int (*pool_init)(struct cpupool *p);
	void (*pool_fini)(struct cpupool *p);
	int (*cpu_init)(struct pcpu *c);
	void (*cpu_fini)(struct pcpu *c);
	/*
	 * A CPU of @p must stay in it, or, with @off, on line. No function:
	 * none has to.
	 */
	bool (*needs_cpu)(struct cpupool *p, uint32_t cpu, bool off);
	int (*vcpu_init)(struct cpupool *p, struct vcpu *v, void **priv);
	void (*vcpu_fini)(struct cpupool *p, void *priv);
	/* @v became runnable on CPU c; true: c should reschedule. */
	bool (*enqueue)(struct pcpu *c, struct vcpu *v, uint64_t now_ns);
	/* @v is runnable and queued, but must not be picked any more. */
	void (*dequeue)(struct pcpu *c, struct vcpu *v);
	/*
	 * @v, not queued, moves to another CPU or goes offline. True: c
	 * should reschedule.
	 */
	bool (*leave)(struct pcpu *c, struct vcpu *v);
	/*
	 * Who runs next on @c. @prev is what ran (NULL: idle). When it is
	 * still runnable it may be returned again, else it is queued.
	 */
	struct sched_decision (*pick)(struct pcpu *c, struct vcpu *prev,
				      bool prev_runnable, uint64_t now_ns);
	/* Own CPU, no lock: prev gives way; false: to nobody. */
	bool (*yield)(struct pcpu *c, struct vcpu *prev);
	/* CPU for @v, which is not loaded and not queued. */
	uint16_t (*choose_cpu)(const struct vcpu *v, uint64_t idle_cpus);
	/* vCPUs that wait on @c; no lock. */
	uint32_t (*nr_queued)(const struct pcpu *c);
	/* Dequeue from @from one that may run on @to; NULL: none. */
	struct vcpu *(*steal)(struct pcpu *from, uint16_t to);
	/*
	 * @v, whose turn on @c is over, waits there and is in memory: the CPU
	 * where it would wait more fairly to others; CPU_NONE: here. No
	 * function: here.
	 */
	uint16_t (*push)(struct pcpu *c, struct vcpu *v);
	/*
	 * May @v, or each vCPU of @d when NULL, have @p beside what the
	 * others have? control_lock. -EINVAL, -ENOSPC. No function: yes.
	 */
	int (*admit)(const struct domain *d, const struct vcpu *v,
		     const struct sched_params *p);
	/* -EINVAL */
	int (*set_params)(struct pcpu *c, struct vcpu *v,
			  const struct sched_params *p);
	void (*get_params)(const struct vcpu *v, struct sched_params *p);
};

extern const struct sched_policy sched_credit2, sched_rtds, sched_null,
	sched_arinc653;
extern const struct sched_policy sched_nothing; /* of CPUs in no pool */
/* NULL-terminated; the first is the default. */
extern const struct sched_policy *const sched_policies[];

/* By name as given in sched=; "" is the default; NULL: unknown. */
const struct sched_policy *sched_policy_by_name(const char *name);
/* By enum sched_id; NULL: unknown. */
const struct sched_policy *sched_policy_by_id(uint32_t id);
/*
 * Every CPU, when it can take kicks: it is online after this. -ENOMEM, -EXDEV:
 * cpupool_init_cpu().
 */
__must_check int sched_init_cpu(void);
/* This CPU, which is in no pool: it is off line after this, or on again. */
void sched_exit_cpu(void);
void sched_enter_cpu(void);
/*
 * Work point: choose who runs on this CPU, switch context if it changed.
 * Returns the vCPU or NULL for idle.
 */
struct vcpu *sched_run(struct pcpu *c);
/*
 * PWORK_LEAVE, own CPU: who runs goes to an idle CPU that it likes (->likes),
 * if it does not like this one, or somebody else would rather be here.
 * sched_run() is to follow.
 */
void sched_leave_disliked(struct pcpu *c);
/* From now on CPUs without work look for vCPUs that like them; any CPU. */
void sched_heed_likes(void);
__must_check int sched_vcpu_init(struct vcpu *v);
void sched_vcpu_fini(struct vcpu *v);
/* Guest time accounting for getdomaininfo. */
uint64_t sched_vcpu_cpu_time_ns(struct vcpu *v);
__must_check int sched_admit(const struct domain *d, const struct vcpu *v,
			     const struct sched_params *p);
__must_check int sched_set_params(struct vcpu *v,
				  const struct sched_params *p);
void sched_get_params(struct vcpu *v, struct sched_params *p);
/*
 * The plan of a pool of the policy arinc653: CPU by CPU the windows follow
 * each other from the begin of the frame on. An entry's vcpu_id has its CPU in
 * the upper half, which is 0 on Xen; NOBODY in the lower half makes a gap. A
 * new plan holds from the end of the frame on. -EINVAL, with the reason in the
 * log; -ENOMEM.
 */
#define SCHED_PLAN_CPU_SHIFT 16
#define SCHED_PLAN_NOBODY 0xffffu
struct xen_sysctl_arinc653_schedule;
__must_check int sched_plan_set(struct cpupool *p,
				const struct xen_sysctl_arinc653_schedule *s);
/* As set last. */
void sched_plan_get(const struct cpupool *p,
		    struct xen_sysctl_arinc653_schedule *s);
/*
 * How long a vCPU runs at least before another of its kind takes over, in a
 * pool of the policy credit2.
 */
uint32_t sched_ratelimit_us(const struct cpupool *p);
__must_check int sched_set_ratelimit_us(struct cpupool *p,
					uint32_t us); /* -EINVAL */
/*
 * The vCPUs of @d, in such a pool, use @percent of one CPU at most, together;
 * 0: no limit. control_lock. -EINVAL: more than they could; -ENOMEM.
 */
__must_check int sched_set_cap(struct domain *d, uint32_t percent);
uint32_t sched_nr_queued(const struct pcpu *c);
/* How long @c had no vCPU to run since boot; any CPU. */
uint64_t sched_idle_ns(const struct pcpu *c);

/* ---- for policies: no vCPU comes or goes in between; CPUPOOL lock -------- */
void sched_vcpus_hold(void);
void sched_vcpus_release(void);

/* ---- for vcpu.c ---------------------------------------------------------- */
/* Lock the run queue of v->cpu, whichever that is by now. */
struct pcpu *sched_lock_vcpu(struct vcpu *v);
static inline void sched_unlock(struct pcpu *c) NO_LOCK_ANALYSIS;
static inline void sched_unlock(struct pcpu *c)
{
	spin_unlock(c->runq_lock);
}
/*
 * @c, the CPU of @v, is locked and is unlocked on return: if @v is runnable,
 * not paused and not queued, queue it where it should run and tell that CPU.
 */
void sched_place_unlock(struct pcpu *c, struct vcpu *v, uint64_t now_ns);
/* Take @v out of its queue, if it is in one; lock held. */
void sched_remove_locked(struct pcpu *c, struct vcpu *v);
/* Any CPU, no lock held: if @v waits, let it wait where it now should. */
void sched_requeue(struct vcpu *v);
/* @v no longer belongs to @c at all; lock held. True: reschedule c. */
bool sched_leave_locked(struct pcpu *c, struct vcpu *v);
/* Own CPU: @v gives way; false: nobody waits. */
bool sched_yield_to_others(struct pcpu *c, struct vcpu *v);

/* ---- between sched.c and sched_soft.c ------------------------------------ */
uint64_t sched_idle_cpus(void); /* bitmap; any CPU, no lock */
extern bool sched_has_soft; /* some vCPU likes some CPUs better, or did */
/* Own CPU, which has nothing to run: who would rather be here may come. */
void sched_invite(struct pcpu *c);

/* ---- for cpupool.c ------------------------------------------------------- */
/* The policy's part of a pool, and of a CPU that is of c->pool. -ENOMEM. */
__must_check int sched_pool_init(struct cpupool *p);
void sched_pool_fini(struct cpupool *p);
__must_check int sched_cpu_init(struct pcpu *c);
void sched_cpu_fini(struct pcpu *c);
/* Own CPU, which runs nothing: its policy is @p's from here on. */
void sched_switch_policy(struct pcpu *c, const struct cpupool *p);
/*
 * What @p's policy keeps of @v, into v->sched_next, and its undo; then @v,
 * which is paused and in memory, is in @p, from @old.
 */
__must_check int sched_vcpu_prepare(struct vcpu *v, struct cpupool *p);
void sched_vcpu_unprepare(struct vcpu *v, struct cpupool *p);
/* What a vCPU of @p had there, and has no more. */
void sched_vcpu_forget(struct cpupool *p, void *priv);
void sched_vcpu_move(struct vcpu *v, struct cpupool *old, struct cpupool *p);

#endif
