/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a domain of boot time is not the end: what its policy says
 * happens, with a growing wait and up to a limit.
 *
 * Owns    d->restart: counts, the wait, the heartbeat.
 * Not     the work itself (restart_steps.c), which vCPU 0 does in the place of
 *         its guest: the domain pays for it out of its own CPU time.
 * Locks   none. Whoever has claimed the shutdown (d->shutdown_claimed) writes
 *         here until the next life begins; there is one such at a time.
 * Races   the end of the domain by its controller: d->state is DOM_DYING
 *         before restart_cancel(), and tear-down waits until vCPU 0 is off
 *         its CPU and each CPU has passed a work point.
 * Bounds  O(1) but for restart_fini_step(): a block of 2 MiB a step.
 */
#include <hv/restart.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>

#define NS_PER_MS UINT64_C(1000000)
/* A life as long as this ends a row of restarts. */
#define LONG_LIFE_NS (60000 * NS_PER_MS)
#define DOUBLINGS    6u
/* A vCPU that still runs on another CPU is off it after about this. */
#define RETRY_NS UINT64_C(20000)

static const char *const cause_names[NR_RESTART_CAUSES] = {
	[RESTART_POWEROFF] = "power-off",
	[RESTART_REBOOT] = "reboot",
	[RESTART_CRASH] = "crash",
	[RESTART_WATCHDOG] = "watchdog",
};

static enum restart_cause cause_of(uint8_t code)
{
	switch (code) {
	case SHUTDOWN_poweroff:
		return RESTART_POWEROFF;
	case SHUTDOWN_reboot:
		return RESTART_REBOOT;
	case SHUTDOWN_watchdog:
		return RESTART_WATCHDOG;
	default:
		return RESTART_CRASH;
	}
}

/* It suspends to be resumed by its controller: that is no end. */
static enum restart_action action_for(const struct restart *r, uint8_t code)
{
	return code == SHUTDOWN_suspend
		       ? RESTART_HALT
		       : (enum restart_action)r->policy.on[cause_of(code)];
}

static void again(struct domain *d, uint8_t code)
{
	struct restart *r = d->restart;
	const char *why = cause_names[cause_of(code)];
	uint64_t wait;

	if (r->policy.limit && r->row >= r->policy.limit) {
		log_err("%s ended: reason %u (%s), after %u restarts in a "
			"row, its limit: it stays down\n",
			d->name, code, why, r->row);
		return;
	}
	wait = (uint64_t)r->policy.backoff_ms
	       << (r->row < DOUBLINGS ? r->row : DOUBLINGS);
	r->row++;
	r->count++;
	log_info("%s ended: reason %u (%s), restart %u in %llu ms\n", d->name,
		 code, why, r->count, (unsigned long long)wait);
	timer_set(&r->due, arch_time_ns() + wait * NS_PER_MS);
}

void restart_ended(struct domain *d, uint8_t code)
{
	struct restart *r = d->restart;

	timer_cancel(&r->heartbeat);
	if (arch_time_ns() - r->started_ns >= LONG_LIFE_NS) {
		r->row = 0;
	}
	switch (action_for(r, code)) {
	case RESTART_HALT:
		log_info("%s ended: reason %u\n", d->name, code);
		break;
	case RESTART_AGAIN:
		again(d, code);
		break;
	case RESTART_CRASH_MACHINE:
		log_err("%s ended: reason %u (%s), and the machine with it\n",
			d->name, code, cause_names[cause_of(code)]);
		domain_fails_machine();
	}
}

void restart_failed(struct domain *d)
{
	log_err("%s: not enough memory to restart it\n", d->name);
	domain_pause(d);
	again(d, d->shutdown_code);
}

/* ---- the wait is over ---------------------------------------------------- */

/* It is on no CPU: from here on it does the work of restart_steps.c. */
static void put_to_work(struct domain *d, struct vcpu *v)
{
	struct restart *r = d->restart;

	v->runstate_area = RUNSTATE_AREA_NONE;
	arch_vcpu_reset(v, r->entry, r->fdt);
	r->part = 0;
	r->at = 0;
	__atomic_store_n(&r->running, true, __ATOMIC_RELEASE);
	__atomic_store_n(&v->work, VWORK_VTIMER, __ATOMIC_SEQ_CST);
	vcpu_online(v); /* whichever of the two it was not, it is now */
	vcpu_wake(v);
	vcpu_unpause(v);
}

static void due(void *arg)
{
	struct domain *d = arg;

	if (__atomic_load_n(&d->state, __ATOMIC_SEQ_CST) != DOM_SHUTDOWN) {
		return;
	}
	if (!domain_is_descheduled(d)) {
		timer_set(&d->restart->due, arch_time_ns() + RETRY_NS);
		return;
	}
	put_to_work(d, d->vcpu[0]);
}

/* ---- a life -------------------------------------------------------------- */

static void heartbeat_missed(void *arg)
{
	domain_shutdown(arg, SHUTDOWN_watchdog);
}

void restart_heartbeat(struct domain *d)
{
	struct restart *r = d->restart;

	if (r->policy.heartbeat_ms) {
		timer_set(&r->heartbeat,
			  arch_time_ns() + r->policy.heartbeat_ms * NS_PER_MS);
	}
}

void restart_begin(struct domain *d)
{
	d->restart->started_ns = arch_time_ns();
	restart_heartbeat(d);
}

void restart_init(struct domain *d)
{
	timer_init(&d->restart->due, due, d);
	timer_init(&d->restart->heartbeat, heartbeat_missed, d);
}

/* ---- the end ------------------------------------------------------------- */

void restart_cancel(struct domain *d)
{
	if (d->restart) {
		timer_cancel(&d->restart->due);
		timer_cancel(&d->restart->heartbeat);
	}
}

int restart_fini_step(struct domain *d)
{
	struct restart *r = d->restart;
	const struct restart_block *b;

	if (!r) {
		return 0;
	}
	if (r->nr_blocks) {
		b = &r->block[--r->nr_blocks];
		hv_free_pages(d, b->va, b->order);
		return -EAGAIN;
	}
	/* One that ran while it was cancelled may have set it again. */
	timer_cancel_wait(&r->due);
	timer_cancel_wait(&r->heartbeat);
	d->restart = NULL;
	heap_free(d, r->block);
	heap_free(d, r);
	return 0;
}
