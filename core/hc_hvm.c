/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvm_op: parameters that the toolstack leaves for a guest (xenstore and
 * console pages and ports).
 *
 * Owns    d->hvm_params[].
 * Not     what they mean.
 * Rights  as rows of params[]; only the control domain sets, and never its
 *         own.
 * Locks   none: each parameter is one word.
 * Spec    [XEN] hvm/hvm_op.h, hvm/params.h.
 */
#include <hv/hypercall.h>

#include <hv/domain.h>
#include <lib/bits.h>
#include <lib/errno.h>

struct param_rights {
	bool exists;
	bool guest_reads;
};

static const struct param_rights params[] = {
	[HVM_PARAM_CALLBACK_IRQ] = { .exists = true, .guest_reads = true },
	[HVM_PARAM_STORE_PFN] = { .exists = true, .guest_reads = true },
	[HVM_PARAM_STORE_EVTCHN] = { .exists = true, .guest_reads = true },
	[HVM_PARAM_CONSOLE_PFN] = { .exists = true, .guest_reads = true },
	[HVM_PARAM_CONSOLE_EVTCHN] = { .exists = true, .guest_reads = true },
	[HVM_PARAM_MONITOR_RING_PFN] = { .exists = true },
};
STATIC_ASSERT(ARRAY_SIZE(params) <=
		      ARRAY_SIZE(((struct domain *)NULL)->hvm_params),
	      "each has its place");

/* The domain, with a reference, that @v may get or set @index of. */
static int param_target(struct vcpu *v, domid_t domid, uint32_t index,
			struct domain **out)
{
	struct domain *d;

	if (index >= ARRAY_SIZE(params) ||
	    !params[array_index_nospec(index, ARRAY_SIZE(params))].exists) {
		return -EINVAL;
	}
	d = domain_get_for(v, domid);
	if (!d) {
		return -ESRCH;
	}
	if (d != v->domain && !hc_permitted(v, HC_CTRL)) {
		domain_put(d);
		return -EPERM;
	}
	*out = d;
	return 0;
}

static int64_t hvm_op_set_param(struct vcpu *v, union hc_arg *arg)
{
	const struct xen_hvm_param *p = &arg->hvm_param;
	struct domain *d;
	int rc = param_target(v, p->domid, p->index, &d);

	if (rc) {
		return rc;
	}
	if (d == v->domain) {
		domain_put(d);
		return -EPERM;
	}
	__atomic_store_n(&d->hvm_params[array_index_nospec(
				 p->index, ARRAY_SIZE(params))],
			 p->value, __ATOMIC_RELAXED);
	domain_put(d);
	return 0;
}

static int64_t hvm_op_get_param(struct vcpu *v, union hc_arg *arg)
{
	struct xen_hvm_param *p = &arg->hvm_param;
	struct domain *d;
	uint64_t i;
	int rc = param_target(v, p->domid, p->index, &d);

	if (rc) {
		return rc;
	}
	i = array_index_nospec(p->index, ARRAY_SIZE(params));
	if (d == v->domain && !params[i].guest_reads) {
		domain_put(d);
		return -EPERM;
	}
	p->value = __atomic_load_n(&d->hvm_params[i], __ATOMIC_RELAXED);
	domain_put(d);
	return 0;
}

static const struct hc_subop hvm_subops[] = {
	[HVMOP_set_param] = SUBOP(hvm_param, hvm_op_set_param, HC_IN, HC_ANY),
	[HVMOP_get_param] =
		SUBOP(hvm_param, hvm_op_get_param, HC_IN | HC_OUT, HC_ANY),
};

int64_t hc_hvm_op(struct vcpu *v, const uint64_t *args)
{
	return hypercall_subop(v, hvm_subops, ARRAY_SIZE(hvm_subops), args[0],
			       args[1]);
}
