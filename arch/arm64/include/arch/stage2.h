/* SPDX-License-Identifier: Apache-2.0 */
/* Guests' stage 2; see stage2.c. */
#ifndef ARCH_STAGE2_H
#define ARCH_STAGE2_H

#include <lib/types.h>

struct domain;
struct vcpu;

/* Once, boot CPU: the IPA size all domains get. */
void stage2_init(void);
/* Each CPU: VTCR_EL2. */
void stage2_init_cpu(void);
/* Owner CPU: make v's address space this CPU's. */
void stage2_load(struct vcpu *v);

#endif
