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
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

static struct xen_domctl op;

static void setup(void)
{
	hv_start(64, 4);
	memset(&op, 0, sizeof(op));
}

static void teardown(void)
{
	fake_guest_hostile(false);
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_v0->cont.key, 0);
}

TestSuite(domctl, .init = setup, .fini = teardown);

static int64_t do_op(uint32_t cmd, domid_t id)
{
	return hv_domctl(cmd, id, &op);
}

/* ---- the call itself ----------------------------------------------------- */

static int64_t raw(struct vcpu *v, uint32_t cmd, uint32_t version, domid_t id)
{
	struct xen_domctl x = { .cmd = cmd, .interface_version = version,
				.domain = id };

	guest_put(v->domain, HV_ARG, &x, sizeof(x));
	return hv_call_once(v, __HYPERVISOR_domctl, HV_ARG, 0);
}

Test(domctl, version_rights_and_numbers)
{
	const uint32_t version = XEN_DOMCTL_INTERFACE_VERSION;
	struct domain *d = hv_build(1, 4);
	uint32_t cmd;

	cr_assert_eq(raw(hv_v0, 5, version + 1, 0), -EACCES);
	cr_assert_eq(raw(hv_v0, 5, 0, 0), -EACCES);
	cr_assert_eq(raw(hv_v0, 5, version, 0), 0);
	for (cmd = 0; cmd < 100; cmd++) {
		cr_assert_eq(raw(d->vcpu[0], cmd, version, d->id), -EPERM);
	}
	for (cmd = 87; cmd < 100; cmd++) {
		cr_assert_eq(raw(hv_v0, cmd, version, d->id), -ENOSYS);
	}
	cr_assert_eq(raw(hv_v0, 0, version, d->id), -ENOSYS);
	cr_assert_eq(raw(hv_v0, UINT32_MAX, version, d->id), -ENOSYS);
	cr_assert_eq(raw(hv_v0, XEN_DOMCTL_sendtrigger, version, d->id),
		     -ENOSYS);
	cr_assert_eq(d->refs, 1);
}

Test(domctl, argument_out_of_reach)
{
	struct xen_domctl x = {
		.cmd = XEN_DOMCTL_getdomaininfo,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
	};
	uint64_t last = ((HV_GFN + 16) << PAGE_SHIFT) - sizeof(x);

	cr_assert_eq(hv_call(__HYPERVISOR_domctl, HV_BAD, 0, 0), -EFAULT);
	cr_assert_eq(hv_call(__HYPERVISOR_domctl, 0, 0, 0), -EFAULT);
	cr_assert_eq(hv_call(__HYPERVISOR_domctl, UINT64_MAX - 7, 0, 0),
		     -EFAULT);
	guest_put(hv_dom0, last, &x, sizeof(x));
	cr_assert_eq(hv_call(__HYPERVISOR_domctl, last, 0, 0), 0);
	cr_assert_eq(hv_call(__HYPERVISOR_domctl, last + 1, 0, 0), -EFAULT);
}

Test(domctl, each_byte_is_read_once_also_across_pages)
{
	const uint64_t at = HV_ARG + PAGE_SIZE - 50;
	struct xen_domctl x = {
		.cmd = XEN_DOMCTL_getdomaininfo,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
	};

	guest_put(hv_dom0, at, &x, sizeof(x));
	fake_guest_hostile(true);
	cr_assert_eq(hv_call(__HYPERVISOR_domctl, at, 0, 0), 0);
	for (uint32_t i = 0; i < sizeof(x); i++) {
		cr_assert_eq(guest_reads(hv_dom0, at + i), 1);
	}
	guest_get(hv_dom0, at, &x, sizeof(x));
	cr_assert_eq(x.u.getdomaininfo.tot_pages, 16);
	cr_assert_eq(x.interface_version, XEN_DOMCTL_INTERFACE_VERSION);
}

/* Rows that are about a domain say so when there is none, or when it is own. */
Test(domctl, domain_of_each_row)
{
	static const struct {
		uint32_t cmd;
		bool other;
	} rows[] = {
		{ XEN_DOMCTL_destroydomain, true },
		{ XEN_DOMCTL_pausedomain, true },
		{ XEN_DOMCTL_resumedomain, true },
		{ XEN_DOMCTL_setvcpucontext, true },
		{ XEN_DOMCTL_getvcpucontext, true },
		{ XEN_DOMCTL_max_vcpus, true },
		{ XEN_DOMCTL_set_address_size, true },
		{ XEN_DOMCTL_unpausedomain, false },
		{ XEN_DOMCTL_setvcpuaffinity, false },
		{ XEN_DOMCTL_getvcpuaffinity, false },
		{ XEN_DOMCTL_max_mem, false },
		{ XEN_DOMCTL_getvcpuinfo, false },
		{ XEN_DOMCTL_scheduler_op, false },
		{ XEN_DOMCTL_setdomainhandle, false },
		{ XEN_DOMCTL_setnodeaffinity, false },
		{ XEN_DOMCTL_getnodeaffinity, false },
		{ XEN_DOMCTL_cacheflush, false },
		{ XEN_DOMCTL_get_paging_mempool_size, false },
		{ XEN_DOMCTL_set_paging_mempool_size, false },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(hv_simple(rows[i].cmd, 77), -ESRCH);
		cr_assert_eq(hv_simple(rows[i].cmd, DOMID_SELF), -ESRCH);
		cr_assert_eq(hv_simple(rows[i].cmd, 256), -ESRCH);
		if (rows[i].other) {
			cr_assert_eq(hv_simple(rows[i].cmd, 0), -EINVAL);
		}
	}
}

/* ---- createdomain -------------------------------------------------------- */

static int64_t create(domid_t id)
{
	return do_op(XEN_DOMCTL_createdomain, id);
}

Test(domctl, created_as_asked)
{
	struct domain *d;

	op = hv_config(3);
	op.u.createdomain.max_grant_frames = -1;
	op.u.createdomain.max_maptrack_frames = -1;
	cr_assert_eq(create(0xffff), 0);
	d = domain_lookup_get(op.domain);
	cr_assert_not_null(d);
	cr_assert_eq(d->id, 1);
	cr_assert_eq(d->refs, 2);
	cr_assert_eq(d->state, DOM_BUILDING);
	cr_assert_eq(d->controller_pause, 1);
	cr_assert_eq(d->max_vcpus, 3);
	cr_assert_eq(d->nr_vcpus, 0);
	cr_assert_eq(d->max_pages, 0);
	cr_assert_eq(d->gnttab.max_frames, 64);
	cr_assert_eq(d->gnttab.max_maptrack_frames, 1024);
	cr_assert_eq(d->evtchn.max_port, 1023);
	cr_assert_eq(d->p2m.pool_pages, P2M_POOL_DEFAULT);
	cr_assert_eq(d->handle[1], 2);
	cr_assert_str_eq(d->name, "d1");
	cr_assert(!d->is_control && !d->is_hardware && !d->direct_mapped);
	domain_put(d);
}

Test(domctl, ids)
{
	op = hv_config(1);
	cr_assert_eq(create(5), 0); /* exactly this one */
	cr_assert_eq(op.domain, 5);
	op = hv_config(1);
	cr_assert_eq(create(5), -EEXIST);
	cr_assert_eq(create(5 + MAX_DOMAINS), -EEXIST); /* its place */
	cr_assert_eq(create(MAX_DOMAINS), -EEXIST);     /* dom0's */
	cr_assert_eq(create(0), 0);
	cr_assert_eq(op.domain, 1);
	op = hv_config(1);
	cr_assert_eq(create(DOMID_FIRST_RESERVED), 0);
	cr_assert_eq(op.domain, 2);
	op = hv_config(1);
	cr_assert_eq(create(DOMID_FIRST_RESERVED - 1), 0);
	cr_assert_eq(op.domain, DOMID_FIRST_RESERVED - 1);
	cr_assert_eq(hv_destroy(1), 0);
	op = hv_config(1);
	cr_assert_eq(create(0xffff), 0);
	cr_assert_eq(op.domain, 3); /* 1 is free, and not used again soon */
}

Test(domctl, an_id_comes_again_late)
{
	uint32_t seen = 0;
	domid_t last = 0;

	/* Some places are taken, dom0's among them; the ids go round. */
	op = hv_config(1);
	cr_assert_eq(create(7), 0);
	for (uint32_t i = 0; i < DOMID_FIRST_RESERVED + 50u; i++) {
		domid_t id = domain_new_id();

		cr_assert_neq(id, 0);
		cr_assert_neq(id % MAX_DOMAINS, 0);
		cr_assert_neq(id % MAX_DOMAINS, 7);
		cr_assert_lt(id, DOMID_FIRST_RESERVED);
		cr_assert(id > last || last > DOMID_FIRST_RESERVED - 20);
		seen += id < last;
		last = id;
	}
	cr_assert_eq(seen, 1);
}

/* The places that the last ids before the end would have are free only. */
Test(domctl, an_id_is_found_around_the_end)
{
	for (uint32_t i = 1; i <= DOMID_FIRST_RESERVED % MAX_DOMAINS; i++) {
		op = hv_config(1);
		cr_assert_eq(create(0), 0);
	}
	for (uint32_t i = 0; i < 2 * DOMID_FIRST_RESERVED; i++) {
		cr_assert_neq(domain_new_id(), 0);
	}
}

Test(domctl, ids_run_out)
{
	uint32_t i;

	for (i = 1; i < MAX_DOMAINS; i++) {
		op = hv_config(1);
		op.u.createdomain.max_grant_frames = 1;
		cr_assert_eq(create(0), 0, "%u", i);
	}
	cr_assert_eq(create(0), -ENOMEM);
	cr_assert_eq(hv_destroy(250), 0);
	op = hv_config(1);
	cr_assert_eq(create(0), 0);
	cr_assert_eq(op.domain % MAX_DOMAINS, 250);
	cr_assert_gt(op.domain, 250);
}

#define FIELD(field, value) op.u.createdomain.field = (value)

static void refused(int want)
{
	cr_assert_eq(create(0), want);
	cr_assert_null(domain_next_get(1));
	op = hv_config(1);
}

Test(domctl, created_only_if_it_can_be)
{
	uint32_t bit;

	op = hv_config(1);
	FIELD(max_vcpus, 0);
	refused(-EINVAL);
	FIELD(max_vcpus, MAX_VCPUS_PER_DOMAIN + 1);
	refused(-EINVAL);
	FIELD(max_vcpus, UINT32_MAX);
	refused(-EINVAL);
	for (bit = 0; bit < 32; bit++) {
		op.u.createdomain.flags ^= BIT32(bit);
		refused(-EINVAL);
	}
	FIELD(iommu_opts, 1);
	refused(-EINVAL);
	FIELD(vmtrace_size, 4096);
	refused(-EINVAL);
	FIELD(grant_opts, 0);
	refused(-EINVAL);
	FIELD(grant_opts, 2);
	refused(-EINVAL);
	FIELD(grant_opts, 0x11);
	refused(-EINVAL);
	FIELD(cpupool_id, 1);
	refused(-ESRCH);
	FIELD(max_grant_frames, 0);
	refused(-EINVAL);
	FIELD(max_grant_frames, 4097);
	refused(-EINVAL);
	FIELD(max_grant_frames, INT32_MAX);
	refused(-EINVAL);
	FIELD(max_vcpus, MAX_VCPUS_PER_DOMAIN);
	FIELD(max_grant_frames, 4096);
	FIELD(max_maptrack_frames, INT32_MAX);
	FIELD(max_evtchn_port, UINT32_MAX);
	cr_assert_eq(create(0), 0);
}

static int64_t create_and_vcpus(void)
{
	int64_t rc;

	op = hv_config(2);
	rc = create(0);
	if (rc == 0) {
		domid_t id = op.domain;

		op.u.max_vcpus.max = 2;
		rc = do_op(XEN_DOMCTL_max_vcpus, id);
		hv_fail_at = 0;
		cr_assert_eq(hv_destroy(id), 0);
	}
	return rc;
}

Test(domctl, each_failing_allocation_is_undone)
{
	uint64_t frames;
	long live;
	unsigned int n;
	int64_t rc = -ENOMEM;

	cr_assert_eq(create_and_vcpus(), 0); /* slabs are there from now on */
	frames = page_alloc_nr_free();
	live = hv_live;
	for (n = 1; rc != 0; n++) {
		cr_assert_lt(n, 100);
		hv_steps = 0;
		hv_fail_at = n;
		rc = create_and_vcpus();
		hv_fail_at = 0;
		cr_assert(rc == 0 || rc == -ENOMEM, "step %u: %d", n, (int)rc);
		cr_assert_eq(hv_live, live, "step %u", n);
		/* An empty slab more may have gone than at the start. */
		cr_assert_geq(page_alloc_nr_free(), frames, "step %u", n);
		cr_assert_null(domain_next_get(1));
	}
	cr_assert_gt(n, 12);
}

/* ---- max_vcpus ----------------------------------------------------------- */

Test(domctl, max_vcpus)
{
	struct domain *d;

	op = hv_config(20);
	cr_assert_eq(create(0), 0);
	d = domain_lookup_get(op.domain);
	domain_put(d);
	op.u.max_vcpus.max = 19;
	cr_assert_eq(do_op(XEN_DOMCTL_max_vcpus, d->id), -EINVAL);
	op.u.max_vcpus.max = 21;
	cr_assert_eq(do_op(XEN_DOMCTL_max_vcpus, d->id), -EINVAL);
	op.u.max_vcpus.max = 20;
	cr_assert_eq(do_op(XEN_DOMCTL_max_vcpus, d->id), 0);
	cr_assert_eq(hv_restarts, 2); /* 8 a step */
	cr_assert_eq(d->nr_vcpus, 20);
	for (uint32_t i = 0; i < 20; i++) {
		cr_assert_eq(d->vcpu[i]->pause_count, 1);
		cr_assert_eq(d->vcpu[i]->state, VCPU_OFFLINE);
	}
	cr_assert_eq(do_op(XEN_DOMCTL_max_vcpus, d->id), 0); /* there */
	cr_assert_eq(hv_unpause(d->id), 0);
	cr_assert_eq(do_op(XEN_DOMCTL_max_vcpus, d->id), -EINVAL);
}

/* ---- pausing ------------------------------------------------------------- */

Test(domctl, pauses_are_counted)
{
	struct domain *d = hv_build(2, 4);
	struct vcpu *v = d->vcpu[0];

	cr_assert_eq(v->state, VCPU_RUNNABLE);
	cr_assert(!v->queued);
	cr_assert_eq(hv_pause(d->id), 0);
	cr_assert_eq(d->controller_pause, 2);
	cr_assert_eq(v->pause_count, 1);
	cr_assert_eq(hv_unpause(d->id), 0);
	cr_assert_eq(d->state, DOM_BUILDING);
	cr_assert_eq(hv_unpause(d->id), 0);
	cr_assert_eq(d->state, DOM_RUNNING);
	cr_assert_eq(v->pause_count, 0);
	cr_assert_eq(hv_unpause(d->id), -EINVAL);
	cr_assert_eq(v->pause_count, 0);
	d->controller_pause = UINT32_MAX;
	cr_assert_eq(hv_pause(d->id), -EOPNOTSUPP);
	d->controller_pause = 0;
}

/* The guest has gone to a CPU. */
static struct vcpu *run_guest(struct domain *d)
{
	cr_assert_eq(hv_unpause(d->id), 0);
	for (uint16_t cpu = 1; cpu < 4; cpu++) {
		hv_run_cpu(cpu);
	}
	cr_assert_neq(d->vcpu[0]->loaded_on, CPU_NONE);
	return d->vcpu[0];
}

Test(domctl, pause_answers_when_nothing_runs)
{
	struct domain *d = hv_build(1, 4);
	struct vcpu *v = run_guest(d);

	cr_assert_eq(v->state, VCPU_RUNNING);
	cr_assert_eq(hv_pause(d->id), 0);
	cr_assert_eq(hv_restarts, 1);
	cr_assert_eq(v->loaded_on, CPU_NONE);
	cr_assert_eq(d->controller_pause, 1);
	cr_assert_eq(v->pause_count, 1);
}

/* Whatever the vCPU did in between, the pause counts once. */
Test(domctl, pause_that_lost_its_position)
{
	struct domain *d = hv_build(1, 4);
	struct vcpu *v = run_guest(d);

	for (int i = 0; i < 5; i++) {
		cr_assert_eq(raw(hv_v0, XEN_DOMCTL_pausedomain,
				 XEN_DOMCTL_INTERFACE_VERSION, d->id),
			     HC_RESTARTED);
		hv_v0->cont.key = 0;
	}
	cr_assert_eq(v->pause_count, 1);
	cr_assert_eq(hv_unpause(d->id), -EINVAL); /* it does not count yet */
	cr_assert_eq(hv_pause(d->id), 0);
	cr_assert_eq(d->controller_pause, 1);
	cr_assert_eq(v->pause_count, 1);
	cr_assert_eq(hv_unpause(d->id), 0);
	cr_assert_eq(v->pause_count, 0);
}

Test(domctl, resume)
{
	struct domain *d = hv_build(1, 4);
	struct vcpu *v = run_guest(d);

	cr_assert_eq(hv_simple(XEN_DOMCTL_resumedomain, d->id), -EINVAL);
	domain_shutdown(d, SHUTDOWN_suspend);
	hv_run_others();
	cr_assert_eq(v->loaded_on, CPU_NONE);
	cr_assert_eq(hv_simple(XEN_DOMCTL_resumedomain, d->id), 0);
	cr_assert_eq(v->pause_count, 0);
	cr_assert_eq(d->state, DOM_RUNNING);
	cr_assert_eq(hv_simple(XEN_DOMCTL_resumedomain, d->id), -EINVAL);
}

/* ---- questions ----------------------------------------------------------- */

Test(domctl, getdomaininfo)
{
	struct xen_domctl_getdomaininfo *i = &op.u.getdomaininfo;
	struct domain *d = hv_build(2, 6);

	memset(&op.u, 0xff, sizeof(op.u));
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 1), 0);
	cr_assert_eq(op.domain, 1);
	cr_assert_eq(i->domain, 1);
	cr_assert_eq(i->flags, XEN_DOMINF_hvm_guest | XEN_DOMINF_hap |
				       XEN_DOMINF_paused |
				       0xffu << XEN_DOMINF_shutdownshift);
	cr_assert_eq(i->tot_pages, 6);
	cr_assert_eq(i->max_pages, 6);
	cr_assert_eq(i->outstanding_pages, 0);
	cr_assert_eq(i->nr_online_vcpus, 1);
	cr_assert_eq(i->max_vcpu_id, 1);
	cr_assert_eq(i->gpaddr_bits, 40);
	cr_assert_eq(i->handle[2], 3);
	cr_assert_eq(i->pad2[0] | i->pad2[1] | i->pad2[2], 0);
	run_guest(d);
	fake_time_ns += 1000;
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 1), 0);
	cr_assert(i->flags & XEN_DOMINF_running);
	cr_assert(!(i->flags & (XEN_DOMINF_paused | XEN_DOMINF_blocked)));
	cr_assert_eq(i->cpu_time, 1000);
	domain_shutdown(d, SHUTDOWN_reboot);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 1), 0);
	cr_assert(i->flags & XEN_DOMINF_shutdown);
	cr_assert_eq(i->flags >> XEN_DOMINF_shutdownshift & 0xff,
		     SHUTDOWN_reboot);
}

/* 4.17: of the domain with this id, or else the next one. */
Test(domctl, getdomaininfo_goes_on_from_an_id)
{
	op = hv_config(1);
	cr_assert_eq(create(9), 0);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 0), 0);
	cr_assert_eq(op.domain, 0);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 1), 0);
	cr_assert_eq(op.domain, 9);
	cr_assert_eq(op.u.getdomaininfo.domain, 9);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 10), -ESRCH);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo,
			   DOMID_FIRST_RESERVED - 1), -ESRCH);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, DOMID_FIRST_RESERVED),
		     -EINVAL);
	cr_assert_eq(do_op(XEN_DOMCTL_getdomaininfo, 0xffff), -EINVAL);
}

Test(domctl, getvcpuinfo)
{
	struct xen_domctl_getvcpuinfo *i = &op.u.getvcpuinfo;
	struct domain *d;

	op = hv_config(2);
	cr_assert_eq(create(4), 0);
	i->vcpu = 1;
	cr_assert_eq(do_op(XEN_DOMCTL_getvcpuinfo, 4), -ESRCH); /* not made */
	i->vcpu = 2;
	cr_assert_eq(do_op(XEN_DOMCTL_getvcpuinfo, 4), -EINVAL);
	i->vcpu = UINT32_MAX;
	cr_assert_eq(do_op(XEN_DOMCTL_getvcpuinfo, 4), -EINVAL);
	d = hv_build(2, 4);
	i->vcpu = 1;
	cr_assert_eq(do_op(XEN_DOMCTL_getvcpuinfo, d->id), 0);
	cr_assert_eq(i->online, 0);
	run_guest(d);
	i->vcpu = 0;
	cr_assert_eq(do_op(XEN_DOMCTL_getvcpuinfo, d->id), 0);
	cr_assert_eq(i->online, 1);
	cr_assert_eq(i->running, 1);
	cr_assert_eq(i->blocked, 0);
	cr_assert_eq(i->cpu, d->vcpu[0]->cpu);
}

Test(domctl, sethandle)
{
	struct domain *d = hv_build(1, 1);

	memset(op.u.setdomainhandle.handle, 0x3c, 16);
	cr_assert_eq(do_op(XEN_DOMCTL_setdomainhandle, d->id), 0);
	cr_assert_eq(d->handle[15], 0x3c);
}
