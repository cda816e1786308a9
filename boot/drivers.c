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
#include <arch/directmap.h>
#include <arch/gic.h>
#include <arch/its.h>
#include <arch/vgic_hw.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/irqchip.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
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

/* ---- ITS ----------------------------------------------------------------- */

/* A piece of memory of which parts are taken. */
struct room {
	uintptr_t at, end;
};

/* va == NULL: there is none. Powers of 2. */
static struct its_mem take(struct room *r, size_t size, size_t align)
{
	unsigned int order = ffs64(ITS_PEND_ALIGN >> PAGE_SHIFT);
	uintptr_t at = align_up(r->at, align);

	while (size > PAGE_SIZE << order) { /* bound: MAX_ORDER */
		order++;
	}
	if (at + size > r->end) {
		at = (uintptr_t)hv_alloc_pages(NULL, order);
		r->end = at + (PAGE_SIZE << order);
	}
	if (!at || !is_aligned(at, align)) {
		return (struct its_mem){ NULL, 0 };
	}
	r->at = at + size;
	return (struct its_mem){ (void *)at, hv_pa((void *)at).v };
}

/* Of what is aligned for a CPU's pending bits they take little. */
static int its_memory(const struct its_sizes *s, struct its_config *c,
		      uint32_t nr_cpus)
{
	struct room r = { 0, 0 };

	for (uint32_t i = 0; i < nr_cpus; i++) {
		c->pend[i] = take(&r, ITS_PEND_SIZE, ITS_PEND_ALIGN);
		if (!c->pend[i].va) {
			return -ENOMEM;
		}
	}
	c->queue = take(&r, ITS_QUEUE_SIZE, ITS_QUEUE_SIZE);
	c->config = take(&r, LPI_NR, LPI_NR);
	c->devices = take(&r, s->devices, s->devices);
	c->collections = take(&r, s->page, s->page);
	return c->queue.va && c->config.va && c->devices.va &&
		       c->collections.va ? 0 : -ENOMEM;
}

/* Without it the machine works, but for messages of devices. */
static void init_its(struct platform *p)
{
	static struct its_config its_config;
	struct its_config *c = &its_config;
	struct its_sizes sizes;
	void *regs = p->its.node ?
			     stage1_map_device(p->its.base, p->its.size) :
			     NULL;
	int rc = p->its.node && !regs ? -ENOMEM : 0;

	if (regs) {
		rc = its_probe(regs, &sizes);
	}
	if (regs && rc == 0) {
		rc = its_memory(&sizes, c, p->nr_cpus);
	}
	if (regs && rc == 0) {
		rc = its_start(c, p->nr_cpus);
	}
	if (rc) {
		log_warn("ITS at %#llx is left alone: error %d\n",
			 (unsigned long long)p->its.base, -rc);
		p->its.node = 0;
	}
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
		c.gicr[i].pa = p->gic.gicr[i].start;
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
	if (rc == 0) {
		init_its(&platform);
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
	arch_irq_join();
	return 0;
}
