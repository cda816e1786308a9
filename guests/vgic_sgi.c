/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software-generated interrupts: who gets them and in which order. What names
 * other CPUs checks nothing on a machine of one. What the pending and active
 * bits say is in vgic_state.
 */
#include "guest.h"

#define FIRST		1u

static unsigned int order[16];
static unsigned int taken;
static unsigned int rpr_seen;

static void note_order(unsigned int intid)
{
	rpr_seen = gic_rpr();
	if (taken < ARRAY_SIZE(order)) {
		order[taken++] = intid;
	}
}

static void enable_all(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		gic_priority(i, 0x80);
		gic_enable(i);
	}
}

static void self(void)
{
	unsigned int i;

	enable_all();
	for (i = 0; i < 16; i++) {
		gic_sgi(i, SGI_SELF, 0);
		CHECK(irq_wait(i, 1));
		EXPECT_EQ(this_cpu()->last_irq, i);
	}
	EXPECT_EQ(this_cpu()->irqs, 16);
}

static void self_by_list(void)
{
	gic_sgi(FIRST, SGI_LIST, 1);
	CHECK(irq_wait(FIRST, 1));
	EXPECT_EQ(this_cpu()->irqs, 1);
}

/* An SGI sent twice before it is taken arrives once. */
static void no_queueing(void)
{
	gic_sgi(FIRST, SGI_SELF, 0);
	gic_sgi(FIRST, SGI_SELF, 0);
	pump_us(200);
	EXPECT_EQ(this_cpu()->irq_count[FIRST], 1);
}

static void enable_bits(void)
{
	enable_all();
	gic_disable(FIRST);
	CHECK(gic_bit(FIRST + 1, GICD_ISENABLER));
	CHECK(!gic_bit(FIRST, GICD_ISENABLER) || machine.gic_version == 2);
	if (machine.gic_version == 2) {
		gic_enable(FIRST);
		return;		/* SGI enables may be fixed on GICv2 */
	}
	gic_sgi(FIRST, SGI_SELF, 0);
	pump_us(200);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_enable(FIRST);
	CHECK(irq_wait(FIRST, 1));
	EXPECT_EQ(this_cpu()->irqs, 1);
}

/* Both are pending when interrupts are let in: the lower value goes first. */
static void priority_order(void)
{
	enable_all();
	gic_priority(2, 0xa0);
	gic_priority(3, 0x40);
	gic_priority(4, 0x80);
	EXPECT_EQ(mmio_read8(gic_bank(3) + GICD_IPRIORITYR + 3), 0x40);
	EXPECT_EQ(mmio_read32(gic_bank(0) + GICD_IPRIORITYR) >> 16, 0x40a0);
	taken = 0;
	irq_hook = note_order;
	gic_sgi(2, SGI_SELF, 0);
	gic_sgi(3, SGI_SELF, 0);
	gic_sgi(4, SGI_SELF, 0);
	pump_us(300);
	EXPECT_EQ(taken, 3);
	EXPECT_EQ(order[0], 3);
	EXPECT_EQ(order[1], 4);
	EXPECT_EQ(order[2], 2);
	EXPECT_EQ(rpr_seen, 0xa0);
	enable_all();
}

static void priority_mask(void)
{
	enable_all();
	gic_priority(5, 0xa0);
	gic_pmr(0xa0);		/* only values below the mask get through */
	gic_sgi(5, SGI_SELF, 0);
	gic_sgi(6, SGI_SELF, 0);
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[5], 0);
	EXPECT_EQ(this_cpu()->irq_count[6], 1);
	gic_pmr(0xf0);
	CHECK(irq_wait(5, 1));
	gic_priority(5, 0x80);
}

static void nest(unsigned int intid)
{
	if (intid == 7) {
		gic_sgi(8, SGI_SELF, 0);	/* more urgent */
		gic_sgi(9, SGI_SELF, 0);	/* less urgent */
		pump_us(200);
		EXPECT_EQ(this_cpu()->irq_count[8], 1);
		EXPECT_EQ(this_cpu()->irq_count[9], 0);
		EXPECT_EQ(gic_rpr(), 0x80);
	}
}

static void preemption(void)
{
	enable_all();
	gic_priority(8, 0x20);
	gic_priority(9, 0xc0);
	irq_hook = nest;
	gic_sgi(7, SGI_SELF, 0);
	CHECK(irq_wait(9, 1));
	EXPECT_EQ(this_cpu()->irqs, 3);
	EXPECT_EQ(gic_rpr(), machine.gic_version == 3 ? 0xff : gic_rpr());
	enable_all();
}

struct wanted {
	unsigned int intid;
	unsigned int n;
};

static void collect(void *arg)
{
	const struct wanted *w = arg;

	CHECK(irq_wait(w->intid, w->n));
	pump_us(100);		/* and not another one */
}

static unsigned int count_on(unsigned int cpu, unsigned int intid)
{
	struct wanted w = { intid, 1 };

	CHECK(cpu_call(cpu, collect, &w));
	return cpus[cpu].irq_count[intid];
}

static void enable_on(void *arg)
{
	(void)arg;
	enable_all();
	irq_counts_clear();
}

static void other_cpus(void)
{
	unsigned int n = machine.nr_cpus;
	unsigned int i;

	for (i = 1; i < n; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		CHECK(cpu_call(i, enable_on, NULL));
		gic_sgi(10, SGI_LIST, 1u << i);
		EXPECT_EQ(count_on(i, 10), 1);
	}
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_sgi(11, SGI_OTHERS, 0);
	for (i = 1; i < n; i++) {
		EXPECT_EQ(count_on(i, 11), 1);
	}
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_sgi(12, SGI_LIST, (1u << n) - 1);
	CHECK(irq_wait(12, 1));
	for (i = 1; i < n; i++) {
		EXPECT_EQ(count_on(i, 12), 1);
	}
}

static void ping(unsigned int intid)
{
	if (intid == 13) {
		gic_sgi(14, SGI_LIST, 1);
	}
}

static void ping_pong(void)
{
	struct wanted w = { 13, 0 };

	if (machine.nr_cpus < 2) {
		return;
	}
	irq_hook = ping;
	for (w.n = 1; w.n <= 20; w.n++) {
		cpu_run(1, collect, &w);
		gic_sgi(13, SGI_LIST, 2);
		CHECK(irq_wait(14, w.n));
		CHECK(cpu_wait(1));
	}
	EXPECT_EQ(this_cpu()->irq_count[14], 20);
}

const struct test guest_tests[] = {
	{ "self", self },
	{ "self_by_list", self_by_list },
	{ "no_queueing", no_queueing },
	{ "enable_bits", enable_bits },
	{ "priority_order", priority_order },
	{ "priority_mask", priority_mask },
	{ "preemption", preemption },
	{ "other_cpus", other_cpus },
	{ "ping_pong", ping_pong },
	{ NULL, NULL },
};
