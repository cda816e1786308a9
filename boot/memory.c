/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAM at boot: all of it into the direct map, a small share of each bank to
 * the hypervisor, the rest kept aside until dom0 has chosen.
 *
 * Owns    boot_free, the plan of what is still nobody's.
 * Not     the allocator (core/page_alloc.c).
 * CPU     the boot CPU.
 * Bounds  work grows with the number of ranges, not with memory.
 */
#include "boot.h"
#include "fdt_dom.h"
#include "modules.h"
#include <arch/stage1.h>
#include <hv/console.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define MIB UINT64_C(0x100000)
/* Beyond the frame table: heap, tables, stacks until boot is over. */
#define HV_SHARE (2 * MIB)
/* What an ITS needs: bits of each CPU, aligned so; queue and tables. */
#define ITS_SHARE_CPU (64 * UINT64_C(1024))

static struct mem_range free_r[MAX_RANGES] __noinit;
static struct mem_range mapped_r[MAX_RANGES] __noinit;
static struct mem_range no_heap_r[MAX_RANGES] __noinit;

struct ranges boot_free = RANGES_IN(free_r);
struct mem_range boot_dtb;
struct mem_range boot_image;

static struct ranges mapped = RANGES_IN(mapped_r);
static struct ranges no_heap = RANGES_IN(no_heap_r); /* and free */

/* The lowest range of @from in the bank that holds @size. */
static int give_share(struct ranges *from, const struct mem_range *bank,
		      uint64_t size)
{
	for (uint32_t i = 0; i < from->nr; i++) {
		struct mem_range r = from->r[i];

		if (r.start < bank->start ||
		    r.start >= bank->start + bank->size || r.size < size) {
			continue;
		}
		page_alloc_free_range(paddr(r.start), size);
		return ranges_remove(from, r.start, size);
	}
	return -ENOMEM;
}

/* Every page that @m touches is taken. */
static int leave_out(const struct mem_range *m)
{
	uint64_t s = align_down(m->start, PAGE_SIZE);
	uint64_t e = align_up(m->start + m->size, PAGE_SIZE);

	return m->size ? ranges_remove(&boot_free, s, e - s) : 0;
}

/* What domains alone get; it stays mapped for us. */
static int leave_out_static(const struct boot_mem *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->nr_banks && rc == 0; i++) {
		rc = leave_out(&m->bank[i]);
	}
	for (uint32_t i = 0; i < m->nr_shm && rc == 0; i++) {
		rc = leave_out(&m->shm[i].host);
	}
	return rc;
}

static int plan_free(const struct platform *p)
{
	int rc = 0;

	for (uint32_t i = 0; i < p->nr_banks && rc == 0; i++) {
		rc = ranges_add(&boot_free, p->bank[i].start, p->bank[i].size);
	}
	if (rc == 0) {
		rc = ranges_remove(&boot_free, boot_image.start,
				   boot_image.size);
	}
	/* The image has its own, W^X, mapping. */
	if (rc == 0) {
		rc = ranges_copy(&mapped, &boot_free);
	}
	for (uint32_t i = 0; i < p->nr_reserved && rc == 0; i++) {
		uint64_t s = align_down(p->reserved[i].start, PAGE_SIZE);
		uint64_t e = align_up(p->reserved[i].start +
					      p->reserved[i].size, PAGE_SIZE);

		rc = ranges_remove(&boot_free, s, e - s);
		if (rc == 0 && (p->reserved_flags[i] & RESERVED_NO_MAP)) {
			rc = ranges_remove(&mapped, s, e - s);
		}
	}
	if (rc == 0) {
		rc = ranges_remove(&boot_free, boot_dtb.start, boot_dtb.size);
	}
	for (uint32_t i = 0; i < p->nr_modules && rc == 0; i++) {
		const struct mem_range m = { .start = p->module[i].start,
					     .size = p->module[i].size };

		rc = leave_out(&m);
	}
	for (uint32_t i = 0; i < nr_boot_domains && rc == 0; i++) {
		const struct boot_domain *b = &boot_domains[i];

		rc = leave_out(&b->kernel);
		if (rc == 0) {
			rc = leave_out(&b->ramdisk);
		}
		if (rc == 0) {
			rc = leave_out(&b->dtb);
		}
		if (rc == 0 && !b->refused) {
			rc = leave_out_static(&b->mem);
		}
	}
	return rc ? rc : leave_out_static(&dom0_mem);
}

/* With a static heap all else stays nobody's, but for frame tables. */
static int keep_heap_only(void)
{
	int rc = nr_boot_heap ? ranges_copy(&no_heap, &boot_free) : 0;

	for (uint32_t i = 0; i < nr_boot_heap && rc == 0; i++) {
		rc = ranges_remove(&no_heap, boot_heap[i].start,
				   boot_heap[i].size);
	}
	for (uint32_t i = 0; i < no_heap.nr && rc == 0; i++) {
		rc = ranges_remove(&boot_free, no_heap.r[i].start,
				   no_heap.r[i].size);
	}
	return rc;
}

int boot_heap_add(struct ranges *to, uint64_t start, uint64_t size)
{
	int rc = nr_boot_heap ? 0 : ranges_add(to, start, size);

	for (uint32_t i = 0; i < nr_boot_heap && rc == 0; i++) {
		const struct mem_range *h = &boot_heap[i];
		uint64_t s = start > h->start ? start : h->start;
		uint64_t e = start + size < h->start + h->size ?
				     start + size : h->start + h->size;

		rc = s < e ? ranges_add(to, s, e - s) : 0;
	}
	return rc;
}

/* A bank without heap has its table in what is nobody's. */
static int give_shares(const struct mem_range *bank, uint64_t size)
{
	int rc = give_share(&boot_free, bank, size);

	rc = rc == -ENOMEM ? give_share(&no_heap, bank, size) : rc;
	if (rc) {
		log_err("memory bank %#llx: no room for its frame table\n",
			(unsigned long long)bank->start);
	}
	return rc;
}

static uint64_t hv_share(const struct platform *p)
{
	return HV_SHARE + (p->its.node ? align_up(p->nr_cpus * ITS_SHARE_CPU +
						  MIB / 4, MIB) : 0);
}

int boot_memory_init(const struct platform *p)
{
	int rc = plan_free(p);

	rc = rc ? rc : keep_heap_only();
	for (uint32_t i = 0; i < mapped.nr && rc == 0; i++) {
		rc = stage1_map_ram(mapped.r[i].start, mapped.r[i].size);
	}
	for (uint32_t i = 0; i < p->nr_banks && rc == 0; i++) {
		paddr_t start = paddr(p->bank[i].start);
		uint64_t table = page_alloc_table_size(start, p->bank[i].size);

		rc = page_alloc_add_bank(start, p->bank[i].size);
		if (rc == 0) {
			rc = give_shares(&p->bank[i],
					 align_up(table, MIB) +
						 (i == 0 ? hv_share(p) : 0));
		}
	}
	return rc;
}

void boot_memory_finish(void)
{
	for (uint32_t i = 0; i < boot_free.nr; i++) {
		page_alloc_free_range(paddr(boot_free.r[i].start),
				      boot_free.r[i].size);
	}
	ranges_clear(&boot_free);
}
