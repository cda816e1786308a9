/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c core/console_serial.c
// LINK: core/tracebuf.c core/sched_trace.c core/iommu_inspect.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: release/audit_auto.c core/platdev.c core/domctl_device.c
// LINK: core/cpupool.c core/hotplug.c core/sched_cap.c core/watchdog.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c core/sched_credit2_params.c
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
// LINK: core/guest_win.c core/lock.c core/mmio.c tests/fakes/fake_no_pci.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define BUF_END ((HV_GFN + 16) << PAGE_SHIFT)

static struct xen_sysctl op;

static void setup(void)
{
	hv_start(64, 4);
	memset(&op, 0, sizeof(op));
	console_set_levels(LOG_INFO, LOG_WARN);
}

static void teardown(void)
{
	fake_guest_hostile(false);
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_v0->cont.key, 0);
}

TestSuite(sysctl, .init = setup, .fini = teardown);

static int64_t raw(struct vcpu *v, uint32_t cmd, uint32_t version)
{
	struct xen_sysctl x = { .cmd = cmd, .interface_version = version };

	guest_put(v->domain, HV_ARG, &x, sizeof(x));
	return hv_call_once(v, __HYPERVISOR_sysctl, HV_ARG, 0);
}

Test(sysctl, version_rights_and_numbers)
{
	static const uint8_t none[] = { 0, 5, 10, 12, 13, 14, 15, 20,
					21, 22, 23, 25, 26, 27, 29, 30, 99 };
	const uint32_t version = XEN_SYSCTL_INTERFACE_VERSION;
	struct domain *d = hv_build(1, 4);

	cr_assert_eq(raw(hv_v0, XEN_SYSCTL_sched_id, version + 1), -EACCES);
	cr_assert_eq(raw(hv_v0, XEN_SYSCTL_sched_id, version), 0);
	cr_assert_eq(raw(d->vcpu[0], XEN_SYSCTL_sched_id, version), -EPERM);
	for (uint32_t i = 0; i < sizeof(none); i++) {
		cr_assert_eq(raw(hv_v0, none[i], version), -ENOSYS);
		cr_assert_eq(raw(d->vcpu[0], none[i], version), -EPERM);
	}
	cr_assert_eq(raw(hv_v0, UINT32_MAX, version), -ENOSYS);
}

Test(sysctl, argument_out_of_reach_and_read_once)
{
	const uint64_t at = HV_ARG + PAGE_SIZE - 50;
	struct xen_sysctl x = {
		.cmd = XEN_SYSCTL_physinfo,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
	};

	cr_assert_eq(hv_call(__HYPERVISOR_sysctl, HV_BAD, 0, 0), -EFAULT);
	cr_assert_eq(hv_call(__HYPERVISOR_sysctl, BUF_END - 8, 0, 0),
		     -EFAULT);
	guest_put(hv_dom0, at, &x, sizeof(x));
	fake_guest_hostile(true);
	cr_assert_eq(hv_call(__HYPERVISOR_sysctl, at, 0, 0), 0);
	for (uint32_t i = 0; i < sizeof(x); i++) {
		cr_assert_eq(guest_reads(hv_dom0, at + i), 1);
	}
	guest_get(hv_dom0, at, &x, sizeof(x));
	cr_assert_eq(x.u.physinfo.nr_cpus, 4);
}

/* ---- the machine --------------------------------------------------------- */

Test(sysctl, physinfo)
{
	struct xen_sysctl_physinfo *p = &op.u.physinfo;

	memset(&op.u, 0xff, sizeof(op.u));
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_physinfo, &op), 0);
	cr_assert_eq(p->threads_per_core, 1);
	cr_assert_eq(p->cores_per_socket, 1);
	cr_assert_eq(p->nr_cpus, 4);
	cr_assert_eq(p->max_cpu_id, 3);
	cr_assert_eq(p->nr_nodes, 1);
	cr_assert_eq(p->max_node_id, 0);
	cr_assert_eq(p->cpu_khz, 1000000);
	cr_assert_eq(p->total_pages, 64 * 256);
	cr_assert_eq(p->free_pages, page_alloc_nr_free());
	cr_assert_eq(p->outstanding_pages, 0);
	cr_assert_eq(p->max_mfn, 0x40000 + 64 * 256 - 1);
	cr_assert_eq(p->hw_cap[7], 0);
	cr_assert(p->capabilities & XEN_SYSCTL_PHYSCAP_hap);
	cr_assert(!(p->capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2));
}

static void fill(uint8_t c, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		guest_put(hv_dom0, HV_BUF + i, &c, 1);
	}
}

/* The buffer is @zeros of zeros, then as it was. */
static void check_filled(uint32_t zeros, uint32_t len)
{
	uint8_t c;

	for (uint32_t i = 0; i < len; i++) {
		guest_get(hv_dom0, HV_BUF + i, &c, 1);
		cr_assert_eq(c, i < zeros ? 0 : 0xee, "%u", i);
	}
}

Test(sysctl, cputopoinfo)
{
	struct xen_sysctl_cputopoinfo *t = &op.u.cputopoinfo;

	t->num_cpus = 77;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_cputopoinfo, &op), 0); /* size? */
	cr_assert_eq(t->num_cpus, 4);
	for (uint32_t nr = 0; nr < 7; nr++) {
		fill(0xee, 80);
		t->num_cpus = nr;
		t->cputopo.q = HV_BUF;
		cr_assert_eq(hv_sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
		cr_assert_eq(t->num_cpus, 4);
		check_filled((nr < 4 ? nr : 4) * 12, 80);
	}
	pcpus[2]->online = false; /* its three words */
	t->num_cpus = 3;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
	cr_assert_eq(guest_get_u64(hv_dom0, HV_BUF + 16), 0);
	cr_assert_eq(guest_get_u64(hv_dom0, HV_BUF + 24), UINT64_MAX);
	pcpus[2]->online = true;
	t->cputopo.q = BUF_END - 12;
	t->num_cpus = 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
	t->num_cpus = 2;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_cputopoinfo, &op), -EFAULT);
	t->cputopo.q = UINT64_MAX - 3;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_cputopoinfo, &op), -EFAULT);
}

Test(sysctl, numainfo)
{
	struct xen_sysctl_numainfo *n = &op.u.numainfo;
	xen_sysctl_meminfo_t m;

	cr_assert_eq(hv_sysctl(XEN_SYSCTL_numainfo, &op), 0);
	cr_assert_eq(n->num_nodes, 1);
	n->num_nodes = 5;
	n->meminfo.q = HV_BUF;
	n->distance.q = HV_BUF + 64;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_numainfo, &op), 0);
	cr_assert_eq(n->num_nodes, 1);
	guest_get(hv_dom0, HV_BUF, &m, sizeof(m));
	cr_assert_eq(m.memsize, 64 << 20);
	cr_assert_eq(m.memfree, page_alloc_nr_free() << PAGE_SHIFT);
	cr_assert_eq(guest_get_u64(hv_dom0, HV_BUF + 64) & 0xffffffff, 20);
	n->meminfo.q = HV_BAD;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_numainfo, &op), -EFAULT);
	n->meminfo.q = 0;
	n->distance.q = HV_BAD;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_numainfo, &op), -EFAULT);
	n->num_nodes = 0;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_numainfo, &op), 0);
}

Test(sysctl, availheap_and_getcpuinfo)
{
	struct xen_sysctl_getcpuinfo *g = &op.u.getcpuinfo;

	op.u.availheap.node = -1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_availheap, &op), 0);
	cr_assert_eq(op.u.availheap.avail_bytes,
		     page_alloc_nr_free() << PAGE_SHIFT);
	op.u.availheap.node = 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_availheap, &op), 0);
	cr_assert_eq(op.u.availheap.avail_bytes, 0);
	pcpus[3]->idle_ns = 99;
	g->max_cpus = 9;
	g->info.q = HV_BUF;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_getcpuinfo, &op), 0);
	cr_assert_eq(g->nr_cpus, 4);
	cr_assert_eq(guest_get_u64(hv_dom0, HV_BUF + 3 * 8), 99);
	g->max_cpus = 0;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_getcpuinfo, &op), 0);
	cr_assert_eq(g->nr_cpus, 0);
	g->max_cpus = 1;
	g->info.q = HV_BAD;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_getcpuinfo, &op), -EFAULT);
}

/* ---- the log ------------------------------------------------------------- */

static int64_t read_log(uint32_t count, bool incremental, uint32_t index,
			bool clear)
{
	struct xen_sysctl_readconsole *r = &op.u.readconsole;

	r->buffer.q = HV_BUF;
	r->count = count;
	r->incremental = incremental;
	r->index = index;
	r->clear = clear;
	return hv_sysctl(XEN_SYSCTL_readconsole, &op);
}

Test(sysctl, readconsole)
{
	struct xen_sysctl_readconsole *r = &op.u.readconsole;
	uint32_t all, index;
	char text[16] = "";

	for (int i = 0; i < 100; i++) {
		log_info("a line of text %03d\n", i);
	}
	cr_assert_eq(read_log(0x8000, false, 0, false), 0);
	all = r->count;
	cr_assert_geq(all, 100 * 24);
	guest_get(hv_dom0, HV_BUF + all - 9, text, 9);
	cr_assert_str_eq(text, "text 099\n");
	index = r->index;
	cr_assert_eq(read_log(0x8000, true, index, false), 0);
	cr_assert_eq(r->count, 0);
	cr_assert_eq(r->index, index);
	log_info("more\n");
	cr_assert_eq(read_log(4, true, index, false), 0);
	cr_assert_eq(r->count, 4);
	cr_assert_eq(r->index, index + 4);
	cr_assert_eq(read_log(0, true, index, false), 0);
	cr_assert_eq(r->count, 0);
	/* An index that never was: from the start. */
	cr_assert_eq(read_log(0x8000, true, index + 5000, false), 0);
	cr_assert_eq(r->count, all + 10);
	cr_assert_eq(read_log(5, false, 0, true), 0);
	cr_assert_eq(r->count, 5);
	cr_assert_eq(read_log(0x8000, false, 0, false), 0);
	cr_assert_eq(r->count, 0);
}

Test(sysctl, readconsole_out_of_reach)
{
	log_info("a line\n");
	op.u.readconsole.buffer.q = HV_BAD;
	op.u.readconsole.count = 100;
	op.u.readconsole.clear = 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_readconsole, &op), -EFAULT);
	cr_assert_eq(read_log(UINT32_MAX, false, 0, false), 0);
	cr_assert_geq(op.u.readconsole.count, 7); /* nothing was cleared */
}

Test(sysctl, debug_keys)
{
	struct xen_sysctl_debug_keys *k = &op.u.debug_keys;
	char text[16] = "";

	guest_put(hv_dom0, HV_BUF, "qr", 2);
	k->keys.q = HV_BUF;
	k->nr_keys = 2;
	cr_assert_eq(read_log(0x8000, false, 0, true), 0);
	memset(&op.u, 0, sizeof(op.u));
	guest_put(hv_dom0, HV_BUF, "qr", 2);
	k->keys.q = HV_BUF;
	k->nr_keys = 2;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_debug_keys, &op), 0);
	cr_assert_eq(read_log(15, false, 0, false), 0);
	guest_get(hv_dom0, HV_BUF, text, 15);
	cr_assert_eq(strncmp(text, "(BH) key q\n(BH)", 15), 0);
	k->nr_keys = 0;
	k->keys.q = HV_BAD;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_debug_keys, &op), 0);
	k->nr_keys = 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_debug_keys, &op), -EFAULT);
}

/* ---- domains ------------------------------------------------------------- */

static int64_t list(domid_t first, uint32_t max, uint64_t to)
{
	struct xen_sysctl_getdomaininfolist *l = &op.u.getdomaininfolist;

	l->first_domain = first;
	l->max_domains = max;
	l->buffer.q = to;
	l->num_domains = 99;
	return hv_sysctl(XEN_SYSCTL_getdomaininfolist, &op);
}

static domid_t listed(uint32_t i)
{
	struct xen_domctl_getdomaininfo info;

	guest_get(hv_dom0, HV_BUF + i * sizeof(info), &info, sizeof(info));
	return info.domain;
}

static void create(domid_t id)
{
	struct xen_domctl x = hv_config(1);

	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, id, &x), 0);
}

Test(sysctl, domains_are_listed_by_id)
{
	const uint32_t *n = &op.u.getdomaininfolist.num_domains;

	create(300); /* in the table before 5 and 255 */
	create(5);
	create(255);
	cr_assert_eq(list(0, 10, HV_BUF), 0);
	cr_assert_eq(*n, 4);
	cr_assert_eq(listed(0), 0);
	cr_assert_eq(listed(1), 5);
	cr_assert_eq(listed(2), 255);
	cr_assert_eq(listed(3), 300);
	cr_assert_eq(list(6, 1, HV_BUF), 0);
	cr_assert_eq(*n, 1);
	cr_assert_eq(listed(0), 255);
	cr_assert_eq(list(301, 10, HV_BUF), 0);
	cr_assert_eq(*n, 0);
	cr_assert_eq(list(0xffff, 10, HV_BUF), 0);
	cr_assert_eq(*n, 0);
	cr_assert_eq(list(0, 0, HV_BAD), 0);
	cr_assert_eq(*n, 0);
	cr_assert_eq(list(0, 1, HV_BAD), -EFAULT);
	cr_assert_eq(list(0, 2, BUF_END - 120), -EFAULT);
}

Test(sysctl, more_domains_than_one_step)
{
	const uint32_t *n = &op.u.getdomaininfolist.num_domains;

	for (domid_t id = 1; id < 40; id++) {
		create(id);
	}
	cr_assert_eq(list(0, 1000, HV_BUF), 0);
	cr_assert_eq(*n, 40);
	cr_assert_eq(hv_restarts, 2);
	for (domid_t i = 0; i < 40; i++) {
		cr_assert_eq(listed(i), i);
	}
	cr_assert_eq(list(3, 32, HV_BUF), 0);
	cr_assert_eq(*n, 32);
	cr_assert_eq(listed(31), 34);
	cr_assert_eq(list(3, 16, HV_BUF), 0);
	cr_assert_eq(hv_restarts, 0);
}

static void one_goes(void)
{
	static bool once;
	struct domain *d = domain_lookup_get(17);

	if (!once) { /* the next one to be listed, on another CPU */
		once = true;
		domain_put(d);
		cr_assert_eq(d->refs, 1);
		domain_put(d);
		return;
	}
	cr_assert_null(d);
}

Test(sysctl, a_domain_goes_while_the_list_is_made)
{
	for (domid_t id = 1; id < 40; id++) {
		create(id);
	}
	hv_between = one_goes;
	cr_assert_eq(list(1, 1000, HV_BUF), 0);
	cr_assert_eq(op.u.getdomaininfolist.num_domains, 38);
	cr_assert_eq(listed(15), 16);
	cr_assert_eq(listed(16), 18);
}

/* A position that belongs to nobody, as far out as can be. */
Test(sysctl, list_from_a_hostile_position)
{
	for (uint32_t bit = 0; bit < 64; bit++) {
		hc_cont_set_any(hv_v0, UINT64_C(1) << bit);
		(void)list(0, 3, HV_BUF);
		hc_cont_set_any(hv_v0, UINT64_MAX << bit);
		(void)list(0, 3, HV_BUF);
	}
	cr_assert_eq(list(0, 3, HV_BUF), 0);
	cr_assert_eq(op.u.getdomaininfolist.num_domains, 1);
}

/* ---- scheduling and pools ------------------------------------------------ */

Test(sysctl, scheduler_op)
{
	struct xen_sysctl_scheduler_op *s = &op.u.scheduler_op;
	uint32_t *us = &s->u.sched_credit2.ratelimit_us;

	cr_assert_eq(hv_sysctl(XEN_SYSCTL_sched_id, &op), 0);
	cr_assert_eq(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT2);
	memset(&op.u, 0, sizeof(op.u));
	s->sched_id = XEN_SCHEDULER_CREDIT2;
	s->cmd = XEN_SYSCTL_SCHEDOP_getinfo;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), 0);
	cr_assert_eq(*us, 1000);
	s->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	*us = 5000;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), 0);
	cr_assert_eq(sched_ratelimit_us(hv_dom0->pool), 5000);
	*us = XEN_SYSCTL_SCHED_RATELIMIT_MAX + 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	*us = XEN_SYSCTL_SCHED_RATELIMIT_MIN - 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	*us = 0;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), 0);
	s->cmd = 2;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	s->cmd = XEN_SYSCTL_SCHEDOP_getinfo;
	s->cpupool_id = 1;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), -ESRCH);
	s->cpupool_id = 0;
	s->sched_id = XEN_SCHEDULER_CREDIT;
	cr_assert_eq(hv_sysctl(XEN_SYSCTL_scheduler_op, &op), -EINVAL);
}

static int64_t plan_call(uint32_t cmd, uint64_t at)
{
	op.u.scheduler_op = (struct xen_sysctl_scheduler_op){
		.sched_id = XEN_SCHEDULER_ARINC653,
		.cmd = cmd,
		.u.sched_arinc653.schedule.q = at,
	};
	return hv_sysctl(XEN_SYSCTL_scheduler_op, &op);
}

static void setup_plan(void)
{
	hv_policy = "arinc653";
	setup();
}

TestSuite(sysctl_plan, .init = setup_plan, .fini = teardown);

/* As xc_sched_arinc653_schedule_set() and _get() call it. */
Test(sysctl_plan, set_and_get)
{
	struct xen_sysctl_arinc653_schedule s = { .num_sched_entries = 0 };
	const uint64_t beyond = BUF_END - sizeof(s) + 1;

	cr_assert_eq(plan_call(XEN_SYSCTL_SCHEDOP_getinfo, HV_BUF), 0);
	guest_get(hv_dom0, HV_BUF, &s, sizeof(s));
	cr_assert_eq(s.num_sched_entries, 2);
	cr_assert_eq(s.major_frame, 10000000);
	cr_assert_eq(s.sched_entries[1].vcpu_id, 1 << 16 | 1);
	s.num_sched_entries = 1;
	s.major_frame = 3000000;
	guest_put(hv_dom0, HV_BUF, &s, sizeof(s));
	cr_assert_eq(plan_call(XEN_SYSCTL_SCHEDOP_putinfo, HV_BUF), -EINVAL);
	s.sched_entries[0].runtime = 1000000;
	guest_put(hv_dom0, HV_BUF, &s, sizeof(s));
	cr_assert_eq(plan_call(XEN_SYSCTL_SCHEDOP_putinfo, HV_BUF), 0);
	guest_put(hv_dom0, HV_BUF, &op, sizeof(op));
	cr_assert_eq(plan_call(XEN_SYSCTL_SCHEDOP_getinfo, HV_BUF), 0);
	guest_get(hv_dom0, HV_BUF, &s, sizeof(s));
	cr_assert_eq(s.num_sched_entries, 1);
	cr_assert_eq(s.major_frame, 3000000);
	cr_assert_eq(s.sched_entries[0].runtime, 1000000);
	cr_assert_eq(plan_call(XEN_SYSCTL_SCHEDOP_putinfo, beyond), -EFAULT);
	cr_assert_eq(plan_call(XEN_SYSCTL_SCHEDOP_getinfo, beyond), -EFAULT);
	cr_assert_eq(plan_call(2, HV_BUF), -EINVAL);
}

static int64_t pool(uint32_t cmd, uint32_t id)
{
	struct xen_sysctl_cpupool_op *p = &op.u.cpupool_op;

	p->op = cmd;
	p->cpupool_id = id;
	p->cpumap.bitmap.q = HV_BUF;
	p->cpumap.nr_bits = 64;
	return hv_sysctl(XEN_SYSCTL_cpupool_op, &op);
}

/* The CPUs that the answer lists. */
static uint64_t listed_cpus(void)
{
	return guest_get_u64(hv_dom0, HV_BUF);
}

static int64_t pool_cpu(uint32_t cmd, uint32_t id, uint32_t cpu)
{
	op.u.cpupool_op.cpu = cpu;
	return pool(cmd, id);
}

static int64_t pool_domain(uint32_t id, domid_t domid)
{
	op.u.cpupool_op.domid = domid;
	return pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, id);
}

Test(sysctl, cpupool_op)
{
	struct xen_sysctl_cpupool_op *p = &op.u.cpupool_op;

	create(4);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 0), 0);
	cr_assert_eq(p->sched_id, XEN_SCHEDULER_CREDIT2);
	cr_assert_eq(p->n_dom, 2);
	cr_assert_eq(listed_cpus(), 0xf);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 1), -ENOENT);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0), 0);
	cr_assert_eq(listed_cpus(), 0);
	cr_assert_eq(pool_domain(0, 4), 0);
	cr_assert_eq(pool_domain(1, 4), -ENOENT);
	cr_assert_eq(pool_domain(0, 5), -ESRCH);
	cr_assert_eq(pool_domain(0, 0), -EPERM); /* one's own */
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0), -EBUSY);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 1), -ENOENT);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 1), -ENOENT);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 0), -EINVAL);
	cr_assert_eq(pool(77, 0), -ENOSYS);
	p->sched_id = 99;
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, 1), -ENOENT);
}

/* A pool is made, gets a CPU and a domain, and goes. */
Test(sysctl, a_pool_from_its_birth_to_its_end)
{
	struct xen_sysctl_cpupool_op *p = &op.u.cpupool_op;
	struct domain *d = hv_build(1, 4);

	p->sched_id = XEN_SCHEDULER_NULL;
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_CREATE,
			  XEN_SYSCTL_CPUPOOL_PAR_ANY), 0);
	cr_assert_eq(p->cpupool_id, 1);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, 1), -EEXIST);
	cr_assert_eq(pool_domain(1, d->id), -ENOENT); /* it has no CPU */
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 1, 3), -ENODEV);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, 3),
		     -EADDRNOTAVAIL);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 3), 0);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0), 0);
	cr_assert_eq(listed_cpus(), 8);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 1, 3), 0);
	cr_assert_eq(pool_domain(1, d->id), 0);
	cr_assert_eq(d->pool_id, 1);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 1), 0);
	cr_assert_eq(p->sched_id, XEN_SCHEDULER_NULL);
	cr_assert_eq(p->n_dom, 1);
	cr_assert_eq(listed_cpus(), 8);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, 3), -EBUSY);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 1), -EBUSY);
	cr_assert_eq(pool_domain(0, d->id), 0);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, 3), 0);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 1), 0);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 1), -ENOENT);
	cr_assert_eq(pool_cpu(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0,
			      XEN_SYSCTL_CPUPOOL_PAR_ANY), 0);
	cr_assert_eq(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 0), 0);
	cr_assert_eq(listed_cpus(), 0xf);
}
