/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measuring guests share. Meant for GICv3 and QEMU's instruction
 * clock (-icount shift=0), where a tick of the counter is 16 instructions and
 * a run is deterministic; tools/bench/bench.py starts them and does the
 * arithmetic. Each figure is one line:
 *
 *	BENCH name ticks N iterations N
 */
#ifndef GUEST_BENCH_H
#define GUEST_BENCH_H

#include "guest.h"

#define COST_N		20000u
#define LATENCY_N	200u

/*
 * Between these two is what a figure is about. Both execute an instruction
 * that does nothing, by which bench.py --profile finds it.
 */
uint64_t bench_start(void);		/* the counter */
void bench_report(const char *name, uint64_t ticks, unsigned int n);

/*
 * A loop of @n times one operation, nothing subtracted. Calls go through the
 * library's hypercall() and smccc_hvc(), as any C program's would: 13 and 5
 * instructions that a figure includes besides the two of the loop. @per: the
 * operation handles so many at once.
 */
#define COST_OF(name, n, per, op) do {					\
	unsigned int n_;						\
	uint64_t t_ = bench_start();					\
	for (n_ = (n); n_; n_--) {					\
		op;							\
		asm volatile("" ::: "memory");				\
	}								\
	bench_report(name, counter() - t_, (n) * (per));		\
} while (0)

#define COST(name, op)	COST_OF(name, COST_N, 1, op)

/*
 * Latencies are sums of single measurements. They end in the IRQ vector of
 * bench_vectors, whose first instruction reads the counter; from there they
 * return to their caller, interrupts masked again as the exception left them.
 * Its vector for synchronous exceptions steps over the instruction at fault
 * and changes x3.
 */
extern const char bench_vectors[];

struct arrival {
	uint64_t at;		/* counter in the vector */
	uint64_t iar;		/* still active */
};

struct arrival bench_sgi(uint64_t sgi1r, uint64_t *t0);
/* A register whose writing makes its device interrupt at once. */
struct arrival bench_device(uint64_t reg, uint32_t value, uint64_t *t0);
struct arrival bench_timer(uint64_t deadline);
struct arrival bench_wfi(uint64_t deadline);
struct arrival bench_wfi_masked(uint64_t deadline);
struct arrival bench_wait_running(void);
struct arrival bench_wait_blocked(void);

uint64_t bench_vbar(uint64_t vbar);	/* sets it, gives the old one */
uint64_t bench_taken(struct arrival a);	/* ends the interrupt; when it came */
/*
 * i instructions, more or less: spreads the phase of the counter, so that an
 * average is finer than a tick.
 */
void bench_jitter(unsigned int i);
void bench_timer_latency(const char *name, struct arrival (*fn)(uint64_t));
void bench_settle(void);

#endif
