/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's drivers would reach on a machine: here it is not there. */
#include <stdlib.h>

#include <arch/stage1.h>
#include <hv/console.h>

void *stage1_map_device(uint64_t pa, uint64_t size)
{
	(void)pa;
	(void)size;
	return NULL;
}

void console_init(const struct uart *u, void *regs, uint32_t intid)
{
	(void)u;
	(void)regs;
	(void)intid;
	abort();
}

uint8_t mmio_read8(const volatile void *p)
{
	(void)p;
	abort();
}

uint32_t mmio_read32(const volatile void *p)
{
	(void)p;
	abort();
}

void mmio_write8(volatile void *p, uint8_t v)
{
	(void)p;
	(void)v;
	abort();
}

void mmio_write32(volatile void *p, uint32_t v)
{
	(void)p;
	(void)v;
	abort();
}
