/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two domains that start at boot, 1 ("owner" on its command line) and 2: the
 * first grants a page and offers a port to the second, where the policy of the
 * hypervisor lets them ("dummy" on the command line of both).
 */
#include "port.h"

#define OP(op, arg)	hc3(__HYPERVISOR_grant_table_op, op, PTR(arg), 1)
#define EV(op, arg)	hc2(__HYPERVISOR_event_channel_op, op, PTR(arg))
#define REF		8u	/* to write */
#define REF_RO		9u
#define REF_DOM0	10u	/* for somebody else */
#define REF_NONE	11u
#define MAGIC		0x5ca1ab1eu
#define OWNER		((domid_t)1)
#define MAPPER		((domid_t)2)
#define TRIES		(HANG_US / 1000)
#define HOLE_GFN	UINT64_C(0x7000000)	/* no RAM there */

struct shared {
	uint32_t magic;
	uint32_t port;		/* of the owner, for the mapper */
	uint32_t answer;
};

static struct shared page __attribute__((aligned(4096)));
static uint8_t own[PAGE_SIZE] __attribute__((aligned(4096)));
static volatile grant_entry_v1_t *table = (void *)MAP_WINDOW;
static volatile struct shared *there = (void *)(MAP_WINDOW + PAGE_SIZE);

static void grant(uint32_t ref, domid_t to, uint16_t flags)
{
	table[ref].frame = (uint32_t)(PTR(&page) / PAGE_SIZE);
	table[ref].domid = to;
	dsb();
	table[ref].flags = GTF_permit_access | flags;
	dsb();
}

static void owner_offers(void)
{
	evtchn_alloc_unbound_t u = {
		.dom = DOMID_SELF, .remote_dom = MAPPER,
	};
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
		.gpfn = machine.grant.base / PAGE_SIZE,
	};

	ports_map();
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	mmu_window(0, machine.grant.base, MAP_RW);
	if (has_bootarg("dummy")) {
		EXPECT_EQ(EV(EVTCHNOP_alloc_unbound, &u), 0);
	}
	page.port = u.port;
	page.magic = MAGIC;
	grant(REF_DOM0, 0, 0);
	grant(REF_RO, MAPPER, GTF_readonly);
	grant(REF, MAPPER, 0);
}

/* ... and sees what the other did, by the page, the port and the entry. */
static void owner_waits(void)
{
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		if (*(volatile uint32_t *)&page.answer == ~MAGIC) {
			break;
		}
		pump_us(1000);
	}
	EXPECT_EQ(page.answer, ~MAGIC);
	EXPECT_EQ(port_status(page.port).status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(port_status(page.port).u.interdomain.dom, MAPPER);
	EXPECT_EQ(table[REF_NONE].flags, 0);
	EXPECT_EQ(table[REF_DOM0].flags, GTF_permit_access);
}

static gnttab_map_grant_ref_t map(uint32_t ref, uint32_t flags)
{
	gnttab_map_grant_ref_t m = {
		.host_addr = HOLE_GFN * PAGE_SIZE, .dom = OWNER, .ref = ref,
		.flags = GNTMAP_host_map | flags, .status = 77,
	};

	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, &m), 0);
	return m;
}

static int16_t unmap(uint32_t handle)
{
	gnttab_unmap_grant_ref_t u = {
		.host_addr = HOLE_GFN * PAGE_SIZE, .handle = handle,
	};

	EXPECT_EQ(OP(GNTTABOP_unmap_grant_ref, &u), 0);
	return u.status;
}

static int16_t copy(uint32_t ref)
{
	gnttab_copy_t c = {
		.source = { .u.ref = ref, .domid = OWNER },
		.dest = { .domid = DOMID_SELF },
		.len = sizeof(struct shared), .flags = GNTCOPY_source_gref,
	};

	c.dest.u.gmfn = PTR(own) / PAGE_SIZE;
	EXPECT_EQ(OP(GNTTABOP_copy, &c), 0);
	return c.status;
}

static void refused(void)
{
	pump_us(20000);		/* the owner has offered by now */
	EXPECT_EQ(map(REF, 0).status, GNTST_permission_denied);
	EXPECT_EQ(copy(REF), GNTST_permission_denied);
}

static void only_what_is_offered(void)
{
	gnttab_map_grant_ref_t m;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		m = map(REF, GNTMAP_readonly);
		if (m.status == GNTST_okay) {
			break;
		}
		pump_us(1000);
	}
	EXPECT_EQ(m.status, GNTST_okay);
	EXPECT_EQ(unmap(m.handle), GNTST_okay);
	EXPECT_EQ(unmap(m.handle), GNTST_bad_handle);
	EXPECT_EQ(map(REF_RO, 0).status, GNTST_general_error);
	EXPECT_EQ(map(REF_DOM0, 0).status, GNTST_general_error);
	EXPECT_EQ(map(REF_NONE, 0).status, GNTST_general_error);
	EXPECT_EQ(copy(REF_DOM0), GNTST_general_error);
	EXPECT_EQ(copy(REF_RO), GNTST_okay);
	EXPECT_EQ(((struct shared *)own)->magic, MAGIC);
}

static void read_only_is_read_only(void)
{
	gnttab_map_grant_ref_t m = map(REF_RO, GNTMAP_readonly);

	EXPECT_EQ(m.status, GNTST_okay);
	mmu_window(1, HOLE_GFN * PAGE_SIZE, MAP_RW);
	EXPECT_EQ(there->magic, MAGIC);
	trap_arm();
	there->magic = 0;
	CHECK(trap_taken(NULL));
	EXPECT_EQ(there->magic, MAGIC);
	EXPECT_EQ(unmap(m.handle), GNTST_okay);
	trap_arm();
	(void)there->magic;
	CHECK(trap_taken(NULL));
}

static void written_and_rung(void)
{
	gnttab_map_grant_ref_t m = map(REF, 0);
	evtchn_bind_interdomain_t b = { .remote_dom = OWNER };

	EXPECT_EQ(m.status, GNTST_okay);
	ports_map();
	b.remote_port = there->port + 1;	/* not offered */
	EXPECT_EQ(EV(EVTCHNOP_bind_interdomain, &b), -EINVAL);
	b.remote_port = there->port;
	EXPECT_EQ(EV(EVTCHNOP_bind_interdomain, &b), 0);
	there->answer = ~MAGIC;
	dsb();
	EXPECT_EQ(port_send(b.local_port), 0);
}

static void role(void)
{
	if (has_bootarg("owner")) {
		owner_offers();
		if (has_bootarg("dummy")) {
			owner_waits();
		}
	} else if (has_bootarg("dummy")) {
		only_what_is_offered();
		read_only_is_read_only();
		written_and_rung();
	} else {
		refused();
	}
}

const struct test guest_tests[] = {
	{ "role", role },
	{ NULL, NULL },
};
