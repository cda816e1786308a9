/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of the domains of any tree: for fuzzers. */
#ifndef CHECK_DOMAINS_H
#define CHECK_DOMAINS_H

#include <hv/platform.h>

/*
 * Read the domains of host_dt on the machine @p, whose hypervisor is at
 * @image, and build the trees of those that are not refused; abort() when two
 * have one page, or one has a page of the hypervisor.
 */
void check_domains(const struct platform *p, const struct mem_range *image);

#endif
