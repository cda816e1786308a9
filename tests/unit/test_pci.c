/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions from dom0 to guests and back, by the toolstack's calls: all of
 * a function is one domain's at any time, whatever fails.
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
// LINK: tests/fakes/fake_pci_world.c
// LINK: core/pci.c core/pci_bars.c core/pci_assign.c core/pci_reset.c
// LINK: core/pci_line.c
// LINK: core/iommu_function.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/hypercall.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_pci_world.h"

static struct xen_domctl op;

static void teardown(void)
{
	cr_assert(pw_is_right());
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_dom0->refs, 1);
}

TestSuite(pci, .init = pw_start, .fini = teardown);

static int64_t permit(struct domain *d, uint64_t mfn, uint64_t nr, bool allow)
{
	op.u.iomem_permission.first_mfn = mfn;
	op.u.iomem_permission.nr_mfns = nr;
	op.u.iomem_permission.allow_access = allow;
	return hv_domctl(XEN_DOMCTL_iomem_permission, d->id, &op);
}

static int64_t ports(struct domain *d)
{
	op.u.ioport_permission.first_port = 0x1000;
	op.u.ioport_permission.nr_ports = 32;
	op.u.ioport_permission.allow_access = 1;
	return hv_domctl(XEN_DOMCTL_ioport_permission, d->id, &op);
}

static int64_t test_assign(domid_t id, uint32_t sbdf)
{
	op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	op.u.assign_device.flags = 0;
	op.u.assign_device.u.pci.machine_sbdf = sbdf;
	return hv_domctl(XEN_DOMCTL_test_assign_device, id, &op);
}

/* The toolstack says that dom0 holds a function for a guest, or no more. */
static int64_t hold(uint32_t cmd, uint32_t sbdf)
{
	op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	op.u.assign_device.flags = XEN_DOMCTL_DEV_RDM_RELAXED;
	op.u.assign_device.u.pci.machine_sbdf = sbdf;
	return hv_domctl(cmd, DOMID_IO, &op);
}

static void end(struct domain *d)
{
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* ---- there and back ------------------------------------------------------ */

Test(pci, one_life)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	pw_messages[SMALL] = hv_dom0;
	cr_assert(pw_is_right());
	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(pw_seen[SMALL], d);
	cr_assert_null(pw_messages[SMALL]);
	cr_assert_eq(pw_get(SMALL, 4, 2) & 7, 0);
	cr_assert_eq(pw_get(SMALL, 4, 2) & 0x400, 0x400);
	cr_assert_eq(pw_get(SMALL, 0x42, 2), 3, "messages off");
	cr_assert(pw_is_right());
	cr_assert_eq(pw_assign(d, SMALL), -EBUSY);
	cr_assert_eq(pw_assign(e, SMALL), -EBUSY);
	cr_assert_eq(pw_deassign(e, SMALL), -EINVAL);
	cr_assert_eq(test_assign(DOMID_INVALID, SMALL), -EBUSY);
	/* The guest uses it; then it goes back, clean. */
	pw_messages[SMALL] = d;
	pw_set(SMALL, 4, 2, 6);
	pw_set(SMALL, 0x42, 2, 0x8003);
	pw_set(SMALL, 0x10, 4, 0xdead0000); /* by a reset of its own */
	cr_assert_eq(pw_deassign(d, SMALL), 0);
	cr_assert_eq(pw_resets[SMALL], 1);
	cr_assert_geq(hv_restarts, 10, "100 ms");
	cr_assert_eq(pw_get(SMALL, 0x10, 4), BUS_OTHER + (BUS_MFN << 12));
	cr_assert_eq(pw_get(SMALL, 4, 2) & 7, 0);
	cr_assert_eq(pw_get(SMALL, 0x42, 2), 3);
	cr_assert_null(pw_messages[SMALL]);
	cr_assert(pw_is_right());
	cr_assert_eq(pw_deassign(d, SMALL), -EINVAL);
	cr_assert_eq(pw_assign(e, SMALL), 0);
	cr_assert(pw_is_right());
	end(e);
	cr_assert_eq(pw_resets[SMALL], 2);
	cr_assert(pw_is_right());
	cr_assert_eq(pw_assign(d, SMALL), 0);
	end(d);
}

Test(pci, three_of_two)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	cr_assert_eq(pw_assign(d, LARGE), 0);
	cr_assert_geq(hv_restarts, 2, "64 pages a call");
	cr_assert_eq(pw_assign(e, PLAIN), 0);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(pw_inits, 2, "once a domain");
	cr_assert(pw_is_right());
	end(d);
	cr_assert(pw_is_right());
	cr_assert_eq(pw_seen[PLAIN], e);
	end(e);
	cr_assert_eq(pw_resets[PLAIN], 0);
	cr_assert_eq(pw_get(PLAIN, 4, 2) & 7, 0);
}

/* One without a reset, too: what its guest wrote is not dom0's to find. */
Test(pci, configuration_as_before)
{
	struct domain *d = pw_build();

	for (uint16_t bdf = SMALL; bdf <= LARGE; bdf += 8) {
		uint32_t bar = bdf == LARGE ? 0x18 : 0x10;
		uint32_t was;

		pw_set(bdf, 0x0c, 1, 0x10);
		pw_set(bdf, 0x3c, 1, 7);
		pw_set(bdf, 0x88, 2, 0x2810);
		was = pw_get(bdf, bar, 4);
		cr_assert_eq(pw_assign(d, bdf), 0);
		pw_set(bdf, 0x0c, 1, 0);
		pw_set(bdf, 0x3c, 1, 99);
		pw_set(bdf, 0x88, 2, 0x5f);
		pw_set(bdf, bar, 4, 0xdead0000 | (was & 0xf));
		pw_set(bdf, 0x42, 2, 0xc003);
		cr_assert_eq(pw_deassign(d, bdf), 0);
		cr_assert_eq(pw_get(bdf, 0x0c, 1), 0x10);
		cr_assert_eq(pw_get(bdf, 0x3c, 1), 7);
		cr_assert_eq(pw_get(bdf, 0x88, 2), 0x2810);
		cr_assert_eq(pw_get(bdf, bar, 4), was);
		cr_assert_eq(pw_get(bdf, 0x42, 2), 3);
		cr_assert_eq(pw_resets[bdf], bdf != PLAIN);
	}
	end(d);
}

/* It went before it was given. */
Test(pci, does_not_answer)
{
	struct domain *d = pw_build();

	cr_assert_eq(test_assign(DOMID_INVALID, SMALL), 0);
	pw_dead[SMALL] = true;
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	cr_assert(pw_is_right());
	pw_dead[SMALL] = false;
	cr_assert_eq(pw_assign(d, SMALL), 0);
	end(d);
}

/* Its end comes while the toolstack's call is half done. */
Test(pci, end_in_the_middle)
{
	for (unsigned int steps = 1; steps < 8; steps++) {
		struct domain *d = pw_build();
		int rc = -EAGAIN;

		for (unsigned int i = 0; i < steps && rc == -EAGAIN; i++) {
			spin_lock(&control_lock);
			rc = i < 4 ? pci_assign(d, LARGE)
				   : pci_deassign(d, LARGE);
			spin_unlock(&control_lock);
			cr_assert(pw_is_right());
			rc = rc == 0 && i == 3 ? -EAGAIN : rc;
		}
		end(d);
		cr_assert(pw_is_right());
		cr_assert_eq(pw_root[LARGE], pw_root[0]);
	}
}

/* ---- the calls around it ------------------------------------------------- */

Test(pci, permissions)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	/* Before it is given, as the toolstack does it; nothing is by that. */
	cr_assert_eq(permit(d, BUS_MFN, 1, true), 0);
	cr_assert_eq(permit(d, BUS_MFN + 4, 4, true), 0);
	cr_assert_eq(permit(e, BUS_MFN, 1, true), 0);
	cr_assert_eq(permit(e, BUS_MFN, 1, false), 0);
	cr_assert_eq(permit(d, BUS_MFN - 1, 1, true), -EPERM);
	cr_assert_eq(permit(d, BUS_MFN + BUS_PAGES - 1, 2, true), -EPERM);
	cr_assert_eq(permit(d, BUS_MFN, UINT64_MAX, true), -EINVAL);
	cr_assert_eq(permit(d, BUS_MFN, UINT64_MAX - BUS_MFN, true), -EPERM);
	cr_assert_eq(ports(d), 0);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(permit(d, BUS_MFN, 1, true), 0);
	cr_assert_eq(permit(e, BUS_MFN + 2, 4, true), -EBUSY);
	cr_assert_eq(permit(e, BUS_MFN + 8, 4, true), 0);
	/* Mapping is the virtual host's business. */
	op.u.memory_mapping.first_gfn = 0x8000;
	op.u.memory_mapping.first_mfn = BUS_MFN;
	op.u.memory_mapping.nr_mfns = 1;
	op.u.memory_mapping.add_mapping = 1;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_memory_mapping, d->id, &op), -EPERM);
	end(d);
	cr_assert_eq(permit(e, BUS_MFN, 1, true), 0);
	end(e);
}

Test(pci, who_may)
{
	struct domain *d = pw_build();
	domid_t id = d->id;

	cr_assert_eq(test_assign(DOMID_INVALID, SMALL), 0);
	cr_assert_eq(test_assign(d->id, SMALL), 0);
	cr_assert_eq(test_assign(77, SMALL), -ESRCH);
	cr_assert_eq(pw_deassign(d, SMALL), -EINVAL);
	d->iommu.enabled = false;
	cr_assert_eq(pw_assign(d, SMALL), -EOPNOTSUPP);
	d->iommu.enabled = true;
	op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	op.u.assign_device.flags = 2;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_assign_device, id, &op), -ENODEV);
	/* It runs already, and was made without any. */
	cr_assert_eq(hv_unpause(id), 0);
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	domain_get(d);
	end(d);
	cr_assert_eq(pw_assign(d, SMALL), -EINVAL);
	cr_assert_eq(pw_deassign(d, SMALL), -EINVAL);
	domain_put(d);
	hv_reap();
}

/* Held or not, it is dom0's; what a guest has cannot be held. */
Test(pci, held)
{
	struct domain *d = pw_build();

	cr_assert_eq(hold(XEN_DOMCTL_assign_device, SMALL), 0);
	cr_assert_eq(hold(XEN_DOMCTL_assign_device, SMALL), 0);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(hold(XEN_DOMCTL_assign_device, SMALL), -EBUSY);
	cr_assert_eq(hold(XEN_DOMCTL_deassign_device, SMALL), -EBUSY);
	cr_assert(pw_is_right());
	cr_assert_eq(pw_deassign(d, SMALL), 0);
	cr_assert_eq(hold(XEN_DOMCTL_deassign_device, SMALL), 0);
	cr_assert_eq(hold(XEN_DOMCTL_assign_device, 0xffff), -ENODEV);
	cr_assert_eq(hold(XEN_DOMCTL_deassign_device, 0xffff), -ENODEV);
	end(d);
}

/* Into one that runs, and has others. */
Test(pci, later)
{
	struct domain *d = pw_build();

	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(hv_unpause(d->id), 0);
	cr_assert_eq(pw_assign(d, PLAIN), 0);
	cr_assert_eq(pw_deassign(d, SMALL), 0);
	cr_assert_eq(pw_deassign(d, PLAIN), 0);
	cr_assert_eq(pw_assign(d, PLAIN), 0);
	end(d);
}

/* ---- what fails ---------------------------------------------------------- */

Test(pci, no_messages)
{
	struct domain *d = pw_build();

	pw_its_rc = -ENODEV;
	cr_assert_eq(pw_assign(d, PLAIN), -ENODEV, "it has no pin");
	cr_assert_eq(pw_assign(d, SMALL), 0);
	end(d);
	d = pw_build();
	pw_its_rc = -ENOSPC;
	cr_assert_eq(pw_assign(d, SMALL), -ENOSPC);
	pw_its_rc = 0;
	pw_init_rc = -ENOMEM;
	cr_assert_eq(pw_assign(d, SMALL), -ENOMEM);
	cr_assert(pw_is_right());
	pw_init_rc = 0;
	cr_assert_eq(pw_assign(d, SMALL), 0);
	end(d);
}

Test(pci, guest_has_no_room)
{
	struct domain *d = pw_build();

	pw_add_rc = -ENOSPC;
	cr_assert_eq(pw_assign(d, LARGE), -ENOSPC);
	cr_assert(pw_is_right());
	pw_add_rc = 0;
	cr_assert_eq(pw_assign(d, LARGE), 0);
	end(d);
}

/* The unit refuses the guest; and then dom0 as well. */
Test(pci, unit_refuses)
{
	struct domain *d = pw_build();

	pw_fail_stream = STREAM0 + SMALL;
	pw_attach_rc = -ENOSPC;
	cr_assert_eq(pw_assign(d, SMALL), -EIO, "dom0 has not got it back");
	cr_assert_eq(pw_root[SMALL], 0);
	pw_fail_stream = UINT32_MAX;
	cr_assert(pw_is_right());
	cr_assert_eq(pw_assign(d, SMALL), -EIO);
	cr_assert_eq(pw_deassign(d, SMALL), -EINVAL);
	end(d);
}

Test(pci, no_memory)
{
	struct domain *d = pw_build();
	int64_t rc = -ENOMEM;
	unsigned int failed = 0;

	for (unsigned int at = 1; rc != 0; at++) {
		hv_fail_at = 0;
		hv_steps = 0;
		hv_fail_at = at;
		rc = pw_assign(d, SMALL);
		hv_fail_at = 0;
		cr_assert(rc == 0 || rc == -ENOMEM, "%lld", (long long)rc);
		cr_assert(pw_is_right());
		failed += rc != 0;
	}
	cr_assert_geq(failed, 2);
	end(d);
	rc = -ENOMEM;
	d = pw_build();
	for (uint32_t at = 1; rc != 0; at++) {
		fake_p2m_fail_in = at;
		rc = pw_assign(d, LARGE);
		fake_p2m_fail_in = 0;
		cr_assert(rc == 0 || rc == -ENOMEM, "%lld", (long long)rc);
		cr_assert(pw_is_right());
	}
	end(d);
}

/* dom0 has put something where its pages were. */
Test(pci, no_way_back)
{
	struct domain *d = pw_build();

	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(p2m_map_mmio(hv_dom0, gfn(BUS_MFN), mfn(0x1234), 1,
				  P2M_MMIO_DIRECT), 0);
	cr_assert_eq(pw_deassign(d, SMALL), -EIO);
	cr_assert_eq(pw_root[SMALL], 0);
	cr_assert(pci_is_given(ID0 + SMALL));
	cr_assert_eq(pw_assign(d, SMALL), -EIO);
	end(d);
}

/* It does not come back from its reset. */
Test(pci, dies_in_reset)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(pw_assign(e, LARGE), 0);
	pw_dead[SMALL] = true;
	pw_dead[LARGE] = true;
	cr_assert_eq(pw_deassign(d, SMALL), -EIO);
	cr_assert_lt(hv_restarts, 150);
	cr_assert(pci_is_given(ID0 + SMALL));
	end(e); /* and its domain's end comes to an end */
	end(d);
	cr_assert(pw_is_right());
}

/* ---- what functions may be ----------------------------------------------- */

Test(pci, not_one)
{
	struct domain *d = pw_build();

	cr_assert_eq(pw_assign(d, NONE), -ENODEV);
	cr_assert_eq(pw_assign(d, BRIDGE), -ENODEV);
	cr_assert_eq(pw_assign(d, 0x0108), -ENODEV, "no such bus");
	cr_assert_eq(test_assign(DOMID_INVALID, 0x10000 | SMALL), -ENODEV);
	pw_host.id[0].nr = SMALL;
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	pw_host.id[0].nr = 0x100;
	pw_host.stream[0].nr = SMALL;
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	pw_host.stream[0].nr = 0x100;
	pw_host.stream[0].to = 0; /* not the host's */
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	pw_host.stream[0].to = STREAM0;
	pw_bridge.owner = NULL;
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	pw_bridge.owner = hv_dom0;
	cr_assert_eq(pw_assign(d, SMALL), 0);
	end(d);
}

static void refused(struct domain *d, uint16_t bdf)
{
	cr_expect_eq(pw_assign(d, bdf), -ENODEV);
	cr_expect(pw_is_right());
}

Test(pci, hostile_bars)
{
	struct domain *d = pw_build();
	const uint32_t at = BUS_OTHER + (BUS_MFN << 12);

	pw_keeps[SMALL][0] = ~0xfffu << 1 | 0x800; /* no power of two */
	refused(d, SMALL);
	pw_keeps[SMALL][0] = ~0x7ffu; /* less than a page */
	refused(d, SMALL);
	pw_keeps[SMALL][0] = ~0x3fffffffu; /* larger than the window */
	refused(d, SMALL);
	pw_keeps[SMALL][0] = ~0x3fffu; /* with its own second one in it */
	pw_set(SMALL, 0x20, 4, (at + 0x2000) | 0xc);
	pw_keeps[SMALL][4] = ~0xfffu;
	refused(d, SMALL);
	pw_set(SMALL, 0x20, 4, (at + 0x4000) | 0xc);
	pw_keeps[SMALL][4] = ~0x3fffu;
	pw_keeps[SMALL][0] = ~0x1fffffu; /* with its neighbours in it */
	refused(d, SMALL);
	pw_keeps[SMALL][0] = ~0xfffu;
	pw_set(SMALL, 0x10, 4, 0); /* nowhere */
	refused(d, SMALL);
	pw_set(SMALL, 0x10, 4, 0x40000000); /* RAM, on the CPUs' side */
	refused(d, SMALL);
	pw_set(SMALL, 0x10, 4, at + 0x800);
	pw_keeps[SMALL][0] = ~0xfffu | 0x800;
	refused(d, SMALL);
	pw_set(SMALL, 0x10, 4, at | 2); /* below 1 MiB: of the past */
	pw_keeps[SMALL][0] = ~0xfffu;
	refused(d, SMALL);
	pw_set(SMALL, 0x10, 4, at);
	pw_set(SMALL, 0x24, 4, 4); /* a pair without the second word */
	pw_keeps[SMALL][4] = 0;
	pw_set(SMALL, 0x20, 4, 0);
	pw_keeps[SMALL][5] = ~0xfffu;
	refused(d, SMALL);
	end(d);
}

/* All ones to every word, and parts that go in circles. */
Test(pci, hostile_parts)
{
	struct domain *d = pw_build();

	pw_set(PLAIN, 0x40, 4, 0x4005); /* itself */
	cr_assert_eq(pw_assign(d, PLAIN), 0);
	cr_assert_eq(pw_deassign(d, PLAIN), 0);
	memset(&pw_config[SMALL * 4096u], 0xff, 4096);
	pw_set(SMALL, 0, 2, 0x1234);
	pw_set(SMALL, 0xe, 1, 0);
	memset(pw_keeps[SMALL], 0xff, sizeof(pw_keeps[SMALL]));
	pw_set(SMALL, 0x10, 4, 0xfffffff0);
	refused(d, SMALL);
	end(d);
}

/* dom0 has something else in the window: RAM, what the hypervisor drives. */
Test(pci, not_dom0s)
{
	struct domain *d = pw_build();

	cr_assert_eq(p2m_remove_page(hv_dom0, gfn(BUS_MFN + 5),
				     P2M_MASK(P2M_MMIO_DIRECT)), 0);
	refused(d, PLAIN + 0x100);
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	cr_assert_eq(p2m_map_mmio(hv_dom0, gfn(BUS_MFN + 5), mfn(5), 1,
				  P2M_MMIO_DIRECT), 0);
	cr_assert_eq(pw_assign(d, SMALL), -ENODEV);
	cr_assert_eq(p2m_remove_page(hv_dom0, gfn(BUS_MFN + 5),
				     P2M_MASK(P2M_MMIO_DIRECT)), 0);
	cr_assert_eq(p2m_map_mmio(hv_dom0, gfn(BUS_MFN + 5),
				  mfn(BUS_MFN + 5), 1, P2M_MMIO_DIRECT), 0);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	end(d);
}
