/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the host's device tree to struct platform. The boot order is
 * fdt_platform_parse(), cmdline_parse(), fdt_platform_find_console(),
 * modules_check().
 */
#ifndef BOOT_FDT_PLATFORM_H
#define BOOT_FDT_PLATFORM_H

#include <hv/platform.h>

/*
 * Fill @p (its former content is lost) from @fdt, which must stay where it is:
 * @p and host_dt point into it. @boot_mpidr is the running CPU's MPIDR_EL1.
 * -EINVAL, -ENODEV, -E2BIG, -ENOSPC; each logged with node and cure.
 */
__must_check int fdt_platform_parse(const void *fdt, uint64_t boot_mpidr,
				    struct platform *p);
/*
 * Fill p->uart from @dtuart ("dtuart=": path or alias, "" for none), else from
 * /chosen/stdout-path. No console is a warning, a console that was asked for
 * and cannot be used is -ENODEV.
 */
__must_check int fdt_platform_find_console(struct platform *p,
					   const char *dtuart);

#endif
