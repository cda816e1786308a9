/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * Every register row of the emulated distributors and redistributors: access
 * widths, what is read back, what is RAZ/WI, and the bounds.
 */
#include <criterion/criterion.h>

#include "fake_gic_guest.h"

#define GICR(v) (WORLD_GICR + (v) * 0x20000u)

TestSuite(vgic_regs, .fini = world_fini);

/* ---- widths -------------------------------------------------------------- */

/* tools/check/rows.py: each register of vgic*_vN.c has its name in rows_vN. */

struct row {
	uint64_t addr;
	uint32_t len;
	uint8_t widths;
};

static void check_row(const struct row *r)
{
	for (uint8_t size = 1; size <= 8; size *= 2) {
		for (uint32_t o = 0; o < r->len && o < 24; o++) {
			bool ok = (r->widths & size) && o % size == 0;

			if (o + size > r->len) {
				continue;
			}
			cr_expect_eq(reg_aborts(0, r->addr + o, size, false),
				     !ok, "read %u of %x+%u", size,
				     (unsigned int)r->addr, o);
			cr_expect_eq(reg_aborts(0, r->addr + o, size, true),
				     !ok, "write %u of %x+%u", size,
				     (unsigned int)r->addr, o);
		}
	}
	world_settle();
}

static const struct row rows_v3[] = {
	{ GICD + GICD_CTLR, 4, 4 },
	{ GICD + GICD_TYPER, 4, 4 },
	{ GICD + GICD_IIDR, 4, 4 },
	{ GICD + GICD_TYPER2, 4, 4 },
	{ GICD + GICD_ISENABLER, 0x80, 4 },
	{ GICD + GICD_ICENABLER, 0x80, 4 },
	{ GICD + GICD_ISPENDR, 0x80, 4 },
	{ GICD + GICD_ICPENDR, 0x80, 4 },
	{ GICD + GICD_ISACTIVER, 0x80, 4 },
	{ GICD + GICD_ICACTIVER, 0x80, 4 },
	{ GICD + GICD_IPRIORITYR, 0x400, 1 | 4 },
	{ GICD + GICD_ICFGR, 0x100, 4 },
	{ GICD + GICD_IROUTER + 0x100, 0x1f00, 4 | 8 },
	{ GICD + GICD_PIDR2, 4, 4 },
	{ WORLD_GICR + GICR_CTLR, 4, 4 },
	{ WORLD_GICR + GICR_IIDR, 4, 4 },
	{ WORLD_GICR + GICR_TYPER, 8, 4 | 8 },
	{ WORLD_GICR + GICR_WAKER, 4, 4 },
	{ WORLD_GICR + GICR_PROPBASER, 8, 4 | 8 },
	{ WORLD_GICR + GICR_PENDBASER, 8, 4 | 8 },
	{ WORLD_GICR + GICR_PIDR2, 4, 4 },
	{ SGI_FRAME(0) + GICR_ISENABLER, 4, 4 },
	{ SGI_FRAME(0) + GICR_ICENABLER, 4, 4 },
	{ SGI_FRAME(0) + GICR_ISPENDR, 4, 4 },
	{ SGI_FRAME(0) + GICR_ICPENDR, 4, 4 },
	{ SGI_FRAME(0) + GICR_ISACTIVER, 4, 4 },
	{ SGI_FRAME(0) + GICR_ICACTIVER, 4, 4 },
	{ SGI_FRAME(0) + GICR_IPRIORITYR, 32, 1 | 4 },
	{ SGI_FRAME(0) + GICR_ICFGR, 8, 4 },
};

static const struct row rows_v2[] = {
	{ GICD + GICD_CTLR, 4, 4 },
	{ GICD + GICD_TYPER, 4, 4 },
	{ GICD + GICD_IIDR, 4, 4 },
	{ GICD + GICD_ISENABLER, 0x80, 4 },
	{ GICD + GICD_ICENABLER, 0x80, 4 },
	{ GICD + GICD_ISPENDR, 0x80, 4 },
	{ GICD + GICD_ICPENDR, 0x80, 4 },
	{ GICD + GICD_ISACTIVER, 0x80, 4 },
	{ GICD + GICD_ICACTIVER, 0x80, 4 },
	{ GICD + GICD_IPRIORITYR, 0x400, 1 | 4 },
	{ GICD + GICD_ITARGETSR, 0x400, 1 | 4 },
	{ GICD + GICD_ICFGR, 0x100, 4 },
	{ GICD + GICD_SGIR, 4, 4 },
	{ GICD + GICD_CPENDSGIR, 16, 1 | 4 },
	{ GICD + GICD_SPENDSGIR, 16, 1 | 4 },
	{ GICD + (GICD_PIDR2 & 0xfff), 4, 4 },
};

Test(vgic_regs, widths_v3)
{
	start(4, 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows_v3); i++) {
		check_row(&rows_v3[i]);
	}
}

Test(vgic_regs, widths_v2)
{
	start_v2(2);
	for (size_t i = 0; i < ARRAY_SIZE(rows_v2); i++) {
		check_row(&rows_v2[i]);
	}
}

/* No row: zero, whatever the width; the whole range is served. */
Test(vgic_regs, unlisted_is_raz_wi)
{
	static const uint32_t off[] = {
		0x10, 0x14, 0x40, 0x7c, 0x80, 0xfc, 0x800, 0xbfc, 0xd00,
		0xe00, 0xf00, 0xf10, 0xf20, 0xff8, 0x1000, 0x5ffc, 0x8000,
		0xfff0, 0xfffc,
	};

	start(4, 1);
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		for (uint8_t size = 1; size <= 8; size *= 2) {
			reg_write(0, GICD + off[i], size, ~UINT64_C(0));
			cr_expect_eq(reg_read(0, GICD + off[i], size), 0);
		}
		cr_expect_eq(reg_read(0, SGI_FRAME(0) + off[i], 4), 0);
		reg_write(0, SGI_FRAME(0) + off[i], 4, ~UINT64_C(0));
	}
	cr_expect_eq(reg_read(0, GICR(0) + 0x100, 4), 0);
	cr_expect_eq(fake_lrs_in_use(0), 0);
}

/* ---- identification ------------------------------------------------------ */

Test(vgic_regs, typer_v3)
{
	static const struct {
		uint32_t spis, lines;
	} c[] = { { 0, 0 }, { 1, 1 }, { 32, 1 }, { 33, 2 }, { 988, 31 } };

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		world_init(3, 4, 3, c[i].spis);
		cr_expect_eq(reg_read(0, GICD + GICD_TYPER, 4),
			     9u << 19 | 2u << 5 | c[i].lines);
		world_fini();
	}
	world_init(3, 4, 20, 32);
	cr_expect_eq(reg_read(0, GICD + GICD_TYPER, 4) >> 5 & 7, 7);
	cr_expect_eq(reg_read(0, GICD + GICD_IIDR, 4), 0x34c);
	cr_expect_eq(reg_read(0, GICD + GICD_PIDR2, 4) >> 4 & 15, 3);
	cr_expect_eq(reg_read(0, GICR(3) + GICR_PIDR2, 4) >> 4 & 15, 3);
	for (uint32_t i = 0; i < 20; i++) {
		uint64_t t = reg_read(0, GICR(i) + GICR_TYPER, 8);

		cr_expect_eq(t >> 32, (i >> 4) << 8 | (i & 15));
		cr_expect_eq(t >> 8 & 0xffff, i);
		cr_expect_eq(t >> 4 & 1, i == 19);
		cr_expect_eq(reg_read(0, GICR(i) + GICR_TYPER, 4),
			     t & 0xffffffff);
		cr_expect_eq(reg_read(0, GICR(i) + GICR_TYPER + 4, 4), t >> 32);
	}
	cr_expect(reg_aborts(0, GICR(20) + GICR_TYPER, 8, false));
	/* WAKER: nobody sleeps. PROPBASER, PENDBASER: no LPIs. */
	reg_write(0, GICR(0) + GICR_WAKER, 4, 2);
	cr_expect_eq(reg_read(0, GICR(0) + GICR_WAKER, 4), 0);
	reg_write(0, GICR(0) + GICR_PROPBASER, 8, ~UINT64_C(0));
	cr_expect_eq(reg_read(0, GICR(0) + GICR_PROPBASER, 8), 0);
	reg_write(0, GICR(0) + GICR_PENDBASER, 8, ~UINT64_C(0));
	cr_expect_eq(reg_read(0, GICR(0) + GICR_PENDBASER, 8), 0);
}

Test(vgic_regs, typer_v2)
{
	world_init(2, 4, 8, 96);
	cr_expect_eq(reg_read(0, GICD + GICD_TYPER, 4), 7u << 5 | 3);
	cr_expect_eq(reg_read(0, GICD + GICD_IIDR, 4), 0x43b);
	cr_expect_eq(reg_read(0, GICD + (GICD_PIDR2 & 0xfff), 4) >> 4 & 15, 2);
	cr_expect(reg_aborts(0, GICD + 0x1000, 4, false));
}

Test(vgic_regs, ctlr)
{
	world_init(3, 4, 1, 32);
	cr_expect_eq(reg_read(0, GICD, 4), 0x10);
	reg_write(0, GICD, 4, 0xffffffff);
	cr_expect_eq(reg_read(0, GICD, 4), 0x12);
	reg_write(0, GICD, 4, 1);
	cr_expect_eq(reg_read(0, GICD, 4), 0x10, "group 1 is bit 1");
	world_fini();
	world_init(2, 4, 1, 32);
	reg_write(0, GICD, 4, 0xffffffff);
	cr_expect_eq(reg_read(0, GICD, 4), 1);
	reg_write(0, GICD, 4, 2);
	cr_expect_eq(reg_read(0, GICD, 4), 0);
}

/* ---- bounds -------------------------------------------------------------- */

/* 40 SPIs: INTIDs 32 to 71. */
Test(vgic_regs, absent_intids)
{
	world_init(3, 4, 1, 40);
	for (uint32_t f = 0x100; f < 0x400; f += 0x80) {
		reg_write(0, GICD + f + 8, 4, f < 0x180 ? 0xffffffff : 0);
		reg_write(0, GICD + f + 12, 4, 0xffffffff);
		cr_expect_eq(reg_read(0, GICD + f + 12, 4), 0);
		reg_write(0, GICD + f, 4, 0xffffffff);
		cr_expect_eq(reg_read(0, GICD + f, 4), 0, "private ones");
	}
	cr_expect_eq(reg_read(0, GICD + GICD_ISENABLER + 8, 4), 0xff);
	for (uint32_t i = 72; i < 1024; i += 4) {
		reg_write(0, GICD + GICD_IPRIORITYR + i, 4, 0x40404040);
		cr_expect_eq(reg_read(0, GICD + GICD_IPRIORITYR + i, 4), 0);
		reg_write(0, IROUTER(i), 8, 1);
		cr_expect_eq(reg_read(0, IROUTER(i), 8), 0);
	}
	reg_write(0, GICD + GICD_IPRIORITYR + 68, 4, 0x40404040);
	cr_expect_eq(reg_read(0, GICD + GICD_IPRIORITYR + 68, 4), 0x40404040);
	reg_write(0, GICD + GICD_ICFGR + 16, 4, 0xffffffff);
	cr_expect_eq(reg_read(0, GICD + GICD_ICFGR + 16, 4), 0xaaaa);
	cr_expect_eq(reg_read(0, IROUTER(31), 8), 0);
}

Test(vgic_regs, no_spis)
{
	world_init(3, 4, 1, 0);
	for (uint32_t f = 0x100; f < 0x400; f += 0x80) {
		reg_write(0, GICD + f + 4, 4, 0xffffffff);
		cr_expect_eq(reg_read(0, GICD + f + 4, 4), 0);
	}
	reg_write(0, SGI_FRAME(0) + GICR_ISENABLER, 4, 0xffffffff);
	cr_expect_eq(reg_read(0, SGI_FRAME(0) + GICR_ISENABLER, 4), 0xffffffff);
}

/* ---- fields -------------------------------------------------------------- */

Test(vgic_regs, enable_bits)
{
	world_init(3, 4, 1, 64);
	reg_write(0, GICD + GICD_ISENABLER + 4, 4, 0x80000001);
	cr_expect_eq(reg_read(0, GICD + GICD_ISENABLER + 4, 4), 0x80000001);
	cr_expect_eq(reg_read(0, GICD + GICD_ICENABLER + 4, 4), 0x80000001);
	reg_write(0, GICD + GICD_ICENABLER + 4, 4, 1);
	cr_expect_eq(reg_read(0, GICD + GICD_ISENABLER + 4, 4), 0x80000000);
	cr_expect_eq(reg_read(0, GICD + GICD_ISENABLER + 8, 4), 0);
}

Test(vgic_regs, priority_bytes)
{
	world_init(3, 4, 1, 64);
	reg_write(0, GICD + GICD_IPRIORITYR + 0x20, 4, 0x40a060e0);
	cr_expect_eq(reg_read(0, GICD + GICD_IPRIORITYR + 0x21, 1), 0x60);
	reg_write(0, GICD + GICD_IPRIORITYR + 0x22, 1, 0x27);
	cr_expect_eq(reg_read(0, GICD + GICD_IPRIORITYR + 0x20, 4), 0x402060e0);
	reg_write(0, SGI_FRAME(0) + GICR_IPRIORITYR + 0x1c, 4, 0x08101820);
	cr_expect_eq(reg_read(0, SGI_FRAME(0) + GICR_IPRIORITYR + 0x1f, 1),
		     0x08);
}

Test(vgic_regs, config)
{
	start(4, 1);
	cr_expect_eq(reg_read(0, SGI_FRAME(0) + GICR_ICFGR, 4), 0xaaaaaaaa);
	reg_write(0, SGI_FRAME(0) + GICR_ICFGR, 4, 0);
	cr_expect_eq(reg_read(0, SGI_FRAME(0) + GICR_ICFGR, 4), 0xaaaaaaaa);
	reg_write(0, SGI_FRAME(0) + GICR_ICFGR + 4, 4, 0xc0000001);
	cr_expect_eq(reg_read(0, SGI_FRAME(0) + GICR_ICFGR + 4, 4), 0x80000000);
	reg_write(0, GICD + GICD_ICFGR + 8, 4, 0xff);
	cr_expect_eq(reg_read(0, GICD + GICD_ICFGR + 8, 4), 0xaa);
}

Test(vgic_regs, irouter)
{
	start(4, 2);
	reg_write(0, IROUTER(40), 8, ~UINT64_C(0));
	cr_expect_eq(reg_read(0, IROUTER(40), 8), UINT64_C(0xff80ffffff));
	reg_write(0, IROUTER(40), 4, 1);
	cr_expect_eq(reg_read(0, IROUTER(40), 8), UINT64_C(0xff00000001));
	reg_write(0, IROUTER(40) + 4, 4, 0);
	cr_expect_eq(reg_read(0, IROUTER(40), 8), 1);
	set(0, ISPEND, 40);
	cr_expect_eq(take(1), 40);
	/* Writing one word of a pending one's route moves it. */
	set(0, ISPEND, 40);
	reg_write(0, IROUTER(40) + 4, 4, 1);
	world_settle();
	cr_expect_eq(take(1), FAKE_NONE);
	cr_expect_eq(reg_read(0, IROUTER(40) + 4, 4), 1);
}

Test(vgic_regs, targets_v2)
{
	start_v2(3);
	for (uint32_t v = 0; v < 3; v++) {
		cr_expect_eq(reg_read(v, GICD + GICD_ITARGETSR, 4),
			     0x01010101u << v);
		reg_write(v, GICD + GICD_ITARGETSR + 0x1c, 4, 0);
		cr_expect_eq(reg_read(v, GICD + GICD_ITARGETSR + 0x1c, 4),
			     0x01010101u << v);
	}
	reg_write(0, GICD + GICD_ITARGETSR + 0x20, 4, 0xff020401);
	cr_expect_eq(reg_read(0, GICD + GICD_ITARGETSR + 0x20, 4), 0x07020401);
}

/* GICv2: each vCPU sees its own private interrupts. */
Test(vgic_regs, banked_v2)
{
	start_v2(2);
	reg_write(0, GICD + GICD_ICENABLER, 4, 0xffff0000);
	cr_expect_eq(reg_read(0, GICD + GICD_ISENABLER, 4), 0xffff);
	cr_expect_eq(reg_read(1, GICD + GICD_ISENABLER, 4), 0xffffffff);
	reg_write(1, GICD + GICD_IPRIORITYR, 1, 0x50);
	cr_expect_eq(reg_read(0, GICD + GICD_IPRIORITYR, 1), 0xa0);
	cr_expect_eq(reg_read(1, GICD + GICD_IPRIORITYR, 1), 0x50);
}

/* The flags word and the bit fields are the same bits. */
Test(vgic_regs, flags_of_an_interrupt)
{
	struct virq q = { .flags = 0 };

	world_init(3, 4, 1, 0);
#define SAME(field, mask)                                                     \
	q.flags = 0;                                                          \
	q.field = 1;                                                          \
	cr_expect_eq(q.flags, mask)
	SAME(enabled, VIRQ_ENABLED);
	SAME(edge, VIRQ_EDGE);
	SAME(line, VIRQ_LINE);
	SAME(latch, VIRQ_LATCH);
	SAME(active, VIRQ_ACTIVE);
	SAME(hw, VIRQ_HW);
	SAME(group1, VIRQ_GROUP1);
	SAME(queued, VIRQ_QUEUED);
	SAME(lr_latch, VIRQ_LR_LATCH);
	SAME(lr_sw, VIRQ_LR_SW);
	SAME(stale, VIRQ_STALE);
	SAME(phys, VIRQ_PHYS);
	SAME(soft, VIRQ_SOFT);
	q.flags = 0;
	q.req_unpend = q.req_inactive = q.req_active = 1;
	cr_expect_eq(q.flags, VIRQ_REQUESTS);
}
