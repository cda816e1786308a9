/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools of CPUs: from a description to nodes "xen,cpupool" and back.
 *
 * Not     whether a CPU is in two pools, and which schedulers there are: the
 *         hypervisor's own code says that (check.c).
 * Spec    [XEN] docs/misc/arm/device-tree/cpupools.txt.
 */
#include "image.h"

#include <libfdt.h>
#include <string.h>

#include <lib/types.h>

#include "boot/fdt_util.h"
#include "report.h"

#define COMPATIBLE "xen,cpupool"

static int must(int rc)
{
	if (rc < 0) {
		die("device tree: %s; describe less", fdt_strerror(rc));
	}
	return rc;
}

/* ---- CPUs ---------------------------------------------------------------- */

/* The node of CPU @id of `platform`; below 0: it has none. */
static int cpu_node(const void *fdt, uint32_t id)
{
	int node;

	fdt_for_each_subnode(node, fdt, must(fdt_path_offset(fdt, "/cpus"))) {
		int len;
		const uint8_t *reg = fdt_getprop(fdt, node, "reg", &len);

		if (reg && dt_cells(reg, (uint32_t)len / 4) ==
				   platform.cpu_mpidr[id]) {
			return node;
		}
	}
	return -FDT_ERR_NOTFOUND;
}

static uint32_t handle_of(void *fdt, int node)
{
	uint32_t handle = fdt_get_phandle(fdt, node);

	if (handle == 0) {
		must(fdt_find_max_phandle(fdt, &handle));
		handle++;
		must(fdt_setprop_u32(fdt, node, "phandle", handle));
	}
	return handle;
}

/* "+" stands between CPUs, as commas are between fields. */
static bool pool_cpus(const char *spec, uint64_t *mask)
{
	char *cpus = spec_field(spec, "cpus");

	for (char *p = cpus; p && *p; p++) {
		*p = *p == '+' ? ',' : *p;
	}
	return cpus && cpus_parse(cpus, mask);
}

/* It becomes the name of a node. */
static bool is_name(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len >= 1 && len <= 30 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
			    "WXYZ0123456789_-") == len;
}

/* ---- to the tree --------------------------------------------------------- */

static void put_cpus(void *fdt, const char *path, uint64_t mask)
{
	for (; mask; mask &= mask - 1) {
		int cpu = must(cpu_node(fdt, (uint32_t)__builtin_ctzll(mask)));
		uint32_t handle = handle_of(fdt, cpu);

		must(fdt_appendprop_u32(fdt, must(fdt_path_offset(fdt, path)),
					"cpupool-cpus", handle));
	}
}

static void put_pool(void *fdt, const struct cfg_value *v)
{
	const char *name = spec_field(v->text, "name");
	const char *sched = spec_field(v->text, "sched");
	const char *path = need_text("/chosen/%s", name ? name : "");
	uint64_t there = (UINT64_C(2) << (platform.nr_cpus - 1)) - 1;
	uint64_t mask;
	int node;

	if (!is_name(name) || !pool_cpus(v->text, &mask)) {
		bad(v->line, "pool \"%s\" is not whole; write "
		    "\"name=rt,cpus=1+3,sched=rtds\"", v->text);
		return;
	}
	if (mask & ~there) {
		bad(v->line, "pool %s: CPU %d does not exist; this machine has "
		    "CPUs 0 to %u", name, __builtin_ctzll(mask & ~there),
		    platform.nr_cpus - 1);
		return;
	}
	node = fdt_add_subnode(fdt, must(fdt_path_offset(fdt, "/chosen")),
			       name);
	if (node == -FDT_ERR_EXISTS) {
		bad(v->line, "pool %s is the name of another node of /chosen; "
		    "name it otherwise", name);
		return;
	}
	(void)handle_of(fdt, must(node));
	if (sched) {
		must(fdt_setprop_string(fdt, node, "cpupool-sched", sched));
	}
	must(fdt_setprop_string(fdt, node, "compatible", COMPATIBLE));
	put_cpus(fdt, path, mask);
}

void pools_put(void *fdt, const struct cfg_section *machine)
{
	const struct cfg_entry *e = cfg_find(machine, "pools");

	/* The first is to be the first in the tree: libfdt puts it there. */
	for (uint32_t i = e ? e->value.nr : 0; i-- > 0;) {
		put_pool(fdt, &e->value.item[i]);
	}
}

static const char *spec_named(const struct cfg_section *machine,
			      const char *name)
{
	const struct cfg_entry *e = cfg_find(machine, "pools");

	for (uint32_t i = 0; e && i < e->value.nr; i++) {
		const char *text = e->value.item[i].text;
		const char *its = spec_field(text, "name");

		if (its && strcmp(its, name) == 0) {
			return text;
		}
	}
	return NULL;
}

void pools_put_domain(void *fdt, const struct cfg_section *machine,
		      const struct cfg_section *s)
{
	const struct cfg_entry *e = cfg_find(s, "pool");
	const char *spec = e ? spec_named(machine, e->value.text) : NULL;
	uint64_t in_pool;
	uint64_t mask;
	int pool;

	if (!e) {
		return;
	}
	if (!spec) {
		bad(e->line, "there is no pool %s; add it to pools, above the "
		    "first [name]", e->value.text);
		return;
	}
	pool = fdt_path_offset(fdt, need_text("/chosen/%s", e->value.text));
	if (pool < 0 || !pool_cpus(spec, &in_pool)) {
		return; /* told already */
	}
	if (cpus_parse(cfg_text(s, "cpus", ""), &mask) && mask & ~in_pool) {
		bad(cfg_line(s, "cpus"), "CPU %d is not in pool %s; take one "
		    "that is", __builtin_ctzll(mask & ~in_pool),
		    e->value.text);
		return;
	}
	must(fdt_setprop_u32(fdt, must(fdt_path_offset(fdt, need_text(
				     "/chosen/%s", s->name))),
			     "domain-cpupool", fdt_get_phandle(fdt, pool)));
}

/* ---- and back ------------------------------------------------------------ */

static void tell_cpus(FILE *f, const void *tree, int pool)
{
	const char *before = ",cpus=";
	int len = 0;
	const uint8_t *p = fdt_getprop(tree, pool, "cpupool-cpus", &len);

	for (uint32_t i = 0; p && i < platform.nr_cpus; i++) {
		int cpu = cpu_node(tree, i);

		for (int at = 0; cpu >= 0 && at + 4 <= len; at += 4) {
			if (dt_be32(p + at) == fdt_get_phandle(tree, cpu)) {
				fprintf(f, "%s%u", before, i);
				before = "+";
			}
		}
	}
}

void pools_tell(FILE *f, const void *tree)
{
	const char *before = "pools = [";
	int node;

	fdt_for_each_subnode(node, tree,
			     must(fdt_path_offset(tree, "/chosen"))) {
		const char *sched = fdt_getprop(tree, node, "cpupool-sched",
						NULL);

		if (fdt_node_check_compatible(tree, node, COMPATIBLE) != 0) {
			continue;
		}
		fprintf(f, "%s \"name=%s", before,
			fdt_get_name(tree, node, NULL));
		tell_cpus(f, tree, node);
		fprintf(f, "%s%s\"", sched ? ",sched=" : "",
			sched ? sched : "");
		before = ",";
	}
	if (before[0] == ',') {
		fputs(" ]\n", f);
	}
}

void pools_tell_domain(FILE *f, const void *tree, int domain)
{
	int len;
	const uint8_t *p = fdt_getprop(tree, domain, "domain-cpupool", &len);
	int pool = p && len == 4 ? fdt_node_offset_by_phandle(tree,
							      dt_be32(p)) : -1;

	if (pool >= 0) {
		fprintf(f, "pool = \"%s\"\n", fdt_get_name(tree, pool, NULL));
	}
}
