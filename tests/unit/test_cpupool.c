/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools under random events: CPUs join and leave, domains are made, moved and
 * ended, vCPUs do what vCPUs do, allocations fail, callers give up half-way.
 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

#define EVENTS	 200000 /* a world; five of them: 10^6 */
#define NR_DOMS	 6u
#define NR_VCPUS 3u
#define NR_IDS	 5u
#define NR_PCPUS 4u
#define FRAME	 MS /* of each plan of arinc653 */

#define CHECK_EQ(a, b) CHECK((a) == (b))

enum kind {
	MADE,
	ENDED,
	MOVED,
	ADDED,
	REMOVED,
	FAILED,
	BUSY,
	PLANNED,
	IN_WINDOW,
	BURIED,
	NR_KINDS
};

static struct domain doms[NR_DOMS];
static struct vcpu *vcpus[NR_DOMS][NR_VCPUS];
static bool lives[NR_DOMS];
static struct shared_info shared_info;
static uint64_t dice;
static bool buried[NR_DOMS]; /* without references, its vCPUs are there */
static uint32_t nr_done[NR_KINDS]; /* what happened at all: by kind */

static uint32_t roll(uint32_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % n;
}

/* ---- what core/cpupool.c calls of domain.c ------------------------------- */

struct domain *domain_next_get(domid_t id)
{
	for (uint32_t i = 0; i < NR_DOMS; i++) {
		if (lives[i] && doms[i].id >= id) {
			return &doms[i];
		}
	}
	return NULL;
}

bool domain_any_dead(void)
{
	for (uint32_t i = 0; i < NR_DOMS; i++) {
		if (buried[i]) {
			return true;
		}
	}
	return false;
}

/* ---- plans of arinc653: a vCPU has a CPU for whole frames ---------------- */

#define NOBODY UINT32_MAX

static struct plan {
	bool is_there;
	uint32_t who[NR_PCPUS]; /* number of the domain * NR_VCPUS + vCPU */
} plan_now[NR_IDS], plan_next[NR_IDS];
static uint64_t frame_began[NR_IDS];

static void go_on(uint32_t id)
{
	uint64_t frames = (fake_time_ns - frame_began[id]) / FRAME;

	frame_began[id] += frames * FRAME;
	if (frames && plan_next[id].is_there) {
		plan_now[id] = plan_next[id];
		plan_next[id].is_there = false;
	}
}

static struct vcpu *planned_on(const struct pcpu *c)
{
	uint32_t id = c->pool->id;
	uint32_t who = NOBODY;

	go_on(id);
	if (plan_now[id].is_there) {
		who = plan_now[id].who[c->id];
	}
	return who == NOBODY ? NULL : vcpus[who / NR_VCPUS][who % NR_VCPUS];
}

static void forget_plans(uint32_t id)
{
	plan_now[id].is_there = false;
	plan_next[id].is_there = false;
}

/* Each CPU of @p to another one of a domain, or to nobody. */
static void random_plan(const struct cpupool *p, struct plan *plan,
			struct xen_sysctl_arinc653_schedule *s)
{
	uint32_t n = roll(NR_DOMS) * NR_VCPUS + roll(NR_VCPUS);

	*plan = (struct plan){.is_there = true};
	*s = (struct xen_sysctl_arinc653_schedule){.major_frame = FRAME};
	for (uint32_t i = 0; i < NR_PCPUS; i++) {
		uint32_t who = (n + i) % (NR_DOMS * NR_VCPUS);

		plan->who[i] = NOBODY;
		if ((p->cpus & BIT64(i)) && roll(4)) {
			uint32_t at = s->num_sched_entries++;

			plan->who[i] = who;
			s->sched_entries[at].dom_handle[15] =
				(uint8_t)(who / NR_VCPUS);
			s->sched_entries[at].vcpu_id =
				who % NR_VCPUS | i << SCHED_PLAN_CPU_SHIFT;
			s->sched_entries[at].runtime = FRAME;
		}
	}
}

static void plan_one(void)
{
	struct cpupool *p = cpupool_find(roll(NR_IDS));
	struct xen_sysctl_arinc653_schedule s;
	struct plan plan;
	int rc;

	if (!p || p->policy != &sched_arinc653) {
		return;
	}
	random_plan(p, &plan, &s);
	rc = sched_plan_set(p, &s);
	CHECK(rc == -ENOMEM || rc == (s.num_sched_entries ? 0 : -EINVAL));
	if (rc) {
		return;
	}
	go_on(p->id);
	if (plan_now[p->id].is_there) {
		plan_next[p->id] = plan;
	} else {
		plan_now[p->id] = plan;
		frame_began[p->id] = fake_time_ns;
	}
	nr_done[PLANNED]++;
}

/* ---- what is to be so after each settling -------------------------------- */

static bool waits(const struct vcpu *v)
{
	return v->state == VCPU_RUNNABLE && v->pause_count == 0;
}

static void check_cpu(const struct pcpu *c)
{
	const struct vcpu *v = c->current;

	CHECK_EQ(c->idle, !v);
	if (c->policy == &sched_arinc653) {
		const struct vcpu *t = planned_on(c);
		bool can = t && t->domain->pool == c->pool &&
			   (t->cpus & BIT64(c->id)) &&
			   (waits(t) || t->state == VCPU_RUNNING);

		CHECK_EQ(v, can && !t->pause_count ? t : NULL);
		nr_done[IN_WINDOW] += v != NULL;
	}
	if (!v) {
		return;
	}
	CHECK_EQ(v->state, VCPU_RUNNING);
	CHECK_EQ(v->cpu, c->id);
	CHECK_EQ(v->loaded_on, c->id);
	CHECK_EQ(v->pause_count, 0);
	CHECK_EQ(v->domain->pool, c->pool);
	CHECK_EQ(c->policy, c->pool->policy);
}

/* Null keeps a CPU for a vCPU that sleeps; with windows: check_cpu(). */
static bool is_kept(const struct pcpu *c)
{
	if (c->policy == &sched_arinc653) {
		return true;
	}
	if (strcmp(c->policy->name, "null") != 0) {
		return c->current != NULL;
	}
	for (uint32_t i = 0; i < NR_DOMS * NR_VCPUS; i++) {
		const struct vcpu *v = vcpus[i / NR_VCPUS][i % NR_VCPUS];

		if (v && v->cpu == c->id && vcpu_is_online(v) && !waits(v)) {
			return true;
		}
	}
	return false;
}

static void check_vcpu(const struct vcpu *v, bool quiet)
{
	const struct cpupool *p = v->domain->pool;

	CHECK_EQ(v->queued, waits(v));
	CHECK(v->cpus);
	if (!quiet || buried[v->domain->id]) { /* a CPU is on its way */
		return;
	}
	CHECK_EQ(v->cpus, v->hard_affinity & p->cpus);
	CHECK(v->cpus & BIT64(v->cpu));
	CHECK(v->state != VCPU_RUNNING || pcpus[v->cpu]->current == v);
	for (uint64_t m = v->cpus; m && waits(v); m &= m - 1) {
		const struct pcpu *c = pcpus[ffs64(m)];

		CHECK(is_kept(c) || (v->loaded_on != CPU_NONE &&
				     v->loaded_on != c->id));
	}
}

static void check_all(bool quiet)
{
	uint64_t seen = cpupool_free_cpus();
	uint32_t nr[NR_IDS + 1] = {0};

	for (uint32_t i = 0; i < NR_PCPUS; i++) {
		check_cpu(pcpus[i]);
	}
	for (uint32_t i = 0; i < NR_DOMS * NR_VCPUS; i++) {
		const struct vcpu *v = vcpus[i / NR_VCPUS][i % NR_VCPUS];

		if (v) {
			check_vcpu(v, quiet);
		}
	}
	for (uint32_t i = 0; i < NR_DOMS; i++) {
		nr[lives[i] || buried[i] ? doms[i].pool_id : NR_IDS]++;
	}
	for (struct cpupool *p = cpupool_next(0); p;
	     p = cpupool_next(p->id + 1)) {
		CHECK_EQ(seen & p->cpus, 0);
		seen |= p->cpus;
		CHECK_EQ(p->nr_domains, nr[p->id]);
	}
	CHECK(!quiet || seen == BIT64(NR_PCPUS) - 1);
}

/* ---- events -------------------------------------------------------------- */

static struct vcpu *any_vcpu(void)
{
	return vcpus[roll(NR_DOMS)][roll(NR_VCPUS)];
}

static void vcpu_event(struct vcpu *v)
{
	if (!v) {
		return;
	}
	switch (roll(8)) {
	case 0:
		if (vcpu_is_online(v)) {
			vcpu_offline(v);
		} else if (vcpu_is_descheduled(v)) {
			vcpu_online(v);
		}
		break;
	case 1:
		if (!v->domain->controller_pause) {
			vcpu_pause(v);
			v->domain->controller_pause = v->id + 1;
		} else if (v->domain->controller_pause == v->id + 1) {
			vcpu_unpause(v);
			v->domain->controller_pause = 0;
		}
		break;
	case 2: {
		uint64_t cpus = roll(BIT32(NR_PCPUS) - 1) + 1;
		bool fits = cpus & v->domain->pool->cpus;

		CHECK_EQ(vcpu_set_hard_affinity(v, cpus),
			     fits ? 0 : -EINVAL);
		break;
	}
	default:
		cpus_wake_or_block(v);
	}
}

/* Time between two steps of a long operation: anything but another one. */
static void meanwhile(void)
{
	for (uint32_t n = roll(3); n > 0; n--) {
		on_cpu(roll(NR_PCPUS));
		vcpu_event(any_vcpu());
	}
	cpus_settle();
	fake_time_ns += roll(3) ? roll(MS) : 0;
	cpus_settle();
	check_all(false);
	on_cpu(roll(NR_PCPUS));
}

static void end_domain(uint32_t n)
{
	struct domain *d = &doms[n];

	domain_pause(d);
	cpus_settle();
	lives[n] = false;
	buried[n] = true;
	nr_done[ENDED]++;
}

/* Its memory goes at a work point, later. */
static void free_domain(uint32_t n)
{
	struct domain *d = &doms[n];

	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		vcpu_destroy(vcpus[n][i]);
		vcpus[n][i] = NULL;
	}
	cpupool_leave(d);
	buried[n] = false;
	nr_done[BURIED]++;
}

static void make_domain(uint32_t n, uint32_t pool)
{
	const struct cpupool *p = cpupool_find(pool);
	struct domain *d = &doms[n];

	*d = (struct domain){
		.id = (domid_t)n,
		.vcpu = vcpus[n],
		.max_vcpus = NR_VCPUS,
		.shared_info = &shared_info,
		.handle[15] = (uint8_t)n,
	};
	if (!p || !p->cpus) {
		CHECK_EQ(cpupool_enter(d, pool), p ? -ENODEV : -ESRCH);
		return;
	}
	CHECK_EQ(cpupool_enter(d, pool), 0);
	lives[n] = true;
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		int rc = vcpu_create(d, i, (uint16_t)roll(NR_PCPUS));

		if (rc) { /* an allocation fails at random */
			nr_done[FAILED]++;
			cpus_fail_at = 0;
			end_domain(n);
			free_domain(n);
			return;
		}
		vcpu_online(d->vcpu[i]);
	}
	nr_done[MADE]++;
}

static void pool_comes_or_goes(void)
{
	static const struct sched_policy *const any[] = {
		&sched_credit2, &sched_rtds, &sched_null, &sched_arinc653,
	};
	struct cpupool *p = cpupool_find(roll(NR_IDS));
	int rc;

	if (p && roll(2)) {
		bool is_empty = !p->cpus && !p->nr_domains;
		uint32_t id = p->id;

		rc = cpupool_destroy(p);
		if (rc == 0) {
			forget_plans(id);
		}
		CHECK(is_empty ? rc == 0 || rc == -EBUSY : rc == -EBUSY);
		nr_done[BUSY] += rc != 0;
		return;
	}
	rc = cpupool_create(p ? p->id : roll(NR_IDS), any[roll(4)], &p);
	CHECK(rc == 0 || rc == -EEXIST || rc == -ENOMEM);
}

static void free_one(void)
{
	uint32_t n = roll(NR_DOMS);

	if (buried[n]) {
		free_domain(n);
	}
}

static void cpu_comes_or_goes(void)
{
	bool joins = roll(2);
	uint32_t cpu = roll(8) ? roll(NR_PCPUS + 1) : CPUPOOL_ANY;
	struct cpupool *p = cpupool_find(roll(NR_IDS));
	uint32_t give_up = roll(8) ? UINT32_MAX : roll(6);
	int rc = -EAGAIN;

	for (uint32_t n = 0; p && rc == -EAGAIN && n < give_up; n++) {
		CHECK(n < 2000);
		rc = joins ? cpupool_add_step(p, cpu) :
			     cpupool_remove_step(p, cpu);
		if (rc == -EAGAIN) {
			meanwhile();
			free_one();
		}
	}
	nr_done[joins ? ADDED : REMOVED] += rc == 0;
	nr_done[FAILED] += rc == -ENOMEM;
	nr_done[BUSY] += rc == -EBUSY || rc == -EADDRNOTAVAIL;
}

/* Whoever gave up comes back: nothing is on its way. */
static void finish(void)
{
	for (uint32_t i = 0; i < NR_IDS * NR_PCPUS * 2; i++) {
		struct cpupool *p = cpupool_find(i / 2 % NR_IDS);
		uint32_t cpu = i / 2 / NR_IDS;
		int rc = p ? -EAGAIN : 0;

		/* Only what is under way: else it is there, or not there. */
		while (rc == -EAGAIN && pcpus[cpu]->pool == p &&
		       (i % 2 || !(p->cpus & BIT64(cpu)))) {
			rc = i % 2 ? cpupool_add_step(p, cpu) :
				     cpupool_remove_step(p, cpu);
			free_one();
			cpus_settle();
		}
	}
}

static void move_one(void)
{
	uint32_t n = roll(NR_DOMS);
	struct cpupool *p = cpupool_find(roll(NR_IDS));
	struct cpupool *old = doms[n].pool;
	int rc = -EAGAIN;

	if (!lives[n]) {
		return;
	}
	for (uint32_t i = 0; rc == -EAGAIN; i++) {
		CHECK(i < 100);
		rc = cpupool_move_step(&doms[n], p);
		if (rc == -EAGAIN) {
			meanwhile();
		}
	}
	CHECK(!doms[n].moves);
	CHECK_EQ(doms[n].pool, rc == 0 ? p : old);
	nr_done[MOVED] += rc == 0 && p != old;
	nr_done[FAILED] += rc == -ENOMEM;
}

static void event(void)
{
	uint32_t n = roll(NR_DOMS);

	on_cpu(roll(NR_PCPUS));
	cpus_fail_at = roll(16) ? 0 : 1 + roll(8);
	switch (roll(64)) {
	case 0:
		pool_comes_or_goes();
		break;
	case 1:
	case 2:
		cpu_comes_or_goes();
		break;
	case 3:
		move_one();
		break;
	case 4:
		if (lives[n]) {
			end_domain(n);
		} else if (buried[n]) {
			free_domain(n);
		} else {
			make_domain(n, roll(NR_IDS));
		}
		break;
	case 5:
		plan_one();
		break;
	default:
		vcpu_event(any_vcpu());
	}
	cpus_fail_at = 0;
}

/* ---- worlds -------------------------------------------------------------- */

static long start(const char *policy)
{
	fake_time_ns = MS;
	cpus_start(NR_PCPUS, policy);
	cpus_dom.max_vcpus = 0;
	for (uint32_t n = 0; n < NR_DOMS; n++) {
		doms[n].id = (domid_t)n;
	}
	return cpus_live;
}

ParameterizedTestParameters(cpupool, random_events)
{
	static int nr[] = {0, 1, 2, 3, 4};

	return cr_make_param_array(int, nr, ARRAY_SIZE(nr));
}

ParameterizedTest(const int *nr, cpupool, random_events)
{
	static const char *const names[] = {"credit2", "rtds", "null",
					    "credit2", "arinc653"};

	dice = (uint64_t)*nr + 1;
	(void)start(names[*nr]);
	for (uint32_t i = 0; i < EVENTS; i++) {
		event();
		if (roll(4) != 0) {
			cpus_settle();
			fake_time_ns += roll(3) ? roll(2 * MS) : roll(20000);
			cpus_settle();
			if (i % 64 == 0) {
				finish();
			}
			check_all(i % 64 == 0);
		}
	}
	for (uint32_t i = 0; i < NR_KINDS; i++) {
		cr_assert_gt(nr_done[i], 30, "%u: %u", i, nr_done[i]);
	}
}
