/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Always-on flight recorder: a ring of 32-byte records per CPU, written by
 * that CPU only.
 */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include <lib/types.h>
#include <hv/console.h>
#include <hv/trace_events.h>

struct trace_rec {
	uint64_t ticks; /* ns since boot */
	uint32_t event; /* enum trace_event */
	uint32_t a;
	uint64_t b;
	uint64_t c;
};

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c);
void trace_init_cpu(void);
/* The first four of @nr words of a record of trace buffers, as TRACE_XEN. */
void trace_xen(uint32_t event, const uint32_t *words, unsigned int nr);
/*
 * The last @n records of @cpu to the log; it may go on writing them: one that
 * was overwritten meanwhile is counted, not printed.
 */
void trace_dump_last(enum log_level lvl, uint16_t cpu, unsigned int n);

#endif
