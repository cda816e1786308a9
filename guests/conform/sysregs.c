/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every encoding of a system register: read, and written with what was read.
 * Those that only the guest uses are also written with ones and with zeroes.
 * The case is the encoding as a number, op0:op1:CRn:CRm:op2.
 */
#include "conform.h"

#define REG(op0, op1, crn, crm, op2)					\
	((uint16_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | \
		    (op2)))
#define FIRST	REG(2, 0, 0, 0, 0)
#define LAST	REG(3, 7, 15, 15, 7)
#define MRS	0xd5200001u		/* into x1 */
#define MSR	0xd5000001u

/* Values that are another at each run or say where the program lies. */
static const uint16_t hidden[] = {
	REG(3, 0, 2, 0, 0),	/* TTBR0_EL1 */
	REG(3, 0, 4, 0, 0),	/* SPSR_EL1: flags of the last compare */
	REG(3, 0, 4, 0, 1),	/* ELR_EL1 */
	REG(3, 0, 4, 1, 0),	/* SP_EL0: as at reset */
	REG(3, 0, 6, 0, 0),	/* FAR_EL1 */
	REG(3, 0, 7, 4, 0),	/* PAR_EL1 */
	REG(3, 0, 12, 0, 0),	/* VBAR_EL1 */
	REG(3, 0, 13, 0, 4),	/* TPIDR_EL1 */
	REG(3, 3, 4, 2, 0),	/* NZCV */
	REG(3, 3, 9, 13, 0),	/* PMCCNTR_EL0 */
	REG(3, 3, 14, 0, 1),	/* CNTPCT_EL0 */
	REG(3, 3, 14, 0, 2),	/* CNTVCT_EL0 */
	REG(3, 3, 14, 0, 5),	/* CNTPCTSS_EL0 */
	REG(3, 3, 14, 0, 6),	/* CNTVCTSS_EL0 */
	REG(3, 3, 14, 2, 0),	/* CNTP_TVAL_EL0 */
	REG(3, 3, 14, 2, 2),	/* CNTP_CVAL_EL0: unknown at reset */
	REG(3, 3, 14, 3, 0),	/* CNTV_TVAL_EL0 */
	REG(3, 3, 14, 3, 2),	/* CNTV_CVAL_EL0: unknown at reset */
};

/* Written with ones and zeroes: nothing the program stands on. */
static const uint16_t bits[] = {
	REG(2, 0, 0, 0, 4), REG(2, 0, 0, 0, 5), REG(2, 0, 0, 0, 6),
	REG(2, 0, 0, 0, 7), REG(2, 0, 0, 1, 4), REG(2, 0, 0, 5, 4),
	REG(2, 0, 0, 5, 5), REG(2, 0, 0, 6, 4), REG(2, 0, 0, 6, 5),
	REG(2, 0, 0, 2, 0), REG(2, 0, 0, 2, 2), REG(2, 0, 0, 3, 2),
	REG(2, 0, 0, 6, 2), REG(2, 0, 1, 3, 4), REG(2, 0, 7, 8, 6),
	REG(2, 0, 7, 9, 6), REG(2, 3, 0, 4, 0), REG(2, 3, 0, 5, 0),
	REG(3, 0, 1, 0, 1),	/* ACTLR */
	REG(3, 0, 5, 1, 0), REG(3, 0, 5, 1, 1), REG(3, 0, 10, 3, 0),
	REG(3, 0, 9, 14, 1), REG(3, 0, 9, 14, 2), REG(3, 3, 9, 12, 0),
	REG(3, 3, 9, 12, 1), REG(3, 3, 9, 12, 2), REG(3, 3, 9, 12, 3),
	REG(3, 3, 9, 12, 5), REG(3, 3, 9, 13, 1), REG(3, 3, 9, 13, 2),
	REG(3, 3, 9, 14, 0), REG(3, 3, 9, 14, 3), REG(3, 3, 14, 8, 0),
	REG(3, 3, 14, 15, 7),
	REG(3, 0, 4, 6, 0),	/* ICC_PMR */
	REG(3, 0, 12, 8, 3), REG(3, 0, 12, 8, 4), REG(3, 0, 12, 9, 0),
	REG(3, 0, 12, 12, 3), REG(3, 0, 12, 12, 4), REG(3, 0, 12, 12, 5),
	REG(3, 0, 12, 12, 6), REG(3, 0, 12, 12, 7),
	REG(3, 0, 13, 0, 1), REG(3, 0, 14, 1, 0), REG(3, 2, 0, 0, 0),
	REG(3, 3, 13, 0, 2), REG(3, 3, 13, 0, 3), REG(3, 3, 14, 2, 1),
	REG(3, 3, 14, 3, 1), REG(3, 0, 6, 0, 0), REG(3, 0, 5, 2, 0),
};

static bool is_hidden(uint32_t reg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (hidden[i] == reg) {
			return true;
		}
	}
	return false;
}

static bool get(uint32_t reg, uint64_t *val, struct trap *t)
{
	*val = 0;
	return run_insn(MRS | reg << 5, 0, val, t);
}

static bool put(uint32_t reg, uint64_t val, struct trap *t)
{
	return run_insn(MSR | reg << 5, 0, &val, t);
}

static void outcome(struct line *l, uint32_t reg, bool ok, uint64_t val,
		    const struct trap *t)
{
	l->n = 0;
	line_trap(l, t, !ok, 0);
	if (ok) {
		line_string(l, " ");
		if (is_hidden(reg)) {
			line_string(l, "*");
		} else {
			line_hex(l, val);
		}
	}
	l->text[l->n] = 0;
}

static void reads(void)
{
	struct series s;
	struct trap t;
	struct line l;
	uint64_t val;
	uint32_t reg;

	series_begin(&s, "sysreg", "read", 1);
	for (reg = FIRST; reg <= LAST; reg++) {
		bool ok = get(reg, &val, &t);

		outcome(&l, reg, ok, val, &t);
		series_add(&s, reg, l.text);
	}
	series_end(&s);
}

static void writes(void)
{
	struct series s;
	struct trap t;
	struct line l;
	uint64_t val;
	uint32_t reg;

	series_begin(&s, "sysreg", "write", 1);
	for (reg = FIRST; reg <= LAST; reg++) {
		bool ok;

		get(reg, &val, &t);
		ok = put(reg, val, &t);
		l.n = 0;
		line_trap(&l, &t, !ok, 0);
		l.text[l.n] = 0;
		series_add(&s, reg, l.text);
	}
	series_end(&s);
}

static void tell_bits(const char *what, uint32_t reg, uint64_t val)
{
	struct trap t;
	struct line l;
	struct line end;
	uint64_t got;
	bool ok;

	put(reg, val, &t);
	isb();
	ok = get(reg, &got, &t);
	outcome(&end, reg, ok, got, &t);
	line_begin(&l, "sysreg");
	line_string(&l, what);
	line_hex(&l, reg);
	line_next(&l);
	line_string(&l, end.text);
	line_end(&l);
}

static void all_bits(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		struct trap t;
		uint64_t val;

		if (get(bits[i], &val, &t)) {
			tell_bits("ones ", bits[i], UINT64_MAX);
			tell_bits("zeroes ", bits[i], 0);
			put(bits[i], val, &t);
		}
	}
}

void conform_sysregs(void)
{
	reads();
	writes();
	all_bits();
}
