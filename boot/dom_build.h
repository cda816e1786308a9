/* SPDX-License-Identifier: Apache-2.0 */
/* The one builder of boot-time domains; its authors are dom0.c and others. */
#ifndef BOOT_DOM_BUILD_H
#define BOOT_DOM_BUILD_H

#include <hv/dom_config.h>
#include <hv/irqchip.h>
#include <hv/platform.h>

struct domain;

/*
 * Memory that the allocator has at @host, claimed there and mapped at @ipa.
 * After an error what is not mapped is the allocator's again.
 */
__must_check int dom_build_ram(struct domain *d, uint64_t ipa,
			       const struct mem_range *host);
/* A device region of the machine, 1:1. */
__must_check int dom_build_mmio(struct domain *d, uint64_t start,
				uint64_t size);
/* SPI of the machine, same number in the guest. */
__must_check int dom_build_spi(struct domain *d, uint32_t intid,
			       enum irq_trigger t);
/* All vCPUs; vCPU 0 starts at @entry with x0 = @fdt. */
__must_check int dom_build_vcpus(struct domain *d,
				 const struct dom_config *cfg, uint64_t entry,
				 uint64_t fdt);
/* dom_evtchn.c: the channels of the device tree, between whoever started. */
void dom_build_evtchns(void);

#endif
