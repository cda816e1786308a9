/* SPDX-License-Identifier: Apache-2.0 */
/* Counter ticks and nanoseconds. */
#ifndef ARCH_TIME_H
#define ARCH_TIME_H

#include <lib/types.h>

/* Once, after the platform is known. */
void time_init(void);
/* Take the EL2 timer's interrupt line, on all CPUs. As irq_request(). */
__must_check int time_request_irq(void);
/* The physical counter now. */
uint64_t time_ticks(void);
/* Saturates: UINT64_MAX is "never". */
uint64_t ticks_to_ns(uint64_t ticks);

#endif
