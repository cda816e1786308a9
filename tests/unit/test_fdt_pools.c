/* SPDX-License-Identifier: Apache-2.0 */
/* "xen,cpupool" nodes: which pools come of them, and every mistake. */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_pools.c boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/sched.h>
#include <lib/errno.h>

#include "boot/fdt_platform.h"
#include "boot/fdt_pools.h"
#include "fake_log.h"
#include "fake_tree.h"

#define CPU_A 0x71u /* phandles */
#define CPU_B 0x72u
#define NODE_A 0x73u
#define NODE_B 0x74u

static const struct sched_policy normal, other;
static struct cpupool made[4];
static uint32_t nr_made;
static struct platform p;
struct options options;

/* ---- what it calls ------------------------------------------------------- */

const struct sched_policy *sched_policy_by_name(const char *name)
{
	return strcmp(name, "other") == 0 ? &other : NULL;
}

void cpupool_set_default(const struct sched_policy *policy)
{
	cr_assert_eq(policy, &normal);
}

int cpupool_create(uint32_t id, const struct sched_policy *policy,
		   struct cpupool **out)
{
	*out = &made[nr_made++];
	**out = (struct cpupool){ .id = id, .policy = policy };
	return 0;
}

/* ---- trees --------------------------------------------------------------- */

static void *machine(void)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, "/cpus/cpu@0", "phandle", CPU_A);
	CELLS(fdt, "/cpus/cpu@100", "phandle", CPU_B);
	fdt_setprop_string(fdt, fake_tree_node(fdt, "/cpus/cpu@100"),
			   "compatible", "arm,cortex-a53");
	return fdt;
}

static void *node(void *fdt, const char *name, uint32_t phandle)
{
	char path[32] = "/chosen/";

	fake_tree_add(fdt, "/chosen", name, "xen,cpupool");
	CELLS(fdt, strcat(path, name), "phandle", phandle);
	return fdt;
}

static int parse(void *fdt)
{
	nr_made = 0;
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	return fdt_pools_parse(&host_dt, &p);
}

static void expect(uint32_t i, uint32_t id, const struct sched_policy *policy,
		   uint64_t cpus)
{
	cr_assert_eq(made[i].id, id);
	cr_assert_eq(made[i].policy, policy);
	cr_assert_eq(made[i].cpus_at_boot, cpus);
}

Test(fdt_pools, none_is_one_of_all)
{
	cr_assert_eq(parse(machine()), 0);
	cr_assert_eq(fdt_pools_cpus(), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 1);
	expect(0, 0, &normal, 3);
}

/* The one with the boot CPU is pool 0, wherever it is in the tree. */
Test(fdt_pools, all_in_nodes)
{
	void *fdt = node(node(machine(), "a", NODE_A), "b", NODE_B);
	uint32_t id;

	CELLS(fdt, "/chosen/a", "cpupool-cpus", CPU_A);
	CELLS(fdt, "/chosen/b", "cpupool-cpus", CPU_B);
	fdt_setprop_string(fdt, fake_tree_node(fdt, "/chosen/b"),
			   "cpupool-sched", "other");
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(fdt_pools_cpus(), 3);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 2);
	cr_assert_eq(fdt_pools_find(NODE_A, &id), 0);
	cr_assert_eq(id, 0);
	cr_assert_eq(fdt_pools_find(NODE_B, &id), 0);
	cr_assert_eq(id, 1);
	cr_assert_eq(fdt_pools_find(CPU_A, &id), -ENOENT);
	id = 7;
	cr_assert_eq(fdt_pools_find(0, &id), 0, "a domain that names none");
	cr_assert_eq(id, 0);
	for (uint32_t i = 0; i < 2; i++) {
		expect(i, made[i].id, made[i].id ? &other : &normal,
		       made[i].id ? 2 : 1);
	}
}

Test(fdt_pools, the_rest_is_a_pool)
{
	void *fdt = node(machine(), "b", NODE_B);

	CELLS(fdt, "/chosen/b", "cpupool-cpus", CPU_B);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 2);
	expect(0, 1, &normal, 2);
	expect(1, 0, &normal, 1);
	fdt = node(machine(), "a", NODE_A);
	CELLS(fdt, "/chosen/a", "cpupool-cpus", CPU_A);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	expect(0, 0, &normal, 1);
	expect(1, 1, &normal, 2);
}

/* As the fake tree comes: cpu@0 is a Cortex-A53, cpu@100 a Cortex-A72. */
Test(fdt_pools, a_pool_for_each_kind)
{
	void *fdt = fake_tree(3);

	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 2);
	expect(0, 0, &normal, 1);
	expect(1, 1, &normal, 2);
	options.hmp_unsafe = true;
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 1);
	expect(0, 0, &normal, 3);
}

/* They alternate, one has no name, the boot CPU has the second kind. */
Test(fdt_pools, kinds_in_any_order)
{
	static const char *const model[] = { "b", "a", "b", "", "a", "" };

	cr_assert_eq(parse(fake_tree(3)), 0);
	p.nr_cpus = 6;
	for (uint32_t i = 0; i < 6; i++) {
		p.cpu_model[i] = model[i];
	}
	cr_assert_eq(fdt_pools_parse(&host_dt, &p), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 3);
	expect(0, 0, &normal, 0x05);
	expect(1, 1, &normal, 0x12);
	expect(2, 2, &normal, 0x28);
}

/* A node takes what it names; the rest is sorted. */
Test(fdt_pools, kinds_beside_a_node)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, "/cpus/cpu@100", "phandle", CPU_B);
	node(fdt, "b", NODE_B);
	CELLS(fdt, "/chosen/b", "cpupool-cpus", CPU_B);
	cr_assert_eq(parse(fdt), 0);
	p.nr_cpus = 4;
	p.cpu_model[2] = "arm,cortex-a72";
	p.cpu_model[3] = "arm,cortex-a53";
	cr_assert_eq(fdt_pools_parse(&host_dt, &p), 0);
	cr_assert_eq(fdt_pools_make(&normal, &p), 0);
	cr_assert_eq(nr_made, 3);
	expect(0, 1, &normal, 0x2);
	expect(1, 0, &normal, 0x9);
	expect(2, 2, &normal, 0x4);
}

static void expect_refused(void *fdt, const char *why)
{
	cr_assert_eq(parse(fdt), -EINVAL);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], why), "%s",
			   fake_log_last[LOG_ERR]);
}

Test(fdt_pools, mistakes)
{
	void *fdt = node(machine(), "a", NODE_A);

	expect_refused(fdt, "is no list of CPUs");
	fdt_setprop(fdt, fake_tree_node(fdt, "/chosen/a"), "cpupool-cpus",
		    "abc", 3);
	expect_refused(fdt, "is no list of CPUs");
	CELLS(fdt, "/chosen/a", "cpupool-cpus", CPU_B, 0x99);
	expect_refused(fdt, "no CPU of this machine");
	CELLS(fdt, "/chosen/a", "cpupool-cpus", FAKE_TREE_GIC);
	expect_refused(fdt, "no CPU of this machine");
	CELLS(fdt, "/chosen/a", "cpupool-cpus", CPU_B, CPU_B);
	expect_refused(fdt, "in a pool already");
	CELLS(fdt, "/chosen/a", "cpupool-cpus", CPU_B);
	node(fdt, "b", NODE_B);
	CELLS(fdt, "/chosen/b", "cpupool-cpus", CPU_B);
	expect_refused(fdt, "in a pool already");
	CELLS(fdt, "/chosen/b", "cpupool-cpus", CPU_A);
	fdt_setprop_string(fdt, fake_tree_node(fdt, "/chosen/b"),
			   "cpupool-sched", "nosuch");
	expect_refused(fdt, "no scheduler we have");
}
