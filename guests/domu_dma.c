/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of xl that was given QEMU's "edu" card by pci= and points it at
 * every kind of address that is not its own, reading and writing. Its own
 * memory is reached, nothing else is. At the end the card writes the guest's
 * memory for ever, so that it is at work when the guest is destroyed.
 */
#include "guest.h"

#define ECAM UINT64_C(0x04100000)	/* docs/pci.md */
#define DOORBELL UINT64_C(0x04030000)
#define BAR UINT64_C(0x0f000000)	/* where nothing else is looked for */
#define BAR_SIZE UINT64_C(0x100000)
#define WORDS 8u
#define BYTES (WORDS * 8)
#define SWEEP_END UINT64_C(0xc2000000)	/* and a little behind the machine */
#define SWEEP_STEP UINT64_C(0x3001000)
#define MARK UINT64_C(0x3333000000000000)

static uint64_t page[3][512] __attribute__((aligned(4096)));
static unsigned int attempts;

/* The machine skips to the next event meanwhile. */
static void pause_ms(void)
{
	uint64_t until = counter() + us_to_ticks(1000);

	sysreg_write(cntv_cval_el0, until);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	while (counter() < until) {
		wfi();
	}
	irq_on();
	isb();
	irq_off();
}

static void found(void)
{
	gic_enable(machine.intid_vtimer);
	edu_pause = pause_ms;
	EXPECT_EQ(edu_find_at(ECAM, BAR), 8);
}

static void fill(unsigned int n, uint64_t with)
{
	unsigned int i;

	for (i = 0; i < 512; i++) {
		page[n][i] = with + i;
	}
}

static unsigned int differs(const uint64_t *at, uint64_t from)
{
	unsigned int i, bad = 0;

	for (i = 0; i < WORDS; i++) {
		bad += at[i] != from + i;
	}
	return bad;
}

/* Through the device and back. */
static void own_memory(void)
{
	fill(0, 0x1111000000000000u);
	fill(1, 0x2222000000000000u);
	edu_reads(PTR(page[0]), BYTES);
	edu_writes(PTR(page[1]), BYTES);
	EXPECT_EQ(differs(page[1], 0x1111000000000000u), 0);
	EXPECT_EQ(page[1][WORDS], 0x2222000000000000u + WORDS);
}

/* By the word "own" it does nothing else until it is destroyed. */
static void own_for_ever(void)
{
	while (has_bootarg("own")) {
		own_memory();
	}
}

/*
 * Where the guest has memory the machine has something else: the hypervisor,
 * by its addresses. What the device writes there is in the guest's.
 */
static void own_addresses(void)
{
	uint64_t at = machine.ram[0].base + 0x201000;
	uint64_t *word;

	for (; at < ram_top() - 0x400000; at += 0x312000) {
		word = (uint64_t *)(uintptr_t)at;
		fill(0, at << 16);
		edu_reads(PTR(page[0]), BYTES);
		edu_writes(at, BYTES);
		EXPECT_EQ(differs(word, at << 16), 0);
	}
}

/*
 * The card's buffer is MARK before and after a read that is refused; what it
 * writes then goes nowhere.
 */
static void refused(uint64_t at)
{
	unsigned int i;

	fill(0, MARK);
	fill(1, 0x4444000000000000u);
	edu_reads(PTR(page[0]), BYTES);
	edu_reads(at, BYTES);
	edu_writes(PTR(page[1]), BYTES);
	for (i = 0; i < WORDS; i++) {
		if (page[1][i] != MARK + i && page[1][i] != 0 &&
		    page[1][i] != UINT64_MAX) {
			printf("dma: %lx gave %lx\n", at, page[1][i]);
			CHECK(false);
		}
	}
	edu_writes(at, BYTES);
	attempts++;
}

static void devices(void)
{
	static const uint64_t at[] = {
		0, 0x04000000,		/* flash; nothing here */
		GUEST_GICV3_GICD_BASE, GUEST_GICV3_GICR0_BASE,
		0x04020000, 0x04021000, 0x04031000, 0x0403f000, /* its ITS */
		ECAM, ECAM + 0x8000, 0x10000000,	/* its bridges */
		0x08000000, 0x080a0000, /* the machine's GIC */
		0x08080000, 0x08090000, /* its ITS */
		0x09000000, 0x09010000, /* console, clock */
		0x09050000,		/* the SMMU */
		0x0a000000,		/* virtio */
		BAR - 4096, BAR + BAR_SIZE, 0x0ffff000,
		0x10100000, 0x10200000, /* BARs of others */
		0x38000000,		/* grants, of which none is mapped */
		0x3eff0000, 0x3f000000, 0x4010000000, 0x8000000000,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		refused(at[i]);
	}
	printf("dma: %u attempts\n", attempts);
}

/* All of the machine's memory, the first page behind ours included. */
static void memory(void)
{
	uint64_t at;

	attempts = 0;
	for (at = ram_top(); at < SWEEP_END; at += SWEEP_STEP) {
		refused(at);
	}
	printf("dma: %u attempts\n", attempts);
}

static void far_away(void)
{
	unsigned int bit;

	attempts = 0;
	for (bit = 32; bit < 64; bit++) {
		refused(UINT64_C(1) << bit);
	}
	refused(0xffffffff000);
	refused(0xfffffffffffff000);
	printf("dma: %u attempts\n", attempts);
}

/* No device may read there, and what it writes is no message of anyone's. */
static void doorbell(void)
{
	unsigned int i;

	edu_reads(DOORBELL, BYTES);
	edu_reads(DOORBELL + 0x40, 4);
	for (i = 0; i < 4; i++) {
		fill(0, i * UINT64_C(0x0000004100000003));
		edu_reads(PTR(page[0]), 2048);
		edu_writes(DOORBELL + 0x40, 4);
		edu_writes(DOORBELL, 2048);
		edu_writes(DOORBELL + 2048, 2048);
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

/* Given away while the SMMU knows it: the device does not find it any more. */
static void ballooned_out(void)
{
	xen_pfn_t frame = PTR(page[2]) >> 12;

	fill(0, 0x5555000000000000u);
	fill(2, 0x6666000000000000u);
	edu_reads(PTR(page[2]), BYTES);
	edu_writes(PTR(page[2]), BYTES);
	edu_reads(PTR(page[0]), BYTES);
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, &frame), 1);
	edu_writes(PTR(page[2]), BYTES);
	refused(PTR(page[2]));
	EXPECT_EQ(reservation(XENMEM_populate_physmap, &frame), 1);
	EXPECT_EQ(differs(page[2], 0x5555000000000000u), WORDS);
	EXPECT_EQ(differs(page[2], MARK), WORDS);
	fill(2, 0x7777000000000000u);
	edu_reads(PTR(page[2]), BYTES);
	edu_writes(PTR(page[1]), BYTES);
	EXPECT_EQ(differs(page[1], 0x7777000000000000u), 0);
	/* ... and while it is at work. */
	fill(0, 0x9999000000000000u);
	edu_reads(PTR(page[0]), BYTES);
	edu_will_write(PTR(page[2]), BYTES);
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, &frame), 1);
	edu_reads(PTR(page[0]), BYTES);
	EXPECT_EQ(reservation(XENMEM_populate_physmap, &frame), 1);
	EXPECT_EQ(differs(page[2], 0x9999000000000000u), WORDS);
}

static void unmapped(void)
{
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
		.gpfn = machine.grant.base / PAGE_SIZE,
	};
	xen_remove_from_physmap_t gone = {
		.domid = DOMID_SELF, .gpfn = add.gpfn,
	};
	uint64_t at = machine.grant.base;

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	mmio_write64(at + 512, MARK);	/* an entry that grants nothing */
	edu_reads(at + 512, 8);
	edu_writes(PTR(page[1]), 8);
	EXPECT_EQ(page[1][0], MARK);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		      PTR(&gone)), 0);
	refused(at + 512);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	EXPECT_EQ(mmio_read64(at + 512), MARK);
}

/* It is destroyed. */
static void for_ever(void)
{
	while (!has_bootarg("once")) {
		edu_writes(PTR(page[1]), BYTES);
	}
}

const struct test guest_tests[] = {
	{ "found", found },
	{ "own_memory", own_memory },
	{ "own_for_ever", own_for_ever },
	{ "own_addresses", own_addresses },
	{ "devices", devices },
	{ "memory", memory },
	{ "far_away", far_away },
	{ "doorbell", doorbell },
	{ "ballooned_out", ballooned_out },
	{ "unmapped", unmapped },
	{ "own_memory_still", own_memory },
	{ "for_ever", for_ever },
	{ NULL, NULL },
};
