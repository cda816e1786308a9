/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy "arinc653": a fixed plan of windows, repeated. In its window a vCPU
 * has the CPU for itself, outside of its windows it does not run, whoever is
 * idle. Windows on several CPUs go on side by side.
 *
 * Owns    the plan, the one that waits for the end of the frame, and
 *         struct arinc_cpu of each CPU. As an exception it writes v->cpu of a
 *         vCPU that it picks: all CPUs share one lock.
 * Not     which registers are where (sched.c).
 * Locks   arinc_lock is every CPU's run queue lock: which plan holds, where
 *         its frame began, who is in a window. What else a plan says does not
 *         change once vCPUs run; plans come and go under the pool lock.
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

/* pcpu.sched is the policy's own; this policy's shape of it. */
struct arinc_cpu {
	uint64_t frame; /* in which ->at holds */
	uint32_t at;	/* no window before this one is of use any more */
	const struct vcpu *owner; /* of the window seen last; not to be used */
};

static struct spinlock arinc_lock = SPINLOCK_INIT(RUNQ);
static struct plan *plan_now;  /* NULL before the first CPU is there */
static struct plan *plan_next; /* holds from the end of the frame on, or NULL */
static struct plan *plan_old;  /* nobody reads it any more, or NULL */
static uint64_t frame_begin_ns;
static struct list_node vcpus; /* vcpu.runq; pool lock */

static struct arinc_cpu *arinc_cpu(const struct pcpu *c)
{
	return (struct arinc_cpu *)(void *)c->sched;
}

/* ---- time ---------------------------------------------------------------- */

/*
 * Come to the frame that @now is in. The plan changes where a frame ends.
 * Returns now, which is not before the frame.
 */
static uint64_t go_on(uint64_t now)
{
	if (now < frame_begin_ns) { /* another CPU was first */
		return frame_begin_ns;
	}
	/* bound: 2, as a plan waits at most once */
	while (plan_now->frame_ns &&
	       now - frame_begin_ns >= plan_now->frame_ns) {
		uint64_t frames = (now - frame_begin_ns) / plan_now->frame_ns;

		if (!plan_next) {
			frame_begin_ns += frames * plan_now->frame_ns;
			continue;
		}
		frame_begin_ns += plan_now->frame_ns;
		plan_old = plan_now;
		plan_now = plan_next;
		plan_next = NULL;
	}
	return now;
}

/* Whose time on @c @now is in; NULL: nobody's until the end of the frame. */
static const struct window *window_at(struct pcpu *c, uint64_t now)
{
	struct arinc_cpu *s = arinc_cpu(c);

	if (s->frame != frame_begin_ns) {
		s->frame = frame_begin_ns;
		s->at = 0;
	}
	for (; s->at < plan_now->nr; s->at++) { /* bound: NR_WINDOWS a frame */
		const struct window *w = &plan_now->window[s->at];

		if (w->cpu == c->id && now - frame_begin_ns < w->end_ns) {
			return w;
		}
	}
	return NULL;
}

/* ---- the policy ---------------------------------------------------------- */

static int arinc_cpu_init(struct pcpu *c)
{
	struct arinc_cpu *s = heap_alloc(NULL, sizeof(*s));

	if (s && !plan_now) {
		list_init(&vcpus);
		plan_now = heap_alloc(NULL, sizeof(*plan_now));
	}
	if (!s || !plan_now) {
		heap_free(NULL, s);
		return -ENOMEM;
	}
	c->sched = (struct sched_cpu *)(void *)s;
	c->runq_lock = &arinc_lock;
	return 0;
}

/* Windows of @v that nobody has are @v's. */
static void bind(struct plan *p, struct vcpu *v)
{
	for (uint32_t i = 0; p && i < p->nr; i++) { /* bound: NR_WINDOWS */
		struct window *w = &p->window[i];

		if (!w->vcpu && w->vcpu_id == v->id &&
		    memcmp(w->handle, v->domain->handle, sizeof(w->handle)) ==
			    0) {
			w->vcpu = v;
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

/* Until somebody makes a plan, dom0's vCPUs take turns on all CPUs. */
static void add_to_first(const struct vcpu *v)
{
	uint32_t nr_cpus = popcount64(cpus_online);
	struct window *w;

	if (plan_now->is_given || !v->domain->is_control ||
	    plan_now->nr == NR_WINDOWS) {
		return;
	}
	w = &plan_now->window[plan_now->nr++];
	memcpy(w->handle, v->domain->handle, sizeof(w->handle));
	w->vcpu_id = (uint16_t)v->id;
	w->cpu = (uint16_t)(v->id % nr_cpus);
	w->begin_ns = v->id / nr_cpus * FIRST_NS;
	w->end_ns = w->begin_ns + FIRST_NS;
	plan_now->frame_ns = w->end_ns;
	pcpu_post(pcpus[w->cpu], PWORK_RESCHED);
}

static int arinc_vcpu_init(struct vcpu *v)
{
	list_add_tail(&v->runq, &vcpus);
	spin_lock(&arinc_lock);
	add_to_first(v);
	bind(plan_now, v);
	bind(plan_next, v);
	spin_unlock(&arinc_lock);
	return 0;
}

static void arinc_vcpu_fini(struct vcpu *v)
{
	list_del(&v->runq);
	spin_lock(&arinc_lock);
	unbind(plan_now, v);
	unbind(plan_next, v);
	spin_unlock(&arinc_lock);
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
	return v->queued && (v->hard_affinity & BIT64(c->id)) &&
	       (v->loaded_on == CPU_NONE || v->loaded_on == c->id);
}

static uint64_t next_edge(const struct window *w)
{
	if (plan_now->frame_ns == 0) {
		return UINT64_MAX;
	}
	return frame_begin_ns + (w ? w->end_ns : plan_now->frame_ns);
}

static struct sched_decision arinc_pick(struct pcpu *c, struct vcpu *prev,
					bool prev_runnable, uint64_t now)
{
	const struct window *w = window_at(c, go_on(now));
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
		.until_ns = next_edge(w),
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
	uint64_t allowed = v->hard_affinity &
			   __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE);

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

/* The next window of @p, which lasts @ns. NULL, or what is wrong with it. */
static const char *add_window(struct plan *p, uint64_t ns)
{
	struct window *w = &p->window[p->nr];

	if (w->cpu >= nr_pcpus || !(cpus_online & BIT64(w->cpu))) {
		return "names a CPU that is not there";
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

/* Fill @p, zeroed, with what @s says. NULL, or what is wrong with p->nr. */
static const char *read_plan(struct plan *p,
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
		wrong = add_window(p, s->sched_entries[p->nr].runtime);
	}
	return wrong;
}

static void post_all(void)
{
	for (uint64_t m = cpus_online; m; m &= m - 1) { /* bound: NR_CPUS */
		pcpu_post(pcpus[ffs64(m)], PWORK_RESCHED);
	}
}

/* Pool lock. @p holds from the end of this frame on. */
static void install(struct plan *p)
{
	struct plan *unused[2];
	uint64_t now;

	spin_lock(&arinc_lock);
	now = go_on(arch_time_ns());
	unused[0] = plan_old;
	unused[1] = plan_next;
	plan_old = NULL;
	plan_next = p;
	if (plan_now->frame_ns == 0) { /* there is none: at once */
		unused[1] = plan_now;
		plan_now = p;
		plan_next = NULL;
		frame_begin_ns = now;
	}
	spin_unlock(&arinc_lock);
	heap_free(NULL, unused[0]);
	heap_free(NULL, unused[1]);
	post_all();
}

int sched_plan_set(const struct xen_sysctl_arinc653_schedule *s)
{
	struct plan *p = heap_alloc(NULL, sizeof(*p));
	struct list_node *pos;
	const char *wrong;

	if (!p) {
		return -ENOMEM;
	}
	wrong = read_plan(p, s);
	if (wrong) {
		log_warn("arinc653: plan refused: window %u %s\n", p->nr,
			 wrong);
		heap_free(NULL, p);
		return -EINVAL;
	}
	sched_vcpus_hold();
	list_for_each (pos, &vcpus) { /* bound: vCPUs */
		bind(p, list_entry(pos, struct vcpu, runq));
	}
	install(p);
	sched_vcpus_release();
	return 0;
}

void sched_plan_get(struct xen_sysctl_arinc653_schedule *s)
{
	const struct plan *p;

	memset(s, 0, sizeof(*s));
	sched_vcpus_hold();
	spin_lock(&arinc_lock);
	p = plan_next ? plan_next : plan_now;
	spin_unlock(&arinc_lock);
	s->major_frame = p->frame_ns;
	s->num_sched_entries = (uint8_t)p->nr;
	for (uint32_t i = 0; i < p->nr; i++) { /* bound: NR_WINDOWS */
		const struct window *w = &p->window[i];

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
	.cpu_init = arinc_cpu_init,
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
