/* SPDX-License-Identifier: Apache-2.0 */
/* What a device tree says of SMMUs and of the devices behind them. */
#ifndef BOOT_FDT_IOMMU_H
#define BOOT_FDT_IOMMU_H

#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <hv/platform.h>
#include "fdt_util.h"

struct dt_stream {
	uint32_t smmu; /* index of its node */
	uint32_t first;
	uint32_t nr;
};

/*
 * The streams of the accesses of node @idx, of a PCI host those of all
 * behind it. 0 and *nr (0: behind no SMMU); -EINVAL: malformed, or such that
 * it cannot be told; -ENOSPC: more than @max.
 */
__must_check int dt_streams(struct dt *t, uint32_t idx, struct dt_stream *out,
			    uint32_t max, uint32_t *nr);

/*
 * Bits of a stream of @smmu that say nothing: "stream-match-mask", or the
 * upper ones that all masks of "iommus" have. Left out of dt_streams().
 */
uint32_t dt_stream_mask(struct dt *t, uint32_t smmu);

struct dt_smmu {
	uint64_t base, size;
	uint32_t nr_irqs;
	uint32_t irq[IOMMU_MAX_IRQS]; /* INTIDs, each once */
	uint8_t irq_edge[IOMMU_MAX_IRQS];
	uint32_t nr_global_irqs;
	bool coherent;
};

/* -EINVAL: no registers, or an interrupt that is none. */
__must_check int dt_smmu(struct dt *t, uint32_t gic, uint32_t idx,
			 struct dt_smmu *out);

#endif
