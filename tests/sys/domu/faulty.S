/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest kernels that misbehave, one for each FAULT_x; test_xl_guests.py builds
 * them. Each is a bare arm64 Image that never ends by itself, and none
 * has an exception vector: a fault of their own leads to the next one.
 */
	.text
start:	b	1f
	.long	0
	.quad	0		/* offset of the text */
	.quad	0x1000		/* memory it takes */
	.quad	0xa		/* 4 KiB pages, little endian */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
1:

/* waits for ever: no fault, the smallest guest */
#ifdef FAULT_idle
1:	wfi
	b	1b
#endif

#ifdef FAULT_spin		/* spins with all interrupts off */
	msr	daifset, #15
1:	b	1b
#endif

/* writes all of its physical address space, from where nothing is */
#ifdef FAULT_write
	mov	x0, #0
	adr	x3, vectors
	msr	vbar_el1, x3
1:	str	x0, [x0]
	add	x0, x0, #4096
	b	1b
	.balign	2048		/* a write that faults is left out */
vectors:
	.rept	16
	.balign	128
	mrs	x1, elr_el1
	add	x1, x1, #4
	msr	elr_el1, x1
	eret
	.endr
#endif

/* loses its way: the exception vector itself is nowhere */
#ifdef FAULT_jump
	mov	x0, #0x1000
	msr	vbar_el1, x0
	br	x0
#endif

/* every hypercall with random numbers, for ever */
#ifdef FAULT_calls
	mrs	x19, cntvct_el0
	ldr	x20, =6364136223846793005
	ldr	x21, =1442695040888963407
1:	.irp	reg, x0, x1, x2, x3, x4, x16
	madd	x19, x19, x20, x21
	lsr	\reg, x19, #17
	.endr
	and	x16, x16, #63
	cmp	x16, #29	/* sched_op may end the domain: */
	b.eq	1b		/* that would be no fault */
	and	x0, x0, #31
	hvc	#0xea1
	b	1b
#endif

/* sends and makes event channels without a pause */
#ifdef FAULT_events
	adr	x19, data
1:	add	w20, w20, #1
	and	w20, w20, #15
	str	w20, [x19]
	mov	x16, #32
	mov	x0, #4		/* send */
	mov	x1, x19
	hvc	#0xea1
	ldr	x0, =0x7ff07ff0
	str	x0, [x19, #16]
	mov	x16, #32
	mov	x0, #6		/* make one, from and for ourselves */
	add	x1, x19, #16
	hvc	#0xea1
	b	1b
	.balign	8
data:	.quad	0, 0, 0, 0
#endif

/* writes to the hypervisor's console without a pause */
#ifdef FAULT_console
1:	mov	x16, #18
	mov	x0, #0
	mov	x1, #4
	adr	x2, text
	hvc	#0xea1
	b	1b
text:	.ascii	"bad\n"
#endif

#ifdef FAULT_crash		/* says that it has crashed */
	mov	x16, #29
	mov	x0, #2
	adr	x1, reason
	hvc	#0xea1
1:	wfi
	b	1b
	.balign	8
reason:	.long	3, 0
#endif

#ifdef FAULT_watchdog		/* starts a watchdog and spins */
	mov	x16, #29
	mov	x0, #6
	adr	x1, dog
	hvc	#0xea1
1:	b	1b
	.balign	8
dog:	.long	0, 1
#endif
