/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that was given the machine's clock chip, a PL031, by a partial
 * device tree at boot, or by xl: found in its own tree, driven, and its
 * interrupt taken. With "leave" in its bootargs it ends with the interrupt
 * line high and the interrupt active; with "hold" it stays so.
 */
#include "guest.h"
#include <libfdt.h>

#define RTC_DR 0x00u
#define RTC_MR 0x04u
#define RTC_IMSC 0x10u
#define RTC_RIS 0x14u
#define RTC_MIS 0x18u
#define RTC_ICR 0x1cu
#define RTC_PERIPHID0 0xfe0u

static uint64_t rtc;
static unsigned int intid;

static uint32_t cell(const void *p, unsigned int n)
{
	return fdt32_to_cpu(((const fdt32_t *)p)[n]);
}

static void in_the_tree(void)
{
	const void *fdt = machine.fdt;
	int node = fdt_path_offset(fdt, "/passthrough/rtc@10000000");
	const char *alias = fdt_get_alias(fdt, "rtc0");
	const void *reg, *irq;
	int len;

	CHECK(node > 0);
	CHECK(alias && fdt_path_offset(fdt, alias) == node);
	CHECK(!fdt_getprop(fdt, node, "xen,reg", NULL));
	CHECK(!fdt_getprop(fdt, node, "xen,path", NULL));
	CHECK(!fdt_getprop(fdt, node, "xen,force-assign-without-iommu", NULL));
	CHECK(fdt_path_offset(fdt, "/passthrough/clk") > 0);
	reg = fdt_getprop(fdt, node, "reg", &len);
	CHECK(reg && len == 16);
	rtc = (uint64_t)cell(reg, 0) << 32 | cell(reg, 1);
	irq = fdt_getprop(fdt, node, "interrupts", &len);
	CHECK(irq && len == 12);
	EXPECT_EQ(cell(irq, 0), 0);
	intid = cell(irq, 1) + 32;
	EXPECT_EQ(intid, 34);
}

static void registers(void)
{
	EXPECT_EQ(mmio_read32(rtc + RTC_PERIPHID0), 0x31);
	EXPECT_EQ(mmio_read32(rtc + RTC_PERIPHID0 + 4), 0x10);
	/* The machine's clock begins in 2024: see tools/qemu/run.py. */
	CHECK(mmio_read32(rtc + RTC_DR) >= 1704067200u);
	CHECK(mmio_read32(rtc + RTC_DR) < 1704067200u + 3600);
}

/* The next page is nobody's. */
static void no_more_than_that(void)
{
	struct trap t;

	trap_arm();
	(void)mmio_read32(rtc + PAGE_SIZE);
	CHECK(trap_taken(&t));
	trap_arm();
	(void)mmio_read32(0x09010000);	/* where it is in the machine */
	CHECK(trap_taken(&t));
}

static void quiet(unsigned int id)
{
	if (id == intid) {
		mmio_write32(rtc + RTC_ICR, 1);
	}
}

/* An alarm for this second is due at once; the interrupt is not taken here. */
static void alarm(void)
{
	do {			/* again when a second went by in between */
		mmio_write32(rtc + RTC_MR, mmio_read32(rtc + RTC_DR));
	} while (mmio_read32(rtc + RTC_RIS) == 0);
}

static void interrupts(void)
{
	unsigned int i;

	irq_hook = quiet;
	mmio_write32(rtc + RTC_IMSC, 0);	/* as another left it: anyhow */
	mmio_write32(rtc + RTC_ICR, 1);
	gic_config_edge(intid, false);
	gic_route(intid, 0);
	gic_enable(intid);
	mmio_write32(rtc + RTC_ICR, 1);
	mmio_write32(rtc + RTC_IMSC, 1);
	for (i = 1; i <= 20; i++) {
		alarm();
		CHECK(irq_wait(intid, i));
	}
	pump_us(100);
	EXPECT_EQ(this_cpu()->irq_count[intid], 20);
	EXPECT_EQ(mmio_read32(rtc + RTC_RIS), 0);
}

static void quiet_at_the_fifth(unsigned int id)
{
	if (id == intid && this_cpu()->irq_count[id] >= 5) {
		mmio_write32(rtc + RTC_ICR, 1);
	}
}

/* A line that stays high comes again after each end; masked it does not. */
static void a_level(void)
{
	if (machine.gic_version == 2) {
		return; /* QEMU's looks at no line when a list register ends */
	}
	irq_hook = quiet_at_the_fifth;
	irq_counts_clear();
	alarm();
	CHECK(irq_wait(intid, 5));
	pump_us(100);
	CHECK(this_cpu()->irq_count[intid] == 5);
	irq_hook = quiet;
	gic_disable(intid);
	irq_counts_clear();
	alarm();
	pump_us(100);
	EXPECT_EQ(mmio_read32(rtc + RTC_MIS), 1);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	gic_enable(intid);
	CHECK(irq_wait(intid, 1));
}

/* On the other vCPU, which may be on another CPU. */
static void elsewhere(void *arg)
{
	(void)arg;
	irq_counts_clear();
	alarm();
	CHECK(irq_wait(intid, 1));
}

static void routed(void)
{
	if (machine.nr_cpus < 2) {
		return;
	}
	irq_hook = quiet;
	EXPECT_EQ(cpu_start(1), 0);
	gic_route(intid, 1);
	CHECK(cpu_call(1, elsewhere, NULL));
	gic_route(intid, 0);
}

static void as_it_is_left(void)
{
	uint64_t end = counter() + us_to_ticks(HANG_US);

	if (!has_bootarg("leave") && !has_bootarg("hold")) {
		mmio_write32(rtc + RTC_IMSC, 0);
		gic_disable(intid);
		return;
	}
	irq_hook = NULL;
	alarm();
	/* Not ended: active, and the line is high. */
	while (gic_ack() != intid && counter() < end) {
	}
	CHECK(counter() < end);
	if (has_bootarg("hold")) {
		printf("holding\n");
		for (;;) {
			wfi();
		}
	}
}

const struct test guest_tests[] = {
	{ "in_the_tree", in_the_tree },
	{ "registers", registers },
	{ "no_more_than_that", no_more_than_that },
	{ "interrupts", interrupts },
	{ "a_level", a_level },
	{ "routed", routed },
	{ "as_it_is_left", as_it_is_left },
	{ NULL, NULL },
};
