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

#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

static struct xen_domctl op;

static void setup(void)
{
	hv_start(64, 2);
	memset(&op, 0, sizeof(op));
}

static void teardown(void)
{
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_v0->cont.key, 0);
}

TestSuite(domctl_memory, .init = setup, .fini = teardown);

static int64_t do_op(uint32_t cmd, domid_t id)
{
	return hv_domctl(cmd, id, &op);
}

static void nothing(void)
{
}

/* ---- limits of memory ---------------------------------------------------- */

Test(domctl_memory, max_mem)
{
	struct domain *d = hv_build(1, 4);

	op.u.max_mem.max_memkb = 4097 * 4 + 3;
	cr_assert_eq(do_op(XEN_DOMCTL_max_mem, d->id), 0);
	cr_assert_eq(d->max_pages, 4097);
	op.u.max_mem.max_memkb = 0; /* below what it has: no more growth */
	cr_assert_eq(do_op(XEN_DOMCTL_max_mem, d->id), 0);
	cr_assert_eq(d->max_pages, 0);
	cr_assert_eq(d->tot_pages, 4);
	op.u.max_mem.max_memkb = UINT64_MAX;
	cr_assert_eq(do_op(XEN_DOMCTL_max_mem, d->id), 0);
	cr_assert_eq(d->max_pages, UINT32_MAX);
}

Test(domctl_memory, mempool)
{
	struct domain *d = hv_build(1, 4);
	uint64_t *size = &op.u.paging_mempool.size;

	*size = 0x200000;
	cr_assert_eq(do_op(XEN_DOMCTL_set_paging_mempool_size, d->id), 0);
	*size = 1;
	cr_assert_eq(do_op(XEN_DOMCTL_get_paging_mempool_size, d->id), 0);
	cr_assert_eq(*size, 0x200000);
	*size = 0x200001;
	cr_assert_eq(do_op(XEN_DOMCTL_set_paging_mempool_size, d->id),
		     -EINVAL);
	cr_assert_eq(do_op(XEN_DOMCTL_set_paging_mempool_size, 0), -EINVAL);
	d->p2m.used_pages = 3;
	*size = 2 * PAGE_SIZE;
	cr_assert_eq(do_op(XEN_DOMCTL_set_paging_mempool_size, d->id),
		     -ENOMEM);
	cr_assert_eq(d->p2m.pool_pages, 0x200);
	*size = 3 * PAGE_SIZE;
	cr_assert_eq(do_op(XEN_DOMCTL_set_paging_mempool_size, d->id), 0);
	cr_assert_eq(d->p2m.pool_pages, 3);
	cr_assert_eq(do_op(XEN_DOMCTL_get_paging_mempool_size, 0), 0);
	cr_assert_eq(*size, 0); /* dom0 has no limit */
}

Test(domctl_memory, address_size)
{
	struct domain *d = hv_build(1, 1);

	op.u.address_size.size = 64;
	cr_assert_eq(do_op(XEN_DOMCTL_set_address_size, d->id), 0);
	op.u.address_size.size = 32;
	cr_assert_eq(do_op(XEN_DOMCTL_set_address_size, d->id), -EINVAL);
}

/* ---- caches -------------------------------------------------------------- */

static int64_t flush(domid_t id, uint64_t start, uint64_t nr)
{
	op.u.cacheflush.start_pfn = start;
	op.u.cacheflush.nr_pfns = nr;
	fake_nr_cache_cleans = 0;
	return do_op(XEN_DOMCTL_cacheflush, id);
}

Test(domctl_memory, cacheflush)
{
	struct domain *d = hv_build(1, 200);
	const uint64_t most = BIT64(MAX_ORDER);

	cr_assert_eq(flush(d->id, HV_GFN, 0), 0);
	cr_assert_eq(fake_nr_cache_cleans, 0);
	cr_assert_eq(flush(d->id, HV_GFN, 64), 0);
	cr_assert_eq(hv_restarts, 0);
	cr_assert_eq(fake_nr_cache_cleans, 64);
	cr_assert_eq(flush(d->id, HV_GFN - 5, 210), 0); /* 5 at each end */
	cr_assert_eq(hv_restarts, 3);
	cr_assert_eq(fake_nr_cache_cleans, 200);
	cr_assert_eq(flush(d->id, 0, most + 1), -EINVAL);
	cr_assert_eq(flush(d->id, UINT64_MAX, 2), -EINVAL);
	cr_assert_eq(flush(d->id, UINT64_MAX - 1, 1), 0); /* not there */
	cr_assert_eq(flush(d->id, 0, UINT64_MAX), -EINVAL);
	cr_assert_eq(flush(d->id, BIT64(20), most), 0);
	cr_assert_eq(hv_restarts, most / 64 - 1);
	cr_assert_eq(flush(0, HV_GFN, 3), 0);
	cr_assert_eq(fake_nr_cache_cleans, 3);
}

/* A position that is not its own, or beyond the end. */
Test(domctl_memory, cacheflush_position)
{
	struct domain *d = hv_build(1, 100);

	op.u.cacheflush.start_pfn = HV_GFN;
	op.u.cacheflush.nr_pfns = 100;
	hv_between = nothing;
	fake_nr_cache_cleans = 0;
	hc_cont_set_any(hv_v0, UINT64_MAX);
	cr_assert_eq(do_op(XEN_DOMCTL_cacheflush, d->id), 0);
	cr_assert_eq(fake_nr_cache_cleans, 0);
	cr_assert_eq(hv_v0->cont.key, 0);
	hc_cont_again(hv_v0, 99, 64); /* another call's: stays */
	op.u.cacheflush.nr_pfns = 10;
	cr_assert_eq(do_op(XEN_DOMCTL_cacheflush, d->id), 0);
	cr_assert_eq(fake_nr_cache_cleans, 10);
	cr_assert_eq(hv_v0->cont.key, 99);
	hc_cont_end(hv_v0);
}

/* ---- many in one call ---------------------------------------------------- */

Test(domctl_memory, in_a_multicall)
{
	struct domain *d = hv_build(1, 200);
	multicall_entry_t e[2] = {
		{ .op = __HYPERVISOR_domctl, .args = { HV_BUF } },
		{ .op = __HYPERVISOR_domctl, .args = { HV_BUF + 256 } },
	};

	op.cmd = XEN_DOMCTL_cacheflush;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = d->id;
	op.u.cacheflush.start_pfn = HV_GFN;
	op.u.cacheflush.nr_pfns = 200;
	guest_put(hv_dom0, HV_BUF, &op, sizeof(op));
	op.cmd = XEN_DOMCTL_destroydomain;
	guest_put(hv_dom0, HV_BUF + 256, &op, sizeof(op));
	guest_put(hv_dom0, HV_ARG, e, sizeof(e));
	fake_nr_cache_cleans = 0;
	cr_assert_eq(hv_call(__HYPERVISOR_multicall, HV_ARG, 2, 0), 0);
	cr_assert_eq(fake_nr_cache_cleans, 200);
	guest_get(hv_dom0, HV_ARG, e, sizeof(e));
	cr_assert_eq(e[0].result, 0);
	cr_assert_eq(e[1].result, 0);
	cr_assert_null(domain_next_get(1));
}
