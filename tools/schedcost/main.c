/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedcost: what the scheduler of the image, compiled for this machine, does
 * with 2 to 256 vCPUs that all want one CPU, under valgrind's instruction
 * counter. It prints nothing: each figure is one dump of the counter, for all
 * ROUNDS, by the name POLICY-VCPUS-WHAT (tools/bench/schedbench.py).
 *
 * The world is the simulator's (tools/schedsim/world.c), a new one in a process
 * of its own for each policy and number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include <abi/xen.h>
#include <hv/cpupool.h>
#include <hv/percpu.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include "tools/schedsim/sim.h"

#define ROUNDS	    4096u
#define WINDOWS_MAX 64u
#define WINDOW_NS   UINT64_C(100000)
#define STEP_NS	    UINT64_C(1000000) /* where no timer says when */
#define NAP_NS	    UINT64_C(10000)   /* asleep */

/* Client requests cost a few instructions, which "nothing" counts. */
#define COUNTED(what)                                                          \
	do {                                                                   \
		CALLGRIND_TOGGLE_COLLECT;                                      \
		what;                                                          \
		CALLGRIND_TOGGLE_COLLECT;                                      \
	} while (0)

static struct pcpu *cpu;

void sim_error(const struct sim *s, uint32_t line, const char *fmt, ...)
{
	(void)s;
	(void)line;
	fputs(fmt, stderr);
	exit(2);
}

/* ---- the load ------------------------------------------------------------ */

/* All have their budget in different periods, and go on behind it. */
static void give_budgets(struct vcpu *const *v, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct sched_params p = {
			.period_us = 10000 + 37 * i,
			.budget_us = 5000 / nr,
			.extratime = true,
		};

		if (sched_set_params(v[i], &p) != 0) {
			exit(2);
		}
	}
}

/* A window for each, as far as a plan goes; the others wait for ever. */
static void give_plan(uint32_t nr)
{
	uint32_t windows = nr < WINDOWS_MAX ? nr : WINDOWS_MAX;
	struct xen_sysctl_arinc653_schedule plan = {
		.major_frame = windows * WINDOW_NS,
		.num_sched_entries = (uint8_t)windows,
	};

	for (uint32_t i = 0; i < windows; i++) {
		plan.sched_entries[i].vcpu_id = i;
		plan.sched_entries[i].runtime = WINDOW_NS;
	}
	if (sched_plan_set(cpupool_find(0), &plan) != 0) {
		exit(2);
	}
}

static void start(const char *policy, uint32_t nr)
{
	struct vcpu *v[SIM_MAX_VCPUS];

	world_start(1, policy);
	cpu = pcpus[0];
	for (uint32_t i = 0; i < nr; i++) {
		v[i] = world_vcpu();
	}
	if (strcmp(policy, "rtds") == 0) {
		give_budgets(v, nr);
	}
	if (strcmp(policy, "arinc653") == 0) {
		give_plan(nr);
	}
	for (uint32_t i = 0; i < nr; i++) {
		vcpu_online(v[i]);
		world_settle();
	}
}

/* ---- what is counted ----------------------------------------------------- */

/* Until the CPU looks by itself. */
static void pass_time(void)
{
	uint64_t at = cpu->timer_deadline_ns;

	fake_time_ns = at == UINT64_MAX ? fake_time_ns + STEP_NS : at;
	timer_run_due();
}

static void nothing(void)
{
	COUNTED((void)0);
}

static void decide(void)
{
	pass_time();
	COUNTED((void)sched_run(cpu));
	world_settle();
}

/* Who runs goes to sleep, and somebody else is chosen. */
static struct vcpu *sleeper(void)
{
	pass_time();
	world_settle();
	return cpu->current;
}

static void block(void)
{
	struct vcpu *v = sleeper();

	COUNTED(vcpu_block(v); (void)sched_run(cpu));
	world_settle();
	fake_time_ns += NAP_NS;
	vcpu_wake(v);
	world_settle();
}

static void wake(void)
{
	struct vcpu *v = sleeper();

	vcpu_block(v);
	world_settle();
	fake_time_ns += NAP_NS;
	COUNTED(vcpu_wake(v));
	world_settle();
}

static void measure(const char *policy, uint32_t nr)
{
	static const struct {
		const char *name;
		void (*round)(void);
	} of[] = {
		{"nothing", nothing},
		{"decision", decide},
		{"block", block},
		{"wake", wake},
	};
	char name[64];

	start(policy, nr);
	for (uint32_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		CALLGRIND_ZERO_STATS;
		for (uint32_t n = 0; n < ROUNDS; n++) {
			of[i].round();
		}
		snprintf(name, sizeof(name), "%s-%u-%s", policy, nr,
			 of[i].name);
		CALLGRIND_DUMP_STATS_AT(name);
	}
}

int main(void)
{
	for (const struct sched_policy *const *p = sched_policies; *p; p++) {
		for (uint32_t nr = 2; nr <= SIM_MAX_VCPUS; nr *= 2) {
			pid_t child = fork();
			int status;

			if (child == 0) {
				measure((*p)->name, nr);
				_exit(0);
			}
			if (child < 0 || waitpid(child, &status, 0) != child ||
			    status != 0) {
				fprintf(stderr, "%s with %u vCPUs failed\n",
					(*p)->name, nr);
				return 1;
			}
		}
	}
	return 0;
}
