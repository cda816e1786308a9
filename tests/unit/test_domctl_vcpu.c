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

#include <hv/platform.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/domctl_priv.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define HARD HV_BUF
#define SOFT (HV_BUF + 0x800)
#define LAST_BYTE (((HV_GFN + 16) << PAGE_SHIFT) - 1)

static struct xen_domctl op;
static struct domain *d;

static void setup(void)
{
	hv_start(64, 4);
	memset(&op, 0, sizeof(op));
	d = hv_build(2, 8);
}

static void teardown(void)
{
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(d->refs, 1);
}

TestSuite(domctl_vcpu, .init = setup, .fini = teardown);

/* ---- bitmaps ------------------------------------------------------------- */

static uint64_t get(uint32_t nr_bits, uint64_t at)
{
	const struct xenctl_bitmap map = { .bitmap.q = at, .nr_bits = nr_bits };
	uint64_t bits = 0x77;

	cr_assert_eq(control_bitmap_get(hv_v0, &map, &bits), 0);
	return bits;
}

Test(domctl_vcpu, bitmaps_of_odd_lengths_in)
{
	const uint64_t ones[3] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };

	guest_put(hv_dom0, HARD, ones, sizeof(ones));
	cr_assert_eq(get(0, HARD), 0);
	cr_assert_eq(get(0, HV_BAD), 0);
	cr_assert_eq(get(1, HARD), 1);
	cr_assert_eq(get(3, HARD), 7);
	cr_assert_eq(get(8, HARD), 0xff);
	cr_assert_eq(get(9, HARD), 0x1ff);
	cr_assert_eq(get(63, HARD), INT64_MAX);
	cr_assert_eq(get(64, HARD), UINT64_MAX);
	cr_assert_eq(get(65, HARD), UINT64_MAX);
	cr_assert_eq(get(UINT32_MAX, HARD), UINT64_MAX);
	guest_put(hv_dom0, LAST_BYTE, ones, 1);
	cr_assert_eq(get(7, LAST_BYTE), 0x7f); /* not a byte more is read */
}

static void put(uint32_t nr_bits, uint64_t at, uint64_t bits)
{
	const struct xenctl_bitmap map = { .bitmap.q = at, .nr_bits = nr_bits };

	cr_assert_eq(control_bitmap_put(hv_v0, &map, bits), 0);
}

Test(domctl_vcpu, bitmaps_of_odd_lengths_out)
{
	uint8_t b[32];

	for (uint32_t nr = 0; nr < 200; nr++) {
		memset(b, 0xee, sizeof(b));
		guest_put(hv_dom0, HARD, b, sizeof(b));
		put(nr, HARD, UINT64_C(0x8000000000000005));
		guest_get(hv_dom0, HARD, b, sizeof(b));
		for (uint32_t i = 0; i < sizeof(b); i++) {
			uint8_t want = i == 0 ? 5 : i == 7 ? 0x80 : 0;

			cr_assert_eq(b[i], i < (nr + 7) / 8 ? want : 0xee);
		}
	}
	put(0, HV_BAD, 1);
	put(8, LAST_BYTE, 1);
}

Test(domctl_vcpu, bitmaps_out_of_reach)
{
	const struct xenctl_bitmap bad = { .bitmap.q = HV_BAD, .nr_bits = 1 };
	const struct xenctl_bitmap end = { .bitmap.q = LAST_BYTE,
					   .nr_bits = 9 };
	const struct xenctl_bitmap huge = { .bitmap.q = UINT64_MAX - 3,
					    .nr_bits = UINT32_MAX };
	uint64_t bits;

	cr_assert_eq(control_bitmap_get(hv_v0, &bad, &bits), -EFAULT);
	cr_assert_eq(control_bitmap_put(hv_v0, &bad, 1), -EFAULT);
	cr_assert_eq(control_bitmap_get(hv_v0, &end, &bits), -EFAULT);
	cr_assert_eq(control_bitmap_put(hv_v0, &end, 1), -EFAULT);
	cr_assert_eq(control_bitmap_get(hv_v0, &huge, &bits), -EFAULT);
	cr_assert_eq(control_bitmap_put(hv_v0, &huge, 1), -EFAULT);
}

/* ---- affinity ------------------------------------------------------------ */

static int64_t affinity(uint32_t cmd, uint32_t vcpu, uint32_t flags,
			uint64_t hard, uint64_t soft)
{
	struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;

	guest_put(hv_dom0, HARD, &hard, 8);
	guest_put(hv_dom0, SOFT, &soft, 8);
	a->vcpu = vcpu;
	a->flags = flags;
	a->cpumap_hard.bitmap.q = HARD;
	a->cpumap_hard.nr_bits = 64;
	a->cpumap_soft.bitmap.q = SOFT;
	a->cpumap_soft.nr_bits = 64;
	return hv_domctl(cmd, d->id, &op);
}
#define SET XEN_DOMCTL_setvcpuaffinity
#define GET XEN_DOMCTL_getvcpuaffinity
#define BOTH (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)

Test(domctl_vcpu, affinity)
{
	struct vcpu *v = d->vcpu[1];

	cr_assert_eq(affinity(GET, 1, BOTH, 0, 0), 0);
	cr_assert_eq(guest_get_u64(hv_dom0, HARD), 0xf);
	cr_assert_eq(guest_get_u64(hv_dom0, SOFT), 0xf);
	cr_assert_eq(affinity(SET, 1, BOTH, 0xf6, 0xc), 0);
	cr_assert_eq(v->hard_affinity, 0xf6);
	cr_assert_eq(v->soft_affinity, 0xc);
	cr_assert_eq(guest_get_u64(hv_dom0, HARD), 6); /* what is in effect */
	cr_assert_eq(guest_get_u64(hv_dom0, SOFT), 4);
	cr_assert_eq(affinity(GET, 1, XEN_VCPUAFFINITY_HARD, 0, 0x99), 0);
	cr_assert_eq(guest_get_u64(hv_dom0, HARD), 6);
	cr_assert_eq(guest_get_u64(hv_dom0, SOFT), 0x99);
	cr_assert_eq(affinity(SET, 1, XEN_VCPUAFFINITY_HARD, 0xf, 0), 0);
	cr_assert_eq(v->hard_affinity, UINT64_MAX); /* all: later ones too */
	cr_assert_eq(v->soft_affinity, 0xc);
	/* To prefer none is allowed, as are CPUs that there are not. */
	cr_assert_eq(affinity(SET, 1, XEN_VCPUAFFINITY_SOFT, 0, 0x30), 0);
	cr_assert_eq(guest_get_u64(hv_dom0, SOFT), 0);
	cr_assert_eq(affinity(SET, 1, XEN_VCPUAFFINITY_SOFT, 0, 0), 0);
	cr_assert_eq(v->soft_affinity, 0);
}

Test(domctl_vcpu, affinity_refused)
{
	struct vcpu *v = d->vcpu[0];

	cr_assert_eq(affinity(SET, 0, BOTH, 0x30, 1), -EINVAL);
	cr_assert_eq(affinity(SET, 0, BOTH, 2, 0x3), 0);
	cr_assert_eq(affinity(SET, 0, BOTH, 0xf, 0xf), 0);
	op.u.vcpuaffinity.cpumap_soft.bitmap.q = HV_BAD;
	guest_put(hv_dom0, HARD, &(uint64_t){2}, 8);
	cr_assert_eq(hv_domctl(SET, d->id, &op), -EFAULT);
	cr_assert_eq(v->hard_affinity, UINT64_MAX); /* both or none */
	cr_assert_eq(v->soft_affinity, UINT64_MAX);
	cr_assert_eq(affinity(SET, 0, 0, 1, 1), -EINVAL);
	cr_assert_eq(affinity(SET, 0, 8, 1, 1), 0); /* nobody's flag */
	cr_assert_eq(affinity(SET, 2, BOTH, 1, 1), -EINVAL);
	cr_assert_eq(affinity(GET, UINT32_MAX, BOTH, 1, 1), -EINVAL);
	op = hv_config(1);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, 50, &op), 0);
	op.u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){ .flags = BOTH };
	cr_assert_eq(hv_domctl(GET, 50, &op), -ESRCH);
	op.u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){
		.flags = XEN_VCPUAFFINITY_HARD,
		.cpumap_hard = { .bitmap.q = HV_BAD, .nr_bits = 8 },
	};
	cr_assert_eq(hv_domctl(GET, d->id, &op), -EFAULT);
	cr_assert_eq(hv_domctl(SET, d->id, &op), -EFAULT);
	cr_assert_eq(v->hard_affinity, UINT64_MAX);
}

Test(domctl_vcpu, force_ends_a_pin)
{
	struct vcpu *v = d->vcpu[0];

	cr_assert_eq(vcpu_pin(v, 1), 0);
	cr_assert_eq(affinity(SET, 0, XEN_VCPUAFFINITY_HARD, 1, 1), -EBUSY);
	cr_assert_eq(affinity(SET, 0, XEN_VCPUAFFINITY_FORCE, 1, 1), 0);
	cr_assert_eq(v->hard_affinity, UINT64_MAX);
	cr_assert_eq(affinity(SET, 0, XEN_VCPUAFFINITY_FORCE, 1, 1), 0);
	cr_assert_eq(vcpu_pin(v, 1), 0);
	cr_assert_eq(affinity(SET, 0,
			      XEN_VCPUAFFINITY_FORCE | XEN_VCPUAFFINITY_HARD,
			      3, 3), 0);
	cr_assert_eq(v->pinned_from, 0);
}

Test(domctl_vcpu, node_affinity)
{
	struct xenctl_bitmap *m = &op.u.nodeaffinity.nodemap;

	put(64, HARD, 1);
	m->bitmap.q = HARD;
	m->nr_bits = 64;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_setnodeaffinity, d->id, &op), 0);
	put(64, HARD, 2);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_setnodeaffinity, d->id, &op),
		     -EINVAL);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_getnodeaffinity, d->id, &op), 0);
	cr_assert_eq(guest_get_u64(hv_dom0, HARD), 1);
	m->bitmap.q = HV_BAD;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_setnodeaffinity, d->id, &op),
		     -EFAULT);
	cr_assert_eq(hv_domctl(XEN_DOMCTL_getnodeaffinity, d->id, &op),
		     -EFAULT);
}

/* ---- registers ----------------------------------------------------------- */

static int64_t context(uint32_t cmd, uint32_t vcpu, uint64_t at)
{
	op.u.vcpucontext.vcpu = vcpu;
	op.u.vcpucontext.ctxt.q = at;
	return hv_domctl(cmd, d->id, &op);
}

Test(domctl_vcpu, context)
{
	struct vcpu_guest_context c = { .flags = VGCF_online };

	c.user_regs.pc64 = 0x40080000;
	guest_put(hv_dom0, HV_BUF + 0xff0, &c, sizeof(c)); /* two pages */
	cr_assert_eq(context(XEN_DOMCTL_setvcpucontext, 1, HV_BUF + 0xff0), 0);
	cr_assert_eq(d->vcpu[1]->arch.regs.pc, 0x40080000);
	cr_assert_eq(d->vcpu[1]->state, VCPU_RUNNABLE);
	cr_assert(!d->vcpu[1]->queued);
	cr_assert_eq(context(XEN_DOMCTL_getvcpucontext, 1, HV_BUF), 0);
	guest_get(hv_dom0, HV_BUF, &c, sizeof(c));
	cr_assert_eq(c.user_regs.pc64, 0x40080000);
	cr_assert_eq(c.flags, VGCF_online);
	c.flags = 0;
	guest_put(hv_dom0, HV_BUF, &c, sizeof(c));
	cr_assert_eq(context(XEN_DOMCTL_setvcpucontext, 1, HV_BUF), 0);
	cr_assert_eq(d->vcpu[1]->state, VCPU_OFFLINE);
	cr_assert_eq(context(XEN_DOMCTL_getvcpucontext, 1, HV_BUF), 0);
	guest_get(hv_dom0, HV_BUF, &c, sizeof(c));
	cr_assert_eq(c.flags, 0);
}

Test(domctl_vcpu, context_refused)
{
	const uint32_t set = XEN_DOMCTL_setvcpucontext;
	const uint32_t read = XEN_DOMCTL_getvcpucontext;

	cr_assert_eq(context(read, 1, HV_BUF), -ENODATA); /* never set */
	cr_assert_eq(context(set, 2, HV_BUF), -EINVAL);
	cr_assert_eq(context(read, 2, HV_BUF), -EINVAL);
	cr_assert_eq(context(set, 0, HV_BAD), -EFAULT);
	cr_assert_eq(context(set, 0, LAST_BYTE), -EFAULT);
	cr_assert_eq(hv_unpause(d->id), 0);
	/* Another vCPU may start this one any moment. */
	cr_assert_eq(context(set, 1, HV_BUF), -EBUSY);
	for (uint16_t cpu = 1; cpu < 4; cpu++) {
		hv_run_cpu(cpu);
	}
	cr_assert_eq(context(set, 0, HV_BUF), -EBUSY);
	cr_assert_eq(d->vcpu[0]->state, VCPU_RUNNING);
	cr_assert_eq(context(read, 0, HV_BAD), -EFAULT);
	cr_assert_eq(context(read, 0, HV_BUF), 0); /* stopped for the look */
	cr_assert_eq(d->vcpu[0]->pause_count, 0);
	cr_assert(d->vcpu[0]->queued);
	cr_assert_eq(hv_pause(d->id), 0);
	cr_assert_eq(context(read, 0, HV_BUF), 0);
	cr_assert_eq(context(set, 0, HV_BUF), 0);
}

/* ---- share --------------------------------------------------------------- */

static int64_t share(uint32_t sched, uint32_t cmd, uint16_t weight,
		     uint16_t cap)
{
	op.u.scheduler_op.sched_id = sched;
	op.u.scheduler_op.cmd = cmd;
	op.u.scheduler_op.u.credit2.weight = weight;
	op.u.scheduler_op.u.credit2.cap = cap;
	return hv_domctl(XEN_DOMCTL_scheduler_op, d->id, &op);
}
#define PUT XEN_DOMCTL_SCHEDOP_putinfo
#define ASK XEN_DOMCTL_SCHEDOP_getinfo

Test(domctl_vcpu, share)
{
	const uint32_t credit2 = XEN_SCHEDULER_CREDIT2;
	struct xen_domctl_sched_credit2 *c = &op.u.scheduler_op.u.credit2;

	cr_assert_eq(share(credit2, ASK, 9, 9), 0);
	cr_assert_eq(c->weight, 256);
	cr_assert_eq(c->cap, 0);
	cr_assert_eq(share(credit2, PUT, 512, 0), 0);
	cr_assert_eq(share(credit2, ASK, 0, 0), 0);
	cr_assert_eq(c->weight, 512);
	cr_assert_eq(share(credit2, PUT, 0, 0), 0); /* as it is */
	cr_assert_eq(share(credit2, PUT, 0, 50), 0);
	cr_assert_eq(share(credit2, ASK, 0, 0), 0);
	cr_assert_eq(c->weight, 512);
	cr_assert_eq(c->cap, 50);
	cr_assert_eq(share(credit2, PUT, 0, 100 * d->nr_vcpus + 1), -EINVAL);
	cr_assert_eq(share(credit2, PUT, 300, 0), 0);
	cr_assert_eq(share(credit2, ASK, 0, 0), 0);
	cr_assert_eq(c->weight, 300);
	cr_assert_eq(c->cap, 0);
	cr_assert_eq(share(credit2, XEN_DOMCTL_SCHEDOP_getvcpuinfo, 0, 0),
		     -EINVAL);
	cr_assert_eq(share(credit2, 77, 0, 0), -EINVAL);
	cr_assert_eq(share(XEN_SCHEDULER_CREDIT, ASK, 0, 0), -EINVAL);
	op = hv_config(1); /* nothing made yet: the default */
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, 50, &op), 0);
	op.u.scheduler_op.sched_id = credit2;
	op.u.scheduler_op.cmd = ASK;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_scheduler_op, 50, &op), 0);
	cr_assert_eq(c->weight, 256);
}

/* ---- rtds: four CPUs, two vCPUs each in dom0 and d --------------------- */

static void setup_rtds(void)
{
	hv_policy = "rtds";
	setup();
}

TestSuite(domctl_rtds, .init = setup_rtds, .fini = teardown);

static int64_t rtds(uint32_t cmd, uint32_t period, uint32_t budget,
		    uint32_t flags)
{
	op.u.scheduler_op = (struct xen_domctl_scheduler_op){
		.sched_id = XEN_SCHEDULER_RTDS,
		.cmd = cmd,
		.u.rtds = { period, budget, flags },
	};
	return hv_domctl(XEN_DOMCTL_scheduler_op, d->id, &op);
}

/* vCPU @id is element @i of the list in dom0's memory. */
static void list_put(uint32_t i, uint32_t id, uint32_t period, uint32_t budget)
{
	const struct xen_domctl_schedparam_vcpu e = {
		.u.rtds = { period, budget, 0 },
		.vcpuid = id,
	};

	guest_put(hv_dom0, HV_BUF + i * sizeof(e), &e, sizeof(e));
}

static int64_t list_call(uint32_t cmd, uint64_t at, uint32_t nr)
{
	op.u.scheduler_op = (struct xen_domctl_scheduler_op){
		.sched_id = XEN_SCHEDULER_RTDS,
		.cmd = cmd,
		.u.v = { .vcpus.q = at, .nr_vcpus = nr },
	};
	return hv_domctl(XEN_DOMCTL_scheduler_op, d->id, &op);
}

static void expect_rtds(uint32_t id, uint32_t period, uint32_t budget,
			uint32_t flags)
{
	struct xen_domctl_schedparam_vcpu e;

	list_put(0, id, 1, 1);
	cr_assert_eq(list_call(XEN_DOMCTL_SCHEDOP_getvcpuinfo, HV_BUF, 1), 0);
	cr_assert_eq(op.u.scheduler_op.u.v.nr_vcpus, 1);
	guest_get(hv_dom0, HV_BUF, &e, sizeof(e));
	cr_assert_eq(e.u.rtds.period, period);
	cr_assert_eq(e.u.rtds.budget, budget);
	cr_assert_eq(e.u.rtds.flags, flags);
	cr_assert_eq(e.vcpuid, id);
}

Test(domctl_rtds, of_a_domain)
{
	cr_assert_eq(rtds(ASK, 0, 0, 0), 0);
	cr_assert_eq(op.u.scheduler_op.u.rtds.period, 10000);
	cr_assert_eq(op.u.scheduler_op.u.rtds.budget, 4000);
	expect_rtds(1, 10000, 4000, XEN_DOMCTL_SCHEDRT_extra);
	cr_assert_eq(rtds(PUT, 20000, 10000, 0), 0);
	expect_rtds(0, 20000, 10000, 0);
	expect_rtds(1, 20000, 10000, 0);
	cr_assert_eq(rtds(ASK, 0, 0, 0), 0); /* still what a new one has */
	cr_assert_eq(op.u.scheduler_op.u.rtds.period, 10000);
	cr_assert_eq(rtds(77, 1, 1, 0), -EINVAL);
	cr_assert_eq(share(XEN_SCHEDULER_CREDIT2, ASK, 0, 0), -EINVAL);
}

Test(domctl_rtds, wrong_parameters)
{
	static const uint32_t bad[][2] = {
		{ 0, 0 },	 { 10000, 0 }, { 0, 10 },
		{ 10000, 10001 }, { 9, 9 },	{ 10000, 9 },
		{ 1000000001, 10 }, { UINT32_MAX, UINT32_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(rtds(PUT, bad[i][0], bad[i][1], 0), -EINVAL);
		list_put(0, 0, bad[i][0], bad[i][1]);
		cr_assert_eq(list_call(XEN_DOMCTL_SCHEDOP_putvcpuinfo, HV_BUF,
				       1),
			     -EINVAL);
	}
	expect_rtds(0, 10000, 4000, XEN_DOMCTL_SCHEDRT_extra);
	cr_assert_eq(rtds(PUT, 10, 10, 0), 0);
	cr_assert_eq(rtds(PUT, 1000000000, 10, 0), 0);
}

Test(domctl_rtds, lists)
{
	list_put(0, 1, 5000, 1000);
	list_put(1, 0, 6000, 2000);
	cr_assert_eq(list_call(XEN_DOMCTL_SCHEDOP_putvcpuinfo, HV_BUF, 2), 0);
	cr_assert_eq(op.u.scheduler_op.u.v.nr_vcpus, 2);
	expect_rtds(0, 6000, 2000, 0);
	expect_rtds(1, 5000, 1000, 0);
	list_put(0, 2, 5000, 1000); /* there is none */
	for (uint32_t cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
	     cmd <= XEN_DOMCTL_SCHEDOP_getvcpuinfo; cmd++) {
		cr_assert_eq(list_call(cmd, HV_BUF, 1), -EINVAL);
		cr_assert_eq(list_call(cmd, HV_BAD, 1), -EFAULT);
		cr_assert_eq(list_call(cmd, LAST_BYTE, 1), -EFAULT);
		cr_assert_eq(list_call(cmd, UINT64_MAX - 8, 1), -EFAULT);
		cr_assert_eq(list_call(cmd, HV_BUF, 0), 0);
	}
	for (uint32_t i = 0; i < 100; i++) {
		list_put(i, i % 2, 7000, 1000);
	}
	cr_assert_eq(list_call(XEN_DOMCTL_SCHEDOP_putvcpuinfo, HV_BUF, 100),
		     0);
	cr_assert_eq(op.u.scheduler_op.u.v.nr_vcpus, 64); /* go on there */
}

Test(domctl_rtds, more_than_all_cpus_is_refused)
{
	/* dom0 has twice 0.4. */
	cr_assert_eq(rtds(PUT, 1000, 900, 0), 0);
	d = hv_build(3, 8);
	cr_assert_eq(rtds(PUT, 1000, 466, 0), 0);
	cr_assert_eq(rtds(PUT, 1000, 467, 0), -ENOSPC);
	cr_assert_eq(rtds(PUT, 3000, 1400, 0), 0); /* all there is, in thirds */
	cr_assert_eq(rtds(PUT, 1000, 466, 0), 0);
	expect_rtds(0, 1000, 466, 0);
	list_put(0, 2, 1000, 469);
	cr_assert_eq(list_call(XEN_DOMCTL_SCHEDOP_putvcpuinfo, HV_BUF, 1),
		     -ENOSPC);
	list_put(0, 2, 1000, 467);
	cr_assert_eq(list_call(XEN_DOMCTL_SCHEDOP_putvcpuinfo, HV_BUF, 1), 0);
	/* A new domain is taken as it is on Xen; then less is taken, too. */
	d = hv_build(8, 8);
	cr_assert_not_null(d);
	cr_assert_eq(rtds(PUT, 1000, 401, 0), -ENOSPC);
	options.sched_forced = true;
	cr_assert_eq(rtds(PUT, 1000, 401, 0), 0);
	cr_assert_eq(rtds(PUT, 1000, 1001, 0), -EINVAL, "that is no budget");
	options.sched_forced = false;
	cr_assert_eq(rtds(PUT, 1000, 399, 0), 0);
	cr_assert_eq(rtds(PUT, 10000, 3990, 1), 0);
}
