/* SPDX-License-Identifier: Apache-2.0 */
/* A small complete machine as a device tree, made with libfdt. */
#include "fake_tree.h"
#include "boot/iommu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(8) uint8_t tree[FAKE_TREE_SIZE];

static void must(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", what, fdt_strerror(rc));
		abort();
	}
}

int fake_tree_node(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	must(node, path);
	return node;
}

void fake_tree_set_cells(void *fdt, const char *path, const char *prop,
			 const int64_t *list)
{
	uint8_t data[1024];
	int len = 0;

	for (; *list != -1; list++, len += 4) {
		fdt32_st(data + len, (uint32_t)*list);
	}
	must(fdt_setprop(fdt, fake_tree_node(fdt, path), prop, data, len),
	     prop);
}

static void text(void *fdt, const char *path, const char *prop,
		 const char *value)
{
	must(fdt_setprop_string(fdt, fake_tree_node(fdt, path), prop, value),
	     prop);
}

static void flag(void *fdt, const char *path, const char *prop)
{
	must(fdt_setprop(fdt, fake_tree_node(fdt, path), prop, NULL, 0), prop);
}

void fake_tree_add(void *fdt, const char *parent, const char *name,
		   const char *compatible)
{
	int node = fdt_add_subnode(fdt, fake_tree_node(fdt, parent), name);

	must(node, name);
	if (compatible) {
		must(fdt_setprop_string(fdt, node, "compatible", compatible),
		     name);
	}
}

static void add_cpus(void *t)
{
	fake_tree_add(t, "/", "cpus", NULL);
	CELLS(t, "/cpus", "#address-cells", 1);
	CELLS(t, "/cpus", "#size-cells", 0);
	fake_tree_add(t, "/cpus", "cpu@100", "arm,cortex-a72");
	fake_tree_add(t, "/cpus", "cpu@0", "arm,cortex-a53");
	for (int i = 0; i < 2; i++) {
		const char *path = i ? "/cpus/cpu@100" : "/cpus/cpu@0";

		text(t, path, "device_type", "cpu");
		text(t, path, "enable-method", "psci");
		CELLS(t, path, "reg", i ? 0x100 : 0);
	}
}

static void add_gic(void *t, int version)
{
	const char *path = "/intc@8000000";

	fake_tree_add(t, "/", "intc@8000000",
		      version == 3 ? "arm,gic-v3" : "arm,gic-400");
	CELLS(t, path, "phandle", FAKE_TREE_GIC);
	CELLS(t, path, "interrupts", 1, 9, 4);
	CELLS(t, path, "#interrupt-cells", 3);
	CELLS(t, path, "#address-cells", 2);
	CELLS(t, path, "#size-cells", 2);
	flag(t, path, "interrupt-controller");
	flag(t, path, "ranges");
	if (version == 3) {
		CELLS(t, path, "reg", 0, 0x8000000, 0, 0x10000,
		      0, 0x80a0000, 0, 0x40000, 0, 0x8100000, 0, 0x40000);
		CELLS(t, path, "#redistributor-regions", 2);
		fake_tree_add(t, path, "its@8080000", "arm,gic-v3-its");
		path = "/intc@8000000/its@8080000";
		CELLS(t, path, "reg", 0, 0x8080000, 0, 0x20000);
	} else {
		CELLS(t, path, "reg", 0, 0x8000000, 0, 0x10000,
		      0, 0x8010000, 0, 0x10000, 0, 0x8030000, 0, 0x10000,
		      0, 0x8040000, 0, 0x10000);
		fake_tree_add(t, path, "v2m@8020000", "arm,gic-v2m-frame");
		path = "/intc@8000000/v2m@8020000";
		CELLS(t, path, "reg", 0, 0x8020000, 0, 0x1000);
	}
	flag(t, path, "msi-controller");
	CELLS(t, path, "phandle", FAKE_TREE_MSI);
}

static void add_system(void *t)
{
	fake_tree_add(t, "/", "memory@40000000", NULL);
	text(t, "/memory@40000000", "device_type", "memory");
	CELLS(t, "/memory@40000000", "reg", 0, 0x40000000, 0, 0x40000000);
	fake_tree_add(t, "/", "timer", "arm,armv8-timer");
	CELLS(t, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4,
	      1, 10, 4);
	fake_tree_add(t, "/", "psci", "arm,psci-1.0");
	text(t, "/psci", "method", "smc");
}

static void add_device(void *t, const char *name, const char *compatible,
		       uint32_t addr, int kind, int irq)
{
	char path[64];

	snprintf(path, sizeof(path), "/soc/%s", name);
	fake_tree_add(t, "/soc", name, compatible);
	CELLS(t, path, "reg", addr, 0x1000);
	CELLS(t, path, "interrupts", kind, irq, 4);
}

static void add_bus(void *t)
{
	fake_tree_add(t, "/", "soc", "simple-bus");
	CELLS(t, "/soc", "#address-cells", 1);
	CELLS(t, "/soc", "#size-cells", 1);
	CELLS(t, "/soc", "ranges", 0, 0, 0x9000000, 0x2000000);
	add_device(t, "uart@0", "arm,pl011", 0, 0, 1);
	add_device(t, "eth@1000000", "vendor,eth", 0x1000000, 0, 40);
	CELLS(t, "/soc/eth@1000000", "iommus", FAKE_TREE_SMMU, 1);
	add_device(t, "smmu@800000", "arm,smmu-v3", 0x800000, 0, 44);
	CELLS(t, "/soc/smmu@800000", "phandle", FAKE_TREE_SMMU);
	add_device(t, "watchdog@20000", "vendor,wdt", 0x20000, 1, 5);
	add_device(t, "gpio@30000", "vendor,gpio", 0x30000, 0, 50);
	CELLS(t, "/soc/gpio@30000", "phandle", FAKE_TREE_GPIO);
	CELLS(t, "/soc/gpio@30000", "#interrupt-cells", 2);
	flag(t, "/soc/gpio@30000", "interrupt-controller");
	fake_tree_add(t, "/soc", "button", "vendor,button");
	CELLS(t, "/soc/button", "interrupts-extended", FAKE_TREE_GPIO, 3, 1,
	      FAKE_TREE_GIC, 0, 60, 1);
	fake_tree_add(t, "/", "pmu", "arm,armv8-pmuv3");
	CELLS(t, "/pmu", "interrupts", 1, 7, 4);
}

static void add_pci(void *t)
{
	const char *path = "/pcie@10000000";

	fake_tree_add(t, "/", "pcie@10000000", "pci-host-ecam-generic");
	text(t, path, "device_type", "pci");
	CELLS(t, path, "reg", 0x40, 0x10000000, 0, 0x10000000);
	CELLS(t, path, "#address-cells", 3);
	CELLS(t, path, "#size-cells", 2);
	CELLS(t, path, "#interrupt-cells", 1);
	CELLS(t, path, "ranges", 0x2000000, 0, 0x10000000, 0, 0x10000000,
	      0, 0x2eff0000, 0x1000000, 0, 0, 0, 0x3eff0000, 0, 0x10000);
	CELLS(t, path, "interrupt-map-mask", 0x1800, 0, 0, 7);
	CELLS(t, path, "interrupt-map",
	      0, 0, 0, 1, FAKE_TREE_GIC, 0, 0, 0, 3, 4,
	      0x800, 0, 0, 1, FAKE_TREE_GIC, 0, 0, 0, 4, 4);
	CELLS(t, path, "msi-map", 0, FAKE_TREE_MSI, 0, 0x10000);
}

static void add_chosen(void *t)
{
	static const char kernel[] = "multiboot,kernel\0multiboot,module";
	static const char ramdisk[] = "multiboot,ramdisk\0multiboot,module";

	fake_tree_add(t, "/", "aliases", NULL);
	text(t, "/aliases", "serial0", "/soc/uart@0");
	text(t, "/aliases", "ethernet0", "/soc/eth@1000000");
	fake_tree_add(t, "/", "chosen", NULL);
	text(t, "/chosen", "stdout-path", "serial0:115200n8");
	text(t, "/chosen", "bootargs", "dom0_mem=512M");
	CELLS(t, "/chosen", "kaslr-seed", 1, 2);
	fake_tree_add(t, "/chosen", "module@48000000", NULL);
	must(fdt_setprop(t, fake_tree_node(t, "/chosen/module@48000000"),
			 "compatible", kernel, sizeof(kernel)), "kernel");
	CELLS(t, "/chosen/module@48000000", "reg", 0, 0x48000000, 0, 0x200000);
	text(t, "/chosen/module@48000000", "bootargs", "console=hvc0");
	fake_tree_add(t, "/chosen", "module@4c000000", NULL);
	must(fdt_setprop(t, fake_tree_node(t, "/chosen/module@4c000000"),
			 "compatible", ramdisk, sizeof(ramdisk)), "ramdisk");
	CELLS(t, "/chosen/module@4c000000", "reg", 0, 0x4c000000, 0, 0x1234);
}

void *fake_tree(int gic_version)
{
	must(fdt_create_empty_tree(tree, sizeof(tree)), "tree");
	CELLS(tree, "/", "interrupt-parent", FAKE_TREE_GIC);
	CELLS(tree, "/", "#address-cells", 2);
	CELLS(tree, "/", "#size-cells", 2);
	text(tree, "/", "compatible", "vendor,machine");
	add_chosen(tree);
	add_pci(tree);
	add_bus(tree);
	add_gic(tree, gic_version);
	add_system(tree);
	add_cpus(tree);
	return tree;
}

/* ---- domains that start at boot ------------------------------------------ */

/* Of region "one" for @dom, at @ipa there. */
static void add_shared(void *t, const char *dom, uint32_t ipa,
		       const char *role)
{
	char path[64];

	fake_tree_add(t, dom, "shm@1", "xen,domain-shared-memory-v1");
	snprintf(path, sizeof(path), "%s/shm@1", dom);
	fdt_setprop_string(t, fake_tree_node(t, path), "xen,shm-id", "one");
	fdt_setprop_string(t, fake_tree_node(t, path), "role", role);
	CELLS(t, path, "xen,shared-mem", 0, 0x70000000, 0, ipa, 0, 0x100000);
}

static void add_domain(void *t, const char *name, uint32_t at)
{
	char path[64];
	int node;

	fake_tree_add(t, "/chosen", name, "xen,domain");
	snprintf(path, sizeof(path), "/chosen/%s", name);
	CELLS(t, path, "#address-cells", 2);
	CELLS(t, path, "#size-cells", 2);
	CELLS(t, path, "memory", 0, 1024);
	CELLS(t, path, "cpus", 1);
	CELLS(t, path, "xen,static-mem", 0, at + 0x100000, 0, 0x100000);
	node = fake_tree_node(t, path);
	fdt_setprop_string(t, node, "xen,enhanced", "no-xenstore");
	fdt_setprop(t, node, "vpl011", NULL, 0);
	fake_tree_add(t, path, "module@1", "multiboot,module");
	snprintf(path, sizeof(path), "/chosen/%s/module@1", name);
	CELLS(t, path, "reg", 0, at, 0, 0x100000);
}

void *fake_tree_domains(void)
{
	void *t = fake_tree(3);

	CELLS(t, "/chosen", "#address-cells", 2);
	CELLS(t, "/chosen", "#size-cells", 2);
	CELLS(t, "/chosen", "xen,static-heap", 0, 0x50000000, 0, 0x8000000);
	add_shared(t, "/chosen", 0x10000000, "owner");
	add_domain(t, "one", 0x60000000);
	add_shared(t, "/chosen/one", 0x50000000, "borrower");
	add_domain(t, "two", 0x61000000);
	fdt_setprop(t, fake_tree_node(t, "/chosen/two"), "direct-map", NULL,
		    0);
	add_shared(t, "/chosen/two", 0x70000000, "borrower");
	return t;
}

struct iommu_device *fake_tree_behind;

struct iommu_device *boot_iommu_device(uint32_t node)
{
	(void)node;
	return fake_tree_behind;
}
