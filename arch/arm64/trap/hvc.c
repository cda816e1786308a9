/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HVC and SMC: immediate 0xEA1 is a hypercall, 0 is SMCCC, all else does not
 * exist.
 *
 * Spec    [XEN] arch-arm.h "Hypercall calling convention"; [SMCCC] 2.
 */
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/entry.h>

void trap_hvc64(struct vcpu *v, uint64_t esr)
{
	uint64_t imm = esr & HVC_IMM;
	struct guest_regs *r = &v->arch.regs;

	if (likely(imm == HVC_IMM_XEN)) {
		int64_t rc = hypercall_dispatch(v, r->x[16], r->x);

		if (rc != HC_RESTARTED) {
			r->x[0] = (uint64_t)rc;
		}
		return;
	}
	if (imm == 0) {
		smccc_call(v);
		return;
	}
	/* HVC's return address is past it: the fault is at the HVC. */
	r->pc -= 4;
	inject_undef(v);
}

void arch_hypercall_restart(struct vcpu *v)
{
	v->arch.regs.pc -= 4;
}

void arch_hypercall_unmask(struct vcpu *v)
{
	v->arch.regs.pstate &= ~PSR_I;
}

void trap_smc64(struct vcpu *v, uint64_t esr)
{
	if ((esr & HVC_IMM) != 0) {
		inject_undef(v);
		return;
	}
	v->arch.regs.pc += 4; /* trapped before it ran */
	smccc_call(v);
}
