/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains and vCPUs made by hand, and weak stand-ins for the modules that
 * hypercalls call: a test that links the real module gets that one.
 */
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/guest_console.h>
#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <hv/restart.h>
#include <hv/trace.h>
#include <hv/hypercall.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define WEAK __attribute__((weak))
#define MIB UINT64_C(0x100000)
#define MAX_WORLD 8

struct world_log world_log;
WEAK struct options options;

static struct domain *domains[MAX_WORLD];
static struct page *grant_page[MAX_WORLD][WORLD_GRANT_FRAMES];
static uint64_t free_at_start;

void world_init(uint64_t mib)
{
	fake_ram_init(mib * MIB);
	if (page_alloc_add_bank(paddr(FAKE_RAM_BASE), mib * MIB) != 0) {
		abort();
	}
	page_alloc_free_range(paddr(FAKE_RAM_BASE), mib * MIB);
	free_at_start = page_alloc_nr_free();
}

static struct vcpu *make_vcpu(struct domain *d, uint32_t id)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	v->id = id;
	v->domain = d;
	v->state = id == 0 ? VCPU_RUNNING : VCPU_OFFLINE;
	v->info = id == 0 ? &d->shared_info->vcpu_info[0] : &v->own_info;
	return v;
}

struct domain *world_domain(domid_t id, bool is_control, uint32_t nr_vcpus)
{
	struct domain *d = calloc(1, sizeof(*d));
	uint32_t i;

	d->id = id;
	d->is_control = is_control;
	d->is_hardware = is_control;
	d->state = DOM_RUNNING;
	d->max_pages = UINT64_MAX;
	d->nr_vcpus = d->max_vcpus = nr_vcpus;
	d->gnttab.max_frames = WORLD_GRANT_FRAMES;
	spin_lock_init(&d->lock, LOCK_RANK_DOMAIN);
	d->shared_info = hv_alloc_pages(d, 0);
	d->shared_info_page = page_of(paddr_to_mfn(hv_pa(d->shared_info)));
	d->vcpu = calloc(nr_vcpus, sizeof(d->vcpu[0]));
	for (i = 0; i < nr_vcpus; i++) {
		d->vcpu[i] = make_vcpu(d, i);
	}
	if (p2m_init(d) != 0) {
		abort();
	}
	for (i = 0; i < MAX_WORLD; i++) {
		if (!domains[i]) {
			domains[i] = d;
			return d;
		}
	}
	abort();
}

void world_ram(struct domain *d, uint64_t g, uint64_t nr)
{
	uint64_t i;
	mfn_t m;

	for (i = 0; i < nr; i++) {
		if (dom_alloc_pages(d, 0, &m) != 0 ||
		    p2m_map_ram(d, gfn(g + i), m, 0, P2M_RAM_RW) != 0) {
			abort();
		}
	}
}

static void domain_free_by_hand(struct domain *d, uint32_t slot)
{
	uint32_t i;

	for (i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i]->info_page) {
			page_put(d->vcpu[i]->info_page);
		}
		vcpu_runstate_release(d->vcpu[i]);
		free(d->vcpu[i]);
	}
	for (i = 0; i < WORLD_GRANT_FRAMES; i++) {
		struct page *pg = grant_page[slot][i];

		if (pg) {
			hv_free_pages(d, hv_va(mfn_to_paddr(page_mfn(pg))),
				      0);
			grant_page[slot][i] = NULL;
		}
	}
	hv_free_pages(d, d->shared_info, 0);
	free(d->vcpu);
	free(d);
}

uint64_t world_fini(void)
{
	uint32_t i;

	for (i = 0; i < MAX_WORLD; i++) {
		while (domains[i] && p2m_fini_step(domains[i]) == -EAGAIN) {
		}
	}
	for (i = 0; i < MAX_WORLD; i++) {
		if (domains[i]) {
			domain_free_by_hand(domains[i], i);
			domains[i] = NULL;
		}
	}
	return free_at_start - page_alloc_nr_free();
}

/* ---- hc_domctl.c, hc_sysctl.c ---------------------------------------- */
WEAK int64_t hc_domctl(struct vcpu *v, const uint64_t *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

WEAK int64_t hc_sysctl(struct vcpu *v, const uint64_t *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

/* ---- domain.c -------------------------------------------------------- */
WEAK struct spinlock control_lock = SPINLOCK_INIT(CONTROL);
WEAK struct domain *hardware_domain;

WEAK struct domain *domain_lookup_get(domid_t id)
{
	uint32_t i;

	for (i = 0; i < MAX_WORLD; i++) {
		if (domains[i] && domains[i]->id == id) {
			world_log.refs++;
			return domains[i];
		}
	}
	return NULL;
}

WEAK struct domain *domain_get_for(struct vcpu *v, domid_t id)
{
	return domain_lookup_get(id == DOMID_SELF ? v->domain->id : id);
}

WEAK void domain_get(struct domain *d)
{
	(void)d;
	world_log.refs++;
}

WEAK void domain_put(struct domain *d)
{
	(void)d;
	world_log.refs--;
}

WEAK void domain_shutdown(struct domain *d, uint8_t code)
{
	world_log.shutdowns++;
	world_log.shutdown_domain = d->id;
	world_log.shutdown_code = code;
}

WEAK void domain_crash_soon(struct domain *d, const char *why)
{
	(void)why;
	domain_shutdown(d, SHUTDOWN_crash);
}

WEAK void domain_set_shutdown_code(struct domain *d, uint8_t code)
{
	(void)d;
	world_log.shutdown_code_set = code;
}

WEAK void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_ns)
{
	world_log.wall_sets++;
	world_log.wall_sec = sec;
	world_log.wall_nsec = nsec;
	world_log.wall_system_ns = system_ns;
}

/* ---- vcpu.c, timer.c, runstate.c ------------------------------------- */
WEAK void vcpu_block(struct vcpu *v)
{
	(void)v;
	world_log.blocks++;
}

WEAK void vcpu_post(struct vcpu *v, uint32_t bits)
{
	v->work |= bits;
	world_log.posts++;
}

WEAK void vcpu_yield(struct vcpu *v)
{
	(void)v;
	world_log.yields++;
}

WEAK int vcpu_set_hard_affinity(struct vcpu *v, uint64_t cpus)
{
	v->hard_affinity = cpus;
	return 0;
}

WEAK int vcpu_pin(struct vcpu *v, uint64_t cpu)
{
	(void)v;
	world_log.affinity = cpu;
	return 0;
}

WEAK int vcpu_runstate_register(struct vcpu *v, struct vcpu *t, uint64_t va)
{
	(void)v;
	(void)t;
	(void)va;
	return 0;
}

WEAK void vcpu_runstate_release(struct vcpu *v)
{
	(void)v;
}

WEAK void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	t->fn = fn;
	t->arg = arg;
}

WEAK void timer_set(struct timer *t, uint64_t deadline_ns)
{
	t->deadline_ns = deadline_ns;
	world_log.timer_set_ns = deadline_ns;
}

WEAK void timer_cancel(struct timer *t)
{
	(void)t;
	world_log.timer_cancels++;
}

WEAK uint32_t nr_pcpus = 4;
WEAK struct pcpu *pcpus[NR_CPUS];

/* ---- evtchn.c -------------------------------------------------------- */
WEAK bool evtchn_is_pending(struct domain *d, uint32_t port)
{
	(void)d;
	return port == world_log.pending_port;
}

WEAK void evtchn_vcpu_info_moved(struct vcpu *v)
{
	(void)v;
	world_log.info_moved++;
}

WEAK int64_t hc_event_channel_op(struct vcpu *v, const uint64_t *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

/* ---- gnttab.c -------------------------------------------------------- */
WEAK int gnttab_get_shared_frame(struct domain *d, uint32_t idx,
				 struct page **pg)
{
	uint32_t slot = 0;
	struct page **p;
	void *va;

	while (domains[slot] != d) {
		slot++;
	}
	if (idx >= WORLD_GRANT_FRAMES) {
		return -EINVAL;
	}
	p = &grant_page[slot][idx];
	if (!*p) {
		va = hv_alloc_pages(d, 0);
		if (!va) {
			return -ENOMEM;
		}
		*p = page_of(paddr_to_mfn(hv_pa(va)));
	}
	if (!page_get(*p)) {
		return -EBUSY;
	}
	*pg = *p;
	return 0;
}

WEAK int gnttab_map_frame(struct domain *d, uint32_t idx, uint64_t g)
{
	struct page *pg;
	int rc = gnttab_get_shared_frame(d, idx, &pg);

	if (rc == 0) {
		rc = p2m_map_page(d, gfn(g), pg, P2M_XEN_RW);
		if (rc) {
			page_put(pg);
		}
	}
	return rc;
}

WEAK int64_t hc_grant_table_op(struct vcpu *v, const uint64_t *args)
{
	(void)v;
	(void)args;
	return -ENOSYS;
}

/* ---- console.c, trace.c, platform ------------------------------------ */
WEAK void console_write_guest(struct domain *d, const char *buf, uint32_t len)
{
	uint32_t i;

	(void)d;
	for (i = 0; i < len; i++) {
		world_log.console[world_log.console_len++ %
				  sizeof(world_log.console)] = buf[i];
	}
}

WEAK bool console_input_waiting(void)
{
	return true;
}

WEAK uint32_t console_read_guest(char *buf, uint32_t len)
{
	uint32_t n = 0;

	while (n < len && world_log.input && *world_log.input) {
		buf[n++] = *world_log.input++;
	}
	return n;
}

WEAK int guest_console_init(struct domain *d)
{
	(void)d;
	return 0;
}

WEAK void guest_console_fini(struct domain *d)
{
	(void)d;
}

WEAK void guest_console_write(struct domain *d, const char *buf, uint32_t len)
{
	console_write_guest(d, buf, len);
}

WEAK uint32_t guest_console_read(struct domain *d, char *buf, uint32_t len)
{
	(void)d;
	return console_read_guest(buf, len);
}

WEAK void guest_console_input(struct domain *d, char c)
{
	(void)d;
	(void)c;
}

WEAK void guest_console_flush(struct domain *d)
{
	(void)d;
}

WEAK void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	(void)e;
	(void)a;
	(void)b;
	(void)c;
}

WEAK void trace_xen(uint32_t event, const uint32_t *words, unsigned int nr)
{
	(void)event;
	(void)words;
	(void)nr;
}

WEAK struct platform platform;

/* ---- core/restart.c: no domain of these tests begins again --------------- */

WEAK void restart_begin(struct domain *d)
{
	(void)d;
}

WEAK void restart_ended(struct domain *d, uint8_t code)
{
	(void)d;
	(void)code;
}

WEAK void restart_heartbeat(struct domain *d)
{
	(void)d;
}

WEAK void restart_cancel(struct domain *d)
{
	(void)d;
}

WEAK int restart_fini_step(struct domain *d)
{
	(void)d;
	return 0;
}

WEAK void restart_step(struct vcpu *v)
{
	(void)v;
}
