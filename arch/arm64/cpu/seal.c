/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of boot: configuration becomes read-only, the pages of boot code
 * and boot data are unmapped and given to the allocator, the domains start.
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

static uint64_t pages_of_domains(void)
{
	uint64_t pages = 0;
	struct domain *d;

	for (d = domain_next_get(0); d; /* bound: MAX_DOMAINS, ids rise */
	     d = domain_next_get((domid_t)(d->id + 1))) {
		pages += d->tot_pages;
		domain_put(d);
	}
	return pages;
}

static void start_domains(void)
{
	struct domain *d;

	for (d = domain_next_get(0); d; /* bound: as above */
	     d = domain_next_get((domid_t)(d->id + 1))) {
		domain_start(d);
		domain_put(d);
	}
}

void seal(void)
{
	stage1_seal();
	give_back(boot_text_start, text_end);
	give_back(boot_rodata_start, rodata_end);
	give_back(boot_bss_start, bss_end);
	log_info("Memory for guests: %llu of %llu KiB\n",
		 (unsigned long long)(page_alloc_nr_free() +
				      pages_of_domains()) * 4,
		 (unsigned long long)page_alloc_nr_total() * 4);
	start_domains();
	arch_enter_scheduler();
}
