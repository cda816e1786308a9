/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform_op: the machine as a whole; of it, the time of day.
 *
 * Owns    nothing.
 * Not     wall clocks of domains (wallclock.c).
 * Rights  the hardware domain.
 * Spec    [XEN] platform.h.
 */
#include <hv/hypercall.h>

#include <hv/domain.h>
#include <lib/errno.h>

#define NS_PER_SEC 1000000000u

static int64_t platform_settime(const struct domain *d,
				const xenpf_settime64_t *t)
{
	if (t->mbz != 0 || t->nsecs >= NS_PER_SEC) {
		return -EINVAL;
	}
	/* system_time is the caller's clock; ours began earlier. */
	wallclock_set(t->secs, t->nsecs,
		      t->system_time + (uint64_t)d->time_offset_ns);
	return 0;
}

static int64_t platform_op(struct vcpu *v, union hc_arg *arg)
{
	const xen_platform_op_t *op = &arg->platform_op;

	if (op->interface_version != XENPF_INTERFACE_VERSION) {
		return -EACCES;
	}
	if (op->cmd != XENPF_settime64) {
		return -ENOSYS;
	}
	return platform_settime(v->domain, &op->u.settime64);
}

static const struct hc_subop platform_row =
	SUBOP(platform_op, platform_op, HC_IN, HC_ANY);

int64_t hc_platform_op(struct vcpu *v, const uint64_t *args)
{
	if (!v->domain->is_hardware) {
		return -EPERM;
	}
	return hypercall_subop(v, &platform_row, 1, 0, args[0]);
}
