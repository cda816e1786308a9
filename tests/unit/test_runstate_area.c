/* SPDX-License-Identifier: Apache-2.0 */
/* Where a guest keeps the copy of a vCPU's run state, and what that pins. */
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c core/static_mem.c core/heap.c core/memory_map.c
// LINK: core/memory_acquire.c
// LINK: core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c
// LINK: core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/runstate.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/p2m.c core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
#include <criterion/criterion.h>

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define ARG  UINT64_C(0x10000)
#define LIST UINT64_C(0x12000)
#define BAD  UINT64_C(0x999000)

static struct domain *d0, *d1;
static struct vcpu *v1;

static void setup(void)
{
	world_init(32);
	d0 = world_domain(0, true, 2);
	d1 = world_domain(1, false, 2);
	v1 = d1->vcpu[0];
	world_ram(d0, 0x10, 8);
	world_ram(d1, 0x10, 8);
}

static void teardown(void)
{
	cr_assert_eq(world_log.refs, 0);
	cr_assert_eq(world_fini(), 0);
}

TestSuite(runstate_area, .init = setup, .fini = teardown);

static int64_t call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t args[5] = {a, b, c};

	return hypercall_dispatch(v1, nr, args);
}

static int64_t area_at(uint64_t id, uint64_t va)
{
	guest_put(d1, ARG, &va, sizeof(va));
	return call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area,
		    id, ARG);
}

static struct page *page_at(uint64_t va)
{
	return page_of(p2m_lookup(d1, gfn(va >> PAGE_SHIFT)).mfn);
}

/* state_entry_time of the copy at @va. */
static uint64_t copy_at(uint64_t va)
{
	struct vcpu_runstate_info r;

	guest_get(d1, va, &r, sizeof(r));
	return r.state_entry_time;
}

Test(runstate_area, is_pinned_where_it_is)
{
	uint64_t va = ARG + 0x3100;
	struct page *pg = page_at(va);

	v1->runstate_entry_ns = 77;
	cr_assert_eq(area_at(0, va), 0);
	cr_assert_eq(copy_at(va), 77);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(area_at(0, va + 8), 0);
	cr_assert_eq(pg->count, 3);
	fake_nr_translations = 0;
	v1->runstate_entry_ns = 78;
	vcpu_runstate_publish(v1);
	cr_assert_eq(fake_nr_translations, 0);
	cr_assert_eq(copy_at(va + 8), 78);
	/* Refusals leave it. */
	cr_assert_eq(area_at(0, BAD), -EINVAL);
	cr_assert_eq(area_at(0, UINT64_MAX - 3), -EINVAL);
	cr_assert_eq(area_at(1, UINT64_MAX - 3), -EINVAL);
	cr_assert_eq(area_at(2, va), -ENOENT);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(area_at(0, 0), 0);
	cr_assert_eq(pg->count, 2);
	v1->runstate_entry_ns = 79;
	vcpu_runstate_publish(v1);
	cr_assert_eq(copy_at(va + 8), 78);
}

Test(runstate_area, across_two_pages)
{
	uint64_t va = ARG + 0x3ff0;

	v1->runstate_entry_ns = 77;
	v1->runstate_ns[3] = 99;
	cr_assert_eq(area_at(0, va), 0);
	cr_assert_eq(copy_at(va), 77);
	cr_assert_eq(guest_get_u64(d1, va + 40), 99);
	cr_assert_eq(page_at(va)->count, 3);
	cr_assert_eq(page_at(va + 0x1000)->count, 3);
	/* The second one is missing. */
	cr_assert_eq(area_at(0, UINT64_C(0x17ff0)), -EINVAL);
	cr_assert_eq(area_at(0, 0), 0);
	cr_assert_eq(page_at(va)->count, 2);
	cr_assert_eq(page_at(va + 0x1000)->count, 2);
	cr_assert_eq(page_at(UINT64_C(0x17ff0))->count, 2);
}

/* The guest gives the page away: it is written no more than it is anybody's. */
Test(runstate_area, outlives_its_page)
{
	struct xen_memory_reservation r = {.nr_extents = 1,
					   .domid = DOMID_SELF};
	uint64_t va = ARG + 0x3100, list = va >> PAGE_SHIFT;
	struct page *pg = page_at(va);
	uint64_t had = d1->tot_pages, free = page_alloc_nr_free();

	cr_assert_eq(area_at(0, va), 0);
	r.extent_start.p = (void *)(uintptr_t)LIST;
	guest_put(d1, LIST, &list, sizeof(list));
	guest_put(d1, ARG, &r, sizeof(r));
	cr_assert_eq(call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation,
			  ARG, 0),
		     1);
	cr_assert_eq(d1->tot_pages, had - 1);
	cr_assert_eq(page_alloc_nr_free(), free); /* ours, still */
	cr_assert_eq(pg->count, 1);
	cr_assert_eq(page_owner(pg), d1->id);
	vcpu_runstate_publish(v1);
	cr_assert_eq(area_at(0, 0), 0);
	cr_assert_eq(page_alloc_nr_free(), free + 1);
}

/* A window that stays must not keep what another domain lends. */
Test(runstate_area, is_the_domains_own)
{
	mfn_t m = p2m_lookup(d0, gfn(0x15)).mfn;
	struct page *pg = page_of(m);

	cr_assert(page_get(pg));
	cr_assert_eq(p2m_map_page(d1, gfn(0x40), pg, P2M_FOREIGN_RW), 0);
	cr_assert_eq(area_at(0, UINT64_C(0x40000)), -EINVAL);
	cr_assert_eq(area_at(0, UINT64_C(0x3fff0)), -EINVAL);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(v1->runstate_area, RUNSTATE_AREA_NONE);
}

/* By another vCPU: taken up when it is published next, and tried until then. */
Test(runstate_area, of_another)
{
	uint64_t va = ARG + 0x3100, unmapped = UINT64_C(0x50000);
	struct vcpu *t = d1->vcpu[1];
	struct page *pg = page_at(va);

	t->runstate_entry_ns = 55;
	cr_assert_eq(area_at(1, va), 0);
	cr_assert_eq(t->runstate_area, RUNSTATE_AREA_TOLD);
	cr_assert_eq(pg->count, 2);
	vcpu_runstate_publish(t);
	cr_assert_eq(t->runstate_area, RUNSTATE_AREA_TAKEN);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(copy_at(va), 55);
	t->runstate_entry_ns = 56;
	cr_assert_eq(area_at(1, unmapped), 0);
	vcpu_runstate_publish(t);
	cr_assert_eq(t->runstate_area, RUNSTATE_AREA_TOLD);
	cr_assert_eq(pg->count, 2);
	cr_assert_eq(copy_at(va), 55);
	world_ram(d1, unmapped >> PAGE_SHIFT, 1);
	vcpu_runstate_publish(t);
	cr_assert_eq(copy_at(unmapped), 56);
	cr_assert_eq(area_at(1, 0), 0);
	vcpu_runstate_publish(t);
	cr_assert_eq(page_at(unmapped)->count, 2);
}
