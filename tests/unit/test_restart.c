/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that ends and begins again: everything is as boot had made it,
 * whatever its guest and its controller do meanwhile, and nothing is lost.
 */
// LINK: core/restart.c core/restart_steps.c core/wallclock.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_rtds.c
// LINK: core/sched_null.c core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_op.c
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
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle,--wrap=arch_irq_poll
// LIBS: -Wl,--wrap=arch_machine_restart
#include <criterion/criterion.h>
#include <setjmp.h>
#include <string.h>

#include <hv/entry.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <hv/restart.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/evtchn_priv.h"
#include "core/gnttab_priv.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define MS UINT64_C(1000000)
#define PAGES 40u
#define IMAGE_PAGES 6u /* blocks of 4 and of 2 */
#define ENTRY UINT64_C(0x10010)
#define FDT UINT64_C(0x14000)
#define STEP_PAGES 16u
#define HOLE (HV_GFN + 20)
#define SHARED_AT (HV_GFN + 30)
#define FAR_GFN UINT64_C(0x80000)

static struct domain *d;
static struct restart *r;
static uint64_t frames;
static long live;

/* ---- a domain as boot leaves it ------------------------------------------ */

static void keep(uint64_t g, uint32_t order)
{
	struct restart_block *b = &r->block[r->nr_blocks++];

	b->gfn = g;
	b->order = order;
	b->va = hv_alloc_pages(d, order);
	cr_assert_not_null(b->va);
	memset(b->va, 0x11, PAGE_SIZE << order);
}

static void build(uint32_t nr_vcpus)
{
	d = hv_build(nr_vcpus, PAGES);
	cr_assert_not_null(d);
	r = heap_alloc(NULL, sizeof(*r));
	r->policy = (struct restart_policy){
		.on = { RESTART_AGAIN, RESTART_AGAIN, RESTART_AGAIN,
			RESTART_AGAIN },
		.backoff_ms = 10,
	};
	r->entry = ENTRY;
	r->fdt = FDT;
	r->ram[0] = (struct restart_range){ HV_GFN, 10 };
	r->ram[1] = (struct restart_range){ HV_GFN + 10, PAGES - 10 };
	r->nr_ram = 2;
	r->block = heap_alloc(d, 2 * sizeof(*r->block));
	d->restart = r;
	keep(HV_GFN, 2);
	keep(HV_GFN + 4, 1);
	restart_init(d);
	restart_begin(d);
	cr_assert_eq(hv_unpause(d->id), 0);
	for (uint16_t cpu = 1; cpu < 4; cpu++) {
		hv_run_cpu(cpu);
	}
}

static void spoil(void);

static void setup(void)
{
	hv_start(64, 4);
	build(2);
	spoil();
	cr_assert_eq(hv_destroy(d->id), 0); /* slabs */
	frames = page_alloc_nr_free();
	live = hv_live;
	build(2);
}

/* At the end of each test; what fails in a .fini Criterion counts as passed. */
static void expect_nothing_lost(void)
{
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_live, live);
	cr_assert_geq(page_alloc_nr_free(), frames);
}

TestSuite(restart, .init = setup);

#define RESTART_TEST(name)                                                    \
	static void body_##name(void);                                        \
	Test(restart, name)                                                   \
	{                                                                     \
		body_##name();                                                \
		expect_nothing_lost();                                        \
	}                                                                     \
	static void body_##name(void)

/* ---- time and CPUs ------------------------------------------------------- */

static unsigned int polls;
static void (*on_poll)(void);

void __wrap_arch_irq_poll(void);
void __wrap_arch_irq_poll(void)
{
	polls++;
	if (on_poll) {
		on_poll();
	}
}

static void cpus(void)
{
	struct pcpu *before = fake_this_pcpu;

	for (uint16_t i = 0; i < 4; i++) {
		fake_this_pcpu = pcpus[i];
		timer_run_due();
	}
	fake_this_pcpu = before;
	for (uint16_t i = 1; i < 4; i++) {
		hv_run_cpu(i);
	}
}

static void pass(uint64_t ns)
{
	fake_time_ns += ns;
	cpus();
	cpus();
}

static void end(uint8_t code)
{
	domain_shutdown(d, code);
	cpus();
}

static bool runs(void)
{
	return d->state == DOM_RUNNING && !d->shutdown_claimed &&
	       !r->running;
}

/* ---- what a guest does to itself ----------------------------------------- */

static int64_t guest_call(uint32_t nr, uint64_t op, const void *arg,
			  size_t size)
{
	guest_put(d, HV_ARG, arg, size);
	return hv_call_once(d->vcpu[0], nr, op, HV_ARG);
}

static void spoil_memory(void)
{
	xen_add_to_physmap_t info = { .domid = DOMID_SELF,
				      .space = XENMAPSPACE_shared_info,
				      .gpfn = HV_GFN + 1 };
	xen_add_to_physmap_t table = { .domid = DOMID_SELF,
				       .space = XENMAPSPACE_grant_table,
				       .gpfn = FAR_GFN + 7 };

	for (uint64_t i = 0; i < PAGES; i++) {
		memset(hv_va(mfn_to_paddr(p2m_lookup(d, gfn(HV_GFN + i)).mfn)),
		       0xee, PAGE_SIZE);
	}
	cr_assert_eq(p2m_remove_page(d, gfn(HOLE), P2M_MASK_RAM), 0);
	hv_ram(d, FAR_GFN, 1); /* in the place of that one */
	cr_assert_eq(guest_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
				&info, sizeof(info)), 0);
	cr_assert_eq(guest_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
				&table, sizeof(table)), 0);
	((grant_entry_v1_t *)d->gnttab.frame[0])[9].flags = GTF_permit_access;
}

static void spoil_ports(void)
{
	evtchn_init_control_t fifo = { .control_gfn = HV_GFN + 12 };
	evtchn_bind_virq_t virq = { .virq = VIRQ_TIMER };
	evtchn_bind_ipi_t ipi = { .vcpu = 1 };

	cr_assert_eq(guest_call(__HYPERVISOR_event_channel_op,
				EVTCHNOP_bind_virq, &virq, sizeof(virq)), 0);
	cr_assert_eq(guest_call(__HYPERVISOR_event_channel_op,
				EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)), 0);
	cr_assert_eq(guest_call(__HYPERVISOR_event_channel_op,
				EVTCHNOP_init_control, &fifo, sizeof(fifo)),
		     0);
	cr_assert_gt(hv_alloc_unbound(d->id), 0);
}

static void spoil_vcpus(void)
{
	struct vcpu_register_vcpu_info info = { .mfn = HV_GFN + 13 };
	sched_watchdog_t dog = { .timeout = 3 };
	struct vcpu *v = d->vcpu[0];

	guest_put(d, HV_ARG, &info, sizeof(info));
	cr_assert_eq(hypercall_dispatch(v, __HYPERVISOR_vcpu_op,
					(uint64_t[6]){
						VCPUOP_register_vcpu_info, 1,
						HV_ARG }), 0);
	v->runstate_gva = (HV_GFN + 14) << PAGE_SHIFT;
	d->vm_assist = 0x20;
	timer_set(&v->singleshot, 99 * MS);
	vcpu_online(d->vcpu[1]);
	cr_assert_eq(guest_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, &dog,
				sizeof(dog)), 1);
	v->arch.regs.pc = 0xbad;
	memset(d->shared_info, 0x77, 64);
}

static void spoil(void)
{
	spoil_ports();
	spoil_vcpus();
	spoil_memory();
}

static bool is_filled(uint64_t g, int with)
{
	struct p2m_entry e = p2m_lookup(d, gfn(g));
	const uint8_t *p = hv_va(mfn_to_paddr(e.mfn));

	cr_assert_eq(e.type, P2M_RAM_RW);
	return p[0] == with && memcmp(p, p + 1, PAGE_SIZE - 1) == 0;
}

static void expect_new_memory(void)
{
	static const uint8_t zero[256];

	for (uint64_t i = 0; i < PAGES; i++) {
		cr_assert(is_filled(HV_GFN + i, i < IMAGE_PAGES ? 0x11 : 0),
			  "page %lu", i);
	}
	cr_assert_eq(d->tot_pages, PAGES);
	cr_assert_eq(p2m_lookup(d, gfn(FAR_GFN)).type, P2M_NONE);
	cr_assert_eq(p2m_lookup(d, gfn(FAR_GFN + 7)).type, P2M_NONE);
	cr_assert_eq(memcmp(d->shared_info->evtchn_pending, zero,
			    sizeof(zero)), 0);
	cr_assert_eq(d->shared_info_page->count, 1);
	cr_assert_eq(d->gnttab.nr_frames, 0);
}

static void expect_new(void)
{
	struct vcpu *v = d->vcpu[0];

	cr_assert(runs());
	expect_new_memory();
	cr_assert_eq(d->evtchn.active, 0);
	cr_assert_null(d->evtchn.fifo);
	cr_assert_eq(v->virq_port[VIRQ_TIMER], 0);
	cr_assert_eq(v->arch.regs.pc, ENTRY);
	cr_assert_eq(v->arch.regs.x[0], FDT);
	cr_assert_eq(v->info, &d->shared_info->vcpu_info[0]);
	cr_assert_eq(d->vcpu[1]->info, &d->vcpu[1]->own_info);
	cr_assert_null(d->vcpu[1]->info_page);
	cr_assert_eq(v->runstate_gva, 0);
	cr_assert_eq(v->singleshot.cpu, CPU_NONE);
	cr_assert_eq(d->vcpu[1]->state, VCPU_OFFLINE);
	cr_assert_eq(v->pause_count + d->vcpu[1]->pause_count, 0);
	cr_assert_eq(v->state, VCPU_RUNNING);
	cr_assert_eq(v->work, 0);
	cr_assert_eq(d->vm_assist, 0);
	cr_assert_eq(d->watchdog_inuse, 0);
	cr_assert_eq(d->watchdog[0].cpu, CPU_NONE);
}

RESTART_TEST(again_and_again_as_boot_made_it)
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
RESTART_TEST(from_any_state_of_its_vcpus)
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

/* ---- when ---------------------------------------------------------------- */

RESTART_TEST(waits_double_and_end_at_the_limit)
{
	static const uint64_t wait[] = { 10, 20, 40, 80, 160, 320, 640, 640 };

	r->policy.limit = ARRAY_SIZE(wait);
	for (size_t i = 0; i < ARRAY_SIZE(wait); i++) {
		end(SHUTDOWN_crash);
		pass(wait[i] * MS - 1);
		cr_assert_eq(d->state, DOM_SHUTDOWN);
		pass(1);
		cr_assert(runs(), "%zu", i);
	}
	end(SHUTDOWN_crash);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(r->count, ARRAY_SIZE(wait));
}

RESTART_TEST(a_long_life_ends_the_row)
{
	r->policy.limit = 2;
	for (int i = 0; i < 5; i++) {
		end(SHUTDOWN_reboot);
		pass(10 * MS);
		cr_assert(runs());
		pass(60000 * MS);
	}
	end(SHUTDOWN_crash);
	pass(10 * MS);
	pass(60000 * MS - 1);
	end(SHUTDOWN_crash); /* this life was not long enough */
	pass(20 * MS);
	end(SHUTDOWN_crash);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(r->count, 7);
}

/* On its own CPU when the wait is over already. */
RESTART_TEST(waits_until_it_is_off_its_cpu)
{
	uint16_t cpu = d->vcpu[0]->loaded_on;

	r->policy.backoff_ms = 0;
	cr_assert_neq(cpu, CPU_NONE);
	domain_shutdown(d, SHUTDOWN_crash);
	for (int i = 0; i < 3; i++) {
		fake_time_ns += MS;
		timer_run_due();
		cr_assert_eq(d->state, DOM_SHUTDOWN);
		cr_assert(!r->running);
	}
	hv_run_cpu(cpu);
	pass(MS);
	cr_assert(runs());
}

/* ---- what ---------------------------------------------------------------- */

static jmp_buf machine;
static unsigned int machine_ends;

__noreturn void __wrap_arch_machine_restart(void);
__noreturn void __wrap_arch_machine_restart(void)
{
	machine_ends++;
	longjmp(machine, 1);
}

RESTART_TEST(each_cause_has_its_action)
{
	static const struct {
		uint8_t code;
		uint8_t cause;
	} rows[] = {
		{ SHUTDOWN_poweroff, RESTART_POWEROFF },
		{ SHUTDOWN_reboot, RESTART_REBOOT },
		{ SHUTDOWN_crash, RESTART_CRASH },
		{ SHUTDOWN_watchdog, RESTART_WATCHDOG },
		{ SHUTDOWN_soft_reset, RESTART_CRASH },
		{ 77, RESTART_CRASH },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r->row = 0;
		memset(r->policy.on, RESTART_HALT, sizeof(r->policy.on));
		r->policy.on[rows[i].cause] = RESTART_AGAIN;
		end(rows[i].code);
		pass(10 * MS);
		cr_assert(runs(), "code %u", rows[i].code);
		memset(r->policy.on, RESTART_CRASH_MACHINE,
		       sizeof(r->policy.on));
		r->policy.on[rows[i].cause] = RESTART_AGAIN;
		r->row = 0;
		end(rows[i].code);
		pass(10 * MS);
		cr_assert(runs(), "code %u", rows[i].code);
	}
	r->policy.on[RESTART_CRASH] = RESTART_HALT;
	end(SHUTDOWN_crash);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(machine_ends, 0);
}

RESTART_TEST(one_that_suspends_is_resumed)
{
	memset(r->policy.on, RESTART_CRASH_MACHINE, sizeof(r->policy.on));
	end(SHUTDOWN_suspend);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(hv_simple(XEN_DOMCTL_resumedomain, d->id), 0);
	cr_assert(runs());
}

RESTART_TEST(and_the_machine_with_it)
{
	r->policy.on[RESTART_WATCHDOG] = RESTART_CRASH_MACHINE;
	if (setjmp(machine) == 0) {
		domain_shutdown(d, SHUTDOWN_watchdog);
	}
	cr_assert_eq(machine_ends, 1);
}

/* ---- the heartbeat ------------------------------------------------------- */

static int64_t poke(uint32_t id, uint32_t seconds)
{
	sched_watchdog_t dog = { .id = id, .timeout = seconds };

	return guest_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, &dog,
			  sizeof(dog));
}

RESTART_TEST(a_missed_heartbeat)
{
	r->policy.heartbeat_ms = 5;
	end(SHUTDOWN_reboot);
	pass(10 * MS);
	cr_assert(runs());
	pass(4 * MS);
	cr_assert_eq(poke(0, 1000), 1);
	pass(4 * MS);
	cr_assert_eq(poke(1, 1000), 0);
	pass(4 * MS);
	cr_assert(runs());
	/* None of these is a sign of life. */
	cr_assert_eq(poke(2, 1000), -EINVAL);
	cr_assert_eq(poke(1, 0), 0);
	pass(MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_watchdog);
	cr_assert_eq(r->heartbeat.cpu, CPU_NONE);
	pass(19 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN); /* it is not expected to beat */
	pass(MS);
	expect_new();
	cr_assert_neq(r->heartbeat.cpu, CPU_NONE);
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

RESTART_TEST(goes_in_steps)
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

RESTART_TEST(destroyed_at_each_step)
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

RESTART_TEST(destroyed_while_it_waits)
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
RESTART_TEST(paused_at_each_step)
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

RESTART_TEST(without_memory_it_tries_again)
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
RESTART_TEST(pages_of_others_are_not_its_own)
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
RESTART_TEST(a_grant_that_dom0_uses)
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
