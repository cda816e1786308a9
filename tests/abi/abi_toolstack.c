/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden sizes, offsets and numbers of the control interface (domctl, sysctl)
 * of toolstack release 4.17. Compiled only (make abi).
 */
#include <abi/xen.h>

#pragma push_macro("__x86_64__")
#pragma push_macro("__i386__")
#pragma push_macro("__aarch64__")
#undef __x86_64__
#undef __i386__
#undef __aarch64__
#define __aarch64__ 1
#include <xen/domctl.h>
#include <xen/sysctl.h>
#pragma pop_macro("__x86_64__")
#pragma pop_macro("__i386__")
#pragma pop_macro("__aarch64__")

#define SIZE(type, bytes)                                                     \
	_Static_assert(sizeof(type) == (bytes), "size of " #type);
#define OFFSET(type, member, at)                                              \
	_Static_assert(__builtin_offsetof(type, member) == (at),              \
		       "offset of " #type "." #member);
#define NUMBER(name, value)                                                   \
	_Static_assert((name) == (value), "number of " #name);

/* ---- domctl ------------------------------------------------------------- */
NUMBER(XEN_DOMCTL_INTERFACE_VERSION, 0x15)
SIZE(struct xen_domctl, 144)
OFFSET(struct xen_domctl, interface_version, 4)
OFFSET(struct xen_domctl, domain, 8)
OFFSET(struct xen_domctl, u, 16)
SIZE(struct xen_arch_domainconfig, 12)
OFFSET(struct xen_arch_domainconfig, tee_type, 2)
OFFSET(struct xen_arch_domainconfig, nr_spis, 4)
OFFSET(struct xen_arch_domainconfig, clock_frequency, 8)
SIZE(struct xen_domctl_createdomain, 68)
OFFSET(struct xen_domctl_createdomain, handle, 4)
OFFSET(struct xen_domctl_createdomain, flags, 20)
OFFSET(struct xen_domctl_createdomain, iommu_opts, 24)
OFFSET(struct xen_domctl_createdomain, max_vcpus, 28)
OFFSET(struct xen_domctl_createdomain, max_evtchn_port, 32)
OFFSET(struct xen_domctl_createdomain, max_grant_frames, 36)
OFFSET(struct xen_domctl_createdomain, max_maptrack_frames, 40)
OFFSET(struct xen_domctl_createdomain, grant_opts, 44)
OFFSET(struct xen_domctl_createdomain, vmtrace_size, 48)
OFFSET(struct xen_domctl_createdomain, cpupool_id, 52)
OFFSET(struct xen_domctl_createdomain, arch, 56)
SIZE(struct xen_domctl_getdomaininfo, 120)
OFFSET(struct xen_domctl_getdomaininfo, flags, 4)
OFFSET(struct xen_domctl_getdomaininfo, tot_pages, 8)
OFFSET(struct xen_domctl_getdomaininfo, max_pages, 16)
OFFSET(struct xen_domctl_getdomaininfo, outstanding_pages, 24)
OFFSET(struct xen_domctl_getdomaininfo, shared_info_frame, 48)
OFFSET(struct xen_domctl_getdomaininfo, cpu_time, 56)
OFFSET(struct xen_domctl_getdomaininfo, nr_online_vcpus, 64)
OFFSET(struct xen_domctl_getdomaininfo, max_vcpu_id, 68)
OFFSET(struct xen_domctl_getdomaininfo, ssidref, 72)
OFFSET(struct xen_domctl_getdomaininfo, handle, 76)
OFFSET(struct xen_domctl_getdomaininfo, cpupool, 92)
OFFSET(struct xen_domctl_getdomaininfo, gpaddr_bits, 96)
OFFSET(struct xen_domctl_getdomaininfo, arch_config, 104)
NUMBER(XEN_DOMCTL_createdomain, 1)
NUMBER(XEN_DOMCTL_destroydomain, 2)
NUMBER(XEN_DOMCTL_pausedomain, 3)
NUMBER(XEN_DOMCTL_unpausedomain, 4)
NUMBER(XEN_DOMCTL_getdomaininfo, 5)
NUMBER(XEN_DOMCTL_setvcpuaffinity, 9)
NUMBER(XEN_DOMCTL_max_mem, 11)
NUMBER(XEN_DOMCTL_setvcpucontext, 12)
NUMBER(XEN_DOMCTL_getvcpucontext, 13)
NUMBER(XEN_DOMCTL_getvcpuinfo, 14)
NUMBER(XEN_DOMCTL_max_vcpus, 15)
NUMBER(XEN_DOMCTL_scheduler_op, 16)
NUMBER(XEN_DOMCTL_setdomainhandle, 17)
NUMBER(XEN_DOMCTL_getvcpuaffinity, 25)
NUMBER(XEN_DOMCTL_set_address_size, 35)
NUMBER(XEN_DOMCTL_setnodeaffinity, 68)
NUMBER(XEN_DOMCTL_cacheflush, 71)
NUMBER(XEN_DOMCTL_vuart_op, 81)
NUMBER(XEN_DOMCTL_get_paging_mempool_size, 85)
NUMBER(XEN_DOMCTL_set_paging_mempool_size, 86)

/* ---- sysctl ------------------------------------------------------------- */
NUMBER(XEN_SYSCTL_INTERFACE_VERSION, 0x15)
SIZE(struct xen_sysctl, 136)
OFFSET(struct xen_sysctl, interface_version, 4)
OFFSET(struct xen_sysctl, u, 8)
SIZE(struct xen_sysctl_physinfo, 112)
OFFSET(struct xen_sysctl_physinfo, nr_cpus, 8)
OFFSET(struct xen_sysctl_physinfo, max_cpu_id, 12)
OFFSET(struct xen_sysctl_physinfo, cpu_khz, 24)
OFFSET(struct xen_sysctl_physinfo, capabilities, 28)
OFFSET(struct xen_sysctl_physinfo, total_pages, 40)
OFFSET(struct xen_sysctl_physinfo, free_pages, 48)
OFFSET(struct xen_sysctl_physinfo, outstanding_pages, 64)
OFFSET(struct xen_sysctl_physinfo, max_mfn, 72)
SIZE(struct xen_sysctl_cpupool_op, 40)
NUMBER(XEN_SYSCTL_readconsole, 1)
NUMBER(XEN_SYSCTL_physinfo, 3)
NUMBER(XEN_SYSCTL_sched_id, 4)
NUMBER(XEN_SYSCTL_getdomaininfolist, 6)
NUMBER(XEN_SYSCTL_debug_keys, 7)
NUMBER(XEN_SYSCTL_cputopoinfo, 16)
NUMBER(XEN_SYSCTL_numainfo, 17)
NUMBER(XEN_SYSCTL_cpupool_op, 18)
NUMBER(XEN_SYSCTL_scheduler_op, 19)
NUMBER(XEN_SYSCTL_pcitopoinfo, 22)
NUMBER(XEN_SCHEDULER_CREDIT, 5)
NUMBER(XEN_SCHEDULER_CREDIT2, 6)
NUMBER(XEN_SCHEDULER_ARINC653, 7)
NUMBER(XEN_SCHEDULER_RTDS, 8)
NUMBER(XEN_SCHEDULER_NULL, 9)
