/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a domain with the guest's address map, read back with libfdt. */
// LINK: boot/dom_fdt_guest.c boot/dom_nodes_new.c boot/dom_nodes_shared.c
// LINK: boot/fdt_addr.c
// LINK: boot/fdt_chosen.c boot/fdt_console.c boot/fdt_gic.c boot/fdt_irq.c
// LINK: boot/fdt_lookup.c boot/fdt_platform.c boot/fdt_util.c
// LINK: boot/fdt_writer.c boot/modules.c lib/printf.c boot/fdt_dom_dev.c
// LINK: boot/dom_nodes.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <lib/errno.h>

#include "boot/dom_fdt.h"
#include "boot/fdt_dom_dev.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "fake_tree.h"

#define GIC_PHANDLE 65000u

static _Alignas(8) uint8_t guest[65536];
static struct platform p;
static const struct mem_range banks[] = {
	{ .start = 0x40000000, .size = 0xc0000000 },
	{ .start = 0x200000000, .size = 0x10000000 },
};
static struct dom_config cfg;
static struct boot_devices devices; /* none */

static struct guest_fdt_args args(int gic, uint32_t nr_vcpus)
{
	cfg = (struct dom_config){
		.nr_vcpus = nr_vcpus, .gic_version = (uint8_t)gic,
		.gicd_base = 0x3001000, .gicd_size = 0x10000,
		.gicc_base = 0x3002000, .gicc_size = 0x2000,
		.gicr_base = 0x3020000, .gicr_size = 0x1000000,
		.uart_base = 0x22000000, .uart_intid = 32,
	};
	cr_assert_eq(fdt_platform_parse(fake_tree(gic), 0, &p), 0);
	return (struct guest_fdt_args){
		.cfg = &cfg, .bootargs = "one two", .bank = banks,
		.nr_banks = 1, .devices = &devices,
	};
}

static void build(const struct guest_fdt_args *a)
{
	uint32_t size;

	cr_assert_leq(guest_fdt_size(a), sizeof(guest));
	cr_assert_eq(guest_fdt_build(a, guest, guest_fdt_size(a), &size), 0);
	cr_assert_eq(fdt_check_full(guest, size), 0);
}

static int node(const char *path)
{
	return fdt_path_offset(guest, path);
}

/* The property is these cells. */
static void expect_cells(const char *path, const char *prop,
			 const uint32_t *want, int n)
{
	int len;
	const fdt32_t *v = fdt_getprop(guest, node(path), prop, &len);

	cr_assert_not_null(v, "%s %s", path, prop);
	cr_assert_eq(len, 4 * n, "%s %s: %d", path, prop, len);
	for (int i = 0; i < n; i++) {
		cr_assert_eq(fdt32_to_cpu(v[i]), want[i], "%s %s[%d]", path,
			     prop, i);
	}
}
#define CELLS_ARE(path, prop, ...)                                            \
	do {                                                                  \
		const uint32_t want_[] = { __VA_ARGS__ };                     \
		expect_cells(path, prop, want_,                               \
			     (int)(sizeof(want_) / sizeof(want_[0])));        \
	} while (0)

static void text_is(const char *path, const char *prop, const char *want)
{
	const char *v = fdt_getprop(guest, node(path), prop, NULL);

	cr_assert_not_null(v, "%s %s", path, prop);
	cr_assert_str_eq(v, want);
}

Test(guest_fdt, all_of_it_on_gicv3)
{
	struct guest_fdt_args a = args(3, 3);

	a.nr_banks = 2;
	a.vpl011 = a.hypervisor = true;
	a.initrd_start = 0x50000000;
	a.initrd_end = 0x50001234;
	build(&a);
	text_is("/", "compatible", "xen,xenvm-4.17");
	text_is("/chosen", "bootargs", "one two");
	text_is("/chosen", "stdout-path", "/sbsa-uart@22000000");
	CELLS_ARE("/chosen", "linux,initrd-start", 0, 0x50000000);
	CELLS_ARE("/chosen", "linux,initrd-end", 0, 0x50001234);
	CELLS_ARE("/memory@40000000", "reg", 0, 0x40000000, 0, 0xc0000000,
		  2, 0, 0, 0x10000000);
	text_is("/interrupt-controller@3001000", "compatible", "arm,gic-v3");
	CELLS_ARE("/interrupt-controller@3001000", "reg", 0, 0x3001000, 0,
		  0x10000, 0, 0x3020000, 0, 0x1000000);
	CELLS_ARE("/interrupt-controller@3001000", "phandle", GIC_PHANDLE);
	CELLS_ARE("/timer", "interrupts", 1, 13, 0xf08, 1, 14, 0xf08, 1, 11,
		  0xf08);
	CELLS_ARE("/", "interrupt-parent", GIC_PHANDLE);
	text_is("/sbsa-uart@22000000", "compatible", "arm,sbsa-uart");
	CELLS_ARE("/sbsa-uart@22000000", "reg", 0, 0x22000000, 0, 0x1000);
	CELLS_ARE("/sbsa-uart@22000000", "interrupts", 0, 0, 4);
	text_is("/hypervisor", "compatible", "xen,xen-4.17");
	CELLS_ARE("/hypervisor", "reg", 0, 0x38000000, 0, 0x1000000);
	CELLS_ARE("/hypervisor", "interrupts", 1, 15, 0xf08);
	CELLS_ARE("/cpus/cpu@2", "reg", 2);
	cr_assert_lt(node("/cpus/cpu@3"), 0);
	text_is("/cpus/cpu@0", "enable-method", "psci");
	text_is("/psci", "method", "hvc");
}

Test(guest_fdt, what_is_set_aside)
{
	static const struct shm_use shm[] = {
		{ .id = "fifteen letters", .role = SHM_OWNER,
		  .ipa = 0x150000000, .host = { 0x70000000, 0x3000 } },
		{ .id = "b", .role = SHM_BORROWER, .ipa = 0x60000000,
		  .host = { 0x78000000, 0x180000000 } },
	};
	struct mem_range many[MAX_STATIC_BANKS];
	struct guest_fdt_args a = args(3, 1);
	int len;

	for (uint32_t i = 0; i < MAX_STATIC_BANKS; i++) {
		many[i] = (struct mem_range){ 0x70000000 + i * 0x100000, 4096 };
	}
	cfg.uart_base = 0x9000000;
	cfg.uart_intid = 33;
	a.bank = many;
	a.nr_banks = MAX_STATIC_BANKS;
	a.shm = shm;
	a.nr_shm = 2;
	a.vpl011 = true;
	build(&a);
	fdt_getprop(guest, node("/memory@70000000"), "reg", &len);
	cr_assert_eq(len, 16 * MAX_STATIC_BANKS);
	text_is("/chosen", "stdout-path", "/sbsa-uart@9000000");
	CELLS_ARE("/sbsa-uart@9000000", "reg", 0, 0x9000000, 0, 0x1000);
	CELLS_ARE("/sbsa-uart@9000000", "interrupts", 0, 1, 4);
	CELLS_ARE("/reserved-memory", "#address-cells", 2);
	CELLS_ARE("/reserved-memory", "#size-cells", 2);
	cr_assert_not_null(fdt_getprop(guest, node("/reserved-memory"),
				       "ranges", NULL));
	text_is("/reserved-memory/xen-shmem@150000000", "compatible",
		"xen,shared-memory-v1");
	text_is("/reserved-memory/xen-shmem@150000000", "xen,id",
		"fifteen letters");
	CELLS_ARE("/reserved-memory/xen-shmem@150000000", "reg", 1, 0x50000000,
		  0, 0x3000);
	cr_assert_null(fdt_getprop(guest,
				   node("/reserved-memory/"
					"xen-shmem@150000000"),
				   "xen,offset", NULL));
	CELLS_ARE("/reserved-memory/xen-shmem@60000000", "reg", 0, 0x60000000,
		  1, 0x80000000);
	CELLS_ARE("/reserved-memory/xen-shmem@60000000", "xen,offset", 0, 0);
}

#define ITS "/msi-controller@4020000"
#define BRIDGE "/pcie@4100000"

Test(guest_fdt, pci)
{
	struct guest_fdt_args a = args(3, 1);
	const uint32_t its = GIC_PHANDLE + 1;

	a.pci = a.pci_is_coherent = true;
	build(&a);
	text_is(ITS, "compatible", "arm,gic-v3-its");
	CELLS_ARE(ITS, "reg", 0, 0x4020000, 0, 0x20000);
	CELLS_ARE(ITS, "#msi-cells", 1);
	CELLS_ARE(ITS, "phandle", its);
	cr_assert_not_null(fdt_getprop(guest, node(ITS), "msi-controller",
				       NULL));
	/* Linux looks for an ITS behind its GIC. */
	cr_assert_gt(node(ITS), node("/interrupt-controller@3001000"));
	text_is(BRIDGE, "compatible", "pci-host-ecam-generic");
	text_is(BRIDGE, "device_type", "pci");
	CELLS_ARE(BRIDGE, "reg", 0, 0x4100000, 0, 0x100000);
	CELLS_ARE(BRIDGE, "bus-range", 0, 0);
	CELLS_ARE(BRIDGE, "#address-cells", 3);
	CELLS_ARE(BRIDGE, "#size-cells", 2);
	CELLS_ARE(BRIDGE, "ranges", 0x2000000, 0, 0x8000000, 0, 0x8000000, 0,
		  0x8000000);
	CELLS_ARE(BRIDGE, "msi-map", 0, its, 0, 0x10000);
	cr_assert_not_null(fdt_getprop(guest, node(BRIDGE), "dma-coherent",
				       NULL));
	a.pci_is_coherent = false;
	build(&a);
	cr_assert_null(fdt_getprop(guest, node(BRIDGE), "dma-coherent", NULL));
}

/* The devices' tree has the usual phandle for its own. */
Test(guest_fdt, pci_beside_devices)
{
	static _Alignas(8) uint8_t partial[4096];
	struct guest_fdt_args a = args(3, 1);

	cr_assert_eq(fdt_create_empty_tree(partial, sizeof(partial)), 0);
	cr_assert_geq(fdt_add_subnode(partial, 0, "passthrough"), 0);
	devices.passthrough = fdt_path_offset(partial, "/passthrough");
	for (uint32_t i = 1; i < 4; i++) {
		char name[8];
		int n;

		snprintf(name, sizeof(name), "dev%u", i);
		n = fdt_add_subnode(partial, devices.passthrough, name);
		cr_assert_eq(fdt_setprop_u32(partial, n, "phandle",
					     GIC_PHANDLE + i), 0);
	}
	devices.passthrough = fdt_path_offset(partial, "/passthrough");
	devices.aliases = -1;
	devices.tree = partial;
	a.pci = true;
	build(&a);
	CELLS_ARE(ITS, "phandle", GIC_PHANDLE + 4);
	CELLS_ARE(BRIDGE, "msi-map", 0, GIC_PHANDLE + 4, 0, 0x10000);
	cr_assert_geq(node("/passthrough/dev3"), 0);
}

Test(guest_fdt, what_was_not_asked_for_is_not_there)
{
	struct guest_fdt_args a = args(2, 1);

	build(&a);
	text_is("/interrupt-controller@3001000", "compatible", "arm,gic-400");
	CELLS_ARE("/interrupt-controller@3001000", "reg", 0, 0x3001000, 0,
		  0x10000, 0, 0x3002000, 0, 0x2000);
	CELLS_ARE("/memory@40000000", "reg", 0, 0x40000000, 0, 0xc0000000);
	cr_assert_lt(node("/hypervisor"), 0);
	cr_assert_lt(node("/reserved-memory"), 0);
	cr_assert_lt(node("/sbsa-uart@22000000"), 0);
	cr_assert_null(fdt_getprop(guest, node("/chosen"), "stdout-path",
				   NULL));
	cr_assert_null(fdt_getprop(guest, node("/chosen"),
				   "linux,initrd-start", NULL));
}

Test(guest_fdt, the_size_is_enough_for_the_largest)
{
	static char longest[CMDLINE_MAX];
	static struct shm_use shm[MAX_SHARED];
	struct mem_range many[MAX_STATIC_BANKS];
	struct guest_fdt_args a = args(3, 128);
	uint32_t size;

	for (uint32_t i = 0; i < MAX_SHARED; i++) {
		shm[i].ipa = UINT64_C(0xffff00000000) + i * PAGE_SIZE;
		memset(shm[i].id, 'i', SHM_ID_SIZE - 1);
		many[i] = (struct mem_range){ UINT64_C(0xfffe00000000), 1 };
	}
	a.shm = shm;
	a.nr_shm = MAX_SHARED;
	a.bank = many;

	memset(longest, 'x', sizeof(longest) - 1);
	a.bootargs = longest;
	a.nr_banks = MAX_STATIC_BANKS;
	a.vpl011 = a.hypervisor = true;
	a.initrd_end = 1;
	build(&a);
	text_is("/cpus/cpu@70f", "device_type", "cpu");
	cr_assert_eq(guest_fdt_build(&a, guest, 1024, &size), -ENOSPC);
}
