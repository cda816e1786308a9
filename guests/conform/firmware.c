/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI and SMCCC: every function id of the ranges that a hypervisor answers,
 * by HVC and by SMC, and other immediates of both instructions. What ends a
 * CPU or the domain is in the list SKIPPED.
 */
#include "conform.h"

#define P32(n) (0x84000000u + (n))
#define P64(n) (0xc4000000u + (n))

struct fn_case {
	const char *row;
	uint32_t fn;
	uint64_t a[3];
};

static const struct fn_case cases[] = {
	{ "PSCI_VERSION", P32(0), { 0 } },
	{ "PSCI_VERSION", P64(0), { 0 } },
	{ "PSCI_CPU_OFF", P64(2), { 0 } },
	{ "PSCI_CPU_ON", P64(3), { 0 } },
	{ "PSCI_CPU_ON", P64(3), { 99 } },
	{ "PSCI_CPU_ON", P64(3), { 0x80000000 } },
	{ "PSCI_CPU_ON", P64(3), { 0x100 } },
	{ "PSCI_CPU_ON", P64(3), { UINT64_MAX } },
	{ "PSCI_CPU_ON", P64(3), { 0, 1 } },
	{ "PSCI_CPU_ON", P32(3), { 0 } },
	{ "PSCI_CPU_ON", P32(3), { 99 } },
	{ "PSCI_CPU_ON", P32(3), { HI(1) } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0, 0 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 1, 0 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 99, 0 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0, 1 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0, 2 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0, 3 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0, 4 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0, UINT64_MAX } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0x80000000, 0 } },
	{ "PSCI_AFFINITY_INFO", P64(4), { 0x10000, 1 } },
	{ "PSCI_AFFINITY_INFO", P32(4), { 0, 0 } },
	{ "PSCI_AFFINITY_INFO", P32(4), { 1, 0 } },
	{ "PSCI_MIGRATE_INFO_TYPE", P32(6), { 0 } },
	{ "PSCI_MIGRATE_INFO_TYPE", P64(6), { 0 } },
	{ "PSCI_SYSTEM_OFF", P64(8), { 0 } },
	{ "PSCI_SYSTEM_RESET", P64(9), { 0 } },
	{ "PSCI_FEATURES", P64(0xa), { P32(0) } },
	{ "PSCI_FEATURES", P32(0xa), { 0 } },
	{ "PSCI_FEATURES", P32(0xa), { 0x80000000 } },
	{ "PSCI_FEATURES", P32(0xa), { 0x80000001 } },
	{ "PSCI_FEATURES", P32(0xa), { 0x80008000 } },
	{ "PSCI_FEATURES", P32(0xa), { 0xffffffff } },
	{ "PSCI_FEATURES", P32(0xa), { HI(1) | P32(0) } },
	{ "PSCI_0.1", 0, { 0 } },
	{ "PSCI_0.1", 2, { 99 } },
	{ "PSCI_0.1", 3, { 0 } },
	{ "SMCCC_VERSION", 0x80000000, { 0 } },
	{ "SMCCC_VERSION", 0xc0000000, { 0 } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { 0x80000000 } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { 0x80000001 } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { 0x80000002 } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { 0x80008000 } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { 0x80007fff } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { 0x80003fff } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { P32(0) } },
	{ "SMCCC_ARCH_FEATURES", 0x80000001, { UINT64_MAX } },
	{ "SMCCC_ARCH_WORKAROUND_1", 0x80008000, { 0 } },
	{ "SMCCC_ARCH_WORKAROUND_2", 0x80007fff, { 1 } },
	{ "SMCCC_ARCH_WORKAROUND_3", 0x80003fff, { 0 } },
	{ "SMCCC_HYP_CALL_COUNT", 0x8500ff00, { 0 } },
	{ "SMCCC_HYP_CALL_UID", 0x8500ff01, { 0 } },
	{ "SMCCC_HYP_REVISION", 0x8500ff03, { 0 } },
	{ "SMCCC vendor's hypervisor service", 0x8600ff00, { 0 } },
	{ "SMCCC vendor's hypervisor service", 0x8600ff01, { 0 } },
	{ "SMCCC vendor's hypervisor service", 0x8600ff03, { 0 } },
	{ "SMCCC_STD_CALL_COUNT", 0x8400ff00, { 0 } },
	{ "SMCCC_STD_CALL_UID", 0x8400ff01, { 0 } },
	{ "SMCCC_STD_REVISION", 0x8400ff03, { 0 } },
	{ "SMCCC other owner", 0x1000, { 0 } },
	{ "SMCCC other owner", 0x0200ff00, { 0 } },
	{ "SMCCC other owner", 0x81000000, { 0 } },
	{ "SMCCC other owner", 0x82000000, { 0 } },
	{ "SMCCC other owner", 0x83000000, { 0 } },
	{ "SMCCC other owner", 0x85000000, { 0 } },
	{ "SMCCC other owner", 0x86000000, { 0 } },
	{ "SMCCC other owner", 0x8600ff02, { 0 } },
	{ "SMCCC other owner", 0x8600ffff, { 0 } },
	{ "SMCCC other owner", 0xc6000000, { 0 } },
	{ "SMCCC other owner", 0x8700ff00, { 0 } },
	{ "SMCCC other owner", 0xb0000000, { 0 } },
	{ "SMCCC other owner", 0xbf00ff01, { 0 } },
	{ "SMCCC other owner", 0xc2000000, { 0 } },
	{ "SMCCC other owner", 0xffffffff, { 0 } },
};

/* CPU_SUSPEND, CPU_OFF, SYSTEM_OFF, SYSTEM_RESET, CPU_OFF of PSCI 0.1 */
#define SKIPPED	(1u << 1 | 1u << 2 | 1u << 8 | 1u << 9)

static void firmware_call(bool smc, uint64_t x[4])
{
	register uint64_t x0 asm("x0") = x[0];
	register uint64_t x1 asm("x1") = x[1];
	register uint64_t x2 asm("x2") = x[2];
	register uint64_t x3 asm("x3") = x[3];

	if (smc) {
		asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			     :: "memory");
	} else {
		asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			     :: "memory");
	}
	x[0] = x0;
	x[1] = x1;
	x[2] = x2;
	x[3] = x3;
}

/* x0, and those of x1 to x3 that are not what they were. */
static void tell_call(const char *row, bool smc, uint32_t fn,
		      const uint64_t a[3])
{
	uint64_t x[4] = { fn, a[0], a[1], a[2] };
	struct line l;
	unsigned int i;

	line_begin(&l, row);
	line_string(&l, smc ? "smc " : "hvc ");
	for (i = 0; i < 3; i++) {
		line_hex(&l, x[i]);
		line_string(&l, i < 2 ? "," : "");
	}
	line_next(&l);
	firmware_call(smc, x);
	line_hex(&l, x[0]);
	for (i = 1; i < 4; i++) {
		if (x[i] != a[i - 1]) {
			line_string(&l, " x");
			line_hex(&l, i);
			line_string(&l, "=");
			line_hex(&l, x[i]);
		}
	}
	line_end(&l);
}

static void psci_ids(void)
{
	static const uint64_t none[3];
	unsigned int i;

	for (i = 0; i < 32; i++) {
		const uint64_t known[3] = { P32(i) };
		const uint64_t known64[3] = { P64(i) };

		tell_call("PSCI_FEATURES", false, P32(0xa), known);
		tell_call("PSCI_FEATURES", false, P32(0xa), known64);
		if (!(SKIPPED >> i & 1)) {
			tell_call("PSCI number", false, P32(i), none);
			tell_call("PSCI number", true, P64(i), none);
		}
	}
}

static void immediates(void)
{
	static const uint16_t imm[] = { 1, 2, 0x4a48, 0xea0, 0xea2, 0x7fff,
					0xffff };
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(imm); i++) {
		uint32_t insn = i % 2 ? 0xd4000003 : 0xd4000002;
		uint64_t x1 = 0;
		struct trap t;
		struct line l;
		bool ok = run_insn(insn | (uint32_t)imm[i / 2] << 5, 0, &x1,
				   &t);

		line_begin(&l, i % 2 ? "SMC immediate" : "HVC immediate");
		line_hex(&l, imm[i / 2]);
		line_next(&l);
		line_trap(&l, &t, !ok, 0);
		line_end(&l);
	}
}

void conform_firmware(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tell_call(cases[i].row, false, cases[i].fn, cases[i].a);
		tell_call(cases[i].row, true, cases[i].fn, cases[i].a);
	}
	psci_ids();
	immediates();
}
