/* SPDX-License-Identifier: Apache-2.0 */
/* A domain with static memory gives some up and wants it back. */
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c core/memory_map.c core/memory_acquire.c
// LINK: core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c
// LINK: core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/heap.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
#include <criterion/criterion.h>

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <hv/static_mem.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)  /* the structure */
#define LIST UINT64_C(0x12000) /* arrays */
#define HOME UINT64_C(0x40800)

static struct domain *d;
static struct static_mem home = {
	.nr = 1, .piece = { { .gfn = 0x200, .mfn = HOME, .nr = 8 } },
};

/* How many of @nr frames from @g on were done. */
static int64_t reservation(uint64_t op, uint64_t g, uint64_t nr)
{
	uint64_t args[5] = { op, ARG };
	xen_memory_reservation_t r = { .nr_extents = nr, .domid = DOMID_SELF };

	for (uint64_t i = 0; i < nr; i++) {
		uint64_t frame = g + i;

		guest_put(d, LIST + i * 8, &frame, 8);
	}
	r.extent_start.q = LIST;
	guest_put(d, ARG, &r, sizeof(r));
	return hypercall_dispatch(d->vcpu[0], __HYPERVISOR_memory_op, args);
}

static void setup(void)
{
	world_init(64);
	d = world_domain(3, false, 1);
	world_ram(d, ARG / PAGE_SIZE, 8);
	cr_assert_eq(dom_claim_range(d, mfn(HOME), 8), 0);
	for (uint64_t i = 0; i < 8; i++) {
		cr_assert_eq(p2m_map_ram(d, gfn(0x200 + i), mfn(HOME + i), 0,
					 P2M_RAM_RW), 0);
	}
	d->static_mem = &home;
}

static void teardown(void)
{
	d->static_mem = NULL;
	cr_assert_eq(world_log.refs, 0);
	cr_assert_eq(world_fini(), 0);
}

Test(memory_static, comes_back_from_where_it_was, .init = setup,
     .fini = teardown)
{
	struct page *pg = page_of(mfn(HOME + 3));

	cr_assert_eq(reservation(XENMEM_decrease_reservation, 0x203, 4), 4);
	cr_assert_eq(d->tot_pages, 8 + 8, "it is still its own");
	cr_assert_eq(pg->count, 1);
	cr_assert_eq(pg->owner, d->id);
	cr_assert_eq(p2m_lookup(d, gfn(0x203)).type, P2M_NONE);
	cr_assert_eq(reservation(XENMEM_populate_physmap, 0x203, 4), 4);
	cr_assert_eq(p2m_lookup(d, gfn(0x206)).mfn.v, HOME + 6);
	cr_assert_eq(pg->count, 2);
	/* There is no more, not even from the heap, which has some. */
	cr_assert_eq(reservation(XENMEM_populate_physmap, 0x208, 1), 0);
	cr_assert_eq(reservation(XENMEM_populate_physmap, 0x206, 1), 0,
		     "it is there already");
}
