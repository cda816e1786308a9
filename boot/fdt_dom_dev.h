/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the machine that the device tree gives to a domain. */
#ifndef BOOT_FDT_DOM_DEV_H
#define BOOT_FDT_DOM_DEV_H

#include <hv/platform.h>
#include "fdt_irq.h"
#include "fdt_util.h"

#define MAX_DEV_REGIONS 16u
#define MAX_DEV_IRQS 32u
#define MAX_DEV_IOMMU 32u
#define DEV_TREE_MAX 0x8000u /* bytes of a partial device tree */

struct dev_region { /* whole pages */
	uint64_t host;
	uint64_t guest;
	uint64_t size;
};

struct iommu_device;

struct boot_devices {
	const void *tree; /* the partial one; NULL: no devices */
	int passthrough;  /* its nodes, as libfdt counts */
	int aliases;      /* < 0: none */
	uint32_t gic_phandle; /* what it calls the guest's GIC; 0: nothing */
	struct dev_region region[MAX_DEV_REGIONS];
	uint32_t nr_regions;
	struct dt_irq irq[MAX_DEV_IRQS]; /* SPIs, same number in the guest */
	uint32_t nr_irqs;
	struct iommu_device *behind[MAX_DEV_IOMMU]; /* an SMMU's, of these */
	uint32_t nr_behind;
};

struct dev_request {
	const char *domain;       /* for messages */
	const void *tree;         /* from the loader: anything */
	uint64_t tree_size;
	struct dt *host;
	const struct platform *platform;
	const struct mem_range *used; /* guest addresses that are not free */
	uint32_t nr_used;
	uint32_t nr_spis;         /* that the guest has */
	uint32_t own_spi;         /* INTID of an emulated device; 0: none */
	bool has_dom0;            /* what is not marked is dom0's */
};

/* No domain has a device yet. */
void fdt_dev_reset(void);
/*
 * Read the partial tree, judge it, note that these devices are taken. -EINVAL,
 * -ENOSPC, -EBUSY: logged once; nothing is taken then.
 */
__must_check int fdt_dev_parse(const struct dev_request *q,
			       struct boot_devices *out);

/*
 * The pages that entry @n of "reg" of node @idx touches; as dt_reg(). Does
 * anything but that node and what is below, or RAM, have a part of @r?
 */
__must_check int fdt_dev_pages(struct dt *t, uint32_t idx, uint32_t n,
			       struct mem_range *out);
bool fdt_dev_is_shared(struct dt *t, const struct platform *p, uint32_t idx,
		       const struct mem_range *r);

struct fdt_writer;
/* Copy what the partial tree describes into the guest's. */
void fdt_dev_write(struct fdt_writer *w, const struct boot_devices *dev);

#endif
