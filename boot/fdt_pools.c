/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /chosen nodes "xen,cpupool" -> pools of CPUs that are there from the start.
 *
 * Owns    the list of these nodes.
 * Not     what a pool is (core/cpupool.c).
 * Rule    the node with the boot CPU is pool 0; the others follow in the order
 *         of the tree, and last a pool of the CPUs that no node names; with
 *         CPUs of different kinds one for each kind, unless hmp-unsafe.
 * Bounds  a node has a CPU of its own: NR_CPUS nodes.
 * Spec    [XEN] docs/misc/arm/device-tree/cpupools.txt.
 */
#include "fdt_pools.h"

#include <hv/cpupool.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_addr.h"
#include "fdt_parts.h"

#define BOOT_CPU BIT64(0)

struct boot_pool {
	uint64_t cpus; /* bitmap of ids */
	const struct sched_policy *policy; /* NULL: the normal one */
	uint32_t phandle;
	uint32_t node; /* of the tree */
	uint32_t id;
};

static struct boot_pool nodes[NR_CPUS];
static uint32_t nr_nodes;
static uint64_t all_cpus; /* of the machine */

static const char *const dt_cpupool[] = { "xen,cpupool", NULL };

uint64_t fdt_pools_cpus(void)
{
	uint64_t cpus = 0;

	for (uint32_t i = 0; i < nr_nodes; i++) {
		cpus |= nodes[i].cpus;
	}
	return cpus;
}

/* The id of the CPU whose node has @phandle; NR_CPUS: there is none. */
static uint32_t cpu_of(struct dt *t, uint32_t phandle,
		       const struct platform *p)
{
	uint32_t idx = dt_by_phandle(t, phandle);
	uint32_t cpu = 0;
	struct mem_range r;

	if (idx == DT_NONE || dt_reg_raw(t, idx, 0, &r) != 0) {
		return NR_CPUS;
	}
	while (cpu < p->nr_cpus && p->cpu_mpidr[cpu] != r.start) {
		cpu++; /* bound: NR_CPUS */
	}
	return cpu < p->nr_cpus ? cpu : NR_CPUS;
}

static int read_cpus(struct dt *t, uint32_t idx, const struct platform *p,
		     struct boot_pool *b)
{
	uint32_t len = 0;
	const uint8_t *list = dt_prop(t, idx, DT_CPUPOOL_CPUS, &len);

	if (!list || len == 0 || len % 4 != 0) {
		return dt_error(t, idx, "cpupool-cpus", "is no list of CPUs; "
				"write <&cpu_a &cpu_b>", -EINVAL);
	}
	for (uint32_t at = 0; at < len; at += 4) {
		uint32_t cpu = cpu_of(t, dt_be32(list + at), p);

		if (cpu == NR_CPUS) {
			return dt_error(t, idx, "cpupool-cpus", "names what is "
					"no CPU of this machine; correct it",
					-EINVAL);
		}
		if ((fdt_pools_cpus() | b->cpus) & BIT64(cpu)) {
			return dt_error(t, idx, "cpupool-cpus", "names a CPU "
					"that is in a pool already; leave it "
					"out", -EINVAL);
		}
		b->cpus |= BIT64(cpu);
	}
	return 0;
}

static int parse_one(struct dt *t, uint32_t idx, const struct platform *p)
{
	struct boot_pool b = { .phandle = t->node[idx].phandle,
			       .node = idx };
	const char *name = dt_string(t, idx, DT_CPUPOOL_SCHED);
	int rc = read_cpus(t, idx, p, &b);

	if (rc) {
		return rc;
	}
	if (dt_has(t, idx, DT_CPUPOOL_SCHED)) {
		b.policy = name ? sched_policy_by_name(name) : NULL;
		if (!b.policy) {
			return dt_error(t, idx, "cpupool-sched", "is no "
					"scheduler we have; correct it",
					-EINVAL);
		}
	}
	nodes[nr_nodes++] = b;
	return 0;
}

int fdt_pools_parse(struct dt *t, const struct platform *p)
{
	uint32_t chosen = dt_resolve(t, "/chosen", 7);

	nr_nodes = 0;
	all_cpus = BIT64(p->nr_cpus) - 1;
	for (uint32_t i = chosen + 1;
	     chosen != DT_NONE && i < t->node[chosen].end; i = t->node[i].end) {
		int rc = dt_is_compatible(t, i, dt_cpupool) ?
				 parse_one(t, i, p) : 0;

		if (rc) {
			return rc;
		}
	}
	return 0;
}

static int make(uint32_t id, const struct sched_policy *policy, uint64_t cpus)
{
	struct cpupool *p;
	int rc = cpupool_create(id, policy, &p);

	if (rc == 0) {
		p->cpus_at_boot = cpus;
	}
	return rc;
}

/* Those of @cpus that the tree calls the same as the lowest one. */
static uint64_t same_kind(uint64_t cpus, const struct platform *p)
{
	uint32_t first = ffs64(cpus);
	uint64_t same = 0;

	for (uint32_t i = first; i < p->nr_cpus; i++) {
		if (cpus & BIT64(i) && (options.hmp_unsafe ||
					strcmp(p->cpu_model[i],
					       p->cpu_model[first]) == 0)) {
			same |= BIT64(i);
		}
	}
	return same;
}

int fdt_pools_make(const struct sched_policy *normal, const struct platform *p)
{
	uint64_t rest = all_cpus & ~fdt_pools_cpus();
	uint32_t next = 1;
	int rc = 0;

	cpupool_set_default(normal);
	for (uint32_t i = 0; i < nr_nodes && rc == 0; i++) {
		struct boot_pool *b = &nodes[i];

		b->id = b->cpus & BOOT_CPU ? 0 : next++;
		rc = make(b->id, b->policy ? b->policy : normal, b->cpus);
	}
	while (rc == 0 && rest != 0) { /* bound: NR_CPUS */
		uint64_t cpus = same_kind(rest, p);

		rc = make(cpus & BOOT_CPU ? 0 : next++, normal, cpus);
		rest &= ~cpus;
	}
	return rc;
}

int fdt_pools_find(uint32_t phandle, uint32_t *id)
{
	for (uint32_t i = 0; i < nr_nodes && phandle != 0; i++) {
		if (nodes[i].phandle == phandle) {
			*id = nodes[i].id;
			return 0;
		}
	}
	*id = 0;
	return phandle == 0 ? 0 : -ENOENT;
}

uint32_t fdt_pools_node(uint32_t id)
{
	for (uint32_t i = 0; i < nr_nodes; i++) {
		if (nodes[i].id == id) {
			return nodes[i].node;
		}
	}
	return DT_NONE;
}
