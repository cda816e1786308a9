/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run state of a vCPU: how long it ran, waited, slept, was stopped; and the
 * copy of that which a guest may have registered.
 *
 * Owns    v->runstate, runstate_ns, runstate_entry_ns, runstate_area and what
 *         belongs to it.
 * Not     the transitions (vcpu.c, sched.c).
 * Copy    its frames are pinned when its address is taken up, as on Xen: what
 *         the guest maps there later does not matter. They must be its own, so
 *         that it keeps no other domain's page.
 * Locks   the run queue lock of v->cpu for the numbers. The window is the
 *         CPU's that holds v's registers, without a lock; another vCPU leaves
 *         an address, which that CPU takes up when it publishes next.
 * Spec    [XEN] vcpu.h, VCPUOP_register_runstate_memory_area.
 */
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/page_alloc.h>
#include <hv/vcpu.h>

STATIC_ASSERT(sizeof(((struct vcpu *)NULL)->runstate_ns) ==
		      sizeof(((struct vcpu_runstate_info *)NULL)->time),
	      "four run states");

/* Guests put it anywhere. */
typedef struct vcpu_runstate_info copy_t __attribute__((aligned(1)));

void vcpu_runstate_change(struct vcpu *v, uint8_t runstate, uint64_t now_ns)
{
	v->runstate_ns[v->runstate] += now_ns - v->runstate_entry_ns;
	v->runstate_entry_ns = now_ns;
	v->runstate = runstate;
}

/* ---- the guest's copy ---------------------------------------------------- */

void vcpu_runstate_release(struct vcpu *v)
{
	if (v->runstate_win.len[0] != 0) {
		guest_win_close(&v->runstate_win);
		v->runstate_win.len[0] = 0;
	}
}

static bool is_own(const struct vcpu *v, const struct guest_win *w)
{
	return page_owner(w->pg[0]) == v->domain->id &&
	       (w->len[1] == 0 || page_owner(w->pg[1]) == v->domain->id);
}

/* The window moves to @va, 0: nowhere. -EFAULT: it stays. */
static int window_move(struct vcpu *v, uint64_t va)
{
	struct guest_win w = {.len = {0, 0}};

	if (va != 0) {
		if (guest_win_open(v, va, sizeof(struct vcpu_runstate_info),
				   HC_OUT, &w) != 0) {
			return -EFAULT;
		}
		if (!is_own(v, &w)) {
			guest_win_close(&w);
			return -EFAULT;
		}
	}
	vcpu_runstate_release(v);
	v->runstate_win = w;
	return 0;
}

int vcpu_runstate_register(struct vcpu *v, struct vcpu *t, uint64_t va)
{
	if (t != v) {
		__atomic_store_n(&t->runstate_va, va, __ATOMIC_RELAXED);
		__atomic_store_n(&t->runstate_area, RUNSTATE_AREA_TOLD,
				 __ATOMIC_RELEASE);
		return 0;
	}
	if (window_move(v, va) != 0) {
		return -EINVAL;
	}
	__atomic_store_n(&v->runstate_area, RUNSTATE_AREA_TAKEN,
			 __ATOMIC_RELAXED);
	vcpu_runstate_publish(v);
	return 0;
}

/* What another vCPU left. It may not be mapped yet: tried again then. */
static __cold void take_up(struct vcpu *v)
{
	__atomic_store_n(&v->runstate_area, RUNSTATE_AREA_TAKEN,
			 __ATOMIC_SEQ_CST);
	if (window_move(v, __atomic_load_n(&v->runstate_va,
					   __ATOMIC_SEQ_CST)) != 0) {
		vcpu_runstate_release(v);
		__atomic_store_n(&v->runstate_area, RUNSTATE_AREA_TOLD,
				 __ATOMIC_RELEASE);
	}
}

/* In a window of two pages, in the order of vcpu_runstate_publish(). */
static __cold void write_across(const struct vcpu *v, uint64_t flag,
				uint64_t entry)
{
	const uint32_t at =
		offsetof(struct vcpu_runstate_info, state_entry_time);
	const struct guest_win *w = &v->runstate_win;
	struct vcpu_runstate_info r;

	memset(&r, 0, sizeof(r));
	r.state = v->runstate;
	r.state_entry_time = entry | flag;
	memcpy(r.time, v->runstate_ns, sizeof(r.time));
	guest_win_write(w, &r.state_entry_time, at, sizeof(entry));
	arch_wmb();
	guest_win_write(w, &r, 0, sizeof(r));
	arch_wmb();
	guest_win_write(w, &entry, at, sizeof(entry));
}

/* The guest reads it from any vCPU: flag, contents, flag gone. */
void vcpu_runstate_publish(struct vcpu *v)
{
	const struct domain *d = v->domain;
	uint64_t entry, flag;
	copy_t *r;

	if (unlikely(__atomic_load_n(&v->runstate_area, __ATOMIC_ACQUIRE) ==
		     RUNSTATE_AREA_TOLD)) {
		take_up(v);
	}
	if (v->runstate_win.len[0] == 0) {
		return;
	}
	entry = v->runstate_entry_ns - (uint64_t)d->time_offset_ns;
	flag = d->vm_assist & BIT64(VMASST_TYPE_runstate_update_flag)
		       ? XEN_RUNSTATE_UPDATE
		       : 0;
	if (unlikely(v->runstate_win.len[1] != 0)) {
		write_across(v, flag, entry);
		return;
	}
	r = (copy_t *)(void *)v->runstate_win.va[0];
	r->state_entry_time = entry | flag;
	arch_wmb();
	r->state = v->runstate;
	for (unsigned int i = 0; i < ARRAY_SIZE(r->time); i++) {
		r->time[i] = v->runstate_ns[i];
	}
	arch_wmb();
	r->state_entry_time = entry;
}
