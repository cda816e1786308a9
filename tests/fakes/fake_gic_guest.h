/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest does in tests of the vGIC: registers by INTID, SGIs, taking. */
#ifndef FAKE_GIC_GUEST_H
#define FAKE_GIC_GUEST_H

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_gic_world.h"

#define GICD WORLD_GICD
#define SGI_FRAME(v) (WORLD_GICR + (v) * 0x20000u + 0x10000u)
#define IROUTER(intid) (GICD + 0x6000u + (intid) * 8u)
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

enum {
	ISEN = 0x100,
	ICEN = 0x180,
	ISPEND = 0x200,
	ICPEND = 0x280,
	ISACT = 0x300,
	ICACT = 0x380,
};

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
	reg_write(from, GICD + 0xf00, 4, val);
}

#endif
