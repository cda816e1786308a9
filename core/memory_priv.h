/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-operations of memory_op that are not in memory.c. */
#ifndef CORE_MEMORY_PRIV_H
#define CORE_MEMORY_PRIV_H

#include <hv/hypercall.h>

struct domain;

/*
 * The domain that @v may change, with a reference. -ESRCH; -EPERM: another's,
 * and @v is not of a control domain.
 */
__must_check int memory_target(struct vcpu *v, domid_t domid,
			       struct domain **out);

/*
 * Frames for 2^@order pages at @g of @d: of the heap, or, when its memory has
 * fixed places, those. -EINVAL (not aligned), -ENOMEM, -EBUSY, as
 * p2m_map_ram().
 */
__must_check int memory_populate(struct domain *d, uint64_t g,
				 unsigned int order);

/* memory_map.c */
int64_t mem_op_add(struct vcpu *v, union hc_arg *arg);
int64_t mem_op_add_batch(struct vcpu *v, union hc_arg *arg);
int64_t mem_op_remove(struct vcpu *v, union hc_arg *arg);
/* memory_acquire.c */
int64_t mem_op_acquire(struct vcpu *v, union hc_arg *arg);

#endif
