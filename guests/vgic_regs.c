/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the emulated distributor: identification, fields that read
 * back, targets in both versions, and INTIDs that do not exist.
 */
#include "guest.h"

#define GICD_PIDR2	0xffe8u
#define GICD_V2_PIDR2	0xfe8u
#define IROUTER_IRM	(UINT64_C(1) << 31)

static unsigned int spi;	/* far from what devices of a board use */

static uint64_t gicd(unsigned int reg)
{
	return machine.gicd.base + reg;
}

static void start(void)
{
	spi = gic_nr_intids() - 20;
	gic_disable(spi);
	if (machine.bulkhead) {
		gic_unpend(spi);	/* the peer aborts on it */
	}
	gic_route(spi, 0);
	gic_priority(spi, 0x80);
	irq_counts_clear();
}

static void identification(void)
{
	uint32_t typer = mmio_read32(gicd(GICD_TYPER));
	unsigned int pidr2 = machine.gic_version == 3 ? GICD_PIDR2 :
						        GICD_V2_PIDR2;

	CHECK(gic_nr_intids() > 64);
	CHECK(mmio_read32(gicd(GICD_IIDR)) != 0);
	if (machine.gic_version == 3 ||
	    !PEER_DIFFERS("GICv2: reading ICPIDR2 aborts")) {
		EXPECT_EQ(mmio_read32(gicd(pidr2)) >> 4 & 0xf,
			  machine.gic_version);
	}
	if (machine.gic_version == 3) {
		CHECK((typer >> 19 & 0x1f) >= 9);	/* 10 or more ID bits */
		EXPECT_EQ(typer >> 10 & 1, 0);		/* one security state */
	} else {
		EXPECT_EQ((typer >> 5 & 7) + 1, machine.nr_cpus);
	}
}

static void configuration(void)
{
	unsigned int shift;
	uint64_t a;

	start();
	a = gicd(GICD_ICFGR) + spi / 16 * 4;
	shift = spi % 16 * 2;
	gic_config_edge(spi, true);
	EXPECT_EQ(mmio_read32(a) >> shift & 3, 2);
	gic_config_edge(spi, false);
	EXPECT_EQ(mmio_read32(a) >> shift & 3, 0);
	if (PEER_DIFFERS("ICFGR0 reads as zero")) {
		return;
	}
	/* SGIs are always edge-triggered. */
	EXPECT_EQ(mmio_read32(gic_bank(0) + GICD_ICFGR), 0xaaaaaaaa);
	mmio_write32(gic_bank(0) + GICD_ICFGR, 0);
	EXPECT_EQ(mmio_read32(gic_bank(0) + GICD_ICFGR), 0xaaaaaaaa);
}

static void priorities(void)
{
	uint64_t a;

	start();
	a = gicd(GICD_IPRIORITYR) + (spi & ~3u);
	mmio_write32(a, 0x40a060e0);
	EXPECT_EQ(mmio_read32(a), 0x40a060e0);
	EXPECT_EQ(mmio_read8(a + 1), 0x60);
	mmio_write8(a + 2, 0x20);
	EXPECT_EQ(mmio_read32(a), 0x402060e0);
	mmio_write32(a, 0x80808080);
}

static void routing_v3(void)
{
	uint64_t last = machine.mpidr[machine.nr_cpus - 1];
	uint64_t a;

	start();
	a = gicd(GICD_IROUTER) + spi * 8;
	EXPECT_EQ(mmio_read64(a), machine.mpidr[0]);
	mmio_write32(a, (uint32_t)last);
	EXPECT_EQ(mmio_read64(a), last);
	EXPECT_EQ(mmio_read32(a), (uint32_t)last);
	EXPECT_EQ(mmio_read32(a + 4), last >> 32);
	mmio_write64(a, IROUTER_IRM);
	if (!PEER_DIFFERS("reads back with IRM clear: 1 of N goes to vCPU0")) {
		EXPECT_EQ(mmio_read64(a), IROUTER_IRM);
	}
	gic_enable(spi);
	gic_pend(spi);			/* any CPU: here, only one listens */
	pump_us(100);
	CHECK(machine.nr_cpus > 1 || this_cpu()->irqs == 1);
	start();
	/* Legacy targets do not exist with affinity routing. */
	EXPECT_EQ(mmio_read32(gicd(GICD_ITARGETSR) + (spi & ~3u)), 0);
	mmio_write32(gicd(GICD_SGIR), 2u << 24 | 1);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
}

static void routing_v2(void)
{
	uint64_t a = gicd(GICD_ITARGETSR);
	unsigned int i;

	start();
	EXPECT_EQ(mmio_read32(a), 0x01010101);	/* who asks: CPU 0 */
	mmio_write32(a, 0);
	EXPECT_EQ(mmio_read32(a + 28), 0x01010101);
	mmio_write8(a + spi, 1);
	EXPECT_EQ(mmio_read8(a + spi), 1);
	i = spi & ~3u;
	mmio_write32(a + i, 0x01010101);
	EXPECT_EQ(mmio_read32(a + i), 0x01010101);
}

static void by_version(void)
{
	if (machine.gic_version == 3) {
		routing_v3();
	} else {
		routing_v2();
	}
}

static void absent(unsigned int reg, unsigned int offset)
{
	struct trap t;
	uint64_t a = gicd(reg) + offset;
	uint32_t v;

	trap_arm();
	mmio_write32(a, 0xffffffff);
	v = mmio_read32(a);
	if (trap_taken(&t)) {
		printf("absent: offset %x ESR %lx\n", reg + offset, t.esr);
		CHECK(!"an absent INTID's register aborts");
	} else {
		EXPECT_EQ(v, 0);
	}
}

static void absent_intids(void)
{
	unsigned int n = gic_nr_intids();

	if (n > 960 || PEER_DIFFERS("registers of absent INTIDs abort")) {
		return;
	}
	absent(GICD_IGROUPR, n / 8);
	absent(GICD_ISENABLER, n / 8);
	absent(GICD_ICENABLER, n / 8);
	absent(GICD_ISPENDR, n / 8);
	absent(GICD_ICPENDR, n / 8);
	absent(GICD_ICACTIVER, n / 8);
	absent(GICD_ISACTIVER, n / 8);
	absent(GICD_IPRIORITYR, n);
	absent(GICD_IPRIORITYR, 1020);
	absent(GICD_ICFGR, n / 4);
	if (machine.gic_version == 3) {
		absent(GICD_IROUTER, n * 8);
	} else {
		absent(GICD_ITARGETSR, n);
	}
}

const struct test guest_tests[] = {
	{ "identification", identification },
	{ "configuration", configuration },
	{ "priorities", priorities },
	{ "by_version", by_version },
	{ "absent_intids", absent_intids },
	{ NULL, NULL },
};
