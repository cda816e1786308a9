/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices reach memory through an SMMU.
 *
 * Not     driving one.
 * Bounds  one visit per node.
 * Spec    Linux's bindings iommu.txt: iommus; pci-iommu.txt: iommu-map.
 */
#include "fdt_smmu.h"

#include "dom_nodes.h"

/* The SMMU that device @idx is behind; DT_NONE: it is behind none. */
static uint32_t smmu_of(struct dt *t, uint32_t idx)
{
	bool map = dt_has(t, idx, DT_IOMMU_MAP);
	uint32_t len;
	uint32_t to;
	const uint8_t *data;

	if (!map && !dt_has(t, idx, DT_IOMMUS)) {
		return DT_NONE;
	}
	data = dt_prop(t, idx, map ? DT_IOMMU_MAP : DT_IOMMUS, &len);
	if (!data || len < (map ? 8u : 4u)) {
		return DT_NONE;
	}
	to = dt_by_phandle(t, dt_be32(data + (map ? 4 : 0)));
	return to != DT_NONE && dom_node_is_smmu(t, to) ? to : DT_NONE;
}

void fdt_smmu_count(struct dt *t, struct smmu_count *out)
{
	static const char *const v3[] = { "arm,smmu-v3", NULL };
	uint32_t known[MAX_SMMUS];

	*out = (struct smmu_count){ 0 };
	if (!dt_has_any(t, DT_IOMMUS) && !dt_has_any(t, DT_IOMMU_MAP)) {
		return;
	}
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		uint32_t smmu = smmu_of(t, i);
		uint32_t n = 0;

		if (smmu == DT_NONE) {
			continue;
		}
		out->masters++;
		if (dt_is_available(t, smmu)) {
			out->usable++;
			out->mute += !dt_is_compatible(t, smmu, v3);
		}
		while (n < out->smmus && known[n] != smmu) {
			n++; /* bound: MAX_SMMUS */
		}
		if (n == out->smmus && n < MAX_SMMUS) {
			known[out->smmus++] = smmu;
		}
	}
}
