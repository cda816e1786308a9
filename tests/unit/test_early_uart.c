/* SPDX-License-Identifier: Apache-2.0 */
// LINK: boot/early_uart.c
// CFLAGS: -include tests/fakes/fake_uart_port.h
// LIBS: -lfdt
/*
 * The console before anything is set up: which port a tree gives, whole or
 * damaged, and a text through a model of each kind's registers. The registers
 * are those of this process, so a found address is one that can be used.
 */
#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/early_uart.h"

#define FRAME 0x1000u
#define TREE_ROOM 4096

static _Alignas(FRAME) char frame[FRAME];

/* ---- a port -------------------------------------------------------------- */

/* What the manuals say, by offset of the register. */
static struct model {
	uint32_t data, status;
	uint32_t busy;          /* status when there is no room ... */
	uint32_t free;          /* ... and when there is */
	uint32_t enable;        /* a register: bits that must be set to send */
	uint32_t enabled, disabled; /* ... and that must not be */
	uint32_t enable2, enabled2;
	uint32_t width;
} model;

static uint32_t reg[FRAME / 4];
static uint32_t full_for; /* polls */
static char out[64];
static uint32_t nr_out, nr_polls;

static uint32_t offset_of(const volatile void *p, uint32_t width)
{
	uint32_t off = (uint32_t)((const volatile char *)p - frame);

	cr_assert_eq(width, model.width);
	cr_assert_lt(off, FRAME);
	cr_assert_eq(off % width, 0);
	return off;
}

static uint32_t get(uint32_t off)
{
	if (off != model.status) {
		return reg[off / 4];
	}
	nr_polls++;
	if (full_for) {
		full_for--;
		return model.busy;
	}
	return model.free;
}

static void put(uint32_t off, uint32_t v)
{
	if (off != model.data) {
		reg[off / 4] = v;
		return;
	}
	cr_assert_eq(full_for, 0, "a full FIFO is written");
	cr_assert_eq(reg[model.enable / 4] & model.enabled, model.enabled);
	cr_assert_eq(reg[model.enable / 4] & model.disabled, 0);
	cr_assert_eq(reg[model.enable2 / 4] & model.enabled2, model.enabled2);
	out[nr_out++] = (char)v;
	full_for = 3;
}

uint32_t mmio_read32(const volatile void *p)
{
	return get(offset_of(p, 4));
}

void mmio_write32(volatile void *p, uint32_t v)
{
	put(offset_of(p, 4), v);
}

uint8_t mmio_read8(const volatile void *p)
{
	return (uint8_t)get(offset_of(p, 1));
}

void mmio_write8(volatile void *p, uint8_t v)
{
	put(offset_of(p, 1), v);
}

/* ---- trees --------------------------------------------------------------- */

/* Of a tree with two ports in a bus that moves addresses. */
struct spec {
	const char *compatible; /* of the second one; several: "a|b" */
	const char *stdout_path;
	const char *status;     /* of the first one, an ns16550a */
	int shift, width;       /* properties; -1: none */
	uint64_t base;          /* of the second one; 0: frame */
	bool no_reg;
};

/* A name as it stands in the bus. */
static uint64_t bus_address(const struct spec *s)
{
	uint64_t base = s->base ? s->base : (uint64_t)(uintptr_t)frame;

	return base - 0x1000000;
}

static void add_port(void *fdt, const char *list, uint64_t at, bool no_reg)
{
	char name[48];
	char texts[64];
	int len = snprintf(texts, sizeof(texts), "%s", list) + 1;
	fdt64_t where[2];

	snprintf(name, sizeof(name), "serial@%llx", (unsigned long long)at);
	fdt_begin_node(fdt, name);
	if (!no_reg) {
		fdt64_st(&where[0], at);
		fdt64_st(&where[1], FRAME);
		fdt_property(fdt, "reg", where, sizeof(where));
	}
	for (char *p = strchr(texts, '|'); p; p = strchr(texts, '|')) {
		*p = 0;
	}
	fdt_property(fdt, "compatible", texts, len);
}

static void make_tree(void *fdt, const struct spec *s)
{
	uint64_t at = bus_address(s);
	uint64_t first = (at & ~0xffffull) + 0x40000;
	uint64_t map[] = { 0, 0x1000000, ~0ull >> 1 };
	fdt64_t ranges[3];
	char path[64];

	fdt_create(fdt, TREE_ROOM);
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_u32(fdt, "#address-cells", 2);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_begin_node(fdt, "secure-chosen");
	fdt_property_string(fdt, "stdout-path", "/nowhere");
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "chosen");
	if (s->stdout_path) {
		fdt_property_string(fdt, "stdout-path", s->stdout_path);
	}
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "soc@0");
	fdt_property_u32(fdt, "#address-cells", 2);
	fdt_property_u32(fdt, "#size-cells", 2);
	for (int i = 0; i < 3; i++) {
		fdt64_st(&ranges[i], map[i]);
	}
	fdt_property(fdt, "ranges", ranges, sizeof(ranges));
	add_port(fdt, "ns16550a", first, false);
	if (s->status) {
		fdt_property_string(fdt, "status", s->status);
	}
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "bus@5a000000");
	fdt_property_u32(fdt, "#address-cells", 2);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_property(fdt, "ranges", NULL, 0);
	add_port(fdt, s->compatible, at, s->no_reg);
	if (s->shift >= 0) {
		fdt_property_u32(fdt, "reg-shift", (uint32_t)s->shift);
	}
	if (s->width >= 0) {
		fdt_property_u32(fdt, "reg-io-width", (uint32_t)s->width);
	}
	fdt_begin_node(fdt, "bluetooth");
	fdt_property_string(fdt, "status", "disabled");
	fdt_end_node(fdt);
	fdt_end_node(fdt);
	fdt_end_node(fdt);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "aliases");
	snprintf(path, sizeof(path), "/soc@0/bus@5a000000/serial@%llx",
		 (unsigned long long)at);
	fdt_property_string(fdt, "serial10", "/nowhere");
	fdt_property_string(fdt, "serial1", path);
	fdt_end_node(fdt);
	fdt_end_node(fdt);
	fdt_finish(fdt);
}

static bool find(const struct spec *s, struct early_uart *u)
{
	static _Alignas(8) char tree[TREE_ROOM];

	memset(tree, 0, sizeof(tree));
	make_tree(tree, s);
	return early_uart_find((uintptr_t)tree, sizeof(tree), u);
}

/* ---- each kind ----------------------------------------------------------- */

static const struct model imx = {
	.data = 0x40, .status = 0xb4, .busy = 0x10, .free = 0x60,
	.enable = 0x80, .enabled = 1, .enable2 = 0x84, .enabled2 = 5,
	.width = 4,
};
static const struct model cadence = {
	.data = 0x30, .status = 0x2c, .busy = 0x10, .free = 0x08,
	.enable = 0x00, .enabled = 0x10, .disabled = 0x20, .width = 4,
};
static const struct model lpuart = {
	.data = 0x1c, .status = 0x14, .busy = 0, .free = 0x800000,
	.enable = 0x18, .enabled = 0x80000, .width = 4,
};
static const struct model pl011 = {
	.data = 0x00, .status = 0x18, .busy = 0x20, .free = 0x90, .width = 4,
};
static const struct model bytes = {
	.data = 0, .status = 5, .busy = 0, .free = 0x60, .width = 1,
};
static const struct model words = {
	.data = 0, .status = 0x14, .busy = 1, .free = 0x21, .width = 4,
};
static const struct model words_of_bytes = {
	.data = 0, .status = 0x14, .busy = 0, .free = 0x60, .width = 1,
};

static const struct {
	const char *compatible;
	const struct model *model;
	int shift, width;
} kinds[] = {
	{ "arm,pl011|arm,primecell", &pl011, -1, -1 },
	{ "arm,sbsa-uart", &pl011, -1, -1 },
	{ "fsl,imx8mp-uart|fsl,imx6q-uart", &imx, -1, -1 },
	{ "fsl,imx53-uart", &imx, -1, -1 },
	{ "fsl,imx25-uart|fsl,imx21-uart", &imx, -1, -1 },
	{ "xlnx,xuartps|cdns,uart-r1p12", &cadence, -1, -1 },
	{ "cdns,uart-r1p12|xlnx,xuartps", &cadence, -1, -1 },
	{ "cdns,uart-r1p8", &cadence, -1, -1 },
	{ "fsl,imx8qm-lpuart|fsl,imx8qxp-lpuart", &lpuart, -1, -1 },
	{ "fsl,imx93-lpuart|fsl,imx7ulp-lpuart", &lpuart, -1, -1 },
	{ "fsl,ns16550|ns16550a", &bytes, -1, -1 },
	{ "ns16550", &words_of_bytes, 2, -1 },
	{ "ns16550a", &words, 2, 4 },
	{ "rockchip,rk3399-uart|snps,dw-apb-uart", &words, 2, 4 },
	{ "snps,dw-apb-uart", &words_of_bytes, 2, 1 },
	{ "brcm,bcm2835-aux-uart", &words, -1, -1 },
	{ "nvidia,tegra210-uart|nvidia,tegra20-uart", &words, 2, -1 },
	{ "ti,am654-uart", &words, -1, -1 },
	/* Those of other ports are not obeyed. */
	{ "arm,pl011", &pl011, 0, 1 },
};

Test(early_uart, each_kind_sends)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct spec s = {
			.compatible = kinds[i].compatible,
			.stdout_path = "serial1:115200n8",
			.shift = kinds[i].shift, .width = kinds[i].width,
		};
		struct early_uart u;

		model = *kinds[i].model;
		memset(reg, 0, sizeof(reg));
		reg[model.enable / 4] = model.disabled | 0x100;
		memset(out, 0, sizeof(out));
		nr_out = 0;
		full_for = 5;
		cr_assert(find(&s, &u), "%s", s.compatible);
		cr_assert_eq(u.base, (uintptr_t)frame, "%s", s.compatible);
		cr_assert_not_null(strstr(s.compatible, u.compatible));
		early_uart_start(&u);
		for (const char *p = "EL1?\r\n"; *p; p++) {
			early_uart_put(&u, *p);
		}
		cr_assert_str_eq(out, "EL1?\r\n", "%s", s.compatible);
	}
}

Test(early_uart, bits_of_the_loader_stay)
{
	struct spec s = { "fsl,imx8qxp-lpuart", "serial1", NULL, -1, -1, 0, 0 };
	struct early_uart u;

	model = lpuart;
	reg[0x18 / 4] = 0x10000013; /* inverted, 9 bits, odd parity */
	cr_assert(find(&s, &u));
	early_uart_start(&u);
	cr_assert_eq(reg[0x18 / 4], 0x10080013);
}

Test(early_uart, a_port_that_never_has_room_ends)
{
	struct spec s = { "arm,pl011", "serial1", NULL, -1, -1, 0, 0 };
	struct early_uart u;

	model = pl011;
	cr_assert(find(&s, &u));
	full_for = 100000; /* as many polls as there may be */
	early_uart_put(&u, 'x');
	cr_assert_eq(nr_polls, 100000);
}

/* ---- which port ---------------------------------------------------------- */

Test(early_uart, which_port)
{
	static const struct {
		const char *stdout_path;
		const char *status;  /* of the first port, an ns16550a */
		bool second;
	} rows[] = {
		{ "serial1:115200n8", NULL, true },
		{ "serial1", "okay", true },
		{ "/soc@0/bus@5a000000/serial@5a060000:115200", NULL, true },
		{ "/soc@0/bus@5a000000/serial@5a060000", NULL, true },
		{ "/soc@0/bus/serial", NULL, true },
		{ NULL, "disabled", true },
		/* Nothing that can be followed: the first one. */
		{ NULL, NULL, false },
		{ "serial7", NULL, false },
		{ "serial", NULL, false },
		{ "serial10", NULL, false },
		{ "", NULL, false },
		{ "/", NULL, false },
		{ "/soc@0/bus@5a000000", NULL, false },
		{ "/soc@0/bus@5a000000/serial@5a06000", NULL, false },
		{ "/soc@0/bus@5a000000/serial@5a0600000", NULL, false },
		{ "/soc@0/bus@5a000000/serial@5a060000/bluetooth", NULL,
		  false },
	};
	struct early_uart u;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec s = {
			.compatible = "fsl,imx8qxp-lpuart",
			.stdout_path = rows[i].stdout_path,
			.status = rows[i].status,
			.shift = -1, .width = -1, .base = 0x5b060000,
		};

		cr_assert(find(&s, &u), "row %zu", i);
		cr_assert_eq(u.base, rows[i].second ? 0x5b060000 : 0x5b0a0000,
			     "row %zu: %llx", i, (unsigned long long)u.base);
	}
}

Test(early_uart, none)
{
	static const struct spec none[] = {
		{ "acme,uart", NULL, "disabled", -1, -1, 0x5b060000, false },
		{ "acme,uart", "serial1", "disabled", -1, -1, 0x5b060000, 0 },
		/* registers that cannot lie so */
		{ "ns16550a", NULL, "disabled", 5, -1, 0x5b060000, false },
		{ "ns16550a", NULL, "disabled", -1, 2, 0x5b060000, false },
		{ "ns16550a", NULL, "disabled", 2, 4, 0x5b060002, false },
	};
	static _Alignas(8) char tree[64];
	struct early_uart u;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		cr_assert_not(find(&none[i], &u), "row %zu", i);
	}
	cr_assert_not(early_uart_find((uintptr_t)tree + 1, 63, &u));
	cr_assert_not(early_uart_find((uintptr_t)tree, 63, &u));
	cr_assert_not(early_uart_find((uintptr_t)tree, 64, &u));
	memset(tree, 0xff, sizeof(tree));
	cr_assert_not(early_uart_find((uintptr_t)tree, 64, &u));
}

Test(early_uart, the_address_in_the_name_must_do)
{
	struct spec s = { "cdns,uart-r1p12", "serial1", NULL, -1, -1,
			  0x5b060000, true };
	struct early_uart u;

	cr_assert(find(&s, &u));
	cr_assert_eq(u.base, 0x5b060000);
}

/* ---- damage -------------------------------------------------------------- */

/* Under the address sanitizer: not a byte beyond @max, and always an end. */
Test(early_uart, any_damage)
{
	struct spec s = { "snps,dw-apb-uart", "serial1:115200", "disabled", 2,
			  4, 0x5b060000, false };
	static _Alignas(8) char whole[TREE_ROOM];
	uint32_t size;

	make_tree(whole, &s);
	size = fdt_totalsize(whole);
	srandom(1);
	for (uint32_t i = 0; i < 50000; i++) {
		uint32_t len = i & 1 ? size : 64 + (uint32_t)random() % size;
		uint32_t keep = len < size ? len : size;
		uint8_t *tree = malloc(len);
		struct early_uart u;

		memset(tree, 0, len);
		memcpy(tree, whole, keep);
		for (uint32_t n = (uint32_t)random() % 8; n; n--) {
			tree[(uint32_t)random() % keep] =
				(uint8_t)(random() % 3 ? random() % 8 :
							 random());
		}
		(void)early_uart_find((uintptr_t)tree, len, &u);
		free(tree);
	}
}

/* The names of properties are gone: the first that reads as a port. */
Test(early_uart, without_property_names)
{
	struct spec s = { "fsl,imx6q-uart", "serial1", "disabled", -1, -1,
			  0x5b060000, false };
	static _Alignas(8) char tree[TREE_ROOM];
	struct early_uart u;

	make_tree(tree, &s);
	memset(tree + fdt_off_dt_strings(tree), 0,
	       TREE_ROOM - fdt_off_dt_strings(tree));
	cr_assert(early_uart_find((uintptr_t)tree, sizeof(tree), &u));
	cr_assert_str_eq(u.compatible, "fsl,imx6q-uart");
	cr_assert_eq(u.base, 0x5a060000); /* nothing says where the bus is */
}
