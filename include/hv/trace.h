/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Always-on flight recorder: a ring of 32-byte records per CPU, written by
 * that CPU only.
 */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include <lib/types.h>
#include <hv/trace_events.h>

struct trace_rec {
	uint64_t ticks; /* ns since boot */
	uint16_t event; /* enum trace_event */
	uint16_t cpu;
	uint32_t a;
	uint64_t b;
	uint64_t c;
};

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c);
void trace_init_cpu(void);
/* The last @n records of @cpu to the console; it may go on writing them. */
void trace_dump_last(uint16_t cpu, unsigned int n);

#endif
