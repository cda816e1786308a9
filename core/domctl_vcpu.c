/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: registers and CPUs of vCPUs.
 *
 * Owns    the form in which sets of CPUs travel.
 * Not     where a vCPU runs (vcpu.c, sched.c).
 * Locks   control_lock, held by the caller.
 * Bounds  MAP_BYTES_MAX of a bitmap; the vCPUs of one domain.
 * Spec    [XEN] domctl.h.
 */
#include "domctl_priv.h"

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <lib/bits.h>
#include <lib/errno.h>

/* What a reader of more than our CPUs gets as zeros. */
#define MAP_BYTES_MAX 1024u

/* ---- sets of CPUs -------------------------------------------------------- */

static uint32_t bytes_of(const struct xenctl_bitmap *map)
{
	return map->nr_bits / 8 + (map->nr_bits % 8 != 0);
}

uint64_t control_all_cpus(void)
{
	return nr_pcpus >= 64 ? UINT64_MAX : BIT64(nr_pcpus) - 1;
}

int control_bitmap_get(struct vcpu *v, const struct xenctl_bitmap *map,
		       uint64_t *bits)
{
	uint32_t len = bytes_of(map);

	*bits = 0;
	if (len == 0) {
		return 0;
	}
	len = len < sizeof(*bits) ? len : sizeof(*bits);
	if (guest_copy_in(v, bits, map->bitmap.q, len) != 0) {
		return -EFAULT;
	}
	if (map->nr_bits < 64) { /* what is behind the last bit is not meant */
		*bits &= BIT64(map->nr_bits) - 1;
	}
	return 0;
}

int control_bitmap_put(struct vcpu *v, const struct xenctl_bitmap *map,
		       uint64_t bits)
{
	const uint64_t zero = 0;
	uint32_t len = bytes_of(map);
	uint32_t at = 0;

	len = len < MAP_BYTES_MAX ? len : MAP_BYTES_MAX;
	while (at < len) { /* bound: MAP_BYTES_MAX */
		uint32_t n = len - at < sizeof(bits) ? len - at
						     : sizeof(bits);

		if (guest_copy_out(v, map->bitmap.q + at,
				   at == 0 ? &bits : &zero, n) != 0) {
			return -EFAULT;
		}
		at += n;
	}
	return 0;
}

/* ---- affinity ------------------------------------------------------------ */

static int find_vcpu(const struct domain *d, uint32_t id, struct vcpu **out)
{
	if (id >= d->max_vcpus) {
		return -EINVAL;
	}
	*out = d->vcpu[array_index_nospec(id, d->max_vcpus)];
	return *out ? 0 : -ESRCH;
}

static int affinity_vcpu(const struct domain *d, const struct xen_domctl *op,
			 struct vcpu **out)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;

	if (!a->flags) {
		return -EINVAL;
	}
	return find_vcpu(d, a->vcpu, out);
}

int64_t domctl_getvcpuaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *t;
	int rc = affinity_vcpu(d, op, &t);

	if (rc == 0 && (a->flags & XEN_VCPUAFFINITY_HARD)) {
		rc = control_bitmap_put(v, &a->cpumap_hard,
					t->hard_affinity & control_all_cpus());
	}
	if (rc == 0 && (a->flags & XEN_VCPUAFFINITY_SOFT)) {
		rc = control_bitmap_put(v, &a->cpumap_soft,
					t->soft_affinity & control_all_cpus());
	}
	return rc;
}

/* All the CPUs there are means all there will be. */
static uint64_t widened(uint64_t bits)
{
	return (bits & control_all_cpus()) == control_all_cpus() ? UINT64_MAX
								 : bits;
}

/* The answer is what takes effect: the CPUs of it that are on line. */
static int set_hard(struct vcpu *v, struct vcpu *t,
		    const struct xenctl_bitmap *map)
{
	uint64_t bits;
	int rc = control_bitmap_get(v, map, &bits);

	if (rc == 0) {
		rc = vcpu_set_hard_affinity(t, widened(bits));
	}
	if (rc) {
		return rc;
	}
	return control_bitmap_put(v, map, t->cpus & control_all_cpus());
}

static int set_soft(struct vcpu *v, struct vcpu *t,
		    const struct xenctl_bitmap *map)
{
	uint64_t bits;
	int rc = control_bitmap_get(v, map, &bits);

	if (rc) {
		return rc;
	}
	vcpu_set_soft_affinity(t, widened(bits));
	return control_bitmap_put(v, map, bits & t->cpus);
}

int64_t domctl_setvcpuaffinity(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *t;
	int rc = affinity_vcpu(d, op, &t);
	uint64_t before;

	if (rc) {
		return rc;
	}
	if (a->flags & XEN_VCPUAFFINITY_FORCE) {
		(void)!vcpu_pin(t, 0); /* it may not be pinned */
	}
	before = t->hard_affinity;
	if (a->flags & XEN_VCPUAFFINITY_HARD) {
		rc = set_hard(v, t, &a->cpumap_hard);
	}
	if (rc == 0 && (a->flags & XEN_VCPUAFFINITY_SOFT)) {
		rc = set_soft(v, t, &a->cpumap_soft);
		if (rc) { /* both or none */
			(void)!vcpu_set_hard_affinity(t, before);
		}
	}
	return rc;
}

/* ---- registers ----------------------------------------------------------- */

int64_t domctl_setvcpucontext(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op)
{
	struct vcpu_guest_context c;
	struct vcpu *t;
	int rc = find_vcpu(d, op->u.vcpucontext.vcpu, &t);

	if (rc == 0 &&
	    (d->controller_pause == 0 || !vcpu_is_descheduled(t))) {
		rc = -EBUSY; /* it, or who starts it, may run any moment */
	}
	if (rc == 0) {
		rc = guest_copy_in(v, &c, op->u.vcpucontext.ctxt.q, sizeof(c));
	}
	if (rc == 0) {
		rc = arch_vcpu_set_context(t, &c);
	}
	if (rc) {
		return rc;
	}
	t->has_context = true;
	if (c.flags & VGCF_online) {
		vcpu_online(t);
	} else {
		vcpu_offline(t);
	}
	return 0;
}

/* It is stopped for as long as it takes; until it is, the caller asks again. */
int64_t domctl_getvcpucontext(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op)
{
	struct vcpu_guest_context c;
	struct vcpu *t;
	int rc = find_vcpu(d, op->u.vcpucontext.vcpu, &t);

	if (rc) {
		return rc;
	}
	if (!t->has_context) {
		return -ENODATA;
	}
	if (!t->is_read) {
		t->is_read = true;
		vcpu_pause(t);
	}
	if (!vcpu_is_descheduled(t)) {
		return HC_AGAIN;
	}
	arch_vcpu_get_context(t, &c);
	c.flags = vcpu_is_online(t) ? VGCF_online : 0;
	t->is_read = false;
	vcpu_unpause(t);
	return guest_copy_out(v, op->u.vcpucontext.ctxt.q, &c, sizeof(c));
}
