/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity map, 39-bit, 4 KiB granule. RAM named by the device tree and the
 * console's ring are Normal write-back inner-shareable (the hypervisor maps
 * hypercall buffers the same way), everything else below 256 GiB is device
 * memory. One 2 MiB window of single pages serves tests that need pages to be
 * absent or read-only. Tables are written with the MMU off by the boot CPU
 * and shared by all.
 */
#include "guest.h"

#define NR_L2		8u
#define DESC_TABLE	3u
#define DESC_BLOCK	1u
#define DESC_PAGE	3u
#define DESC_AF		(UINT64_C(1) << 10)
#define DESC_ISH	(UINT64_C(3) << 8)
#define DESC_RO		(UINT64_C(2) << 6)
#define DESC_USER	(UINT64_C(1) << 6)
#define DESC_XN		(UINT64_C(3) << 53)
#define ATTR_NORMAL	(DESC_AF | DESC_ISH | (0u << 2))
#define ATTR_DEVICE	(DESC_AF | DESC_XN | (1u << 2))
#define MAIR		UINT64_C(0x00ff)	/* 1: nGnRnE, 0: WB RWA */
#define GIB		(UINT64_C(1) << 30)
#define BLOCK2M		(UINT64_C(1) << 21)

typedef uint64_t table_t[512] __attribute__((aligned(4096)));

static table_t l1;
static table_t l2[NR_L2];
static table_t window_l2;
static table_t window_l3;
static unsigned int l2_used;

static uint64_t *l2_of(uint64_t addr)
{
	uint64_t *e = &l1[addr / GIB];
	uint64_t base = addr & ~(GIB - 1);
	uint64_t *t;
	unsigned int i;

	if ((*e & 3) == DESC_TABLE) {
		return (uint64_t *)(uintptr_t)(*e & ~UINT64_C(4095));
	}
	if (l2_used == NR_L2) {
		return NULL;
	}
	t = l2[l2_used++];
	for (i = 0; i < 512; i++) {
		t[i] = (base + i * BLOCK2M) | ATTR_DEVICE | DESC_BLOCK;
	}
	*e = PTR(t) | DESC_TABLE;
	return t;
}

static void map_ram(struct range r)
{
	uint64_t a;

	for (a = r.base & ~(BLOCK2M - 1); a < r.base + r.size; a += BLOCK2M) {
		uint64_t *t = l2_of(a);

		if (t) {
			t[a / BLOCK2M % 512] = a | ATTR_NORMAL | DESC_BLOCK;
		}
	}
}

void mmu_init(void)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		l1[i] = i * GIB | ATTR_DEVICE | DESC_BLOCK;
	}
	for (i = 0; i < machine.nr_ram; i++) {
		map_ram(machine.ram[i]);
	}
	if (machine.console) {
		map_ram((struct range){ machine.console, PAGE_SIZE });
	}
	l1[MAP_WINDOW / GIB] = PTR(window_l2) | DESC_TABLE;
	window_l2[0] = PTR(window_l3) | DESC_TABLE;
	dsb();
}

void mmu_enable(void)
{
	uint64_t parange = sysreg_read(id_aa64mmfr0_el1) & 7;

	sysreg_write(mair_el1, MAIR);
	/* T0SZ 25, WB walks, inner-shareable, no TTBR1, PA size as offered */
	sysreg_write(tcr_el1, 25u | 1u << 8 | 1u << 10 | 3u << 12 |
			      1u << 23 | parange << 32);
	sysreg_write(ttbr0_el1, PTR(l1));
	isb();
	asm volatile("tlbi vmalle1\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb"
		     ::: "memory");
	/* RES1 of Armv8.0, stack check, M, C, I */
	sysreg_write(sctlr_el1, 0x30d00800u | 1u | 4u | 8u | 1u << 12);
	isb();
}

void mmu_window(unsigned int page, uint64_t pa, unsigned int how)
{
	uint64_t e = pa | DESC_PAGE;

	e |= how & MAP_DEVICE ? ATTR_DEVICE : ATTR_NORMAL;
	e |= how & MAP_RO ? DESC_RO : 0;
	e |= how & MAP_USER ? DESC_USER : 0;
	window_l3[page] = 0;
	dsb();
	asm volatile("tlbi vmalle1is\n\tdsb sy\n\tisb" ::: "memory");
	window_l3[page] = how & MAP_NONE ? 0 : e;
	dsb();
	isb();
}

/* The 2 MiB after the window are translated by a table at this address. */
void mmu_table_at(uint64_t pa)
{
	window_l2[1] = pa | DESC_TABLE;
	dsb();
	asm volatile("tlbi vmalle1is\n\tdsb sy\n\tisb" ::: "memory");
}

uint64_t ram_top(void)
{
	unsigned int i;

	for (i = 0; i < machine.nr_ram; i++) {
		struct range r = machine.ram[i];

		if (PTR(l1) - r.base < r.size) {
			return r.base + r.size;
		}
	}
	return 0;
}
