/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU errata that concern EL2, as rows, and the speculation mitigations that
 * firmware offers guests.
 *
 * Owns    the set of errata seen (on all CPUs together).
 * Not     a work-around: the log names what this CPU has, so that a fault can
 *         be told from ours. What EL2 does is the same on every CPU; a cache
 *         line is always cleaned with its invalidation (mm/cache.c), which is
 *         what the first row asks for.
 * CPU     errata_init_cpu on each at its bring-up, before guests run.
 * Spec    the CPUs' Software Developers Errata Notices, by number.
 */
#include <abi/smccc.h>
#include <arch/errata.h>
#include <arch/psci.h>
#include <arch/sysreg.h>
#include <hv/console.h>
#include <hv/platform.h>

#define MIDR_IMPLEMENTER FIELD64(31, 24)
#define MIDR_VARIANT FIELD64(23, 20)
#define MIDR_PART FIELD64(15, 4)
#define MIDR_REVISION FIELD64(3, 0)
#define IMPL_ARM 0x41u

struct erratum {
	const char *what;
	uint16_t part;  /* Arm's */
	uint8_t last;   /* highest rXpY concerned, X << 4 | Y */
};

static const struct erratum errata[] = {
	{ "A53 819472 824069 827319", 0xd03, 0x04 },
	{ "A53 1530924", 0xd03, 0xff },
	{ "A55 1530923", 0xd05, 0x20 },
	{ "A57 1319537", 0xd07, 0xff },
	{ "A72 1319367", 0xd08, 0xff },
	{ "A76 1165522", 0xd0b, 0x30 },
	{ "A76 1286807", 0xd0b, 0x30 },
	{ "N1 1165522", 0xd0c, 0x20 },
	{ "A73 858921", 0xd09, 0xff },
};

static uint32_t seen; /* bit n: errata[n] was logged */
STATIC_ASSERT(ARRAY_SIZE(errata) <= 32, "one bit a row");

void errata_init_cpu(void)
{
	uint64_t midr = read_sysreg(midr_el1);
	uint64_t rev = field_get(MIDR_VARIANT, midr) << 4 |
		       field_get(MIDR_REVISION, midr);

	if (field_get(MIDR_IMPLEMENTER, midr) != IMPL_ARM) {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(errata); i++) {
		const struct erratum *e = &errata[i];

		if (e->part != field_get(MIDR_PART, midr) || rev > e->last) {
			continue;
		}
		if (!(__atomic_fetch_or(&seen, BIT32(i), __ATOMIC_RELAXED) &
		      BIT32(i))) {
			log_info("CPU erratum: %s\n", e->what);
		}
	}
}

/* What firmware says of a mitigation is what the guest hears. */
int errata_smccc_workaround(uint32_t fid)
{
	if (platform.psci_conduit == PSCI_NONE ||
	    psci_smccc_version() < SMCCC_VERSION_1_1) {
		return SMCCC_NOT_SUPPORTED;
	}
	return (int)firmware_call(SMCCC_ARCH_FEATURES, fid, 0, 0);
}

void errata_smccc_call(uint32_t fid)
{
	if (errata_smccc_workaround(fid) >= 0) {
		(void)firmware_call(fid, 0, 0, 0);
	}
}
