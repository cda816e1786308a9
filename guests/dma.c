/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control domain that points a device at what is not its own: QEMU's "edu",
 * which copies between its buffer and any address it is told. Behind an SMMU
 * its own memory is reached and nothing else is, in either direction.
 */
#include "guest.h"
#include <libfdt.h>

#define WORDS 64u

static uint64_t page[3][512] __attribute__((aligned(4096)));

static void found(void)
{
	int host = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "pci-host-ecam-generic");
	unsigned int devfn = edu_find();

	CHECK(!fdt_getprop(machine.fdt, host, "iommu-map", NULL));
	CHECK(fdt_node_offset_by_compatible(machine.fdt, -1, "arm,smmu-v3") <
	      0);
	CHECK(devfn != 0);
	printf("dma: edu is function %x\n", devfn);
}

static void device_reads(uint64_t at)
{
	edu_reads(at, WORDS * 8);
}

static void device_writes(uint64_t at)
{
	edu_writes(at, WORDS * 8);
}

static void fill(unsigned int n, uint64_t with)
{
	unsigned int i;

	for (i = 0; i < 512; i++) {
		page[n][i] = with + i;
	}
}

static unsigned int differs(unsigned int n, uint64_t from)
{
	unsigned int i, bad = 0;

	for (i = 0; i < WORDS; i++) {
		bad += page[n][i] != from + i;
	}
	return bad;
}

static void own_memory(void)
{
	fill(0, 0x1111000000000000u);
	fill(1, 0x2222000000000000u);
	device_reads(PTR(page[0]));
	device_writes(PTR(page[1]));
	EXPECT_EQ(differs(1, 0x1111000000000000u), 0);
	EXPECT_EQ(page[1][WORDS], 0x2222000000000000u + WORDS);
}

/*
 * What the device has of an address: its buffer is filled with a pattern
 * first; a refused read leaves it, or zeros, and nothing else.
 */
static void must_not_read(uint64_t at)
{
	unsigned int i;

	fill(0, 0x3333000000000000u);
	fill(1, 0x4444000000000000u);
	device_reads(PTR(page[0]));
	device_reads(at);
	device_writes(PTR(page[1]));
	for (i = 0; i < WORDS; i++) {
		if (page[1][i] != 0x3333000000000000u + i && page[1][i] != 0 &&
		    page[1][i] != UINT64_MAX) {
			printf("dma: %lx gave %lx\n", at, page[1][i]);
			CHECK(false);
			return;
		}
	}
}

/* Left behind by nobody who is alive when it is over. */
static void elsewhere(void)
{
	static const uint64_t at[] = {
		0x40201000,	    /* the hypervisor itself */
		0x4ff00000,	    /* memory of nobody's, below ours */
		0x7ff00000,	    /* ... and the last of the machine's */
		0x08000000,	    /* interrupt controller */
		0x09000000,	    /* console */
		0x09050000,	    /* the SMMU itself */
		0x9000000000,	    /* nothing */
		0xffffffff000,	    /* the last page of 44 bits */
		0xfffffffffffff000, /* more bits than there are */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		must_not_read(at[i]);
		device_writes(at[i]);
	}
}

static long reservation(unsigned int op, xen_pfn_t *frame)
{
	struct xen_memory_reservation r = {
		.nr_extents = 1, .domid = DOMID_SELF,
	};

	set_xen_guest_handle(r.extent_start, frame);
	return hc2(__HYPERVISOR_memory_op, op, PTR(&r));
}

/* A page that was ours: given away, the device no longer finds it. */
static void stale_address(void)
{
	xen_pfn_t frame = PTR(page[2]) >> 12;

	fill(0, 0x5555000000000000u);
	fill(2, 0x6666000000000000u);
	device_reads(PTR(page[2])); /* so that the SMMU knows it */
	device_writes(PTR(page[2]));
	EXPECT_EQ(differs(2, 0x6666000000000000u), 0);
	device_reads(PTR(page[0]));
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, &frame), 1);
	device_writes(PTR(page[2]));
	must_not_read(PTR(page[2]));
	EXPECT_EQ(reservation(XENMEM_populate_physmap, &frame), 1);
	CHECK(differs(2, 0x5555000000000000u) == WORDS);
	CHECK(differs(2, 0x3333000000000000u) == WORDS);
	/* Ours again, and found again. */
	fill(2, 0x7777000000000000u);
	device_reads(PTR(page[2]));
	device_writes(PTR(page[1]));
	EXPECT_EQ(differs(1, 0x7777000000000000u), 0);
}

/* A page that was mapped and no longer is; it stays where it was. */
static void unmapped_address(void)
{
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
		.gpfn = machine.grant.base / PAGE_SIZE,
	};
	xen_remove_from_physmap_t remove = {
		.domid = DOMID_SELF, .gpfn = add.gpfn,
	};
	const uint64_t mark = UINT64_C(0x8888000000000000);
	uint64_t at = machine.grant.base;

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	mmio_write64(at + 64, mark);	/* an entry that grants nothing */
	device_reads(at);
	device_writes(PTR(page[1]));
	EXPECT_EQ(page[1][8], mark);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		      PTR(&remove)), 0);
	must_not_read(at);
	device_writes(at);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	EXPECT_EQ(mmio_read64(at + 64), mark);
}

const struct test guest_tests[] = {
	{ "found", found },
	{ "own_memory", own_memory },
	{ "elsewhere", elsewhere },
	{ "stale_address", stale_address },
	{ "unmapped_address", unmapped_address },
	{ "own_memory_still", own_memory },
	{ NULL, NULL },
};
