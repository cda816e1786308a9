/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of boot: configuration becomes read-only, the pages of boot code
 * and boot data are unmapped and given to the allocator, dom0 starts.
 *
 * Not     in boot/: it takes away the ground that boot/ stands on.
 * CPU     the boot CPU, once.
 */
#include <arch/stage1.h>
#include <arch/trap.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/page_alloc.h>
#include <hv/seal.h>

extern char boot_text_start[], text_end[], boot_rodata_start[], rodata_end[],
	boot_bss_start[], bss_end[];

static void give_back(const char *from, const char *to)
{
	uint64_t start = image_pa(from).v;
	uint64_t size = (uint64_t)(to - from);

	if (size && stage1_map_ram(start, size) == 0) {
		page_alloc_free_range(paddr(start), size);
	}
}

void seal(struct domain *first)
{
	stage1_seal();
	give_back(boot_text_start, text_end);
	give_back(boot_rodata_start, rodata_end);
	give_back(boot_bss_start, bss_end);
	log_info("Memory for guests: %llu of %llu KiB\n",
		 (unsigned long long)(page_alloc_nr_free() +
				      (first ? first->tot_pages : 0)) * 4,
		 (unsigned long long)page_alloc_nr_total() * 4);
	if (first) {
		domain_start(first);
	}
	arch_enter_scheduler();
}
