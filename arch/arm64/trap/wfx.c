/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WFI gives the CPU away until something is pending, WFE for a moment.
 *
 * Spec    [ARM] "ISS encoding for an exception from a WF* instruction".
 */
#include <arch/trap.h>
#include <hv/arch.h>

#define ISS_WFX_TI FIELD64(1, 0)
#define TI_WFI 0u

void trap_wfx(struct vcpu *v, uint64_t esr)
{
	guest_skip_instruction(v, esr);
	if ((esr & ISS_WFX_TI) != TI_WFI) {
		vcpu_yield(v);
		return;
	}
	vcpu_block(v); /* looks for what is pending itself */
}
