/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) core/sched_trace.c arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include <hv/tracebuf.h>
#include <lib/bits.h>
#include "fake_cpus.h"

#define NR_VCPUS 4
#define UNKNOWN	 9u

static const char *const policies[] = { "credit2", "null", "rtds" };
static struct vcpu *v[NR_VCPUS];

uint32_t tracebuf_nr;

/* What the records say: of each vCPU, and of the CPUs' idle ones. */
static uint32_t states[NR_VCPUS], idle_states[2];
static uint32_t nr_changes, nr_wakes, nr_switches;

static void check_change(uint32_t event, uint32_t who)
{
	uint32_t from = event >> 8 & 3, to = event >> 4 & 3;
	uint32_t *state = who >> 16 == DOMID_IDLE ? &idle_states[who & 0xffff]
						  : &states[who & 0xffff];

	cr_assert(*state == UNKNOWN || *state == from, "%#x: %u, then %u to %u",
		  who, *state, from, to);
	cr_assert_neq(from, to);
	*state = to;
	nr_changes++;
}

void tracebuf_write(uint32_t event, const uint32_t *words, unsigned int nr)
{
	cr_assert_leq(nr, 7);
	if ((event & ~0xff0u) == TRC_SCHED_RUNSTATE_CHANGE) {
		check_change(event, words[0]);
	} else if (event == TRC_SCHED_WAKE) {
		nr_wakes++;
	} else if (event == TRC_SCHED_SWITCH) {
		cr_assert(words[0] != words[2] || words[1] != words[3]);
		nr_switches++;
	}
}

static void trace(bool on)
{
	tracebuf_nr += on;
	memset(states, UNKNOWN, sizeof(states));
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		states[i] = UNKNOWN;
	}
	idle_states[0] = idle_states[1] = UNKNOWN;
	for (uint32_t i = 0; i < 2; i++) {
		on_cpu(i);
		sched_trace(pcpus[i], on);
	}
	on_cpu(0);
}

/* One who sleeps, and is paused or ended in that, shows it when it wakes. */
static void check(void)
{
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		cr_assert(states[i] == UNKNOWN ||
				  states[i] == v[i]->runstate ||
				  (states[i] == RUNSTATE_blocked &&
				   v[i]->runstate == RUNSTATE_offline),
			  "vCPU %u: %u, but is %u", i, states[i],
			  v[i]->runstate);
	}
	cpus_check_runstates();
}

static void act(struct vcpu *w)
{
	switch (rand() % 8) {
	case 0:
	case 1:
		vcpu_wake(w);
		break;
	case 2:
	case 3:
		if (w->state == VCPU_RUNNING) {
			cpus_block(w);
		}
		break;
	case 4:
		if (w->pause_count == 0) {
			vcpu_pause(w);
		}
		break;
	case 5:
		if (w->pause_count != 0) {
			vcpu_unpause(w);
		}
		break;
	case 6:
		cr_assert_eq(vcpu_set_hard_affinity(w, 1 + rand() % 3), 0);
		break;
	default:
		if (rand() % 4 == 0) {
			vcpu_offline(w);
		}
		cpus_settle();
		if (w->state == VCPU_OFFLINE && vcpu_is_descheduled(w)) {
			vcpu_online(w);
		}
		break;
	}
}

ParameterizedTestParameters(sched_trace, each_record_goes_on_from_the_last)
{
	static int nr[ARRAY_SIZE(policies)];

	for (size_t i = 0; i < ARRAY_SIZE(nr); i++) {
		nr[i] = (int)i;
	}
	return cr_make_param_array(int, nr, ARRAY_SIZE(nr));
}

ParameterizedTest(int *nr, sched_trace, each_record_goes_on_from_the_last)
{
	srand(1);
	cpus_start(2, policies[*nr]);
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		v[i] = cpus_vcpu(i % 2);
		vcpu_online(v[i]);
	}
	cpus_settle();
	for (uint32_t round = 0; round < 20000; round++) {
		if (round % 1000 == 0) {
			trace(round % 3000 != 2000);
		}
		act(v[rand() % NR_VCPUS]);
		if (rand() % 2) {
			continue; /* several before a CPU gets to look */
		}
		cpus_run((uint64_t)(rand() % 3) * MS);
		cpus_settle();
		if (pcpus[0]->asked != pcpus[0]->policy) {
			check();
		}
	}
	cr_assert_gt(nr_changes, 5000);
	cr_assert_gt(nr_wakes, 500);
	cr_assert_gt(nr_switches, 1000);
}

/* Off: the policy itself is asked. */
Test(sched_trace, off_is_off)
{
	cpus_start(2, "credit2");
	cr_assert_eq(pcpus[1]->asked, pcpus[1]->policy);
	trace(true);
	cr_assert_neq(pcpus[1]->asked, pcpus[1]->policy);
	trace(false);
	cr_assert_eq(pcpus[1]->asked, pcpus[1]->policy);
}
