/* SPDX-License-Identifier: Apache-2.0 */
/* The one builder of boot-time domains; its authors are dom0.c and others. */
#ifndef BOOT_DOM_BUILD_H
#define BOOT_DOM_BUILD_H

#include <hv/dom_config.h>
#include <hv/irqchip.h>
#include <hv/platform.h>

struct boot_mem;
struct domain;

/*
 * Memory that the allocator has at @host, claimed there and mapped at @ipa.
 * After an error what is not mapped is the allocator's again.
 */
__must_check int dom_build_ram(struct domain *d, uint64_t ipa,
			       const struct mem_range *host);
/* The same with static memory, which nobody else gets. */
__must_check int dom_build_static(struct domain *d, uint64_t ipa,
				  const struct mem_range *host);
/* Once, before there are domains: what they share is nobody's from now on. */
__must_check int dom_build_regions(void);
/* The regions that @m shares with others. -EEXIST: something is there. */
__must_check int dom_build_shared(struct domain *d, const struct boot_mem *m);
/* dom0's; one that does not fit is left out and not told of. */
void dom_build_dom0_shared(struct domain *d);
/* The interrupt controller's addresses are the machine's. */
void dom_host_gic(struct dom_config *cfg);
/* A device region of the machine, 1:1. */
__must_check int dom_build_mmio(struct domain *d, uint64_t start,
				uint64_t size);
/* A CPU for the next vCPU 0: one after the other, after dom0's. */
uint16_t dom_build_next_cpu(uint32_t nr_vcpus);
/* Asked for by bootscrub: nothing of an earlier run stays. */
void dom_build_scrub(const struct mem_range *r);
/* SPI of the machine, same number in the guest. */
__must_check int dom_build_spi(struct domain *d, uint32_t intid,
			       enum irq_trigger t);
/* All vCPUs; vCPU 0 starts at @entry with x0 = @fdt. */
__must_check int dom_build_vcpus(struct domain *d,
				 const struct dom_config *cfg, uint64_t entry,
				 uint64_t fdt);
/* The name of a domain whose node has this name; cfg->domid is known. */
void dom_build_name(struct dom_config *cfg, const char *name);
/* What the tree says of single vCPUs of domain @dom of it. -ENXIO, logged. */
__must_check int dom_build_affinity(struct domain *d, uint8_t dom);
/* dom_evtchn.c: the channels of the device tree, between whoever started. */
void dom_build_evtchns(void);

#endif
