/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/smmu/smmuv2.c drivers/smmu/smmuv2_init.c
// LINK: drivers/smmu/smmuv2_fault.c drivers/smmu/smmuv2_inspect.c
// LINK: arch/arm64/mm/pgtable.c
// LINK: tests/fakes/fake_smmu500.c tests/fakes/fake_smmu_log.c
// LINK: tests/fakes/fake_smmu_world.c
// CFLAGS: -include tests/fakes/fake_smmu500.h
/* The SMMUv2 driver: what a unit is, groups, banks, order of steps, faults. */
#include "tests/fakes/fake_smmu_world.h"

#define GR1 0x1000u
#define CB(n) (0x20000u + 0x1000u * (n))
#define SMR(n) (0x800u + 4 * (n))
#define S2CR(n) (0xc00u + 4 * (n))
#define TLBIVMID 0x64u
#define TLBIALLNSNH 0x68u
#define TLBGSYNC 0x70u

TestSuite(smmuv2, .init = world_init);

static struct iommu *const u = &world_unit[0];

static uint32_t nr_valid(uint32_t n)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < (fake_smmu[n].idr0 & 0xff); i++) {
		nr += fake_smmu_peek(n, SMR(i)) >> 31;
	}
	return nr;
}

/* ---- what a unit is ------------------------------------------------------ */

Test(smmuv2, nothing_of_a_boot_loader_is_left)
{
	cr_assert_eq(nr_valid(0), 0);
	for (uint32_t i = 0; i < 128; i++) {
		cr_assert_eq(fake_smmu_peek(0, S2CR(i)), 2u << 16);
	}
	for (uint32_t i = 0; i < 32; i++) {
		cr_assert_eq(fake_smmu_peek(0, CB(i)), 0);
		cr_assert_eq(fake_smmu_peek(0, CB(i) + 4), 1, "no prefetch");
		cr_assert_eq(fake_smmu_peek(0, CB(i) + 0x58), 0);
	}
	for (uint32_t s = 0; s < 64; s++) {
		world_expect(0, s, 1, DMA_STREAM, 0);
	}
	cr_assert_eq(fake_smmu_peek(0, 0) & 1, 0, "clients are translated");
	cr_assert_eq(u->max_stream, 0x7fff);
	cr_assert_eq(world_nr_faults, 0);
	/* Its TLB held translations for every VMID. */
	cr_assert(world_map(0, 1, true));
	cr_assert_eq(world_attach(0, 5, 1, 0), 0);
	world_expect(0, 5, 1, DMA_DONE, 0);
	world_expect(0, 5, 2, DMA_FAULT, 0);
}

/* Between a unit's first change and its last nothing passes untranslated. */
Test(smmuv2, groups_go_before_clients_come)
{
	int cr0, smr, scr;

	world_reset();
	cr_assert_eq(world_start(0), 0);
	cr0 = fake_smmu_log_write(0, 0, 0);
	smr = fake_smmu_log_value(0, SMR(3), 0, 0);
	scr = fake_smmu_log_write(0, CB(5), 0);
	cr_assert(smr >= 0 && smr < cr0);
	cr_assert(cr0 < scr, "banks go off when no stream leads there");
	cr_assert_lt(scr, fake_smmu_log_write(0, TLBIALLNSNH, 0));
	cr_assert_lt(fake_smmu_log_write(0, TLBIALLNSNH, 0),
		     fake_smmu_log_write(0, TLBGSYNC, 0));
}

static int start_with(uint32_t idr0, uint32_t idr1, uint32_t idr2,
		      uint64_t size)
{
	world_reset();
	fake_smmu[0].idr0 = idr0;
	fake_smmu[0].idr1 = idr1;
	fake_smmu[0].idr2 = idr2;
	world_config[0].regs_size = size;
	return world_start(0);
}

Test(smmuv2, identification_that_does_not_do)
{
	static const uint32_t no_idr0[] = {
		FAKE_IDR0 & ~(1u << 27), FAKE_IDR0 & ~(1u << 29),
		FAKE_IDR0 & ~0xffu, 0, 0x00ffffff,
	};
	static const uint32_t no_idr1[] = {
		FAKE_IDR1 & ~0xffu,      /* no banks */
		FAKE_IDR1 | 0xff,        /* more than pages for them */
		FAKE_IDR1 | 7u << 28,    /* beyond what the tree gives */
		FAKE_IDR1 | 1u << 31,    /* so are pages of 64 KiB */
		UINT32_MAX, 0,
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(no_idr0); i++) {
		cr_assert_eq(start_with(no_idr0[i], FAKE_IDR1, FAKE_IDR2,
					0x40000), -ENODEV, "%u", i);
		cr_assert_eq(world_nr_faults, 1);
		cr_assert_eq(world_faults[0].reason, IOMMU_ERROR);
		cr_assert_eq(fake_smmu_log_len(), 0, "nothing is touched");
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(no_idr1); i++) {
		cr_assert_eq(start_with(FAKE_IDR0, no_idr1[i], FAKE_IDR2,
					0x40000), -ENODEV, "%u", i);
	}
	cr_assert_eq(start_with(FAKE_IDR0, FAKE_IDR1, 0x555, 0x40000), -ENODEV,
		     "no tables of 4 KiB");
	cr_assert_eq(start_with(FAKE_IDR0, FAKE_IDR1 | 0x21, FAKE_IDR2,
				0x100000), -ENODEV, "33 banks in 32 pages");
	cr_assert_eq(start_with(FAKE_IDR0, FAKE_IDR1, FAKE_IDR2, 0x3f000),
		     -ENODEV);
	cr_assert_eq(start_with(FAKE_IDR0, FAKE_IDR1, FAKE_IDR2, 0x40000), 0);
	cr_assert_eq(start_with(FAKE_IDR0 | 0xff, FAKE_IDR1, FAKE_IDR2,
				0x40000), 0, "128 groups are looked at");
}

Test(smmuv2, no_memory)
{
	world_reset();
	world_no_memory = true;
	cr_assert_eq(world_start(0), -ENOMEM);
	cr_assert_eq(fake_smmu_log_len(), 0);
}

Test(smmuv2, pages_of_64_kib)
{
	cr_assert_eq(start_with(FAKE_IDR0, 0xd0000008, FAKE_IDR2, 0x800000),
		     0);
	cr_assert(world_map(1, 2, true));
	cr_assert_eq(world_attach(0, 9, 1, 1), 0);
	world_expect(0, 9, 2, DMA_DONE, 1);
	world_detach(0, 9, 1, 1);
	world_expect(0, 9, 2, DMA_STREAM, 1);
}

/* Firmware keeps the lock: it goes on, and it is said. */
Test(smmuv2, prefetch_that_stays_on)
{
	world_reset();
	fake_smmu[0].secure_lock = true;
	cr_assert_eq(world_start(0), 0);
	cr_assert_eq(world_nr_faults, 1);
	cr_assert_eq(world_faults[0].reason, IOMMU_ERROR);
	cr_assert_eq(world_faults[0].code, 3);
}

Test(smmuv2, streams_of_fewer_bits)
{
	world_reset();
	fake_smmu[0].smr_mask = 0x803f007f; /* 7 bits, 6 of them maskable */
	cr_assert_eq(world_start(0), 0);
	cr_assert_eq(u->max_stream, 0x7f);
	cr_assert_eq(world_attach(0, 0x80, 1, 0), -EINVAL);
	cr_assert_eq(world_attach(0, 0x7f, 2, 0), -EINVAL);
	cr_assert_eq(world_attach(0, 1, UINT32_MAX, 0), -EINVAL);
	cr_assert_eq(world_attach(0, 2, UINT32_MAX, 0), -EINVAL);
	cr_assert_eq(world_attach(0, 0, 0, 0), -EINVAL);
	cr_assert_eq(world_attach(0, 1, 0, 0), -EINVAL);
	cr_assert_eq(nr_valid(0), 0);
	cr_assert_eq(world_attach(0, 0, 0x80, 0), 0);
	cr_assert_eq(nr_valid(0), 2, "a group has 64 at most");
	world_expect(0, 0x7f, 1, DMA_FAULT, 0);
	/* Holes in what it keeps: not a number of streams. */
	world_reset();
	fake_smmu[0].smr_mask = 0xffff7ff7;
	cr_assert_eq(world_start(0), -ENODEV);
}

/* "stream-match-mask": the upper bits tell ports apart, not devices. */
Test(smmuv2, bits_that_say_nothing)
{
	world_reset();
	world_config[0].stream_mask = 0x7c00;
	cr_assert_eq(world_start(0), 0);
	cr_assert_eq(u->max_stream, 0x3ff);
	cr_assert(world_map(2, 1, true));
	cr_assert_eq(world_attach(0, 0x3ff, 1, 2), 0);
	cr_assert_eq(world_attach(0, 0x43ff, 1, 2), -EINVAL);
	world_expect(0, 0x3ff, 1, DMA_DONE, 2);
	world_expect(0, 0x47ff, 1, DMA_DONE, 2);
	world_expect(0, 0x7fff, 3, DMA_FAULT, 2);
	world_expect(0, 0x47fe, 1, DMA_STREAM, 2);
	smmuv2_iommu.irq(u);
	cr_assert_eq(world_nr_faults, 2);
	cr_assert_eq(world_faults[0].stream, 0x3fe, "by which it is known");
	cr_assert_eq(world_faults[1].stream, 0x3ff);
	/* A mask with holes would make a range of numbers something else. */
	world_reset();
	world_config[0].stream_mask = 0x70;
	cr_assert_eq(world_start(0), -ENODEV);
	world_reset();
	world_config[0].stream_mask = 0x7c00;
	fake_smmu[0].smr_mask = 0x83ff7fff;
	cr_assert_eq(world_start(0), -ENODEV, "it cannot leave them out");
}

Test(smmuv2, walks_see_caches_if_both_say_so)
{
	static const uint32_t bits = 3u << 12 | 1u << 10 | 1u << 8;

	for (uint32_t i = 0; i < 4; i++) {
		world_reset();
		fake_smmu[0].idr0 |= (i & 1) << 14;
		world_config[0].coherent = i & 2;
		cr_assert_eq(world_start(0), 0);
		cr_assert_eq(u->walks_coherent, i == 3);
		cr_assert_eq(world_attach(0, 1, 1, 0), 0);
		cr_assert_eq(fake_smmu_peek(0, CB(0) + 0x30) & bits,
			     i == 3 ? bits : 2u << 12);
	}
}

Test(smmuv2, tables_as_the_cpus_have_them)
{
	struct iommu_space sp = { .root = 0x123480000000, .bits = 44,
				  .tag = 9 };

	cr_assert_eq(smmuv2_iommu.attach(u, 1, 1, &sp), 0);
	cr_assert_eq(fake_smmu_peek(0, CB(0) + 0x30) & 0xff, 20 | 2u << 6);
	cr_assert_eq(fake_smmu_peek(0, CB(0) + 0x30) >> 16 & 7, 5);
	cr_assert_eq(fake_smmu_peek(0, CB(0) + 0x20), 0x80000000);
	cr_assert_eq(fake_smmu_peek(0, CB(0) + 0x24), 0x1234);
	cr_assert_eq(fake_smmu_peek(0, GR1), 9, "stage 2 with VMID 9");
	cr_assert_eq(fake_smmu_peek(0, GR1 + 0x800), 1);
	/* More bits of address than it has. */
	world_reset();
	fake_smmu[0].idr2 = 0x5521;
	cr_assert_eq(world_start(0), 0);
	cr_assert_eq(smmuv2_iommu.attach(u, 1, 1, &sp), -EINVAL);
	sp.bits = 36;
	sp.start_level = 1;
	cr_assert_eq(smmuv2_iommu.attach(u, 1, 1, &sp), 0);
	cr_assert_eq(fake_smmu_peek(0, CB(0) + 0x30) >> 16 & 7, 2);
}

/* ---- groups and banks ---------------------------------------------------- */

Test(smmuv2, a_bank_serves_all_streams_of_one_owner)
{
	cr_assert(world_map(0, 1, true));
	cr_assert_eq(world_attach(0, 0x10, 1, 0), 0);
	cr_assert_eq(world_attach(0, 0x20, 4, 0), 0);
	cr_assert_eq(fake_smmu_peek(0, S2CR(0)), 0);
	cr_assert_eq(fake_smmu_peek(0, S2CR(1)), 0);
	cr_assert_eq(fake_smmu_peek(0, CB(1)), 0, "the second is not on");
	world_detach(0, 0x10, 1, 0);
	world_expect(0, 0x10, 1, DMA_STREAM, 0);
	world_expect(0, 0x23, 1, DMA_DONE, 0);
	cr_assert_neq(fake_smmu_peek(0, CB(0)), 0);
	world_detach(0, 0x20, 4, 0);
	cr_assert_eq(fake_smmu_peek(0, CB(0)), 0, "it went with the last");
	world_expect(0, 0x23, 1, DMA_STREAM, 0);
}

Test(smmuv2, ranges_become_groups_without_overlap)
{
	cr_assert_eq(world_attach(0, 8, 8, 0), 0);
	cr_assert_eq(nr_valid(0), 1);
	cr_assert_eq(fake_smmu_peek(0, SMR(0)), 0x80070008);
	cr_assert_eq(world_attach(0, 8, 8, 0), 0, "again");
	cr_assert_eq(world_attach(0, 11, 2, 0), 0, "a part of it");
	cr_assert_eq(nr_valid(0), 1);
	cr_assert_eq(world_attach(0, 5, 14, 0), 0, "around it");
	cr_assert_eq(nr_valid(0), 5, "5, 6-7, the first, 16-17, 18");
	for (uint32_t s = 5; s < 19; s++) {
		world_expect(0, s, 1, DMA_FAULT, 0);
	}
	world_expect(0, 4, 1, DMA_STREAM, 0);
	world_expect(0, 19, 1, DMA_STREAM, 0);
}

/* What streams used before is over, also for those of their group. */
Test(smmuv2, a_stream_moves_to_another_owner)
{
	cr_assert(world_map(0, 1, true));
	cr_assert(world_map(1, 1, true));
	cr_assert_eq(world_attach(0, 8, 4, 0), 0);
	world_expect(0, 9, 1, DMA_DONE, 0);
	fake_smmu_log_clear();
	cr_assert_eq(world_attach(0, 9, 1, 1), 0);
	world_expect(0, 9, 1, DMA_DONE, 1);
	world_expect(0, 8, 1, DMA_STREAM, 0);
	/* Invalid, forgotten, synced; its bank off; then the new one. */
	cr_assert_eq(fake_smmu_log_value(0, SMR(0), 0, 0), 0);
	cr_assert_lt(fake_smmu_log_write(0, TLBGSYNC, 0),
		     fake_smmu_log_value(0, CB(0), 0, 0));
	cr_assert_lt(fake_smmu_log_value(0, CB(0), 0, 0),
		     fake_smmu_log_write(0, CB(0) + 0x20, 0));
}

Test(smmuv2, order_of_an_attachment)
{
	int ttbr, sctlr, s2cr, smr, tlbi;

	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	ttbr = fake_smmu_log_write(0, CB(0) + 0x24, 0);
	tlbi = fake_smmu_log_value(0, TLBIVMID, 1, 0);
	sctlr = fake_smmu_log_write(0, CB(0), 0);
	s2cr = fake_smmu_log_write(0, S2CR(0), 0);
	smr = fake_smmu_log_write(0, SMR(0), 0);
	cr_assert(ttbr >= 0 && ttbr < tlbi);
	cr_assert_lt(fake_smmu_log_barrier("dsb sy", 0), tlbi,
		     "the tables are written before");
	cr_assert_lt(tlbi, fake_smmu_log_write(0, TLBGSYNC, tlbi));
	cr_assert_lt(fake_smmu_log_write(0, TLBGSYNC, tlbi), sctlr);
	cr_assert_lt(sctlr, s2cr);
	cr_assert_lt(s2cr, smr);
}

Test(smmuv2, order_of_a_detachment)
{
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	fake_smmu_log_clear();
	world_detach(0, 8, 1, 0);
	cr_assert_eq(fake_smmu_log_value(0, SMR(0), 0, 0), 0);
	cr_assert_eq(fake_smmu_log_value(0, S2CR(0), 2u << 16, 0), 1);
	cr_assert_eq(fake_smmu_log_write(0, TLBIALLNSNH, 0), 2,
		     "what went by it is over when the sync is");
	cr_assert_eq(fake_smmu_log_write(0, TLBGSYNC, 0), 3);
	cr_assert_eq(fake_smmu_log_value(0, CB(0), 0, 0), 4);
	cr_assert_eq(fake_smmu_log_len(), 5);
	world_detach(0, 8, 1, 0);
	cr_assert_eq(fake_smmu_log_len(), 5, "it is not there");
}

Test(smmuv2, no_bank_is_left)
{
	world_reset();
	fake_smmu[0].idr1 = (FAKE_IDR1 & ~0xffu) | 2;
	cr_assert_eq(world_start(0), 0);
	cr_assert_eq(world_attach(0, 1, 1, 0), 0);
	cr_assert_eq(world_attach(0, 2, 1, 1), 0);
	cr_assert_eq(world_attach(0, 3, 1, 2), -ENOSPC);
	cr_assert_eq(world_attach(0, 4, 1, 1), 0, "it has one");
	cr_assert_eq(nr_valid(0), 3);
	world_expect(0, 3, 1, DMA_STREAM, 2);
	cr_assert_eq(world_attach(0, 2, 1, 2), -ENOSPC, "1 has stream 4, too");
	world_expect(0, 2, 1, DMA_STREAM, 2);
	world_detach(0, 4, 1, 1);
	cr_assert_eq(world_attach(0, 3, 1, 2), 0);
	world_expect(0, 3, 1, DMA_FAULT, 2);
}

Test(smmuv2, no_group_is_left)
{
	world_reset();
	fake_smmu[0].idr0 = (FAKE_IDR0 & ~0xffu) | 3;
	cr_assert_eq(world_start(0), 0);
	cr_assert_eq(world_attach(0, 1, 8, 0), -ENOSPC, "1, 2-3, 4-7, 8");
	cr_assert_eq(nr_valid(0), 0);
	cr_assert_eq(fake_smmu_peek(0, CB(0)), 0, "and no bank went on");
	cr_assert_eq(world_attach(0, 1, 7, 0), 0);
	cr_assert_eq(world_attach(0, 8, 1, 0), -ENOSPC);
	cr_assert_eq(world_attach(0, 8, 1, 1), -ENOSPC);
	world_detach(0, 2, 1, 0);
	cr_assert_eq(world_attach(0, 8, 1, 1), 0);
	world_expect(0, 3, 1, DMA_STREAM, 0);
	world_expect(0, 7, 1, DMA_FAULT, 0);
}

/* ---- TLB ----------------------------------------------------------------- */

Test(smmuv2, what_is_unmapped_is_forgotten_before_its_frame_goes)
{
	cr_assert(world_map(0, 1, true));
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	cr_assert_eq(world_attach(1, 8, 1, 0), 0);
	world_expect(0, 8, 1, DMA_DONE, 0);
	world_expect(1, 8, 1, DMA_DONE, 0);
	fake_smmu_log_clear();
	cr_assert(world_unmap(0, 1));
	world_expect(0, 8, 1, DMA_FAULT, 0);
	world_expect(1, 8, 1, DMA_FAULT, 0);
	cr_assert_eq(fake_smmu_log_barrier("dsb sy", 0), 0);
	cr_assert_eq(fake_smmu_log_value(0, TLBIVMID, 1, 0), 1);
	cr_assert_eq(fake_smmu_log_write(0, TLBGSYNC, 0), 2);
	/* Where it has no stream there is nothing to forget. */
	fake_smmu_log_clear();
	smmuv2_iommu.flush(u, &world_owner[1].space, 0, IOMMU_ALL);
	cr_assert_eq(fake_smmu_log_len(), 0);
	smmuv2_iommu.flush(u, &world_owner[0].space, 0, IOMMU_ALL);
	cr_assert_eq(fake_smmu_log_len(), 3);
}

/* It says so once, refuses everything, and takes no time again. */
Test(smmuv2, a_unit_that_does_not_answer)
{
	uint32_t syncs;

	cr_assert(world_map(0, 1, true));
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	cr_assert_eq(world_attach(0, 9, 1, 1), 0);
	fake_smmu[0].sync_stuck = true;
	world_detach(0, 9, 1, 1);
	cr_assert(u->dead);
	cr_assert_eq(world_nr_faults, 1);
	cr_assert_eq(world_faults[0].reason, IOMMU_DEAD);
	cr_assert_eq(fake_smmu_peek(0, CB(1)) & 1, 1,
		     "accesses under way may still need the bank");
	world_expect(0, 8, 1, DMA_STREAM, 0);
	world_expect(0, 9, 1, DMA_STREAM, 0);
	syncs = fake_smmu[0].nr_syncs;
	cr_assert_eq(world_attach(0, 9, 1, 1), -EIO);
	world_detach(0, 8, 1, 0);
	smmuv2_iommu.flush(u, &world_owner[0].space, 0, 1);
	cr_assert_eq(fake_smmu[0].nr_syncs, syncs);
	cr_assert_eq(world_nr_faults, 1);
	world_reset();
	fake_smmu[0].sync_stuck = true;
	cr_assert_eq(world_start(0), -ENODEV, "nor at the start");
	cr_assert_eq(world_faults[0].reason, IOMMU_DEAD);
}

/* The n-th sync does not end: whatever step it was of, nothing passes. */
static uint32_t syncs_left;

static void stick(uint32_t off, uint64_t v)
{
	(void)v;
	if (off == TLBGSYNC && syncs_left-- == 0) {
		fake_smmu[0].sync_stuck = true;
	}
}

Test(smmuv2, dying_at_each_step_of_an_attachment)
{
	for (uint32_t n = 0; n < 3; n++) {
		int rc;

		world_init();
		cr_assert(world_map(0, 1, true));
		cr_assert(world_map(1, 1, true));
		cr_assert_eq(world_attach(0, 8, 4, 0), 0);
		cr_assert_eq(world_attach(0, 16, 1, 0), 0);
		syncs_left = n;
		fake_smmu[0].on_write = stick;
		rc = world_attach(0, 8, 2, 1);
		cr_assert_eq(rc, n < 2 ? -EIO : 0, "%u", n);
		cr_assert_eq(u->dead, n < 2);
		cr_assert_eq(world_nr_faults, n < 2);
		world_expect(0, 8, 1, n < 2 ? DMA_STREAM : DMA_DONE, 1);
		world_expect(0, 16, 1, n < 2 ? DMA_STREAM : DMA_DONE, 0);
	}
}

/* ---- faults -------------------------------------------------------------- */

static void expect_fault(uint32_t i, uint8_t reason, uint32_t stream,
			 uint64_t address, bool write)
{
	const struct iommu_fault *f = &world_faults[i];

	cr_assert_eq(f->reason, reason, "%u: %u", i, f->reason);
	cr_assert_eq(f->stream, stream);
	cr_assert_eq(f->address, address);
	cr_assert_eq(f->write, write);
	cr_assert(f->has_address);
}

Test(smmuv2, faults_are_reported_and_cleared)
{
	cr_assert(world_map(0, 1, false));
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	cr_assert_eq(world_attach(0, 9, 1, 1), 0);
	cr_assert_not(fake_smmu_global_irq(0));
	cr_assert_not(fake_smmu_context_irq(0));
	fake_smmu_dma(0, 8, 0x1234, true);
	fake_smmu_dma(0, 9, 0x7fedcba000, false);
	fake_smmu_dma(0, 10, 0xfedcba9876540, true);
	cr_assert(fake_smmu_global_irq(0));
	cr_assert(fake_smmu_context_irq(0));
	cr_assert_not(smmuv2_iommu.irq(u), "that is all");
	cr_assert_eq(world_nr_faults, 3);
	expect_fault(0, IOMMU_NO_SPACE, 10, 0xfedcba9876540, true);
	expect_fault(1, IOMMU_NOT_ALLOWED, 8, 0x1234, true);
	expect_fault(2, IOMMU_NOT_MAPPED, 9, 0x7fedcba000, false);
	cr_assert_not(fake_smmu_global_irq(0), "the lines go down");
	cr_assert_not(fake_smmu_context_irq(0));
	cr_assert_not(smmuv2_iommu.irq(u));
	cr_assert_eq(world_nr_faults, 3, "nothing is said twice");
	/* One owner's fault does not stop what else he does. */
	fake_smmu_dma(0, 8, 0x1234, true);
	world_expect(0, 8, 1, DMA_DONE, 0);
}

Test(smmuv2, faults_that_went_by_are_told_of)
{
	for (uint32_t i = 0; i < 3; i++) {
		fake_smmu_dma(0, 77 + i, 0x1000, false);
	}
	smmuv2_iommu.irq(u);
	cr_assert_eq(world_nr_faults, 2);
	expect_fault(0, IOMMU_NO_SPACE, 77, 0x1000, false);
	cr_assert_eq(world_faults[1].reason, IOMMU_LOST);
	cr_assert_not(fake_smmu_global_irq(0));
	/* Of a bank likewise. */
	cr_assert_eq(world_attach(0, 77, 1, 3), 0);
	fake_smmu_dma(0, 77, 0x2000, true);
	fake_smmu_dma(0, 77, 0x3000, true);
	smmuv2_iommu.irq(u);
	cr_assert_eq(world_nr_faults, 4);
	expect_fault(2, IOMMU_NOT_MAPPED, 77, 0x2000, true);
	cr_assert_eq(world_faults[3].reason, IOMMU_LOST);
	cr_assert_not(fake_smmu_context_irq(0));
}

/* Nobody answers for what the bank's last owner did. */
Test(smmuv2, a_fault_goes_with_its_owner)
{
	cr_assert_eq(world_attach(0, 8, 1, 0), 0);
	fake_smmu_dma(0, 8, 0x1234, true);
	world_detach(0, 8, 1, 0);
	cr_assert_eq(world_attach(0, 9, 1, 1), 0);
	smmuv2_iommu.irq(u);
	cr_assert_eq(world_nr_faults, 0);
}
