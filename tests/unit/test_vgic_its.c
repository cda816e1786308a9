/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c arch/arm64/vgic/vgicits_v3.c
// LINK: arch/arm64/vgic/vgic_its.c arch/arm64/vgic/vgic_its_cmd.c
// LINK: arch/arm64/vgic/vgic_lpi.c
// LINK: tests/fakes/fake_ich.c tests/fakes/fake_gic_world.c
/*
 * The virtual ITS over a physical one that remembers what it was told, and
 * stops the test when it was told nonsense. Guests that behave, and one that
 * sends a million commands at random.
 */
#include "fake_its.h"

TestSuite(vgic_its, .fini = end);

/* What the guest on @cpu takes; it ends it. */
static uint32_t taken(uint16_t cpu)
{
	uint32_t iar = fake_ack(cpu);

	if (iar != FAKE_NONE) {
		fake_eoi(cpu, iar);
		world_settle();
	}
	return iar;
}

static void one_event(void)
{
	begin(2);
	mapd(3, 5, true);
	mapti(3, 7, 8200, 0);
	run_queue();
}

/* ---- registers ----------------------------------------------------------- */

static const struct row {
	uint64_t addr;
	uint32_t len;
	uint8_t widths;
} rows_v3[] = {
	{ ITS + GITS_CTLR, 4, 4 },
	{ ITS + GITS_IIDR, 4, 4 },
	{ ITS + GITS_TYPER, 8, 4 | 8 },
	{ ITS + GITS_CBASER, 8, 4 | 8 },
	{ ITS + GITS_CWRITER, 8, 4 | 8 },
	{ ITS + GITS_CREADR, 8, 4 | 8 },
	{ ITS + GITS_BASER, 64, 4 | 8 },
	{ ITS + GITS_PIDR2, 4, 4 },
};

/* One page, where the machine has it, for devices and not for vCPUs. */
Test(vgic_its, doorbell_behind_an_iommu)
{
	begin(1);
	cr_expect_eq(doorbell.calls, 0);
	world.d.iommu.enabled = true;
	cr_expect_eq(vits_map_regs(its(), ITS), 0);
	cr_expect_eq(doorbell.calls, 1);
	cr_expect_eq(doorbell.g, (ITS + GITS_TRANSLATER) >> PAGE_SHIFT);
	cr_expect_eq(doorbell.m, doorbell.g);
	cr_expect_eq(doorbell.nr, 1);
	cr_expect_eq(doorbell.t, P2M_DOORBELL);
	cr_expect_eq(doorbell.live, 1);
	doorbell.rc = -ENOMEM;
	cr_expect_eq(vits_map_regs(its(), ITS), -ENOMEM);
	doorbell.rc = 0;
	fake_mmio_fail_at = 1;
	cr_expect_neq(vits_map_regs(its(), ITS), 0);
	cr_expect_eq(doorbell.calls, 3);
	cr_expect_eq(doorbell.live, 1);
}

Test(vgic_its, widths)
{
	begin(1);
	for (size_t i = 0; i < ARRAY_SIZE(rows_v3); i++) {
		for (uint8_t size = 1; size <= 8; size *= 2) {
			cr_expect_eq(reg_aborts(0, rows_v3[i].addr, size,
						false),
				     !(rows_v3[i].widths & size));
		}
	}
}

Test(vgic_its, identification)
{
	uint64_t typer;

	begin(3);
	typer = reg_read(0, ITS + GITS_TYPER, 8);
	cr_expect_eq(typer & 1, 1);
	cr_expect_eq(field_get(FIELD64(12, 8), typer), 10);
	cr_expect_eq(field_get(FIELD64(17, 13), typer), 15);
	cr_expect_eq(field_get(FIELD64(31, 24), typer), 4);
	cr_expect_eq(reg_read(0, ITS + GITS_TYPER + 4, 4), typer >> 32);
	cr_expect_eq(reg_read(0, ITS + GITS_PIDR2, 4), 0x3b);
	cr_expect_eq(reg_read(0, ITS + GITS_CTLR, 4), 0x80000001);
	cr_expect_eq(reg_read(0, GICD + GICD_TYPER, 4) & 0x00feF800,
		     13u << 19 | 1u << 17 | 9u << 11);
	cr_expect_eq(reg_read(0, WORLD_GICR + GICR_TYPER, 8) & 1, 1);
	for (uint32_t i = 0; i < 64; i += 8) {
		reg_write(0, ITS + GITS_BASER + i, 8, ~UINT64_C(0));
		cr_expect_eq(reg_read(0, ITS + GITS_BASER + i, 8), 0);
	}
}

Test(vgic_its, queue_registers)
{
	begin(1);
	/* Enabled: the queue stays where it is. */
	reg_write(0, ITS + GITS_CBASER, 8, 0);
	cr_expect_eq(reg_read(0, ITS + GITS_CBASER, 8),
		     UINT64_C(1) << 63 | QUEUE << PAGE_SHIFT);
	/* Outside of the queue: nothing happens. */
	reg_write(0, ITS + GITS_CWRITER, 8, PAGE_SIZE + 32);
	cr_expect_eq(reg_read(0, ITS + GITS_CREADR, 8), writes[0]);
	reg_write(0, ITS + GITS_CTLR, 4, 0);
	reg_write(0, ITS + GITS_CBASER + 4, 4, 0x80000000);
	cr_expect_eq(reg_read(0, ITS + GITS_CREADR, 8), 0);
	cr_expect_eq(reg_read(0, ITS + GITS_CWRITER, 8), 0);
	/* Off: commands wait. */
	reg_write(0, ITS + GITS_CWRITER, 8, 64);
	cr_expect_eq(reg_read(0, ITS + GITS_CREADR, 8), 0);
	reg_try_write(0, ITS + GITS_CTLR, 4, 1);
	reg_try_write(0, ITS + GITS_CTLR, 4, 1);
	cr_expect_eq(reg_read(0, ITS + GITS_CREADR, 8), 64);
}

Test(vgic_its, redistributor_registers)
{
	uint64_t gicr = WORLD_GICR;

	begin(1);
	reg_write(0, gicr + GICR_PROPBASER, 8, ~UINT64_C(0));
	cr_expect_eq(reg_read(0, gicr + GICR_PROPBASER, 8), CONFIG << 12 | 13,
		     "LPIs are on");
	reg_write(0, gicr + GICR_CTLR, 4, 0);
	cr_expect_eq(reg_read(0, gicr + GICR_CTLR, 4), 0);
	reg_write(0, gicr + GICR_PENDBASER, 8, ~UINT64_C(0));
	cr_expect_eq(reg_read(0, gicr + GICR_PENDBASER, 8),
		     UINT64_C(0x070fffffffff0f80));
	reg_write(0, gicr + GICR_PENDBASER + 4, 4, 0);
	cr_expect_eq(reg_read(0, gicr + GICR_PENDBASER, 8), 0xffff0f80);
}

/* ---- delivery ------------------------------------------------------------ */

Test(vgic_its, message)
{
	one_event();
	for (int i = 0; i < 3; i++) {
		message(3, 7);
		cr_expect_eq(taken(0), 8200);
		cr_expect_eq(taken(0), FAKE_NONE);
	}
	/* While one is handled: once more, and only once. */
	message(3, 7);
	cr_expect_eq(fake_ack(0), 8200);
	message(3, 7);
	message(3, 7);
	fake_eoi(0, 8200);
	world_settle();
	cr_expect_eq(taken(0), 8200);
	cr_expect_eq(taken(0), FAKE_NONE);
	cr_expect_eq(spurious, 0);
}

Test(vgic_its, message_beside_others)
{
	one_event();
	for (uint32_t i = 0; i < 20; i++) {
		mapti(3, 10 + i, 8300 + i, 0);
		run_queue();
	}
	sgi(0, 5, 1);
	for (uint32_t i = 0; i < 20; i++) {
		message(3, 10 + i); /* more than list registers */
	}
	world_settle();
	cr_expect_eq(taken(0), 5);
	for (uint32_t i = 0; i < 20; i++) {
		cr_expect_eq(taken(0), 8300 + i);
	}
	cr_expect_eq(taken(0), FAKE_NONE);
}

Test(vgic_its, movi)
{
	one_event();
	message(3, 7);
	about(0x01, 3, 7, 1);
	run_queue();
	cr_expect_eq(dev[3].cpu[7], 1);
	cr_expect_eq(taken(0), FAKE_NONE, "it moved, pending");
	cr_expect_eq(taken(1), 8200);
	message(3, 7);
	world_settle();
	cr_expect_eq(taken(1), 8200);
	mapc(1, 0, true);
	run_queue();
	message(3, 7);
	world_settle();
	cr_expect_eq(taken(0), 8200);
}

Test(vgic_its, movall)
{
	one_event();
	message(3, 7);
	command(0x0e, 0, 0, 1 << 16);
	run_queue();
	cr_expect_eq(taken(0), FAKE_NONE);
	cr_expect_eq(taken(1), 8200);
}

Test(vgic_its, configuration)
{
	one_event();
	cr_expect(enabled[8]);
	ram[CONFIG][8] = 0xa0;
	message(3, 7);
	cr_expect_eq(taken(0), 8200, "not read before INV");
	about(0x0c, 3, 7, 0);
	run_queue();
	cr_expect(!enabled[8]);
	cr_expect_eq(ops[ITS_INV], 1);
	ram[CONFIG][8] = 0x41;
	command(0x0d, 0, 0, 0);
	run_queue();
	cr_expect(enabled[8]);
	cr_expect_eq(ops[0x0d], 1);
	cr_expect_eq(its()->lpi[8].priority, 0x40);
}

Test(vgic_its, clear_and_discard)
{
	one_event();
	message(3, 7);
	about(0x04, 3, 7, 0);
	run_queue();
	cr_expect_eq(taken(0), FAKE_NONE);
	message(3, 7);
	about(0x0f, 3, 7, 0);
	run_queue();
	cr_expect_eq(taken(0), FAKE_NONE);
	cr_expect_eq(dev[3].lpi[7], 0);
	cr_expect(!enabled[8]);
	/* One that was on its way. */
	vgic_take_lpi(8200);
	cr_expect_eq(taken(0), FAKE_NONE);
	/* It does not come back with the next user of the LPI. */
	mapti(3, 8, 8200, 0);
	run_queue();
	cr_expect_eq(taken(0), FAKE_NONE);
}

Test(vgic_its, nobody_wants_it)
{
	one_event();
	reg_write(0, WORLD_GICR + GICR_CTLR, 4, 0);
	message(3, 7);
	cr_expect_eq(taken(0), FAKE_NONE);
	reg_write(0, WORLD_GICR + GICR_CTLR, 4, 1);
	mapc(0, 0, false);
	run_queue();
	message(3, 7);
	reg_write(0, ITS + GITS_CTLR, 4, 0);
	message(3, 7);
	vgic_take_lpi(LPI_FIRST + VGIC_NR_LPIS);
	vgic_take_lpi(LPI_FIRST + LPI_NR);
	cr_expect_eq(spurious, 5);
}

Test(vgic_its, mapi_and_int)
{
	one_event();
	mapd(4, 11, true);
	about(0x0b, 4, 8199, 0);    /* beyond the device's events */
	about(0x03, 3, 7, 0);
	run_queue();
	cr_expect_eq(ops[ITS_INT], 1);
	cr_expect_null(its()->map[7].dev);
}

/* ---- mistakes ------------------------------------------------------------ */

Test(vgic_its, one_event_an_lpi)
{
	one_event();
	mapti(3, 8, 8200, 0);
	run_queue();
	cr_expect_eq(dev[3].lpi[8], 0);
	cr_expect_eq(dev[3].lpi[7], 8200);
	/* The event's next LPI frees the first. */
	mapti(3, 7, 8201, 0);
	mapti(3, 8, 8200, 1);
	run_queue();
	cr_expect_eq(dev[3].lpi[7], 8201);
	cr_expect_eq(dev[3].lpi[8], 8200);
}

Test(vgic_its, limits)
{
	one_event();
	mapd(5, 12, true);            /* events */
	mapd(DEVS, 1, true);          /* the machine has no such device */
	mapti(3, 32, 8201, 0);        /* event */
	mapti(3, 0, 8191, 0);         /* no LPI */
	mapti(3, 0, 8192 + VGIC_NR_LPIS, 0);
	mapti(3, 0, 8201, 3);         /* collection */
	mapti(4, 0, 8201, 0);         /* device */
	about(0x01, 3, 7, 3);
	mapc(3, 0, true);
	mapc(0, 2, true);             /* vCPU */
	command(0x0e, 0, 2 << 16, 0);
	command(0x0e, 0, 0, 2 << 16);
	command(0x0d, 0, 3, 0);
	command(0xff, 0, 0, 0);
	run_queue();
	cr_expect_eq(its()->nr_devices, 1);
	cr_expect_eq(its()->nr_events, 32);
	cr_expect_eq(its()->collection[0], 0);
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		cr_expect_eq(its()->map[n].dev != NULL, n == 8);
	}
	/* 4 devices of 2048 events are all that a domain gets. */
	for (uint32_t i = 0; i < DEVS; i++) {
		mapd(i, 11, true);
	}
	run_queue();
	cr_expect_eq(its()->nr_devices, 4);
	cr_expect_eq(its()->nr_events, VITS_MAX_EVENTS);
}

Test(vgic_its, no_memory)
{
	one_event();
	fake_heap_fails = true;
	mapd(3, 5, true);
	run_queue();
	fake_heap_fails = false;
	cr_expect_eq(its()->nr_devices, 0);
	cr_expect_null(its()->map[8].dev);
}

/* Not dom0's any more: what it has is ended, and it gets nothing new. */
Test(vgic_its, a_function_is_given_away)
{
	one_event();
	message(3, 7);
	given[3] = true;
	arch_msi_forget(d, 3);
	cr_expect(!dev[3].mapped);
	cr_expect(!enabled[8]);
	cr_expect_eq(taken(0), FAKE_NONE);
	mapd(3, 5, true);
	mapti(3, 7, 8200, 0);
	about(0x03, 3, 7, 0);
	mapd(3, 5, false);
	run_queue();
	cr_expect_eq(its()->nr_devices, 0);
	given[3] = false;
	mapd(3, 5, true);
	mapti(3, 7, 8200, 0);
	run_queue();
	message(3, 7);
	cr_expect_eq(taken(0), 8200);
	cr_expect_eq(taken(0), FAKE_NONE);
}

Test(vgic_its, queue_in_no_memory)
{
	begin(1);
	reg_write(0, ITS + GITS_CTLR, 4, 0);
	reg_write(0, ITS + GITS_CBASER, 8, UINT64_C(1) << 63 | 0xff);
	reg_write(0, ITS + GITS_CTLR, 4, 1);
	writes[0] = 255 * PAGE_SIZE / 32 % 100 * 32;
	run_queue();
	cr_expect_eq(its()->nr_devices, 0);
}

Test(vgic_its, configuration_in_no_memory)
{
	begin(1);
	its()->propbaser = 0;
	mapd(3, 5, true);
	mapti(3, 7, 8200, 0);
	command(0x0d, 0, 0, 0);
	run_queue();
	cr_expect(!enabled[8]);
}

Test(vgic_its, bounded_step)
{
	begin(1);
	for (int i = 0; i < 100; i++) {
		about(0x05, 0, 0, 0);
	}
	cr_expect_eq(run_queue(), 13); /* 8 at a time */
	for (int i = 0; i < 10; i++) {
		mapc(0, 0, true);
	}
	cr_expect_eq(run_queue(), 10); /* one */
}

/* A device with many LPIs ends in steps, whatever the guest does meanwhile. */
Test(vgic_its, bounded_end)
{
	begin(1);
	mapd(3, 11, true);
	for (uint32_t i = 0; i < 1000; i++) {
		mapti(3, 2 * i, 8192 + i, 0);
		if (i % 64 == 63) {
			run_queue();
		}
	}
	run_queue();
	mapd(3, 4, true);
	mapti(3, 1, 8192, 0);
	reg_try_write(0, ITS + GITS_CWRITER, 8, writes[0]);
	cr_expect(!dev[3].mapped);
	cr_expect_not_null(its()->ending);
	cr_expect_not_null(its()->map[0].dev);
	/* Off: it goes on. On again: MAPD and what is behind it. */
	for (int i = 0; its()->ending; i++) {
		reg_try_write(0, ITS + GITS_CTLR, 4, 0);
		cr_assert_lt(i, 8);
	}
	cr_expect_null(its()->map[0].dev);
	cr_expect_eq(its()->nr_devices, 0);
	cr_expect_eq(its()->nr_events, 0);
	reg_try_write(0, ITS + GITS_CTLR, 4, 1);
	run_queue();
	cr_expect_eq(its()->nr_devices, 1);
	cr_expect_eq(its()->nr_events, 16);
	cr_expect_eq(its()->map[0].event, 1);
	cr_expect_eq(dev[3].lpi[1], 8192);
}

Test(vgic_its, dead)
{
	one_event();
	dead = 1;
	mapd(3, 5, false);
	mapd(4, 5, true);
	run_queue();
	cr_expect_eq(complaints, 2);
	cr_expect_eq(its()->nr_devices, 1);
	dead = 0;
	/* The old table may be written to still: it is not given back. */
	cr_expect_eq(fake_heap_live, 5);
	fake_heap_live--;
}

Test(vgic_its, cpus_come_and_go)
{
	begin(1);
	world_on(2);
	arch_irq_join();
	arch_irq_leave(3);
	cr_expect_eq(joined, 2);
	cr_expect_eq(left, 3 * 16 + 2);
	cr_expect_eq(complaints, 1);
	world_on(0);
}

/* ---- a hostile guest ----------------------------------------------------- */

static void check_all(void)
{
	const struct vits *s = its();
	uint32_t devices = 0, events = 0, lpis = 0, mapped = 0;

	for (uint32_t i = 0; i < DEVS; i++) {
		if (!dev[i].mapped) {
			continue;
		}
		devices++;
		events += 1u << dev[i].bits;
		for (uint32_t e = 0; e < 1u << dev[i].bits; e++) {
			uint32_t n = dev[i].lpi[e] - LPI_FIRST;

			if (!dev[i].lpi[e]) {
				continue;
			}
			lpis++;
			cr_assert(s->map[n].dev && s->map[n].dev->id == i);
			cr_assert_eq(s->map[n].event, e);
		}
	}
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		mapped += s->map[n].dev != NULL;
		cr_assert(s->map[n].dev || !enabled[n]);
		cr_assert_eq(s->lpi[n].enabled, enabled[n]);
	}
	cr_assert_eq(lpis, mapped);
	cr_assert_eq(s->nr_devices, devices);
	cr_assert_eq(s->nr_events, events);
	cr_assert_leq(events, VITS_MAX_EVENTS);
	cr_assert_eq(fake_heap_live, (int)(2 + 2 * devices));
	for (uint32_t i = 1; i < PAGES; i++) {
		cr_assert_eq(pages[i].count, 1);
	}
}

static uint32_t rnd(uint32_t n)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % n;
}

static void random_command(void)
{
	static const uint8_t often[] = { 0x01, 0x03, 0x04, 0x05, 0x0a, 0x0a,
					 0x0a, 0x0b, 0x0c, 0x0f };
	uint32_t id = rnd(DEVS + 1), event = rnd(EVENTS), icid = rnd(5);
	uint8_t op = often[rnd(ARRAY_SIZE(often))];

	switch (rnd(40)) {
	case 0:
		mapd(id, 1 + rnd(rnd(20) ? 7 : 32), rnd(4));
		break;
	case 1:
		mapc((uint16_t)icid, rnd(5), rnd(4));
		break;
	case 2:
		command(0x0d + rnd(2), 0, rnd(4) << 16 | icid, rnd(4) << 16);
		break;
	case 3:
		command((uint64_t)rnd(~0u) << 32 | rnd(~0u), rnd(~0u),
			(uint64_t)rnd(~0u) << 32 | rnd(~0u), rnd(~0u));
		break;
	default:
		command(of(op, id),
			(uint64_t)(8185 + rnd(VGIC_NR_LPIS + 14)) << 32 |
				(op == 0x0b ? 8192 + event : event), icid, 0);
	}
}

Test(vgic_its, a_million_commands, .timeout = 3600)
{
	begin(3);
	for (int round = 0; round < 10000; round++) {
		for (int i = 0; i < 100; i++) {
			random_command();
		}
		memset(ram[CONFIG] + rnd(1000), (int)rnd(256), rnd(64));
		run_queue();
		for (int i = 0; i < 20; i++) {
			message(rnd(DEVS), rnd(EVENTS));
		}
		world_settle();
		for (uint16_t cpu = 0; cpu < 3; cpu++) {
			for (int i = 0; i < 30; i++) {
				(void)taken(cpu);
			}
		}
		check_all();
	}
	/* They were not all nonsense. */
	cr_assert_gt(ops[ITS_INT], 1000);
	cr_assert_gt(ops[ITS_DISCARD], 1000);
}
