/* SPDX-License-Identifier: Apache-2.0 */
/* "bulkhead,pci" of a domain's node: what it may say, and every mistake. */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define PROP "bulkhead,pci"
#define DOM0_KERNEL "/chosen/module@48000000"
#define DOM0_RAMDISK "/chosen/module@4c000000"
#define SHARED BAD "/shared"

static struct platform p;
static void *fdt;

/* Without dom0. */
static void *machine(int gic)
{
	void *t = fake_domains(gic);

	cr_assert_eq(fdt_del_node(t, fake_tree_node(t, DOM0_KERNEL)), 0);
	cr_assert_eq(fdt_del_node(t, fake_tree_node(t, DOM0_RAMDISK)), 0);
	return t;
}

static void setup(void)
{
	fdt = machine(3);
}

TestSuite(fdt_dom_pci, .init = setup);

/* @size bytes as they are. */
static void bytes(const char *node, const char *value, size_t size)
{
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, node), PROP, value,
				 (int)size), 0);
}

#define NAMES(node, value) bytes(node, value, sizeof(value))

static void parse(void)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	fdt_dom_parse(&host_dt, &p);
	cr_assert_eq(nr_boot_domains, 3);
}

static void expect_good(void)
{
	parse();
	cr_assert_eq(fake_log_count[LOG_ERR] + fake_log_count[LOG_WARN], 0,
		     "%s", fake_log_last[LOG_ERR]);
}

/* One message about the property; the other domains go on. */
static void expect_refused(const char *word)
{
	parse();
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s", word);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR],
				  "/chosen/bad: \"" PROP "\""));
	cr_assert(!boot_domains[0].refused && !boot_domains[2].refused);
	cr_assert(boot_domains[1].refused, "%s", word);
}

Test(fdt_dom_pci, none)
{
	expect_good();
	cr_assert_eq(boot_domains[1].pci.nr, 0);
	cr_assert(!fdt_dom_pci_any());
}

Test(fdt_dom_pci, names)
{
	NAMES(BAD, "0000:00:03.0\0ABcd:fe:1f.7");
	expect_good();
	cr_assert(fdt_dom_pci_any());
	cr_assert_eq(boot_domains[1].pci.nr, 2);
	cr_assert_eq(boot_domains[1].pci.sbdf[0], 0x18);
	cr_assert_eq(boot_domains[1].pci.sbdf[1], 0xabcdfeff);
	cr_assert_eq(boot_domains[0].pci.nr, 0);
	NAMES(BAD, "ffff:ff:1f.7");
	expect_good();
	cr_assert_eq(boot_domains[1].pci.sbdf[0], 0xffffffff);
}

Test(fdt_dom_pci, bad_text)
{
	static const char *const wrong[] = {
		"000g:00:03.0", "0000.00:03.0", "0000:00-03.0", "0000:00:03:0",
		"0000:00:20.0", "0000:00:03.8", "0000:00:03. ", "0000:0/:03.0",
		"0000:00:@3.0", "-000:00:03.0", "0000:00:03.00", "0:0:3.0",
		"00:03.0", "", "0000:00:03.0,0000:00:04.0", "`000:00:03.0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		bytes(BAD, wrong[i], strlen(wrong[i]) + 1);
		expect_refused("is no list of functions");
		cr_assert(!fdt_dom_pci_any());
	}
	bytes(BAD, "", 0);
	expect_refused("is no list of functions");
	bytes(BAD, "0000:00:03.0", 12); /* no NUL at its end */
	expect_refused("is no list of functions");
	bytes(BAD, "0000:00:03.0\0" "0000:00:04.0", 25);
	expect_refused("is no list of functions");
	bytes(BAD, "0000:00:03.0\0\0", 14);
	expect_refused("is no list of functions");
}

/* Any bytes at all: read within their bounds, and refused or not. */
Test(fdt_dom_pci, noise)
{
	uint32_t seed = 1;

	for (uint32_t n = 0; n < 20000; n++) {
		char text[40];
		uint32_t size = n % sizeof(text);

		memcpy(text, "0000:00:03.0\0" "0000:00:04.0\0"
			     "0000:00:05.0", 39);
		for (uint32_t i = 0; i < 2; i++) {
			seed = seed * 1664525u + 1013904223u;
			text[(seed >> 8) % sizeof(text)] = (char)(seed >> 24);
		}
		bytes(BAD, text, size);
		parse();
		cr_assert(boot_domains[1].refused ||
			  boot_domains[1].pci.nr * 13 == size);
		cr_assert(!boot_domains[0].refused);
	}
}

Test(fdt_dom_pci, given_twice)
{
	NAMES(BAD, "0000:00:03.0\0" "0000:00:03.0");
	expect_refused("is given already");
	NAMES(BAD, "0000:00:03.0");
	NAMES("/chosen/first", "0000:00:03.0");
	expect_refused("is given already");
	cr_assert(fdt_dom_pci_any());
	/* One that is refused has nothing. */
	NAMES("/chosen/first", "0000:00:04.0\0" "0000:00:03.0x");
	parse();
	cr_assert(boot_domains[0].refused && !boot_domains[1].refused);
}

Test(fdt_dom_pci, too_many)
{
	char text[9 * 13];

	for (int i = 0; i < 9; i++) {
		memcpy(text + i * 13, "0000:00:00.0", 13);
		text[i * 13 + 9] = (char)('1' + i);
	}
	bytes(BAD, text, sizeof(text) - 13);
	expect_good();
	cr_assert_eq(boot_domains[1].pci.nr, 8);
	bytes(BAD, text, sizeof(text));
	expect_refused("more than 8");
}

Test(fdt_dom_pci, without_an_its)
{
	NAMES(BAD, "0000:00:03.0");
	parse();
	cr_assert_neq(p.its.node, 0);
	p.its.node = 0;
	fake_log_reset();
	fdt_dom_parse(&host_dt, &p);
	cr_assert(boot_domains[1].refused);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "needs an ITS"));
	fdt = machine(2);
	NAMES(BAD, "0000:00:03.0");
	expect_refused("needs an ITS");
}

Test(fdt_dom_pci, beside_dom0)
{
	NAMES(BAD, "0000:00:03.0");
	fake_module(fdt, "/chosen", "dom0", "multiboot,kernel", 0x70000000);
	expect_good();
	cr_assert(fdt_dom_pci_any());
	CELLS(fdt, "/chosen", "linux,pci-probe-only", 0);
	expect_good();
	CELLS(fdt, "/chosen", "linux,pci-probe-only", 1);
	expect_refused("\"linux,pci-probe-only\"");
	/* Without dom0 nobody looks at it. */
	cr_assert_eq(fdt_del_node(fdt, fake_tree_node(fdt, "/chosen/dom0")), 0);
	expect_good();
}

Test(fdt_dom_pci, what_does_not_go_with_it)
{
	NAMES(BAD, "0000:00:03.0");
	fake_tree_text(fdt, BAD, "bulkhead,on-crash", "restart");
	expect_refused("\"restart\"");
	fake_tree_text(fdt, BAD, "bulkhead,on-crash", "crash-machine");
	expect_good();
	fake_tree_flag(fdt, BAD, "direct-map");
	CELLS(fdt, BAD, "xen,static-mem", 0, 0x48000000, 0, 0x4000000);
	expect_refused("\"direct-map\"");
}

Test(fdt_dom_pci, shared_memory_in_its_way)
{
	static const uint32_t at[] = { 0x4000000, 0x4020000, 0x7fff000,
				       0xffff000 };

	NAMES(BAD, "0000:00:03.0");
	fake_tree_add(fdt, BAD, "shared", "xen,domain-shared-memory-v1");
	fake_tree_text(fdt, SHARED, "xen,shm-id", "box");
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		CELLS(fdt, SHARED, "xen,shared-mem", 0, 0x4c000000, 0, at[i],
		      0, 0x21000);
		expect_refused("where the domain has shared memory");
	}
	CELLS(fdt, SHARED, "xen,shared-mem", 0, 0x4c000000, 0, 0x10000000,
	      0, 0x1000);
	expect_good();
	CELLS(fdt, SHARED, "xen,shared-mem", 0, 0x4c000000, 0, 0x401f000,
	      0, 0x1000);
	expect_good();
}
