/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "ranges" of a PCI host in dom0's tree: without the ends of windows, where
 * functions of domains of the machine's tree have their BARs.
 */
// LINK: boot/dom_devices.c boot/dom_fdt.c boot/dom_nodes.c
// LINK: boot/dom_nodes_new.c boot/dom_nodes_shared.c
// LINK: boot/fdt_addr.c boot/fdt_chosen.c
// LINK: boot/fdt_console.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/modules.c
// LINK: boot/ranges.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/pci.h>
#include <lib/errno.h>

#include "boot/dom_fdt.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "fake_log.h"
#include "fake_tree.h"

#define HOST "/pcie@10000000"

static struct platform p;
static _Alignas(8) uint8_t dom0[FAKE_TREE_SIZE];
static const struct mem_range banks[] = {
	{ .start = 0x50000000, .size = 0x10000000 },
};
static struct pci_host *dom0_pci; /* HOST, perhaps others behind it */

static int build(void *host, uint32_t size)
{
	struct dom0_fdt_args a = {
		.platform = &p, .bank = banks, .nr_banks = 1, .nr_vcpus = 2,
		.evtchn_intid = 16,
		.grant_window = { .start = 0x40200000, .size = 0x40000 },
		.pci = dom0_pci,
	};
	uint32_t out;

	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
	if (dom0_pci) {
		dom0_pci->node = dt_resolve(&host_dt, HOST, strlen(HOST));
	}
	return dom0_fdt_build(&a, dom0, size, &out);
}

static bool has_prop(const char *path, const char *prop)
{
	return fdt_getprop(dom0, fake_tree_node(dom0, path), prop, NULL);
}

static uint32_t window_cell(uint32_t n)
{
	int len = 0;
	const fdt32_t *cells = fdt_getprop(dom0, fake_tree_node(dom0, HOST),
					   "ranges", &len);

	cr_assert_not_null(cells);
	cr_assert_lt(n, (uint32_t)len / 4);
	return fdt32_to_cpu(cells[n]);
}

/* Memory of 32 bits, ports at the same address of the bus, and of 64 bits. */
static void *three_windows(void)
{
	void *host = fake_tree(3);

	CELLS(host, HOST, "ranges",
	      0x1000000, 0, 0x10000000, 0, 0x3eff0000, 0, 0x2eff0000,
	      0x2000000, 0, 0x10000000, 0, 0x10000000, 0, 0x2eff0000,
	      0x43000000, 0x80, 0, 0x80, 0, 0x80, 0);
	return host;
}

Test(dom_fdt_pci, ends_of_windows)
{
	static struct pci_host other = { .node = 1, .nr_windows = 1,
		.window = { { 0x10000000, 0x10000000, 0x2eff0000 } },
		.kept = { 0x1000000 } };
	static struct pci_host h = { .next = &other, .nr_windows = 2,
		.window = { { 0x10000000, 0x10000000, 0x2eff0000 },
			    { UINT64_C(0x8000000000), UINT64_C(0x8000000000),
			      UINT64_C(0x8000000000) } },
		.kept = { 0x1f0000, 0x10000 } };
	static const uint32_t whole[] = {
		0x1000000, 0, 0x10000000, 0, 0x3eff0000, 0, 0x2eff0000,
		0x2000000, 0, 0x10000000, 0, 0x10000000, 0, 0x2eff0000,
		0x43000000, 0x80, 0, 0x80, 0, 0x80, 0 };
	uint32_t cut[ARRAY_SIZE(whole)];

	cr_assert_eq(build(three_windows(), sizeof(dom0)), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(whole); i++) {
		cr_assert_eq(window_cell(i), whole[i]);
	}
	memcpy(cut, whole, sizeof(cut));
	cut[13] = 0x2ee00000;
	cut[19] = 0x7f;
	cut[20] = 0xffff0000;
	dom0_pci = &h;
	cr_assert_eq(build(three_windows(), sizeof(dom0)), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(cut); i++) {
		cr_assert_eq(window_cell(i), cut[i], "%u", i);
	}
	/* All the rest of the node is as it was. */
	cr_assert(has_prop(HOST, "msi-map"));
	cr_assert(has_prop(HOST, "interrupt-map"));
	/* A host of which nothing is kept. */
	h.kept[0] = h.kept[1] = 0;
	cr_assert_eq(build(three_windows(), sizeof(dom0)), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(whole); i++) {
		cr_assert_eq(window_cell(i), whole[i]);
	}
	dom0_pci = NULL;
}

Test(dom_fdt_pci, end_of_a_window_of_one_cell)
{
	static struct pci_host h = { .nr_windows = 1,
		.window = { { 0x10000000, 0x10000000, 0x2eff0000 } },
		.kept = { 0x10000 } };
	void *host = fake_tree(3);

	CELLS(host, HOST, "#size-cells", 1);
	CELLS(host, HOST, "ranges", 0x2000000, 0, 0x10000000, 0,
	      0x10000000, 0x2eff0000, 0x2000000, 0, 0x10000000, 0, 0x10000000,
	      0x1000);
	dom0_pci = &h;
	cr_assert_eq(build(host, sizeof(dom0)), 0);
	cr_assert_eq(window_cell(5), 0x2efe0000);
	cr_assert_eq(window_cell(11), 0x1000, "another one");
	dom0_pci = NULL;
}

/* No buffer is too small to be told so. */
Test(dom_fdt_pci, no_room)
{
	static struct pci_host h = { .nr_windows = 1,
		.window = { { 0x10000000, 0x10000000, 0x2eff0000 } },
		.kept = { 0x10000 } };
	uint32_t size = sizeof(dom0);

	dom0_pci = &h;
	do {
		size -= 64;
		memset(dom0 + size, 0x5a, 64);
	} while (build(three_windows(), size) == 0);
	for (; size >= 4096; size -= 512) {
		memset(dom0 + size, 0x5a, 512);
		cr_assert_eq(build(three_windows(), size), -ENOSPC);
		for (uint32_t i = 0; i < 512; i++) {
			cr_assert_eq(dom0[size + i], 0x5a);
		}
	}
}
