/* SPDX-License-Identifier: Apache-2.0 */
/* CPU errata and what firmware does about some; see cpu/errata.c. */
#ifndef ARCH_ERRATA_H
#define ARCH_ERRATA_H

#include <lib/types.h>

/* Each CPU at its bring-up: name in the log what applies to it, once. */
void errata_init_cpu(void);
/* SMCCC_ARCH_FEATURES of a mitigation: 0 needed, 1 not, -1 not there. */
int errata_smccc_workaround(uint32_t fid);
/* Forward the mitigation call to firmware. */
void errata_smccc_call(uint32_t fid);

#endif
