/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2's own address space (arch/layout.h), shared by all CPUs.
 *
 * Owns    hv_l0 and all below it; the device address allocator.
 * Not     the first mapping of the image, which start.S makes.
 * Locks   none: edited by the boot CPU before the others take work.
 * Bounds  RAM is mapped in 1 GiB and 2 MiB blocks where alignment permits.
 * Spec    [ARM] D8.2 "Translation process".
 */
#include <arch/stage1.h>
#include "pgtable.h"
#include <arch/barrier.h>
#include <arch/directmap.h>
#include <arch/layout.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/string.h>

#define S1_COMMON (PTE_AF | S1_AP1)
#define S1_RAM                                                                \
	(S1_COMMON | S1_ATTR_IDX(MAIR_NORMAL) | PTE_SH_INNER | S1_XN)
#define S1_DEVICE (S1_COMMON | S1_ATTR_IDX(MAIR_DEVICE) | S1_XN)

extern char image_start[], boot_text_start[], text_end[], boot_rodata_start[],
	rodata_end[], ro_after_boot_start[], ro_after_boot_end[],
	boot_bss_start[], bss_start[], sealed_end[], bss_end[];
extern uint64_t hv_l0[PT_ENTRIES];
extern uint64_t hv_l3[PT_ENTRIES]; /* the image, from its first page on */

/* In .data: start.S stores it before bss would be safe to use. */
uint64_t hv_load_address __attribute__((section(".data.ro_after_boot")));

/* Table pages until the frame allocator is up; then it gives them. */
#define POOL_PAGES 24u
static uint64_t pool[POOL_PAGES][PT_ENTRIES] __aligned(4096);
static unsigned int pool_used __attribute__((section(".data.ro_after_boot")));
static uint64_t device_next
	__attribute__((section(".data.ro_after_boot"))) = DEVICE_BASE;

paddr_t image_pa(const void *p)
{
	return paddr((uint64_t)(uintptr_t)p - HV_BASE + hv_load_address);
}

/* A table lies in the image (start.S, the pool) or in the direct map. */
static uint64_t *table_va(uint64_t pa)
{
	uint64_t off = pa - hv_load_address;

	if (off < (uint64_t)(bss_end - image_start)) {
		return (uint64_t *)(uintptr_t)(HV_BASE + off);
	}
	return hv_va(paddr(pa));
}

static uint64_t table_alloc(struct pgtable *t)
{
	void *va;

	(void)t;
	if (pool_used < POOL_PAGES) {
		return image_pa(pool[pool_used++]).v; /* bss: zeroed */
	}
	va = hv_alloc_pages(NULL, 0);
	return va ? hv_pa(va).v : 0;
}

static void table_free(struct pgtable *t, uint64_t pa)
{
	(void)t;
	(void)pa; /* boot-time tables are never freed */
}

static void sync_walkers(struct pgtable *t)
{
	(void)t;
	dsb(ishst);
	isb();
}

static void invalidate(struct pgtable *t, uint64_t addr)
{
	(void)t;
	__asm__ volatile("tlbi vae2is, %0" : : "r"(addr >> PAGE_SHIFT)
			 : "memory");
	dsb(ish);
	isb();
}

static const struct pgtable_env stage1_env = {
	.table_alloc = table_alloc,
	.table_free = table_free,
	.table_va = table_va,
	.sync = sync_walkers,
	.invalidate = invalidate,
};

static struct pgtable stage1 __attribute__((section(".data.ro_after_boot"))) = {
	.env = &stage1_env,
	.start_level = 0,
	.nr_roots = 1,
	.addr_bits = 48,
};

void stage1_init(void)
{
	stage1.root = image_pa(hv_l0).v;
}

int stage1_map_ram(uint64_t start, uint64_t size)
{
	return pgtable_map(&stage1, start + DIRECTMAP_BASE, start, size,
			   S1_RAM);
}

void *stage1_map_device(uint64_t pa, uint64_t size)
{
	uint64_t first = align_down(pa, PAGE_SIZE);
	uint64_t len = align_up(pa + size, PAGE_SIZE) - first;
	uint64_t va = device_next;

	if (len > DEVICE_BASE + DEVICE_SIZE - va) {
		return NULL;
	}
	/* Keep the offset in 2 MiB, so that large regions use blocks. */
	if (len >= BIT64(21)) {
		va = align_up(va, BIT64(21)) + (first & (BIT64(21) - 1));
	}
	if (pgtable_map(&stage1, va, first, len, S1_DEVICE)) {
		return NULL;
	}
	device_next = va + len;
	return (void *)(uintptr_t)(va + (pa - first));
}

const void *stage1_map_fdt(uint64_t pa)
{
	/* Before stage1_init: the L1 of start.S and one L2 of our own. */
	static uint64_t fdt_l2[PT_ENTRIES] __aligned(4096);
	extern uint64_t hv_l1[PT_ENTRIES];
	uint64_t block = align_down(pa, BIT64(21));

	fdt_l2[0] = block | S1_RAM | S1_RO | PTE_VALID;
	fdt_l2[1] = (block + BIT64(21)) | S1_RAM | S1_RO | PTE_VALID;
	hv_l1[(FDT_BASE >> 30) & (PT_ENTRIES - 1)] =
		image_pa(fdt_l2).v | PTE_TABLE | PTE_VALID;
	sync_walkers(NULL);
	return (const void *)(uintptr_t)(FDT_BASE + (pa - block));
}

int stage1_map_percpu(uint64_t va, uint64_t pa, uint64_t size)
{
	return pgtable_map(&stage1, va, pa, size, S1_RAM);
}

static void unmap_image(const char *from, const char *to)
{
	uint64_t i = (uint64_t)(from - image_start) / PAGE_SIZE;

	for (; i < (uint64_t)(to - image_start) / PAGE_SIZE; i++) {
		hv_l3[i] = 0;
	}
}

static void make_read_only(const char *from, const char *to)
{
	int rc = pgtable_protect(&stage1, (uint64_t)(uintptr_t)from,
				 (uint64_t)(to - from), 0, S1_RO);

	CHECK(rc == 0);
}

void stage1_identity(bool on)
{
	extern uint64_t hv_id_l1[PT_ENTRIES]; /* filled in by start.S */

	hv_l0[(hv_load_address >> 39) & (PT_ENTRIES - 1)] =
		on ? image_pa(hv_id_l1).v | PTE_TABLE | PTE_VALID : 0;
	dsb(ishst);
	__asm__ volatile("tlbi alle2is" : : : "memory");
	dsb(ish);
	isb();
}

void stage1_seal(void)
{
	extern uint64_t hv_l1[PT_ENTRIES];

	/* The identity map of the first instructions, the loader's tree. */
	hv_l0[(hv_load_address >> 39) & (PT_ENTRIES - 1)] = 0;
	hv_l1[(FDT_BASE >> 30) & (PT_ENTRIES - 1)] = 0;
	unmap_image(boot_rodata_start, rodata_end);
	unmap_image(boot_bss_start, bss_end);
	make_read_only(ro_after_boot_start, ro_after_boot_end);
	make_read_only(bss_start, sealed_end);
	unmap_image(boot_text_start, text_end);
	dsb(ishst); /* the tables before what the walks remember */
	__asm__ volatile("tlbi alle2is" : : : "memory");
	dsb(ish);
	isb();
}
