/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emulated device registers: which model answers for a guest address.
 *
 * Owns    d->mmio, sorted by start, without overlaps.
 * Not     the models, nor decoding the access.
 * Locks   none: the table is complete before the domain runs and const then.
 * Bounds  MMIO_MAX_RANGES steps a look-up; domains have three to five.
 */
#include <hv/mmio.h>

#include <hv/domain.h>
#include <lib/errno.h>

int mmio_register(struct domain *d, const struct mmio_range *r)
{
	struct mmio_table *t = &d->mmio;
	uint32_t at = 0;
	uint32_t i;

	if (r->size == 0 || r->size > UINT64_MAX - r->start || !r->fn) {
		return -EINVAL;
	}
	while (at < t->nr && t->range[at].start < r->start) {
		at++;
	}
	if (at > 0 &&
	    r->start - t->range[at - 1].start < t->range[at - 1].size) {
		return -EEXIST;
	}
	if (at < t->nr && t->range[at].start - r->start < r->size) {
		return -EEXIST;
	}
	if (t->nr == MMIO_MAX_RANGES) {
		return -ENOSPC;
	}
	for (i = t->nr; i > at; i--) {
		t->range[i] = t->range[i - 1];
	}
	t->range[at] = *r;
	t->nr++;
	return 0;
}

const struct mmio_range *mmio_find(const struct domain *d, ipa_t addr)
{
	const struct mmio_range *r = d->mmio.range;
	const struct mmio_range *end = r + d->mmio.nr;

	for (; r < end; r++) { /* bound: MMIO_MAX_RANGES */
		if (addr.v - r->start < r->size) {
			return r;
		}
	}
	return NULL;
}

__cold bool mmio_is_modelled(const struct domain *d, ipa_t start, uint64_t size)
{
	for (uint32_t i = 0; i < d->mmio.nr; i++) { /* bound: as above */
		const struct mmio_range *r = &d->mmio.range[i];

		if (start.v - r->start < r->size || r->start - start.v < size) {
			return true;
		}
	}
	return false;
}
