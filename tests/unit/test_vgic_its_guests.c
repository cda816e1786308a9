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
 * Virtual ITSs of domains of a toolstack beside dom0's: whose devices are
 * whose, what a hostile one gets, functions and domains that come and go.
 */
#include "fake_its_guests.h"

TestSuite(vgic_its_guests, .fini = end);

#define OTHER_MAX 8u

/* ---- creation ------------------------------------------------------------ */

Test(vgic_its_guests, what_it_sees)
{
	struct vcpu *v;
	uint32_t typer;

	begin(1);
	v = make_domain();
	typer = v->domain->arch.vgic.typer;
	cr_expect_eq(typer >> 17 & 1, 0);
	doorbell.calls = 0;
	cr_expect_eq(arch_msi_domain_init(v->domain), 0);
	cr_expect_eq(v->domain->arch.vgic.typer,
		     (typer & ~UINT32_C(0x00f80000)) | 13u << 19 | 1u << 17 |
			     9u << 11);
	cr_expect_eq(v->domain->mmio.nr, 3);
	cr_expect_eq(v->domain->mmio.range[2].start, VPCI_ITS_BASE);
	cr_expect_eq(v->domain->mmio.range[2].size, VPCI_ITS_SIZE);
	/* Its doorbell is the machine's, which lies elsewhere. */
	cr_expect_eq(doorbell.calls, 1);
	cr_expect_eq(doorbell.g, 0x4030);
	cr_expect_eq(doorbell.m, (ITS + GITS_TRANSLATER) >> PAGE_SHIFT);
	cr_expect_eq(doorbell.nr, 1);
	cr_expect_eq(doorbell.t, P2M_DOORBELL);
	cr_expect_eq(arch_msi_domain_init(v->domain), -EEXIST);
	cr_expect_not_null(v->domain->arch.vgic.its);
	free_domain(v);
}

Test(vgic_its_guests, none_to_share)
{
	struct vcpu *v;
	uint32_t typer;
	int live;

	begin(1);
	v = make_domain();
	typer = v->domain->arch.vgic.typer;
	live = fake_heap_live;
	platform.its.node = 0;
	cr_expect_eq(arch_msi_domain_init(v->domain), -ENODEV);
	platform.its.node = 1;
	its_gone = true;
	cr_expect_eq(arch_msi_domain_init(v->domain), -ENODEV);
	its_gone = false;
	v->domain->iommu.enabled = false;
	cr_expect_eq(arch_msi_domain_init(v->domain), -ENODEV);
	v->domain->iommu.enabled = true;
	v->domain->arch.vgic.version = 2;
	cr_expect_eq(arch_msi_domain_init(v->domain), -ENODEV);
	v->domain->arch.vgic.version = 3;
	cr_expect_eq(v->domain->arch.vgic.typer, typer);
	cr_expect_eq(v->domain->mmio.nr, 2);
	cr_expect_eq(fake_heap_live, live);
	/* Without one there is nothing to forget, or to end. */
	arch_msi_forget(v->domain, 3);
	cr_expect_eq(arch_msi_stop_step(v->domain), 0);
	free_domain(v);
}

/* At each step of its creation: nothing is left, and it may go on without. */
Test(vgic_its_guests, creation_fails)
{
	static const int error[] = { -ENOMEM, -ENOSPC, -ENOMEM };

	begin(1);
	for (uint32_t i = 0; i < ARRAY_SIZE(error); i++) {
		struct vcpu *v = make_domain();
		uint32_t typer = v->domain->arch.vgic.typer;
		int live = fake_heap_live;

		fake_heap_fail_at = i == 0;
		fake_mmio_fail_at = i == 1;
		doorbell.rc = i == 2 ? -ENOMEM : 0;
		cr_expect_eq(arch_msi_domain_init(v->domain), error[i]);
		doorbell.rc = 0;
		cr_expect_null(v->domain->arch.vgic.its);
		cr_expect_null(v->domain->arch.vgic.lpi);
		cr_expect_eq(v->domain->arch.vgic.typer, typer);
		cr_expect_null(vits_of_block[1]);
		cr_expect_eq(fake_heap_live, live);
		cr_expect_eq(v->domain->mmio.nr, 2);
		cr_expect_eq(doorbell.live, 0);
		/* Once more. */
		cr_expect_eq(arch_msi_domain_init(v->domain), 0);
		cr_expect_eq(v->domain->mmio.nr, 3);
		doorbell.live--;
		free_domain(v);
	}
	/* No block was lost. */
	make_guest(1);
	cr_expect_eq(its()->first_lpi, LPI_FIRST + VGIC_NR_LPIS);
	free_guest(1);
}

Test(vgic_its_guests, no_blocks_left)
{
	struct vcpu *v[OTHER_MAX];
	uint32_t nr = 0;
	int live;

	begin(1);
	while (nr < OTHER_MAX) {
		v[nr] = make_domain();
		live = fake_heap_live;
		if (arch_msi_domain_init(v[nr]->domain)) {
			break;
		}
		nr++;
	}
	cr_assert_eq(nr, LPI_NR / VGIC_NR_LPIS - 1); /* and dom0's */
	cr_expect_eq(arch_msi_domain_init(v[nr]->domain), -ENOSPC);
	cr_expect_eq(fake_heap_live, live);
	cr_expect_eq(v[nr]->domain->mmio.nr, 2);
	cr_expect_null(v[nr]->domain->arch.vgic.its);
	/* One that stops is out of the table, its block free at its end. */
	stop_domain(v[3]->domain);
	cr_expect_null(vits_of_block[4]);
	cr_expect_eq(arch_msi_domain_init(v[nr]->domain), -ENOSPC);
	free_domain(v[3]);
	cr_expect_eq(arch_msi_domain_init(v[nr]->domain), 0);
	cr_expect_eq(v[nr]->domain->arch.vgic.its->first_lpi,
		     LPI_FIRST + 4 * VGIC_NR_LPIS);
	v[3] = v[nr];
	for (uint32_t i = 0; i < nr; i++) {
		free_domain(v[i]);
	}
}

/* ---- whose is what ------------------------------------------------------- */

Test(vgic_its_guests, one_number_two_devices)
{
	two_guests();
	give(5, 1, 3);
	give(6, 2, 3);
	for (me = 1; me <= 2; me++) {
		mapd(3, 5, true);
		mapti(3, 7, 8200, 0);
		run_queue();
	}
	cr_expect_eq(dev[5].lpi[7], LPI_FIRST + VGIC_NR_LPIS + 8);
	cr_expect_eq(dev[6].lpi[7], LPI_FIRST + 2 * VGIC_NR_LPIS + 8);
	cr_expect(!dev[3].mapped);
	message(5, 7);
	cr_expect(came(1, 8));
	cr_expect(!came(2, 8));
	message(6, 7);
	cr_expect(!came(1, 8));
	cr_expect(came(2, 8));
	cr_expect(!came(0, 8));
	/* One of them goes; the other does not notice. */
	take_back(5, 1, 3);
	message(5, 7);
	message(6, 7);
	cr_expect(!came(1, 8));
	cr_expect(came(2, 8));
	cr_expect(!dev[5].mapped);
	cr_expect_eq(spurious, 0);
	take_back(6, 2, 3);
	free_guest(1);
	free_guest(2);
}

/* A vCPU is interrupted, not only marked. */
Test(vgic_its_guests, a_message_wakes)
{
	uint32_t posts;

	two_guests();
	give(5, 1, 1);
	me = 1;
	mapd(1, 5, true);
	mapti(1, 0, 8192, 0);
	run_queue();
	other[1]->domain->arch.vgic.enabled = true;
	posts = world.posts;
	cr_expect(!vgic_has_pending(other[1]));
	message(5, 0);
	cr_expect(vgic_has_pending(other[1]));
	cr_expect_gt(world.posts, posts);
	take_back(5, 1, 1);
	cr_expect(!vgic_has_pending(other[1]));
	free_guest(1);
	free_guest(2);
}

Test(vgic_its_guests, hostile)
{
	two_guests();
	give(5, 1, 1);
	give(6, 2, 2);
	me = 2;
	mapd(2, 5, true);
	mapti(2, 7, 8200, 0);
	run_queue();
	me = 1;
	for (uint32_t id = 0; id < 64; id++) {
		if (id != 1) {
			mapd(id, 5, true); /* not its, or nobody's */
		}
	}
	mapd(UINT32_MAX, 5, true);
	mapd(0x10001, 5, true);
	mapd(1 + VITS_BUCKETS, 5, true);
	mapti(2, 7, 8200, 0);
	about(0x0f, 2, 7, 0);
	run_queue();
	cr_expect_eq(its()->nr_devices, 0);
	cr_expect_eq(dev[6].lpi[7], LPI_FIRST + 2 * VGIC_NR_LPIS + 8);
	mapd(1, 5, true);
	mapti(1, 0, 8192 + VGIC_NR_LPIS + 8, 0); /* another's LPI */
	mapti(1, 0, 8191, 0);
	mapti(1, 32, 8192, 0);
	mapti(1, 0, 8192, 2); /* collections are vCPUs + 1 */
	mapti(1, 0, 8192, 0xffff);
	mapc(0xffff, 0, true);
	mapc(0, 1, true); /* vCPU */
	about(0x01, 1, 0, 0xffff);
	run_queue();
	cr_expect_eq(its()->nr_devices, 1);
	for (uint32_t e = 0; e < 32; e++) {
		cr_expect_eq(dev[5].lpi[e], 0);
	}
	message(6, 7);
	cr_expect(came(2, 8));
	/* What is not its any more: each command is lost. */
	take_back(5, 1, 1);
	mapd(1, 5, true);
	mapti(1, 0, 8192, 0);
	for (uint8_t op = 0; op < 0x10; op++) {
		about(op, 1, 0, 0);
	}
	run_queue();
	cr_expect_eq(its()->nr_devices, 0);
	cr_expect(!dev[5].mapped);
	take_back(6, 2, 2);
	free_guest(1);
	free_guest(2);
}

/* Whoever forgets to forget: never two tables for one device. */
Test(vgic_its_guests, mapped_by_another)
{
	two_guests();
	mapd(5, 5, true);
	run_queue();
	given[5] = true;
	slot[1][1] = 5;
	slot[1][2] = 5;
	me = 1;
	mapd(1, 5, true);
	run_queue();
	cr_expect_eq(its()->nr_devices, 0);
	arch_msi_forget(d, 5);
	mapd(1, 5, true);
	mapd(2, 5, true);
	run_queue();
	cr_expect_eq(its()->nr_devices, 1);
	arch_msi_forget(other[1]->domain, 5);
	cr_expect_eq(its()->nr_devices, 0);
	free_guest(1);
	free_guest(2);
}

Test(vgic_its_guests, no_memory)
{
	int live;

	two_guests();
	give(5, 1, 1);
	me = 1;
	live = fake_heap_live;
	for (int at = 1; at <= 3; at++) {
		fake_heap_fail_at = at;
		mapd(1, 5, true);
		run_queue();
		cr_expect_eq(its()->nr_devices, at == 3);
		cr_expect_eq(its()->nr_events, at == 3 ? 32 : 0);
		cr_expect_eq(fake_heap_live, live + (at == 3 ? 2 : 0));
	}
	fake_heap_fail_at = 0;
	free_guest(1);
	free_guest(2);
}

/* ---- functions and domains that go --------------------------------------- */

Test(vgic_its_guests, an_lpi_that_was_on_its_way)
{
	uint32_t lpi;

	two_guests();
	give(5, 1, 1);
	me = 1;
	mapd(1, 5, true);
	mapti(1, 0, 8192, 0);
	mapti(1, 1, 8193, 0);
	run_queue();
	lpi = dev[5].lpi[0];
	message(5, 0);
	take_back(5, 1, 1);
	vgic_take_lpi(lpi); /* a CPU had it in hand */
	/* Nor does it come back with the LPI's next user. */
	give(6, 1, 1);
	mapd(1, 5, true);
	mapti(1, 0, 8192, 0);
	run_queue();
	cr_expect(!came(1, 0));
	message(6, 0);
	cr_expect(came(1, 0));
	free_guest(1);
	free_guest(2);
}

Test(vgic_its_guests, its_end_while_messages_come)
{
	struct domain *o;
	uint32_t lpi[3];
	int steps = 0, rc;

	two_guests();
	for (uint32_t i = 0; i < 3; i++) {
		give(i, 1, i);
		me = 1;
		mapd(i, 6, true);
		for (uint32_t e = 0; e < EVENTS; e++) {
			mapti(i, e, 8192 + i * EVENTS + e, 0);
		}
		run_queue();
		lpi[i] = dev[i].lpi[0];
	}
	o = other[1]->domain;
	do {
		rc = arch_msi_stop_step(o);
		steps++;
		for (uint32_t i = 0; i < 3; i++) {
			message(i, 0);
			vgic_take_lpi(lpi[i]);
		}
	} while (rc == -EAGAIN);
	cr_expect_eq(rc, 0);
	cr_expect_eq(steps, 4); /* a device each, and the last */
	cr_expect_eq(spurious, 3 * 4 + 2 + 1); /* all, however they come */
	for (uint32_t i = 0; i < 3; i++) {
		cr_expect(!dev[i].mapped);
	}
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		cr_expect(!came(1, n));
	}
	/* Its functions go after it; a second time is as good as once. */
	for (uint32_t i = 0; i < 3; i++) {
		take_back(i, 1, i);
	}
	cr_expect_eq(arch_msi_stop_step(o), 0);
	free_guest(1);
	/* The next one with its place starts with nothing of it. */
	make_guest(1);
	cr_expect_eq(its()->first_lpi, LPI_FIRST + VGIC_NR_LPIS);
	for (uint32_t i = 0; i < 3; i++) {
		vgic_take_lpi(lpi[i]);
	}
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		cr_expect(!came(1, n));
		cr_expect_null(its()->map[n].dev);
	}
	free_guest(1);
	free_guest(2);
}

/* The ITS does not answer: what it may write to is kept, all else is freed. */
Test(vgic_its_guests, its_end_with_a_dead_its)
{
	two_guests();
	give(5, 1, 1);
	me = 1;
	mapd(1, 5, true);
	mapti(1, 0, 8192, 0);
	run_queue();
	dead = 1;
	free_guest(1);
	dead = 0;
	its_gone = true;
	cr_expect_eq(complaints, 1);
	vgic_take_lpi(LPI_FIRST + VGIC_NR_LPIS);
	cr_expect_eq(spurious, 1);
	free_guest(2);
	cr_expect_eq(fake_heap_live, 3); /* dom0's two, and it */
	fake_heap_live--;
}
