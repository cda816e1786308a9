/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL1 registers that belong to a vCPU, declared once: the save, the restore
 * and the struct come from this list.
 */
#ifndef ARCH_EL1_REGS_H
#define ARCH_EL1_REGS_H

#include <lib/types.h>

/* R(field, register) */
#define EL1_REGS(R)                                                           \
	R(sctlr, sctlr_el1)                                                   \
	R(tcr, tcr_el1)                                                       \
	R(ttbr0, ttbr0_el1)                                                   \
	R(ttbr1, ttbr1_el1)                                                   \
	R(mair, mair_el1)                                                     \
	R(amair, amair_el1)                                                   \
	R(vbar, vbar_el1)                                                     \
	R(contextidr, contextidr_el1)                                         \
	R(tpidr_el0, tpidr_el0)                                               \
	R(tpidrro_el0, tpidrro_el0)                                           \
	R(tpidr_el1, tpidr_el1)                                               \
	R(cpacr, cpacr_el1)                                                   \
	R(cntkctl, cntkctl_el1)                                               \
	R(par, par_el1)                                                       \
	R(far, far_el1)                                                       \
	R(esr, esr_el1)                                                       \
	R(afsr0, afsr0_el1)                                                   \
	R(afsr1, afsr1_el1)                                                   \
	R(csselr, csselr_el1)                                                 \
	R(sp_el0, sp_el0)                                                     \
	R(sp_el1, sp_el1)                                                     \
	R(elr, elr_el1)                                                       \
	R(spsr, spsr_el1)

#define EL1_REG_FIELD(field, reg) uint64_t field;
struct el1_regs {
	EL1_REGS(EL1_REG_FIELD)
};

#endif
