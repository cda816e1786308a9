/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMUv3, stage 2 alone.
 *
 * Owns    the registers, and the order in which the unit is set up.
 * Not     queues (smmuv3_queue.c), the stream table (smmuv3_ste.c,
 *         smmuv3_inspect.c).
 * Rule    at no moment is anything allowed that was not: the unit is made to
 *         abort what it does not translate before it is switched off, and
 *         stays so for good.
 * Why     TLB maintenance of the CPUs is not listened to (CR2.PTM): tags are
 *         numbers of our own, and go by commands.
 * Locks   none in init; otherwise the unit's, held by the caller.
 * Bounds  SMMU_POLLS reads a wait.
 * Spec    [SMMU] 6.3 "Register formats", 3.11 "Reset, Enable and
 *         initialization".
 */
#include <lib/errno.h>
#include "smmuv3_priv.h"

#define IDR0_S2P BIT32(0)
#define IDR0_TTF_AARCH64 BIT32(3)
#define IDR0_COHACC BIT32(4)
#define IDR0_TTENDIAN FIELD64(22, 21)
#define TTENDIAN_BIG 3u
#define IDR0_STALL FIELD64(25, 24)
#define STALL_ALWAYS 2u
#define IDR0_ST_LEVEL FIELD64(28, 27)
#define IDR1_SIDSIZE FIELD64(5, 0)
#define IDR1_EVENTQS FIELD64(20, 16)
#define IDR1_CMDQS FIELD64(25, 21)
#define IDR1_PRESET (BIT32(29) | BIT32(30))
#define IDR5_OAS FIELD64(2, 0)
#define IDR5_GRAN4K BIT32(4)

/* Queues and tables write-back cached, inner shareable. */
#define CR1_CACHED 0xd75u
#define CR2_PTM_RECINVSID 0x6u
#define GBPA_ABORT BIT32(20)
#define GBPA_UPDATE BIT32(31)
#define IRQ_CTRL_GERROR_EVTQ 0x5u
#define LINEAR_MAX_BITS 16u /* 4 MiB */

static bool wait_for(const char *regs, uint32_t reg, uint32_t mask,
		     uint32_t want)
{
	for (uint32_t i = 0; i < SMMU_POLLS; i++) {
		if ((mmio_read32(regs + reg) & mask) == want) {
			return true;
		}
	}
	return false;
}

static bool abort_all(char *regs)
{
	uint32_t gbpa = mmio_read32(regs + SMMU_GBPA);

	mmio_write32(regs + SMMU_GBPA, gbpa | GBPA_ABORT | GBPA_UPDATE);
	if (!wait_for(regs, SMMU_GBPA, GBPA_UPDATE, 0)) {
		return false;
	}
	mmio_write32(regs + SMMU_CR0, 0);
	return wait_for(regs, SMMU_CR0ACK, UINT32_MAX, 0);
}

void smmuv3_die(struct smmuv3 *s, uint32_t code)
{
	const struct iommu_fault f = {.reason = IOMMU_DEAD, .code = code};

	if (s->u->dead) {
		return;
	}
	s->u->dead = true;
	(void)abort_all(s->regs); /* more than to ask we cannot do */
	smmu_write(s, SMMU_IRQ_CTRL, 0);
	s->fault(s->u, &f);
}

static int refuse(struct smmuv3 *s, uint32_t code)
{
	const struct iommu_fault f = {.reason = IOMMU_ERROR, .code = code};

	s->fault(s->u, &f);
	return -ENODEV;
}

static const uint8_t oas_bits[] = {32, 36, 40, 42, 44, 48, 52};

static int read_features(struct smmuv3 *s, const struct iommu_config *c)
{
	uint32_t idr0 = smmu_read(s, SMMU_IDR0);
	uint32_t idr1 = smmu_read(s, SMMU_IDR1);
	uint32_t idr5 = smmu_read(s, SMMU_IDR5);
	uint32_t need = IDR0_S2P | IDR0_TTF_AARCH64;
	uint32_t named = c->max_stream ? fls64(c->max_stream) + 1 : 1;
	uint32_t bits = (uint32_t)field_get(IDR1_SIDSIZE, idr1);

	if ((idr0 & need) != need || !(idr5 & IDR5_GRAN4K) ||
	    field_get(IDR0_TTENDIAN, idr0) == TTENDIAN_BIG ||
	    field_get(IDR0_STALL, idr0) == STALL_ALWAYS) {
		return refuse(s, idr0);
	}
	if ((idr1 & IDR1_PRESET) ||
	    field_get(IDR1_CMDQS, idr1) < SMMU_CMDQ_LOG2 ||
	    field_get(IDR1_EVENTQS, idr1) < SMMU_EVTQ_LOG2) {
		return refuse(s, idr1);
	}
	s->oas = (uint8_t)field_get(IDR5_OAS, idr5);
	s->oas = s->oas > 5 ? 5 : s->oas; /* our tables have 48 bits at most */
	s->oas_bits = oas_bits[s->oas];
	s->clean = (idr0 & IDR0_COHACC) ? NULL : c->clean;
	bits = named < bits ? named : bits;
	if (field_get(IDR0_ST_LEVEL, idr0) && bits > SMMU_SPLIT) {
		s->sid_bits =
			bits < SMMU_MAX_SID_BITS ? bits : SMMU_MAX_SID_BITS;
		s->chunk_bits = SMMU_SPLIT;
	} else {
		s->sid_bits = bits < LINEAR_MAX_BITS ? bits : LINEAR_MAX_BITS;
		s->chunk_bits = s->sid_bits;
	}
	s->u->max_stream = BIT32(s->sid_bits) - 1;
	s->u->walks_coherent = !s->clean;
	return 0;
}

static bool enable(struct smmuv3 *s, uint32_t bits)
{
	smmu_write(s, SMMU_CR0, bits);
	return wait_for(s->regs, SMMU_CR0ACK, UINT32_MAX, bits);
}

/* Tables and queues are in their registers; nothing of old is remembered. */
static bool start(struct smmuv3 *s)
{
	if (!enable(s, CR0_CMDQEN)) {
		return false;
	}
	smmuv3_forget_streams(s);
	smmuv3_forget_all(s);
	mmio_write64(s->regs + SMMU_GERROR_IRQ_CFG0, 0); /* wires, no MSIs */
	mmio_write64(s->regs + SMMU_EVTQ_IRQ_CFG0, 0);
	smmu_write(s, SMMU_GERRORN, smmu_read(s, SMMU_GERROR));
	smmu_write(s, SMMU_IRQ_CTRL, IRQ_CTRL_GERROR_EVTQ);
	return wait_for(s->regs, SMMU_IRQ_CTRLACK, UINT32_MAX,
			IRQ_CTRL_GERROR_EVTQ) &&
	       enable(s, CR0_CMDQEN | CR0_EVENTQEN) &&
	       enable(s, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
}

static int smmuv3_init(struct iommu *u, const struct iommu_config *c)
{
	bool off = abort_all(c->regs);
	uint64_t pa;
	struct smmuv3 *s = c->alloc(1, &pa);
	int rc;

	if (!s) {
		return -ENOMEM;
	}
	s->u = u;
	s->regs = c->regs;
	s->alloc = c->alloc;
	s->at = c->at;
	s->fault = c->fault;
	u->state = s;
	if (!off) {
		smmuv3_die(s, smmu_read(s, SMMU_GBPA));
		return -ENODEV;
	}
	rc = read_features(s, c);
	if (rc == 0) {
		smmu_write(s, SMMU_CR1, s->clean ? 0 : CR1_CACHED);
		smmu_write(s, SMMU_CR2, CR2_PTM_RECINVSID);
		rc = smmuv3_table_init(s);
	}
	if (rc == 0) {
		rc = smmuv3_queue_init(s);
	}
	if (rc == 0 && (!start(s) || u->dead)) {
		smmuv3_die(s, smmu_read(s, SMMU_CR0ACK));
		rc = -ENODEV;
	}
	return rc;
}

static void smmuv3_flush(struct iommu *u, const struct iommu_space *sp,
			 uint64_t address, uint64_t pages)
{
	struct smmuv3 *s = u->state;

	if (pages == 1) {
		smmuv3_forget_page(s, sp->tag, address);
	} else {
		smmuv3_forget_tag(s, sp->tag);
	}
}

static bool smmuv3_irq(struct iommu *u)
{
	return smmuv3_events(u->state);
}

static const char *const compatible[] = {"arm,smmu-v3", NULL};

const struct iommu_ops smmuv3_iommu = {
	.name = "SMMUv3",
	.compatible = compatible,
	.regs_min = SMMU_REGS_SIZE,
	.init = smmuv3_init,
	.attach = smmuv3_attach,
	.detach = smmuv3_detach,
	.flush = smmuv3_flush,
	.irq = smmuv3_irq,
	.inspect = smmuv3_inspect,
};
