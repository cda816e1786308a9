/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of whole blocks by FEAT_SHA256: arch/sha256.h. [ARM] C3.5.30. */
	.arch	armv8-a+sha2
	.section .boot.text.sha256, "ax"

	/* Four rounds; the block's words \w0 become those of 16 rounds on. */
	.macro	rounds w0, w1, w2, w3
	ld1	{v16.4s}, [x3], #16
	add	v16.4s, v16.4s, \w0\().4s
	mov	v17.16b, v2.16b
	sha256h	q2, q3, v16.4s
	sha256h2 q3, q17, v16.4s
	sha256su0 \w0\().4s, \w1\().4s
	sha256su1 \w0\().4s, \w2\().4s, \w3\().4s
	.endm

/* x0: h, 8 words; x1: data, by bytes for any alignment; x2: blocks */
	.globl	sha256_blocks_cpu
	.type	sha256_blocks_cpu, %function
sha256_blocks_cpu:
	cbz	x2, 3f
	ld1	{v0.4s, v1.4s}, [x0]
1:	ld1	{v4.16b - v7.16b}, [x1], #64
	rev32	v4.16b, v4.16b
	rev32	v5.16b, v5.16b
	rev32	v6.16b, v6.16b
	rev32	v7.16b, v7.16b
	mov	v2.16b, v0.16b
	mov	v3.16b, v1.16b
	adrp	x3, sha256_k
	add	x3, x3, :lo12:sha256_k
	mov	w4, #4
2:	rounds	v4, v5, v6, v7
	rounds	v5, v6, v7, v4
	rounds	v6, v7, v4, v5
	rounds	v7, v4, v5, v6
	subs	w4, w4, #1
	b.ne	2b
	add	v0.4s, v0.4s, v2.4s
	add	v1.4s, v1.4s, v3.4s
	subs	x2, x2, #1
	b.ne	1b
	st1	{v0.4s, v1.4s}, [x0]
3:	ret

	/* ID_AA64ISAR0_EL1.SHA2 */
	.globl	sha256_in_cpu
	.type	sha256_in_cpu, %function
sha256_in_cpu:
	mrs	x0, id_aa64isar0_el1
	ubfx	x0, x0, #12, #4
	ret
