/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_smmu_world.h. */
#include "fake_smmu_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct iommu world_unit[FAKE_SMMUS];
struct iommu_config world_config[FAKE_SMMUS];
struct world_owner world_owner[WORLD_OWNERS];
int world_frame[WORLD_FRAMES];
struct iommu_fault world_faults[64];
uint32_t world_nr_faults;
bool world_no_memory;

static uint64_t ram[WORLD_FRAMES][PT_ENTRIES];
static uint8_t state[FAKE_SMMUS][4096] __attribute__((aligned(4096)));
static uint32_t nr_states;
static int last_freed;

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* ---- frames -------------------------------------------------------------- */

static uint64_t pa_of(uint32_t frame)
{
	return WORLD_RAM + (uint64_t)frame * PAGE_SIZE;
}

static void frame_free(uint32_t frame)
{
	world_frame[frame] = FRAME_FREE;
	for (uint32_t i = 0; i < PT_ENTRIES; i++) {
		ram[frame][i] = WORLD_RAM | PTE_AF | S2_AP_READ | S2_AP_WRITE |
				PTE_TABLE | PTE_VALID;
	}
	last_freed = (int)frame;
}

/* 0: none is left. */
static uint64_t frame_take(int owner)
{
	uint32_t first = last_freed >= 0 ? (uint32_t)last_freed : 1;

	for (uint32_t i = 0; i < WORLD_FRAMES; i++) {
		uint32_t f = (first + i) % WORLD_FRAMES;

		if (world_frame[f] == FRAME_FREE) {
			world_frame[f] = owner;
			last_freed = -1;
			return pa_of(f);
		}
	}
	return 0;
}

static uint32_t frame_of(uint64_t pa)
{
	cr_assert(pa >= WORLD_RAM && pa < pa_of(WORLD_FRAMES),
		  "an access to %#llx", (unsigned long long)pa);
	return (uint32_t)((pa - WORLD_RAM) / PAGE_SIZE);
}

static uint64_t entry_at(uint64_t pa)
{
	return ram[frame_of(pa)][pa % PAGE_SIZE / 8];
}

/* ---- tables -------------------------------------------------------------- */

static struct world_owner *owner_of(struct pgtable *t)
{
	return container_of(t, struct world_owner, pt);
}

static uint64_t table_alloc(struct pgtable *t)
{
	uint64_t pa = frame_take((int)owner_of(t)->id);

	if (pa) {
		memset(ram[frame_of(pa)], 0, PAGE_SIZE);
	}
	return pa;
}

static void table_free(struct pgtable *t, uint64_t pa)
{
	(void)t;
	frame_free(frame_of(pa));
}

static uint64_t *table_va(uint64_t pa)
{
	return ram[frame_of(pa)];
}

static void sync(struct pgtable *t)
{
	(void)t;
}

static void invalidate(struct pgtable *t, uint64_t addr)
{
	for (uint32_t n = 0; n < FAKE_SMMUS; n++) {
		if (world_unit[n].state) {
			smmuv2_iommu.flush(&world_unit[n],
					   &owner_of(t)->space, addr, 1);
		}
	}
}

static const struct pgtable_env env = {
	.table_alloc = table_alloc, .table_free = table_free,
	.table_va = table_va, .sync = sync, .invalidate = invalidate,
};

/* 40 bits: two adjacent tables of level 1, fixed for each owner. */
void world_owner_make(uint32_t o)
{
	struct world_owner *w = &world_owner[o];
	uint64_t root = pa_of(2 + 2 * o);

	memset(ram[2 + 2 * o], 0, 2 * PAGE_SIZE);
	world_frame[2 + 2 * o] = world_frame[3 + 2 * o] = (int)o;
	*w = (struct world_owner){
		.pt = { .env = &env, .root = root, .start_level = 1,
			.nr_roots = 2, .addr_bits = 40 },
		.space = { .root = root, .start_level = 1, .bits = 40,
			   .tag = (uint16_t)(o + 1) },
		.id = (uint16_t)o,
	};
}

void world_owner_end(uint32_t o)
{
	while (pgtable_free_step(&world_owner[o].pt, 1) == -EAGAIN) {
	}
	for (uint32_t f = 0; f < WORLD_FRAMES; f++) {
		if (world_frame[f] == (int)o) {
			frame_free(f);
		}
	}
}

bool world_map(uint32_t o, uint64_t page, bool writable)
{
	uint64_t pa = frame_take((int)o);

	if (!pa) {
		return false;
	}
	if (pgtable_map(&world_owner[o].pt, page * PAGE_SIZE, pa, PAGE_SIZE,
			PTE_AF | S2_AP_READ | (writable ? S2_AP_WRITE : 0))) {
		frame_free(frame_of(pa));
		return false;
	}
	return true;
}

bool world_unmap(uint32_t o, uint64_t page)
{
	uint64_t old;

	if (pgtable_unmap_page(&world_owner[o].pt, page * PAGE_SIZE, &old)) {
		return false;
	}
	frame_free(frame_of(old & PTE_ADDR));
	return true;
}

bool world_find(uint32_t o, uint64_t page, uint64_t *pa, bool *writable)
{
	unsigned int level;
	uint64_t pte = pgtable_lookup(&world_owner[o].pt, page * PAGE_SIZE,
				      &level);

	*pa = pte & PTE_ADDR;
	*writable = pte & S2_AP_WRITE;
	return pte != 0;
}

/* ---- units --------------------------------------------------------------- */

static void *alloc(unsigned int order, uint64_t *pa)
{
	cr_assert_eq(order, 0);
	cr_assert_lt(nr_states, FAKE_SMMUS);
	if (world_no_memory) {
		return NULL;
	}
	*pa = 0x1000;
	memset(state[nr_states], 0, sizeof(state[0]));
	return state[nr_states++];
}

static void clean(const void *va, size_t len)
{
	(void)va;
	(void)len;
}

static void fault(struct iommu *u, const struct iommu_fault *f)
{
	(void)u;
	if (world_nr_faults < ARRAY_SIZE(world_faults)) {
		world_faults[world_nr_faults] = *f;
	}
	world_nr_faults++;
}

int world_start(uint32_t n)
{
	world_unit[n].ops = &smmuv2_iommu;
	return smmuv2_iommu.init(&world_unit[n], &world_config[n]);
}

void world_reset(void)
{
	memset(world_unit, 0, sizeof(world_unit));
	nr_states = 0;
	world_nr_faults = 0;
	world_no_memory = false;
	last_freed = -1;
	for (uint32_t f = 0; f < WORLD_FRAMES; f++) {
		world_frame[f] = f < 2 ? FRAME_HV : FRAME_FREE;
	}
	for (uint32_t o = 0; o < WORLD_OWNERS; o++) {
		world_owner_make(o);
	}
	for (uint32_t n = 0; n < FAKE_SMMUS; n++) {
		fake_smmu_reset(n, true);
		fake_smmu[n].table_entry = entry_at;
		world_config[n] = (struct iommu_config){
			.regs = fake_smmu_regs(n), .regs_size = 0x40000,
			.coherent = true, .nr_global_irqs = 1,
			.alloc = alloc, .clean = clean, .fault = fault,
		};
	}
	fake_smmu_log_clear();
}

void world_init(void)
{
	world_reset();
	for (uint32_t n = 0; n < FAKE_SMMUS; n++) {
		cr_assert_eq(world_start(n), 0);
	}
	fake_smmu_log_clear();
}

int world_attach(uint32_t n, uint32_t first, uint32_t nr, uint32_t o)
{
	return smmuv2_iommu.attach(&world_unit[n], first, nr,
				   &world_owner[o].space);
}

void world_detach(uint32_t n, uint32_t first, uint32_t nr, uint32_t o)
{
	smmuv2_iommu.detach(&world_unit[n], first, nr, &world_owner[o].space);
}

void world_expect(uint32_t n, uint32_t stream, uint64_t page,
		  enum fake_dma_end end, uint32_t o)
{
	struct fake_dma d = fake_smmu_dma(n, stream, page * PAGE_SIZE, false);
	uint64_t pa;
	bool writable;

	cr_assert_eq(d.end, end, "stream %#x: %d, not %d", stream, d.end, end);
	if (end == DMA_DONE) {
		cr_assert(d.translated);
		cr_assert(world_find(o, page, &pa, &writable));
		cr_assert_eq(d.pa, pa);
		cr_assert_eq(world_frame[frame_of(pa)], (int)o);
	}
}
