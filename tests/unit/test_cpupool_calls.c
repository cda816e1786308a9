/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools, call by call: what they leave behind, and what is refused. Random
 * events: test_cpupool.c.
 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

static struct vcpu *v;
static bool lives;
static bool is_dead;

struct domain *domain_next_get(domid_t id)
{
	return lives && id <= cpus_dom.id ? &cpus_dom : NULL;
}

bool domain_any_dead(void)
{
	return is_dead;
}

static long start(void)
{
	cpus_start(4, "credit2");
	return cpus_live;
}

static void make_domain(void)
{
	cr_assert_eq(cpupool_enter(&cpus_dom, 0), 0);
	cpus_dom.nr_vcpus = 0;
	v = cpus_vcpu(0);
	vcpu_online(v);
	cpus_settle();
	lives = true;
}

static void end_domain(void)
{
	domain_pause(&cpus_dom);
	cpus_settle();
	lives = false;
	is_dead = true;
}

static void free_domain(void)
{
	vcpu_destroy(v);
	cpupool_leave(&cpus_dom);
	is_dead = false;
}

/* All that was allocated for pools goes with them. */
Test(cpupool_calls, nothing_is_left)
{
	long live = start();
	struct cpupool *p;

	for (uint32_t i = 0; i < 4; i++) {
		static const struct sched_policy *const any[] = {
			&sched_credit2, &sched_rtds, &sched_null,
			&sched_arinc653,
		};
		int rc = -EAGAIN;

		cr_assert_eq(cpupool_create(CPUPOOL_ANY, any[i], &p), 0);
		cr_assert_eq(p->id, 1);
		make_domain();
		while (rc == -EAGAIN) {
			rc = cpupool_remove_step(cpupool_find(0), CPUPOOL_ANY);
			cpus_settle();
		}
		cr_assert_eq(rc, 0);
		cr_assert_eq(cpupool_free_cpus(), BIT64(3));
		for (rc = -EAGAIN; rc == -EAGAIN; cpus_settle()) {
			rc = cpupool_add_step(p, 3);
		}
		cr_assert_eq(rc, 0);
		for (rc = -EAGAIN; rc == -EAGAIN; cpus_settle()) {
			rc = cpupool_move_step(&cpus_dom, p);
		}
		cr_assert_eq(rc, 0);
		cr_assert_eq(cpupool_destroy(p), -EBUSY);
		cr_assert_eq(cpupool_remove_step(p, 3), -EBUSY);
		cr_assert_eq(p->cpus, BIT64(3));
		end_domain();
		cr_assert_eq(cpupool_destroy(p), -EBUSY);
		free_domain();
		for (rc = -EAGAIN; rc == -EAGAIN; cpus_settle()) {
			rc = cpupool_remove_step(p, 3);
		}
		cr_assert_eq(rc, 0);
		cr_assert_eq(cpupool_destroy(p), 0);
		for (rc = -EAGAIN; rc == -EAGAIN; cpus_settle()) {
			rc = cpupool_add_step(cpupool_find(0), CPUPOOL_ANY);
		}
		cr_assert_eq(rc, 0);
		cr_assert_eq(cpus_live, live);
	}
}

/* Refusals, one by one, and none of them changes anything. */
Test(cpupool_calls, refusals)
{
	struct cpupool *zero;
	struct cpupool *p;

	(void)start();
	zero = cpupool_find(0);
	make_domain();
	cr_assert_eq(cpupool_create(0, &sched_null, &p), -EEXIST);
	cpus_fail_at = 1;
	cr_assert_eq(cpupool_create(1, &sched_credit2, &p), -ENOMEM);
	cpus_fail_at = 2;
	cr_assert_eq(cpupool_create(1, &sched_credit2, &p), -ENOMEM);
	cpus_fail_at = 0;
	cr_assert_null(cpupool_find(1));
	cr_assert_eq(cpupool_destroy(zero), -EBUSY);
	cr_assert_eq(cpupool_remove_step(zero, 0), -EINVAL); /* boot CPU */
	cr_assert_eq(cpupool_remove_step(zero, 4), -EINVAL);
	cr_assert_eq(cpupool_add_step(zero, 4), -EINVAL);
	cr_assert_eq(cpupool_add_step(zero, 1), -ENODEV);
	cr_assert_eq(cpupool_add_step(zero, CPUPOOL_ANY), -ENODEV);
	cr_assert_eq(cpupool_create(7, &sched_null, &p), 0);
	cr_assert_eq(cpupool_remove_step(p, 1), -EADDRNOTAVAIL);
	cr_assert_eq(cpupool_remove_step(p, CPUPOOL_ANY), -EINVAL);
	cr_assert_eq(cpupool_move_step(&cpus_dom, p), -ENOENT);
	cr_assert_eq(cpupool_move_step(&cpus_dom, NULL), -ENOENT);
	cr_assert_eq(cpupool_next(1), p);
	cr_assert_null(cpupool_next(8));
	cr_assert_eq(cpupool_remove_step(zero, 3), -EAGAIN);
	cr_assert_eq(cpupool_remove_step(zero, 2), -EADDRNOTAVAIL);
	cr_assert_eq(cpupool_add_step(p, 3), -EADDRNOTAVAIL);
	cr_assert_eq(cpupool_destroy(zero), -EBUSY);
}

/* ---- what stays, and what gives way -------------------------------------- */

static int remove_cpu(struct cpupool *p, uint32_t cpu)
{
	int rc;

	do {
		rc = cpupool_remove_step(p, cpu);
		cpus_settle();
	} while (rc == -EAGAIN);
	return rc;
}

static int add_cpu(struct cpupool *p, uint32_t cpu)
{
	int rc;

	do {
		rc = cpupool_add_step(p, cpu);
		cpus_settle();
	} while (rc == -EAGAIN);
	return rc;
}

static int move_domain(struct cpupool *p)
{
	int rc;

	do {
		rc = cpupool_move_step(&cpus_dom, p);
		cpus_settle();
	} while (rc == -EAGAIN);
	return rc;
}

static void plan_on(struct cpupool *p, uint32_t cpu)
{
	struct xen_sysctl_arinc653_schedule s = {
		.major_frame = MS,
		.num_sched_entries = 1,
		.sched_entries[0].vcpu_id = cpu << SCHED_PLAN_CPU_SHIFT,
		.sched_entries[0].runtime = MS,
	};

	cr_assert_eq(sched_plan_set(p, &s), 0);
	cpus_settle();
}

/* Its vCPU would lose them, in this frame or the next. */
Test(cpupool_calls, a_cpu_with_windows_stays)
{
	struct cpupool *p;

	(void)start();
	make_domain();
	cr_assert_eq(cpupool_create(1, &sched_arinc653, &p), 0);
	for (uint32_t cpu = 2; cpu < 4; cpu++) {
		cr_assert_eq(remove_cpu(cpupool_find(0), cpu), 0);
		cr_assert_eq(add_cpu(p, cpu), 0);
	}
	plan_on(p, 3);
	cr_assert_null(pcpus[3]->current);
	cr_assert_eq(move_domain(p), 0);
	cr_assert_eq(pcpus[3]->current, v);
	cr_assert_eq(remove_cpu(p, 3), -EBUSY);
	plan_on(p, 2);
	cr_assert_eq(remove_cpu(p, 3), -EBUSY);
	cr_assert_eq(remove_cpu(p, 2), -EBUSY);
	cpus_run(MS);
	cr_assert_eq(pcpus[2]->current, v);
	cr_assert_eq(remove_cpu(p, 3), 0);
	cr_assert_eq(move_domain(cpupool_find(0)), 0);
	cr_assert_eq(remove_cpu(p, 2), 0);
	cr_assert_eq(cpupool_destroy(p), 0);
}

/* Only in the pool; its CPU may go, and then it has what it had before. */
Test(cpupool_calls, a_pin_ends_with_its_cpu)
{
	struct cpupool *zero;

	(void)start();
	zero = cpupool_find(0);
	make_domain();
	cr_assert_eq(remove_cpu(zero, 3), 0);
	cr_assert_eq(vcpu_pin(v, BIT64(3)), -EINVAL);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(1) | BIT64(2)), 0);
	cr_assert_eq(vcpu_pin(v, BIT64(2)), 0);
	cr_assert_eq(remove_cpu(zero, 1), 0);
	cr_assert_eq(v->cpus, BIT64(2));
	cr_assert_eq(remove_cpu(zero, 2), 0); /* nothing is left: all will do */
	cr_assert_eq(v->hard_affinity, UINT64_MAX);
	cr_assert_eq(v->pinned_from, 0);
	cr_assert_eq(pcpus[0]->current, v);
	cr_assert_eq(add_cpu(zero, 1), 0);
	cr_assert_eq(vcpu_set_hard_affinity(v, BIT64(0)), 0);
	cr_assert_eq(vcpu_pin(v, BIT64(1)), 0);
	cr_assert_eq(remove_cpu(zero, 1), 0);
	cr_assert_eq(v->hard_affinity, BIT64(0));
	cr_assert_eq(v->pinned_from, 0);
}

/* The vCPUs of a domain without references are where they were. */
Test(cpupool_calls, a_cpu_waits_for_the_dead)
{
	struct cpupool *zero;

	(void)start();
	zero = cpupool_find(0);
	make_domain();
	end_domain();
	for (uint32_t i = 0; i < 20; i++) {
		cr_assert_eq(cpupool_remove_step(zero, 3), -EAGAIN);
		cpus_settle();
	}
	free_domain();
	cr_assert_eq(remove_cpu(zero, 3), 0);
}

/* ---- CPUs of different kinds --------------------------------------------- */

#define LITTLE 0x410fd034u
#define BIG    0x410fd082u

static void two_kinds(void)
{
	(void)start();
	for (uint32_t i = 0; i < 4; i++) {
		pcpus[i]->kind = i < 2 ? LITTLE : BIG;
	}
	cpupool_find(0)->kind = LITTLE;
	make_domain();
	cr_assert_eq(remove_cpu(cpupool_find(0), 3), 0);
	cr_assert_eq(remove_cpu(cpupool_find(0), 2), 0);
}

Test(cpupool_calls, a_pool_is_of_one_kind)
{
	struct cpupool *zero;
	struct cpupool *p;

	two_kinds();
	zero = cpupool_find(0);
	cr_assert_eq(add_cpu(zero, 2), -EINVAL);
	cr_assert_eq(cpupool_free_cpus(), 0xc, "it is nowhere, as before");
	cr_assert_eq(cpupool_create(1, &sched_credit2, &p), 0);
	cr_assert_eq(add_cpu(p, 2), 0, "the first one says of which");
	cr_assert_eq(add_cpu(p, 3), 0);
	cr_assert_eq(remove_cpu(zero, 1), 0);
	cr_assert_eq(add_cpu(p, 1), -EINVAL);
	cr_assert_eq(remove_cpu(p, 3), 0);
	cr_assert_eq(remove_cpu(p, 2), 0);
	cr_assert_eq(add_cpu(p, 1), 0, "an empty one takes any");
}

/* A domain does not cross; what is left of one that ended may. */
Test(cpupool_calls, a_guest_keeps_its_kind)
{
	struct cpupool *p;

	two_kinds();
	cr_assert_eq(cpupool_create(1, &sched_credit2, &p), 0);
	cr_assert_eq(add_cpu(p, 2), 0);
	cr_assert_eq(move_domain(p), -EINVAL);
	cr_assert_eq(cpus_dom.pool, cpupool_find(0));
	pcpus[2]->kind = LITTLE;
	p->kind = LITTLE;
	cr_assert_eq(move_domain(p), 0);
	p->kind = BIG;
	cpus_dom.state = DOM_DYING;
	cr_assert_eq(move_domain(cpupool_find(0)), 0);
}

/* hmp-unsafe: every CPU's kind is 0. */
Test(cpupool_calls, kinds_at_boot)
{
	struct pcpu *c;

	(void)start();
	c = pcpus[3];
	c->kind = BIG;
	cr_assert_eq(cpupool_init_cpu(c), -EXDEV);
	cr_assert_null(c->pool);
	c->kind = 0;
	cr_assert_eq(cpupool_init_cpu(c), 0);
	cr_assert_not_null(c->pool);
}
