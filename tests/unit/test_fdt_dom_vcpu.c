/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes "xen,vcpu": lists of CPUs, and every mistake in them. */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_dom_vcpu.h"
#include "boot/fdt_platform.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

static struct platform p;

static void add(void *fdt, const char *dom, const char *name, int64_t id,
		const char *cpus)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dom, name);
	fake_tree_add(fdt, dom, name, "xen,vcpu");
	if (id >= 0) {
		CELLS(fdt, path, "id", id);
	}
	if (cpus) {
		fake_tree_text(fdt, path, "hard-affinity", cpus);
	}
}

static void parse(void *fdt, uint32_t nr_cpus)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	p.nr_cpus = nr_cpus;
	fdt_dom_parse(&host_dt, &p);
	cr_assert_eq(nr_boot_domains, 3);
}

static void expect_refused(void *fdt, const char *word)
{
	parse(fdt, 8);
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s", word);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], BAD "/v"), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert(!boot_domains[0].refused && !boot_domains[2].refused);
	cr_assert(boot_domains[1].refused, "%s", word);
}

Test(fdt_dom_vcpu, lists)
{
	static const struct {
		const char *text;
		uint64_t cpus;
	} good[] = {
		{ "0", 1 },
		{ "3", 8 },
		{ "0-3", 15 },
		{ "0,2-3", 13 },
		{ "3,1,1-2,0", 15 },
		{ "0-7", 255 },
		{ "007", 128 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		void *fdt = fake_domains(3);

		add(fdt, BAD, "v1", 1, NULL);
		add(fdt, BAD, "v0", 0, good[i].text);
		add(fdt, "/chosen/third", "v0", 0, "1");
		parse(fdt, 8);
		cr_assert_eq(fake_log_count[LOG_ERR], 0, "%s: %s",
			     good[i].text, fake_log_last[LOG_ERR]);
		cr_assert_eq(fake_log_count[LOG_WARN], 0);
		cr_assert_eq(nr_boot_vcpus, 3);
		cr_assert_eq(boot_vcpus[0].dom, 1);
		cr_assert_eq(boot_vcpus[0].id, 0);
		cr_assert_eq(boot_vcpus[0].cpus, good[i].cpus, "%s",
			     good[i].text);
		cr_assert_eq(boot_vcpus[1].id, 1);
		cr_assert_eq(boot_vcpus[1].cpus, 0, "said nothing");
		cr_assert_eq(boot_vcpus[2].dom, 2);
		cr_assert_eq(boot_vcpus[2].cpus, 2);
	}
}

Test(fdt_dom_vcpu, no_lists)
{
	static const char *const bad[] = {
		"", ",", "0,", ",0", "0,,1", "a", "0-", "-1", "1-0", "0-1-2",
		"0 1", " 0", "0x1", "1;2", "00000", "0-a",
	};
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fdt = fake_domains(3);
		add(fdt, BAD, "v0", 0, bad[i]);
		expect_refused(fdt, "is no list of CPUs");
	}
	fdt = fake_domains(3);
	add(fdt, BAD, "v0", 0, NULL);
	fake_tree_flag(fdt, BAD "/v0", "hard-affinity");
	expect_refused(fdt, "is no list of CPUs");
	fdt = fake_domains(3);
	add(fdt, BAD, "v0", 0, NULL);
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, BAD "/v0"),
				 "hard-affinity", "0-1", 3), 0);
	expect_refused(fdt, "is no list of CPUs");
}

Test(fdt_dom_vcpu, cpus_that_do_not_exist)
{
	static const char *const bad[] = { "8", "0-8", "0,9999", "9-10",
				     "99999" };
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fdt = fake_domains(3);
		add(fdt, BAD, "v0", 0, bad[i]);
		expect_refused(fdt, "names a CPU that this machine does not");
	}
	fdt = fake_domains(3);
	add(fdt, BAD, "v0", 0, "2");
	parse(fdt, 2);
	cr_assert(boot_domains[1].refused);
	parse(fdt, 3);
	cr_assert(!boot_domains[1].refused);
}

Test(fdt_dom_vcpu, ids)
{
	void *fdt = fake_domains(3);

	add(fdt, BAD, "v", -1, "0");
	expect_refused(fdt, "\"id\" is missing");
	fdt = fake_domains(3);
	add(fdt, BAD, "v", 2, "0"); /* it has two */
	expect_refused(fdt, "is not the number of a vCPU");
	fdt = fake_domains(3);
	add(fdt, BAD, "v", 0xffffffff, "0");
	expect_refused(fdt, "is not the number of a vCPU");
	fdt = fake_domains(3);
	add(fdt, BAD, "v", 0, "0");
	CELLS(fdt, BAD "/v", "id", 0, 0);
	expect_refused(fdt, "is not the number of a vCPU");
	fdt = fake_domains(3);
	add(fdt, BAD, "v1", 1, "0");
	add(fdt, BAD, "v0", 1, "1");
	expect_refused(fdt, "is that of another node too");
}

Test(fdt_dom_vcpu, more_than_there_is_room_for)
{
	static const char *const doms[] = { "/chosen/first", BAD };
	void *fdt = fake_domains(3);
	char name[16];

	for (uint32_t d = 0; d < 2; d++) {
		CELLS(fdt, doms[d], "cpus", 128);
		for (int i = 0; i < 65; i++) {
			snprintf(name, sizeof(name), "v%d", i);
			add(fdt, doms[d], name, i, NULL);
		}
	}
	expect_refused(fdt, "more than 128 such nodes");
}
