/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The isolation auditor: what domains may do is never told, and what another
 * CPU is in the middle of is no fault; ports, grants and interrupts that are.
 */
// LINK: $(AUDIT_WORLD)
// LIBS: -Wl,--wrap=page_inspect
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/audit.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <lib/errno.h>
#include "core/gnttab_priv.h"
#include "fake_audit.h"
#include "fake_guest_mem.h"

TestSuite(audit, .init = audit_world);

/* ---- what may be --------------------------------------------------------- */

Test(audit, all_that_may_be_shared)
{
	xen_add_to_physmap_t info = { .domid = DOMID_SELF,
				      .space = XENMAPSPACE_shared_info,
				      .gpfn = FREE };
	void *trace = hv_alloc_pages(NULL, 0);
	mfn_t io;
	struct page *pg;

	passes();
	cr_assert(strstr(out, "irqs=1 ports=0 grants=0 vms=3 streams=0\n"));
	(void)map_grant(d0, d1, 0, 0, FREE);
	(void)map_grant(d0, d1, 1, GNTMAP_readonly, FREE + 1);
	(void)map_grant(d1, d0, 2, 0, FREE + 1);
	(void)map_grant(d1, d1, 3, 0, FREE + 2); /* to itself */
	map_foreign(d1, RAM + 5, FREE + 5);
	map_foreign(d1, RAM, FREE + 6); /* which is granted, too */
	cr_assert_eq(call(d1->vcpu[0], __HYPERVISOR_memory_op,
			  XENMEM_add_to_physmap, &info, sizeof(info)), 0);
	cr_assert_eq(gnttab_map_frame(d1, 1, FREE + 3), 0);
	cr_assert_eq(gnttab_get_shared_frame(d1, 1, &pg), 0);
	cr_assert_eq(p2m_map_page(d0, gfn(FREE + 7), pg, P2M_FOREIGN_RW), 0);
	trace_page = paddr_to_mfn(hv_pa(trace));
	pg = page_of(trace_page);
	cr_assert(page_get(pg));
	cr_assert_eq(p2m_map_page(d0, gfn(FREE + 8), pg, P2M_FOREIGN_RO), 0);
	cr_assert_eq(dom_alloc_pages(d0, 0, &io), 0);
	page_of(io)->owner = DOMID_IO; /* as of a region of the tree */
	d0->tot_pages--;
	cr_assert_eq(p2m_map_ram(d1, gfn(FREE + 9), io, 0, P2M_FOREIGN_RW), 0);
	cr_assert_eq(p2m_map_ram(d2, gfn(FREE + 9), io, 0, P2M_FOREIGN_RW), 0);
	(void)pair(d0, d1);
	cr_assert_eq(p2m_map_mmio(d1, gfn(FREE + 16), mfn(0x8000), 2,
				  P2M_MMIO_DEV), 0);
	cr_assert_eq(p2m_map_mmio(d1, gfn(FREE + 32), mfn(0x7000), 1,
				  P2M_MMIO_DEV), 0);
	cr_assert_eq(p2m_map_mmio(d2, gfn(FREE + 32), mfn(0x7000), 1,
				  P2M_MMIO_DEV), 0);
	fake_shared_mmio = 0x7000;
	cr_assert_eq(p2m_map_mmio(d1, gfn(FREE + 33), mfn(0x7001), 1,
				  P2M_DOORBELL), 0);
	cr_assert_eq(p2m_map_mmio(d2, gfn(FREE + 33), mfn(0x7001), 1,
				  P2M_DOORBELL), 0);
	fake_doorbell = 0x7001;
	passes();
	cr_assert(strstr(out, "ports=2 grants=4 vms=3 streams=0\n"), "%s", out);
}

/* RAM that its owner gave back stays the mapper's to see, not to count on. */
Test(audit, what_is_left_of_a_page)
{
	map_foreign(d1, RAM + 5, FREE + 5);
	cr_assert_eq(p2m_remove_page(d1, gfn(RAM + 5), P2M_MASK_RAM), 0);
	passes();
	(void)map_grant(d0, d1, 6, 0, FREE);
	cr_assert_eq(p2m_remove_page(d1, gfn(RAM + 6), P2M_MASK_RAM), 0);
	passes();
}

Test(audit, a_domain_on_its_way_out)
{
	d1->state = DOM_DYING;
	fake_links[1] = (struct fake_link){ d1, 50, 50 }; /* line is gone */
	while (p2m_fini_step(d1) == -EAGAIN) {
	}
	passes();
	all[1] = NULL;
	passes();
	cr_assert(strstr(out, " vms=2 streams=0\n"));
}

/* Whatever domains do within the rules, at random. */
Test(audit, never_a_false_alarm)
{
	uint32_t handle[NR_RAM];
	bool granted[NR_RAM] = { false };

	srand(8);
	for (unsigned int i = 0; i < 1500; i++) {
		uint64_t n = (uint64_t)rand() % NR_RAM;
		struct p2m_entry e = p2m_lookup(d1, gfn(RAM + n));

		if (e.type == P2M_NONE && rand() % 2) {
			world_ram(d1, RAM + n, 1);
		} else if (e.type != P2M_NONE && !granted[n] && n > 0) {
			handle[n] = map_grant(d0, d1, n,
					      rand() % 2 ? GNTMAP_readonly : 0,
					      FREE + n);
			granted[n] = true;
		} else if (granted[n] && rand() % 2) {
			unmap_grant(d0, handle[n], FREE + n);
			granted[n] = false;
		} else if (e.type != P2M_NONE && n > 0) {
			cr_assert_eq(p2m_remove_page(d1, gfn(RAM + n),
						     P2M_MASK_RAM), 0);
		}
		if (i % 10 == 0) {
			passes();
		}
	}
}

/* ---- what has two ends --------------------------------------------------- */

static struct irq_desc *desc(void)
{
	return (struct irq_desc *)(uintptr_t)irq_desc_of(LINE);
}

Test(audit, interrupts)
{
	fake_links[1] = (struct fake_link){ d1, 50, LINE };
	finds("irq kind=routed-twice domain=1 virq=50 line=40 owner=0");
	fake_links[1].line = 51;
	finds("irq kind=not-assigned domain=1 virq=50 line=51 owner=32754");
	fake_links[1].d = NULL;
	fake_links[0].line = 41;
	look();
	cr_assert(strstr(out, "irq kind=not-linked domain=0 virq=40 line=40"));
	fake_links[0].line = LINE;
	desc()->domain = d1;
	look();
	cr_assert(strstr(out, "irq kind=not-linked domain=1"));
	cr_assert(strstr(out, "irq kind=routed-twice domain=0"));
	desc()->domain = d0;
	desc()->guest = arch_virq_of(d0, 41);
	finds("irq kind=other-virq domain=0");
	desc()->guest = NULL;
	finds("irq kind=half-assigned domain=0");
	desc()->guest = arch_virq_of(d0, LINE);
	passes();
	desc()->owner = IRQ_NOBODY;
	look();
	cr_assert(strstr(out, "irq kind=half-assigned domain=32754"));
}

Test(audit, a_line_of_a_domain_that_is_gone)
{
	struct domain gone = { .id = 9 };

	desc()->domain = &gone;
	fake_links[0].d = &gone;
	finds("irq kind=no-such-domain domain=9 virq=40 line=40");
}

Test(audit, ports)
{
	struct evtchn *chn = pair(d0, d1);

	passes();
	chn->u = 6;
	look();
	cr_assert(strstr(out, "port kind=one-sided domain=0 port=5 "
			      "peer-port=6 peer=1"));
	cr_assert(strstr(out, "port kind=one-sided domain=1 port=7"));
	chn->u = 7;
	chn->peer_domid = 2;
	finds("port kind=other-peer domain=0 port=5");
	chn->peer_domid = 1;
	passes();
	evtchn_find(d1, 7)->state = ECS_UNBOUND;
	finds("port kind=one-sided domain=0 port=5");
}

Test(audit, ports_of_two_that_may_not_share)
{
	struct evtchn *chn = pair(d1, d2);

	passes(); /* the device tree says so */
	chn->is_static = false;
	finds("port kind=policy domain=1 port=5 peer-port=7 peer=2");
}

Test(audit, grants)
{
	uint32_t h = map_grant(d0, d1, 3, 0, FREE);
	struct grant_active *e = &d1->gnttab.active[0][REF + 3];
	struct grant_maptrack *m = gnttab_track_at(&d0->gnttab, h);
	struct page *pg = e->pg;

	passes();
	e->domid = 2;
	finds("grant kind=other-mapper mapper=0 handle=0 ref=11 granter=1");
	e->domid = 0;
	e->pg = page_of(frame(d1, RAM + 4));
	finds("grant kind=other-page mapper=0");
	e->pg = pg;
	e->nr_write = 0;
	finds("grant kind=not-in-use mapper=0");
	e->nr_write = 1;
	m->ref = 4096;
	finds("grant kind=not-in-use mapper=0");
	m->ref = REF + 3;
	d0->is_control = false;
	finds("grant kind=policy mapper=0");
	d0->is_control = true;
	passes();
}

Test(audit, tags)
{
	d1->arch.tag = d2->arch.tag = 7;
	finds("vm kind=same-tag domain=1 root=");
	d2->arch.tag = 8;
	passes();
	d2->arch.p2m = d1->arch.p2m;
	look();
	cr_assert(strstr(out, "vm kind=same-tables domain=1 root="));
}

/* ---- steps and other CPUs ------------------------------------------------ */

Test(audit, goes_in_steps)
{
	unsigned int steps = 0;

	audit_request(false);
	pcpus[0]->work = 0;
	for (; !strstr(out, "asked=0"); steps++) {
		audit_step();
		cr_assert_eq(world_log.timer_set_ns != 0, true);
	}
	cr_assert_gt(steps, 20);
	world_log.timer_set_ns = 0;
	out[0] = '\0';
	audit_request(false);
	cr_assert(pcpus[0]->work & PWORK_AUDIT);
	audit_step();
	audit_request(true); /* another one after it */
	while (!strstr(out, "asked=1")) {
		audit_step();
	}
	cr_assert(strstr(out, "ASKED run=3") && strstr(out, "PASS run=2") &&
		  strstr(out, "PASS run=3"), "%s", out);
}

/* It is told only while the other one stands at a work point. */
Test(audit, parks_the_other_cpu_to_be_sure)
{
	second_cpu();
	passes();
	cr_assert_eq(nr_parks, 0);
	enter(d2, frame(d1, RAM), P2M_RAM_RW);
	finds("page kind=not-its-own mapped-by=2");
	cr_assert_eq(nr_parks, 1);
	cr_assert(!stands);
}

static unsigned int frames_seen;

static void count_again(void)
{
	if (stands) { /* it has ended what it was doing */
		page_of(frame(d1, RAM))->count = 2;
	}
	frames_seen++;
}

Test(audit, what_another_cpu_is_doing_is_no_fault)
{
	second_cpu();
	before_frame = count_again;
	page_of(frame(d1, RAM))->count = 1; /* between two steps of a map */
	passes();
	cr_assert_eq(nr_parks, 1);
	cr_assert_gt(frames_seen, 0);
}

Test(audit, a_cpu_that_does_not_come_by)
{
	second_cpu();
	comes = false;
	enter(d2, frame(d1, RAM), P2M_RAM_RW);
	look();
	cr_assert(strstr(out, "audit: UNSURE run=1 asked=1 found=0 unsure=1 "),
		  "%s", out);
	cr_assert(!strstr(out, "FAULT"));
}
