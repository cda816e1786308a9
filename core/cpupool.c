/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools of CPUs: which there are, and how CPUs and domains change pools.
 *
 * Owns    the list of pools; p->cpus, p->nr_domains; c->pool; d->pool and
 *         d->pool_id; the one CPU that is on its way (->moving).
 * Not     who runs where (sched.c), what a policy keeps (sched_*.c).
 * Locks   control_lock for everything but: p->nr_domains is atomic, c->policy
 *         and c->runq_lock change on CPU c at a work point.
 * Order   a CPU leaves: it is no longer in p->cpus, then no vCPU is on it or
 *         may come, then nobody has that CPU's lock or queues in hand (each
 *         CPU passed a work point, and domains without references, whose vCPUs
 *         still are where they were, are gone), then it switches to the policy
 *         that knows of nothing, then again nobody has them, and they are
 *         freed. Joining is the same the other way round; nobody has it in
 *         hand before.
 * Bounds  a step looks at one domain's vCPUs; the caller asks again.
 */
#include <hv/cpupool.h>

#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/ipi.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define POOL_0	 0u
#define BOOT_CPU 0u /* changes no pools, as on Xen */

static struct cpupool *pools; /* by id */
static struct cpupool no_pool = {.policy = &sched_nothing};
static struct cpupool off_line = {.policy = &sched_nothing};
static const struct sched_policy *default_policy;

/* The CPU that joins or leaves ->pool; NULL: none. */
static struct {
	struct cpupool *pool;
	struct pcpu *cpu;
	bool joins;
	uint8_t stage;
	uint32_t next_domid;
	uint32_t gen[NR_CPUS];
} moving;

/* ---- CPUs in no pool ----------------------------------------------------- */

static struct sched_decision pick_nothing(struct pcpu *c, struct vcpu *prev,
					  bool prev_runnable, uint64_t now_ns)
{
	(void)c;
	(void)prev;
	(void)prev_runnable;
	(void)now_ns;
	return (struct sched_decision){.until_ns = UINT64_MAX};
}

static uint32_t nothing_queued(const struct pcpu *c)
{
	(void)c;
	return 0;
}

/* No vCPU's ->cpu is such a CPU: nobody asks for more. */
const struct sched_policy sched_nothing = {
	.pick = pick_nothing,
	.nr_queued = nothing_queued,
};

/* ---- the list ------------------------------------------------------------ */

struct cpupool *cpupool_next(uint32_t id)
{
	struct cpupool *p = pools;

	while (p && p->id < id) { /* bound: pools the controller made */
		p = p->next;
	}
	return p;
}

struct cpupool *cpupool_find(uint32_t id)
{
	struct cpupool *p = cpupool_next(id);

	return p && p->id == id ? p : NULL;
}

/* The pointer to what comes behind the new pool, whose id is *@id. */
static struct cpupool **place_for(uint32_t *id)
{
	bool any = *id == CPUPOOL_ANY;
	struct cpupool **at = &pools;

	if (any) {
		*id = POOL_0;
	}
	while (*at && (*at)->id <= *id) { /* bound: pools there are */
		if ((*at)->id == *id) {
			if (!any) {
				return NULL;
			}
			(*id)++;
		}
		at = &(*at)->next;
	}
	return at;
}

int cpupool_create(uint32_t id, const struct sched_policy *policy,
		   struct cpupool **out)
{
	struct cpupool **at = place_for(&id);
	struct cpupool *p;
	int rc;

	if (!at) {
		return -EEXIST;
	}
	p = heap_alloc(NULL, sizeof(*p));
	if (!p) {
		return -ENOMEM;
	}
	p->id = id;
	p->policy = policy;
	rc = sched_pool_init(p);
	if (rc) {
		heap_free(NULL, p);
		return rc;
	}
	p->next = *at;
	*at = p;
	*out = p;
	return 0;
}

int cpupool_destroy(struct cpupool *p)
{
	struct cpupool **at = &pools;

	if (p->cpus != 0 || moving.pool == p ||
	    __atomic_load_n(&p->nr_domains, __ATOMIC_ACQUIRE) != 0) {
		return -EBUSY;
	}
	while (*at != p) { /* bound: pools there are */
		at = &(*at)->next;
	}
	*at = p->next;
	sched_pool_fini(p);
	heap_free(NULL, p);
	return 0;
}

const struct sched_policy *cpupool_default_policy(void)
{
	return default_policy;
}

uint64_t cpupool_free_cpus(void)
{
	uint64_t cpus = 0;

	for (uint32_t i = 0; i < nr_pcpus; i++) {
		if (pcpus[i]->pool == &no_pool) {
			cpus |= BIT64(i);
		}
	}
	return cpus;
}

/* ---- boot ---------------------------------------------------------------- */

void cpupool_set_default(const struct sched_policy *policy)
{
	default_policy = policy;
}

static struct cpupool *pool_at_boot(const struct pcpu *c)
{
	struct cpupool *p = pools;

	while (p && !(p->cpus_at_boot & BIT64(c->id))) {
		p = p->next; /* bound: NR_CPUS */
	}
	return p ? p : pools;
}

/* Of the kind that the pool is of; the first one says which. */
static bool is_like(struct cpupool *p, const struct pcpu *c)
{
	if (p->cpus == 0) {
		p->kind = c->kind;
	}
	return p->kind == c->kind;
}

int cpupool_init_cpu(struct pcpu *c)
{
	int rc;

	c->pool = pool_at_boot(c);
	rc = is_like(c->pool, c) ? sched_cpu_init(c) : -EXDEV;
	if (rc) {
		c->pool = NULL;
		return rc;
	}
	sched_switch_policy(c, c->pool);
	__atomic_fetch_or(&c->pool->cpus, BIT64(c->id), __ATOMIC_SEQ_CST);
	return 0;
}

/* ---- domains ------------------------------------------------------------- */

static void set_pool(struct domain *d, struct cpupool *p)
{
	__atomic_fetch_add(&p->nr_domains, 1, __ATOMIC_RELAXED);
	d->pool = p;
	__atomic_store_n(&d->pool_id, p->id, __ATOMIC_RELAXED);
}

int cpupool_enter(struct domain *d, uint32_t id)
{
	struct cpupool *p = cpupool_find(id);

	if (!p) {
		return -ESRCH;
	}
	if (p->cpus == 0) {
		return -ENODEV;
	}
	set_pool(d, p);
	return 0;
}

void cpupool_leave(struct domain *d)
{
	__atomic_fetch_sub(&d->pool->nr_domains, 1, __ATOMIC_RELEASE);
}

/* All of its vCPUs, or none. */
static int prepare_all(struct domain *d, struct cpupool *p)
{
	struct vcpu *v;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < d->max_vcpus && rc == 0; i++) {
		if (d->vcpu[i]) {
			rc = sched_vcpu_prepare(d->vcpu[i], p);
		}
	}
	if (rc == 0) {
		return 0;
	}
	for (uint32_t n = i - 1; n-- > 0;) {
		v = d->vcpu[n];
		if (v) {
			sched_vcpu_unprepare(v, p);
		}
	}
	return rc;
}

static int move_domain(struct domain *d, struct cpupool *p)
{
	struct cpupool *old = d->pool;
	int rc = prepare_all(d, p);
	struct vcpu *v;
	uint32_t i;

	if (rc) {
		return rc;
	}
	set_pool(d, p);
	domain_for_each_vcpu (d, v, i) {
		sched_vcpu_move(v, old, p);
	}
	__atomic_fetch_sub(&old->nr_domains, 1, __ATOMIC_RELEASE);
	return 0;
}

/* Its vCPUs are in memory, and stay there, when it is between two pools. */
static int move_stopped(struct domain *d, struct cpupool *p)
{
	if (!p || p->cpus == 0) {
		return -ENOENT;
	}
	if (d->pool == p) {
		return 0;
	}
	if (d->pool->kind != p->kind && d->state < DOM_DYING) {
		return -EINVAL;
	}
	if (!d->moves) {
		d->moves = true;
		domain_pause(d);
	}
	return domain_is_descheduled(d) ? move_domain(d, p) : -EAGAIN;
}

int cpupool_move_step(struct domain *d, struct cpupool *p)
{
	int rc = move_stopped(d, p);

	if (rc != -EAGAIN && d->moves) {
		d->moves = false;
		domain_unpause(d);
	}
	return rc;
}

/* ---- a CPU comes or goes ------------------------------------------------- */

/* One domain of the pool; -EAGAIN: its vCPUs still are on the CPU. */
static int fit_domain(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;
	int rc = 0;

	if (moving.pool->cpus == 0) { /* what is left ends soon */
		return d->state < DOM_DYING
			       ? -EBUSY
			       : cpupool_move_step(d, cpupool_find(POOL_0));
	}
	domain_for_each_vcpu (d, v, i) {
		vcpu_fit_pool(v);
		if (!moving.joins && (v->cpu == moving.cpu->id ||
				      v->loaded_on == moving.cpu->id)) {
			rc = -EAGAIN;
		}
	}
	return rc;
}

static int fit_domains(void)
{
	struct domain *d = moving.next_domid < DOMID_FIRST_RESERVED
				   ? domain_next_get((domid_t)moving.next_domid)
				   : NULL;
	int rc = 0;

	if (!d) {
		return 0;
	}
	if (d->pool == moving.pool) {
		rc = fit_domain(d);
	}
	if (rc == 0) {
		moving.next_domid = d->id + 1u;
		rc = -EAGAIN;
	}
	domain_put(d);
	return rc;
}

static int begin_settle(void)
{
	work_gen_snapshot(moving.gen);
	return 0;
}

static int settle(void)
{
	return work_gen_passed(moving.gen) ? 0 : -EAGAIN;
}

static void switch_here(void *arg)
{
	sched_switch_policy(this_pcpu(), arg);
}

static int await_dead(void)
{
	return domain_any_dead() ? -EAGAIN : 0;
}

static int post_switch(void)
{
	return ipi_post_call(moving.cpu->id, switch_here,
			     moving.joins ? moving.pool : &no_pool)
		       ? -EAGAIN
		       : 0;
}

static int await_switch(void)
{
	const struct sched_policy *wanted =
		moving.joins ? moving.pool->policy : &sched_nothing;

	return __atomic_load_n(&moving.cpu->policy, __ATOMIC_ACQUIRE) == wanted
		       ? 0
		       : -EAGAIN;
}

static int open_cpu(void)
{
	__atomic_fetch_or(&moving.pool->cpus, BIT64(moving.cpu->id),
			  __ATOMIC_SEQ_CST);
	return 0;
}

static int free_cpu(void)
{
	sched_cpu_fini(moving.cpu);
	moving.cpu->pool = &no_pool;
	return 0;
}

static int (*const parts_of_joining[])(void) = {
	post_switch, await_switch, open_cpu, fit_domains, NULL,
};
static int (*const parts_of_leaving[])(void) = {
	fit_domains,  begin_settle, settle, await_dead, post_switch,
	await_switch, begin_settle, settle, free_cpu,	NULL,
};

static int move_on(void)
{
	int (*const *parts)(void) =
		moving.joins ? parts_of_joining : parts_of_leaving;

	while (parts[moving.stage]) {
		int rc = parts[moving.stage]();

		if (rc == -EBUSY) {
			(void)open_cpu(); /* it stays */
			moving.pool = NULL;
		}
		if (rc) {
			return rc;
		}
		moving.stage++;
	}
	moving.pool = NULL;
	return 0;
}

static void begin_move(struct cpupool *p, struct pcpu *c, bool joins)
{
	moving.pool = p;
	moving.cpu = c;
	moving.joins = joins;
	moving.stage = 0;
	moving.next_domid = 0;
}

/* 0: nothing is under way; 1: just this is. */
static int is_under_way(const struct cpupool *p, uint32_t cpu, bool joins)
{
	if (!moving.pool) {
		return 0;
	}
	return moving.pool == p && moving.joins == joins &&
			       (cpu == CPUPOOL_ANY || cpu == moving.cpu->id)
		       ? 1
		       : -EADDRNOTAVAIL;
}

int cpupool_add_step(struct cpupool *p, uint32_t cpu)
{
	int rc = is_under_way(p, cpu, true);
	struct pcpu *c;

	if (rc != 0) {
		return rc > 0 ? move_on() : rc;
	}
	if (cpu == CPUPOOL_ANY) {
		uint64_t all = cpupool_free_cpus();

		if (!all) {
			return -ENODEV;
		}
		cpu = ffs64(all);
	}
	if (cpu >= nr_pcpus) {
		return -EINVAL;
	}
	c = pcpus[array_index_nospec(cpu, nr_pcpus)];
	if (c->pool != &no_pool) {
		return -ENODEV;
	}
	if (!is_like(p, c)) {
		return -EINVAL;
	}
	c->pool = p;
	rc = sched_cpu_init(c);
	if (rc) {
		c->pool = &no_pool;
		return rc;
	}
	begin_move(p, c, true);
	return move_on();
}

static int leave_step(struct cpupool *p, uint32_t cpu, bool off)
{
	int rc = is_under_way(p, cpu, false);

	if (rc != 0) {
		return rc > 0 ? move_on() : rc;
	}
	if ((p->id == POOL_0 && p->cpus == BIT64(cpu)) ||
	    (p->policy->needs_cpu && p->policy->needs_cpu(p, cpu, off))) {
		return -EBUSY;
	}
	__atomic_fetch_and(&p->cpus, ~BIT64(cpu), __ATOMIC_SEQ_CST);
	begin_move(p, pcpus[array_index_nospec(cpu, nr_pcpus)], false);
	return move_on();
}

int cpupool_remove_step(struct cpupool *p, uint32_t cpu)
{
	if (moving.pool) {
		return leave_step(p, cpu, false);
	}
	if (cpu == CPUPOOL_ANY && p->cpus) {
		cpu = fls64(p->cpus);
	}
	if (cpu >= nr_pcpus) {
		return -EINVAL;
	}
	if (!(p->cpus & BIT64(cpu))) {
		return -EADDRNOTAVAIL;
	}
	return cpu == BOOT_CPU ? -EINVAL : leave_step(p, cpu, false);
}

/* ---- off line ------------------------------------------------------------ */

int cpupool_off_step(struct pcpu *c, uint32_t *id)
{
	int rc = 0;

	if (c->pool != &no_pool) {
		*id = c->pool->id;
		rc = leave_step(c->pool, c->id, true);
	}
	if (rc == 0) {
		c->pool = &off_line;
	}
	return rc;
}

void cpupool_on(struct pcpu *c)
{
	c->pool = &no_pool;
}
