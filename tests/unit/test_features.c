/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/cpu/features.c arch/arm64/trap/idregs.c
// LINK: tests/fakes/fake_sysreg.c
// CFLAGS: -include tests/fakes/fake_sysreg.h
/*
 * CPUs of different kinds in one machine: which may come on line, and what
 * guests see of the ID registers then.
 */
#include <criterion/criterion.h>

#include <arch/features.h>
#include <arch/trap.h>
#include <hv/percpu.h>
#include <hv/platform.h>

struct options options;
static struct pcpu cpus[2];
struct pcpu *fake_this_pcpu;

/* By what both files read: one register has two names. */
struct cpu {
	uint64_t midr, ctr, pfr0, dfr0, isar0, mmfr0, mmfr1, mmfr2, mmfr0_32;
};

/* As the manuals of Cortex-A53 r0p4 and Cortex-A72 r0p2 have them. */
static const struct cpu a53 = {
	.midr = 0x410fd034, .ctr = 0x84448004, .pfr0 = 0x01002222,
	.dfr0 = 0x10305106, .isar0 = 0x00011120, .mmfr0 = 0x00001122,
	.mmfr0_32 = 0x10101105,
};
static const struct cpu a72 = {
	.midr = 0x410fd082, .ctr = 0x8444c004, .pfr0 = 0x01002222,
	.dfr0 = 0x10305106, .isar0 = 0x00011120, .mmfr0 = 0x00001124,
	.mmfr0_32 = 0x10201105,
};

static void on(unsigned int n, const struct cpu *c)
{
	fake_this_pcpu = &cpus[n];
	*fake_sysreg("midr_el1") = c->midr;
	*fake_sysreg("ctr_el0") = c->ctr;
	*fake_sysreg("id_aa64pfr0_el1") = c->pfr0;
	*fake_sysreg("s3_0_c0_c4_0") = c->pfr0;
	*fake_sysreg("id_aa64dfr0_el1") = c->dfr0;
	*fake_sysreg("s3_0_c0_c5_0") = c->dfr0;
	*fake_sysreg("s3_0_c0_c6_0") = c->isar0;
	*fake_sysreg("id_aa64mmfr0_el1") = c->mmfr0;
	*fake_sysreg("s3_0_c0_c7_0") = c->mmfr0;
	*fake_sysreg("id_aa64mmfr1_el1") = c->mmfr1;
	*fake_sysreg("s3_0_c0_c7_1") = c->mmfr1;
	*fake_sysreg("id_aa64mmfr2_el1") = c->mmfr2;
	*fake_sysreg("s3_0_c0_c7_2") = c->mmfr2;
	*fake_sysreg("s3_0_c0_c1_4") = c->mmfr0_32;
}

/* What the second CPU is told. */
static const char *machine(const struct cpu *boot, const struct cpu *other)
{
	on(0, boot);
	idregs_init();
	features_init();
	on(1, other);
	return features_join();
}

Test(features, the_same_twice_changes_nothing)
{
	cr_expect_null(machine(&a53, &a53));
	cr_expect_eq(cpus[0].kind, a53.midr);
	cr_expect_eq(cpus[1].kind, a53.midr);
	cr_expect_eq(idreg_value(7, 0), 0x1122);
	cr_expect_eq(idreg_value(1, 4), 0x10101105);
	cr_expect_eq(idreg_value(4, 0), 0x01000012);
}

Test(features, guests_see_what_both_have)
{
	struct cpu bare = a72;

	cr_expect_null(machine(&a53, &a72));
	cr_expect_neq(cpus[0].kind, cpus[1].kind);
	cr_expect_eq(idreg_value(7, 0), 0x1122, "40 bits, not 44");
	cr_expect_eq(idreg_value(1, 4), 0x10101105);
	cr_expect_eq(idreg_value(6, 0), 0x11120);
	bare.isar0 = 0x10000; /* no AES, SHA1, SHA2 */
	cr_expect_null(machine(&a53, &bare));
	cr_expect_eq(idreg_value(6, 0), 0x10000);
	on(1, &a53);
	cr_expect_null(features_join());
	cr_expect_eq(idreg_value(6, 0), 0x10000, "a third brings nothing back");
}

/* EL2's tables are for 44 bits already. */
Test(features, the_small_one_after_the_big_one)
{
	cr_expect_str_eq(machine(&a72, &a53), "shorter physical addresses");
	cr_expect_eq(idreg_value(7, 0), 0x1124, "what guests see stays");
	cr_expect_eq(cpus[1].kind, 0);
}

/* A field of @reg: the boot CPU's, the other's, what is missing. */
struct pair {
	size_t reg;
	unsigned int lsb;
	uint64_t boot, other;
	const char *lack;
};

#define R(f) offsetof(struct cpu, f)

static const struct pair pairs[] = {
	{ R(ctr), 0, 4, 3, "other lines in its instruction cache" },
	{ R(ctr), 0, 3, 4, "other lines in its instruction cache" },
	{ R(ctr), 16, 4, 5, "other lines in its data cache" },
	{ R(ctr), 28, 9, 8, "other rules for caches and code" },
	{ R(ctr), 28, 8, 10, "other rules for caches and code" },
	{ R(pfr0), 16, 0, 15, "no floating point" },
	{ R(pfr0), 16, 1, 0, "no floating point" },
	{ R(pfr0), 16, 0, 1, NULL },
	{ R(pfr0), 16, 15, 0, NULL },
	{ R(pfr0), 24, 1, 0, "no registers of the GIC" },
	{ R(pfr0), 24, 0, 1, NULL },
	{ R(dfr0), 12, 5, 3, "fewer breakpoints" },
	{ R(dfr0), 12, 3, 5, NULL },
	{ R(dfr0), 20, 3, 1, "fewer watchpoints" },
	{ R(mmfr0), 0, 4, 2, "shorter physical addresses" },
	{ R(mmfr0), 28, 0, 15, "no pages of 4 KiB" },
	{ R(mmfr0), 28, 0, 1, NULL },
	{ R(mmfr1), 4, 2, 0, "shorter VMIDs" },
	{ R(mmfr1), 4, 0, 2, NULL },
	{ R(mmfr2), 20, 0, 1, "another format of CCSIDR_EL1" },
	{ R(mmfr2), 20, 1, 0, "another format of CCSIDR_EL1" },
};

static struct cpu with(const struct pair *p, uint64_t v)
{
	struct cpu c = a53;
	uint64_t *r = (uint64_t *)((char *)&c + p->reg);

	*r = (*r & ~(UINT64_C(15) << p->lsb)) | v << p->lsb;
	return c;
}

Test(features, what_cannot_be_hidden)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct cpu boot = with(p, p->boot);
		struct cpu other = with(p, p->other);
		const char *lack = machine(&boot, &other);

		cr_expect(p->lack ? lack && strcmp(lack, p->lack) == 0 : !lack,
			  "%zu: %s", i, lack);
	}
}

/* In these 0xf is less than 0, wherever it is. */
Test(features, fields_with_a_sign)
{
	static const struct {
		size_t reg;
		uint8_t lsb, crm, boot, other, seen;
	} t[] = {
		{ R(pfr0), 16, 4, 15, 0, 15 }, { R(pfr0), 16, 4, 0, 1, 0 },
		{ R(pfr0), 20, 4, 0, 15, 15 }, { R(pfr0), 20, 4, 1, 0, 0 },
		{ R(mmfr0), 24, 7, 0, 15, 15 }, { R(mmfr0), 24, 7, 15, 0, 15 },
		{ R(dfr0), 36, 5, 0, 15, 15 },
		/* and in these it is more */
		{ R(dfr0), 28, 5, 15, 1, 1 }, { R(mmfr0), 4, 7, 15, 2, 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pair p = { .reg = t[i].reg, .lsb = t[i].lsb };
		struct cpu boot = with(&p, t[i].boot);
		struct cpu other = with(&p, t[i].other);

		cr_expect_null(machine(&boot, &other), "%zu", i);
		cr_expect_eq(idreg_value(t[i].crm, 0) >> t[i].lsb & 15,
			     t[i].seen, "%zu", i);
	}
}

Test(features, kinds_do_not_matter_when_asked)
{
	options.hmp_unsafe = true;
	cr_expect_null(machine(&a53, &a72));
	cr_expect_eq(cpus[0].kind, 0);
	cr_expect_eq(cpus[1].kind, 0);
	cr_expect_eq(idreg_value(7, 0), 0x1122, "and no feature is promised");
}

Test(features, a_refusal_is_told_once)
{
	cr_expect_null(features_refused());
	features_refuse("why");
	cr_expect_str_eq(features_refused(), "why");
	cr_expect_null(features_refused());
}
