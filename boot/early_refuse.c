/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Started at the wrong exception level: say so on the first PL011 that the
 * device tree names, then stop. The search for it also serves boot.c when the
 * tree cannot be read otherwise.
 *
 * CPU     the boot CPU with the MMU off, wherever the image was loaded: code
 *         is position independent as compiled (adrp), but no pointer stored
 *         in data may be used, and accesses must be aligned. So not libfdt,
 *         which was compiled to reach its data through a table of addresses.
 * Spec    [DT] 5.4 "Structure block"; PrimeCell UART (PL011) UARTDR, UARTFR.
 */
#include "early_refuse.h"
#include <arch/mmio_access.h>
#include <lib/types.h>

#define UARTDR 0x00u
#define UARTFR 0x18u
#define UARTFR_TXFF (1u << 5)
#define TX_TRIES 100000u

static void put_char(uint64_t uart, char c)
{
	volatile void *fr = (volatile void *)(uintptr_t)(uart + UARTFR);
	uint32_t tries = TX_TRIES;

	while ((mmio_read32(fr) & UARTFR_TXFF) && --tries) {
		/* bound: TX_TRIES */
	}
	mmio_write32((volatile void *)(uintptr_t)(uart + UARTDR),
		     (uint32_t)(unsigned char)c);
}

static uint32_t be32(uint64_t at)
{
	return __builtin_bswap32(*(const uint32_t *)(uintptr_t)at);
}

static bool is_text(uint64_t at, const char *text)
{
	const char *p = (const char *)(uintptr_t)at;

	while (*text && *p == *text) {
		p++;
		text++;
	}
	return *p == *text;
}

/* [DT] 5.4 "Structure block" */
#define FDT_MAGIC_BE 0xd00dfeedu
#define HDR_OFF_STRUCT 8u
#define TAG_BEGIN_NODE 1u
#define TAG_PROP 3u
#define COMPATIBLE "arm,pl011"
#define FDT_MAX (2u << 20)

/* The number behind the '@' of a node's name; 0: none. */
static uint64_t unit_address(uint64_t name)
{
	const char *p = (const char *)(uintptr_t)name;
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

/* The word behind a node's name at @at, @end when it has no end. */
static uint64_t skip_name(uint64_t at, uint64_t end)
{
	while (at < end && (be32(at) & 0xff)) {
		at += 4; /* a name ends in a NUL's word */
	}
	return at < end ? at + 4 : end;
}

/*
 * A tree that is broken or cut off may have lost its property names: a value
 * that reads "arm,pl011" and the address in the node's name must do.
 */
uint64_t early_find_pl011(uint64_t fdt, uint64_t max)
{
	uint32_t off = (fdt & 3) ? FDT_MAX : be32(fdt + HDR_OFF_STRUCT);
	uint64_t size = max < FDT_MAX ? max : FDT_MAX;
	uint64_t end = fdt + size - sizeof(COMPATIBLE) - 12;
	uint64_t at = fdt + off;
	uint64_t name = 0;

	if (off >= size || (off & 3)) {
		return 0;
	}
	while (at < end) { /* bound: FDT_MAX, 4 bytes a step at least */
		uint32_t tag = be32(at);

		if (tag == TAG_BEGIN_NODE) {
			name = at + 4;
			at = skip_name(name, end);
		} else if (tag == TAG_PROP) {
			if (name && is_text(at + 12, COMPATIBLE)) {
				return unit_address(name);
			}
			at += 12 + (((uint64_t)be32(at + 4) + 3) & ~3ull);
		} else {
			at += 4;
		}
	}
	return 0;
}

void early_wrong_level(uint64_t fdt_pa, uint64_t current_el)
{
	static const char msg[] =
		"\r\nBulkhead must be started at EL2 (non-secure), but this "
		"CPU is at EL*.\r\nWith QEMU: -M virt,virtualization=on and "
		"without secure=on.\r\n";
	uint64_t uart;

	if ((fdt_pa & 3) || be32(fdt_pa) != FDT_MAGIC_BE) {
		return;
	}
	uart = early_find_pl011(fdt_pa, FDT_MAX);
	if (uart == 0) {
		return;
	}
	for (const char *p = msg; *p; p++) {
		put_char(uart, *p == '*' ?
				       (char)('0' + (current_el >> 2 & 3)) :
				       *p);
	}
}
