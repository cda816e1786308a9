/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * Interrupts linked to physical lines: no line is lost or left active.
 */
#include <criterion/criterion.h>

#include "fake_gic_guest.h"

TestSuite(vgic_linked, .fini = world_fini);

/* ---- linked lines -------------------------------------------------------- */

static void start_vtimer(uint32_t nr_vcpus)
{
	start(4, nr_vcpus);
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		cr_assert_eq(vgic_link_hw(d, vc(i), 27, 27), 0);
	}
}

static void timer(uint16_t cpu, bool high)
{
	fake_ich[cpu].ppi_line[27] = high;
	world_settle();
}

Test(vgic_linked, vtimer_is_one_list_register_write)
{
	start_vtimer(1);
	for (int i = 0; i < 10; i++) {
		fake_ich[0].lr_writes = 0;
		fake_ich[0].lr_reads = 0;
		fake_ich[0].ppi_active[27] = true;
		vgic_post_hw(d, &vc(0)->arch.vgic.priv[27]);
		cr_expect_eq(vc(0)->work, 0);
		cr_expect_eq(fake_ich[0].lr_writes, 1);
		cr_expect_eq(fake_ich[0].lr_reads, 0);
		cr_expect_eq(take(0), 27);
		cr_expect(!fake_ich[0].ppi_active[27]);
	}
}

Test(vgic_linked, vtimer_fires_again_while_high)
{
	start_vtimer(1);
	timer(0, true);
	cr_expect_eq(take(0), 27);
	cr_expect_eq(fake_ack(0), 27);
	timer(0, false);
	fake_eoi(0, 27);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_linked, vtimer_goes_with_its_vcpu)
{
	start_vtimer(1);
	timer(0, true);
	cr_expect(fake_ich[0].ppi_active[27]);
	world_stop(0);
	cr_expect(!fake_ich[0].ppi_active[27], "another vCPU's may fire here");
	fake_ich[0].ppi_line[27] = false;
	world_run(0, 1);
	cr_expect(fake_ich[1].ppi_active[27]);
	cr_expect_eq(fake_ack(1), 27);
	world_stop(0);
	cr_expect(!fake_ich[1].ppi_active[27]);
	world_run(0, 2);
	cr_expect(fake_ich[2].ppi_active[27]);
	fake_eoi(2, 27);
	cr_expect(!fake_ich[2].ppi_active[27]);
	world_stop(0);
	world_run(0, 3);
	cr_expect(!fake_ich[3].ppi_active[27]);
	timer(3, true);
	cr_expect_eq(fake_ack(3), 27);
}

/* Posted by the software timer while it was not loaded. */
Test(vgic_linked, vtimer_of_a_vcpu_that_is_not_loaded)
{
	start_vtimer(1);
	world_stop(0);
	world_on(2);
	vgic_post_hw(d, &vc(0)->arch.vgic.priv[27]);
	cr_expect(vgic_has_pending(vc(0)));
	cr_expect(!fake_ich[2].ppi_active[27]);
	world_run(0, 1);
	cr_expect(fake_ich[1].ppi_active[27]);
	cr_expect_eq(take(1), 27);
	cr_expect(!fake_ich[1].ppi_active[27]);
	cr_expect_eq(take(1), FAKE_NONE);
	/* Active when it was posted: the line itself will tell. */
	timer(1, true);
	cr_expect_eq(fake_ack(1), 27);
	world_stop(0);
	vgic_post_hw(d, &vc(0)->arch.vgic.priv[27]);
	fake_ich[1].ppi_line[27] = false;
	world_run(0, 2);
	fake_eoi(2, 27);
	world_settle();
	cr_expect_eq(take(2), FAKE_NONE);
}

Test(vgic_linked, vtimer_disabled_while_it_fires)
{
	start_vtimer(1);
	set(0, ICEN, 27);
	timer(0, true);
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect(get(0, ISPEND, 27));
	set(0, ISEN, 27);
	cr_expect_eq(fake_ack(0), 27);
	timer(0, false);
	fake_eoi(0, 27);
	cr_expect(!fake_ich[0].ppi_active[27]);
	cr_expect_eq(take(0), FAKE_NONE);
}

/* The guest turns the timer off: it reads as not pending and never comes. */
Test(vgic_linked, vtimer_line_drops)
{
	start_vtimer(1);
	timer(0, true);
	cr_expect(get(0, ISPEND, 27));
	timer(0, false);
	cr_expect(!get(0, ISPEND, 27));
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect(!fake_ich[0].ppi_active[27]);
	timer(0, true);
	cr_expect_eq(fake_ack(0), 27);
}

Test(vgic_linked, vtimer_pended_by_register)
{
	start_vtimer(1);
	set(0, ISPEND, 27);
	cr_expect(get(0, ISPEND, 27));
	world_settle();
	cr_expect_eq(take(0), 27);
	cr_expect(!fake_ich[0].ppi_active[27]);
	/* While active: comes once more, and the line is free afterwards. */
	timer(0, true);
	cr_expect_eq(fake_ack(0), 27);
	timer(0, false);
	set(0, ISPEND, 27);
	fake_eoi(0, 27);
	world_settle();
	cr_expect(fake_ich[0].ppi_active[27]);
	cr_expect_eq(take(0), 27);
	cr_expect(!fake_ich[0].ppi_active[27]);
	cr_expect_eq(take(0), FAKE_NONE);
}

Test(vgic_linked, vtimer_clear_pending_and_active)
{
	start_vtimer(1);
	timer(0, true);
	set(0, ICPEND, 27);
	cr_expect_eq(fake_lr_state(0, 27), LR_PENDING, "the line is high");
	fake_ich[0].ppi_line[27] = false;
	set(0, ICPEND, 27);
	cr_expect_eq(fake_lr_state(0, 27), LR_FREE);
	cr_expect(!fake_ich[0].ppi_active[27]);
	timer(0, true);
	cr_expect_eq(fake_ack(0), 27);
	fake_ich[0].ppi_line[27] = false;
	set(0, ICACT, 27);
	cr_expect(!fake_ich[0].ppi_active[27]);
	set(0, ISACT, 27);
	cr_expect(fake_ich[0].ppi_active[27]);
	set(0, ICACT, 27);
	cr_expect(!fake_ich[0].ppi_active[27]);
}

/* Another vCPU clears what waits there with the physical line active. */
Test(vgic_linked, vtimer_cleared_from_another_cpu)
{
	start_vtimer(2);
	set(1, ICEN, 27);
	timer(1, true);
	cr_expect(fake_ich[1].ppi_active[27]);
	fake_ich[1].ppi_line[27] = false;
	world_on(0);
	reg_write(0, SGI_FRAME(1) + ICPEND, 4, BIT(27));
	cr_expect(fake_ich[1].ppi_active[27]);
	world_settle();
	cr_expect(!fake_ich[1].ppi_active[27]);
	/* And the same while it is in a list register. */
	set(1, ISEN, 27);
	timer(1, true);
	fake_ich[1].ppi_line[27] = false;
	reg_write(0, SGI_FRAME(1) + ICPEND, 4, BIT(27));
	world_settle();
	cr_expect(!fake_ich[1].ppi_active[27]);
	cr_expect_eq(take(1), FAKE_NONE);
}

Test(vgic_linked, linked_spi)
{
	start(4, 2);
	set(0, ICEN, 70);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	cr_expect(!world.line_enabled[70]);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 71), -EBUSY);
	make_edge(70, true);
	cr_expect(world.line_edge[70]);
	make_edge(70, false);
	cr_expect(!world.line_edge[70]);
	reg_write(0, IROUTER(70), 8, 1);
	cr_expect_eq(world.line_cpu[70], 1);
	world.line_cpu[70] = 3; /* where its vCPU was once */
	set(0, ISEN, 70);
	cr_expect(world.line_enabled[70]);
	cr_expect_eq(world.line_cpu[70], 1);
	fake_spi_line[70] = true;
	world_settle();
	cr_expect(fake_lr(1, 70) & ICH_LR_HW);
	cr_expect_eq(fake_ack(1), 70);
	fake_spi_line[70] = false;
	fake_eoi(1, 70);
	cr_expect(!fake_spi_active[70]);
	cr_expect(!fake_maintenance(1), "no exit for its end");
	/* Again, into the list register that nobody has collected. */
	fake_spi_line[70] = true;
	world_settle();
	cr_expect_eq(fake_ack(1), 70);
	fake_spi_line[70] = false;
	fake_eoi(1, 70);
	world_settle();
	cr_expect_eq(take(1), FAKE_NONE);
	cr_expect(!fake_spi_active[70]);
}

Test(vgic_linked, linked_spi_is_handed_over)
{
	start(4, 2);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	cr_expect(world.line_enabled[70]);
	fake_spi_line[70] = true;
	world_settle();
	cr_expect_eq(fake_lr_state(0, 70), LR_PENDING);
	reg_write(0, IROUTER(70), 8, 1);
	world_settle();
	cr_expect_eq(fake_lr_state(0, 70), LR_FREE);
	cr_expect_eq(fake_ack(1), 70);
	fake_spi_line[70] = false;
	fake_eoi(1, 70);
	cr_expect(!fake_spi_active[70]);
	/* Disabled before it is taken: neither lost nor stuck. */
	fake_spi_line[70] = true;
	world_settle();
	set(0, ICEN, 70);
	cr_expect(!world.line_enabled[70]);
	cr_expect_eq(take(1), FAKE_NONE);
	set(0, ISEN, 70);
	cr_expect_eq(fake_ack(1), 70);
	fake_spi_line[70] = false;
	fake_eoi(1, 70);
	cr_expect(!fake_spi_active[70]);
}

/*
 * From the second time on it takes one write and no look, but only where the
 * list register is, and only for the vCPU that it goes to now.
 */
Test(vgic_linked, linked_spi_is_one_list_register_write)
{
	start(4, 2);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	fake_spi_line[70] = true;
	world_settle();
	fake_spi_line[70] = false;
	cr_expect_eq(take(0), 70);
	for (int i = 0; i < 10; i++) {
		world_on(0);
		fake_ich[0].lr_writes = 0;
		fake_ich[0].lr_reads = 0;
		fake_spi_active[70] = true;
		vgic_post_hw(d, vgic_spi_of(d, 70));
		cr_expect_eq(vc(0)->work, 0);
		cr_expect_eq(fake_ich[0].lr_writes, 1);
		cr_expect_eq(fake_ich[0].lr_reads, 0);
		cr_expect_eq(take(0), 70);
		cr_expect(!fake_spi_active[70]);
	}
	/* It comes on CPU 0 once more, but is for the other vCPU. */
	reg_write(0, IROUTER(70), 8, 1);
	world_on(0);
	fake_spi_active[70] = true;
	vgic_post_hw(d, vgic_spi_of(d, 70));
	world_settle();
	cr_expect_eq(fake_lr_state(0, 70), LR_FREE);
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect_eq(take(1), 70);
	cr_expect(!fake_spi_active[70]);
	/* And on CPU 0 when its list register is in CPU 1. */
	reg_write(0, IROUTER(70), 8, 0);
	world_on(0);
	fake_spi_active[70] = true;
	vgic_post_hw(d, vgic_spi_of(d, 70));
	world_settle();
	cr_expect_eq(take(1), FAKE_NONE);
	cr_expect_eq(take(0), 70);
	cr_expect(!fake_spi_active[70]);
}

/* Its list registers are here, but this CPU idles; or they are another's. */
Test(vgic_linked, linked_spi_of_whom_is_loaded_here)
{
	static struct domain other;

	start(4, 1);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	fake_spi_line[70] = true;
	world_settle();
	fake_spi_line[70] = false;
	cr_expect_eq(take(0), 70);
	world_on(0);
	vc(0)->state = VCPU_BLOCKED;
	this_pcpu()->current = NULL;
	fake_spi_active[70] = true;
	vgic_post_hw(d, vgic_spi_of(d, 70));
	cr_expect_eq(fake_lr_state(0, 70), LR_PENDING);
	cr_expect_neq(vc(0)->state, VCPU_BLOCKED);
	vc(0)->state = VCPU_RUNNING;
	this_pcpu()->current = vc(0);
	cr_expect_eq(take(0), 70);
	vc(0)->domain = &other;
	fake_spi_active[70] = true;
	vgic_post_hw(d, vgic_spi_of(d, 70));
	cr_expect_eq(fake_lr_state(0, 70), LR_FREE);
	vc(0)->domain = d;
}

Test(vgic_linked, unlinked_line_is_not_left_active)
{
	start(4, 2);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	fake_spi_line[70] = true;
	world_settle();
	fake_spi_line[70] = false;
	world_on(1); /* it is in a list register of CPU 0 */
	vgic_unlink_hw(d, NULL, 70);
	cr_expect(!fake_spi_active[70]);
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	/* An edge that has happened stays. */
	make_edge(71, true);
	cr_expect_eq(vgic_link_hw(d, NULL, 71, 71), 0);
	world_on(0);
	fake_spi_active[71] = true;
	vgic_post_hw(d, vgic_spi_of(d, 71));
	vgic_unlink_hw(d, NULL, 71);
	cr_expect(!fake_spi_active[71]);
	world_settle();
	cr_expect_eq(take(0), 71);
	vgic_post_hw(d, vgic_spi_of(d, 71)); /* too late: no effect */
	world_settle();
	cr_expect_eq(take(0), FAKE_NONE);
}

/* An interrupt that another CPU has in hand: linked when that has let go. */
Test(vgic_linked, in_use_elsewhere)
{
	start(4, 2);
	set(0, ISEN, 70);
	vgic_post_edge(d, NULL, 70);
	world_settle();
	cr_expect_eq(take(0), 70);
	world_on(1);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), -EBUSY);
	world_settle();
	world_on(1);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	fake_spi_line[70] = true;
	world_settle();
	cr_expect_eq(take(0), 70);
}

/* A vCPU ends, and is not in its domain's list any more, while one waits. */
Test(vgic_linked, end_with_one_that_waits)
{
	struct vcpu *v;

	start(4, 1);
	v = vc(0);
	set(0, ISEN, 70);
	cr_expect_eq(vgic_link_hw(d, NULL, 70, 70), 0);
	world_stop(0);
	fake_spi_active[70] = true;
	vgic_post_hw(d, vgic_spi_of(d, 70));
	cr_expect(vgic_spi_of(d, 70)->queued);
	d->vcpu[0] = NULL;
	vgic_vcpu_fini(v);
	cr_expect(!vgic_spi_of(d, 70)->queued);
	vgic_unlink_hw(d, NULL, 70);
	cr_expect(!fake_spi_active[70]);
	d->vcpu[0] = v;
}

Test(vgic_linked, links_that_cannot_be)
{
	start(4, 1);
	cr_expect_eq(vgic_link_hw(d, vc(0), 5, 27), -EINVAL);
	cr_expect_eq(vgic_link_hw(d, vc(0), 27, 5), -EINVAL);
	cr_expect_eq(vgic_link_hw(d, vc(0), 27, 40), -EINVAL);
	cr_expect_eq(vgic_link_hw(d, NULL, 27, 27), -EINVAL);
	cr_expect_eq(vgic_link_hw(d, NULL, 40, 27), -EINVAL);
	cr_expect_eq(vgic_link_hw(d, NULL, 40, 1020), -EINVAL);
	cr_expect_eq(vgic_link_hw(d, NULL, 96, 96), -EINVAL);
	vgic_unlink_hw(d, NULL, 96);
	vgic_unlink_hw(d, NULL, 40);
	vgic_set_level(d, NULL, 96, true);
	vgic_post_edge(d, NULL, 31);
	cr_expect_null(vgic_spi_of(d, 96));
	cr_expect_null(vgic_spi_of(d, 31));
}

/* ---- one that fires for ever --------------------------------------------- */

#define NR_LINES 6u

/* SPIs 70 .. 75, which go to vCPU 0; each has had a list register. */
static void start_lines(uint8_t nr_lrs)
{
	start(nr_lrs, 1);
	fake_first_lr = true;
	for (uint32_t i = 0; i < NR_LINES; i++) {
		cr_assert_eq(vgic_link_hw(d, NULL, 70 + i, 70 + i), 0);
	}
	/* The highest one first: it gets the first list register. */
	for (uint32_t i = NR_LINES; i > 0; i--) {
		fake_spi_line[69 + i] = true;
		world_settle();
		fake_spi_line[69 + i] = false;
		cr_assert_eq(take(0), 69 + i);
	}
	cr_assert_eq(take(0), FAKE_NONE);
}

/* All of one priority, the last of them high for ever: the rest get through. */
static void storm(uint8_t nr_lrs)
{
	uint32_t waits[NR_LINES] = { 0 };
	uint64_t rng = 0x9e3779b97f4a7c15;

	start_lines(nr_lrs);
	fake_spi_line[75] = true;
	world_settle();
	for (uint32_t n = 0; n < 20000; n++) {
		uint32_t iar;

		rng = rng * 6364136223846793005 + 1442695040888963407;
		if (rng >> 60 < NR_LINES - 1) {
			fake_spi_line[70 + (rng >> 60)] = true;
			world_settle();
		}
		iar = fake_ack(0);
		cr_assert_neq(iar, FAKE_NONE);
		if (iar != 75) {
			fake_spi_line[iar] = false;
		}
		fake_eoi(0, iar);
		world_settle();
		for (uint32_t i = 0; i < NR_LINES; i++) {
			waits[i] = fake_spi_line[70 + i] && 70 + i != iar ?
					   waits[i] + 1 : 0;
			/* Those of lower INTIDs go first, as they may. */
			cr_assert(i == NR_LINES - 1 || waits[i] < 40,
				  "%u waits in round %u", 70 + i, n);
		}
	}
	for (uint32_t i = 0; i < NR_LINES - 1; i++) {
		fake_spi_line[70 + i] = false;
	}
}

Test(vgic_linked, a_line_that_fires_for_ever_lets_others_through)
{
	storm(4);
}

Test(vgic_linked, the_same_with_a_list_register_for_each)
{
	storm(16);
}

Test(vgic_linked, the_same_with_two_list_registers)
{
	storm(2);
}

/*
 * A board's network card, of whose two lines one says what the other says too:
 * the driver's handler for the second finds nothing to do.
 */
Test(vgic_linked, two_lines_of_a_device_are_taken_as_on_hardware)
{
	start_lines(16);
	for (int i = 0; i < 100; i++) {
		uint32_t others = 0;

		fake_spi_line[75] = true;
		fake_spi_line[73] = true;
		world_settle();
		while (fake_spi_line[73]) {
			uint32_t iar = fake_ack(0);

			if (iar == 73) {
				fake_spi_line[73] = false;
				fake_spi_line[75] = false;
			}
			others += iar == 75;
			cr_assert_leq(others, 1);
			fake_eoi(0, iar);
			world_settle();
		}
		while (take(0) != FAKE_NONE) {
		}
	}
}
