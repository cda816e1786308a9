/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two domains on two CPUs cost each other (lib/bench.h says how). The
 * device tree starts both; the one with "first" in its bootargs is domain 1,
 * measures, and has its port 10 joined with port 11 of domain 2.
 *
 * An event from one to the other's vector: each adds up the times of its own
 * side by the physical counter, which all domains read alike, and
 * tools/bench/bench.py takes the difference. There and back again: by events,
 * and with "shm" by a word of a page that both have.
 */
#include "bench.h"
#include "port.h"

#define FIRST_PORT	10u
#define SECOND_PORT	11u
#define SHM		UINT64_C(0x50000000)	/* bench.py puts it there */
#define REST_TICKS	2000u			/* until the other is at rest */
#define MANY		4000u

static bool first;
static uint32_t port;
static uint64_t offset;		/* of the physical counter to the virtual one */

/* The least that is seen between two looks a tick apart at most. */
static uint64_t counter_offset(void)
{
	uint64_t least = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		uint64_t virt = counter();
		uint64_t phys = sysreg_read(cntpct_el0);

		least = phys - virt < least ? phys - virt : least;
		bench_jitter(i);
	}
	return least;
}

/* ---- events ---------------------------------------------------------- */

static void send(void)
{
	static evtchn_send_t event;

	event.port = port;
	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, PTR(&event));
}

static void forget(void)
{
	bitmap_clear(shared->evtchn_pending, port);
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	dsb();
}

/* For the other's event, which is masked: no interrupt comes of it. */
static void until_sent(void)
{
	while (!port_pending(port)) {
		asm volatile("yield");
	}
	forget();
}

static void rest(void)
{
	uint64_t end = counter() + REST_TICKS;

	while (counter() < end) {
		asm volatile("yield");
	}
}

static void one_way_from(const char *name)
{
	uint64_t sum = 0;
	unsigned int i;

	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		until_sent();
		rest();
		bench_jitter(i);
		sum += counter() + offset;
		send();
	}
	rest(); /* until the last one has come the turn is the other's */
	bench_report(name, sum, LATENCY_N);
}

static void one_way_to(const char *name, struct arrival (*wait)(void))
{
	uint64_t sum = 0;
	unsigned int i;

	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		struct arrival a;

		send();
		a = wait();
		forget();
		sum += bench_taken(a) + offset;
	}
	bench_report(name, sum, LATENCY_N);
}

static void answer(void)
{
	unsigned int i;

	send();
	for (i = 0; i < LATENCY_N; i++) {
		struct arrival a = bench_wait_blocked();

		send();
		forget();
		bench_taken(a);
	}
}

static void ask(void)
{
	uint64_t sum = 0;
	unsigned int i;

	until_sent();
	bitmap_clear(shared->evtchn_mask, port);
	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		struct arrival a;
		uint64_t t0;

		rest();
		bench_jitter(i);
		t0 = counter();
		send();
		a = bench_wait_blocked();
		forget();
		sum += bench_taken(a) - t0;
	}
	bench_report("across_event_trip", sum, LATENCY_N);
}

/* ---- a word that both have -------------------------------------------- */

static uint32_t *const word = (void *)MAP_WINDOW;

static void until_word(uint32_t n)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != n) {
		asm volatile("yield");
	}
}

static void polled(void)
{
	uint32_t mine = first ? 1 : 0;
	uint64_t t0;
	uint32_t i;

	if (!has_bootarg("shm")) {
		return;
	}
	mmu_window(0, SHM, MAP_RW);
	t0 = bench_start();
	for (i = 0; i < MANY; i++) {
		until_word(2 * i + 1 - mine);
		__atomic_store_n(word, 2 * i + 2 - mine, __ATOMIC_RELEASE);
	}
	if (first) {
		until_word(2 * MANY);
		bench_report("across_polled_trip", counter() - t0, MANY);
	}
}

/* ------------------------------------------------------------------------ */

static void bench(void)
{
	uint64_t old;

	first = has_bootarg("first");
	port = first ? FIRST_PORT : SECOND_PORT;
	ports_init();
	bitmap_set(shared->evtchn_mask, port);
	pump_us(100);	/* of its birth one may wait */
	forget();
	bench_settle();
	if (!first) {
		bitmap_clear(shared->evtchn_mask, port);
	}
	offset = counter_offset();
	old = bench_vbar(PTR(bench_vectors));
	if (first) {
		printf("BENCH frequency %lu\n", sysreg_read(cntfrq_el0));
		one_way_from("across_running_sent");
		one_way_from("across_blocked_sent");
		ask();
	} else {
		one_way_to("across_running_taken", bench_wait_running);
		one_way_to("across_blocked_taken", bench_wait_blocked);
		answer();
	}
	polled();
	bench_vbar(old);
}

const struct test guest_tests[] = {
	{ "bench_across", bench },
	{ NULL, NULL },
};
