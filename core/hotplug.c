/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical CPUs go off line and come back while domains run.
 *
 * Owns    the one change that is under way; the pool each CPU came from; who
 *         was told to start and is not here yet.
 * Not     how a CPU leaves a pool (cpupool.c), how it is switched (the
 *         architecture).
 * Locks   control_lock; change.answer is atomic, written by the CPU that goes.
 * Order   off: it leaves its pool, so that no vCPU is on it or may come; the
 *         lines routed to it go elsewhere; all CPUs pass a work point, so what
 *         had come to it is dealt with; its timers are taken over; it looks
 *         itself whether nothing is left, then switches itself off.
 * Late    who does not come in START_NS is given up, not called back: others
 *         may go and come meanwhile. When it comes it waits, in no pool, until
 *         somebody asks for it again.
 * Bounds  a step is one domain, MOVE_STEP lines or TIMER_BATCH timers; the
 *         caller asks again. Who gives up half-way leaves it to the next one
 *         who asks for the same.
 * Spec    [XEN] sysctl.h "XEN_SYSCTL_cpu_hotplug".
 */
#include <hv/hotplug.h>

#include "domctl_priv.h"
#include "sysctl_priv.h"
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/ipi.h>
#include <hv/irq.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <hv/watchdog.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define START_NS UINT64_C(1000000000) /* what a CPU may take to come on line */
#define LAST_POLLS 16

typedef int (*part_fn)(void);

static struct {
	struct pcpu *cpu; /* NULL: none */
	const part_fn *part;
	bool on;	   /* what was asked for */
	int rc;		   /* what it comes to */
	int answer;	   /* of the CPU that goes; 0: none yet */
	uint32_t at;	   /* the next domain, the next line */
	uint64_t until_ns; /* it has to be on line */
	uint32_t gen[NR_CPUS];
} change;

static uint32_t home[NR_CPUS]; /* the pool's id, or CPUPOOL_ANY */
static uint64_t coming; /* bitmap: told to start, not welcomed yet */

/* ---- on ------------------------------------------------------------------ */

static bool is_coming(const struct pcpu *c)
{
	return coming & BIT64(c->id);
}

/* The way in is open while anybody may come by it. */
static void set_coming(bool is_coming)
{
	uint64_t bit = BIT64(change.cpu->id);

	coming = is_coming ? coming | bit : coming & ~bit;
	if (!coming) {
		arch_cpu_started();
	}
}

/* One that was given up and is still on its way is not told twice. */
static int start(void)
{
	int rc;

	change.until_ns = arch_time_ns() + START_NS;
	if (is_coming(change.cpu) && !arch_cpu_is_off(change.cpu->id)) {
		return 0;
	}
	rc = arch_cpu_start(change.cpu->id);
	set_coming(rc == 0);
	return rc;
}

static int await_start(void)
{
	if (__atomic_load_n(&change.cpu->online, __ATOMIC_ACQUIRE)) {
		return 0;
	}
	if (arch_time_ns() < change.until_ns) {
		return -EAGAIN;
	}
	log_err("CPU %u does not come on line\n", change.cpu->id);
	return -ETIME;
}

static void begin_here(void *arg)
{
	(void)arg;
	watchdog_join();
	pcpu_post_self(PWORK_TRACE);
}

static int set_free(void)
{
	cpupool_on(change.cpu);
	return 0;
}

/* Also one that came late and is to go again. */
static int welcome(void)
{
	if (!is_coming(change.cpu)) {
		return 0;
	}
	if (ipi_post_call(change.cpu->id, begin_here, NULL)) {
		return -EAGAIN;
	}
	set_coming(false);
	return set_free();
}

static int join(void)
{
	struct cpupool *p = cpupool_find(home[change.cpu->id]);
	int rc = p ? cpupool_add_step(p, change.cpu->id) : 0;

	if (rc && rc != -EAGAIN) {
		log_warn("CPU %u is in no pool: error %d\n", change.cpu->id,
			 -rc);
	}
	return rc;
}

static const part_fn parts_on[] = {
	start, await_start, welcome, join, NULL,
};
static const part_fn parts_back[] = {set_free, join, NULL};

/* ---- off ----------------------------------------------------------------- */

/* Where the toolstack wants it, whatever the pool has now. */
static bool has_other_cpu(const struct vcpu *v)
{
	uint64_t cpus = v->pinned_from ? v->pinned_from : v->hard_affinity;

	return cpus & v->domain->pool->cpus & ~BIT64(change.cpu->id);
}

static int ask(const struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	if (d->pool != change.cpu->pool || d->state >= DOM_DYING) {
		return -EAGAIN;
	}
	domain_for_each_vcpu (d, v, i) {
		if (!has_other_cpu(v)) {
			log_info("CPU %u stays on line: d%uv%u has no other\n",
				 change.cpu->id, d->id, i);
			return -EBUSY;
		}
	}
	return -EAGAIN;
}

static int ask_domains(void)
{
	struct domain *d = change.at < DOMID_FIRST_RESERVED
				   ? domain_next_get((domid_t)change.at)
				   : NULL;
	int rc;

	if (!d) {
		change.at = 0;
		return 0;
	}
	rc = ask(d);
	change.at = d->id + 1u;
	domain_put(d);
	return rc;
}

static int leave_pool(void)
{
	int rc = cpupool_off_step(change.cpu, &home[change.cpu->id]);

	return rc == -EADDRNOTAVAIL ? -EBUSY : rc;
}

static int move_lines(void)
{
	return irq_move_step(change.cpu->id, &change.at);
}

static int begin_settle(void)
{
	work_gen_snapshot(change.gen);
	return 0;
}

static int settle(void)
{
	return work_gen_passed(change.gen) ? 0 : -EAGAIN;
}

static void go_down(void *arg)
{
	int rc = -EAGAIN;

	(void)arg;
	for (int i = 0; i < LAST_POLLS; i++) {
		arch_irq_poll(); /* that had come before its line moved */
	}
	if (!timer_has_others(this_pcpu())) {
		watchdog_leave();
		sched_exit_cpu();
		timer_init_cpu(); /* its line is low while it is off */
		rc = arch_cpu_stop_self();
		sched_enter_cpu(); /* the firmware keeps it */
		watchdog_join();
	}
	__atomic_store_n(&change.answer, rc, __ATOMIC_RELEASE);
}

static int take_timers(void)
{
	return timer_take_from(change.cpu);
}

static int post_down(void)
{
	__atomic_store_n(&change.answer, 0, __ATOMIC_RELAXED);
	return ipi_post_call(change.cpu->id, go_down, NULL) ? -EAGAIN : 0;
}

static int await_down(void);

static const part_fn parts_off[] = {
	welcome, ask_domains, leave_pool, move_lines, begin_settle,
	settle,	 take_timers, post_down,  await_down, NULL,
};
#define TAKE_TIMERS (&parts_off[6])

static int await_down(void)
{
	int answer = __atomic_load_n(&change.answer, __ATOMIC_ACQUIRE);

	if (answer == -EAGAIN) { /* one was armed meanwhile */
		change.part = TAKE_TIMERS;
		return -EAGAIN;
	}
	if (answer) {
		change.rc = answer;
		change.part = parts_back;
		return -EAGAIN;
	}
	return !__atomic_load_n(&change.cpu->online, __ATOMIC_ACQUIRE) &&
			       arch_cpu_is_off(change.cpu->id)
		       ? 0
		       : -EAGAIN;
}

/* ---- either -------------------------------------------------------------- */

static int go_on(void)
{
	int rc = 0;

	while (*change.part) { /* bound: the parts */
		rc = (*change.part)();
		if (rc == -EAGAIN) {
			return rc;
		}
		if (rc) {
			break;
		}
		change.part++;
	}
	change.cpu = NULL;
	return rc ? rc : change.rc;
}

/* What can be said at once of @c; 0: begin. */
static int refuse(const struct pcpu *c, bool on)
{
	if (!c->pool) {
		return -ENODEV; /* it never came on line */
	}
	if (c->online == on && !(on && is_coming(c))) {
		return on ? -EEXIST : -ENODEV;
	}
	return on || arch_cpu_can_stop(c->id) ? 0 : -EOPNOTSUPP;
}

int hotplug_step(uint32_t cpu, bool on)
{
	struct pcpu *c;
	int rc;

	if (cpu >= nr_pcpus) {
		return -EINVAL;
	}
	c = pcpus[array_index_nospec(cpu, nr_pcpus)];
	if (change.cpu) {
		return change.cpu == c && change.on == on ? go_on() : -EBUSY;
	}
	rc = refuse(c, on);
	if (rc) {
		return rc;
	}
	change.cpu = c;
	change.on = on;
	change.part = on ? parts_on : parts_off;
	change.rc = 0;
	change.at = 0;
	if (!on && !is_coming(c)) {
		home[c->id] = CPUPOOL_ANY; /* unless it is in one */
	}
	return go_on();
}

int64_t sysctl_cpu_hotplug(struct vcpu *v, struct xen_sysctl *op)
{
	const struct xen_sysctl_cpu_hotplug *h = &op->u.cpu_hotplug;
	int rc;

	(void)v;
	if (h->op != XEN_SYSCTL_CPU_HOTPLUG_ONLINE &&
	    h->op != XEN_SYSCTL_CPU_HOTPLUG_OFFLINE) {
		return -EOPNOTSUPP; /* no CPU has threads */
	}
	spin_lock(&control_lock);
	rc = hotplug_step(h->cpu, h->op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE);
	spin_unlock(&control_lock);
	if (rc == -EAGAIN) {
		return HC_AGAIN;
	}
	return rc == -ETIME ? -EIO : rc;
}
