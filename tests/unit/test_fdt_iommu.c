/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams a device has, by each of the forms that trees have. */
// LINK: boot/dom_nodes.c boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_iommu.c boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>

#include <lib/errno.h>
#include "boot/fdt_iommu.h"
#include "boot/fdt_platform.h"
#include "fake_tree.h"

#define ETH "/soc/eth@1000000"
#define SMMU "/soc/smmu@800000"
#define PCI "/pcie@10000000"

static struct dt_stream s[4];
static uint32_t nr;

static int streams(void *fdt, const char *path)
{
	static struct platform p;
	int node = fake_tree_node(fdt, path);

	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	return dt_streams(&host_dt, dt_by_offset(&host_dt, node), s, 4, &nr);
}

static void expect(uint32_t n, uint32_t first, uint32_t count)
{
	cr_assert_lt(n, nr);
	cr_expect_eq(s[n].first, first, "%#x", s[n].first);
	cr_expect_eq(s[n].nr, count, "%#x", s[n].nr);
}

Test(fdt_iommu, iommus)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, SMMU, "#iommu-cells", 1);
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 7, FAKE_TREE_SMMU, 0x20);
	cr_assert_eq(streams(fdt, ETH), 0);
	cr_expect_eq(nr, 2);
	expect(0, 7, 1);
	expect(1, 0x20, 1);
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU);
	cr_expect_eq(streams(fdt, ETH), -EINVAL);
	CELLS(fdt, ETH, "iommus", 0x7777, 1);
	cr_expect_eq(streams(fdt, ETH), -EINVAL);
	CELLS(fdt, SMMU, "#iommu-cells", 2); /* with a mask */
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 0x87, 0xf);
	cr_assert_eq(streams(fdt, ETH), 0);
	expect(0, 0x80, 0x10);
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 0x87, 0xf0);
	cr_expect_eq(streams(fdt, ETH), -ENOSPC); /* 16 ranges of one */
}

Test(fdt_iommu, map)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, PCI, "iommu-map", 0, FAKE_TREE_SMMU, 0, 0x100, 0x100,
	      FAKE_TREE_SMMU, 0x1000, 0x200);
	cr_assert_eq(streams(fdt, PCI), 0);
	cr_expect_eq(nr, 2);
	expect(0, 0, 0x100);
	expect(1, 0x1000, 0x200);
	CELLS(fdt, PCI, "iommu-map", 0, FAKE_TREE_SMMU, 0, 0);
	cr_expect_eq(streams(fdt, PCI), -EINVAL);
	CELLS(fdt, PCI, "iommu-map", 0, FAKE_TREE_SMMU, 0xffffffff, 2);
	cr_expect_eq(streams(fdt, PCI), -EINVAL);
	CELLS(fdt, PCI, "iommu-map", 0, FAKE_TREE_SMMU, 0);
	cr_expect_eq(streams(fdt, PCI), -EINVAL);
}

/* The older form: the SMMU names its devices, each says how many it has. */
Test(fdt_iommu, masters)
{
	void *fdt = fake_tree(3);

	fdt_delprop(fdt, fake_tree_node(fdt, ETH), "iommus");
	CELLS(fdt, ETH, "phandle", 0x901);
	CELLS(fdt, ETH, "#stream-id-cells", 2);
	CELLS(fdt, SMMU, "mmu-masters", 0x901, 0x10, 0x11);
	cr_assert_eq(streams(fdt, ETH), 0);
	cr_expect_eq(nr, 2);
	expect(1, 0x11, 1);
	CELLS(fdt, SMMU, "mmu-masters", 0x901, 0x10);
	cr_expect_eq(streams(fdt, ETH), -EINVAL);
	CELLS(fdt, ETH, "#stream-id-cells", 0xffffffff);
	cr_expect_eq(streams(fdt, ETH), -EINVAL);
}
