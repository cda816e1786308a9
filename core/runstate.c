/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run state of a vCPU: how long it ran, waited, slept, was stopped; and the
 * copy of that which a guest may have registered.
 *
 * Owns    v->runstate, runstate_ns, runstate_entry_ns.
 * Not     the transitions (vcpu.c, sched.c).
 * Locks   the run queue lock of v->cpu for the numbers. The guest's copy is
 *         written by the CPU that holds v's registers, without a lock: its
 *         address is virtual and is translated each time; a guest that
 *         unmapped it just gets no update.
 * Spec    [XEN] vcpu.h, VCPUOP_register_runstate_memory_area.
 */
#include <lib/bits.h>
#include <lib/string.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/vcpu.h>

STATIC_ASSERT(sizeof(((struct vcpu *)NULL)->runstate_ns) ==
	      sizeof(((struct vcpu_runstate_info *)NULL)->time),
	      "four run states");

void vcpu_runstate_change(struct vcpu *v, uint8_t runstate, uint64_t now_ns)
{
	v->runstate_ns[v->runstate] += now_ns - v->runstate_entry_ns;
	v->runstate_entry_ns = now_ns;
	v->runstate = runstate;
}

/* The guest reads it from any vCPU: flag, contents, flag gone. */
static void write_flagged(const struct guest_win *w,
			  struct vcpu_runstate_info *r)
{
	const uint32_t at =
		offsetof(struct vcpu_runstate_info, state_entry_time);
	uint64_t entry = r->state_entry_time;

	r->state_entry_time = entry | XEN_RUNSTATE_UPDATE;
	guest_win_write(w, &r->state_entry_time, at, sizeof(entry));
	arch_wmb();
	guest_win_write(w, r, 0, sizeof(*r));
	arch_wmb();
	guest_win_write(w, &entry, at, sizeof(entry));
}

void vcpu_runstate_publish(struct vcpu *v)
{
	const struct domain *d = v->domain;
	struct vcpu_runstate_info r;
	struct guest_win w;

	if (!v->runstate_gva ||
	    guest_win_open(v, v->runstate_gva, sizeof(r), HC_OUT, &w) != 0) {
		return; /* -EFAULT: the mapping is gone for now; skip */
	}
	memset(&r, 0, sizeof(r));
	r.state = v->runstate;
	r.state_entry_time =
		v->runstate_entry_ns - (uint64_t)d->time_offset_ns;
	memcpy(r.time, v->runstate_ns, sizeof(r.time));
	if (d->vm_assist & BIT64(VMASST_TYPE_runstate_update_flag)) {
		write_flagged(&w, &r);
	} else {
		guest_win_write(&w, &r, 0, sizeof(r));
	}
	guest_win_close(&w);
}
