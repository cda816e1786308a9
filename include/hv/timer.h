/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software timers: per-CPU deadline queues on one hardware comparator. The
 * callback runs on the CPU that armed the timer, with interrupts masked; it
 * may post work and re-arm, nothing longer.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <lib/types.h>
#include <lib/list.h>

#define CPU_NONE UINT16_MAX

struct pcpu;

struct timer {
	struct list_node node;
	uint64_t deadline_ns;
	void (*fn)(void *arg); /* listed in docs/layers.md */
	void *arg;
	uint16_t cpu;          /* whose queue it is on; CPU_NONE: not armed */
	bool stays;            /* the CPU's own: timer_take_from() */
};

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg);
/* Arm on this CPU; re-arms when armed. Deadline in hv time (arch_time_ns). */
void timer_set(struct timer *t, uint64_t deadline_ns);
/* Disarm wherever it is armed; a callback already running may still finish. */
void timer_cancel(struct timer *t);
/* Its callback is being run on some CPU: not yet to be freed. */
bool timer_is_running(const struct timer *t);
/*
 * Disarm, and wait until no CPU runs its callback any more: it can be freed.
 * No lock held that the callback takes, and not from a callback.
 */
void timer_cancel_wait(struct timer *t);
/* The comparator fired: run what is due (at most TIMER_BATCH a call). */
void timer_run_due(void);
void timer_init_cpu(void);
/*
 * A bounded step: timers armed on @from, another CPU, are armed here instead,
 * but for those that stay. -EAGAIN: there are more.
 */
__must_check int timer_take_from(struct pcpu *from);
/* This CPU has timers that need not stay. */
bool timer_has_others(struct pcpu *c);

#define TIMER_BATCH 16

#endif
