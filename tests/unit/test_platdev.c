/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the machine by the toolstack's calls: who may have what, one
 * owner at a time, everything back at a domain's end.
 */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/console_serial.c
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
#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/platdev.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define RTC 0x9010u  /* frames: one */
#define DMA 0x9100u  /* two, then one at +0x10 */
#define GUEST 0x10000u
#define RTC_LINE 34u
#define DMA_LINE 40u
#define BOTH_LINE 41u /* of both */
#define MINE 42u      /* dom0's */

static struct xen_domctl op;
static struct platdev rtc = {
	.path = "/rtc", .nr_ranges = 1, .nr_lines = 2,
	.range = { { RTC, 1 } },
	.line = { { RTC_LINE, IRQ_LEVEL }, { BOTH_LINE, IRQ_LEVEL } },
};
static struct platdev dma = {
	.path = "/dma", .nr_ranges = 2, .nr_lines = 2,
	.range = { { DMA, 2 }, { DMA + 2, 1 } },
	.line = { { DMA_LINE, IRQ_EDGE }, { BOTH_LINE, IRQ_LEVEL } },
};
static struct iommu unit;
static struct iommu_device behind = { .name = "/dma", .nr = 1 };
static uint32_t attached;
static int attach_rc;

static int unit_attach(struct iommu *u, uint32_t first, uint32_t nr,
		       const struct iommu_space *s)
{
	(void)u;
	(void)first;
	(void)s;
	attached += attach_rc == 0 ? nr : 0;
	return attach_rc;
}

static void unit_detach(struct iommu *u, uint32_t first, uint32_t nr,
			const struct iommu_space *s)
{
	(void)u;
	(void)first;
	(void)s;
	attached -= attached ? nr : 0;
}

static void unit_flush(struct iommu *u, const struct iommu_space *s,
		       uint64_t address, uint64_t pages)
{
	(void)u;
	(void)s;
	(void)address;
	(void)pages;
}

static bool unit_irq(struct iommu *u)
{
	(void)u;
	return false;
}

static const struct iommu_ops ops = {
	.name = "unit", .attach = unit_attach, .detach = unit_detach,
	.flush = unit_flush, .irq = unit_irq,
};

static void setup(void)
{
	hv_start(64, 2);
	memset(&op, 0, sizeof(op));
	platdev_add(&rtc);
	platdev_add(&dma);
	cr_assert_eq(irq_assign_guest(hv_dom0, MINE, MINE, IRQ_LEVEL), 0);
}

static void with_unit(void)
{
	unit.ops = &ops;
	unit.walks_coherent = true;
	spin_lock_init(&unit.lock, LOCK_RANK_IOMMU);
	cr_assert_eq(iommu_add_unit(&unit), 0);
	behind.stream[0] = (struct stream_range){ &unit, 8, 1 };
	iommu_add_device(&behind);
	dma.behind = &behind;
}

static void teardown(void)
{
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_dom0->refs, 1);
}

TestSuite(platdev, .init = setup, .fini = teardown);

/* ---- the calls ----------------------------------------------------------- */

static int64_t permit(domid_t id, uint64_t mfn, uint64_t nr, bool allow)
{
	op.u.iomem_permission.first_mfn = mfn;
	op.u.iomem_permission.nr_mfns = nr;
	op.u.iomem_permission.allow_access = allow;
	return hv_domctl(XEN_DOMCTL_iomem_permission, id, &op);
}

static int64_t map(domid_t id, uint64_t g, uint64_t mfn, uint64_t nr, bool add)
{
	op.u.memory_mapping.first_gfn = g;
	op.u.memory_mapping.first_mfn = mfn;
	op.u.memory_mapping.nr_mfns = nr;
	op.u.memory_mapping.add_mapping = add;
	return hv_domctl(XEN_DOMCTL_memory_mapping, id, &op);
}

static int64_t bind(domid_t id, uint32_t line)
{
	op.u.bind_pt_irq.machine_irq = line;
	op.u.bind_pt_irq.irq_type = PT_IRQ_TYPE_SPI;
	op.u.bind_pt_irq.u.spi.spi = (uint16_t)line;
	return hv_domctl(XEN_DOMCTL_bind_pt_irq, id, &op);
}

static int64_t permit_line(domid_t id, uint32_t line, bool allow)
{
	op.u.irq_permission.pirq = line;
	op.u.irq_permission.allow_access = allow;
	return hv_domctl(XEN_DOMCTL_irq_permission, id, &op);
}

static int64_t by_path(uint32_t cmd, domid_t id, const char *path)
{
	guest_put(hv_dom0, HV_BUF, path, strlen(path));
	op.u.assign_device.dev = XEN_DOMCTL_DEV_DT;
	op.u.assign_device.flags = 0;
	op.u.assign_device.u.dt.size = (uint32_t)strlen(path);
	op.u.assign_device.u.dt.path.q = HV_BUF;
	return hv_domctl(cmd, id, &op);
}

static void end(struct domain *d)
{
	cr_assert_eq(hv_destroy(d->id), 0);
	memset(fake_links, 0, sizeof(fake_links));
}

static struct p2m_entry at(struct domain *d, uint64_t g)
{
	return p2m_lookup(d, gfn(g));
}

/* ---- registers ----------------------------------------------------------- */

static enum mmio_result model(struct vcpu *v, struct mmio_access *a, void *o)
{
	(void)v;
	(void)a;
	(void)o;
	return MMIO_OK;
}

/* Of the page GUEST, the last bytes. */
static const struct mmio_range emulated = {
	.start = (GUEST << PAGE_SHIFT) + PAGE_SIZE - 4,
	.size = 4,
	.fn = model,
};

Test(platdev, registers)
{
	struct domain *d = hv_build(1, 4);
	struct domain *e = hv_build(1, 4);

	cr_assert_eq(map(d->id, GUEST, RTC, 1, true), -EPERM);
	cr_assert_eq(permit(d->id, RTC, 1, true), 0);
	cr_assert_eq(map(d->id, GUEST, RTC, 1, true), 0);
	cr_assert_eq(at(d, GUEST).type, P2M_MMIO_DEV);
	cr_assert_eq(at(d, GUEST).mfn.v, RTC);
	cr_assert_eq(permit(e->id, RTC, 1, true), -EBUSY);
	cr_assert_eq(map(e->id, GUEST, RTC, 1, true), -EBUSY);
	/* Neither over its RAM nor over itself. */
	cr_assert_eq(map(d->id, HV_GFN, RTC, 1, true), -EEXIST);
	cr_assert_eq(map(d->id, GUEST, RTC, 1, true), -EEXIST);
	end(d);
	cr_assert_eq(permit(e->id, RTC, 1, true), 0);
	/* Nor over what is emulated for it. */
	cr_assert_eq(mmio_register(e, &emulated), 0);
	cr_assert_eq(map(e->id, GUEST, RTC, 1, true), -EEXIST);
	cr_assert_eq(at(e, GUEST).type, P2M_NONE);
	cr_assert_eq(map(e->id, GUEST, RTC, 1, false), -EINVAL);
	cr_assert_eq(map(e->id, BIT64(52), RTC, 1, true), -EINVAL);
	cr_assert_eq(map(e->id, GUEST + 1, RTC, 1, true), 0);
	end(e);
	cr_assert_null(rtc.owner);
}

Test(platdev, registers_taken_away)
{
	struct domain *d = hv_build(1, 4);

	/* Two ranges that touch, in one call. */
	cr_assert_eq(permit(d->id, DMA, 3, true), 0);
	cr_assert_eq(map(d->id, GUEST, DMA, 3, true), 0);
	cr_assert_eq(map(d->id, GUEST, DMA + 1, 1, false), -EINVAL);
	cr_assert_eq(map(d->id, GUEST + 2, DMA + 2, 1, false), 0);
	cr_assert_eq(at(d, GUEST + 2).type, P2M_NONE);
	cr_assert_eq(map(d->id, GUEST, DMA, 3, false), -EINVAL);
	cr_assert_eq(at(d, GUEST).mfn.v, DMA);
	cr_assert_eq(map(d->id, HV_GFN, DMA, 1, false), -EINVAL);
	cr_assert_eq(permit(d->id, DMA, 1, false), 0);
	cr_assert_eq(map(d->id, GUEST + 8, DMA, 1, true), -EPERM);
	cr_assert_eq(dma.owner, d); /* it has some of them still */
	end(d);
	cr_assert_null(dma.owner);
}

Test(platdev, pages_of_nobody)
{
	struct domain *d = hv_build(1, 4);

	cr_assert_eq(permit(d->id, RTC - 1, 1, true), -EPERM);
	cr_assert_eq(permit(d->id, RTC, 2, true), -EPERM);
	cr_assert_eq(permit(d->id, RTC - 1, 2, true), -EPERM);
	cr_assert_eq(permit(d->id, DMA, 4, true), -EPERM);
	cr_assert_eq(permit(d->id, FAKE_RAM_BASE >> PAGE_SHIFT, 1, true),
		     -EPERM);
	cr_assert_eq(permit(d->id, 0, UINT64_MAX, true), -EPERM);
	cr_assert_eq(permit(d->id, RTC, UINT64_MAX, true), -EINVAL);
	cr_assert_eq(permit(d->id, RTC, 0, true), -EINVAL);
	cr_assert_eq(permit(d->id, RTC - 1, 1, false), -EPERM);
	cr_assert_null(rtc.owner);
	cr_assert_null(dma.owner);
	cr_assert_eq(map(d->id, GUEST, RTC, 0, true), -EINVAL);
	cr_assert_eq(map(d->id, UINT64_MAX, RTC, 1, true), -EINVAL);
	cr_assert_eq(map(d->id, GUEST, UINT64_MAX, 1, true), -EINVAL);
	cr_assert_eq(map(d->id, GUEST, RTC, 65, true), -E2BIG);
	cr_assert_eq(permit(d->id, RTC, 1, true), 0);
	cr_assert_eq(map(d->id, GUEST, RTC, 2, true), -EPERM);
	cr_assert_eq(map(d->id, UINT64_C(1) << 40, RTC, 1, true), -EINVAL);
	cr_assert_eq(permit(0, RTC, 1, true), -EINVAL);
	cr_assert_eq(permit(99, RTC, 1, true), -ESRCH);
	end(d);
}

/* No page for the tables: nothing of it stays. */
Test(platdev, no_memory)
{
	struct domain *d = hv_build(1, 4);

	cr_assert_eq(permit(d->id, DMA, 3, true), 0);
	fake_p2m_fail_in = 2;
	cr_assert_eq(map(d->id, GUEST + 1, DMA, 3, true), -ENOMEM);
	for (uint64_t i = 0; i < 4; i++) {
		cr_assert_eq(at(d, GUEST + i).type, P2M_NONE);
	}
	end(d);
}

/* ---- lines --------------------------------------------------------------- */

Test(platdev, lines)
{
	struct domain *d = hv_build(1, 4);
	struct domain *e = hv_build(1, 4);
	uint32_t line = 0;

	cr_assert_eq(bind(d->id, DMA_LINE), 0);
	cr_assert_eq(irq_desc_of(DMA_LINE)->domain, d);
	cr_assert_eq(irq_desc_of(DMA_LINE)->trigger, IRQ_EDGE);
	cr_assert(arch_virq_line(d, DMA_LINE, &line));
	cr_assert_eq(line, DMA_LINE);
	cr_assert_eq(permit_line(d->id, DMA_LINE, true), 0);
	cr_assert_eq(permit_line(d->id, DMA_LINE, false), -EBUSY);
	cr_assert_eq(bind(d->id, DMA_LINE), -EBUSY);
	cr_assert_eq(bind(e->id, DMA_LINE), -EBUSY);
	cr_assert_eq(permit_line(e->id, DMA_LINE, true), -EBUSY);
	/* What goes with it is of the same domain. */
	cr_assert_eq(permit(e->id, DMA, 1, true), -EBUSY);
	cr_assert_eq(bind(e->id, BOTH_LINE), -EBUSY);
	end(d);
	cr_assert_eq(irq_desc_of(DMA_LINE)->owner, IRQ_NOBODY);
	cr_assert_eq(bind(e->id, BOTH_LINE), 0);
	cr_assert_eq(rtc.owner, e);
	cr_assert_eq(dma.owner, e);
	end(e);
	cr_assert_null(dma.owner);
}

Test(platdev, lines_of_nobody)
{
	struct domain *d = hv_build(1, 4);

	cr_assert_eq(bind(d->id, MINE), -EBUSY);
	cr_assert_eq(permit_line(d->id, MINE, true), -EBUSY);
	cr_assert_eq(bind(d->id, 43), -EPERM);
	cr_assert_eq(bind(d->id, 0), -EPERM);
	cr_assert_eq(bind(d->id, 1020), -EINVAL);
	cr_assert_eq(permit_line(d->id, UINT32_MAX, true), -EINVAL);
	cr_assert_eq(permit_line(d->id, RTC_LINE, true), 0);
	cr_assert_eq(permit_line(d->id, RTC_LINE, false), 0);
	cr_assert_eq(bind(0, RTC_LINE), -EINVAL);
	op.u.bind_pt_irq.machine_irq = RTC_LINE;
	op.u.bind_pt_irq.u.spi.spi = RTC_LINE + 1;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_bind_pt_irq, d->id, &op), -EINVAL);
	op.u.bind_pt_irq.irq_type = PT_IRQ_TYPE_MSI;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_bind_pt_irq, d->id, &op), -ENOSYS);
	end(d);
}

/* The virtual one is in use: the line is nobody's again. */
Test(platdev, line_not_linked)
{
	struct domain *d = hv_build(1, 4);

	fake_links[0] = (struct fake_link){ d, RTC_LINE, 50 };
	cr_assert_eq(bind(d->id, RTC_LINE), -EBUSY);
	cr_assert_eq(irq_desc_of(RTC_LINE)->owner, IRQ_NOBODY);
	cr_assert_null(rtc.owner);
	end(d);
}

/* ---- memory -------------------------------------------------------------- */

Test(platdev, no_unit)
{
	struct domain *d = hv_build(1, 4);

	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/rtc"),
		     -EOPNOTSUPP);
	cr_assert_eq(by_path(XEN_DOMCTL_deassign_device, d->id, "/rtc"),
		     -EOPNOTSUPP);
	cr_assert_eq(by_path(XEN_DOMCTL_test_assign_device, DOMID_INVALID,
			     "/rtc"), -EOPNOTSUPP);
	end(d);
}

Test(platdev, memory)
{
	struct domain *d = hv_build(1, 4);
	struct domain *e = hv_build(1, 4);
	char longer[PLATDEV_PATH_MAX + 1];

	with_unit();
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/dma"),
		     -EOPNOTSUPP); /* not made for that */
	d->iommu.enabled = true;
	e->iommu.enabled = true;
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/rtc"),
		     -ENODEV);
	cr_assert_eq(by_path(XEN_DOMCTL_test_assign_device, d->id, "/rtc"),
		     -ENODEV);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/dm"), -ESRCH);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, ""), -EINVAL);
	memset(longer, '/', sizeof(longer));
	longer[PLATDEV_PATH_MAX] = '\0';
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, longer),
		     -EINVAL);
	cr_assert_eq(by_path(XEN_DOMCTL_test_assign_device, DOMID_INVALID,
			     "/dma"), 0);
	cr_assert_eq(by_path(XEN_DOMCTL_test_assign_device, 77, "/dma"),
		     -ESRCH);
	/* That is for PCI functions only. */
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, DOMID_IO, "/dma"),
		     -ESRCH);
	cr_assert_eq(by_path(XEN_DOMCTL_deassign_device, DOMID_IO, "/dma"),
		     -ESRCH);
	attach_rc = -ENOSPC;
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/dma"),
		     -ENOSPC);
	cr_assert_null(dma.owner);
	attach_rc = 0;
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/dma"), 0);
	cr_assert_eq(attached, 1);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/dma"), -EBUSY);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, e->id, "/dma"), -EBUSY);
	cr_assert_eq(by_path(XEN_DOMCTL_test_assign_device, e->id, "/dma"),
		     -EBUSY);
	cr_assert_eq(by_path(XEN_DOMCTL_deassign_device, e->id, "/dma"),
		     -EINVAL);
	cr_assert_eq(by_path(XEN_DOMCTL_deassign_device, d->id, "/dma"), 0);
	cr_assert_eq(attached, 0);
	cr_assert_eq(by_path(XEN_DOMCTL_deassign_device, d->id, "/dma"),
		     -EINVAL);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, d->id, "/dma"), 0);
	end(d);
	cr_assert_eq(attached, 0);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, e->id, "/dma"), 0);
	end(e);
	cr_assert_null(behind.owner);
}

Test(platdev, memory_badly_asked)
{
	struct domain *d = hv_build(1, 4);

	with_unit();
	d->iommu.enabled = true;
	op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_assign_device, d->id, &op),
		     -ENODEV);
	op.u.assign_device.dev = XEN_DOMCTL_DEV_DT;
	op.u.assign_device.flags = XEN_DOMCTL_DEV_RDM_RELAXED;
	op.u.assign_device.u.dt.size = 4;
	op.u.assign_device.u.dt.path.q = HV_BUF;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_assign_device, d->id, &op),
		     -EINVAL);
	op.u.assign_device.flags = 0;
	op.u.assign_device.u.dt.path.q = HV_BAD;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_assign_device, d->id, &op),
		     -EFAULT);
	end(d);
}

/* ---- boot and end -------------------------------------------------------- */

Test(platdev, of_boot)
{
	struct domain *d = hv_build(1, 4);
	struct domain *e = hv_build(1, 4);

	platdev_note_page(d, RTC);
	platdev_note_page(d, 0x1234);
	platdev_note_line(d, DMA_LINE);
	cr_assert_eq(permit(e->id, RTC, 1, true), -EBUSY);
	cr_assert_eq(permit(e->id, DMA, 1, true), -EBUSY);
	cr_assert_eq(bind(e->id, RTC_LINE), -EBUSY);
	end(d);
	cr_assert_eq(permit(e->id, RTC, 1, true), 0);
	cr_assert_eq(bind(e->id, DMA_LINE), 0);
	end(e);
}

/* Nothing more for a domain that is torn down already. */
Test(platdev, dying)
{
	struct domain *d = hv_build(1, 4);
	domid_t id = d->id;

	with_unit();
	d->iommu.enabled = true;
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, id, "/dma"), 0);
	domain_get(d);
	end(d);
	cr_assert_eq(permit(id, RTC, 1, true), -EINVAL);
	cr_assert_eq(map(id, GUEST, RTC, 1, true), -EINVAL);
	cr_assert_eq(bind(id, RTC_LINE), -EINVAL);
	cr_assert_eq(permit_line(id, RTC_LINE, true), -EINVAL);
	cr_assert_eq(by_path(XEN_DOMCTL_assign_device, id, "/dma"), -EINVAL);
	cr_assert_eq(by_path(XEN_DOMCTL_deassign_device, id, "/dma"),
		     -EINVAL);
	cr_assert_null(rtc.owner);
	cr_assert_null(dma.owner);
	domain_put(d);
	hv_reap();
}

/*
 * Messages end when no vCPU runs any more, while its lines and devices are
 * still its; the step that is not done comes again.
 */
static int msi_steps;
static int msi_left;

int arch_msi_stop_step(struct domain *d)
{
	cr_assert_eq(d->state, DOM_DYING);
	cr_assert(domain_is_descheduled(d));
	cr_assert(msi_left == 0 || irq_desc_of(RTC_LINE)->domain == d);
	msi_steps++;
	return msi_left && --msi_left ? -EAGAIN : 0;
}

Test(platdev, messages_end_first)
{
	struct domain *d = hv_build(1, 4);

	cr_assert_eq(permit(d->id, RTC, 1, true), 0);
	cr_assert_eq(bind(d->id, RTC_LINE), 0);
	msi_left = 5;
	msi_steps = 0;
	end(d);
	cr_assert_eq(msi_steps, 5);
	cr_assert_null(irq_desc_of(RTC_LINE)->domain);
}
