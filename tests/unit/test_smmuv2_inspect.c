/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/smmu/smmuv2.c drivers/smmu/smmuv2_init.c
// LINK: drivers/smmu/smmuv2_fault.c drivers/smmu/smmuv2_inspect.c
// LINK: arch/arm64/mm/pgtable.c
// LINK: tests/fakes/fake_smmu500.c tests/fakes/fake_smmu_log.c
// LINK: tests/fakes/fake_smmu_world.c
// CFLAGS: -include tests/fakes/fake_smmu500.h
/*
 * What the SMMUv2 driver reads back of a stream is what the unit does with it,
 * whoever wrote its registers.
 */
#include <stdlib.h>

#include "tests/fakes/fake_smmu_world.h"

#define GR1 0x1000u
#define CB(n) (0x20000u + 0x1000u * (n))
#define SMR(n) (0x800u + 4 * (n))
#define S2CR(n) (0xc00u + 4 * (n))

static struct iommu *const u = &world_unit[0];
static struct iommu_route r;

TestSuite(smmuv2_inspect, .init = world_init);

static void poke(uint32_t off, uint32_t v)
{
	mmio_write32((char *)fake_smmu_regs(0) + off, v);
}

static void expect(uint32_t stream, enum iommu_use use, uint32_t nr)
{
	smmuv2_iommu.inspect(u, stream, &r);
	cr_assert_eq(r.use, use, "stream %#x: %u", stream, r.use);
	cr_assert_eq(r.nr, nr, "stream %#x: %#x", stream, r.nr);
}

static void expect_owner(uint32_t stream, uint32_t o, uint32_t nr)
{
	const struct iommu_space *s = &world_owner[o].space;

	expect(stream, IOMMU_TRANSLATES, nr);
	cr_assert_eq(r.by.root, s->root);
	cr_assert_eq(r.by.tag, s->tag);
	cr_assert_eq(r.by.bits, s->bits);
	cr_assert_eq(r.by.start_level, s->start_level);
}

Test(smmuv2_inspect, what_was_attached)
{
	expect(0, IOMMU_REFUSES, UINT32_MAX);
	cr_assert_eq(world_attach(0, 8, 8, 0), 0);
	cr_assert_eq(world_attach(0, 0x11, 1, 1), 0);
	expect(0, IOMMU_REFUSES, 8);
	expect_owner(8, 0, 8);
	expect_owner(13, 0, 3);
	expect(0x10, IOMMU_REFUSES, 1);
	expect_owner(0x11, 1, 1);
	expect(0x12, IOMMU_REFUSES, UINT32_MAX);
	world_detach(0, 8, 8, 0);
	expect(8, IOMMU_REFUSES, 9);
	cr_assert_eq(fake_smmu_log_write(0, SMR(0), 0) >= 0, true);
}

Test(smmuv2_inspect, registers_that_nobody_asked_for)
{
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	expect_owner(8, 0, 1);
	poke(S2CR(0), 1u << 16);
	expect(8, IOMMU_PASSES, 1);
	poke(S2CR(0), 200);
	expect(8, IOMMU_UNKNOWN, 1);
	poke(S2CR(0), 0);
	poke(CB(0), 0);
	expect(8, IOMMU_PASSES, 1);
	poke(CB(0), 1);
	expect_owner(8, 0, 1);
	poke(CB(0) + 0x20, 0x5000);
	expect(8, IOMMU_TRANSLATES, 1);
	cr_assert_eq(r.by.root & UINT32_MAX, 0x5000);
	poke(GR1, 1u << 16 | 9); /* stage 1 and bypass of stage 2 */
	expect(8, IOMMU_UNKNOWN, 1);
	poke(GR1, 9);
	expect(8, IOMMU_TRANSLATES, 1);
	cr_assert_eq(r.by.tag, 9);
	poke(SMR(7), UINT32_C(1) << 31 | 8); /* a second group */
	expect(8, IOMMU_REFUSES, 1);
	poke(SMR(7), UINT32_C(1) << 31 | 5u << 16 | 0x10); /* 10 11 14 15 */
	poke(S2CR(7), 1u << 16);
	expect(0x11, IOMMU_PASSES, 1);
	expect(0x12, IOMMU_REFUSES, 1);
	expect(0x14, IOMMU_PASSES, 1);
	poke(SMR(7), 0);
	poke(0, fake_smmu_peek(0, 0) & ~(1u << 10)); /* no group: passes */
	expect(7, IOMMU_PASSES, 1);
	poke(0, fake_smmu_peek(0, 0) | 1);
	smmuv2_iommu.inspect(u, 8, &r);
	cr_assert_eq(r.use, IOMMU_PASSES);
}

Test(smmuv2_inspect, a_unit_that_died)
{
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	fake_smmu[0].sync_stuck = true;
	world_detach(0, 8, 1, 0);
	cr_assert(u->dead);
	expect(0, IOMMU_REFUSES, UINT32_MAX);
}

/* For every stream: what is read back is what an access does. */
Test(smmuv2_inspect, as_accesses_go)
{
	srand(2);
	for (uint32_t o = 0; o < WORLD_OWNERS; o++) {
		cr_assert(world_map(o, 1, true));
	}
	for (uint32_t n = 0; n < 300; n++) {
		uint32_t first = (uint32_t)rand() % 100;
		uint32_t nr = 1 + (uint32_t)rand() % 20;

		if (rand() % 3) {
			(void)world_attach(0, first, nr,
					   (uint32_t)rand() % WORLD_OWNERS);
		} else {
			world_detach(0, first, nr, 0);
		}
		for (uint32_t s = 0; s < 130; s++) {
			smmuv2_iommu.inspect(u, s, &r);
			if (r.use == IOMMU_REFUSES) {
				world_expect(0, s, 1, DMA_STREAM, 0);
			} else {
				world_expect(0, s, 1, DMA_DONE, r.by.tag - 1u);
			}
		}
	}
}
