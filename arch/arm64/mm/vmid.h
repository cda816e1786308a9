/* SPDX-License-Identifier: Apache-2.0 */
/* VMID allocation with rollover; see vmid.c. */
#ifndef ARM64_VMID_H
#define ARM64_VMID_H

#include <lib/types.h>

struct domain;
struct vcpu;

void vmid_init(unsigned int bits);
/* Owner CPU: VTTBR_EL2 of v's domain, with a VMID of this generation. */
void vmid_load(struct vcpu *v);
/* VTTBR_EL2 under which @d may have TLB entries; 0: none. */
uint64_t vmid_vttbr(const struct domain *d);
/* @d will not run again; its translations are dropped everywhere. */
void vmid_release(struct domain *d);

#endif
