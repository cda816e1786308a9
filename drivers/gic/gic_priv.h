/* SPDX-License-Identifier: Apache-2.0 */
/* What the list register drivers need of the line drivers. */
#ifndef GIC_PRIV_H
#define GIC_PRIV_H

#include <arch/gic.h>

void gicv2_set_active(uint32_t intid, bool active);
bool gicv2_is_pending(uint32_t intid);
void gicv3_set_active(uint32_t intid, bool active);
bool gicv3_is_pending(uint32_t intid);
/*
 * LPIs of @cpu, the caller, whose redistributor is @gicr at @gicr_pa. They stay
 * off when it has none, or has those of somebody else on for good.
 */
void its_init_cpu(uint16_t cpu, void *gicr, uint64_t gicr_pa);

#endif
