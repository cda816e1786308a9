/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's SMMUs and the devices behind them, at boot. */
#ifndef BOOT_IOMMU_H
#define BOOT_IOMMU_H

#include "fdt_util.h"

struct domain;
struct iommu;
struct iommu_device;

/* Drive what there is. Before it nothing is behind a unit that works. */
void boot_iommu_init(struct dt *t);
/* The device of that node of the machine's tree; NULL: behind no unit. */
struct iommu_device *boot_iommu_device(uint32_t node);
/* The unit of that node; NULL: nothing drives it. */
struct iommu *boot_iommu_unit(uint32_t node);
/* dom0 gets those that its tree shows; its memory is mapped already. */
void boot_iommu_dom0(struct domain *d);

#endif
