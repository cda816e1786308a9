/* SPDX-License-Identifier: Apache-2.0 */
/* CPU errata: rows of MIDR range -> action; see cpu/errata.c. */
#ifndef ARCH_ERRATA_H
#define ARCH_ERRATA_H

#include <lib/types.h>

enum erratum_action {
	ERRATUM_CLEAN_IS_CIVAC,  /* clean must be clean+invalidate */
	ERRATUM_TLBI_TWICE,      /* repeat TLBI; DSB */
	ERRATUM_AT_SPECULATIVE,  /* no stale EL1 tables while VTTBR changes */
	ERRATUM_CNTVOFF_UNSTABLE,
	NR_ERRATUM_ACTIONS
};

/* Each CPU at its bring-up: note what applies to it, log it once. */
void errata_init_cpu(void);
bool errata_applies(enum erratum_action a);
/* SMCCC_ARCH_FEATURES of a mitigation: 0 needed, 1 not, -1 not there. */
int errata_smccc_workaround(uint32_t fid);
/* Forward the mitigation call to firmware. */
void errata_smccc_call(uint32_t fid);

#endif
