/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor's paths cost, in ticks of the virtual counter. Meant
 * for one CPU, GICv3 and QEMU's instruction clock (-icount shift=0), where a
 * tick is 16 instructions and a run is deterministic; tools/bench/bench.py
 * starts it and does the arithmetic. Each figure is one line:
 *
 *	BENCH name ticks N iterations N
 *
 * Costs are a loop around the operation, nothing subtracted (the empty loop
 * is a figure of its own). Latencies are sums of single measurements; a
 * varying number of instructions before each spreads the phase of the
 * counter, so that the average is finer than a tick.
 */
#include "guest.h"

#define COST_N		20000u
#define LATENCY_N	200u
#define SETTLE_US	3000000u
#define UNUSED_NR	40u
/*
 * How far ahead a deadline is. Real Xen lets a software timer, which wakes an
 * idle CPU, be late by up to 50 us when it is armed nearer than that.
 */
#define AHEAD_TICKS	8000u
#define SGI		5u

/*
 * The measured side of each latency. They end in the IRQ vector, whose first
 * instruction reads the counter; from there they return to their caller with
 * interrupts masked again, as the exception left them.
 */
uint64_t latency_sgi(uint64_t sgi1r, uint64_t *t0);
uint64_t latency_timer(uint64_t deadline);
uint64_t latency_wfi(uint64_t deadline);
uint64_t latency_wfi_masked(uint64_t deadline);
extern const char bench_vectors[];

asm(
"	.text\n"
"	.globl	bench_vectors, latency_sgi, latency_timer\n"
"	.globl	latency_wfi, latency_wfi_masked\n"
"	.balign	2048\n"
"bench_vectors:\n"
"	.space	0x280\n"
"	mrs	x3, cntvct_el0\n"
"	mrs	x4, s3_0_c12_c12_0\n"		/* ICC_IAR1_EL1 */
"	mov	x5, #2\n"
"	msr	cntv_ctl_el0, x5\n"
"	isb\n"
"	msr	s3_0_c12_c12_1, x4\n"		/* ICC_EOIR1_EL1 */
"	isb\n"
"	mov	x0, x3\n"
"	ret\n"
"	.balign	2048\n"
"latency_sgi:\n"
"	msr	daifclr, #2\n"
"	isb\n"
"	mrs	x2, cntvct_el0\n"
"	str	x2, [x1]\n"
"	msr	s3_0_c12_c11_5, x0\n"		/* ICC_SGI1R_EL1 */
"1:	b	1b\n"
"latency_timer:\n"
"	mov	x2, #1\n"
"	msr	cntv_cval_el0, x0\n"
"	msr	cntv_ctl_el0, x2\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	b	1b\n"
"latency_wfi:\n"
"	mov	x2, #1\n"
"	msr	cntv_cval_el0, x0\n"
"	msr	cntv_ctl_el0, x2\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	wfi\n"
"	b	1b\n"
"latency_wfi_masked:\n"
"	mov	x2, #1\n"
"	msr	cntv_cval_el0, x0\n"
"	msr	cntv_ctl_el0, x2\n"
"	isb\n"
"	wfi\n"
"	msr	daifclr, #2\n"
"	isb\n"
"1:	b	1b\n"
);

static void report(const char *name, uint64_t ticks, unsigned int n)
{
	printf("BENCH %s ticks %lu iterations %u\n", name, ticks, n);
}

/*
 * A loop of COST_N times one operation. Calls go through the library's
 * hypercall() and smccc_hvc(), as any C program's would: 13 and 5 instructions
 * that a figure includes besides the two of the loop.
 */
#define COST(name, op) do {						\
	unsigned int n_;						\
	uint64_t t_ = counter();					\
	for (n_ = COST_N; n_; n_--) {					\
		op;							\
		asm volatile("" ::: "memory");				\
	}								\
	report(name, counter() - t_, COST_N);				\
} while (0)

static uint32_t bench_pair(void)
{
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF,
				     .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t b = { .remote_dom = DOMID_SELF };

	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, PTR(&a));
	b.remote_port = a.port;
	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, PTR(&b));
	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, PTR(&b.local_port));
	return b.local_port;
}

static void costs(void)
{
	static evtchn_send_t send;
	uint64_t gicd = machine.gicd.base;

	COST("loop", (void)0);
	COST("xen_version", hc2(__HYPERVISOR_xen_version, XENVER_version, 0));
	COST("unknown_hypercall", hc1(UNUSED_NR, 0));
	COST("psci_version", smccc_hvc(PSCI_VERSION, 0, 0, 0));
	COST("gicd_typer_read", mmio_read32(gicd + GICD_TYPER));
	COST("gicd_isenabler_write",
	     mmio_write32(gicd + GICD_ISENABLER + 4, 0));
	COST("sched_yield", hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
	send.port = bench_pair();
	COST("evtchn_send", hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send,
				PTR(&send)));
}

/* i instructions, more or less */
static void jitter(unsigned int i)
{
	uint64_t n = i % 16 + 1;

	asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(n) :: "cc");
}

static void timer_latency(const char *name, uint64_t (*fn)(uint64_t))
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < LATENCY_N; i++) {
		uint64_t deadline;

		jitter(i);
		deadline = counter() + AHEAD_TICKS;
		sum += fn(deadline) - deadline;
	}
	report(name, sum, LATENCY_N);
}

static void latencies(void)
{
	uint64_t old = sysreg_read(vbar_el1);
	uint64_t sum = 0;
	uint64_t t0;
	unsigned int i;

	gic_enable(SGI);
	gic_enable(machine.intid_vtimer);
	sysreg_write(vbar_el1, PTR(bench_vectors));
	isb();
	for (i = 0; i < LATENCY_N; i++) {
		jitter(i);
		sum += latency_sgi((uint64_t)SGI << 24 | 1, &t0) - t0;
	}
	sysreg_write(vbar_el1, old);
	report("sgi_to_self", sum, LATENCY_N);
	sysreg_write(vbar_el1, PTR(bench_vectors));
	timer_latency("timer_to_vector", latency_timer);
	timer_latency("wfi_timer_wake", latency_wfi);
	timer_latency("wfi_masked_timer_wake", latency_wfi_masked);
	sysreg_write(vbar_el1, old);
	isb();
}

/*
 * Xen scrubs its free memory whenever a CPU idles, in steps that a wake-up
 * has to wait for: give it the time to finish.
 */
static void let_it_settle(void)
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

/* Pages that are free and pages the control domain has. */
static void memory(void)
{
	/* struct xen_sysctl with physinfo: free_pages is at u + 48. */
	static uint64_t sysctl[17] = { 3 | UINT64_C(0x15) << 32 };
	static domid_t self = DOMID_SELF;

	if (hc1(__HYPERVISOR_sysctl, PTR(sysctl))) {
		return;
	}
	printf("BENCH free_pages %lu\n", sysctl[1 + 6]);
	printf("BENCH dom0_pages %lu\n",
	       (uint64_t)hc2(__HYPERVISOR_memory_op,
			     XENMEM_current_reservation, PTR(&self)));
}

static void bench(void)
{
	printf("BENCH frequency %lu\n", sysreg_read(cntfrq_el0));
	report("boot", machine.boot_ticks, 1);
	memory();
	costs();
	let_it_settle();
	if (machine.gic_version == 3) {
		latencies();
	}
}

const struct test guest_tests[] = {
	{ "bench", bench },
	{ NULL, NULL },
};
