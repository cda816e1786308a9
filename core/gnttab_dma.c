/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables: what a domain has mapped, for its devices.
 *
 * Owns    the second mapping of a granted frame: where the machine has it.
 *         A direct-mapped domain tells its devices machine addresses; for a
 *         frame of another domain that is not the address where it mapped it.
 * Rule    the frame is mapped there while any record of it stands, with the
 *         strongest right of those.
 * Why     such an address is never the domain's own RAM: that stays its own
 *         also while it does not use it (p2m.h).
 * Locks   dma_lock (rank GRANT_DMA) makes a look at the records and the edit
 *         that follows one step.
 * Bounds  the records of one hash chain: at most all that the domain has, which
 *         is the control domain, and has paid for each.
 */
#include "gnttab_priv.h"

#include <lib/errno.h>

static struct spinlock dma_lock = SPINLOCK_INIT(GRANT_DMA);

/* @now: what is at @at. */
static int change_locked(struct domain *d, struct page *pg, gfn_t at,
			 uint8_t now, uint8_t want)
{
	int rc = now != P2M_NONE ? p2m_remove_grant(d, at, pg) : 0;

	if (rc || want == P2M_NONE) {
		return rc;
	}
	if (!page_get(pg)) {
		return -ENOMEM;
	}
	rc = p2m_map_page(d, at, pg, (enum p2m_type)want);
	if (rc) {
		page_put(pg);
	}
	return rc;
}

int gnttab_dma_update(struct domain *d, struct page *pg)
{
	gfn_t at = gfn(page_mfn(pg).v);
	struct p2m_entry e;
	uint8_t want;
	int rc = 0;

	spin_lock(&dma_lock);
	want = gnttab_track_type(d, pg);
	e = p2m_lookup(d, at);
	if (e.type != want || (want != P2M_NONE && e.mfn.v != at.v)) {
		rc = change_locked(d, pg, at, e.type, want);
	}
	spin_unlock(&dma_lock);
	return rc;
}
