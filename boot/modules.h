/* SPDX-License-Identifier: Apache-2.0 */
/* Are the images that the boot loader left usable? */
#ifndef BOOT_MODULES_H
#define BOOT_MODULES_H

#include <hv/platform.h>

/*
 * Check every boot module against memory, the hypervisor's @image, the
 * loader's @dtb (size 0: not to be checked), reserved memory and each other.
 * -ENOENT: no kernel; -EINVAL; each with one message.
 */
__must_check int modules_check(const struct platform *p,
			       const struct mem_range *image,
			       const struct mem_range *dtb);
/* The first module of @kind, NULL when there is none. */
const struct boot_module *module_find(const struct platform *p,
				      enum module_kind kind);

#endif
