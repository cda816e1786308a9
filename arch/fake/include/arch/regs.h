/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The general registers of a guest at the moment it left, in the order in
 * which entry/vectors.S stores them.
 */
#ifndef ARCH_REGS_H
#define ARCH_REGS_H

#include <lib/types.h>

struct guest_regs {
	uint64_t x[31];
	uint64_t pc;     /* ELR_EL2 */
	uint64_t pstate; /* SPSR_EL2 */
	uint64_t stack_top; /* EL2 stack to use on the next exit */
};
STATIC_ASSERT(sizeof(struct guest_regs) == 272, "layout known to vectors.S");

#endif
