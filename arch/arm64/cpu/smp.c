/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs come on line by PSCI CPU_ON, and go off line by PSCI CPU_OFF.
 *
 * Owns    what a CPU that starts reads; its first C function.
 * Not     its memory, and the other way to start it (boot/cpus.c).
 * CPU     any, one CPU after the other: at boot, then core/hotplug.c, where one
 *         that is late may come while another one does: what CPUs share until
 *         hv_secondary()'s end is under locks or the same from all.
 * Bounds  no waiting here.
 * Spec    [PSCI] 5.3 "CPU_OFF", 5.4 "CPU_ON".
 */
#include <arch/barrier.h>
#include <arch/gic.h>
#include <arch/stage1.h>
#include <arch/stage2.h>
#include <arch/features.h>
#include <arch/psci.h>
#include <arch/smp.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/irqchip.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/sched.h>
#include <hv/trace.h>
#include <lib/check.h>
#include <lib/errno.h>

void secondary_entry(void);

/* What start.S reads with the MMU off: each CPU finds itself by its MPIDR. */
struct {
	uint64_t hw_id;
	uint64_t pcpu; /* 0: none, or not wanted */
} secondary_args[NR_CPUS] __aligned(64);

static void set_args(uint16_t cpu, uint64_t pcpu)
{
	secondary_args[cpu].hw_id = pcpus[cpu]->hw_id;
	secondary_args[cpu].pcpu = pcpu;
	/* All: who looks for its own sees the others' as well. */
	arch_clean_dcache(&secondary_args, sizeof(secondary_args));
}

uint64_t smp_entry_open(uint16_t cpu)
{
	set_args(cpu, (uint64_t)(uintptr_t)pcpus[cpu]);
	stage1_identity(true);
	return image_pa((void *)&secondary_entry).v;
}

__cold void smp_entry_withdraw(uint16_t cpu)
{
	set_args(cpu, 0);
}

int arch_cpu_start(uint16_t cpu)
{
	return psci_cpu_on(pcpus[cpu]->hw_id, smp_entry_open(cpu), 0);
}

void arch_cpu_started(void)
{
	stage1_identity(false);
}

bool arch_cpu_can_stop(uint16_t cpu)
{
	return platform.psci_conduit != PSCI_NONE &&
	       platform.cpu_enable[cpu] != CPU_ENABLE_SPIN_TABLE;
}

int arch_cpu_stop_self(void)
{
	irq_again_leave();
	return psci_cpu_off();
}

bool arch_cpu_is_off(uint16_t cpu)
{
	return psci_cpu_is_off(pcpus[cpu]->hw_id);
}

/* Off line for good: it knows of no other CPU and nobody of it. */
static __noreturn void park(const char *why)
{
	features_refuse(why);
	for (;;) {
		wfi(); /* nobody takes what ends it */
	}
}

/* It has a run queue in its pool now, or is not needed. */
static void enter_pool(void)
{
	int rc = sched_init_cpu();

	if (rc == -EXDEV) {
		park("its pool has CPUs of another kind; hmp-unsafe=true "
		     "lets guests move between them");
	}
	if (rc) {
		panic("CPU %u: no memory for its run queue", this_cpu());
	}
}

/* The first C of a CPU that starts: what it must have before it is kicked. */
void hv_secondary(void)
{
	const char *lack = features_join();

	if (lack) {
		park(lack);
	}
	cpu_init_el2();
	stage2_init_cpu();
	trace_init_cpu();
	irqchip->init_cpu();
	vgic_hw->init_cpu();
	timer_init_cpu();
	irq_enable_cpu_ppis();
	irqchip_enable_own_ppis();
	arch_irq_join();
	enter_pool();
	arch_enter_scheduler();
}

void irqchip_enable_own_ppis(void)
{
	this_pcpu()->irqchip = irqchip;
	for (uint32_t sgi = 0; sgi < NR_IPIS; sgi++) {
		irqchip->enable(sgi);
	}
	irqchip->enable(platform.timer.virt);
	irqchip->enable(platform.gic.maint_intid);
}
