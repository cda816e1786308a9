/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers: every identification register can be read, features that
 * are hidden are hidden everywhere, debug registers work, what does not exist
 * is undefined.
 */
#include "guest.h"

/* ID_AA64 registers among the op0=3 op1=0 CRn=0 CRm=4..7 space. */
#define PFR0	s3_0_c0_c4_0
#define PFR1	s3_0_c0_c4_1
#define DFR0	s3_0_c0_c5_0
#define ISAR1	s3_0_c0_c6_1
#define ISAR2	s3_0_c0_c6_2
#define id_read(r)	id_read_(r)
#define id_read_(r)	sysreg_read(r)
#define FIELD(v, lsb)	((unsigned int)((v) >> (lsb)) & 0xf)

#define READ(reg) do {							\
	struct trap t_;							\
									\
	trap_arm();							\
	sysreg_read(reg);						\
	if (trap_taken(&t_)) {						\
		printf("read " #reg ": ESR %lx\n", t_.esr);		\
		CHECK(!"readable " #reg);				\
	}								\
} while (0)

#define READ8(stem)							\
	READ(stem##_0); READ(stem##_1); READ(stem##_2); READ(stem##_3);	\
	READ(stem##_4); READ(stem##_5); READ(stem##_6); READ(stem##_7)

static void id_space(void)
{
	READ8(s3_0_c0_c1);
	READ8(s3_0_c0_c2);
	READ8(s3_0_c0_c3);
	READ8(s3_0_c0_c4);
	READ8(s3_0_c0_c5);
	READ8(s3_0_c0_c6);
	READ8(s3_0_c0_c7);
}

static void basic(void)
{
	READ(midr_el1);
	READ(mpidr_el1);
	READ(revidr_el1);
	READ(ctr_el0);
	READ(dczid_el0);
	READ(clidr_el1);
	READ(ccsidr_el1);
	READ(csselr_el1);
	READ(actlr_el1);
	READ(contextidr_el1);
	READ(tpidr_el0);
	READ(tpidrro_el0);
	READ(cntkctl_el1);
	READ(afsr0_el1);
	READ(afsr1_el1);
	READ(amair_el1);
	READ(cntfrq_el0);
	CHECK(sysreg_read(midr_el1) != 0);
	CHECK(sysreg_read(mpidr_el1) >> 31 & 1);
	sysreg_write(tpidr_el0, 0x1234);
	EXPECT_EQ(sysreg_read(tpidr_el0), 0x1234);
}

static void features_hidden(void)
{
	uint64_t pfr0 = id_read(PFR0);
	uint64_t pfr1 = id_read(PFR1);
	uint64_t isar1 = id_read(ISAR1);
	uint64_t isar2 = id_read(ISAR2);

	CHECK(FIELD(pfr0, 0) != 0 && FIELD(pfr0, 4) != 0);
	EXPECT_EQ(FIELD(pfr0, 32), 0);		/* SVE */
	EXPECT_EQ(FIELD(pfr0, 40), 0);		/* MPAM */
	EXPECT_EQ(FIELD(pfr0, 44), 0);		/* AMU */
	EXPECT_EQ(FIELD(pfr1, 8), 0);		/* MTE */
	if (!PEER_DIFFERS("does not know SME")) {
		EXPECT_EQ(FIELD(pfr1, 24), 0);
	}
	EXPECT_EQ(isar1 & 0xff000ff0, 0);	/* pointer authentication */
	EXPECT_EQ(isar2 & 0xff00, 0);		/* GPA3, APA3 */
	if (!PEER_DIFFERS("EL2 and EL3 as the host has them")) {
		EXPECT_EQ(FIELD(pfr0, 8), 0);
		EXPECT_EQ(FIELD(pfr0, 12), 0);
	}
	EXPECT_EQ(FIELD(pfr0, 24) != 0, machine.gic_version == 3);
}

static void debug_features_hidden(void)
{
	uint64_t dfr0 = id_read(DFR0);

	CHECK(FIELD(dfr0, 0) >= 6);		/* debug architecture */
	if (PEER_DIFFERS("PMU, SPE and trace as the host has them")) {
		return;
	}
	EXPECT_EQ(FIELD(dfr0, 4), 0);		/* trace */
	EXPECT_EQ(FIELD(dfr0, 8), 0);		/* PMU */
	EXPECT_EQ(FIELD(dfr0, 32), 0);		/* SPE */
	EXPECT_EQ(FIELD(dfr0, 40), 0);		/* self-hosted trace */
	EXPECT_EQ(FIELD(dfr0, 44), 0);		/* trace buffer */
	EXPECT_EQ(FIELD(dfr0, 52), 0);		/* branch records */
}

/*
 * The instruction is undefined: at EL1, at the instruction itself. The NOP
 * is for the peer, whose return address for a refused HVC is one further.
 */
#define UNDEF(insn) do {						\
	struct trap t_;							\
	uint64_t pc_;							\
									\
	trap_arm();							\
	asm volatile("adr %0, 1f\n1:\t" insn "\n\tnop"		\
		     : "=&r"(pc_)					\
		     :: "x0", "x1", "x2", "x3", "memory");		\
	if (!trap_taken(&t_)) {					\
		check_failed(__FILE__, __LINE__, "undefined: " insn,	\
			     0, 0, false);				\
	}								\
	EXPECT_EQ(t_.hits, 1);						\
	EXPECT_EQ(ESR_EC(t_.esr), EC_UNKNOWN);				\
	EXPECT_EQ(t_.elr, pc_);						\
} while (0)

static void undefined_registers(void)
{
	uint64_t cpacr = sysreg_read(cpacr_el1);

	/* Enabled as far as EL1 decides: SVE (ZEN) and SME (SMEN). */
	sysreg_write(cpacr_el1, cpacr | 3u << 16 | 3u << 24);
	isb();
	UNDEF("mrs x0, s3_0_c1_c2_0");		/* ZCR_EL1 */
	UNDEF(".inst 0x04bf5020");		/* RDVL x0, #1 */
	UNDEF("mrs x0, s3_0_c1_c0_5");		/* RGSR_EL1 */
	UNDEF("mrs x0, s3_3_c13_c2_0");		/* AMCR_EL0 */
	UNDEF("mrs x0, s3_0_c9_c9_0");		/* PMSCR_EL1 */
	UNDEF("mrs x0, s3_0_c1_c2_6");		/* SMCR_EL1 */
	UNDEF("mrs x0, s3_0_c2_c1_0");		/* APIAKeyLo_EL1 */
	UNDEF("mrs x0, s3_4_c1_c1_0");		/* HCR_EL2 */
	UNDEF("mrs x0, s3_4_c12_c11_0");	/* ICH_HCR_EL2 */
	UNDEF("mrs x0, s3_6_c1_c1_0");		/* SCR_EL3 */
	UNDEF("msr s3_0_c11_c0_7, x0");		/* nobody's */
	UNDEF("mrs x0, s3_7_c15_c15_7");	/* implementation's own */
	sysreg_write(cpacr_el1, cpacr);
	isb();
}

static void undefined_calls(void)
{
	if (PEER_DIFFERS("the return address is behind the HVC")) {
		return;
	}
	UNDEF("hvc #1");
	UNDEF("hvc #0xea2");
	UNDEF("hvc #0xffff");
}

static void odd_hvc_is_an_exception(void)
{
	struct trap t;

	trap_arm();
	asm volatile("hvc #0x1234\n\tnop" ::: "x0", "x1", "x2", "x3", "memory");
	CHECK(trap_taken(&t));
	EXPECT_EQ(ESR_EC(t.esr), EC_UNKNOWN);
	trap_arm();
	asm volatile("smc #1\n\tnop" ::: "x0", "x1", "x2", "x3", "memory");
	trap_taken(&t);
	CHECK(t.hits <= 1);
}

/* The PMU is hidden: its registers may be undefined, or read as zero. */
static void pmu(void)
{
	struct trap t;
	uint64_t v;

	trap_arm();
	v = sysreg_read(s3_3_c9_c12_0);		/* PMCR_EL0 */
	sysreg_write(s3_3_c9_c12_0, 1);
	CHECK(trap_taken(&t) || v == 0);
	trap_arm();
	sysreg_write(s3_3_c9_c14_0, 0);		/* PMUSERENR_EL0: Linux does */
	CHECK(!trap_taken(&t));
}

static void debug_access(void)
{
	struct trap t;

	trap_arm();
	sysreg_write(mdscr_el1, 0);
	sysreg_write(oslar_el1, 0);
	sysreg_write(osdlr_el1, 0);
	sysreg_read(mdscr_el1);
	sysreg_read(oslsr_el1);
	sysreg_read(mdccsr_el0);
	sysreg_read(mdrar_el1);
	sysreg_write(dbgbcr0_el1, 0);
	sysreg_write(dbgbvr0_el1, 0);
	sysreg_write(dbgwcr0_el1, 0);
	sysreg_write(dbgwvr0_el1, 0);
	CHECK(!trap_taken(&t));
}

static volatile uint64_t watched[2] __attribute__((aligned(16)));

static void watchpoint(void)
{
	struct trap t;

	if (PEER_DIFFERS("breakpoints and watchpoints are ignored")) {
		return;
	}
	sysreg_write(oslar_el1, 0);
	sysreg_write(dbgwvr0_el1, PTR(&watched[1]));
	/* BAS 0xff, stores, EL1, enabled */
	sysreg_write(dbgwcr0_el1, 0xffu << 5 | 2u << 3 | 1u << 1 | 1u);
	EXPECT_EQ(sysreg_read(dbgwvr0_el1), PTR(&watched[1]));
	sysreg_write(mdscr_el1, 1u << 15 | 1u << 13);
	isb();
	trap_arm();
	asm volatile("msr daifclr, #8\n\tisb" ::: "memory");
	watched[0] = 1;
	watched[1] = 2;
	asm volatile("msr daifset, #8\n\tisb" ::: "memory");
	sysreg_write(dbgwcr0_el1, 0);
	sysreg_write(mdscr_el1, 0);
	CHECK(trap_taken(&t));
	EXPECT_EQ(t.hits, 1);
	EXPECT_EQ(ESR_EC(t.esr), 0x35);
	EXPECT_EQ(t.far, PTR(&watched[1]));
}

static void set_way(void)
{
	struct trap t;

	trap_arm();
	asm volatile("dc cisw, xzr\n\tdsb sy" ::: "memory");
	CHECK(!trap_taken(&t));
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_version, 0),
		  4 << 16 | 17);
}

/* Stage-1 controls are the guest's own: written, they read back. */
static void own_controls(void)
{
	uint64_t v = sysreg_read(sctlr_el1);

	sysreg_write(sctlr_el1, v);
	isb();
	EXPECT_EQ(sysreg_read(sctlr_el1), v);
	sysreg_write(contextidr_el1, 0x77);
	EXPECT_EQ(sysreg_read(contextidr_el1), 0x77);
	v = sysreg_read(amair_el1);
	sysreg_write(amair_el1, v);
	EXPECT_EQ(sysreg_read(amair_el1), v);
}

const struct test guest_tests[] = {
	{ "id_space", id_space },
	{ "basic", basic },
	{ "features_hidden", features_hidden },
	{ "debug_features_hidden", debug_features_hidden },
	{ "undefined_registers", undefined_registers },
	{ "undefined_calls", undefined_calls },
	{ "odd_hvc_is_an_exception", odd_hvc_is_an_exception },
	{ "pmu", pmu },
	{ "debug_access", debug_access },
	{ "watchpoint", watchpoint },
	{ "set_way", set_way },
	{ "own_controls", own_controls },
	{ NULL, NULL },
};
