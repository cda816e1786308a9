/* SPDX-License-Identifier: Apache-2.0 */
/* Are the images that the boot loader left usable? */
#ifndef BOOT_MODULES_H
#define BOOT_MODULES_H

#include <hv/platform.h>

/* A module of dom0's (@domain NULL) or of another domain. */
struct module_place {
	const char *domain;
	enum module_kind kind;
	struct mem_range r;
};

/*
 * Check every boot module of dom0 against memory, the hypervisor's @image, the
 * loader's @dtb (size 0: not to be checked), reserved memory and each other.
 * -EINVAL, with one message.
 */
__must_check int modules_check(const struct platform *p,
			       const struct mem_range *image,
			       const struct mem_range *dtb);
/* The same for another domain's module, also against all of dom0's. */
__must_check int modules_check_domain(const struct platform *p,
				      const struct mem_range *image,
				      const struct mem_range *dtb,
				      const struct module_place *m);
/* -ENOENT: there is no kernel for dom0; logged. */
__must_check int modules_need_kernel(const struct platform *p);
/* "kernel", "ramdisk", "device tree" or "other". */
const char *module_kind_name(enum module_kind kind);
/* One line that names @m and says @what of it; returns @rc. */
__must_check int module_error(const struct module_place *m, const char *what,
			      int rc);
/* dom0's first module of @kind, NULL when there is none. */
const struct boot_module *module_find(const struct platform *p,
				      enum module_kind kind);

#endif
