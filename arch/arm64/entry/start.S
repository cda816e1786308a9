/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First instructions: the arm64 Image header, the level check, EL2's first
 * page tables, MMU on. Position independent until the jump to HV_BASE.
 *
 * Boot protocol: MMU and D-cache off, x0 = device tree, loaded 2 MiB aligned.
 * Caches may hold stale clean lines of what is written here with the MMU off:
 * only the tables, which are invalidated by address before the MMU goes on.
 */
#include <arch/layout.h>
#include "offsets.h"

#define PTE_VALID_TABLE 3
#define PTE_PAGE 3
/* AF, inner shareable, MAIR_NORMAL, AP[1] */
#define PTE_NORMAL 0x743
#define PTE_RO 0x80
#define PTE_XN_HI 0x0040	/* bit 54, as a movk at 48 */
/* SCTLR_EL2: RES1, I, C, M, WXN, SA; EL2 data is aligned */
#define SCTLR_EL2_ON 0x30cd183d
/* 48-bit VA, 4 KiB, inner-shareable write-back walks; PS is added. */
#define TCR_EL2_BASE 0x80803510

/* The file's first page; EFI runs nothing in it. */
#define PE_HEADERS 0x1000

	.section .head.text, "ax"
	.globl	_start
_start:
	add	x13, x18, #0x16		/* "MZ" of a DOS header; harmless */
	b	primary_entry
	.quad	0			/* text offset */
	.quad	image_size		/* image size with bss */
	.quad	0xa			/* little endian, 4 KiB, anywhere */
	.quad	0
	.quad	0
	.quad	0
	.ascii	"ARM\x64"
	.long	pe_header - _start

	/*
	 * The same file as an EFI application. What is loaded is the file, at
	 * the places it has there; boot/efi.c makes room for the bss.
	 * Spec    [PE] "COFF File Header", "Optional Header", "Section Table".
	 */
pe_header:
	.ascii	"PE\0\0"
	.short	0xaa64			/* machine: AArch64 */
	.short	2			/* sections */
	.long	0, 0, 0			/* time, symbols */
	.short	pe_sections - pe_optional
	.short	0x206			/* executable; no line numbers, debug */
pe_optional:
	.short	0x20b			/* PE32+ */
	.byte	0, 0			/* linker version */
	.long	text_end - _start - PE_HEADERS	/* size of code */
	.long	pe_data_size		/* of initialised data */
	.long	0			/* of bss */
	.long	efi_main - _start	/* entry point */
	.long	PE_HEADERS		/* base of code */
	.quad	0			/* image base: anywhere */
	.long	4096			/* section alignment */
	.long	512			/* file alignment */
	.short	0, 0			/* system version */
	.short	0, 0			/* image version */
	.short	0, 0			/* subsystem version */
	.long	0
	.long	pe_image_size
	.long	PE_HEADERS		/* size of headers */
	.long	0			/* check sum */
	.short	10			/* subsystem: EFI application */
	.short	0x100			/* its data need not be executable */
	.quad	0, 0, 0, 0		/* stack and heap */
	.long	0			/* loader flags */
	.long	6			/* directories, all empty */
	.quad	0, 0, 0, 0, 0, 0
pe_sections:
	.ascii	".text\0\0\0"
	.long	text_end - _start - PE_HEADERS	/* in memory */
	.long	PE_HEADERS
	.long	text_end - _start - PE_HEADERS	/* in the file */
	.long	PE_HEADERS
	.long	0, 0, 0
	.long	0x60000020		/* code: execute, read */
	.ascii	".data\0\0\0"
	.long	pe_data_size
	.long	text_end - _start
	.long	pe_data_file_size
	.long	text_end - _start
	.long	0, 0, 0
	.long	0xc0000040		/* initialised data: read, write */

	.text
primary_entry:
	msr	daifset, #0xf
	mov	x20, x0			/* device tree */
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	wrong_level
	adr	x21, _start		/* where we really are */

	/* the tables, 64 bytes at a time */
	adrp	x0, tables_start
	adrp	x1, tables_end
1:	stp	xzr, xzr, [x0]
	stp	xzr, xzr, [x0, #16]
	stp	xzr, xzr, [x0, #32]
	stp	xzr, xzr, [x0, #48]
	add	x0, x0, #64
	cmp	x0, x1
	b.lo	1b

	/* HV_BASE: L0 -> L1 -> L2 -> L3; L1 serves the four 1 GiB windows */
	adrp	x0, hv_l0
	adrp	x1, hv_l1
	orr	x2, x1, #PTE_VALID_TABLE
	str	x2, [x0, #(255 * 8)]
	adrp	x3, hv_l2
	orr	x2, x3, #PTE_VALID_TABLE
	str	x2, [x1]
	adrp	x4, hv_l3
	orr	x2, x4, #PTE_VALID_TABLE
	str	x2, [x3]

	/* text: read, execute */
	mov	x5, x21
	adrp	x6, text_end
	mov	x7, #(PTE_NORMAL | PTE_RO)
	bl	map_pages
	/* rodata: read */
	adrp	x6, rodata_end
	movk	x7, #PTE_XN_HI, lsl #48
	bl	map_pages
	/* data, bss: read, write */
	adrp	x6, bss_end
	mov	x7, #PTE_NORMAL
	movk	x7, #PTE_XN_HI, lsl #48
	bl	map_pages
	/* guard pages under the boot stacks */
	adrp	x0, hv_l3
	adrp	x1, boot_guard0
	bl	unmap_page
	adrp	x1, boot_guard1
	bl	unmap_page

	/* identity block for the code that turns the MMU on */
	adrp	x0, hv_id_l1
	adrp	x1, hv_l0
	ubfx	x2, x21, #39, #9
	orr	x3, x0, #PTE_VALID_TABLE
	str	x3, [x1, x2, lsl #3]
	ubfx	x2, x21, #30, #9
	and	x3, x21, #~((1 << 30) - 1)
	mov	x4, #(PTE_NORMAL & ~2 | PTE_RO)
	orr	x3, x3, x4
	str	x3, [x0, x2, lsl #3]

	/* drop stale cache lines over what was written with the MMU off */
	adrp	x0, tables_start
	adrp	x1, tables_end
2:	dc	ivac, x0
	add	x0, x0, #64
	cmp	x0, x1
	b.lo	2b
	dsb	sy

	bl	mmu_on
	ldr	x0, =bss_start
	ldr	x1, =boot_bss_start
	bl	clear
	ldr	x0, =noinit_end
	ldr	x1, =bss_end
	bl	clear
	/* where we are, for image_pa() and the other CPUs */
	ldr	x0, =hv_load_address
	str	x21, [x0]
	ldr	x0, =boot_stack_top
	mov	sp, x0
	ldr	x1, =pcpu_storage
	str	x0, [x1, #PCPU_STACK_TOP]
	ldr	x0, =boot_emergency_top
	str	x0, [x1, #PCPU_EMERGENCY_TOP]
	msr	tpidr_el2, x1
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x20
	ldr	x1, =hv_main
	br	x1

	/*
	 * Another CPU, from PSCI CPU_ON or a spin table. secondary_args, for
	 * each {MPIDR's affinity, pcpu}, is written and cleaned by smp.c; who
	 * is not in it, or without a pcpu, is not wanted.
	 */
	.globl	secondary_entry
secondary_entry:
	msr	daifset, #0xf
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	park
	adrp	x0, secondary_args
	add	x0, x0, #:lo12:secondary_args
	mrs	x1, mpidr_el1
	and	x2, x1, #0xffffff
	ubfx	x1, x1, #32, #8		/* Aff3 */
	orr	x2, x2, x1, lsl #32
	mov	x3, #PCPU_MAX
1:	ldp	x1, x23, [x0], #16
	cmp	x1, x2
	ccmp	x23, #0, #4, eq
	b.ne	2f
	subs	x3, x3, #1
	b.ne	1b
	b	park
2:	bl	mmu_on
	ldr	x0, [x23, #PCPU_STACK_TOP]
	mov	sp, x0
	msr	tpidr_el2, x23
	mov	x29, xzr
	mov	x30, xzr
	ldr	x1, =hv_secondary
	br	x1

	/* MMU on and return to the caller's address in HV_BASE space. */
mmu_on:
	ldr	x0, =MAIR_EL2_VALUE
	msr	mair_el2, x0
	ldr	x0, =TCR_EL2_BASE
	mrs	x1, id_aa64mmfr0_el1
	and	x1, x1, #0xf		/* PARange */
	mov	x2, #5
	cmp	x1, x2
	csel	x1, x1, x2, ls		/* 48 bits are enough */
	bfi	x0, x1, #16, #3
	msr	tcr_el2, x0
	adrp	x0, hv_l0
	msr	ttbr0_el2, x0
	ldr	x0, =vectors
	msr	vbar_el2, x0
	/* return address: HV_BASE + (lr - load address) */
	adr	x1, _start
	sub	x30, x30, x1
	ldr	x1, =HV_BASE
	add	x30, x30, x1
	tlbi	alle2
	dsb	nsh
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_EL2_ON
	msr	sctlr_el2, x0
	isb
	ret

	/* Clear [x0, x1); both are 4 KiB aligned and differ. */
clear:
	mrs	x2, dczid_el0
	cmp	x2, #4			/* DC ZVA does 64 bytes */
	b.ne	2f
1:	dc	zva, x0
	add	x2, x0, #64
	dc	zva, x2
	add	x2, x0, #128
	dc	zva, x2
	add	x2, x0, #192
	dc	zva, x2
	add	x0, x0, #256
	cmp	x0, x1
	b.lo	1b
	ret
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b
	ret

	/* Map [x5, x6) at the matching place in hv_l3 (x4); x5 = x6 after. */
map_pages:
	sub	x8, x5, x21
	add	x9, x4, x8, lsr #9
1:	orr	x10, x5, x7
	str	x10, [x9], #8
	add	x5, x5, #4096
	cmp	x5, x6
	b.lo	1b
	ret

	/* Clear the hv_l3 (x0) entry of the image page at x1. */
unmap_page:
	sub	x8, x1, x21
	add	x9, x0, x8, lsr #9
	str	xzr, [x9]
	ret

	/* Not EL2: say so on the console of the device tree, then stop. */
wrong_level:
	adrp	x1, boot_stack_top
	mov	sp, x1
	mov	x1, x0
	mov	x0, x20
	bl	early_wrong_level
park:
	wfi
	b	park

	.ltorg

	.section .bss.tables, "aw", %nobits
	.balign	4096
	.globl	hv_l0, hv_l1, hv_l2, hv_l3, hv_id_l1
hv_l0:	.skip	4096
hv_l1:	.skip	4096
hv_l2:	.skip	4096
hv_l3:	.skip	4096
hv_id_l1: .skip	4096

	.section .boot_stack, "aw", %nobits
	.balign	4096
boot_guard0:
	.skip	4096
	.skip	EMERGENCY_SIZE
boot_emergency_top:
boot_guard1:
	.skip	4096
	.skip	STACK_SIZE
	.globl	boot_stack_top
boot_stack_top:
