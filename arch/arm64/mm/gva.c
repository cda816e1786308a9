/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest virtual address -> machine address, by the hardware's own walk.
 *
 * Not     the right to use the page (guest_win.c checks owner and kind).
 * CPU     the vCPU's own, with its EL1 registers and VTTBR live.
 * Bounds  one AT instruction.
 * Spec    [ARM] C6.2 "AT", PAR_EL1; B2.3 "DSB": a walk is no access that a
 *         DMB would order.
 */
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <hv/arch.h>
#include <hv/vcpu.h>
#include <lib/errno.h>

/* PAR_EL1 is the guest's register: it keeps its value. */
int arch_gva_to_pa(struct vcpu *v, gva_t va, bool write, paddr_t *pa)
{
	uint64_t saved = read_sysreg(par_el1);
	uint64_t par;

	(void)v;
	if (write) {
		__asm__ volatile("at s12e1w, %0" : : "r"(va.v));
	} else {
		__asm__ volatile("at s12e1r, %0" : : "r"(va.v));
	}
	isb();
	par = read_sysreg(par_el1);
	write_sysreg(saved, par_el1);
	if (par & PAR_F) {
		return -EFAULT;
	}
	*pa = paddr((par & PAR_PA) | (va.v & ~PAGE_MASK));
	return 0;
}

void arch_walk_fence(void)
{
	dsb(ish);
}
