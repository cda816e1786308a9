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
/* Own CPU: no signal needed. */
static inline void pcpu_post_self(uint32_t bits)
{
	(void)__atomic_fetch_or(&this_pcpu()->work, bits, __ATOMIC_RELAXED);
}

#endif
