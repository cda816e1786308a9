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

#define ARG UINT64_C(0x10000)
#define LIST UINT64_C(0x12000)

static struct domain *d0, *d1;
static struct vcpu *v0, *v1;

static void setup(void)
{
	world_init(32);
	d0 = world_domain(0, true, 2);
	d1 = world_domain(1, false, 2);
	v0 = d0->vcpu[0];
	v1 = d1->vcpu[0];
	world_ram(d0, 0x10, 8);
	world_ram(d1, 0x10, 8);
}

static void teardown(void)
{
	fake_guest_hostile(false);
	cr_assert_eq(world_log.refs, 0);
	cr_assert_eq(world_fini(), 0);
}

TestSuite(hypercall, .init = setup, .fini = teardown);

static int64_t call(struct vcpu *v, uint64_t nr, uint64_t a, uint64_t b,
		    uint64_t c)
{
	uint64_t args[5] = { a, b, c };

	return hypercall_dispatch(v, nr, args);
}

Test(hypercall, unknown_numbers)
{
	uint64_t nr;

	for (nr = 0; nr < 200; nr++) {
		if (nr < NR_HYPERCALLS && hypercall_table[nr].fn) {
			continue;
		}
		cr_assert_eq(call(v0, nr, 0, 0, 0), -ENOSYS);
	}
	cr_assert_eq(call(v0, UINT64_MAX, 0, 0, 0), -ENOSYS);
	cr_assert_eq(call(v0, UINT64_C(1) << 32 | 17, 0, 0, 0), -ENOSYS);
}

Test(hypercall, rows_that_the_abi_names)
{
	static const uint8_t present[] = { 7, 12, 13, 17, 18, 20, 21, 24, 29,
					   32, 33, 34 };
	unsigned int i, n = 0;

	for (i = 0; i < sizeof(present); i++) {
		cr_assert_not_null(hypercall_table[present[i]].fn, "%u",
				   present[i]);
	}
	for (i = 0; i < NR_HYPERCALLS; i++) {
		n += hypercall_table[i].fn != NULL;
	}
	cr_assert_geq(n, sizeof(present));
}

/* Every call, every command, no argument that makes sense: an answer. */
Test(hypercall, bad_addresses_never_hurt)
{
	static const uint64_t addr[] = { 0, 1, 0xfff, 0x999000, ARG + 0x7ffd,
					 UINT64_MAX, UINT64_MAX - 15,
					 UINT64_C(1) << 63 };
	uint64_t nr, cmd;
	unsigned int i;

	for (nr = 0; nr < NR_HYPERCALLS; nr++) {
		for (cmd = 0; cmd < 80; cmd++) {
			for (i = 0; i < ARRAY_SIZE(addr); i++) {
				(void)call(v1, nr, cmd, addr[i], addr[i]);
				(void)call(v0, nr, addr[i], cmd, addr[i]);
				(void)call(v0, nr, cmd, addr[i], 0);
			}
		}
	}
}

Test(hypercall, refusals_are_counted)
{
	cr_assert_eq(call(v1, __HYPERVISOR_hvm_op, 99, ARG, 0), -ENOSYS);
	cr_assert_eq(call(v1, __HYPERVISOR_platform_op, ARG, 0, 0), -EPERM);
	cr_assert_eq(d1->guest_errors, 2);
	cr_assert_eq(call(v1, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0), 0);
	cr_assert_eq(d1->guest_errors, 2);
}

/* ---- sub-operations -------------------------------------------------- */

static union hc_arg seen;
static int64_t answer;

static int64_t op_note(struct vcpu *v, union hc_arg *arg)
{
	(void)v;
	seen.evtchn_bind_virq = arg->evtchn_bind_virq;
	arg->evtchn_bind_virq.port = 0x1234;
	return answer;
}

static const struct hc_subop ops[] = {
	[1] = SUBOP(evtchn_bind_virq, op_note, HC_IN | HC_OUT, HC_ANY),
	[2] = SUBOP(evtchn_bind_virq, op_note, HC_IN, HC_CTRL),
	[3] = SUBOP(evtchn_bind_virq, op_note, HC_OUT, HC_ANY),
};

static int64_t subop(struct vcpu *v, uint64_t cmd, uint64_t va)
{
	return hypercall_subop(v, ops, ARRAY_SIZE(ops), cmd, va);
}

Test(hypercall, subop_copies_once_and_replies_on_success)
{
	evtchn_bind_virq_t a = { .virq = 7, .vcpu = 3, .port = 9 };
	unsigned int i;

	guest_put(d1, ARG, &a, sizeof(a));
	fake_guest_hostile(true);
	answer = -EINVAL;
	cr_assert_eq(subop(v1, 1, ARG), -EINVAL);
	cr_assert_eq(seen.evtchn_bind_virq.virq, 7);
	for (i = 0; i < sizeof(a); i++) {
		cr_assert_eq(guest_reads(d1, ARG + i), 1);
	}
	cr_assert_eq(guest_reads(d1, ARG + sizeof(a)), 0);
	fake_guest_hostile(false);
	guest_put(d1, ARG, &a, sizeof(a));
	answer = 5;
	cr_assert_eq(subop(v1, 1, ARG), 5);
	guest_get(d1, ARG, &a, sizeof(a));
	cr_assert_eq(a.port, 0x1234);
	cr_assert_eq(a.virq, 7);
	/* No reply where the row has none. */
	a.port = 1;
	guest_put(d0, ARG, &a, sizeof(a));
	cr_assert_eq(subop(v0, 2, ARG), 5);
	guest_get(d0, ARG, &a, sizeof(a));
	cr_assert_eq(a.port, 1);
	/* Output only: the handler sees zeros. */
	cr_assert_eq(subop(v1, 3, ARG), 5);
	cr_assert_eq(seen.evtchn_bind_virq.virq, 0);
}

Test(hypercall, subop_refusals)
{
	answer = 0;
	cr_assert_eq(subop(v1, 0, ARG), -ENOSYS);
	cr_assert_eq(subop(v1, 4, ARG), -ENOSYS);
	cr_assert_eq(subop(v1, UINT32_MAX, ARG), -ENOSYS);
	cr_assert_eq(subop(v1, 2, ARG), -EPERM);
	cr_assert_eq(subop(v1, 1, ARG + 0x8000 - 11), -EFAULT);
	cr_assert_eq(subop(v1, 1, ARG + 0x8000 - 12), 0);
	cr_assert_eq(subop(v1, 1, ARG + 0x1000 - 5), 0);
	/* The upper half of a 32-bit argument's register is the guest's. */
	cr_assert_eq(subop(v1, UINT64_C(0xdead) << 32 | 1, ARG), 0);
}

Test(hypercall, subop_write_needs_the_right_before_the_handler_runs)
{
	mfn_t m;

	cr_assert_eq(dom_alloc_pages(d1, 0, &m), 0);
	cr_assert_eq(p2m_map_ram(d1, gfn(0x40), m, 0, P2M_RAM_RO), 0);
	seen.evtchn_bind_virq.virq = 99;
	cr_assert_eq(subop(v1, 1, 0x40000), -EFAULT);
	cr_assert_eq(seen.evtchn_bind_virq.virq, 99);
}

/* ---- multicall ------------------------------------------------------- */

static void put_entry(struct domain *d, unsigned int i, uint64_t op,
		      uint64_t a, uint64_t b, uint64_t c)
{
	multicall_entry_t e = { .op = op, .result = 0x77 };

	e.args[0] = a;
	e.args[1] = b;
	e.args[2] = c;
	guest_put(d, LIST + i * sizeof(e), &e, sizeof(e));
}

static int64_t result_of(struct domain *d, unsigned int i)
{
	return (int64_t)guest_get_u64(d, LIST + i * 64 + 8);
}

static unsigned int restarts;

static int64_t multicall(struct vcpu *v, uint64_t nr)
{
	int64_t rc;

	restarts = 0;
	while ((rc = call(v, __HYPERVISOR_multicall, LIST, nr, 0)) ==
	       HC_RESTARTED) {
		cr_assert_lt(restarts++, 1000);
	}
	return rc;
}

Test(hypercall, multicall_gives_each_its_result)
{
	put_entry(d1, 0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put_entry(d1, 1, __HYPERVISOR_multicall, LIST, 1, 0);
	put_entry(d1, 2, 63, 0, 0, 0);
	put_entry(d1, 3, UINT64_MAX, 0, 0, 0);
	put_entry(d1, 4, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	cr_assert_eq(multicall(v1, 5), 0);
	cr_assert_eq(result_of(d1, 0), 4 << 16 | 17);
	cr_assert_eq(result_of(d1, 1), -EINVAL);
	cr_assert_eq(result_of(d1, 2), -ENOSYS);
	cr_assert_eq(result_of(d1, 3), -ENOSYS);
	cr_assert_eq(result_of(d1, 4), 0);
	cr_assert_eq(world_log.yields, 1);
	cr_assert_eq(multicall(v1, 0), 0);
	cr_assert_eq(call(v1, __HYPERVISOR_multicall, 0x999000, 1, 0),
		     -EFAULT);
	cr_assert_eq(call(v1, __HYPERVISOR_multicall, UINT64_MAX - 63, 2, 0),
		     -EFAULT);
	cr_assert_eq(v1->cont.key, 0);
}

Test(hypercall, multicall_entries_are_read_once)
{
	unsigned int i;

	put_entry(d1, 0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put_entry(d1, 1, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	fake_guest_hostile(true);
	cr_assert_eq(multicall(v1, 2), 0);
	for (i = 0; i < 128; i++) {
		cr_assert_eq(guest_reads(d1, LIST + i), 1);
	}
	cr_assert_eq(result_of(d1, 0), 4 << 16 | 17);
}

Test(hypercall, multicall_in_steps)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		put_entry(d1, i, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	}
	cr_assert_eq(multicall(v1, 100), 0);
	cr_assert_eq(restarts, 3);
	cr_assert_eq(world_log.yields, 100);
	for (i = 0; i < 100; i++) {
		cr_assert_eq(result_of(d1, i), 0);
	}
}

static void put_populate(struct domain *d, unsigned int slot, uint64_t first,
			 unsigned int nr)
{
	xen_memory_reservation_t r = { .nr_extents = nr,
				       .domid = DOMID_SELF };
	uint64_t at = ARG + slot * 0x1000;
	uint64_t g;
	unsigned int i;

	r.extent_start.q = at + 64;
	guest_put(d, at, &r, sizeof(r));
	for (i = 0; i < nr; i++) {
		g = first + i;
		guest_put(d, at + 64 + i * 8, &g, 8);
	}
}

Test(hypercall, multicall_keeps_the_position_of_a_long_inner_call)
{
	unsigned int i;

	put_populate(d1, 0, 0x100, 200);
	put_populate(d1, 1, 0x200, 150);
	put_entry(d1, 0, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	put_entry(d1, 1, __HYPERVISOR_memory_op, XENMEM_populate_physmap, ARG,
		  0);
	put_entry(d1, 2, __HYPERVISOR_memory_op, XENMEM_populate_physmap,
		  ARG + 0x1000, 0);
	put_entry(d1, 3, __HYPERVISOR_memory_op, XENMEM_decrease_reservation,
		  ARG, 0);
	cr_assert_eq(multicall(v1, 4), 0);
	cr_assert_eq(world_log.yields, 1); /* not run again */
	cr_assert_eq(result_of(d1, 1), 200);
	cr_assert_eq(result_of(d1, 2), 150);
	cr_assert_eq(result_of(d1, 3), 200);
	cr_assert_eq(d1->tot_pages, 8 + 150);
	for (i = 0; i < 150; i++) {
		cr_assert_eq(p2m_lookup(d1, gfn(0x200 + i)).type, P2M_RAM_RW);
	}
	cr_assert_eq(v1->cont.key, 0);
}

Test(hypercall, multicall_result_needs_a_writable_list)
{
	mfn_t m;

	cr_assert_eq(dom_alloc_pages(d1, 0, &m), 0);
	cr_assert_eq(p2m_map_ram(d1, gfn(0x40), m, 0, P2M_RAM_RO), 0);
	cr_assert_eq(call(v1, __HYPERVISOR_multicall, 0x40000, 1, 0),
		     -EFAULT);
}

Test(hypercall, continuation_keys)
{
	uint64_t k = hc_cont_key(12, 6, 1, 2, 3);

	cr_assert_neq(k, hc_cont_key(12, 1, 1, 2, 3));
	cr_assert_neq(k, hc_cont_key(12, 6, 2, 1, 3));
	cr_assert_neq(k, hc_cont_key(12, 6, 1, 2, 4));
	cr_assert_eq(hc_cont_position(v1, k), 0);
	cr_assert_eq(hc_cont_again(v1, k, 9), HC_AGAIN);
	cr_assert_eq(hc_cont_position(v1, k), 9);
	cr_assert_eq(hc_cont_position(v1, k ^ 4), 0);
	hc_cont_end(v1);
	cr_assert_eq(hc_cont_position(v1, k), 0);
	hc_cont_set_any(v1, 5);
	cr_assert_eq(hc_cont_position(v1, k), 5);
}
