/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts of a device tree as INTIDs of the GIC. */
#ifndef BOOT_FDT_IRQ_H
#define BOOT_FDT_IRQ_H

#include <hv/irqchip.h>
#include "fdt_util.h"

struct dt_irq {
	uint32_t intid;
	enum irq_trigger trigger;
};

static inline bool dt_irq_is_ppi(const struct dt_irq *q)
{
	return (q->intid >= 16 && q->intid < 32) ||
	       (q->intid >= 1056 && q->intid < 1120);
}

/*
 * Interrupt @n of node @idx at the controller @gic, through interrupt-map
 * and through wake-up controllers that pass numbers on. -ENOENT: no such
 * entry; -ENXIO: another controller's; -EINVAL: malformed.
 */
__must_check int dt_irq(struct dt *t, uint32_t gic, uint32_t idx, uint32_t n,
			struct dt_irq *out);
/* The maintenance interrupt that @gic itself raises, at itself. */
__must_check int dt_irq_own(struct dt *t, uint32_t gic, struct dt_irq *out);
/*
 * Entry of "interrupt-map" of @idx at byte @pos, which moves to the next one.
 * -ENOENT: no more; -ENXIO: entry of another controller; -EINVAL: malformed.
 */
__must_check int dt_irq_map_next(struct dt *t, uint32_t gic, uint32_t idx,
				 uint32_t *pos, struct dt_irq *out);
/* The same; *child is what that entry is for: unit address and specifier. */
__must_check int dt_irq_map_row(struct dt *t, uint32_t gic, uint32_t idx,
				uint32_t *pos, const uint8_t **child,
				struct dt_irq *out);

#endif
