/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens when a domain of boot time ends: it stays down, begins again
 * from the images that boot gave it, or takes the machine with it.
 */
#ifndef HV_RESTART_H
#define HV_RESTART_H

#include <lib/types.h>
#include <hv/timer.h>

struct domain;
struct vcpu;

/* Why it ended; every SHUTDOWN_* that is not another one's is a crash. */
enum restart_cause {
	RESTART_POWEROFF,
	RESTART_REBOOT,
	RESTART_CRASH,
	RESTART_WATCHDOG,
	NR_RESTART_CAUSES,
};

enum restart_action {
	RESTART_HALT, /* first: what happens when nothing is said */
	RESTART_AGAIN,
	RESTART_CRASH_MACHINE,
};

/* What the device tree says; written by boot. */
struct restart_policy {
	uint8_t on[NR_RESTART_CAUSES]; /* enum restart_action */
	uint32_t limit;		       /* restarts in a row; 0: any number */
	uint32_t backoff_ms;	       /* before the first one of a row */
	uint32_t heartbeat_ms;	       /* longest time without a sign; 0: any */
};

/* Frames of the guest, one after the other. */
struct restart_range {
	uint64_t gfn;
	uint64_t nr;
	uint64_t mfn; /* the first, of a region that domains share */
	bool shared;  /* with other domains: what is in it stays as it is */
};

/* 2^order frames of what boot loaded at @gfn, in a block of ours at @va. */
struct restart_block {
	uint64_t gfn;
	void *va;
	uint32_t order;
};

#define RESTART_MAX_RANGES 17u

struct restart {
	/* Made by boot, does not change. */
	struct restart_policy policy;
	uint64_t entry; /* where vCPU 0 starts ... */
	uint64_t fdt;	/* ... with this in x0 */
	struct restart_range ram[RESTART_MAX_RANGES];
	uint32_t nr_ram;
	uint32_t nr_blocks;
	struct restart_block *block;

	/* Who has claimed the shutdown, then the CPU that has vCPU 0. */
	uint32_t count;	     /* restarts since boot */
	uint32_t row;	     /* ... without a long life in between */
	uint64_t started_ns; /* beginning of this life */
	uint32_t part;	     /* position: which part of the work, */
	uint64_t at;	     /* and where in it */
	bool running;	     /* vCPU 0 does that work, not its guest */
	struct timer due;    /* the wait before a restart is over */
	struct timer heartbeat;
};

/* ---- core/restart.c ------------------------------------------------------ */
/* Boot: all of @d->restart but the timers is filled in. */
void restart_init(struct domain *d);
/* A life of @d begins. */
void restart_begin(struct domain *d);
/*
 * @d has just been stopped with SHUTDOWN_* @code by the caller, the only one:
 * says what happens and has it happen. Takes no lock below rank TIMER.
 */
void restart_ended(struct domain *d, uint8_t code);
/* The work could not be done: its vCPUs, none of them paused, stop again. */
void restart_failed(struct domain *d);
/* A sign of life from a vCPU of @d. */
void restart_heartbeat(struct domain *d);
/* The end of @d: nothing is started any more. */
void restart_cancel(struct domain *d);
/* Give back what is kept; a bounded step; -EAGAIN: call again. */
__must_check int restart_fini_step(struct domain *d);

/* ---- core/restart_steps.c ------------------------------------------------ */
/*
 * Owner CPU, work point of vCPU 0 of a domain that restarts: one bounded step.
 * Posts VWORK_VTIMER again until there is nothing left to do.
 */
void restart_step(struct vcpu *v);

static inline bool restart_is_running(const struct restart *r)
{
	return r && __atomic_load_n(&r->running, __ATOMIC_ACQUIRE);
}

#endif
