/* SPDX-License-Identifier: Apache-2.0 */
/* Costs and latencies in ticks of the virtual counter: see bench.h. */
#include "bench.h"

#define SETTLE_US	3000000u
/*
 * How far ahead a deadline is. Real Xen lets a software timer, which wakes an
 * idle CPU, be late by up to 50 us when it is armed nearer than that.
 */
#define AHEAD_TICKS	8000u

asm(
"	.text\n"
"	.globl	bench_vectors, bench_sgi, bench_timer\n"
"	.globl	bench_wfi, bench_wfi_masked, bench_device\n"
"	.globl	bench_wait_running, bench_wait_blocked\n"
"	.balign	2048\n"
"bench_vectors:\n"
"	.space	0x200\n"
"	mrs	x3, elr_el1\n"
"	add	x3, x3, #4\n"
"	msr	elr_el1, x3\n"
"	eret\n"
"	.balign	128\n"
"	mrs	x0, cntvct_el0\n"
"	mrs	x1, s3_0_c12_c12_0\n"		/* ICC_IAR1_EL1 */
"	mov	x2, #2\n"
"	msr	cntv_ctl_el0, x2\n"
"	isb\n"
"	ret\n"
"	.balign	2048\n"
"bench_sgi:\n"
"	msr	daifclr, #2\n"
"	isb\n"
"	mrs	x2, cntvct_el0\n"
"	str	x2, [x1]\n"
"	msr	s3_0_c12_c11_5, x0\n"		/* ICC_SGI1R_EL1 */
"1:	b	1b\n"
"bench_device:\n"
"	msr	daifclr, #2\n"
"	isb\n"
"	mrs	x3, cntvct_el0\n"
"	str	x3, [x2]\n"
"	str	w1, [x0]\n"
"1:	b	1b\n"
"bench_timer:\n"
"	mov	x2, #1\n"
"	msr	cntv_cval_el0, x0\n"
"	msr	cntv_ctl_el0, x2\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	b	1b\n"
"bench_wfi:\n"
"	mov	x2, #1\n"
"	msr	cntv_cval_el0, x0\n"
"	msr	cntv_ctl_el0, x2\n"
"bench_wait_blocked:\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	wfi\n"
"	b	1b\n"
"bench_wfi_masked:\n"
"	mov	x2, #1\n"
"	msr	cntv_cval_el0, x0\n"
"	msr	cntv_ctl_el0, x2\n"
"	isb\n"
"	wfi\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	b	1b\n"
"bench_wait_running:\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	yield\n"
"	b	1b\n"
);

uint64_t bench_start(void)
{
	asm volatile("hint #96");
	return counter();
}

void bench_report(const char *name, uint64_t ticks, unsigned int n)
{
	asm volatile("hint #97");
	printf("BENCH %s ticks %lu iterations %u\n", name, ticks, n);
}

uint64_t bench_vbar(uint64_t vbar)
{
	uint64_t old = sysreg_read(vbar_el1);

	sysreg_write(vbar_el1, vbar);
	isb();
	return old;
}

uint64_t bench_taken(struct arrival a)
{
	gic_eoi((uint32_t)a.iar);
	return a.at;
}

void bench_jitter(unsigned int i)
{
	uint64_t n = i % 16 + 1;

	asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(n) :: "cc");
}

void bench_timer_latency(const char *name, struct arrival (*fn)(uint64_t))
{
	uint64_t old = bench_vbar(PTR(bench_vectors));
	uint64_t sum = 0;
	unsigned int i;

	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		uint64_t deadline;

		bench_jitter(i);
		deadline = counter() + AHEAD_TICKS;
		sum += bench_taken(fn(deadline)) - deadline;
	}
	bench_vbar(old);
	bench_report(name, sum, LATENCY_N);
}

/*
 * Xen scrubs its free memory whenever a CPU idles, in steps that a wake-up
 * has to wait for: give it the time to finish.
 */
void bench_settle(void)
{
	uint64_t end = counter() + us_to_ticks(SETTLE_US);

	gic_enable(machine.intid_vtimer);
	while (counter() < end) {
		sysreg_write(cntv_cval_el0, end);
		sysreg_write(cntv_ctl_el0, CNT_ENABLE);
		wfi();
	}
	irq_wait(machine.intid_vtimer, 1);
}
