/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs off line and on again: what is refused, what the firmware may do, two
 * callers at once, and random events.
 */
// LINK: $(CPU_WORLD) core/hotplug.c arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <hv/hotplug.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/watchdog.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "core/sysctl_priv.h"
#include "fake_hotplug.h"

#define EVENTS 100000

static struct timer moves;   /* armed on a CPU by its own callback */
static uint32_t nr_fired, nr_refused;
static uint64_t dice = 1;

static uint32_t roll(uint32_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % n;
}

static void fired(void *arg)
{
	(void)arg;
	nr_fired++;
}

Test(hotplug, off_and_on)
{
	long live;

	start("credit2", 4);
	live = cpus_live;
	for (uint32_t cpu = 0; cpu < NR; cpu++) {
		cr_assert_eq(change(cpu, false), 0);
		cr_assert(is_off[cpu]);
		cr_assert_eq(cpus_online, (BIT64(NR) - 1) & ~BIT64(cpu));
		cr_assert_eq(cpus_dom.pool->cpus, cpus_online);
		cr_assert(lines_moved & BIT32(cpu));
		check_all(true);
		cpus_run(20 * MS);
		cr_assert_eq(change(cpu, true), 0);
		cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
		cr_assert(watched[cpu]);
		cpus_run(20 * MS);
		cr_assert_not_null(pcpus[cpu]->current);
		cr_assert_eq(cpus_live, live);
	}
}

/* One in the past, many, one that is cancelled on the way. */
Test(hotplug, timers_move)
{
	static struct timer t[40];

	start("credit2", 1);
	for (uint32_t i = 0; i < ARRAY_SIZE(t); i++) {
		timer_init(&t[i], fired, NULL);
		on_cpu(3);
		timer_set(&t[i], (1000 - i) * MS);
	}
	on_cpu(0);
	cr_assert_eq(timer_take_from(pcpus[3]), -EAGAIN); /* 16 of them */
	timer_cancel(&t[39]);
	timer_cancel(&t[0]);
	cr_assert_eq(change(3, false), 0);
	cr_assert_eq(nr_fired, 0);
	cr_assert_eq(fake_time_ns, 0);
	for (uint32_t i = 1; i < 39; i++) {
		cr_assert_neq(t[i].cpu, 3);
		cr_assert_neq(t[i].cpu, CPU_NONE);
	}
	cpus_run(961 * MS);
	cr_assert_eq(nr_fired, 0);
	cpus_run(2 * MS);
	cr_assert_gt(nr_fired, 0);
	cpus_run(1000 * MS);
	cr_assert_eq(nr_fired, 38);
}

static void arm_again(void *arg)
{
	nr_fired++;
	timer_set(arg, fake_time_ns + MS);
}

/* It was taken over, and its callback, which ran just then, arms it again. */
Test(hotplug, armed_meanwhile)
{
	int rc = -EAGAIN;
	uint32_t n = 0;

	start("credit2", 1);
	timer_init(&moves, arm_again, &moves);
	on_cpu(2);
	timer_set(&moves, MS);
	for (; rc == -EAGAIN; n++) {
		on_cpu(0);
		rc = hotplug_step(2, false);
		if (n < 20) {
			on_cpu(2);
			timer_cancel(&moves);
			timer_set(&moves, fake_time_ns + MS);
		}
		cpus_settle();
	}
	cr_assert_eq(rc, 0);
	cr_assert_gt(n, 20);
	cr_assert_neq(moves.cpu, 2);
	cpus_run(5 * MS);
	cr_assert_geq(nr_fired, 4);
}

Test(hotplug, refusals)
{
	static const uint32_t bad[] = {NR, NR_CPUS, 64, 1u << 31, UINT32_MAX};

	start("credit2", 2);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(change(bad[i], false), -EINVAL);
		cr_assert_eq(change(bad[i], true), -EINVAL);
	}
	cr_assert_eq(change(2, true), -EEXIST);
	cr_assert_eq(change(2, false), 0);
	cr_assert_eq(change(2, false), -ENODEV);
	cr_assert_eq(change(2, true), 0);
	can_stop = false;
	cr_assert_eq(change(2, false), -EOPNOTSUPP);
	can_stop = true;

	/* Where a vCPU is pinned: until it is not. */
	cr_assert_eq(vcpu_set_hard_affinity(cpus_dom.vcpu[1], BIT64(3)), 0);
	cr_assert_eq(change(3, false), -EBUSY);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
	cr_assert_eq(vcpu_set_hard_affinity(cpus_dom.vcpu[1], 0xc), 0);
	cr_assert_eq(change(3, false), 0);
	cr_assert_eq(change(2, false), -EBUSY);
	/* A pin of the guest's own gives way. */
	cr_assert_eq(vcpu_set_hard_affinity(cpus_dom.vcpu[1], UINT64_MAX), 0);
	cpus_settle();
	cr_assert_eq(vcpu_pin(cpus_dom.vcpu[1], BIT64(2)), 0);
	cr_assert_eq(change(2, false), 0);
	cr_assert_eq(cpus_dom.vcpu[1]->pinned_from, 0);

	/* The last one of a pool with a domain, and of the machine. */
	cr_assert_eq(change(0, false), 0);
	cr_assert_eq(cpus_online, BIT64(1));
	on_cpu(1);
	cr_assert_eq(hotplug_step(1, false), -EBUSY);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(1));
	check_all(true);
	for (uint32_t cpu = 0; cpu < NR; cpu++) {
		cr_assert_eq(change(cpu, true), cpu == 1 ? -EEXIST : 0);
	}
	check_all(true);
}

/* One that never came on line is nobody's to switch. */
Test(hotplug, never_there)
{
	start("credit2", 1);
	(void)percpu_init(NR, NR, 0);
	cr_assert_eq(hotplug_step(NR, true), -ENODEV);
	cr_assert_eq(hotplug_step(NR, false), -ENODEV);
}

/* null: whose CPU goes needs another one. */
Test(hotplug, a_cpu_each)
{
	start("null", 3);
	cr_assert_eq(change(0, false), 0);
	cr_assert_eq(change(1, false), -EBUSY);
	check_all(true);
	vcpu_offline(cpus_dom.vcpu[2]);
	cpus_settle();
	cr_assert_eq(change(1, false), 0);
	check_all(true);
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_eq(cpus_dom.vcpu[i]->state, VCPU_RUNNING);
	}
}

Test(hotplug, one_at_a_time)
{
	struct cpupool *zero;
	struct cpupool *p;

	start("credit2", 2);
	zero = cpupool_find(0);
	on_cpu(0);
	cr_assert_eq(hotplug_step(2, false), -EAGAIN);
	cr_assert_eq(hotplug_step(2, false), -EAGAIN); /* leaves its pool */
	cr_assert_eq(hotplug_step(2, true), -EBUSY);
	cr_assert_eq(hotplug_step(3, false), -EBUSY);
	cr_assert_eq(hotplug_step(9, false), -EINVAL);
	cr_assert_eq(cpupool_remove_step(zero, 3), -EADDRNOTAVAIL);
	cr_assert_eq(cpupool_add_step(zero, 2), -EADDRNOTAVAIL);
	cr_assert_eq(change(2, false), 0);
	cr_assert_eq(cpupool_add_step(zero, 2), -ENODEV);
	cr_assert_eq(cpupool_add_step(zero, CPUPOOL_ANY), -ENODEV);
	cr_assert_eq(cpupool_remove_step(zero, 2), -EADDRNOTAVAIL);

	/* A pool's change first. */
	on_cpu(0);
	cr_assert_eq(cpupool_remove_step(zero, 3), -EAGAIN);
	cr_assert_eq(hotplug_step(1, false), -EAGAIN);
	cr_assert_eq(hotplug_step(1, false), -EBUSY);
	for (int rc = -EAGAIN; rc == -EAGAIN; cpus_settle()) {
		rc = cpupool_remove_step(zero, 3);
	}
	/* A free one: it comes back to the free ones. */
	cr_assert_eq(cpupool_free_cpus(), BIT64(3));
	cr_assert_eq(change(3, false), 0);
	cr_assert_eq(cpupool_free_cpus(), 0);
	cr_assert_eq(change(3, true), 0);
	cr_assert_eq(cpupool_free_cpus(), BIT64(3));

	/* Its pool is gone meanwhile: likewise. */
	cr_assert_eq(cpupool_create(7, &sched_rtds, &p), 0);
	for (int rc = -EAGAIN; rc == -EAGAIN; cpus_settle()) {
		rc = cpupool_add_step(p, 3);
	}
	cr_assert_eq(change(3, false), 0);
	cr_assert_eq(cpupool_destroy(p), 0);
	cr_assert_eq(change(3, true), 0);
	cr_assert_eq(cpupool_free_cpus(), BIT64(3));
	check_all(true);
}

Test(hotplug, the_firmware_keeps_it)
{
	start("credit2", 4);
	stop_rc = -EBUSY;
	cr_assert_eq(change(2, false), -EBUSY);
	cr_assert(pcpus[2]->online && watched[2]);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
	cpus_run(20 * MS);
	cr_assert_not_null(pcpus[2]->current);
	stop_rc = 0;
	cr_assert_eq(change(2, false), 0);

	start_rc = -EINVAL;
	cr_assert_eq(change(2, true), -EINVAL);
	start_rc = 0;
	cr_assert_not(way_is_open);
	check_all(true);
}

/* No memory for its queue: it is on line, and free. */
Test(hotplug, no_memory)
{
	start("credit2", 1);
	cr_assert_eq(change(3, false), 0);
	cpus_fail_at = 1;
	cr_assert_eq(change(3, true), -ENOMEM);
	cr_assert_eq(cpupool_free_cpus(), BIT64(3));
	cr_assert(pcpus[3]->online);
	cr_assert_eq(change(3, false), 0);
	cr_assert_eq(change(3, true), 0);
}

/* Somebody waits for all CPUs while one goes or comes. */
Test(hotplug, waiters)
{
	uint32_t gen[NR_CPUS];

	start("credit2", 1);
	on_cpu(0);
	work_gen_snapshot(gen);
	cr_assert_not(work_gen_passed(gen));
	cr_assert_eq(change(3, false), 0);
	on_cpu(0);
	work_gen_snapshot(gen); /* without it */
	start_is_late = true;
	cr_assert_eq(hotplug_step(3, true), -EAGAIN);
	come_on_line(3);
	cpus_step(1);
	cpus_step(2);
	cr_assert(work_gen_passed(gen)); /* before it does anything */
	cr_assert_eq(change(3, true), 0);
}

Test(hotplug, control_interface)
{
	struct xen_sysctl op = {
		.cmd = XEN_SYSCTL_cpu_hotplug,
		.u.cpu_hotplug.cpu = 3,
	};
	int64_t rc;

	start("credit2", 1);
	for (uint32_t i = 2; i < 70000; i += i < 9 ? 1 : 6000) {
		op.u.cpu_hotplug.op = i;
		cr_assert_eq(sysctl_cpu_hotplug(NULL, &op), -EOPNOTSUPP);
	}
	for (uint32_t on = 0; on < 2; on++) {
		op.u.cpu_hotplug.op = on ? XEN_SYSCTL_CPU_HOTPLUG_ONLINE :
					   XEN_SYSCTL_CPU_HOTPLUG_OFFLINE;
		for (rc = HC_AGAIN; rc == HC_AGAIN; cpus_settle()) {
			on_cpu(0);
			rc = sysctl_cpu_hotplug(NULL, &op);
		}
		cr_assert_eq(rc, 0);
		cr_assert_eq(is_off[3], !on);
	}
}

/* ---- random events ------------------------------------------------------- */

static void vcpu_event(struct vcpu *v)
{
	switch (roll(6)) {
	case 0:
		if (vcpu_is_online(v)) {
			vcpu_offline(v);
		} else if (vcpu_is_descheduled(v)) {
			vcpu_online(v);
		}
		break;
	case 1:
		if (vcpu_set_hard_affinity(v, roll(BIT32(NR) - 1) + 1)) {
			nr_refused++;
		}
		break;
	case 2:
		timer_set(&v->poll_timer, fake_time_ns + roll(3 * MS));
		break;
	default:
		cpus_wake_or_block(v);
	}
}

static void on_any(void)
{
	do {
		on_cpu(roll(NR));
	} while (!this_pcpu()->online);
}

static void random_events(const char *policy)
{
	uint32_t nr_off = 0, nr_on = 0, nr_busy = 0;
	uint32_t cpu = 0;
	bool on = false;
	bool is_under_way = false;

	start(policy, 6);
	for (uint32_t i = 0; i < EVENTS; i++) {
		bool settled = roll(3);
		int rc;

		on_any();
		cpus_fail_at = roll(64) ? 0 : 1;
		if (roll(4)) {
			vcpu_event(cpus_dom.vcpu[roll(6)]);
		} else {
			rc = hotplug_step(cpu, on);
			nr_off += rc == 0 && !on;
			nr_on += rc == 0 && on;
			nr_busy += rc == -EBUSY;
			is_under_way = rc == -EAGAIN;
			if (is_under_way && roll(8) == 0) { /* another one */
				CHECK(hotplug_step((cpu + 1) % NR, on) ==
				      -EBUSY);
				CHECK(hotplug_step(cpu, !on) == -EBUSY);
			}
			if (rc != -EAGAIN) {
				cpu = roll(NR + 1);
				on = roll(2);
			}
		}
		cpus_fail_at = 0;
		if (settled) {
			cpus_settle();
			fake_time_ns += roll(MS);
			cpus_settle();
		}
		check_all(settled && !is_under_way);
	}
	cr_assert_gt(nr_off, 100);
	cr_assert_gt(nr_on, 100);
	cr_assert_gt(nr_busy, 100);
	cr_assert_gt(nr_refused, 100);
}

Test(hotplug, random_credit2)
{
	random_events("credit2");
}

Test(hotplug, random_rtds)
{
	random_events("rtds");
}

Test(hotplug, random_null)
{
	random_events("null");
}
