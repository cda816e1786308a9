/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c core/console_serial.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: release/audit_auto.c
// LINK: core/cpupool.c
// LINK: core/sched_cap.c
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
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/heap.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/work.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/evtchn_priv.h"
#include "core/gnttab_priv.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define TABLE_GFN UINT64_C(0x38000)
#define REF 8u

static struct xen_domctl op;
static uint64_t frames;
static long live;

/* What is there now is all there must be at the end. */
static void note_start(void)
{
	frames = page_alloc_nr_free();
	live = hv_live;
}

static void setup(void)
{
	hv_start(64, 4);
	memset(&op, 0, sizeof(op));
	cr_assert_eq(hv_destroy(hv_build(2, 8)->id), 0);
	for (size_t size = 16; size < PAGE_SIZE / 2; size += 16) {
		heap_free(NULL, heap_alloc(NULL, size)); /* empty slabs stay */
	}
	note_start();
}

static void teardown(void)
{
	hv_reap();
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_null(domain_next_get(1));
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_live, live);
	cr_assert_geq(page_alloc_nr_free(), frames);
}

TestSuite(domain_destroy, .init = setup, .fini = teardown);

static struct vcpu *run_guest(struct domain *d)
{
	cr_assert_eq(hv_unpause(d->id), 0);
	for (uint16_t cpu = 1; cpu < 4; cpu++) {
		hv_run_cpu(cpu);
	}
	cr_assert_neq(d->vcpu[0]->loaded_on, CPU_NONE);
	return d->vcpu[0];
}

static int64_t step(domid_t id)
{
	struct xen_domctl x = {
		.cmd = XEN_DOMCTL_destroydomain,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = id,
	};

	guest_put(hv_dom0, HV_ARG, &x, sizeof(x));
	return hv_call_once(hv_v0, __HYPERVISOR_domctl, HV_ARG, 0);
}

static uint32_t dying_flags(domid_t id)
{
	cr_assert_eq(hv_domctl(XEN_DOMCTL_getdomaininfo, id, &op), 0);
	cr_assert_eq(op.domain, id);
	return op.u.getdomaininfo.flags;
}

/* ---- at any moment of its life ------------------------------------------- */

Test(domain_destroy, again_and_again)
{
	uint64_t after_two = 0;

	for (int i = 0; i < 40; i++) {
		struct domain *d = hv_build(2, 8);

		run_guest(d);
		cr_assert_eq(hv_destroy(d->id), 0);
		cr_assert_eq(hv_destroy(d->id), -ESRCH);
		cr_assert_eq(hv_live, live);
		if (i == 1) {
			after_two = page_alloc_nr_free();
		}
	}
	cr_assert_eq(page_alloc_nr_free(), after_two);
}

Test(domain_destroy, before_it_has_anything)
{
	op = hv_config(4);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, 0, &op), 0);
	cr_assert_eq(hv_destroy(op.domain), 0);
}

Test(domain_destroy, between_two_vcpus)
{
	struct xen_domctl x = { .cmd = XEN_DOMCTL_max_vcpus,
				.interface_version =
					XEN_DOMCTL_INTERFACE_VERSION };

	op = hv_config(12);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, 0, &op), 0);
	x.domain = op.domain;
	x.u.max_vcpus.max = 12;
	guest_put(hv_dom0, HV_ARG, &x, sizeof(x));
	cr_assert_eq(hv_call_once(hv_v0, __HYPERVISOR_domctl, HV_ARG, 0),
		     HC_RESTARTED);
	cr_assert_eq(hv_destroy(x.domain), 0);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_max_vcpus, x.domain, &x), -ESRCH);
}

Test(domain_destroy, of_a_crashed_one)
{
	struct domain *d = hv_build(2, 8);

	run_guest(d);
	domain_shutdown(d, SHUTDOWN_crash);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* ---- vCPUs that run ------------------------------------------------------ */

static int told; /* VIRQ_DOM_EXC of dom0 */

static void bind_dom_exc(void)
{
	evtchn_bind_virq_t b = { .virq = VIRQ_DOM_EXC };

	guest_put(hv_dom0, HV_ARG, &b, sizeof(b));
	cr_assert_eq(hv_call(__HYPERVISOR_event_channel_op,
			     EVTCHNOP_bind_virq, HV_ARG, 0), 0);
	guest_get(hv_dom0, HV_ARG, &b, sizeof(b));
	told = (int)b.port;
}

static bool was_told(void)
{
	uint64_t *w = (uint64_t *)(void *)hv_dom0->shared_info->evtchn_pending;
	bool yes;

	hv_run_cpu(0); /* VIRQs go out at a work point */
	yes = (w[0] >> told & 1) != 0;
	w[0] = 0;
	return yes;
}

Test(domain_destroy, waits_for_the_cpus)
{
	struct domain *d = hv_build(1, 8);
	struct vcpu *v = run_guest(d);
	uint16_t cpu = v->loaded_on;

	bind_dom_exc();
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(step(d->id), HC_RESTARTED);
		cr_assert_eq(d->teardown, 0);
	}
	cr_assert_eq(d->state, DOM_DYING);
	cr_assert_eq(v->pause_count, 1);
	cr_assert(was_told());
	cr_assert(dying_flags(d->id) & XEN_DOMINF_dying);
	hv_run_cpu(cpu);
	cr_assert_eq(v->loaded_on, CPU_NONE);
	/* Off the CPUs; but each of them may still have it in hand. */
	cr_assert_eq(step(d->id), HC_RESTARTED);
	cr_assert_eq(step(d->id), HC_RESTARTED);
	for (uint16_t c = 1; c < 3; c++) {
		hv_run_cpu(c);
		cr_assert_eq(step(d->id), HC_RESTARTED);
	}
	cr_assert_not_null(domain_lookup_get(d->id));
	domain_put(d);
	hv_run_cpu(3);
	cr_assert_eq(step(d->id), 0);
	cr_assert(was_told()); /* it is gone */
}

/* Nothing that it could do before it stopped comes back afterwards. */
Test(domain_destroy, watchdogs_and_timers)
{
	struct domain *d = hv_build(1, 8);
	struct vcpu *v = run_guest(d);
	uint16_t cpu = v->loaded_on;
	sched_watchdog_t w = { .timeout = 1 };

	cr_assert_eq(step(d->id), HC_RESTARTED);
	/* On its CPU the guest runs on for a moment and starts a watchdog. */
	fake_this_pcpu = pcpus[cpu];
	guest_put(d, HV_ARG, &w, sizeof(w));
	cr_assert_eq(hv_call_once(v, __HYPERVISOR_sched_op, SCHEDOP_watchdog,
				  HV_ARG), 1);
	timer_set(&v->singleshot, 5000);
	timer_set(&v->poll_timer, 6000);
	fake_this_pcpu = pcpus[0];
	cr_assert_eq(d->watchdog[0].cpu, cpu);
	cr_assert_eq(hv_destroy(d->id), 0);
	fake_time_ns = UINT64_C(100000000000);
	for (uint16_t c = 0; c < 4; c++) {
		fake_this_pcpu = pcpus[c];
		timer_run_due();
	}
	fake_this_pcpu = pcpus[0];
}

Test(domain_destroy, a_watchdog_that_fires_meanwhile)
{
	struct domain *d = hv_build(1, 8);
	struct vcpu *v = run_guest(d);
	sched_watchdog_t w = { .timeout = 1 };
	uint16_t cpu = v->loaded_on;

	fake_this_pcpu = pcpus[cpu];
	guest_put(d, HV_ARG, &w, sizeof(w));
	cr_assert_eq(hv_call_once(v, __HYPERVISOR_sched_op, SCHEDOP_watchdog,
				  HV_ARG), 1);
	fake_this_pcpu = pcpus[0];
	cr_assert_eq(step(d->id), HC_RESTARTED);
	fake_time_ns = UINT64_C(100000000000);
	fake_this_pcpu = pcpus[cpu];
	timer_run_due();
	fake_this_pcpu = pcpus[0];
	cr_assert_eq(d->state, DOM_DYING); /* it stays so */
	cr_assert_eq(hv_destroy(d->id), 0);
}

Test(domain_destroy, lines_are_nobodys)
{
	struct domain *d = hv_build(1, 8);

	cr_assert_eq(irq_assign_guest(d, 40, 50, IRQ_LEVEL), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(irq_desc_of(40)->owner, IRQ_NOBODY);
	cr_assert_null(irq_desc_of(40)->domain);
}

/* ---- references ---------------------------------------------------------- */

Test(domain_destroy, a_zombie_while_somebody_holds_it)
{
	struct domain *d = hv_build(2, 8);
	domid_t id = d->id;
	sched_remote_shutdown_t r = { .domain_id = id };

	domain_get(d);
	cr_assert_eq(hv_destroy(id), 0);
	cr_assert_eq(d->state, DOM_DEAD);
	cr_assert_eq(d->refs, 1);
	cr_assert_eq(d->tot_pages, 0);
	cr_assert(dying_flags(id) & XEN_DOMINF_dying);
	cr_assert_eq(hv_destroy(id), 0); /* done already */
	cr_assert_eq(d->refs, 1);
	op = hv_config(1);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, id, &op), -EEXIST);
	/* Whatever the toolstack tries with it is harmless. */
	cr_assert_eq(hv_unpause(id), 0);
	cr_assert_eq(d->state, DOM_DEAD);
	cr_assert_eq(hv_pause(id), 0);
	cr_assert_eq(hv_simple(XEN_DOMCTL_resumedomain, id), -EINVAL);
	op.u.max_vcpus.max = 2;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_max_vcpus, id, &op), -EINVAL);
	guest_put(hv_dom0, HV_ARG, &r, sizeof(r));
	cr_assert_eq(hv_call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown,
			     HV_ARG, 0), 0);
	cr_assert_eq(d->state, DOM_DEAD);
	domain_put(d);
	hv_reap();
	cr_assert_null(domain_lookup_get(id));
	op = hv_config(1);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, id, &op), 0);
	cr_assert_eq(hv_destroy(id), 0);
}

/* Its tables are gone: nobody may look into them. */
Test(domain_destroy, a_zombie_takes_nothing_in)
{
	struct domain *d = hv_build(1, 8);
	domid_t id = d->id;

	domain_get(d);
	cr_assert_eq(hv_destroy(id), 0);
	cr_assert_null(d->arch.p2m);
	cr_assert_eq(hv_populate(id, HV_GFN), 0);
	cr_assert_eq(hv_add(id, XENMAPSPACE_shared_info, HV_GFN), -EINVAL);
	cr_assert_eq(hv_add(id, XENMAPSPACE_grant_table, HV_GFN), -EINVAL);
	cr_assert_eq(hv_take(id, HV_GFN), -ENOENT);
	cr_assert_eq(hv_foreign(id), -EINVAL);
	cr_assert_eq(hv_alloc_unbound(id), -EINVAL);
	cr_assert_eq(d->tot_pages, 0);
	op.u.cacheflush.start_pfn = HV_GFN;
	op.u.cacheflush.nr_pfns = 8;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_cacheflush, id, &op), 0);
	cr_assert_eq(d->evtchn.active, 0);
	domain_put(d);
}

/* ---- the same at each step ----------------------------------------------- */

/* Everything that dom0 could do at the same time on another CPU. */
static void meddle(domid_t id)
{
	(void)hv_populate(id, HV_MAP_GFN);
	(void)hv_add(id, XENMAPSPACE_shared_info, HV_MAP_GFN + 1);
	(void)hv_add(id, XENMAPSPACE_grant_table, TABLE_GFN);
	(void)hv_foreign(id);
	(void)hv_alloc_unbound(id);
	(void)hv_pause(id);
	(void)hv_unpause(id);
}

Test(domain_destroy, dom0_goes_on_at_each_step)
{
	unsigned int at, n = 0;

	for (at = 0; at < 12; at++) {
		struct domain *d = hv_build(2, 700);
		domid_t id = d->id;
		int64_t rc;

		run_guest(d);
		d->max_pages = UINT32_MAX;
		for (n = 0; (rc = step(id)) == HC_RESTARTED; n++) {
			if (n >= at && n < at + 3) {
				meddle(id);
			}
			hv_run_others();
		}
		cr_assert_eq(rc, 0);
		cr_assert_null(domain_lookup_get(id));
		/* Early enough, dom0 got the page; it can let it go. */
		rc = hv_take(DOMID_SELF, HV_MAP_GFN);
		cr_assert(rc == 0 || (rc == -ENOENT && at != 0));
	}
	cr_assert_gt(n, 3);
}

/* ---- event channels ------------------------------------------------------ */

static uint32_t bind_from_dom0(domid_t id, uint32_t port)
{
	evtchn_bind_interdomain_t b = { .remote_dom = id,
					.remote_port = port };

	guest_put(hv_dom0, HV_ARG, &b, sizeof(b));
	cr_assert_eq(hv_call(__HYPERVISOR_event_channel_op,
			     EVTCHNOP_bind_interdomain, HV_ARG, 0), 0);
	guest_get(hv_dom0, HV_ARG, &b, sizeof(b));
	return b.local_port;
}

static int64_t with_port(uint32_t cmd, uint32_t port)
{
	guest_put(hv_dom0, HV_ARG, &port, sizeof(port));
	return hv_call(__HYPERVISOR_event_channel_op, cmd, HV_ARG, 0);
}

Test(domain_destroy, event_channels_of_others_are_unbound)
{
	struct domain *d = hv_build(1, 8);
	uint32_t port[70];

	for (int i = 0; i < 70; i++) {
		int64_t p = hv_alloc_unbound(d->id);

		cr_assert_gt(p, 0);
		port[i] = bind_from_dom0(d->id, (uint32_t)p);
	}
	cr_assert_eq(d->refs, 71);
	cr_assert_eq(hv_dom0->refs, 71);
	cr_assert_gt(hv_alloc_unbound(d->id), 0); /* one that nobody bound */
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(hv_dom0->refs, 1);
	for (int i = 0; i < 70; i++) {
		cr_assert_eq(evtchn_find(hv_dom0, port[i])->state,
			     ECS_UNBOUND);
		cr_assert_eq(with_port(EVTCHNOP_send, port[i]), 0);
		cr_assert_eq(with_port(EVTCHNOP_close, port[i]), 0);
	}
}

/* ---- grants -------------------------------------------------------------- */

static int64_t grant(struct vcpu *v, uint32_t cmd, void *arg, size_t size)
{
	uint64_t args[6] = { cmd, HV_ARG, 1 };
	int64_t rc;

	guest_put(v->domain, HV_ARG, arg, size);
	rc = hypercall_dispatch(v, __HYPERVISOR_grant_table_op, args);
	guest_get(v->domain, HV_ARG, arg, size);
	return rc;
}

static void permit(struct domain *d, domid_t who)
{
	struct page *pg;
	grant_entry_v1_t *e;

	cr_assert_eq(gnttab_get_shared_frame(d, 0, &pg), 0);
	e = hv_va(mfn_to_paddr(page_mfn(pg)));
	e[REF].frame = HV_PAGE_GFN;
	e[REF].domid = who;
	e[REF].flags = GTF_permit_access;
	page_put(pg);
}

static gnttab_map_grant_ref_t map(struct vcpu *v, domid_t granter)
{
	gnttab_map_grant_ref_t m = { .host_addr = HV_MAP_GFN << PAGE_SHIFT,
				     .flags = GNTMAP_host_map,
				     .ref = REF, .dom = granter };

	cr_assert_eq(grant(v, GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
	return m;
}

/* dom0 has a page of the dead domain mapped: that keeps it, as a zombie. */
Test(domain_destroy, granted_to_dom0)
{
	struct domain *d = hv_build(1, 8);
	domid_t id = d->id;
	gnttab_unmap_grant_ref_t u = { .host_addr = HV_MAP_GFN << PAGE_SHIFT };
	gnttab_map_grant_ref_t m;

	permit(d, 0);
	m = map(hv_v0, id);
	cr_assert_eq(m.status, GNTST_okay);
	cr_assert_eq(hv_destroy(id), 0);
	cr_assert_eq(d->state, DOM_DEAD);
	cr_assert_eq(d->refs, 1);
	/* The page is still what dom0 sees. */
	guest_put(hv_dom0, (HV_MAP_GFN << PAGE_SHIFT) + 8, "zombie", 7);
	cr_assert_eq(map(hv_v0, id).status, GNTST_general_error);
	u.handle = m.handle;
	cr_assert_eq(grant(hv_v0, GNTTABOP_unmap_grant_ref, &u, sizeof(u)),
		     0);
	cr_assert_eq(u.status, GNTST_okay);
	cr_assert_null(domain_lookup_get(id));
	hv_reap();
	cr_assert(domain_id_is_free(id));
	live += 2; /* dom0 has its tables of mappings from now on */
	frames -= 3;
}

Test(domain_destroy, granted_by_dom0)
{
	struct domain *d = hv_build(1, 8);
	struct vcpu *v = d->vcpu[0];
	struct page *pg = page_of(p2m_lookup(hv_dom0, gfn(HV_PAGE_GFN)).mfn);
	uint32_t count = pg->count;

	permit(hv_dom0, d->id);
	frames -= 3; /* dom0's frame of entries and their records */
	cr_assert_eq(map(v, 0).status, GNTST_okay);
	cr_assert_eq(hv_dom0->refs, 2);
	cr_assert_gt(pg->count, count);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(pg->count, count);
	cr_assert_eq(hv_dom0->refs, 1);
}

/* Pages that the hypervisor writes for a vCPU go with it, both parts. */
Test(domain_destroy, run_state_areas)
{
	struct domain *d = hv_build(1, 8);
	struct vcpu *v = d->vcpu[0];
	uint64_t va = (HV_PAGE_GFN << PAGE_SHIFT) - 16;

	cr_assert_eq(vcpu_runstate_register(v, v, va), 0);
	cr_assert_eq(page_of(p2m_lookup(d, gfn(HV_PAGE_GFN)).mfn)->count, 3);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* Of itself: its own reference must not keep it for ever. */
Test(domain_destroy, granted_to_itself)
{
	struct domain *d = hv_build(1, 8);

	permit(d, d->id);
	cr_assert_eq(map(d->vcpu[0], d->id).status, GNTST_okay);
	cr_assert_eq(d->refs, 2);
	cr_assert_eq(hv_destroy(d->id), 0);
}

Test(domain_destroy, frames_that_dom0_has_acquired)
{
	struct domain *d = hv_build(1, 8);
	xen_mem_acquire_resource_t a = {
		.domid = d->id,
		.type = XENMEM_resource_grant_table,
		.nr_frames = 1,
	};
	uint64_t g = HV_MAP_GFN;

	guest_put(hv_dom0, HV_BUF, &g, sizeof(g));
	a.frame_list.q = HV_BUF;
	cr_assert_eq(hv_memory_op(XENMEM_acquire_resource, &a, sizeof(a)), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_null(domain_next_get(1)); /* a page holds no domain */
	guest_put(hv_dom0, HV_MAP_GFN << PAGE_SHIFT, "still there", 12);
	cr_assert_eq(hv_take(DOMID_SELF, HV_MAP_GFN), 0);
}

Test(domain_destroy, foreign_mapping_of_a_dead_domain)
{
	struct domain *d = hv_build(1, 8);
	uint64_t before;

	cr_assert_eq(hv_foreign(d->id), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_null(domain_next_get(1));
	before = page_alloc_nr_free();
	guest_put(hv_dom0, HV_MAP_GFN << PAGE_SHIFT, "still there", 12);
	cr_assert_eq(hv_take(DOMID_SELF, HV_MAP_GFN), 0);
	cr_assert_eq(page_alloc_nr_free(), before + 1);
}

Test(domain_destroy, gives_up_its_claim)
{
	struct domain *d = hv_build(1, 8);

	d->max_pages = d->tot_pages + 8;
	cr_assert_eq(page_claim(d, d->max_pages), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(page_alloc_nr_claimed(), 0);
}

/* ---- bounds -------------------------------------------------------------- */

Test(domain_destroy, memory_goes_in_steps)
{
	struct domain *d = hv_build(1, 2000);
	uint64_t left = d->tot_pages;
	unsigned int n = 0;
	int64_t rc;

	while ((rc = step(d->id)) == HC_RESTARTED) {
		cr_assert_leq(left - d->tot_pages, 256);
		left = d->tot_pages;
		hv_run_others();
		n++;
	}
	cr_assert_eq(rc, 0);
	cr_assert_geq(n, 7);
}
