/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the SMMUv3 driver among themselves. */
#ifndef SMMUV3_PRIV_H
#define SMMUV3_PRIV_H

#include <hv/iommu.h>
#include <lib/bits.h>
#include <arch/barrier.h>
#include <arch/mmio_access.h>

#define SMMU_POLLS (1u << 20) /* reads of a register before it is hung */

#define SMMU_CMDQ_LOG2 8u /* 256 commands of 16 bytes: a page */
#define SMMU_EVTQ_LOG2 7u /* 128 records of 32 bytes: a page */
#define SMMU_MAX_SID_BITS 20u
#define SMMU_SPLIT 8u /* streams of a table of the second level */
#define SMMU_STE_WORDS 8u
#define SMMU_CHUNKS (1u << (SMMU_MAX_SID_BITS - SMMU_SPLIT))

#define SMMU_IDR0 0x0u
#define SMMU_IDR1 0x4u
#define SMMU_IDR5 0x14u
#define SMMU_CR0 0x20u
#define SMMU_CR0ACK 0x24u
#define SMMU_CR1 0x28u
#define SMMU_CR2 0x2cu
#define SMMU_GBPA 0x44u
#define SMMU_IRQ_CTRL 0x50u
#define SMMU_IRQ_CTRLACK 0x54u
#define SMMU_GERROR 0x60u
#define SMMU_GERRORN 0x64u
#define SMMU_GERROR_IRQ_CFG0 0x68u
#define SMMU_STRTAB_BASE 0x80u
#define SMMU_STRTAB_BASE_CFG 0x88u
#define SMMU_CMDQ_BASE 0x90u
#define SMMU_CMDQ_PROD 0x98u
#define SMMU_CMDQ_CONS 0x9cu
#define SMMU_EVTQ_BASE 0xa0u
#define SMMU_EVTQ_IRQ_CFG0 0xb0u
#define SMMU_EVTQ_PROD 0x100a8u
#define SMMU_EVTQ_CONS 0x100acu
#define SMMU_REGS_SIZE 0x20000u

#define CR0_SMMUEN BIT32(0)
#define CR0_EVENTQEN BIT32(2)
#define CR0_CMDQEN BIT32(3)
#define GERROR_CMDQ BIT32(0)
#define GERROR_EVTQ_ABORT BIT32(2)
#define GERROR_SFM BIT32(8)

/* What the events of one state have in common: see smmuv3_ste.c. */
struct smmuv3 {
	struct iommu *u;
	char *regs;
	void *(*alloc)(unsigned int order, uint64_t *pa);
	void *(*at)(uint64_t pa);
	void (*clean)(const void *va, size_t len); /* NULL: it sees caches */
	void (*fault)(struct iommu *u, const struct iommu_fault *f);

	uint64_t *cmdq, *evtq;
	uint32_t cmdq_prod; /* with its wrap bit, as in the register */
	uint32_t evtq_cons;

	uint64_t *level1; /* NULL: one linear table, which is own[0] */
	uint32_t sid_bits;
	uint32_t chunk_bits; /* streams of one table of the last level, log2 */
	uint8_t oas_bits;    /* of an address it puts out */
	uint8_t oas; /* the same as the register has it */
	uint64_t **own; /* [chunks] a chunk's own table, or NULL ... */
	uint8_t *shared_tag; /* ... or all of it is that space's; 0: nobody's */
	uint64_t *shared[IOMMU_TAGS]; /* 2^SMMU_SPLIT entries of that space */
	uint64_t shared_pa[IOMMU_TAGS];
};

static inline uint32_t smmu_read(const struct smmuv3 *s, uint32_t reg)
{
	return mmio_read32(s->regs + reg);
}

static inline void smmu_write(struct smmuv3 *s, uint32_t reg, uint32_t v)
{
	mmio_write32(s->regs + reg, v);
}

/* What was stored at [va, va + len) is there when the unit looks next. */
static inline void smmu_publish(struct smmuv3 *s, const void *va, size_t len)
{
	if (s->clean) {
		s->clean(va, len);
	}
	dsb(st);
}

/* An entry: what its words are. */
#define STE_V BIT64(0)
#define STE_CONFIG FIELD64(3, 1)
#define STE_CONFIG_S2 (UINT64_C(6) << 1)
#define STE_S2T0SZ FIELD64(37, 32) /* word 2, as VTCR_EL2 has them */
#define STE_S2SL0 FIELD64(39, 38)
#define STE_S2AA64 BIT64(51)

/* Refuse everything from now on, say so once. */
void smmuv3_die(struct smmuv3 *s, uint32_t code);

/* smmuv3_queue.c; nothing is done, and nothing fails, with a dead unit. */
int smmuv3_queue_init(struct smmuv3 *s);
void smmuv3_forget_stream(struct smmuv3 *s, uint32_t sid); /* its entry */
void smmuv3_forget_streams(struct smmuv3 *s); /* all entries */
void smmuv3_forget_tag(struct smmuv3 *s, uint16_t tag);
void smmuv3_forget_page(struct smmuv3 *s, uint16_t tag, uint64_t address);
void smmuv3_forget_all(struct smmuv3 *s); /* translations of every tag */
bool smmuv3_events(struct smmuv3 *s);

/* smmuv3_ste.c */
int smmuv3_table_init(struct smmuv3 *s);
int smmuv3_attach(struct iommu *u, uint32_t first, uint32_t nr,
		  const struct iommu_space *sp);
void smmuv3_detach(struct iommu *u, uint32_t first, uint32_t nr,
		   const struct iommu_space *sp);

/* smmuv3_inspect.c */
void smmuv3_inspect(struct iommu *u, uint32_t stream, struct iommu_route *r);

#endif
