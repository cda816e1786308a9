/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions of domains of the device tree beside dom0: dom0 never has any
 * part of them, its toolstack cannot give them away, and the rest stays as is.
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
// LINK: core/mmio.c boot/pci_keep.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/mmio.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "boot/fdt_dom.h"
#include "boot/pci.h"
#include "fake_pci_world.h"

#define ECAM_MFN UINT64_C(0x20000)

struct boot_domain boot_domains[MAX_BOOT_DOMAINS];
uint32_t nr_boot_domains;
static struct xen_domctl op;

const struct pci_host *boot_pci_hosts(void)
{
	return &pw_host;
}

static void start(void)
{
	pw_start();
	pw_host.ecam_base = ECAM_MFN << PAGE_SHIFT;
	cr_assert_eq(p2m_map_mmio(hv_dom0, gfn(ECAM_MFN), mfn(ECAM_MFN), 256,
				  P2M_MMIO_DIRECT), 0);
	nr_boot_domains = 2;
	boot_domains[0].pci = (struct boot_pci){ .sbdf = { SMALL, PLAIN },
						 .nr = 2 };
	boot_domains[1].pci = (struct boot_pci){ .sbdf = { BRIDGE }, .nr = 1 };
}

static void right(void)
{
	cr_assert(pw_is_right());
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
}

TestSuite(pci_keep, .init = start, .fini = right);

static bool has_page(uint16_t bdf)
{
	struct p2m_entry e = p2m_lookup(hv_dom0, gfn(ECAM_MFN + bdf));

	return e.type == P2M_MMIO_DIRECT;
}

static int64_t hold(uint32_t cmd, domid_t id, uint32_t sbdf)
{
	op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	op.u.assign_device.flags = 0;
	op.u.assign_device.u.pci.machine_sbdf = sbdf;
	return hv_domctl(cmd, id, &op);
}

Test(pci_keep, nothing_is_dom0s)
{
	struct mmio_access a = { .offset = SMALL << 12, .size = 4 };
	const struct mmio_range *r;

	boot_pci_keep();
	cr_assert(!boot_domains[0].refused && boot_domains[1].refused);
	right();
	cr_assert(pci_is_kept(SMALL) && pci_is_kept(PLAIN));
	cr_assert(!pci_is_kept(LARGE) && !pci_is_kept(BRIDGE));
	cr_assert_eq(pw_root[SMALL], 0);
	cr_assert(!has_page(SMALL) && !has_page(PLAIN));
	for (uint16_t bdf = 0; bdf < 256; bdf++) {
		cr_assert_eq(has_page(bdf), bdf != SMALL && bdf != PLAIN);
	}
	r = mmio_find(hv_dom0, ipa((ECAM_MFN + SMALL) << 12));
	cr_assert_not_null(r);
	cr_assert_eq(r->size, 0x100000);
	cr_assert_eq(r->fn(NULL, &a, r->opaque), MMIO_OK);
	cr_assert_eq(a.value, UINT64_MAX);
	a.write = true;
	a.value = 0;
	cr_assert_eq(r->fn(NULL, &a, r->opaque), MMIO_OK);
	cr_assert_eq(pw_get(SMALL, 0, 4), 0x10421af4, "as it was");
	cr_assert_eq(pw_get(SMALL, 4, 2) & 7, 0, "quiet");
}

/* To its domain, by a reset to nobody, and to another one. */
Test(pci_keep, lives)
{
	struct domain *d = pw_build();
	struct domain *e = pw_build();

	boot_pci_keep();
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(pw_give(d, SMALL), 0);
		cr_assert_eq(pw_seen[SMALL], d);
		pw_messages[SMALL] = d;
		right();
		cr_assert_eq(pw_give(e, SMALL), -EBUSY);
		while (pci_release_step(d) == -EAGAIN) {
			fake_time_ns += 10000000;
			cr_assert(pw_is_right());
		}
		cr_assert_eq(pw_resets[SMALL], i + 1);
		cr_assert_eq(pw_root[SMALL], 0);
		cr_assert_null(pw_messages[SMALL]);
		right();
	}
	cr_assert_eq(pw_give(e, SMALL), 0);
	cr_assert_eq(hv_destroy(e->id), 0);
	right();
	cr_assert(pci_is_given(ID0 + SMALL), "not dom0's, ever");
	/* One that has no reset is as quiet. */
	cr_assert_eq(pw_give(d, PLAIN), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(pw_root[PLAIN], 0);
}

/* The rest of the bus is dom0's, and the toolstack's to give. */
Test(pci_keep, toolstack)
{
	struct domain *d = pw_build();

	boot_pci_keep();
	cr_assert_eq(pw_assign(d, SMALL), -EBUSY);
	cr_assert_eq(hold(XEN_DOMCTL_assign_device, DOMID_IO, SMALL), -EBUSY);
	cr_assert_eq(hold(XEN_DOMCTL_deassign_device, DOMID_IO, SMALL),
		     -EBUSY);
	cr_assert_eq(hold(XEN_DOMCTL_test_assign_device, DOMID_INVALID, SMALL),
		     -EBUSY);
	cr_assert_eq(pw_deassign(d, SMALL), -EINVAL);
	cr_assert_eq(pw_assign(d, LARGE), 0);
	right();
	cr_assert_eq(pw_deassign(d, LARGE), 0);
	cr_assert_eq(pw_root[LARGE], pw_root[BRIDGE]);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* What dom0 places over it later is not given away. */
Test(pci_keep, somebody_in_its_bars)
{
	struct domain *d = pw_build();
	uint32_t was = pw_get(LARGE, 0x18, 4);

	boot_pci_keep();
	pw_keeps[LARGE][2] = ~0x7fffu;
	pw_set(LARGE, 0x18, 4, pw_get(PLAIN, 0x10, 4) | 4);
	cr_assert_eq(pw_assign(d, LARGE), -ENODEV);
	pw_set(LARGE, 0x18, 4, was);
	cr_assert_eq(pw_assign(d, LARGE), 0);
	cr_assert_eq(hv_destroy(d->id), 0);
}

/* dom0 has what could not be kept from it; nothing is half kept. */
Test(pci_keep, refused)
{
	boot_domains[0].pci = (struct boot_pci){
		.sbdf = { SMALL, NONE, LARGE }, .nr = 3 };
	boot_domains[1].pci = (struct boot_pci){ .sbdf = { PLAIN }, .nr = 1 };
	pw_set(PLAIN, 0x10, 4, 0); /* found no room */
	boot_pci_keep();
	cr_assert(boot_domains[0].refused && boot_domains[1].refused);
	cr_assert(pci_is_kept(SMALL), "nobody's, with its domain refused");
	cr_assert(!pci_is_kept(LARGE) && !pci_is_kept(PLAIN));
	cr_assert(has_page(LARGE) && has_page(PLAIN) && !has_page(SMALL));
	cr_assert_eq(pw_root[PLAIN], pw_root[BRIDGE]);
}

Test(pci_keep, refused_before)
{
	boot_domains[0].refused = true;
	boot_pci_keep();
	cr_assert(!pci_is_kept(SMALL) && has_page(SMALL));
	cr_assert_null(mmio_find(hv_dom0, ipa(ECAM_MFN << 12)));
}

/* No place for a model of its configuration: nobody's all the same. */
Test(pci_keep, too_many_models)
{
	struct mmio_range r = { .size = 0x1000, .fn = pci_config_absent };

	while (hv_dom0->mmio.nr < MMIO_MAX_RANGES) {
		r.start += 0x1000;
		cr_assert_eq(mmio_register(hv_dom0, &r), 0);
	}
	boot_pci_keep();
	cr_assert(boot_domains[0].refused);
	cr_assert(pci_is_kept(SMALL) && !pci_is_kept(PLAIN));
	cr_assert_eq(pw_root[SMALL], 0);
}

/* dom0's memory of it cannot be taken apart: nobody's, and lost. */
Test(pci_keep, not_dom0s_memory)
{
	cr_assert_eq(p2m_remove_page(hv_dom0, gfn(ECAM_MFN + SMALL),
				     P2M_MASK(P2M_MMIO_DIRECT)), 0);
	boot_pci_keep();
	cr_assert(boot_domains[0].refused, "-ENOENT");
	cr_assert(pci_is_kept(SMALL));
}

/* Linux asks function 0 whether there are others: these stay dom0's, unseen. */
Test(pci_keep, others_of_a_device)
{
	pw_set(SMALL, 0xe, 1, 0x80);
	memcpy(&pw_config[(SMALL + 3) * 4096u], &pw_config[PLAIN * 4096u],
	       4096);
	pw_set(SMALL + 3, 0x10, 4, 0);
	boot_pci_keep();
	cr_assert(pci_is_kept(SMALL) && !pci_is_kept(SMALL + 3));
	cr_assert(has_page(SMALL + 3) && !boot_domains[0].refused);
	cr_assert_eq(pw_root[SMALL + 3], pw_root[BRIDGE]);
}
