/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending work: one word per CPU and one per vCPU. The exit path looks at
 * both; work_run() (entry.h) empties them.
 */
#ifndef HV_WORK_H
#define HV_WORK_H

#include <lib/types.h>
#include <hv/percpu.h>

/* Any CPU: set @bits in c->work and make that CPU look. */
void pcpu_post(struct pcpu *c, uint32_t bits);
/*
 * Every other CPU has passed a work point since work_gen_snapshot() filled
 * @gen: what was unpublished before can be freed. Call both from a work point
 * or from a hypercall that holds no borrowed pointer. The snapshot tells the
 * other CPUs to come by.
 */
void work_gen_snapshot(uint32_t gen[NR_CPUS]);
bool work_gen_passed(const uint32_t gen[NR_CPUS]);
/* Own CPU: no signal needed. */
static inline void pcpu_post_self(uint32_t bits)
{
	(void)__atomic_fetch_or(&this_pcpu()->work, bits, __ATOMIC_RELAXED);
}

#endif
