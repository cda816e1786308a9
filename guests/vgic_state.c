/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending and active states of SGIs and SPIs at each step from the register
 * write to the deactivation, and the registers that change them.
 */
#include "guest.h"

#define FIRST		1u
#define GICD_CPENDSGIR	0xf10u
#define GICD_SPENDSGIR	0xf20u

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

static void enable_all(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		gic_priority(i, 0x80);
		gic_enable(i);
	}
}

/* Acknowledge by hand and look at the bits at each step. */
static void states(void)
{
	bool peer = PEER_DIFFERS("pending and active bits read as zero");
	uint32_t iar;

	enable_all();
	gic_sgi(FIRST, SGI_SELF, 0);
	CHECK(peer || gic_bit(FIRST, GICD_ISPENDR));
	CHECK(peer || gic_bit(FIRST, GICD_ICPENDR));
	CHECK(!gic_bit(FIRST, GICD_ISACTIVER));
	delay_us(20);
	iar = gic_ack();
	EXPECT_EQ(iar & 0x3ff, FIRST);
	CHECK(!gic_bit(FIRST, GICD_ISPENDR));
	CHECK(peer || gic_bit(FIRST, GICD_ISACTIVER));
	CHECK(peer || gic_bit(FIRST, GICD_ICACTIVER));
	EXPECT_EQ(gic_ack() & 0x3ff, 1023);
	gic_sgi(FIRST, SGI_SELF, 0);		/* active and pending */
	CHECK(peer || gic_bit(FIRST, GICD_ISPENDR));
	EXPECT_EQ(gic_ack() & 0x3ff, 1023);
	gic_eoi(iar);
	delay_us(20);
	iar = gic_ack();
	EXPECT_EQ(iar & 0x3ff, FIRST);
	gic_eoi(iar);
	delay_us(20);
	CHECK(!gic_bit(FIRST, GICD_ISACTIVER));
	EXPECT_EQ(gic_ack() & 0x3ff, 1023);
}

/* EOImode 1: priority drop lets others in, DIR ends the active state. */
static void split_eoi(void)
{
	uint32_t iar;
	uint32_t other;

	enable_all();
	gic_eoimode(true);
	gic_sgi(FIRST, SGI_SELF, 0);
	delay_us(20);
	iar = gic_ack();
	EXPECT_EQ(iar & 0x3ff, FIRST);
	gic_eoi(iar);
	gic_sgi(FIRST, SGI_SELF, 0);
	gic_sgi(FIRST + 1, SGI_SELF, 0);
	delay_us(20);
	other = gic_ack();			/* the first is still active */
	EXPECT_EQ(other & 0x3ff, FIRST + 1);
	gic_eoi(other);
	gic_dir(other);
	EXPECT_EQ(gic_ack() & 0x3ff, 1023);
	gic_dir(iar);
	delay_us(20);
	iar = gic_ack();
	EXPECT_EQ(iar & 0x3ff, FIRST);
	gic_eoi(iar);
	gic_dir(iar);
	gic_eoimode(false);
	EXPECT_EQ(gic_ack() & 0x3ff, 1023);
}

/* Setting and clearing the pending state by register. */
static void pend_by_register(void)
{
	bool v2 = machine.gic_version == 2;
	uint64_t set = v2 ? machine.gicd.base + GICD_SPENDSGIR :
			    gic_bank(0) + GICD_ISPENDR;
	uint64_t clear = v2 ? machine.gicd.base + GICD_CPENDSGIR :
			      gic_bank(0) + GICD_ICPENDR;
	uint32_t bit = v2 ? 1u << 8 * FIRST : 1u << FIRST;

	if (PEER_DIFFERS("GICv3 ignores ICPENDR0, GICv2 aborts on xPENDSGIR")) {
		return;
	}
	enable_all();
	mmio_write32(set, bit);
	CHECK(irq_wait(FIRST, 1));
	mmio_write32(set, bit);
	mmio_write32(clear, bit);
	pump_us(200);
	EXPECT_EQ(this_cpu()->irqs, 1);
}

static void active_by_register(void)
{
	uint32_t iar;

	if (PEER_DIFFERS("ISACTIVER writes abort, ICACTIVER is ignored")) {
		return;
	}
	enable_all();
	gic_set_bit(FIRST, GICD_ISACTIVER);
	CHECK(gic_bit(FIRST, GICD_ISACTIVER));
	gic_sgi(FIRST, SGI_SELF, 0);
	pump_us(200);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_set_bit(FIRST, GICD_ICACTIVER);
	CHECK(irq_wait(FIRST, 1));
	gic_eoimode(true);			/* deactivation by register */
	gic_sgi(FIRST, SGI_SELF, 0);
	delay_us(20);
	iar = gic_ack();
	gic_eoi(iar);
	CHECK(gic_bit(FIRST, GICD_ISACTIVER));
	gic_set_bit(FIRST, GICD_ICACTIVER);
	CHECK(!gic_bit(FIRST, GICD_ISACTIVER));
	gic_eoimode(false);
	gic_sgi(FIRST, SGI_SELF, 0);
	CHECK(irq_wait(FIRST, 2));
}

static void pending_bits(void)
{
	if (PEER_DIFFERS("ISPENDR reads as zero, reading ICPENDR aborts")) {
		return;
	}
	start();
	gic_pend(spi);
	CHECK(gic_bit(spi, GICD_ISPENDR));
	CHECK(gic_bit(spi, GICD_ICPENDR));
	gic_disable(spi);
	gic_pend(spi);
	gic_unpend(spi);
	CHECK(!gic_bit(spi, GICD_ISPENDR));
	gic_enable(spi);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
}

/* Disabling takes a pending interrupt away without losing it. */
static void disable_while_pending(void)
{
	start();
	if (PEER_DIFFERS("what is in a list register arrives all the same")) {
		return;
	}
	gic_enable(spi);
	gic_pend(spi);
	gic_disable(spi);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_enable(spi);
	CHECK(irq_wait(spi, 1));
	EXPECT_EQ(this_cpu()->irqs, 1);
	gic_pend(spi);
	gic_unpend(spi);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 1);
}

static void active_bits(void)
{
	uint32_t iar;

	if (PEER_DIFFERS("ISACTIVER writes abort, ICACTIVER is ignored")) {
		return;
	}
	start();
	gic_enable(spi);
	gic_pend(spi);
	delay_us(20);
	iar = gic_ack();
	EXPECT_EQ(iar & 0x3ff, spi);
	CHECK(gic_bit(spi, GICD_ISACTIVER));
	gic_pend(spi);
	gic_eoi(iar);
	CHECK(irq_wait(spi, 1));
	CHECK(!gic_bit(spi, GICD_ISACTIVER));
	gic_set_bit(spi, GICD_ISACTIVER);
	CHECK(gic_bit(spi, GICD_ISACTIVER));
	gic_pend(spi);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 1);
	gic_set_bit(spi, GICD_ICACTIVER);
	CHECK(irq_wait(spi, 2));
}

static void distributor_off(void)
{
	uint32_t ctlr = mmio_read32(gicd(GICD_CTLR));

	start();
	gic_enable(spi);
	EXPECT_EQ(ctlr & 3, machine.gic_version == 3 ? 2 : 1);
	if (machine.gic_version == 3) {
		CHECK(ctlr & 1u << 4);			/* ARE_NS */
	}
	if (PEER_DIFFERS("interrupts arrive while GICD_CTLR disables them")) {
		return;
	}
	mmio_write32(gicd(GICD_CTLR), ctlr & ~3u);
	gic_pend(spi);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	mmio_write32(gicd(GICD_CTLR), ctlr);
	CHECK(irq_wait(spi, 1));
}

const struct test guest_tests[] = {
	{ "states", states },
	{ "split_eoi", split_eoi },
	{ "pend_by_register", pend_by_register },
	{ "active_by_register", active_by_register },
	{ "pending_bits", pending_bits },
	{ "disable_while_pending", disable_while_pending },
	{ "active_bits", active_bits },
	{ "distributor_off", distributor_off },
	{ NULL, NULL },
};
