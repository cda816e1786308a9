/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SMMUv3 driver reads back of a stream: of tables that it made, and
 * of tables and registers that were changed behind its back.
 */
// LINK: drivers/smmu/smmuv3.c drivers/smmu/smmuv3_queue.c
// LINK: drivers/smmu/smmuv3_ste.c drivers/smmu/smmuv3_inspect.c
// CFLAGS: -include tests/fakes/fake_smmu_port.h
#include <criterion/criterion.h>
#include <string.h>

#include "drivers/smmu/smmuv3_priv.h"

#define ROOT 0x45670000u

static uint8_t regs[0x20000] __attribute__((aligned(16)));
static uint8_t arena[1 << 20] __attribute__((aligned(1 << 16)));
static size_t used;
static struct iommu unit;
static struct iommu_route r;
static const struct iommu_space space = {
	.root = ROOT, .bits = 40, .start_level = 1, .tag = 5,
};
static const struct iommu_space other = {
	.root = 2 * ROOT, .bits = 44, .start_level = 0, .tag = 6,
};

static uint32_t get(uint32_t reg)
{
	uint32_t v;

	memcpy(&v, regs + reg, 4);
	return v;
}

static void set(uint32_t reg, uint32_t v)
{
	memcpy(regs + reg, &v, 4);
}

uint32_t mmio_read32(const volatile void *p)
{
	return get((uint32_t)((const volatile uint8_t *)p - regs));
}

void mmio_write32(volatile void *p, uint32_t v)
{
	uint32_t reg = (uint32_t)((volatile uint8_t *)p - regs);

	set(reg, reg == SMMU_GBPA ? v & ~BIT32(31) : v);
	if (reg == SMMU_CR0 || reg == SMMU_IRQ_CTRL) {
		set(reg + 4, v); /* it is acknowledged */
	} else if (reg == SMMU_CMDQ_PROD) {
		set(SMMU_CMDQ_CONS, v);
	}
}

void mmio_write64(volatile void *p, uint64_t v)
{
	memcpy((void *)(uintptr_t)p, &v, 8);
}

void fake_barrier(void)
{
}

/* Physical addresses are the host's. */
static void *alloc(unsigned int order, uint64_t *pa)
{
	void *va;

	used = align_up(used, PAGE_SIZE << order);
	cr_assert_leq(used + (PAGE_SIZE << order), sizeof(arena));
	va = arena + used;
	used += PAGE_SIZE << order;
	*pa = (uintptr_t)va;
	return va;
}

static void *at(uint64_t pa)
{
	uint64_t start = (uintptr_t)arena;

	return pa >= start && pa - start < used ? arena + (pa - start) : NULL;
}

static void fault(struct iommu *u, const struct iommu_fault *f)
{
	cr_assert_fail("unit %u: fault %u", u->index, f->reason);
}

static void start(uint32_t levels)
{
	struct iommu_config config = {
		.regs = regs, .regs_size = sizeof(regs), .max_stream = 0x3ff,
		.alloc = alloc, .at = at, .fault = fault,
	};

	set(SMMU_IDR0, BIT32(0) | BIT32(3) | BIT32(4) | 2u << 21 |
			       (levels - 1) << 27);
	set(SMMU_IDR1, 16 | 19u << 16 | 19u << 21);
	set(SMMU_IDR5, 4 | BIT32(4));
	unit = (struct iommu){ .ops = &smmuv3_iommu };
	cr_assert_eq(smmuv3_iommu.init(&unit, &config), 0);
}

static void start_two(void)
{
	start(2);
}

static void attach(uint32_t first, uint32_t nr, const struct iommu_space *s)
{
	cr_assert_eq(smmuv3_iommu.attach(&unit, first, nr, s), 0);
}

/* @nr streams from @first on do the same. */
static void expect(uint32_t first, uint32_t nr, enum iommu_use use)
{
	for (uint32_t n = 0; n < nr; n += r.nr) {
		smmuv3_iommu.inspect(&unit, first + n, &r);
		cr_assert_eq(r.use, use, "stream %#x: %u", first + n, r.use);
		cr_assert(r.nr > 0);
		if (r.nr > nr - n) {
			cr_assert_eq(use, IOMMU_REFUSES, "%u more", r.nr);
			break;
		}
	}
}

static void expect_space(uint32_t first, uint32_t nr,
			 const struct iommu_space *s)
{
	expect(first, nr, IOMMU_TRANSLATES);
	cr_assert_eq(r.by.root, s->root);
	cr_assert_eq(r.by.tag, s->tag);
	cr_assert_eq(r.by.bits, s->bits);
	cr_assert_eq(r.by.start_level, s->start_level);
}

static uint64_t *entry(uint32_t stream)
{
	smmuv3_iommu.inspect(&unit, stream, &r);
	cr_assert_not_null(r.entry);
	return r.entry;
}

TestSuite(smmuv3_inspect, .init = start_two);

Test(smmuv3_inspect, what_was_attached)
{
	expect(0, 0x400, IOMMU_REFUSES);
	attach(0, 0x200, &space); /* as whole chunks */
	attach(0x210, 3, &other);
	expect_space(0, 0x200, &space);
	expect(0x200, 0x10, IOMMU_REFUSES);
	expect_space(0x210, 3, &other);
	expect(0x213, 0x1ed, IOMMU_REFUSES);
	smmuv3_iommu.detach(&unit, 0x80, 2, &space);
	expect_space(0, 0x80, &space);
	expect(0x80, 2, IOMMU_REFUSES);
	expect_space(0x82, 0x17e, &space);
}

/* An entry tells of as many as its page has: bounded. */
Test(smmuv3_inspect, a_page_at_a_time)
{
	attach(0, 0x100, &space);
	smmuv3_iommu.inspect(&unit, 0x40, &r);
	cr_assert_eq(r.nr, 64);
	smmuv3_iommu.inspect(&unit, 0x7e, &r);
	cr_assert_eq(r.nr, 2);
	expect(0x105, 1, IOMMU_REFUSES);
	cr_assert_eq(r.nr, 0xfb, "the rest of a chunk without a table");
}

Test(smmuv3_inspect, one_level)
{
	start(1);
	expect(0, 0x400, IOMMU_REFUSES);
	attach(0x100, 0x280, &space);
	expect(0, 0x100, IOMMU_REFUSES);
	expect_space(0x100, 0x280, &space);
	expect(0x380, 0x80, IOMMU_REFUSES);
}

Test(smmuv3_inspect, entries_that_nobody_asked_for)
{
	attach(8, 1, &space);
	entry(8)[0] = STE_V | 4u << 1;
	expect(8, 1, IOMMU_PASSES);
	for (uint32_t config = 0; config < 4; config++) { /* abort, all */
		entry(8)[0] = STE_V | config << 1;
		expect(8, 1, IOMMU_REFUSES);
	}
	entry(8)[0] = STE_V | 5u << 1; /* stage 1 */
	expect(8, 1, IOMMU_UNKNOWN);
	entry(8)[0] = STE_V | 7u << 1; /* both */
	expect(8, 1, IOMMU_UNKNOWN);
	entry(8)[0] = STE_CONFIG_S2;
	expect(8, 1, IOMMU_REFUSES);
	entry(8)[0] |= STE_V;
	expect_space(8, 1, &space);
	entry(8)[2] |= BIT64(46); /* tables of 64 KiB */
	expect(8, 1, IOMMU_UNKNOWN);
	entry(8)[2] &= ~(BIT64(46) | STE_S2AA64);
	expect(8, 1, IOMMU_UNKNOWN);
	entry(8)[2] |= STE_S2AA64;
	entry(8)[3] = 0x123456000;
	entry(8)[2] ^= 0x8005; /* 16 bits of VMID */
	expect(8, 1, IOMMU_TRANSLATES);
	cr_assert_eq(r.by.root, 0x123456000);
	cr_assert_eq(r.by.tag, 0x8000);
}

/* As the register says, not where the driver has it. */
Test(smmuv3_inspect, another_table)
{
	static uint8_t foreign[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	uint64_t pa, word, base;
	uint64_t *level1 = alloc(0, &pa);

	attach(0, 0x100, &space);
	memcpy(&base, regs + SMMU_STRTAB_BASE, 8);
	word = *(uint64_t *)at(base & FIELD64(51, 6));
	level1[1] = word;
	mmio_write64(regs + SMMU_STRTAB_BASE, pa);
	expect(0, 0x100, IOMMU_REFUSES);
	expect_space(0x100, 0x100, &space);
	level1[1] = (word & ~UINT64_C(31)) | 8; /* half of it */
	expect_space(0x100, 0x80, &space);
	expect(0x180, 0x80, IOMMU_REFUSES);
	level1[1] = (uintptr_t)foreign | 9;
	expect(0x100, 1, IOMMU_UNKNOWN);
	mmio_write64(regs + SMMU_STRTAB_BASE, (uintptr_t)foreign);
	expect(0, 1, IOMMU_UNKNOWN);
}

Test(smmuv3_inspect, a_unit_that_is_off)
{
	attach(0, 0x100, &space);
	set(SMMU_CR0ACK, 0);
	expect(0, 0x400, IOMMU_REFUSES);
	set(SMMU_GBPA, 0);
	smmuv3_iommu.inspect(&unit, 0, &r);
	cr_assert_eq(r.use, IOMMU_PASSES);
	cr_assert_geq(r.nr, 0x400);
	set(SMMU_CR0ACK, CR0_SMMUEN);
	expect_space(0, 0x100, &space);
}
