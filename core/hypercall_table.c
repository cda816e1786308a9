/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypercalls, by number. An empty row answers -ENOSYS.
 *
 * Owns    hypercall_table[].
 * Not     sub-operations: their tables are in the file of each module.
 * Spec    [XEN] xen.h "HYPERCALLS"; numbers of other architectures and of
 *         compatibility calls before interface 3.2 stay empty.
 */
#include <hv/hypercall.h>

#define ROW(number, function) [__HYPERVISOR_##number] = { .fn = (function) }

const struct hc_row hypercall_table[NR_HYPERCALLS] = {
	ROW(platform_op, hc_platform_op),
	ROW(memory_op, hc_memory_op),
	ROW(multicall, hc_multicall),
	ROW(xen_version, hc_xen_version),
	ROW(console_io, hc_console_io),
	ROW(grant_table_op, hc_grant_table_op),
	ROW(vm_assist, hc_vm_assist),
	ROW(vcpu_op, hc_vcpu_op),
	ROW(sched_op, hc_sched_op),
	ROW(event_channel_op, hc_event_channel_op),
	ROW(physdev_op, hc_physdev_op),
	ROW(hvm_op, hc_hvm_op),
	ROW(sysctl, hc_sysctl),
	ROW(domctl, hc_domctl),
};
