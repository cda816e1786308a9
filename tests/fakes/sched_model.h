/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of tests/unit/test_sched_model.c share: its dice, and the
 * models that have a file of their own. The vCPUs are those of cpus_dom.
 */
#ifndef SCHED_MODEL_H
#define SCHED_MODEL_H

#include "fake_cpus.h"

#define US UINT64_C(1000)

/* 0 to @n - 1; the same row of numbers in each run of a world. */
uint32_t roll(uint32_t n);

/* @t is ready to run and does not. */
static inline bool waits(const struct vcpu *t)
{
	return t->state == VCPU_RUNNABLE && t->pause_count == 0;
}

/* ---- arinc653 ------------------------------------------------------------ */

void arinc653_run(uint64_t ns); /* it went by */
void arinc653_check(void);
void arinc653_set_at_random(uint32_t i);

#endif
