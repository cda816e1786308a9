/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMU of architecture version 2, as MMU-500 is one: which stream goes by
 * whose tables. Stage 2 alone; one context bank for each space that has
 * streams here.
 *
 * Owns    the registers of the unit; its groups and banks.
 * Not     the tables, nor whose a stream is.
 * Rule    a group is valid only while its bank is on, and a bank goes only
 *         after a sync without valid groups of its own: a bank that is off
 *         lets accesses through as they are.
 * 64 bits are written as two words, and a space is forgotten as a whole (by
 *         VMID): one word, which every integration takes (Armada's #582743).
 * Bounds  128 groups, 128 banks, SYNC_TRIES.
 * Spec    [SMMU2] 2 "Operation and use", 4 "TLB maintenance".
 */
#include <arch/barrier.h>
#include <lib/errno.h>
#include "smmuv2_priv.h"
#include "smmuv2_regs.h"

#define SYNC_TRIES 1000000u
#define NO_BANK SMMUV2_MAX_BANKS

/* ---- TLB ----------------------------------------------------------------- */

/* No group is valid: no stream matches, and CR0.USFCFG makes that a fault. */
static void refuse_all(struct iommu *u)
{
	struct smmuv2 *s = u->state;
	struct iommu_fault f = {
		.reason = IOMMU_DEAD,
		.code = smmuv2_read(s->global0, TLBGSTATUS),
	};

	for (uint32_t i = 0; i < s->nr_groups; i++) {
		smmuv2_write(s->global0, SMR(i), 0);
		s->group[i].is_used = false;
	}
	u->dead = true;
	s->fault(u, &f);
}

void smmuv2_sync(struct iommu *u)
{
	struct smmuv2 *s = u->state;
	uint32_t tries = SYNC_TRIES;

	if (u->dead) {
		return;
	}
	smmuv2_write(s->global0, TLBGSYNC, 0);
	while (smmuv2_read(s->global0, TLBGSTATUS) & TLBGSTATUS_ACTIVE) {
		if (--tries == 0) {
			refuse_all(u);
			return;
		}
	}
}

static void forget_tag(struct iommu *u, uint16_t tag)
{
	struct smmuv2 *s = u->state;

	dsb(sy); /* the tables' new entries are seen before the old ones go */
	smmuv2_write(s->global0, TLBIVMID, tag);
	smmuv2_sync(u);
}

/* ---- banks --------------------------------------------------------------- */

/* The bank with @tag; 0: one that is free. */
static uint32_t bank_find(const struct smmuv2 *s, uint16_t tag)
{
	uint32_t i = 0;

	while (i < s->nr_banks && s->bank[i].tag != tag) {
		i++; /* bound: banks */
	}
	return i < s->nr_banks ? i : NO_BANK;
}

static uint32_t tcr_of(const struct iommu *u, const struct iommu_space *sp)
{
	const struct smmuv2 *s = u->state;
	uint32_t v = CB_TCR_RES1 | (64u - sp->bits) |
		     (2u - sp->start_level) << CB_TCR_SL0_SHIFT |
		     (uint32_t)s->out_size << CB_TCR_PASIZE_SHIFT;

	return u->walks_coherent ? v | CB_TCR_SH0_INNER | CB_TCR_ORGN0_WBWA |
					   CB_TCR_IRGN0_WBWA :
				   v | CB_TCR_SH0_OUTER;
}

static void bank_on(struct iommu *u, uint32_t bank,
		    const struct iommu_space *sp)
{
	struct smmuv2 *s = u->state;
	char *regs = smmuv2_bank_regs(s, bank);

	s->bank[bank].tag = (uint8_t)sp->tag;
	smmuv2_write(s->global1, CBA2R(bank), CBA2R_VA64);
	smmuv2_write(s->global1, CBAR(bank), sp->tag);
	smmuv2_write(regs, CB_TCR, tcr_of(u, sp));
	smmuv2_write(regs, CB_TTBR0_LO, (uint32_t)sp->root);
	smmuv2_write(regs, CB_TTBR0_HI, (uint32_t)(sp->root >> 32));
	smmuv2_write(regs, CB_FSR, FSR_ALL);
	forget_tag(u, sp->tag); /* what a prefetch may have left behind */
	smmuv2_write(regs, CB_SCTLR, CB_SCTLR_M | CB_SCTLR_CFRE |
					     CB_SCTLR_CFIE | CB_SCTLR_HUPCF);
}

static void banks_off_unused(struct smmuv2 *s)
{
	for (uint32_t i = 0; i < s->nr_banks; i++) {
		if (s->bank[i].tag && s->bank[i].users == 0) {
			smmuv2_write(smmuv2_bank_regs(s, i), CB_SCTLR, 0);
			s->bank[i].tag = 0;
		}
	}
}

/* ---- groups -------------------------------------------------------------- */

/* The last stream of a group; its first is its id. */
static uint32_t last_of(const struct smmuv2 *s, const struct smmuv2_group *g)
{
	return g->id | (g->mask & ~(uint32_t)s->ignored);
}

static bool meets(const struct smmuv2 *s, const struct smmuv2_group *g,
		  uint32_t first, uint32_t last)
{
	return g->is_used && g->id <= last && last_of(s, g) >= first;
}

/* The first group, by streams, with one of [first, last]; NULL: none. */
static const struct smmuv2_group *next_group(const struct smmuv2 *s,
					     uint32_t first, uint32_t last)
{
	const struct smmuv2_group *found = NULL;

	for (uint32_t i = 0; i < s->nr_groups; i++) {
		const struct smmuv2_group *g = &s->group[i];

		if (meets(s, g, first, last) && (!found || g->id < found->id)) {
			found = g;
		}
	}
	return found;
}

/* The largest group that begins at @first and has nothing beyond @last. */
static uint32_t mask_of(const struct smmuv2 *s, uint32_t first, uint32_t last)
{
	uint32_t mask = 0;
	uint32_t more = 1;

	while (!(first & more) && first + more <= last &&
	       !(more & ~(uint32_t)s->mask_bits)) {
		mask = more;
		more = 2 * more + 1; /* bound: 16 bits */
	}
	return mask;
}

static void group_add(struct smmuv2 *s, uint32_t first, uint32_t mask,
		      uint32_t bank)
{
	uint32_t i = 0;

	while (s->group[i].is_used) {
		i++; /* bound: groups; cover() has counted */
	}
	s->group[i] = (struct smmuv2_group){
		.id = (uint16_t)first,
		.mask = (uint16_t)(mask | s->ignored),
		.bank = (uint8_t)bank,
		.is_used = true,
	};
	s->bank[bank].users++;
	smmuv2_write(s->global0, S2CR(i), bank);
	smmuv2_write(s->global0, SMR(i),
		     SMR_VALID | (mask | s->ignored) << SMR_MASK_SHIFT | first);
}

/*
 * Groups for the streams of [first, last] that have none yet: how many that
 * takes; with a @bank they are made. Any two ranges of aligned powers of two
 * nest or are apart, so no stream ever has two.
 */
static uint32_t cover(struct smmuv2 *s, uint32_t first, uint32_t last,
		      uint32_t bank)
{
	uint32_t n = 0;

	while (first <= last && n <= s->nr_groups) {
		const struct smmuv2_group *g = next_group(s, first, last);
		uint32_t mask;

		if (g && g->id <= first) {
			first = last_of(s, g) + 1;
			continue;
		}
		mask = mask_of(s, first, g ? g->id - 1u : last);
		if (bank != NO_BANK) {
			group_add(s, first, mask, bank);
		}
		first += mask + 1;
		n++;
	}
	return n;
}

static uint32_t nr_free_groups(const struct smmuv2 *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nr_groups; i++) {
		n += !s->group[i].is_used;
	}
	return n;
}

/* Groups with a stream of [first, last] go; those of @keep's stay. */
static void uncover(struct iommu *u, uint32_t first, uint32_t last,
		    uint16_t keep)
{
	struct smmuv2 *s = u->state;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nr_groups; i++) {
		struct smmuv2_group *g = &s->group[i];

		if (!meets(s, g, first, last) ||
		    s->bank[g->bank].tag == keep) {
			continue;
		}
		smmuv2_write(s->global0, SMR(i), 0);
		smmuv2_write(s->global0, S2CR(i), S2CR_FAULT);
		s->bank[g->bank].users--;
		g->is_used = false;
		n++;
	}
	if (n == 0) {
		return;
	}
	smmuv2_write(s->global0, TLBIALLNSNH, 0);
	smmuv2_sync(u);
	if (!u->dead) {
		banks_off_unused(s);
	}
}

/* ---- the port ------------------------------------------------------------ */

static int smmuv2_attach(struct iommu *u, uint32_t first, uint32_t nr,
			 const struct iommu_space *sp)
{
	struct smmuv2 *s = u->state;
	uint32_t last = first + nr - 1;
	uint32_t bank;

	if (last < first || last > u->max_stream || sp->bits > s->in_bits) {
		return -EINVAL;
	}
	uncover(u, first, last, sp->tag);
	bank = bank_find(s, sp->tag);
	if (bank == NO_BANK) {
		bank = bank_find(s, 0);
	}
	if (bank == NO_BANK || cover(s, first, last, NO_BANK) >
				       nr_free_groups(s)) {
		return u->dead ? -EIO : -ENOSPC;
	}
	if (s->bank[bank].tag == 0) {
		bank_on(u, bank, sp);
	}
	if (u->dead) {
		return -EIO;
	}
	cover(s, first, last, bank);
	return 0;
}

static void smmuv2_detach(struct iommu *u, uint32_t first, uint32_t nr,
			  const struct iommu_space *sp)
{
	(void)sp;
	uncover(u, first, first + nr - 1, 0);
}

static void smmuv2_flush(struct iommu *u, const struct iommu_space *sp,
			 uint64_t address, uint64_t pages)
{
	(void)address;
	(void)pages;
	if (bank_find(u->state, sp->tag) != NO_BANK) {
		forget_tag(u, sp->tag);
	}
}

static const char *const compatible[] = { "arm,mmu-500", NULL };

const struct iommu_ops smmuv2_iommu = {
	.name = "SMMUv2",
	.compatible = compatible,
	.regs_min = 0x4000,
	.init = smmuv2_init,
	.attach = smmuv2_attach,
	.detach = smmuv2_detach,
	.flush = smmuv2_flush,
	.irq = smmuv2_irq,
	.inspect = smmuv2_inspect,
};
