/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random hypercalls from a fixed seed, on all CPUs at once: the hypervisor
 * must answer each and stay whole, and must not write where it was not told.
 * Calls by which a control domain may rightly stop or rearrange the machine
 * are kept out: shutdown, debug keys, other domains' and schedulers' control.
 */
#include "guest.h"

#define ROUNDS		6000u
#define WORDS		64u

struct state {
	uint64_t seed;
	uint64_t (*buf)[WORDS];
	uint64_t odd;			/* answers that are neither */
};

extern const char _start[];
extern const char _edata[];

/* Pages per CPU that calls may read and write ... */
static uint64_t buffers[MAX_CPUS][3 * PAGE_SIZE / 8]
	__attribute__((aligned(4096)));
/* ... and one whose frame may be taken away: nobody touches it. */
static uint8_t sacrifice[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t guard[PAGE_SIZE] __attribute__((aligned(4096)));

static uint64_t next(struct state *s)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return s->seed;
}

/* Numbers that tend to hurt. */
static uint64_t number(struct state *s)
{
	static const uint64_t edge[] = {
		0, 1, 2, 7, 63, 64, 511, 1023, 4095, 4096, 0x7fff, 0x7ff0,
		0x7ff1, 0x7ff4, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		UINT64_C(1) << 32, UINT64_C(1) << 39, INT64_MAX, ~UINT64_C(0),
	};
	uint64_t r = next(s);

	switch (r >> 60) {
	case 0:
	case 1:
	case 2:
		return next(s);
	case 3:
		return PTR(sacrifice) / PAGE_SIZE;
	case 4:
	case 5:
		return PTR(s->buf) + (r & 0xfff);
	case 6:
	case 7:
		return r & 0xff;
	case 8:
		return (r & 0xff) << 32 | DOMID_SELF;
	default:
		return edge[(r >> 32) % ARRAY_SIZE(edge)];
	}
}

static uint64_t pointer(struct state *s)
{
	uint64_t r = next(s);

	switch (r >> 61) {
	case 0:
		return PTR(s->buf) + (r & 0x1fff);
	case 1:
		return MAP_UNMAPPED + (r & 0xffff);
	case 2:
		return machine.gicd.base + (r & 0xfff);
	case 3:
		return ram_top() - (r & 0xf);
	case 4:
		return next(s);
	default:
		return PTR(s->buf);
	}
}

/* The start of the buffer, whose words the caller has set, or nowhere. */
static uint64_t aligned_pointer(struct state *s)
{
	return next(s) & 3 ? PTR(s->buf) : MAP_UNMAPPED;
}

static uint64_t pick(struct state *s, const uint8_t *list, size_t n)
{
	return list[next(s) % n];
}

static void fill(struct state *s)
{
	uint64_t *w = (uint64_t *)s->buf;
	unsigned int i;

	for (i = 0; i < 24; i++) {
		w[i] = number(s);
	}
}

#define ONE_OF(s, ...) ({						\
	static const uint8_t list_[] = { __VA_ARGS__ };			\
	pick(s, list_, sizeof(list_)); })

/* Calls whose first argument is the pointer. */
static int64_t control_call(struct state *s, unsigned int nr)
{
	uint32_t *w = (uint32_t *)s->buf;
	bool right = next(s) & 1;

	if (nr == __HYPERVISOR_multicall) {
		uint64_t *m = (uint64_t *)s->buf;
		unsigned int i;

		for (i = 0; i < 8; i++) {	/* harmless entries */
			m[i * 8] = ONE_OF(s, 17, 40, 21, 13, 33);
		}
		return hc2(nr, aligned_pointer(s), next(s) % 9);
	}
	w[1] = nr == __HYPERVISOR_platform_op ? 0x03000001 : 0x15;
	if (!right) {
		w[1] ^= 1u << (next(s) % 32);
	}
	if (nr == __HYPERVISOR_sysctl) {
		w[0] = (uint32_t)ONE_OF(s, 3, 4, 6, 16, 17, 99, 200);
	} else if (nr == __HYPERVISOR_domctl) {
		w[0] = (uint32_t)ONE_OF(s, 2, 3, 4, 5, 9, 11, 12, 13, 14, 15,
					16, 17, 25, 35, 71, 81, 85, 86, 200);
		w[2] = 0x7000 + (uint32_t)(next(s) & 0xff);
	} else {
		w[0] = (uint32_t)ONE_OF(s, 1, 2, 17, 51, 62, 63, 200);
	}
	return hc1(nr, aligned_pointer(s));
}

static int64_t any_call(struct state *s)
{
	unsigned int nr = (unsigned int)ONE_OF(s,
		12, 12, 12, 17, 18, 20, 20, 20, 21, 24, 27, 29, 32, 32, 32, 33,
		34, 42, 7, 35, 36, 13, 6, 16, 19, 41, 39, 63);
	uint64_t sub = next(s) % 32;

	fill(s);
	switch (nr) {
	case __HYPERVISOR_platform_op:
	case __HYPERVISOR_sysctl:
	case __HYPERVISOR_domctl:
	case __HYPERVISOR_multicall:
		return control_call(s, nr);
	case __HYPERVISOR_console_io:
		return hc3(nr, 1 + sub % 3, number(s), MAP_UNMAPPED);
	case __HYPERVISOR_sched_op:
		return hc2(nr, ONE_OF(s, 0, 7, 8, 9, 200), pointer(s));
	case __HYPERVISOR_grant_table_op:
		/* A long list is answered all over memory: only nowhere. */
		return next(s) & 1 ?
			hc3(nr, sub % 14, pointer(s), 1 + next(s) % 4) :
			hc3(nr, sub % 14, MAP_UNMAPPED, number(s));
	case __HYPERVISOR_vcpu_op:
		return hc3(nr, sub, next(s) % 4, pointer(s));
	case __HYPERVISOR_memory_op:
		/* extent_order: single pages, or far too large */
		((uint32_t *)s->buf)[4] = next(s) & 1 ? 0 : 50;
		return hc2(nr, (next(s) % 8 ? 0 : next(s) << 6) | sub,
			   aligned_pointer(s));
	case __HYPERVISOR_hvm_op:
		return hc2(nr, sub % 4, pointer(s));
	default:
		return hypercall(nr, next(s) & 3 ? sub : number(s),
				 pointer(s), number(s), number(s), number(s));
	}
}

static void storm(void *arg)
{
	struct state *s = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		int64_t rc = any_call(s);

		/* An error, or a count or version: nothing in between. */
		if (rc < -200) {
			s->odd++;
		}
	}
}

static uint64_t checksum(void)
{
	const uint64_t *p = (const uint64_t *)(const void *)_start;
	const uint64_t *end = (const uint64_t *)(const void *)guest_tests;
	uint64_t sum = 0;

	/* Code and constants; what follows may change. */
	while (p < end) {
		sum = sum * 31 + *p++;
	}
	return sum;
}

static void survive(void)
{
	static struct state states[MAX_CPUS];
	uint64_t sum = checksum();
	unsigned int i;

	memset(guard, 0xa5, sizeof(guard));
	for (i = 0; i < machine.nr_cpus; i++) {
		states[i].seed = 0x9e3779b97f4a7c15 * (i + 1);
		states[i].buf = (void *)buffers[i];
		if (i) {
			EXPECT_EQ(cpu_start(i), 0);
			cpu_run(i, storm, &states[i]);
		}
	}
	storm(&states[0]);
	for (i = 1; i < machine.nr_cpus; i++) {
		while (__atomic_load_n(&cpus[i].fn, __ATOMIC_ACQUIRE)) {
			asm volatile("yield");
		}
	}
	for (i = 0; i < machine.nr_cpus; i++) {
		EXPECT_EQ(states[i].odd, 0);
	}
	for (i = 0; i < sizeof(guard); i++) {
		EXPECT_EQ(guard[i], 0xa5);
	}
	EXPECT_EQ(checksum(), sum);
}

static void still_alive(void)
{
	evtchn_bind_ipi_t b = { .vcpu = 0 };
	int64_t rc;

	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_version, 0),
		  4 << 16 | 17);
	rc = hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, PTR(&b));
	CHECK(rc == 0 || rc == -ENOSPC);
	gic_enable(1);
	gic_sgi(1, SGI_SELF, 0);
	CHECK(irq_wait(1, 1));
}

const struct test guest_tests[] = {
	{ "survive", survive },
	{ "still_alive", still_alive },
	{ NULL, NULL },
};
