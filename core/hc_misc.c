/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_assist and physdev_op: hypercalls of a few lines.
 *
 * Owns    d->vm_assist.
 * Not     what an assist changes (runstate.c reads it).
 * Spec    [XEN] xen.h "VMASST_TYPE_*", physdev.h. On Arm the only assist is
 *         runstate_update_flag, and physdev_op needs PCI, which is not there.
 */
#include <hv/hypercall.h>

#include <hv/domain.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define VALID_ASSISTS BIT64(VMASST_TYPE_runstate_update_flag)

int64_t hc_vm_assist(struct vcpu *v, const uint64_t *args)
{
	uint32_t cmd = (uint32_t)args[0];
	uint32_t type = (uint32_t)args[1];

	if (type >= 64 || !(VALID_ASSISTS & BIT64(type))) {
		return -EINVAL;
	}
	switch (cmd) {
	case VMASST_CMD_enable:
		(void)__atomic_fetch_or(&v->domain->vm_assist, BIT64(type),
					__ATOMIC_RELAXED);
		return 0;
	case VMASST_CMD_disable:
		(void)__atomic_fetch_and(&v->domain->vm_assist, ~BIT64(type),
					 __ATOMIC_RELAXED);
		return 0;
	default:
		return -ENOSYS;
	}
}

int64_t hc_physdev_op(struct vcpu *v, const uint64_t *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}
