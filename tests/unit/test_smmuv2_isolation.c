/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/smmu/smmuv2.c drivers/smmu/smmuv2_init.c
// LINK: drivers/smmu/smmuv2_fault.c drivers/smmu/smmuv2_inspect.c
// LINK: arch/arm64/mm/pgtable.c
// LINK: tests/fakes/fake_smmu500.c tests/fakes/fake_smmu_log.c
// LINK: tests/fakes/fake_smmu_world.c
// CFLAGS: -include tests/fakes/fake_smmu500.h
/*
 * The property of the SMMUv2 driver: whatever is attached, detached, mapped,
 * unmapped, made and ended in whatever order, an access reaches a frame only
 * if the stream's owner of that moment has it mapped for that then. Tables,
 * TLB and its time of holding on to what is gone are the model's.
 */
#include "tests/fakes/fake_smmu_world.h"

#define EVENTS 100000
#define STREAMS 32u
#define NOBODY (-1)

static int owner_of[FAKE_SMMUS][STREAMS];
static uint64_t rnd_state;
static uint32_t nr_done, nr_refused, nr_full;

static uint32_t rnd(uint32_t below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (uint32_t)(rnd_state >> 32) % below;
}

/* Few groups and banks, so that they run out. */
static void setup(void)
{
	rnd_state = 0x5eed0000001;
	nr_done = nr_refused = nr_full = 0;
	world_reset();
	for (uint32_t n = 0; n < FAKE_SMMUS; n++) {
		fake_smmu[n].idr0 = (FAKE_IDR0 & ~0xffu) | 9;
		fake_smmu[n].idr1 = (FAKE_IDR1 & ~0xffu) | (n ? 3 : 5);
		cr_assert_eq(world_start(n), 0);
		for (uint32_t s = 0; s < STREAMS; s++) {
			owner_of[n][s] = NOBODY;
		}
	}
}

static void set_owner(uint32_t n, uint32_t first, uint32_t nr, int o)
{
	for (uint32_t s = first; s < first + nr; s++) {
		owner_of[n][s] = o;
	}
}

/* What the owner's tables allow, in words of the tables alone. */
static bool is_allowed(int o, uint64_t page, bool write, uint64_t *pa)
{
	bool writable;

	return o != NOBODY &&
	       world_find((uint32_t)o, page, pa, &writable) &&
	       (writable || !write);
}

/* @strict: nor is anything refused that is allowed. */
static void access(bool strict)
{
	uint32_t n = rnd(FAKE_SMMUS);
	uint32_t s = rnd(STREAMS);
	uint64_t page = rnd(WORLD_IPAS);
	bool write = rnd(2);
	int o = owner_of[n][s];
	struct fake_dma d = fake_smmu_dma(n, s, page * PAGE_SIZE + 8, write);
	uint64_t pa = 0;
	bool allowed = is_allowed(o, page, write, &pa);

	if (d.end != DMA_DONE) {
		nr_refused++;
		cr_assert(!(strict && allowed), "stream %u of %d", s, o);
		return;
	}
	nr_done++;
	cr_assert(d.translated);
	cr_assert(allowed, "stream %u of owner %d reached %#llx", s, o,
		  (unsigned long long)d.pa);
	cr_assert_eq(d.pa, pa + 8);
	cr_assert_eq(world_frame[(pa - WORLD_RAM) / PAGE_SIZE], o);
}

static void end_and_begin(uint32_t o)
{
	for (uint32_t n = 0; n < FAKE_SMMUS; n++) {
		for (uint32_t s = 0; s < STREAMS; s++) {
			if (owner_of[n][s] == (int)o) {
				world_detach(n, s, 1, o);
				owner_of[n][s] = NOBODY;
			}
		}
	}
	world_owner_end(o);
	world_owner_make(o);
}

/* An event of memory, of units' own time, or of an owner's life. */
static void other_event(void)
{
	uint32_t o = rnd(WORLD_OWNERS);
	uint64_t page = rnd(WORLD_IPAS);

	switch (rnd(12)) {
	case 0:
		smmuv2_iommu.irq(&world_unit[rnd(FAKE_SMMUS)]);
		break;
	case 1:
		fake_smmu[rnd(FAKE_SMMUS)].sync_polls = rnd(5);
		break;
	case 2:
		if (rnd(20) == 0) {
			end_and_begin(o);
		}
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		world_unmap(o, page);
		break;
	default:
		world_map(o, page, rnd(3) != 0);
	}
}

static void attach(uint32_t n, uint32_t first, uint32_t nr)
{
	uint32_t o = rnd(WORLD_OWNERS);
	int rc = world_attach(n, first, nr, o);

	cr_assert(rc == 0 || rc == -ENOSPC ||
		  (rc == -EIO && world_unit[n].dead));
	if (rc == 0) {
		set_owner(n, first, nr, (int)o);
		return;
	}
	nr_full++;
	for (uint32_t s = first; s < first + nr; s++) {
		if (owner_of[n][s] != (int)o) {
			owner_of[n][s] = NOBODY; /* was before, or is refused */
		}
	}
}

static void one_event(uint32_t n, uint32_t first, uint32_t nr, bool is_apart)
{
	switch (rnd(8)) {
	case 0:
		attach(n, first, nr);
		break;
	case 1:
		world_detach(n, first, nr, rnd(WORLD_OWNERS));
		set_owner(n, first, nr, NOBODY);
		break;
	case 2:
	case 3:
	case 4:
		other_event();
		break;
	default:
		access(is_apart);
	}
}

/* Devices as a tree has them: of one, two or four streams, apart. */
Test(smmuv2_isolation, of_devices, .init = setup)
{
	for (uint32_t i = 0; i < EVENTS; i++) {
		uint32_t n = rnd(FAKE_SMMUS);
		uint32_t dev = rnd(8);

		one_event(n, dev * 4, 1u << dev % 3, true);
	}
	cr_assert_gt(nr_done, 1000, "%u", nr_done);
	cr_assert_gt(nr_refused, 1000);
	cr_assert_gt(nr_full, 100, "%u", nr_full);
	cr_assert_gt(fake_smmu[0].nr_hits, 100, "the TLB takes part");
}

/* Ranges of any sort, over and into each other. */
Test(smmuv2_isolation, of_any_ranges, .init = setup)
{
	for (uint32_t i = 0; i < EVENTS; i++) {
		uint32_t n = rnd(FAKE_SMMUS);
		uint32_t first = rnd(STREAMS);
		uint32_t nr = 1 + rnd(STREAMS - first);

		one_event(n, first, 1 + rnd(nr), false);
	}
	cr_assert_gt(nr_done, 1000, "%u", nr_done);
	cr_assert_gt(nr_full, 100, "%u", nr_full);
}

/* A unit that stops to answer, at any time: nothing passes from then on. */
Test(smmuv2_isolation, of_a_unit_that_dies, .init = setup)
{
	for (uint32_t i = 0; i < 200; i++) {
		setup();
		rnd_state += i * 77;
		for (uint32_t k = 0; k < 300; k++) {
			uint32_t n = rnd(FAKE_SMMUS);
			uint32_t dev = rnd(8);

			if (k == 200) {
				fake_smmu[0].sync_stuck = true;
			}
			if (rnd(3) == 0) {
				attach(n, dev * 4, 1);
			}
			other_event();
			if (world_unit[0].dead) {
				set_owner(0, 0, STREAMS, NOBODY);
			}
			access(true);
		}
	}
}
