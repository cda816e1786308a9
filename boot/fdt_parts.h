/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of fdt_platform_parse(), each about one kind of node. */
#ifndef BOOT_FDT_PARTS_H
#define BOOT_FDT_PARTS_H

#include <hv/platform.h>
#include "fdt_util.h"

/* Physical addresses end at 2^48 in every stage-2 format we write. */
#define PA_LIMIT (UINT64_C(1) << 48)

extern const char *const dt_gic_v2[]; /* "compatible" lists, NULL at the end */
extern const char *const dt_gic_v3[];
extern const char *const dt_gic_its[];
extern const char *const dt_gic_v2m[];
extern const char *const dt_timer[];
extern const char *const dt_psci[];
extern const char *const dt_module[]; /* a boot module below /chosen */
extern const char *const dt_domain[]; /* a domain to be started at boot */

/* One line that names @idx, what is wrong there and what to do; returns @rc. */
__must_check int dt_error(struct dt *t, uint32_t idx, const char *prop,
			  const char *what, int rc);

/*
 * What a module is by its "compatible"; without a word about it the first is
 * the kernel, the second the ramdisk.
 */
enum module_kind dt_module_kind(struct dt *t, uint32_t idx, bool has_kernel,
				bool has_ramdisk);
/* "reg" of a module, a physical range. -EINVAL, logged. */
__must_check int dt_module_reg(struct dt *t, uint32_t idx,
			       struct mem_range *out);

/*
 * The hash that module @idx must have, SHA256_SIZE bytes of the tree; NULL:
 * any. -EINVAL, logged.
 */
__must_check int dt_module_sha256(struct dt *t, uint32_t idx,
				  const uint8_t **out);
/* @idx is no module and lists none: it would check nothing. -EINVAL, logged. */
__must_check int dt_no_sha256(struct dt *t, uint32_t idx);

__must_check int fdt_parse_memory(struct dt *t, struct platform *p);
__must_check int fdt_parse_reserved(struct dt *t, struct platform *p);
__must_check int fdt_parse_cpus(struct dt *t, uint64_t boot_mpidr,
				struct platform *p);
__must_check int fdt_parse_gic(struct dt *t, struct platform *p);
__must_check int fdt_parse_timer(struct dt *t, struct platform *p);
__must_check int fdt_parse_psci(struct dt *t, struct platform *p);
__must_check int fdt_parse_firmware(struct dt *t, struct platform *p);
__must_check int fdt_parse_chosen(struct dt *t, struct platform *p);

#endif
