/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of an SMMUv2 as trees name them: masks, and bits of no matter. */
// LINK: boot/dom_nodes.c boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_gic.c boot/fdt_iommu.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>

#include "boot/fdt_iommu.h"
#include "boot/fdt_platform.h"
#include "fake_tree.h"
#include <lib/errno.h>

#define ETH "/soc/eth@1000000"
#define GPIO "/soc/gpio@30000"
#define PCIE "/pcie@10000000"

static void *fdt;
static char smmu[64];
static struct dt_stream s[IOMMU_DEV_STREAMS];
static uint32_t nr;

/* The machine with one SMMU of two cells a stream, and nothing behind it. */
static void setup(void)
{
	fdt = fake_tree(3);
	cr_assert_eq(fdt_get_path(fdt, fdt_node_offset_by_phandle(
					       fdt, FAKE_TREE_SMMU),
				  smmu, sizeof(smmu)), 0);
	CELLS(fdt, smmu, "#iommu-cells", 2);
	fdt_delprop(fdt, fake_tree_node(fdt, PCIE), "iommu-map");
	fdt_delprop(fdt, fake_tree_node(fdt, ETH), "iommus");
}

TestSuite(fdt_iommu_masks, .init = setup);

static int streams_of(const char *path)
{
	static struct platform p;

	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	return dt_streams(&host_dt,
			  dt_by_offset(&host_dt, fake_tree_node(fdt, path)), s,
			  IOMMU_DEV_STREAMS, &nr);
}

static uint32_t mask_of_smmu(void)
{
	return dt_stream_mask(&host_dt,
			      dt_by_phandle(&host_dt, FAKE_TREE_SMMU));
}

static void expect(uint32_t i, uint32_t first, uint32_t n)
{
	cr_assert_lt(i, nr);
	cr_expect_eq(s[i].first, first, "%u: %#x", i, s[i].first);
	cr_expect_eq(s[i].nr, n, "%u: %u", i, s[i].nr);
}

Test(fdt_iommu_masks, lowest_bits_are_a_range)
{
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 0x887, 0x7);
	cr_assert_eq(streams_of(ETH), 0);
	cr_assert_eq(nr, 1);
	expect(0, 0x880, 8);
	cr_assert_eq(mask_of_smmu(), 0);
}

/* As Qualcomm's trees have them. */
Test(fdt_iommu_masks, other_bits_are_ranges_each)
{
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 0x1806, 0x60);
	CELLS(fdt, GPIO, "iommus", FAKE_TREE_SMMU, 0x2041, 0x43);
	cr_assert_eq(streams_of(ETH), 0);
	cr_assert_eq(nr, 4);
	for (uint32_t i = 0; i < 4; i++) {
		expect(i, 0x1806 + 0x20 * i, 1);
	}
	cr_assert_eq(streams_of(GPIO), 0);
	cr_assert_eq(nr, 2);
	expect(0, 0x2000, 4);
	expect(1, 0x2040, 4);
	/* Sixteen of them. */
	CELLS(fdt, GPIO, "iommus", FAKE_TREE_SMMU, 0, 0xf0);
	cr_assert_eq(streams_of(GPIO), -ENOSPC);
}

/* As i.MX 8QuadMax's: the upper bits are the port's. */
Test(fdt_iommu_masks, upper_bits_that_all_leave_out)
{
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 0x12, 0x7f80);
	CELLS(fdt, GPIO, "iommus", FAKE_TREE_SMMU, 0x7f94, 0x7f83);
	cr_assert_eq(streams_of(ETH), 0);
	cr_assert_eq(mask_of_smmu(), 0x7f80);
	cr_assert_eq(nr, 1);
	expect(0, 0x12, 1);
	cr_assert_eq(streams_of(GPIO), 0);
	cr_assert_eq(nr, 1);
	expect(0, 0x14, 4);
	/* One device that does not: they matter. */
	CELLS(fdt, GPIO, "iommus", FAKE_TREE_SMMU, 0x80, 0);
	cr_assert_eq(streams_of(GPIO), 0);
	cr_assert_eq(mask_of_smmu(), 0);
	expect(0, 0x80, 1);
	cr_assert_eq(streams_of(ETH), -ENOSPC, "256 of them");
	/* So do functions of PCI, which have no mask. */
	CELLS(fdt, GPIO, "iommus", FAKE_TREE_SMMU, 0x14, 0x7f80);
	CELLS(fdt, PCIE, "iommu-map", 0, FAKE_TREE_SMMU, 0x80, 0x80);
	cr_assert_eq(streams_of(PCIE), 0);
	cr_assert_eq(mask_of_smmu(), 0);
	expect(0, 0x80, 0x80);
}

/* As Layerscape's. */
Test(fdt_iommu_masks, stream_match_mask)
{
	CELLS(fdt, smmu, "#iommu-cells", 1);
	CELLS(fdt, smmu, "stream-match-mask", 0x7c00);
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 0x4801);
	CELLS(fdt, PCIE, "iommu-map", 0, FAKE_TREE_SMMU, 0x7c05, 2);
	cr_assert_eq(streams_of(ETH), 0);
	cr_assert_eq(mask_of_smmu(), 0x7c00);
	expect(0, 1, 1);
	cr_assert_eq(streams_of(PCIE), 0);
	expect(0, 5, 2);
	CELLS(fdt, smmu, "stream-match-mask", 0xffff8000);
	cr_assert_eq(streams_of(ETH), 0);
	cr_assert_eq(mask_of_smmu(), 0, "no bits of a stream");
}

Test(fdt_iommu_masks, malformed)
{
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 1);
	cr_assert_eq(streams_of(ETH), -EINVAL, "a cell short");
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 1, 0, 0x7777);
	cr_assert_eq(streams_of(ETH), -EINVAL, "nobody");
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 1, 0xffffffff);
	cr_assert_eq(streams_of(ETH), -ENOSPC, "beyond all streams");
	CELLS(fdt, smmu, "#iommu-cells", 3);
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 1, 2, 3);
	cr_assert_eq(streams_of(ETH), -EINVAL);
	CELLS(fdt, smmu, "#iommu-cells", 0xffffffff);
	cr_assert_eq(streams_of(ETH), -EINVAL);
	fdt_setprop(fdt, fake_tree_node(fdt, ETH), "iommus", "ab", 2);
	cr_assert_eq(streams_of(ETH), -EINVAL);
}

/* The lines of the last contexts are done without: they go by the first. */
Test(fdt_iommu_masks, more_interrupts_than_are_used)
{
	static int64_t list[3 * 40 + 1];
	struct dt_smmu n;

	for (uint32_t i = 0; i < 40; i++) {
		list[3 * i + 1] = 100 + i;
		list[3 * i + 2] = 4;
	}
	list[3 * 40] = -1;
	fake_tree_set_cells(fdt, smmu, "interrupts", list);
	CELLS(fdt, smmu, "#global-interrupts", 2);
	cr_assert_eq(streams_of(ETH), 0);
	cr_assert_eq(dt_smmu(&host_dt, dt_by_phandle(&host_dt, FAKE_TREE_GIC),
			     dt_by_phandle(&host_dt, FAKE_TREE_SMMU), &n), 0);
	cr_assert_eq(n.nr_irqs, IOMMU_MAX_IRQS);
	cr_assert_eq(n.irq[0], 132);
	cr_assert_eq(n.irq[IOMMU_MAX_IRQS - 1], 132 + IOMMU_MAX_IRQS - 1);
	cr_assert_eq(n.nr_global_irqs, 2);
}
