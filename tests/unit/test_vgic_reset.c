/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c arch/arm64/vgic/vgic_reset.c
// LINK: tests/fakes/fake_ich.c tests/fakes/fake_gic_world.c
/*
 * A domain's interrupts after vgic_reset_step(): as created, whatever a guest
 * did to them before, and whole for what comes meanwhile.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fake_gic_guest.h"

#define NR_SPIS 200u
#define NR_VCPUS 3u
#define SPI_HW 40u

TestSuite(vgic_reset);

static struct virq priv[NR_VCPUS][VGIC_NR_PRIVATE];
static struct virq spi[NR_SPIS];

static void begin(uint8_t version)
{
	world_init(version, 4, NR_VCPUS, NR_SPIS);
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		cr_assert_eq(vgic_link_hw(d, vc(i), 27, 27), 0);
	}
	cr_assert_eq(vgic_link_hw(d, NULL, SPI_HW, SPI_HW), 0);
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		memcpy(priv[i], vc(i)->arch.vgic.priv, sizeof(priv[i]));
	}
	memcpy(spi, d->arch.vgic.spi, sizeof(spi));
	world_enable_all();
	for (uint16_t i = 0; i < NR_VCPUS; i++) {
		world_run(i, i);
	}
	world_on(0);
}

static void expect_same(const struct virq *q, const struct virq *was)
{
	cr_assert_eq(memcmp(q, was, sizeof(*q)), 0,
		     "INTID %u: flags %x, not %x", was->intid, q->flags,
		     was->flags);
}

static void expect_reset_vcpu(uint32_t id)
{
	const struct vgic_vcpu *vg = &vc(id)->arch.vgic;

	for (uint32_t i = 0; i < VGIC_NR_PRIVATE; i++) {
		expect_same(&vg->priv[i], &priv[id][i]);
	}
	cr_assert_eq(vg->summary, 0);
	cr_assert_eq(vg->lr_used, 0);
	cr_assert_eq(vg->lr_eoi, 0);
	cr_assert_eq(vg->linked, 1u << 27);
	for (uint32_t i = 0; i < ARRAY_SIZE(vg->candidates); i++) {
		cr_assert_eq(vg->candidates[i], 0);
	}
}

static void expect_reset(void)
{
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		expect_reset_vcpu(i);
	}
	for (uint32_t i = 0; i < NR_SPIS; i++) {
		expect_same(&d->arch.vgic.spi[i], &spi[i]);
	}
	cr_assert(!d->arch.vgic.enabled);
	cr_assert_eq(d->arch.vgic.ctlr, 0);
	for (uint32_t i = 0; i < 4; i++) {
		cr_assert_eq(fake_ich[0].lr[i], 0);
	}
	cr_assert(!fake_ich[0].ppi_active[27]);
	cr_assert(!world.line_enabled[SPI_HW]);
	cr_assert(!world.line_edge[SPI_HW]);
}

/* What a guest leaves: pending, active, in list registers and waiting. */
static void misuse(unsigned int seed)
{
	srand(seed);
	for (int i = 0; i < 300; i++) {
		uint32_t id = (uint32_t)rand() % NR_VCPUS;
		uint32_t intid = (uint32_t)rand() % (32 + NR_SPIS);
		static const uint32_t files[] = { ISEN, ICEN, ISPEND, ICPEND,
						  ISACT, ICACT };

		world_on(vc(id)->cpu);
		switch (rand() % 6) {
		case 0:
			priority(id, intid, (uint8_t)rand());
			break;
		case 1:
			if (intid > SPI_HW) { /* has a line of its own */
				vgic_set_level(d, NULL, intid, rand() % 2);
			}
			break;
		case 2:
			(void)fake_ack((uint16_t)id); /* never ended */
			break;
		case 3:
			fake_ich[id].ppi_line[27] = rand() % 2;
			break;
		default:
			set(id, files[(uint32_t)rand() % 6], intid);
			break;
		}
		world_settle();
	}
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		fake_ich[i].ppi_line[27] = false;
	}
}

static uint32_t reset(void (*meanwhile)(void))
{
	uint64_t at = 0;
	uint32_t steps = 1;

	for (uint32_t i = 1; i < NR_VCPUS; i++) {
		world_stop(i);
	}
	world_on(0);
	while (vgic_reset_step(d, &at) == -EAGAIN) {
		cr_assert_lt(steps++, 20);
		if (meanwhile) {
			meanwhile();
		}
		world_settle();
	}
	world_settle();
	return steps;
}

Test(vgic_reset, after_any_misuse)
{
	for (unsigned int seed = 0; seed < 60; seed++) {
		for (uint8_t version = 2; version <= 3; version++) {
			begin(version);
			misuse(seed);
			cr_assert_eq(reset(NULL), 1 + NR_VCPUS + 4);
			expect_reset();
			world_fini();
		}
	}
}

static void post(void)
{
	vgic_post_edge(d, NULL, 32 + (uint32_t)rand() % NR_SPIS);
	vgic_set_level(d, NULL, 32, rand() % 2);
}

/* What others post is kept or lost, but nothing refers to what is not. */
Test(vgic_reset, while_others_post)
{
	for (unsigned int seed = 0; seed < 40; seed++) {
		begin(3);
		misuse(seed);
		reset(post);
		cr_assert_eq(vc(0)->arch.vgic.lr_used, 0);
		/* The next life works. */
		world_run(1, 1);
		world_run(2, 2);
		reset(NULL);
		expect_reset();
		world_fini();
	}
}

Test(vgic_reset, the_next_life_takes_interrupts)
{
	begin(3);
	misuse(1);
	reset(NULL);
	world_enable_all();
	vgic_post_edge(d, NULL, 50);
	world_settle();
	cr_assert_eq(take(0), 50);
	fake_ich[0].ppi_line[27] = true;
	world_settle();
	cr_assert_eq(take(0), 27);
	world_fini();
}
