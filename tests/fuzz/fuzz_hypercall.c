/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of hypercalls with arguments and memory of the fuzzer's choice, by
 * dom0 and by the guests that it makes, changes and destroys on the way.
 * Whatever comes in: no access out of bounds, no failed check, and at the end
 * no domain, frame, object, port or reference is left.
 *
 * Input: records of a byte of choices, a byte hypercall, a byte command, a
 * byte of address choices, and 16 bytes that land in the argument structure.
 */
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c core/console_serial.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: release/audit_auto.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: core/cpupool.c core/hotplug.c core/sched_cap.c core/watchdog.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c
// LINK: core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/sched_arinc653.c
// LINK: core/sched_null.c core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_op.c
// LINK: core/gnttab_track.c core/evtchn.c core/evtchn_bind.c
// LINK: core/evtchn_2l.c core/evtchn_fifo.c core/hypercall.c
// LINK: core/hypercall_subop.c core/hypercall_table.c core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// LINK: tests/fakes/fake_no_pci.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle,--wrap=domain_shutdown
// RUNS: 12000
#include <stdlib.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/percpu.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/evtchn_priv.h"
#include "core/gnttab_priv.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define MAX_CALLS 64
#define MAX_RESTARTS 400
#define MAX_GUESTS 3
/* Slabs that the heap keeps, and what dom0 makes for itself once. */
#define MAX_KEPT 64
#define ENOUGH 1000 /* frames to build a guest from */

enum {
	AS_GUEST = 1u << 0,   /* the caller: dom0 or the newest guest */
	HOSTILE = 1u << 1,    /* memory changes after each read */
	CONTROL = 1u << 2,    /* a domctl or sysctl with a right head */
	NEW_GUEST = 1u << 3,  /* dom0's toolstack has built one before */
	RUN_CPUS = 1u << 4,   /* other CPUs come by a work point */
	ABANDON = 1u << 5,    /* a long call is not repeated */
	NO_MEMORY = 1u << 6,  /* an allocation fails */
};

struct record {
	uint8_t choice;
	uint8_t nr;
	uint8_t cmd;
	uint8_t where;
	uint8_t offset;
	uint8_t data[16];
};

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

static const uint64_t address[] = {
	HV_ARG, HV_ARG + 8, HV_ARG + 0x800, HV_ARG + 0xff8, HV_ARG + 0x1000,
	HV_ARG + 0xfff0, 0, UINT64_MAX - 7,
};
static uint64_t frames_at_start;
static long live_at_start;

/* The end of dom0 is the end of the machine: not here. */
void __real_domain_shutdown(struct domain *d, uint8_t code);
void __wrap_domain_shutdown(struct domain *d, uint8_t code);
void __wrap_domain_shutdown(struct domain *d, uint8_t code)
{
	if (!d->is_hardware) {
		__real_domain_shutdown(d, code);
	}
}

/* What changes something comes more often. */
static uint32_t number(const struct record *r)
{
	static const uint8_t often[] = {
		__HYPERVISOR_memory_op, __HYPERVISOR_event_channel_op,
		__HYPERVISOR_grant_table_op, __HYPERVISOR_sched_op,
		__HYPERVISOR_vcpu_op, __HYPERVISOR_multicall,
	};

	return r->nr & 0x80 ? r->nr % NR_HYPERCALLS
			    : often[r->nr % ARRAY_SIZE(often)];
}

static uint64_t pick(unsigned int i)
{
	return address[i % ARRAY_SIZE(address)];
}

static bool may_write(struct domain *d, uint64_t va)
{
	return p2m_type_is_writable(p2m_lookup(d, gfn(va >> 12)).type);
}

/* Still mapped, as the calls may have taken it away? */
static void put(struct domain *d, uint64_t va, const void *p, size_t n)
{
	if (may_write(d, va) && may_write(d, va + n - 1)) {
		guest_put(d, va, p, n);
	}
}

static bool runs(const struct vcpu *v)
{
	return v->loaded_on != CPU_NONE && pcpus[v->loaded_on]->current == v;
}

/* The newest guest if it is on a CPU, borrowed; or dom0. */
static struct vcpu *caller(const struct record *r)
{
	struct domain *d = hv_dom0;
	struct domain *next = domain_next_get(1);

	while (next && (r->choice & AS_GUEST)) {
		d = next;
		domain_put(next);
		next = domain_next_get((domid_t)(d->id + 1));
	}
	if (next) {
		domain_put(next);
	}
	return d->vcpu[0] && runs(d->vcpu[0]) ? d->vcpu[0] : hv_v0;
}

static uint32_t nr_domains(void)
{
	struct domain *d = domain_next_get(0);
	uint32_t n = 0;

	while (d) {
		domid_t next = (domid_t)(d->id + 1);

		n++;
		domain_put(d);
		d = domain_next_get(next);
	}
	return n;
}

static void put_control(struct domain *d, const struct record *r)
{
	const uint32_t head[] = {
		r->cmd % 100,
		r->nr & 1 ? XEN_SYSCTL_INTERFACE_VERSION
			  : XEN_DOMCTL_INTERFACE_VERSION,
		r->where >> 4,
	};
	struct xen_domctl op = hv_config(1 + (r->data[0] & 15));

	memcpy(&op, head, sizeof(head));
	if (op.cmd != XEN_DOMCTL_createdomain || (r->nr & 1)) {
		memset(&op.u, 0, sizeof(op.u));
		memcpy((char *)&op.u + (r->offset & 31), r->data,
		       sizeof(r->data));
	}
	put(d, HV_ARG, &op, sizeof(op));
}

static void one_call(struct vcpu *v, const struct record *r)
{
	uint64_t args[6] = { r->cmd & 0x80 ? r->cmd : r->cmd % 32,
			     pick(r->where), pick(r->where >> 3),
			     r->data[0], r->data[1], 0 };
	uint32_t nr = number(r);
	uint32_t restarts = 0;

	put(v->domain, HV_ARG + r->offset * 16u, r->data, sizeof(r->data));
	if (r->where & 0x80) { /* calls whose first argument is an address */
		args[0] = pick(r->where);
		args[1] = r->cmd;
	}
	if (r->choice & CONTROL) {
		args[0] = HV_ARG;
		nr = r->nr & 1 ? __HYPERVISOR_sysctl : __HYPERVISOR_domctl;
		put_control(v->domain, r);
	}
	hv_fail_at = r->choice & NO_MEMORY ? hv_steps + 1 + r->data[15] % 8 : 0;
	fake_guest_hostile((r->choice & HOSTILE) != 0);
	while (hypercall_dispatch(v, nr, args) == HC_RESTARTED) {
		if ((r->choice & ABANDON) || restarts++ > MAX_RESTARTS) {
			break; /* a guest may ask for 2^32 multicall entries */
		}
		hv_run_others();
		hv_run_cpu(this_cpu());
	}
	fake_guest_hostile(false);
	hv_fail_at = 0;
	if (this_pcpu()->held_ranks != 0) {
		abort();
	}
}

static void one_record(const struct record *r)
{
	struct domain *d;
	struct vcpu *v;

	if ((r->choice & NEW_GUEST) && nr_domains() <= MAX_GUESTS &&
	    may_write(hv_dom0, HV_ARG) && may_write(hv_dom0, HV_BUF) &&
	    page_alloc_nr_free() > ENOUGH) {
		d = hv_build(1 + (r->cmd & 3), 8);
		(void)(d && hv_unpause(d->id));
	}
	if (r->choice & RUN_CPUS) {
		hv_run_others();
	}
	v = caller(r);
	fake_this_pcpu = pcpus[runs(v) ? v->loaded_on : 0];
	one_call(v, r);
	fake_this_pcpu = pcpus[0];
	vcpu_wake(hv_v0); /* if it went to sleep */
	hv_run_cpu(0);
}

/* ---- the end of an input ------------------------------------------------- */

static void destroy_all(void)
{
	struct domain *d;

	while ((d = domain_next_get(1)) != NULL) {
		unsigned int n = 0;
		int rc;

		do {
			spin_lock(&control_lock);
			rc = domain_destroy_step(d);
			spin_unlock(&control_lock);
			hv_run_others();
			hv_run_cpu(0);
		} while (rc == -EAGAIN && n++ < 10000);
		if (rc != 0) {
			abort(); /* it does not end */
		}
		if (d->evtchn.active != 0 || d->tot_pages != 0 ||
		    d->gnttab.nr_maptrack != 0) {
			abort();
		}
		domain_put(d);
		/* dom0 has pages of it mapped: let them go. */
		while (gnttab_release_step(hv_dom0) == -EAGAIN) {
		}
		hv_dom0->gnttab.release_next = 0;
	}
}

static void end_dom0(void)
{
	while (evtchn_fini_step(hv_dom0) == -EAGAIN) {
	}
	while (gnttab_release_step(hv_dom0) == -EAGAIN) {
	}
	domain_watchdog_stop(hv_dom0);
	if (hv_dom0->refs != 1 || hv_dom0->evtchn.active != 0) {
		abort();
	}
	while (p2m_fini_step(hv_dom0) == -EAGAIN) {
	}
	hv_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static bool is_ready;
	struct record r;
	unsigned int n;

	if (!is_ready) {
		hv_start(16, 2);
		end_dom0();
		frames_at_start = page_alloc_nr_free();
		live_at_start = hv_live;
		is_ready = true;
	}
	hv_start_dom0();
	for (n = 0; n < MAX_CALLS && size >= sizeof(r); n++) {
		memmove(&r, in, sizeof(r));
		in += sizeof(r);
		size -= sizeof(r);
		one_record(&r);
	}
	destroy_all();
	end_dom0();
	if (hv_live != live_at_start ||
	    page_alloc_nr_free() + MAX_KEPT < frames_at_start) {
		abort();
	}
	return 0;
}
