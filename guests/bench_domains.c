/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many domains cost, as lib/bench.h says: this one, the first, makes 1 to
 * 254 others with a toolstack's own hypercalls, all on one CPU. At each number:
 *
 *	create_N	to make one more of them, with 64 KiB of memory
 *	version_N, yield_N, timer_N
 *			a hypercall, a yield without anybody else to run and a
 *			timer interrupt of this one, while the others are paused
 *	switch_N	from one domain to the next, while all run and yield
 *	wake_N		pausing and unpausing one of those that wait for the CPU
 *	free_pages_N	left in the machine
 *
 * On two CPUs (boot argument "other-cpu") the others are all on the second:
 *
 *	wake_N		as above
 */
#include "bench.h"

#define HOLE_GFN	UINT64_C(0x7000000)	/* no RAM of ours there */
#define RAM_GFN		UINT64_C(0x40000)	/* of a new domain */
#define RAM_PAGES	16u
#define MAX_DOMAINS	254u	/* and this one: the VMIDs of Xen */
#define POOL_PAGES	64u			/* for tables */
#define ROUNDS		200u
#define WAKES		8u			/* in a row, WAKE_TRIES times */
#define WAKE_TRIES	20u

static struct xen_domctl op;
static domid_t ids[MAX_DOMAINS];
static unsigned int nr_made;

/* A domain's first page; it counts its turns in the first word. */
static volatile uint64_t *page_of(unsigned int n)
{
	return (volatile uint64_t *)(MAP_WINDOW + n * PAGE_SIZE);
}

static void domctl(uint32_t cmd, domid_t id)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = id;
	EXPECT_EQ(hc1(__HYPERVISOR_domctl, PTR(&op)), 0);
}

static domid_t create(void)
{
	domid_t id;

	memset(&op, 0, sizeof(op));
	op.u.createdomain = (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = 4,
		.max_maptrack_frames = 4,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
	};
	domctl(XEN_DOMCTL_createdomain, 0xffff);
	id = op.domain;
	op.u.max_vcpus.max = 1;
	domctl(XEN_DOMCTL_max_vcpus, id);
	op.u.address_size.size = 64;
	domctl(XEN_DOMCTL_set_address_size, id);
	op.u.paging_mempool.size = POOL_PAGES * PAGE_SIZE;
	domctl(XEN_DOMCTL_set_paging_mempool_size, id);
	op.u.max_mem.max_memkb = RAM_PAGES * 4;
	domctl(XEN_DOMCTL_max_mem, id);
	return id;
}

static void populate(domid_t id)
{
	static xen_pfn_t list[RAM_PAGES];
	xen_memory_reservation_t r = { .nr_extents = RAM_PAGES, .domid = id };
	unsigned int i;

	for (i = 0; i < RAM_PAGES; i++) {
		list[i] = RAM_GFN + i;
	}
	r.extent_start.q = PTR(list);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_populate_physmap,
		      PTR(&r)), RAM_PAGES);
}

/* The domain's first page, seen through the n-th page of the window. */
static void map(domid_t id, unsigned int n)
{
	xen_add_to_physmap_batch_t a = { .domid = DOMID_SELF,
					 .space = XENMAPSPACE_gmfn_foreign,
					 .size = 1 };
	xen_ulong_t idx = RAM_GFN;
	xen_pfn_t at = HOLE_GFN + n;
	int err = -1;

	a.u.foreign_domid = id;
	a.idxs.q = PTR(&idx);
	a.gpfns.q = PTR(&at);
	a.errs.q = PTR(&err);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch,
		      PTR(&a)), 0);
	EXPECT_EQ(err, 0);
	mmu_window(n, at * PAGE_SIZE, MAP_RW);
}

/* What it runs: counts in the word at x20, yields, for ever. */
static const uint32_t code[] = {
	0xf9400282, /* 1: ldr x2, [x20] */
	0x91000442, /* add x2, x2, #1 */
	0xf9000282, /* str x2, [x20] */
	0xd2800000 | SCHEDOP_yield << 5, /* mov x0, #SCHEDOP_yield */
	0xd2800001, /* mov x1, #0 */
	0xd2800010 | __HYPERVISOR_sched_op << 5, /* mov x16, #... */
	0xd4000002 | 0xea1 << 5, /* hvc #0xea1 */
	0x17fffff9, /* b 1b */
};

static void load(domid_t id, unsigned int n)
{
	static vcpu_guest_context_t c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(code); i++) {
		((volatile uint32_t *)page_of(n))[4 + i] = code[i];
	}
	*page_of(n) = 0;
	op.u.cacheflush.start_pfn = RAM_GFN;
	op.u.cacheflush.nr_pfns = RAM_PAGES;
	domctl(XEN_DOMCTL_cacheflush, id);
	c.flags = VGCF_online;
	c.user_regs.x20 = RAM_GFN * PAGE_SIZE;
	c.user_regs.pc64 = RAM_GFN * PAGE_SIZE + 16;
	c.user_regs.cpsr = PSR_GUEST64_INIT;
	c.sctlr = SCTLR_GUEST_INIT;
	op.u.vcpucontext.vcpu = 0;
	op.u.vcpucontext.ctxt.q = PTR(&c);
	domctl(XEN_DOMCTL_setvcpucontext, id);
}

static void make_one(void)
{
	domid_t id = create();

	populate(id);
	map(id, nr_made);
	load(id, nr_made);
	ids[nr_made++] = id;
}

/* "name_N", good until the next call */
static const char *at(const char *name)
{
	static char s[32];
	size_t n = strlen(name);

	memcpy(s, name, n);
	s[n++] = '_';
	if (nr_made >= 100) {
		s[n++] = (char)('0' + nr_made / 100);
	}
	if (nr_made >= 10) {
		s[n++] = (char)('0' + nr_made / 10 % 10);
	}
	s[n++] = (char)('0' + nr_made % 10);
	s[n] = '\0';
	return s;
}

static void make_more(unsigned int goal)
{
	uint64_t t0 = counter();
	unsigned int new = goal - nr_made;

	while (nr_made < goal) {
		make_one();
	}
	bench_report(at("create"), counter() - t0, new);
}

static uint64_t turns(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < nr_made; i++) {
		sum += *page_of(i);
	}
	return sum;
}

static void all(uint32_t cmd)
{
	unsigned int i;

	for (i = 0; i < nr_made; i++) {
		domctl(cmd, ids[i]);
	}
}

/* The least of several: in between, the others may get the CPU. */
static void wakes(void)
{
	uint64_t least = UINT64_MAX;
	unsigned int try;

	for (try = 0; try < WAKE_TRIES; try++) {
		uint64_t t0 = counter();
		unsigned int i;

		for (i = 0; i < WAKES; i++) {
			domctl(XEN_DOMCTL_pausedomain, ids[nr_made - 1]);
			domctl(XEN_DOMCTL_unpausedomain, ids[nr_made - 1]);
		}
		t0 = counter() - t0;
		least = t0 < least ? t0 : least;
	}
	bench_report(at("wake"), least, WAKES);
}

/* Every domain yields as soon as it runs: each turn is one switch. */
static void switches(void)
{
	uint64_t turns0;
	uint64_t t0;
	unsigned int i;

	all(XEN_DOMCTL_unpausedomain);
	wakes();
	turns0 = turns();
	t0 = counter();
	for (i = 0; i < ROUNDS; i++) {
		hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
	t0 = counter() - t0;
	bench_report(at("switch"), t0,
		     (unsigned int)(turns() - turns0) + ROUNDS);
	all(XEN_DOMCTL_pausedomain);
	for (i = 0; i < nr_made; i++) {
		CHECK(*page_of(i) != 0);
	}
}

static void free_memory(void)
{
	static struct xen_sysctl s;

	s.cmd = XEN_SYSCTL_physinfo;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	EXPECT_EQ(hc1(__HYPERVISOR_sysctl, PTR(&s)), 0);
	printf("BENCH %s %lu\n", at("free_pages"), s.u.physinfo.free_pages);
}

static void measure(void)
{
	COST(at("version"), hc2(__HYPERVISOR_xen_version, XENVER_version, 0));
	COST(at("yield"), hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
	bench_timer_latency(at("timer"), bench_timer);
	free_memory();
	switches();
}

/* This one stays on the first CPU, those from @first on go to the second. */
static void part(unsigned int first)
{
	static uint64_t cpu;
	unsigned int i;

	for (i = first; i <= nr_made; i++) {
		cpu = i ? 2 : 1;
		op.u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){
			.flags = XEN_VCPUAFFINITY_HARD,
		};
		op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
		set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap,
				     (uint8_t *)&cpu);
		domctl(XEN_DOMCTL_setvcpuaffinity, i ? ids[i - 1] : 0);
	}
}

static void measure_other_cpu(unsigned int first)
{
	part(first);
	all(XEN_DOMCTL_unpausedomain);
	wakes();
	all(XEN_DOMCTL_pausedomain);
}

static void bench(void)
{
	bool other_cpu = has_bootarg("other-cpu");
	unsigned int n;

	printf("BENCH frequency %lu\n", sysreg_read(cntfrq_el0));
	bench_settle();
	for (n = 1; n <= MAX_DOMAINS; n = n < 128 ? 2 * n : n + 126) {
		unsigned int first = nr_made ? nr_made + 1 : 0;

		make_more(n);
		if (other_cpu) {
			measure_other_cpu(first);
		} else {
			measure();
		}
	}
}

const struct test guest_tests[] = {
	{ "bench_domains", bench },
	{ NULL, NULL },
};
