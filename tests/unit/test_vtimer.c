/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vdev/vtimer.c arch/arm64/cpu/time.c
// LINK: tests/fakes/fake_sysreg.c
// CFLAGS: -include tests/fakes/fake_sysreg.h
#include <criterion/criterion.h>

#include <arch/time.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/irqchip.h>
#include <hv/platform.h>
#include <hv/work.h>

#define MAX    UINT64_MAX
#define CNTPCT "cntpct_el0"
#define ON     CNT_CTL_ENABLE
#define MASKED (CNT_CTL_ENABLE | CNT_CTL_IMASK)

static struct domain dom;
static struct vcpu v = {.domain = &dom};
struct platform platform;

/* ---- what it calls ------------------------------------------------------- */

static uint32_t hw_posts, deactivated, levels;
static bool level;
static uint64_t armed[2]; /* vtimer_soft, ptimer.soft; 0: not */

static uint64_t *armed_by(const struct timer *t)
{
	return &armed[t == &v.arch.ptimer.soft];
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	t->fn = fn;
	t->arg = arg;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	*armed_by(t) = deadline_ns;
}

void timer_cancel(struct timer *t)
{
	*armed_by(t) = 0;
}

void timer_cancel_wait(struct timer *t)
{
	timer_cancel(t);
}

static void deactivate(uint32_t intid)
{
	deactivated = intid;
}

static const struct irqchip chip = {.deactivate = deactivate};
const struct irqchip *irqchip = &chip;

void vgic_post_hw(struct domain *d, struct virq *q)
{
	cr_assert(d == &dom);
	cr_assert_eq(q, &v.arch.vgic.priv[VTIMER_VIRT_INTID]);
	hw_posts++;
}

int vgic_link_hw(struct domain *d, struct vcpu *t, uint32_t virq,
		 uint32_t intid)
{
	cr_assert(d == &dom && t == &v && virq == VTIMER_VIRT_INTID);
	return intid == 27 ? 0 : -1;
}

void vgic_set_level(struct domain *d, struct vcpu *t, uint32_t virq, bool on)
{
	cr_assert(d == &dom && t == &v && virq == VTIMER_PHYS_INTID);
	level = on;
	levels++;
}

void vcpu_wake(struct vcpu *t)
{
	t->state = VCPU_RUNNABLE;
}

void vcpu_post(struct vcpu *t, uint32_t bits)
{
	t->work |= bits;
}

void timer_expired(void)
{
}

int irq_request(uint32_t intid, enum irq_trigger trigger,
		void (*fn)(uint32_t intid))
{
	(void)intid;
	(void)trigger;
	(void)fn;
	return 0;
}

static void set_clock(uint32_t hz)
{
	platform.timer.clock_frequency = hz;
	platform.timer.virt = 27;
	time_init();
	cr_assert_eq(vtimer_vcpu_init(&v), 0);
}

static void now(uint64_t ticks)
{
	*fake_sysreg(CNTPCT) = ticks;
}

/* ---- conversions --------------------------------------------------------- */

Test(vtimer, times_out_of_range_are_far_not_past)
{
	static const struct {
		uint32_t hz;
		uint64_t ticks, ns;
	} rows[] = {
		{62500000, 1, 16},
		{62500000, 1ull << 59, 1ull << 63},
		{62500000, 1ull << 60, MAX},
		{62500000, MAX, MAX},
		{1000000000, MAX, MAX},
		{1000000000, 1ull << 63, 1ull << 63},
		{24000000, 24, 999}, /* down, never early */
		{1, 3, 3000000000},
		{1, 1ull << 40, MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_clock(rows[i].hz);
		cr_assert_eq(ticks_to_ns(rows[i].ticks), rows[i].ns,
			     "row %zu: %lu", i, ticks_to_ns(rows[i].ticks));
	}
}

/* The comparator never gets a tick before the deadline's. */
Test(vtimer, the_comparator_is_not_early)
{
	static const uint32_t hz[] = {1000000,	19200000,  24000000,
				      62500000, 100000000, 1000000000};
	static const uint64_t ns[] = {
		0, 1, 1000000007, 1ull << 50, MAX - (1ull << 33), MAX - 1};

	for (size_t i = 0; i < ARRAY_SIZE(hz) * ARRAY_SIZE(ns); i++) {
		uint64_t at = ns[i % ARRAY_SIZE(ns)];
		uint64_t cval;

		set_clock(hz[i / ARRAY_SIZE(ns)]);
		arch_timer_arm(at);
		cval = *fake_sysreg("cnthp_cval_el2");
		cr_assert_eq(*fake_sysreg("cnthp_ctl_el2"), ON);
		cr_assert_geq(cval,
			      (__uint128_t)at * arch_counter_hz() /
				      1000000000u * 99 / 100,
			      "%lu ns at %lu Hz: %lu", at, arch_counter_hz(),
			      cval);
		arch_timer_arm(MAX);
		cr_assert_eq(*fake_sysreg("cnthp_ctl_el2"), 0);
	}
}

/* ---- the virtual timer --------------------------------------------------- */

/* What wakes it while its registers are in memory. */
Test(vtimer, save_arms_for_the_deadline)
{
	static const struct {
		uint64_t ctl, cval, cntvoff, armed;
	} rows[] = {
		{ON, 100, 0, 1600},
		{ON, 100, 50, 2400},
		{ON | CNT_CTL_ISTATUS, 100, 0, 1600},
		{0, 100, 0, 0},
		{MASKED, 100, 0, 0},
		{ON, MAX, 0, MAX},
		{ON, MAX, 50, MAX}, /* never, and not 49 ticks */
		{ON, MAX - 49, 50, MAX},
		{ON, 1ull << 60, 0, MAX},
	};

	set_clock(62500000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		dom.arch.cntvoff = rows[i].cntvoff;
		v.arch.cntv_cval = rows[i].cval;
		v.arch.cntv_ctl = rows[i].ctl & MASKED;
		vtimer_load(&v);
		cr_assert_eq(armed[0], 0);
		cr_assert_eq(*fake_sysreg("cntvoff_el2"), rows[i].cntvoff);
		cr_assert_eq(*fake_sysreg("cntv_cval_el0"), rows[i].cval);
		*fake_sysreg("cntv_ctl_el0") = rows[i].ctl;
		vtimer_save(&v);
		cr_assert_eq(*fake_sysreg("cntv_ctl_el0"), 0);
		cr_assert_eq(v.arch.cntv_ctl, rows[i].ctl & MASKED);
		cr_assert_eq(v.arch.cntv_cval, rows[i].cval);
		cr_assert_eq(armed[0], rows[i].armed, "row %zu: %lu", i,
			     armed[0]);
	}
	v.state = VCPU_BLOCKED;
	v.arch.vtimer_soft.fn(v.arch.vtimer_soft.arg);
	cr_assert_eq(v.state, VCPU_RUNNABLE);
}

Test(vtimer, its_interrupt_goes_to_who_is_loaded)
{
	struct pcpu c = {.loaded = &v};

	set_clock(62500000);
	vtimer_irq(&c);
	cr_assert_eq(hw_posts, 1);
	c.loaded = NULL;
	*fake_sysreg("cntv_ctl_el0") = ON;
	vtimer_irq(&c);
	cr_assert_eq(hw_posts, 1);
	cr_assert_eq(deactivated, 27);
	cr_assert_eq(*fake_sysreg("cntv_ctl_el0"), 0);
}

/* ---- the emulated physical timer ----------------------------------------- */

#define TVAL 0
#define CTL  1
#define CVAL 2

Test(vtimer, physical_timer_registers)
{
	static const struct {
		unsigned int write;
		uint64_t value, now;
		uint64_t tval, ctl, cval;
		bool level;
		uint64_t armed;
	} rows[] = {
		{CVAL, 200, 100, 100, 0, 200, false, 0},
		{CTL, MAX, 100, 100, MASKED, 200, false, 0},
		{CTL, ON, 100, 100, ON, 200, false, 3200},
		{CTL, ON, 200, 0, ON | CNT_CTL_ISTATUS, 200, true, 0},
		{CTL, MASKED, 201, UINT32_MAX, MASKED | CNT_CTL_ISTATUS, 200,
		 false, 0},
		{CTL, ON, 201, UINT32_MAX, ON | CNT_CTL_ISTATUS, 200, true, 0},
		{TVAL, 50, 300, 50, ON, 350, false, 5600},
		{TVAL, 0xffffffff, 300, UINT32_MAX, ON | CNT_CTL_ISTATUS, 299,
		 true, 0},
		{TVAL, 0x100000005, 300, 5, ON, 305, false, 4880},
		{CVAL, 1ull << 60, 300, 0xfffffed4, ON, 1ull << 60, false, MAX},
		{CVAL, MAX, 300, 0xfffffed3, ON, MAX, false, MAX},
		{CTL, 0, 300, 0xfffffed3, 0, MAX, false, 0},
	};

	set_clock(62500000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		now(rows[i].now);
		vtimer_phys_write(&v, rows[i].write, rows[i].value);
		cr_assert_eq(vtimer_phys_read(&v, TVAL), rows[i].tval,
			     "row %zu", i);
		cr_assert_eq(vtimer_phys_read(&v, CTL), rows[i].ctl, "row %zu",
			     i);
		cr_assert_eq(vtimer_phys_read(&v, CVAL), rows[i].cval);
		cr_assert_eq(level, rows[i].level, "row %zu", i);
		cr_assert_eq(armed[1], rows[i].armed, "row %zu: %lu", i,
			     armed[1]);
	}
}

Test(vtimer, physical_timer_fires)
{
	set_clock(62500000);
	vtimer_phys_write(&v, CVAL, 200);
	vtimer_phys_write(&v, CTL, ON);
	cr_assert_not(level);
	now(200);
	v.arch.ptimer.soft.fn(v.arch.ptimer.soft.arg);
	cr_assert_eq(v.work, VWORK_VTIMER);
	arch_vtimer_sync(&v);
	cr_assert(level);
	armed[0] = armed[1] = 5;
	vtimer_vcpu_fini(&v);
	cr_assert_eq(armed[0] + armed[1], 0);
}

/* Loaded, its virtual timer is in the CPU; not loaded, it waits in software. */
Test(vtimer, reset)
{
	for (uint16_t cpu = 0; cpu < 2; cpu++) {
		v.loaded_on = cpu ? CPU_NONE : 0;
		v.arch.ptimer.ctl = ON;
		v.arch.ptimer.cval = 7;
		armed[0] = armed[1] = 5;
		vtimer_vcpu_reset(&v);
		cr_assert_eq(armed[0], cpu ? 0 : 5);
		cr_assert_eq(armed[1], 0);
		cr_assert_eq(v.arch.ptimer.ctl, 0);
		cr_assert_eq(v.arch.ptimer.cval, 0);
	}
}
