/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of the control interface. Each takes the caller's vCPU, the
 * domain it is about (with a reference; NULL where the row says so) and a
 * private copy of its structure, under control_lock, and does a bounded piece
 * of work: HC_AGAIN asks for the same call again.
 */
#ifndef CORE_DOMCTL_PRIV_H
#define CORE_DOMCTL_PRIV_H

#include <lib/types.h>
#include <abi/xen.h>

struct domain;
struct vcpu;

/* domctl_life.c: making, starting and ending */
int64_t domctl_createdomain(struct vcpu *v, struct domain *d,
			    struct xen_domctl *op);
int64_t domctl_max_vcpus(struct vcpu *v, struct domain *d,
			 struct xen_domctl *op);
int64_t domctl_destroy(struct vcpu *v, struct domain *d,
		       struct xen_domctl *op);
int64_t domctl_pause(struct vcpu *v, struct domain *d, struct xen_domctl *op);
int64_t domctl_unpause(struct vcpu *v, struct domain *d,
		       struct xen_domctl *op);
int64_t domctl_resume(struct vcpu *v, struct domain *d, struct xen_domctl *op);
int64_t domctl_sethandle(struct vcpu *v, struct domain *d,
			 struct xen_domctl *op);

/* domctl_info.c: what a domain is and has */
int64_t domctl_getinfo(struct vcpu *v, struct domain *d,
		       struct xen_domctl *op);
int64_t domctl_getvcpuinfo(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op);
/* Fill *@info with a state of @d of about now. */
void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* domctl_vcpu.c: where and with what a vCPU runs */
int64_t domctl_setvcpuaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op);
int64_t domctl_getvcpuaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op);
int64_t domctl_setvcpucontext(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op);
int64_t domctl_getvcpucontext(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op);

/* domctl_sched.c: its share of the CPUs */
int64_t domctl_scheduler(struct vcpu *v, struct domain *d,
			 struct xen_domctl *op);

/* domctl_memory.c: limits and caches */
int64_t domctl_max_mem(struct vcpu *v, struct domain *d,
		       struct xen_domctl *op);
int64_t domctl_address_size(struct vcpu *v, struct domain *d,
			    struct xen_domctl *op);
int64_t domctl_setnodeaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op);
int64_t domctl_getnodeaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op);
int64_t domctl_cacheflush(struct vcpu *v, struct domain *d,
			  struct xen_domctl *op);
int64_t domctl_get_mempool(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op);
int64_t domctl_set_mempool(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op);

/* domctl_device.c: devices of the machine */
int64_t domctl_irq_permission(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op);
int64_t domctl_iomem_permission(struct vcpu *v, struct domain *d,
				struct xen_domctl *op);
int64_t domctl_ioport_permission(struct vcpu *v, struct domain *d,
				 struct xen_domctl *op);
int64_t domctl_memory_mapping(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op);
int64_t domctl_bind_pt_irq(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op);
int64_t domctl_assign_device(struct vcpu *v, struct domain *d,
			     struct xen_domctl *op);
int64_t domctl_deassign_device(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op);
int64_t domctl_test_assign_device(struct vcpu *v, struct domain *d,
				  struct xen_domctl *op);

/*
 * Bitmaps of CPUs or nodes in the toolstack's memory. Bits from 64 on are
 * read as absent and written as 0. -EFAULT.
 */
__must_check int control_bitmap_get(struct vcpu *v,
				    const struct xenctl_bitmap *map,
				    uint64_t *bits);
__must_check int control_bitmap_put(struct vcpu *v,
				    const struct xenctl_bitmap *map,
				    uint64_t bits);
/* Bits of the CPUs there are. */
uint64_t control_all_cpus(void);

#endif
