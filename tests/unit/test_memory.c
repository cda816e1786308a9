/* SPDX-License-Identifier: Apache-2.0 */
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
#include <string.h>

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)  /* the structure */
#define LIST UINT64_C(0x12000) /* arrays */

static struct domain *d0, *d1, *dd;

static void setup(void)
{
	world_init(64);
	d0 = world_domain(0, true, 1);
	d1 = world_domain(1, false, 1);
	dd = world_domain(3, true, 1);
	dd->direct_mapped = true;
	world_ram(d0, 0x10, 8);
	world_ram(d1, 0x10, 8);
	world_ram(dd, 0x10, 8);
}

static void teardown(void)
{
	fake_guest_hostile(false);
	cr_assert_eq(world_log.refs, 0);
	/* What a direct-mapped domain has given up is still its own. */
	while (dd->tot_pages > 0) {
		uint64_t m;

		for (m = 0x40000; m < 0x44000; m++) {
			struct page *pg = page_of(mfn(m));

			if (pg && page_get_owned(pg, dd->id)) {
				page_release_owner(dd, pg);
				page_put(pg);
			}
		}
	}
	cr_assert_eq(world_fini(), 0);
}

TestSuite(memory, .init = setup, .fini = teardown);

static unsigned int restarts;

/* As a guest sees it: run again until there is a result. */
static int64_t memory_op(struct domain *d, uint64_t cmd, uint64_t arg)
{
	uint64_t args[5] = { cmd, arg };
	int64_t rc;

	restarts = 0;
	for (;;) {
		rc = hypercall_dispatch(d->vcpu[0], __HYPERVISOR_memory_op,
					args);
		if (rc != HC_RESTARTED) {
			return rc;
		}
		cr_assert(d->vcpu[0]->arch.restarted);
		cr_assert_lt(restarts++, 1000);
	}
}

static int64_t reservation(struct domain *d, uint64_t cmd, domid_t domid,
			   uint64_t nr, unsigned int order)
{
	xen_memory_reservation_t r = { .nr_extents = nr,
				       .extent_order = order,
				       .domid = domid };

	r.extent_start.q = LIST;
	guest_put(d, ARG, &r, sizeof(r));
	return memory_op(d, cmd, ARG);
}

static void put_list(struct domain *d, uint64_t first, uint64_t step,
		     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		uint64_t g = first + i * step;

		guest_put(d, LIST + i * 8, &g, 8);
	}
}

static int type_at(struct domain *d, uint64_t g)
{
	return p2m_lookup(d, gfn(g)).type;
}

Test(memory, populate_and_decrease_in_steps)
{
	put_list(d1, 0x100, 1, 512);
	fake_guest_hostile(false);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 512,
				 0), 512);
	cr_assert_eq(restarts, 7); /* 64 extents a step */
	cr_assert_eq(d1->tot_pages, 8 + 512);
	cr_assert_eq(type_at(d1, 0x2ff), P2M_RAM_RW);
	cr_assert_eq(d1->vcpu[0]->cont.key, 0);
	cr_assert_eq(reservation(d1, XENMEM_decrease_reservation, DOMID_SELF,
				 512, 0), 512);
	cr_assert_eq(d1->tot_pages, 8);
	cr_assert_eq(type_at(d1, 0x100), P2M_NONE);
}

Test(memory, list_is_read_once)
{
	unsigned int i;

	put_list(d1, 0x100, 1, 10);
	fake_guest_hostile(true);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 10,
				 0), 10);
	for (i = 0; i < 80; i++) {
		cr_assert_eq(guest_reads(d1, LIST + i), 1);
	}
	for (i = 0; i < sizeof(xen_memory_reservation_t); i++) {
		cr_assert_eq(guest_reads(d1, ARG + i), 1);
	}
}

Test(memory, populate_superpages_and_alignment)
{
	put_list(d1, 0x400, 512, 4);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 4,
				 9), 4);
	cr_assert_eq(p2m_lookup(d1, gfn(0x600)).order, 9);
	cr_assert_eq(reservation(d1, XENMEM_decrease_reservation, DOMID_SELF,
				 1, 9), 1);
	put_list(d1, 0x4001, 1, 1);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 1,
				 1), 0);
	put_list(d1, 0x40000, 1, 1);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 1,
				 18), 0); /* too large: none done, no error */
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 1,
				 ~0u), 0);
}

Test(memory, stops_at_the_first_that_cannot_be_done)
{
	uint64_t tot = d1->tot_pages;

	put_list(d1, 0x0e, 1, 10); /* the third is there already */
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 10,
				 0), 2);
	cr_assert_eq(d1->tot_pages, tot + 2);
	d1->max_pages = tot + 5;
	put_list(d1, 0x1000, 1, 10);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 10,
				 0), 3);
	put_list(d1, 0x1001, 1, 10);
	cr_assert_eq(reservation(d1, XENMEM_decrease_reservation, DOMID_SELF,
				 10, 0), 2);
	put_list(d1, UINT64_MAX, 1, 1);
	cr_assert_eq(reservation(d1, XENMEM_decrease_reservation, DOMID_SELF,
				 1, 0), 0);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 1,
				 0), 0);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF,
				 UINT64_MAX, 0), 0);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF,
				 UINT32_MAX, 0), 0);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 0,
				 0), 0);
}

Test(memory, failed_map_gives_the_frames_back)
{
	uint64_t before = page_alloc_nr_free();

	put_list(d1, 0x100, 1, 1);
	fake_p2m_fail_in = 1;
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, DOMID_SELF, 1,
				 0), 0);
	cr_assert_eq(page_alloc_nr_free(), before);
	cr_assert_eq(d1->tot_pages, 8);
}

Test(memory, direct_mapped_domain_gets_the_same_frame_back)
{
	uint64_t g = 0x40800;
	struct page *pg;

	cr_assert_eq(dom_claim_range(dd, mfn(g), 512), 0);
	cr_assert_eq(p2m_map_ram(dd, gfn(g), mfn(g), 9, P2M_RAM_RW), 0);
	put_list(dd, g + 3, 1, 4);
	cr_assert_eq(reservation(dd, XENMEM_decrease_reservation, DOMID_SELF,
				 4, 0), 4);
	cr_assert_eq(dd->tot_pages, 8 + 512);
	cr_assert_eq(type_at(dd, g + 3), P2M_NONE);
	pg = page_of(mfn(g + 3));
	cr_assert_eq(pg->count, 1);
	cr_assert_eq(pg->owner, dd->id);
	cr_assert_eq(reservation(dd, XENMEM_populate_physmap, DOMID_SELF, 4,
				 0), 4);
	cr_assert_eq(p2m_lookup(dd, gfn(g + 6)).mfn.v, g + 6);
	cr_assert_eq(pg->count, 2);
	/* Frames of nobody or of others are not to be had. */
	put_list(dd, 0x43000, 1, 1);
	cr_assert_eq(reservation(dd, XENMEM_populate_physmap, DOMID_SELF, 1,
				 0), 0);
	put_list(dd, p2m_lookup(d1, gfn(0x10)).mfn.v, 1, 1);
	cr_assert_eq(reservation(dd, XENMEM_populate_physmap, DOMID_SELF, 1,
				 0), 0);
}

Test(memory, only_the_control_domain_changes_others)
{
	put_list(d0, 0x100, 1, 2);
	put_list(d1, 0x100, 1, 2);
	cr_assert_eq(reservation(d0, XENMEM_populate_physmap, 1, 2, 0), 2);
	cr_assert_eq(type_at(d1, 0x101), P2M_RAM_RW);
	cr_assert_eq(type_at(d0, 0x101), P2M_NONE);
	cr_assert_eq(reservation(d1, XENMEM_populate_physmap, 0, 2, 0),
		     -EPERM);
	cr_assert_eq(reservation(d1, XENMEM_decrease_reservation, 1, 2, 0),
		     2);
	cr_assert_eq(reservation(d0, XENMEM_populate_physmap, 77, 2, 0), 0);
}

static int64_t claim(struct domain *d, domid_t domid, uint64_t nr)
{
	xen_memory_reservation_t r = { .nr_extents = nr, .domid = domid };

	guest_put(d, ARG, &r, sizeof(r));
	return memory_op(d, XENMEM_claim_pages, ARG);
}

Test(memory, claims_are_the_control_domains_and_well_formed)
{
	xen_memory_reservation_t r = { .nr_extents = 10, .domid = 1,
				       .extent_order = 1 };

	cr_assert_eq(claim(d1, 1, 10), -EPERM);
	cr_assert_eq(claim(d0, 77, 10), -EINVAL);
	cr_assert_eq(claim(d0, DOMID_SELF, 10), -EINVAL);
	guest_put(d0, ARG, &r, sizeof(r));
	cr_assert_eq(memory_op(d0, XENMEM_claim_pages, ARG), -EINVAL);
	r.extent_order = 0;
	r.mem_flags = 1;
	guest_put(d0, ARG, &r, sizeof(r));
	cr_assert_eq(memory_op(d0, XENMEM_claim_pages, ARG), -EINVAL);
	cr_assert_eq(claim(d0, 1, 10), 0);
	cr_assert_eq(d1->claimed_pages, 2);
	cr_assert_eq(claim(d0, 1, 0), 0);
	cr_assert_eq(page_alloc_nr_claimed(), 0);
}

static int64_t about(struct domain *d, uint64_t cmd, domid_t who)
{
	guest_put(d, ARG, &who, sizeof(who));
	return memory_op(d, cmd, ARG);
}

Test(memory, questions)
{
	cr_assert_eq(memory_op(d1, XENMEM_maximum_ram_page, 0), 0x44000);
	cr_assert_eq(about(d1, XENMEM_current_reservation, DOMID_SELF), 8);
	cr_assert_eq(about(d0, XENMEM_current_reservation, 1), 8);
	cr_assert_eq(about(d1, XENMEM_current_reservation, 0), -EPERM);
	cr_assert_eq(about(d0, XENMEM_current_reservation, 9), -ESRCH);
	cr_assert_eq(about(d1, XENMEM_maximum_reservation, DOMID_SELF),
		     INT64_MAX);
	d1->max_pages = 100;
	cr_assert_eq(about(d1, XENMEM_maximum_reservation, DOMID_SELF), 100);
	cr_assert_eq(about(d1, XENMEM_maximum_reservation, 0), -EPERM);
	cr_assert_eq(about(d1, XENMEM_maximum_gpfn, DOMID_SELF), 0x17);
	cr_assert_eq(about(d1, XENMEM_maximum_gpfn, 0), -EPERM);
	cr_assert_eq(reservation(d1, XENMEM_increase_reservation, DOMID_SELF,
				 3, 0), 0);
	cr_assert_eq(memory_op(d1, XENMEM_get_vnumainfo, ARG), -EOPNOTSUPP);
	guest_put(d0, ARG, (uint32_t[8]){ XENMEM_RDM_ALL, 7 }, 32);
	cr_assert_eq(memory_op(d0, XENMEM_reserved_device_memory_map, ARG), 0);
	cr_assert_eq(guest_get_u64(d0, ARG), XENMEM_RDM_ALL); /* and 0 */
	guest_put(d0, ARG, (uint32_t[8]){ XENMEM_RDM_ALL << 1, 7 }, 32);
	cr_assert_lt(memory_op(d0, XENMEM_reserved_device_memory_map, ARG), 0);
	/* Xen's own continuation bits above the command. */
	cr_assert_eq(about(d1, XENMEM_current_reservation | 64 << 6,
			   DOMID_SELF), 8);
}

Test(memory, commands_that_arm_has_not)
{
	static const uint8_t none[] = { 5, 8, 9, 10, 11, 12, 13, 16, 17, 18,
					19, 20, 21, 22, 25, 29, 30, 63 };
	unsigned int i;

	for (i = 0; i < sizeof(none); i++) {
		cr_assert_eq(memory_op(d0, none[i], ARG), -ENOSYS, "%u",
			     none[i]);
		cr_assert_eq(memory_op(d0, none[i], 0), -ENOSYS);
	}
	/* A bad address is refused; these tell extents done instead: none. */
	for (i = 0; i < 64; i++) {
		if (i == XENMEM_increase_reservation ||
		    i == XENMEM_decrease_reservation ||
		    i == XENMEM_populate_physmap) {
			cr_assert_eq(memory_op(d0, i, 0x999000), 0);
		} else if (i != XENMEM_maximum_ram_page) {
			cr_assert_lt(memory_op(d0, i, 0x999000), 0);
		}
	}
}

static int64_t add(struct domain *d, domid_t who, uint32_t space, uint64_t idx,
		   uint64_t g)
{
	xen_add_to_physmap_t a = { .domid = who, .space = space, .idx = idx,
				   .gpfn = g };

	guest_put(d, ARG, &a, sizeof(a));
	return memory_op(d, XENMEM_add_to_physmap, ARG);
}

Test(memory, shared_info_replaces_a_ram_page)
{
	struct page *pg = d1->shared_info_page;

	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_shared_info, 0, 0x17), 0);
	cr_assert_eq(type_at(d1, 0x17), P2M_XEN_RW);
	cr_assert_eq(p2m_lookup(d1, gfn(0x17)).mfn.v, page_mfn(pg).v);
	cr_assert_eq(pg->count, 2);
	cr_assert_eq(d1->tot_pages, 7);
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_shared_info, 1, 0x17),
		     -EINVAL);
	cr_assert_eq(pg->count, 2);
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_shared_info, 0,
			 UINT64_MAX), -EINVAL);
	cr_assert_eq(pg->count, 2);
	cr_assert_eq(add(d1, 0, XENMAPSPACE_shared_info, 0, 0x17), -EPERM);
	cr_assert_eq(add(d0, 1, XENMAPSPACE_shared_info, 0, 0x400), 0);
	cr_assert_eq(pg->count, 3);
}

Test(memory, grant_table_frames)
{
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_grant_table, 0, 0x38000),
		     0);
	cr_assert_eq(type_at(d1, 0x38000), P2M_XEN_RW);
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_grant_table,
			 WORLD_GRANT_FRAMES, 0x38001), -EINVAL);
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_grant_table,
			 XENMAPIDX_grant_table_status, 0x38001), -EINVAL);
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_grant_table,
			 UINT64_C(1) << 32, 0x38001), -EINVAL);
	for (uint32_t space = 2; space < 9; space++) {
		cr_assert_eq(add(d0, DOMID_SELF, space, 0, 0x38001), -ENOSYS);
	}
}

static int64_t remove_page(struct domain *d, domid_t who, uint64_t g)
{
	xen_remove_from_physmap_t a = { .domid = who, .gpfn = g };

	guest_put(d, ARG, &a, sizeof(a));
	return memory_op(d, XENMEM_remove_from_physmap, ARG);
}

Test(memory, remove_from_physmap)
{
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_shared_info, 0, 0x30), 0);
	cr_assert_eq(remove_page(d1, DOMID_SELF, 0x30), 0);
	cr_assert_eq(remove_page(d1, DOMID_SELF, 0x30), -ENOENT);
	cr_assert_eq(remove_page(d1, DOMID_SELF, UINT64_MAX), -ENOENT);
	cr_assert_eq(d1->shared_info_page->count, 1);
	cr_assert_eq(remove_page(d1, DOMID_SELF, 0x17), 0);
	cr_assert_eq(d1->tot_pages, 7);
	cr_assert_eq(remove_page(d1, 0, 0x17), -EPERM);
	cr_assert_eq(remove_page(d0, 1, 0x16), 0);
	cr_assert_eq(p2m_map_mmio(d1, gfn(0x50), mfn(0x9000), 1,
				  P2M_MMIO_DEV), 0);
	cr_assert_eq(remove_page(d1, DOMID_SELF, 0x50), -EINVAL);
}

static int64_t batch(struct domain *d, domid_t who, uint16_t space,
		     domid_t owner, uint16_t nr)
{
	xen_add_to_physmap_batch_t a = { .domid = who, .space = space,
					 .size = nr };

	a.u.foreign_domid = owner;
	a.idxs.q = LIST;
	a.gpfns.q = LIST + 0x1000;
	a.errs.q = LIST + 0x2000;
	guest_put(d, ARG, &a, sizeof(a));
	return memory_op(d, XENMEM_add_to_physmap_batch, ARG);
}

static void put_pair(struct domain *d, unsigned int i, uint64_t idx,
		     uint64_t g)
{
	guest_put(d, LIST + i * 8, &idx, 8);
	guest_put(d, LIST + 0x1000 + i * 8, &g, 8);
}

static int err_of(struct domain *d, unsigned int i)
{
	int32_t e;

	guest_get(d, LIST + 0x2000 + i * 4, &e, sizeof(e));
	return e;
}

Test(memory, foreign_pages_are_mapped_with_a_reference)
{
	struct page *pg = page_of(p2m_lookup(d1, gfn(0x12)).mfn);

	put_pair(d0, 0, 0x12, 0x500);
	put_pair(d0, 1, 0x99, 0x501);
	put_pair(d0, 2, 0x13, 0x502);
	fake_guest_hostile(true);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 1, 3),
		     0);
	cr_assert_eq(guest_reads(d0, LIST + 8), 1);
	cr_assert_eq(err_of(d0, 0), 0);
	cr_assert_eq(err_of(d0, 1), -EINVAL);
	cr_assert_eq(err_of(d0, 2), 0);
	cr_assert_eq(type_at(d0, 0x500), P2M_FOREIGN_RW);
	cr_assert_eq(pg->count, 3);
	fake_guest_hostile(false);
	/* The owner goes; the page stays until it is unmapped. */
	while (p2m_fini_step(d1) == -EAGAIN) {
	}
	cr_assert_eq(pg->count, 1);
	cr_assert_eq(pg->owner, 1);
	cr_assert_eq(d1->tot_pages, 0);
	cr_assert_eq(remove_page(d0, DOMID_SELF, 0x500), 0);
	cr_assert_eq(pg->count, 0);
	/* And nothing of it can be had any more. */
	put_pair(d0, 0, 0x14, 0x500);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 1, 1),
		     0);
	cr_assert_eq(err_of(d0, 0), -EINVAL);
}

Test(memory, foreign_rights)
{
	put_pair(d0, 0, 0x12, 0x500);
	put_pair(d1, 0, 0x12, 0x500);
	cr_assert_eq(batch(d1, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 1),
		     -EPERM);
	cr_assert_eq(batch(d1, 0, XENMAPSPACE_gmfn_foreign, 1, 1), -EPERM);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 1),
		     -EINVAL);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign,
			   DOMID_SELF, 1), -EINVAL);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 9, 1),
		     -ESRCH);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_grant_table, 1, 1),
		     -EOPNOTSUPP);
	/* A foreign page is not passed on. */
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 1, 1),
		     0);
	put_pair(dd, 0, 0x500, 0x500);
	cr_assert_eq(batch(dd, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 1),
		     0);
	cr_assert_eq(err_of(dd, 0), -EINVAL);
	/* Nor the hypervisor's own. */
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_shared_info, 0, 0x600),
		     0);
	put_pair(d0, 0, 0x600, 0x501);
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 1, 1),
		     0);
	cr_assert_eq(err_of(d0, 0), -EINVAL);
}

Test(memory, batch_in_steps)
{
	unsigned int i;

	world_ram(d1, 0x1000, 200);
	for (i = 0; i < 200; i++) {
		put_pair(d0, i, 0x1000 + i, 0x5000 + i);
	}
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 1, 200),
		     0);
	cr_assert_eq(restarts, 3);
	for (i = 0; i < 200; i++) {
		cr_assert_eq(err_of(d0, i), 0);
		cr_assert_eq(p2m_lookup(d0, gfn(0x5000 + i)).mfn.v,
			     p2m_lookup(d1, gfn(0x1000 + i)).mfn.v);
	}
	cr_assert_eq(batch(d0, DOMID_SELF, XENMAPSPACE_gmfn_foreign, 1, 0),
		     0);
}

static xen_mem_acquire_resource_t ar;

static int64_t acquire(struct domain *d)
{
	int64_t rc;

	guest_put(d, ARG, &ar, sizeof(ar));
	rc = memory_op(d, XENMEM_acquire_resource, ARG);
	guest_get(d, ARG, &ar, sizeof(ar));
	return rc;
}

Test(memory, acquire_grant_frames)
{
	ar = (xen_mem_acquire_resource_t){ .domid = 1, .type = 1 };
	cr_assert_eq(acquire(d0), 0);
	cr_assert_eq(ar.nr_frames, WORLD_GRANT_FRAMES);
	ar.frame_list.q = LIST;
	put_list(d0, 0x700, 1, 40);
	cr_assert_eq(acquire(d0), 0);
	cr_assert_eq(restarts, 1);
	cr_assert_eq(type_at(d0, 0x700), P2M_FOREIGN_RW);
	cr_assert_eq(type_at(d0, 0x727), P2M_FOREIGN_RW);
	/* The guest later maps the same frame itself. */
	cr_assert_eq(add(d1, DOMID_SELF, XENMAPSPACE_grant_table, 0, 0x38000),
		     0);
	cr_assert_eq(p2m_lookup(d1, gfn(0x38000)).mfn.v,
		     p2m_lookup(d0, gfn(0x700)).mfn.v);
	cr_assert_eq(remove_page(d0, DOMID_SELF, 0x700), 0);
	ar.frame = 39;
	ar.nr_frames = 1;
	cr_assert_eq(acquire(d0), 0);
}

Test(memory, acquire_refusals)
{
	const xen_mem_acquire_resource_t good = { .domid = 1, .type = 1,
						  .nr_frames = 1,
						  .frame_list.q = LIST };

	put_list(d0, 0x700, 1, 2);
	ar = good;
	cr_assert_eq(acquire(d1), -EPERM);
	ar = good;
	ar.domid = 0;
	cr_assert_eq(acquire(d0), -EPERM);
	ar.domid = 9;
	cr_assert_eq(acquire(d0), -ESRCH);
	ar = good;
	ar.pad = 1;
	cr_assert_eq(acquire(d0), -EINVAL);
	ar = good;
	ar.type = 0;
	cr_assert_eq(acquire(d0), -EOPNOTSUPP);
	ar.type = 2;
	cr_assert_eq(acquire(d0), -EOPNOTSUPP);
	ar = good;
	ar.id = 1;
	cr_assert_eq(acquire(d0), -EINVAL);
	ar = good;
	ar.frame = WORLD_GRANT_FRAMES;
	cr_assert_eq(acquire(d0), -EINVAL);
	ar.frame = UINT64_MAX;
	cr_assert_eq(acquire(d0), -EINVAL);
	ar = good;
	ar.frame_list.q = 0;
	cr_assert_eq(acquire(d0), -EINVAL);
	ar = good;
	ar.frame_list.q = UINT64_MAX - 4;
	cr_assert_eq(acquire(d0), -EFAULT);
}

/* A vCPU that does something else in between starts again, harmlessly. */
Test(memory, lost_position_starts_over)
{
	uint64_t args[5] = { XENMEM_populate_physmap, ARG };
	xen_memory_reservation_t r = { .nr_extents = 100,
				       .domid = DOMID_SELF };

	r.extent_start.q = LIST;
	put_list(d1, 0x100, 1, 100);
	guest_put(d1, ARG, &r, sizeof(r));
	cr_assert_eq(hypercall_dispatch(d1->vcpu[0], __HYPERVISOR_memory_op,
					args), HC_RESTARTED);
	cr_assert_eq(d1->vcpu[0]->cont.done, 64);
	d1->vcpu[0]->cont.done = 5000; /* beyond the list: the end */
	cr_assert_eq(hypercall_dispatch(d1->vcpu[0], __HYPERVISOR_memory_op,
					args), 100);
	d1->vcpu[0]->cont.key = 0;
	cr_assert_eq(hypercall_dispatch(d1->vcpu[0], __HYPERVISOR_memory_op,
					args), 0);
}
