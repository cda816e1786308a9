/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices behind IOMMUs as the auditor sees them: what a unit does with a
 * stream, and what it must do by whose its device is.
 *
 * Owns    nothing.
 * Not     the verdict (audit_streams.c), nor what is in the unit's memory (its
 *         driver's inspect()).
 * Locks   iommu_lock, the unit's, the P2M lock of an owner.
 * Bounds  all devices and their ranges, once for each look.
 */
#include <hv/iommu_dev.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/page_alloc.h>
#include "iommu_priv.h"

void iommu_space_of(struct domain *d, struct iommu_space *s)
{
	*s = (struct iommu_space){ .tag = d->iommu.tag };
	spin_lock(&d->p2m.lock);
	if (!d->p2m.dying) {
		arch_p2m_share(d, false, s);
	}
	spin_unlock(&d->p2m.lock);
}

/*
 * Stream @at of @dev is a function's that is away. The same is so for *@nr at
 * most from there on, which is lowered to that.
 */
static bool is_away_locked(const struct iommu_device *dev,
			   const struct iommu *u, uint32_t at, uint32_t *nr)
{
	const struct iommu_device *f = dev->functions;
	bool away = false;

	for (; f; f = f->next_function) { /* bound: PCI_FUNCTIONS */
		uint32_t far = f->stream[0].first - at;

		if (!f->away || f->stream[0].unit != u) {
			continue;
		}
		away |= far == 0;
		far = far == 0 ? 1 : far;
		*nr = far < *nr ? far : *nr;
	}
	return away;
}

/* Stream @at against one range of a device with an owner. */
static void look_at_range(struct iommu_look *l, const struct iommu_device *dev,
			  const struct stream_range *r, uint32_t at)
{
	uint32_t left = r->first > at ? r->first - at : r->nr - (at - r->first);

	if (r->unit != l->unit || (r->first <= at && at - r->first >= r->nr)) {
		return;
	}
	l->is.nr = left < l->is.nr ? left : l->is.nr;
	if (r->first > at || is_away_locked(dev, l->unit, at, &l->is.nr)) {
		return;
	}
	if (l->owner != OWNER_NONE && l->owner != dev->owner->id) {
		l->other_owner = dev->owner->id;
	}
	l->owner = dev->owner->id;
	iommu_space_of(dev->owner, &l->must);
}

static void inspect_locked(struct iommu_look *l, uint32_t stream)
{
	struct iommu *u = l->unit;
	const struct iommu_device *dev = iommu_devices;

	spin_lock(&u->lock);
	u->ops->inspect(u, stream, &l->is);
	l->is_dead = u->dead;
	spin_unlock(&u->lock);
	if (l->is.nr - 1 > u->max_stream - stream) {
		l->is.nr = u->max_stream - stream + 1;
	}
	for (; dev; dev = dev->next) { /* bound: all devices' ranges */
		for (uint32_t i = 0; dev->owner && i < dev->nr; i++) {
			look_at_range(l, dev, &dev->stream[i], stream);
		}
	}
}

bool iommu_inspect(uint32_t unit, uint32_t stream, struct iommu_look *l)
{
	struct iommu *u = unit < iommu_nr_units ? iommu_units[unit] : NULL;

	if (!u || stream > u->max_stream) {
		return false;
	}
	*l = (struct iommu_look){ .unit = u, .owner = OWNER_NONE,
				  .other_owner = OWNER_NONE };
	spin_lock(&iommu_lock);
	inspect_locked(l, stream);
	spin_unlock(&iommu_lock);
	return true;
}
