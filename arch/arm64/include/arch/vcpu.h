/* SPDX-License-Identifier: Apache-2.0 */
/* The arm64 part of a vCPU. */
#ifndef ARCH_VCPU_H
#define ARCH_VCPU_H

#include <lib/types.h>
#include <hv/timer.h>
#include <arch/regs.h>
#include <arch/vgic.h>
#include <arch/el1_regs.h>

/* Debug registers a guest may use: 16 breakpoints, 16 watchpoints at most. */
struct debug_regs {
	uint64_t bvr[16], bcr[16], wvr[16], wcr[16];
	uint64_t mdscr;
	uint32_t enabled; /* bit n: breakpoint n; 16 + n: watchpoint n */
};

struct fp_regs {
	__uint128_t q[32];
	uint32_t fpsr, fpcr;
};

struct vtimer_phys {
	struct timer soft;  /* emulated CNTP */
	uint64_t cval;
	uint64_t ctl;
};

struct arch_vcpu {
	struct guest_regs regs; /* first: see vectors.S */
	uint64_t hcr;           /* HCR_EL2 while it runs */
	uint64_t vmpidr;
	struct el1_regs el1;
	uint64_t cntv_cval;
	uint64_t cntv_ctl;
	struct timer vtimer_soft; /* wakes it while it is not loaded */
	struct vtimer_phys ptimer;
	struct vgic_vcpu vgic;
	struct debug_regs dbg;
	struct fp_regs fp __aligned(16);
};

#endif
