/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables, version 1, between this domain and itself: size, the shared
 * frames, mapping, copying, cache maintenance, and every wrong reference.
 */
#include "guest.h"

#define OP(op, arg)	hc3(__HYPERVISOR_grant_table_op, op, PTR(arg), 1)
#define REF		8u		/* 0..7 are reserved */
#define HOLE_GFN	UINT64_C(0x7000000)	/* no RAM there */
#define ME		((domid_t)0)	/* the control domain */

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t other[PAGE_SIZE] __attribute__((aligned(4096)));
static volatile grant_entry_v1_t *table = (void *)MAP_WINDOW;

static void grant(uint32_t ref, domid_t to, const void *p, uint16_t flags)
{
	table[ref].frame = (uint32_t)(PTR(p) / PAGE_SIZE);
	table[ref].domid = to;
	dsb();
	table[ref].flags = flags;
	dsb();
}

static void size(void)
{
	gnttab_query_size_t q = { .dom = DOMID_SELF };

	EXPECT_EQ(OP(GNTTABOP_query_size, &q), 0);
	EXPECT_EQ(q.status, GNTST_okay);
	EXPECT_EQ(q.max_nr_frames, 64);
	CHECK(q.nr_frames >= 1 && q.nr_frames <= q.max_nr_frames);
	q.dom = 0x7f00;
	EXPECT_EQ(OP(GNTTABOP_query_size, &q), 0);
	EXPECT_EQ(q.status, GNTST_bad_domain);
}

static void version(void)
{
	gnttab_set_version_t s = { .version = 1 };
	gnttab_get_version_t g = { .dom = DOMID_SELF };

	EXPECT_EQ(OP(GNTTABOP_set_version, &s), 0);
	EXPECT_EQ(s.version, 1);
	EXPECT_EQ(OP(GNTTABOP_get_version, &g), 0);
	EXPECT_EQ(g.version, 1);
	s.version = 9;
	EXPECT_EQ(OP(GNTTABOP_set_version, &s), -EINVAL);
	g.dom = 0x7f00;
	EXPECT_EQ(OP(GNTTABOP_get_version, &g), -ESRCH);
}

static int64_t map_frame(unsigned int idx, uint64_t gfn)
{
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
		.idx = idx, .gpfn = gfn,
	};

	return hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, PTR(&add));
}

static void setup(void)
{
	uint64_t gfn = machine.grant.base / PAGE_SIZE;
	gnttab_query_size_t q = { .dom = DOMID_SELF };

	CHECK(machine.grant.size >= 64 * PAGE_SIZE);
	EXPECT_EQ(map_frame(0, gfn), 0);
	EXPECT_EQ(map_frame(3, gfn + 3), 0);	/* grows the table */
	EXPECT_EQ(OP(GNTTABOP_query_size, &q), 0);
	EXPECT_EQ(q.nr_frames, 4);
	EXPECT_EQ(map_frame(64, gfn + 5), -EINVAL);
	mmu_window(0, machine.grant.base, MAP_RW);
	mmu_window(1, machine.grant.base + 3 * PAGE_SIZE, MAP_RW);
	EXPECT_EQ(table[REF].flags, 0);
	EXPECT_EQ(table[4 * 512 - 1 - 1024].flags, 0);
}

static int16_t copy(gnttab_copy_t *c)
{
	c->status = 77;
	EXPECT_EQ(OP(GNTTABOP_copy, c), 0);
	return c->status;
}

static void copies(void)
{
	gnttab_copy_t c = {
		.source = { .u.ref = REF, .domid = ME, .offset = 16 },
		.dest = { .domid = DOMID_SELF, .offset = 100 },
		.len = 200, .flags = GNTCOPY_source_gref,
	};
	unsigned int i;

	for (i = 0; i < PAGE_SIZE; i++) {
		page[i] = (uint8_t)(i * 7);
		other[i] = 0xee;
	}
	c.dest.u.gmfn = PTR(other) / PAGE_SIZE;
	grant(REF, ME, page, GTF_permit_access | GTF_readonly);
	EXPECT_EQ(copy(&c), GNTST_okay);
	CHECK(!memcmp(other + 100, page + 16, 200));
	EXPECT_EQ(other[99], 0xee);
	EXPECT_EQ(other[300], 0xee);
	EXPECT_EQ(table[REF].flags, GTF_permit_access | GTF_readonly);
	c.source.offset = 4000;			/* would cross the page */
	EXPECT_EQ(copy(&c), GNTST_bad_copy_arg);
	c.source.offset = 16;
	c.dest.offset = 4000;
	EXPECT_EQ(copy(&c), GNTST_bad_copy_arg);
	c.dest.offset = 100;
	c.source.u.ref = REF + 1;		/* not granted */
	EXPECT_EQ(copy(&c), GNTST_general_error);
	c.source.u.ref = 0x7fffffff;		/* beyond the table */
	EXPECT_EQ(copy(&c), GNTST_bad_gntref);
	c.source.u.ref = REF;
	c.source.domid = 0x7f00;
	EXPECT_EQ(copy(&c), GNTST_bad_domain);
	c.source.domid = ME;
	c.len = 0;
	EXPECT_EQ(copy(&c), GNTST_okay);
}

static void copy_into_grant(void)
{
	gnttab_copy_t c = {
		.source = { .domid = DOMID_SELF },
		.dest = { .u.ref = REF, .domid = ME },
		.len = 64, .flags = GNTCOPY_dest_gref,
	};

	c.source.u.gmfn = PTR(other) / PAGE_SIZE;
	grant(REF, ME, page, GTF_permit_access | GTF_readonly);
	memset(other, 0x5a, 64);
	memset(page, 0, 64);
	EXPECT_EQ(copy(&c), GNTST_general_error);	/* read-only */
	EXPECT_EQ(page[0], 0);
	grant(REF, ME, page, GTF_permit_access);
	EXPECT_EQ(copy(&c), GNTST_okay);
	EXPECT_EQ(page[63], 0x5a);
	c.source.u.gmfn = HOLE_GFN;
	EXPECT_EQ(copy(&c), GNTST_bad_page);
	grant(REF, 5, page, GTF_permit_access);		/* not for us */
	c.source.u.gmfn = PTR(other) / PAGE_SIZE;
	EXPECT_EQ(copy(&c), GNTST_general_error);
}

static gnttab_map_grant_ref_t map(uint32_t ref, domid_t dom, uint32_t flags,
				  uint64_t at)
{
	gnttab_map_grant_ref_t m = {
		.host_addr = at, .flags = flags, .ref = ref, .dom = dom,
		.status = 77,
	};

	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, &m), 0);
	return m;
}

static int16_t unmap(uint32_t handle, uint64_t at)
{
	gnttab_unmap_grant_ref_t u = {
		.host_addr = at, .handle = handle, .status = 77,
	};

	EXPECT_EQ(OP(GNTTABOP_unmap_grant_ref, &u), 0);
	return u.status;
}

static void maps(void)
{
	uint64_t at = machine.grant.base + 32 * PAGE_SIZE;
	gnttab_map_grant_ref_t m;

	grant(REF, ME, page, GTF_permit_access);
	m = map(REF, ME, GNTMAP_host_map, at);
	EXPECT_EQ(m.status, GNTST_okay);
	EXPECT_EQ(m.dev_bus_addr, PTR(page));
	EXPECT_EQ(table[REF].flags,
		  GTF_permit_access | GTF_reading | GTF_writing);
	mmu_window(2, at, MAP_RW);
	page[5] = 0x42;
	EXPECT_EQ(mmio_read8(MAP_WINDOW + 2 * PAGE_SIZE + 5), 0x42);
	mmio_write8(MAP_WINDOW + 2 * PAGE_SIZE + 6, 0x43);
	EXPECT_EQ(page[6], 0x43);
	EXPECT_EQ(unmap(m.handle + 1, at), GNTST_bad_handle);
	EXPECT_EQ(unmap(m.handle, at), GNTST_okay);
	EXPECT_EQ(table[REF].flags, GTF_permit_access);
	EXPECT_EQ(unmap(m.handle, at), GNTST_bad_handle);
	trap_arm();
	mmio_read8(MAP_WINDOW + 2 * PAGE_SIZE + 5);
	CHECK(trap_taken(NULL));
}

static void read_only_map(void)
{
	uint64_t at = machine.grant.base + 33 * PAGE_SIZE;
	gnttab_map_grant_ref_t m;

	grant(REF, ME, page, GTF_permit_access | GTF_readonly);
	m = map(REF, ME, GNTMAP_host_map, at);
	EXPECT_EQ(m.status, GNTST_general_error);
	m = map(REF, ME, GNTMAP_host_map | GNTMAP_readonly, at);
	EXPECT_EQ(m.status, GNTST_okay);
	EXPECT_EQ(table[REF].flags,
		  GTF_permit_access | GTF_readonly | GTF_reading);
	mmu_window(3, at, MAP_RW);
	page[9] = 1;
	EXPECT_EQ(mmio_read8(MAP_WINDOW + 3 * PAGE_SIZE + 9), 1);
	if (!PEER_DIFFERS("the write is retried for ever, no abort")) {
		trap_arm();
		mmio_write8(MAP_WINDOW + 3 * PAGE_SIZE + 9, 2);
		CHECK(trap_taken(NULL));
		EXPECT_EQ(page[9], 1);
	}
	EXPECT_EQ(unmap(m.handle, at), GNTST_okay);
}

static void bad_maps(void)
{
	uint64_t at = machine.grant.base + 34 * PAGE_SIZE;

	grant(REF, ME, page, GTF_permit_access);
	grant(REF + 1, 5, page, GTF_permit_access);
	grant(REF + 2, ME, (void *)(HOLE_GFN * PAGE_SIZE),
	      GTF_permit_access);
	EXPECT_EQ(map(REF + 3, ME, GNTMAP_host_map, at).status,
		  GNTST_general_error);
	EXPECT_EQ(map(REF + 1, ME, GNTMAP_host_map, at).status,
		  GNTST_general_error);
	EXPECT_EQ(map(REF + 2, ME, GNTMAP_host_map, at).status,
		  GNTST_bad_page);
	EXPECT_EQ(map(0x7fffffff, ME, GNTMAP_host_map, at).status,
		  GNTST_bad_gntref);
	EXPECT_EQ(map(REF, 0x7f00, GNTMAP_host_map, at).status,
		  GNTST_bad_domain);
	EXPECT_EQ(map(REF, ME, 0, at).status, GNTST_bad_gntref);
	EXPECT_EQ(unmap(0x12345, at), GNTST_bad_handle);
	EXPECT_EQ(unmap(0xffffffff, at), GNTST_bad_handle);
	EXPECT_EQ(table[REF].flags, GTF_permit_access);
}

static void cache_flush(void)
{
	gnttab_cache_flush_t f = { .op = GNTTAB_CACHE_CLEAN };

	EXPECT_EQ(OP(GNTTABOP_cache_flush, &f), 0);	/* Linux's probe */
	f.a.dev_bus_addr = PTR(page);
	f.length = 128;
	f.offset = 64;
	EXPECT_EQ(OP(GNTTABOP_cache_flush, &f), 0);
	f.op = GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL;
	EXPECT_EQ(OP(GNTTABOP_cache_flush, &f), 0);
	f.offset = 4090;
	EXPECT_EQ(OP(GNTTABOP_cache_flush, &f), -EINVAL);
	f.offset = 0;
	f.op = 8;
	EXPECT_EQ(OP(GNTTABOP_cache_flush, &f), -EINVAL);
	f.op = GNTTAB_CACHE_CLEAN;
	f.a.dev_bus_addr = UINT64_C(0x7000000000);
	EXPECT_EQ(OP(GNTTABOP_cache_flush, &f), -EINVAL);
}

/* A frame of the table leaves and comes back with its contents. */
static void unmap_table(void)
{
	xen_remove_from_physmap_t r = {
		.domid = DOMID_SELF, .gpfn = machine.grant.base / PAGE_SIZE,
	};

	grant(REF + 5, 3, other, GTF_permit_access);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		      PTR(&r)), 0);
	trap_arm();
	mmio_read32(MAP_WINDOW);
	CHECK(trap_taken(NULL));
	EXPECT_EQ(map_frame(0, r.gpfn), 0);
	EXPECT_EQ(table[REF + 5].domid, 3);
}

const struct test guest_tests[] = {
	{ "size", size },
	{ "version", version },
	{ "setup", setup },
	{ "copies", copies },
	{ "copy_into_grant", copy_into_grant },
	{ "maps", maps },
	{ "read_only_map", read_only_map },
	{ "bad_maps", bad_maps },
	{ "cache_flush", cache_flush },
	{ "unmap_table", unmap_table },
	{ NULL, NULL },
};
