/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is around core/hotplug.c: firmware that keeps, starts late or refuses,
 * the watchdog, and a domain on NR CPUs. For one test program each.
 */
#ifndef FAKE_HOTPLUG_H
#define FAKE_HOTPLUG_H

#include <criterion/criterion.h>

#include <hv/hotplug.h>
#include <hv/irq.h>
#include <hv/watchdog.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

#define NR     4u

struct spinlock control_lock = SPINLOCK_INIT(CONTROL);

static bool is_off[NR], starts[NR], watched[NR];
static bool can_stop = true;
static int stop_rc, start_rc; /* of the firmware */
static bool start_is_late;
static bool way_is_open; /* for those that start */
static uint32_t lines_moved; /* bitmap of CPUs */
/* ---- the parts around it ------------------------------------------------- */

int irq_move_step(uint16_t cpu, uint32_t *line)
{
	CHECK(!(cpus_dom.pool->cpus & BIT64(cpu)));
	lines_moved |= BIT32(cpu);
	return (*line)++ < 2 ? -EAGAIN : 0;
}

void watchdog_join(void)
{
	CHECK(this_pcpu()->online && !watched[this_cpu()]);
	watched[this_cpu()] = true;
}

void watchdog_leave(void)
{
	CHECK(this_pcpu()->online && watched[this_cpu()]);
	watched[this_cpu()] = false;
}

bool arch_cpu_can_stop(uint16_t cpu)
{
	(void)cpu;
	return can_stop;
}

/* As the real one: does not come back, unless the firmware keeps the CPU. */
int arch_cpu_stop_self(void)
{
	const struct pcpu *c = this_pcpu();

	CHECK(!c->online && !c->current && !c->loaded && !c->idle);
	CHECK(list_is_empty(&c->timers) && !watched[c->id]);
	CHECK(!(cpus_online & BIT64(c->id)));
	CHECK(fake_timer_deadline_ns == UINT64_MAX);
	if (stop_rc) {
		return stop_rc;
	}
	is_off[c->id] = true;
	arch_halt();
}

bool arch_cpu_is_off(uint16_t cpu)
{
	return is_off[cpu] && !starts[cpu];
}

static void come_on_line(uint16_t cpu)
{
	uint16_t before = this_cpu();

	CHECK(starts[cpu] && way_is_open);
	starts[cpu] = false;
	is_off[cpu] = false;
	on_cpu(cpu);
	timer_init_cpu();
	cr_assert_eq(sched_init_cpu(), 0);
	on_cpu(before);
}

int arch_cpu_start(uint16_t cpu)
{
	CHECK(is_off[cpu] && !starts[cpu]);
	way_is_open = true;
	if (start_rc) {
		return start_rc;
	}
	starts[cpu] = true;
	if (!start_is_late) {
		come_on_line(cpu);
	}
	return 0;
}

void arch_cpu_started(void)
{
	for (uint32_t i = 0; i < NR; i++) {
		CHECK(!starts[i]);
	}
	way_is_open = false;
}

/* ---- a world ------------------------------------------------------------- */

static void start(const char *policy, uint32_t nr_vcpus)
{
	cpus_start(NR, policy);
	cr_assert_eq(cpupool_enter(&cpus_dom, 0), 0);
	for (uint16_t i = 0; i < NR; i++) {
		watched[i] = true;
		is_off[i] = false;
	}
	for (uint16_t i = 0; i < nr_vcpus; i++) {
		vcpu_online(cpus_vcpu(i % NR));
	}
	cpus_settle();
}

/* The caller is on a CPU that is not to go. */
static int change(uint32_t cpu, bool on)
{
	int rc = -EAGAIN;

	for (uint32_t n = 0; rc == -EAGAIN; n++) {
		CHECK(n < 200);
		on_cpu(ffs64(cpus_online & (cpu < NR ? ~BIT64(cpu) : ~0ul)));
		rc = hotplug_step(cpu, on);
		cpus_settle();
	}
	return rc;
}

/* Nobody runs, waits or has a timer where nothing is on; @quiet: or will be. */
static void check_all(bool quiet)
{
	for (uint32_t i = 0; i < NR; i++) {
		const struct pcpu *c = pcpus[i];

		if (c->online) {
			continue;
		}
		CHECK(!c->current && !c->loaded && list_is_empty(&c->timers));
		CHECK(c->policy == &sched_nothing && !c->sched);
		CHECK(!((cpus_dom.pool->cpus | cpupool_free_cpus()) &
			BIT64(i)));
	}
	for (uint32_t i = 0; i < cpus_dom.nr_vcpus; i++) {
		const struct vcpu *v = cpus_dom.vcpu[i];

		CHECK(pcpus[v->cpu]->online);
		CHECK(!quiet || (cpus_dom.pool->cpus & BIT64(v->cpu)));
		CHECK(v->queued ==
		      (v->state == VCPU_RUNNABLE && !v->pause_count));
	}
	cpus_check_runstates();
}

#endif
