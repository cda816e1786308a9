/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every encoding of a system register: read, and written with what was read.
 * Those that only the guest uses are also written with ones and with zeroes.
 * Every encoding of a system instruction. All that again at EL0, where EL1
 * allows nothing and where it allows all it can. The case is the encoding as
 * a number, op0:op1:CRn:CRm:op2.
 */
#include "conform.h"

#define REG(op0, op1, crn, crm, op2)					\
	((uint16_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | \
		    (op2)))
#define FIRST	REG(2, 0, 0, 0, 0)
#define LAST	REG(3, 7, 15, 15, 7)
#define FIRST_OP REG(1, 0, 0, 0, 0)
#define LAST_OP	REG(1, 7, 15, 15, 7)
#define MRS	0xd5200001u		/* into x1 */
#define MSR	0xd5000001u

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));

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

/* Each from @first to @last is read, or written with what it reads as. */
static void sweep(const char *what, uint32_t first, uint32_t last, bool write)
{
	struct series s;
	uint32_t reg;

	series_begin(&s, "sysreg", what, 1);
	for (reg = first; reg <= last; reg++) {
		struct trap t;
		struct line l;
		uint64_t val;
		bool ok = get(reg, &val, &t);

		if (write) {
			ok = put(reg, val, &t);
			l.n = 0;
			line_trap(&l, &t, !ok, 0);
			l.text[l.n] = 0;
		} else {
			outcome(&l, reg, ok, val, &t);
		}
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

static void all_bits(const char *ones, const char *zeroes)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		struct trap t;
		uint64_t val;

		if (get(bits[i], &val, &t)) {
			tell_bits(ones, bits[i], UINT64_MAX);
			tell_bits(zeroes, bits[i], 0);
			put(bits[i], val, &t);
		}
	}
}

/* SYS and SYSL with every encoding, on a page of our own. */
static void operations(const char *what)
{
	struct series s;
	uint32_t op;

	mmu_window(0, PTR(page), MAP_RW | MAP_USER);
	series_begin(&s, "sysreg", what, 1);
	for (op = FIRST_OP; op <= LAST_OP; op++) {
		struct trap t;
		struct line l;
		bool ok = put(op, MAP_WINDOW, &t);

		l.n = 0;
		line_trap(&l, &t, !ok, MAP_WINDOW);
		l.text[l.n] = 0;
		series_add(&s, op, l.text);
	}
	series_end(&s);
}

/* Set and way in any cache, also in none: what was written stays. */
static void set_way(void)
{
	static const uint16_t ops[] = { REG(1, 0, 7, 6, 2), REG(1, 0, 7, 10, 2),
					REG(1, 0, 7, 14, 2) };
	static const uint64_t operands[] = {
		0, 0x40, 2, 0x80000000, 0xc0001fc0, 0xe, UINT32_MAX,
		HI(1), UINT64_MAX,
	};
	volatile uint64_t *word = (uint64_t *)page;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops) * ARRAY_SIZE(operands); i++) {
		uint64_t operand = operands[i % ARRAY_SIZE(operands)];
		uint32_t op = ops[i / ARRAY_SIZE(operands)];
		struct trap t;
		struct line l;
		bool ok;

		*word = operand + i;
		ok = put(op, operand, &t);
		line_begin(&l, "sysreg");
		line_string(&l, "set and way ");
		line_hex(&l, operand);
		line_string(&l, " ");
		line_hex(&l, op);
		line_next(&l);
		line_trap(&l, &t, !ok, 0);
		line_string(&l, *word == operand + i ? "" : " lost");
		line_end(&l);
	}
}

void conform_sysregs(void)
{
	sweep("read", FIRST, LAST, false);
	sweep("write", FIRST, LAST, true);
	all_bits("ones ", "zeroes ");
	operations("run");
	set_way();
}

/* What EL1 may let EL0 do: SCTLR_EL1.{UCI,nTWE,UCT,DZE,UMA}, CNTKCTL_EL1 */
#define SCTLR_OPEN	(1u << 26 | 1u << 18 | 1u << 15 | 1u << 14 | 1u << 9)
#define CNTKCTL_OPEN	0x303u
/* The registers with op1 3, EL0's: the others were all looked at. */
#define FIRST_EL0	REG(3, 3, 0, 0, 0)
#define LAST_EL0	REG(3, 3, 15, 15, 7)

void conform_sysregs_el0(void)
{
	uint64_t sctlr = sysreg_read(sctlr_el1);
	uint64_t cntkctl = sysreg_read(cntkctl_el1);

	sysreg_write(cntkctl_el1, 0);
	sweep("EL0 read", FIRST, LAST, false);
	sweep("EL0 write", FIRST_EL0, LAST_EL0, true);
	operations("EL0 run");
	sysreg_write(sctlr_el1, sctlr | SCTLR_OPEN);
	sysreg_write(cntkctl_el1, CNTKCTL_OPEN);
	isb();
	sweep("EL0 allowed read", FIRST, LAST, false);
	sweep("EL0 allowed write", FIRST_EL0, LAST_EL0, true);
	all_bits("EL0 ones ", "EL0 zeroes ");
	operations("EL0 allowed run");
	sysreg_write(sctlr_el1, sctlr);
	sysreg_write(cntkctl_el1, cntkctl);
	isb();
}
