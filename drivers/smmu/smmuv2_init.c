/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMU of architecture version 2: what a unit is, and its state before the
 * first stream: none passes.
 *
 * Rule    ID registers are believed as far as they fit the frame that the
 *         tree gives and what the registers themselves keep.
 * Errata  MMU-500 #841119, #826419 and others of its prefetcher: it is off in
 *         every bank (ACTLR.CPRE), for which the lock on that bit goes first
 *         (ACR.CACHE_LOCK). Secure firmware may hold the lock: then it is
 *         said. Results of stream matching stay out of the TLB: what a group
 *         says holds at once.
 * Spec    [SMMU2] 10 "Identification registers", [MMU500] 3.5.1, 3.7.1.
 */
#include <arch/barrier.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "smmuv2_priv.h"
#include "smmuv2_regs.h"

STATIC_ASSERT(sizeof(struct smmuv2) <= PAGE_SIZE, "its state is one page");

static void say(struct iommu *u, uint8_t reason, uint32_t code)
{
	const struct smmuv2 *s = u->state;
	struct iommu_fault f = { .reason = reason, .code = code };

	s->fault(u, &f);
}

static uint8_t bits_of(uint32_t size)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };

	return size < ARRAY_SIZE(bits) ? bits[size] : 48;
}

/* Where everything is. -ENODEV: @size bytes do not hold it. */
static int find_frames(struct smmuv2 *s, uint64_t size)
{
	uint32_t idr1 = smmuv2_read(s->global0, IDR1);
	uint64_t pages = 2u << field_get(IDR1_NUMPAGENDXB, idr1);

	s->page_size = idr1 & IDR1_PAGESIZE ? 0x10000 : 0x1000;
	s->global1 = s->global0 + s->page_size;
	s->banks = s->global0 + pages * s->page_size;
	s->nr_banks = (uint16_t)min_u32(field_get(IDR1_NUMCB, idr1),
					SMMUV2_MAX_BANKS);
	if (s->nr_banks == 0 || s->nr_banks > pages ||
	    (pages + s->nr_banks) * s->page_size > size) {
		return -ENODEV;
	}
	return 0;
}

/* Matching of streams, stage 2, tables of 4 KiB as the CPUs have them. */
static int find_features(struct iommu *u, const struct iommu_config *c)
{
	struct smmuv2 *s = u->state;
	uint32_t idr0 = smmuv2_read(s->global0, IDR0);
	uint32_t idr2 = smmuv2_read(s->global0, IDR2);

	s->nr_groups = (uint16_t)min_u32(field_get(IDR0_NUMSMRG, idr0),
					 SMMUV2_MAX_GROUPS);
	if (!(idr0 & IDR0_SMS) || !(idr0 & IDR0_S2TS) ||
	    !(idr2 & IDR2_PTFSV8_4KB) || s->nr_groups == 0) {
		return -ENODEV;
	}
	s->in_bits = bits_of(field_get(IDR2_IAS, idr2));
	s->out_size = (uint8_t)min_u32(field_get(IDR2_OAS, idr2), 5);
	u->walks_coherent = c->coherent && (idr0 & IDR0_CTTW);
	return 0;
}

/*
 * How wide streams are: what a group that is not valid keeps. Bits that say
 * nothing are the upper ones, so those that do are numbers from 0 on.
 */
static int find_streams(struct iommu *u, uint32_t ignored)
{
	struct smmuv2 *s = u->state;
	uint32_t id;

	smmuv2_write(s->global0, SMR(0), SMR_ID);
	id = smmuv2_read(s->global0, SMR(0)) & SMR_ID;
	smmuv2_write(s->global0, SMR(0), SMR_ID << SMR_MASK_SHIFT);
	s->mask_bits = smmuv2_read(s->global0, SMR(0)) >> SMR_MASK_SHIFT &
		       SMR_ID;
	smmuv2_write(s->global0, SMR(0), 0);
	s->ignored = (uint16_t)(ignored & id);
	u->max_stream = id & ~ignored;
	if ((u->max_stream & (u->max_stream + 1)) ||
	    (s->ignored & ~s->mask_bits)) {
		return -ENODEV;
	}
	return 0;
}

static void refuse_streams(struct smmuv2 *s)
{
	for (uint32_t i = 0; i < s->nr_groups; i++) {
		smmuv2_write(s->global0, SMR(i), 0);
		smmuv2_write(s->global0, S2CR(i), S2CR_FAULT);
	}
	smmuv2_write(s->global0, GFSR, FSR_ALL);
	smmuv2_write(s->global0, CR0,
		     CR0_GFRE | CR0_GFIE | CR0_GCFGFIE | CR0_USFCFG |
			     CR0_VMIDPNE | CR0_PTM | CR0_SMCFCFG);
}

static void reset_banks(struct iommu *u)
{
	struct smmuv2 *s = u->state;
	uint32_t acr = smmuv2_read(s->global0, ACR);
	uint32_t actlr;

	smmuv2_write(s->global0, ACR,
		     acr & ~(ACR_CACHE_LOCK | ACR_TLB_OF_STREAMS));
	for (uint32_t i = 0; i < s->nr_banks; i++) {
		char *regs = smmuv2_bank_regs(s, i);

		smmuv2_write(regs, CB_SCTLR, 0);
		smmuv2_write(regs, CB_ACTLR, CB_ACTLR_CMTLB);
		smmuv2_write(regs, CB_FSR, FSR_ALL);
	}
	actlr = smmuv2_read(s->banks, CB_ACTLR);
	if (actlr & CB_ACTLR_CPRE) {
		say(u, IOMMU_ERROR, actlr);
	}
}

int smmuv2_init(struct iommu *u, const struct iommu_config *c)
{
	uint64_t pa;
	struct smmuv2 *s = c->alloc(0, &pa);
	int rc;

	if (!s) {
		return -ENOMEM;
	}
	u->state = s;
	s->global0 = c->regs;
	s->fault = c->fault;
	rc = find_frames(s, c->regs_size);
	rc = rc ? rc : find_features(u, c);
	if (rc == 0) {
		refuse_streams(s);
		rc = find_streams(u, c->stream_mask);
	}
	if (rc) {
		say(u, IOMMU_ERROR, smmuv2_read(s->global0, IDR0));
		return rc;
	}
	reset_banks(u);
	smmuv2_write(s->global0, TLBIALLH, 0);
	smmuv2_write(s->global0, TLBIALLNSNH, 0);
	smmuv2_sync(u);
	return u->dead ? -ENODEV : 0;
}
