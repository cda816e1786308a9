/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host tree to struct platform: a whole machine, variations, and what is
 * wrong with trees.
 */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c boot/fdt_gic.c
// LINK: boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c boot/fdt_util.c
// LINK: boot/modules.c tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "fake_log.h"
#include "fake_tree.h"

static struct platform p;

static int parse(void *fdt)
{
	fake_log_reset();
	return fdt_platform_parse(fdt, UINT64_C(0x80000000), &p);
}

static void text(void *fdt, const char *path, const char *prop,
		 const char *value)
{
	cr_assert_eq(fdt_setprop_string(fdt, fake_tree_node(fdt, path), prop,
					value), 0);
}

/* Refused with @rc and a message that has @word. */
static void expect_error(void *fdt, int rc, const char *word)
{
	int got = parse(fdt);

	cr_assert_eq(got, rc, "%d: %s", got, fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s",
			   fake_log_last[LOG_ERR]);
}

Test(platform, whole_machine_with_gicv3)
{
	cr_assert_eq(parse(fake_tree(3)), 0);
	cr_assert_eq(p.nr_banks, 1);
	cr_assert_eq(p.bank[0].start, 0x40000000);
	cr_assert_eq(p.bank[0].size, 0x40000000);
	cr_assert_eq(p.nr_cpus, 2);
	cr_assert_eq(p.cpu_mpidr[0], 0, "the boot CPU first");
	cr_assert_eq(p.cpu_mpidr[1], 0x100);
	cr_assert_eq(p.cpu_enable[1], CPU_ENABLE_PSCI);
	cr_assert_eq(p.gic.version, 3);
	cr_assert_eq(p.gic.gicd_base, 0x8000000);
	cr_assert_eq(p.gic.nr_gicr, 2);
	cr_assert_eq(p.gic.gicr[1].start, 0x8100000);
	cr_assert_eq(p.gic.maint_intid, 25);
	cr_assert_eq(p.gic.phandle, FAKE_TREE_GIC);
	cr_assert_eq(p.timer.sec_phys, 29);
	cr_assert_eq(p.timer.phys, 30);
	cr_assert_eq(p.timer.virt, 27);
	cr_assert_eq(p.timer.hyp, 26);
	cr_assert_eq(p.psci_conduit, PSCI_SMC);
	cr_assert_eq(p.psci_version, 0x10000);
}

Test(platform, whose_firmware)
{
	static const struct {
		const char compatible[32];
		enum firmware_kind want;
	} of[] = {
		{"board\0fsl,imx8qm", FIRMWARE_IMX8Q},
		{"board\0fsl,imx8qxp", FIRMWARE_IMX8Q},
		{"fsl,imx8dxl", FIRMWARE_IMX8Q},
		{"board\0fsl,imx8mq", FIRMWARE_IMX8MQ},
		{"board\0fsl,imx8mp", FIRMWARE_OTHER},
		{"fsl,imx8mq-evk", FIRMWARE_OTHER},
		{"board", FIRMWARE_OTHER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		void *fdt = fake_tree(3);

		cr_assert_eq(fdt_setprop(fdt, 0, "compatible", of[i].compatible,
					 sizeof(of[i].compatible)), 0);
		cr_assert_eq(parse(fdt), 0);
		cr_assert_eq(p.firmware, of[i].want, "row %zu", i);
	}
}

Test(platform, whole_machine_with_gicv2)
{
	cr_assert_eq(parse(fake_tree(2)), 0);
	cr_assert_eq(p.gic.version, 2);
	cr_assert_eq(p.gic.gicc_base, 0x8010000);
	cr_assert_eq(p.gic.gich_base, 0x8030000);
	cr_assert_eq(p.gic.gicv_base, 0x8040000);
}

Test(platform, node_offsets_are_those_of_libfdt)
{
	void *fdt = fake_tree(3);

	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.gic.node, fake_tree_node(fdt, "/intc@8000000"));
	cr_assert_eq(p.timer.node, fake_tree_node(fdt, "/timer"));
	cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
	cr_assert_eq(p.uart.node, fake_tree_node(fdt, "/soc/uart@0"));
}

Test(platform, memory_is_sorted_merged_and_aligned_inwards)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, "/memory@40000000", "reg", 1, 0, 0, 0x10000000,
	      0, 0x80000800, 0, 0x10000000, 0, 0x40000000, 0, 0x40000800,
	      0, 0xf0000000, 0, 0);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_banks, 3);
	cr_assert_eq(p.bank[0].start, 0x40000000);
	cr_assert_eq(p.bank[0].size, 0x40000000);
	cr_assert_eq(p.bank[1].start, 0x80001000);
	cr_assert_eq(p.bank[1].size, 0xffff000);
	cr_assert_eq(p.bank[2].start, 0x100000000);

	CELLS(fdt, "/memory@40000000", "reg", 0, 0x60000000, 0, 0x20000000,
	      0, 0x40000000, 0, 0x20000000, 0, 0x50000000, 0, 0x1000);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_banks, 1);
	cr_assert_eq(p.bank[0].size, 0x40000000);
}

Test(platform, reserved_memory_with_and_without_a_place)
{
	void *fdt = fake_tree(3);

	cr_assert_eq(fdt_add_mem_rsv(fdt, 0x40000000, 0x10000), 0);
	fake_tree_add(fdt, "/", "reserved-memory", NULL);
	CELLS(fdt, "/reserved-memory", "#address-cells", 2);
	CELLS(fdt, "/reserved-memory", "#size-cells", 2);
	fdt_setprop(fdt, fake_tree_node(fdt, "/reserved-memory"), "ranges",
		    NULL, 0);
	fake_tree_add(fdt, "/reserved-memory", "cma", "shared-dma-pool");
	CELLS(fdt, "/reserved-memory/cma", "size", 0, 0x100000);
	fake_tree_add(fdt, "/reserved-memory", "fw@50000000", NULL);
	CELLS(fdt, "/reserved-memory/fw@50000000", "reg", 0, 0x50000000,
	      0, 0x10000);
	fdt_setprop(fdt, fake_tree_node(fdt, "/reserved-memory/fw@50000000"),
		    "no-map", NULL, 0);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_reserved, 2);
	cr_assert_eq(p.reserved[0].start, 0x40000000);
	cr_assert_eq(p.reserved_flags[0], 0);
	cr_assert_eq(p.reserved[1].start, 0x50000000);
	cr_assert_eq(p.reserved_flags[1], RESERVED_NODE | RESERVED_NO_MAP);
}

Test(platform, more_cpus_than_we_can_use)
{
	void *fdt = fake_tree(3);

	for (int i = 0; i < NR_CPUS + 4; i++) {
		char path[64];
		char name[32];

		snprintf(name, sizeof(name), "cpu@1%04x", i);
		snprintf(path, sizeof(path), "/cpus/%s", name);
		fake_tree_add(fdt, "/cpus", name, "arm,cortex-a53");
		text(fdt, path, "device_type", "cpu");
		CELLS(fdt, path, "reg", 0x10000 + i);
	}
	fake_log_reset();
	/* libfdt puts new nodes in front: the boot CPU is the very last. */
	cr_assert_eq(fdt_platform_parse(fdt, 0x10000, &p), 0);
	cr_assert_eq(p.nr_cpus, NR_CPUS);
	cr_assert_eq(p.nr_cpus_found, NR_CPUS + 6);
	cr_assert_eq(p.cpu_mpidr[0], 0x10000);
	for (uint32_t i = 1; i < p.nr_cpus; i++) {
		cr_assert_neq(p.cpu_mpidr[i], 0x10000);
		for (uint32_t j = 0; j < i; j++) {
			cr_assert_neq(p.cpu_mpidr[i], p.cpu_mpidr[j]);
		}
	}
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
}

Test(platform, disabled_and_spin_table_cpus)
{
	void *fdt = fake_tree(3);

	text(fdt, "/cpus/cpu@100", "status", "disabled");
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_cpus, 1);
	text(fdt, "/cpus/cpu@100", "status", "okay");
	text(fdt, "/cpus/cpu@100", "enable-method", "spin-table");
	CELLS(fdt, "/cpus/cpu@100", "cpu-release-addr", 0, 0x8000fff8);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.cpu_enable[1], CPU_ENABLE_SPIN_TABLE);
	cr_assert_eq(p.cpu_release_addr[1], 0x8000fff8);
}

/* ---- console ------------------------------------------------------------- */

Test(console, by_stdout_path_alias_and_path)
{
	cr_assert_eq(parse(fake_tree(3)), 0);
	cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
	cr_assert_eq(p.uart.base, 0x9000000);
	cr_assert_eq(p.uart.size, 0x1000);
	cr_assert_eq(p.uart.intid, 33);
	cr_assert_str_eq(p.uart.compatible, "arm,pl011");
	cr_assert_eq(fdt_platform_find_console(&p, "/soc/uart:9600"), 0);
	cr_assert_eq(p.uart.base, 0x9000000);
	cr_assert_eq(fdt_platform_find_console(&p, "ethernet0"), 0);
	cr_assert_eq(p.uart.base, 0xa000000);
}

Test(console, asked_for_and_not_there)
{
	cr_assert_eq(parse(fake_tree(3)), 0);
	cr_assert_eq(fdt_platform_find_console(&p, "serial9"), -ENODEV);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "serial9"));
	cr_assert_eq(p.uart.node, -1);
	cr_assert_eq(fdt_platform_find_console(&p, "/cpus/cpu@0"), -ENODEV);
}

Test(console, firmware_names_none)
{
	void *fdt = fake_tree(3);

	fdt_delprop(fdt, fake_tree_node(fdt, "/chosen"), "stdout-path");
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(fdt_platform_find_console(&p, ""), 0);
	cr_assert_eq(p.uart.node, -1);
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
}

/* ---- /chosen ------------------------------------------------------------- */

static void expect_lines(void *fdt, const char *hv, const char *dom0)
{
	cr_assert_eq(parse(fdt), 0);
	cr_assert_str_eq(p.hv_cmdline, hv);
	cr_assert_str_eq(p.dom0_cmdline, dom0);
}

Test(chosen, the_five_rules_of_command_lines)
{
	void *fdt = fake_tree(3);
	int mod;

	/* 3: the module has its own */
	expect_lines(fdt, "dom0_mem=512M", "console=hvc0");
	/* 1: both are named */
	text(fdt, "/chosen", "xen,xen-bootargs", "X");
	text(fdt, "/chosen", "xen,dom0-bootargs", "D");
	expect_lines(fdt, "X", "D");
	/* 2: only dom0's is named */
	fdt_delprop(fdt, fake_tree_node(fdt, "/chosen"), "xen,xen-bootargs");
	expect_lines(fdt, "dom0_mem=512M", "D");
	/* 4: nothing of Xen */
	fdt_delprop(fdt, fake_tree_node(fdt, "/chosen"), "xen,dom0-bootargs");
	mod = fake_tree_node(fdt, "/chosen/module@48000000");
	fdt_delprop(fdt, mod, "bootargs");
	expect_lines(fdt, "", "dom0_mem=512M");
	/* 5: only ours is named */
	text(fdt, "/chosen", "xen,xen-bootargs", "X");
	expect_lines(fdt, "X", "dom0_mem=512M");
	/* an empty module line is none */
	fdt_delprop(fdt, fake_tree_node(fdt, "/chosen"), "xen,xen-bootargs");
	text(fdt, "/chosen/module@48000000", "bootargs", "");
	expect_lines(fdt, "", "dom0_mem=512M");
}

Test(chosen, module_kinds_by_word_and_by_order)
{
	void *fdt = fake_tree(3);

	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_modules, 2);
	/* GRUB says no more than this. */
	text(fdt, "/chosen/module@48000000", "compatible", "multiboot,module");
	text(fdt, "/chosen/module@4c000000", "compatible", "multiboot,module");
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.module[0].kind, MODULE_KERNEL);
	cr_assert_eq(p.module[1].kind, MODULE_RAMDISK);
	text(fdt, "/chosen/module@48000000", "compatible", "xen,linux-initrd");
	text(fdt, "/chosen/module@4c000000", "compatible", "xen,linux-zimage");
	cr_assert_eq(parse(fdt), 0);
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_eq(p.module[i].kind,
			     p.module[i].start == 0x48000000 ?
			     MODULE_RAMDISK : MODULE_KERNEL);
	}
}

Test(chosen, module_in_the_cells_of_its_parent_and_a_level_deeper)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, "/chosen", "#address-cells", 1);
	CELLS(fdt, "/chosen", "#size-cells", 1);
	CELLS(fdt, "/chosen/module@48000000", "reg", 0x48000000, 0x200000);
	CELLS(fdt, "/chosen/module@4c000000", "reg", 0x4c000000, 0x1234);
	fake_tree_add(fdt, "/chosen", "extra", NULL);
	CELLS(fdt, "/chosen/extra", "#address-cells", 2);
	CELLS(fdt, "/chosen/extra", "#size-cells", 1);
	fake_tree_add(fdt, "/chosen/extra", "module@0", "multiboot,module");
	CELLS(fdt, "/chosen/extra/module@0", "reg", 0, 0x50000000, 0x99);
	fake_tree_add(fdt, "/chosen/extra/module@0", "deep",
		      "multiboot,module");
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_modules, 3, "the deepest is beyond depth 3");
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(p.module[i].size,
			     p.module[i].start == 0x48000000 ? 0x200000 :
			     p.module[i].start == 0x4c000000 ? 0x1234 : 0x99);
	}
}

Test(chosen, modules_of_another_domain_are_not_dom0s)
{
	void *fdt = fake_tree(3);

	fake_tree_add(fdt, "/chosen", "domU1", "xen,domain");
	fake_tree_add(fdt, "/chosen/domU1", "module@0", "multiboot,kernel");
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(p.nr_modules, 2);
}

/* ---- what is wrong ------------------------------------------------------- */

Test(wrong, essentials_are_missing)
{
	static const struct {
		const char *node;
		const char *word;
	} gone[] = {
		{ "/memory@40000000", "device_type" },
		{ "/cpus", "/cpus" },
		{ "/cpus/cpu@0", "boot CPU" },
		{ "/intc@8000000", "arm,gic-v3" },
		{ "/timer", "arm,armv8-timer" },
		{ "/chosen", "/chosen" },
	};

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		void *fdt = fake_tree(3);

		cr_assert_eq(fdt_del_node(fdt,
					  fake_tree_node(fdt, gone[i].node)),
			     0);
		expect_error(fdt, -ENODEV, gone[i].word);
	}
}

Test(wrong, properties_name_node_and_cure)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, "/memory@40000000", "reg", 0, 0x40000000, 1);
	expect_error(fdt, -EINVAL, "/memory@40000000: \"reg\"");
	fdt = fake_tree(3);
	CELLS(fdt, "/", "#address-cells", 0x10000000);
	expect_error(fdt, -EINVAL, "reg");
	fdt = fake_tree(3);
	CELLS(fdt, "/memory@40000000", "reg", 0xffffffff, 0xfffff000,
	      0, 0x1000);
	expect_error(fdt, -EINVAL, "reg");
	fdt = fake_tree(3);
	CELLS(fdt, "/cpus/cpu@100", "reg", 0);
	expect_error(fdt, -EINVAL, "twice");
	fdt = fake_tree(3);
	CELLS(fdt, "/intc@8000000", "#redistributor-regions", 9);
	expect_error(fdt, -EINVAL, "redistributor");
	fdt = fake_tree(3);
	CELLS(fdt, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4);
	expect_error(fdt, -EINVAL, "/timer: \"interrupts\"");
	fdt = fake_tree(3);
	text(fdt, "/psci", "method", "carrier pigeon");
	expect_error(fdt, -EINVAL, "method");
	fdt = fake_tree(3);
	CELLS(fdt, "/chosen/module@48000000", "reg", 0, 0x48000000, 0);
	expect_error(fdt, -EINVAL, "/chosen/module@48000000: \"reg\"");
	fdt = fake_tree(2);
	CELLS(fdt, "/intc@8000000", "reg", 0, 0x8000000, 0, 0x10000,
	      0, 0x8010000, 0, 0x10000);
	expect_error(fdt, -ENODEV, "virtualization=on");
}

Test(wrong, command_line_too_long)
{
	void *fdt = fake_tree(3);
	char line[CMDLINE_MAX + 1];

	memset(line, 'x', CMDLINE_MAX);
	line[CMDLINE_MAX] = 0;
	text(fdt, "/chosen", "bootargs", line);
	expect_error(fdt, -E2BIG, "bootargs");
	line[CMDLINE_MAX - 1] = 0;
	text(fdt, "/chosen", "bootargs", line);
	cr_assert_eq(parse(fdt), 0);
}

Test(wrong, every_truncation_is_refused)
{
	void *fdt = fake_tree(3);
	uint32_t size;
	uint8_t *copy;

	fdt_pack(fdt);
	size = fdt_totalsize(fdt);
	for (uint32_t n = 0; n < size; n++) {
		copy = malloc(n + 1); /* ASan sees every read beyond n */
		memcpy(copy, fdt, n);
		cr_assert_neq(dt_open(&host_dt, copy, n), 0, "%u", n);
		if (n >= 8) {
			fdt32_st(copy + 4, n);
			cr_assert_neq(dt_open(&host_dt, copy, n), 0, "%u", n);
		}
		free(copy);
	}
}

Test(wrong, every_flipped_byte_stays_in_bounds)
{
	void *fdt = fake_tree(2);
	uint32_t size;
	uint8_t *copy;

	fdt_pack(fdt);
	size = fdt_totalsize(fdt);
	copy = malloc(size);
	for (uint32_t n = 0; n < size; n++) {
		memcpy(copy, fdt, size);
		copy[n] ^= 0xff;
		if (fdt_totalsize(copy) > size) {
			continue;
		}
		if (fdt_platform_parse(copy, 0, &p) == 0) {
			(void)!fdt_platform_find_console(&p, "");
		}
	}
	free(copy);
}
