/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distributor registers that GICv2, GICv3 and a GICv3 redistributor's SGI
 * frame have at the same offsets, and how one interrupt's bit is reached.
 */
#ifndef GIC_REGS_H
#define GIC_REGS_H

#include <lib/bits.h>
#include <lib/types.h>
#include <arch/mmio_access.h>

#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IGROUPR 0x0080u
#define GICD_ISENABLER 0x0100u
#define GICD_ICENABLER 0x0180u
#define GICD_ISPENDR 0x0200u
#define GICD_ICPENDR 0x0280u
#define GICD_ISACTIVER 0x0300u
#define GICD_ICACTIVER 0x0380u
#define GICD_IPRIORITYR 0x0400u
#define GICD_ITARGETSR 0x0800u
#define GICD_ICFGR 0x0c00u
#define GICD_IGRPMODR 0x0d00u
#define GICD_SGIR 0x0f00u
#define GICD_IROUTER 0x6000u

#define GICD_TYPER_ITLINES 0x1fu
/* The middle of what 4 bits of priority can say; all ours have the same. */
#define GIC_PRIORITY 0xa0a0a0a0u
#define GIC_PMR_ALL 0xffu
/* Polls of a bit that the hardware clears within microseconds. */
#define GIC_POLLS 1000000u

static inline void *gic_reg(void *base, uint32_t offset)
{
	return (char *)base + offset;
}

static inline uint32_t gic_nr_lines(void *gicd)
{
	uint32_t n = mmio_read32(gic_reg(gicd, GICD_TYPER));

	n = ((n & GICD_TYPER_ITLINES) + 1) * 32;
	return n < 1020 ? n : 1020;
}

/* Write 1 to the bit of @intid in a set or clear register file. */
static inline void gic_write_bit(void *base, uint32_t file, uint32_t intid)
{
	mmio_write32(gic_reg(base, file + intid / 32 * 4), 1u << intid % 32);
}

static inline bool gic_read_bit(void *base, uint32_t file, uint32_t intid)
{
	return mmio_read32(gic_reg(base, file + intid / 32 * 4)) >> intid % 32 &
	       1;
}

/* Two bits an interrupt; the caller has it disabled. */
static inline void gic_write_cfg(void *base, uint32_t intid, bool edge)
{
	void *p = gic_reg(base, GICD_ICFGR + intid / 16 * 4);
	uint32_t bit = 2u << intid % 16 * 2;
	uint32_t v = mmio_read32(p);

	mmio_write32(p, edge ? v | bit : v & ~bit);
}

/* Off, inactive, not pending, level-sensitive, one priority: all SPIs. */
static inline void gic_reset_spis(void *gicd, uint32_t nr_lines)
{
	uint32_t i;

	for (i = 32; i < nr_lines; i += 32) {
		uint32_t word = i / 32 * 4;

		mmio_write32(gic_reg(gicd, GICD_ICENABLER + word), ~0u);
		mmio_write32(gic_reg(gicd, GICD_ICPENDR + word), ~0u);
		mmio_write32(gic_reg(gicd, GICD_ICACTIVER + word), ~0u);
	}
	for (i = 32; i < nr_lines; i += 16) {
		mmio_write32(gic_reg(gicd, GICD_ICFGR + i / 4), 0);
	}
	for (i = 32; i < nr_lines; i += 4) {
		mmio_write32(gic_reg(gicd, GICD_IPRIORITYR + i), GIC_PRIORITY);
	}
}

/* The same for private interrupts; only @enable is on afterwards. */
static inline void gic_reset_private(void *base, uint32_t enable)
{
	mmio_write32(gic_reg(base, GICD_ICENABLER), ~0u);
	mmio_write32(gic_reg(base, GICD_ICPENDR), 0xffff0000u);
	mmio_write32(gic_reg(base, GICD_ICACTIVER), ~0u);
	for (uint32_t i = 0; i < 32; i += 4) {
		mmio_write32(gic_reg(base, GICD_IPRIORITYR + i), GIC_PRIORITY);
	}
	mmio_write32(gic_reg(base, GICD_ISENABLER), enable);
}

#endif
