/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the SMMUv2 driver share. */
#ifndef SMMUV2_PRIV_H
#define SMMUV2_PRIV_H

#include <arch/mmio_access.h>
#include <hv/iommu.h>

#define SMMUV2_MAX_GROUPS 128u
#define SMMUV2_MAX_BANKS 128u

/*
 * A stream mapping group: of streams that differ from @id, which has no bit of
 * @mask, in bits of @mask alone. Two in use never have a stream in common.
 */
struct smmuv2_group {
	uint16_t id;
	uint16_t mask;
	uint8_t bank;
	bool is_used;
};

/* A context bank: the tables of one space, for @users groups. */
struct smmuv2_bank {
	uint8_t tag; /* 0: free. It is the VMID, too */
	uint8_t users;
};

struct smmuv2 {
	char *global0;
	char *global1;
	char *banks; /* of the first */
	uint32_t page_size;
	uint16_t nr_groups;
	uint16_t nr_banks;
	uint16_t ignored;   /* bits of a stream that say nothing */
	uint16_t mask_bits; /* that a group's mask has */
	uint8_t in_bits;    /* of an address it takes */
	uint8_t out_size;   /* of an address it makes, as TCR.PASize has it */
	void (*fault)(struct iommu *u, const struct iommu_fault *f);
	struct smmuv2_group group[SMMUV2_MAX_GROUPS];
	struct smmuv2_bank bank[SMMUV2_MAX_BANKS];
};

static inline uint32_t smmuv2_read(const char *frame, uint32_t off)
{
	return mmio_read32(frame + off);
}

static inline void smmuv2_write(char *frame, uint32_t off, uint32_t v)
{
	mmio_write32(frame + off, v);
}

static inline char *smmuv2_bank_regs(const struct smmuv2 *s, uint32_t bank)
{
	return s->banks + (size_t)bank * s->page_size;
}

int smmuv2_init(struct iommu *u, const struct iommu_config *c);
bool smmuv2_irq(struct iommu *u);
void smmuv2_inspect(struct iommu *u, uint32_t stream, struct iommu_route *r);
/*
 * What was invalidated is gone, and accesses that used it are over. A unit
 * that does not get there refuses everything from then on.
 */
void smmuv2_sync(struct iommu *u);

#endif
