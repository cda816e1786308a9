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

#define NR_CPUS 32
#define CPU_NONE UINT16_MAX

struct vcpu;
struct sched_cpu;

/* Bits of pcpu.work: things this CPU must do before it enters a guest. */
enum pcpu_work {
	PWORK_RESCHED = 1u << 0, /* pick a vCPU anew */
	PWORK_CALL = 1u << 1,    /* run a posted cross-CPU function (ipi.c) */
	PWORK_STOP = 1u << 2,    /* park for good */
	PWORK_KEY = 1u << 3,     /* console key handling (console.c) */
};

struct pcpu {
	/* 0 */ struct vcpu *current; /* its EL1 state is in this CPU or NULL */
	/* 8 */ uint32_t work;        /* enum pcpu_work; any CPU, atomically */
	uint16_t id;
	bool idle;                    /* waits in sched_idle(); own CPU writes */
	bool online;
	uint32_t held_ranks;          /* checking build: locks held */
	uint32_t lock_pair_rank;
	uint64_t timer_deadline_ns;   /* what the comparator is set to */
	uint64_t stack_top;           /* EL2 stack */
	uint64_t reserved0;

	struct vcpu *loaded;          /* whose registers are live (lazy idle) */
	uint64_t hw_id;               /* architecture's id (MPIDR affinity) */
	struct sched_cpu *sched;      /* the policy's per-CPU part */
	struct list_node timers;      /* timer.c, sorted by deadline */
	struct spinlock timer_lock;
	struct spinlock runq_lock;
	uint64_t idle_ns;
	uint64_t nr_irqs;
	uint64_t nr_traps;
};

extern struct pcpu *pcpus[NR_CPUS]; /* NULL where there is no such CPU */
extern uint32_t nr_pcpus;           /* present; ids are 0..nr_pcpus-1 */

/* this_pcpu(): the running CPU's own. From the architecture. */
#include <arch/percpu.h>

static inline uint16_t this_cpu(void)
{
	return this_pcpu()->id;
}

#endif
