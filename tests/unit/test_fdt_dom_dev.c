/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partial device trees: what a good one gives, what of it the guest sees, and
 * every mistake: one message, and no device is taken.
 */
// LINK: boot/dom_nodes.c boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_dom_dev.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/modules.c
// LINK: lib/printf.c tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <abi/xen.h>
#include <hv/console.h>
#include <hv/iommu_dev.h>
#include <lib/errno.h>

#include "boot/fdt_dom_dev.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_writer.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define DEV "/passthrough/gpio@10000000"
#define HOST "/soc/gpio@30000" /* at 0x9030000, SPI 50 */
#define FORCE "xen,force-assign-without-iommu"

static struct platform p;
static _Alignas(8) uint8_t part[8192];
static _Alignas(8) uint8_t guest[16384];
static struct boot_devices dev;
static struct dev_request q;
static const struct mem_range used[] = {
	{ .start = 0x40000000, .size = 0x4000000 },
	{ .start = 0x3001000, .size = 0x10000 },
	{ 0 },
	{ .start = UINT64_C(1) << 40,
	  .size = UINT64_MAX - (UINT64_C(1) << 40) },
};

static void add_device(const char *path, const char *name)
{
	fake_tree_add(part, "/passthrough", name, "vendor,gpio");
	CELLS(part, path, "reg", 0, 0x10000000, 0, 0x1000);
	CELLS(part, path, "interrupts", 0, 50, 4);
	CELLS(part, path, "xen,reg", 0, 0x9030000, 0, 0x1000, 0, 0x10000000);
	fake_tree_text(part, path, "xen,path", HOST);
	fake_tree_flag(part, path, FORCE);
}

/* A tree with one device, and a machine with a dom0 that has not that one. */
static void good(int gic)
{
	void *host = fake_tree(gic);

	fake_tree_flag(host, HOST, "xen,passthrough");
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	cr_assert_eq(fdt_create_empty_tree(part, sizeof(part)), 0);
	fake_tree_add(part, "/", "passthrough", "simple-bus");
	CELLS(part, "/passthrough", "#address-cells", 2);
	CELLS(part, "/passthrough", "#size-cells", 2);
	fake_tree_flag(part, "/passthrough", "ranges");
	add_device(DEV, "gpio@10000000");
	q = (struct dev_request){
		.domain = "bad", .tree = part, .tree_size = sizeof(part),
		.host = &host_dt, .platform = &p, .used = used,
		.nr_used = ARRAY_SIZE(used), .nr_spis = 960,
		.own_spi = GUEST_VPL011_SPI, .has_dom0 = true,
	};
	fdt_dev_reset();
	fake_log_reset();
}

static void expect_good(void)
{
	cr_assert_eq(fdt_dev_parse(&q, &dev), 0, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_ERR], 0);
	cr_assert_not_null(strstr(fake_log_last[LOG_WARN], "memory of all"));
	cr_assert_eq(dev.tree, part);
}

static void expect_refused(const char *word)
{
	fake_log_reset();
	cr_assert_neq(fdt_dev_parse(&q, &dev), 0, "%s", word);
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s", word);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "/chosen/bad"));
	cr_assert_null(dev.tree);
}

/* Whatever was wrong, the device is still to be had. */
static void expect_not_taken(void)
{
	void *host = fake_tree(3);

	fake_tree_flag(host, HOST, "xen,passthrough");
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	cr_assert_eq(fdt_create_empty_tree(part, sizeof(part)), 0);
	fake_tree_add(part, "/", "passthrough", "simple-bus");
	CELLS(part, "/passthrough", "#address-cells", 2);
	CELLS(part, "/passthrough", "#size-cells", 2);
	add_device(DEV, "gpio@10000000");
	q.tree_size = sizeof(part);
	q.nr_spis = 960;
	cr_assert_eq(fdt_dev_parse(&q, &dev), 0);
}

Test(fdt_dom_dev, a_whole_one)
{
	for (int gic = 2; gic <= 3; gic++) {
		good(gic);
		/* For the guest alone: no property of ours. */
		fake_tree_add(part, "/passthrough", "clk", "fixed-clock");
		expect_good();
		cr_assert_eq(dev.nr_regions, 1);
		cr_assert_eq(dev.region[0].host, 0x9030000);
		cr_assert_eq(dev.region[0].guest, 0x10000000);
		cr_assert_eq(dev.region[0].size, 0x1000);
		cr_assert_eq(dev.nr_irqs, 1);
		cr_assert_eq(dev.irq[0].intid, 82);
		cr_assert_eq(dev.irq[0].trigger, IRQ_LEVEL);
		cr_assert_eq(dev.gic_phandle, 0);
	}
}

/* The guest's tree: all but what is for us. */
Test(fdt_dom_dev, what_the_guest_sees)
{
	struct fdt_writer w;
	uint32_t size;
	int node;

	good(3);
	fake_tree_add(part, DEV, "inner", "vendor,inner");
	fake_tree_add(part, DEV "/inner", "deep", "vendor,deep");
	fake_tree_add(part, "/", "gic", NULL);
	CELLS(part, "/gic", "phandle", 7);
	fake_tree_add(part, "/", "aliases", NULL);
	fake_tree_text(part, "/aliases", "gpio0", DEV);
	fake_tree_add(part, "/", "secret", "vendor,secret");
	expect_good();
	cr_assert_eq(dev.gic_phandle, 7);
	fdtw_begin(&w, &host_dt, guest, sizeof(guest));
	fdtw_node(&w, "");
	fdt_dev_write(&w, &dev);
	fdtw_node(&w, "last");
	fdtw_end_node(&w);
	fdtw_end_node(&w);
	cr_assert_eq(fdtw_finish(&w, &size), 0);
	cr_assert_eq(fdt_check_full(guest, size), 0);
	node = fdt_path_offset(guest, fdt_get_alias(guest, "gpio0"));
	cr_assert_gt(node, 0);
	cr_assert_not_null(fdt_getprop(guest, node, "interrupts", NULL));
	cr_assert_null(fdt_getprop(guest, node, "xen,reg", NULL));
	cr_assert_null(fdt_getprop(guest, node, "xen,path", NULL));
	cr_assert_null(fdt_getprop(guest, node, FORCE, NULL));
	cr_assert_gt(fdt_path_offset(guest, DEV "/inner/deep"), 0);
	cr_assert_gt(fdt_path_offset(guest, "/last"), 0);
	cr_assert_lt(fdt_path_offset(guest, "/secret"), 0);
	cr_assert_lt(fdt_path_offset(guest, "/gic"), 0);
}

Test(fdt_dom_dev, regions)
{
	static const struct {
		int64_t cells[14];
		const char *word;
	} bad[] = {
		{ { -1 }, "is not made of <HOST SIZE GUEST>" },
		{ { 0, 0x9030000, 0, 0x1000, 0, -1 }, "is not made of <HOST" },
		{ { 0, 0x9030000, 0, 0x1000, 0, 0x10000000, 0, -1 },
		  "is not made of <HOST" },
		{ { 0, 0x9030800, 0, 0x1000, 0, 0x10000000, -1 },
		  "is not made of whole pages" },
		{ { 0, 0x9030000, 0, 0x800, 0, 0x10000000, -1 },
		  "is not made of whole pages" },
		{ { 0, 0x9030000, 0, 0x1000, 0, 0x10000800, -1 },
		  "is not made of whole pages" },
		{ { 0, 0x9030000, 0, 0, 0, 0x10000000, -1 },
		  "is not made of whole pages" },
		{ { 0xffffffff, 0xfffff000, 0, 0x1000, 0, 0x10000000, -1 },
		  "is not made of whole pages" },
		{ { 0, 0x9030000, 0xffffffff, 0xfffff000, 0, 0x10000000, -1 },
		  "is not made of whole pages" },
		{ { 0, 0x9030000, 0, 0x1000, 0xffffffff, 0xfffff000, -1 },
		  "is not made of whole pages" },
		{ { 0, 0x9031000, 0, 0x1000, 0, 0x10000000, -1 },
		  "is not in the \"reg\" of the device" },
		{ { 0, 0x902f000, 0, 0x2000, 0, 0x10000000, -1 },
		  "is not in the \"reg\" of the device" },
		{ { 0, 0x9030000, 0, 0x2000, 0, 0x10000000, -1 },
		  "is not in the \"reg\" of the device" },
		{ { 0, 0x40000000, 0, 0x1000, 0, 0x10000000, -1 },
		  "is not in the \"reg\" of the device" },
		{ { 0, 0x9030000, 0, 0x1000, 0, 0x40000000, -1 },
		  "where something else is" },
		{ { 0, 0x9030000, 0, 0x1000, 0, 0x43fff000, -1 },
		  "where something else is" },
		{ { 0, 0x9030000, 0, 0x1000, 0, 0x3001000, -1 },
		  "where something else is" },
		{ { 0, 0x9030000, 0, 0x1000, 0x100, 0, -1 },
		  "where something else is" },
		{ { 0, 0x9030000, 0, 0x1000, 0, 0x10000000,
		    0, 0x9030000, 0, 0x1000, 0, 0x10000000, -1 },
		  "where something else is" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		good(3);
		fake_tree_set_cells(part, DEV, "xen,reg", bad[i].cells);
		expect_refused(bad[i].word);
		expect_not_taken();
	}
}

Test(fdt_dom_dev, more_regions_than_there_is_room_for)
{
	int64_t cells[6 * (MAX_DEV_REGIONS + 1) + 1];

	for (uint32_t i = 0; i <= MAX_DEV_REGIONS; i++) {
		const int64_t one[] = { 0, 0x9030000, 0, 0x1000, 0,
					0x10000000 + 0x1000 * i, -1 };

		memcpy(&cells[6 * i], one, sizeof(one));
	}
	good(3);
	fake_tree_set_cells(part, DEV, "xen,reg", cells);
	expect_refused("more than 16 regions");
	expect_not_taken();
	cells[6 * MAX_DEV_REGIONS] = -1;
	good(3);
	fake_tree_set_cells(part, DEV, "xen,reg", cells);
	expect_good();
	cr_assert_eq(dev.nr_regions, MAX_DEV_REGIONS);
}

Test(fdt_dom_dev, paths)
{
	static const struct {
		const char *path;
		const char *word;
	} bad[] = {
		{ "", "is no path" },
		{ "gpio", "is no path" },
		{ "/", "does not have" },
		{ "/soc/gpio@30001", "does not have" },
		{ "/soc/uart@0", "that the hypervisor itself uses" },
		{ "/intc@8000000", "that the hypervisor itself uses" },
		{ "/soc/smmu@800000", "that the hypervisor itself uses" },
		{ "/soc/eth@1000000", "names a device of dom0's" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		good(3);
		cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
		fake_tree_text(part, DEV, "xen,path", bad[i].path);
		expect_refused(bad[i].word);
	}
	good(3);
	cr_assert_eq(fdt_setprop(part, fake_tree_node(part, DEV), "xen,path",
				 HOST, strlen(HOST)), 0);
	expect_refused("is no path");
	good(3);
	fake_tree_drop(part, DEV, "xen,path");
	expect_refused("has one of \"xen,reg\" and \"xen,path\"");
	good(3);
	fake_tree_drop(part, DEV, "xen,reg");
	expect_refused("has one of \"xen,reg\" and \"xen,path\"");
	good(3);
	fake_tree_drop(part, DEV, FORCE);
	expect_refused("no IOMMU keeps");
}

/* With the word: a warning of what is lost. Behind an SMMU: no need of it. */
Test(fdt_dom_dev, behind_an_smmu)
{
	static struct iommu_device smmu;

	good(3);
	fake_log_reset();
	cr_assert_eq(fdt_dev_parse(&q, &dev), 0);
	cr_expect_eq(fake_log_count[LOG_WARN], 1);
	cr_expect_not_null(strstr(fake_log_last[LOG_WARN],
				  "reaches the memory of all"));
	cr_expect_eq(dev.nr_behind, 0);
	good(3);
	fake_tree_drop(part, DEV, FORCE);
	fake_tree_behind = &smmu;
	fake_log_reset();
	cr_assert_eq(fdt_dev_parse(&q, &dev), 0);
	cr_expect_eq(fake_log_count[LOG_WARN], 0);
	cr_assert_eq(dev.nr_behind, 1);
	cr_expect_eq(dev.behind[0], &smmu);
}

/* Marked or not, with dom0 or without. */
Test(fdt_dom_dev, no_way_to_the_system_controller)
{
	static const char *const what[] = { "fsl,imx8-mu-scu", "fsl,imx-scu" };

	for (size_t i = 0; i < 4; i++) {
		void *host;

		good(3);
		host = fake_tree(3);
		fake_tree_flag(host, HOST, "xen,passthrough");
		fake_tree_text(host, HOST, "compatible", what[i % 2]);
		cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
		p.keeps_scu = i / 2;
		q.has_dom0 = i / 2;
		expect_refused("a way to the system controller");
		expect_not_taken();
	}
}

Test(fdt_dom_dev, without_dom0_nothing_needs_a_mark)
{
	good(3);
	cr_assert_eq(fdt_platform_parse(fake_tree(3), 0, &p), 0);
	expect_refused("add \"xen,passthrough\"");
	q.has_dom0 = false;
	fake_log_reset();
	expect_good();
}

Test(fdt_dom_dev, one_device_twice)
{
	good(3);
	add_device("/passthrough/again", "again");
	CELLS(part, "/passthrough/again", "xen,reg", 0, 0x9030000, 0, 0x1000,
	      0, 0x10001000);
	expect_refused("is given away already");
	expect_not_taken();
	/* By the next domain. */
	good(3);
	expect_good();
	expect_refused("is given away already");
}

Test(fdt_dom_dev, a_page_of_two)
{
	void *host;

	good(3);
	host = fake_tree(3);
	fake_tree_flag(host, HOST, "xen,passthrough");
	CELLS(host, HOST, "reg", 0x30000, 0x800);
	fake_tree_add(host, "/soc", "near@30800", "vendor,near");
	CELLS(host, "/soc/near@30800", "reg", 0x30800, 0x10);
	/* It counts though it is switched off. */
	fake_tree_text(host, "/soc/near@30800", "status", "disabled");
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	expect_refused("has a page that another device has a part of");
	/* Part of the device itself. */
	good(3);
	host = fake_tree(3);
	fake_tree_flag(host, HOST, "xen,passthrough");
	fake_tree_flag(host, HOST, "ranges");
	CELLS(host, HOST, "#address-cells", 1);
	CELLS(host, HOST, "#size-cells", 1);
	fake_tree_add(host, HOST, "port@30100", "vendor,port");
	CELLS(host, HOST "/port@30100", "reg", 0x30100, 0x10);
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	expect_good();
	/* Memory, whatever a node calls it. */
	good(3);
	host = fake_tree(3);
	fake_tree_add(host, "/", "fake@50000000", "vendor,fake");
	fake_tree_flag(host, "/fake@50000000", "xen,passthrough");
	CELLS(host, "/fake@50000000", "reg", 0, 0x50000000, 0, 0x1000);
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	fake_tree_text(part, DEV, "xen,path", "/fake@50000000");
	CELLS(part, DEV, "xen,reg", 0, 0x50000000, 0, 0x1000, 0, 0x10000000);
	expect_refused("has a page that another device has a part of");
}

Test(fdt_dom_dev, interrupts)
{
	void *host;

	good(3);
	q.nr_spis = 50;
	expect_refused("beyond \"nr_spis\"");
	q.nr_spis = 51;
	fake_log_reset();
	expect_good();
	good(3);
	q.own_spi = 82;
	expect_refused("leave \"vpl011\" out");
	good(3);
	host = fake_tree(3);
	fake_tree_flag(host, HOST, "xen,passthrough");
	CELLS(host, HOST, "interrupts", 1, 5, 4);
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	expect_refused("is no SPI");
	CELLS(host, HOST, "interrupts", 9, 50, 4);
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	expect_refused("malformed \"interrupts\"");
	fake_tree_drop(host, HOST, "interrupts");
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	fake_log_reset();
	expect_good();
	cr_assert_eq(dev.nr_irqs, 0);
}

Test(fdt_dom_dev, the_trees_form)
{
	char path[128] = DEV;

	good(3);
	cr_assert_eq(fdt_del_node(part, fake_tree_node(part, "/passthrough")),
		     0);
	expect_refused("has no node /passthrough");
	good(3);
	CELLS(part, DEV, "phandle", GUEST_PHANDLE_GIC);
	expect_refused("that of the guest's interrupt controller");
	good(3);
	CELLS(part, "/passthrough", "#address-cells", 3);
	expect_refused("is not made of <HOST SIZE GUEST>");
	good(3);
	for (int i = 0; i < 8; i++) {
		fake_tree_add(part, path, "n", NULL);
		strcat(path, "/n");
	}
	expect_refused("nested deeper than 8");
	good(3);
	q.tree_size = fdt_totalsize(part) - 1;
	expect_refused("is none");
	q.tree_size = 8;
	expect_refused("is none");
	q.tree_size = sizeof(part);
	q.tree = part + 4;
	expect_refused("is none");
	good(3);
	part[0] ^= 1;
	expect_refused("is none");
	good(3);
	fdt_set_totalsize(part, DEV_TREE_MAX + 8);
	q.tree_size = DEV_TREE_MAX + 8;
	expect_refused("is larger than 32 KiB");
}

/* Any byte may be another: no crash, and what is taken was judged. */
Test(fdt_dom_dev, damaged)
{
	uint32_t used_bytes;

	good(3);
	fdt_pack(part);
	used_bytes = fdt_totalsize(part);
	for (uint32_t i = 0; i < used_bytes; i++) {
		for (int bit = 0; bit < 8; bit++) {
			part[i] ^= (uint8_t)(1u << bit);
			fdt_dev_reset();
			q.tree_size = used_bytes;
			if (fdt_dev_parse(&q, &dev) == 0 && dev.nr_regions) {
				cr_assert_eq(dev.region[0].host, 0x9030000);
			}
			part[i] ^= (uint8_t)(1u << bit);
		}
	}
}
