/* SPDX-License-Identifier: Apache-2.0 */
/* Devices behind SMMUs: how many, and what is none. */
// LINK: boot/dom_nodes.c boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_smmu.c boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>

#include "boot/fdt_platform.h"
#include "boot/fdt_smmu.h"
#include "fake_tree.h"

#define ETH "/soc/eth@1000000"
#define GPIO "/soc/gpio@30000"

static bool usable = true; /* the SMMUs are not disabled */
static uint32_t mute;       /* devices behind one that is no SMMUv3 */

static void expect(void *fdt, uint32_t masters, uint32_t smmus)
{
	static struct platform p;
	struct smmu_count c;

	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	fdt_smmu_count(&host_dt, &c);
	cr_expect_eq(c.masters, masters, "%u devices", c.masters);
	cr_expect_eq(c.smmus, smmus, "%u SMMUs", c.smmus);
	cr_expect_eq(c.usable, usable ? c.masters : 0, "%u", c.usable);
	cr_expect_eq(c.mute, mute, "%u", c.mute);
}

/* A network card, and a PCI host by its map. */
Test(smmu, of_the_fake_machine)
{
	void *fdt = fake_tree(3);

	fdt_delprop(fdt, fake_tree_node(fdt, "/pcie@10000000"), "iommu-map");
	expect(fdt, 1, 1);
	CELLS(fdt, "/pcie@10000000", "iommu-map", 0, FAKE_TREE_SMMU, 0,
	      0x10000);
	expect(fdt, 2, 1);
	fdt_setprop_string(fdt, fdt_node_offset_by_phandle(fdt, FAKE_TREE_SMMU),
			   "status", "disabled");
	usable = false;
	expect(fdt, 2, 1);
}

Test(smmu, what_is_none)
{
	void *fdt = fake_tree(3);

	fdt_delprop(fdt, fake_tree_node(fdt, "/pcie@10000000"), "iommu-map");
	CELLS(fdt, ETH, "iommus", FAKE_TREE_GIC, 1); /* no SMMU */
	expect(fdt, 0, 0);
	CELLS(fdt, ETH, "iommus", 0x7777, 1); /* nobody */
	expect(fdt, 0, 0);
	fdt_setprop(fdt, fake_tree_node(fdt, ETH), "iommus", "ab", 2);
	expect(fdt, 0, 0);
	fdt_setprop(fdt, fake_tree_node(fdt, ETH), "iommus", NULL, 0);
	expect(fdt, 0, 0);
	CELLS(fdt, ETH, "iommu-map", 0); /* short; comes before iommus */
	CELLS(fdt, ETH, "iommus", FAKE_TREE_SMMU, 1);
	expect(fdt, 0, 0);
}

/* More than are told apart: the devices are counted all the same. */
Test(smmu, many)
{
	void *fdt = fake_tree(3);

	fdt_delprop(fdt, fake_tree_node(fdt, "/pcie@10000000"), "iommu-map");
	for (uint32_t i = 0; i < MAX_SMMUS + 4; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/smmu%u", i);
		fake_tree_add(fdt, "/", path + 1, "arm,mmu-500");
		CELLS(fdt, path, "phandle", 0x900 + i);
		snprintf(path, sizeof(path), "/dev%u", i);
		fake_tree_add(fdt, "/", path + 1, "acme,dma");
		CELLS(fdt, path, "iommus", 0x900 + i);
	}
	mute = MAX_SMMUS + 4; /* ETH's is an SMMUv3 */
	expect(fdt, MAX_SMMUS + 5, MAX_SMMUS);
	CELLS(fdt, GPIO, "iommus", 0x900);
	mute++;
	expect(fdt, MAX_SMMUS + 6, MAX_SMMUS);
}
