/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <hv/page_alloc.h>
#include <hv/timer.h>
#include <lib/errno.h>
#include "fake_cpus.h"

Test(vcpu_create, what_is_made_is_described)
{
	const struct vcpu *v;

	cpus_start(2, "credit2");
	fake_time_ns = 77;
	v = cpus_vcpu(1);
	cr_assert_eq(cpus_dom.vcpu[0], v);
	cr_assert_eq(cpus_dom.nr_vcpus, 1);
	cr_assert_eq(v->domain, &cpus_dom);
	cr_assert_eq(v->state, VCPU_OFFLINE);
	cr_assert_eq(v->runstate, RUNSTATE_offline);
	cr_assert_eq(v->runstate_entry_ns, 77);
	cr_assert_eq(v->cpu, 1);
	cr_assert(vcpu_is_descheduled(v));
	cr_assert_eq(v->hard_affinity & v->soft_affinity, UINT64_MAX);
	cr_assert_eq(v->info, &cpus_dom.shared_info->vcpu_info[0]);
	cr_assert_eq(cpus_vcpu(2)->cpu, 0); /* there is no such CPU */
	cpus_dom.pool->cpus = 1; /* nor is it in the pool now */
	cr_assert_eq(cpus_vcpu(1)->cpu, 0);
}

Test(vcpu_create, refusals)
{
	cpus_start(1, "credit2");
	cr_assert_eq(vcpu_create(&cpus_dom, CPUS_VCPUS, 0), -EINVAL);
	cr_assert_eq(vcpu_create(&cpus_dom, UINT32_MAX, 0), -EINVAL);
	cpus_vcpu(0);
	cr_assert_eq(vcpu_create(&cpus_dom, 0, 0), -EEXIST);
	cr_assert_eq(cpus_dom.nr_vcpus, 1);
}

/* With the queues of two CPUs full, so that each grows for the new one. */
static unsigned int steps_to_make(const char *policy)
{
	long before;
	int rc = -1;
	unsigned int n;

	cpus_start(2, policy);
	cpus_dom.max_vcpus = 40;
	cpus_dom.vcpu = calloc(40, sizeof(cpus_dom.vcpu[0]));
	for (uint32_t i = 0; i < 32; i++) {
		cr_assert_eq(vcpu_create(&cpus_dom, i, 0), 0);
	}
	for (n = 1; rc != 0; n++) {
		cr_assert_lt(n, 20);
		before = cpus_live;
		cpus_fail_at = n;
		rc = vcpu_create(&cpus_dom, 32, 0);
		cpus_fail_at = 0;
		cr_assert(rc == 0 || rc == -ENOMEM || rc == -ENOSPC);
		cr_assert_eq(cpus_dom.vcpu[32] != NULL, rc == 0);
		cr_assert_eq(cpus_dom.nr_vcpus, rc == 0 ? 33 : 32);
		vcpu_destroy(cpus_dom.vcpu[32]);
		cr_assert_eq(cpus_live, before, "step %u: %ld", n,
			     cpus_live - before);
	}
	return n - 2;
}

Test(vcpu_create, each_failing_step_is_undone)
{
	/* vCPU, its unit, a queue (the other has grown before), arch. */
	cr_assert_eq(steps_to_make("credit2"), 4);
}

Test(vcpu_create, each_failing_step_is_undone_null)
{
	cr_assert_eq(steps_to_make("null"), 2);
}

Test(vcpu_create, the_end_takes_all_along)
{
	struct page pg = {.count = 2};
	struct vcpu *v;
	long before;

	cpus_start(2, "credit2");
	before = cpus_live;
	v = cpus_vcpu(0);
	v->info_page = &pg;
	vcpu_online(v);
	cpus_settle();
	timer_set(&v->singleshot, MS);
	on_cpu(1);
	timer_set(&v->poll_timer, MS);
	on_cpu(0);
	vcpu_offline(v);
	cpus_settle();
	vcpu_destroy(v);
	cr_assert_null(cpus_dom.vcpu[0]);
	cr_assert_eq(cpus_dom.nr_vcpus, 0);
	cr_assert_eq(pg.count, 1);
	cr_assert_eq(cpus_live, before);
	fake_time_ns = 2 * MS; /* no timer is left to fire */
	cpus_settle();
	cr_assert_eq(cpus_seen.virqs, 0);
	vcpu_destroy(NULL);
}

Test(vcpu_create, its_timers)
{
	struct vcpu *v;

	cpus_start(1, "credit2");
	v = cpus_vcpu(0);
	vcpu_online(v);
	cpus_settle();
	timer_set(&v->singleshot, 2 * MS);
	timer_set(&v->poll_timer, MS);
	cpus_block(v);
	cpus_settle();
	cr_assert_eq(v->state, VCPU_BLOCKED);
	cpus_run(MS);
	cr_assert_eq(v->state, VCPU_RUNNING);
	cr_assert_eq(cpus_seen.virqs, 0);
	cpus_run(MS);
	cr_assert_eq(cpus_seen.virqs, 1);
}
