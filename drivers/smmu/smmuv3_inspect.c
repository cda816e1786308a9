/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMUv3: what becomes of a stream, found as the unit finds it, from its
 * registers on. Caches of the unit's cannot be read.
 *
 * Locks   the unit's, held by the caller. Writes nothing.
 * Bounds  a page of entries.
 * Spec    [SMMU] 5.1 "Level 1 Stream Table Descriptor", 5.2 "Stream Table
 *         Entry", 6.3.24 "SMMU_STRTAB_BASE", 6.3.25 "SMMU_STRTAB_BASE_CFG".
 */
#include "smmuv3_priv.h"

#define TABLE_ADDR FIELD64(51, 6)
#define CFG_LOG2SIZE FIELD64(5, 0)
#define CFG_SPLIT FIELD64(10, 6)
#define CFG_FMT FIELD64(17, 16)
#define L1_SPAN FIELD64(4, 0)
#define CONFIG_NOT_ABORT BIT64(2)
#define CONFIG_BYPASS 4u
#define CONFIG_S2 6u
#define GBPA_ABORT BIT32(20)
/* Tables of 4 KiB, little-endian, as those of AArch64. */
#define STE_FORM (STE_S2AA64 | FIELD64(47, 46) | BIT64(52))
#define STE_S2TTB FIELD64(51, 4)
#define ENTRIES_A_PAGE (PAGE_SIZE / (8 * SMMU_STE_WORDS))

#define NO_ENTRY UINT64_MAX

/* Where the entry of @stream is; NO_ENTRY: nor have *@nr from it on one. */
static uint64_t entry_pa(const struct smmuv3 *s, uint32_t stream, uint32_t *nr)
{
	uint32_t cfg = smmu_read(s, SMMU_STRTAB_BASE_CFG);
	uint64_t base = smmu_read(s, SMMU_STRTAB_BASE) |
			(uint64_t)smmu_read(s, SMMU_STRTAB_BASE + 4) << 32;
	uint32_t split = (uint32_t)field_get(CFG_SPLIT, cfg);
	uint64_t table = base & TABLE_ADDR;
	uint64_t span = field_get(CFG_LOG2SIZE, cfg);
	uint32_t at = stream;

	*nr = 1;
	if (field_get(CFG_FMT, cfg) != 0) {
		const uint64_t *l1 = s->at(table + 8 * (stream >> split));
		uint64_t word;

		if (!l1) {
			return table;
		}
		word = *l1;
		at = stream & (BIT32(split) - 1);
		table = word & TABLE_ADDR;
		span = field_get(L1_SPAN, word) - 1;
		if (field_get(L1_SPAN, word) == 0) {
			*nr = BIT32(split) - at;
			return NO_ENTRY;
		}
	}
	return at >> span ? NO_ENTRY : table + 8ul * SMMU_STE_WORDS * at;
}

/* How many entries from @e on, in its page, say the same. */
static uint32_t nr_equal(const uint64_t *e, uint64_t pa)
{
	uint64_t at = pa % PAGE_SIZE / (8 * SMMU_STE_WORDS);
	uint32_t most = (uint32_t)(ENTRIES_A_PAGE - at);
	const uint64_t *o = e + SMMU_STE_WORDS;
	uint32_t n = 1;

	while (n < most && o[0] == e[0] && o[2] == e[2] && o[3] == e[3]) {
		o += SMMU_STE_WORDS;
		n++;
	}
	return n;
}

static uint8_t read_entry(const uint64_t *e, struct iommu_space *by)
{
	uint64_t config = field_get(STE_CONFIG, e[0]);

	if (!(e[0] & STE_V) || !(config & 4)) {
		return IOMMU_REFUSES;
	}
	if (config == CONFIG_BYPASS) {
		return IOMMU_PASSES;
	}
	*by = (struct iommu_space){
		.root = e[3] & STE_S2TTB,
		.bits = (uint8_t)(64 - field_get(STE_S2T0SZ, e[2])),
		.start_level = (uint8_t)(2 - field_get(STE_S2SL0, e[2])),
		.tag = (uint16_t)e[2],
	};
	return config == CONFIG_S2 && (e[2] & STE_FORM) == STE_S2AA64
		       ? IOMMU_TRANSLATES
		       : IOMMU_UNKNOWN;
}

void smmuv3_inspect(struct iommu *u, uint32_t stream, struct iommu_route *r)
{
	const struct smmuv3 *s = u->state;
	uint64_t pa;

	*r = (struct iommu_route){ .use = IOMMU_REFUSES, .nr = UINT32_MAX };
	if (!(smmu_read(s, SMMU_CR0ACK) & CR0_SMMUEN)) {
		if (!(smmu_read(s, SMMU_GBPA) & GBPA_ABORT)) {
			r->use = IOMMU_PASSES;
		}
		return;
	}
	pa = entry_pa(s, stream, &r->nr);
	if (pa == NO_ENTRY) {
		return;
	}
	r->entry = s->at(pa);
	if (!r->entry) {
		r->use = IOMMU_UNKNOWN; /* a table that is not ours */
		return;
	}
	r->nr = nr_equal(r->entry, pa);
	r->use = read_entry(r->entry, &r->by);
}
