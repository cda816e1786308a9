/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vgic/vgic.c arch/arm64/vgic/vgic_post.c
// LINK: arch/arm64/vgic/vgic_state.c arch/arm64/vgic/vgic_change.c
// LINK: arch/arm64/vgic/vgic_flush.c arch/arm64/vgic/vgic_lr.c
// LINK: arch/arm64/vgic/vgic_mmio.c arch/arm64/vgic/vgic_irq_regs.c
// LINK: arch/arm64/vgic/vgicd_v2.c arch/arm64/vgic/vgicd_v3.c
// LINK: arch/arm64/vgic/vgicr_v3.c tests/fakes/fake_ich.c
// LINK: tests/fakes/fake_gic_world.c
/*
 * Random operations on three vCPUs, compared after each one with a GIC that
 * has no list registers: what a guest would take next, and what it reads.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <lib/bits.h>
#include "fake_gic_world.h"

#define NR_VCPUS 3u
#define NR_SPIS 32u
#define NO_VCPU 99u
#define GICD WORLD_GICD

/* The interrupts that take part. */
static const uint32_t privs[] = { 0, 1, 2, 3, 20, 21, 27 };
static const uint32_t spis[] = { 32, 33, 34, 35, 36, 40, 41, 42, 50, 63 };
#define NR_PRIVS ARRAY_SIZE(privs)
#define NR_IRQS (NR_PRIVS * NR_VCPUS + ARRAY_SIZE(spis))

struct ref {
	uint32_t intid;
	uint32_t owner;  /* private: whose */
	uint32_t target; /* NO_VCPU: none */
	uint32_t active_on;
	uint8_t prio;
	bool enabled, edge, line, latch, active;
	bool hw;
	bool phys;       /* its line is active in the physical GIC */
};

static struct ref ref[NR_IRQS];
static bool ref_on;          /* distributor forwards */
static int ref_cpu[NR_VCPUS]; /* -1: not loaded */
static uint64_t rng;
static unsigned int nr_isact;
static unsigned int op_nr;
static char op_text[80];

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static bool ref_pending(const struct ref *r)
{
	return r->latch || (r->line && !r->edge && !r->hw);
}

static uint32_t running_prio(int cpu)
{
	const struct fake_ich *f = &fake_ich[cpu];

	return f->nest ? f->nest_prio[f->nest - 1] : 0x100;
}

/* What vCPU @v would take now. */
static struct ref *ref_highest(uint32_t v)
{
	struct ref *best = NULL;

	for (unsigned int i = 0; ref_on && i < NR_IRQS; i++) {
		struct ref *r = &ref[i];

		if (r->target != v || !r->enabled || r->active ||
		    !ref_pending(r) || r->prio >= running_prio(ref_cpu[v])) {
			continue;
		}
		if (!best || r->prio < best->prio ||
		    (r->prio == best->prio && r->intid < best->intid)) {
			best = r;
		}
	}
	return best;
}

/* A linked line that is high and not active fires. */
static void ref_settle(void)
{
	for (unsigned int i = 0; i < NR_IRQS; i++) {
		struct ref *r = &ref[i];
		bool can = r->intid < 32 ? ref_cpu[r->owner] >= 0 : r->enabled;

		if (r->hw && r->line && !r->phys && can) {
			r->phys = true;
			r->latch = true;
		}
	}
}

static uint64_t frame(const struct ref *r)
{
	return r->intid < 32 ? WORLD_GICR + r->owner * 0x20000 + 0x10000 :
			       GICD;
}

static void write_bit(uint32_t by, uint32_t file, const struct ref *r)
{
	reg_write(by, frame(r) + file + r->intid / 32 * 4, 4,
		  UINT64_C(1) << r->intid % 32);
}

static bool read_bit(uint32_t by, uint32_t file, const struct ref *r)
{
	return reg_read(by, frame(r) + file + r->intid / 32 * 4, 4) >>
		       r->intid % 32 &
	       1;
}

static void begin(void)
{
	unsigned int n = 0;

	world_init(3, 4, NR_VCPUS, NR_SPIS);
	memset(ref, 0, sizeof(ref));
	for (uint32_t v = 0; v < NR_VCPUS; v++) {
		for (unsigned int i = 0; i < NR_PRIVS; i++) {
			ref[n++] = (struct ref){
				.intid = privs[i], .owner = v, .target = v,
				.active_on = NO_VCPU,
				.edge = privs[i] < 16 || privs[i] == 20,
				.hw = privs[i] == 27, .prio = 0xa0,
			};
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(spis); i++) {
		ref[n++] = (struct ref){
			.intid = spis[i], .owner = NO_VCPU, .prio = 0xa0,
			.active_on = NO_VCPU,
			.edge = spis[i] & 1, .hw = spis[i] == 40,
		};
	}
	reg_write(0, GICD, 4, 2);
	ref_on = true;
	for (unsigned int i = 0; i < NR_IRQS; i++) {
		struct ref *r = &ref[i];
		uint64_t a = frame(r) + 0xc00 + r->intid / 16 * 4;
		uint64_t edge = UINT64_C(2) << r->intid % 16 * 2;

		if (r->edge) {
			reg_write(0, a, 4, reg_read(0, a, 4) | edge);
		}
		if (r->hw) {
			struct vcpu *v = r->intid < 32 ? world.vcpu[r->owner] :
							 NULL;

			cr_assert_eq(vgic_link_hw(&world.d, v, r->intid,
						  r->intid), 0);
		}
	}
	for (uint32_t v = 0; v < NR_VCPUS; v++) {
		world_run(v, (uint16_t)v);
		ref_cpu[v] = (int)v;
	}
	nr_isact = 0;
}

/* ---- operations ---------------------------------------------------------- */

static struct vcpu *vcpu_of(const struct ref *r)
{
	return r->intid < 32 ? world.vcpu[r->owner] : NULL;
}

static void op_input(struct ref *r)
{
	bool level = rnd(2);

	if (r->hw) {
		r->line = level;
		if (r->intid >= 32) {
			fake_spi_line[r->intid] = level;
		} else if (ref_cpu[r->owner] >= 0) {
			fake_ich[ref_cpu[r->owner]].ppi_line[27] = level;
		}
	} else if (r->intid < 16) {
		uint32_t from = rnd(NR_VCPUS);

		if (ref_cpu[from] < 0) {
			return;
		}
		world_on((uint16_t)ref_cpu[from]);
		vgic_v3_write_sgi1r(world.vcpu[from],
				    (uint64_t)r->intid << 24 |
					    UINT64_C(1) << r->owner);
		r->latch = true;
	} else if (r->edge) {
		vgic_post_edge(&world.d, vcpu_of(r), r->intid);
		r->latch = true;
	} else {
		vgic_set_level(&world.d, vcpu_of(r), r->intid, level);
		r->line = level;
	}
}

static void op_enable(struct ref *r, uint32_t by)
{
	r->enabled = rnd(4) != 0;
	write_bit(by, r->enabled ? 0x100 : 0x180, r);
}

static void op_pend(struct ref *r, uint32_t by)
{
	if (rnd(2) && !r->hw) {
		write_bit(by, 0x200, r);
		r->latch = true;
		return;
	}
	write_bit(by, 0x280, r);
	r->latch = false;
	if (!r->active) {
		r->phys = false;
	}
}

static void op_active(struct ref *r, uint32_t by)
{
	if (rnd(2) && !r->active && !nr_isact && !r->hw &&
	    r->target != NO_VCPU && vgic_hw_caps.nr_lrs == 16) {
		write_bit(by, 0x300, r);
		r->active = true;
		r->active_on = r->target;
		nr_isact = r->intid + 1;
		return;
	}
	if (nr_isact == r->intid + 1) {
		nr_isact = 0;
	}
	if (!r->active) {
		return; /* a second ICACTIVER has its own test */
	}
	write_bit(by, 0x380, r);
	r->active = false;
	if (!r->latch) {
		r->phys = false;
	}
}

/*
 * Active interrupts leave list registers in the order of their priorities: no
 * change of those, and ISACTIVER only where there is room for all.
 */
static void op_priority(struct ref *r, uint32_t by)
{
	if (r->active) {
		return;
	}
	r->prio = (uint8_t)(rnd(32) << 3);
	reg_write(by, frame(r) + 0x400 + r->intid, 1, r->prio | rnd(8));
}

static void op_route(struct ref *r, uint32_t by)
{
	uint32_t t = rnd(NR_VCPUS + 1);

	if (r->intid < 32) {
		return;
	}
	reg_write(by, GICD + 0x6000 + r->intid * 8, 8, t);
	r->target = t < NR_VCPUS ? t : NO_VCPU;
}

static void op_take(uint32_t v)
{
	struct ref *r = ref_highest(v);

	if (r) {
		cr_assert_eq(fake_ack((unsigned int)ref_cpu[v]), r->intid);
		r->active = true;
		r->active_on = v;
		r->latch = false;
	}
}

static void op_end(uint32_t v)
{
	struct fake_ich *f = &fake_ich[ref_cpu[v]];
	uint32_t intid;

	if (!f->nest) {
		return;
	}
	intid = f->nest_intid[f->nest - 1];
	fake_eoi((unsigned int)ref_cpu[v], intid);
	for (unsigned int i = 0; i < NR_IRQS; i++) {
		struct ref *r = &ref[i];

		if (r->intid == intid && r->active && r->active_on == v) {
			r->active = false;
			r->phys = false;
		}
	}
	if (nr_isact == intid + 1) {
		nr_isact = 0;
	}
}

static struct ref *vtimer_of(uint32_t v)
{
	return &ref[v * NR_PRIVS + NR_PRIVS - 1];
}

static void op_move(uint32_t v)
{
	struct ref *t = vtimer_of(v);
	bool taken[FAKE_CPUS] = { false };
	int cpu;

	if (ref_cpu[v] >= 0) {
		fake_ich[ref_cpu[v]].ppi_line[27] = false;
		world_stop(v);
		ref_cpu[v] = -1;
		return;
	}
	for (uint32_t i = 0; i < NR_VCPUS; i++) {
		if (ref_cpu[i] >= 0) {
			taken[ref_cpu[i]] = true;
		}
	}
	do {
		cpu = (int)rnd(FAKE_CPUS);
	} while (taken[cpu]);
	fake_ich[cpu].ppi_line[27] = t->line;
	ref_cpu[v] = cpu;
	world_run(v, (uint16_t)cpu);
}

static void op_forward(void)
{
	ref_on = !ref_on;
	reg_write(0, GICD, 4, ref_on ? 2 : 0);
}

static void compare(void)
{
	for (uint32_t v = 0; v < NR_VCPUS; v++) {
		struct ref *r;
		uint32_t got;

		if (ref_cpu[v] < 0) {
			continue;
		}
		r = ref_highest(v);
		got = fake_highest((unsigned int)ref_cpu[v]);
		cr_assert_eq(got, r ? r->intid : FAKE_NONE,
			     "op %u (%s): vCPU %u takes %u, not %u", op_nr,
			     op_text, v, got, r ? r->intid : FAKE_NONE);
	}
}

/*
 * Who reads ISPENDR sees that a linked line has dropped before it was taken,
 * unless it is in a list register of another CPU.
 */
static void ref_sample_lines(const struct ref *read, uint32_t by)
{
	for (unsigned int i = 0; i < NR_IRQS; i++) {
		struct ref *r = &ref[i];
		int cpu = r->target == NO_VCPU ? -1 : ref_cpu[r->target];

		if (!r->hw || !r->latch || r->active || r->line || !r->phys ||
		    r->owner != read->owner ||
		    r->intid / 32 != read->intid / 32) {
			continue;
		}
		if (r->intid < 32 && r->owner != by) {
			continue;
		}
		if (cpu < 0 || cpu == ref_cpu[by] ||
		    !fake_lr((unsigned int)cpu, r->intid)) {
			r->latch = false;
			r->phys = false;
		}
	}
}

/* Registers tell the truth about what is in memory or here. */
static void compare_read(const struct ref *r, uint32_t by)
{
	uint32_t holder = r->active ? r->active_on : r->target;
	uint32_t last = r->active_on; /* may not have told its end yet */

	if (r->hw ||
	    (holder != by && holder != NO_VCPU && ref_cpu[holder] >= 0) ||
	    (last != by && last != NO_VCPU && ref_cpu[last] >= 0)) {
		return;
	}
	ref_sample_lines(r, by);
	cr_assert_eq(read_bit(by, 0x200, r), ref_pending(r),
		     "op %u (%s): pending of %u", op_nr, op_text, r->intid);
	cr_assert_eq(read_bit(by, 0x300, r), r->active,
		     "op %u (%s): active of %u", op_nr, op_text, r->intid);
}

static void step(void)
{
	struct ref *r = &ref[rnd(NR_IRQS)];
	uint32_t by = rnd(NR_VCPUS);
	uint32_t op = rnd(100);

	snprintf(op_text, sizeof(op_text), "%u on %u of %u by %u", op,
		 r->intid, r->owner, by);
	if (op >= 95) {
		op_move(by);
	} else if (op == 94) {
		op_forward();
	} else if (op < 30) {
		op_input(r);
	} else if (ref_cpu[by] < 0) {
		return;
	} else if (op < 40) {
		op_enable(r, by);
	} else if (op < 50) {
		op_pend(r, by);
	} else if (op < 55) {
		op_active(r, by);
	} else if (op < 60) {
		op_priority(r, by);
	} else if (op < 65) {
		op_route(r, by);
	} else if (op < 80) {
		op_take(by);
	} else {
		op_end(by);
	}
	ref_settle();
	world_settle();
	compare();
	if (ref_cpu[by] >= 0) {
		compare_read(r, by);
		world_settle();
		compare();
	}
}

static void run(uint64_t seed, uint8_t nr_lrs)
{
	rng = seed;
	begin();
	/* Fewer list registers than the world was built with is fine. */
	vgic_hw_caps.nr_lrs = nr_lrs;
	for (op_nr = 0; op_nr < 20000; op_nr++) {
		step();
	}
	for (uint32_t v = 0; v < NR_VCPUS; v++) {
		if (ref_cpu[v] >= 0) {
			fake_ich[ref_cpu[v]].ppi_line[27] = false;
		}
	}
	world_fini();
	for (unsigned int i = 32; i < 1020; i++) {
		cr_assert(!fake_spi_active[i], "SPI %u is left active", i);
	}
}

Test(vgic_model, list_registers_4)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		run(seed * UINT64_C(0x9e3779b97f4a7c15), 4);
	}
}

Test(vgic_model, list_registers_16)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		run(seed * UINT64_C(0xbf58476d1ce4e5b9), 16);
	}
}

Test(vgic_model, list_registers_2)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		run(seed * UINT64_C(0x94d049bb133111eb), 2);
	}
}
