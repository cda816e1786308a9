/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns a device behind an IOMMU, over drivers that keep a log. */
// LINK: core/iommu.c core/lock.c debug/lock_check.c core/percpu.c
// LINK: core/iommu_inspect.c
// LINK: arch/fake/cpu.c arch/fake/p2m.c arch/fake/last_words.c
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/timer.h>
#include <hv/work.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

static char order[1024]; /* what drivers and tables were told */
static int attach_rc;
static uint32_t fail_stream = UINT32_MAX;
static bool more;
static bool quiet = true; /* the unit has nothing to report */
static uint8_t reason = IOMMU_NOT_MAPPED;
static char said[4][256];
static int nr_said;
static void (*handler)(uint32_t line);
static uint64_t enabled; /* bit per line - 64 */

static struct domain d1, d2, plain;
static struct iommu u0, u1;
static struct iommu_device nic = { .name = "/nic", .nr = 2 };
static struct iommu_device disk = { .name = "/disk", .nr = 1 };
static struct iommu_device twin = { .name = "/twin", .nr = 1 };

static void note(const char *fmt, ...)
{
	size_t n = strlen(order);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(order + n, sizeof(order) - n, fmt, ap);
	va_end(ap);
}

/* ---- a driver ------------------------------------------------------------ */

static int fake_attach(struct iommu *u, uint32_t first, uint32_t nr,
		       const struct iommu_space *s)
{
	note("a%u:%x+%x=%u ", u->index, first, nr, s->tag);
	return first == fail_stream ? attach_rc : 0;
}

static void fake_detach(struct iommu *u, uint32_t first, uint32_t nr,
			const struct iommu_space *s)
{
	note("d%u:%x+%x=%u ", u->index, first, nr, s->tag);
}

static void fake_flush(struct iommu *u, const struct iommu_space *s,
		       uint64_t address, uint64_t pages)
{
	note("f%u:%llx%s=%u ", u->index, (unsigned long long)address,
	     pages == IOMMU_ALL ? "*" : "", s->tag);
}

static bool fake_irq(struct iommu *u)
{
	const struct iommu_fault f = {
		.reason = reason, .stream = 8, .has_address = true,
		.write = true, .address = 0xabc000,
	};

	if (!quiet) {
		iommu_report(u, &f);
	}
	return more;
}

static const struct iommu_ops fake_ops = {
	.name = "unit", .attach = fake_attach, .detach = fake_detach,
	.flush = fake_flush, .irq = fake_irq,
};

/* ---- the rest of the hypervisor ------------------------------------------ */

static void chip_enable(uint32_t line)
{
	enabled |= UINT64_C(1) << (line - 64);
}

static void chip_disable(uint32_t line)
{
	enabled &= ~(UINT64_C(1) << (line - 64));
}

static const struct irqchip chip = {
	.enable = chip_enable, .disable = chip_disable,
};
const struct irqchip *irqchip = &chip;

int irq_request(uint32_t line, enum irq_trigger t, void (*h)(uint32_t))
{
	cr_expect_eq(t, IRQ_EDGE);
	handler = h;
	chip_enable(line);
	return line == 99 ? -EBUSY : 0;
}

static void say(const char *fmt, va_list ap)
{
	vsnprintf(said[nr_said++ % 4], sizeof(said[0]), fmt, ap);
}

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	(void)lvl;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void log_guest(const struct domain *d, enum log_level lvl, const char *fmt,
	       ...)
{
	va_list ap;

	(void)lvl;
	note("%s ", d ? d->name : "nobody");
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

struct options options;

void domain_crash_soon(struct domain *d, const char *why)
{
	note("%s crashes ", d->name);
	cr_expect(strstr(why, "its device"));
}

void pcpu_post(struct pcpu *c, uint32_t bits)
{
	c->work |= bits;
}

static struct timer *timer; /* the last one that was armed */

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	t->fn = fn;
	t->arg = arg;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	t->deadline_ns = deadline_ns;
	timer = t;
}

/* ---- the tests ----------------------------------------------------------- */

static void domain_make(struct domain *d, const char *name, bool may)
{
	strcpy(d->name, name);
	d->iommu.enabled = may;
	spin_lock_init(&d->p2m.lock, LOCK_RANK_P2M);
	cr_assert_eq(arch_p2m_init(d), 0);
}

static void unit_make(struct iommu *u, uint32_t line)
{
	u->ops = &fake_ops;
	u->walks_coherent = true;
	spin_lock_init(&u->lock, LOCK_RANK_IOMMU);
	u->irq[0] = line;
	u->irq_edge[0] = true;
	u->nr_irqs = 1;
	cr_assert_eq(iommu_add_unit(u), 0);
}

static void setup(void)
{
	cr_expect_not(iommu_is_present());
	domain_make(&d1, "d1", true);
	domain_make(&d2, "d2", true);
	domain_make(&plain, "plain", false);
	unit_make(&u0, 70);
	unit_make(&u1, 71);
	cr_expect(iommu_is_present());
	nic.stream[0] = (struct stream_range){ &u0, 8, 1 };
	nic.stream[1] = (struct stream_range){ &u1, 0x100, 0x100 };
	disk.stream[0] = (struct stream_range){ &u0, 9, 1 };
	twin.stream[0] = (struct stream_range){ &u0, 9, 1 };
	iommu_add_device(&nic);
	iommu_add_device(&disk);
	iommu_add_device(&twin);
}

static void teardown(void)
{
	(void)!arch_p2m_fini_step(&d1);
	(void)!arch_p2m_fini_step(&d2);
	(void)!arch_p2m_fini_step(&plain);
}

TestSuite(iommu, .init = setup, .fini = teardown);

static void expect(const char *want)
{
	cr_expect_str_eq(order, want, "%s", order);
	order[0] = 0;
}

static void return_all(struct domain *d)
{
	while (iommu_return_all_step(d) == -EAGAIN) {
	}
	cr_expect_eq(d->iommu.nr_devices, 0);
	cr_expect_eq(d->iommu.units, 0);
	cr_expect_eq(d->iommu.tag, 0);
}

Test(iommu, one_life)
{
	cr_assert_eq(iommu_assign(&d1, &nic), 0);
	expect("a0:8+1=1 a1:100+100=1 ");
	cr_expect_eq(d1.iommu.units, 3);
	cr_assert_eq(iommu_assign(&d2, &disk), 0);
	expect("a0:9+1=2 ");
	cr_expect_eq(d2.iommu.units, 1);
	/* Each domain's units, under its own number. */
	iommu_flush(&d1, 0x1000);
	expect("f0:1000=1 f1:1000=1 ");
	iommu_flush(&d2, 0x1000);
	expect("f0:1000=2 ");
	return_all(&d1);
	expect("d0:8+1=1 d1:100+100=1 f0:0*=1 f1:0*=1 ");
	iommu_flush(&d1, 0x1000);
	expect("");
	/* The number goes to the next one. */
	cr_assert_eq(iommu_assign(&d1, &nic), 0);
	expect("a0:8+1=1 a1:100+100=1 ");
}

Test(iommu, refused)
{
	cr_expect_eq(iommu_assign(&plain, &nic), -EINVAL);
	cr_assert_eq(iommu_assign(&d1, &nic), 0);
	order[0] = 0;
	cr_expect_eq(iommu_assign(&d1, &nic), -EBUSY);
	cr_expect_eq(iommu_assign(&d2, &nic), -EBUSY);
	d2.p2m.dying = true;
	cr_expect_eq(iommu_assign(&d2, &disk), -EINVAL);
	cr_expect_eq(d2.iommu.tag, 0);
	expect("");
}

/* The second range fails: the first is taken back, the number too. */
Test(iommu, undone_half_way)
{
	fail_stream = 0x100;
	attach_rc = -ENOMEM;
	cr_expect_eq(iommu_assign(&d1, &nic), -ENOMEM);
	expect("a0:8+1=1 a1:100+100=1 d0:8+1=1 f0:0*=1 f1:0*=1 ");
	cr_expect_eq(d1.iommu.units, 0);
	cr_expect_eq(d1.iommu.tag, 0);
	cr_expect_null(nic.owner);
	fail_stream = UINT32_MAX;
	cr_expect_eq(iommu_assign(&d2, &nic), 0);
}

/* Devices that a unit cannot tell apart go together. */
Test(iommu, same_stream)
{
	cr_assert_eq(iommu_assign(&d1, &disk), 0);
	cr_expect_eq(iommu_assign(&d2, &twin), -EBUSY);
	cr_assert_eq(iommu_assign(&d1, &twin), 0);
	order[0] = 0;
	cr_expect_eq(iommu_return_all_step(&d1), -EAGAIN);
	expect(""); /* the other one still is its */
	cr_expect_eq(iommu_return_all_step(&d1), -EAGAIN);
	expect("d0:9+1=1 f0:0*=1 ");
	cr_expect_eq(iommu_return_all_step(&d1), 0);
}

/* One's streams within another's: the rest goes with the other. */
Test(iommu, some_streams_in_common)
{
	twin.stream[0] = (struct stream_range){ &u0, 0x10, 8 };
	disk.stream[0] = (struct stream_range){ &u0, 0x12, 1 };
	cr_assert_eq(iommu_assign(&d1, &twin), 0);
	cr_assert_eq(iommu_assign(&d1, &disk), 0);
	order[0] = 0;
	cr_expect_eq(iommu_return_all_step(&d1), -EAGAIN);
	cr_expect_null(twin.owner);
	expect("d0:10+2=1 d0:13+5=1 ");
	cr_expect_eq(iommu_return_all_step(&d1), -EAGAIN);
	expect("d0:12+1=1 f0:0*=1 ");
}

Test(iommu, granted_frames_of_a_direct_mapped_domain)
{
	cr_assert_eq(iommu_assign(&d1, &disk), 0);
	cr_expect_not(d1.iommu.grants);
	d2.direct_mapped = true;
	cr_assert_eq(iommu_assign(&d2, &nic), 0);
	cr_expect(d2.iommu.grants);
	return_all(&d2);
	cr_expect_not(d2.iommu.grants);
}

Test(iommu, dead_unit)
{
	u0.dead = true;
	cr_expect_eq(iommu_assign(&d1, &disk), -EIO);
	u0.dead = false;
	cr_assert_eq(iommu_assign(&d1, &disk), 0);
	order[0] = 0;
	u0.dead = true;
	iommu_flush(&d1, 0x1000);
	expect("");
}

Test(iommu, numbers_run_out)
{
	static struct domain many[IOMMU_TAGS];
	static struct iommu_device dev[IOMMU_TAGS];
	uint32_t n;

	for (n = 0; n < IOMMU_TAGS - 1; n++) {
		domain_make(&many[n], "m", true);
		dev[n] = (struct iommu_device){ .name = "x", .nr = 1 };
		dev[n].stream[0] = (struct stream_range){ &u1, 0x1000 + n, 1 };
		iommu_add_device(&dev[n]);
		cr_assert_eq(iommu_assign(&many[n], &dev[n]), 0);
	}
	cr_expect_eq(iommu_assign(&d1, &disk), -ENOSPC);
	return_all(&many[100]);
	cr_expect_eq(iommu_assign(&d1, &disk), 0);
	cr_expect_eq(d1.iommu.tag, 101);
	for (n = 0; n < IOMMU_TAGS - 1; n++) {
		(void)!arch_p2m_fini_step(&many[n]);
	}
}

/* ---- faults -------------------------------------------------------------- */

Test(iommu, fault_of_an_owner)
{
	cr_assert_eq(iommu_assign(&d1, &nic), 0);
	order[0] = 0;
	quiet = false;
	handler(70);
	cr_expect_eq(enabled, 0x80, "masked until it was looked at");
	cr_expect_eq(this_pcpu()->work, PWORK_DOMAIN);
	iommu_poll();
	expect("d1 ");
	cr_expect_str_eq(said[0], "stream 0x8 (/nic) writes 0xabc000: refused "
			 "by unit: nothing is mapped there (0)\n");
	cr_expect_eq(enabled, 0xc0);
	cr_expect_eq(d1.guest_errors, 1);
	iommu_poll();
	cr_expect_eq(nr_said, 1);
}

Test(iommu, more_than_one_call_takes)
{
	more = true;
	quiet = false;
	handler(70);
	iommu_poll();
	cr_expect_eq(enabled, 0x80);
	more = false;
	iommu_poll();
	cr_expect_eq(enabled, 0xc0);
	cr_expect_eq(nr_said, 1, "the same again is not told again");
}

/* Work points until nothing is posted; how many. */
static unsigned int work_points(void)
{
	unsigned int n = 0;

	while (this_pcpu()->work && n < 1000) {
		this_pcpu()->work = 0;
		iommu_poll();
		n++;
	}
	return n;
}

/* A device that is refused faster than it can be told: guests run on. */
Test(iommu, storm)
{
	unsigned int n;

	quiet = false;
	more = true;
	handler(70);
	cr_expect_leq(work_points(), 16);
	cr_expect_eq(enabled, 0x80, "masked");
	cr_assert_not_null(timer);
	cr_expect_gt(timer->deadline_ns, fake_time_ns);
	handler(71); /* another unit is heard meanwhile */
	n = work_points();
	cr_expect(n > 0 && n <= 16, "%u", n);
	for (n = 0; n < 100; n++) {
		fake_time_ns = timer->deadline_ns;
		timer->fn(timer->arg);
		cr_expect_eq(this_pcpu()->work, PWORK_DOMAIN);
		cr_expect_leq(work_points(), 16);
		cr_expect_eq(enabled, 0);
	}
	more = false; /* it is over */
	fake_time_ns = timer->deadline_ns;
	timer->fn(timer->arg);
	cr_expect_leq(work_points(), 2);
	cr_expect_eq(enabled, 0xc0);
}

/* The same, one at a time, each with an interrupt of its own. */
Test(iommu, storm_of_interrupts)
{
	unsigned int n = 0;

	quiet = false;
	while (enabled == 0xc0 && n < 1000) {
		handler(70);
		(void)work_points();
		n++;
	}
	cr_expect_leq(n, 16);
	fake_time_ns = timer->deadline_ns;
	timer->fn(timer->arg);
	(void)work_points();
	cr_expect_eq(enabled, 0xc0);
}

Test(iommu, fault_of_nobody)
{
	struct iommu_fault f = { .reason = IOMMU_NO_SPACE, .stream = 8 };

	iommu_report(&u0, &f);
	expect("nobody ");
	cr_expect(strstr(said[0], "stream 0x8 (/nic) accesses"), "%s", said[0]);
	f.stream = 77;
	iommu_report(&u0, &f);
	cr_expect(strstr(said[1], "(no known device)"));
	f.reason = IOMMU_DEAD;
	iommu_report(&u0, &f);
	cr_expect(strstr(said[2], "does not answer"));
	f.reason = IOMMU_LOST;
	iommu_report(&u0, &f);
	cr_expect(strstr(said[3], "lost"));
}

static void fault_now(void)
{
	quiet = false;
	handler(70);
	iommu_poll();
	quiet = true;
}

/* By the machine's policy; what is not the owner's doing is only told. */
Test(iommu, fault_ends_the_owner)
{
	cr_assert_eq(iommu_assign(&d1, &nic), 0);
	order[0] = 0;
	options.iommu_crash = true;
	fault_now();
	expect("d1 crashes d1 ");
	fault_now();
	expect("d1 crashes "); /* told before, and yet it counts */
	reason = IOMMU_TABLE_FAULT;
	fault_now();
	expect("d1 ");
	reason = IOMMU_NO_SPACE;
	fault_now();
	expect("d1 ");
	reason = IOMMU_BAD_ADDRESS;
	d1.is_hardware = true;
	fault_now();
	expect("d1 ");
	cr_expect_eq(d1.guest_errors, 4);
}

/* What is in the queue when a device goes is its old owner's. */
Test(iommu, fault_before_it_went)
{
	options.iommu_crash = true;
	cr_assert_eq(iommu_assign(&d1, &nic), 0);
	cr_assert_eq(iommu_assign(&d1, &disk), 0);
	order[0] = 0;
	quiet = false;
	more = true; /* without end: the number of calls has one */
	iommu_return(&d1, &nic);
	cr_expect(strstr(order, "d0:8+1=1 d1:100+100=1 d1 crashes d1 d1 cra"),
		  "%s", order);
	quiet = true;
	more = false;
	order[0] = 0;
	cr_assert_eq(iommu_assign(&d2, &nic), 0);
	iommu_poll();
	expect("a0:8+1=2 a1:100+100=2 ");
	cr_expect_eq(d2.guest_errors, 0);
	fault_now();
	expect("d2 crashes d2 ");
}
