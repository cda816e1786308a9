/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other CPUs come up: their memory, PSCI CPU_ON or a word that they watch,
 * a bounded wait.
 *
 * Owns    per-CPU stacks and struct pcpu of CPUs other than the boot CPU.
 * CPU     the boot CPU, one CPU after the other.
 * Bounds  ONLINE_WAIT_NS of waiting for each CPU.
 * Spec    [DT] 3.8, enable-method "spin-table".
 */
#include "boot.h"
#include "fdt_pools.h"
#include <arch/barrier.h>
#include <arch/features.h>
#include <arch/layout.h>
#include <arch/smp.h>
#include <arch/stage1.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <lib/errno.h>

#define ONLINE_WAIT_NS UINT64_C(1000000000)

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
static int release(uint16_t cpu)
{
	uint64_t word = platform.cpu_release_addr[cpu];
	volatile uint64_t *w;

	if (word & 7) {
		return -EINVAL;
	}
	w = stage1_map_device(word, sizeof(*w));
	if (!w) {
		return -ENOMEM;
	}
	*w = smp_entry_open(cpu);
	dsb(sy);
	sev();
	return 0;
}

static int launch(uint16_t cpu)
{
	int rc = prepare(cpu);

	if (rc) {
		return rc;
	}
	return platform.cpu_enable[cpu] == CPU_ENABLE_SPIN_TABLE
		       ? release(cpu)
		       : arch_cpu_start(cpu);
}

/* What it has to say while it comes up. -ENODEV: it will not. */
static int hear(uint16_t cpu)
{
	const char *why = features_refused();

	if (why) {
		log_err("CPU %u differs from the boot CPU: %s\n", cpu, why);
		return -ENODEV;
	}
	return 0;
}

static int start_cpu(uint16_t cpu)
{
	uint64_t end = arch_time_ns() + ONLINE_WAIT_NS;
	int rc = launch(cpu);

	while (rc == 0 &&
	       !__atomic_load_n(&pcpus[cpu]->online, __ATOMIC_ACQUIRE)) {
		rc = arch_time_ns() > end ? -ETIME : hear(cpu);
		arch_cpu_relax();
	}
	return rc;
}

/* It may come after all, when the way in is closed. */
static void withdraw(uint16_t cpu)
{
	if (pcpus[cpu]) { /* else it had no memory */
		smp_entry_withdraw(cpu);
	}
}

/* Nothing to say when all are alike. */
static void describe_kinds(void)
{
	for (const struct cpupool *p = cpupool_next(1); p;
	     p = cpupool_next(p->id + 1)) { /* bound: NR_CPUS */
		if (p->cpus && p->kind != cpupool_find(0)->kind) {
			log_info("Pool-%u: CPUs %#llx of another kind, MIDR "
				 "%#llx\n", p->id, (unsigned long long)p->cpus,
				 (unsigned long long)p->kind);
		}
	}
}

void boot_other_cpus(void)
{
	uint32_t nr = platform.nr_cpus;

	if (options.maxcpus && options.maxcpus < nr) {
		nr = options.maxcpus;
	}
	for (uint16_t cpu = 1; cpu < nr; cpu++) {
		int rc = start_cpu(cpu);

		if (rc) {
			log_err("CPU %u (MPIDR %#llx) did not start: error "
				"%d; going on without it\n", cpu,
				(unsigned long long)platform.cpu_mpidr[cpu],
				-rc);
			withdraw(cpu);
			break; /* ids have no holes */
		}
	}
	if (fdt_pools_cpus() & ~cpus_online) {
		boot_refuse("CPUs of the device tree's pools (%#llx) are not "
			    "there: only %#llx are",
			    (unsigned long long)fdt_pools_cpus(),
			    (unsigned long long)cpus_online);
	}
	describe_kinds();
}
