/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control domain that points a device at what is not its own: QEMU's "edu",
 * which copies between its buffer and any address it is told. Behind an SMMU
 * its own memory is reached and nothing else is, in either direction.
 */
#include "guest.h"
#include <libfdt.h>

#define PCI_ID 0x00u
#define PCI_COMMAND 0x04u
#define PCI_MEMORY_AND_MASTER 6u
#define PCI_BAR0 0x10u
#define FUNCTION_SHIFT 12u
#define EDU_ID 0x11e81234u
#define EDU_SRC 0x80u
#define EDU_DST 0x88u
#define EDU_COUNT 0x90u
#define EDU_CMD 0x98u
#define EDU_CMD_START 1u
#define EDU_CMD_TO_MEMORY 2u
#define EDU_BUFFER 0x40000u /* as its own source or destination */
#define EDU_BAR 0x10000000u /* in the window of QEMU's virt machine */
#define WORDS 64u

static uint64_t edu;
static uint64_t page[3][512] __attribute__((aligned(4096)));

/* The registers of functions, from the tree. */
static uint64_t find_ecam(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "pci-host-ecam-generic");
	const fdt32_t *reg = fdt_getprop(machine.fdt, node, "reg", NULL);

	CHECK(!fdt_getprop(machine.fdt, node, "iommu-map", NULL));
	CHECK(fdt_node_offset_by_compatible(machine.fdt, -1, "arm,smmu-v3") <
	      0);
	return reg ? (uint64_t)fdt32_to_cpu(reg[0]) << 32 |
			     fdt32_to_cpu(reg[1])
		   : 0;
}

static void found(void)
{
	uint64_t ecam = find_ecam();
	unsigned int devfn;

	CHECK(ecam != 0);
	for (devfn = 8; ecam && devfn < 256; devfn += 8) {
		uint64_t f = ecam + ((uint64_t)devfn << FUNCTION_SHIFT);

		if (mmio_read32(f + PCI_ID) == EDU_ID) {
			mmio_write32(f + PCI_BAR0, EDU_BAR);
			mmio_write32(f + PCI_COMMAND, PCI_MEMORY_AND_MASTER);
			edu = EDU_BAR;
			printf("dma: edu is function %x\n", devfn);
		}
	}
	CHECK(edu != 0);
	EXPECT_EQ(mmio_read32(edu) & 0xff, 0xed);
}

static void run(uint64_t src, uint64_t dst, uint32_t cmd)
{
	dsb();
	mmio_write64(edu + EDU_SRC, src);
	mmio_write64(edu + EDU_DST, dst);
	mmio_write64(edu + EDU_COUNT, WORDS * 8);
	mmio_write32(edu + EDU_CMD, cmd | EDU_CMD_START);
	while (mmio_read32(edu + EDU_CMD) & EDU_CMD_START) {
	}
	dsb();
}

static void device_reads(uint64_t at)
{
	run(at, EDU_BUFFER, 0);
}

static void device_writes(uint64_t at)
{
	run(EDU_BUFFER, at, EDU_CMD_TO_MEMORY);
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

const struct test guest_tests[] = {
	{ "found", found },
	{ "own_memory", own_memory },
	{ "elsewhere", elsewhere },
	{ "stale_address", stale_address },
	{ "own_memory_still", own_memory },
	{ NULL, NULL },
};
