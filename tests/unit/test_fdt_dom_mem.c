/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that the tree sets aside: good trees, and every mistake: its own
 * message, and the domains beside it unharmed.
 */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c
// LINK: boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c boot/fdt_util.c
// LINK: boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "fake_log.h"
#include "fake_tree.h"

#define BAD "/chosen/bad"
#define SHM BAD "/shm@1"
#define SIZE 0x100000 /* of static memory and regions below */

static struct platform p;
static const struct mem_range image = { .start = 0x40200000,
					.size = 0x200000 };
static const struct mem_range dtb = { .start = 0x44000000, .size = 0x100000 };

static void text(void *fdt, const char *path, const char *prop,
		 const char *value)
{
	cr_assert_eq(fdt_setprop_string(fdt, fake_tree_node(fdt, path), prop,
					value), 0);
}

static void flag(void *fdt, const char *path, const char *prop)
{
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, path), prop, NULL, 0),
		     0);
}

static void drop(void *fdt, const char *path, const char *prop)
{
	cr_assert_eq(fdt_delprop(fdt, fake_tree_node(fdt, path), prop), 0);
}

static void add_domain(void *fdt, const char *name, uint32_t kernel_at)
{
	char path[40];

	fake_tree_add(fdt, "/chosen", name, "xen,domain");
	snprintf(path, sizeof(path), "/chosen/%s", name);
	CELLS(fdt, path, "#address-cells", 2);
	CELLS(fdt, path, "#size-cells", 2);
	CELLS(fdt, path, "memory", 0, SIZE / 1024);
	CELLS(fdt, path, "cpus", 1);
	text(fdt, path, "xen,enhanced", "no-xenstore");
	fake_tree_add(fdt, path, "module@1", "multiboot,module");
	snprintf(path, sizeof(path), "/chosen/%s/module@1", name);
	CELLS(fdt, path, "reg", 0, kernel_at, 0, 0x100000);
}

/* Of region "one"; @role may be NULL. */
static void add_shared(void *fdt, const char *dom, uint32_t host, uint32_t ipa,
		       const char *role)
{
	char path[40];

	fake_tree_add(fdt, dom, "shm@1", "xen,domain-shared-memory-v1");
	snprintf(path, sizeof(path), "%s/shm@1", dom);
	text(fdt, path, "xen,shm-id", "one");
	CELLS(fdt, path, "xen,shared-mem", 0, host, 0, ipa, 0, SIZE);
	if (role) {
		text(fdt, path, "role", role);
	}
}

/*
 * "first" owns a region that "third" borrows and has static memory; the tests
 * spoil "bad" between them, which has static memory of its own and borrows.
 */
static void *three(int gic)
{
	void *fdt = fake_tree(gic);

	CELLS(fdt, "/chosen", "#address-cells", 2);
	CELLS(fdt, "/chosen", "#size-cells", 2);
	/* libfdt puts new nodes first: they come in the order of the names. */
	add_domain(fdt, "third", 0x62000000);
	add_shared(fdt, "/chosen/third", 0x70000000, 0x50000000, "borrower");
	add_domain(fdt, "bad", 0x60000000);
	CELLS(fdt, BAD, "xen,static-mem", 0, 0x71000000, 0, SIZE);
	add_shared(fdt, BAD, 0x70000000, 0x51000000, "borrower");
	add_domain(fdt, "first", 0x61000000);
	CELLS(fdt, "/chosen/first", "xen,static-mem", 0, 0x72000000, 0, SIZE);
	add_shared(fdt, "/chosen/first", 0x70000000, 0x52000000, "owner");
	return fdt;
}

static void parse(void *fdt)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	cr_assert_eq(fdt_static_heap_parse(&host_dt, &p), 0, "%s",
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
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s: %u messages, last %s",
		     word, fake_log_count[LOG_ERR], fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "bad"), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert(boot_domains[1].refused, "%s", word);
	cr_assert_eq(boot_domains[1].kernel.size, 0);
	cr_assert(!boot_domains[0].refused, "%s", word);
	cr_assert(!boot_domains[2].refused, "%s", word);
	cr_assert_eq(boot_domains[0].mem.nr_shm, 1);
	cr_assert_eq(boot_domains[2].mem.nr_shm, 1);
}

static void expect_good(void *fdt)
{
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 0, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_WARN], 0, "%s",
		     fake_log_last[LOG_WARN]);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert(!boot_domains[i].refused);
	}
}

Test(fdt_dom_mem, a_whole_one)
{
	void *fdt = three(3);
	const struct boot_mem *m = &boot_domains[1].mem;

	flag(fdt, BAD, "direct-map");
	CELLS(fdt, BAD, "memory", 0, 3 * SIZE / 1024);
	CELLS(fdt, BAD, "xen,static-mem", 0, 0x71000000, 0, SIZE, 0,
	      0x73000000, 0, 2 * SIZE);
	expect_good(fdt);
	cr_assert_eq(m->nr_banks, 2);
	cr_assert(m->direct_map);
	cr_assert_eq(m->bank[0].start, 0x71000000);
	cr_assert_eq(m->bank[1].start, 0x73000000);
	cr_assert_eq(m->bank[1].size, 2 * SIZE);
	cr_assert_eq(m->nr_shm, 1);
	cr_assert_str_eq(m->shm[0].id, "one");
	cr_assert_eq(m->shm[0].role, SHM_BORROWER);
	cr_assert_eq(m->shm[0].host.start, 0x70000000);
	cr_assert_eq(m->shm[0].host.size, SIZE);
	cr_assert_eq(m->shm[0].ipa, 0x51000000);
	cr_assert_eq(boot_domains[0].mem.shm[0].role, SHM_OWNER);
	cr_assert_eq(boot_domains[2].mem.nr_banks, 0);
	cr_assert(!boot_domains[0].mem.direct_map);
	cr_assert_eq(dom0_mem.nr_shm, 0);
	cr_assert_eq(nr_boot_heap, 0);
}

Test(fdt_dom_mem, ways_to_say_it)
{
	static const char *const doms[] = { "first", "bad", "third" };
	void *fdt = three(2);
	char path[40];

	/* Cells of its own, as Xen 4.16 wanted them. */
	CELLS(fdt, BAD, "#xen,static-mem-address-cells", 1);
	CELLS(fdt, BAD, "#xen,static-mem-size-cells", 1);
	CELLS(fdt, BAD, "xen,static-mem", 0x71000000, SIZE);
	CELLS(fdt, SHM, "#xen,shared-mem-address-cells", 1);
	CELLS(fdt, SHM, "xen,shared-mem", 0x70000000, 0x51000000, 0, SIZE);
	/* Nobody's: it is the hypervisor's, and all of them borrow. */
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/chosen/%s/shm@1", doms[i]);
		drop(fdt, path, "role");
	}
	expect_good(fdt);
	cr_assert_eq(boot_domains[1].mem.bank[0].start, 0x71000000);
	cr_assert_eq(boot_domains[1].mem.shm[0].ipa, 0x51000000);
	text(fdt, SHM, "role", "borrower");
	expect_good(fdt);
}

Test(fdt_dom_mem, dom0_shares_too)
{
	void *fdt = three(3);

	text(fdt, "/chosen/first/shm@1", "role", "borrower");
	add_shared(fdt, "/chosen", 0x70000000, 0x10000000, "owner");
	expect_good(fdt);
	cr_assert_eq(dom0_mem.nr_shm, 1);
	cr_assert_eq(dom0_mem.shm[0].ipa, 0x10000000);
	cr_assert_eq(dom0_mem.shm[0].role, SHM_OWNER);
}

static void set_static(void *fdt, const int64_t *cells)
{
	fake_tree_set_cells(fdt, BAD, "xen,static-mem", cells);
}

Test(fdt_dom_mem, ranges)
{
	static const struct {
		int64_t cells[8];
		const char *word;
	} bad[] = {
		{ { -1 }, "is not a list of addresses" },
		{ { 0, 0x71000000, 0, -1 }, "is not a list of addresses" },
		{ { 0, 0x71000000, 0, SIZE, 0, -1 }, "is not a list of addr" },
		{ { 0, 0x71000000, 0, 0, -1 }, "has an empty range" },
		{ { 0, 0x71000800, 0, SIZE, -1 }, "is not whole pages" },
		{ { 0, 0x71000000, 0, SIZE - 1, -1 }, "is not whole pages" },
		{ { 0xffffffff, 0xfffff000, 0, 0x2000, -1 },
		  "beyond the last address" },
		{ { 0, 0x71000000, 0xffffffff, 0xf0000000, -1 },
		  "beyond the last address" },
		{ { 0, 0x71000000, 0, 2 * SIZE, -1 },
		  "\"memory\" is not the sum" },
		{ { 0, 0x90000000, 0, SIZE, -1 },
		  "is not inside one bank of memory" },
		{ { 0, 0x7ff80000, 0, SIZE, -1 },
		  "is not inside one bank of memory" },
		{ { 0, 0x40180000, 0, SIZE, -1 }, "overlaps the hypervisor" },
		{ { 0, 0x44080000, 0, SIZE, -1 }, "overlaps the device tree" },
		{ { 0, 0x48000000, 0, SIZE, -1 }, "overlaps a boot module" },
		{ { 0, 0x62080000, 0, SIZE, -1 },
		  "overlaps the kernel of third" },
		{ { 0, 0x60080000, 0, SIZE, -1 },
		  "overlaps the kernel of bad" },
		{ { 0, 0x720ff000, 0, SIZE, -1 },
		  "overlaps static memory of first" },
		{ { 0, 0x6ff80000, 0, SIZE, -1 },
		  "overlaps shared memory of first" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *fdt = three(3);

		set_static(fdt, bad[i].cells);
		expect_refused(fdt, bad[i].word);
	}
}

Test(fdt_dom_mem, more_ranges_and_cells)
{
	int64_t cells[4 * 9 + 1];
	void *fdt = three(3);

	for (unsigned int i = 0; i < 9; i++) {
		cells[4 * i] = 0;
		cells[4 * i + 1] = 0x71000000 + i * 0x10000;
		cells[4 * i + 2] = 0;
		cells[4 * i + 3] = 0x1000;
	}
	cells[36] = -1;
	set_static(fdt, cells);
	expect_refused(fdt, "is more than 8 ranges");
	fdt = three(3);
	CELLS(fdt, BAD, "memory", 0, 2 * SIZE / 1024);
	CELLS(fdt, BAD, "xen,static-mem", 0, 0x71000000, 0, SIZE, 0,
	      0x71080000, 0, SIZE);
	expect_refused(fdt, "overlaps static memory of bad");
	fdt = three(3);
	CELLS(fdt, BAD, "#xen,static-mem-size-cells", 3);
	expect_refused(fdt, "has no number of cells");
	fdt = three(3);
	CELLS(fdt, BAD, "#xen,static-mem-address-cells", 1, 1);
	expect_refused(fdt, "has no number of cells");
	fdt = three(3);
	drop(fdt, BAD, "xen,static-mem");
	flag(fdt, BAD, "direct-map");
	expect_refused(fdt, "needs static memory");
	fdt = three(3);
	CELLS(fdt, BAD, "xen,static-heap", 0, 0x71000000, 0, SIZE);
	expect_refused(fdt, "is not supported");
}

Test(fdt_dom_mem, direct_map)
{
	void *fdt = three(3);

	flag(fdt, BAD, "direct-map");
	flag(fdt, BAD, "vpl011");
	CELLS(fdt, BAD, "nr_spis", 1);
	expect_refused(fdt, "one beyond nr_spis");
	fdt = three(3);
	flag(fdt, BAD, "direct-map");
	CELLS(fdt, BAD, "cpus", 128);
	CELLS(fdt, BAD, "xen,static-mem", 0, 0x71000000, 0, SIZE);
	parse(fdt);
	/* As many as the fake machine's controller has room for. */
	cr_assert_eq(boot_domains[1].refused,
		     128 * UINT64_C(0x20000) > p.gic.gicr[0].size);
	fdt = three(3);
	flag(fdt, BAD, "direct-map");
	CELLS(fdt, SHM, "xen,shared-mem", 0, 0x70000000, 0, 0x71000000, 0,
	      SIZE);
	expect_refused(fdt, "overlaps memory of bad");
	fdt = three(3);
	flag(fdt, BAD, "direct-map");
	CELLS(fdt, SHM, "xen,shared-mem", 0, 0x70000000, 0, p.gic.gicd_base, 0,
	      SIZE);
	expect_refused(fdt, "overlaps the interrupt controller of bad");
}

Test(fdt_dom_mem, shared)
{
	static const struct {
		int64_t cells[8];
		const char *word;
	} bad[] = {
		{ { -1 }, "is not one host address" },
		{ { 0, 0x70000000, 0, 0x51000000, -1 }, "is not one host" },
		{ { 0, 0x70000000, 0, 0x51000000, 0, 0, -1 }, "empty range" },
		{ { 0, 0x70000800, 0, 0x51000000, 0, SIZE, -1 },
		  "is not whole pages" },
		{ { 0, 0x70000000, 0, 0x51000800, 0, SIZE, -1 },
		  "is not whole pages" },
		{ { 0, 0x70000000, 0, 0x51000000, 0, SIZE - 8, -1 },
		  "is not whole pages" },
		{ { 0xffffffff, 0xfffff000, 0, 0x51000000, 0, SIZE, -1 },
		  "beyond the last address" },
		{ { 0, 0x70000000, 0xffffffff, 0xfffff000, 0, SIZE, -1 },
		  "beyond the last address" },
		{ { 0, 0x70001000, 0, 0x51000000, 0, SIZE, -1 },
		  "is not the same as shared memory of first" },
		{ { 0, 0x70000000, 0, 0x51000000, 0, 2 * SIZE, -1 },
		  "is not the same as shared memory of first" },
		{ { 0, 0x70000000, 0, 0x40080000, 0, SIZE, -1 },
		  "overlaps memory of bad" },
		{ { 0, 0x70000000, 0, 0x3000000, 0, SIZE, -1 },
		  "overlaps the interrupt controller of bad" },
		{ { 0, 0x70000000, 0, 0x3020000, 0, SIZE, -1 },
		  "overlaps the CPUs' part" },
		{ { 0, 0x70000000, 0, 0x22000000, 0, SIZE, -1 },
		  "overlaps the UART of bad" },
		{ { 0, 0x70000000, 0, 0x38ff0000, 0, SIZE, -1 },
		  "overlaps the grant table of bad" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *fdt = three(3);

		flag(fdt, BAD, "vpl011");
		fake_tree_set_cells(fdt, SHM, "xen,shared-mem", bad[i].cells);
		expect_refused(fdt, bad[i].word);
	}
}

Test(fdt_dom_mem, names_and_roles)
{
	static const char *const ids[] = { "", "sixteen letters!" };
	static const char *const roles[] = { "", "Owner", "lender",
					     "borrowers" };
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		fdt = three(3);
		text(fdt, SHM, "xen,shm-id", ids[i]);
		expect_refused(fdt, "is not a string of 1 to 15");
	}
	fdt = three(3);
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, SHM), "xen,shm-id",
				 "one", 3), 0);
	expect_refused(fdt, "is not a string of 1 to 15");
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		fdt = three(3);
		text(fdt, SHM, "role", roles[i]);
		expect_refused(fdt, "is neither \"owner\" nor");
	}
	fdt = three(3);
	drop(fdt, SHM, "xen,shm-id");
	expect_refused(fdt, "is missing");
	fdt = three(3);
	drop(fdt, SHM, "xen,shared-mem");
	expect_refused(fdt, "is missing");
	fdt = three(3);
	fake_tree_add(fdt, BAD, "shm@2", "xen,domain-shared-memory-v1");
	text(fdt, BAD "/shm@2", "xen,shm-id", "one");
	CELLS(fdt, BAD "/shm@2", "xen,shared-mem", 0, 0x70000000, 0,
	      0x54000000, 0, SIZE);
	expect_refused(fdt, "is there twice");
}

Test(fdt_dom_mem, owners)
{
	void *fdt = three(3);

	text(fdt, SHM, "role", "owner");
	expect_refused(fdt, "has an owner already");
	fdt = three(3);
	drop(fdt, SHM, "role");
	expect_refused(fdt, "write role = \"borrower\"");
	fdt = three(3);
	text(fdt, SHM, "xen,shm-id", "two");
	CELLS(fdt, SHM, "xen,shared-mem", 0, 0x73000000, 0, 0x51000000, 0,
	      SIZE);
	expect_refused(fdt, "has no owner");
	fdt = three(3);
	text(fdt, SHM, "xen,shm-id", "two");
	text(fdt, SHM, "role", "owner");
	expect_refused(fdt, "overlaps shared memory of first");
}

/* "bad" owns what the others borrow: they are not there without it. */
Test(fdt_dom_mem, the_end_of_an_owner)
{
	void *fdt = three(3);

	text(fdt, "/chosen/first/shm@1", "role", "borrower");
	text(fdt, SHM, "role", "owner");
	expect_good(fdt);
	CELLS(fdt, BAD, "cpus", 0);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 3);
	cr_assert(boot_domains[0].refused && boot_domains[2].refused);
	cr_assert_eq(boot_domains[0].kernel.size, 0);
}

Test(fdt_dom_mem, what_a_refused_one_had_is_free)
{
	void *fdt = three(3);

	/* Two ranges, the second of them bad; "third" wants the first one. */
	CELLS(fdt, BAD, "memory", 0, 2 * SIZE / 1024);
	CELLS(fdt, BAD, "xen,static-mem", 0, 0x71000000, 0, SIZE, 0,
	      0x40200000, 0, SIZE);
	CELLS(fdt, "/chosen/third", "xen,static-mem", 0, 0x71000000, 0, SIZE);
	expect_refused(fdt, "overlaps the hypervisor");
}

Test(fdt_dom_mem, too_many_regions)
{
	void *fdt = three(3);
	char name[16];
	char path[40];

	for (unsigned int i = 0; i < MAX_SHARED; i++) {
		snprintf(name, sizeof(name), "more@%u", i);
		fake_tree_add(fdt, BAD, name, "xen,domain-shared-memory-v1");
		snprintf(path, sizeof(path), BAD "/more@%u", i);
		text(fdt, path, "xen,shm-id", name);
		CELLS(fdt, path, "xen,shared-mem", 0, 0x73000000 + i * SIZE, 0,
		      0x54000000 + i * SIZE, 0, SIZE);
	}
	expect_refused(fdt, "more than 8 regions");
}

/* dom0 is started all the same; who needs it as an owner is not. */
Test(fdt_dom_mem, dom0_with_a_mistake)
{
	void *fdt = three(3);

	add_shared(fdt, "/chosen", 0x74000000, 0x10000000, "owner");
	text(fdt, "/chosen/shm@1", "xen,shm-id", "much too long for it");
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
	cr_assert_eq(dom0_mem.nr_shm, 0);
	cr_assert(!boot_domains[0].refused && !boot_domains[1].refused);
	text(fdt, "/chosen/shm@1", "xen,shm-id", "zero");
	CELLS(fdt, "/chosen/shm@1", "xen,shared-mem", 0, 0x40200000, 0,
	      0x10000000, 0, SIZE);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "dom0: shared"));
	cr_assert_eq(dom0_mem.nr_shm, 0);
	cr_assert(!boot_domains[0].refused && !boot_domains[1].refused);
}

Test(fdt_dom_mem, without_dom0_there_is_nothing_of_it)
{
	void *fdt = three(3);

	add_shared(fdt, "/chosen", 0x74000000, 0x10000000, "owner");
	text(fdt, "/chosen/shm@1", "xen,shm-id", "zero");
	for (int n = fdt_first_subnode(fdt, fake_tree_node(fdt, "/chosen"));
	     n >= 0; n = fdt_next_subnode(fdt, n)) {
		if (fdt_node_check_compatible(fdt, n, "multiboot,module") ==
		    0) {
			cr_assert_eq(fdt_setprop_string(fdt, n, "compatible",
							"other"), 0);
		}
	}
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 0);
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
	cr_assert_eq(dom0_mem.nr_shm, 0);
}

Test(fdt_dom_mem, static_heap)
{
	static const struct {
		int64_t cells[8];
		const char *word;
	} bad[] = {
		{ { 0, 0x71000000, 0, -1 }, "is not a list of addresses" },
		{ { 0, 0x71000000, 0, 0, -1 }, "has an empty range" },
		{ { 0, 0x71000100, 0, SIZE, -1 }, "is not whole pages" },
		{ { 0, 0x90000000, 0, SIZE, -1 }, "is not inside one bank" },
		{ { 0, 0x7ff80000, 0, SIZE, -1 }, "is not inside one bank" },
	};
	void *fdt = three(3);

	CELLS(fdt, "/chosen", "xen,static-heap", 0, 0x50000000, 0, 0x8000000,
	      0, 0x7f000000, 0, SIZE);
	expect_good(fdt);
	cr_assert_eq(nr_boot_heap, 2);
	cr_assert_eq(boot_heap[1].start, 0x7f000000);
	CELLS(fdt, "/chosen", "xen,static-heap", 0, 0x71000000, 0, SIZE);
	expect_refused(fdt, "overlaps the static heap");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fdt = three(3);
		fake_tree_set_cells(fdt, "/chosen", "xen,static-heap",
				    bad[i].cells);
		fake_log_reset();
		cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
		cr_assert_neq(fdt_static_heap_parse(&host_dt, &p), 0);
		cr_assert_eq(fake_log_count[LOG_ERR], 1);
		cr_assert_not_null(strstr(fake_log_last[LOG_ERR],
					  bad[i].word), "%s: %s", bad[i].word,
				   fake_log_last[LOG_ERR]);
	}
}
