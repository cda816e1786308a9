/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the firmware's world to that of the boot protocol: MMU and caches off,
 * x0 = device tree. What runs here, the image and the tree have been cleaned
 * to the point of coherency (boot/efi.c).
 *
 * Spec    [ARM] D8.2.12 "Behavior when stage 1 address translation is
 *         disabled".
 */
#define SCTLR_M (1 << 0)
#define SCTLR_C (1 << 2)
#define SCTLR_I (1 << 12)

	.section .boot.text, "ax"
	.balign	4

	/* x0: the image's first instruction, x1: the tree */
	.globl	efi_leave, efi_leave_start, efi_leave_end
efi_leave_start:
efi_leave:
	msr	daifset, #0xf
	mrs	x2, sctlr_el2
	bic	x2, x2, #SCTLR_M
	bic	x2, x2, #SCTLR_C
	bic	x2, x2, #SCTLR_I
	msr	sctlr_el2, x2
	isb
	msr	hcr_el2, xzr		/* the firmware may have had VHE on */
	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	mov	x4, x0
	mov	x0, x1
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	br	x4
efi_leave_end:
