/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual and physical timer of EL1 as the architecture describes them. */
#include "guest.h"

/* The peer aborts on GICD_ICPENDR; there a pending one is taken instead. */
static void clear(unsigned int intid)
{
	if (machine.bulkhead) {
		gic_unpend(intid);
	}
}

static volatile unsigned int ticks;
static uint64_t period;

static void periodic_hook(unsigned int intid)
{
	if (intid != machine.intid_vtimer) {
		return;
	}
	ticks++;
	sysreg_write(cntv_cval_el0, sysreg_read(cntv_cval_el0) + period);
	if (!machine.bulkhead) {
		/* The peer leaves IMASK set in the guest's register. */
		sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	}
	if (ticks == 10) {
		sysreg_write(cntv_ctl_el0, 0);
	}
	isb();
}

static void counters(void)
{
	uint64_t v0 = counter();
	uint64_t p0 = sysreg_read(cntpct_el0);

	CHECK(sysreg_read(cntfrq_el0) > 1000000);
	delay_us(100);
	CHECK(counter() - v0 >= us_to_ticks(100));
	isb();
	CHECK(sysreg_read(cntpct_el0) - p0 >= us_to_ticks(100));
	CHECK(sysreg_read(cntpct_el0) >= sysreg_read(cntvct_el0));
}

static void virtual_periodic(void)
{
	uint64_t start = counter();
	uint64_t took;

	period = us_to_ticks(500);
	ticks = 0;
	irq_hook = periodic_hook;
	gic_enable(machine.intid_vtimer);
	sysreg_write(cntv_cval_el0, start + period);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	irq_wait(machine.intid_vtimer, 10);
	took = counter() - start;
	EXPECT_EQ(ticks, 10);
	CHECK(took >= 10 * period);
	CHECK(took < 12 * period);
	pump_us(1000);
	EXPECT_EQ(ticks, 10);
}

/* Delivering the interrupt must not show in the guest's mask bit. */
static void note_ctl(unsigned int intid)
{
	if (intid == machine.intid_vtimer) {
		ticks = (unsigned int)sysreg_read(cntv_ctl_el0);
		sysreg_write(cntv_ctl_el0, 0);
	}
}

static void virtual_ctl_in_handler(void)
{
	if (PEER_DIFFERS("sets IMASK when it injects the interrupt")) {
		return;
	}
	irq_hook = note_ctl;
	gic_enable(machine.intid_vtimer);
	sysreg_write(cntv_cval_el0, counter());
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	CHECK(irq_wait(machine.intid_vtimer, 1));
	EXPECT_EQ(ticks, CNT_ENABLE | CNT_ISTATUS);
}

/* The status bit follows the comparison, whatever the mask says. */
static void virtual_status(void)
{
	gic_disable(machine.intid_vtimer);
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntv_cval_el0, counter() + us_to_ticks(1000000));
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	isb();
	EXPECT_EQ(sysreg_read(cntv_ctl_el0), CNT_ENABLE);
	CHECK((int32_t)sysreg_read(cntv_tval_el0) > 0);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE | CNT_IMASK);
	sysreg_write(cntv_tval_el0, 0);
	delay_us(10);
	EXPECT_EQ(sysreg_read(cntv_ctl_el0),
		  CNT_ENABLE | CNT_IMASK | CNT_ISTATUS);
	CHECK((int32_t)sysreg_read(cntv_tval_el0) < 0);
	sysreg_write(cntv_cval_el0, ~UINT64_C(0));
	isb();
	EXPECT_EQ(sysreg_read(cntv_ctl_el0), CNT_ENABLE | CNT_IMASK);
	sysreg_write(cntv_ctl_el0, 0);
}

/* A masked timer that has expired fires when it is unmasked. */
static void virtual_unmask(void)
{
	unsigned int intid = machine.intid_vtimer;

	clear(intid);
	gic_enable(intid);
	sysreg_write(cntv_cval_el0, counter());
	sysreg_write(cntv_ctl_el0, CNT_ENABLE | CNT_IMASK);
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	CHECK(irq_wait(intid, 1));
	EXPECT_EQ(this_cpu()->irq_count[intid], 1);
	/* The default handler left it masked: no second one. */
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[intid], 1);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	CHECK(irq_wait(intid, 2));
	sysreg_write(cntv_ctl_el0, 0);
}

/* Disabled in the GIC it stays pending and arrives when enabled. */
static void virtual_gic_disabled(void)
{
	unsigned int intid = machine.intid_vtimer;

	gic_disable(intid);
	sysreg_write(cntv_cval_el0, counter() + 10);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	CHECK(gic_bit(intid, GICD_ISPENDR) ||
	      PEER_DIFFERS("pending state of an interrupt is not readable"));
	gic_enable(intid);
	CHECK(irq_wait(intid, 1));
	sysreg_write(cntv_ctl_el0, 0);
}

/*
 * The line drops with its condition: nothing may arrive afterwards. The read
 * of ISPENDR is where a hypervisor that does not see the timer being switched
 * off has to notice.
 */
static void virtual_line_drops(void)
{
	unsigned int intid = machine.intid_vtimer;

	sysreg_write(cntv_cval_el0, counter());
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	delay_us(300);
	sysreg_write(cntv_ctl_el0, 0);
	isb();
	if (PEER_DIFFERS("the line is latched when the timer fires")) {
		pump_us(300);
		return;
	}
	CHECK(!gic_bit(intid, GICD_ISPENDR));
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
}

static void physical(void)
{
	unsigned int intid = machine.intid_ptimer;
	uint64_t start = sysreg_read(cntpct_el0);

	gic_enable(intid);
	sysreg_write(cntp_cval_el0, start + us_to_ticks(400));
	sysreg_write(cntp_ctl_el0, CNT_ENABLE);
	isb();
	EXPECT_EQ(sysreg_read(cntp_ctl_el0), CNT_ENABLE);
	EXPECT_EQ(sysreg_read(cntp_cval_el0), start + us_to_ticks(400));
	CHECK(irq_wait(intid, 1));
	CHECK(sysreg_read(cntpct_el0) - start >= us_to_ticks(400));
	CHECK(sysreg_read(cntpct_el0) - start < us_to_ticks(800));
	EXPECT_EQ(sysreg_read(cntp_ctl_el0) & CNT_ISTATUS, CNT_ISTATUS);
	sysreg_write(cntp_tval_el0, us_to_ticks(300));
	isb();
	CHECK((int32_t)sysreg_read(cntp_tval_el0) <= (int)us_to_ticks(300));
	EXPECT_EQ(sysreg_read(cntp_ctl_el0) & CNT_ISTATUS, 0);
	sysreg_write(cntp_ctl_el0, CNT_ENABLE);
	CHECK(irq_wait(intid, 2));
	sysreg_write(cntp_ctl_el0, 0);
	isb();
	EXPECT_EQ(sysreg_read(cntp_ctl_el0), 0);
	sysreg_write(cntp_cval_el0, 0);
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[intid], 2);
}

static void physical_masked(void)
{
	unsigned int intid = machine.intid_ptimer;

	sysreg_write(cntp_tval_el0, 0);
	sysreg_write(cntp_ctl_el0, CNT_ENABLE | CNT_IMASK);
	pump_us(300);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	EXPECT_EQ(sysreg_read(cntp_ctl_el0),
		  CNT_ENABLE | CNT_IMASK | CNT_ISTATUS);
	sysreg_write(cntp_ctl_el0, CNT_ENABLE);
	CHECK(irq_wait(intid, 1));
	sysreg_write(cntp_ctl_el0, 0);
}

/* WFI ends for a pending interrupt even when PSTATE masks it. */
static void wfi_wakes(void)
{
	unsigned int intid = machine.intid_vtimer;
	uint64_t start = counter();
	unsigned int i;

	clear(intid);
	gic_enable(intid);
	sysreg_write(cntv_cval_el0, start + us_to_ticks(500));
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	for (i = 0; i < 1000 && counter() < start + us_to_ticks(500); i++) {
		wfi();
	}
	CHECK(i > 0 && i < 1000);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	CHECK(counter() - start < us_to_ticks(5000));
	CHECK(irq_wait(intid, 1));
	sysreg_write(cntv_ctl_el0, 0);
}

/*
 * The next deadline is over before the handler ends, as when a host is slow or
 * the guest late: the line falls and rises again while its interrupt is active.
 */
static void again_hook(unsigned int intid)
{
	if (intid == machine.intid_vtimer) {
		sysreg_write(cntv_ctl_el0, 0);
		isb();
		if (++ticks % 3) {
			sysreg_write(cntv_cval_el0, counter() - 1);
			sysreg_write(cntv_ctl_el0, CNT_ENABLE);
			isb();
		}
	}
}

static void late_begin(void)
{
	irq_hook = again_hook;
	ticks = 0;
	clear(machine.intid_vtimer);
	gic_enable(machine.intid_vtimer);
	sysreg_write(cntv_cval_el0, counter());
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
}

static void late_in_handler(void)
{
	late_begin();
	CHECK(wait_count(&ticks, 3));
	EXPECT_EQ(ticks, 3);
}

/* The same for one that sleeps meanwhile; the other timer ends a hang. */
static void late_in_handler_wfi(void)
{
	unsigned int i;

	gic_enable(machine.intid_ptimer);
	sysreg_write(cntp_tval_el0, us_to_ticks(HANG_US));
	sysreg_write(cntp_ctl_el0, CNT_ENABLE);
	late_begin();
	for (i = 0; i < 100 && ticks < 3 &&
		    !this_cpu()->irq_count[machine.intid_ptimer]; i++) {
		wfi();
		irq_on();
		isb();
		irq_off();
	}
	EXPECT_EQ(ticks, 3);
	EXPECT_EQ(this_cpu()->irq_count[machine.intid_ptimer], 0);
	sysreg_write(cntp_ctl_el0, 0);
}

static void wfi_wakes_physical(void)
{
	unsigned int intid = machine.intid_ptimer;
	uint64_t start = counter();
	unsigned int i;

	clear(intid);
	gic_enable(intid);
	sysreg_write(cntp_tval_el0, us_to_ticks(500));
	sysreg_write(cntp_ctl_el0, CNT_ENABLE);
	for (i = 0; i < 1000 && counter() < start + us_to_ticks(500); i++) {
		wfi();
	}
	CHECK(i > 0 && i < 1000);
	CHECK(irq_wait(intid, 1));
	sysreg_write(cntp_ctl_el0, 0);
}

const struct test guest_tests[] = {
	{ "counters", counters },
	{ "virtual_periodic", virtual_periodic },
	{ "virtual_ctl_in_handler", virtual_ctl_in_handler },
	{ "virtual_status", virtual_status },
	{ "virtual_unmask", virtual_unmask },
	{ "virtual_gic_disabled", virtual_gic_disabled },
	{ "virtual_line_drops", virtual_line_drops },
	{ "physical", physical },
	{ "physical_masked", physical_masked },
	{ "wfi_wakes", wfi_wakes },
	{ "wfi_wakes_physical", wfi_wakes_physical },
	{ "late_in_handler", late_in_handler },
	{ "late_in_handler_wfi", late_in_handler_wfi },
	{ NULL, NULL },
};
