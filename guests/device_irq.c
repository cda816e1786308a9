/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt of a device that belongs to this domain, a PL031 clock: it is
 * level-triggered, and a program can raise and lower it at once.
 */
#include "guest.h"

#define RTCDR	0x00u		/* seconds */
#define RTCMR	0x04u		/* the alarm: when RTCDR reaches it */
#define RTCIMSC	0x10u
#define RTCRIS	0x14u
#define RTCICR	0x1cu

#define TIMES	100u

static unsigned int intid;
static unsigned int left;	/* interrupts until the hook ends the cause */

static uint32_t rd(uint32_t reg)
{
	return mmio_read32(machine.rtc + reg);
}

static void wr(uint32_t reg, uint32_t value)
{
	mmio_write32(machine.rtc + reg, value);
	dsb();
}

/* The alarm rings; whether the line goes up is a matter of the mask. */
static void ring(void)
{
	do {			/* again when a second went by in between */
		wr(RTCMR, rd(RTCDR));
	} while (!rd(RTCRIS));
}

static void device_taken(unsigned int which)
{
	if (which == intid && --left == 0) {
		wr(RTCICR, 1);
	}
}

static void start(void)
{
	intid = machine.intid_rtc;
	left = 1;
	irq_hook = device_taken;
	wr(RTCIMSC, 0);
	wr(RTCICR, 1);
	gic_disable(intid);
	gic_config_edge(intid, false);
	gic_route(intid, 0);
	gic_priority(intid, 0x80);
	irq_counts_clear();
}

static void one_for_each_ring(void)
{
	unsigned int i;

	start();
	gic_enable(intid);
	wr(RTCIMSC, 1);
	for (i = 1; i <= TIMES; i++) {
		left = 1;
		ring();
		CHECK(irq_wait(intid, i));
		CHECK(!rd(RTCRIS));
	}
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, TIMES);
}

/*
 * Until its cause is gone it comes again after each end. QEMU's GICv2 looks at
 * its lines again only when one of its registers is written, not when the end
 * of a virtual interrupt ends the physical one.
 */
static void as_long_as_the_line_is_up(void)
{
	unsigned int i;

	start();
	left = 5;
	gic_enable(intid);
	ring();
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	wr(RTCIMSC, 1);
	for (i = 1; machine.gic_version == 2 && i < 5; i++) {
		CHECK(irq_wait(intid, i));
		gic_disable(intid);
		gic_enable(intid);
	}
	CHECK(irq_wait(intid, 5));
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 5);
}

static void not_while_it_is_disabled(void)
{
	start();
	ring();
	wr(RTCIMSC, 1);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_enable(intid);
	CHECK(irq_wait(intid, 1));
	gic_disable(intid);
	ring();
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 1);
	wr(RTCICR, 1);
	gic_enable(intid);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 1);
}

static void ends_a_wait(void)
{
	start();
	gic_enable(intid);
	wr(RTCIMSC, 1);
	wr(RTCMR, rd(RTCDR) + 2);
	while (!rd(RTCRIS)) {
		wfi();
	}
	EXPECT_EQ(this_cpu()->irqs, 0);		/* they are masked */
	CHECK(irq_wait(intid, 1));
}

static void ring_for(void *arg)
{
	(void)arg;
	ring();
	CHECK(irq_wait(intid, 1));
}

/* The same line, taken by each CPU in turn. */
static void routing(void)
{
	unsigned int i;

	start();
	gic_enable(intid);
	wr(RTCIMSC, 1);
	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		left = 1;
		gic_route(intid, i);
		CHECK(cpu_call(i, ring_for, NULL));
		EXPECT_EQ(cpus[i].irq_count[intid], 1);
	}
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_route(intid, 0);
	left = 1;
	ring_for(NULL);
}

const struct test guest_tests[] = {
	{ "one_for_each_ring", one_for_each_ring },
	{ "as_long_as_the_line_is_up", as_long_as_the_line_is_up },
	{ "not_while_it_is_disabled", not_while_it_is_disabled },
	{ "ends_a_wait", ends_a_wait },
	{ "routing", routing },
	{ NULL, NULL },
};
