/* SPDX-License-Identifier: Apache-2.0 */
/* Redistributors of a GICv3 guest, as vgic_v3_map() registers them. */
#ifndef VGICR_V3_H
#define VGICR_V3_H

#include <lib/types.h>

struct domain;

/* One pair of frames for each vCPU, from @base on. -ENOSPC, -EEXIST. */
__must_check int vgicr_v3_map(struct domain *d, uint64_t base);

#endif
