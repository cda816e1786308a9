/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUs watch each other: option watchdog=. */
#ifndef HV_WATCHDOG_H
#define HV_WATCHDOG_H

#include <lib/types.h>
#include <hv/percpu.h>

/*
 * Boot CPU, last before guests run, on all CPUs that are online: a CPU that
 * takes no timer interrupt for @seconds is the end of the machine. 0: off.
 * -EBUSY: a CPU takes no call.
 */
__must_check int watchdog_start(uint32_t seconds);
/* This CPU is on line again, or goes off line: the others see which are. */
void watchdog_join(void);
void watchdog_leave(void);

/* This CPU is alive; to be said also in a long dump to the console. */
static inline void watchdog_touch(void)
{
	struct pcpu *c = this_pcpu();

	__atomic_store_n(&c->beats, c->beats + 1, __ATOMIC_RELAXED);
}

#endif
