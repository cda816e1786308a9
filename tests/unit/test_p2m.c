/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/p2m.c core/page_alloc.c core/page_claim.c
// LINK: core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/lock.c debug/lock_check.c arch/fake/mem.c
// LINK: arch/fake/p2m.c arch/fake/cpu.c arch/fake/last_words.c
// LINK: tests/fakes/fake_guest_mem.c tests/fakes/fake_world.c
#include <criterion/criterion.h>
#include <signal.h>

#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

static struct domain *d1, *d2;

static void setup(void)
{
	world_init(64);
	d1 = world_domain(1, false, 1);
	d2 = world_domain(2, false, 1);
}

static void teardown(void)
{
	cr_assert_eq(world_fini(), 0);
}

TestSuite(p2m, .init = setup, .fini = teardown);

static mfn_t alloc(struct domain *d, unsigned int order)
{
	mfn_t m;

	cr_assert_eq(dom_alloc_pages(d, order, &m), 0);
	return m;
}

Test(p2m, ram_mapping_holds_one_reference_a_frame)
{
	mfn_t m = alloc(d1, 9);
	struct p2m_entry e;

	cr_assert_eq(p2m_map_ram(d1, gfn(0x200), m, 9, P2M_RAM_RW), 0);
	e = p2m_lookup(d1, gfn(0x205));
	cr_assert_eq(e.mfn.v, m.v + 5);
	cr_assert_eq(e.type, P2M_RAM_RW);
	cr_assert_eq(e.order, 9);
	cr_assert_eq(d1->p2m.max_gfn, 0x3ff);
	cr_assert_eq(page_of(m)->count, 2);
	cr_assert_eq(p2m_remove_page(d1, gfn(0x205), P2M_MASK_RAM), 0);
	cr_assert_eq(page_of(mfn(m.v + 5))->count, 0);
	cr_assert_eq(page_of(mfn(m.v + 6))->count, 2);
	cr_assert_eq(p2m_remove_page(d1, gfn(0x205), P2M_MASK_RAM), -ENOENT);
}

Test(p2m, ram_must_be_the_domains_own)
{
	mfn_t m = alloc(d2, 0);

	cr_assert_eq(p2m_map_ram(d1, gfn(1), m, 0, P2M_RAM_RW), -EINVAL);
	cr_assert_eq(p2m_map_ram(d1, gfn(1), mfn(3), 0, P2M_RAM_RW), -EINVAL);
	cr_assert_eq(p2m_map_ram(d2, gfn(1), m, 0, P2M_FOREIGN_RW), -EINVAL);
	cr_assert_eq(p2m_map_ram(d2, gfn(1), m, 19, P2M_RAM_RW), -EINVAL);
	cr_assert_eq(p2m_map_ram(d2, gfn(BIT64(28)), m, 0, P2M_RAM_RW),
		     -EINVAL);
	cr_assert_eq(p2m_map_ram(d2, gfn(UINT64_MAX), m, 0, P2M_RAM_RW),
		     -EINVAL);
	cr_assert_eq(page_of(m)->count, 1);
	cr_assert_eq(p2m_map_ram(d2, gfn(BIT64(28) - 1), m, 0, P2M_RAM_RW),
		     0);
	cr_assert_eq(p2m_map_ram(d2, gfn(BIT64(28) - 1), m, 0, P2M_RAM_RW),
		     -EEXIST);
	cr_assert_eq(page_of(m)->count, 2);
}

Test(p2m, failed_map_leaves_nothing)
{
	mfn_t m = alloc(d1, 1);

	fake_p2m_fail_in = 1;
	cr_assert_eq(p2m_map_ram(d1, gfn(16), m, 1, P2M_RAM_RW), -ENOMEM);
	cr_assert_eq(page_of(m)->count, 1);
	cr_assert_eq(p2m_lookup(d1, gfn(16)).type, P2M_NONE);
	page_release_range(d1, m, 2);
}

static uint32_t count_at_tlbi;
static struct page *watched;

static void on_tlbi(struct domain *d, uint64_t g)
{
	(void)d;
	(void)g;
	count_at_tlbi = watched->count;
}

Test(p2m, reference_outlives_tlb_maintenance)
{
	world_ram(d1, 5, 1);
	watched = page_of(p2m_lookup(d1, gfn(5)).mfn);
	fake_p2m_on_tlbi = on_tlbi;
	cr_assert_eq(p2m_remove_page(d1, gfn(5), P2M_MASK_RAM), 0);
	cr_assert_eq(count_at_tlbi, 2);
	cr_assert_eq(watched->owner, OWNER_NONE); /* free, now */
	cr_assert_eq(d1->tot_pages, 0);
	fake_p2m_on_tlbi = NULL;
}

Test(p2m, mmio_is_not_counted_and_undone_whole)
{
	uint32_t at;

	/* Blocks of all sizes, then fail each of them in turn. */
	for (at = 1; at < 40; at++) {
		fake_p2m_fail_in = at;
		if (p2m_map_mmio(d1, gfn(0x1ff), mfn(0x1ff), 0x8402,
				 P2M_MMIO_DEV) == 0) {
			break;
		}
		cr_assert_eq(d1->arch.p2m->nr, 0);
	}
	fake_p2m_fail_in = 0;
	cr_assert_gt(at, 5);
	cr_assert_lt(at, 40);
	cr_assert_eq(p2m_lookup(d1, gfn(0x1fe)).type, P2M_NONE);
	cr_assert_eq(p2m_lookup(d1, gfn(0x1ff)).mfn.v, 0x1ff);
	cr_assert_eq(p2m_lookup(d1, gfn(0x8600)).mfn.v, 0x8600);
	cr_assert_eq(p2m_lookup(d1, gfn(0x8601)).type, P2M_NONE);
	cr_assert_null(p2m_get_page(d1, gfn(0x1ff), NULL));
	cr_assert_eq(p2m_map_mmio(d1, gfn(1), mfn(1), 1, P2M_RAM_RW), -EINVAL);
	cr_assert_eq(p2m_map_mmio(d1, gfn(BIT64(28) - 1), mfn(1), 2,
				  P2M_MMIO_DEV), -EINVAL);
	cr_assert_eq(p2m_map_mmio(d1, gfn(1), mfn(UINT64_MAX), 2,
				  P2M_MMIO_DEV), -EINVAL);
	/* A guest cannot take a device out of its map. */
	cr_assert_eq(p2m_remove_page(d1, gfn(0x1ff), P2M_MASK_RAM), -EINVAL);
	cr_assert_eq(p2m_lookup(d1, gfn(0x1ff)).type, P2M_MMIO_DEV);
}

/* It stays what it is, whatever the guest asks for. */
Test(p2m, a_doorbell_is_a_device)
{
	struct page *pg;

	world_ram(d2, 9, 1);
	pg = p2m_get_page(d2, gfn(9), NULL);
	cr_assert_eq(p2m_map_mmio(d1, gfn(0x90), mfn(0x90), 1, P2M_DOORBELL),
		     0);
	cr_expect_null(p2m_get_page(d1, gfn(0x90), NULL));
	cr_expect_eq(p2m_map_page(d1, gfn(0x90), pg, P2M_FOREIGN_RW), -EBUSY);
	cr_expect_eq(p2m_map_page(d1, gfn(0x91), pg, P2M_DOORBELL), -EINVAL);
	for (uint8_t t = P2M_RAM_RW; t < NR_P2M_TYPES; t++) {
		if (t != P2M_DOORBELL) {
			cr_expect_eq(p2m_remove_page(d1, gfn(0x90),
						     P2M_MASK(t)), -EINVAL);
		}
	}
	cr_expect_not(p2m_type_is_writable(P2M_DOORBELL));
	cr_expect_eq(p2m_lookup(d1, gfn(0x90)).type, P2M_DOORBELL);
	page_put(pg);
}

Test(p2m, map_page_replaces_ram_and_takes_the_reference)
{
	struct page *pg, *old;

	world_ram(d1, 7, 1);
	world_ram(d2, 9, 1);
	old = page_of(p2m_lookup(d1, gfn(7)).mfn);
	pg = p2m_get_page(d2, gfn(9), NULL);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(p2m_map_page(d1, gfn(7), pg, P2M_FOREIGN_RW), 0);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(old->count, 0);
	cr_assert_eq(d1->tot_pages, 0);
	cr_assert_eq(p2m_remove_page(d1, gfn(7), P2M_MASK_FOREIGN), 0);
	cr_assert_eq(pg->count, 2);
}

Test(p2m, map_page_in_a_direct_mapped_domain_keeps_the_frame)
{
	struct page *pg, *old;

	d1->direct_mapped = true;
	world_ram(d1, 7, 1);
	world_ram(d2, 9, 1);
	old = page_of(p2m_lookup(d1, gfn(7)).mfn);
	pg = p2m_get_page(d2, gfn(9), NULL);
	cr_assert_eq(p2m_map_page(d1, gfn(7), pg, P2M_FOREIGN_RW), 0);
	cr_assert_eq(old->count, 1);
	cr_assert_eq(old->owner, 1);
	page_release_owner(d1, old);
}

/* A region that domains share: two of them come and go, it stays. */
Test(p2m, a_shared_region)
{
	mfn_t m = mfn(FAKE_RAM_BASE >> PAGE_SHIFT);
	struct page *pg;

	cr_assert_eq(dom_alloc_pages(d2, ORDER_2M, &m), 0);
	cr_assert_eq(p2m_map_ram(d1, gfn(0x200), m, ORDER_2M, P2M_FOREIGN_RW),
		     -EINVAL, "not a region's");
	d2->tot_pages -= BIT64(ORDER_2M);
	for (uint64_t i = 0; i < BIT64(ORDER_2M); i++) {
		page_of(mfn(m.v + i))->owner = DOMID_IO;
	}
	cr_assert_eq(p2m_map_ram(d1, gfn(0x200), m, ORDER_2M, P2M_RAM_RW),
		     -EINVAL, "nor the domain's own");
	cr_assert_eq(p2m_map_ram(d1, gfn(0x200), m, ORDER_2M, P2M_FOREIGN_RW),
		     0);
	cr_assert_eq(p2m_map_ram(d2, gfn(0x400), m, 0, P2M_FOREIGN_RW), 0);
	cr_assert_eq(p2m_map_ram(d2, gfn(0x400), m, 0, P2M_FOREIGN_RW),
		     -EEXIST);
	pg = page_of(m);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(p2m_remove_page(d1, gfn(0x200), P2M_MASK_RAM), -EINVAL);
	cr_assert_eq(p2m_remove_page(d1, gfn(0x200), P2M_MASK_FOREIGN), 0);
	cr_assert_eq(pg->count, 2);
	while (p2m_fini_step(d2) == -EAGAIN) {
	}
	cr_assert_eq(pg->count, 1);
	cr_assert_eq(pg->owner, DOMID_IO);
	while (p2m_fini_step(d1) == -EAGAIN) {
	}
	for (uint64_t i = 0; i < BIT64(ORDER_2M); i++) {
		pg = page_of(mfn(m.v + i));
		cr_assert_eq(pg->count, 1);
		pg->owner = d2->id;
	}
	d2->tot_pages += BIT64(ORDER_2M);
	page_release_range(d2, m, BIT64(ORDER_2M));
}

Test(p2m, map_page_refuses_grants_and_devices)
{
	struct page *pg;

	world_ram(d2, 9, 1);
	pg = p2m_get_page(d2, gfn(9), NULL);
	cr_assert_eq(p2m_map_page(d1, gfn(7), pg, P2M_GRANT_RW), 0);
	pg = p2m_get_page(d2, gfn(9), NULL);
	cr_assert_eq(p2m_map_page(d1, gfn(7), pg, P2M_FOREIGN_RW), -EBUSY);
	cr_assert_eq(p2m_map_page(d1, gfn(8), pg, P2M_MMIO_DEV), -EINVAL);
	cr_assert_eq(p2m_map_page(d1, gfn(BIT64(28)), pg, P2M_GRANT_RW),
		     -EINVAL);
	fake_p2m_fail_in = 1;
	cr_assert_eq(p2m_map_page(d1, gfn(8), pg, P2M_FOREIGN_RW), -ENOMEM);
	cr_assert_eq(pg->count, 4); /* still ours */
	page_put(pg);
}

static struct domain *steal_from;

/* Another CPU takes the page away between look-up and reference. */
static void on_lookup(struct domain *d, uint64_t g)
{
	static int nr;
	mfn_t m;

	if (d != steal_from || ++nr != 2) {
		return;
	}
	fake_p2m_on_lookup = NULL;
	cr_assert_eq(p2m_remove_page(d, gfn(g), P2M_MASK_RAM), 0);
	cr_assert_eq(dom_alloc_pages(d2, 0, &m), 0);
	page_release_owner(d2, page_of(m));
}

Test(p2m, only_the_grant_mapping_of_that_page_goes)
{
	struct page *pg;
	struct page *other;

	world_ram(d1, 7, 1);
	world_ram(d2, 9, 2);
	pg = page_of(p2m_lookup(d2, gfn(9)).mfn);
	other = page_of(p2m_lookup(d2, gfn(10)).mfn);
	cr_assert(page_get(pg));
	cr_assert_eq(p2m_map_page(d1, gfn(8), pg, P2M_GRANT_RO), 0);
	cr_assert_eq(pg->count, 3);
	/* Another page, RAM, nothing, nowhere: there is nothing to do. */
	cr_assert_eq(p2m_remove_grant(d1, gfn(8), other), 0);
	cr_assert_eq(p2m_remove_grant(d2, gfn(9), pg), 0);
	cr_assert_eq(p2m_remove_grant(d1, gfn(5), pg), 0);
	cr_assert_eq(p2m_remove_grant(d1, gfn(BIT64(28)), pg), 0);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq(p2m_lookup(d1, gfn(8)).type, P2M_GRANT_RO);
	cr_assert_eq(p2m_remove_grant(d1, gfn(8), pg), 0);
	cr_assert_eq(p2m_lookup(d1, gfn(8)).type, P2M_NONE);
	cr_assert_eq(pg->count, 2);
	cr_assert_eq(p2m_remove_grant(d1, gfn(8), pg), 0);
	cr_assert_eq(pg->count, 2);
}

Test(p2m, get_page_looks_again_after_it_has_the_reference)
{
	struct p2m_entry e;
	struct page *pg;

	world_ram(d1, 5, 2);
	pg = p2m_get_page(d1, gfn(6), &e);
	cr_assert_eq(e.type, P2M_RAM_RW);
	cr_assert_eq(pg->count, 3);
	page_put(pg);
	steal_from = d1;
	fake_p2m_on_lookup = on_lookup;
	cr_assert_null(p2m_get_page(d1, gfn(5), &e));
	cr_assert_null(p2m_get_page(d1, gfn(5), &e));
	cr_assert_null(p2m_get_page(d1, gfn(UINT64_MAX), &e));
	cr_assert_eq(d1->p2m.readers, 0);
}

Test(p2m, hypervisor_pages_are_not_handed_out)
{
	cr_assert(page_get(d1->shared_info_page));
	cr_assert_eq(p2m_map_page(d1, gfn(3), d1->shared_info_page,
				  P2M_XEN_RW), 0);
	cr_assert_null(p2m_get_page(d1, gfn(3), NULL));
}

Test(p2m, tear_down_is_in_steps_and_gives_all_back)
{
	uint64_t before = page_alloc_nr_free();
	struct page *held;
	unsigned int steps = 0;
	mfn_t m;
	int rc;

	world_ram(d1, 100, 700);
	m = alloc(d1, 10);
	cr_assert_eq(p2m_map_ram(d1, gfn(0x10000), m, 10, P2M_RAM_RW), 0);
	held = p2m_get_page(d1, gfn(101), NULL);
	do {
		rc = p2m_fini_step(d1);
		cr_assert_null(p2m_get_page(d1, gfn(799), NULL));
		cr_assert_eq(p2m_map_ram(d1, gfn(1), m, 0, P2M_RAM_RW),
			     -EINVAL);
		steps++;
	} while (rc == -EAGAIN);
	cr_assert_eq(rc, 0);
	cr_assert_gt(steps, 3);
	cr_assert_lt(steps, 50);
	cr_assert_eq(d1->tot_pages, 0);
	cr_assert_eq(page_alloc_nr_free(), before - 1);
	page_put(held);
	cr_assert_eq(page_alloc_nr_free(), before);
	d1->p2m.teardown_next = d1->p2m.max_gfn + 1;
}

Test(p2m, tear_down_waits_for_a_reader)
{
	world_ram(d1, 100, 1);
	d1->p2m.readers = 1;
	cr_assert_eq(p2m_fini_step(d1), -EAGAIN);
	cr_assert_eq(p2m_fini_step(d1), -EAGAIN);
	d1->p2m.readers = 0;
	while (p2m_fini_step(d1) == -EAGAIN) {
	}
}

/* A dying domain has no tables to look into, whoever still holds it. */
Test(p2m, tables_that_are_gone)
{
	struct page *pg = d2->shared_info_page;

	world_ram(d1, 0x10, 4);
	while (p2m_fini_step(d1) == -EAGAIN) {
	}
	cr_assert_null(d1->arch.p2m);
	cr_assert_eq(p2m_map_page(d1, gfn(0x10), pg, P2M_XEN_RW), -EINVAL);
	cr_assert_eq(p2m_remove_page(d1, gfn(0x10), P2M_MASK_RAM), -ENOENT);
	cr_assert_eq(p2m_lookup(d1, gfn(0x10)).type, P2M_NONE);
	cr_assert_null(p2m_get_page(d1, gfn(0x10), NULL));
	cr_assert_eq(pg->count, 1);
}
