/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the configuration space and by BARs. */
#include "domu_pci.h"

/* ---- configuration space --------------------------------------------- */

/* Each byte of it as the first of each width, through a mapping of memory. */
void every_register(void)
{
	uint64_t at = MAP_WINDOW;
	unsigned int i, n;

	for (n = 0; n < 2; n++) {
		mmu_window(n, CARD + n * 0x8000, n ? MAP_RW : MAP_DEVICE);
	}
	for (n = 0; n < 2; n++) {
		for (i = 0; i < 4 * 4 * 0x100; i++) {
			write_any(at + i % 0x100, 1u << i / 0x100 % 4,
				  any(i / 0x400 + i));
			(void)read_any(at + i % 0x100, 1u << i / 0x100 % 4);
		}
		for (i = 0; i < 0x1000; i += 7) {
			write_any(at + i, 1u << i % 4, any(i));
		}
		odd_accesses(at + BAR0);
		at += PAGE_SIZE;
	}
	works("every register");
}

/* Where there is no function: all ones, and nothing comes of a write. */
void every_function(void)
{
	static const unsigned int reg[] = { 0, 4, 0x10, 0x34, 0x40, 0xffc };
	unsigned int f, i, bad_reads = 0;

	for (f = 0; f < 256; f++) {
		uint64_t at = ECAM + f * PAGE_SIZE;

		if (f == DEVICE || f == 2 * DEVICE) {
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(reg); i++) {
			write_any(at + reg[i], 1u << (f + i) % 4, any(f + i));
			bad_reads += mmio_read32(at + reg[i]) != UINT32_MAX;
		}
	}
	for (i = 0; i < 2000; i++) {
		uint64_t at = STOCK_ECAM + (random64() & 0xffffffc);

		write_any(at, 1u << i % 4, any(i));
		bad_reads += mmio_read32(at) != UINT32_MAX;
	}
	EXPECT_EQ(bad_reads, 0);
	works("every function");
}

/* ---- BARs ------------------------------------------------------------ */

static void bar(unsigned int card, uint32_t at, uint32_t mode)
{
	mmio_write32(CARD + card * 0x8000 + BAR0, at);
	mmio_write32(CARD + card * 0x8000 + COMMAND, mode);
}

static bool is_card(uint64_t at)
{
	return (mmio_read32(at) & 0xff) == 0xed;
}

/* Over RAM, the interrupt controller, the bridges: nothing changes there. */
void bars_anywhere(void)
{
	static const uint32_t over[] = {
		0x40000000, 0x40f00000, GUEST_GICV3_GICD_BASE,
		GUEST_GICV3_GICR0_BASE, 0x04000000, 0x04100000, 0x10000000,
		0x38000000, 0x39000000, 0xfff00000, 0,
	};
	unsigned int i;

	for (i = 0; i < 512; i++) {
		spare[i] = i + UINT64_C(0x1234000000000000);
	}
	for (i = 0; i < ARRAY_SIZE(over); i++) {
		bar(0, over[i], 6);
		bar(1, over[i], 7);
		CHECK(mmio_read32(CARD) == EDU_ID);
		CHECK(!is_card(WINDOW));
	}
	for (i = 0; i < 512; i++) {
		if (spare[i] != i + UINT64_C(0x1234000000000000)) {
			CHECK(!"memory changed");
			break;
		}
	}
	works("BARs anywhere");
}

/* At the same place, away, and over a page that is there already. */
void bars_in_the_way(void)
{
	uint64_t in = WINDOW + 0x180000;
	unsigned int i;

	bar(0, WINDOW, 6);
	bar(1, WINDOW, 6);
	CHECK(is_card(WINDOW));
	bar(0, WINDOW + WINDOW_SIZE - 0x100000, 6);
	CHECK(is_card(WINDOW + WINDOW_SIZE - 0x100000));
	bar(1, WINDOW, 4);
	bar(1, WINDOW, 6);
	CHECK(is_card(WINDOW));
	bar(1, WINDOW, 4);
	EXPECT_EQ(mmio_read32(WINDOW), UINT32_MAX);
	/* A page of memory in the place of one of the next BAR. */
	EXPECT_EQ(one_frame(XENMEM_decrease_reservation, PTR(spare)), 1);
	EXPECT_EQ(one_frame(XENMEM_populate_physmap, in), 1);
	mmio_write64(in, 0x1234);
	bar(0, (uint32_t)in & 0xfff00000, 6);
	EXPECT_EQ(mmio_read32(in & ~UINT64_C(0xfffff)), UINT32_MAX);
	EXPECT_EQ(mmio_read64(in), 0x1234);
	EXPECT_EQ(one_frame(XENMEM_decrease_reservation, in), 1);
	EXPECT_EQ(one_frame(XENMEM_populate_physmap, PTR(spare)), 1);
	bar(0, (uint32_t)in & 0xfff00000, 4);
	bar(0, (uint32_t)in & 0xfff00000, 6);
	CHECK(is_card(in & ~UINT64_C(0xfffff)));
	for (i = 0; i < 300; i++) {
		bar(i & 1, (uint32_t)(WINDOW + (random64() & 0x0ff00000)),
		    (uint32_t)random64());
	}
	works("BARs in the way");
}

/* Its pages are no memory: for no hypercall, and not to be given away. */
void bars_as_memory(void)
{
	xen_remove_from_physmap_t gone = {
		.domid = DOMID_SELF, .gpfn = WINDOW / PAGE_SIZE + 3,
	};
	gnttab_copy_t copy = {
		.source = { .u.gmfn = WINDOW / PAGE_SIZE, .domid = DOMID_SELF },
		.dest = { .u.gmfn = PTR(spare) / PAGE_SIZE,
			  .domid = DOMID_SELF },
		.len = 64,
	};

	CHECK(edu_find_at(ECAM, WINDOW) == DEVICE);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_extraversion, WINDOW),
		  -EFAULT);
	EXPECT_EQ(hc3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, PTR(&copy),
		      1), 0);
	CHECK(copy.status != GNTST_okay);
	copy.source.u.gmfn = (ITS + 0x10000) / PAGE_SIZE;
	EXPECT_EQ(hc3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, PTR(&copy),
		      1), 0);
	CHECK(copy.status != GNTST_okay);
	(void)one_frame(XENMEM_decrease_reservation, WINDOW);
	(void)one_frame(XENMEM_decrease_reservation, ITS + 0x10000);
	(void)one_frame(XENMEM_populate_physmap, WINDOW);
	CHECK(is_card(WINDOW));
	(void)hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		  PTR(&gone));
	gone.gpfn = (ITS + 0x10000) / PAGE_SIZE;
	(void)hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		  PTR(&gone));
	works("BARs as memory");
}

