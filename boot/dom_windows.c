/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plans of arinc653 that the device tree has, one for a pool: the windows
 * of each domain are at its node, dom0's at /chosen; the frame is at the pool's
 * node, that of pool 0 may be at /chosen. adr/0016.
 *
 * Not     what a plan must be (core/sched_arinc653.c).
 * Rule    a mistake stops the boot: no plan may be another than was asked for.
 * Bounds  WINDOWS_MAX windows, one look at each for each.
 */
#include "boot.h"
#include "fdt_dom.h"
#include "fdt_parts.h"
#include "fdt_pools.h"
#include "modules.h"
#include <abi/xen.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include <lib/string.h>

#define WINDOWS_MAX  ARINC653_MAX_DOMAINS_PER_SCHEDULE
#define WINDOW_CELLS 4u /* CPU, vCPU, begin and length in microseconds */
#define NS_PER_US    UINT64_C(1000)

struct wish {
	uint32_t cpu;
	uint32_t vcpu;
	uint64_t begin_ns;
	uint64_t ns;
	uint8_t domain; /* 0: dom0; n: the n-th of the tree */
	bool is_done;
};

static struct wish wish[WINDOWS_MAX];
static uint32_t nr_wishes;
static struct xen_sysctl_arinc653_schedule boot_plan;

static int refuse(struct dt *t, uint32_t idx, const char *what)
{
	return dt_error(t, idx, "bulkhead,windows", what, -EINVAL);
}

static int read_windows(struct dt *t, uint32_t idx, uint8_t domain)
{
	uint32_t len = 0;
	const uint8_t *p = dt_prop(t, idx, DT_BULKHEAD_WINDOWS, &len);
	uint32_t nr = len / (4 * WINDOW_CELLS);

	if (!p) {
		log_warn("device tree: %s has no \"bulkhead,windows\" and does "
			 "not run before a plan names it\n",
			 dt_node_name(t, idx));
		return 0;
	}
	if (len % (4 * WINDOW_CELLS) != 0) {
		return refuse(t, idx, "is not of four cells each; write <CPU "
			      "vCPU begin-us length-us>");
	}
	if (nr > WINDOWS_MAX - nr_wishes) {
		return refuse(t, idx, "makes more than 64 windows; leave some "
			      "out");
	}
	for (uint32_t i = 0; i < nr; i++, p += 4 * WINDOW_CELLS) {
		wish[nr_wishes++] = (struct wish){
			.cpu = dt_be32(p),
			.vcpu = dt_be32(p + 4),
			.begin_ns = dt_be32(p + 8) * NS_PER_US,
			.ns = dt_be32(p + 12) * NS_PER_US,
			.domain = domain,
		};
		if (((dt_be32(p) | dt_be32(p + 4)) >> 16) != 0) {
			return refuse(t, idx, "names a CPU or vCPU above "
				      "65535; begin with their numbers");
		}
	}
	return 0;
}

/* The window that begins next, of those not done. */
static struct wish *first_wish(void)
{
	struct wish *first = NULL;

	for (uint32_t i = 0; i < nr_wishes; i++) { /* bound: WINDOWS_MAX */
		if (!wish[i].is_done &&
		    (!first || wish[i].begin_ns < first->begin_ns)) {
			first = &wish[i];
		}
	}
	return first;
}

static int add(const struct wish *w, uint32_t vcpu, uint64_t ns)
{
	uint32_t i = boot_plan.num_sched_entries;

	if (i == WINDOWS_MAX) {
		log_err("device tree: more than 64 windows and gaps between "
			"them; make the plan simpler\n");
		return -E2BIG;
	}
	boot_plan.num_sched_entries++;
	/* dom0's handle is 0, as on Xen; boot domains have their number. */
	boot_plan.sched_entries[i].dom_handle[15] = w->domain;
	boot_plan.sched_entries[i].vcpu_id = vcpu |
					     w->cpu << SCHED_PLAN_CPU_SHIFT;
	boot_plan.sched_entries[i].runtime = ns;
	return 0;
}

/* Windows of a plan follow each other: what is between them is nobody's. */
static int make_plan(void)
{
	uint64_t end_ns[NR_CPUS] = { 0 };
	struct wish *w;
	int rc = 0;

	for (w = first_wish(); w && rc == 0; w = first_wish()) {
		uint64_t at = w->cpu < NR_CPUS ? end_ns[w->cpu] : 0;

		if (w->begin_ns < at) {
			log_err("device tree: windows of CPU %u overlap %llu "
				"us after the frame begins; move one\n", w->cpu,
				(unsigned long long)(w->begin_ns / NS_PER_US));
			return -EINVAL;
		}
		if (w->begin_ns > at) {
			rc = add(w, SCHED_PLAN_NOBODY, w->begin_ns - at);
		}
		if (rc == 0) {
			rc = add(w, w->vcpu, w->ns);
		}
		if (w->cpu < NR_CPUS) {
			end_ns[w->cpu] = w->begin_ns + w->ns;
		}
		w->is_done = true;
	}
	return rc;
}

/* Of the domains of the tree that are in the pool @id. */
static int read_domains(struct dt *t, uint32_t id)
{
	int rc = 0;

	for (uint32_t i = 0; i < nr_boot_domains && rc == 0; i++) {
		const struct boot_domain *b = &boot_domains[i];
		uint32_t its = 0;

		if (fdt_pools_find(b->pool_phandle, &its) == 0 && its == id) {
			rc = read_windows(t, b->node, (uint8_t)(i + 1));
		}
	}
	return rc;
}

/* The frame of @p is at the node @idx. */
static int boot_plan_of(struct dt *t, uint32_t idx, uint32_t chosen,
			struct cpupool *p)
{
	int rc = 0;

	if (p->policy != &sched_arinc653) {
		log_warn("device tree: \"bulkhead,frame-us\" of %s is of "
			 "sched=arinc653; ignored\n", dt_node_name(t, idx));
		return 0;
	}
	nr_wishes = 0;
	memset(&boot_plan, 0, sizeof(boot_plan));
	boot_plan.major_frame = dt_u32(t, idx, DT_BULKHEAD_FRAME, 0) *
				NS_PER_US;
	if (p->id == 0 && module_find(&platform, MODULE_KERNEL)) {
		rc = read_windows(t, chosen, 0);
	}
	if (rc == 0) {
		rc = read_domains(t, p->id);
	}
	if (rc == 0) {
		rc = make_plan();
	}
	return rc ? rc : sched_plan_set(p, &boot_plan);
}

int boot_windows(struct dt *t)
{
	uint32_t chosen = dt_resolve(t, "/chosen", 7);
	struct cpupool *p = cpupool_next(0);
	int rc = 0;

	while (p && rc == 0 && chosen != DT_NONE) { /* bound: NR_CPUS */
		uint32_t idx = fdt_pools_node(p->id);

		if (p->id == 0 &&
		    (idx == DT_NONE || !dt_has(t, idx, DT_BULKHEAD_FRAME))) {
			idx = chosen;
		}
		if (idx != DT_NONE && dt_has(t, idx, DT_BULKHEAD_FRAME)) {
			rc = boot_plan_of(t, idx, chosen, p);
		}
		p = cpupool_next(p->id + 1);
	}
	return rc;
}
