/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function behind a PCI host: its stream taken out of the host's, and put
 * back.
 *
 * Owns    .away of the devices that are functions.
 * Not     whose a device is otherwise (iommu.c): a function that is away is
 *         one like others, and assigned and returned like others.
 * Rule    from the host's owner to another domain and back it goes by nobody:
 *         nothing of one is under way when the other gets it.
 * Locks   iommu_lock, and the unit's around each call of its driver.
 * Bounds  the functions of one host: PCI_FUNCTIONS of core/pci.c.
 */
#include <hv/iommu_dev.h>

#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>
#include "iommu_priv.h"

/* Pages that a unit may need to tell one stream from its neighbours. */
#define SPLIT_ORDER 2u

static bool has_stream(const struct iommu_device *host,
		       const struct iommu *unit, uint32_t stream)
{
	for (uint32_t i = 0; i < host->nr; i++) {
		const struct stream_range *r = &host->stream[i];

		if (r->unit == unit && stream >= r->first &&
		    stream - r->first < r->nr) {
			return true;
		}
	}
	return false;
}

static bool is_known_locked(const struct iommu_device *host,
			    const struct iommu *unit, uint32_t stream)
{
	const struct iommu_device *f = host->functions;

	while (f && (f->stream[0].unit != unit ||
		     f->stream[0].first != stream)) {
		f = f->next_function; /* bound: PCI_FUNCTIONS */
	}
	return f != NULL;
}

int iommu_function_add(struct iommu_device *host, struct iommu *unit,
		       uint32_t stream, struct iommu_device *f)
{
	int rc = -EINVAL;

	spin_lock(&iommu_lock);
	if (has_stream(host, unit, stream) &&
	    !is_known_locked(host, unit, stream)) {
		f->of = host;
		f->nr = 1;
		f->stream[0] = (struct stream_range){ unit, stream, 1 };
		f->next_function = host->functions;
		host->functions = f;
		iommu_add_device(f);
		rc = 0;
	}
	spin_unlock(&iommu_lock);
	return rc;
}

/* A unit without memory for it would cut the neighbours off. */
static bool is_room(void)
{
	void *p = hv_alloc_pages(NULL, SPLIT_ORDER);

	if (p) {
		hv_free_pages(NULL, p, SPLIT_ORDER);
	}
	return p != NULL;
}

int iommu_function_take(struct domain *from, struct iommu_device *f)
{
	struct iommu *u = f->stream[0].unit;
	int rc = -EBUSY;

	if (!is_room()) {
		return -ENOMEM;
	}
	spin_lock(&iommu_lock);
	if (!f->away && f->of->owner == from) {
		if (from) {
			spin_lock(&u->lock);
			u->ops->detach(u, f->stream[0].first, 1,
				       &iommu_spaces[from->iommu.tag]);
			spin_unlock(&u->lock);
		}
		iommu_hear_locked(f);
		f->away = true;
		rc = 0;
	}
	spin_unlock(&iommu_lock);
	return rc;
}

static int attach_to(struct domain *to, struct iommu_device *f)
	REQUIRES(iommu_lock)
{
	struct iommu *u = f->stream[0].unit;
	int rc;

	if (!to) {
		return 0;
	}
	spin_lock(&u->lock);
	rc = u->dead ? -EIO
		     : u->ops->attach(u, f->stream[0].first, 1,
				      &iommu_spaces[to->iommu.tag]);
	spin_unlock(&u->lock);
	return rc;
}

int iommu_function_back(struct domain *to, struct iommu_device *f)
{
	int rc = -EBUSY;

	spin_lock(&iommu_lock);
	if (f->away && !f->owner && f->of->owner == to) {
		rc = attach_to(to, f);
		f->away = rc != 0;
	}
	spin_unlock(&iommu_lock);
	return rc;
}
