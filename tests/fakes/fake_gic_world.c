/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_gic_world.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/check.h>
#include <lib/errno.h>
#include <hv/heap.h>
#include "fake_gic_world.h"

struct world world;
bool fake_heap_fails;
int fake_heap_fail_at;
int fake_heap_live;
int fake_mmio_fail_at;
struct pcpu *fake_this_pcpu;
static struct pcpu cpus[FAKE_CPUS];
static const struct spinlock *held;
static bool its_held;

/* A test that links them has a domain with an ITS. */
#pragma weak vits_domain_init
#pragma weak vits_domain_fini

/* ---- what the vGIC calls ------------------------------------------------- */

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

void lock_check_acquire(const struct spinlock *l)
{
	CHECK(!held);
	if (l->rank == LOCK_RANK_ITS) {
		CHECK(!its_held);
		its_held = true;
		return;
	}
	CHECK(l->rank == LOCK_RANK_VGIC);
	held = l;
}

void lock_check_release(const struct spinlock *l)
{
	if (l->rank == LOCK_RANK_ITS) {
		CHECK(its_held && !held);
		its_held = false;
		return;
	}
	CHECK(held == l);
	held = NULL;
}

void lock_check_pair(const struct spinlock *l)
{
	(void)l;
	abort();
}

void spin_lock_wait(struct spinlock *l)
{
	(void)l;
	abort(); /* nobody else is there */
}

void vcpu_post(struct vcpu *v, uint32_t bits)
{
	CHECK(!held);
	v->work |= bits;
	world.posts++;
}

void vcpu_wake(struct vcpu *v)
{
	CHECK(!held);
	v->state = VCPU_RUNNABLE;
	world.posts++;
}

void irq_guest_enable(uint32_t intid, bool enable)
{
	world.line_enabled[intid] = enable;
}

void irq_guest_reset(uint32_t intid)
{
	world.line_enabled[intid] = false;
	world.line_edge[intid] = false;
}

void irq_guest_set_trigger(uint32_t intid, enum irq_trigger t)
{
	world.line_edge[intid] = t == IRQ_EDGE;
}

void irq_guest_route(uint32_t intid, uint16_t cpu)
{
	world.line_cpu[intid] = cpu;
}

int mmio_register(struct domain *d, const struct mmio_range *r)
{
	if (fake_mmio_fail_at && --fake_mmio_fail_at == 0) {
		return -ENOSPC;
	}
	CHECK(d->mmio.nr < MMIO_MAX_RANGES);
	d->mmio.range[d->mmio.nr++] = *r;
	return 0;
}

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	CHECK(size <= 65536);
	if (fake_heap_fails ||
	    (fake_heap_fail_at && --fake_heap_fail_at == 0)) {
		return NULL;
	}
	fake_heap_live++;
	return calloc(1, size);
}

void heap_free(struct domain *d, void *p)
{
	(void)d;
	fake_heap_live -= p != NULL;
	free(p);
}

/* ---- the world ----------------------------------------------------------- */

void world_on(uint16_t cpu)
{
	fake_this_pcpu = &cpus[cpu];
}

void world_init(uint8_t version, uint8_t nr_lrs, uint32_t nr_vcpus,
		uint32_t nr_spis)
{
	struct domain *d = &world.d;

	memset(&world, 0, sizeof(world));
	memset(cpus, 0, sizeof(cpus));
	for (uint16_t i = 0; i < FAKE_CPUS; i++) {
		cpus[i].id = i;
	}
	world_on(0);
	fake_ich_reset(version, nr_lrs);
	world.cfg = (struct dom_config){
		.gic_version = version,
		.nr_spis = nr_spis,
		.nr_vcpus = nr_vcpus,
		.gicd_base = WORLD_GICD,
		.gicr_base = WORLD_GICR,
	};
	d->vcpu = world.vcpu;
	d->nr_vcpus = nr_vcpus;
	d->max_vcpus = nr_vcpus;
	CHECK(vgic_domain_init(d, &world.cfg) == 0);
	d->is_hardware = true;
	if (vits_domain_init && version == 3) {
		CHECK(vits_domain_init(d, WORLD_ITS) == 0);
	}
	CHECK((version == 2 ? vgic_v2_map : vgic_v3_map)(d, &world.cfg) == 0);
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		struct vcpu *v = calloc(1, sizeof(*v));

		v->id = i;
		v->domain = d;
		v->cpu = (uint16_t)(i % FAKE_CPUS);
		v->state = VCPU_RUNNABLE;
		world.vcpu[i] = v;
		CHECK(vgic_vcpu_init(v) == 0);
	}
}

void world_fini(void)
{
	for (uint32_t i = 0; i < world.d.max_vcpus; i++) {
		if (!world.vcpu[i]) {
			continue;
		}
		if (world.vcpu[i]->arch.vgic.loaded_on != CPU_NONE) {
			world_stop(i);
		}
		vgic_vcpu_fini(world.vcpu[i]);
		free(world.vcpu[i]);
		world.vcpu[i] = NULL;
	}
	if (vits_domain_fini) {
		vits_domain_fini(&world.d);
	}
	vgic_domain_fini(&world.d);
	CHECK(fake_heap_live == 0);
}

void world_run(uint32_t id, uint16_t cpu)
{
	struct vcpu *v = world.vcpu[id];

	world_on(cpu);
	CHECK(!cpus[cpu].current);
	v->cpu = cpu;
	v->state = VCPU_RUNNING;
	cpus[cpu].current = v;
	cpus[cpu].loaded = v;
	vgic_vcpu_load(v);
	if (v->work & VWORK_VIRQ) {
		v->work &= ~(uint32_t)VWORK_VIRQ;
		vgic_flush(v);
	}
}

void world_stop(uint32_t id)
{
	struct vcpu *v = world.vcpu[id];

	world_on(v->cpu);
	CHECK(cpus[v->cpu].current == v);
	vgic_vcpu_save(v);
	v->state = VCPU_RUNNABLE;
	cpus[v->cpu].current = NULL;
	cpus[v->cpu].loaded = NULL;
}

static void fire(bool *active, bool line, struct vcpu *v, uint32_t pintid)
{
	if (line && !*active) {
		*active = true;
		vgic_post_hw(&world.d, v ? &v->arch.vgic.priv[pintid]
					  : vgic_spi_of(&world.d, pintid));
	}
}

/* Linked lines carry the INTID of their physical line in these tests. */
static void take_lines(uint16_t cpu)
{
	world_on(cpu);
	for (uint32_t i = 16; i < 32; i++) {
		if (cpus[cpu].current) {
			fire(&fake_ich[cpu].ppi_active[i],
			     fake_ich[cpu].ppi_line[i], cpus[cpu].current, i);
		}
	}
	for (uint32_t i = 32; cpu == 0 && i < 1020; i++) {
		if (world.line_enabled[i]) {
			fire(&fake_spi_active[i], fake_spi_line[i], NULL, i);
		}
	}
}

void world_settle(void)
{
	uint16_t was = this_cpu();
	bool again = true;

	for (int round = 0; again; round++) {
		CHECK(round < 20); /* a storm */
		again = false;
		for (uint16_t c = 0; c < FAKE_CPUS; c++) {
			struct vcpu *v = cpus[c].current;

			take_lines(c);
			if (!v) {
				continue;
			}
			if (fake_maintenance(c)) {
				vgic_maintenance(v);
				CHECK(!fake_maintenance(c));
				again = true;
			}
			v->work &= ~(uint32_t)VWORK_UPCALL;
			if (v->work & VWORK_VIRQ) {
				v->work &= ~(uint32_t)VWORK_VIRQ;
				vgic_flush(v);
				CHECK(!fake_maintenance(c));
				again = true;
			}
		}
	}
	world_on(was);
}

void world_enable_all(void)
{
	bool v2 = world.cfg.gic_version == 2;

	reg_write(0, WORLD_GICD, 4, v2 ? 1 : 2);
	for (uint32_t i = 0; i < 32 + world.cfg.nr_spis; i += 32) {
		reg_write(0, WORLD_GICD + 0x100 + i / 8, 4, 0xffffffff);
	}
	for (uint32_t i = 0; i < world.d.max_vcpus; i++) {
		if (v2) {
			reg_write(i, WORLD_GICD + 0x100, 4, 0xffffffff);
		} else {
			reg_write(i, WORLD_GICR + i * 0x20000 + 0x10100, 4,
				  0xffffffff);
		}
	}
	world_settle();
}

static enum mmio_result access_reg(uint32_t id, uint64_t addr, uint8_t size,
				   bool write, uint64_t *val)
{
	struct mmio_access a = {
		.size = size,
		.write = write,
		.value = *val & (UINT64_MAX >> (64 - 8 * size)),
	};
	enum mmio_result rc;
	uint16_t was = this_cpu();

	if (world.vcpu[id]->state == VCPU_RUNNING) {
		world_on(world.vcpu[id]->cpu);
	}
	for (uint32_t i = 0; i < world.d.mmio.nr; i++) {
		const struct mmio_range *r = &world.d.mmio.range[i];

		if (addr - r->start < r->size) {
			a.offset = addr - r->start;
			rc = r->fn(world.vcpu[id], &a, r->opaque);
			CHECK(!held);
			*val = a.value;
			world_on(was);
			return rc;
		}
	}
	world_on(was);
	return MMIO_ABORT;
}

uint64_t reg_read(uint32_t id, uint64_t addr, uint8_t size)
{
	uint64_t val = UINT64_C(0xdeadbeefdeadbeef); /* must be replaced */

	CHECK(access_reg(id, addr, size, false, &val) == MMIO_OK);
	CHECK(size == 8 || val < UINT64_C(1) << size * 8);
	return val;
}

void reg_write(uint32_t id, uint64_t addr, uint8_t size, uint64_t val)
{
	CHECK(access_reg(id, addr, size, true, &val) == MMIO_OK);
}

bool reg_aborts(uint32_t id, uint64_t addr, uint8_t size, bool write)
{
	uint64_t val = 0;

	return access_reg(id, addr, size, write, &val) == MMIO_ABORT;
}

void reg_try_write(uint32_t id, uint64_t addr, uint8_t size, uint64_t val)
{
	(void)access_reg(id, addr, size, true, &val);
}
