/* SPDX-License-Identifier: Apache-2.0 */
/* What fake_audit.h declares. */
#include "fake_audit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <hv/audit.h>
#include <hv/console.h>
#include <hv/hypercall.h>
#include <hv/ipi.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/work.h>
#include <lib/errno.h>
#include "core/page_priv.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)

struct domain *d0, *d1, *d2;
struct domain *all[3];
char out[4096];

/* ---- what the auditor calls ---------------------------------------------- */

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	size_t len = strlen(out);
	va_list ap;

	(void)lvl;
	va_start(ap, fmt);
	(void)vsnprintf(out + len, sizeof(out) - len, fmt, ap);
	va_end(ap);
}

void log_guest(const struct domain *d, enum log_level lvl, const char *fmt,
	       ...)
{
	(void)d;
	(void)lvl;
	(void)fmt;
}

struct domain *domain_next_get(domid_t id)
{
	for (unsigned int i = 0; i < 3; i++) { /* their ids rise */
		if (all[i] && all[i]->id >= id) {
			domain_get(all[i]);
			return all[i];
		}
	}
	return NULL;
}

mfn_t trace_page = { INVALID_FRAME };

struct page *tracebuf_page_get(mfn_t m, bool *writable)
{
	struct page *pg = m.v == trace_page.v ? page_of(m) : NULL;

	*writable = false;
	return pg && page_get(pg) ? pg : NULL;
}

void (*before_frame)(void);
bool __real_page_inspect(mfn_t m, struct page_state *s);
bool __wrap_page_inspect(mfn_t m, struct page_state *s);

bool __wrap_page_inspect(mfn_t m, struct page_state *s)
{
	if (before_frame) {
		before_frame();
	}
	return __real_page_inspect(m, s);
}

static void chip_line(uint32_t line)
{
	(void)line;
}

static void chip_trigger(uint32_t line, enum irq_trigger t)
{
	(void)line;
	(void)t;
}

static void chip_route(uint32_t line, uint16_t cpu)
{
	(void)line;
	(void)cpu;
}

static const struct irqchip chip = {
	.enable = chip_line,
	.disable = chip_line,
	.set_trigger = chip_trigger,
	.route = chip_route,
};

/* ---- a second CPU -------------------------------------------------------- */

static struct pcpu cpus[2];
static struct pcpu *cpu0;
static ucontext_t here, there;
static char stack[256 * 1024];
static void (*called)(void *arg);
static void *called_arg;
bool comes, stands;
static bool posted;
unsigned int nr_parks;

int ipi_post_call(uint16_t cpu, void (*fn)(void *arg), void *arg)
{
	cr_assert_eq(cpu, 1);
	if (posted || stands) {
		return -EBUSY;
	}
	called = fn;
	called_arg = arg;
	posted = true;
	return 0;
}

static void run_called(void)
{
	called(called_arg);
	stands = false;
	fake_this_pcpu = cpu0;
	(void)swapcontext(&there, &here);
}

/* The other CPU's turn: up to its next spin, or to the end of its call. */
static void turn(void)
{
	if (posted) {
		posted = false;
		stands = true;
		nr_parks++;
		cr_assert_eq(getcontext(&there), 0);
		there.uc_stack.ss_sp = stack;
		there.uc_stack.ss_size = sizeof(stack);
		there.uc_link = NULL;
		makecontext(&there, run_called, 0);
	}
	if (stands) {
		fake_this_pcpu = pcpus[1];
		cr_assert_eq(swapcontext(&here, &there), 0);
		fake_this_pcpu = cpu0;
	}
}

static void spin(void)
{
	fake_time_ns += 1000;
	if (fake_this_pcpu != cpu0) { /* it gives the turn back */
		cr_assert_eq(swapcontext(&there, &here), 0);
	} else if (comes) {
		turn();
	}
}

void second_cpu(void)
{
	nr_pcpus = 2;
	cpus[1].id = 1;
	cpus[1].online = true;
	pcpus[1] = &cpus[1];
	comes = true;
}

/* ---- runs ---------------------------------------------------------------- */

void look(void)
{
	long refs = world_log.refs;
	unsigned int i;

	out[0] = '\0';
	audit_request(true);
	cr_assert(cpu0->work & PWORK_AUDIT);
	cpu0->work = 0;
	for (i = 0; i < 100000 && !strstr(out, " asked=1"); i++) {
		audit_step();
		turn(); /* no longer parked */
	}
	cr_assert_eq(cpu0->held_ranks, 0);
	cr_assert_eq(world_log.refs, refs);
}

void passes(void)
{
	look();
	cr_assert(strstr(out, "audit: PASS run=") && !strstr(out, "FAULT"),
		  "%s", out);
}

void finds(const char *what)
{
	look();
	cr_assert(strstr(out, what), "not \"%s\" in:\n%s", what, out);
	cr_assert(strstr(out, "audit: FAIL run=") &&
		  strstr(out, " found=1 unsure=0 "), "%s", out);
}

/* ---- the world ----------------------------------------------------------- */

static struct domain *make(domid_t id, bool control)
{
	struct domain *d = world_domain(id, control, 1);

	cr_assert_eq(gnttab_init(d, 4, 1), 0);
	cr_assert_eq(evtchn_init(d, UINT32_MAX), 0);
	world_ram(d, RAM, NR_RAM);
	return d;
}

void audit_world(void)
{
	world_init(32);
	d0 = make(0, true);
	d1 = make(1, false);
	d2 = make(2, false);
	memcpy(all, (struct domain *[]){ d0, d1, d2 }, sizeof(all));
	hardware_domain = d0;
	irqchip = &chip;
	irqchip_nr_lines = 288;
	cpu0 = fake_this_pcpu;
	cpu0->online = true;
	pcpus[0] = cpu0;
	nr_pcpus = 1;
	fake_on_relax = spin;
	cr_assert_eq(irq_assign_guest(d0, LINE, LINE, IRQ_LEVEL), 0);
	fake_links[0] = (struct fake_link){ d0, LINE, LINE };
	cr_assert_eq(p2m_map_mmio(d0, gfn(DEVICE), mfn(DEVICE), 4,
				  P2M_MMIO_DIRECT), 0);
}

mfn_t frame(struct domain *d, uint64_t g)
{
	return arch_p2m_lookup(d, gfn(g)).mfn;
}

void enter(struct domain *d, mfn_t m, enum p2m_type t)
{
	cr_assert_eq(arch_p2m_map(d, gfn(FREE), m, 0, t), 0);
}

struct fake_p2m_block *block(struct domain *d, uint64_t g)
{
	for (size_t i = 0; i < d->arch.p2m->nr; i++) {
		if (d->arch.p2m->block[i].g == g) {
			return &d->arch.p2m->block[i];
		}
	}
	cr_assert_fail("nothing is mapped there");
	return NULL;
}

int64_t call(struct vcpu *v, uint64_t nr, uint64_t cmd, void *arg,
		    size_t size)
{
	uint64_t args[5] = { cmd, ARG, 1 };
	int64_t rc;

	if (nr == __HYPERVISOR_memory_op) {
		args[2] = 0;
	}
	guest_put(v->domain, ARG, arg, size);
	do {
		rc = hypercall_dispatch(v, nr, args);
	} while (rc == HC_RESTARTED);
	guest_get(v->domain, ARG, arg, size);
	return rc;
}

uint32_t map_grant(struct domain *to, struct domain *from, uint64_t n,
			  uint32_t flags, uint64_t at)
{
	gnttab_map_grant_ref_t m = { .host_addr = at << PAGE_SHIFT,
				     .flags = flags | GNTMAP_host_map,
				     .ref = REF + (uint32_t)n,
				     .dom = from->id };
	struct page *pg;

	cr_assert_eq(gnttab_get_shared_frame(from, 0, &pg), 0);
	page_put(pg);
	((grant_entry_v1_t *)from->gnttab.frame[0])[m.ref] =
		(grant_entry_v1_t){ .flags = GTF_permit_access,
				    .domid = to->id,
				    .frame = (uint32_t)(RAM + n) };
	cr_assert_eq(call(to->vcpu[0], __HYPERVISOR_grant_table_op,
			  GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
	cr_assert_eq(m.status, GNTST_okay);
	return m.handle;
}

void unmap_grant(struct domain *d, uint32_t handle, uint64_t at)
{
	gnttab_unmap_grant_ref_t u = { .host_addr = at << PAGE_SHIFT,
				       .handle = handle };

	cr_assert_eq(call(d->vcpu[0], __HYPERVISOR_grant_table_op,
			  GNTTABOP_unmap_grant_ref, &u, sizeof(u)), 0);
	cr_assert_eq(u.status, GNTST_okay);
}

void map_foreign(struct domain *from, uint64_t g, uint64_t at)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(from, gfn(g), &e);

	cr_assert(pg);
	cr_assert_eq(p2m_map_page(d0, gfn(at), pg, P2M_FOREIGN_RW), 0);
}

struct evtchn *pair(struct domain *a, struct domain *b)
{
	cr_assert_eq(evtchn_open_at(a, 5, b->id), 0);
	cr_assert_eq(evtchn_open_at(b, 7, a->id), 0);
	cr_assert_eq(evtchn_join(a, 5, b, 7), 0);
	return evtchn_find(a, 5);
}
