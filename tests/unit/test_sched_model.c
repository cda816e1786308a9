/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each policy against a model of it, in random worlds: what a CPU runs, who
 * waits and why, after every event. Time stops at every timer, so that the
 * model's accounts and the policy's are to agree to the nanosecond.
 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LINK: tests/fakes/sched_model_arinc653.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <lib/bits.h>
#include "sched_model.h"

#define EVENTS	  125000 /* a world; all worlds of a policy: 10^6 */
#define NONE	  INT64_MAX
#define LEVEL_MAX 7

struct world {
	const char *policy;
	uint16_t nr_cpus;
	uint32_t seed;
};

static struct vcpu *v[CPUS_VCPUS];
static uint64_t all_cpus;
static uint64_t dice;

uint32_t roll(uint32_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % n;
}

/* ---- what every policy owes ---------------------------------------------- */

static bool may_run(const struct vcpu *t, uint32_t cpu)
{
	return (t->hard_affinity & BIT64(cpu)) &&
	       (t->loaded_on == CPU_NONE || t->loaded_on == cpu);
}

static void check_places(void)
{
	uint32_t running = 0;

	for (uint32_t i = 0; i < nr_pcpus; i++) {
		const struct vcpu *t = pcpus[i]->current;

		cr_assert_eq(pcpus[i]->idle, !t);
		if (t) {
			cr_assert_eq(t->state, VCPU_RUNNING);
			cr_assert_eq(t->cpu, i);
			cr_assert_eq(t->loaded_on, i);
			cr_assert_eq(t->pause_count, 0);
			cr_assert(t->hard_affinity & BIT64(i));
			running++;
		}
	}
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		running -= v[i]->state == VCPU_RUNNING;
		cr_assert_eq(v[i]->queued, waits(v[i]), "v%u", i);
	}
	cr_assert_eq(running, 0); /* none of them on two CPUs */
}

/* ---- rtds ---------------------------------------------------------------- */

static struct server {
	uint64_t period, budget, next_period, next_budget;
	uint64_t deadline, left, got;
	int64_t level;
	bool extra;
} model[CPUS_VCPUS];
static bool is_feasible; /* each is to get its budget in each period */
static uint64_t nr_periods;

static int64_t key_of(uint32_t i)
{
	return (int64_t)((uint64_t)model[i].level << 60 | model[i].deadline);
}

static void model_begin_periods(void)
{
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		struct server *m = &model[i];

		if (m->deadline == 0 && v[i]->state != VCPU_OFFLINE &&
		    v[i]->pause_count == 0) {
			m->deadline = fake_time_ns;
		}
		if (m->deadline == 0 || fake_time_ns < m->deadline) {
			continue;
		}
		cr_assert(!is_feasible || m->got == m->budget || m->got == 0 ||
				  fake_time_ns < m->period,
			  "v%u got %lu of %lu", i, m->got, m->budget);
		nr_periods++;
		m->period = m->next_period;
		m->budget = m->next_budget;
		while (m->deadline <= fake_time_ns) {
			m->deadline += m->period;
		}
		m->left = m->budget;
		m->level = 0;
		m->got = 0;
	}
}

/* @ns went by, and nobody was to look in between. */
static void model_run(uint64_t ns)
{
	for (uint32_t c = 0; c < nr_pcpus; c++) {
		struct server *m;

		if (!pcpus[c]->current) {
			continue;
		}
		m = &model[pcpus[c]->current->id];
		cr_assert_geq(m->left, ns, "v%u ran on without budget",
			      pcpus[c]->current->id);
		m->left -= ns;
		m->got += ns;
		if (m->left == 0 && m->extra) {
			m->level += m->level < LEVEL_MAX;
			m->left = m->next_budget;
		}
	}
}

/* Nobody waits while a CPU it may use does something less urgent. */
static void check_rtds(void)
{
	model_begin_periods();
	for (uint32_t c = 0; c < nr_pcpus; c++) {
		const struct vcpu *now = pcpus[c]->current;
		int64_t key = now ? key_of(now->id) : NONE;

		cr_assert(!now || model[now->id].left > 0, "v%u", now->id);
		for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
			if (waits(v[i]) && model[i].left > 0 &&
			    may_run(v[i], c)) {
				cr_assert_leq(key, key_of(i), "v%u on %u", i,
					      c);
			}
		}
	}
}

static void set_rtds(uint32_t i, uint32_t period_us, uint32_t budget_us,
		     bool extra)
{
	struct sched_params p = {
		.period_us = period_us,
		.budget_us = budget_us,
		.extratime = extra,
	};

	model_begin_periods(); /* what has begun keeps what it began with */
	cr_assert_eq(sched_set_params(v[i], &p), 0);
	model[i].next_period = period_us * US;
	model[i].next_budget = budget_us * US;
	model[i].extra = extra;
}

static void set_rtds_at_random(uint32_t i)
{
	uint32_t period_us = 10 + roll(20000);

	set_rtds(i, period_us, 10 + roll(period_us - 9), roll(2));
}

/* ---- credit2 ------------------------------------------------------------- */

#define CAP_PERIOD (10 * MS)
#define CAP_TICK   (10 * (int64_t)US)
#define CAP_SLICE  (100 * (int64_t)US) /* at least */
#define HALF	   (CPUS_VCPUS / 2)

/* The odd ones have a cap together, or none. */
static struct vcpu *odd[HALF];
static struct domain odd_dom = {
	.vcpu = odd,
	.nr_vcpus = HALF,
	.max_vcpus = HALF,
};
static struct {
	bool is_set;
	int64_t left, budget, next_budget;
	int64_t most; /* that it was set to in this period: slices are of it */
	uint64_t period_end;
	uint64_t used, nr_periods;
} cap;

static bool is_odd(const struct vcpu *t)
{
	return t->id & 1;
}

static void cap_begin_periods(void)
{
	while (cap.is_set && fake_time_ns >= cap.period_end) {
		cap.period_end += CAP_PERIOD;
		cap.budget = cap.next_budget;
		cap.most = cap.budget;
		cap.left += cap.budget;
		if (cap.left > cap.budget) {
			cap.left = cap.budget;
		}
		cap.nr_periods++;
	}
}

/* Nobody is to look in between: it runs no longer than it may. */
static void cap_account(uint64_t ns)
{
	for (uint32_t c = 0; c < nr_pcpus; c++) {
		if (pcpus[c]->current && is_odd(pcpus[c]->current)) {
			cap.used += ns;
			cap.left -= (int64_t)ns;
		}
	}
	if (cap.is_set) {
		cr_assert_geq(cap.left, -CAP_TICK);
	}
}

/* Time that nobody has taken who runs, nor is about to who waits. */
static bool cap_has_spare_time(void)
{
	int64_t slice = cap.most / HALF;
	int64_t spare = cap.left;

	slice = slice > CAP_SLICE ? slice : CAP_SLICE;
	for (uint32_t i = 0; i < HALF; i++) {
		if (odd[i]->state == VCPU_RUNNING) {
			spare -= slice;
		} else if (waits(odd[i]) && list_is_empty(&odd[i]->runq)) {
			return false;
		}
	}
	return spare > 0;
}

/* Nobody waits while a CPU it may use does nothing, but for a cap. */
static void check_credit2(void)
{
	bool is_capped = cap.is_set && !cap_has_spare_time();

	for (uint32_t c = 0; c < nr_pcpus; c++) {
		for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
			cr_assert(pcpus[c]->current || !waits(v[i]) ||
					  !may_run(v[i], c) ||
					  (is_capped && is_odd(v[i])),
				  "v%u on %u, %ld left", i, c, cap.left);
		}
	}
}

static void set_cap_at_random(void)
{
	uint32_t percent = roll(4) ? 1 + roll(100 * HALF) : 0;

	cap_begin_periods();
	cr_assert_eq(sched_set_cap(&odd_dom, percent), 0);
	cap.next_budget = percent * INT64_C(100000);
	if (cap.next_budget > cap.most) {
		cap.most = cap.next_budget;
	}
	if (percent != 0 && !cap.is_set) {
		cap.budget = cap.next_budget;
		cap.most = cap.budget;
		cap.left = cap.budget;
		cap.period_end = fake_time_ns + CAP_PERIOD;
	}
	cap.is_set = percent != 0;
}

static void set_credit2_at_random(uint32_t i)
{
	struct sched_params p = {.weight = 1 + roll(SCHED_WEIGHT_MAX)};

	if (roll(8) == 0) {
		set_cap_at_random();
	} else {
		cr_assert_eq(sched_set_params(v[i], &p), 0);
	}
}

/* ---- null ---------------------------------------------------------------- */

/* The CPU is kept for one that sleeps, stands still or runs. */
static bool has_owner(uint32_t cpu)
{
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		if (v[i]->cpu == cpu && vcpu_is_online(v[i]) && !waits(v[i])) {
			return true;
		}
	}
	return false;
}

static void check_null(void)
{
	for (uint32_t c = 0; c < nr_pcpus; c++) {
		cr_assert_eq(pcpus[c]->slice_timer.cpu, CPU_NONE);
		for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
			cr_assert(!waits(v[i]) || !may_run(v[i], c) ||
					  has_owner(c),
				  "v%u on %u", i, c);
		}
	}
}

/* ---- one world ----------------------------------------------------------- */

static void no_account(uint64_t ns)
{
	(void)ns;
}

static void nothing_to_set(uint32_t i)
{
	(void)i;
}

static const struct policy_model {
	const char *name;
	void (*run)(uint64_t ns); /* it went by */
	void (*check)(void);
	void (*set)(uint32_t i); /* parameters of v[i] */
} policies[] = {
	{"rtds", model_run, check_rtds, set_rtds_at_random},
	{"credit2", cap_account, check_credit2, set_credit2_at_random},
	{"null", no_account, check_null, nothing_to_set},
	{"arinc653", arinc653_run, arinc653_check, arinc653_set_at_random},
};
static const struct policy_model *policy;

static void check_all(void)
{
	cpus_settle();
	check_places();
	policy->check();
}

/* At most until a CPU looks by itself. */
static void pass_time(uint64_t ns)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		uint64_t left = pcpus[i]->timer_deadline_ns - fake_time_ns;

		ns = left < ns ? left : ns;
	}
	policy->run(ns);
	fake_time_ns += ns;
	cap_begin_periods();
}

static void sleep_or_wake(struct vcpu *t)
{
	if (t->state == VCPU_BLOCKED) {
		vcpu_wake(t);
	} else if (t->state == VCPU_RUNNING && pcpus[t->cpu]->current == t) {
		cpus_block(t);
	}
}

/* It wakes before its CPU has looked, but time went by. */
static void nap(struct vcpu *t)
{
	check_all();
	if (t->state == VCPU_RUNNING) {
		cpus_block(t);
		pass_time(roll(5) * US);
		vcpu_wake(t);
	}
}

static void on_or_off(struct vcpu *t)
{
	if (vcpu_is_online(t)) {
		vcpu_offline(t);
	} else if (vcpu_is_descheduled(t)) {
		vcpu_online(t);
	}
}

static void pause_or_not(struct vcpu *t)
{
	if (t->pause_count) {
		vcpu_unpause(t);
	} else {
		vcpu_pause(t);
	}
}

static void move(struct vcpu *t)
{
	uint64_t cpus = roll(2) ? all_cpus : roll((uint32_t)all_cpus) + 1;

	cr_assert_eq(vcpu_set_hard_affinity(t, cpus), 0);
}

/* One thing that happens to one of them. */
static void event(struct vcpu *t)
{
	on_cpu(roll(nr_pcpus));
	switch (roll(16)) {
	case 0:
		on_or_off(t);
		break;
	case 1:
		pause_or_not(t);
		break;
	case 2:
		move(t);
		break;
	case 3:
		policy->set(t->id);
		break;
	case 4:
		nap(t);
		break;
	default:
		sleep_or_wake(t);
		break;
	}
}

#define NR_RTDS 8 /* the first of them */
static const struct world worlds[] = {
	{"rtds", 1, 1},	     {"rtds", 1, 2},	  {"rtds", 2, 3},
	{"rtds", 2, 4},	     {"rtds", 3, 5},	  {"rtds", 3, 6},
	{"rtds", 4, 7},	     {"rtds", 4, 8},	  {"credit2", 1, 9},
	{"credit2", 1, 10},  {"credit2", 2, 11},  {"credit2", 2, 12},
	{"credit2", 3, 13},  {"credit2", 3, 14},  {"credit2", 4, 15},
	{"credit2", 4, 16},  {"null", 1, 17},	  {"null", 1, 18},
	{"null", 2, 19},     {"null", 2, 20},	  {"null", 3, 21},
	{"null", 3, 22},     {"null", 4, 23},	  {"null", 4, 24},
	{"arinc653", 1, 25}, {"arinc653", 1, 26}, {"arinc653", 2, 27},
	{"arinc653", 2, 28}, {"arinc653", 3, 29}, {"arinc653", 3, 30},
	{"arinc653", 4, 31}, {"arinc653", 4, 32},
};
static struct criterion_test_params first_worlds(size_t n)
{
	static int nr[ARRAY_SIZE(worlds)];

	for (int i = 0; i < (int)ARRAY_SIZE(worlds); i++) {
		nr[i] = i;
	}
	return cr_make_param_array(int, nr, n);
}

static const struct world *make_world(int nr)
{
	const struct world *w = &worlds[nr];

	dice = w->seed;
	all_cpus = BIT64(w->nr_cpus) - 1;
	for (policy = policies; strcmp(w->policy, policy->name) != 0;) {
		policy++;
	}
	fake_time_ns = MS;
	cpus_start(w->nr_cpus, w->policy);
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		v[i] = cpus_vcpu((uint16_t)roll(w->nr_cpus));
		model[i] = (struct server){
			.next_period = SCHED_PERIOD_US_DEFAULT * US,
			.next_budget = SCHED_BUDGET_US_DEFAULT * US,
			.extra = true,
		};
		if (is_odd(v[i])) {
			odd[i / 2] = v[i];
		}
	}
	odd_dom.pool = cpus_dom.pool;
	return w;
}

ParameterizedTestParameters(sched_model, random_events)
{
	return first_worlds(ARRAY_SIZE(worlds));
}

ParameterizedTest(const int *nr, sched_model, random_events)
{
	(void)make_world(*nr);
	for (uint32_t i = 0; i < EVENTS; i++) {
		event(v[roll(CPUS_VCPUS)]);
		if (roll(4) != 0) { /* else the next comes before a look */
			check_all();
			pass_time(roll(3) ? roll(3 * MS) : roll(20) * US);
			check_all();
		}
	}
	cpus_check_runstates();
}

/* ---- feasible sets ------------------------------------------------------- */

/*
 * Enough for EDF on m CPUs: the sum of all shares is at most
 * m - (m - 1) * the largest share. In millionths.
 */
static void make_feasible(uint32_t m)
{
	const uint32_t least = 11000; /* 10 us of 1 ms, rounded up */
	uint32_t largest = 150000 + roll(700000);
	uint64_t left = m * UINT64_C(1000000) - (m - 1) * (uint64_t)largest -
			CPUS_VCPUS * least;

	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		uint64_t most = left < largest - least ? left : largest - least;
		uint64_t more =
			i + 1 == CPUS_VCPUS ? most : roll((uint32_t)most + 1);
		uint64_t period_us = 1000 + roll(20000);

		left -= more;
		set_rtds(i, (uint32_t)period_us,
			 (uint32_t)(period_us * (least + more) / 1000000),
			 false);
	}
}

ParameterizedTestParameters(sched_model, feasible_servers_get_their_budget)
{
	return first_worlds(NR_RTDS);
}

ParameterizedTest(const int *nr, sched_model, feasible_servers_get_their_budget)
{
	make_feasible(make_world(*nr)->nr_cpus);
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		vcpu_online(v[i]);
		check_all();
		pass_time(roll(5 * MS)); /* periods begin at odd times */
	}
	is_feasible = true;
	nr_periods = 0;
	while (nr_periods < EVENTS / 4) {
		pass_time(NONE);
		check_all();
	}
}
