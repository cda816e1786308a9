/* SPDX-License-Identifier: Apache-2.0 */
/* PCI functions of a machine without dom0: given by boot. */
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

#include <hv/domain.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_pci_world.h"

static struct domain *alone;

static void without_dom0(void)
{
	pw_start();
	iommu_return(hv_dom0, &pw_bridge);
	alone = pw_build();
	hardware_domain = NULL;
}

static void with_dom0_again(void)
{
	hardware_domain = hv_dom0;
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
}

TestSuite(pci_alone, .init = without_dom0, .fini = with_dom0_again);

/* Until it is nobody's; time passes. */
static void take_alone(struct domain *d)
{
	while (pci_release_step(d) == -EAGAIN) {
		fake_time_ns += 10000000;
	}
}

Test(pci_alone, there_and_back)
{
	struct iommu_space s;

	cr_assert_eq(pw_give(alone, SMALL), 0);
	cr_assert_eq(pw_give(alone, LARGE), 0);
	iommu_space_of(alone, &s);
	cr_assert_eq(pw_seen[SMALL], alone);
	cr_assert_eq(pw_root[SMALL], s.root);
	cr_assert_eq(pw_root[LARGE], s.root);
	cr_assert_eq(pw_root[PLAIN], 0);
	cr_assert_eq(pw_give(alone, SMALL), -EBUSY);
	pw_messages[SMALL] = alone;
	take_alone(alone);
	cr_assert_null(pw_seen[SMALL]);
	cr_assert_null(pw_messages[SMALL]);
	cr_assert_eq(pw_root[SMALL], 0);
	cr_assert_eq(pw_resets[SMALL], 1);
	cr_assert_eq(alone->iommu.nr_devices, 0);
	/* And again: it is nobody's, as before. */
	cr_assert_eq(pw_give(alone, SMALL), 0);
	cr_assert_eq(pw_root[SMALL], s.root);
	take_alone(alone);
}

Test(pci_alone, refused)
{
	pw_its_rc = -ENODEV;
	cr_assert_eq(pw_give(alone, LARGE), -ENODEV);
	cr_assert_eq(pw_root[LARGE], 0);
	pw_its_rc = 0;
	cr_assert_eq(pw_give(alone, NONE), -ENODEV);
	cr_assert_eq(pw_give(alone, BRIDGE), -ENODEV);
	cr_assert_eq(pw_give(alone, 0x10000 | SMALL), -ENODEV);
	pw_set(PLAIN, 0xb, 1, 6); /* a host's own part */
	cr_assert_eq(pw_give(alone, PLAIN), -ENODEV);
	pw_set(SMALL, 0x10, 4, 0); /* nobody has placed it */
	cr_assert_eq(pw_give(alone, SMALL), -ENODEV);
	take_alone(alone);
}

/* What was begun is undone, and the next one finds it as it was. */
Test(pci_alone, fails)
{
	pw_add_rc = -ENOSPC;
	cr_assert_eq(pw_give(alone, SMALL), -ENOSPC);
	cr_assert_eq(pw_root[SMALL], 0);
	pw_add_rc = 0;
	pw_fail_stream = STREAM0 + SMALL;
	pw_attach_rc = -EIO;
	cr_assert_eq(pw_give(alone, SMALL), -EIO);
	cr_assert_eq(pw_root[SMALL], 0);
	pw_fail_stream = UINT32_MAX;
	cr_assert_eq(pw_give(alone, SMALL), 0);
	take_alone(alone);
}

/* The whole host is a domain's: no function of it is another's. */
Test(pci_alone, host_of_another)
{
	struct domain *d = hv_build(1, 4);

	d->iommu.enabled = true;
	cr_assert_eq(iommu_assign(d, &pw_bridge), 0);
	cr_assert_eq(pw_give(alone, SMALL), -ENODEV);
	iommu_return(d, &pw_bridge);
	cr_assert_eq(pw_give(alone, SMALL), 0);
	cr_assert_eq(iommu_assign(d, &pw_bridge), -EBUSY);
	take_alone(alone);
}
