/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector table, the save and the restore of a guest's registers, ERET:
 * the only file that does any of it.
 *
 * While a guest runs, SP_EL2 holds the address of its struct vcpu, whose
 * first member is struct guest_regs: the save needs no scratch register and
 * the stack is not touched before the switch to the CPU's own stack.
 * EL2 never unmasks interrupts; an exception from EL2 is a bug of ours.
 */
#include "offsets.h"

	.macro	ventry label
	.balign	0x80
	b	\label
	.endm

	/* Save everything; x0 = x19 = vcpu; the CPU's own stack. */
	.macro	save_guest
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	mrs	x21, elr_el2
	mrs	x22, spsr_el2
	stp	x30, x21, [sp, #VCPU_X30]
	mov	x19, sp
	ldr	x1, [sp, #VCPU_STACK_TOP]
	str	x22, [sp, #VCPU_PC + 8]
	mov	sp, x1
	mov	x0, x19
	.endm

	/* From EL2 with SP_EL0, never used, and with SP_EL2: our own fault. */
	.macro	own_entries
	.rept	2
	ventry	own_sync
	ventry	own_irq
	ventry	own_irq
	ventry	own_serror
	.endr
	.endm

	/* From a lower level: 64-bit; 32-bit user space of a 64-bit kernel. */
	.macro	guest_entry handler
	.balign	0x80
	save_guest
	bl	\handler
	b	guest_exit
	.endm

	.macro	guest_entries sync, irq
	.rept	2
	guest_entry \sync
	guest_entry \irq
	guest_entry trap_fiq
	guest_entry trap_serror
	.endr
	.balign	0x80
	.endm

	.section .vectors, "ax"
	.balign	0x800
	.globl	vectors
vectors:
	own_entries
	guest_entries trap_sync, trap_irq
	/* While the control domain traces what comes in: arch_trace_traps(). */
	.globl	vectors_traced
vectors_traced:
	own_entries
	guest_entries trap_sync_traced, trap_irq_traced

	.text
	/* x19: the vCPU that trapped. */
guest_exit:
	mrs	x20, tpidr_el2
	ldr	w1, [x19, #VCPU_WORK]
	ldr	w2, [x20, #PCPU_WORK]
	orr	w1, w1, w2
	cbnz	w1, guest_exit_slow
	/* x19: the vCPU to enter, loaded on this CPU, nothing left to do. */
enter_guest:
	ldp	x30, x21, [x19, #VCPU_X30]
	ldr	x22, [x19, #VCPU_PC + 8]
	mov	sp, x19
	msr	elr_el2, x21
	msr	spsr_el2, x22
	ldp	x0, x1, [sp, #16 * 0]
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	eret
	/* No speculation past ERET (XSA-312 class). */
	dsb	nsh
	isb

guest_exit_slow:
	mov	x0, x20
	bl	work_run
	mov	x19, x0
	b	enter_guest

	/*
	 * Leave boot or the bring-up path for good: the stack starts anew and
	 * the CPU runs whatever the scheduler finds.
	 */
	.globl	arch_enter_scheduler
arch_enter_scheduler:
	mrs	x20, tpidr_el2
	ldr	x1, [x20, #PCPU_STACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	b	guest_exit_slow

	/*
	 * Our own fault: the emergency stack, all registers as they were, and
	 * the last words. x0 and x1 wait in the guest's TPIDRs, which nobody
	 * needs any more.
	 */
	.macro	own_fault kind
	msr	tpidr_el0, x0
	msr	tpidrro_el0, x1
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PCPU_EMERGENCY_TOP]
	mov	x1, sp
	sub	x0, x0, #288
	mov	sp, x0
	str	x1, [sp, #248]		/* the stack pointer at the fault */
	mrs	x0, tpidr_el0
	mrs	x1, tpidrro_el0
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	str	x30, [sp, #240]
	mov	x0, sp
	mov	x1, #\kind
	b	trap_own
	.endm

own_sync:
	own_fault 0
own_irq:
	own_fault 1
own_serror:
	own_fault 2
