/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain of boot time in the world of fake_hv.h, with a policy and a copy of
 * its images; what its guest spoils, and that all of it is new. Included by
 * one test program each.
 */
#ifndef FAKE_RESTART_H
#define FAKE_RESTART_H

#include <criterion/criterion.h>
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
#define REGION_GFN (HV_GFN + 0x100) /* shared with others */
#define REGION_PAGES 4u

static struct domain *d;
static struct restart *r;
static uint64_t frames;
static long live;
static mfn_t region;

/* ---- a domain as boot leaves it ------------------------------------------ */

static inline void keep(uint64_t g, uint32_t order)
{
	struct restart_block *b = &r->block[r->nr_blocks++];

	b->gfn = g;
	b->order = order;
	b->va = hv_alloc_pages(d, order);
	cr_assert_not_null(b->va);
	memset(b->va, 0x11, PAGE_SIZE << order);
}

static inline void make_region(void)
{
	region = paddr_to_mfn(hv_pa(hv_alloc_pages(NULL, 2)));
	for (uint64_t i = 0; i < REGION_PAGES; i++) {
		struct page *pg = page_of(mfn(region.v + i));

		pg->owner = DOMID_IO;
		pg->count = 1;
	}
}

static inline void build(uint32_t nr_vcpus)
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
	r->ram[0] = (struct restart_range){ .gfn = HV_GFN, .nr = 10 };
	r->ram[1] = (struct restart_range){ REGION_GFN, REGION_PAGES, region.v,
					    true };
	r->ram[2] = (struct restart_range){ .gfn = HV_GFN + 10,
					    .nr = PAGES - 10 };
	r->nr_ram = 3;
	cr_assert_eq(p2m_map_ram(d, gfn(REGION_GFN), region, 2,
				 P2M_FOREIGN_RW), 0);
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

static inline void spoil(void);

static inline void setup(void)
{
	hv_start(64, 4);
	make_region();
	build(2);
	spoil();
	cr_assert_eq(hv_destroy(d->id), 0); /* slabs */
	frames = page_alloc_nr_free();
	live = hv_live;
	build(2);
}

/* At the end of each test; what fails in a .fini Criterion counts as passed. */
static inline void expect_nothing_lost(void)
{
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_eq(hv_destroy(d->id), 0);
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_live, live);
	cr_assert_geq(page_alloc_nr_free(), frames);
}

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

static inline void cpus(void)
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

static inline void pass(uint64_t ns)
{
	fake_time_ns += ns;
	cpus();
	cpus();
}

static inline void end(uint8_t code)
{
	domain_shutdown(d, code);
	cpus();
}

static inline bool runs(void)
{
	return d->state == DOM_RUNNING && !d->shutdown_claimed &&
	       !r->running;
}

/* ---- what a guest does to itself ----------------------------------------- */

static inline int64_t guest_call(uint32_t nr, uint64_t op, const void *arg,
			  size_t size)
{
	guest_put(d, HV_ARG, arg, size);
	return hv_call_once(d->vcpu[0], nr, op, HV_ARG);
}

static inline void spoil_memory(void)
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
	memset(hv_va(mfn_to_paddr(region)), 0xee, REGION_PAGES * PAGE_SIZE);
	for (uint64_t i = 1; i < REGION_PAGES; i++) {
		cr_assert_eq(p2m_remove_page(d, gfn(REGION_GFN + i),
					     P2M_MASK_FOREIGN), 0);
	}
	cr_assert_eq(p2m_remove_page(d, gfn(HOLE), P2M_MASK_RAM), 0);
	cr_assert_eq(p2m_remove_page(d, gfn(HOLE + 16), P2M_MASK_RAM), 0);
	hv_ram(d, FAR_GFN, 1); /* in the place of those two */
	hv_ram(d, REGION_GFN + 2, 1);
	cr_assert_eq(guest_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
				&info, sizeof(info)), 0);
	cr_assert_eq(guest_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
				&table, sizeof(table)), 0);
	((grant_entry_v1_t *)d->gnttab.frame[0])[9].flags = GTF_permit_access;
}

static inline void spoil_ports(void)
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

static inline void spoil_vcpus(void)
{
	struct vcpu_register_vcpu_info info = { .mfn = HV_GFN + 13 };
	sched_watchdog_t dog = { .timeout = 3 };
	struct vcpu *v = d->vcpu[0];

	guest_put(d, HV_ARG, &info, sizeof(info));
	cr_assert_eq(hypercall_dispatch(v, __HYPERVISOR_vcpu_op,
					(uint64_t[6]){
						VCPUOP_register_vcpu_info, 1,
						HV_ARG }), 0);
	cr_assert_eq(vcpu_runstate_register(v, v, (HV_GFN + 14) << PAGE_SHIFT),
		     0);
	d->vm_assist = 0x20;
	timer_set(&v->singleshot, 99 * MS);
	vcpu_online(d->vcpu[1]);
	cr_assert_eq(guest_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, &dog,
				sizeof(dog)), 1);
	v->arch.regs.pc = 0xbad;
	memset(d->shared_info, 0x77, 64);
}

static inline void spoil(void)
{
	spoil_ports();
	spoil_vcpus();
	spoil_memory();
}

static inline bool is_filled(uint64_t g, int with)
{
	struct p2m_entry e = p2m_lookup(d, gfn(g));
	const uint8_t *p = hv_va(mfn_to_paddr(e.mfn));

	cr_assert_eq(e.type, P2M_RAM_RW);
	return p[0] == with && memcmp(p, p + 1, PAGE_SIZE - 1) == 0;
}

static inline void expect_region(void)
{
	for (uint64_t i = 0; i < REGION_PAGES; i++) {
		struct p2m_entry e = p2m_lookup(d, gfn(REGION_GFN + i));
		const uint8_t *p = hv_va(mfn_to_paddr(e.mfn));

		cr_assert_eq(e.type, P2M_FOREIGN_RW);
		cr_assert_eq(e.mfn.v, region.v + i);
		cr_assert_eq(page_of(e.mfn)->count, 2);
		cr_assert_eq(p[0], 0xee);
		cr_assert_eq(memcmp(p, p + 1, PAGE_SIZE - 1), 0);
	}
}

static inline void expect_new_memory(void)
{
	static const uint8_t zero[256];

	for (uint64_t i = 0; i < PAGES; i++) {
		cr_assert(is_filled(HV_GFN + i, i < IMAGE_PAGES ? 0x11 : 0),
			  "page %lu", i);
	}
	expect_region();
	cr_assert_eq(d->tot_pages, PAGES);
	cr_assert_eq(p2m_lookup(d, gfn(FAR_GFN)).type, P2M_NONE);
	cr_assert_eq(p2m_lookup(d, gfn(FAR_GFN + 7)).type, P2M_NONE);
	cr_assert_eq(memcmp(d->shared_info->evtchn_pending, zero,
			    sizeof(zero)), 0);
	cr_assert_eq(d->shared_info_page->count, 1);
	cr_assert_eq(d->gnttab.nr_frames, 0);
}

static inline void expect_new(void)
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
	cr_assert_eq(v->runstate_area, RUNSTATE_AREA_NONE);
	cr_assert_eq(v->runstate_win.len[0], 0);
	cr_assert_eq(v->singleshot.cpu, CPU_NONE);
	cr_assert_eq(d->vcpu[1]->state, VCPU_OFFLINE);
	cr_assert_eq(v->pause_count + d->vcpu[1]->pause_count, 0);
	cr_assert_eq(v->state, VCPU_RUNNING);
	cr_assert_eq(v->work, 0);
	cr_assert_eq(d->vm_assist, 0);
	cr_assert_eq(d->watchdog_inuse, 0);
	cr_assert_eq(d->watchdog[0].cpu, CPU_NONE);
}

/* A test that ends with nothing lost. */
#define RESTART_TEST(suite, name)                                             \
	static void body_##name(void);                                        \
	Test(suite, name)                                                     \
	{                                                                     \
		body_##name();                                                \
		expect_nothing_lost();                                        \
	}                                                                     \
	static void body_##name(void)

#endif
