/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that ends and begins again: everything is as boot had made it,
 * whatever its guest and its controller do meanwhile, and nothing is lost.
 */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/restart.c core/restart_steps.c core/wallclock.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c core/console_serial.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: release/audit_auto.c
// LINK: core/sched_cap.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c
// LINK: core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/cpupool.c
// LINK: core/sched_null.c core/sched_arinc653.c core/static_mem.c
// LINK: core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_op.c
// LINK: core/gnttab_track.c core/evtchn.c core/evtchn_bind.c
// LINK: core/evtchn_2l.c core/evtchn_fifo.c core/hypercall.c
// LINK: core/hypercall_subop.c core/hypercall_table.c core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/p2m.c core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// LINK: tests/fakes/fake_no_pci.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle,--wrap=arch_irq_poll
#include <criterion/criterion.h>
#include <setjmp.h>

#include "fake_restart.h"

TestSuite(restart, .init = setup);

/* ---- as boot had made it ------------------------------------------------- */

RESTART_TEST(restart, again_and_again_as_boot_made_it)
{
	uint64_t after_one = 0;

	for (uint32_t i = 1; i <= 50; i++) {
		spoil();
		end(SHUTDOWN_crash);
		cr_assert_eq(d->state, DOM_SHUTDOWN);
		pass(1000 * MS);
		expect_new();
		cr_assert_eq(r->count, i);
		after_one = i == 1 ? page_alloc_nr_free() : after_one;
	}
	cr_assert_eq(page_alloc_nr_free(), after_one);
}

/* Its first vCPU slept, had gone off line, or waits in a poll. */
RESTART_TEST(restart, from_any_state_of_its_vcpus)
{
	vcpu_offline(d->vcpu[0]);
	cpus();
	end(SHUTDOWN_watchdog);
	pass(10 * MS);
	expect_new();
	d->vcpu[0]->state = VCPU_BLOCKED;
	d->vcpu[0]->poll = true;
	pcpu_post(pcpus[d->vcpu[0]->cpu], PWORK_RESCHED);
	cpus();
	end(SHUTDOWN_crash);
	pass(20 * MS);
	expect_new();
	cr_assert(!d->vcpu[0]->poll);
}

/* ---- bounds, and what others do meanwhile -------------------------------- */

static uint64_t cleaned;

static void count_step(void)
{
	cr_assert_leq(fake_nr_cache_cleans - cleaned, STEP_PAGES + 1);
	cleaned = fake_nr_cache_cleans;
	cr_assert(!runs());
	cr_assert(d->vcpu[0]->work & VWORK_VTIMER, "the guest could run");
}

RESTART_TEST(restart, goes_in_steps)
{
	spoil();
	end(SHUTDOWN_crash);
	cleaned = fake_nr_cache_cleans;
	polls = 0;
	on_poll = count_step;
	pass(10 * MS);
	expect_new();
	cr_assert_geq(polls, 12);
}

static unsigned int act_at;
static jmp_buf acted;

/* dom0 destroys it, on CPU 0, while a step of it runs on another. */
static void destroy_now(void)
{
	if (polls == act_at) {
		longjmp(acted, 1);
	}
}

RESTART_TEST(restart, destroyed_at_each_step)
{
	bool reached = true;

	for (act_at = 1; reached; act_at++) {
		struct pcpu *before = fake_this_pcpu;

		spoil();
		end(SHUTDOWN_crash);
		polls = 0;
		on_poll = destroy_now;
		reached = setjmp(acted) != 0;
		if (!reached) {
			pass(10 * MS);
			break;
		}
		fake_this_pcpu = before;
		on_poll = NULL;
		cr_assert_eq(hv_destroy(d->id), 0);
		cr_assert_eq(hv_live, live);
		pass(100000 * MS); /* no timer of it is left */
		build(2);
	}
	cr_assert_geq(act_at, 12);
	on_poll = NULL;
}

RESTART_TEST(restart, destroyed_while_it_waits)
{
	spoil();
	end(SHUTDOWN_crash);
	cr_assert_eq(hv_destroy(d->id), 0);
	pass(100000 * MS);
	build(1);
}

static void pause_now(void)
{
	if (polls == act_at) {
		domain_pause(d);
	}
}

/* As dom0 would from another CPU: the work stops, and goes on. */
RESTART_TEST(restart, paused_at_each_step)
{
	for (act_at = 1; act_at < 12; act_at++) {
		spoil();
		end(SHUTDOWN_crash);
		polls = 0;
		on_poll = pause_now;
		pass(1000 * MS);
		on_poll = NULL;
		cr_assert(!runs(), "%u", act_at);
		cr_assert(domain_is_descheduled(d));
		domain_unpause(d);
		cpus();
		expect_new();
	}
}

/* ---- no memory, others' memory ------------------------------------------- */

RESTART_TEST(restart, without_memory_it_tries_again)
{
	spoil();
	end(SHUTDOWN_crash);
	d->max_pages = PAGES - 2; /* nothing for the holes */
	pass(10 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(r->count, 2);
	pass(20 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(d->vcpu[0]->pause_count, 1);
	cr_assert_eq(d->vcpu[1]->pause_count, 1);
	d->max_pages = PAGES;
	pass(40 * MS);
	expect_new();
}

/* A page of dom0's in its address space, where it had RAM of its own. */
RESTART_TEST(restart, pages_of_others_are_not_its_own)
{
	struct page *pg = page_of(p2m_lookup(hv_dom0, gfn(HV_GFN + 9)).mfn);
	uint8_t *there = hv_va(mfn_to_paddr(page_mfn(pg)));

	cr_assert(page_get(pg));
	cr_assert_eq(p2m_map_page(d, gfn(SHARED_AT), pg, P2M_FOREIGN_RW), 0);
	memset(there, 0x3c, PAGE_SIZE);
	end(SHUTDOWN_crash);
	pass(10 * MS);
	cr_assert(runs());
	cr_assert_eq(p2m_lookup(d, gfn(SHARED_AT)).type, P2M_FOREIGN_RW);
	cr_assert_eq(there[0], 0x3c);
	cr_assert_eq(there[PAGE_SIZE - 1], 0x3c);
}

/* dom0 has a page of it mapped: it keeps that, and lets it go later. */
RESTART_TEST(restart, a_grant_that_dom0_uses)
{
	gnttab_map_grant_ref_t m = { .host_addr = HV_MAP_GFN << PAGE_SHIFT,
				     .flags = GNTMAP_host_map,
				     .ref = 8, .dom = d->id };
	gnttab_unmap_grant_ref_t u = { .host_addr = m.host_addr };
	struct page *pg;
	grant_entry_v1_t *e;

	cr_assert_eq(gnttab_get_shared_frame(d, 1, &pg), 0);
	page_put(pg);
	e = d->gnttab.frame[0];
	e[8].frame = HV_PAGE_GFN;
	e[8].flags = GTF_permit_access;
	guest_put(hv_dom0, HV_ARG, &m, sizeof(m));
	cr_assert_eq(hv_call(__HYPERVISOR_grant_table_op,
			     GNTTABOP_map_grant_ref, HV_ARG, 1), 0);
	guest_get(hv_dom0, HV_ARG, &m, sizeof(m));
	cr_assert_eq(m.status, GNTST_okay);
	end(SHUTDOWN_crash);
	pass(10 * MS);
	cr_assert(runs());
	cr_assert_eq(d->gnttab.nr_frames, 1);
	cr_assert_eq(e[8].flags, 0);
	u.handle = m.handle;
	guest_put(hv_dom0, HV_ARG, &u, sizeof(u));
	cr_assert_eq(hv_call(__HYPERVISOR_grant_table_op,
			     GNTTABOP_unmap_grant_ref, HV_ARG, 1), 0);
	end(SHUTDOWN_crash);
	pass(20 * MS);
	cr_assert_eq(d->gnttab.nr_frames, 0);
	live += 2; /* dom0 has its tables of mappings from now on */
	frames -= 3;
}
