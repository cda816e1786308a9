/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * Register accesses, SGIs, inputs, acknowledges and moves of vCPUs in the
 * order that the input says. The list registers stop at any misuse.
 */
#include "fake_gic_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NR 3u

struct input {
	const uint8_t *p;
	size_t left;
};

static uint64_t get_bytes(struct input *in, unsigned int n)
{
	uint64_t v = 0;

	for (; n && in->left; n--, in->left--) {
		v = v << 8 | *in->p++;
	}
	return v;
}

static void access_one(struct input *in, uint32_t by, bool v2)
{
	uint64_t where = get_bytes(in, 3);
	uint64_t val = get_bytes(in, 8);
	uint8_t how = (uint8_t)get_bytes(in, 1);
	uint8_t width = (uint8_t)(1u << (how & 3));
	uint64_t base = v2 || !(where & 0x800000) ? WORLD_GICD : WORLD_GICR;
	uint64_t mask = base == WORLD_GICD ? 0x7fff : 0x7ffff;
	uint64_t addr = base + (where & mask);

	if (!(how & 0x80)) {
		addr &= ~(uint64_t)(width - 1);
	}
	if (how & 4) {
		reg_try_write(by, addr, width, val);
	} else {
		(void)reg_aborts(by, addr, width, false);
	}
}

static void move(uint32_t id, bool running)
{
	if (running) {
		world_stop(id);
	} else {
		world_run(id, (uint16_t)id);
	}
}

static void guest(uint32_t id, uint8_t op)
{
	struct fake_ich *f = &fake_ich[id];

	if (op & 1) {
		if (f->nest < FAKE_NEST) {
			(void)fake_ack(id);
		}
	} else if (f->nest) {
		fake_eoi(id, f->nest_intid[f->nest - 1]);
	}
}

static void input_line(struct input *in, uint32_t id)
{
	uint32_t intid = (uint32_t)get_bytes(in, 1) % 96;
	struct vcpu *v = intid < 32 ? world.vcpu[id] : NULL;
	uint8_t op = (uint8_t)get_bytes(in, 1);

	if (intid == 27) {
		fake_ich[id].ppi_line[27] = op & 1;
	} else if (intid == 40) {
		fake_spi_line[40] = op & 1;
	} else if (intid < 16) {
		return;
	} else if (op & 2) {
		vgic_post_edge(&world.d, v, intid);
	} else {
		vgic_set_level(&world.d, v, intid, op & 1);
	}
}

static void step(struct input *in, bool v2)
{
	uint8_t op = (uint8_t)get_bytes(in, 1);
	uint32_t id = op >> 6 < NR ? op >> 6 : 0;
	bool running = world.vcpu[id]->state == VCPU_RUNNING;

	if ((op & 7) == 0) {
		move(id, running);
	} else if ((op & 7) == 1) {
		input_line(in, id);
	} else if (!running) {
		return;
	} else if ((op & 7) == 2) {
		guest(id, op >> 3);
	} else if ((op & 7) == 3 && !v2) {
		world_on((uint16_t)id);
		vgic_v3_write_sgi1r(world.vcpu[id], get_bytes(in, 8));
	} else {
		access_one(in, id, v2);
	}
	if (op & 8) {
		world_settle();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t how = (uint8_t)get_bytes(&in, 1);
	bool v2 = how & 1;

	world_init(v2 ? 2 : 3, how & 2 ? 4 : 16, NR, 64);
	world_enable_all();
	for (uint16_t i = 0; i < NR; i++) {
		world_run(i, i);
		if (vgic_link_hw(&world.d, world.vcpu[i], 27, 27)) {
			__builtin_trap();
		}
	}
	if (vgic_link_hw(&world.d, NULL, 40, 40)) {
		__builtin_trap();
	}
	while (in.left) {
		step(&in, v2);
	}
	world_settle();
	world_fini();
	return 0;
}
