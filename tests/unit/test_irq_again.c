/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/cpu/irq_again.c core/timer.c core/percpu.c core/lock.c
// LINK: debug/lock_check.c arch/fake/cpu.c arch/fake/last_words.c
/* When a GIC that forgets lines is told to look again. */
#include <criterion/criterion.h>

#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/timer.h>
#include "arch/fake/fake_arch.h"
#include "arch/gic.h"

#define PERIOD_NS 10000000u

void timer_expired(void);

struct options options;
static unsigned int looks;

void gicv2_look_again(void)
{
	looks++;
}

static void on_cpu(uint16_t cpu)
{
	fake_this_pcpu = pcpus[cpu];
}

static void setup(void)
{
	for (uint16_t cpu = 2; cpu-- > 0;) {
		percpu_init(cpu, cpu, 0);
		on_cpu(cpu);
		timer_init_cpu();
	}
}
TestSuite(irq_again, .init = setup);

static void pass(uint64_t ns)
{
	fake_time_ns += ns;
	if (fake_time_ns >= fake_this_pcpu->timer_deadline_ns) {
		timer_expired();
	}
}

Test(irq_again, while_a_guest_runs_and_once_more)
{
	fake_this_pcpu->current = (struct vcpu *)&looks;
	irq_again_soon();
	pass(PERIOD_NS - 1);
	irq_again_soon();
	cr_expect_eq(looks, 0);
	for (unsigned int i = 1; i < 10; i++) {
		pass(i == 1 ? 1 : PERIOD_NS);
		cr_expect_eq(looks, i);
	}
	fake_this_pcpu->current = NULL;
	pass(PERIOD_NS);
	cr_expect_eq(looks, 10);
	pass(PERIOD_NS);
	cr_expect_eq(looks, 10);
	cr_expect_eq(fake_this_pcpu->timer_deadline_ns, UINT64_MAX);
	irq_again_soon();
	pass(PERIOD_NS);
	cr_expect_eq(looks, 11);
}

Test(irq_again, each_cpu_its_own)
{
	irq_again_soon();
	on_cpu(1);
	irq_again_soon();
	pass(PERIOD_NS);
	cr_expect_eq(looks, 1);
	on_cpu(0);
	timer_expired();
	cr_expect_eq(looks, 2);
}

Test(irq_again, a_cpu_goes_off_line_and_comes_back)
{
	irq_again_leave(); /* never armed */
	irq_again_soon();
	cr_expect(!timer_has_others(fake_this_pcpu));
	timer_init_cpu();
	irq_again_leave();
	cr_expect(list_is_empty(&fake_this_pcpu->timers));
	pass(PERIOD_NS);
	cr_expect_eq(looks, 0);
	irq_again_soon();
	pass(PERIOD_NS);
	cr_expect_eq(looks, 1);
}
