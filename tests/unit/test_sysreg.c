/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/trap/sysreg.c arch/arm64/trap/idregs.c
// LINK: tests/fakes/fake_sysreg.c
// CFLAGS: -include tests/fakes/fake_sysreg.h
/* Trapped system registers and the ID registers that guests see. */
#include <criterion/criterion.h>

#include <arch/trap.h>
#include <hv/domain.h>
#include <hv/trace.h>

static struct domain dom;
static struct vcpu v = {.domain = &dom};

/* ---- what it calls ------------------------------------------------------- */

#define PTIMER 0x7100u /* what the timer reads as, plus op2 */
#define DEBUG  0x7200u

static uint64_t written; /* what reached a model */
static uint32_t undefs, writes, slow_skips;

static void note(uint64_t val)
{
	written = val;
	writes++;
}

void vgic_v3_write_sgi1r(struct vcpu *t, uint64_t val)
{
	(void)t;
	note(val);
}

void vtimer_phys_write(struct vcpu *t, unsigned int op2, uint64_t val)
{
	(void)t;
	note(val + op2);
}

uint64_t vtimer_phys_read(struct vcpu *t, unsigned int op2)
{
	(void)t;
	return PTIMER + op2;
}

bool debug_reg_access(struct vcpu *t, uint64_t iss, bool write, uint64_t *val)
{
	(void)t;
	(void)iss;
	if (write) {
		note(*val);
	} else {
		*val = DEBUG;
	}
	return true;
}

void inject_undef(struct vcpu *t)
{
	(void)t;
	undefs++;
}

void guest_skip_aarch32(struct vcpu *t, uint64_t esr)
{
	cr_assert(esr & ESR_IL);
	t->arch.regs.pc += 4;
	slow_skips++;
}

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	cr_assert_eq(e, TRACE_GUEST_UNDEF);
}

/* ---- sysreg.c ------------------------------------------------------------ */

#define VAL	UINT64_C(0x100)
#define R	ISS_SYS64_READ
#define W	0u
#define UNDEF	1u /* in the guest */
#define IGNORED 2u /* written to nowhere */
#define MODEL	3u /* the model got it */
#define READS	4u /* reads as .val */

static const struct {
	uint8_t op[5], gic;
	uint32_t dir, result;
	uint64_t val;
} rows[] = {
	{{3, 0, 12, 11, 5}, 3, W, MODEL, VAL}, /* ICC_SGI1R_EL1 */
	{{3, 0, 12, 11, 5}, 3, R, UNDEF, 0},
	{{3, 0, 12, 11, 5}, 2, W, UNDEF, 0},
	{{3, 0, 12, 11, 6}, 3, W, IGNORED, 0}, /* ICC_ASGI1R_EL1 */
	{{3, 0, 12, 11, 7}, 3, W, IGNORED, 0}, /* ICC_SGI0R_EL1 */
	{{3, 0, 12, 11, 7}, 3, R, UNDEF, 0},
	{{3, 0, 12, 11, 7}, 2, W, UNDEF, 0},
	{{3, 0, 12, 12, 5}, 2, R, READS, 0}, /* ICC_SRE_EL1 */
	{{3, 0, 12, 12, 5}, 3, R, UNDEF, 0},
	{{3, 0, 12, 12, 0}, 3, R, UNDEF, 0},	     /* ICC_IAR1_EL1 */
	{{3, 3, 14, 2, 0}, 3, R, READS, PTIMER},     /* CNTP_TVAL_EL0 */
	{{3, 3, 14, 2, 1}, 3, R, READS, PTIMER + 1}, /* CNTP_CTL_EL0 */
	{{3, 3, 14, 2, 2}, 3, R, READS, PTIMER + 2}, /* CNTP_CVAL_EL0 */
	{{3, 3, 14, 2, 2}, 3, W, MODEL, VAL + 2},
	{{3, 3, 14, 2, 3}, 3, R, UNDEF, 0},
	{{3, 0, 1, 0, 1}, 3, R, READS, 0}, /* ACTLR_EL1 */
	{{3, 0, 1, 0, 1}, 3, W, IGNORED, 0},
	{{2, 0, 0, 2, 2}, 3, W, MODEL, VAL},	/* MDSCR_EL1 */
	{{2, 0, 0, 15, 7}, 3, R, READS, DEBUG}, /* DBGWCR15_EL1 */
	{{2, 0, 1, 0, 4}, 3, W, MODEL, VAL},	/* OSLAR_EL1 */
	{{2, 1, 0, 0, 1}, 3, R, UNDEF, 0},	/* TRCTRACEIDR: trace */
	{{2, 3, 0, 1, 0}, 3, R, READS, 0},	/* MDCCSR_EL0 */
	{{2, 3, 0, 1, 0}, 3, W, UNDEF, 0},
	{{2, 3, 0, 4, 0}, 3, R, READS, 0},	/* DBGDTR_EL0 */
	{{2, 3, 0, 5, 0}, 3, W, IGNORED, 0},	/* DBGDTRTX_EL0 */
	{{2, 3, 0, 6, 0}, 3, W, UNDEF, 0},
	{{3, 3, 9, 12, 0}, 3, R, READS, 0},   /* PMCR_EL0 */
	{{3, 3, 9, 14, 3}, 3, W, IGNORED, 0}, /* PMOVSSET_EL0 */
	{{3, 3, 9, 11, 0}, 3, R, UNDEF, 0},
	{{3, 0, 9, 14, 1}, 3, W, IGNORED, 0}, /* PMINTENSET_EL1 */
	{{3, 0, 9, 9, 0}, 3, R, UNDEF, 0},    /* PMSCR_EL1: SPE */
	{{3, 3, 14, 15, 7}, 3, R, READS, 0},  /* PMCCFILTR_EL0 */
	{{1, 0, 7, 6, 2}, 3, W, IGNORED, 0},  /* DC ISW */
	{{1, 0, 7, 14, 2}, 3, W, IGNORED, 0}, /* DC CISW */
	{{1, 0, 7, 14, 2}, 3, R, UNDEF, 0},
	{{3, 0, 0, 4, 0}, 3, W, UNDEF, 0}, /* ID registers: read only */
	{{3, 0, 0, 7, 7}, 3, R, READS, 0},
	{{3, 4, 1, 1, 0}, 3, R, UNDEF, 0}, /* HCR_EL2 */
	{{3, 0, 1, 2, 0}, 3, R, UNDEF, 0}, /* ZCR_EL1 */
	{{3, 0, 2, 1, 0}, 3, R, UNDEF, 0}, /* APIAKEYLO_EL1 */
};

static void check_row(size_t i, unsigned int rt)
{
	const uint8_t *op = rows[i].op;
	uint64_t *x = v.arch.regs.x;
	bool reads = rows[i].result == READS && rt != 31;

	undefs = writes = 0;
	x[rt % 31] = VAL;
	v.arch.regs.pc = 0x1000;
	dom.arch.vgic.version = rows[i].gic;
	trap_sysreg(&v, ESR_ISS_SYS64(op[0], op[1], op[2], op[3], op[4]) |
				rows[i].dir | field_prep(ISS_SYS64_RT, rt) |
				ESR_IL | field_prep(ESR_EC, EC_SYS64));
	cr_assert_eq(undefs, rows[i].result == UNDEF, "row %zu", i);
	cr_assert_eq(v.arch.regs.pc, 0x1000 + (undefs ? 0 : 4), "row %zu", i);
	cr_assert_eq(writes, rows[i].result == MODEL, "row %zu", i);
	if (writes) { /* XZR is written as 0 */
		cr_assert_eq(written, rows[i].val - (rt == 31 ? VAL : 0),
			     "row %zu", i);
	}
	cr_assert_eq(x[rt % 31], reads ? rows[i].val : VAL, "row %zu", i);
}

Test(sysreg, each_row)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		check_row(i, 0);
		check_row(i, 30);
		check_row(i, 31);
	}
}

/* A debugger in the guest steps over it: the step must be seen to be done. */
Test(sysreg, a_single_step_ends_with_the_instruction)
{
	v.arch.regs.pstate = PSR_SS;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		slow_skips = 0;
		check_row(i, 0);
		cr_assert_eq(slow_skips, rows[i].result != UNDEF, "row %zu", i);
	}
}

/* ---- idregs.c ------------------------------------------------------------ */

static uint64_t field(unsigned int crm, unsigned int op2, unsigned int nr)
{
	return idreg_value(crm, op2) >> (4 * nr) & 0xf;
}

/* A CPU with everything: what EL2 does not carry for a guest stays hidden. */
Test(idregs, features_without_support_are_hidden)
{
	static const struct {
		const char *what;
		uint8_t crm, op2, field;
	} hidden[] = {
		{"EL2", 4, 0, 2},    {"EL3", 4, 0, 3},	    {"RAS", 4, 0, 7},
		{"SVE", 4, 0, 8},    {"SEL2", 4, 0, 9},	    {"MPAM", 4, 0, 10},
		{"AMU", 4, 0, 11},   {"RME", 4, 0, 13},	    {"MTE", 4, 1, 2},
		{"SME", 4, 1, 6},    {"NMI", 4, 1, 9},	    {"SVE", 4, 4, 0},
		{"SME", 4, 5, 0},    {"TraceVer", 5, 0, 1}, {"PMUVer", 5, 0, 2},
		{"PMSVer", 5, 0, 8}, {"TRBE", 5, 0, 11},    {"BRBE", 5, 0, 13},
		{"TME", 6, 0, 6},    {"APA", 6, 1, 1},	    {"API", 6, 1, 2},
		{"GPA", 6, 1, 6},    {"GPI", 6, 1, 7},	    {"XS", 6, 1, 14},
		{"LS64", 6, 1, 15},  {"GPA3", 6, 2, 2},	    {"APA3", 6, 2, 3},
		{"MOPS", 6, 2, 4},   {"VMIDBits", 7, 1, 1}, {"VH", 7, 1, 2},
		{"HCX", 7, 1, 10},   {"NV", 7, 2, 6},	    {"FWB", 7, 2, 10},
		{"S1PIE", 7, 3, 2},
	};

	fake_sysreg_default = UINT64_MAX;
	idregs_init();
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		cr_assert_eq(
			field(hidden[i].crm, hidden[i].op2, hidden[i].field), 0,
			"%s", hidden[i].what);
	}
	cr_assert_eq(field(4, 0, 1), 1);  /* EL1: AArch64 only */
	cr_assert_eq(field(6, 0, 1), 15); /* AES */
	cr_assert_eq(field(7, 1, 5), 15); /* PAN */
	for (unsigned int op2 = 0; op2 < 8; op2++) {
		cr_assert_eq(idreg_value(0, op2), 0);
		cr_assert_eq(idreg_value(8, op2), 0);
		cr_assert_eq(idreg_value(15, op2), 0);
	}
}

/* Fields whose value is bounded, not hidden. */
Test(idregs, bounded_fields)
{
	static const struct {
		const char *reg;
		uint8_t crm, op2, field, host, guest;
	} rules[] = {
		{"s3_0_c0_c4_0", 4, 0, 0, 2, 2}, /* EL0 */
		{"s3_0_c0_c4_0", 4, 0, 0, 1, 1},
		{"s3_0_c0_c4_0", 4, 0, 6, 3, 1}, /* GIC */
		{"s3_0_c0_c4_0", 4, 0, 6, 0, 0},
		{"s3_0_c0_c4_0", 4, 0, 14, 3, 1}, /* CSV2 */
		{"s3_0_c0_c4_0", 4, 0, 14, 0, 0},
		{"s3_0_c0_c4_0", 4, 0, 4, 15, 15}, /* no FP */
		{"s3_0_c0_c5_0", 5, 0, 0, 6, 6},   /* DebugVer */
		{"s3_0_c0_c5_0", 5, 0, 0, 11, 10},
		{"s3_0_c0_c7_0", 7, 0, 0, 2, 2}, /* PARange */
		{"s3_0_c0_c7_0", 7, 0, 0, 6, 5},
		{"s3_0_c0_c7_0", 7, 0, 7, 1, 0}, /* TGran4 */
		{"s3_0_c0_c7_0", 7, 0, 7, 15, 15},
		{"s3_0_c0_c7_0", 7, 0, 5, 2, 1}, /* TGran16 */
		{"s3_0_c0_c7_0", 7, 0, 5, 1, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		*fake_sysreg(rules[i].reg) = (uint64_t)rules[i].host
					     << (4 * rules[i].field);
		idregs_init();
		cr_assert_eq(field(rules[i].crm, rules[i].op2, rules[i].field),
			     rules[i].guest, "rule %zu", i);
	}
}

Test(idregs, each_register_has_its_own_place)
{
	static const char *const regs[] = {"s3_0_c0_c2_0", "s3_0_c0_c2_5",
					   "s3_0_c0_c3_6", "s3_0_c0_c1_4"};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		*fake_sysreg(regs[i]) = 0xabcd0000 + i;
	}
	idregs_init();
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		cr_assert_eq(idreg_value((unsigned int)(regs[i][9] - '0'),
					 (unsigned int)(regs[i][11] - '0')),
			     0xabcd0000 + i);
	}
}
