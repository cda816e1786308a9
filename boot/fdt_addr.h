/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of a device tree as the CPUs see them. */
#ifndef BOOT_FDT_ADDR_H
#define BOOT_FDT_ADDR_H

#include <hv/platform.h>
#include "fdt_util.h"

/*
 * Entry @n of "reg" of node @idx, translated. -ENOENT: no such entry; -ENXIO:
 * a number that is no CPU address (I2C address, CPU id); -EINVAL: malformed.
 */
__must_check int dt_reg(struct dt *t, uint32_t idx, uint32_t n,
			struct mem_range *out);
/* As dt_reg, untranslated. */
__must_check int dt_reg_raw(struct dt *t, uint32_t idx, uint32_t n,
			    struct mem_range *out);
/*
 * @addr on the bus that node @bus provides, to a CPU address. -ENXIO: the bus
 * is not memory mapped there.
 */
__must_check int dt_translate(struct dt *t, uint32_t bus, uint64_t addr,
			      uint64_t *out);
/*
 * Window @n of a PCI host bridge's "ranges". -ENOENT, -ENXIO, -EINVAL as
 * dt_reg.
 */
__must_check int dt_pci_window(struct dt *t, uint32_t idx, uint32_t n,
			       struct mem_range *out);

#endif
