/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot order, as a flat list. Everything in this folder runs once, may
 * refuse to go on, and is given back by seal().
 *
 * CPU     the boot CPU, alone until the others are started near the end.
 */
#include "boot.h"
#include "cmdline.h"
#include "dom_build.h"
#include "dom_nodes.h"
#include "early_uart.h"
#include "fdt_dom.h"
#include "fdt_platform.h"
#include "fdt_pools.h"
#include "fdt_smmu.h"
#include "fdt_util.h"
#include "iommu.h"
#include "measure.h"
#include "modules.h"
#include "pci.h"
#include "platdev.h"
#include <arch/features.h>
#include <arch/stage1.h>
#include <arch/stage2.h>
#include <arch/layout.h>
#include <arch/psci.h>
#include <arch/time.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/sched.h>
#include <hv/seal.h>
#include <hv/trace.h>
#include <hv/version.h>
#include <hv/watchdog.h>
#include <lib/bits.h>
#include <lib/string.h>

extern char image_start[], image_end[];
extern char boot_stack_top[];

/*
 * We are about to stop, and the tree named no console: a port that looks like
 * one is better than silence.
 */
static void guess_console(const void *fdt)
{
	struct early_uart u;

	if (!early_uart_find((uintptr_t)fdt, DT_MAX_SIZE, &u)) {
		arch_halt(); /* nowhere to say why */
	}
	platform.uart.base = u.base;
	platform.uart.size = PAGE_SIZE;
	platform.uart.compatible = u.compatible;
	platform.uart.compatible_size = (uint32_t)strlen(u.compatible) + 1;
	platform.uart.node = -1;
	platform.uart.shift = u.shift;
	platform.uart.width = u.width;
	if (boot_console_init(&platform)) {
		arch_halt();
	}
}

static int find_console(void)
{
	if (strcmp(options.console, "none") == 0) {
		platform.uart.node = -1; /* every serial port is dom0's */
		return 0;
	}
	return fdt_platform_find_console(&platform, options.dtuart);
}

/* Nothing can be said before there is a console: this keeps it short. */
static void read_machine(uint64_t fdt_pa)
{
	const void *fdt = stage1_map_fdt(fdt_pa);
	int rc = fdt_platform_parse(fdt, read_sysreg(mpidr_el1) & MPIDR_HWID,
				    &platform);
	int opt = rc ? 0 : cmdline_parse(platform.hv_cmdline, &options);
	int con = find_console();
	int none = boot_console_init(&platform);

	if (none && (rc || opt || con)) {
		guess_console(fdt);
	}
	platform.keeps_scu = !options.dom0_scu;
	console_set_levels(options.loglvl, options.guest_loglvl);
	if (rc) {
		boot_refuse("the device tree does not describe a machine this "
			    "hypervisor can run on (see above)");
	}
	if (opt) {
		boot_refuse("bad command line (see above): \"%s\"",
			    platform.hv_cmdline);
	}
	if (con) {
		boot_refuse("no usable console (see above)");
	}
}

static void describe_machine(void)
{
	struct smmu_count c;
	uint64_t total = 0;

	fdt_smmu_count(&host_dt, &c);
	for (uint32_t i = 0; i < platform.nr_banks; i++) {
		total += platform.bank[i].size;
	}
	log_info("Bulkhead %s, loaded at %#llx\n", HV_VERSION_STRING,
		 (unsigned long long)hv_load_address);
	log_info("%u CPUs, %llu MiB of RAM, GICv%u, timer %llu Hz\n",
		 platform.nr_cpus, (unsigned long long)(total >> 20),
		 platform.gic.version,
		 (unsigned long long)arch_counter_hz());
	if (c.masters) {
		log_info("SMMU: %u devices behind %u%s\n", c.masters, c.smmus,
			 options.iommu && c.usable ? "" :
						     "; nothing drives them");
	}
	if (c.mute && options.iommu && platform.its.node) {
		log_info("ITS: left alone, as an SMMU is older than SMMUv3\n");
		platform.its.node = 0;
	}
	log_info("Command line: %s\n", platform.hv_cmdline);
}

static void check(int rc, const char *what)
{
	if (rc) {
		boot_refuse("%s (see above; error %d)", what, -rc);
	}
}

static void init_memory(uint64_t fdt_pa)
{
	boot_image = (struct mem_range){
		.start = hv_load_address,
		.size = (uintptr_t)image_end - (uintptr_t)image_start,
	};
	boot_dtb = (struct mem_range){
		.start = align_down(fdt_pa, PAGE_SIZE),
		.size = align_up(fdt_pa + platform.fdt_size, PAGE_SIZE) -
			align_down(fdt_pa, PAGE_SIZE),
	};
	measure_tree(&host_dt);
	check(modules_check(&platform, &boot_image, &boot_dtb),
	      "the loader's images");
	check(fdt_static_heap_parse(&host_dt, &platform), "the static heap");
	fdt_dom_parse(&host_dt, &platform);
	if (!module_find(&platform, MODULE_KERNEL) && !fdt_dom_pci_any()) {
		platform.its.node = 0; /* nobody would have a virtual one */
	}
	fdt_dom_check_modules(&platform, &boot_image, &boot_dtb);
	check(boot_memory_init(&platform), "memory");
}

static void init_this_cpu(void)
{
	cpu_init_el2();
	idregs_init();
	features_init();
	debug_init();
	stage2_init();
	stage2_init_cpu();
	psci_init();
}

static void init_interrupts(void)
{
	check(boot_irqchip_init(&platform), "interrupt controller");
	irqchip_enable_own_ppis();
	timer_init_cpu();
	check(time_request_irq(), "EL2 timer");
	console_start_irq();
}

static void init_scheduler(void)
{
	const struct sched_policy *p = sched_policy_by_name(options.sched);

	if (!p) {
		boot_refuse("sched=%s: no such scheduler", options.sched);
	}
	check(fdt_pools_parse(&host_dt, &platform), "pools of CPUs");
	check(fdt_pools_make(p, &platform), "pools of CPUs");
	check(sched_init_cpu(), "scheduler");
	log_info("Scheduler: %s\n", p->name);
}

/* PCI functions of domains of the tree have their places before its tree. */
static void start_dom0(bool any_pci)
{
	check(modules_need_kernel(&platform), "no domain to start");
	if (any_pci) {
		check(dom_nodes_select(&host_dt, &platform), "device tree");
		boot_pci(&host_dt, &platform);
	}
	check(boot_dom0(), "dom0");
	boot_platdevs(&host_dt, &platform);
	if (any_pci) {
		boot_pci_keep();
	} else {
		boot_pci(&host_dt, &platform);
	}
}

/* dom0 first: it may be choosy about its memory. */
static void start_domains(void)
{
	bool any_pci = fdt_dom_pci_any();

	check(dom_build_regions(), "shared memory");
	check(boot_windows(&host_dt), "plan of windows");
	if (module_find(&platform, MODULE_KERNEL) || nr_boot_domains == 0) {
		start_dom0(any_pci);
	} else if (any_pci) {
		boot_pci(&host_dt, &platform);
	}
	if (!boot_dom0less() && !hardware_domain) {
		boot_refuse("no domain could be started (see above)");
	}
	boot_memory_finish();
	console_input_begin();
}

void hv_main(uint64_t fdt_pa)
{
	struct pcpu *c = percpu_init(0, read_sysreg(mpidr_el1) & MPIDR_HWID,
				     (uint64_t)(uintptr_t)boot_stack_top);

	c->emergency_top = (uint64_t)(uintptr_t)boot_stack_top - STACK_SIZE -
			   PAGE_SIZE;
	stage1_init();
	read_machine(fdt_pa);
	time_init();
	describe_machine();
	init_this_cpu();
	init_memory(fdt_pa);
	trace_init_cpu();
	init_interrupts();
	if (options.iommu) {
		boot_iommu_init(&host_dt);
	}
	init_scheduler();
	boot_other_cpus();
	start_domains();
	check(watchdog_start(options.watchdog), "watchdog");
	seal(); /* does not return: this code goes */
}
