/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes of the machine's tree the toolstack may give to guests, and
 * why not the others.
 */
// LINK: boot/dom_nodes.c boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c
// LINK: boot/fdt_dom_dev.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/modules.c
// LINK: boot/platdev.c
// LINK: lib/printf.c tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/heap.h>
#include <hv/irqchip.h>
#include <hv/platdev.h>

#include "boot/fdt_dom_dev.h"
#include "boot/fdt_platform.h"
#include "boot/platdev.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define GPIO "/soc/gpio@30000" /* at 0x9030000, SPI 50 */
#define FORCE "xen,force-assign-without-iommu"

static struct platform p;
static struct platdev *listed;
static unsigned int nr_listed;
static bool no_memory;

void platdev_add(struct platdev *dev)
{
	listed = dev;
	nr_listed++;
}

static struct domain *noted_by[2];
static uint64_t noted[2];

void platdev_note_page(struct domain *d, uint64_t mfn)
{
	noted_by[0] = d;
	noted[0] = mfn;
}

void platdev_note_line(struct domain *d, uint32_t line)
{
	noted_by[1] = d;
	noted[1] = line;
}

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	return no_memory ? NULL : calloc(1, size);
}

static void list_all(void *host)
{
	nr_listed = 0;
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0);
	cr_assert_eq(fdt_platform_find_console(&p, NULL), 0);
	boot_platdevs(&host_dt, &p);
}

static void *marked(int gic, const char *path)
{
	void *host = fake_tree(gic);

	fake_tree_flag(host, path, "xen,passthrough");
	fake_tree_flag(host, path, FORCE);
	return host;
}

static void expect_none(const char *why)
{
	cr_assert_eq(nr_listed, 0, "%s", why);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], why), "%s: %s",
			   why, fake_log_last[LOG_INFO]);
}

Test(boot_platdev, a_good_one)
{
	for (int gic = 2; gic <= 3; gic++) {
		list_all(marked(gic, GPIO));
		cr_assert_eq(nr_listed, 1);
		cr_assert_str_eq(listed->path, GPIO);
		cr_assert_eq(listed->nr_ranges, 1);
		cr_assert_eq(listed->range[0].mfn, 0x9030);
		cr_assert_eq(listed->range[0].nr, 1);
		cr_assert_eq(listed->nr_lines, 1);
		cr_assert_eq(listed->line[0].line, 82);
		cr_assert_eq(listed->line[0].trigger, IRQ_LEVEL);
		cr_assert_null(listed->behind);
		cr_assert_null(listed->owner);
		cr_assert_not_null(strstr(fake_log_last[LOG_INFO],
					  "reaches all memory"));
		free(listed);
	}
}

Test(boot_platdev, behind_an_smmu)
{
	void *host = fake_tree(3);
	struct iommu_device *unit = (void *)&p;

	fake_tree_flag(host, GPIO, "xen,passthrough");
	list_all(host);
	expect_none("no IOMMU keeps it");
	fake_tree_behind = unit;
	list_all(host);
	cr_assert_eq(nr_listed, 1);
	cr_assert_eq(listed->behind, unit);
	cr_assert_null(strstr(fake_log_last[LOG_INFO], "memory"));
	free(listed);
	fake_tree_behind = NULL;
}

Test(boot_platdev, not_marked)
{
	void *host = fake_tree(3);

	fake_tree_flag(host, GPIO, FORCE);
	list_all(host);
	cr_assert_eq(nr_listed, 0);
	/* Whole PCI hosts are not for this. */
	list_all(marked(3, "/pcie@10000000"));
	cr_assert_eq(nr_listed, 0);
}

Test(boot_platdev, ours)
{
	static const char *const path[] = {
		"/soc/uart@0", "/intc@8000000", "/soc/smmu@800000",
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(path); i++) {
		list_all(marked(3, path[i]));
		expect_none("the hypervisor itself uses it");
	}
}

Test(boot_platdev, shared_page)
{
	void *host = marked(3, GPIO);

	fake_tree_add(host, "/soc", "twin@30800", "vendor,twin");
	CELLS(host, "/soc/twin@30800", "reg", 0x30800, 0x100);
	list_all(host);
	expect_none("another has a part of a page");
	host = marked(3, GPIO);
	fake_tree_add(host, "/", "ram@40000000", "vendor,odd");
	CELLS(host, "/ram@40000000", "reg", 0, 0x41000000, 0, 0x1000);
	fake_tree_flag(host, "/ram@40000000", "xen,passthrough");
	fake_tree_flag(host, "/ram@40000000", FORCE);
	list_all(host);
	cr_assert_eq(nr_listed, 1); /* the other one */
	cr_assert_str_eq(listed->path, GPIO);
	free(listed);
}

Test(boot_platdev, too_much_or_malformed)
{
	void *host = marked(3, GPIO);

	CELLS(host, GPIO, "interrupts", 1, 5, 4);
	list_all(host);
	expect_none("no SPI");
	host = marked(3, GPIO);
	CELLS(host, GPIO, "interrupts", 9, 50, 4);
	list_all(host);
	expect_none("\"interrupts\" is malformed");
	host = marked(3, GPIO);
	CELLS(host, GPIO, "reg", 0x30000);
	list_all(host);
	expect_none("\"reg\" is malformed");
	host = marked(3, GPIO);
	CELLS(host, GPIO, "reg", 0x30000, 16, 0x31000, 16, 0x32000, 16,
	      0x33000, 16, 0x34000, 16, 0x35000, 16, 0x36000, 16, 0x37000, 16,
	      0x38000, 16);
	list_all(host);
	expect_none("more than 8 ranges");
	host = marked(3, GPIO);
	CELLS(host, GPIO, "interrupts", 0, 50, 4, 0, 51, 4, 0, 52, 4, 0, 53, 4,
	      0, 54, 4, 0, 55, 4, 0, 56, 4, 0, 57, 4, 0, 58, 4, 0, 59, 4,
	      0, 60, 4, 0, 61, 4, 0, 62, 4, 0, 63, 4, 0, 64, 4, 0, 65, 4,
	      0, 66, 4);
	list_all(host);
	expect_none("more than 16 interrupts");
}

Test(boot_platdev, of_domains_of_boot)
{
	static struct boot_devices dev = {
		.region = { { .host = 0x9030000, .size = 0x1000 } },
		.nr_regions = 1,
		.irq = { { .intid = 82 } },
		.nr_irqs = 1,
	};
	struct domain *d = (void *)&p;

	boot_platdevs_note(d, &dev);
	cr_assert(noted_by[0] == d && noted[0] == 0x9030);
	cr_assert(noted_by[1] == d && noted[1] == 82);
}

Test(boot_platdev, no_memory)
{
	no_memory = true;
	list_all(marked(3, GPIO));
	cr_assert_eq(nr_listed, 0);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "no memory"));
}
