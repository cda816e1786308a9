/* SPDX-License-Identifier: Apache-2.0 */
/* CPUs, dom0 and its toolstack for host tests of control operations. */
#include "fake_hv.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/dom_config.h>
#include <hv/entry.h>
#include <hv/heap.h>
#include <hv/irq.h>
#include <hv/irqchip.h>
#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

struct options options;
const char *hv_policy = "";
struct domain *hv_dom0;
struct vcpu *hv_v0;
unsigned int hv_restarts;
long hv_live;
unsigned int hv_steps, hv_fail_at;
void (*hv_between)(void);

static jmp_buf idle;
static const uint16_t *idle_cpu;

/* ---- what is below and beside ------------------------------------------ */

static void line(uint32_t intid)
{
	(void)intid;
}

static void line_bool(uint32_t intid, bool on)
{
	(void)intid;
	(void)on;
}

static void line_trigger(uint32_t intid, enum irq_trigger t)
{
	(void)intid;
	(void)t;
}

static void line_route(uint32_t intid, uint16_t cpu)
{
	(void)intid;
	(void)cpu;
}

static void send_ipi(uint16_t cpu, uint32_t sgi)
{
	(void)cpu;
	(void)sgi;
}

static const struct irqchip chip = {
	.enable = line,
	.disable = line,
	.set_trigger = line_trigger,
	.route = line_route,
	.set_active = line_bool,
	.set_pending = line_bool,
	.send_ipi = send_ipi,
};

void console_key(char key)
{
	log_info("key %c\n", key);
}

void console_keys(const char *keys, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		console_key(keys[i]);
	}
}

void __wrap_arch_cpu_idle(void);
void __wrap_arch_cpu_idle(void)
{
	if (!idle_cpu) {
		abort();
	}
	longjmp(idle, 1);
}

/* Every allocation is a step that can fail. */
static bool fails(void)
{
	return ++hv_steps == hv_fail_at;
}

void *__real_heap_alloc(struct domain *d, size_t size);
void *__wrap_heap_alloc(struct domain *d, size_t size);
void __real_heap_free(struct domain *d, void *p);
void __wrap_heap_free(struct domain *d, void *p);
void *__real_hv_alloc_pages(struct domain *d, unsigned int order);
void *__wrap_hv_alloc_pages(struct domain *d, unsigned int order);

void *__wrap_heap_alloc(struct domain *d, size_t size)
{
	void *p = fails() ? NULL : __real_heap_alloc(d, size);

	hv_live += p != NULL;
	return p;
}

void __wrap_heap_free(struct domain *d, void *p)
{
	hv_live -= p != NULL;
	__real_heap_free(d, p);
}

void *__wrap_hv_alloc_pages(struct domain *d, unsigned int order)
{
	return fails() ? NULL : __real_hv_alloc_pages(d, order);
}

/* ---- CPUs ---------------------------------------------------------------- */

void hv_run_cpu(uint16_t cpu)
{
	struct pcpu *before = fake_this_pcpu;

	fake_this_pcpu = pcpus[cpu];
	idle_cpu = &cpu;
	if (setjmp(idle) == 0) {
		(void)work_run(pcpus[cpu]);
	}
	idle_cpu = NULL;
	fake_this_pcpu = before;
}

void hv_run_others(void)
{
	for (uint16_t cpu = 0; cpu < nr_pcpus; cpu++) {
		if (cpu != this_cpu() && pcpus[cpu]->work != 0) {
			hv_run_cpu(cpu);
		}
	}
}

void hv_ram(struct domain *d, uint64_t g, uint64_t nr)
{
	mfn_t m;

	for (uint64_t i = 0; i < nr; i++) {
		if (dom_alloc_pages(d, 0, &m) != 0 ||
		    p2m_map_ram(d, gfn(g + i), m, 0, P2M_RAM_RW) != 0) {
			abort();
		}
	}
}

void hv_start_dom0(void)
{
	const struct dom_config cfg = {
		.name = "d0",
		.nr_vcpus = 2,
		.mem_max_bytes = UINT64_MAX,
		.is_control = true,
		.is_hardware = true,
		.max_evtchn_port = UINT32_MAX,
		.max_grant_frames = 4,
		.max_maptrack_frames = 4,
	};

	if (domain_create(&cfg, &hv_dom0) != 0 ||
	    vcpu_create(hv_dom0, 0, 0) != 0 ||
	    vcpu_create(hv_dom0, 1, 0) != 0) {
		abort();
	}
	hv_v0 = hv_dom0->vcpu[0];
	domain_publish(hv_dom0);
	hv_ram(hv_dom0, HV_GFN, 16);
	if (vcpu_set_hard_affinity(hv_v0, 1) != 0) {
		abort();
	}
	domain_start(hv_dom0);
	hv_run_cpu(0);
	if (this_pcpu()->current != hv_v0) {
		abort();
	}
}

void hv_reap(void)
{
	for (unsigned int i = 0; i < 1000; i++) {
		domain_free_some();
	}
}

void hv_stop(void)
{
	domain_pause(hv_dom0);
	for (uint16_t cpu = 0; cpu < nr_pcpus; cpu++) {
		hv_run_cpu(cpu);
	}
	hardware_domain = NULL;
	domain_put(hv_dom0);
	hv_reap();
	hv_dom0 = NULL;
}

void hv_start(uint64_t mib, uint16_t nr_cpus)
{
	struct cpupool *pool;

	cpupool_set_default(sched_policy_by_name(hv_policy));
	world_init(mib);
	for (uint16_t i = 0; i < nr_cpus; i++) {
		percpu_init(i, i, 0);
	}
	irqchip = &chip;
	irqchip_nr_lines = 64;
	if (cpupool_create(0, sched_policy_by_name(hv_policy), &pool) != 0) {
		abort();
	}
	for (uint16_t i = nr_cpus; i-- > 0;) {
		fake_this_pcpu = pcpus[i];
		timer_init_cpu();
		if (sched_init_cpu() != 0) {
			abort();
		}
	}
	hv_start_dom0();
}

/* ---- calls --------------------------------------------------------------- */

int64_t hv_call_once(struct vcpu *v, uint32_t nr, uint64_t a, uint64_t b)
{
	uint64_t args[6] = { a, b };

	return hypercall_dispatch(v, nr, args);
}

int64_t hv_call(uint32_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t args[6] = { a, b, c };
	int64_t rc;

	hv_restarts = 0;
	for (;;) {
		rc = hypercall_dispatch(hv_v0, nr, args);
		if (rc != HC_RESTARTED) {
			hv_reap();
			return rc;
		}
		if (hv_restarts++ > 100000) {
			abort();
		}
		if (hv_between) {
			hv_between();
		} else {
			hv_run_others();
		}
	}
}

int64_t hv_domctl(uint32_t cmd, domid_t id, struct xen_domctl *op)
{
	int64_t rc;

	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = id;
	guest_put(hv_dom0, HV_ARG, op, sizeof(*op));
	rc = hv_call(__HYPERVISOR_domctl, HV_ARG, 0, 0);
	guest_get(hv_dom0, HV_ARG, op, sizeof(*op));
	return rc;
}

int64_t hv_sysctl(uint32_t cmd, struct xen_sysctl *op)
{
	int64_t rc;

	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	guest_put(hv_dom0, HV_ARG, op, sizeof(*op));
	rc = hv_call(__HYPERVISOR_sysctl, HV_ARG, 0, 0);
	guest_get(hv_dom0, HV_ARG, op, sizeof(*op));
	return rc;
}

int64_t hv_simple(uint32_t cmd, domid_t id)
{
	struct xen_domctl op = { 0 };

	return hv_domctl(cmd, id, &op);
}

/* ---- the toolstack ------------------------------------------------------- */

struct xen_domctl hv_config(uint32_t nr_vcpus)
{
	struct xen_domctl op = { 0 };

	memset(&op.u, 0xa5, sizeof(op.u)); /* as the stack of a toolstack */
	op.u.createdomain = (struct xen_domctl_createdomain){
		.ssidref = 12,
		.handle = { 1, 2, 3 },
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = nr_vcpus,
		.max_evtchn_port = 1023,
		.max_grant_frames = 8,
		.max_maptrack_frames = 8,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
	};
	return op;
}

/* The steps after createdomain; they know its id only. */
static int64_t furnish(domid_t id, uint32_t nr_vcpus, uint64_t pages)
{
	const struct vcpu_guest_context c = { .flags = VGCF_online };
	struct xen_domctl op = { 0 };
	int64_t rc;

	op.u.max_vcpus.max = nr_vcpus;
	rc = hv_domctl(XEN_DOMCTL_max_vcpus, id, &op);
	if (rc == 0) {
		op.u.max_mem.max_memkb = pages * 4;
		rc = hv_domctl(XEN_DOMCTL_max_mem, id, &op);
	}
	if (rc == 0) {
		op.u.paging_mempool.size = 64 * PAGE_SIZE;
		rc = hv_domctl(XEN_DOMCTL_set_paging_mempool_size, id, &op);
	}
	if (rc == 0) {
		guest_put(hv_dom0, HV_BUF, &c, sizeof(c));
		op.u.vcpucontext.vcpu = 0;
		op.u.vcpucontext.ctxt.q = HV_BUF;
		rc = hv_domctl(XEN_DOMCTL_setvcpucontext, id, &op);
	}
	return rc;
}

struct domain *hv_build(uint32_t nr_vcpus, uint64_t pages)
{
	struct xen_domctl op = hv_config(nr_vcpus);
	struct domain *d;

	if (hv_domctl(XEN_DOMCTL_createdomain, 0xffff, &op) != 0 ||
	    furnish(op.domain, nr_vcpus, pages) != 0) {
		return NULL;
	}
	d = domain_lookup_get(op.domain);
	hv_ram(d, HV_GFN, pages);
	domain_put(d);
	return d;
}

/* ---- what dom0 does with a guest's memory and ports --------------------- */

int64_t hv_memory_op(uint32_t cmd, const void *arg, size_t size)
{
	guest_put(hv_dom0, HV_ARG, arg, size);
	return hv_call(__HYPERVISOR_memory_op, cmd, HV_ARG, 0);
}

int64_t hv_populate(domid_t id, uint64_t g)
{
	xen_memory_reservation_t r = { .nr_extents = 1, .domid = id };

	guest_put(hv_dom0, HV_BUF, &g, sizeof(g));
	r.extent_start.q = HV_BUF;
	return hv_memory_op(XENMEM_populate_physmap, &r, sizeof(r));
}

int64_t hv_add(domid_t id, uint32_t space, uint64_t g)
{
	xen_add_to_physmap_t a = { .domid = id, .space = space, .gpfn = g };

	return hv_memory_op(XENMEM_add_to_physmap, &a, sizeof(a));
}

int64_t hv_take(domid_t id, uint64_t g)
{
	xen_remove_from_physmap_t a = { .domid = id, .gpfn = g };

	return hv_memory_op(XENMEM_remove_from_physmap, &a, sizeof(a));
}

/* Page HV_PAGE_GFN of @id at HV_MAP_GFN of dom0: the result for the page. */
int hv_foreign(domid_t id)
{
	xen_add_to_physmap_batch_t a = { .domid = DOMID_SELF,
					 .space = XENMAPSPACE_gmfn_foreign,
					 .size = 1 };
	uint64_t list[2] = { HV_PAGE_GFN, HV_MAP_GFN };
	int32_t err;

	a.u.foreign_domid = id;
	a.idxs.q = HV_BUF;
	a.gpfns.q = HV_BUF + 8;
	a.errs.q = HV_BUF + 16;
	guest_put(hv_dom0, HV_BUF, list, sizeof(list));
	if (hv_memory_op(XENMEM_add_to_physmap_batch, &a, sizeof(a)) != 0) {
		return -1;
	}
	guest_get(hv_dom0, HV_BUF + 16, &err, sizeof(err));
	return err;
}

int64_t hv_alloc_unbound(domid_t id)
{
	evtchn_alloc_unbound_t a = { .dom = id, .remote_dom = 0 };
	int64_t rc;

	guest_put(hv_dom0, HV_ARG, &a, sizeof(a));
	rc = hv_call(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound,
		     HV_ARG, 0);
	guest_get(hv_dom0, HV_ARG, &a, sizeof(a));
	return rc ? rc : a.port;
}
