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
 * dom0 and two domains of a toolstack, whose commands, functions, ends and
 * messages come at random: 100,000 events, and whose is what after each few.
 */
#include "fake_its_guests.h"

TestSuite(vgic_its_random, .fini = end);

static uint32_t rnd(uint32_t n)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % n;
}

/* Who has it: a guest, or dom0. */
static uint32_t owner_of(uint32_t id)
{
	for (uint32_t i = 1; i < GUESTS; i++) {
		for (uint32_t v = 0; v < DEVS; v++) {
			if (slot[i][v] == id) {
				return i;
			}
		}
	}
	return 0;
}

static void random_function(void)
{
	uint32_t id = rnd(DEVS), i = owner_of(id), virt = 0;

	if (i) {
		while (slot[i][virt] != id) {
			virt++;
		}
		take_back(id, i, virt);
		return;
	}
	i = 1 + rnd(GUESTS - 1);
	virt = rnd(DEVS);
	if (slot[i][virt] == NO_DEV) {
		give(id, i, virt);
	}
}

/* In the order of core's tear-down. */
static void random_end(void)
{
	uint32_t i = 1 + rnd(GUESTS - 1);

	stop_domain(other[i]->domain);
	for (uint32_t v = 0; v < DEVS; v++) {
		if (slot[i][v] != NO_DEV) {
			take_back(slot[i][v], i, v);
		}
	}
	free_guest(i);
	make_guest(i);
}

static void random_command(void)
{
	static const uint8_t often[] = { 0x01, 0x03, 0x04, 0x05, 0x0a, 0x0a,
					 0x0a, 0x0b, 0x0c, 0x0f };
	uint32_t id = rnd(DEVS + 1), event = rnd(EVENTS), icid = rnd(3);
	uint8_t op = often[rnd(ARRAY_SIZE(often))];

	if (rnd(12) == 0) {
		mapd(id, 1 + rnd(7), rnd(6));
	} else if (rnd(40) == 0) {
		mapc((uint16_t)icid, rnd(2), rnd(8));
	} else {
		command(of(op, id),
			(uint64_t)(8185 + rnd(VGIC_NR_LPIS + 14)) << 32 |
				(op == 0x0b ? 8192 + event : event), icid, 0);
	}
}

static uint32_t nr_came;

/* A message comes to its device's owner, or to nobody. */
static void random_message(void)
{
	uint32_t id = rnd(DEVS), i = owner_of(id);
	uint32_t lpi = 0, event = 0, block;
	bool wanted = false;

	for (uint32_t try = 0; try < EVENTS && !lpi; try++) {
		event = rnd(EVENTS);
		lpi = dev[id].mapped ? dev[id].lpi[event] : 0;
	}
	if (!lpi) {
		return;
	}
	block = (lpi - LPI_FIRST) / VGIC_NR_LPIS;
	cr_assert_eq(vits_of_block[block], domain_of(i)->arch.vgic.its);
	wanted = enabled[lpi - LPI_FIRST] &&
		 vits_of_block[block]->lpi[lpi % VGIC_NR_LPIS].target !=
			 VGIC_NO_VCPU;
	message(id, event);
	for (uint32_t g = 0; g < GUESTS; g++) {
		struct vits *s = domain_of(g)->arch.vgic.its;

		for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
			if (g == i && n == lpi % VGIC_NR_LPIS) {
				cr_assert_eq(came(g, n), wanted);
				nr_came += wanted;
			} else {
				cr_assert(!s->lpi[n].latch);
			}
		}
	}
	world_settle();
}

static void check_all(void)
{
	uint32_t devices = 0, mapped = 0, seen = 0;

	for (uint32_t i = 0; i < DEVS; i++) {
		mapped += dev[i].mapped;
	}
	for (uint32_t i = 0; i < GUESTS; i++) {
		const struct vits *s = domain_of(i)->arch.vgic.its;

		devices += s->nr_devices;
		for (uint32_t b = 0; b < VITS_BUCKETS; b++) {
			const struct vits_dev *v = s->dev[b];

			for (; v; v = v->next, seen++) {
				cr_assert(dev[v->id].mapped);
				cr_assert_eq(owner_of(v->id), i);
				cr_assert_eq(i ? slot[i][v->guest_id] :
						       v->guest_id, v->id);
			}
		}
		for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
			const struct vits_event *e = &s->map[n];
			uint32_t p = s->first_lpi - LPI_FIRST + n;

			cr_assert(e->dev || !enabled[p]);
			cr_assert(!e->dev || dev[e->dev->id].lpi[e->event] ==
						     LPI_FIRST + p);
		}
	}
	cr_assert_eq(devices, mapped);
	cr_assert_eq(devices, seen);
	cr_assert_eq(fake_heap_live, (int)(2 * GUESTS + 2 * devices));
	for (uint32_t i = 0; i < GUESTS * PAGES; i++) {
		cr_assert_eq(pages[i].count, 1);
	}
}

Test(vgic_its_random, functions_come_and_go, .timeout = 3600)
{
	two_guests();
	for (uint32_t event = 0; event < 100000; event++) {
		uint32_t what = rnd(1000);

		if (what < 1) {
			random_end();
		} else if (what < 12) {
			random_function();
		} else if (what < 100) {
			me = rnd(GUESTS);
			memset(ram[me * PAGES + CONFIG] + rnd(1000),
			       (int)rnd(256) | 1, rnd(64));
			run_queue();
		} else if (what < 250) {
			random_message();
		} else {
			me = rnd(GUESTS);
			if ((writes[me] + 32) % PAGE_SIZE !=
			    its_reg(GITS_CREADR, false, 0)) {
				random_command();
			}
		}
		if (event % 16 == 0) {
			check_all();
		}
	}
	cr_assert_gt(nr_came, 1000);
	me = 0;
	free_guest(1);
	free_guest(2);
}
