/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMU of architecture version 2: what it refused.
 *
 * A unit keeps one fault of streams, and one of each bank, until it is
 * cleared; of those that come meanwhile it knows that there were some. So one
 * look at all of them is all there is to report, and bounded.
 *
 * Spec    [SMMU2] 3 "Fault handling".
 */
#include "smmuv2_priv.h"
#include "smmuv2_regs.h"

static uint64_t read64(const char *frame, uint32_t low)
{
	return smmuv2_read(frame, low) |
	       (uint64_t)smmuv2_read(frame, low + 4) << 32;
}

static void report(struct iommu *u, struct iommu_fault *f)
{
	const struct smmuv2 *s = u->state;

	f->stream = f->stream & SYNR_STREAM & ~(uint32_t)s->ignored;
	f->has_address = true;
	s->fault(u, f);
	if (f->code & FSR_MULTI) {
		struct iommu_fault lost = { .reason = IOMMU_LOST };

		s->fault(u, &lost);
	}
}

static void stream_fault(struct iommu *u)
{
	struct smmuv2 *s = u->state;
	struct iommu_fault f = { .code = smmuv2_read(s->global0, GFSR) };

	if (f.code == 0) {
		return;
	}
	f.reason = f.code & (GFSR_USF | GFSR_ICF) ? IOMMU_NO_SPACE :
						    IOMMU_OTHER;
	f.address = read64(s->global0, GFAR_LO);
	f.stream = smmuv2_read(s->global0, GFSYNR1);
	f.write = smmuv2_read(s->global0, GFSYNR0) & GFSYNR0_WNR;
	smmuv2_write(s->global0, GFSR, f.code);
	report(u, &f);
}

static uint8_t reason_of(uint32_t fsr)
{
	if (fsr & CB_FSR_TF) {
		return IOMMU_NOT_MAPPED;
	}
	if (fsr & CB_FSR_PF) {
		return IOMMU_NOT_ALLOWED;
	}
	return fsr & CB_FSR_EF ? IOMMU_TABLE_FAULT : IOMMU_OTHER;
}

static void bank_fault(struct iommu *u, uint32_t bank)
{
	struct smmuv2 *s = u->state;
	char *regs = smmuv2_bank_regs(s, bank);
	struct iommu_fault f = { .code = smmuv2_read(regs, CB_FSR) };

	if (!(f.code & FSR_ALL)) {
		return;
	}
	f.reason = reason_of(f.code);
	f.address = read64(regs, CB_FAR_LO);
	f.stream = smmuv2_read(s->global1, CBFRSYNRA(bank));
	f.write = smmuv2_read(regs, CB_FSYNR0) & CB_FSYNR0_WNR;
	smmuv2_write(regs, CB_FSR, f.code);
	report(u, &f);
}

bool smmuv2_irq(struct iommu *u)
{
	const struct smmuv2 *s = u->state;

	stream_fault(u);
	for (uint32_t i = 0; i < s->nr_banks; i++) {
		if (s->bank[i].tag) {
			bank_fault(u, i);
		}
	}
	return false;
}
