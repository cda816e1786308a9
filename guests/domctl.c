/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a toolstack does, without one: a domain is made, filled through a
 * mapping of its page, run, paused, looked at and destroyed, while it runs on
 * another CPU or shares this one.
 */
#include "guest.h"

#define HOLE_GFN	UINT64_C(0x7000000)	/* no RAM of ours there */
#define RAM_GFN		UINT64_C(0x40000)	/* of the new domain */
#define RAM_PAGES	600u
#define ROUNDS		4
#define SPINS		10000000u

static struct xen_domctl op;
static volatile uint64_t *shared = (void *)MAP_WINDOW;

static int64_t domctl(uint32_t cmd, domid_t id)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = id;
	return hypercall(__HYPERVISOR_domctl, PTR(&op), 0, 0, 0, 0);
}

static const struct xen_sysctl_physinfo *physinfo(void)
{
	static struct xen_sysctl s;

	s.cmd = XEN_SYSCTL_physinfo;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	EXPECT_EQ(hypercall(__HYPERVISOR_sysctl, PTR(&s), 0, 0, 0, 0), 0);
	return &s.u.physinfo;
}

static uint64_t free_pages(void)
{
	return physinfo()->free_pages;
}

static domid_t create(void)
{
	domid_t id;

	memset(&op, 0xa5, sizeof(op));
	op.u.createdomain = (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = 4,
		.max_maptrack_frames = 4,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
	};
	EXPECT_EQ(domctl(XEN_DOMCTL_createdomain, 0xffff), 0);
	id = op.domain;
	CHECK(id > 0 && id < DOMID_FIRST_RESERVED);
	CHECK(op.u.createdomain.arch.gic_version != 0);
	op.u.max_vcpus.max = 1;
	EXPECT_EQ(domctl(XEN_DOMCTL_max_vcpus, id), 0);
	op.u.address_size.size = 64;
	EXPECT_EQ(domctl(XEN_DOMCTL_set_address_size, id), 0);
	op.u.paging_mempool.size = 1024 * PAGE_SIZE;
	EXPECT_EQ(domctl(XEN_DOMCTL_set_paging_mempool_size, id), 0);
	op.u.max_mem.max_memkb = RAM_PAGES * 4;
	EXPECT_EQ(domctl(XEN_DOMCTL_max_mem, id), 0);
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
	EXPECT_EQ(hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap,
			    PTR(&r), 0, 0, 0), RAM_PAGES);
}

/* The domain's first page at HOLE_GFN, seen through the window. */
static void map(domid_t id)
{
	xen_add_to_physmap_batch_t a = { .domid = DOMID_SELF,
					 .space = XENMAPSPACE_gmfn_foreign,
					 .size = 1 };
	xen_ulong_t idx = RAM_GFN;
	xen_pfn_t at = HOLE_GFN;
	int err = -1;

	a.u.foreign_domid = id;
	a.idxs.q = PTR(&idx);
	a.gpfns.q = PTR(&at);
	a.errs.q = PTR(&err);
	EXPECT_EQ(hypercall(__HYPERVISOR_memory_op,
			    XENMEM_add_to_physmap_batch, PTR(&a), 0, 0, 0), 0);
	EXPECT_EQ(err, 0);
	mmu_window(0, HOLE_GFN * PAGE_SIZE, MAP_RW);
}

static void unmap(void)
{
	xen_remove_from_physmap_t r = { .domid = DOMID_SELF,
					.gpfn = HOLE_GFN };

	mmu_window(0, 0, MAP_NONE);
	EXPECT_EQ(hypercall(__HYPERVISOR_memory_op,
			    XENMEM_remove_from_physmap, PTR(&r), 0, 0, 0), 0);
}

/* It counts in its second word, for ever. */
static void load(domid_t id)
{
	static const uint32_t code[] = {
		0xf9000401, /* 1: str x1, [x0, #8] */
		0x91000421, /* add x1, x1, #1 */
		0x17fffffe, /* b 1b */
	};
	static vcpu_guest_context_t c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(code); i++) {
		((volatile uint32_t *)shared)[4 + i] = code[i];
	}
	shared[1] = 0;
	op.u.cacheflush.start_pfn = RAM_GFN;
	op.u.cacheflush.nr_pfns = RAM_PAGES;
	EXPECT_EQ(domctl(XEN_DOMCTL_cacheflush, id), 0);
	c.flags = VGCF_online;
	c.user_regs.x0 = RAM_GFN * PAGE_SIZE;
	c.user_regs.pc64 = RAM_GFN * PAGE_SIZE + 16;
	c.user_regs.cpsr = PSR_GUEST64_INIT;
	c.sctlr = SCTLR_GUEST_INIT;
	op.u.vcpucontext.vcpu = 0;
	op.u.vcpucontext.ctxt.q = PTR(&c);
	EXPECT_EQ(domctl(XEN_DOMCTL_setvcpucontext, id), 0);
}

/* Let others run here too: does the domain count? */
static bool counts(void)
{
	uint64_t before = shared[1];
	unsigned int i;

	for (i = 0; i < SPINS && shared[1] == before; i++) {
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
	return shared[1] != before;
}

static void stands_still(void)
{
	uint64_t before = shared[1];
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
	EXPECT_EQ(shared[1], before);
}

static uint32_t flags_of(domid_t id)
{
	EXPECT_EQ(domctl(XEN_DOMCTL_getdomaininfo, id), 0);
	EXPECT_EQ(op.domain, id);
	return op.u.getdomaininfo.flags;
}

/* Nobody has a reference: it goes, if not at once. */
static void wait_gone(domid_t id)
{
	unsigned int i;

	for (i = 0; i < SPINS; i++) {
		if (domctl(XEN_DOMCTL_getdomaininfo, id) != 0) {
			return;
		}
	}
	CHECK(!"the domain stays");
}

static void destroy(domid_t id)
{
	EXPECT_EQ(domctl(XEN_DOMCTL_destroydomain, id), 0);
	wait_gone(id);
}

static void life(void)
{
	domid_t id = create();

	populate(id);
	map(id);
	load(id);
	CHECK(flags_of(id) & XEN_DOMINF_paused);
	EXPECT_EQ(op.u.getdomaininfo.tot_pages, RAM_PAGES);
	EXPECT_EQ(domctl(XEN_DOMCTL_unpausedomain, id), 0);
	CHECK(counts());
	CHECK(!(flags_of(id) & XEN_DOMINF_paused));
	EXPECT_EQ(domctl(XEN_DOMCTL_unpausedomain, id), -EINVAL);
	EXPECT_EQ(domctl(XEN_DOMCTL_pausedomain, id), 0);
	stands_still();
	EXPECT_EQ(domctl(XEN_DOMCTL_unpausedomain, id), 0);
	CHECK(counts());
	unmap();
	destroy(id);
}

/* Destroyed while it runs; at different moments of its building. */
static void again_and_again(void)
{
	uint64_t before = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		domid_t id = create();

		if (i % 4 != 0) {
			populate(id);
		}
		if (i % 4 >= 2) {
			map(id);
			load(id);
			EXPECT_EQ(domctl(XEN_DOMCTL_unpausedomain, id), 0);
			CHECK(i % 4 == 2 || counts());
			unmap();
		}
		destroy(id);
		before = i == 0 ? free_pages() : before;
	}
	CHECK(free_pages() + 16 >= before);
}

/* What the interface says of a vCPU that was made and no more. */
static void without_registers(void)
{
	static struct vcpu_guest_context c;
	static uint64_t none, all = ~0ull;
	domid_t id = create();

	op.u.vcpucontext.vcpu = 0;
	set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
	EXPECT_EQ(domctl(XEN_DOMCTL_getvcpucontext, id), -61); /* ENODATA */
	op.u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){
		.flags = XEN_VCPUAFFINITY_SOFT,
		.cpumap_soft.nr_bits = 64,
	};
	set_xen_guest_handle(op.u.vcpuaffinity.cpumap_soft.bitmap,
			     (uint8_t *)&none);
	EXPECT_EQ(domctl(XEN_DOMCTL_setvcpuaffinity, id), 0);
	set_xen_guest_handle(op.u.vcpuaffinity.cpumap_soft.bitmap,
			     (uint8_t *)&all);
	EXPECT_EQ(domctl(XEN_DOMCTL_getvcpuaffinity, id), 0);
	EXPECT_EQ(all, 0);
	op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
	set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap,
			     (uint8_t *)&none);
	EXPECT_EQ(domctl(XEN_DOMCTL_setvcpuaffinity, id), -EINVAL);
	destroy(id);
}

/* How long a CPU had nothing to do: that grows on those that nobody uses. */
static void idle_time(void)
{
	static uint64_t before[8], after[8];
	static struct xen_sysctl s;
	uint64_t *to[] = { before, after };
	uint32_t grew = 0;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		s.cmd = XEN_SYSCTL_getcpuinfo;
		s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
		s.u.getcpuinfo.max_cpus = 8;
		set_xen_guest_handle(s.u.getcpuinfo.info,
				     (struct xen_sysctl_cpuinfo *)to[i]);
		EXPECT_EQ(hypercall(__HYPERVISOR_sysctl, PTR(&s), 0, 0, 0, 0),
			  0);
		for (volatile uint32_t n = 0; i == 0 && n < 100000; n++) {
		}
	}
	for (i = 0; i < s.u.getcpuinfo.nr_cpus; i++) {
		grew += after[i] > before[i];
	}
	CHECK(s.u.getcpuinfo.nr_cpus > 0);
	CHECK(grew + 1 >= s.u.getcpuinfo.nr_cpus); /* all but this one */
}

/* Its page stays ours while it is mapped, and only then. */
static void page_outlives_the_domain(void)
{
	domid_t id = create();

	populate(id);
	map(id);
	shared[5] = 0x1234567;
	EXPECT_EQ(domctl(XEN_DOMCTL_destroydomain, id), 0);
	EXPECT_EQ(shared[5], 0x1234567);
	unmap();
	wait_gone(id);
}

static int64_t claim(domid_t id, uint64_t pages)
{
	xen_memory_reservation_t r = { .nr_extents = pages, .domid = id };

	return hypercall(__HYPERVISOR_memory_op, XENMEM_claim_pages, PTR(&r),
			 0, 0, 0);
}

/* Frames set aside for a domain: by what it takes they become fewer. */
static void claims(void)
{
	domid_t id = create();

	EXPECT_EQ(physinfo()->outstanding_pages, 0);
	EXPECT_EQ(claim(id, RAM_PAGES + 1), -EINVAL);
	EXPECT_EQ(claim(DOMID_SELF, 1), -EINVAL);
	EXPECT_EQ(claim(id, RAM_PAGES), 0);
	EXPECT_EQ(claim(id, RAM_PAGES), -EINVAL);
	EXPECT_EQ(physinfo()->outstanding_pages, RAM_PAGES);
	populate(id);
	EXPECT_EQ(physinfo()->outstanding_pages, 0);
	EXPECT_EQ(claim(id, RAM_PAGES), -EINVAL);
	EXPECT_EQ(claim(id, 0), 0);
	destroy(id);
	id = create();
	EXPECT_EQ(claim(id, RAM_PAGES), 0);
	flags_of(id);
	EXPECT_EQ(op.u.getdomaininfo.outstanding_pages, RAM_PAGES);
	destroy(id);
	EXPECT_EQ(physinfo()->outstanding_pages, 0);
}

const struct test guest_tests[] = {
	{ "life", life },
	{ "again_and_again", again_and_again },
	{ "page_outlives_the_domain", page_outlives_the_domain },
	{ "claims", claims },
	{ "without_registers", without_registers },
	{ "idle_time", idle_time },
	{ NULL, NULL },
};
