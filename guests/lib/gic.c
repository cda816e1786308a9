/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2 and GICv3 behind one set of calls, as a guest sees them: group 1 on
 * GICv3, the single group of a GICv2 without security extensions otherwise.
 * Private interrupts are in the redistributor of the CPU that asks.
 */
#include "guest.h"

#define ICC_PMR		s3_0_c4_c6_0
#define ICC_DIR		s3_0_c12_c11_1
#define ICC_RPR		s3_0_c12_c11_3
#define ICC_SGI1R	s3_0_c12_c11_5
#define ICC_IAR1	s3_0_c12_c12_0
#define ICC_EOIR1	s3_0_c12_c12_1
#define ICC_BPR1	s3_0_c12_c12_3
#define ICC_CTLR	s3_0_c12_c12_4
#define ICC_SRE		s3_0_c12_c12_5
#define ICC_IGRPEN1	s3_0_c12_c12_7

/* The macros above need one expansion before they become text. */
#define icc_read(reg)		icc_read_(reg)
#define icc_read_(reg)		sysreg_read(reg)
#define icc_write(reg, v)	icc_write_(reg, v)
#define icc_write_(reg, v)	sysreg_write(reg, v)

#define GICC_CTLR	0x00u
#define GICC_PMR	0x04u
#define GICC_BPR	0x08u
#define GICC_IAR	0x0cu
#define GICC_EOIR	0x10u
#define GICC_RPR	0x14u
#define GICC_DIR	0x1000u

#define GICR_TYPER	0x0008u
#define GICR_WAKER	0x0014u
#define GICR_SGI_PAGE	0x10000u
#define GICR_STRIDE	0x20000u
#define TYPER_LAST	(UINT64_C(1) << 4)

static bool v3(void)
{
	return machine.gic_version == 3;
}

/* Redistributors carry Aff3.2.1.0 in TYPER[63:32], MPIDR has Aff3 at 32. */
static uint64_t find_gicr(uint64_t mpidr)
{
	uint64_t aff = (mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000u);
	unsigned int i;

	for (i = 0; i < machine.nr_gicr; i++) {
		uint64_t a = machine.gicr[i].base;
		uint64_t end = a + machine.gicr[i].size;

		for (; a < end; a += GICR_STRIDE) {
			uint64_t typer = mmio_read64(a + GICR_TYPER);

			if (typer >> 32 == aff) {
				return a;
			}
			if (typer & TYPER_LAST) {
				break;
			}
		}
	}
	return 0;
}

void gic_init(void)
{
	/* GICv3: ARE_NS and EnableGrp1A; GICv2: bit 0 enables. */
	mmio_write32(machine.gicd.base + GICD_CTLR, v3() ? 0x12 : 1);
}

void gic_cpu_init(void)
{
	struct cpu *c = this_cpu();
	unsigned int i;

	if (v3()) {
		c->gicr = find_gicr(sysreg_read(mpidr_el1));
		icc_write(ICC_SRE, icc_read(ICC_SRE) | 1);
		isb();
		mmio_write32(gic_bank(0) + GICD_IGROUPR, 0xffffffff);
	}
	for (i = 0; i < 32; i++) {
		gic_priority(i, 0x80);
	}
	if (v3()) {
		icc_write(ICC_BPR1, 0);
		icc_write(ICC_CTLR, 0);
		icc_write(ICC_IGRPEN1, 1);
		isb();
	} else {
		mmio_write32(machine.gicc.base + GICC_BPR, 0);
		mmio_write32(machine.gicc.base + GICC_CTLR, 1);
	}
	gic_pmr(0xf0);
}

uint64_t gic_bank(unsigned int intid)
{
	if (v3() && intid < 32) {
		return this_cpu()->gicr + GICR_SGI_PAGE;
	}
	return machine.gicd.base;
}

uint32_t gic_ack(void)
{
	uint32_t iar;

	if (!v3()) {
		return mmio_read32(machine.gicc.base + GICC_IAR);
	}
	iar = (uint32_t)icc_read(ICC_IAR1);
	dsb();
	return iar;
}

void gic_eoi(uint32_t iar)
{
	if (v3()) {
		icc_write(ICC_EOIR1, iar);
		isb();
	} else {
		mmio_write32(machine.gicc.base + GICC_EOIR, iar);
	}
}

void gic_dir(uint32_t iar)
{
	if (v3()) {
		icc_write(ICC_DIR, iar);
		isb();
	} else {
		mmio_write32(machine.gicc.base + GICC_DIR, iar);
	}
}

void gic_pmr(unsigned int mask)
{
	if (v3()) {
		icc_write(ICC_PMR, mask);
		isb();
	} else {
		mmio_write32(machine.gicc.base + GICC_PMR, mask);
	}
	dsb();
}

unsigned int gic_rpr(void)
{
	return v3() ? (unsigned int)icc_read(ICC_RPR) & 0xff :
		      mmio_read32(machine.gicc.base + GICC_RPR) & 0xff;
}

void gic_eoimode(bool split)
{
	if (v3()) {
		icc_write(ICC_CTLR, split ? 2 : 0);
		isb();
	} else {
		mmio_write32(machine.gicc.base + GICC_CTLR,
			     split ? 1 | 1u << 9 : 1);
	}
}

unsigned int gic_nr_intids(void)
{
	uint32_t typer = mmio_read32(machine.gicd.base + GICD_TYPER);
	unsigned int n = ((typer & 0x1f) + 1) * 32;

	return n > MAX_INTID ? MAX_INTID : n;
}

bool gic_bit(unsigned int intid, unsigned int reg)
{
	uint64_t a = gic_bank(intid) + reg + intid / 32 * 4;

	return mmio_read32(a) >> (intid % 32) & 1;
}

void gic_set_bit(unsigned int intid, unsigned int reg)
{
	mmio_write32(gic_bank(intid) + reg + intid / 32 * 4,
		     1u << (intid % 32));
	dsb();
}

void gic_priority(unsigned int intid, uint8_t prio)
{
	mmio_write8(gic_bank(intid) + GICD_IPRIORITYR + intid, prio);
}

void gic_route(unsigned int intid, unsigned int cpu)
{
	if (v3()) {
		mmio_write64(machine.gicd.base + GICD_IROUTER + intid * 8,
			     machine.mpidr[cpu]);
	} else {
		mmio_write8(machine.gicd.base + GICD_ITARGETSR + intid,
			    (uint8_t)(1u << cpu));
	}
	dsb();
}

void gic_group1(unsigned int intid)
{
	uint64_t a = gic_bank(intid) + GICD_IGROUPR + intid / 32 * 4;

	mmio_write32(a, mmio_read32(a) | 1u << intid % 32);
}

void gic_config_edge(unsigned int intid, bool edge)
{
	uint64_t a = gic_bank(intid) + GICD_ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2;
	uint32_t v = mmio_read32(a);

	mmio_write32(a, edge ? v | bit : v & ~bit);
	dsb();
}

/*
 * Lists name CPUs by number. GICv3 wants them per affinity cluster of 16;
 * test machines have one cluster, and a hole in aff0 is not expected there.
 */
void gic_sgi(unsigned int intid, unsigned int mode, unsigned int cpu_mask)
{
	unsigned int i;
	uint64_t v = (uint64_t)intid << 24;

	dsb();
	if (!v3()) {
		mmio_write32(machine.gicd.base + GICD_SGIR,
			     mode << 24 | cpu_mask << 16 | intid);
		return;
	}
	if (mode == SGI_OTHERS) {
		v |= UINT64_C(1) << 40;
	}
	if (mode == SGI_SELF) {
		cpu_mask = 1u << this_cpu()->id;
	}
	for (i = 0; mode != SGI_OTHERS && i < machine.nr_cpus; i++) {
		if (cpu_mask >> i & 1) {
			v |= 1u << (machine.mpidr[i] & 0xf);
		}
	}
	icc_write(ICC_SGI1R, v);
	isb();
}
