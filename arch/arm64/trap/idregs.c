/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ID registers as guests see them: the CPU's own value, only in the fields
 * listed. A field is listed when the feature needs nothing of EL2, or when
 * EL2 switches its state; everything else reads 0, also what later
 * architectures add.
 *
 * Owns    the masked values: the boot CPU's, and of each field the least that a
 *         CPU of the machine has.
 * Spec    [ARM] D19.2 "ID_AA64*_EL1"; one row per register, encoding order.
 */
#include <arch/trap.h>
#include <lib/bits.h>

#define F4(n) (UINT64_C(0xf) << (4 * (n))) /* 4-bit field number n */
#define ALL32 UINT64_C(0xffffffff)

struct id_row {
	uint64_t mask;
	uint64_t is_signed; /* fields of 4 bits in which 0xf is the least */
	uint64_t (*fix)(uint64_t host, uint64_t masked); /* may be NULL */
};

/* EL0/EL1 as the CPU has them, but EL1 only 64-bit; no EL2, no EL3. */
static uint64_t fix_pfr0(uint64_t host, uint64_t masked)
{
	uint64_t el0 = field_get(F4(0), host);
	uint64_t csv2 = field_get(F4(14), host);
	uint64_t gic = field_get(F4(6), host);

	masked |= field_prep(F4(0), el0) | field_prep(F4(1), 1);
	masked |= field_prep(F4(14), csv2 ? 1 : 0); /* no SCXTNUM_ELx */
	return masked | field_prep(F4(6), gic ? 1 : 0);
}

/* No LPA2 (the IPA space is 48 bits), PARange within it. */
static uint64_t fix_mmfr0(uint64_t host, uint64_t masked)
{
	uint64_t pa = field_get(F4(0), host);

	if (field_get(F4(7), host) == 1) { /* TGran4: 52 bits */
		masked &= ~F4(7);
	}
	if (field_get(F4(5), host) == 2) { /* TGran16: 52 bits */
		masked = (masked & ~F4(5)) | field_prep(F4(5), 1);
	}
	return masked | field_prep(F4(0), pa > 5 ? 5 : pa);
}

/* Debug architecture at most v8.8; no PMU (0: none). */
static uint64_t fix_dfr0(uint64_t host, uint64_t masked)
{
	uint64_t ver = field_get(F4(0), host);

	return masked | field_prep(F4(0), ver > 10 ? 10 : ver);
}

#define ROW_SIGNED(m, f, s)                                                   \
	{                                                                     \
		.mask = (m), .fix = (f), .is_signed = (s)                     \
	}
#define ROW(m, f) ROW_SIGNED(m, f, 0)
#define ROW32 ROW(ALL32, NULL)
#define RAZ ROW(0, NULL)

static const struct id_row id_rows[NR_ID_REGS] = {
	/* CRm 1: PFR0 PFR1 DFR0 AFR0 MMFR0-3 */
	ROW(ALL32 & ~(F4(5) | F4(7)), NULL), /* no AMU, no RAS */
	ROW(F4(0) | F4(4) | F4(7), NULL),    /* ProgMod, GenTimer, GIC */
	ROW(ALL32 & ~(F4(6) | F4(5) | F4(4) | F4(7)), NULL), /* no PMU, trace */
	ROW32, ROW32, ROW32, ROW32, ROW32,
	/* CRm 2: ISAR0-5 MMFR4 ISAR6 */
	ROW32, ROW32, ROW32, ROW32, ROW32, ROW32, ROW32, ROW32,
	/* CRm 3: MVFR0-2 - PFR2 DFR1 MMFR5 - */
	ROW32, ROW32, ROW32, RAZ, ROW(F4(0) | F4(1), NULL), RAZ, ROW32, RAZ,
	/* CRm 4: AA64PFR0 PFR1 PFR2 - ZFR0 SMFR0 FPFR0 - */
	ROW_SIGNED(F4(4) | F4(5) | F4(12) | F4(15), fix_pfr0,
		   F4(4) | F4(5)), /* FP SIMD DIT CSV3 */
	ROW(F4(0) | F4(1), NULL),                       /* BT SSBS */
	RAZ, RAZ, RAZ, RAZ, RAZ, RAZ,
	/* CRm 5: AA64DFR0 DFR1 - - AFR0 AFR1 - - */
	ROW_SIGNED(F4(3) | F4(5) | F4(7) | F4(9), fix_dfr0,
		   F4(9)), /* BRPs WRPs CTX DLock */
	RAZ, RAZ, RAZ, RAZ, RAZ, RAZ, RAZ,
	/* CRm 6: AA64ISAR0 ISAR1 ISAR2 ISAR3 - - - - */
	ROW(F4(1) | F4(2) | F4(3) | F4(4) | F4(5) | F4(7) | F4(8) | F4(9) |
		    F4(10) | F4(11) | F4(12) | F4(13) | F4(14) | F4(15),
	    NULL), /* all but TME */
	ROW(F4(0) | F4(3) | F4(4) | F4(5) | F4(8) | F4(9) | F4(10) | F4(11) |
		    F4(12) | F4(13),
	    NULL),                                  /* no PAuth LS64 XS */
	ROW(F4(1) | F4(5) | F4(7) | F4(13), NULL),  /* RPRES BC CLRBHB CSSC */
	RAZ, RAZ, RAZ, RAZ, RAZ,
	/* CRm 7: AA64MMFR0-4 - - - */
	ROW_SIGNED(F4(1) | F4(2) | F4(3) | F4(4) | F4(5) | F4(6) | F4(7),
		   fix_mmfr0, F4(6) | F4(7)),
	ROW(F4(0) | F4(3) | F4(5) | F4(9) | F4(11), NULL),
	ROW(F4(0) | F4(1) | F4(2) | F4(5) | F4(7) | F4(8) | F4(9) | F4(12) |
		    F4(13) | F4(15),
	    NULL), /* CnP UAO LSM CCIDX ST AT IDS TTL BBM E0PD */
	RAZ, RAZ, RAZ, RAZ, RAZ,
};

static uint64_t values[NR_ID_REGS] __ro_after_boot;

#define READ8(crm, out)                                                       \
	do {                                                                  \
		(out)[0] = read_sysreg(s3_0_c0_c##crm##_0);                   \
		(out)[1] = read_sysreg(s3_0_c0_c##crm##_1);                   \
		(out)[2] = read_sysreg(s3_0_c0_c##crm##_2);                   \
		(out)[3] = read_sysreg(s3_0_c0_c##crm##_3);                   \
		(out)[4] = read_sysreg(s3_0_c0_c##crm##_4);                   \
		(out)[5] = read_sysreg(s3_0_c0_c##crm##_5);                   \
		(out)[6] = read_sysreg(s3_0_c0_c##crm##_6);                   \
		(out)[7] = read_sysreg(s3_0_c0_c##crm##_7);                   \
	} while (0)

/* This CPU's registers as a guest that ran on this one alone would see them. */
__cold static void read_own(uint64_t *v)
{
	READ8(1, &v[0]);
	READ8(2, &v[8]);
	READ8(3, &v[16]);
	READ8(4, &v[24]);
	READ8(5, &v[32]);
	READ8(6, &v[40]);
	READ8(7, &v[48]);
	for (size_t i = 0; i < NR_ID_REGS; i++) {
		uint64_t host = v[i];
		const struct id_row *r = &id_rows[i];

		v[i] = host & r->mask;
		if (r->fix) {
			v[i] = r->fix(host, v[i]);
		}
	}
}

void idregs_init(void)
{
	read_own(values);
}

/* Field by field the lesser one. */
static uint64_t least(uint64_t a, uint64_t b, uint64_t is_signed)
{
	uint64_t sign = is_signed & UINT64_C(0x8888888888888888);
	uint64_t out = 0;

	a ^= sign; /* in the order of unsigned numbers */
	b ^= sign;
	for (unsigned int i = 0; i < 16; i++) {
		uint64_t x = a & F4(i);
		uint64_t y = b & F4(i);

		out |= x < y ? x : y;
	}
	return out ^ sign;
}

__cold void idregs_join(void)
{
	uint64_t own[NR_ID_REGS];

	read_own(own);
	for (size_t i = 0; i < NR_ID_REGS; i++) {
		if (own[i] != values[i]) {
			values[i] = least(values[i], own[i],
					  id_rows[i].is_signed);
		}
	}
}

uint64_t idreg_value(unsigned int crm, unsigned int op2)
{
	unsigned int i = (crm - 1) * 8 + op2;

	return i < NR_ID_REGS ? values[i] : 0; /* reserved ones: RAZ */
}
