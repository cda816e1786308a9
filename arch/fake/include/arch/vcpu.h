/* SPDX-License-Identifier: Apache-2.0 */
/* Host port: the architecture's part of a vCPU. */
#ifndef ARCH_VCPU_H
#define ARCH_VCPU_H

#include <lib/types.h>
#include <arch/regs.h>
#include <arch/vgic.h> /* arm64's: pure types */

struct arch_vcpu {
	struct guest_regs regs;
	struct vgic_vcpu vgic;
	bool upcall_level;
	bool has_pending;
	bool restarted;
	bool unmasked; /* by SCHEDOP_block */
	uint64_t vmpidr;
};

#endif
