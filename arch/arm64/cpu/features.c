/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs of different kinds in one machine: which CPU may come on line.
 *
 * Owns    what the boot CPU has and the hypervisor was set up for; why the
 *         last CPU was refused.
 * Not     what guests are shown (trap/idregs.c), who runs where (core/
 *         cpupool.c: a pool's CPUs are of one kind).
 * Why     an ID register can be shown otherwise than it is; cache lines, the
 *         format of CCSIDR_EL1 and what EL2 itself uses cannot.
 * CPU     the boot CPU, then each other at its bring-up, one after the other.
 * Spec    [ARM] D19.2: CTR_EL0, ID_AA64PFR0_EL1 and those that follow.
 */
#include <arch/features.h>
#include <arch/sysreg.h>
#include <arch/trap.h>
#include <hv/percpu.h>
#include <hv/platform.h>

enum fact { CTR, PFR0, DFR0, MMFR0, MMFR1, MMFR2, NR_FACTS };
enum rule { SAME, AT_LEAST, AT_LEAST_SIGNED };

struct demand {
	uint8_t fact;
	uint8_t lsb; /* of a field of 4 bits */
	uint8_t rule;
	const char *lack;
};

static const struct demand demands[] = {
	{ CTR, 0, SAME, "other lines in its instruction cache" },
	{ CTR, 16, SAME, "other lines in its data cache" },
	{ CTR, 28, SAME, "other rules for caches and code" }, /* IDC, DIC */
	{ PFR0, 16, AT_LEAST_SIGNED, "no floating point" },
	{ PFR0, 24, AT_LEAST, "no registers of the GIC" },
	{ DFR0, 12, AT_LEAST, "fewer breakpoints" },
	{ DFR0, 20, AT_LEAST, "fewer watchpoints" },
	{ MMFR0, 0, AT_LEAST, "shorter physical addresses" },
	{ MMFR0, 28, AT_LEAST_SIGNED, "no pages of 4 KiB" },
	{ MMFR1, 4, AT_LEAST, "shorter VMIDs" },
	{ MMFR2, 20, SAME, "another format of CCSIDR_EL1" },
};

static uint64_t first[NR_FACTS] __ro_after_boot;
static const char *refusal; /* written by a CPU before it parks; atomic */

__cold static void collect(uint64_t *f)
{
	f[CTR] = read_sysreg(ctr_el0);
	f[PFR0] = read_sysreg(id_aa64pfr0_el1);
	f[DFR0] = read_sysreg(id_aa64dfr0_el1);
	f[MMFR0] = read_sysreg(id_aa64mmfr0_el1);
	f[MMFR1] = read_sysreg(id_aa64mmfr1_el1);
	f[MMFR2] = read_sysreg(id_aa64mmfr2_el1);
}

static bool is_met(enum rule rule, uint64_t wanted, uint64_t has)
{
	switch (rule) {
	case SAME:
		return has == wanted;
	case AT_LEAST:
		return has >= wanted;
	case AT_LEAST_SIGNED: /* 0xf is -1: not there */
		return (has ^ 8) >= (wanted ^ 8);
	}
	return false;
}

static const char *lack_of(const uint64_t *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(demands); i++) {
		const struct demand *d = &demands[i];

		if (!is_met(d->rule, first[d->fact] >> d->lsb & 0xf,
			    f[d->fact] >> d->lsb & 0xf)) {
			return d->lack;
		}
	}
	return NULL;
}

static uint64_t kind(void)
{
	return options.hmp_unsafe ? 0 : read_sysreg(midr_el1);
}

__cold void features_init(void)
{
	collect(first);
	this_pcpu()->kind = kind();
}

__cold const char *features_join(void)
{
	uint64_t f[NR_FACTS];
	const char *lack;

	collect(f);
	lack = lack_of(f);
	if (!lack) {
		this_pcpu()->kind = kind();
		idregs_join();
	}
	return lack;
}

void features_refuse(const char *why)
{
	__atomic_store_n(&refusal, why, __ATOMIC_RELEASE);
}

const char *features_refused(void)
{
	return __atomic_exchange_n(&refusal, NULL, __ATOMIC_ACQUIRE);
}
