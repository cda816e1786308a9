/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on CPU time: in each period, the vCPUs of a domain use at most the
 * domain's budget, wherever they run. A vCPU that is to run takes a slice out
 * of the budget and gives back what it did not use. When nothing is left, those
 * that want to run are parked until the period ends.
 *
 * Owns    struct cap, and the part of it that each vCPU has.
 * Not     who has a limit, nor the order of those that have time (the policy).
 * Locks   cap.lock (rank CAP), inside of one run queue lock. The timer takes
 *         it without, and takes out of the list before it takes the run queue
 *         lock: a vCPU it has taken out is nowhere, but still counts as queued.
 * Exact   who ran too long, because its CPU looked late, has a debt, which the
 *         next period pays. What is left at the end of a period is lost.
 * Bounds  a timer releases RELEASE_MAX vCPUs, then goes off again; a period
 *         releases as many as its budget has slices, and what one gives back
 *         releases one more. While nobody is parked, there is no timer.
 */
#include "sched_cap_priv.h"

#include <lib/list.h>
#include <hv/arch.h>
#include <hv/heap.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/vcpu.h>

#define PERIOD_NS     UINT64_C(10000000) /* as credit2 of Xen has it */
#define NS_OF_PERCENT (PERIOD_NS / 100)
#define SLICE_NS_MIN  INT64_C(100000)
#define GRANT_NS_MIN  INT64_C(10000) /* when another CPU was faster */
#define PERIODS_MAX   1000u	     /* no debt is that high */
#define RELEASE_MAX   8

struct cap {
	struct spinlock lock;
	uint32_t percent; /* of one CPU */
	uint32_t nr_shares;
	uint32_t nr_due; /* how many of them are to be released */
	int64_t left_ns; /* of this period, without what is set aside */
	uint64_t period_end_ns;
	struct list_node parked; /* vcpu.runq; who waits longest is first */
	struct timer timer;	 /* armed when somebody is parked */
};

static int64_t budget_ns(const struct cap *cap)
{
	return (int64_t)(cap->percent * NS_OF_PERCENT);
}

static int64_t slice_ns(const struct cap *cap)
{
	int64_t ns = budget_ns(cap) / cap->nr_shares;

	return ns > SLICE_NS_MIN ? ns : SLICE_NS_MIN;
}

/* ---- under the lock ------------------------------------------------------ */

/* Begin the period that @now is in, if that is another one. */
static void renew_locked(struct cap *cap, uint64_t now)
{
	uint64_t periods;
	int64_t slices;

	if (now < cap->period_end_ns) {
		return;
	}
	periods = (now - cap->period_end_ns) / PERIOD_NS + 1;
	cap->period_end_ns += periods * PERIOD_NS;
	if (periods > PERIODS_MAX) {
		periods = PERIODS_MAX;
	}
	cap->left_ns += (int64_t)periods * budget_ns(cap);
	if (cap->left_ns > budget_ns(cap)) {
		cap->left_ns = budget_ns(cap);
	}
	slices = (cap->left_ns + slice_ns(cap) - 1) / slice_ns(cap);
	cap->nr_due = slices > 0 ? (uint32_t)slices : 0;
}

/* Those that are parked are looked at as soon as that is of use. */
static void arm_locked(struct cap *cap, uint64_t now)
{
	uint64_t at =
		cap->nr_due != 0 && cap->left_ns > 0 ? now : cap->period_end_ns;

	if (!list_is_empty(&cap->parked) &&
	    (cap->timer.cpu == CPU_NONE || cap->timer.deadline_ns > at)) {
		timer_set(&cap->timer, at);
	}
}

/* Is there time that nobody has asked for? Then one more may. */
static void pass_on_locked(struct cap *cap, uint64_t now)
{
	if (cap->left_ns > 0 && cap->nr_due == 0) {
		cap->nr_due = 1;
	}
	arm_locked(cap, now);
}

static void charge_locked(struct cap *cap, struct cap_share *s, uint64_t now)
{
	uint64_t end = now < s->period_end_ns ? now : s->period_end_ns;
	int64_t rest = (int64_t)s->granted_ns - (int64_t)(end - s->since_ns);

	if (!s->runs) {
		return;
	}
	s->runs = false;
	if (rest < 0 || s->period_end_ns == cap->period_end_ns) {
		cap->left_ns += rest;
	}
	renew_locked(cap, now);
	cap->left_ns -= (int64_t)(now - end);
}

/* ---- the timer ----------------------------------------------------------- */

/*
 * Whose turn it is, out of the list; NULL: nobody's. A vCPU does not go away
 * meanwhile: cap_leave() waits for the timer.
 */
static struct vcpu *next_due(struct cap *cap, uint64_t now)
{
	struct vcpu *v = NULL;

	spin_lock(&cap->lock);
	renew_locked(cap, now);
	if (!list_is_empty(&cap->parked) && cap->nr_due != 0 &&
	    cap->left_ns > 0) {
		v = list_entry(cap->parked.next, struct vcpu, runq);
		list_del(&v->runq);
		cap->nr_due--;
	}
	spin_unlock(&cap->lock);
	return v;
}

static void release_due(void *arg)
{
	struct cap *cap = arg;
	uint64_t now = arch_time_ns();

	for (int i = 0; i < RELEASE_MAX; i++) {
		struct vcpu *v = next_due(cap, now);

		if (!v) {
			break;
		}
		sched_requeue(v);
	}
	spin_lock(&cap->lock);
	arm_locked(cap, now);
	spin_unlock(&cap->lock);
}

/* ---- making and ending --------------------------------------------------- */

struct cap *cap_create(uint32_t percent, uint32_t nr_vcpus, uint64_t now_ns)
{
	struct cap *cap = heap_alloc(NULL, sizeof(*cap));

	if (!cap) {
		return NULL;
	}
	spin_lock_init(&cap->lock, LOCK_RANK_CAP);
	list_init(&cap->parked);
	timer_init(&cap->timer, release_due, cap);
	cap->percent = percent;
	cap->nr_shares = nr_vcpus;
	cap->left_ns = budget_ns(cap);
	cap->period_end_ns = now_ns + PERIOD_NS;
	return cap;
}

void cap_destroy(struct cap *cap)
{
	heap_free(NULL, cap);
}

uint32_t cap_percent(const struct cap *cap)
{
	return __atomic_load_n(&cap->percent, __ATOMIC_RELAXED);
}

void cap_set_percent(struct cap *cap, uint32_t percent, uint64_t now_ns)
{
	spin_lock(&cap->lock);
	renew_locked(cap, now_ns);
	__atomic_store_n(&cap->percent, percent, __ATOMIC_RELAXED);
	spin_unlock(&cap->lock);
}

bool cap_leave(struct cap *cap)
{
	bool is_last;

	/* It may have taken the vCPU that leaves out of the list. */
	timer_cancel_wait(&cap->timer);
	spin_lock(&cap->lock);
	cap->nr_shares--;
	is_last = cap->nr_shares == 0;
	arm_locked(cap, arch_time_ns());
	spin_unlock(&cap->lock);
	return is_last;
}

/* ---- what the policy asks ------------------------------------------------ */

void cap_charge(struct cap_share *s, uint64_t now_ns)
{
	spin_lock(&s->cap->lock);
	charge_locked(s->cap, s, now_ns);
	spin_unlock(&s->cap->lock);
}

bool cap_has_time(struct cap_share *s, uint64_t now_ns)
{
	bool has_time;

	spin_lock(&s->cap->lock);
	renew_locked(s->cap, now_ns);
	has_time = s->cap->left_ns > 0;
	spin_unlock(&s->cap->lock);
	return has_time;
}

uint64_t cap_begin(struct cap_share *s, uint64_t now_ns)
{
	struct cap *cap = s->cap;
	uint64_t until_ns = now_ns;
	int64_t ns;

	spin_lock(&cap->lock);
	renew_locked(cap, now_ns);
	ns = slice_ns(cap) < cap->left_ns ? slice_ns(cap) : cap->left_ns;
	if (ns < GRANT_NS_MIN) {
		ns = GRANT_NS_MIN;
	}
	cap->left_ns -= ns;
	s->granted_ns = (uint32_t)ns;
	s->since_ns = now_ns;
	s->period_end_ns = cap->period_end_ns;
	s->runs = true;
	until_ns += (uint64_t)ns;
	if (until_ns > cap->period_end_ns) {
		until_ns = cap->period_end_ns;
	}
	pass_on_locked(cap, now_ns);
	spin_unlock(&cap->lock);
	return until_ns;
}

void cap_end(struct cap_share *s, uint64_t now_ns)
{
	spin_lock(&s->cap->lock);
	pass_on_locked(s->cap, now_ns);
	spin_unlock(&s->cap->lock);
}

void cap_park(struct cap_share *s, struct vcpu *v, uint64_t now_ns)
{
	struct cap *cap = s->cap;

	spin_lock(&cap->lock);
	list_add_tail(&v->runq, &cap->parked);
	pass_on_locked(cap, now_ns); /* another may have given back meanwhile */
	spin_unlock(&cap->lock);
}

void cap_unpark(struct cap_share *s, struct vcpu *v)
{
	spin_lock(&s->cap->lock);
	list_del(&v->runq); /* once more is no harm */
	spin_unlock(&s->cap->lock);
}
