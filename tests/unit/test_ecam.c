/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration space is accessed by as many bytes as were asked for. */
#include <criterion/criterion.h>
#include <string.h>

#define ARCH_MMIO_ACCESS_H
#include <stdint.h>

static uint8_t reg[8];
static unsigned int widths; /* of the accesses, a digit each */

#define ACCESS(bits)                                                          \
	static uint##bits##_t mmio_read##bits(const volatile void *p)         \
	{                                                                     \
		widths = widths * 10 + (bits) / 8;                            \
		return *(const volatile uint##bits##_t *)p;                   \
	}                                                                     \
	static void mmio_write##bits(volatile void *p, uint##bits##_t v)      \
	{                                                                     \
		widths = widths * 10 + (bits) / 8;                            \
		*(volatile uint##bits##_t *)p = v;                            \
	}

ACCESS(8)
ACCESS(16)
ACCESS(32)

#include "drivers/pci/ecam.c"

Test(ecam, widths)
{
	ecam_write(reg + 4, 4, 0x11223344);
	ecam_write(reg + 2, 2, 0xffff5566);
	ecam_write(reg + 1, 1, 0xffffff77);
	cr_assert_eq(memcmp(reg, "\0\x77\x66\x55\x44\x33\x22\x11", 8), 0);
	cr_assert_eq(ecam_read(reg + 4, 4), 0x11223344);
	cr_assert_eq(ecam_read(reg + 2, 2), 0x5566);
	cr_assert_eq(ecam_read(reg + 1, 1), 0x77);
	cr_assert_eq(widths, 421421);
}
