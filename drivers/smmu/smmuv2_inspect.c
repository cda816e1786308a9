/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMU of architecture version 2: what becomes of a stream, from what its
 * registers say.
 *
 * Locks   the unit's, held by the caller. Writes nothing.
 * Bounds  SMMUV2_MAX_GROUPS.
 * Spec    [SMMU2] 2 "Operation and use", 10 "SMMU_S2CRn", "SMMU_CBARn".
 */
#include "smmuv2_priv.h"
#include "smmuv2_regs.h"

#define NO_GROUP UINT32_MAX

/* A group of @smr has @stream or not; so have up to *@nr from it on. */
static bool is_of(const struct iommu *u, uint32_t smr, uint32_t stream,
		  uint32_t *nr)
{
	uint32_t mask = smr >> SMR_MASK_SHIFT & u->max_stream;
	uint32_t first = smr & u->max_stream & ~mask;
	uint32_t last = first | mask;
	uint32_t same = stream < first ? first - stream : last - stream + 1;

	if (mask & (mask + 1)) {
		same = 1; /* none of ours: its streams are apart */
	} else if (stream > last) {
		same = *nr;
	}
	*nr = same < *nr ? same : *nr;
	return (stream & ~mask) == first;
}

static void read_bank(const struct smmuv2 *s, uint32_t bank,
		      struct iommu_route *r)
{
	const char *regs = smmuv2_bank_regs(s, bank);
	uint32_t cbar = smmuv2_read(s->global1, CBAR(bank));
	uint32_t tcr = smmuv2_read(regs, CB_TCR);

	r->by = (struct iommu_space){
		.root = smmuv2_read(regs, CB_TTBR0_LO) |
			(uint64_t)smmuv2_read(regs, CB_TTBR0_HI) << 32,
		.bits = (uint8_t)(64 - (tcr & 0x3f)),
		.start_level = (uint8_t)(2 - (tcr >> CB_TCR_SL0_SHIFT & 3)),
		.tag = (uint8_t)cbar,
	};
	if (!(smmuv2_read(regs, CB_SCTLR) & CB_SCTLR_M)) {
		r->use = IOMMU_PASSES;
	} else if ((cbar & CBAR_TYPE) || (tcr & CB_TCR_TG0) ||
		   !(smmuv2_read(s->global1, CBA2R(bank)) & CBA2R_VA64)) {
		r->use = IOMMU_UNKNOWN;
	} else {
		r->use = IOMMU_TRANSLATES;
	}
}

static void read_group(const struct smmuv2 *s, uint32_t group,
		       struct iommu_route *r)
{
	uint32_t s2cr = smmuv2_read(s->global0, S2CR(group));

	if (s2cr & S2CR_FAULT) {
		return;
	}
	if (s2cr & S2CR_BYPASS) {
		r->use = IOMMU_PASSES;
	} else if ((s2cr & S2CR_BANK) >= s->nr_banks) {
		r->use = IOMMU_UNKNOWN;
	} else {
		read_bank(s, s2cr & S2CR_BANK, r);
	}
}

void smmuv2_inspect(struct iommu *u, uint32_t stream, struct iommu_route *r)
{
	const struct smmuv2 *s = u->state;
	uint32_t cr0 = smmuv2_read(s->global0, CR0);
	uint32_t group = NO_GROUP;
	bool is_of_two = false;

	*r = (struct iommu_route){ .use = IOMMU_REFUSES, .nr = UINT32_MAX };
	for (uint32_t i = 0; i < s->nr_groups; i++) { /* bound: 128 */
		uint32_t smr = smmuv2_read(s->global0, SMR(i));

		if ((smr & SMR_VALID) && is_of(u, smr, stream, &r->nr)) {
			is_of_two = group != NO_GROUP;
			group = i;
		}
	}
	if (cr0 & CR0_CLIENTPD) {
		r->use = IOMMU_PASSES;
	} else if (is_of_two) {
		r->use = cr0 & CR0_SMCFCFG ? IOMMU_REFUSES : IOMMU_UNKNOWN;
	} else if (group != NO_GROUP) {
		read_group(s, group, r);
	} else if (!(cr0 & CR0_USFCFG)) {
		r->use = IOMMU_PASSES;
	}
}
