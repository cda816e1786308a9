/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_op: where a vCPU's shared records are.
 *
 * Owns    the moves of v->info.
 * Not     what is written there (evtchn_2l.c, runstate.c).
 * Locks   d->lock (rank DOMAIN), so that a record moves once.
 * Spec    [XEN] vcpu.h; on Arm everything but 5 and 10 is -EINVAL.
 */
#include <hv/hypercall.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/string.h>

/* 0, or why the record of @t cannot move now. */
static int info_check_locked(const struct vcpu *v, const struct vcpu *t)
	REQUIRES(v->domain->lock)
{
	if (t->info_page) {
		return -EINVAL; /* once only */
	}
	if (t != v && vcpu_is_online(t)) {
		return -EINVAL; /* it may be using the old one */
	}
	return 0;
}

/* Takes over the reference on @pg; domain lock held. */
static void info_move_locked(struct vcpu *t, struct page *pg, uint32_t offset)
{
	char *frame = hv_va(mfn_to_paddr(page_mfn(pg)));
	struct vcpu_info *info = (struct vcpu_info *)(void *)(frame + offset);

	*info = *t->info;
	info->evtchn_upcall_pending = 1;
	info->evtchn_pending_sel = ~(xen_ulong_t)0;
	t->info_page = pg;
	/* Senders on other CPUs find the copy complete. */
	__atomic_store_n(&t->info, info, __ATOMIC_RELEASE);
}

static int64_t register_info(struct vcpu *v, struct vcpu *t, uint64_t uarg)
{
	struct vcpu_register_vcpu_info a;
	struct p2m_entry e;
	struct page *pg;
	int rc = guest_copy_in(v, &a, uarg, sizeof(a));

	if (rc) {
		return rc;
	}
	if (a.offset > PAGE_SIZE - sizeof(struct vcpu_info) ||
	    !is_aligned(a.offset, sizeof(uint64_t))) {
		return -ENXIO;
	}
	pg = p2m_get_page(v->domain, gfn(a.mfn), &e);
	if (!pg) {
		return -EINVAL;
	}
	if (e.type != P2M_RAM_RW) {
		page_put(pg);
		return -EINVAL;
	}
	spin_lock(&v->domain->lock);
	rc = info_check_locked(v, t);
	if (rc == 0) {
		info_move_locked(t, pg, a.offset);
	}
	spin_unlock(&v->domain->lock);
	if (rc) {
		page_put(pg);
		return rc;
	}
	/* What came while it moved is found: all selectors are set. */
	evtchn_vcpu_info_moved(t);
	return 0;
}

static int64_t register_runstate(struct vcpu *v, struct vcpu *t,
				 uint64_t uarg)
{
	struct vcpu_register_runstate_memory_area a;
	int rc = guest_copy_in(v, &a, uarg, sizeof(a));

	if (rc) {
		return rc;
	}
	if (a.addr.p != 0 && a.addr.p > UINT64_MAX -
					       sizeof(vcpu_runstate_info_t)) {
		return -EINVAL;
	}
	return vcpu_runstate_register(v, t, a.addr.p);
}

static struct vcpu *vcpu_by_id(const struct domain *d, uint64_t id)
{
	uint32_t i = (uint32_t)id;

	if (i >= d->max_vcpus) {
		return NULL;
	}
	return d->vcpu[array_index_nospec(i, d->max_vcpus)];
}

int64_t hc_vcpu_op(struct vcpu *v, const uint64_t *args)
{
	uint32_t cmd = (uint32_t)args[0];
	struct vcpu *t;

	if (cmd != VCPUOP_register_vcpu_info &&
	    cmd != VCPUOP_register_runstate_memory_area) {
		return -EINVAL;
	}
	t = vcpu_by_id(v->domain, args[1]);
	if (!t) {
		return -ENOENT;
	}
	if (cmd == VCPUOP_register_vcpu_info) {
		return register_info(v, t, args[2]);
	}
	return register_runstate(v, t, args[2]);
}
