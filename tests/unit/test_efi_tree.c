/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that the EFI stub hands on, read by libfdt; and broken ones. */
// LINK: boot/efi_tree.c boot/ranges.c lib/printf.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include <lib/errno.h>

#include "boot/efi_tree.h"
#include "fake_tree.h"

#define MIB UINT64_C(0x100000)
#define ROOM 0x20000u

static struct efi_memory m;
static struct efi_tree t;
static uint8_t out[ROOM] __attribute__((aligned(8)));
static uint8_t in[ROOM] __attribute__((aligned(8)));

static const struct efi_chosen chosen = {
	.kernel = { 0x50000000, 0x1234567 },
	.ramdisk = { 0x1234560000, 0x1000 },
	.options = "console=dtuart x",
	.kernel_args = "console=hvc0",
};

static void some_memory(void)
{
	m.ram = (struct ranges)RANGES_IN(m.ram_r);
	m.reserved = (struct ranges)RANGES_IN(m.reserved_r);
	cr_assert_eq(ranges_add(&m.ram, 0x40000000, 512 * MIB), 0);
	cr_assert_eq(ranges_add(&m.ram, 0x880000000, 64 * MIB), 0);
	cr_assert_eq(ranges_add(&m.reserved, 0x41000000, 0x5000), 0);
	cr_assert_eq(ranges_add(&m.reserved, 0x42000000, 0x1000), 0);
}

/* A tree with memory in two places, and /chosen when @with_chosen. */
static void begin_tree(uint32_t addr_cells, uint32_t size_cells)
{
	cr_assert_eq(fdt_create(in, ROOM), 0);
	fdt_add_reservemap_entry(in, 0x1000, 0x2000);
	fdt_finish_reservemap(in);
	fdt_begin_node(in, "");
	fdt_property_u32(in, "#address-cells", addr_cells);
	fdt_property_u32(in, "#size-cells", size_cells);
	fdt_property_string(in, "model", "a board");
	fdt_begin_node(in, "memory@1");
	fdt_property_string(in, "device_type", "memory");
	fdt_property_u64(in, "reg", 1);
	fdt_begin_node(in, "inner");
	fdt_end_node(in);
	fdt_end_node(in);
	fdt_begin_node(in, "cpus");
	fdt_property_u32(in, "#address-cells", 1);
	fdt_end_node(in);
	fdt_begin_node(in, "memory@2");
	fdt_property_string(in, "device_type", "memory");
	fdt_end_node(in);
	fdt_begin_node(in, "memory-controller");
	fdt_property_string(in, "compatible", "x,memory");
	fdt_end_node(in);
}

static void add_chosen(void)
{
	fdt_begin_node(in, "chosen");
	fdt_property_u32(in, "#address-cells", 1);
	fdt_property_string(in, "bootargs", "the firmware's");
	fdt_property_string(in, "stdout-path", "/uart");
	fdt_begin_node(in, "inner");
	fdt_property_string(in, "bootargs", "of another node");
	fdt_end_node(in);
	fdt_end_node(in);
}

static void end_tree(void)
{
	fdt_end_node(in);
	cr_assert_eq(fdt_finish(in), 0);
}

static int write_tree(const struct efi_chosen *c)
{
	cr_assert_eq(efi_tree_read(&t, in, ROOM), 0);
	cr_assert_leq(efi_tree_size(&t, c), ROOM);
	return efi_tree_write(&t, &m, c, out, efi_tree_size(&t, c));
}

static void expect_whole(void)
{
	cr_assert_eq(fdt_check_full(out, ROOM), 0);
}

static const char *string_at(const char *path, const char *name)
{
	return fdt_getprop(out, fdt_path_offset(out, path), name, NULL);
}

static void expect_reg(const char *path, uint64_t start, uint64_t size)
{
	const fdt64_t *reg;
	int len;

	reg = fdt_getprop(out, fdt_path_offset(out, path), "reg", &len);
	cr_assert_not_null(reg, "%s", path);
	cr_assert_geq(len, 16);
	cr_assert_eq(fdt64_ld(&reg[0]), start);
	cr_assert_eq(fdt64_ld(&reg[1]), size);
}

Test(efi_tree, memory_is_the_firmware_map_s)
{
	uint64_t start;
	uint64_t size;

	some_memory();
	begin_tree(2, 2);
	add_chosen();
	end_tree();
	cr_assert_eq(write_tree(NULL), 0);
	cr_assert(t.has_cpus && !t.has_modules);
	expect_whole();
	cr_assert_lt(fdt_path_offset(out, "/memory@1"), 0);
	cr_assert_lt(fdt_path_offset(out, "/memory@2"), 0);
	cr_assert_geq(fdt_path_offset(out, "/memory-controller"), 0);
	cr_assert_geq(fdt_path_offset(out, "/cpus"), 0);
	cr_assert_str_eq(string_at("/memory", "device_type"), "memory");
	expect_reg("/memory", 0x40000000, 512 * MIB);
	cr_assert_eq(fdt_num_mem_rsv(out), 2);
	cr_assert_eq(fdt_get_mem_rsv(out, 0, &start, &size), 0);
	cr_assert(start == 0x41000000 && size == 0x5000);
	cr_assert_str_eq(string_at("/chosen", "bootargs"), "the firmware's");
	cr_assert_str_eq(string_at("/", "model"), "a board");
}

static void expect_modules(void)
{
	static const char kernel[] = "multiboot,kernel\0multiboot,module";
	const char *c = string_at("/chosen/module@50000000", "compatible");

	expect_whole();
	expect_reg("/chosen/module@50000000", 0x50000000, 0x1234567);
	expect_reg("/chosen/module@1234560000", 0x1234560000, 0x1000);
	cr_assert_eq(memcmp(c, kernel, sizeof(kernel)), 0);
	cr_assert_str_eq(string_at("/chosen/module@50000000", "bootargs"),
			 "console=hvc0");
	cr_assert_null(string_at("/chosen/module@1234560000", "bootargs"));
	cr_assert_str_eq(string_at("/chosen", "bootargs"), "console=dtuart x");
	cr_assert_eq(fdt_address_cells(out, fdt_path_offset(out, "/chosen")),
		     2);
	/* The next loader, or we again, would see them. */
	cr_assert_eq(efi_tree_read(&t, out, ROOM), 0);
	cr_assert(t.has_modules);
}

Test(efi_tree, modules_of_our_own)
{
	some_memory();
	begin_tree(2, 2);
	add_chosen();
	end_tree();
	cr_assert_eq(write_tree(&chosen), 0);
	expect_modules();
	cr_assert_str_eq(string_at("/chosen", "stdout-path"), "/uart");
	cr_assert_str_eq(string_at("/chosen/inner", "bootargs"),
			 "of another node");
}

Test(efi_tree, chosen_is_made_when_it_is_not_there)
{
	some_memory();
	begin_tree(2, 2);
	end_tree();
	cr_assert_eq(write_tree(&chosen), 0);
	expect_modules();
}

Test(efi_tree, cells_that_cannot_say_it)
{
	some_memory();
	begin_tree(1, 1);
	end_tree();
	cr_assert_eq(write_tree(NULL), -ERANGE, "beyond 4 GiB");
	cr_assert_eq(ranges_remove(&m.ram, 0x880000000, 64 * MIB), 0);
	cr_assert_eq(write_tree(NULL), 0);
	expect_whole();
	begin_tree(3, 2);
	end_tree();
	cr_assert_eq(write_tree(NULL), -ERANGE);
}

Test(efi_tree, no_room)
{
	some_memory();
	begin_tree(2, 2);
	add_chosen();
	end_tree();
	cr_assert_eq(write_tree(&chosen), 0);
	for (uint32_t size = 0; size < fdt_totalsize(out); size += 3) {
		uint8_t *small = malloc(size ? size : 1);

		cr_assert_eq(efi_tree_write(&t, &m, &chosen, small, size),
			     -ENOSPC, "%u", size);
		free(small);
	}
}

/* The whole machine of the other tests survives the copy. */
Test(efi_tree, all_else_stays)
{
	void *fdt = fake_tree(3);
	int was = 0;
	int is = 0;

	some_memory();
	memcpy(in, fdt, fdt_totalsize(fdt));
	cr_assert_eq(write_tree(NULL), 0);
	expect_whole();
	for (int o = 0; o >= 0; o = fdt_next_node(fdt, o, NULL)) {
		const char *type = fdt_getprop(fdt, o, "device_type", NULL);

		was += !type || strcmp(type, "memory") != 0;
	}
	for (int o = 0; o >= 0; o = fdt_next_node(out, o, NULL)) {
		is++;
	}
	cr_assert_eq(is, was + 1);
}

/* Cut off anywhere, or with any byte wrong: refused, or a whole tree. */
Test(efi_tree, broken_trees)
{
	uint32_t size;

	some_memory();
	begin_tree(2, 2);
	add_chosen();
	end_tree();
	size = fdt_totalsize(in);
	for (uint32_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, in, cut);
		cr_assert_eq(efi_tree_read(&t, copy, cut), -EINVAL);
		free(copy);
	}
	for (uint32_t at = 0; at < size; at++) {
		static const uint8_t bad[] = { 0, 1, 3, 0x7f, 0xff };

		for (uint32_t n = 0; n < sizeof(bad); n++) {
			uint8_t *copy = malloc(size);

			memcpy(copy, in, size);
			copy[at] = bad[n];
			if (efi_tree_read(&t, copy, size) == 0) {
				(void)!efi_tree_write(&t, &m, &chosen, out,
						      ROOM);
			}
			free(copy);
		}
	}
}
