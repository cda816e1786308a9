/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of guests that their GIC has forgotten: has it look again now and then
 * while a guest runs, and once when it sleeps (gicv2_looks_once). Not at each
 * sleep: with two CPUs that GIC then gives a level line again and again.
 *
 * Owns    a timer for each CPU.
 * Not     which GIC that is, nor how it is done (drivers/gic/gicv2.c).
 * CPU     each its own timer, which stays with it.
 * Locks   none of its own.
 * Bounds  an interrupt each PERIOD_NS on a CPU that runs guests, one more when
 *         it sleeps. Without such a GIC nothing.
 */
#include <arch/gic.h>
#include <hv/arch.h>
#include <hv/percpu.h>
#include <hv/timer.h>

#define PERIOD_NS UINT64_C(10000000)

static struct timer again[NR_CPUS];

static void look_again(void *arg)
{
	(void)arg;
	gicv2_look_again();
	if (this_pcpu()->current) {
		irq_again_soon();
	}
}

__cold void irq_again_soon(void)
{
	struct timer *t = &again[this_cpu()];

	if (!t->fn) {
		timer_init(t, look_again, NULL);
		t->stays = true;
	}
	if (__atomic_load_n(&t->cpu, __ATOMIC_RELAXED) == CPU_NONE) {
		timer_set(t, arch_time_ns() + PERIOD_NS);
	}
}

void irq_again_leave(void)
{
	if (again[this_cpu()].fn) {
		timer_cancel(&again[this_cpu()]);
	}
}
