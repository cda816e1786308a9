/* SPDX-License-Identifier: Apache-2.0 */
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
// LIBS: -Wl,--wrap=heap_alloc -Wl,--wrap=hv_alloc_pages
#include <criterion/criterion.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/gnttab_priv.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)
#define PAGE_GFN UINT64_C(0x14) /* what is granted */
#define MINE_GFN UINT64_C(0x15)
#define AT_GFN UINT64_C(0x400)  /* where it is mapped */
#define AT (AT_GFN << PAGE_SHIFT)
#define REF 8u
#define FRAMES 40u

static struct domain *d0, *d1, *d2;
static struct vcpu *v0, *v1, *v2;
static unsigned int fail_alloc_at, nr_allocs;

void *__real_heap_alloc(struct domain *d, size_t size);
void *__wrap_heap_alloc(struct domain *d, size_t size);
void *__real_hv_alloc_pages(struct domain *d, unsigned int order);
void *__wrap_hv_alloc_pages(struct domain *d, unsigned int order);

void *__wrap_heap_alloc(struct domain *d, size_t size)
{
	return ++nr_allocs == fail_alloc_at ? NULL
					    : __real_heap_alloc(d, size);
}

void *__wrap_hv_alloc_pages(struct domain *d, unsigned int order)
{
	return ++nr_allocs == fail_alloc_at ? NULL
					    : __real_hv_alloc_pages(d, order);
}

static struct domain *make(domid_t id, bool control)
{
	struct domain *d = world_domain(id, control, 1);

	cr_assert_eq(gnttab_init(d, FRAMES, 1), 0);
	world_ram(d, 0x10, 8);
	return d;
}

static void setup(void)
{
	world_init(32);
	d0 = make(0, true);
	d1 = make(1, false);
	d2 = make(2, false);
	v0 = d0->vcpu[0];
	v1 = d1->vcpu[0];
	v2 = d2->vcpu[0];
}

static void drop(struct domain *d)
{
	while (gnttab_release_step(d) == -EAGAIN) {
	}
	cr_assert_eq(d->gnttab.nr_maptrack, 0);
}

static void teardown(void)
{
	struct domain *all[] = { d0, d1, d2 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		drop(all[i]);
	}
	cr_assert_eq(world_log.refs, 0);
	for (i = 0; i < 3; i++) {
		while (p2m_fini_step(all[i]) == -EAGAIN) {
		}
		gnttab_fini(all[i]);
	}
	/* The heap keeps one empty slab a class it served: at most 12. */
	cr_assert_leq(world_fini(), 12);
}

TestSuite(gnttab, .init = setup, .fini = teardown);

static int64_t op(struct vcpu *v, uint64_t cmd, void *arg, size_t size)
{
	uint64_t args[5] = { cmd, ARG, 1 };
	int64_t rc;

	guest_put(v->domain, ARG, arg, size);
	do {
		rc = hypercall_dispatch(v, 20, args);
	} while (rc == HC_RESTARTED);
	guest_get(v->domain, ARG, arg, size);
	return rc;
}
#define OP(v, cmd, arg) op(v, cmd, arg, sizeof(*(arg)))

static grant_entry_v1_t *entry(struct domain *d, uint32_t ref)
{
	struct page *pg;

	cr_assert_eq(gnttab_get_shared_frame(d, ref / 512, &pg), 0);
	page_put(pg);
	return (grant_entry_v1_t *)d->gnttab.frame[ref / 512] + ref % 512;
}

static void grant(struct domain *d, uint32_t ref, domid_t to, uint64_t g,
		  uint16_t flags)
{
	*entry(d, ref) = (grant_entry_v1_t){
		.flags = GTF_permit_access | flags,
		.domid = to,
		.frame = (uint32_t)g,
	};
}

static gnttab_map_grant_ref_t map(struct vcpu *v, domid_t from, uint32_t ref,
				  uint32_t flags, uint64_t at)
{
	gnttab_map_grant_ref_t m = { .host_addr = at, .flags = flags,
				     .ref = ref, .dom = from, .status = 77 };

	cr_assert_eq(OP(v, GNTTABOP_map_grant_ref, &m), 0);
	return m;
}

static int16_t unmap(struct vcpu *v, uint32_t handle, uint64_t at,
		     uint64_t dev)
{
	gnttab_unmap_grant_ref_t u = { .host_addr = at, .dev_bus_addr = dev,
				       .handle = handle, .status = 77 };

	cr_assert_eq(OP(v, GNTTABOP_unmap_grant_ref, &u), 0);
	return u.status;
}

static uint32_t count_of(struct domain *d, uint64_t g)
{
	return page_of(arch_p2m_lookup(d, gfn(g)).mfn)->count;
}

static uint8_t *bytes(struct domain *d, uint64_t g)
{
	return hv_va(mfn_to_paddr(arch_p2m_lookup(d, gfn(g)).mfn));
}

/* ---- map --------------------------------------------------------------- */

Test(gnttab, map_and_unmap_balance)
{
	uint32_t count = count_of(d1, PAGE_GFN);
	gnttab_map_grant_ref_t m, r;

	grant(d1, REF, 0, PAGE_GFN, 0);
	m = map(v0, 1, REF, GNTMAP_host_map, AT);
	cr_assert_eq(m.status, GNTST_okay);
	cr_assert_eq(entry(d1, REF)->flags,
		     GTF_permit_access | GTF_reading | GTF_writing);
	cr_assert_eq(arch_p2m_lookup(d0, gfn(AT_GFN)).type, P2M_GRANT_RW);
	cr_assert_eq(m.dev_bus_addr >> 12,
		     arch_p2m_lookup(d1, gfn(PAGE_GFN)).mfn.v);
	r = map(v0, 1, REF, GNTMAP_host_map | GNTMAP_readonly, AT + 0x1000);
	cr_assert_eq(r.status, GNTST_okay);
	cr_assert_eq(arch_p2m_lookup(d0, gfn(AT_GFN + 1)).type, P2M_GRANT_RO);
	cr_assert_eq(count_of(d1, PAGE_GFN), count + 3);
	cr_assert_eq(world_log.refs, 2);
	cr_assert_eq(unmap(v0, m.handle, AT + 0x1000, 0), GNTST_general_error);
	cr_assert_eq(unmap(v0, m.handle, AT, 0), GNTST_okay);
	cr_assert_eq(entry(d1, REF)->flags, GTF_permit_access | GTF_reading);
	cr_assert_eq(unmap(v0, m.handle, AT, 0), GNTST_bad_handle);
	cr_assert_eq(unmap(v0, r.handle, AT + 0x1000, 0), GNTST_okay);
	cr_assert_eq(entry(d1, REF)->flags, GTF_permit_access);
	cr_assert_eq(count_of(d1, PAGE_GFN), count);
	cr_assert_eq(arch_p2m_lookup(d0, gfn(AT_GFN)).type, P2M_NONE);
	cr_assert_eq(world_log.refs, 0);
}

Test(gnttab, device_part_and_host_part)
{
	gnttab_map_grant_ref_t m;

	grant(d1, REF, 0, PAGE_GFN, 0);
	m = map(v0, 1, REF, GNTMAP_host_map | GNTMAP_device_map, AT);
	cr_assert_eq(unmap(v0, m.handle, AT, 0), GNTST_okay);
	cr_assert(entry(d1, REF)->flags & GTF_writing);
	cr_assert_eq(unmap(v0, m.handle, 0, 0x1000), GNTST_general_error);
	cr_assert_eq(unmap(v0, m.handle, 0, m.dev_bus_addr), GNTST_okay);
	cr_assert(!(entry(d1, REF)->flags & GTF_writing));
	cr_assert_eq(unmap(v0, m.handle, 0, m.dev_bus_addr), GNTST_bad_handle);
}

Test(gnttab, refusals)
{
	grant(d1, REF, 0, PAGE_GFN, GTF_readonly);
	grant(d1, REF + 1, 5, PAGE_GFN, 0);
	grant(d1, REF + 2, 0, 0x7777, 0);
	cr_assert_eq(map(v0, 1, REF, 2, AT).status, GNTST_general_error);
	cr_assert_eq(map(v0, 1, REF + 1, 2, AT).status, GNTST_general_error);
	cr_assert_eq(map(v0, 1, REF + 2, 2, AT).status, GNTST_bad_page);
	cr_assert_eq(entry(d1, REF + 2)->flags, GTF_permit_access);
	cr_assert_eq(map(v0, 1, REF + 3, 2, AT).status, GNTST_general_error);
	cr_assert_eq(map(v0, 1, 0x7fffffff, 2, AT).status, GNTST_bad_gntref);
	cr_assert_eq(map(v0, 1, REF, 0, AT).status, GNTST_bad_gntref);
	cr_assert_eq(map(v0, 1, REF, 2 | 16, AT).status, GNTST_general_error);
	cr_assert_eq(map(v0, 99, REF, 2, AT).status, GNTST_bad_domain);
	cr_assert_eq(unmap(v0, 0, AT, 0), GNTST_bad_handle);
	cr_assert_eq(unmap(v0, UINT32_MAX, AT, 0), GNTST_bad_handle);
	cr_assert_eq(d0->gnttab.nr_maptrack, 0);
}

Test(gnttab, ordinary_domains_do_not_share)
{
	grant(d1, REF, 2, PAGE_GFN, 0);
	cr_assert_eq(map(v2, 1, REF, 2, AT).status, GNTST_permission_denied);
	grant(d1, REF, 1, PAGE_GFN, 0);
	cr_assert_eq(map(v1, 1, REF, 2, AT).status, GNTST_okay); /* itself */
}

/* The frame is the one of the first use, whatever the entry says later. */
Test(gnttab, entry_changes_while_mapped)
{
	gnttab_map_grant_ref_t a, b;

	grant(d1, REF, 0, PAGE_GFN, 0);
	a = map(v0, 1, REF, 2, AT);
	entry(d1, REF)->frame = (uint32_t)PAGE_GFN + 1;
	b = map(v0, 1, REF, 2, AT + 0x1000);
	cr_assert_eq(b.dev_bus_addr, a.dev_bus_addr);
	entry(d1, REF)->flags = 0; /* revoked by force */
	cr_assert_eq(map(v0, 1, REF, 2, AT + 0x2000).status, GNTST_okay);
	cr_assert_eq(unmap(v0, a.handle, AT, 0), GNTST_okay);
}

Test(gnttab, mapping_removed_by_other_means)
{
	uint32_t count = count_of(d1, PAGE_GFN);
	gnttab_map_grant_ref_t m;

	grant(d1, REF, 0, PAGE_GFN, 0);
	m = map(v0, 1, REF, 2, AT);
	cr_assert_eq(p2m_remove_page(d0, gfn(AT_GFN), P2M_MASK_GRANT), 0);
	cr_assert_eq(unmap(v0, m.handle, AT, 0), GNTST_okay);
	cr_assert_eq(count_of(d1, PAGE_GFN), count);
}

Test(gnttab, place_is_taken)
{
	uint32_t count = count_of(d1, PAGE_GFN);
	gnttab_map_grant_ref_t m;

	grant(d1, REF, 0, PAGE_GFN, 0);
	m = map(v0, 1, REF, 2, AT);
	cr_assert_eq(map(v0, 1, REF, 2, AT).status, GNTST_general_error);
	fake_p2m_fail_in = 1;
	cr_assert_eq(map(v0, 1, REF, 2, AT + 0x1000).status, GNTST_no_space);
	cr_assert_eq(unmap(v0, m.handle, AT, 0), GNTST_okay);
	cr_assert_eq(count_of(d1, PAGE_GFN), count);
	cr_assert_eq(entry(d1, REF)->flags, GTF_permit_access);
}

Test(gnttab, handles_run_out)
{
	unsigned int i;

	grant(d1, REF, 0, PAGE_GFN, 0);
	for (i = 0; i < 256; i++) { /* one frame of the ABI's records */
		cr_assert_eq(map(v0, 1, REF, GNTMAP_device_map, 0).status,
			     GNTST_okay);
	}
	cr_assert_eq(map(v0, 1, REF, GNTMAP_device_map, 0).status,
		     GNTST_no_device_space);
	/* teardown releases them by steps */
}

Test(gnttab, long_lists_go_on_later)
{
	static gnttab_map_grant_ref_t list[100];
	uint64_t args[5] = { GNTTABOP_map_grant_ref, ARG, 100 };
	unsigned int i, calls = 0;
	int64_t rc;

	grant(d1, REF, 0, PAGE_GFN, 0);
	for (i = 0; i < 100; i++) {
		list[i] = (gnttab_map_grant_ref_t){
			.flags = GNTMAP_device_map, .ref = REF, .dom = 1,
			.status = 77,
		};
	}
	guest_put(d0, ARG, list, sizeof(list));
	do {
		rc = hypercall_dispatch(v0, 20, args);
		calls++;
	} while (rc == HC_RESTARTED);
	cr_assert_eq(rc, 0);
	cr_assert_eq(calls, 4);
	guest_get(d0, ARG, list, sizeof(list));
	for (i = 0; i < 100; i++) {
		cr_assert_eq(list[i].status, GNTST_okay);
		cr_assert_eq(list[i].handle, i);
	}
	cr_assert_eq(d0->gnttab.nr_maptrack, 100);
}

/* ---- copy -------------------------------------------------------------- */

static int16_t copy(struct vcpu *v, gnttab_copy_t *c)
{
	c->status = 77;
	cr_assert_eq(OP(v, GNTTABOP_copy, c), 0);
	return c->status;
}

Test(gnttab, copies)
{
	uint32_t count = count_of(d1, PAGE_GFN);
	gnttab_copy_t c = {
		.source = { .u.ref = REF, .domid = 1, .offset = 16 },
		.dest = { .domid = DOMID_SELF, .offset = 100,
			  .u.gmfn = MINE_GFN },
		.len = 200, .flags = GNTCOPY_source_gref,
	};

	memset(bytes(d1, PAGE_GFN), 0x5a, 4096);
	memset(bytes(d0, MINE_GFN), 0, 4096);
	grant(d1, REF, 0, PAGE_GFN, GTF_readonly);
	cr_assert_eq(copy(v0, &c), GNTST_okay);
	cr_assert_eq(bytes(d0, MINE_GFN)[99], 0);
	cr_assert_eq(bytes(d0, MINE_GFN)[100], 0x5a);
	cr_assert_eq(bytes(d0, MINE_GFN)[299], 0x5a);
	cr_assert_eq(bytes(d0, MINE_GFN)[300], 0);
	cr_assert_eq(entry(d1, REF)->flags, GTF_permit_access | GTF_readonly);
	c.source.offset = 4000;
	cr_assert_eq(copy(v0, &c), GNTST_bad_copy_arg);
	c.source.offset = UINT16_MAX;
	cr_assert_eq(copy(v0, &c), GNTST_bad_copy_arg);
	c.source.offset = 0;
	c.dest.u.gmfn = 0x7777;
	cr_assert_eq(copy(v0, &c), GNTST_bad_page);
	c.dest.u.gmfn = MINE_GFN;
	c.dest.domid = 0; /* by frame: only DOMID_SELF */
	cr_assert_eq(copy(v0, &c), GNTST_permission_denied);
	c.dest.domid = 9;
	cr_assert_eq(copy(v0, &c), GNTST_bad_domain);
	c.flags |= GNTCOPY_dest_gref; /* and that one is read-only */
	c.dest = (struct gnttab_copy_ptr){ .u.ref = REF, .domid = 1 };
	cr_assert_eq(copy(v0, &c), GNTST_general_error);
	cr_assert_eq(count_of(d1, PAGE_GFN), count);
	cr_assert_eq(entry(d1, REF)->flags, GTF_permit_access | GTF_readonly);
}

Test(gnttab, swap)
{
	gnttab_swap_grant_ref_t s = { .ref_a = REF, .ref_b = REF + 1 };

	grant(d0, REF, 0, PAGE_GFN, 0);
	grant(d0, REF + 1, 7, MINE_GFN, 0);
	cr_assert_eq(OP(v0, GNTTABOP_swap_grant_ref, &s), 0);
	cr_assert_eq(s.status, GNTST_okay);
	cr_assert_eq(entry(d0, REF)->domid, 7);
	cr_assert_eq(map(v0, 0, REF + 1, 2, AT).status, GNTST_okay);
	cr_assert_eq(OP(v0, GNTTABOP_swap_grant_ref, &s), 0);
	cr_assert_eq(s.status, GNTST_eagain);
}

Test(gnttab, flush_of_mapped_pages)
{
	gnttab_cache_flush_t f = { .op = GNTTAB_CACHE_CLEAN, .length = 64 };
	gnttab_map_grant_ref_t m;

	grant(d1, REF, 0, PAGE_GFN, 0);
	f.a.dev_bus_addr =
		mfn_to_paddr(arch_p2m_lookup(d1, gfn(PAGE_GFN)).mfn).v;
	cr_assert_eq(OP(v1, GNTTABOP_cache_flush, &f), 0); /* its own */
	cr_assert_eq(OP(v0, GNTTABOP_cache_flush, &f), -EINVAL);
	m = map(v0, 1, REF, 2, AT);
	cr_assert_eq(OP(v0, GNTTABOP_cache_flush, &f), 0);
	cr_assert_eq(unmap(v0, m.handle, AT, 0), GNTST_okay);
	cr_assert_eq(OP(v0, GNTTABOP_cache_flush, &f), -EINVAL);
}

/* ---- size -------------------------------------------------------------- */

Test(gnttab, growth)
{
	gnttab_query_size_t q = { .dom = DOMID_SELF };
	gnttab_setup_table_t s = { .dom = DOMID_SELF, .nr_frames = 3 };
	struct page *pg;

	cr_assert_eq(OP(v1, GNTTABOP_query_size, &q), 0);
	cr_assert_eq(q.nr_frames, 1);
	cr_assert_eq(gnttab_map_frame(d1, 1, AT_GFN), 0);
	s.frame_list.q = ARG + 0x100;
	cr_assert_eq(OP(v1, GNTTABOP_setup_table, &s), 0);
	cr_assert_eq(s.status, GNTST_okay);
	cr_assert_eq(guest_get_u64(d1, ARG + 0x108), AT_GFN);
	cr_assert_eq(d1->gnttab.nr_frames, 3);
	s.nr_frames = FRAMES + 1;
	cr_assert_eq(OP(v1, GNTTABOP_setup_table, &s), 0);
	cr_assert_eq(s.status, GNTST_general_error);
	cr_assert_eq(gnttab_get_shared_frame(d1, FRAMES, &pg), -EINVAL);
}

/* However many are asked for at once, a step adds 32. */
Test(gnttab, growth_goes_on_later)
{
	gnttab_setup_table_t s = { .dom = DOMID_SELF, .nr_frames = FRAMES };
	uint64_t args[3] = { GNTTABOP_setup_table, ARG, 1 };

	s.frame_list.q = ARG + 0x100;
	guest_put(d1, ARG, &s, sizeof(s));
	cr_assert_eq(hypercall_dispatch(v1, __HYPERVISOR_grant_table_op, args),
		     HC_RESTARTED);
	cr_assert_eq(d1->gnttab.nr_frames, 32);
	cr_assert_eq(OP(v1, GNTTABOP_setup_table, &s), 0);
	cr_assert_eq(s.status, GNTST_okay);
	cr_assert_eq(d1->gnttab.nr_frames, FRAMES);
	cr_assert_eq(guest_get_u64(d1, ARG + 0x100 + 8 * (FRAMES - 1)),
		     INVALID_FRAME);
}

Test(gnttab, failing_allocations_leave_nothing)
{
	struct domain *d = world_domain(9, false, 1);
	uint64_t pages = d1->xen_pages;
	struct page *pg;
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		nr_allocs = 0;
		fail_alloc_at = i;
		cr_assert_eq(gnttab_init(d, FRAMES, 1), -ENOMEM);
	}
	for (i = 1; i <= 2; i++) {
		nr_allocs = 0;
		fail_alloc_at = i;
		cr_assert_eq(gnttab_get_shared_frame(d1, 0, &pg), -ENOMEM);
		cr_assert_eq(d1->xen_pages, pages);
	}
	fail_alloc_at = 0;
	grant(d1, REF, 0, PAGE_GFN, 0);
	for (i = 1; i <= 3; i++) {
		nr_allocs = 0;
		fail_alloc_at = i;
		(void)map(v0, 1, REF, GNTMAP_device_map, 0);
	}
	fail_alloc_at = 0;
	cr_assert_eq(map(v0, 1, REF, GNTMAP_device_map, 0).status, GNTST_okay);
}
