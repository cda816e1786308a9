/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit on the CPU time of all vCPUs of a domain together, for policies
 * that have one: what sched_cap.c keeps and when to ask it.
 */
#ifndef CORE_SCHED_CAP_PRIV_H
#define CORE_SCHED_CAP_PRIV_H

#include <lib/types.h>

struct cap;
struct vcpu;

/* A vCPU's part. Zeroed: no limit. */
struct cap_share {
	struct cap *cap; /* NULL: none; run queue lock */
	/* CAP lock */
	uint64_t since_ns;	/* charged up to here */
	uint64_t period_end_ns; /* of the period in which it got ->granted_ns */
	uint32_t granted_ns;	/* set aside for it, while it runs */
	bool runs;
};

/* @nr_vcpus will have a share. NULL: no memory. */
struct cap *cap_create(uint32_t percent, uint32_t nr_vcpus, uint64_t now_ns);
/* Nobody has a share of it any more. */
void cap_destroy(struct cap *cap);
uint32_t cap_percent(const struct cap *cap);
/* From the next period on. */
void cap_set_percent(struct cap *cap, uint32_t percent, uint64_t now_ns);
/* One share less, of a vCPU that is not parked. True: it was the last. */
__must_check bool cap_leave(struct cap *cap);

/* For the rest, the run queue lock of the vCPU's CPU is held. */

/* It ran, or may have run, until now. */
void cap_charge(struct cap_share *s, uint64_t now_ns);
/* There is time left. */
bool cap_has_time(struct cap_share *s, uint64_t now_ns);
/* It runs from now on: until when at most. */
uint64_t cap_begin(struct cap_share *s, uint64_t now_ns);
/* It does not go on, or not begin: its time is for those that are parked. */
void cap_end(struct cap_share *s, uint64_t now_ns);
/* @v, whose share it is, waits until there is time; it is in no queue. */
void cap_park(struct cap_share *s, struct vcpu *v, uint64_t now_ns);
/* It is parked no more, if it was. */
void cap_unpark(struct cap_share *s, struct vcpu *v);

#endif
