/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bring-up of the other CPUs: memory, PSCI CPU_ON or a word that they watch, a
 * bounded wait.
 *
 * Owns    per-CPU stacks and struct pcpu of CPUs other than the boot CPU.
 * CPU     the boot CPU, one CPU after the other.
 * Bounds  ONLINE_WAIT_NS of waiting for each CPU.
 * Spec    [PSCI] 5.4 "CPU_ON"; [DT] 3.8, enable-method "spin-table".
 */
#include <arch/stage1.h>
#include <arch/stage2.h>
#include <arch/barrier.h>
#include <arch/features.h>
#include <arch/layout.h>
#include <arch/psci.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/irqchip.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/sched.h>
#include <hv/trace.h>
#include <lib/check.h>
#include <lib/errno.h>

#define ONLINE_WAIT_NS UINT64_C(1000000000)

void secondary_entry(void);

/* What start.S reads with the MMU off. */
struct {
	uint64_t stack_top;
	uint64_t pcpu;
} secondary_args __aligned(64);

/* Stack and emergency stack of CPU @cpu; the gaps of its slot are guards. */
static int map_stacks(uint16_t cpu)
{
	uint64_t slot = PERCPU_BASE + cpu * PERCPU_STRIDE;
	void *stack = hv_alloc_pages(NULL, 2);
	void *emergency = hv_alloc_pages(NULL, 1);
	int rc;

	if (!stack || !emergency) {
		return -ENOMEM; /* boot stops here: nothing to give back to */
	}
	rc = stage1_map_percpu(slot + PERCPU_STACK_OFF, hv_pa(stack).v,
			       STACK_SIZE);
	if (rc) {
		return rc;
	}
	return stage1_map_percpu(slot + PERCPU_EMERGENCY_OFF,
				 hv_pa(emergency).v, EMERGENCY_SIZE);
}

static int wait_online(const struct pcpu *c)
{
	uint64_t end = arch_time_ns() + ONLINE_WAIT_NS;

	while (!__atomic_load_n(&c->online, __ATOMIC_ACQUIRE)) {
		const char *why = features_refused();

		if (why) {
			log_err("CPU %u differs from the boot CPU: %s\n",
				c->id, why);
			return -ENODEV;
		}
		if (arch_time_ns() > end) {
			return -ETIME;
		}
		arch_cpu_relax();
	}
	return 0;
}

static int prepare(uint16_t cpu)
{
	uint64_t slot = PERCPU_BASE + cpu * PERCPU_STRIDE;
	struct pcpu *c;
	int rc = map_stacks(cpu);

	if (rc) {
		return rc;
	}
	c = percpu_init(cpu, platform.cpu_mpidr[cpu],
			slot + PERCPU_STACK_OFF + STACK_SIZE);
	c->emergency_top = slot + PERCPU_EMERGENCY_OFF + EMERGENCY_SIZE;
	return 0;
}

/*
 * Its firmware waits, with the MMU off, for an address in this word, in memory
 * that the tree keeps from everybody.
 */
static int release(uint64_t word, uint64_t entry)
{
	volatile uint64_t *w;

	if (word & 7) {
		return -EINVAL;
	}
	w = stage1_map_device(word, sizeof(*w));
	if (!w) {
		return -ENOMEM;
	}
	*w = entry;
	dsb(sy);
	sev();
	return 0;
}

static int call(uint16_t cpu, uint64_t entry)
{
	if (platform.cpu_enable[cpu] == CPU_ENABLE_SPIN_TABLE) {
		return release(platform.cpu_release_addr[cpu], entry);
	}
	return psci_cpu_on(pcpus[cpu]->hw_id, entry, 0);
}

int arch_cpu_start(uint16_t cpu)
{
	int rc = pcpus[cpu] ? 0 : prepare(cpu);

	if (rc) {
		return rc;
	}
	secondary_args.stack_top = pcpus[cpu]->stack_top;
	secondary_args.pcpu = (uint64_t)(uintptr_t)pcpus[cpu];
	arch_clean_dcache(&secondary_args, sizeof(secondary_args));
	rc = call(cpu, image_pa((void *)&secondary_entry).v);
	if (rc) {
		return rc;
	}
	return wait_online(pcpus[cpu]);
}

/* Off line for good: it knows of no other CPU and nobody of it. */
static __noreturn void park(const char *why)
{
	features_refuse(why);
	for (;;) {
		arch_cpu_idle();
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

/* The first C of another CPU: what it must have before it may be kicked. */
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
