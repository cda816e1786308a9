/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMUv3: the stream table, and what an entry says.
 *
 * Owns    the memory of the tables.
 * Layout  two levels, a chunk of 256 streams each (a PCI bus); or one table
 *         where the unit has no two. Chunks that belong to one space as a
 *         whole share one table of equal entries: a host bridge with 65536
 *         streams costs 18 KiB, not 4 MiB. A chunk that is divided gets a
 *         table of its own and keeps it.
 * Entries invalid (nothing is allowed, and attempts are recorded) or stage 2
 *         alone, by the tables that the CPUs walk. An entry becomes valid
 *         last and invalid first; the unit is told after each step.
 * Locks   the unit's, held by the caller.
 * Spec    [SMMU] 5.2 "Stream Table Entry", 3.21.3 "Configuration structure
 *         update procedures".
 */
#include <lib/errno.h>
#include "smmuv3_priv.h"

#define STE_SHCFG_INCOMING BIT64(44) /* word 1 */
#define STE_S2IR0_WBWA field_prep(FIELD64(41, 40), 1) /* word 2 */
#define STE_S2OR0_WBWA field_prep(FIELD64(43, 42), 1)
#define STE_S2SH0_INNER field_prep(FIELD64(45, 44), 3)
#define STE_S2PS FIELD64(50, 48)
#define STE_S2AFFD BIT64(53) /* an ITS's doorbell has no access flag */
#define STE_S2R BIT64(58) /* record faults */

#define L1_SPAN (SMMU_SPLIT + 1)
#define STRTAB_RA BIT64(62)
#define STRTAB_2LEVEL BIT32(16)
#define TABLE_ORDER 2u /* 256 entries of 64 bytes */

static uint64_t *ste_of(const struct smmuv3 *s, uint64_t *table, uint32_t sid)
{
	return table + SMMU_STE_WORDS * (sid & (BIT32(s->chunk_bits) - 1));
}

/* Entry words but the first; the input size is what both can do. */
static void ste_fill(const struct smmuv3 *s, uint64_t *e,
		     const struct iommu_space *sp)
{
	uint32_t bits = sp->bits < s->oas_bits ? sp->bits : s->oas_bits;

	e[1] = STE_SHCFG_INCOMING;
	e[2] = sp->tag | field_prep(STE_S2T0SZ, 64 - bits) |
	       field_prep(STE_S2SL0, 2u - sp->start_level) | STE_S2IR0_WBWA |
	       STE_S2OR0_WBWA | STE_S2SH0_INNER | field_prep(STE_S2PS, s->oas) |
	       STE_S2AA64 | STE_S2AFFD | STE_S2R;
	e[3] = sp->root;
	e[4] = e[5] = e[6] = e[7] = 0;
}

/* ---- chunks -------------------------------------------------------------- */

/* @word: a table and its span, or 0. Equal entries may be exchanged live. */
static void level1_set(struct smmuv3 *s, uint32_t chunk, uint64_t word)
{
	__atomic_store_n(&s->level1[chunk], word, __ATOMIC_RELEASE);
	smmu_publish(s, &s->level1[chunk], sizeof(uint64_t));
}

/* The chunk's own table; as many entries are as they were. -ENOMEM. */
static int chunk_own(struct smmuv3 *s, uint32_t chunk)
{
	const uint64_t *from = s->shared[s->shared_tag[chunk]];
	uint64_t *to;
	uint64_t pa;

	if (s->own[chunk]) {
		return 0;
	}
	to = s->alloc(TABLE_ORDER, &pa);
	if (!to) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; from && i < SMMU_STE_WORDS << SMMU_SPLIT; i++) {
		to[i] = from[i];
	}
	smmu_publish(s, to, PAGE_SIZE << TABLE_ORDER);
	level1_set(s, chunk, pa | L1_SPAN);
	smmuv3_forget_streams(s);
	s->own[chunk] = to;
	s->shared_tag[chunk] = 0;
	return 0;
}

static bool is_shared_used(const struct smmuv3 *s, uint16_t tag)
{
	uint32_t nr = BIT32(s->sid_bits - SMMU_SPLIT);

	for (uint32_t i = 0; i < nr; i++) { /* bound: SMMU_CHUNKS */
		if (s->shared_tag[i] == tag) {
			return true;
		}
	}
	return false;
}

/* A table of entries of @sp, for whole chunks. */
static int shared_make(struct smmuv3 *s, const struct iommu_space *sp)
{
	uint64_t **t = &s->shared[sp->tag];

	if (!*t) {
		*t = s->alloc(TABLE_ORDER, &s->shared_pa[sp->tag]);
	}
	if (!*t) {
		return -ENOMEM;
	}
	if (!is_shared_used(s, sp->tag)) {
		for (uint32_t i = 0; i < BIT32(SMMU_SPLIT); i++) {
			ste_fill(s, ste_of(s, *t, i), sp);
			*ste_of(s, *t, i) = STE_CONFIG_S2 | STE_V;
		}
		smmu_publish(s, *t, PAGE_SIZE << TABLE_ORDER);
	}
	return 0;
}

static int attach_chunk(struct smmuv3 *s, uint32_t chunk,
			const struct iommu_space *sp)
{
	int rc = shared_make(s, sp);

	if (rc == 0) {
		level1_set(s, chunk, s->shared_pa[sp->tag] | L1_SPAN);
		s->shared_tag[chunk] = (uint8_t)sp->tag;
	}
	return rc;
}

/* ---- single entries ------------------------------------------------------ */

static int attach_part(struct smmuv3 *s, uint32_t sid, uint32_t nr,
		       const struct iommu_space *sp)
{
	uint32_t chunk = sid >> s->chunk_bits;
	int rc = chunk_own(s, chunk);

	for (uint32_t i = 0; rc == 0 && i < nr; i++) { /* of one chunk */
		uint64_t *e = ste_of(s, s->own[chunk], sid + i);

		ste_fill(s, e, sp);
		smmu_publish(s, e, 64);
		__atomic_store_n(e, STE_CONFIG_S2 | STE_V, __ATOMIC_RELEASE);
		smmu_publish(s, e, 8);
	}
	return rc;
}

static void detach_part(struct smmuv3 *s, uint32_t sid, uint32_t nr)
{
	uint32_t chunk = sid >> s->chunk_bits;

	if (chunk_own(s, chunk) != 0) {
		/* No memory to divide it: then nobody has any of it. */
		level1_set(s, chunk, 0);
		s->shared_tag[chunk] = 0;
		return;
	}
	for (uint32_t i = 0; i < nr; i++) { /* of one chunk */
		uint64_t *e = ste_of(s, s->own[chunk], sid + i);

		__atomic_store_n(e, 0, __ATOMIC_RELEASE);
		smmu_publish(s, e, 8);
	}
}

/* ---- the port ------------------------------------------------------------ */

/* The part of [first, first + nr) that is in the chunk of @first. */
static uint32_t part_of(const struct smmuv3 *s, uint32_t first, uint32_t nr)
{
	uint32_t size = BIT32(s->chunk_bits);
	uint32_t room = size - (first & (size - 1));

	return nr < room ? nr : room;
}

static bool is_whole(const struct smmuv3 *s, uint32_t first, uint32_t nr)
{
	return s->level1 && nr == BIT32(SMMU_SPLIT) &&
	       !s->own[first >> SMMU_SPLIT];
}

static void told(struct smmuv3 *s, uint32_t first, uint32_t nr)
{
	if (nr == 1) {
		smmuv3_forget_stream(s, first);
	} else {
		smmuv3_forget_streams(s);
	}
}

void smmuv3_detach(struct iommu *u, uint32_t first, uint32_t nr,
		   const struct iommu_space *sp)
{
	struct smmuv3 *s = u->state;
	uint32_t sid = first;
	uint32_t left = nr;

	while (left) { /* bound: SMMU_CHUNKS, or one chunk's entries */
		uint32_t n = part_of(s, sid, left);

		if (is_whole(s, sid, n)) {
			level1_set(s, sid >> SMMU_SPLIT, 0);
			s->shared_tag[sid >> SMMU_SPLIT] = 0;
		} else {
			detach_part(s, sid, n);
		}
		sid += n;
		left -= n;
	}
	told(s, first, nr);
	smmuv3_forget_tag(s, sp->tag); /* and what was under way is over */
}

int smmuv3_attach(struct iommu *u, uint32_t first, uint32_t nr,
		  const struct iommu_space *sp)
{
	struct smmuv3 *s = u->state;
	uint32_t sid = first;
	int rc = 0;

	if (nr == 0 || first > u->max_stream ||
	    nr - 1 > u->max_stream - first) {
		return -EINVAL;
	}
	while (rc == 0 && sid - first < nr) { /* bound: as in detach */
		uint32_t n = part_of(s, sid, nr - (sid - first));

		rc = is_whole(s, sid, n)
			     ? attach_chunk(s, sid >> SMMU_SPLIT, sp)
			     : attach_part(s, sid, n, sp);
		sid += n;
	}
	told(s, first, nr);
	if (rc == 0 && u->dead) {
		rc = -EIO;
	}
	if (rc) {
		smmuv3_detach(u, first, nr, sp);
	}
	return rc;
}

static unsigned int order_of(uint64_t bytes)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < bytes) { /* bound: MAX_ORDER */
		order++;
	}
	return order;
}

/* For each chunk: its own table, and whose it is as a whole. */
static int chunks_init(struct smmuv3 *s, uint32_t nr)
{
	uint64_t pa;

	s->own = s->alloc(order_of(nr * sizeof(*s->own)), &pa);
	s->shared_tag = s->alloc(order_of(nr), &pa);
	return s->own && s->shared_tag ? 0 : -ENOMEM;
}

int smmuv3_table_init(struct smmuv3 *s)
{
	bool linear = s->chunk_bits == s->sid_bits;
	uint64_t bytes = linear ? (uint64_t)64 << s->sid_bits
				: (uint64_t)8 << (s->sid_bits - SMMU_SPLIT);
	uint64_t pa;
	uint64_t *table = s->alloc(order_of(bytes), &pa);

	if (!table || chunks_init(s, BIT32(s->sid_bits - s->chunk_bits)) != 0) {
		return -ENOMEM;
	}
	smmu_publish(s, table, bytes);
	if (linear) {
		s->own[0] = table;
	} else {
		s->level1 = table;
	}
	mmio_write64(s->regs + SMMU_STRTAB_BASE, pa | STRTAB_RA);
	smmu_write(s, SMMU_STRTAB_BASE_CFG,
		   linear ? s->sid_bits
			  : STRTAB_2LEVEL | SMMU_SPLIT << 6 | s->sid_bits);
	return 0;
}
