/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every hypercall number, with arguments that no operation takes. What works is
 * in the tables; here a number exists or does not.
 */
#include "conform.h"

struct number {
	const char *row;
	uint64_t nr;
};

#define HC(name) { #name, name }

static const struct number numbers[] = {
	HC(__HYPERVISOR_set_trap_table),
	HC(__HYPERVISOR_mmu_update),
	HC(__HYPERVISOR_set_gdt),
	HC(__HYPERVISOR_stack_switch),
	HC(__HYPERVISOR_set_callbacks),
	HC(__HYPERVISOR_fpu_taskswitch),
	HC(__HYPERVISOR_sched_op_compat),
	HC(__HYPERVISOR_platform_op),
	HC(__HYPERVISOR_set_debugreg),
	HC(__HYPERVISOR_get_debugreg),
	HC(__HYPERVISOR_update_descriptor),
	HC(__HYPERVISOR_memory_op),
	HC(__HYPERVISOR_multicall),
	HC(__HYPERVISOR_update_va_mapping),
	HC(__HYPERVISOR_set_timer_op),
	HC(__HYPERVISOR_event_channel_op_compat),
	HC(__HYPERVISOR_xen_version),
	HC(__HYPERVISOR_console_io),
	HC(__HYPERVISOR_physdev_op_compat),
	HC(__HYPERVISOR_grant_table_op),
	HC(__HYPERVISOR_vm_assist),
	HC(__HYPERVISOR_update_va_mapping_otherdomain),
	HC(__HYPERVISOR_iret),
	HC(__HYPERVISOR_vcpu_op),
	HC(__HYPERVISOR_set_segment_base),
	HC(__HYPERVISOR_mmuext_op),
	HC(__HYPERVISOR_xsm_op),
	HC(__HYPERVISOR_nmi_op),
	HC(__HYPERVISOR_sched_op),
	HC(__HYPERVISOR_callback_op),
	HC(__HYPERVISOR_xenoprof_op),
	HC(__HYPERVISOR_event_channel_op),
	HC(__HYPERVISOR_physdev_op),
	HC(__HYPERVISOR_hvm_op),
	HC(__HYPERVISOR_sysctl),
	HC(__HYPERVISOR_domctl),
	HC(__HYPERVISOR_kexec_op),
	HC(__HYPERVISOR_tmem_op),
	HC(__HYPERVISOR_argo_op),
	HC(__HYPERVISOR_xenpmu_op),
	HC(__HYPERVISOR_dm_op),
	HC(__HYPERVISOR_hypfs_op),
	/* of the architecture, and past the end */
	{ "hypercall", 48 }, { "hypercall", 49 }, { "hypercall", 55 },
	{ "hypercall", 56 }, { "hypercall", 62 }, { "hypercall", 63 },
	{ "hypercall", 64 }, { "hypercall", 65 }, { "hypercall", 255 },
	{ "hypercall", 256 }, { "hypercall", 0x7fffffff },
	{ "hypercall", 0xffffffff }, { "hypercall", HI(1) | 17 },
	{ "hypercall", UINT64_MAX },
};

void conform_numbers(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct line l;

		line_begin(&l, numbers[i].row);
		line_string(&l, "number ");
		line_hex(&l, numbers[i].nr);
		line_next(&l);
		line_value(&l, hypercall(numbers[i].nr, 0xfffe, MAP_UNMAPPED,
					 1, 0, 0));
		line_end(&l);
	}
}
