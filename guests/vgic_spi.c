/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared peripheral interrupts: an INTID that no device uses is made pending
 * by register and arrives, at the CPU it is routed to.
 */
#include "guest.h"

static unsigned int spi;	/* far from what devices of a board use */

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

static void pend_then_arrives(void)
{
	start();
	gic_enable(spi);
	CHECK(gic_bit(spi, GICD_ISENABLER));
	CHECK(gic_bit(spi, GICD_ICENABLER));
	gic_config_edge(spi, true);
	gic_pend(spi);
	CHECK(irq_wait(spi, 1));
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 1);
	CHECK(!gic_bit(spi, GICD_ISPENDR));
	gic_disable(spi);
	CHECK(!gic_bit(spi, GICD_ISENABLER));
}

static void pend_while_disabled(void)
{
	start();
	gic_pend(spi);
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 0);
	gic_enable(spi);
	CHECK(irq_wait(spi, 1));
}

static void take_on(void *arg)
{
	if (*(unsigned int *)arg) {
		CHECK(irq_wait(spi, *(unsigned int *)arg));
	}
	pump_us(100);
	/* Lets the peer see that the list register is free again. */
	hc1(__HYPERVISOR_xen_version, XENVER_version);
}

static void routing(void)
{
	unsigned int none = 0, one = 1;
	unsigned int i;

	start();
	gic_config_edge(spi, true);
	gic_enable(spi);
	for (i = 0; i < machine.nr_cpus; i++) {
		if (i) {
			EXPECT_EQ(cpu_start(i), 0);
			CHECK(cpu_call(i, take_on, &none));
		}
		gic_route(spi, i);
		gic_pend(spi);
		if (i) {
			CHECK(cpu_call(i, take_on, &one));
		} else {
			take_on(&one);
		}
		EXPECT_EQ(cpus[i].irq_count[spi], 1);
	}
	pump_us(100);
	EXPECT_EQ(this_cpu()->irqs, 1);
	gic_route(spi, 0);
}

const struct test guest_tests[] = {
	{ "pend_then_arrives", pend_then_arrives },
	{ "pend_while_disabled", pend_while_disabled },
	{ "routing", routing },
	{ NULL, NULL },
};
