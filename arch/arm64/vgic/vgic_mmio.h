/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of emulated GIC register files and the engine that serves them. */
#ifndef VGIC_MMIO_H
#define VGIC_MMIO_H

#include <hv/mmio.h>
#include "vgic_priv.h"

/* One access, as a row's functions see it. */
struct vgic_access {
	struct vcpu *v;      /* who accesses */
	struct vcpu *owner;  /* whose private interrupts */
	uint32_t offset;     /* in the file */
	uint32_t size;
	/*
	 * Rows with bits per interrupt; the vGIC lock is held. A value to be
	 * written has no bits of interrupts that do not exist.
	 */
	struct vgic_op *op;
	struct virq *q;      /* the first one accessed */
	uint32_t nr;         /* how many of them exist; 0: half of a field */
};

struct vgic_reg {
	uint32_t offset;
	uint32_t len;        /* bytes, of all registers of the row */
	uint8_t widths;      /* access sizes allowed: 1 | 2 | 4 | 8; 0: end */
	uint8_t bits_log2;   /* bits per interrupt, or VGIC_REG_PLAIN */
	uint64_t (*read)(const struct vgic_access *a);            /* NULL: 0 */
	void (*write)(const struct vgic_access *a, uint64_t val); /* NULL: WI */
};

#define VGIC_REG_PLAIN 0xffu
#define VGIC_BANK_SHIFT 7

struct vgic_regs {
	const struct vgic_reg *reg; /* REG_END is the last */
	bool has_private;    /* interrupts below 32 are in this file */
	/* Row with which to start for an offset below 4 KiB, per 128 bytes. */
	uint8_t first[32];
	uint8_t first_high;  /* and above */
};

/* Every offset that no row before has. */
#define REG_END { .len = UINT32_MAX }
/* A register, or several, without a field per interrupt. */
#define REG_PLAIN(off, length, width, rd, wr)                                 \
	{                                                                     \
		.offset = (off), .len = (length), .widths = (width),          \
		.bits_log2 = VGIC_REG_PLAIN, .read = (rd), .write = (wr),     \
	}
/* @length bytes with 2^@log2 bits per interrupt, from INTID 0. */
#define REG_PER_IRQ(off, length, log2, width, rd, wr)                         \
	{                                                                     \
		.offset = (off), .len = (length), .widths = (width),          \
		.bits_log2 = (log2), .read = (rd), .write = (wr),             \
	}

/* @m, of @v, to the file @f, with the private interrupts of @owner. */
enum mmio_result vgic_regs_access(struct vcpu *v, struct mmio_access *m,
				  const struct vgic_regs *f,
				  struct vcpu *owner);

/* What every frame of a GICv3 says of itself. */
uint64_t vgic_rd_iidr_v3(const struct vgic_access *a);
uint64_t vgic_rd_pidr2_v3(const struct vgic_access *a);

/* What an access of 4 or 8 bytes sees of the 64-bit register @val. */
static inline uint64_t vgic_part(const struct vgic_access *a, uint64_t val)
{
	return a->size == 8 ? val : (uint32_t)(val >> (a->offset & 4) * 8);
}

/* @old after a write of @val. */
static inline uint64_t vgic_merge(const struct vgic_access *a, uint64_t old,
				  uint64_t val)
{
	unsigned int shift = (a->offset & 4) * 8;

	return a->size == 8 ? val :
			      (old & ~(UINT64_C(0xffffffff) << shift)) |
				      val << shift;
}

/* vgic_irq_regs.c: fields per interrupt, the same in all files. */
uint64_t vgic_rd_enable(const struct vgic_access *a);
void vgic_wr_set_enable(const struct vgic_access *a, uint64_t val);
void vgic_wr_clear_enable(const struct vgic_access *a, uint64_t val);
uint64_t vgic_rd_pending(const struct vgic_access *a);
void vgic_wr_set_pending(const struct vgic_access *a, uint64_t val);
void vgic_wr_clear_pending(const struct vgic_access *a, uint64_t val);
uint64_t vgic_rd_active(const struct vgic_access *a);
void vgic_wr_set_active(const struct vgic_access *a, uint64_t val);
void vgic_wr_clear_active(const struct vgic_access *a, uint64_t val);
uint64_t vgic_rd_priority(const struct vgic_access *a);
void vgic_wr_priority(const struct vgic_access *a, uint64_t val);
uint64_t vgic_rd_config(const struct vgic_access *a);
void vgic_wr_config(const struct vgic_access *a, uint64_t val);

#define GIC_IIDR_V3 0x34cu      /* as other hypervisors answer here */
#define GIC_IIDR_V2 0x43bu
#define GIC_PIDR2_V3 0x3bu      /* ArchRev, JEDEC */
#define GIC_PIDR2_V2 0x2bu

#endif
