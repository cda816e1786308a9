/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console before anything is set up: which port, by one walk through the
 * tree as it lies in memory, and a character written to it.
 *
 * CPU     the boot CPU with the MMU off, wherever the image was loaded: code
 *         is position independent as compiled (adrp), but no pointer stored
 *         in data may be used, and accesses must be aligned. So not libfdt,
 *         which was compiled to reach its data through a table of addresses,
 *         and not drivers/uart. boot.c also uses it when nothing else can be
 *         read.
 * Bounds  FDT_MAX bytes of tree, TX_TRIES polls for room.
 * Spec    [DT] 2.3 "Standard Properties", 5.4 "Structure block"; the registers:
 *         those of drivers/uart.
 */
#include "early_uart.h"
#include <arch/mmio_access.h>
#include <lib/bits.h>

#define TX_TRIES 100000u
#define FDT_MAX (2u << 20)
#define MAX_DEPTH 8u /* nodes in each other; what is deeper is not looked at */

/* ---- ports --------------------------------------------------------------- */

enum { PL011, IMX, CADENCE, LPUART, NS8250, NS8250_WORDS };

/* Registers by offset; of the 8250 family by number. */
static const struct kind {
	uint8_t data;
	uint8_t status;
	uint8_t bit;     /* of status ... */
	uint8_t room;    /* ... is this when a character fits */
	uint8_t shift;
	uint8_t width;
	uint8_t set;     /* becomes set_to, if that is not 0 */
	uint8_t add;     /* ... gets the bits added, if there are any */
	uint32_t set_to;
	uint32_t added;
} kinds[] = {
	[PL011] = { 0x00, 0x18, 5, 0, 0, 4, 0, 0, 0, 0 },
	/* UCR1: UARTEN; UCR2: no reset, TXEN */
	[IMX] = { 0x40, 0xb4, 4, 0, 0, 4, 0x80, 0x84, BIT32(0),
		  BIT32(0) | BIT32(2) },
	/* CR: RXEN, TXEN */
	[CADENCE] = { 0x30, 0x2c, 4, 0, 0, 4, 0, 0, BIT32(2) | BIT32(4), 0 },
	/* CTRL: TE */
	[LPUART] = { 0x1c, 0x14, 23, 1, 0, 4, 0, 0x18, 0, BIT32(19) },
	[NS8250] = { 0, 5, 5, 1, 0, 1, 0, 0, 0, 0 },
	[NS8250_WORDS] = { 0, 5, 5, 1, 2, 4, 0, 0, 0, 0 },
};

static const struct {
	char compatible[23];
	uint8_t row;
} ports[] = {
	{ "arm,pl011", PL011 },
	{ "arm,sbsa-uart", PL011 },
	{ "fsl,imx6q-uart", IMX },
	{ "fsl,imx53-uart", IMX },
	{ "fsl,imx21-uart", IMX },
	{ "xlnx,xuartps", CADENCE },
	{ "cdns,uart-r1p12", CADENCE },
	{ "cdns,uart-r1p8", CADENCE },
	{ "fsl,imx8qxp-lpuart", LPUART },
	{ "fsl,imx7ulp-lpuart", LPUART },
	{ "ns16550a", NS8250 },
	{ "ns16550", NS8250 },
	{ "snps,dw-apb-uart", NS8250 },
	{ "brcm,bcm2835-aux-uart", NS8250_WORDS },
	{ "nvidia,tegra20-uart", NS8250_WORDS },
	{ "ti,am654-uart", NS8250_WORDS },
};

static uint32_t get(const struct early_uart *u, uint32_t nr)
{
	uint64_t at = u->base + ((uint64_t)nr << u->shift);
	const volatile void *p = (const volatile void *)(uintptr_t)at;

	return u->width == 4 ? mmio_read32(p) : mmio_read8(p);
}

static void put(const struct early_uart *u, uint32_t nr, uint32_t v)
{
	uint64_t at = u->base + ((uint64_t)nr << u->shift);
	volatile void *p = (volatile void *)(uintptr_t)at;

	if (u->width == 4) {
		mmio_write32(p, v);
	} else {
		mmio_write8(p, (uint8_t)v);
	}
}

void early_uart_start(const struct early_uart *u)
{
	const struct kind *k = &kinds[u->row];

	if (k->set_to) {
		put(u, k->set, k->set_to);
	}
	if (k->added) {
		put(u, k->add, get(u, k->add) | k->added);
	}
}

void early_uart_put(const struct early_uart *u, char c)
{
	const struct kind *k = &kinds[u->row];
	uint32_t tries = TX_TRIES;

	while ((get(u, k->status) >> k->bit & 1) != k->room && --tries) {
		/* bound: TX_TRIES */
	}
	put(u, k->data, (uint8_t)c);
}

/* ---- the tree ------------------------------------------------------------ */

#define HDR_OFF_STRUCT 8u
#define HDR_OFF_STRINGS 12u
#define TAG_BEGIN_NODE 1u
#define TAG_END_NODE 2u
#define TAG_PROP 3u
#define ABSENT 0xffu

/* What a node says of the addresses of those in it. */
struct bus {
	uint64_t ranges; /* address of the value */
	uint32_t ranges_size; /* bytes; 0: the parent's addresses */
	uint8_t address; /* cells */
	uint8_t size;
};

struct scan {
	uint64_t begin;    /* of the tree's structure block */
	uint64_t end;      /* a tag's three words before it can be read */
	uint64_t strings;
	const char *path;  /* of the port that is wanted; NULL: the first one */
	uint32_t depth;    /* nodes that are open */
	const char *rest[MAX_DEPTH]; /* of path, in each of them; NULL: off */
	struct bus bus[MAX_DEPTH];
	/* The innermost one, while its properties are read: */
	uint64_t name, reg;
	uint32_t reg_size; /* bytes */
	bool disabled;
	uint8_t shift, width;   /* ABSENT: as usual */
	struct early_uart port; /* compatible NULL: is none that we know */
};

static uint32_t be32(uint64_t at)
{
	return __builtin_bswap32(*(const uint32_t *)(uintptr_t)at);
}

static const char *text(uint64_t at)
{
	return (const char *)(uintptr_t)at;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) { /* bound: @a's NUL */
		a++;
		b++;
	}
	return *a == *b;
}

/* The word behind a node's name at @at, @end when it has no end. */
static uint64_t skip_name(uint64_t at, uint64_t end)
{
	while (at < end && (be32(at) & 0xff)) {
		at += 4; /* a name ends in a NUL's word */
	}
	return at < end ? at + 4 : end;
}

/* The tag behind the one at @at. */
static uint64_t next(uint64_t at, uint64_t end)
{
	uint32_t tag = be32(at);

	if (tag == TAG_BEGIN_NODE) {
		return skip_name(at + 4, end);
	}
	return tag == TAG_PROP ?
		       at + 12 + (((uint64_t)be32(at + 4) + 3) & ~3ull) :
		       at + 4;
}

/* Is this property called @name, which may end at a ':'? */
static bool is_called(const struct scan *s, uint64_t prop, const char *name)
{
	uint64_t at = s->strings + be32(prop + 8);

	while (at < s->end && *text(at) && *text(at) == *name) {
		at++;
		name++;
	}
	return at < s->end && *text(at) == 0 && (*name == 0 || *name == ':');
}

/* A property's value is a text, or several? */
static bool is_text(uint64_t prop)
{
	uint32_t size = be32(prop + 4);

	return size && *text(prop + 12 + size - 1) == 0;
}

/*
 * The first text of a property in a node of these names; NULL: there is none.
 * Names of nodes need not be unique, but nobody calls others so.
 */
static const char *find_text(const struct scan *s, const char *node,
			     const char *name)
{
	uint64_t then = s->begin;
	bool inside = false;

	/* bound: FDT_MAX, 4 bytes a step at least */
	for (uint64_t at = then; at < s->end; at = then) {
		uint32_t tag = be32(at);

		then = next(at, s->end);
		if (then >= s->end) {
			break;
		}
		if (tag == TAG_BEGIN_NODE) {
			inside = same(node, text(at + 4));
		} else if (tag == TAG_PROP && inside && is_text(at) &&
			   is_called(s, at, name)) {
			return text(at + 12);
		}
	}
	return NULL;
}

/* What is left of @path in the node of that name; NULL: leads elsewhere. */
static const char *enter(const char *path, const char *name)
{
	if (!path || *path++ != '/') {
		return NULL;
	}
	while (*name && *path == *name) { /* bound: the caller saw the NUL */
		path++;
		name++;
	}
	if (*name && *name != '@') {
		return NULL;
	}
	return *path == '/' || *path == ':' || *path == 0 ? path : NULL;
}

static uint64_t number(uint64_t at, uint32_t cells)
{
	uint64_t v = 0;

	for (; cells; cells--, at += 4) { /* bound: uint8_t */
		v = v << 32 | be32(at);
	}
	return v;
}

/* The number behind the '@' of a node's name; 0: none. */
static uint64_t unit_address(const char *p)
{
	uint64_t v = 0;

	while (*p && *p != '@') { /* bound: the caller has seen the NUL */
		p++;
	}
	for (; *p && p[1]; p++) {
		char c = p[1];

		if (c >= '0' && c <= '9') {
			v = v << 4 | (uint64_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		} else {
			break;
		}
	}
	return v;
}

/* An address of @bus as one of the bus above, of @cells. */
static uint64_t outwards(const struct bus *bus, uint32_t cells, uint64_t v)
{
	uint32_t step = 4u * (bus->address + cells + bus->size);
	uint64_t at = bus->ranges;

	for (uint32_t left = bus->ranges_size; step && left >= step;
	     left -= step, at += step) {
		uint64_t from = number(at, bus->address);
		uint64_t to = at + 4u * bus->address;

		if (v - from < number(to + 4u * cells, bus->size)) {
			return v - from + number(to, cells);
		}
	}
	return v;
}

/*
 * A tree that is broken or cut off may have lost its property names: a value
 * that reads as a "compatible" and the address in the node's name must do.
 */
static uint64_t address(const struct scan *s)
{
	uint32_t level = s->depth - 2; /* of the bus that it is on */
	uint32_t cells = s->bus[level].address;
	uint64_t v = cells && s->reg_size >= 4 * cells ?
			     number(s->reg, cells) :
			     unit_address(text(s->name));

	for (; level; level--) {
		v = outwards(&s->bus[level], s->bus[level - 1].address, v);
	}
	return v;
}

/* The innermost node's properties are all read: is it the one? */
static bool is_found(struct scan *s)
{
	struct early_uart *u = &s->port;
	const char *rest;

	if (s->depth < 2 || s->depth > MAX_DEPTH || !u->compatible) {
		return false;
	}
	rest = s->rest[s->depth - 1];
	if (s->path ? !rest || *rest == '/' : s->disabled) {
		return false;
	}
	u->shift = kinds[u->row].shift;
	u->width = kinds[u->row].width;
	if (u->row >= NS8250) {
		u->shift = s->shift == ABSENT ? u->shift : s->shift;
		u->width = s->width == ABSENT ? u->width : s->width;
	}
	u->base = address(s);
	return u->base && u->shift <= 4 &&
	       (u->width == 4 ? !(u->base & 3) : u->width == 1);
}

static void open_node(struct scan *s, uint64_t name)
{
	uint32_t level = s->depth++;

	s->name = name;
	s->reg_size = 0;
	s->disabled = false;
	s->shift = ABSENT;
	s->width = ABSENT;
	if (level >= MAX_DEPTH) {
		return;
	}
	s->bus[level] = (struct bus){ .address = 2, .size = 1 };
	s->rest[level] = level ? enter(s->rest[level - 1], text(name)) :
				 s->path;
}

/* "compatible", "status": by what they say. The first kind we know counts. */
static void read_texts(struct scan *s, uint64_t at, uint32_t size)
{
	uint64_t end = at + size;

	s->disabled |= same("disabled", text(at));
	while (at < end && !s->port.compatible) { /* bound: the value's size */
		for (uint32_t i = 0; i < ARRAY_SIZE(ports); i++) {
			if (same(ports[i].compatible, text(at))) {
				s->port.compatible = ports[i].compatible;
				s->port.row = ports[i].row;
				break;
			}
		}
		while (at < end && *text(at)) {
			at++;
		}
		at++;
	}
}

/* Of all properties those that matter. */
static void read_property(struct scan *s, uint64_t prop)
{
	struct bus *bus = &s->bus[s->depth - 1];
	uint32_t size = be32(prop + 4);
	uint64_t value = prop + 12;
	uint8_t small = size >= 4 ? (uint8_t)be32(value) : 0;

	if (is_text(prop)) {
		read_texts(s, value, size);
	}
	if (is_called(s, prop, "reg")) {
		s->reg = value;
		s->reg_size = size;
	} else if (is_called(s, prop, "ranges")) {
		bus->ranges = value;
		bus->ranges_size = size;
	} else if (is_called(s, prop, "#address-cells")) {
		bus->address = small;
	} else if (is_called(s, prop, "#size-cells")) {
		bus->size = small;
	} else if (is_called(s, prop, "reg-shift")) {
		s->shift = small;
	} else if (is_called(s, prop, "reg-io-width")) {
		s->width = small;
	}
}

static bool scan(struct scan *s)
{
	uint64_t then = s->begin;

	s->depth = 0;
	s->port.compatible = NULL;
	/* bound: FDT_MAX, 4 bytes a step at least */
	for (uint64_t at = then; at < s->end; at = then) {
		uint32_t tag = be32(at);

		then = next(at, s->end);
		if (then >= s->end) {
			break; /* what this is about ends outside */
		}
		if (tag == TAG_PROP && s->depth && s->depth <= MAX_DEPTH) {
			read_property(s, at);
		}
		if (tag != TAG_BEGIN_NODE && tag != TAG_END_NODE) {
			continue;
		}
		if (is_found(s)) {
			return true;
		}
		s->port.compatible = NULL;
		if (tag == TAG_BEGIN_NODE) {
			open_node(s, at + 4);
		} else if (s->depth) {
			s->depth--;
		}
	}
	return false;
}

bool early_uart_find(uint64_t fdt, uint64_t max, struct early_uart *u)
{
	uint64_t size = max < FDT_MAX ? max : FDT_MAX;
	struct scan s;
	uint32_t off;

	if ((fdt & 3) || size < 64) {
		return false;
	}
	off = be32(fdt + HDR_OFF_STRUCT);
	if ((off & 3) || off >= size) {
		return false;
	}
	s.begin = fdt + off;
	s.end = fdt + size - 12; /* a whole property's head is before it */
	s.strings = fdt + be32(fdt + HDR_OFF_STRINGS);
	s.path = find_text(&s, "chosen", "stdout-path");
	if (s.path && *s.path != '/') {
		s.path = find_text(&s, "aliases", s.path);
	}
	if (!s.path || !scan(&s)) {
		s.path = NULL;
		if (!scan(&s)) {
			return false;
		}
	}
	*u = s.port;
	return true;
}
