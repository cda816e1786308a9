/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of a bare-metal guest: arm64 Image header, self-relocation, BSS,
 * stacks, exception vectors. Runs at EL1 with the MMU off; the first
 * instruction reads the physical counter, which under an instruction clock
 * is what it cost to get here.
 */
#define FRAME_SIZE	(34 * 8)

	.section .head, "ax"
	.globl _start
_start:
	mrs	x9, cntpct_el0
	b	entry
	.quad	0			/* text_offset */
	.quad	_end			/* image_size: _start is at 0 */
	.quad	0xa			/* little endian, 4K, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
entry:
	msr	daifset, #0xf
	mov	x19, x0
	mov	x20, x9
	/* R_AARCH64_RELATIVE (1027): word at base + offset = base + addend */
	adrp	x1, _start
	add	x1, x1, :lo12:_start
	adrp	x2, _rela_start
	add	x2, x2, :lo12:_rela_start
	adrp	x3, _rela_end
	add	x3, x3, :lo12:_rela_end
1:	cmp	x2, x3
	b.hs	2f
	ldp	x4, x5, [x2], #16
	ldr	x6, [x2], #8
	cmp	w5, #1027
	b.ne	1b
	add	x6, x6, x1
	str	x6, [x4, x1]
	b	1b
2:	adrp	x2, _bss_start
	add	x2, x2, :lo12:_bss_start
	adrp	x3, _bss_end
	add	x3, x3, :lo12:_bss_end
	/*
	 * The loader may have left clean lines of this memory in a cache:
	 * drop them, or they would hide the zeroes written past the caches.
	 */
	mov	x4, x2
3:	dc	ivac, x4
	add	x4, x4, #16
	cmp	x4, x3
	b.lo	3b
	dsb	sy
4:	stp	xzr, xzr, [x2], #16
	cmp	x2, x3
	b.lo	4b
	adrp	x0, boot_stack_end
	add	x0, x0, :lo12:boot_stack_end
	mov	sp, x0
	bl	early_cpu
	mov	x0, x19
	mov	x1, x20
	bl	guest_start
5:	wfi
	b	5b

/* PSCI entry of every other CPU; x0 = its struct cpu, stack pointer first. */
	.globl	secondary_entry
secondary_entry:
	msr	daifset, #0xf
	ldr	x1, [x0]
	mov	sp, x1
	mov	x19, x0
	bl	early_cpu
	mov	x0, x19
	bl	secondary_start
	b	5b

early_cpu:
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	mov	x1, #(3 << 20)		/* FP and SIMD: libfdt uses them */
	msr	cpacr_el1, x1
	msr	mdscr_el1, xzr
	isb
	ret

/* long hypercall(nr, a0, a1, a2, a3, a4) */
	.globl	hypercall
hypercall:
	mov	x16, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, x5
	hvc	#0xea1
	ret

/* long smccc_hvc(fn, a1, a2, a3), long smccc_smc(fn, a1, a2, a3) */
	.globl	smccc_hvc, smccc_smc
smccc_hvc:
	hvc	#0
	ret
smccc_smc:
	smc	#0
	ret

	.macro	vector kind
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x0, #\kind
	b	save
	.endm

	.balign	2048
	.globl	vectors
vectors:
	vector	0
	vector	1
	vector	2
	vector	3
	vector	4
	vector	5
	vector	6
	vector	7
	vector	8
	vector	9
	vector	10
	vector	11
	vector	12
	vector	13
	vector	14
	vector	15

	.balign	128
save:	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x30, x2, [sp, #240]
	str	x3, [sp, #256]
	mov	x1, x0
	mov	x0, sp
	bl	exception
	ldp	x30, x2, [sp, #240]
	ldr	x3, [sp, #256]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

	.bss
	.balign	16
	.space	16384
boot_stack_end:
