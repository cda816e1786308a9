/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The physical interrupt controllers, for whoever chooses one at boot:
 *   GICv2: gicv2_init(), gich_init(); irqchip = &gicv2_irqchip,
 *          vgic_hw = &gich_vgic_hw.
 *   GICv3: gicv3_init(), ich_init(); irqchip = &gicv3_irqchip,
 *          vgic_hw = &ich_vgic_hw.
 * Then each CPU, the first one too: irqchip->init_cpu(), vgic_hw->init_cpu().
 */
#ifndef ARCH_GIC_H
#define ARCH_GIC_H

#include <lib/types.h>
#include <hv/irqchip.h>
#include <arch/vgic_hw.h>

#define GIC_MAX_CPUS 32u
#define GIC_MAX_REGIONS 8u

struct gic_region {
	void *base;
	size_t size;
	uint64_t pa;
};

struct gicv2_config {
	void *gicd;
	void *gicc;            /* 8 KiB: GICC_DIR is at 4 KiB; gicv2_frame() */
	const uint64_t *mpidr; /* of each CPU, by index; copied */
	uint32_t nr_cpus;      /* at most 8 */
};

struct gicv3_config {
	void *gicd;
	struct gic_region gicr[GIC_MAX_REGIONS];
	uint32_t nr_gicr;
	uint64_t gicr_stride;  /* 0: as GICR_TYPER tells */
	const uint64_t *mpidr; /* of each CPU, by index; copied */
	uint32_t nr_cpus;
};

/*
 * Where in @size bytes of a CPU interface its 8 KiB are in one piece: 0, or
 * 60 KiB where each 4 KiB are repeated.
 */
size_t gicv2_frame(void *gicc, size_t size);

/*
 * On the boot CPU. All SPIs are off, inactive, level-sensitive and routed to
 * it afterwards. -EINVAL; -ENODEV: not such a GIC, or a CPU without a
 * redistributor; -EIO: it does not answer.
 */
__must_check int gicv2_init(const struct gicv2_config *c);
__must_check int gicv3_init(const struct gicv3_config *c);

/*
 * QEMU's GICv2: a line that is high when a guest's EOI deactivates it by a
 * list register is not looked at until anything else happens at the GIC.
 * gicv2_look_again() is such a thing; any CPU, for all of them.
 */
extern bool gicv2_looks_once; /* set by gicv2_init() */
void gicv2_look_again(void);
/* With such a one, of the calling CPU (irq_again.c): */
void irq_again_soon(void);  /* a guest may run from now on */
void irq_again_leave(void); /* it goes off line, with IRQs masked */

/* List registers; fill in vgic_hw_caps. -ENODEV: no virtualization. */
__must_check int gich_init(void *gich);
__must_check int ich_init(void);

extern const struct irqchip gicv2_irqchip;
extern const struct irqchip gicv3_irqchip;
extern const struct vgic_hw gich_vgic_hw;
extern const struct vgic_hw ich_vgic_hw;

#endif
