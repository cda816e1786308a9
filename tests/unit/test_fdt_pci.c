/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which PCI hosts of the machine's tree have functions that guests may get,
 * and why not the others.
 */
// LINK: boot/dom_nodes.c boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_dom_dev.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/modules.c
// LINK: boot/fdt_pci.c boot/fdt_pins.c boot/pci.c
// LINK: lib/printf.c tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <arch/stage1.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/pci.h>

#include "boot/dom_nodes.h"
#include "boot/fdt_platform.h"
#include "boot/iommu.h"
#include "boot/pci.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define HOST "/pcie@10000000"
#define ECAM UINT64_C(0x4010000000)

struct domain *hardware_domain;

static struct platform p;
static struct pci_host *listed;
static unsigned int nr_listed;
static bool no_memory, no_room, no_unit;
static uint64_t mapped[2];
static struct domain d0;
static struct iommu_device behind = { .name = "/pcie" };
static struct iommu unit;

void pci_add_host(struct pci_host *h)
{
	listed = h;
	nr_listed++;
}

static struct pci_host *placed;
static bool beside; /* dom0 */

void boot_pci_place(struct pci_host *h, bool with_dom0)
{
	placed = h;
	beside = with_dom0;
}

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	return no_memory ? NULL : calloc(1, size);
}

void *stage1_map_device(uint64_t pa, uint64_t size)
{
	mapped[0] = pa;
	mapped[1] = size;
	return no_room ? NULL : (void *)mapped;
}

struct iommu *boot_iommu_unit(uint32_t node)
{
	cr_assert(dom_node_is_smmu(&host_dt, node));
	return no_unit ? NULL : &unit;
}

static void *tree(void)
{
	void *t = fake_tree(3);

	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_SMMU, 0x400, 0x10000);
	CELLS(t, HOST, "msi-map", 0, FAKE_TREE_MSI, 0x20000, 0x10000);
	CELLS(t, HOST, "bus-range", 0, 0xff);
	return t;
}

static void list_all(void *t)
{
	free(listed);
	listed = NULL;
	nr_listed = 0;
	hardware_domain = &d0;
	behind.owner = &d0;
	fake_tree_behind = &behind;
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(t, 0, &p), 0);
	cr_assert_eq(fdt_platform_find_console(&p, NULL), 0);
	cr_assert_eq(dom_nodes_select(&host_dt, &p), 0);
	boot_pci(&host_dt, &p);
}

/* ... of a machine without dom0. */
static void list_alone(void *t)
{
	list_all(t);
	free(listed);
	listed = NULL;
	nr_listed = 0;
	placed = NULL;
	hardware_domain = NULL;
	behind.owner = NULL;
	p.nr_modules = 0;
	fake_log_reset();
	boot_pci(&host_dt, &p);
}

static void expect_none(void *t, const char *why)
{
	list_all(t);
	cr_assert_eq(nr_listed, 0, "%s", why);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], why), "%s: %s",
			   why, fake_log_last[LOG_INFO]);
}

Test(fdt_pci, a_good_one)
{
	list_all(tree());
	cr_assert_eq(nr_listed, 1);
	cr_assert_eq(mapped[0], ECAM);
	cr_assert_eq(mapped[1], 0x10000000);
	cr_assert_eq(listed->segment, 0);
	cr_assert_eq(listed->first_bus, 0);
	cr_assert_eq(listed->last_bus, 255);
	cr_assert_eq(listed->nr_windows, 1, "not the one of ports");
	cr_assert_eq(listed->window[0].bus, 0x10000000);
	cr_assert_eq(listed->window[0].base, 0x10000000);
	cr_assert_eq(listed->window[0].size, 0x2eff0000);
	cr_assert_eq(listed->stream[0].to, 0x400);
	cr_assert_eq(listed->stream[0].unit, &unit);
	cr_assert_eq(listed->id[0].to, 0x20000);
	cr_assert_eq(listed->behind, &behind);
}

Test(fdt_pci, numbers)
{
	void *t = tree();

	CELLS(t, HOST, "linux,pci-domain", 7);
	CELLS(t, HOST, "bus-range", 4, 0xff);
	CELLS(t, HOST, "reg", 0x40, 0x10000000, 0, 0x300000);
	CELLS(t, HOST, "ranges", 0x3000000, 0x80, 0, 0x81, 0, 1, 0,
	      0x42000000, 0, 0x20000000, 0, 0x10000000, 0, 0x1000000);
	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_SMMU, 0x400, 0x100,
	      0x200, FAKE_TREE_SMMU, 0x900, 0xfe00);
	list_all(t);
	cr_assert_eq(nr_listed, 1);
	cr_assert_eq(listed->segment, 7);
	cr_assert_eq(listed->first_bus, 4);
	cr_assert_eq(listed->last_bus, 6, "as many as there are registers");
	cr_assert_eq(mapped[1], 0x300000);
	cr_assert_eq(listed->nr_windows, 2);
	cr_assert_eq(listed->window[0].bus, UINT64_C(0x8000000000));
	cr_assert_eq(listed->window[0].base, UINT64_C(0x8100000000));
	cr_assert_eq(listed->window[1].bus, 0x20000000);
	cr_assert_eq(listed->nr_streams, 2);
	cr_assert_eq(listed->stream[1].bdf, 0x200);
	cr_assert_eq(listed->stream[1].to, 0x900);
}

/* Another host; it may be found first, and is none of our kind. */
Test(fdt_pci, several)
{
	void *t = tree();

	fake_tree_add(t, "/", "pcie@99", "some,host");
	cr_assert_eq(fdt_setprop_string(t, fake_tree_node(t, "/pcie@99"),
					"device_type", "pci"), 0);
	list_all(t);
	cr_assert_eq(nr_listed, 1, "a root port is no host");
	cr_assert_eq(fdt_setprop(t, fake_tree_node(t, "/pcie@99"), "ranges",
				 NULL, 0), 0);
	expect_none(t, "one of several");
	CELLS(t, "/pcie@99", "linux,pci-domain", 1);
	list_all(t);
	cr_assert_eq(nr_listed, 1);
}

Test(fdt_pci, not_watched)
{
	void *t = tree();

	no_unit = true;
	expect_none(t, "its SMMU does not work");
	no_unit = false;
	no_room = true;
	expect_none(t, "no room for its registers");
	no_room = false;
	no_memory = true;
	expect_none(t, "no memory to list it");
	no_memory = false;
	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_GPIO, 0x400, 0x10000);
	expect_none(t, "is no SMMU");
	CELLS(t, HOST, "iommu-map", 0, 99, 0x400, 0x10000);
	expect_none(t, "is no SMMU");
	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_SMMU, 0x400);
	expect_none(t, "numbered");
	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_SMMU, 0x400, 0x10001);
	expect_none(t, "out of range");
	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_SMMU, 0xffffff00, 0x10000);
	expect_none(t, "out of range");
	CELLS(t, HOST, "iommu-map", 0x10000, FAKE_TREE_SMMU, 0, 1);
	expect_none(t, "out of range");
	CELLS(t, HOST, "iommu-map", 0, FAKE_TREE_SMMU, 0, 0);
	expect_none(t, "out of range");
}

static void not_behind(void)
{
	fake_tree_behind = NULL;
	boot_pci(&host_dt, &p);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], "no SMMU"));
	fake_tree_behind = &behind;
	behind.owner = NULL;
	boot_pci(&host_dt, &p);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], "no SMMU"));
}

Test(fdt_pci, not_dom0s)
{
	list_all(tree());
	nr_listed = 0;
	not_behind();
	cr_assert_eq(nr_listed, 0);
}

Test(fdt_pci, without_dom0)
{
	void *t = tree();

	list_alone(t);
	cr_assert_eq(nr_listed, 1);
	cr_assert_eq(placed, listed);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO],
				  "for domains of the device tree"));
	behind.owner = &d0;
	nr_listed = 0;
	placed = NULL;
	boot_pci(&host_dt, &p);
	cr_assert_eq(nr_listed, 0);
	cr_assert_null(placed);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO],
				  "nobody's: no SMMU watches it"));
	cr_assert_eq(fdt_setprop(t, fake_tree_node(t, HOST),
				 "xen,passthrough", NULL, 0), 0);
	behind.owner = NULL;
	cr_assert_eq(fdt_platform_parse(t, 0, &p), 0);
	boot_pci(&host_dt, &p);
	cr_assert_eq(nr_listed, 0);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], "one domain"));
}

/* Domains of the tree have functions: before dom0 is there. */
Test(fdt_pci, before_dom0)
{
	uint32_t nr;

	list_all(tree());
	nr = p.nr_modules;
	list_alone(tree());
	cr_assert(!beside);
	p.nr_modules = nr;
	listed = NULL;
	placed = NULL;
	boot_pci(&host_dt, &p);
	cr_assert_not_null(listed);
	cr_assert_eq(placed, listed);
	cr_assert(beside);
	cr_assert_eq(boot_pci_hosts(), listed);
	cr_assert_eq(listed->ecam_base, ECAM);
	cr_assert_eq(listed->node, dt_resolve(&host_dt, HOST, strlen(HOST)));
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], "toolstack"));
}

Test(fdt_pci, with_dom0_nothing_is_placed)
{
	list_all(tree());
	cr_assert_eq(nr_listed, 1);
	cr_assert_null(placed);
}

Test(fdt_pci, coherent)
{
	void *t = tree();

	cr_assert_eq(fdt_setprop(t, fake_tree_node(t, HOST), "dma-coherent",
				 NULL, 0), 0);
	list_all(t);
	cr_assert(boot_pci_is_coherent());
}

Test(fdt_pci, coherent_by_its_parent)
{
	void *t = tree();

	cr_assert_eq(fdt_setprop(t, 0, "dma-coherent", NULL, 0), 0);
	list_all(t);
	cr_assert(boot_pci_is_coherent());
}

Test(fdt_pci, incoherent)
{
	void *t = tree();

	if (fdt_get_property(t, fake_tree_node(t, HOST), "dma-coherent",
			     NULL)) {
		cr_assert_eq(fdt_delprop(t, fake_tree_node(t, HOST),
					 "dma-coherent"), 0);
	}
	list_all(t);
	cr_assert(!boot_pci_is_coherent());
}

Test(fdt_pci, messages)
{
	void *t = tree();

	CELLS(t, HOST, "msi-map", 0, FAKE_TREE_GPIO, 0, 0x10000);
	expect_none(t, "not driven");
	CELLS(t, HOST, "msi-map-mask", 0xff00);
	expect_none(t, "share numbers");
	CELLS(t, HOST, "msi-map-mask", 0xffff);
	expect_none(t, "not driven");
	cr_assert_eq(fdt_delprop(t, fake_tree_node(t, HOST), "msi-map"), 0);
	list_all(t);
	cr_assert_eq(nr_listed, 1, "by its pins");
	cr_assert_eq(listed->nr_ids, 0);
	CELLS(t, HOST, "msi-parent", FAKE_TREE_MSI);
	expect_none(t, "numbered");
	t = tree();
	CELLS(t, HOST, "iommu-map-mask", 0xfff8);
	expect_none(t, "share numbers");
}

Test(fdt_pci, damaged)
{
	void *t = tree();

	CELLS(t, HOST, "linux,pci-domain", 0x10000);
	expect_none(t, "pci-domain");
	CELLS(t, HOST, "linux,pci-domain", 0, 0);
	expect_none(t, "pci-domain");
	t = tree();
	CELLS(t, HOST, "bus-range", 5, 4);
	expect_none(t, "bus-range");
	CELLS(t, HOST, "bus-range", 0, 0x100);
	expect_none(t, "bus-range");
	CELLS(t, HOST, "bus-range", 0);
	expect_none(t, "bus-range");
	t = tree();
	CELLS(t, HOST, "reg", 0x40, 0x10000000, 0, 0xfffff);
	expect_none(t, "\"reg\"");
	CELLS(t, HOST, "reg", 0x40, 0x10001000, 0, 0x10000000);
	expect_none(t, "\"reg\"");
	CELLS(t, HOST, "reg", 0x40);
	expect_none(t, "\"reg\"");
}

Test(fdt_pci, damaged_windows)
{
	void *t = tree();

	CELLS(t, HOST, "ranges", 0x2000000, 0, 0x10000000);
	expect_none(t, "\"ranges\"");
	CELLS(t, HOST, "ranges", 0x1000000, 0, 0, 0, 0x3eff0000, 0, 0x10000);
	expect_none(t, "\"ranges\"");
	/* Over RAM; over its own registers; over another device. */
	CELLS(t, HOST, "ranges", 0x2000000, 0, 0x10000000, 0, 0x30000000,
	      0, 0x20000000);
	expect_none(t, "something else's");
	CELLS(t, HOST, "ranges", 0x3000000, 0, 0x10000000, 0x40, 0x1fffff00,
	      0, 0x1000);
	expect_none(t, "something else's");
	CELLS(t, HOST, "ranges", 0x2000000, 0, 0x9030000, 0, 0x9030000,
	      0, 0x1000);
	expect_none(t, "something else's");
	CELLS(t, HOST, "ranges", 0x2000000, 0, 0x10000000,
	      0xffffffff, 0xfffff000, 0, 0x10000000);
	expect_none(t, "\"ranges\"");
}

/* ---- pins ---------------------------------------------------------------- */

#define ROW(dev, pin, line, how)                                              \
	(dev) << 11, 0, 0, (pin), FAKE_TREE_GIC, 0, 0, 0, (line), (how)

static uint32_t line(uint32_t dev, uint32_t pin)
{
	return listed->line[dev * 4 + pin - 1];
}

Test(fdt_pci, pins)
{
	void *t = tree();

	list_all(t);
	cr_assert_not_null(listed->up);
	cr_expect_eq(line(0, 1), 32 + 3);
	cr_expect_eq(line(4, 1), 32 + 3, "under the mask");
	cr_expect_eq(line(31, 1), 0);
	cr_expect_eq(line(0, 2), 0);
	/* The first row counts; edges are not for them, nor PPIs. */
	CELLS(t, HOST, "interrupt-map", ROW(0, 1, 100, 4), ROW(0, 1, 101, 4),
	      ROW(0, 2, 102, 1), ROW(1, 1, 103, 8));
	list_all(t);
	cr_expect_eq(line(0, 1), 132);
	cr_expect_eq(line(0, 2), 0);
	cr_expect_eq(line(5, 1), 135);
	/* No mask: all of the address. */
	cr_assert_eq(fdt_delprop(t, fake_tree_node(t, HOST),
				 "interrupt-map-mask"), 0);
	list_all(t);
	cr_expect_eq(line(0, 1), 132);
	cr_expect_eq(line(4, 1), 0);
	/* Without any it is one for messages only. */
	cr_assert_eq(fdt_delprop(t, fake_tree_node(t, HOST), "interrupt-map"),
		     0);
	list_all(t);
	cr_expect_eq(line(0, 1), 0);
}

/* What another device pulls, or another host, is not theirs. */
Test(fdt_pci, pins_of_others)
{
	void *t = tree();

	CELLS(t, HOST, "interrupt-map", ROW(0, 1, 100, 4), ROW(1, 1, 101, 4),
	      ROW(2, 1, 102, 4));
	fake_tree_add(t, "/", "other@99", "some,device");
	CELLS(t, "/other@99", "interrupts", 0, 99, 4, 0, 101, 4);
	CELLS(t, "/other@99", "interrupt-parent", FAKE_TREE_GIC);
	list_all(t);
	cr_expect_eq(line(0, 1), 132);
	cr_expect_eq(line(1, 1), 0);
	cr_expect_eq(line(2, 1), 134);
	CELLS(t, "/other@99", "#interrupt-cells", 1);
	CELLS(t, "/other@99", "interrupt-map", 7, FAKE_TREE_GIC, 0, 0,
	      0, 102, 4);
	list_all(t);
	cr_expect_eq(line(2, 1), 0);
	CELLS(t, HOST, "interrupts", 0, 100, 4);
	CELLS(t, HOST, "interrupt-parent", FAKE_TREE_GIC);
	list_all(t);
	cr_expect_eq(line(0, 1), 0);
}

Test(fdt_pci, damaged_pins)
{
	void *t = tree();

	CELLS(t, HOST, "interrupt-map", 0, 0, 0, 1, FAKE_TREE_GIC, 0, 0, 0);
	expect_none(t, "interrupt-map");
	CELLS(t, HOST, "interrupt-map", ROW(0, 1, 3, 4), 0);
	expect_none(t, "interrupt-map");
	CELLS(t, HOST, "interrupt-map", 0, 0, 0, 1, 99, 0, 0, 0, 3, 4);
	expect_none(t, "interrupt-map");
	CELLS(t, HOST, "interrupt-map", ROW(0, 1, 5000, 4));
	expect_none(t, "interrupt-map");
	t = tree();
	CELLS(t, HOST, "interrupt-map-mask", 0x1800, 0, 0);
	expect_none(t, "interrupt-map");
	t = tree();
	CELLS(t, HOST, "#interrupt-cells", 2);
	expect_none(t, "interrupt-map");
}
