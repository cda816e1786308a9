/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims: free frames set aside for one domain, so that what a toolstack has
 * seen free is still there when it builds the domain.
 *
 * Owns    d->claimed_pages and their sum.
 * Not     the frames: which ones it will be is decided when they are taken
 *         (page_alloc.c asks here whether there are enough).
 * Rule    the sum is never more than what is free.
 * Locks   page_lock.
 * Spec    [XEN] memory.h XENMEM_claim_pages.
 */
#include "page_priv.h"

#include <hv/domain.h>
#include <lib/errno.h>

uint64_t page_nr_claimed;

uint64_t claim_part_locked(const struct domain *d, uint64_t nr)
{
	uint64_t own = d ? d->claimed_pages : 0;

	return own < nr ? own : nr;
}

void claim_reduce_locked(struct domain *d, uint64_t nr)
{
	if (nr != 0) {
		d->claimed_pages -= nr;
		page_nr_claimed -= nr;
	}
}

uint64_t page_alloc_nr_claimed(void)
{
	uint64_t nr;

	spin_lock(&page_lock);
	nr = page_nr_claimed;
	spin_unlock(&page_lock);
	return nr;
}

static int claim_locked(struct domain *d, uint64_t total) REQUIRES(page_lock)
{
	uint64_t now = __atomic_load_n(&d->tot_pages, __ATOMIC_RELAXED);
	uint64_t max = __atomic_load_n(&d->max_pages, __ATOMIC_RELAXED);

	/* Tear-down gives the claim up after it has set the state. */
	if (d->claimed_pages != 0 || total <= now || total > max ||
	    __atomic_load_n(&d->state, __ATOMIC_SEQ_CST) >= DOM_DYING) {
		return -EINVAL;
	}
	if (total - now > page_nr_free - page_nr_claimed) {
		return -ENOMEM;
	}
	d->claimed_pages = total - now;
	page_nr_claimed += total - now;
	return 0;
}

int page_claim(struct domain *d, uint64_t total)
{
	int rc;

	spin_lock(&page_lock);
	rc = claim_locked(d, total);
	spin_unlock(&page_lock);
	return rc;
}

void page_unclaim(struct domain *d)
{
	spin_lock(&page_lock);
	claim_reduce_locked(d, d->claimed_pages);
	spin_unlock(&page_lock);
}
