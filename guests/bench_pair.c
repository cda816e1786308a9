/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two vCPUs of one domain cost each other (lib/bench.h says how).
 *
 * On two CPUs: an SGI and an event, from the instruction that sends it to the
 * other's vector, with the other one running and blocked. All CPUs count on
 * one instruction clock, in turns; `yield` ends a turn, so that a CPU which
 * waits for another adds only a few instructions. An SGI also runs without a
 * hypervisor.
 *
 * On one CPU (boot argument "one-cpu"): a switch from one vCPU to the other by
 * SCHEDOP_yield, with and without live floating-point registers.
 */
#include "bench.h"
#include "port.h"

#define SGI		5u
#define REST_TICKS	2000u		/* until the other is at rest */
#define SWITCHES	4000u

/* ---- two CPUs ------------------------------------------------------- */

struct meeting {
	struct arrival (*wait)(void);
	void (*prepare)(void);		/* before each wait, on its CPU */
	unsigned int ready;		/* rounds that it waited for */
	unsigned int done;		/* rounds that it has seen */
	uint64_t at;			/* when the last one came */
};

static void wait_here(void *arg)
{
	struct meeting *m = arg;
	uint64_t old = bench_vbar(PTR(bench_vectors));
	unsigned int i;

	for (i = 1; i <= LATENCY_N; i++) {
		struct arrival a;

		__atomic_store_n(&m->ready, i, __ATOMIC_RELEASE);
		a = m->wait();
		m->prepare();
		m->at = bench_taken(a);
		__atomic_store_n(&m->done, i, __ATOMIC_RELEASE);
	}
	bench_vbar(old);
}

static void until(unsigned int *count, unsigned int n)
{
	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < n) {
		asm volatile("yield");
	}
}

static void rest(void)
{
	uint64_t end = counter() + REST_TICKS;

	while (counter() < end) {
		asm volatile("yield");
	}
}

/* @send makes the other CPU's interrupt. */
static void cross(const char *name, struct meeting m, void (*send)(void))
{
	uint64_t sum = 0;
	unsigned int i;

	bench_start();
	cpu_run(1, wait_here, &m);
	for (i = 1; i <= LATENCY_N; i++) {
		uint64_t t0;

		until(&m.ready, i);
		rest();
		bench_jitter(i);
		t0 = counter();
		send();
		until(&m.done, i);
		sum += m.at - t0;
	}
	while (__atomic_load_n(&cpus[1].fn, __ATOMIC_ACQUIRE)) {
		asm volatile("yield");
	}
	bench_report(name, sum, LATENCY_N);
}

static uint8_t info[PAGE_SIZE] __attribute__((aligned(4096)));
static evtchn_send_t event;

static void nothing(void)
{
}

static void forget_event(void)
{
	volatile vcpu_info_t *v = (volatile void *)info;

	v->evtchn_upcall_pending = 0;
	v->evtchn_pending_sel = 0;
	ports_forget();
}

static void send_sgi(void)
{
	/* ICC_SGI1R_EL1, to Aff0 = 1 */
	sysreg_write(s3_0_c12_c11_5, (uint64_t)SGI << 24 | 2);
}

static void send_event(void)
{
	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, PTR(&event));
}

static void enable_sgi(void *arg)
{
	(void)arg;
	gic_enable(SGI);
}

/* The second CPU's own side of events, on that CPU. */
static void enable_events(void *arg)
{
	vcpu_register_vcpu_info_t r = { .mfn = PTR(info) / PAGE_SIZE };

	(void)arg;
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1,
		      PTR(&r)), 0);
	forget_event();
	gic_enable(machine.intid_evtchn);
	pump_us(100);
	forget_event();
}

/* A pair of ports of our own: what is sent at one comes to the second CPU. */
static void events_init(void)
{
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF,
				     .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t b = { .remote_dom = DOMID_SELF };
	evtchn_bind_vcpu_t to = { .vcpu = 1 };

	ports_init();
	CHECK(cpu_call(1, enable_events, NULL));
	EXPECT_EQ(EVTCHN(EVTCHNOP_alloc_unbound, &a), 0);
	b.remote_port = a.port;
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_interdomain, &b), 0);
	to.port = a.port;
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_vcpu, &to), 0);
	bitmap_clear(shared->evtchn_mask, a.port);
	event.port = b.local_port;
	forget_event();
}

static void two_cpus(void)
{
	struct meeting m = { .wait = bench_wait_running, .prepare = nothing };

	CHECK(cpu_call(1, enable_sgi, NULL));
	cross("ipi", m, send_sgi);
	m.wait = bench_wait_blocked;
	cross("ipi_blocked", m, send_sgi);
	if (machine.native) {
		return;
	}
	events_init();
	m.prepare = forget_event;
	cross("evtchn_blocked", m, send_event);
	m.wait = bench_wait_running;
	cross("evtchn_running", m, send_event);
}

/* ---- one CPU -------------------------------------------------------- */

static unsigned int ran_last;
static unsigned int switches;
static bool with_fp;

/* Counts the switch to this vCPU, if it was one, and yields. */
static void take_turn(unsigned int id)
{
	if (ran_last != id) {
		ran_last = id;
		switches++;
	}
	if (with_fp) {
		asm volatile("fmov d0, %0" :: "r"(PTR(&with_fp)));
	}
	hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	asm volatile("" ::: "memory");
}

static void take_turns(void *stop)
{
	while (!*(volatile bool *)stop) {
		take_turn(1);
	}
}

static void switch_cost(const char *name, bool fp)
{
	bool stop = false;
	uint64_t t0;

	with_fp = fp;
	cpu_run(1, take_turns, &stop);
	take_turn(0);
	switches = 0;
	t0 = bench_start();
	while (switches < SWITCHES) {
		take_turn(0);
	}
	bench_report(name, counter() - t0, switches);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&cpus[1].fn, __ATOMIC_ACQUIRE)) {
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
}

static void one_cpu(void)
{
	switch_cost("switch", false);
	switch_cost("switch_fp", true);
}

static void bench(void)
{
	printf("BENCH frequency %lu\n", sysreg_read(cntfrq_el0));
	EXPECT_EQ(cpu_start(1), 0);
	while (!__atomic_load_n(&cpus[1].online, __ATOMIC_ACQUIRE)) {
		asm volatile("yield");
	}
	if (has_bootarg("one-cpu")) {
		one_cpu();
	} else {
		two_cpus();
	}
}

const struct test guest_tests[] = {
	{ "bench_pair", bench },
	{ NULL, NULL },
};
