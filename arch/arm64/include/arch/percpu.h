/* SPDX-License-Identifier: Apache-2.0 */
/* The running CPU's area: its address is in TPIDR_EL2. */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

struct pcpu;

static inline struct pcpu *this_pcpu(void)
{
	struct pcpu *c;

	/* Not volatile: constant on a CPU, and EL2 does not migrate. */
	__asm__("mrs %0, tpidr_el2" : "=r"(c));
	return c;
}

#endif
