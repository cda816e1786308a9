/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one physical CPU owns. The first cache line is what the exit path and
 * other CPUs look at; only `work` is written by others, atomically.
 */
#ifndef HV_PERCPU_H
#define HV_PERCPU_H

#include <lib/types.h>
#include <lib/list.h>
#include <hv/lock.h>
#include <hv/timer.h>

#define NR_CPUS 32

struct vcpu;
struct sched_cpu;
struct sched_policy;
struct cpupool;
struct irqchip;

/* Bits of pcpu.work: things this CPU must do before it enters a guest. */
enum pcpu_work {
	PWORK_RESCHED = 1u << 0, /* pick a vCPU anew */
	PWORK_CALL = 1u << 1,    /* run a posted cross-CPU function (ipi.c) */
	PWORK_STOP = 1u << 2,    /* park for good */
	PWORK_AUDIT = 1u << 3,   /* the auditor's next step (audit.c) */
	PWORK_LEAVE = 1u << 4,   /* with RESCHED: who runs may like it better
				  * elsewhere (sched.c) */
	PWORK_TRACE = 1u << 5,   /* its trace buffer, its hooks (tracebuf.c) */
	PWORK_KEY = 1u << 6,     /* there is new log (console.c) */
	PWORK_DOMAIN = 1u << 7,  /* a domain stopped or can go (domain.c) */
};

struct pcpu {
	/* 0 */ struct vcpu *current; /* runs in the guest; NULL while idle */
	/* 8 */ uint32_t work;        /* enum pcpu_work; any CPU, atomically */
	uint16_t id;
	bool idle;                    /* nothing to run; own CPU writes */
	bool online;
	uint32_t held_ranks;          /* checking build: locks held */
	uint32_t lock_pair_rank;
	uint64_t timer_deadline_ns;   /* what the comparator is set to */
	uint64_t stack_top;           /* EL2 stack */
	uint64_t emergency_top; /* stack for our own faults */

	struct vcpu *loaded;          /* whose registers are live (lazy idle) */
	uint64_t hw_id;               /* architecture's id (MPIDR affinity) */
	const struct irqchip *irqchip; /* asked while it idles; arch */
	/* Of the pool it is in or about to be in; cpupool.c. */
	struct cpupool *pool;         /* control_lock; NULL: not started */
	const struct sched_policy *policy; /* own CPU writes */
	const struct sched_policy *asked;  /* that, or sched_trace.c's */
	struct sched_cpu *sched;      /* the policy's per-CPU part */
	uint64_t tell;                /* CPUs that a pick asks to look, too */
	uint64_t timer_slop_ns;       /* how late a timer may be; own CPU */
	struct timer slice_timer;     /* sched.c: look again at run queue */
	struct list_node timers;      /* timer.c, sorted by deadline */
	struct timer *timer_running;  /* whose callback runs now; TIMER lock */
	struct spinlock timer_lock;
	struct spinlock *runq_lock;   /* its own, or that of a shared queue */
	struct spinlock own_runq_lock;
	uint32_t work_gen;            /* rounds of work_run(), for waiters */
	bool peeks;                   /* in guest_peek(): unmappers wait */
	int64_t idle_ns;              /* sched.c; own CPU writes, atomic */
	uint32_t beats;               /* hv/watchdog.h: it is alive */
	uint64_t kind; /* model; CPUs of a pool have one; hmp-unsafe: 0 */
	uint64_t keeps; /* own bit: registers of who sleeps may stay; or 0 */
	uint64_t own;	/* own bit; 0: who runs is to go */
};

extern struct pcpu pcpu_storage[NR_CPUS];
extern struct pcpu *pcpus[NR_CPUS]; /* NULL where there is no such CPU */
extern uint32_t nr_pcpus;           /* present; ids are 0..nr_pcpus-1 */
extern uint64_t cpus_online;        /* bitmap; atomic; sched_init_cpu() */

/*
 * Make the area of CPU @cpu, before anything runs on it; once a CPU, in the
 * order of the ids. The storage is static: nothing can fail.
 */
struct pcpu *percpu_init(uint16_t cpu, uint64_t hw_id, uint64_t stack_top);

/* this_pcpu(): the running CPU's own. From the architecture. */
#include <arch/percpu.h>

static inline uint16_t this_cpu(void)
{
	return this_pcpu()->id;
}

#endif
