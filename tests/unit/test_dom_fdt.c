/* SPDX-License-Identifier: Apache-2.0 */
/* dom0's tree and devices, read back with libfdt. */
// LINK: boot/dom_devices.c boot/dom_fdt.c boot/dom_nodes.c
// LINK: boot/dom_nodes_new.c boot/dom_nodes_shared.c
// LINK: boot/fdt_addr.c boot/fdt_chosen.c
// LINK: boot/fdt_console.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/modules.c
// LINK: boot/ranges.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/dom_fdt.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "fake_log.h"
#include "fake_tree.h"

#define MAX_SEEN 64u

static struct platform p;
static _Alignas(8) uint8_t dom0[FAKE_TREE_SIZE];
static const struct mem_range banks[] = {
	{ .start = 0x50000000, .size = 0x10000000 },
	{ .start = 0x70000000, .size = 0x8000000 },
};

static const struct shm_use *dom0_shm;
static uint32_t dom0_nr_shm;

static bool its_fails; /* as boot/drivers.c says it */

static int build(void *host, uint32_t nr_vcpus)
{
	static const struct mem_range extended[] = {
		{ .start = 0x100000000, .size = 0x40000000 },
	};
	struct dom0_fdt_args a = {
		.platform = &p, .bootargs = "console=hvc0",
		.initrd_start = 0x58000000, .initrd_end = 0x58001234,
		.bank = banks, .nr_banks = 2, .nr_vcpus = nr_vcpus,
		.evtchn_intid = 16,
		.grant_window = { .start = 0x40200000, .size = 0x40000 },
		.extended = extended, .nr_extended = 1,
		.shm = dom0_shm, .nr_shm = dom0_nr_shm,
	};
	uint32_t size;
	int rc;

	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
	if (its_fails) {
		p.its.node = 0;
	}
	rc = dom0_fdt_build(&a, dom0, sizeof(dom0), &size);
	if (rc == 0) {
		cr_assert_eq(fdt_totalsize(dom0), size);
		cr_assert_eq(fdt_check_full(dom0, size), 0);
	}
	return rc;
}

static bool has(const char *path)
{
	return fdt_path_offset(dom0, path) >= 0;
}

static bool has_prop(const char *path, const char *prop)
{
	return fdt_getprop(dom0, fake_tree_node(dom0, path), prop, NULL);
}

static void expect_text(const char *path, const char *prop, const char *want)
{
	const char *v = fdt_getprop(dom0, fake_tree_node(dom0, path), prop,
				    NULL);

	cr_assert_not_null(v, "%s %s", path, prop);
	cr_assert_str_eq(v, want);
}

static void expect_cells(const char *path, const char *prop,
			 const int64_t *want)
{
	int len;
	const uint8_t *v = fdt_getprop(dom0, fake_tree_node(dom0, path), prop,
				       &len);
	int i = 0;

	cr_assert_not_null(v, "%s %s", path, prop);
	for (; want[i] != -1; i++) {
		cr_assert_lt(4 * i, len, "%s %s is short", path, prop);
		cr_assert_eq(dt_cells(v + 4 * i, 1), (uint64_t)want[i],
			     "%s %s cell %d", path, prop, i);
	}
	cr_assert_eq(4 * i, len, "%s %s is long", path, prop);
}
#define EXPECT_CELLS(path, prop, ...)                                         \
	expect_cells(path, prop, (const int64_t[]){ __VA_ARGS__, -1 })

Test(tree, hides_what_is_ours)
{
	cr_assert_eq(build(fake_tree(3), 2), 0);
	cr_assert(has("/soc/eth@1000000"));
	cr_assert(has("/soc/gpio@30000"));
	cr_assert(has("/soc/button"));
	cr_assert(has("/pcie@10000000"));
	cr_assert_not(has("/soc/uart@0"));
	cr_assert_not(has("/soc/smmu@800000"));
	cr_assert_not(has("/soc/watchdog@20000"), "uses a PPI");
	cr_assert_not(has("/pmu"));
	cr_assert_not(has("/intc@8000000"));
	cr_assert_not(has("/memory@40000000"));
	cr_assert_not(has("/chosen/module@48000000"));
	its_fails = true;
	cr_assert_eq(build(fake_tree(3), 2), 0);
	cr_assert_not(has("/interrupt-controller@8000000/its@8080000"));
	its_fails = false;
}

Test(tree, keeps_the_its_that_we_drive)
{
	const char *path = "/interrupt-controller@8000000/its@8080000";
	void *host = fake_tree(3);

	cr_assert_eq(build(host, 2), 0);
	expect_text(path, "compatible", "arm,gic-v3-its");
	EXPECT_CELLS(path, "reg", 0, 0x8080000, 0, 0x20000);
	EXPECT_CELLS(path, "phandle", FAKE_TREE_MSI);
	cr_assert(has_prop("/pcie@10000000", "msi-map"));
	/* The answer of an earlier look is not kept. */
	its_fails = true;
	cr_assert_eq(build(host, 2), 0);
	cr_assert_not(has(path));
	its_fails = false;
	/* Of two, each device needs its own: dom0 gets neither. */
	fake_tree_add(host, "/intc@8000000", "its@80c0000", "arm,gic-v3-its");
	CELLS(host, "/intc@8000000/its@80c0000", "reg", 0, 0x80c0000, 0,
	      0x20000);
	cr_assert_eq(build(host, 2), 0);
	cr_assert_not(has(path));
	cr_assert_not(has_prop("/pcie@10000000", "msi-map"));
}

/* Kept for another domain. */
Test(tree, hides_what_is_passed_through)
{
	void *host = fake_tree(3);

	fdt_setprop(host, fake_tree_node(host, "/soc/gpio@30000"),
		    "xen,passthrough", NULL, 0);
	cr_assert_eq(build(host, 2), 0);
	cr_assert_not(has("/soc/gpio@30000"));
	cr_assert(has("/soc/eth@1000000"));
}

Test(tree, hides_properties_that_lead_nowhere)
{
	its_fails = true;
	cr_assert_eq(build(fake_tree(3), 2), 0);
	cr_assert_not(has_prop("/soc/eth@1000000", "iommus"));
	cr_assert_not(has_prop("/pcie@10000000", "msi-map"));
	cr_assert_not(has_prop("/aliases", "serial0"));
	cr_assert(has_prop("/aliases", "ethernet0"));
	cr_assert_not(has_prop("/chosen", "stdout-path"));
	cr_assert(has_prop("/soc/gpio@30000", "interrupt-controller"));
	its_fails = false;
}

Test(tree, chosen)
{
	cr_assert_eq(build(fake_tree(3), 2), 0);
	expect_text("/chosen", "bootargs", "console=hvc0");
	EXPECT_CELLS("/chosen", "linux,initrd-start", 0, 0x58000000);
	EXPECT_CELLS("/chosen", "linux,initrd-end", 0, 0x58001234);
	EXPECT_CELLS("/chosen", "kaslr-seed", 1, 2);
}

Test(tree, new_nodes_with_gicv3)
{
	const char *gic = "/interrupt-controller@8000000";

	cr_assert_eq(build(fake_tree(3), 2), 0);
	expect_text(gic, "compatible", "arm,gic-v3");
	EXPECT_CELLS(gic, "phandle", FAKE_TREE_GIC);
	EXPECT_CELLS(gic, "#interrupt-cells", 3);
	EXPECT_CELLS(gic, "reg", 0, 0x8000000, 0, 0x10000,
		     0, 0x80a0000, 0, 0x40000);
	EXPECT_CELLS("/timer", "interrupts", 1, 13, 0xf08, 1, 14, 0xf08,
		     1, 11, 0xf08);
	EXPECT_CELLS("/memory@50000000", "reg", 0, 0x50000000, 0, 0x10000000,
		     0, 0x70000000, 0, 0x8000000);
	EXPECT_CELLS("/hypervisor", "reg", 0, 0x40200000, 0, 0x40000,
		     1, 0, 0, 0x40000000);
	EXPECT_CELLS("/hypervisor", "interrupts", 1, 0, 0xf08);
	expect_text("/hypervisor", "compatible", "xen,xen-4.17");
	cr_assert_eq(fdt_node_check_compatible(dom0,
			fake_tree_node(dom0, "/hypervisor"), "xen,xen"), 0);
	expect_text("/psci", "method", "hvc");
	EXPECT_CELLS("/psci", "cpu_on", 2);
}

Test(tree, as_many_redistributors_as_vcpus_need)
{
	const char *gic = "/interrupt-controller@8000000";

	cr_assert_eq(build(fake_tree(3), 3), 0);
	EXPECT_CELLS(gic, "reg", 0, 0x8000000, 0, 0x10000,
		     0, 0x80a0000, 0, 0x40000, 0, 0x8100000, 0, 0x40000);
	EXPECT_CELLS(gic, "#redistributor-regions", 2);
}

Test(tree, gicv2_keeps_its_msi_frame)
{
	const char *gic = "/interrupt-controller@8000000";

	cr_assert_eq(build(fake_tree(2), 1), 0);
	EXPECT_CELLS(gic, "reg", 0, 0x8000000, 0, 0x10000,
		     0, 0x8010000, 0, 0x10000);
	EXPECT_CELLS(gic, "ranges", 0, 0x8020000, 0, 0x8020000, 0, 0x1000);
	EXPECT_CELLS("/interrupt-controller@8000000/v2m@8020000", "phandle",
		     FAKE_TREE_MSI);
	cr_assert(has_prop("/pcie@10000000", "msi-map"));
}

Test(tree, cpus_have_virtual_affinities)
{
	cr_assert_eq(build(fake_tree(2), 18), 0);
	EXPECT_CELLS("/cpus/cpu@f", "reg", 15);
	EXPECT_CELLS("/cpus/cpu@100", "reg", 0x100);
	EXPECT_CELLS("/cpus/cpu@101", "reg", 0x101);
	cr_assert_not(has("/cpus/cpu@102"));
	expect_text("/cpus/cpu@0", "enable-method", "psci");
	expect_text("/cpus/cpu@0", "device_type", "cpu");
	/* of the first node in the tree, which libfdt put in front */
	expect_text("/cpus/cpu@101", "compatible", "arm,cortex-a53");
}

Test(tree, reserved_memory_gets_a_second_node)
{
	void *host = fake_tree(3);

	fake_tree_add(host, "/", "reserved-memory", NULL);
	CELLS(host, "/reserved-memory", "#address-cells", 2);
	CELLS(host, "/reserved-memory", "#size-cells", 2);
	fdt_setprop(host, fake_tree_node(host, "/reserved-memory"), "ranges",
		    NULL, 0);
	fake_tree_add(host, "/reserved-memory", "fw@60000000", NULL);
	CELLS(host, "/reserved-memory/fw@60000000", "reg", 0, 0x60000000,
	      0, 0x10001);
	fake_tree_add(host, "/reserved-memory", "sram@1000000", NULL);
	CELLS(host, "/reserved-memory/sram@1000000", "reg", 0, 0x1000000,
	      0, 0x10000);
	cr_assert_eq(build(host, 1), 0);
	EXPECT_CELLS("/memory@60000000", "reg", 0, 0x60000000, 0, 0x11000);
	cr_assert(has("/reserved-memory/fw@60000000"));
}

/* dom0 shares with others, with a node of the host's and without. */
Test(tree, shared_memory)
{
	static const struct shm_use shm[] = {
		{ .id = "one", .role = SHM_OWNER, .ipa = 0x10000000,
		  .host = { 0x70000000, 0x3000 } },
		{ .id = "two", .ipa = 0x180000000, .host = { 0x71000000, 4096 },
		},
	};
	void *host = fake_tree(3);

	dom0_shm = shm;
	dom0_nr_shm = 2;
	cr_assert_eq(build(host, 1), 0);
	cr_assert(has("/reserved-memory/xen-shmem@10000000"));
	cr_assert(has("/reserved-memory/xen-shmem@180000000"));
	fake_tree_add(host, "/", "reserved-memory", NULL);
	CELLS(host, "/reserved-memory", "#address-cells", 1);
	CELLS(host, "/reserved-memory", "#size-cells", 1);
	fdt_setprop(host, fake_tree_node(host, "/reserved-memory"), "ranges",
		    NULL, 0);
	cr_assert_eq(build(host, 1), 0);
	cr_assert(has("/reserved-memory/xen-shmem@10000000"));
	cr_assert(!has("/reserved-memory/xen-shmem@180000000"));
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	fake_tree_add(host, "/reserved-memory", "fw@60000000", NULL);
	CELLS(host, "/reserved-memory/fw@60000000", "reg", 0x60000000, 0x1000);
	cr_assert_eq(build(host, 1), 0);
	cr_assert(has("/reserved-memory/fw@60000000"));
	cr_assert(has("/reserved-memory/xen-shmem@10000000"));
	dom0_nr_shm = 0;
}

Test(tree, root_with_one_cell_cannot_say_more)
{
	void *host = fake_tree(3);

	fdt_del_node(host, fake_tree_node(host, "/pcie@10000000"));
	fdt_del_node(host, fake_tree_node(host, "/soc"));
	CELLS(host, "/", "#address-cells", 1);
	CELLS(host, "/", "#size-cells", 1);
	CELLS(host, "/memory@40000000", "reg", 0x40000000, 0x40000000);
	CELLS(host, "/chosen/module@48000000", "reg", 0x48000000, 0x200000);
	CELLS(host, "/chosen/module@4c000000", "reg", 0x4c000000, 0x1234);
	CELLS(host, "/intc@8000000", "reg", 0x8000000, 0x10000, 0x80a0000,
	      0x40000, 0x8100000, 0x40000);
	fdt_del_node(host, fake_tree_node(host,
					  "/intc@8000000/its@8080000"));
	cr_assert_eq(build(host, 1), 0);
	EXPECT_CELLS("/hypervisor", "reg", 0x40200000, 0x40000);
	EXPECT_CELLS("/memory@50000000", "reg", 0x50000000, 0x10000000,
		     0x70000000, 0x8000000);
}

Test(tree, every_size_that_is_too_small_is_noticed)
{
	struct dom0_fdt_args a = {
		.platform = &p, .bank = banks, .nr_banks = 1, .nr_vcpus = 1,
		.evtchn_intid = 16, .grant_window = { .size = 0x1000 },
	};
	uint32_t need;
	uint32_t size;

	cr_assert_eq(fdt_platform_parse(fake_tree(2), 0, &p), 0);
	cr_assert_eq(dom0_fdt_build(&a, dom0, sizeof(dom0), &need), 0);
	for (uint32_t n = 0; n < need; n += 4) {
		uint8_t *small = malloc(n ? n : 1);

		cr_assert_eq(dom0_fdt_build(&a, small, n, &size), -ENOSPC);
		free(small);
	}
	a.nr_banks = 0;
	cr_assert_eq(dom0_fdt_build(&a, dom0, sizeof(dom0), &size), -EINVAL);
}

/* ---- devices ------------------------------------------------------------- */

static struct mem_range mmio[MAX_SEEN];
static uint32_t nr_mmio;
static uint32_t spis[MAX_SEEN];
static uint32_t nr_spis;
static uint64_t v2m_start;

static int see_mmio(uint64_t start, uint64_t size, void *arg)
{
	cr_assert_eq(arg, &p);
	cr_assert_eq((start | size) & 0xfff, 0);
	mmio[nr_mmio++] = (struct mem_range){ .start = start, .size = size };
	return 0;
}

static int see_spi(uint32_t intid, enum irq_trigger trigger, void *arg)
{
	(void)arg;
	spis[nr_spis++] = intid | (trigger == IRQ_EDGE ? 0x10000u : 0);
	return 0;
}

static int see_v2m(uint64_t start, uint64_t size, void *arg)
{
	(void)size;
	(void)arg;
	v2m_start = start;
	return 0;
}

static const struct dom0_devices see = {
	.mmio = see_mmio, .spi = see_spi, .v2m = see_v2m,
};

static bool keeps_scu;

static void walk(void *host)
{
	nr_mmio = 0;
	nr_spis = 0;
	v2m_start = 0;
	cr_assert_eq(fdt_platform_parse(host, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
	p.keeps_scu = keeps_scu;
	cr_assert_eq(dom0_devices_walk(&p, &see, &p), 0);
}

static bool is_mapped(uint64_t addr)
{
	for (uint32_t i = 0; i < nr_mmio; i++) {
		if (addr >= mmio[i].start &&
		    addr - mmio[i].start < mmio[i].size) {
			return true;
		}
	}
	return false;
}

/* The CPU's accesses to the ITS are ours, whether dom0 has one or not. */
Test(devices, its)
{
	walk(fake_tree(3));
	cr_assert_neq(p.its.node, 0);
	cr_assert_not(is_mapped(0x8080000));
	cr_assert_not(is_mapped(0x8090040));
}

/* By dom0_scu=no: not seen, not mapped, nor what depends on it. */
Test(devices, system_controller)
{
	void *host = fake_tree(3);

	fdt_setprop_string(host, fake_tree_node(host, "/soc/gpio@30000"),
			   "compatible", "fsl,imx8-mu-scu");
	walk(host);
	cr_assert(is_mapped(0x9030000), "dom0's, unless told otherwise");
	keeps_scu = true;
	walk(host);
	cr_assert_not(is_mapped(0x9030000));
	cr_assert(is_mapped(0xa000000));
}

Test(devices, of_the_fake_machine)
{
	static const uint32_t want[] = { 35, 36, 72, 82, 92 | 0x10000 };

	walk(fake_tree(2));
	cr_assert(is_mapped(0xa000000), "eth");
	cr_assert(is_mapped(0x9030fff), "gpio");
	cr_assert(is_mapped(0x4010000000), "PCI configuration space");
	cr_assert(is_mapped(0x3efeffff), "PCI memory");
	cr_assert(is_mapped(0x3eff0000), "PCI I/O");
	cr_assert(is_mapped(0x8020000), "GICv2m");
	cr_assert_not(is_mapped(0x9000000), "our console");
	cr_assert_not(is_mapped(0x9800000), "our SMMU");
	cr_assert_not(is_mapped(0x9020000), "its PPI hides it");
	cr_assert_not(is_mapped(0x8000000), "GICD");
	cr_assert_not(is_mapped(0x8010000), "GICC");
	cr_assert_not(is_mapped(0x40000000), "RAM");
	cr_assert_eq(nr_spis, ARRAY_SIZE(want));
	cr_assert_eq(memcmp(spis, want, sizeof(want)), 0);
	cr_assert_eq(v2m_start, 0x8020000);
}

Test(devices, v2m_that_says_its_spis)
{
	void *host = fake_tree(2);

	CELLS(host, "/intc@8000000/v2m@8020000", "arm,msi-base-spi", 80);
	CELLS(host, "/intc@8000000/v2m@8020000", "arm,msi-num-spis", 2);
	walk(host);
	cr_assert_eq(v2m_start, 0);
	cr_assert_eq(spis[3], 80 | 0x10000);
	cr_assert_eq(spis[4], 81 | 0x10000);
}

/* A tree may say what it wants; it does not get RAM or the GIC. */
Test(devices, that_claim_what_is_not_theirs)
{
	void *host = fake_tree(3);

	CELLS(host, "/pcie@10000000", "reg", 0, 0x8000000, 0, 0x40000000);
	fdt_delprop(host, fake_tree_node(host, "/pcie@10000000"), "ranges");
	walk(host);
	cr_assert_not(is_mapped(0x8000000));
	cr_assert_not(is_mapped(0x80a0000));
	cr_assert_not(is_mapped(0x8080000), "ITS");
	cr_assert_not(is_mapped(0x9000000));
	cr_assert_not(is_mapped(0x9800000));
	cr_assert_not(is_mapped(0x40000000));
	cr_assert_not(is_mapped(0x47ffffff));
	cr_assert(is_mapped(0x3fffffff));
	cr_assert(is_mapped(0x8200000));
	for (uint32_t i = 1; i < nr_mmio; i++) {
		cr_assert_gt(mmio[i].start,
			     mmio[i - 1].start + mmio[i - 1].size);
	}
}

Test(devices, share_a_page_with_a_small_console)
{
	void *host = fake_tree(3);

	CELLS(host, "/soc/uart@0", "reg", 0x400, 0x400);
	CELLS(host, "/soc/eth@1000000", "reg", 0, 0x400);
	walk(host);
	cr_assert(is_mapped(0x9000000));
}

static int stop(uint64_t start, uint64_t size, void *arg)
{
	(void)start;
	(void)size;
	(void)arg;
	return -EBUSY;
}

Test(devices, end_when_the_caller_says_so)
{
	static const struct dom0_devices cb = { .mmio = stop };

	walk(fake_tree(3));
	cr_assert_eq(dom0_devices_walk(&p, &cb, NULL), -EBUSY);
}

/* ---- extended regions and ranges ----------------------------------------- */

Test(extended, are_holes)
{
	struct mem_range avoid = { .start = 0x200000000,
				   .size = 0x100000000 };
	struct mem_range out[8];
	uint32_t nr;

	walk(fake_tree(3));
	cr_assert_eq(dom0_find_extended_regions(&p, 40, &avoid, 1, out, 8,
						&nr), 0);
	cr_assert_geq(nr, 3);
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t end = out[i].start + out[i].size;

		cr_assert_eq((out[i].start | out[i].size) & 0x1fffff, 0);
		cr_assert_geq(out[i].size, 64u << 20);
		cr_assert_leq(end, UINT64_C(1) << 40);
		cr_assert(end <= 0x40000000 || out[i].start >= 0x80000000);
		cr_assert(end <= avoid.start ||
			  out[i].start >= avoid.start + avoid.size);
		for (uint32_t m = 0; m < nr_mmio; m++) {
			cr_assert(end <= mmio[m].start || out[i].start >=
				  mmio[m].start + mmio[m].size);
		}
	}
	cr_assert_eq(dom0_find_extended_regions(&p, 40, &avoid, 1, out, 1,
						&nr), 0);
	cr_assert_eq(nr, 1);
	cr_assert_eq(dom0_find_extended_regions(&p, 32, NULL, 0, out, 8, &nr),
		     0);
	cr_assert_leq(out[nr - 1].start + out[nr - 1].size,
		      UINT64_C(1) << 32);
}

/* Names longer than the writer reckons with: it starts again. */
Test(tree, larger_than_usual)
{
	void *host = fake_tree(3);
	char name[64];

	for (uint32_t i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "%060u", i);
		cr_assert_eq(fdt_setprop_u32(host, 0, name, i), 0);
	}
	cr_assert_eq(build(host, 2), 0);
}
