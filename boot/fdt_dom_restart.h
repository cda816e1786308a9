/* SPDX-License-Identifier: Apache-2.0 */
/* What a "xen,domain" node says about the end of its domain. */
#ifndef BOOT_FDT_DOM_RESTART_H
#define BOOT_FDT_DOM_RESTART_H

#include <hv/restart.h>
#include "fdt_util.h"

/* Before the first property: nothing is said. */
void fdt_dom_restart_none(struct restart_policy *out);
/*
 * Property @name of node @idx, if it is one of these. -ENOENT: it is not.
 * -EINVAL: it is wrong, logged.
 */
__must_check int fdt_dom_restart_prop(struct dt *t, uint32_t idx,
				      const char *name,
				      const struct dt_prop *p,
				      struct restart_policy *out);
/* After the last: what does not fit together (-EINVAL, logged), defaults. */
__must_check int fdt_dom_restart_check(struct dt *t, uint32_t idx,
				       struct restart_policy *out);
/* Some end of the domain makes it begin again. */
bool fdt_dom_restarts(const struct restart_policy *p);
/* Something is said: its end is not just that. */
bool fdt_dom_has_policy(const struct restart_policy *p);

#endif
