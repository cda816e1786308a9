/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest does in tests of the vGIC: registers by INTID, SGIs, taking. */
#ifndef FAKE_GIC_GUEST_H
#define FAKE_GIC_GUEST_H

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_gic_world.h"

/* [GIC] Offsets; those of GICR from ISENABLER on in its SGI frame. */
enum {
	GICD_CTLR = 0x0,
	GICD_TYPER = 0x4,
	GICD_IIDR = 0x8,
	GICD_TYPER2 = 0xc,
	GICD_ISENABLER = 0x100,
	GICD_ICENABLER = 0x180,
	GICD_ISPENDR = 0x200,
	GICD_ICPENDR = 0x280,
	GICD_ISACTIVER = 0x300,
	GICD_ICACTIVER = 0x380,
	GICD_IPRIORITYR = 0x400,
	GICD_ITARGETSR = 0x800,
	GICD_ICFGR = 0xc00,
	GICD_SGIR = 0xf00,
	GICD_CPENDSGIR = 0xf10,
	GICD_SPENDSGIR = 0xf20,
	GICD_IROUTER = 0x6000,
	GICD_PIDR2 = 0xffe8,
	GICR_CTLR = 0x0,
	GICR_IIDR = 0x4,
	GICR_TYPER = 0x8,
	GICR_WAKER = 0x14,
	GICR_PROPBASER = 0x70,
	GICR_PENDBASER = 0x78,
	GICR_PIDR2 = 0xffe8,
	GICR_ISENABLER = 0x100,
	GICR_ICENABLER = 0x180,
	GICR_ISPENDR = 0x200,
	GICR_ICPENDR = 0x280,
	GICR_ISACTIVER = 0x300,
	GICR_ICACTIVER = 0x380,
	GICR_IPRIORITYR = 0x400,
	GICR_ICFGR = 0xc00,
	ISEN = GICD_ISENABLER,
	ICEN = GICD_ICENABLER,
	ISPEND = GICD_ISPENDR,
	ICPEND = GICD_ICPENDR,
	ISACT = GICD_ISACTIVER,
	ICACT = GICD_ICACTIVER,
};

#define GICD WORLD_GICD
#define SGI_FRAME(v) (WORLD_GICR + (v) * 0x20000u + 0x10000u)
#define IROUTER(intid) (GICD + GICD_IROUTER + (intid) * 8u)
#define BIT(intid) (UINT64_C(1) << (intid) % 32)

static struct domain *const d __attribute__((unused)) = &world.d;

static inline struct vcpu *vc(uint32_t id)
{
	return world.vcpu[id];
}

/* Register @file (as 0x200 ISPENDR) word of @intid, of vCPU @id. */
static inline uint64_t word(uint32_t id, uint32_t file, uint32_t intid)
{
	if (intid < 32 && world.cfg.gic_version == 3) {
		return SGI_FRAME(id) + file;
	}
	return GICD + file + intid / 32 * 4;
}

static inline void set(uint32_t id, uint32_t file, uint32_t intid)
{
	reg_write(id, word(id, file, intid), 4, BIT(intid));
	world_settle();
}

static inline bool get(uint32_t id, uint32_t file, uint32_t intid)
{
	return reg_read(id, word(id, file, intid), 4) >> intid % 32 & 1;
}

static inline void priority(uint32_t id, uint32_t intid, uint8_t prio)
{
	uint64_t base = intid < 32 && world.cfg.gic_version == 3 ?
				SGI_FRAME(id) : GICD;

	reg_write(id, base + 0x400 + intid, 1, prio);
	world_settle();
}

static inline void make_edge(uint32_t intid, bool edge)
{
	uint64_t a = intid < 32 ? SGI_FRAME(0) : GICD;
	uint64_t v;

	a += 0xc00 + intid / 16 * 4;
	v = reg_read(0, a, 4);
	v &= ~(UINT64_C(3) << intid % 16 * 2);
	reg_write(0, a, 4, v | (edge ? UINT64_C(2) << intid % 16 * 2 : 0));
	world_settle();
}

static inline void sgi(uint32_t from, uint32_t intid, uint16_t list)
{
	world_on(vc(from)->cpu);
	vgic_v3_write_sgi1r(vc(from), (uint64_t)intid << 24 | list);
}

/* Takes and ends what comes; the INTID. */
static inline uint32_t take(uint16_t cpu)
{
	uint32_t iar = fake_ack(cpu);

	if (iar != FAKE_NONE) {
		fake_eoi(cpu, iar);
		world_settle();
	}
	return iar & 0x3ff;
}

static inline void start(uint8_t nr_lrs, uint32_t nr_vcpus)
{
	world_init(3, nr_lrs, nr_vcpus, 64);
	world_enable_all();
	for (uint16_t i = 0; i < nr_vcpus && i < FAKE_CPUS; i++) {
		world_run(i, i);
	}
	world_on(0);
	world.posts = 0;
}

static inline void start_v2(uint32_t nr_vcpus)
{
	world_init(2, 4, nr_vcpus, 32);
	world_enable_all();
	for (uint16_t i = 0; i < nr_vcpus; i++) {
		world_run(i, i);
	}
	world_on(0);
}

static inline void sgir(uint32_t from, uint32_t val)
{
	world_on(vc(from)->cpu);
	reg_write(from, GICD + GICD_SGIR, 4, val);
}

#endif
