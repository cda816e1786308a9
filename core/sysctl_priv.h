/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of sysctl that are not in hc_sysctl.c. */
#ifndef CORE_SYSCTL_PRIV_H
#define CORE_SYSCTL_PRIV_H

#include <lib/types.h>
#include <abi/xen.h>

struct vcpu;

/* tracebuf.c */
int64_t sysctl_tbuf(struct vcpu *v, struct xen_sysctl *op);
/* hotplug.c */
int64_t sysctl_cpu_hotplug(struct vcpu *v, struct xen_sysctl *op);
/* sysctl_sched.c */
int64_t sysctl_sched_id(struct vcpu *v, struct xen_sysctl *op);
int64_t sysctl_scheduler(struct vcpu *v, struct xen_sysctl *op);
int64_t sysctl_cpupool(struct vcpu *v, struct xen_sysctl *op);

#endif
