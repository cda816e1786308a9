/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations that need others before them: the lives of a port, of a grant,
 * of pages and of vCPU areas. The last one starts a vCPU where no program is.
 */
#include "conform.h"

#define EVTCHN(op, p)	hc2(__HYPERVISOR_event_channel_op, op, PTR(p))
#define GRANT(op, p)	hc3(__HYPERVISOR_grant_table_op, op, PTR(p), 1)
#define MEMORY(op, p)	hc2(__HYPERVISOR_memory_op, op, PTR(p))
#define REF		40u		/* the toolstack seeds lower ones */

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
static domid_t me;			/* our number */
static uint8_t other[PAGE_SIZE] __attribute__((aligned(4096)));

static void status_of(evtchn_port_t port, const char *what)
{
	evtchn_status_t s = { .dom = DOMID_SELF, .port = port };

	EVTCHN(EVTCHNOP_status, &s);
	say("EVTCHNOP_status", what, s.status);
	if (s.status == EVTCHNSTAT_unbound) {
		me = s.u.unbound.dom;
	}
}

static void port_unbound(void)
{
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF,
				     .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t b = { .remote_dom = DOMID_SELF };
	evtchn_send_t send;
	evtchn_close_t c;

	say("EVTCHNOP_alloc_unbound", "story", EVTCHN(6, &a));
	status_of(a.port, "of an unbound port");
	send.port = a.port;
	say("EVTCHNOP_send", "to an unbound port",
	    EVTCHN(EVTCHNOP_send, &send));
	b.remote_port = a.port;
	say("EVTCHNOP_bind_interdomain", "story",
	    EVTCHN(EVTCHNOP_bind_interdomain, &b));
	status_of(b.local_port, "of a bound port");
	say("EVTCHNOP_bind_interdomain", "to a bound port",
	    EVTCHN(EVTCHNOP_bind_interdomain, &b));
	send.port = b.local_port;
	say("EVTCHNOP_send", "to a bound port", EVTCHN(EVTCHNOP_send, &send));
	c.port = b.local_port;
	say("EVTCHNOP_close", "a bound port", EVTCHN(EVTCHNOP_close, &c));
	say("EVTCHNOP_close", "again", EVTCHN(EVTCHNOP_close, &c));
	status_of(a.port, "of the other end");
	c.port = a.port;
	say("EVTCHNOP_close", "the other end", EVTCHN(EVTCHNOP_close, &c));
}

static void port_of_a_virq(void)
{
	evtchn_bind_virq_t v = { .virq = VIRQ_DEBUG };
	evtchn_bind_vcpu_t move = { .vcpu = 1 };
	evtchn_close_t c;

	say("EVTCHNOP_bind_virq", "story", EVTCHN(EVTCHNOP_bind_virq, &v));
	status_of(v.port, "of a virq");
	move.port = v.port;
	say("EVTCHNOP_bind_vcpu", "a virq of a vCPU",
	    EVTCHN(EVTCHNOP_bind_vcpu, &move));
	say("EVTCHNOP_bind_virq", "again", EVTCHN(EVTCHNOP_bind_virq, &v));
	c.port = move.port;
	say("EVTCHNOP_close", "a virq", EVTCHN(EVTCHNOP_close, &c));
	v.virq = VIRQ_CONSOLE;
	v.vcpu = 1;
	say("EVTCHNOP_bind_virq", "of the domain to vCPU 1",
	    EVTCHN(EVTCHNOP_bind_virq, &v));
	v.virq = VIRQ_DOM_EXC;
	v.vcpu = 0;
	say("EVTCHNOP_bind_virq", "of the control domain",
	    EVTCHN(EVTCHNOP_bind_virq, &v));
}

static void port_of_an_ipi(void)
{
	evtchn_bind_ipi_t i = { .vcpu = 1 };
	evtchn_unmask_t u;
	evtchn_send_t send;

	say("EVTCHNOP_bind_ipi", "story", EVTCHN(EVTCHNOP_bind_ipi, &i));
	status_of(i.port, "of an ipi");
	u.port = i.port;
	say("EVTCHNOP_unmask", "story", EVTCHN(EVTCHNOP_unmask, &u));
	send.port = i.port;
	say("EVTCHNOP_send", "an ipi", EVTCHN(EVTCHNOP_send, &send));
	say("EVTCHNOP_close", "an ipi", EVTCHN(EVTCHNOP_close, &send));
}

static void memory(void)
{
	xen_add_to_physmap_t a = { .domid = DOMID_SELF,
				   .space = XENMAPSPACE_grant_table,
				   .gpfn = machine.grant.base / PAGE_SIZE };
	xen_remove_from_physmap_t r = { .domid = DOMID_SELF };
	xen_pfn_t gfn = PTR(other) / PAGE_SIZE;
	xen_memory_reservation_t m = { .nr_extents = 1, .domid = DOMID_SELF };

	say("XENMEM_add_to_physmap", "a grant frame",
	    MEMORY(XENMEM_add_to_physmap, &a));
	say("XENMEM_add_to_physmap", "the same again",
	    MEMORY(XENMEM_add_to_physmap, &a));
	a.idx = 63;
	a.gpfn += 1;
	say("XENMEM_add_to_physmap", "the last grant frame",
	    MEMORY(XENMEM_add_to_physmap, &a));
	r.gpfn = a.gpfn;
	say("XENMEM_remove_from_physmap", "a grant frame",
	    MEMORY(XENMEM_remove_from_physmap, &r));
	say("XENMEM_remove_from_physmap", "again",
	    MEMORY(XENMEM_remove_from_physmap, &r));
	m.extent_start.q = PTR(&gfn);
	say("XENMEM_decrease_reservation", "a page",
	    MEMORY(XENMEM_decrease_reservation, &m));
	say("XENMEM_decrease_reservation", "again",
	    MEMORY(XENMEM_decrease_reservation, &m));
	say("XENMEM_populate_physmap", "the page",
	    MEMORY(XENMEM_populate_physmap, &m));
	say("XENMEM_populate_physmap", "again",
	    MEMORY(XENMEM_populate_physmap, &m));
}

static void grant_set(uint16_t flags, domid_t to, const void *p)
{
	volatile grant_entry_v1_t *e = (void *)MAP_WINDOW;

	e[REF].frame = (uint32_t)(PTR(p) / PAGE_SIZE);
	e[REF].domid = to;
	dsb();
	e[REF].flags = flags;
	dsb();
}

static void grant_copy(const char *what, uint16_t flags)
{
	gnttab_copy_t c = { .source.u.ref = REF, .source.domid = me,
			    .dest.u.gmfn = PTR(other) / PAGE_SIZE,
			    .dest.domid = DOMID_SELF, .len = 16,
			    .flags = GNTCOPY_source_gref };

	grant_set(flags, me, page);
	say("GNTTABOP_copy", what, GRANT(GNTTABOP_copy, &c));
	say("GNTTABOP_copy", "status", (uint16_t)c.status);
}

static void grant_map(const char *what, uint16_t flags, domid_t to)
{
	gnttab_map_grant_ref_t m = { .host_addr = machine.grant.base +
						  2 * PAGE_SIZE,
				     .flags = GNTMAP_host_map, .ref = REF,
				     .dom = me };
	gnttab_unmap_grant_ref_t u = { .host_addr = m.host_addr };

	grant_set(flags, to, page);
	say("GNTTABOP_map_grant_ref", what,
	    GRANT(GNTTABOP_map_grant_ref, &m));
	say("GNTTABOP_map_grant_ref", "status", (uint16_t)m.status);
	u.handle = m.handle;
	say("GNTTABOP_unmap_grant_ref", what,
	    GRANT(GNTTABOP_unmap_grant_ref, &u));
	say("GNTTABOP_unmap_grant_ref", "status", (uint16_t)u.status);
}

static void grants(void)
{
	mmu_window(0, machine.grant.base, MAP_RW);
	grant_copy("a grant to itself", GTF_permit_access);
	grant_copy("a read-only grant", GTF_permit_access | GTF_readonly);
	grant_copy("no grant", 0);
	grant_map("a grant to itself", GTF_permit_access, me);
	grant_map("a grant to nobody", GTF_permit_access, NODOM);
	grant_map("no grant", 0, 0);
}

static void scheduling(void)
{
	sched_watchdog_t w = { .timeout = 1000 };

	gic_init();
	gic_cpu_init();
	gic_enable(1);
	gic_sgi(1, SGI_SELF, 0);
	say("SCHEDOP_block", "with an interrupt pending",
	    hc1(__HYPERVISOR_sched_op, SCHEDOP_block));
	say("SCHEDOP_block", "DAIF after it", (int64_t)sysreg_read(daif));
	irq_off();
	gic_sgi(1, SGI_SELF, 0);
	say("PSCI_CPU_SUSPEND", "with an interrupt pending",
	    smccc_hvc(PSCI_CPU_SUSPEND, 0, PTR(page), 0));
	w.id = (uint32_t)hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, PTR(&w));
	say("SCHEDOP_watchdog", "story", w.id);
	w.timeout = 0;
	say("SCHEDOP_watchdog", "off",
	    hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, PTR(&w)));
	say("SCHEDOP_watchdog", "off again",
	    hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, PTR(&w)));
}

static int64_t set_affinity(uint32_t flags, uint64_t map)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_setvcpuaffinity,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = me,
	};

	op.u.vcpuaffinity.flags = flags;
	op.u.vcpuaffinity.cpumap_hard.bitmap.q = PTR(&map);
	op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
	return hc1(__HYPERVISOR_domctl, PTR(&op));
}

static void pin(const char *what, int32_t cpu)
{
	struct sched_pin_override p = { .pcpu = cpu };

	say("SCHEDOP_pin_override", what,
	    hc2(__HYPERVISOR_sched_op, SCHEDOP_pin_override, PTR(&p)));
}

static void pinning(void)
{
	const char *row = "XEN_DOMCTL_setvcpuaffinity";

	pin("off before it was on", -1);
	pin("to CPU 1", 1);
	say(row, "while pinned", set_affinity(XEN_VCPUAFFINITY_HARD, 1));
	say(row, "by force",
	    set_affinity(XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_FORCE, 1));
	pin("off after it was forced off", -1);
	pin("to CPU 1", 1);
	pin("to CPU 0", 0);
	pin("off", -2);
	pin("off again", -1);
	say(row, "to all", set_affinity(XEN_VCPUAFFINITY_HARD, UINT64_MAX));
}

static void vcpu_areas(void)
{
	struct vcpu_register_vcpu_info v = { .mfn = PTR(page) / PAGE_SIZE };

	say("VCPUOP_register_vcpu_info", "story",
	    hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, PTR(&v)));
	say("VCPUOP_register_vcpu_info", "again",
	    hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, PTR(&v)));
	say("PSCI_CPU_ON", "where no instruction can be",
	    (uint32_t)smccc_hvc(PSCI_CPU_ON, machine.mpidr[1], 2, 0));
}

void conform_stories(void)
{
	port_unbound();
	port_of_a_virq();
	port_of_an_ipi();
	memory();
	grants();
	scheduling();
	pinning();
	vcpu_areas();
}
