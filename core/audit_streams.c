/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The auditor: by whose tables the devices behind IOMMUs go, as the units
 * themselves have it.
 *
 * Locks   none across calls: iommu_inspect() looks at owner and unit under the
 *         locks of both.
 * Bounds  streams of one unit for which the same holds; only where something
 *         is wrong, all domains.
 */
#include "audit_priv.h"

#include <hv/iommu_dev.h>
#include <hv/page_alloc.h>

#define UNIT_SHIFT 32
#define COST 8u

/* The domain whose devices are to go by tables from @root on; or OWNER_NONE. */
static uint16_t domain_of(uint64_t root)
{
	struct domain *d = domain_next_get(0);
	uint16_t found = OWNER_NONE;

	while (d) { /* bound: MAX_DOMAINS, ids rise */
		domid_t next = (domid_t)(d->id + 1);
		struct iommu_space s;

		iommu_space_of(d, &s);
		if (s.root != 0 && s.root == root) {
			found = d->id;
		}
		domain_put(d);
		d = domain_next_get(next);
	}
	return found;
}

/* It has all of the domain's tables, in the domain's place in them. */
static bool is_form(const struct iommu_space *is, const struct iommu_space *s)
{
	return is->start_level == s->start_level && is->bits <= s->bits;
}

static const char *wrong_tables(const struct iommu_look *l, uint16_t *tables)
{
	const struct iommu_space *is = &l->is.by;

	if (l->owner != OWNER_NONE && is->root == l->must.root) {
		*tables = l->owner;
		if (is->tag != l->must.tag) {
			return "other-tag";
		}
		return is_form(is, &l->must) ? NULL : "other-form";
	}
	*tables = domain_of(is->root);
	if (*tables == OWNER_NONE) {
		return "left-behind";
	}
	return l->owner == OWNER_NONE ? "not-assigned" : "other-tables";
}

static const char *wrong_stream(const struct iommu_look *l, uint16_t *tables)
{
	if (l->other_owner != OWNER_NONE) {
		*tables = l->other_owner;
		return "of-two";
	}
	if (l->is.use == IOMMU_TRANSLATES) {
		return wrong_tables(l, tables);
	}
	if (l->is.use == IOMMU_REFUSES) {
		return l->owner == OWNER_NONE || l->is_dead ? NULL : "refused";
	}
	return l->is.use == IOMMU_PASSES ? "bypass" : "other-form";
}

uint32_t audit_streams(struct audit *a, struct domain *none)
{
	uint32_t unit = (uint32_t)(a->pos >> UNIT_SHIFT);
	uint32_t stream = (uint32_t)a->pos;
	uint16_t tables = OWNER_NONE;
	struct iommu_look l;
	const char *kind;

	(void)none;
	if (!iommu_inspect(unit, stream, &l)) {
		if (stream != 0) {
			a->next = (uint64_t)(unit + 1) << UNIT_SHIFT;
		}
		return 1;
	}
	a->next = a->pos + l.is.nr;
	if (l.owner != OWNER_NONE) {
		a->nr[AUDITED_STREAMS] += l.is.nr;
	}
	kind = wrong_stream(&l, &tables);
	if (kind) {
		const uint64_t v[] = { l.unit->base, stream, l.owner, tables };

		audit_found(a, AUDIT_STREAM, kind, v);
	}
	return COST;
}
