/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy "arinc653": a fixed plan of windows, repeated. In its window a vCPU
 * has the CPU for itself, outside of its windows it does not run, whoever is
 * idle. Windows on several CPUs go on side by side.
 *
 * Owns    of each pool the plan and the one that waits for the end of the
 *         frame; struct arinc_cpu of each CPU, struct member of each vCPU. As
 *         an exception it writes v->cpu of a vCPU that it picks: all CPUs of a
 *         pool share one lock.
 * Not     which registers are where (sched.c).
 * Locks   arinc.lock is every CPU's run queue lock: which plan holds, where
 *         its frame began, who is in a window. What else a plan says does not
 *         change once vCPUs run; plans come and go under the pool lock.
 *         A vCPU that is not in the pool yet, or no more, is not queued.
 * Rule    frames follow each other without a gap: a CPU that looks late does
 *         not move the next edge.
 * Bounds  a decision walks each window once a frame. A new plan costs
 *         windows^2, and windows * vCPUs; no CPU waits for that.
 */
#include <abi/xen.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/string.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <hv/work.h>

#define NR_WINDOWS    ARINC653_MAX_DOMAINS_PER_SCHEDULE
#define WINDOW_NS_MIN UINT64_C(10000)
#define FRAME_NS_MAX  UINT64_C(1000000000000) /* a new plan waits that long */
#define FIRST_NS      UINT64_C(10000000) /* of dom0's vCPUs, as Xen has it */

struct window {
	uint64_t begin_ns; /* since the frame began */
	uint64_t end_ns;
	struct vcpu *vcpu; /* NULL: nobody, or not made yet */
	xen_domain_handle_t handle;
	uint16_t vcpu_id;
	uint16_t cpu;
};

struct plan {
	uint64_t frame_ns; /* 0: nobody runs */
	uint32_t nr;
	bool is_given; /* by somebody; else made here, for dom0 */
	struct window window[NR_WINDOWS];
};

/* Of one pool. */
struct arinc {
	struct spinlock lock; /* every CPU's run queue lock */
	struct plan *now;     /* never NULL */
	struct plan *next;    /* holds from the end of the frame on, or NULL */
	struct plan *old;     /* nobody reads it any more, or NULL */
	uint64_t frame_begin_ns;
	struct list_node members; /* pool lock */
};

/* A vCPU that is in the pool, or will be. */
struct member {
	struct list_node all;
	struct vcpu *vcpu;
};

/* pcpu.sched is the policy's own; this policy's shape of it. */
struct arinc_cpu {
	struct arinc *all;
	uint64_t frame; /* in which ->at holds */
	uint32_t at;	/* no window before this one is of use any more */
	const struct vcpu *owner; /* of the window seen last; not to be used */
};

static struct arinc *arinc_of(const struct cpupool *p)
{
	return p->sched;
}

static struct arinc_cpu *arinc_cpu(const struct pcpu *c)
{
	return (struct arinc_cpu *)(void *)c->sched;
}

/* ---- time ---------------------------------------------------------------- */

/*
 * Come to the frame that @now is in. The plan changes where a frame ends.
 * Returns now, which is not before the frame.
 */
static uint64_t go_on(struct arinc *a, uint64_t now)
{
	if (now < a->frame_begin_ns) { /* another CPU was first */
		return a->frame_begin_ns;
	}
	/* bound: 2, as a plan waits at most once */
	while (a->now->frame_ns &&
	       now - a->frame_begin_ns >= a->now->frame_ns) {
		uint64_t frames = (now - a->frame_begin_ns) / a->now->frame_ns;

		if (!a->next) {
			a->frame_begin_ns += frames * a->now->frame_ns;
			continue;
		}
		a->frame_begin_ns += a->now->frame_ns;
		a->old = a->now;
		a->now = a->next;
		a->next = NULL;
	}
	return now;
}

/* Whose time on @c @now is in; NULL: nobody's until the end of the frame. */
static const struct window *window_at(struct pcpu *c, uint64_t now)
{
	struct arinc_cpu *s = arinc_cpu(c);
	const struct arinc *a = s->all;

	if (s->frame != a->frame_begin_ns) {
		s->frame = a->frame_begin_ns;
		s->at = 0;
	}
	for (; s->at < a->now->nr; s->at++) { /* bound: NR_WINDOWS a frame */
		const struct window *w = &a->now->window[s->at];

		if (w->cpu == c->id && now - a->frame_begin_ns < w->end_ns) {
			return w;
		}
	}
	return NULL;
}

/* ---- the policy ---------------------------------------------------------- */

static int arinc_pool_init(struct cpupool *p)
{
	struct arinc *a = heap_alloc(NULL, sizeof(*a));

	if (!a) {
		return -ENOMEM;
	}
	a->now = heap_alloc(NULL, sizeof(*a->now));
	if (!a->now) {
		heap_free(NULL, a);
		return -ENOMEM;
	}
	list_init(&a->members);
	spin_lock_init(&a->lock, LOCK_RANK_RUNQ);
	p->lock = &a->lock;
	p->sched = a;
	return 0;
}

static void arinc_pool_fini(struct cpupool *p)
{
	struct arinc *a = arinc_of(p);

	heap_free(NULL, a->now);
	heap_free(NULL, a->next);
	heap_free(NULL, a->old);
	heap_free(NULL, a);
}

static int arinc_cpu_init(struct pcpu *c)
{
	struct arinc_cpu *s = heap_alloc(NULL, sizeof(*s));

	if (!s) {
		return -ENOMEM;
	}
	s->all = arinc_of(c->pool);
	c->sched = (struct sched_cpu *)(void *)s;
	return 0;
}

static void arinc_cpu_fini(struct pcpu *c)
{
	heap_free(NULL, arinc_cpu(c));
}

static bool has_window(const struct plan *p, uint32_t cpu)
{
	for (uint32_t i = 0; p && i < p->nr; i++) { /* bound: NR_WINDOWS */
		const struct window *w = &p->window[i];

		if (w->cpu == cpu && w->vcpu &&
		    w->vcpu->domain->state < DOM_DYING) {
			return true;
		}
	}
	return false;
}

/* A vCPU would lose its time without a word. */
static bool arinc_needs_cpu(struct cpupool *p, uint32_t cpu, bool off)
{
	struct arinc *a = arinc_of(p);
	bool needs;

	(void)off;
	spin_lock(&a->lock);
	(void)go_on(a, arch_time_ns());
	needs = has_window(a->now, cpu) || has_window(a->next, cpu);
	spin_unlock(&a->lock);
	return needs;
}

/* Windows of @v that nobody has are @v's, one that has begun as well. */
static void bind(struct plan *p, struct vcpu *v)
{
	for (uint32_t i = 0; p && i < p->nr; i++) { /* bound: NR_WINDOWS */
		struct window *w = &p->window[i];

		if (!w->vcpu && w->vcpu_id == v->id &&
		    memcmp(w->handle, v->domain->handle, sizeof(w->handle)) ==
			    0) {
			w->vcpu = v;
			pcpu_post(pcpus[w->cpu], PWORK_RESCHED);
		}
	}
}

static void unbind(struct plan *p, const struct vcpu *v)
{
	for (uint32_t i = 0; p && i < p->nr; i++) { /* bound: NR_WINDOWS */
		if (p->window[i].vcpu == v) {
			p->window[i].vcpu = NULL;
		}
	}
}

/* The n-th CPU of @p, which has more than that. */
static uint16_t nth_cpu(const struct cpupool *p, uint32_t n)
{
	uint64_t cpus = p->cpus;

	while (n-- > 0) { /* bound: NR_CPUS */
		cpus &= cpus - 1;
	}
	return (uint16_t)ffs64(cpus);
}

/* Until somebody makes a plan, dom0's vCPUs take turns on all CPUs. */
static void add_to_first(const struct cpupool *p, const struct vcpu *v)
{
	struct plan *plan = arinc_of(p)->now;
	uint32_t nr_cpus = popcount64(p->cpus);
	struct window *w;

	if (plan->is_given || !v->domain->is_control ||
	    plan->nr == NR_WINDOWS) {
		return;
	}
	w = &plan->window[plan->nr++];
	memcpy(w->handle, v->domain->handle, sizeof(w->handle));
	w->vcpu_id = (uint16_t)v->id;
	w->cpu = nth_cpu(p, v->id % nr_cpus);
	w->begin_ns = v->id / nr_cpus * FIRST_NS;
	w->end_ns = w->begin_ns + FIRST_NS;
	plan->frame_ns = w->end_ns;
}

static int arinc_vcpu_init(struct cpupool *p, struct vcpu *v, void **priv)
{
	struct arinc *a = arinc_of(p);
	struct member *m = heap_alloc(NULL, sizeof(*m));

	if (!m) {
		return -ENOMEM;
	}
	m->vcpu = v;
	*priv = m;
	list_add_tail(&m->all, &a->members);
	spin_lock(&a->lock);
	add_to_first(p, v);
	bind(a->now, v);
	bind(a->next, v);
	spin_unlock(&a->lock);
	return 0;
}

static void arinc_vcpu_fini(struct cpupool *p, void *priv)
{
	struct arinc *a = arinc_of(p);
	struct member *m = priv;

	list_del(&m->all);
	spin_lock(&a->lock);
	unbind(a->now, m->vcpu);
	unbind(a->next, m->vcpu);
	spin_unlock(&a->lock);
	heap_free(NULL, m);
}

static bool arinc_enqueue(struct pcpu *c, struct vcpu *v, uint64_t now)
{
	(void)now;
	return arinc_cpu(c)->owner == v;
}

/* Nothing is in any order: v->queued says it all. */
static void arinc_dequeue(struct pcpu *c, struct vcpu *v)
{
	(void)c;
	(void)v;
}

static bool arinc_leave(struct pcpu *c, struct vcpu *v)
{
	(void)c;
	(void)v;
	return false;
}

static bool can_run(const struct pcpu *c, const struct vcpu *v)
{
	return v->queued && (v->cpus & BIT64(c->id)) &&
	       (v->loaded_on == CPU_NONE || v->loaded_on == c->id);
}

static uint64_t next_edge(const struct arinc *a, const struct window *w)
{
	if (a->now->frame_ns == 0) {
		return UINT64_MAX;
	}
	return a->frame_begin_ns + (w ? w->end_ns : a->now->frame_ns);
}

static struct sched_decision arinc_pick(struct pcpu *c, struct vcpu *prev,
					bool prev_runnable, uint64_t now)
{
	struct arinc *a = arinc_cpu(c)->all;
	const struct window *w = window_at(c, go_on(a, now));
	struct vcpu *v = w ? w->vcpu : NULL;

	arinc_cpu(c)->owner = v;
	/* Beyond its window it may have one on another CPU. */
	c->keeps = v && v == c->loaded ? BIT64(c->id) : 0;
	if (v != prev || !prev_runnable) {
		if (v && can_run(c, v)) {
			__atomic_store_n(&v->cpu, c->id, __ATOMIC_RELEASE);
		} else {
			v = NULL;
		}
	}
	return (struct sched_decision){
		.next = v,
		.until_ns = next_edge(a, w),
	};
}

/* A window is the vCPU's own. */
static bool arinc_yield(struct pcpu *c, struct vcpu *prev)
{
	(void)c;
	(void)prev;
	return false;
}

/* Where its window is now. */
static uint16_t arinc_choose_cpu(const struct vcpu *v, uint64_t idle)
{
	uint64_t allowed = v->cpus;

	(void)idle;
	for (uint64_t m = allowed; m; m &= m - 1) { /* bound: NR_CPUS */
		if (arinc_cpu(pcpus[ffs64(m)])->owner == v) {
			return (uint16_t)ffs64(m);
		}
	}
	return !allowed || (BIT64(v->cpu) & allowed) ? v->cpu
						     : (uint16_t)ffs64(allowed);
}

static uint32_t arinc_nr_queued(const struct pcpu *c)
{
	(void)c;
	return 0; /* nobody's time is another's */
}

static struct vcpu *arinc_steal(struct pcpu *from, uint16_t to)
{
	(void)from;
	(void)to;
	return NULL;
}

static int arinc_set_params(struct pcpu *c, struct vcpu *v,
			    const struct sched_params *p)
{
	(void)c;
	(void)v;
	(void)p;
	return -EINVAL; /* the plan says it */
}

static void arinc_get_params(const struct vcpu *v, struct sched_params *p)
{
	(void)v;
	p->weight = 0;
}

/* ---- plans --------------------------------------------------------------- */

/* Where the last window on @cpu ends. */
static uint64_t end_on(const struct plan *p, uint16_t cpu)
{
	for (uint32_t i = p->nr; i > 0; i--) { /* bound: NR_WINDOWS */
		if (p->window[i - 1].cpu == cpu) {
			return p->window[i - 1].end_ns;
		}
	}
	return 0;
}

/* Has the vCPU of @w another CPU at that time? */
static bool is_elsewhere(const struct plan *p, const struct window *w)
{
	if (w->vcpu_id == SCHED_PLAN_NOBODY) {
		return false;
	}
	for (uint32_t i = 0; i < p->nr; i++) { /* bound: NR_WINDOWS */
		const struct window *o = &p->window[i];

		if (o->end_ns > w->begin_ns && o->begin_ns < w->end_ns &&
		    o->vcpu_id == w->vcpu_id &&
		    memcmp(o->handle, w->handle, sizeof(w->handle)) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * The next window of @p, which lasts @ns, on one of @cpus. NULL, or what is
 * wrong with it.
 */
static const char *add_window(struct plan *p, uint64_t cpus, uint64_t ns)
{
	struct window *w = &p->window[p->nr];

	if (w->cpu >= nr_pcpus || !(cpus & BIT64(w->cpu))) {
		return "names a CPU that is not in the pool";
	}
	w->begin_ns = end_on(p, w->cpu);
	w->end_ns = w->begin_ns + ns;
	if (ns < WINDOW_NS_MIN && w->vcpu_id != SCHED_PLAN_NOBODY) {
		return "is shorter than 10 us";
	}
	if (ns > p->frame_ns - w->begin_ns) {
		return "ends after the frame";
	}
	if (is_elsewhere(p, w)) {
		return "is of a vCPU that is on another CPU then";
	}
	p->nr++;
	return NULL;
}

/*
 * Fill @p, zeroed, with what @s says of windows on @cpus. NULL, or what is
 * wrong with p->nr.
 */
static const char *read_plan(struct plan *p, uint64_t cpus,
			     const struct xen_sysctl_arinc653_schedule *s)
{
	const char *wrong = NULL;

	p->is_given = true;
	p->frame_ns = s->major_frame;
	if (p->frame_ns < WINDOW_NS_MIN || p->frame_ns > FRAME_NS_MAX) {
		return "is in a frame that is not 10 us to 1000 s";
	}
	if (s->num_sched_entries < 1 || s->num_sched_entries > NR_WINDOWS) {
		return "is one of none, or of more than 64";
	}
	while (!wrong && p->nr < s->num_sched_entries) {
		struct window *w = &p->window[p->nr];
		uint32_t where = s->sched_entries[p->nr].vcpu_id;

		memcpy(w->handle, s->sched_entries[p->nr].dom_handle,
		       sizeof(w->handle));
		w->vcpu_id = (uint16_t)where;
		w->cpu = (uint16_t)(where >> SCHED_PLAN_CPU_SHIFT);
		wrong = add_window(p, cpus,
				   s->sched_entries[p->nr].runtime);
	}
	return wrong;
}

/* Pool lock. @new holds from the end of this frame on. */
static void install(struct cpupool *p, struct plan *new)
{
	struct arinc *a = arinc_of(p);
	struct plan *unused[2];
	uint64_t now;

	spin_lock(&a->lock);
	now = go_on(a, arch_time_ns());
	unused[0] = a->old;
	unused[1] = a->next;
	a->old = NULL;
	a->next = new;
	if (a->now->frame_ns == 0) { /* there is none: at once */
		unused[1] = a->now;
		a->now = new;
		a->next = NULL;
		a->frame_begin_ns = now;
	}
	spin_unlock(&a->lock);
	heap_free(NULL, unused[0]);
	heap_free(NULL, unused[1]);
	for (uint64_t m = p->cpus; m; m &= m - 1) { /* bound: NR_CPUS */
		pcpu_post(pcpus[ffs64(m)], PWORK_RESCHED);
	}
}

int sched_plan_set(struct cpupool *p,
		   const struct xen_sysctl_arinc653_schedule *s)
{
	struct plan *new = heap_alloc(NULL, sizeof(*new));
	struct list_node *pos;
	const char *wrong;

	if (!new) {
		return -ENOMEM;
	}
	wrong = read_plan(new, p->cpus, s);
	if (wrong) {
		log_warn("arinc653: plan refused: window %u %s\n", new->nr,
			 wrong);
		heap_free(NULL, new);
		return -EINVAL;
	}
	sched_vcpus_hold();
	list_for_each (pos, &arinc_of(p)->members) { /* bound: vCPUs */
		bind(new, list_entry(pos, struct member, all)->vcpu);
	}
	install(p, new);
	sched_vcpus_release();
	return 0;
}

void sched_plan_get(const struct cpupool *p,
		    struct xen_sysctl_arinc653_schedule *s)
{
	struct arinc *a = arinc_of(p);
	const struct plan *plan;

	memset(s, 0, sizeof(*s));
	sched_vcpus_hold();
	spin_lock(&a->lock);
	plan = a->next ? a->next : a->now;
	spin_unlock(&a->lock);
	s->major_frame = plan->frame_ns;
	s->num_sched_entries = (uint8_t)plan->nr;
	for (uint32_t i = 0; i < plan->nr; i++) { /* bound: NR_WINDOWS */
		const struct window *w = &plan->window[i];

		memcpy(s->sched_entries[i].dom_handle, w->handle,
		       sizeof(w->handle));
		s->sched_entries[i].vcpu_id =
			w->vcpu_id | ((uint32_t)w->cpu << SCHED_PLAN_CPU_SHIFT);
		s->sched_entries[i].runtime = w->end_ns - w->begin_ns;
	}
	sched_vcpus_release();
}

const struct sched_policy sched_arinc653 = {
	.name = "arinc653",
	.sched_id = SCHED_ID_ARINC653,
	.has_shared_queue = true,
	.is_real_time = true,
	.pool_init = arinc_pool_init,
	.pool_fini = arinc_pool_fini,
	.cpu_init = arinc_cpu_init,
	.cpu_fini = arinc_cpu_fini,
	.needs_cpu = arinc_needs_cpu,
	.vcpu_init = arinc_vcpu_init,
	.vcpu_fini = arinc_vcpu_fini,
	.enqueue = arinc_enqueue,
	.dequeue = arinc_dequeue,
	.leave = arinc_leave,
	.pick = arinc_pick,
	.yield = arinc_yield,
	.choose_cpu = arinc_choose_cpu,
	.nr_queued = arinc_nr_queued,
	.steal = arinc_steal,
	.set_params = arinc_set_params,
	.get_params = arinc_get_params,
};
