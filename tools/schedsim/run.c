/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time goes from event to event: a job is released or done, or a CPU looks by
 * itself. At each of them the scheduler decides as it does on a machine; what
 * differs is that deciding and switching take no time here.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include <abi/xen.h>
#include <hv/cpupool.h>
#include <hv/percpu.h>
#include <hv/vcpu.h>
#include <lib/bits.h>

static uint64_t dice;

/* 0 to @n, all alike and the same in each run. */
static uint64_t roll(uint64_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (dice >> 11) % (n + 1);
}

/* ---- before -------------------------------------------------------------- */

static void refused(const struct sim *s, uint32_t line, const char *what)
{
	sim_error(s, line, "the hypervisor refuses %s: %s", what,
		  world_reason[0] ? world_reason : "it is out of range");
}

static void give_plan(const struct sim *s)
{
	struct xen_sysctl_arinc653_schedule plan = {
		.major_frame = s->frame_ns,
		.num_sched_entries = (uint8_t)s->nr_windows,
	};
	bool is_arinc = strcmp(s->policy, "arinc653") == 0;

	if (is_arinc != (s->frame_ns != 0)) {
		sim_error(s, s->frame_line, "\"frame\" and \"window\" belong to "
			  "policy arinc653; %s them",
			  is_arinc ? "add" : "remove");
	}
	for (uint32_t i = 0; i < s->nr_windows; i++) {
		const struct sim_window *w = &s->window[i];

		plan.sched_entries[i].vcpu_id =
			(w->vcpu & 0xffff) |
			((uint32_t)w->cpu << SCHED_PLAN_CPU_SHIFT);
		plan.sched_entries[i].runtime = w->ns;
	}
	if (is_arinc && sched_plan_set(cpupool_find(0), &plan) != 0) {
		refused(s, s->frame_line, "this plan");
	}
}

static void make_vcpu(const struct sim *s, struct sim_vcpu *v)
{
	uint64_t all = BIT64(s->nr_cpus) - 1;

	v->v = world_vcpu();
	if (v->cpus & ~all) {
		sim_error(s, v->line, "\"%s\" may run on CPUs that are not "
			  "there; there are %u", v->name, s->nr_cpus);
	}
	if (v->cpus && vcpu_set_hard_affinity(v->v, v->cpus) != 0) {
		refused(s, v->line, "these CPUs");
	}
	if (v->has_params &&
	    (sched_admit(v->v->domain, v->v, &v->params) != 0 ||
	     sched_set_params(v->v, &v->params) != 0)) {
		refused(s, v->line, "these parameters");
	}
	v->next_ns = v->from_ns;
	if (v->load != LOAD_BUSY) {
		v->release = calloc(s->time_ns / v->every_ns + 2,
				    sizeof(*v->release));
	}
}

/* ---- jobs ---------------------------------------------------------------- */

static void release(struct sim_vcpu *v)
{
	if (v->load == LOAD_BUSY) {
		v->left_ns = SIM_NEVER;
		v->next_ns = SIM_NEVER;
	} else {
		v->release[v->nr_released] = fake_time_ns;
		if (v->nr_released == v->nr_done) {
			v->left_ns = v->work_ns;
		}
		v->next_ns += v->every_ns +
			      (v->load == LOAD_SPORADIC ? roll(v->every_ns) : 0);
	}
	v->nr_released++;
	world_on_cpu(v->v->cpu);
	if (vcpu_is_online(v->v)) {
		vcpu_wake(v->v);
	} else {
		vcpu_online(v->v);
	}
}

static void job_done(struct sim_vcpu *v)
{
	uint64_t took = fake_time_ns - v->release[v->nr_done];

	v->nr_done++;
	v->nr_missed += took > v->within_ns;
	v->total_ns += took;
	v->worst_ns = took > v->worst_ns ? took : v->worst_ns;
	if (v->nr_done < v->nr_released) {
		v->left_ns = v->work_ns;
		return;
	}
	world_on_cpu(v->v->cpu);
	vcpu_block(v->v);
}

static bool is_running(const struct sim_vcpu *v)
{
	return pcpus[v->v->cpu]->current == v->v;
}

/* ---- time ---------------------------------------------------------------- */

static uint64_t next_event(const struct sim *s)
{
	uint64_t next = s->time_ns;

	for (uint32_t i = 0; i < nr_pcpus; i++) {
		uint64_t at = pcpus[i]->timer_deadline_ns;

		next = at < next ? at : next;
	}
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		const struct sim_vcpu *v = &s->vcpu[i];

		next = v->next_ns < next ? v->next_ns : next;
		if (is_running(v) && v->left_ns < next - fake_time_ns) {
			next = fake_time_ns + v->left_ns;
		}
	}
	return next;
}

static void add_slice(struct sim *s, uint32_t vcpu, uint64_t until)
{
	static size_t last[NR_CPUS]; /* slice of each CPU, + 1 */
	uint16_t cpu = s->vcpu[vcpu].v->cpu;
	struct sim_slice *before = last[cpu] ? &s->slice[last[cpu] - 1] : NULL;

	if (before && before->vcpu == vcpu && before->end_ns == fake_time_ns) {
		before->end_ns = until;
		return;
	}
	if (s->nr_slices == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->slice = realloc(s->slice, s->room * sizeof(*s->slice));
	}
	s->slice[s->nr_slices++] = (struct sim_slice){
		.begin_ns = fake_time_ns,
		.end_ns = until,
		.vcpu = vcpu,
		.cpu = cpu,
	};
	last[cpu] = s->nr_slices;
}

static void pass_time(struct sim *s, uint64_t until)
{
	uint64_t ns = until - fake_time_ns;

	for (uint32_t i = 0; i < s->nr_vcpus && ns != 0; i++) {
		struct sim_vcpu *v = &s->vcpu[i];

		if (is_running(v)) {
			add_slice(s, i, until);
			v->ran_ns += ns;
			v->left_ns -= v->load == LOAD_BUSY ? 0 : ns;
		}
	}
	fake_time_ns = until;
}

/* Jobs that can no more be in time count as missed, too. */
static void count_unfinished(struct sim *s)
{
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		struct sim_vcpu *v = &s->vcpu[i];

		for (uint64_t j = v->nr_done;
		     v->load != LOAD_BUSY && j < v->nr_released; j++) {
			v->nr_missed += v->release[j] + v->within_ns <
					s->time_ns;
		}
	}
}

void sim_run(struct sim *s)
{
	dice = s->seed;
	world_start(s->nr_cpus, s->policy);
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		make_vcpu(s, &s->vcpu[i]);
	}
	give_plan(s);
	while (fake_time_ns < s->time_ns) {
		for (uint32_t i = 0; i < s->nr_vcpus; i++) {
			struct sim_vcpu *v = &s->vcpu[i];

			if (is_running(v) && v->left_ns == 0) {
				job_done(v);
			}
			if (v->next_ns == fake_time_ns) {
				release(v);
			}
		}
		world_settle();
		pass_time(s, next_event(s));
	}
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		if (is_running(&s->vcpu[i]) && s->vcpu[i].left_ns == 0) {
			job_done(&s->vcpu[i]);
		}
	}
	count_unfinished(s);
}
