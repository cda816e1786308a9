/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LPI arrives: whose it is, and which one for that domain. The physical
 * LPIs are handed out in blocks, so it is one look-up of a table.
 *
 * Owns    which block of LPIs is whose.
 * Locks   the domain's vGIC lock. The table is read without one: an entry
 *         changes while all its LPIs are masked.
 * Storms  an LPI that waits already stays pending once. What has no event,
 *         or is for a vCPU that wants none, is dropped.
 * Bounds  O(1).
 * Spec    [GIC] "LPIs": edge-triggered, without an active state.
 */
#include <hv/trace.h>
#include "vgic_its.h"

struct vits *vits_of_block[LPI_NR / VGIC_NR_LPIS];

static bool is_wanted(const struct vits *s, const struct virq *q)
{
	uint32_t t = q->target;

	return s->enabled && t < s->d->max_vcpus &&
	       (__atomic_load_n(&s->lpis_on[t / 64], __ATOMIC_RELAXED) >>
			t % 64 & 1);
}

void vgic_take_lpi(uint32_t intid)
{
	uint32_t n = intid - LPI_FIRST;
	struct vits *s = NULL;

	if (n < LPI_NR) {
		s = __atomic_load_n(&vits_of_block[n / VGIC_NR_LPIS],
				    __ATOMIC_ACQUIRE);
	}
	if (unlikely(!s || !is_wanted(s, &s->lpi[n % VGIC_NR_LPIS]))) {
		trace_event(TRACE_IRQ_SPURIOUS, intid, 0, 0);
		return;
	}
	vgic_post_lpi(s->d, &s->lpi[n % VGIC_NR_LPIS]);
}
