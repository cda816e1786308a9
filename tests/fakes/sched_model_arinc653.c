/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan of windows makes of the CPUs, for tests/unit/test_sched_model.c:
 * the plan that holds and the one that waits for the end of the frame.
 */
#include "sched_model.h"

#include <criterion/criterion.h>

#include <abi/xen.h>
#include <lib/bits.h>

#define NOBODY SCHED_PLAN_NOBODY

struct slot {
	uint16_t cpu, vcpu;
	uint64_t begin, end; /* in the frame */
};

static struct frame_plan {
	uint64_t frame; /* 0: none */
	uint32_t nr;
	struct slot slot[ARINC653_MAX_DOMAINS_PER_SCHEDULE];
} now_plan, next_plan;
static uint64_t frame_began;

static void model_frames(void)
{
	while (now_plan.frame && fake_time_ns - frame_began >= now_plan.frame) {
		frame_began += now_plan.frame;
		if (next_plan.frame) {
			now_plan = next_plan;
			next_plan.frame = 0;
		}
	}
}

static const struct slot *slot_on(uint32_t cpu)
{
	uint64_t at = fake_time_ns - frame_began;

	for (uint32_t i = 0; i < now_plan.nr; i++) {
		const struct slot *s = &now_plan.slot[i];

		if (s->cpu == cpu && s->begin <= at && at < s->end) {
			return s;
		}
	}
	return NULL;
}

/* No CPU sleeps over an edge: at each of them arinc653_check() looks. */
void arinc653_run(uint64_t ns)
{
	uint64_t at = fake_time_ns - frame_began;

	cr_assert(!now_plan.frame || at + ns <= now_plan.frame);
	for (uint32_t i = 0; i < now_plan.nr; i++) {
		const struct slot *s = &now_plan.slot[i];

		cr_assert(s->begin <= at || at + ns <= s->begin, "%u", i);
		cr_assert(s->end <= at || at + ns <= s->end, "%u", i);
	}
}

/* In its window a vCPU runs if it can; nobody else does. */
void arinc653_check(void)
{
	model_frames();
	for (uint32_t c = 0; c < nr_pcpus; c++) {
		const struct slot *s = slot_on(c);
		const struct vcpu *t =
			s && s->vcpu != NOBODY ? cpus_dom.vcpu[s->vcpu] : NULL;

		if (t && (!(t->hard_affinity & BIT64(c)) || t->pause_count ||
			  (t->state != VCPU_RUNNING && !waits(t)))) {
			t = NULL;
		}
		cr_assert_eq(pcpus[c]->current, t, "CPU %u", c);
	}
}

static bool meet(const struct slot *a, const struct slot *b)
{
	return a->vcpu == b->vcpu && a->vcpu != NOBODY && a->begin < b->end &&
	       b->begin < a->end;
}

/* A plan that often has a vCPU on two CPUs, and sometimes too much. */
static bool random_plan(struct frame_plan *p)
{
	uint64_t end[NR_CPUS] = {0};
	bool is_good = true;

	p->frame = (1000 + roll(9000)) * US;
	p->nr = 1 + roll(12);
	for (uint32_t i = 0; i < p->nr; i++) {
		struct slot *s = &p->slot[i];

		s->cpu = (uint16_t)roll(nr_pcpus);
		s->vcpu = (uint16_t)(roll(8) ? roll(CPUS_VCPUS) : NOBODY);
		if (s->vcpu != NOBODY && (nr_pcpus == 4 || roll(8) != 0)) {
			s->vcpu = (uint16_t)(s->vcpu / nr_pcpus * nr_pcpus +
					     s->cpu) %
				  CPUS_VCPUS;
		}
		s->begin = end[s->cpu];
		s->end = s->begin + 10 * US + roll(800 * US);
		end[s->cpu] = s->end;
		is_good = is_good && s->end <= p->frame;
		for (uint32_t j = 0; j < i; j++) {
			is_good = is_good && !meet(s, &p->slot[j]);
		}
	}
	return is_good;
}

static int give_plan(const struct frame_plan *p)
{
	struct xen_sysctl_arinc653_schedule s = {
		.major_frame = p->frame,
		.num_sched_entries = (uint8_t)p->nr,
	};
	struct xen_sysctl_arinc653_schedule got;

	for (uint32_t i = 0; i < p->nr; i++) {
		s.sched_entries[i].vcpu_id =
			p->slot[i].vcpu | (uint32_t)p->slot[i].cpu
						  << SCHED_PLAN_CPU_SHIFT;
		s.sched_entries[i].runtime = p->slot[i].end - p->slot[i].begin;
	}
	if (sched_plan_set(cpus_dom.pool, &s) != 0) {
		return -1;
	}
	sched_plan_get(cpus_dom.pool, &got);
	cr_assert_arr_eq(got.sched_entries, s.sched_entries,
			 p->nr * sizeof(s.sched_entries[0]));
	return 0;
}

void arinc653_set_at_random(uint32_t i)
{
	static struct frame_plan p;
	bool is_good = random_plan(&p);

	(void)i;
	model_frames();
	cr_assert_eq(give_plan(&p), is_good ? 0 : -1);
	if (is_good && now_plan.frame) {
		next_plan = p;
	} else if (is_good) {
		now_plan = p;
		frame_began = fake_time_ns;
	}
}
