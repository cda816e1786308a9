/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy "credit2": fair share by weight. Each vCPU has a virtual run time
 * that grows while it runs, the slower the heavier it is; the smallest runs.
 *
 * Owns    struct sched_cpu (a binary heap of waiting vCPUs per CPU) and the
 *         struct unit of each vCPU.
 * Not     which vCPU is where (sched.c), nor how much time a domain with a cap
 *         has left (sched_cap.c).
 * Locks   the run queue lock of the CPU; growing the heaps also takes the pool
 *         lock. nr is read without a lock as a hint.
 * Bounds  queueing and picking are O(log n); stealing looks at STEAL_SCAN
 *         entries; every PUSH_NS a CPU looks at each other one. A slice timer
 *         runs only while somebody waits. A decision parks PARK_MAX vCPUs whose
 *         domain has no time left.
 * Rule    who got the CPU keeps it for the rate limit, then until somebody
 *         ahead in virtual time waits, and for a slice among equals. Two
 *         guests that wake each other with each packet thus work in batches.
 *
 *         Over CPUs: who was given less than others alone, or with fewer, is
 *         sooner alone; over seconds each has what its weight says.
 *
 * Virtual time is per CPU: ->floor follows the smallest there, of those that
 * wait and of the one that runs. A vCPU that
 * changes CPUs takes its distance from the floor along. One that slept starts
 * at most SLEEP_BONUS below the floor, so that it cannot save up time.
 */
#include <abi/xen.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include <hv/prioq.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <hv/work.h>
#include "sched_credit2_priv.h"

#define SLICE_NS     UINT64_C(2000000)
#define SLEEP_BONUS  INT64_C(3000000) /* virtual ns */
#define PUSH_NS      UINT64_C(10000000)
#define PUSH_LEAD    INT64_C(10000000) /* virtual ns */
#define PUSH_DEBT    (20 * PUSH_LEAD)
#define RATELIMIT_US 1000u	      /* until a controller sets another */
#define STEAL_SCAN   8u
#define PARK_MAX     8

static uint64_t ratelimit_ns(const struct sched_cpu *s)
{
	return UINT64_C(1000) *
	       __atomic_load_n(&s->all->ratelimit_us, __ATOMIC_RELAXED);
}

static struct unit *unit_at(struct prioq_node *n)
{
	return container_of(n, struct unit, node);
}

static struct unit *first_of(const struct sched_cpu *s)
{
	return s->waiting.nr ? unit_at(s->waiting.heap[0]) : NULL;
}

/* ---- virtual time -------------------------------------------------------- */
static int64_t vtime_of(uint64_t ns, const struct unit *u)
{
	return (int64_t)(ns * SCHED_WEIGHT_DEFAULT / u->weight);
}

/* All that @u was given, to compare over CPUs: the key less its jumps. */
static int64_t served_of(const struct unit *u)
{
	return u->node.key - u->jumped;
}

static void jump(struct unit *u, int64_t by)
{
	u->node.key += by;
	u->jumped += by;
}

/* The time since the last charge goes to @u, which ran. */
static void charge(struct sched_cpu *s, struct unit *u, uint64_t now)
{
	if (now > s->charged_ns) {
		u->node.key += vtime_of(now - s->charged_ns, u);
	}
	s->charged_ns = now;
}

/* The floor never goes back: newcomers start from it. */
static void floor_follow(struct sched_cpu *s, int64_t vtime)
{
	if (vtime > s->floor) {
		s->floor = vtime;
	}
}

/* ---- the policy ---------------------------------------------------------- */
static int credit2_pool_init(struct cpupool *p)
{
	struct credit2 *all = heap_alloc(NULL, sizeof(*all));

	if (!all) {
		return -ENOMEM;
	}
	all->ratelimit_us = RATELIMIT_US;
	p->sched = all;
	return 0;
}

static void credit2_pool_fini(struct cpupool *p)
{
	heap_free(NULL, p->sched);
}

static int credit2_cpu_init(struct pcpu *c)
{
	struct credit2 *all = credit2_of(c->pool);
	int rc;

	c->sched = heap_alloc(NULL, sizeof(*c->sched));
	if (!c->sched) {
		return -ENOMEM;
	}
	c->sched->all = all;
	c->sched->has_caps = all->has_caps;
	rc = prioq_reserve(&c->sched->waiting, all->nr_units, c->runq_lock);
	if (rc) {
		heap_free(NULL, c->sched);
		c->sched = NULL;
	}
	return rc;
}

static void credit2_cpu_fini(struct pcpu *c)
{
	heap_free(NULL, c->sched->waiting.heap);
	heap_free(NULL, c->sched);
}

static int credit2_vcpu_init(struct cpupool *p, struct vcpu *v, void **priv)
{
	struct credit2 *all = credit2_of(p);
	struct unit *u = heap_alloc(NULL, sizeof(*u));
	int rc = 0;

	if (!u) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < nr_pcpus && rc == 0; i++) {
		if (pcpus[i]->pool == p && pcpus[i]->sched) {
			rc = prioq_reserve(&pcpus[i]->sched->waiting,
					   all->nr_units + 1,
					   pcpus[i]->runq_lock);
		}
	}
	if (rc) {
		heap_free(NULL, u);
		return rc;
	}
	u->vcpu = v;
	u->weight = SCHED_WEIGHT_DEFAULT;
	u->node.pos = PRIOQ_OUT;
	u->detached = true;
	*priv = u;
	all->nr_units++;
	return 0;
}

static void credit2_vcpu_fini(struct cpupool *p, void *priv)
{
	struct unit *u = priv;

	credit2_leave_cap(u->share.cap);
	heap_free(NULL, u);
	credit2_of(p)->nr_units--;
}

static bool is_ahead(const struct unit *a, const struct unit *b)
{
	return a->node.key < b->node.key;
}

static bool credit2_enqueue(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	struct sched_cpu *s = c->sched;
	struct unit *u = unit_of(v);
	bool was_empty = s->waiting.nr == 0;

	if (c->current && !prioq_has(&unit_of(c->current)->node)) {
		charge(s, unit_of(c->current), now);
		if (was_empty) { /* nobody has looked while it was alone */
			floor_follow(s, unit_of(c->current)->node.key);
		}
	}
	if (u->detached) {
		jump(u, s->floor);
		u->detached = false;
	}
	if (u->node.key < s->floor - SLEEP_BONUS) {
		jump(u, s->floor - SLEEP_BONUS - u->node.key);
	}
	prioq_insert(&s->waiting, &u->node);
	/* Nobody waited before: current needs the end of a slice now. */
	return !c->current || was_empty || is_ahead(u, unit_of(c->current));
}

static void credit2_dequeue(struct pcpu *c, struct vcpu *v)
{
	struct unit *u = unit_of(v);
	bool has_turn = prioq_has(&u->node);

	if (has_turn) {
		prioq_remove(&c->sched->waiting, &u->node);
	}
	if (u->share.cap && has_turn) {
		cap_end(&u->share, arch_time_ns());
	} else if (u->share.cap) {
		cap_unpark(&u->share, v);
	}
}

static bool credit2_leave(struct pcpu *c, struct vcpu *v)
{
	struct unit *u = unit_of(v);

	if (u->share.cap) {
		uint64_t now = arch_time_ns();

		cap_charge(&u->share, now);
		cap_end(&u->share, now);
	}
	if (!u->detached) {
		jump(u, -c->sched->floor);
		u->detached = true;
	}
	return false;
}

/* May @u go on although @head waits? */
static bool keeps_cpu(struct sched_cpu *s, struct unit *u,
		      const struct unit *head, uint64_t now)
{
	uint64_t ran_ns = now - s->slice_start_ns;

	if (u->yields) {
		return false;
	}
	if (ran_ns < ratelimit_ns(s)) {
		return true;
	}
	if (is_ahead(head, u)) {
		return false;
	}
	if (ran_ns >= SLICE_NS) {
		s->slice_start_ns = now;
	}
	return true;
}

/* ---- caps: only where there are any -------------------------------------- */

/* Those whose turn it is, but whose domain has no time. */
static void park_first(struct sched_cpu *s, uint64_t now)
{
	for (int i = 0; i < PARK_MAX; i++) {
		struct unit *u = first_of(s);

		if (!u || !u->share.cap || cap_has_time(&u->share, now)) {
			break;
		}
		prioq_remove(&s->waiting, &u->node);
		cap_park(&u->share, u->vcpu, now);
		s->has_parked = true;
	}
}

/* Before a decision. May @u, which ran if not NULL, go on? */
__cold static __attribute__((noinline)) bool
charge_caps(struct sched_cpu *s, struct unit *u, bool runnable, uint64_t now)
{
	bool is_capped = u && u->share.cap;

	if (is_capped) {
		cap_charge(&u->share, now);
	}
	s->has_parked = false;
	park_first(s, now);
	if (runnable && is_capped && !cap_has_time(&u->share, now)) {
		cap_park(&u->share, u->vcpu, now);
		return false;
	}
	return runnable;
}

/* After it: @next runs, @u did; either may be NULL. */
__cold static __attribute__((noinline)) uint64_t
begin_slice(struct sched_cpu *s, struct unit *u, struct unit *next,
	    uint64_t now)
{
	if (u && u != next && u->share.cap) {
		cap_end(&u->share, now);
	}
	if (next && next->share.cap) {
		return cap_begin(&next->share, now);
	}
	/* Nobody, but somebody was stolen in vain: there may be others. */
	return !next && s->has_parked ? now : UINT64_MAX;
}

/* When @u, which runs, must be looked at again. */
static uint64_t slice_end(const struct sched_cpu *s, const struct unit *u)
{
	uint64_t least_ns;
	bool among_equals;

	if (s->waiting.nr == 0) {
		return UINT64_MAX;
	}
	least_ns = ratelimit_ns(s);
	among_equals = !is_ahead(unit_at(s->waiting.heap[0]), u);
	return s->slice_start_ns +
	       (among_equals && least_ns < SLICE_NS ? SLICE_NS : least_ns);
}

/* @head takes over from @u, which waits if not NULL. */
static void take_over(struct sched_cpu *s, struct unit *head, struct unit *u,
		      uint64_t now)
{
	prioq_remove(&s->waiting, &head->node);
	floor_follow(s, head->node.key);
	if (u) {
		prioq_insert(&s->waiting, &u->node);
	}
	s->slice_start_ns = now;
}

/* Who of @u, NULL unless it can go on, and those that wait; NULL: nobody. */
static struct unit *choose(struct sched_cpu *s, struct unit *u, uint64_t now)
{
	struct unit *head = first_of(s);

	if (u) {
		bool keep = !head || keeps_cpu(s, u, head, now);

		u->yields = false;
		if (keep) {
			if (!head) {
				s->slice_start_ns = now;
				floor_follow(s, u->node.key);
			}
			return u;
		}
	}
	if (head) {
		take_over(s, head, u, now);
	}
	return head;
}

/* What other CPUs see of @u, which runs here from @now on. */
static void show(struct sched_cpu *s, const struct unit *u, uint64_t now)
{
	s->last_run = u;
	__atomic_store_n(&s->served, served_of(u), __ATOMIC_RELAXED);
	__atomic_store_n(&s->weight, u->weight, __ATOMIC_RELAXED);
	__atomic_store_n(&s->since_ns, now, __ATOMIC_RELAXED);
}

static struct sched_decision credit2_pick(struct pcpu *c, struct vcpu *prev,
					  bool prev_runnable, uint64_t now)
{
	struct sched_cpu *s = c->sched;
	struct unit *u = prev ? unit_of(prev) : NULL;
	uint64_t until_ns = UINT64_MAX;
	bool has_caps = s->has_caps;
	struct unit *next;

	if (u && !prioq_has(&u->node)) {
		charge(s, u, now);
		if (!prev_runnable && s->waiting.nr == 0) {
			/* Time that nobody else wanted is no debt. */
			floor_follow(s, u->node.key);
		}
	}
	s->charged_ns = now;
	if (unlikely(has_caps)) {
		prev_runnable = charge_caps(s, u, prev_runnable, now);
	}
	next = choose(s, prev_runnable ? u : NULL, now);
	if (next) {
		until_ns = slice_end(s, next);
		if (next != s->last_run) {
			show(s, next, now);
		}
	}
	if (unlikely(has_caps)) {
		uint64_t end_ns = begin_slice(s, u, next, now);

		until_ns = end_ns < until_ns ? end_ns : until_ns;
	}
	return (struct sched_decision){
		.next = next ? next->vcpu : NULL,
		.until_ns = until_ns,
	};
}

static bool credit2_yield(struct pcpu *c, struct vcpu *prev)
{
	if (!__atomic_load_n(&c->sched->waiting.nr, __ATOMIC_RELAXED)) {
		return false;
	}
	unit_of(prev)->yields = true;
	return true;
}

static uint32_t credit2_nr_queued(const struct pcpu *c)
{
	return __atomic_load_n(&c->sched->waiting.nr, __ATOMIC_SEQ_CST);
}

/*
 * An idle CPU, else the one with the least queued; of several one that it
 * likes, and of those its own.
 */
static uint16_t credit2_choose_cpu(const struct vcpu *v, uint64_t idle)
{
	uint64_t free = v->likes & idle ? v->likes & idle : v->cpus & idle;
	uint16_t best = v->cpu;
	uint32_t least = UINT32_MAX;

	if (free & __atomic_load_n(&pcpus[best]->own, __ATOMIC_RELAXED)) {
		return best;
	}
	if (free) {
		uint64_t others = free & ~BIT64(best);

		return (uint16_t)ffs64(others ? others : free);
	}
	for (uint64_t m = v->cpus; m; m &= m - 1) { /* bound: NR_CPUS */
		uint16_t cpu = (uint16_t)ffs64(m);
		uint32_t n = 4 * credit2_nr_queued(pcpus[cpu]) +
			     (BIT64(cpu) & v->likes ? 0u : 2u) +
			     (cpu != v->cpu);

		if (n < least) {
			least = n;
			best = cpu;
		}
	}
	return best;
}

/*
 * What who runs on @s was given so far; a hint, read from another CPU: of one
 * that sleeps and wakes up alone it is too much.
 */
static int64_t served_on(const struct sched_cpu *s, uint64_t now)
{
	uint64_t at = __atomic_load_n(&s->since_ns, __ATOMIC_RELAXED);
	uint32_t weight = __atomic_load_n(&s->weight, __ATOMIC_RELAXED);
	uint64_t ran = now > at && weight ? now - at : 0;

	return __atomic_load_n(&s->served, __ATOMIC_RELAXED) +
	       (weight ? (int64_t)(ran * SCHED_WEIGHT_DEFAULT / weight) : 0);
}

/* As if @u had been given @least at least. */
static void forgive(struct unit *u, int64_t least)
{
	if (served_of(u) < least) {
		u->jumped = u->node.key - least;
	}
}

/*
 * Of three vCPUs on two CPUs two would share one for ever, and of heavy ones
 * several might share while a light one is alone. When who takes over here has
 * been given PUSH_LEAD less than who runs on another CPU, @v waits there from
 * now on. What @v's going does wrong is seen, and undone, in the same way. Of a
 * distance only PUSH_DEBT counts, so that nobody pays for times when he was
 * alone.
 */
static uint16_t credit2_push(struct pcpu *c, struct vcpu *v)
{
	struct sched_cpu *s = c->sched;
	struct unit *u = unit_of(v);
	struct unit *next = c->current ? unit_of(c->current) : NULL;
	uint64_t m = v->cpus & v->likes & ~BIT64(c->id);
	uint64_t now = s->charged_ns;
	uint16_t best = CPU_NONE;
	int64_t most;

	if (m == 0 || !next || now < s->push_ns ||
	    served_of(next) > served_of(u)) {
		return CPU_NONE;
	}
	s->push_ns = now + PUSH_NS;
	most = served_of(next) + PUSH_LEAD;
	for (; m; m &= m - 1) { /* bound: NR_CPUS */
		struct pcpu *o = pcpus[ffs64(m)];
		int64_t served = served_on(o->sched, now);

		if (served > most && !o->idle) {
			most = served;
			best = o->id;
		}
	}
	if (best != CPU_NONE) {
		forgive(next, most - PUSH_DEBT);
		forgive(u, most - PUSH_DEBT);
	}
	return best;
}

/*
 * Not @v, which likes it where it waits and not on @to, has to go there: who
 * runs in its place would as soon, and is invited.
 */
static bool waits_at_home(const struct pcpu *from, const struct vcpu *v,
			  uint16_t to)
{
	return !(v->likes & BIT64(to)) && (v->likes & BIT64(from->id)) &&
	       from->current && (from->current->likes & BIT64(to));
}

static struct vcpu *credit2_steal(struct pcpu *from, uint16_t to)
{
	struct sched_cpu *s = from->sched;
	struct unit *found = NULL;

	if (!from->current && s->waiting.nr == 1) {
		return NULL; /* it was sent there, and runs at once */
	}
	for (uint32_t i = 0; i < s->waiting.nr && i < STEAL_SCAN; i++) {
		struct unit *u = unit_at(s->waiting.heap[i]);

		if (!(u->vcpu->cpus & BIT64(to)) ||
		    !vcpu_is_descheduled(u->vcpu)) {
			continue;
		}
		if (u->vcpu->likes & BIT64(to)) {
			found = u;
			break;
		}
		found = found ? found : u;
	}
	if (!found || waits_at_home(from, found->vcpu, to)) {
		return NULL;
	}
	prioq_remove(&s->waiting, &found->node);
	return found->vcpu;
}

const struct sched_policy sched_credit2 = {
	.name = "credit2",
	.sched_id = SCHED_ID_CREDIT2,
	.heeds_likes = true,
	.pool_init = credit2_pool_init,
	.pool_fini = credit2_pool_fini,
	.cpu_init = credit2_cpu_init,
	.cpu_fini = credit2_cpu_fini,
	.vcpu_init = credit2_vcpu_init,
	.vcpu_fini = credit2_vcpu_fini,
	.enqueue = credit2_enqueue,
	.dequeue = credit2_dequeue,
	.leave = credit2_leave,
	.pick = credit2_pick,
	.yield = credit2_yield,
	.choose_cpu = credit2_choose_cpu,
	.nr_queued = credit2_nr_queued,
	.steal = credit2_steal,
	.push = credit2_push,
	.set_params = credit2_set_params,
	.get_params = credit2_get_params,
};
