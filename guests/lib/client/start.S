/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first instructions of a bare-metal guest, and its exception vectors.
 * It is entered at EL1 with the MMU and all interrupts off, x0 = the address
 * of a device tree that this one does not look at.
 *
 * The MMU comes on before the first write: everything is seen through the
 * caches, as the hypervisor and other domains see it. Addresses stay what they
 * are: devices below 1 GiB, memory from there to 4 GiB.
 */
#define MAIR		0xff00		/* 0: device nGnRnE, 1: write-back */
#define TCR		0x803520	/* 32 bits, 4 KiB, shareable */
#define SCTLR_M_C_I	0x1005
#define DEVICE		0x0060000000000401	/* never executable */
#define MEMORY		0x0040000000000705

/* The head that every arm64 kernel image has; 64 bytes. */
	.section .head, "ax"
	.globl _start
_start:
	b	entry
	.long	0
	.quad	0			/* from a 2 MiB boundary */
	.quad	_image_size		/* and what is not in the file */
	.quad	0x2			/* little endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
entry:
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	adrp	x1, tables
	add	x1, x1, :lo12:tables
	msr	ttbr0_el1, x1
	ldr	x1, =MAIR
	msr	mair_el1, x1
	ldr	x1, =TCR
	msr	tcr_el1, x1
	tlbi	vmalle1
	dsb	sy
	isb
	mrs	x1, sctlr_el1
	ldr	x2, =SCTLR_M_C_I
	orr	x1, x1, x2
	msr	sctlr_el1, x1
	isb
	adrp	x1, _stack_top
	add	sp, x1, :lo12:_stack_top
	adrp	x1, _bss_start
	add	x1, x1, :lo12:_bss_start
	adrp	x2, _bss_end
	add	x2, x2, :lo12:_bss_end
1:	cmp	x1, x2
	b.hs	2f
	str	xzr, [x1], #8
	b	1b
2:	bl	main
3:	wfi
	b	3b

/* long hvc(function, argument): a call to the firmware, PSCI here. */
	.globl	hvc
hvc:	hvc	#0
	ret

	.macro	to name
	.balign	128
	b	\name
	.endm

	.balign	2048
vectors:
	.rept	4			/* from EL1 with SP_EL0: not used */
	to	fault
	.endr
	to	fault			/* from EL1: sync, IRQ, FIQ, SError */
	to	interrupt
	to	fault
	to	fault
	.rept	8			/* from EL0: there is none */
	to	fault
	.endr

	.balign	128
interrupt:
	sub	sp, sp, #160
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	bl	handle_interrupt
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	add	sp, sp, #160
	eret

fault:
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	bl	handle_fault
	b	3b

/* 1 GiB each, where it is. */
	.section .rodata
	.balign	64
tables:	.quad	DEVICE
	.quad	0x40000000 | MEMORY
	.quad	0x80000000 | MEMORY
	.quad	0xc0000000 | MEMORY
