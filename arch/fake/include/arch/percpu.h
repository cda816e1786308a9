/* SPDX-License-Identifier: Apache-2.0 */
/* Host port: the CPU the test pretends to be. */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

struct pcpu;

extern struct pcpu *fake_this_pcpu;

static inline struct pcpu *this_pcpu(void)
{
	return fake_this_pcpu;
}

#endif
