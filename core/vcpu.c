/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a vCPU and what moves it from one to the other.
 *
 * Owns    v->state, v->pause_count, v->hard_affinity, v->cpus.
 * Not     where it is queued and who runs (sched.c), making and freeing
 *         (vcpu_create.c), run-state times (runstate.c).
 * Locks   the run queue lock of v->cpu for every change. State and pause count
 *         are read without it where the answer may be old: whoever changes
 *         them afterwards also posts.
 * Races   a wake-up against vcpu_block(): the waker sets its work bit, then
 *         reads the state; the blocker sets the state, then reads the work
 *         word. All four accesses are sequentially consistent, so at least one
 *         of them sees the other.
 * Bounds  every function is O(1) but for the policy's O(log n) queue.
 */
#include <hv/vcpu.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include <hv/work.h>

/* Work that a blocked vCPU would have to wake up for. */
#define VWORK_WAKES ((uint32_t)(VWORK_UPCALL | VWORK_VIRQ | VWORK_VTIMER))

static void state_set(struct vcpu *v, enum vcpu_state s)
{
	__atomic_store_n(&v->state, (uint8_t)s, __ATOMIC_SEQ_CST);
}

/* Lock of @c, its CPU, held; unlocked. While paused it still does not wait. */
static void make_runnable_unlock(struct pcpu *c, struct vcpu *v)
{
	uint64_t now = arch_time_ns();

	state_set(v, VCPU_RUNNABLE);
	vcpu_runstate_change(
		v, v->pause_count ? RUNSTATE_offline : RUNSTATE_runnable, now);
	sched_place_unlock(c, v, now);
}

void vcpu_wake(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);

	if (v->state != VCPU_BLOCKED) {
		sched_unlock(c);
		return;
	}
	make_runnable_unlock(c, v);
}

void vcpu_block(struct vcpu *v)
{
	struct pcpu *c = this_pcpu();
	bool asleep;

	spin_lock(c->runq_lock);
	asleep = v->state == VCPU_RUNNING;
	if (asleep) {
		state_set(v, VCPU_BLOCKED);
	}
	spin_unlock(c->runq_lock);
	if (!asleep) {
		return; /* put offline meanwhile */
	}

	if ((__atomic_load_n(&v->work, __ATOMIC_SEQ_CST) & VWORK_WAKES) ||
	    arch_vcpu_has_pending(v)) {
		spin_lock(c->runq_lock);
		/* Somebody's wake-up may have come first: then it is queued. */
		if (v->state == VCPU_BLOCKED) {
			state_set(v, VCPU_RUNNING);
			asleep = false;
		}
		spin_unlock(c->runq_lock);
	}
	if (asleep) {
		pcpu_post_self(PWORK_RESCHED);
	}
}

void vcpu_yield(struct vcpu *v)
{
	if (sched_yield_to_others(this_pcpu(), v)) {
		pcpu_post_self(PWORK_RESCHED);
	}
}

/*
 * Its CPU shall look: it runs there, or its registers wait there. Called
 * without the lock; when the vCPU has left that CPU already, the look is free.
 */
static void vcpu_tell(struct vcpu *v, uint32_t bits)
{
	uint16_t cpu = __atomic_load_n(&v->loaded_on, __ATOMIC_SEQ_CST);

	if (cpu != CPU_NONE) {
		pcpu_post(pcpus[cpu], bits);
	}
}

void vcpu_pause(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);

	__atomic_store_n(&v->pause_count, v->pause_count + 1,
			 __ATOMIC_SEQ_CST);
	if (v->pause_count == 1) {
		sched_remove_locked(c, v);
		if (v->runstate == RUNSTATE_runnable) {
			vcpu_runstate_change(v, RUNSTATE_offline,
					     arch_time_ns());
		}
	}
	sched_unlock(c);
	vcpu_tell(v, PWORK_RESCHED);
}

void vcpu_unpause(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);
	uint64_t now;

	if (NEVER(v->pause_count == 0)) {
		sched_unlock(c);
		return;
	}
	__atomic_store_n(&v->pause_count, v->pause_count - 1,
			 __ATOMIC_SEQ_CST);
	if (v->pause_count != 0 || v->state != VCPU_RUNNABLE) {
		sched_unlock(c);
		return;
	}
	now = arch_time_ns();
	vcpu_runstate_change(v, RUNSTATE_runnable, now);
	sched_place_unlock(c, v, now);
}

bool vcpu_is_descheduled(const struct vcpu *v)
{
	return __atomic_load_n(&v->loaded_on, __ATOMIC_SEQ_CST) == CPU_NONE;
}

void vcpu_online(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);

	if (v->state != VCPU_OFFLINE) {
		sched_unlock(c);
		return;
	}
	v->has_context = true;
	make_runnable_unlock(c, v);
}

void vcpu_offline(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);
	bool resched = false;

	if (v->state != VCPU_OFFLINE) {
		bool running = v->state == VCPU_RUNNING;

		state_set(v, VCPU_OFFLINE);
		sched_remove_locked(c, v);
		if (!running) {
			vcpu_runstate_change(v, RUNSTATE_offline,
					     arch_time_ns());
		}
		resched = sched_leave_locked(c, v);
	}
	sched_unlock(c);
	if (resched) {
		pcpu_post(c, PWORK_RESCHED);
	}
	vcpu_tell(v, PWORK_RESCHED);
}

/* Lock of @c, its CPU, held; unlocked. Of @cpus those that are in its pool. */
static void set_affinity_unlock(struct pcpu *c, struct vcpu *v,
				uint64_t cpus) NO_LOCK_ANALYSIS
{
	v->hard_affinity = cpus;
	/* Before the look whether it is in memory: see unload(). */
	vcpu_cpus_set(v, cpus & v->domain->pool->cpus);
	sched_remove_locked(c, v); /* a CPU it may use now may be idle */
	sched_place_unlock(c, v, arch_time_ns());
	vcpu_tell(v, PWORK_LEAVE | PWORK_RESCHED);
}

void vcpu_set_soft_affinity(struct vcpu *v, uint64_t cpus)
{
	struct pcpu *c = sched_lock_vcpu(v);

	v->soft_affinity = cpus;
	sched_heed_likes();
	set_affinity_unlock(c, v, v->hard_affinity);
}

static bool any_in_pool(const struct vcpu *v, uint64_t cpus)
{
	return cpus & v->domain->pool->cpus;
}

int vcpu_set_hard_affinity(struct vcpu *v, uint64_t cpus)
{
	struct pcpu *c = sched_lock_vcpu(v);
	int rc = v->pinned_from ? -EBUSY : 0;

	if (!any_in_pool(v, cpus)) {
		rc = -EINVAL;
	}
	if (rc) {
		sched_unlock(c);
		return rc;
	}
	set_affinity_unlock(c, v, cpus);
	return 0;
}

/* What it had before it was pinned; all, when none of these is left. */
static uint64_t without_pin(struct vcpu *v)
{
	uint64_t cpus = v->pinned_from ? v->pinned_from : v->hard_affinity;

	v->pinned_from = 0;
	return any_in_pool(v, cpus) ? cpus : UINT64_MAX;
}

int vcpu_pin(struct vcpu *v, uint64_t cpu)
{
	struct pcpu *c = sched_lock_vcpu(v);
	int rc = 0;

	if (cpu && !any_in_pool(v, cpu)) {
		rc = -EINVAL;
	} else if (!cpu == !v->pinned_from) {
		rc = cpu ? -EBUSY : -EINVAL;
	}
	if (rc) {
		sched_unlock(c);
		return rc;
	}
	if (cpu) {
		v->pinned_from = v->hard_affinity;
	} else {
		cpu = without_pin(v);
	}
	set_affinity_unlock(c, v, cpu);
	return 0;
}

void vcpu_fit_pool(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);
	uint64_t cpus = v->hard_affinity;
	bool breaks = !any_in_pool(v, cpus);

	if (breaks) {
		cpus = without_pin(v);
	}
	set_affinity_unlock(c, v, cpus);
	if (breaks && cpus == UINT64_MAX) {
		log_warn("d%uv%u: none of its CPUs is left: it may use all\n",
			 v->domain->id, v->id);
	}
}
