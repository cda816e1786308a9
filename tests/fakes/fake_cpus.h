/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated CPUs under the real scheduling core: vcpu.c, vcpu_create.c,
 * sched.c and both policies, timer.c, work.c, ipi.c (unit.mk: CPU_WORLD). One
 * thread plays all CPUs; a race is a hook at the point where it would strike.
 */
#ifndef FAKE_CPUS_H
#define FAKE_CPUS_H

#include <criterion/criterion.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/ipi.h>
#include <hv/irqchip.h>
#include <hv/sched.h>
#include <hv/work.h>
#include "arch/fake/fake_arch.h"

/* An assertion that holds costs criterion a message: too much for some. */
#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			cr_assert_fail("%s", #x);                              \
		}                                                              \
	} while (0)

#define MS	   UINT64_C(1000000)
#define CPUS_VCPUS 8

/* One domain with room for CPUS_VCPUS; @policy as in sched=. */
extern struct domain cpus_dom;
void cpus_start(uint16_t nr, const char *policy);
/* The next vCPU of cpus_dom, offline, at home on @cpu. */
struct vcpu *cpus_vcpu(uint16_t cpu);
/* Whose CPU the following calls run on. */
void on_cpu(uint32_t cpu);
/* One call of work_run() there; returns when it enters a guest or sleeps. */
void cpus_step(uint32_t cpu);
/* Timers and work points of all CPUs, until none has work. */
void cpus_settle(void);
/* Let @ns go by, settling every millisecond. */
void cpus_run(uint64_t ns);
/* On its own CPU: v blocks itself, as by a hypercall. */
void cpus_block(struct vcpu *v);
/* Wakes @v when it sleeps, has it sleep when it runs. */
void cpus_wake_or_block(struct vcpu *v);
/* How long v ran, waited, slept, was stopped add up to its age. */
void cpus_check_runstates(void);

/* ---- allocations: the n-th next one fails (0: none) ---------------------- */
extern unsigned int cpus_fail_at;
extern long cpus_live; /* objects and references not given back */
bool cpus_fails(void); /* count one step that can fail */

/* ---- hooks, called once each and then reset ------------------------------ */
extern void (*cpus_in_has_pending)(struct vcpu *v); /* state is BLOCKED */
extern void (*cpus_after_time)(void); /* a time was read, not yet used */
extern void (*cpus_in_flush)(struct vcpu *v); /* work word was taken */
/* For a hook on behalf of another CPU: would it have to wait for @c's lock? */
static inline bool cpus_runq_is_locked(const struct pcpu *c)
{
	return c->runq_lock->held;
}

/* ---- what was seen ------------------------------------------------------- */
extern uint32_t cpus_ipis[NR_CPUS][NR_IPIS];
extern uint32_t cpus_sleeps[NR_CPUS];
extern uint32_t cpus_halted[NR_CPUS];
extern struct {
	uint32_t flushes, upcalls, vtimers, keys, polls, virqs, audits;
} cpus_seen;

#endif
