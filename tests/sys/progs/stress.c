/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * stress SECONDS [THREADS]: keeps all CPUs busy with work whose results are
 * known.
 *
 * Per thread (default: two per CPU): vector registers kept across preemption
 * and system calls, a memory pattern written and read back, bytes to and from
 * a partner through pipes (context switches, interrupts between CPUs), short
 * sleeps that must not end early, and a clock that no two CPUs may see run
 * backwards. A hypervisor that loses or mixes up state shows here. Prints one
 * line, PASS or FAIL; ends with 0 or 1.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_WORDS  (256 * 1024 / 8)
#define MAX_THREADS   256

struct worker {
	pthread_t thread;
	unsigned int number;
	int to_partner, from_partner;
	uint64_t *memory;
	uint64_t rounds;
};

static struct worker workers[MAX_THREADS];
static _Atomic(int64_t) latest; /* the latest time any thread saw, in ns */
static _Atomic(int) failed;
static int64_t deadline;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void fail(const struct worker *w, const char *what)
{
	if (!atomic_exchange(&failed, 1)) {
		printf("stress: FAIL: thread %u, round %llu: %s\n", w->number,
		       (unsigned long long)w->rounds, what);
	}
}

/*
 * Fills the vector registers with values of this thread, gives up the CPU by
 * system calls, looks at them again.
 */
static void vector_registers(struct worker *w)
{
	uint64_t seed = ((uint64_t)w->number << 32) + w->rounds, differ;

	for (int i = 0; i < 4; i++) {
		__asm__ volatile(
			"dup v8.2d, %1\n add v9.2d, v8.2d, v8.2d\n"
			"add v10.2d, v9.2d, v8.2d\n add v11.2d, v10.2d, v8.2d\n"
			"mov v28.16b, v8.16b\n mov v29.16b, v9.16b\n"
			"mov v30.16b, v10.16b\n mov v31.16b, v11.16b\n"
			"mov x8, %2\n svc #0\n"
			"mov x9, #20000\n 1: subs x9, x9, #1\n b.ne 1b\n"
			"eor v8.16b, v8.16b, v28.16b\n"
			"eor v9.16b, v9.16b, v29.16b\n"
			"eor v10.16b, v10.16b, v30.16b\n"
			"eor v11.16b, v11.16b, v31.16b\n"
			"dup v12.2d, %1\n eor v28.16b, v28.16b, v12.16b\n"
			"orr v8.16b, v8.16b, v9.16b\n"
			"orr v10.16b, v10.16b, v11.16b\n"
			"orr v8.16b, v8.16b, v10.16b\n"
			"orr v8.16b, v8.16b, v28.16b\n"
			"mov x8, v8.d[0]\n mov x9, v8.d[1]\n orr %0, x8, x9\n"
			: "=&r"(differ)
			: "r"(seed), "i"(124 /* sched_yield */)
			: "x0", "x8", "x9", "cc", "memory", "v8", "v9", "v10",
			  "v11", "v12", "v28", "v29", "v30", "v31");
		if (differ) {
			fail(w, "vector registers changed");
		}
	}
}

static void floating_point(struct worker *w)
{
	volatile double sum = w->number;

	for (int i = 1; i <= 2000; i++) {
		sum = sum + (double)i * 0.5;
	}
	for (int i = 1; i <= 2000; i++) {
		sum = sum - (double)i * 0.5;
	}
	if (sum != (double)w->number) {
		fail(w, "floating point went wrong");
	}
}

static void memory_pattern(struct worker *w)
{
	uint64_t seed = w->rounds * 0x9e3779b97f4a7c15 + w->number;

	for (uint64_t i = 0; i < MEMORY_WORDS; i++) {
		w->memory[i] = seed ^ (i * 0x100000001b3);
	}
	for (uint64_t i = 0; i < MEMORY_WORDS; i++) {
		if (w->memory[i] != (seed ^ (i * 0x100000001b3))) {
			fail(w, "memory changed");
		}
	}
}

/*
 * A byte to the partner, and its byte back: two context switches, or
 * interrupts from CPU to CPU.
 */
static void ping_pong(struct worker *w)
{
	unsigned char out = (unsigned char)w->rounds, in;

	for (int i = 0; i < 20; i++) {
		if (write(w->to_partner, &out, 1) != 1 ||
		    read(w->from_partner, &in, 1) != 1) {
			return; /* the partner is done */
		}
		if (in != out) {
			fail(w, "the partner's byte is another");
		}
	}
}

static void timers(struct worker *w)
{
	struct timespec nap = { 0, 2000000 };
	int64_t before = now(), seen;

	nanosleep(&nap, NULL);
	if (now() - before < nap.tv_nsec) {
		fail(w, "a sleep ended early");
	}
	for (int i = 0; i < 1000; i++) {
		seen = atomic_load(&latest);
		before = now();
		if (before < seen) {
			fail(w, "the clock of this CPU is behind another's");
		}
		while (seen < before &&
		       !atomic_compare_exchange_weak(&latest, &seen, before)) {
		}
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (now() < deadline && !atomic_load(&failed)) {
		vector_registers(w);
		floating_point(w);
		memory_pattern(w);
		timers(w);
		ping_pong(w);
		w->rounds++;
	}
	close(w->to_partner);
	return NULL;
}

/* Two partners share two pipes. */
static void connect_pair(struct worker *a, struct worker *b)
{
	int there[2], back[2];

	if (pipe(there) || pipe(back)) {
		perror("stress: pipe");
		exit(1);
	}
	a->to_partner = there[1];
	b->from_partner = there[0];
	b->to_partner = back[1];
	a->from_partner = back[0];
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? atol(argv[1]) : 1;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long threads = argc > 2 ? atol(argv[2]) : 2 * cpus;
	uint64_t rounds = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGPIPE, SIG_IGN);
	threads = (threads + 1) / 2 * 2;
	if (seconds < 1 || threads < 2 || threads > MAX_THREADS) {
		printf("usage: stress SECONDS [THREADS, at most %d]\n",
		       MAX_THREADS);
		return 1;
	}
	deadline = now() + seconds * 1000000000;
	for (long i = 0; i < threads; i += 2) {
		connect_pair(&workers[i], &workers[i + 1]);
	}
	for (long i = 0; i < threads; i++) {
		workers[i].number = (unsigned int)i;
		workers[i].memory = malloc(MEMORY_WORDS * 8);
		if (!workers[i].memory ||
		    pthread_create(&workers[i].thread, NULL, work,
				   &workers[i])) {
			printf("stress: FAIL: no memory or no thread\n");
			return 1;
		}
	}
	for (long i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		rounds += workers[i].rounds;
	}
	if (!failed) {
		printf("stress: PASS: %ld CPUs, %ld threads, %llu rounds\n",
		       cpus, threads, (unsigned long long)rounds);
	}
	return failed;
}
