/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who gets how much of the CPUs, over a minute. As the control domain, it gives
 * the domains 1 to 3, which start at boot, the weights and caps of a case, and
 * prints what they had:
 *
 *	SHARE dN ns N of N
 *
 * As one of those domains (boot argument "load") all its vCPUs are busy, and
 * it prints for how long one of them did not run at most; as another ("io") it
 * sleeps and wakes every few milliseconds, works a little, and prints how late
 * it woke up:
 *
 *	GAP us N
 *	LATE n N mean us N worst us N
 */
#include "guest.h"

#define NR_DOMAINS  3u
#define NR_VCPUS    2u
#define SECOND_US   UINT64_C(1000000)
#define SETTLE_US   (SECOND_US / 2)	/* from boot to the minute */
#define MEASURE_US  (60 * SECOND_US)
#define SOON_US	    SECOND_US		/* after it, before they tell */
#define LOOK_TURNS  2000u		/* of two instructions */
#define IO_PERIOD_US 3700u
#define IO_WORK_US  100u

/* ---- the control domain ---------------------------------------------- */

static const struct share_case {
	const char *name;
	bool pinned;			/* vCPU n to CPU n */
	struct {
		uint16_t weight;
		uint16_t cap;
	} of[NR_DOMAINS];
} cases[] = {
	{ "weights", true, { { 256, 0 }, { 512, 0 }, { 1024, 0 } } },
	{ "free", false, { { 256, 0 }, { 512, 0 }, { 1024, 0 } } },
	{ "caps", false, { { 256, 10 }, { 256, 25 }, { 256, 0 } } },
	{ "wide", false, { { 256, 35 }, { 256, 17 }, { 256, 0 } } },
	{ "equal", false, { { 256, 0 }, { 256, 0 }, { 256, 0 } } },
};

static struct xen_domctl op;

static int domctl(uint32_t cmd, domid_t id)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = id;
	return (int)hc1(__HYPERVISOR_domctl, PTR(&op));
}

static uint64_t cpu_time(domid_t id)
{
	EXPECT_EQ(domctl(XEN_DOMCTL_getdomaininfo, id), 0);
	return op.u.getdomaininfo.cpu_time;
}

static void pin(domid_t id)
{
	static uint64_t cpu;
	uint32_t i;

	for (i = 0; i < NR_VCPUS; i++) {
		cpu = UINT64_C(1) << i;
		op.u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){
			.vcpu = i, .flags = XEN_VCPUAFFINITY_HARD,
		};
		op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
		set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap,
				     (uint8_t *)&cpu);
		domctl(XEN_DOMCTL_setvcpuaffinity, id); /* not there: so what */
	}
}

static void prepare(const struct share_case *c)
{
	domid_t id;

	for (id = 1; id <= NR_DOMAINS; id++) {
		op.u.scheduler_op = (struct xen_domctl_scheduler_op){
			.sched_id = XEN_SCHEDULER_CREDIT2,
			.cmd = XEN_DOMCTL_SCHEDOP_putinfo,
			.u.credit2.weight = c->of[id - 1].weight,
			.u.credit2.cap = c->of[id - 1].cap,
		};
		EXPECT_EQ(domctl(XEN_DOMCTL_scheduler_op, id), 0);
		if (c->pinned) {
			pin(id);
		}
	}
}

static void sleep_until(uint64_t ticks)
{
	sysreg_write(cntv_cval_el0, ticks);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	while (counter() < ticks) {
		wfi();		/* wakes with the interrupt pending */
	}
	irq_on();
	isb();
	irq_off();
}

static void measure(const struct share_case *c)
{
	uint64_t began[NR_DOMAINS];
	uint64_t t0;
	domid_t id;

	prepare(c);
	sleep_until(counter() + us_to_ticks(SETTLE_US));
	t0 = counter();
	for (id = 1; id <= NR_DOMAINS; id++) {
		began[id - 1] = cpu_time(id);
	}
	sleep_until(t0 + us_to_ticks(MEASURE_US));
	for (id = 1; id <= NR_DOMAINS; id++) {
		printf("SHARE d%u ns %lu of %lu\n", id,
		       cpu_time(id) - began[id - 1], MEASURE_US * 1000);
	}
	sleep_until(counter() + us_to_ticks(3 * SOON_US));
}

/* ---- the others ------------------------------------------------------ */

static uint64_t gaps[MAX_CPUS];		/* ticks */

static void be_busy(void *arg)
{
	uint64_t *gap = arg;
	uint64_t last = counter();
	uint64_t end = last + us_to_ticks(SETTLE_US + MEASURE_US + SOON_US);

	while (last < end) {
		uint64_t n = LOOK_TURNS;
		uint64_t now;

		asm volatile("1: subs %0, %0, #1\n\tb.ne 1b"
			     : "+r"(n) :: "cc");
		now = counter();
		*gap = now - last > *gap ? now - last : *gap;
		last = now;
	}
}

static uint64_t ticks_to_us(uint64_t ticks)
{
	return ticks * SECOND_US / sysreg_read(cntfrq_el0);
}

static void load(void)
{
	uint64_t worst = 0;
	unsigned int i;

	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		cpu_run(i, be_busy, &gaps[i]);
	}
	be_busy(&gaps[0]);
	delay_us(SECOND_US / 10);
	for (i = 0; i < machine.nr_cpus; i++) {
		worst = gaps[i] > worst ? gaps[i] : worst;
	}
	printf("GAP us %lu\n", ticks_to_us(worst));
}

static void io(void)
{
	uint64_t end = counter() + us_to_ticks(SETTLE_US + MEASURE_US);
	uint64_t worst = 0;
	uint64_t sum = 0;
	uint64_t at = counter();
	unsigned int n;

	for (n = 0; at < end; n++) {
		uint64_t late;

		at = counter() + us_to_ticks(IO_PERIOD_US);
		sleep_until(at);
		late = counter() - at;
		sum += late;
		worst = late > worst ? late : worst;
		delay_us(IO_WORK_US);
	}
	printf("LATE n %u mean us %lu worst us %lu\n", n, ticks_to_us(sum / n),
	       ticks_to_us(worst));
}

static void shares(void)
{
	unsigned int i;

	gic_enable(machine.intid_vtimer);
	if (has_bootarg("load")) {
		load();
		return;
	}
	if (has_bootarg("io")) {
		io();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (has_bootarg(cases[i].name)) {
			measure(&cases[i]);
			return;
		}
	}
	CHECK(!"a case");
}

const struct test guest_tests[] = {
	{ "shares", shares },
	{ NULL, NULL },
};
