/* SPDX-License-Identifier: Apache-2.0 */
/* The reader, address translation and interrupts, held against libfdt. */
// LINK: boot/fdt_addr.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_util.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/errno.h>

#include "boot/fdt_addr.h"
#include "boot/fdt_irq.h"
#include "boot/fdt_util.h"
#include "fake_log.h"
#include "fake_tree.h"

static struct dt *const t = &host_dt;

static void open_tree(void *fdt)
{
	cr_assert_eq(dt_open(t, fdt, fdt_totalsize(fdt)), 0, "%s",
		     fake_log_last[0]);
}

static uint32_t node(const char *path)
{
	uint32_t idx = dt_resolve(t, path, (uint32_t)strlen(path));

	cr_assert_neq(idx, DT_NONE, "%s", path);
	return idx;
}

/* ---- reader -------------------------------------------------------------- */

Test(reader, sees_what_libfdt_sees)
{
	void *fdt = fake_tree(3);
	uint32_t i = 0;
	char a[128];
	char b[128];
	int off;

	open_tree(fdt);
	for (off = 0; off >= 0; off = fdt_next_node(fdt, off, NULL), i++) {
		int prop;

		cr_assert_eq(dt_by_offset(t, off), i);
		cr_assert_eq(t->node[i].phandle, fdt_get_phandle(fdt, off));
		cr_assert_eq(fdt_get_path(fdt, off, a, sizeof(a)), 0);
		cr_assert_str_eq(dt_path(t, i, b, sizeof(b)), a);
		if (i > 0) {
			cr_assert_eq((int)t->node[t->node[i].parent].offset,
				     fdt_parent_offset(fdt, off));
		}
		fdt_for_each_property_offset(prop, fdt, off) {
			const char *name;
			int len;
			const void *v = fdt_getprop_by_offset(fdt, prop, &name,
							      &len);
			uint32_t cursor = t->node[i].props;
			struct dt_prop p;
			bool found = false;

			while (dt_prop_next(t, &cursor, &p)) {
				found |= p.data == v && p.len == (uint32_t)len;
			}
			cr_assert(found, "%s %s", a, name);
		}
	}
	cr_assert_eq(i, t->nr_nodes);
	cr_assert_eq(dt_by_offset(t, 2), DT_NONE);
	cr_assert_eq(dt_by_phandle(t, 99), DT_NONE);
	cr_assert_eq(dt_by_phandle(t, 0), DT_NONE);
}

Test(reader, paths_and_aliases)
{
	open_tree(fake_tree(3));
	cr_assert_eq(node("/soc/uart@0"), node("serial0"));
	cr_assert_eq(node("/soc/uart"), node("serial0:115200n8"));
	cr_assert_eq(node("//soc///uart/"), node("serial0"));
	cr_assert_eq(node("/"), 0);
	cr_assert_eq(dt_resolve(t, "/soc/uart@1", 11), DT_NONE);
	cr_assert_eq(dt_resolve(t, "/soc/uar", 8), DT_NONE);
	cr_assert_eq(dt_resolve(t, "serial", 6), DT_NONE);
	cr_assert_eq(dt_resolve(t, "", 0), DT_NONE);
}

Test(reader, nops_are_not_there)
{
	void *fdt = fake_tree(3);
	int uart = fake_tree_node(fdt, "/soc/uart@0");

	cr_assert_eq(fdt_nop_property(fdt, uart, "compatible"), 0);
	cr_assert_eq(fdt_nop_node(fdt, fake_tree_node(fdt, "/timer")), 0);
	open_tree(fdt);
	cr_assert_null(dt_prop(t, node("/soc/uart@0"), DT_COMPATIBLE, NULL));
	cr_assert_not_null(dt_prop(t, node("/soc/uart@0"), DT_REG, NULL));
	cr_assert_eq(dt_resolve(t, "/timer", 6), DT_NONE);
}

Test(reader, too_deep_and_too_many)
{
	static _Alignas(8) uint8_t big[DT_MAX_SIZE];

	fdt_create(big, sizeof(big));
	fdt_finish_reservemap(big);
	for (uint32_t i = 0; i <= DT_MAX_DEPTH; i++) {
		fdt_begin_node(big, i ? "n" : "");
	}
	for (uint32_t i = 0; i <= DT_MAX_DEPTH; i++) {
		fdt_end_node(big);
	}
	fdt_finish(big);
	cr_assert_eq(dt_open(t, big, sizeof(big)), -EINVAL);

	fdt_create(big, sizeof(big));
	fdt_finish_reservemap(big);
	fdt_begin_node(big, "");
	for (uint32_t i = 0; i < DT_MAX_NODES; i++) {
		fdt_begin_node(big, "n");
		fdt_property_u32(big, "phandle", i + 1);
		fdt_end_node(big);
	}
	fdt_end_node(big);
	fdt_finish(big);
	cr_assert_eq(dt_open(t, big, sizeof(big)), -E2BIG);
	cr_assert_not_null(strstr(fake_log_last[0], "DT_MAX_NODES"));
	open_tree(fake_tree(3)); /* and is usable again */
}

/* libfdt adds these up without a look: it would go back, or stand still. */
Test(reader, lengths_that_overflow, .timeout = 600)
{
	for (uint32_t n = 0; n < 64; n++) {
		uint8_t *fdt = fake_tree(3);
		int uart = fake_tree_node(fdt, "/soc/uart@0");
		int prop = fdt_first_property_offset(fdt, uart);
		uint8_t *len = fdt + fdt_off_dt_struct(fdt) + prop + 4;

		fdt32_st(len, UINT32_MAX - n);
		fake_log_reset();
		cr_assert_eq(dt_open(t, fdt, fdt_totalsize(fdt)), -EINVAL);
		fdt32_st(len, INT32_MAX - n);
		cr_assert_eq(dt_open(t, fdt, fdt_totalsize(fdt)), -EINVAL);
		cr_assert_not_null(strstr(fake_log_last[0], "broken at"));
	}
}

Test(reader, what_was_refused_is_not_there)
{
	uint8_t *fdt = fake_tree(3);

	open_tree(fdt);
	cr_assert_neq(dt_resolve(t, "/soc", 4), DT_NONE);
	fdt_set_size_dt_struct(fdt, fdt_size_dt_struct(fdt) - 4);
	cr_assert_eq(dt_open(t, fdt, fdt_totalsize(fdt)), -EINVAL);
	cr_assert_null(t->fdt);
	cr_assert_eq(dt_resolve(t, "/soc", 4), DT_NONE);
	cr_assert_eq(dt_resolve(t, "/", 1), DT_NONE);
	cr_assert_eq(dt_resolve(t, "serial0", 7), DT_NONE);
	cr_assert_eq(dt_by_offset(t, 0), DT_NONE);
}

Test(reader, too_many_properties)
{
	static _Alignas(8) uint8_t big[DT_MAX_SIZE];

	fdt_create_with_flags(big, sizeof(big), 0);
	fdt_finish_reservemap(big);
	fdt_begin_node(big, "");
	for (uint32_t i = 0; i < DT_MAX_PROPS; i++) {
		fdt_property(big, "reg", NULL, 0);
	}
	fdt_end_node(big);
	fdt_finish(big);
	cr_assert_eq(dt_open(t, big, sizeof(big)), -E2BIG);
	cr_assert_not_null(strstr(fake_log_last[0], "DT_MAX_PROPS"));
}

/* ---- addresses ----------------------------------------------------------- */

static void expect_reg(const char *path, int rc, uint64_t start, uint64_t size)
{
	struct mem_range r = { 0 };

	cr_assert_eq(dt_reg(t, node(path), 0, &r), rc, "%s", path);
	if (rc == 0) {
		cr_assert_eq(r.start, start, "%lx", r.start);
		cr_assert_eq(r.size, size);
	}
}

Test(address, through_ranges_to_the_cpu)
{
	void *fdt = fake_tree(3);
	struct mem_range r;

	fake_tree_add(fdt, "/soc", "bus@100000", "simple-bus");
	CELLS(fdt, "/soc/bus@100000", "#address-cells", 2);
	CELLS(fdt, "/soc/bus@100000", "#size-cells", 1);
	CELLS(fdt, "/soc/bus@100000", "ranges", 1, 0, 0x100000, 0x10000,
	      2, 0, 0x200000, 0x10000);
	fake_tree_add(fdt, "/soc/bus@100000", "dev", NULL);
	CELLS(fdt, "/soc/bus@100000/dev", "reg", 2, 0x10, 0x20);
	open_tree(fdt);
	expect_reg("/soc/uart@0", 0, 0x9000000, 0x1000);
	expect_reg("/soc/bus@100000/dev", 0, 0x9200010, 0x20);
	expect_reg("/memory@40000000", 0, 0x40000000, 0x40000000);
	expect_reg("/cpus/cpu@0", -ENXIO, 0, 0);
	cr_assert_eq(dt_reg(t, node("/memory"), 1, &r), -ENOENT);
	cr_assert_eq(dt_reg(t, node("/soc/button"), 0, &r), -ENOENT);
}

Test(address, that_no_cpu_can_use)
{
	void *fdt = fake_tree(3);

	/* outside of its window */
	CELLS(fdt, "/soc/uart@0", "reg", 0x2000000, 0x1000);
	open_tree(fdt);
	expect_reg("/soc/uart@0", -ENXIO, 0, 0);
	/* a bus that maps nothing */
	fdt_delprop(fdt, fake_tree_node(fdt, "/soc"), "ranges");
	open_tree(fdt);
	expect_reg("/soc/eth", -ENXIO, 0, 0);
}

Test(address, malformed)
{
	void *fdt = fake_tree(3);

	CELLS(fdt, "/soc/uart@0", "reg", 0, 0x1000, 1);
	open_tree(fdt);
	expect_reg("/soc/uart@0", -EINVAL, 0, 0);
	CELLS(fdt, "/soc/uart@0", "reg", 0, 0x1000);
	CELLS(fdt, "/soc", "ranges", 0, 0, 0x9000000);
	open_tree(fdt);
	expect_reg("/soc/uart@0", -EINVAL, 0, 0);
	CELLS(fdt, "/soc", "#address-cells", 0xffffffff);
	open_tree(fdt);
	expect_reg("/soc/uart@0", -EINVAL, 0, 0);
	/* beyond the end of all addresses */
	CELLS(fdt, "/soc", "#address-cells", 2);
	CELLS(fdt, "/soc", "#size-cells", 1);
	CELLS(fdt, "/soc", "ranges", 0, 0, 0xffffffff, 0xfffff000, 0xffffffff);
	CELLS(fdt, "/soc/uart@0", "reg", 0, 0x10000, 0x1000);
	open_tree(fdt);
	expect_reg("/soc/uart@0", -EINVAL, 0, 0);
	CELLS(fdt, "/soc/uart@0", "reg", 0, 0, 0x2000);
	open_tree(fdt);
	expect_reg("/soc/uart@0", -EINVAL, 0, 0);
}

Test(address, pci_windows)
{
	struct mem_range r;

	open_tree(fake_tree(3));
	cr_assert_eq(dt_pci_window(t, node("/pcie"), 0, &r), 0);
	cr_assert_eq(r.start, 0x10000000);
	cr_assert_eq(r.size, 0x2eff0000);
	cr_assert_eq(dt_pci_window(t, node("/pcie"), 1, &r), 0);
	cr_assert_eq(r.start, 0x3eff0000);
	cr_assert_eq(dt_pci_window(t, node("/pcie"), 2, &r), -ENOENT);
}

/* ---- interrupts ---------------------------------------------------------- */

static int irq_of(const char *path, uint32_t n, struct dt_irq *q)
{
	return dt_irq(t, node("/intc"), node(path), n, q);
}

Test(interrupt, plain_and_extended)
{
	struct dt_irq q;

	open_tree(fake_tree(3));
	cr_assert_eq(irq_of("/soc/eth", 0, &q), 0);
	cr_assert_eq(q.intid, 72);
	cr_assert_eq(q.trigger, IRQ_LEVEL);
	cr_assert_eq(irq_of("/soc/eth", 1, &q), -ENOENT);
	cr_assert_eq(irq_of("/soc/watchdog", 0, &q), 0);
	cr_assert_eq(q.intid, 21);
	cr_assert(dt_irq_is_ppi(&q));
	cr_assert_eq(irq_of("/soc/button", 0, &q), -ENXIO, "the GPIO's");
	cr_assert_eq(irq_of("/soc/button", 1, &q), 0);
	cr_assert_eq(q.intid, 92);
	cr_assert_eq(q.trigger, IRQ_EDGE);
	cr_assert_eq(irq_of("/soc/button", 2, &q), -ENOENT);
	cr_assert_eq(irq_of("/memory", 0, &q), -ENOENT);
}

Test(interrupt, four_cells)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;

	CELLS(fdt, "/intc@8000000", "#interrupt-cells", 4);
	CELLS(fdt, "/soc/eth@1000000", "interrupts", 0, 40, 4, 0, 2, 7, 1, 0,
	      3, 5, 4, 0);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), 0);
	cr_assert_eq(q.intid, 72);
	cr_assert_eq(irq_of("/soc/eth", 1, &q), 0);
	cr_assert_eq(q.intid, 4103, "extended SPI");
	cr_assert_eq(irq_of("/soc/eth", 2, &q), 0);
	cr_assert_eq(q.intid, 1061, "extended PPI");
}

/* Whoever asks for one entry after the other must come to an end. */
Test(interrupt, entries_end_whatever_the_tree_says)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;
	uint32_t n = 0;

	CELLS(fdt, "/", "interrupt-parent", 999);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), -EINVAL, "no such parent");
	cr_assert_eq(irq_of("/soc/button", 1024, &q), -EINVAL);
	while (irq_of("/soc/button", n, &q) != -ENOENT) {
		cr_assert_lt(++n, 10);
	}
}

/* Some boards have a bus that numbers its own lines. */
Test(interrupt, through_the_map_of_a_bus)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;

	CELLS(fdt, "/soc", "#interrupt-cells", 1);
	CELLS(fdt, "/soc", "interrupt-map-mask", 0, 63);
	CELLS(fdt, "/soc", "interrupt-map", 0, 4, FAKE_TREE_GIC, 0, 0, 0, 20, 1,
	      0, 5, FAKE_TREE_GIC, 0, 0, 0, 21, 4);
	CELLS(fdt, "/soc/eth@1000000", "interrupts", 5);
	CELLS(fdt, "/soc/uart@0", "interrupts", 6);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), 0);
	cr_assert_eq(q.intid, 53);
	cr_assert_eq(irq_of("/soc/uart", 0, &q), -ENXIO);
}

Test(interrupt, through_wake_up_controllers)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;

	fake_tree_add(fdt, "/soc", "gpc", "fsl,imx8mq-gpc");
	CELLS(fdt, "/soc/gpc", "phandle", 77);
	CELLS(fdt, "/soc/gpc", "#interrupt-cells", 3);
	CELLS(fdt, "/soc/eth@1000000", "interrupt-parent", 77);
	fake_tree_add(fdt, "/soc", "pdc", "qcom,pdc");
	CELLS(fdt, "/soc/pdc", "phandle", 78);
	CELLS(fdt, "/soc/pdc", "#interrupt-cells", 2);
	CELLS(fdt, "/soc/pdc", "qcom,pdc-ranges", 0, 480, 94, 94, 609, 31);
	CELLS(fdt, "/soc/button", "interrupts-extended", 78, 100, 4,
	      78, 200, 4);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), 0);
	cr_assert_eq(q.intid, 72);
	cr_assert_eq(irq_of("/soc/button", 0, &q), 0);
	cr_assert_eq(q.intid, 32 + 615);
	cr_assert_eq(irq_of("/soc/button", 1, &q), -ENXIO);
}

Test(interrupt, parents_in_a_circle)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;

	for (int i = 0; i < 2; i++) {
		const char *path = i ? "/soc/gpc1" : "/soc/gpc0";

		fake_tree_add(fdt, "/soc", path + 5, "fsl,imx8mq-gpc");
		CELLS(fdt, path, "phandle", 77 + i);
		CELLS(fdt, path, "#interrupt-cells", 3);
		CELLS(fdt, path, "interrupt-parent", 78 - i);
	}
	CELLS(fdt, "/soc/eth@1000000", "interrupt-parent", 77);
	/* and one that is its own */
	CELLS(fdt, "/soc/gpio@30000", "interrupt-parent", FAKE_TREE_GPIO);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), -EINVAL);
	cr_assert_eq(irq_of("/soc/gpio", 0, &q), -ENXIO);
}

Test(interrupt, malformed)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;

	CELLS(fdt, "/soc/eth@1000000", "interrupts", 9, 40, 4);
	CELLS(fdt, "/soc/uart@0", "interrupts", 0, 100000, 4);
	CELLS(fdt, "/soc/button", "interrupts-extended", 1234, 1, 2);
	CELLS(fdt, "/soc/gpio@30000", "interrupts", 0, 50);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), -EINVAL);
	cr_assert_eq(irq_of("/soc/uart", 0, &q), -EINVAL);
	cr_assert_eq(irq_of("/soc/button", 0, &q), -EINVAL);
	cr_assert_eq(irq_of("/soc/gpio", 0, &q), -ENOENT);
	CELLS(fdt, "/intc@8000000", "#interrupt-cells", 0xffffffff);
	open_tree(fdt);
	cr_assert_eq(irq_of("/soc/eth", 0, &q), -EINVAL);
}

Test(interrupt, pci_map_row_by_row)
{
	void *fdt = fake_tree(3);
	struct dt_irq q;
	uint32_t pos = 0;

	open_tree(fdt);
	cr_assert_eq(dt_irq_map_next(t, node("/intc"), node("/pcie"), &pos, &q),
		     0);
	cr_assert_eq(q.intid, 35);
	cr_assert_eq(dt_irq_map_next(t, node("/intc"), node("/pcie"), &pos, &q),
		     0);
	cr_assert_eq(q.intid, 36);
	cr_assert_eq(dt_irq_map_next(t, node("/intc"), node("/pcie"), &pos, &q),
		     -ENOENT);
	/* cut off in a row; a parent that is not there */
	CELLS(fdt, "/pcie@10000000", "interrupt-map", 0, 0, 0, 1, 1, 0, 0, 0);
	open_tree(fdt);
	pos = 0;
	cr_assert_eq(dt_irq_map_next(t, node("/intc"), node("/pcie"), &pos, &q),
		     -EINVAL);
	CELLS(fdt, "/pcie@10000000", "interrupt-map", 0, 0, 0, 1, 99, 0, 0, 0);
	open_tree(fdt);
	cr_assert_eq(dt_irq_map_next(t, node("/intc"), node("/pcie"), &pos, &q),
		     -EINVAL);
}
