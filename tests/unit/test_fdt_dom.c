/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "xen,domain" nodes: a good one, and every mistake: its own message, and the
 * domains beside it unharmed.
 */
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
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define MODULE BAD "/module@1"
#define KERNEL0 "/chosen/module@48000000" /* dom0's */

static struct platform p;
static const struct mem_range image = { .start = 0x40200000,
					.size = 0x200000 };
static const struct mem_range dtb = { .start = 0x44000000, .size = 0x100000 };

static void parse(void *fdt)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	fdt_dom_parse(&host_dt, &p);
	fdt_dom_check_modules(&p, &image, &dtb);
	cr_assert_eq(nr_boot_domains, 3);
	cr_assert_str_eq(boot_domains[1].name, "bad");
}

/* One message, with @word and the domain's name; the others go on. */
static void expect_refused(void *fdt, const char *word)
{
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s: %u messages", word,
		     fake_log_count[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "bad"), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert(boot_domains[1].refused, "%s", word);
	cr_assert_eq(boot_domains[1].kernel.size, 0);
	cr_assert(!boot_domains[0].refused);
	cr_assert(!boot_domains[2].refused);
	cr_assert_eq(boot_domains[0].kernel.start, 0x61000000);
	cr_assert_eq(boot_domains[2].kernel.start, 0x62000000);
}

Test(fdt_dom, a_whole_one)
{
	void *fdt = fake_domains(3);

	fake_tree_flag(fdt, BAD, "vpl011");
	CELLS(fdt, BAD, "nr_spis", 1);
	fake_tree_text(fdt, BAD, "xen,enhanced", "no-xenstore");
	fake_tree_text(fdt, MODULE, "bootargs", "console=ttyAMA0");
	fake_module(fdt, BAD, "module@2", "multiboot,ramdisk", 0x64000000);
	fake_module(fdt, BAD, "module@3", "multiboot,device-tree", 0x65000000);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 0, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_WARN], 0);
	cr_assert_eq(boot_domains[1].mem_kib, 65536);
	cr_assert_eq(boot_domains[1].nr_vcpus, 2);
	cr_assert_eq(boot_domains[1].nr_spis, 1);
	cr_assert(boot_domains[1].vpl011);
	cr_assert(boot_domains[1].enhanced);
	cr_assert_str_eq(boot_domains[1].bootargs, "console=ttyAMA0");
	cr_assert_eq(boot_domains[1].kernel.start, KERNEL_AT);
	cr_assert_eq(boot_domains[1].ramdisk.start, 0x64000000);
	cr_assert_eq(boot_domains[1].dtb.start, 0x65000000);
	cr_assert(!boot_domains[0].enhanced);
	cr_assert_eq(boot_domains[0].nr_spis, UINT32_MAX);
	cr_assert(!boot_domains[0].vpl011);
	cr_assert_str_eq(boot_domains[0].bootargs, "");
	cr_assert_eq(boot_domains[0].ramdisk.size, 0);
	cr_assert_eq(p.nr_modules, 2, "dom0's own");
}

Test(fdt_dom, ways_to_say_it)
{
	void *fdt = fake_domains(2);

	/* Modules without a word about their kind: kernel, then ramdisk. */
	fake_tree_add(fdt, BAD, "module@0", "multiboot,module");
	CELLS(fdt, BAD "/module@0", "reg", 0, 0x64000000, 0, 0x1000);
	fake_tree_text(fdt, MODULE, "compatible", "multiboot,module");
	/* One image for two domains. */
	CELLS(fdt, "/chosen/third/module@1", "reg", 0, 0x61000000, 0, 0x100000);
	fake_tree_add(fdt, BAD, "cpu@0", "vendor,thing");
	fake_tree_text(fdt, BAD, "vpl01", "enabled");
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 0, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(boot_domains[1].kernel.start, 0x64000000);
	cr_assert_eq(boot_domains[1].ramdisk.start, KERNEL_AT);
	cr_assert_eq(boot_domains[2].kernel.start,
		     boot_domains[0].kernel.start);
	cr_assert_eq(fake_log_count[LOG_WARN], 2, "a typing error, a node");
	cr_assert(!boot_domains[1].vpl011);
}

Test(fdt_dom, numbers)
{
	static const struct {
		const char *prop;
		int64_t cells[4];
		const char *word;
	} bad[] = {
		{ "memory", { 65536, -1 }, "64-bit number of KiB" },
		{ "memory", { 0, 0, -1 }, "64-bit number of KiB" },
		{ "memory", { 1, 2, 3, -1 }, "64-bit number of KiB" },
		{ "memory", { 0xffffffff, 0, -1 }, "64-bit number of KiB" },
		{ "memory", { 0, 65537, -1 }, "multiple of 4" },
		{ "cpus", { 0, -1 }, "from 1 to 128" },
		{ "cpus", { 129, -1 }, "from 1 to 128" },
		{ "cpus", { 0, 1, -1 }, "from 1 to 128" },
		{ "cpus", { 9, -1 }, "GICv2" },
		{ "nr_spis", { 961, -1 }, "up to 960" },
		{ "nr_spis", { -1 }, "up to 960" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *fdt = fake_domains(2);

		fake_tree_set_cells(fdt, BAD, bad[i].prop, bad[i].cells);
		expect_refused(fdt, bad[i].word);
	}
}

Test(fdt_dom, what_is_missing)
{
	static const char *const needed[] = { "memory", "cpus" };
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		fdt = fake_domains(3);
		fake_tree_drop(fdt, BAD, needed[i]);
		expect_refused(fdt, "is missing");
		cr_assert_not_null(strstr(fake_log_last[LOG_ERR], needed[i]));
	}
	fdt = fake_domains(3);
	cr_assert_eq(fdt_del_node(fdt, fake_tree_node(fdt, MODULE)), 0);
	expect_refused(fdt, "no node in it is compatible with "
		       "\"multiboot,kernel\"");
	fdt = fake_domains(3);
	fake_tree_drop(fdt, MODULE, "reg");
	expect_refused(fdt, "is not one address and size");
}

Test(fdt_dom, what_does_not_go_together)
{
	void *fdt = fake_domains(3);

	fake_tree_flag(fdt, BAD, "vpl011");
	CELLS(fdt, BAD, "nr_spis", 0);
	expect_refused(fdt, "vpl011 without its interrupt");
}

Test(fdt_dom, enhanced)
{
	static const char *const values[] = { "yes", "enabled ", "no-xenstor" };
	static const char *const store[] = { "", "enabled", NULL };
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		fdt = fake_domains(3);
		fake_tree_text(fdt, BAD, "xen,enhanced", values[i]);
		expect_refused(fdt, "is neither \"enabled\" nor");
	}
	for (size_t i = 0; i < ARRAY_SIZE(store); i++) {
		fdt = fake_domains(3);
		if (store[i]) {
			fake_tree_text(fdt, BAD, "xen,enhanced", store[i]);
		} else {
			fake_tree_flag(fdt, BAD, "xen,enhanced");
		}
		parse(fdt);
		cr_assert(boot_domains[1].enhanced && boot_domains[1].xenstore);
		cr_assert(!boot_domains[0].enhanced);
		/* dom0 keeps it. */
		cr_assert_eq(fdt_del_node(fdt, fake_tree_node(fdt, KERNEL0)),
			     0);
		expect_refused(fdt, "and there is no dom0");
	}
	fdt = fake_domains(3);
	fake_tree_text(fdt, BAD, "xen,enhanced", "no-xenstore");
	parse(fdt);
	cr_assert(boot_domains[1].enhanced && !boot_domains[1].xenstore);
}

Test(fdt_dom, what_we_do_not_have)
{
	static const char *const props[] = {
		"xen,static-heap", "passthrough",
		"capabilities", "llc-colors", "sve",
	};
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(props); i++) {
		fdt = fake_domains(3);
		fake_tree_flag(fdt, BAD, props[i]);
		expect_refused(fdt, "is not supported");
		cr_assert_not_null(strstr(fake_log_last[LOG_ERR], props[i]));
	}
	fdt = fake_domains(3);
	fake_module(fdt, BAD, "module@2", "xen,xsm-policy", 0x64000000);
	expect_refused(fdt, "is a module that is not supported");
}

Test(fdt_dom, modules)
{
	char longest[CMDLINE_MAX + 1];
	void *fdt = fake_domains(3);

	fake_module(fdt, BAD, "module@2", "multiboot,kernel", 0x64000000);
	expect_refused(fdt, "second module of its kind");
	fdt = fake_domains(3);
	fake_module(fdt, BAD, "module@2", "multiboot,device-tree", 0x64000000);
	fake_module(fdt, BAD, "module@3", "multiboot,device-tree", 0x65000000);
	expect_refused(fdt, "second module of its kind");
	fdt = fake_domains(3);
	CELLS(fdt, MODULE, "reg", 0, KERNEL_AT, 0, 0);
	expect_refused(fdt, "is empty");
	fdt = fake_domains(3);
	CELLS(fdt, MODULE, "reg", 0xffffffff, 0xfffff000, 0, 0x2000);
	expect_refused(fdt, "is not one address and size");
	fdt = fake_domains(3);
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, MODULE), "bootargs",
				 "abc", 3), 0);
	expect_refused(fdt, "has no final NUL");
	fdt = fake_domains(3);
	memset(longest, 'x', CMDLINE_MAX);
	longest[CMDLINE_MAX] = '\0';
	fake_tree_text(fdt, MODULE, "bootargs", longest);
	expect_refused(fdt, "longer than 1023");
	longest[CMDLINE_MAX - 1] = '\0';
	fake_tree_text(fdt, MODULE, "bootargs", longest);
	parse(fdt);
	cr_assert(!boot_domains[1].refused);
}

Test(fdt_dom, places)
{
	static const struct {
		uint32_t at;
		const char *word;
	} bad[] = {
		{ 0x90000000, "is not inside one bank of memory" },
		{ 0x7ff80000, "is not inside one bank of memory" },
		{ 0x40100000 + 0x180000, "overlaps the hypervisor" },
		{ 0x44080000, "overlaps the device tree" },
		{ 0x48000000, "overlaps another boot module" },
		{ 0x61080000, "overlaps one of first" },
	};
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fdt = fake_domains(3);
		CELLS(fdt, MODULE, "reg", 0, bad[i].at, 0, 0x100000);
		expect_refused(fdt, bad[i].word);
	}
	fdt = fake_domains(3);
	fake_module(fdt, BAD, "module@2", "multiboot,ramdisk",
		   KERNEL_AT + 0x80000);
	expect_refused(fdt, "boot modules of bad overlap");
	fdt = fake_domains(3);
	fake_module(fdt, BAD, "module@2", "multiboot,ramdisk", 0x90000000);
	expect_refused(fdt, "ramdisk of bad");
	fdt = fake_domains(3);
	fake_module(fdt, BAD, "module@2", "multiboot,device-tree", 0x90000000);
	expect_refused(fdt, "device tree of bad");
	fdt = fake_domains(3);
	fake_module(fdt, BAD, "module@2", "multiboot,device-tree",
		    KERNEL_AT + 0x80000);
	expect_refused(fdt, "boot modules of bad overlap");
}

Test(fdt_dom, more_than_there_is_room_for)
{
	void *fdt = fake_tree(3);
	char name[16];

	for (unsigned int i = 0; i <= MAX_BOOT_DOMAINS; i++) {
		snprintf(name, sizeof(name), "dom%02u", i);
		fake_domain_add(fdt, name, 0x60000000 + 0x200000 * i);
	}
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	fdt_dom_parse(&host_dt, &p);
	cr_assert_eq(nr_boot_domains, MAX_BOOT_DOMAINS);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "more than 16"));
}
