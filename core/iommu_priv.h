/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/iommu*.c have together. */
#ifndef CORE_IOMMU_PRIV_H
#define CORE_IOMMU_PRIV_H

#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <hv/lock.h>

extern struct spinlock iommu_lock; /* rank IOMMU_DEV */
extern struct iommu *iommu_units[MAX_IOMMUS];
extern uint32_t iommu_nr_units;
extern struct iommu_device *iommu_devices; /* iommu_lock */
extern struct iommu_space iommu_spaces[IOMMU_TAGS]; /* by tag; iommu_lock */

/* What @dev has done so far is told of its owner, not of the next one. */
void iommu_hear_locked(const struct iommu_device *dev);

#endif
