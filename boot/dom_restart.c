/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps what a domain was made of, so that core/restart.c can make it again:
 * boot's own code and the loader's images are gone by then.
 *
 * Owns    filling in d->restart.
 * CPU     the boot CPU; the domain is built and not published.
 * Bounds  work grows with the images.
 */
#include "dom_restart.h"

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Of @pages: whole blocks of 2 MiB, then one of each order below at most. */
static uint32_t nr_blocks(uint64_t pages)
{
	return (uint32_t)(pages >> ORDER_2M) + ORDER_2M;
}

static uint64_t pages_of(const struct dom_image *image)
{
	uint64_t end = align_up(image->ipa + image->size, PAGE_SIZE);

	return image->size ? (end >> PAGE_SHIFT) - (image->ipa >> PAGE_SHIFT)
			   : 0;
}

static int keep_block(struct domain *d, struct restart_block *b)
{
	b->va = hv_alloc_pages(d, b->order);
	if (!b->va) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < BIT64(b->order); i++) {
		struct page *pg = p2m_get_page(d, gfn(b->gfn + i), NULL);

		if (!pg) {
			return -ENOMEM;
		}
		memcpy((char *)b->va + i * PAGE_SIZE,
		       hv_va(mfn_to_paddr(page_mfn(pg))), PAGE_SIZE);
		page_put(pg);
	}
	return 0;
}

static int keep_image(struct domain *d, const struct dom_image *image)
{
	struct restart *r = d->restart;
	uint64_t g = image->ipa >> PAGE_SHIFT;
	uint64_t left = pages_of(image);
	int rc = 0;

	while (left && rc == 0) { /* bound: nr_blocks() */
		struct restart_block *b = &r->block[r->nr_blocks++];
		uint32_t order = fls64(left);

		b->gfn = g;
		b->order = order < ORDER_2M ? order : ORDER_2M;
		rc = keep_block(d, b);
		g += BIT64(b->order);
		left -= BIT64(b->order);
	}
	return rc;
}

static int keep_images(struct domain *d, const struct dom_image *images)
{
	struct restart *r = d->restart;
	uint32_t nr = 0;
	int rc = 0;

	for (uint32_t i = 0; i < DOM_NR_IMAGES; i++) {
		nr += nr_blocks(pages_of(&images[i]));
	}
	r->block = heap_alloc(d, nr * sizeof(*r->block));
	if (!r->block) {
		rc = -ENOMEM;
	}
	for (uint32_t i = 0; i < DOM_NR_IMAGES && rc == 0; i++) {
		rc = keep_image(d, &images[i]);
	}
	if (rc) {
		log_err("%s: not enough memory in one piece for the copy that "
			"a restart begins from\n",
			d->name);
	}
	return rc;
}

int dom_restart_make(struct domain *d, const struct restart_policy *policy,
		     const struct dom_image *images)
{
	struct restart *r = heap_alloc(NULL, sizeof(*r));

	if (!r) {
		return -ENOMEM;
	}
	r->policy = *policy;
	r->entry = d->vcpu[0]->arch.regs.pc;
	r->fdt = d->vcpu[0]->arch.regs.x[0];
	d->restart = r;
	restart_init(d);
	return images ? keep_images(d, images) : 0;
}

static int add_range(struct restart *r, const struct restart_range *range)
{
	if (r->nr_ram == RESTART_MAX_RANGES) {
		return -ENOSPC;
	}
	r->ram[r->nr_ram++] = *range;
	return 0;
}

int dom_restart_add_ram(struct domain *d, uint64_t ipa, uint64_t size)
{
	const struct restart_range range = {
		.gfn = ipa >> PAGE_SHIFT,
		.nr = size >> PAGE_SHIFT,
	};

	return add_range(d->restart, &range);
}

int dom_restart_add_shared(struct domain *d, uint64_t ipa,
			   const struct mem_range *host)
{
	const struct restart_range range = {
		.gfn = ipa >> PAGE_SHIFT,
		.nr = host->size >> PAGE_SHIFT,
		.mfn = host->start >> PAGE_SHIFT,
		.shared = true,
	};

	return add_range(d->restart, &range);
}
