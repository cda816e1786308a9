/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drivers of interrupt controllers: which one serves what the device tree
 * names, and their registers mapped.
 *
 * Not     the console's (boot/console_uart.c).
 * CPU     the boot CPU.
 */
#include "boot.h"
#include <arch/stage1.h>
#include <arch/gic.h>
#include <arch/vgic_hw.h>
#include <hv/console.h>
#include <hv/irqchip.h>
#include <lib/errno.h>

static int init_gicv2(const struct platform *p)
{
	struct gicv2_config c = {
		.gicd = stage1_map_device(p->gic.gicd_base, p->gic.gicd_size),
		.gicc = stage1_map_device(p->gic.gicc_base, p->gic.gicc_size),
		.mpidr = p->cpu_mpidr,
		.nr_cpus = p->nr_cpus,
	};
	void *gich = stage1_map_device(p->gic.gich_base, p->gic.gich_size);
	int rc;

	if (!c.gicd || !c.gicc || !gich) {
		return -ENOMEM;
	}
	platform.gic.frame = gicv2_frame(c.gicc, p->gic.gicc_size);
	c.gicc = (char *)c.gicc + platform.gic.frame;
	rc = gicv2_init(&c);
	if (rc == 0) {
		rc = gich_init(gich);
	}
	irqchip = &gicv2_irqchip;
	vgic_hw = &gich_vgic_hw;
	return rc;
}

static int init_gicv3(const struct platform *p)
{
	struct gicv3_config c = {
		.gicd = stage1_map_device(p->gic.gicd_base, p->gic.gicd_size),
		.nr_gicr = p->gic.nr_gicr,
		.gicr_stride = p->gic.gicr_stride,
		.mpidr = p->cpu_mpidr,
		.nr_cpus = p->nr_cpus,
	};
	int rc;

	for (uint32_t i = 0; i < p->gic.nr_gicr; i++) {
		c.gicr[i].base = stage1_map_device(p->gic.gicr[i].start,
						   p->gic.gicr[i].size);
		c.gicr[i].size = p->gic.gicr[i].size;
		if (!c.gicr[i].base) {
			return -ENOMEM;
		}
	}
	if (!c.gicd) {
		return -ENOMEM;
	}
	rc = gicv3_init(&c);
	if (rc == 0) {
		rc = ich_init();
	}
	irqchip = &gicv3_irqchip;
	vgic_hw = &ich_vgic_hw;
	return rc;
}

int boot_irqchip_init(const struct platform *p)
{
	int rc = p->gic.version == 3 ? init_gicv3(p) : init_gicv2(p);

	if (rc) {
		log_err("GICv%u at %#llx does not work: error %d\n",
			p->gic.version, (unsigned long long)p->gic.gicd_base,
			-rc);
		return rc;
	}
	irqchip->init_cpu();
	vgic_hw->init_cpu();
	return 0;
}
