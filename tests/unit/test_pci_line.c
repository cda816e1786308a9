/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of PCI functions: which function has one of its own, and who has it.
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
// LINK: core/pci.c core/pci_bars.c core/pci_assign.c core/pci_line.c
// LINK: core/pci_reset.c core/mmio.c
// LINK: core/iommu_function.c
// LINK: core/platdev.c core/domctl_device.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/irq.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/pci_priv.h"
#include "fake_guest_mem.h"
#include "fake_pci_world.h"

#define LINE (LINE0 + 1) /* of SMALL */
#define COMMAND 0x4u
#define PIN 0x3du
#define NO_INTX 0x400u

static void teardown(void)
{
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_dom0->refs, 1);
}

TestSuite(pci_line, .init = pw_start, .fini = teardown);

static const struct irq_desc *desc(void)
{
	return irq_desc_of(LINE);
}

static void expect_line(const struct domain *d, uint32_t virq)
{
	cr_expect_eq(desc()->owner, IRQ_GUEST);
	cr_expect_eq(desc()->domain, d);
	cr_expect_eq(desc()->virq, virq);
	cr_expect(pw_is_right());
}

static int step(struct domain *d, uint16_t bdf)
{
	int rc;

	spin_lock(&control_lock);
	rc = pci_assign(d, bdf);
	spin_unlock(&control_lock);
	return rc;
}

Test(pci_line, there_and_back)
{
	struct domain *d = pw_build();

	expect_line(hv_dom0, LINE);
	cr_assert_eq(pw_assign(d, LARGE), 0);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	expect_line(d, VPCI_FIRST_VIRQ + 1);
	cr_assert_eq(pw_deassign(d, LARGE), 0);
	cr_assert_eq(pw_deassign(d, SMALL), 0);
	expect_line(hv_dom0, LINE);
	cr_assert_eq(pw_get(SMALL, COMMAND, 2) & NO_INTX, NO_INTX);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	expect_line(d, VPCI_FIRST_VIRQ);
	cr_assert_eq(hv_destroy(d->id), 0);
	expect_line(hv_dom0, LINE);
}

/* No other has it before each CPU has let go of the one before. */
Test(pci_line, waits_for_all_cpus)
{
	struct domain *d = pw_build();

	for (uint32_t i = 0; i < 50; i++) {
		cr_assert_eq(step(d, SMALL), -EAGAIN);
	}
	cr_assert_eq(desc()->owner, IRQ_NOBODY);
	cr_assert(pw_is_right());
	hv_run_others();
	cr_assert_eq(step(d, SMALL), 0);
	expect_line(d, VPCI_FIRST_VIRQ);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* Of two that pull one line none has it; only messages do without. */
Test(pci_line, shared)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	pw_set(PLAIN, PIN, 1, 4); /* as pin A of slot 1 */
	cr_assert_eq(pw_assign(d, SMALL), 0);
	expect_line(hv_dom0, LINE);
	pw_its_rc = -ENODEV;
	cr_assert_eq(pw_assign(e, PLAIN), -ENODEV);
	pw_set(PLAIN, PIN, 1, 5); /* nonsense */
	cr_assert_eq(pw_assign(e, PLAIN), -ENODEV);
	pw_set(PLAIN, PIN, 1, 1);
	cr_assert_eq(pw_assign(e, PLAIN), 0);
	cr_assert_eq(irq_desc_of(LINE0 + 2)->domain, e);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(hv_destroy(e->id), 0);
	cr_assert_eq(irq_desc_of(LINE0 + 2)->domain, hv_dom0);
}

/* One that is being reset does not answer, and pulls it still. */
Test(pci_line, shared_with_one_that_is_away)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	pw_set(PLAIN, PIN, 1, 4);
	cr_assert_eq(pw_assign(d, PLAIN), 0, "by messages");
	pw_dead[PLAIN] = true;
	cr_assert_eq(pw_assign(e, SMALL), 0, "by messages");
	expect_line(hv_dom0, LINE);
	pw_dead[PLAIN] = false;
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(hv_destroy(e->id), 0);
}

/* Neither messages nor a line. */
Test(pci_line, nothing_to_tell_by)
{
	struct domain *d = pw_build();

	pw_set(PLAIN, 0x34, 1, 0x80); /* without MSI-X */
	cr_assert_eq(pw_assign(d, PLAIN), -ENODEV);
	pw_set(PLAIN, PIN, 1, 1);
	cr_assert_eq(pw_assign(d, PLAIN), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert(pw_is_right());
}

/* A machine whose host has no ids for messages: nobody forgets any. */
Test(pci_line, no_ids)
{
	struct domain *d = pw_build();

	pw_host.nr_ids = 0;
	cr_assert_eq(pw_assign(d, PLAIN), -ENODEV);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_not(pci_is_given(0));
	cr_assert_not(pci_is_given(ID0 + SMALL));
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(desc()->domain, hv_dom0);
}

/* dom0 has not got it: it is somebody else's, and stays so. */
Test(pci_line, not_dom0s)
{
	struct domain *d = pw_build();

	arch_virq_unlink(hv_dom0, LINE);
	irq_release(hv_dom0, LINE);
	pw_its_rc = -ENODEV;
	cr_assert_eq(step(d, SMALL), -ENODEV);
	cr_assert_eq(irq_assign_guest(d, LINE, 40, IRQ_LEVEL), 0);
	cr_assert_eq(step(d, SMALL), -ENODEV);
	cr_assert_eq(desc()->virq, 40);
	irq_release(d, LINE);
	pw_host.line[4] = 0;
	cr_assert_eq(step(d, SMALL), -ENODEV);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* The guest uses that number otherwise. */
Test(pci_line, guest_has_another)
{
	struct domain *d = pw_build();

	cr_assert_eq(arch_virq_link(d, VPCI_FIRST_VIRQ, 40), 0);
	cr_assert_eq(pw_assign(d, SMALL), -EBUSY);
	cr_assert_geq(hv_restarts, 100, "a second");
	expect_line(hv_dom0, LINE);
	arch_virq_unlink(d, VPCI_FIRST_VIRQ);
	cr_assert_eq(pw_assign(d, SMALL), 0);
	expect_line(d, VPCI_FIRST_VIRQ);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* dom0 does: the function goes back all the same, without its line. */
Test(pci_line, dom0_has_another)
{
	struct domain *d = pw_build();

	cr_assert_eq(pw_assign(d, SMALL), 0);
	cr_assert_eq(arch_virq_link(hv_dom0, LINE, 40), 0);
	cr_assert_eq(pw_deassign(d, SMALL), 0);
	cr_assert_eq(desc()->owner, IRQ_NOBODY);
	cr_assert_eq(pw_seen[SMALL], NULL);
	arch_virq_unlink(hv_dom0, LINE);
	cr_assert_eq(pw_assign(d, SMALL), 0, "by messages");
	cr_assert_eq(desc()->owner, IRQ_NOBODY);
	cr_assert_eq(hv_destroy(d->id), 0);
}

Test(pci_line, after_an_error)
{
	struct domain *d = pw_build();

	pw_add_rc = -ENOSPC;
	cr_assert_eq(pw_assign(d, SMALL), -ENOSPC);
	expect_line(hv_dom0, LINE);
	pw_add_rc = 0;
	pw_fail_stream = STREAM0 + SMALL;
	pw_attach_rc = -ENOSPC;
	cr_assert_eq(pw_assign(d, SMALL), -EIO);
	cr_assert_neq(desc()->domain, d);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_neq(desc()->domain, d);
}

/* ---- behind bridges ------------------------------------------------------ */

static void put(uint32_t bdf, uint32_t pin, uint32_t behind)
{
	memset(&pw_config[bdf * 4096u], 0, 4096);
	pw_set((uint16_t)bdf, 0, 4, 0x10421af4);
	pw_set((uint16_t)bdf, 0xe, 1, behind ? 1 : 0);
	pw_set((uint16_t)bdf, 0x19, 1, behind);
	pw_set((uint16_t)bdf, PIN, 1, pin);
}

/* What pci_line_find() finds for @bdf, and in how many steps. */
static uint32_t find(uint16_t bdf, uint32_t *steps)
{
	struct pci_function f = { .host = &pw_host, .bdf = bdf };
	int rc;

	*steps = 0;
	do {
		rc = pci_line_find(&f);
		cr_assert(rc == 0 || rc == -EAGAIN);
		cr_assert_lt((*steps)++, 1000);
	} while (rc);
	return f.line;
}

Test(pci_line, bridges)
{
	uint32_t n;

	pw_host.last_bus = 2;
	put(BRIDGE, 0, 1);       /* slot 4 */
	put(0x108, 0, 2);        /* 01:01.0 */
	put(0x218, 2, 0);        /* 02:03.0, pin B: at 01:01.0 A */
	cr_expect_eq(find(0x218, &n), 0, "which is that of SMALL");
	cr_expect_eq(find(SMALL, &n), 0);
	pw_set(SMALL, PIN, 1, 0);
	cr_expect_eq(find(0x218, &n), LINE0 + (4 + 1) % 4);
	cr_expect_eq(n, 6, "a bus a step: %u", n);
	pw_set(SMALL, PIN, 1, 2);
	cr_expect_eq(find(SMALL, &n), LINE0 + 2);
	/* A bridge on the way, that is off and then is not. */
	pw_set(0x108, PIN, 1, 2);
	pw_set(0x108, COMMAND, 2, NO_INTX);
	cr_expect_eq(find(SMALL, &n), LINE0 + 2);
	pw_set(0x108, COMMAND, 2, 0);
	cr_expect_eq(find(SMALL, &n), 0);
	/* The functions of a device with many. */
	pw_set(0x108, PIN, 1, 0);
	put(0x221, 2, 0);
	cr_expect_eq(find(SMALL, &n), LINE0 + 2, "there is no 02:04.0");
	put(0x220, 0, 0);
	cr_expect_eq(find(SMALL, &n), LINE0 + 2, "which has one");
	pw_set(0x220, 0xe, 1, 0x80);
	cr_expect_eq(find(SMALL, &n), 0);
}

/* Bridges that lead back, to themselves or out of the host. */
Test(pci_line, hostile_bridges)
{
	uint32_t n;

	pw_host.last_bus = 2;
	put(BRIDGE, 1, 1);
	put(0x100, 1, 1);
	put(0x108, 1, 0xff);
	put(0x110, 1, 0);
	pw_set(0x110, 0xe, 1, 1);
	pw_set(0x110, 0x19, 1, 0);
	for (uint32_t bdf = 0x118; bdf < 0x200; bdf++) {
		put(bdf, 0xff, 2);
	}
	cr_expect_eq(find(0x200, &n), 0);
	(void)find(SMALL, &n);
	cr_expect_leq(n, 7);
}
