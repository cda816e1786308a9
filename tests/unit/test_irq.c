/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/irq.c core/percpu.c core/lock.c debug/lock_check.c
// LINK: arch/fake/cpu.c arch/fake/last_words.c
// LIBS: -Wl,--wrap=arch_virq_post_hw
#include <criterion/criterion.h>

#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/percpu.h>
#include <hv/trace.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define LINES 288u
#define PPI 27u
#define SPI 40u

static struct domain d1, d2;
static struct {
	bool enabled, pending, active;
	enum irq_trigger trigger;
	int cpu; /* -1: not routed */
	unsigned int enables, disables, deactivates, routes, triggers;
} line_[NR_INTIDS];

static struct {
	struct domain *d;
	struct virq *q;
	unsigned int nr;
} posted;
static unsigned int handled, spurious;
static uint32_t handled_line;

/* ---- the controller ------------------------------------------------------ */

static void chip_enable(uint32_t i)
{
	line_[i].enabled = true;
	line_[i].enables++;
}

static void chip_disable(uint32_t i)
{
	line_[i].enabled = false;
	line_[i].disables++;
}

static void chip_deactivate(uint32_t i)
{
	line_[i].active = false;
	line_[i].deactivates++;
}

static void chip_set_trigger(uint32_t i, enum irq_trigger t)
{
	line_[i].trigger = t;
	line_[i].triggers++;
}

static void chip_route(uint32_t i, uint16_t cpu)
{
	line_[i].cpu = cpu;
	line_[i].routes++;
}

static void chip_set_pending(uint32_t i, bool on)
{
	line_[i].pending = on;
}

static void chip_set_active(uint32_t i, bool on)
{
	cr_assert(!line_[i].enabled); /* masked before it is taken away */
	line_[i].active = on;
}

static const struct irqchip chip = {
	.enable = chip_enable,
	.disable = chip_disable,
	.deactivate = chip_deactivate,
	.set_trigger = chip_set_trigger,
	.route = chip_route,
	.set_pending = chip_set_pending,
	.set_active = chip_set_active,
};

/* ---- who takes them ------------------------------------------------------ */

void __wrap_arch_virq_post_hw(struct domain *d, struct virq *q);

void __wrap_arch_virq_post_hw(struct domain *d, struct virq *q)
{
	posted.d = d;
	posted.q = q;
	posted.nr++;
}

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	spurious += e == TRACE_IRQ_SPURIOUS;
}

static void handler(uint32_t line)
{
	handled++;
	handled_line = line;
}

static void setup(void)
{
	for (uint16_t cpu = 0; cpu < 4; cpu++) {
		percpu_init(cpu, cpu, 0);
	}
	fake_this_pcpu = pcpus[1];
	for (uint32_t i = 0; i < NR_INTIDS; i++) {
		line_[i].cpu = -1;
	}
	irqchip = &chip;
	irqchip_nr_lines = LINES;
}

TestSuite(irq, .init = setup);

/* ---- owners -------------------------------------------------------------- */

Test(irq, the_hypervisor_takes_a_line)
{
	cr_assert_eq(irq_request(SPI, IRQ_EDGE, handler), 0);
	cr_assert(line_[SPI].enabled);
	cr_assert_eq(line_[SPI].trigger, IRQ_EDGE);
	cr_assert_eq(line_[SPI].cpu, 1);
	cr_assert_eq(irq_desc_of(SPI)->owner, IRQ_HV);
	cr_assert_eq(irq_request(PPI, IRQ_LEVEL, handler), 0);
	cr_assert_eq(line_[PPI].routes, 0); /* one for each CPU */
	irq_dispatch(SPI);
	cr_assert_eq(handled, 1);
	cr_assert_eq(handled_line, SPI);
	cr_assert_eq(line_[SPI].deactivates, 1);
	cr_assert_eq(posted.nr, 0);
}

Test(irq, lines_that_do_not_exist)
{
	static const uint32_t bad[] = { 0, 15, LINES, NR_INTIDS, INTID_NONE,
					UINT32_MAX };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(irq_request(bad[i], IRQ_LEVEL, handler), -EINVAL);
		cr_assert_eq(irq_assign_guest(&d1, bad[i], 40, IRQ_LEVEL),
			     -EINVAL);
	}
	cr_assert_eq(irq_request(SPI, IRQ_LEVEL, NULL), -EINVAL);
	cr_assert_eq(irq_assign_guest(&d1, 31, 40, IRQ_LEVEL), -EINVAL);
	/* ... nor in the guest */
	cr_assert_eq(irq_assign_guest(&d1, SPI, NR_INTIDS, IRQ_LEVEL), -EINVAL);
	cr_assert_eq(irq_request(LINES - 1, IRQ_LEVEL, handler), 0);
	cr_assert_null(irq_desc_of(NR_INTIDS));
	irq_guest_enable(UINT32_MAX, true);
	irq_guest_set_trigger(NR_INTIDS, IRQ_EDGE);
	irq_guest_route(NR_INTIDS, 0);
	irq_dispatch(INTID_NONE);
}

Test(irq, a_line_has_one_owner)
{
	cr_assert_eq(irq_request(SPI, IRQ_LEVEL, handler), 0);
	cr_assert_eq(irq_request(SPI, IRQ_EDGE, handler), -EBUSY);
	cr_assert_eq(irq_assign_guest(&d1, SPI, 50, IRQ_EDGE), -EBUSY);
	cr_assert_eq(line_[SPI].trigger, IRQ_LEVEL);
	cr_assert(line_[SPI].enabled);
	cr_assert_eq(irq_assign_guest(&d1, 41, 51, IRQ_EDGE), 0);
	cr_assert_eq(irq_assign_guest(&d2, 41, 51, IRQ_EDGE), -EBUSY);
	cr_assert_eq(irq_assign_guest(&d1, 41, 51, IRQ_EDGE), -EBUSY);
	cr_assert_eq(irq_request(41, IRQ_LEVEL, handler), -EBUSY);
	cr_assert_eq(irq_desc_of(41)->domain, &d1);
}

Test(irq, a_guest_takes_a_line)
{
	cr_assert_eq(irq_assign_guest(&d1, SPI, 77, IRQ_EDGE), 0);
	cr_assert(!line_[SPI].enabled); /* until it says so */
	cr_assert_eq(line_[SPI].trigger, IRQ_EDGE);
	cr_assert_eq(line_[SPI].cpu, 0);
	irq_guest_enable(SPI, true);
	cr_assert(line_[SPI].enabled);
	line_[SPI].active = true;
	irq_dispatch(SPI);
	cr_assert_eq(posted.nr, 1);
	cr_assert_eq(posted.d, &d1);
	cr_assert_eq(posted.q, arch_virq_of(&d1, 77));
	cr_assert(line_[SPI].active); /* until the guest ends it */
	irq_guest_enable(SPI, false);
	cr_assert(!line_[SPI].enabled);
}

Test(irq, what_a_guest_may_change)
{
	cr_assert_eq(irq_assign_guest(&d1, SPI, 77, IRQ_LEVEL), 0);
	irq_guest_set_trigger(SPI, IRQ_LEVEL); /* as it is */
	cr_assert_eq(line_[SPI].triggers, 1);
	irq_guest_set_trigger(SPI, IRQ_EDGE);
	cr_assert_eq(line_[SPI].trigger, IRQ_EDGE);
	irq_guest_route(SPI, 0);
	cr_assert_eq(line_[SPI].routes, 1);
	irq_guest_route(SPI, 3);
	cr_assert_eq(line_[SPI].cpu, 3);
	irq_guest_route(SPI, 4); /* no such CPU */
	cr_assert_eq(line_[SPI].cpu, 3);
	/* Neither ours nor nobody's. */
	cr_assert_eq(irq_request(41, IRQ_LEVEL, handler), 0);
	irq_guest_enable(41, false);
	irq_guest_set_trigger(41, IRQ_EDGE);
	irq_guest_route(41, 3);
	irq_guest_enable(42, true);
	cr_assert(line_[41].enabled);
	cr_assert_eq(line_[41].trigger, IRQ_LEVEL);
	cr_assert_eq(line_[41].cpu, 1);
	cr_assert(!line_[42].enabled);
}

Test(irq, as_it_was_assigned)
{
	cr_assert_eq(irq_assign_guest(&d1, SPI, 77, IRQ_LEVEL), 0);
	irq_guest_enable(SPI, true);
	irq_guest_set_trigger(SPI, IRQ_EDGE);
	line_[SPI].pending = true;
	irq_guest_reset(SPI);
	cr_assert(!line_[SPI].enabled);
	cr_assert_eq(line_[SPI].trigger, IRQ_LEVEL);
	cr_assert(!line_[SPI].pending);
	irq_guest_set_trigger(SPI, IRQ_EDGE); /* no change of nothing */
	cr_assert_eq(line_[SPI].trigger, IRQ_EDGE);
	/* Neither ours nor nobody's. */
	cr_assert_eq(irq_request(41, IRQ_EDGE, handler), 0);
	irq_guest_reset(41);
	irq_guest_reset(42);
	irq_guest_reset(NR_INTIDS);
	cr_assert(line_[41].enabled);
	cr_assert_eq(line_[41].trigger, IRQ_EDGE);
	cr_assert_eq(line_[42].triggers, 0);
}

Test(irq, release_one)
{
	cr_assert_eq(irq_assign_guest(&d1, SPI, 77, IRQ_LEVEL), 0);
	cr_assert_eq(irq_assign_guest(&d1, SPI + 1, 78, IRQ_LEVEL), 0);
	irq_release(&d2, SPI); /* not its own */
	irq_release(&d1, NR_INTIDS);
	cr_assert_eq(irq_desc_of(SPI)->owner, IRQ_GUEST);
	irq_release(&d1, SPI);
	cr_assert_eq(irq_desc_of(SPI)->owner, IRQ_NOBODY);
	cr_assert_eq(irq_desc_of(SPI + 1)->owner, IRQ_GUEST);
}

Test(irq, release)
{
	cr_assert_eq(irq_assign_guest(&d1, SPI, 77, IRQ_LEVEL), 0);
	irq_guest_enable(SPI, true);
	line_[SPI].active = line_[SPI].pending = true;
	irq_release_all(&d2); /* not its own */
	cr_assert_eq(irq_desc_of(SPI)->owner, IRQ_GUEST);
	cr_assert(line_[SPI].enabled);
	irq_release_all(&d1);
	cr_assert_eq(irq_desc_of(SPI)->owner, IRQ_NOBODY);
	cr_assert_null(irq_desc_of(SPI)->domain);
	cr_assert(!line_[SPI].enabled);
	cr_assert(!line_[SPI].active);
	cr_assert(!line_[SPI].pending);
	irq_dispatch(SPI); /* fired just before */
	cr_assert_eq(posted.nr, 0);
	cr_assert_eq(spurious, 1);
	cr_assert_eq(line_[SPI].deactivates, 1);
	cr_assert_eq(irq_assign_guest(&d2, SPI, 78, IRQ_LEVEL), 0);
	irq_dispatch(SPI);
	cr_assert_eq(posted.d, &d2);
	cr_assert_eq(posted.q, arch_virq_of(&d2, 78));
}

Test(irq, release_all_of_one_domain)
{
	for (uint32_t i = 32; i < LINES; i++) {
		struct domain *d = i % 2 ? &d1 : &d2;

		cr_assert_eq(irq_assign_guest(d, i, i, IRQ_LEVEL), 0);
		irq_guest_enable(i, true);
	}
	irq_release_all(&d1);
	for (uint32_t i = 32; i < LINES; i++) {
		cr_assert_eq(irq_desc_of(i)->owner,
			     i % 2 ? IRQ_NOBODY : IRQ_GUEST);
		cr_assert_eq(line_[i].enabled, i % 2 == 0);
	}
}

Test(irq, another_cpu_gets_our_ppis)
{
	cr_assert_eq(irq_request(PPI, IRQ_LEVEL, handler), 0);
	cr_assert_eq(irq_request(SPI, IRQ_LEVEL, handler), 0);
	irq_enable_cpu_ppis();
	cr_assert_eq(line_[PPI].enables, 2);
	cr_assert_eq(line_[SPI].enables, 1);
	cr_assert_eq(line_[26].enables, 0);
}

/* ---- a CPU goes off line ------------------------------------------------- */

static uint32_t move_all(uint16_t cpu)
{
	uint32_t line = 0;
	uint32_t steps = 1;

	while (irq_move_step(cpu, &line)) {
		steps++;
		cr_assert_lt(steps, 100);
	}
	return steps;
}

Test(irq, lines_leave_a_cpu)
{
	static struct cpupool pool = {.cpus = 0xc};

	d1.pool = &pool;
	cr_assert_eq(irq_request(SPI, IRQ_EDGE, handler), 0); /* on CPU 1 */
	cr_assert_eq(irq_request(PPI, IRQ_LEVEL, handler), 0);
	cr_assert_eq(irq_assign_guest(&d1, 32, 50, IRQ_LEVEL), 0);
	cr_assert_eq(irq_assign_guest(&d1, 41, 51, IRQ_LEVEL), 0);
	cr_assert_eq(irq_assign_guest(&d1, LINES - 1, 52, IRQ_EDGE), 0);
	irq_guest_route(41, 3);
	irq_guest_route(LINES - 1, 1);
	fake_this_pcpu = pcpus[3];
	cr_assert_gt(move_all(1), 1);
	cr_assert_eq(line_[SPI].cpu, 3); /* who asks */
	cr_assert_eq(line_[LINES - 1].cpu, 2); /* the first of its pool */
	cr_assert_eq(line_[32].cpu, 0);
	cr_assert_eq(line_[41].cpu, 3);
	cr_assert_eq(line_[PPI].routes, 0);
	cr_assert_eq(line_[42].routes, 0); /* nobody's */
	pool.cpus = 0; /* its domain ends */
	move_all(0);
	cr_assert_eq(line_[32].cpu, 3);
	irq_guest_route(LINES - 1, 3);
	cr_assert_eq(line_[LINES - 1].cpu, 3);
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
}
