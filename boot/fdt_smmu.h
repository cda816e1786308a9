/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices of the machine's tree are behind an SMMU. */
#ifndef BOOT_FDT_SMMU_H
#define BOOT_FDT_SMMU_H

#include "fdt_util.h"

#define MAX_SMMUS 16u

struct smmu_count {
	uint32_t masters; /* devices, and PCI hosts for all of theirs */
	uint32_t usable;  /* of these: behind one that is not disabled */
	/*
	 * ... and that messages may not pass: whether others than SMMUv3 do
	 * ignore the access flag, which an ITS's doorbell has not, is untried.
	 */
	uint32_t mute;
	uint32_t smmus;   /* that they are behind, MAX_SMMUS at most */
};

void fdt_smmu_count(struct dt *t, struct smmu_count *out);

#endif
