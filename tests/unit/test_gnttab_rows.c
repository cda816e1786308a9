/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: the operations that answer or refuse, through the table as a
 * guest calls them.
 */
// LINK: core/gnttab_dma.c
// LINK: core/gnttab.c core/gnttab_op.c core/gnttab_map.c core/gnttab_track.c
// LINK: core/gnttab_copy.c
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c core/memory_map.c core/memory_acquire.c core/heap.c
// LINK: core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c
// LINK: core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
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
#include "core/gnttab_priv.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)
#define BAD UINT64_C(0x999000)
#define PAGE_GFN UINT64_C(0x14) /* what is granted */
#define AT_GFN UINT64_C(0x400)  /* where it is mapped */
#define AT (AT_GFN << PAGE_SHIFT)
#define REF 8u

static struct domain *d0, *d1;
static struct vcpu *v0, *v1;

static struct domain *make(domid_t id, bool control)
{
	struct domain *d = world_domain(id, control, 1);

	cr_assert_eq(gnttab_init(d, 4, 1), 0);
	world_ram(d, 0x10, 8);
	return d;
}

static void setup(void)
{
	world_init(32);
	d0 = make(0, true);
	d1 = make(1, false);
	v0 = d0->vcpu[0];
	v1 = d1->vcpu[0];
}

static void drop(struct domain *d)
{
	while (gnttab_release_step(d) == -EAGAIN) {
	}
	while (p2m_fini_step(d) == -EAGAIN) {
	}
	gnttab_fini(d);
}

static void teardown(void)
{
	drop(d0);
	drop(d1);
	cr_assert_eq(world_log.refs, 0);
	/* The heap keeps one empty slab a class it served: at most 12. */
	cr_assert_leq(world_fini(), 12);
}

TestSuite(gnttab_rows, .init = setup, .fini = teardown);

static int64_t call(struct vcpu *v, uint64_t cmd, uint64_t va, uint64_t count)
{
	uint64_t args[5] = { cmd, va, count };

	return hypercall_dispatch(v, __HYPERVISOR_grant_table_op, args);
}

static int64_t op(struct vcpu *v, uint64_t cmd, void *arg, size_t size)
{
	int64_t rc;

	guest_put(v->domain, ARG, arg, size);
	rc = call(v, cmd, ARG, 1);
	guest_get(v->domain, ARG, arg, size);
	return rc;
}

Test(gnttab_rows, version_one_is_all_there_is)
{
	gnttab_set_version_t s = { .version = 1 };
	gnttab_get_version_t g = { .dom = DOMID_SELF, .version = 77 };

	cr_assert_eq(op(v1, GNTTABOP_set_version, &s, sizeof(s)), 0);
	cr_assert_eq(s.version, 1);
	s.version = 2;
	cr_assert_eq(op(v1, GNTTABOP_set_version, &s, sizeof(s)), -ENOSYS);
	cr_assert_eq(s.version, 1); /* told also when refused */
	s.version = 3;
	cr_assert_eq(op(v1, GNTTABOP_set_version, &s, sizeof(s)), -EINVAL);
	cr_assert_eq(s.version, 1);
	cr_assert_eq(call(v1, GNTTABOP_set_version, BAD, 1), -EFAULT);
	s.version = 1; /* the count is not looked at */
	guest_put(v1->domain, ARG, &s, sizeof(s));
	cr_assert_eq(call(v1, GNTTABOP_set_version, ARG, 2), 0);
	cr_assert_eq(call(v1, GNTTABOP_set_version, ARG, 0), 0);
	cr_assert_eq(op(v1, GNTTABOP_get_version, &g, sizeof(g)), 0);
	cr_assert_eq(g.version, 1);
	g = (gnttab_get_version_t){ .dom = 9, .version = 77 };
	cr_assert_eq(op(v1, GNTTABOP_get_version, &g, sizeof(g)), -ESRCH);
	cr_assert_eq(g.version, 77);
	cr_assert_eq(call(v1, GNTTABOP_get_version, BAD, 1), -EFAULT);
}

Test(gnttab_rows, no_status_frames)
{
	gnttab_get_status_frames_t s = { .dom = DOMID_SELF, .status = 77 };

	cr_assert_eq(op(v1, GNTTABOP_get_status_frames, &s, sizeof(s)), 0);
	cr_assert_eq(s.status, GNTST_general_error);
	s.dom = 9;
	cr_assert_eq(op(v1, GNTTABOP_get_status_frames, &s, sizeof(s)), 0);
	cr_assert_eq(s.status, GNTST_bad_domain);
	s.dom = 0;
	cr_assert_eq(op(v1, GNTTABOP_get_status_frames, &s, sizeof(s)), 0);
	cr_assert_eq(s.status, GNTST_permission_denied);
	cr_assert_eq(call(v1, GNTTABOP_get_status_frames, BAD, 1), -EFAULT);
	cr_assert_eq(call(v1, GNTTABOP_get_status_frames, ARG, 0), -EINVAL);
}

static int16_t replace(uint64_t at, uint64_t new_addr, uint32_t handle)
{
	gnttab_unmap_and_replace_t r = { .host_addr = at,
					 .new_addr = new_addr,
					 .handle = handle,
					 .status = 77 };

	cr_assert_eq(op(v0, GNTTABOP_unmap_and_replace, &r, sizeof(r)), 0);
	return r.status;
}

/* A replacement is of paravirtual guests; without one it is an unmap. */
Test(gnttab_rows, unmap_and_replace_by_nothing)
{
	gnttab_map_grant_ref_t m = { .host_addr = AT,
				     .flags = GNTMAP_host_map,
				     .ref = REF,
				     .dom = 1 };
	struct page *pg, *table;
	uint32_t before;

	cr_assert_eq(gnttab_get_shared_frame(d1, 0, &table), 0);
	page_put(table);
	((grant_entry_v1_t *)d1->gnttab.frame[0])[REF] = (grant_entry_v1_t){
		.flags = GTF_permit_access,
		.domid = 0,
		.frame = PAGE_GFN,
	};
	pg = page_of(arch_p2m_lookup(d1, gfn(PAGE_GFN)).mfn);
	before = pg->count;
	cr_assert_eq(op(v0, GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
	cr_assert_eq(m.status, GNTST_okay);
	cr_assert_gt(pg->count, before);
	cr_assert_eq(replace(AT, AT + PAGE_SIZE, m.handle),
		     GNTST_general_error);
	cr_assert_eq(arch_p2m_lookup(d0, gfn(AT_GFN)).mfn.v, page_mfn(pg).v);
	cr_assert_neq(replace(AT, 0, m.handle + 1), GNTST_okay);
	cr_assert_eq(replace(AT, 0, m.handle), GNTST_okay);
	cr_assert_eq(arch_p2m_lookup(d0, gfn(AT_GFN)).type, P2M_NONE);
	cr_assert_eq(pg->count, before);
	cr_assert_neq(replace(AT, 0, m.handle), GNTST_okay); /* gone */
	cr_assert_eq(call(v0, GNTTABOP_unmap_and_replace, BAD, 1), -EFAULT);
}

Test(gnttab_rows, numbers_without_a_row)
{
	cr_assert_eq(call(v0, GNTTABOP_transfer, ARG, 1), -EOPNOTSUPP);
	cr_assert_eq(call(v0, GNTTABOP_dump_table, ARG, 1), -ENOSYS);
	cr_assert_eq(call(v0, GNTTABOP_cache_flush + 1, ARG, 1), -ENOSYS);
	cr_assert_eq(call(v0, GNTTABOP_copy, ARG, UINT64_C(1) << 31),
		     -EINVAL);
}
