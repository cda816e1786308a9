/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A register-level model of an SMMU of architecture version 2, as MMU-500 is
 * one, and host stand-ins for <arch/mmio_access.h> and <arch/barrier.h>;
 * included before everything (see the CFLAGS line of the tests).
 *
 * What it plays: stream matching with masks, bypass and fault of streams,
 * stage-2 contexts that walk real tables of 4 KiB granule, a TLB and a cache
 * of last-level tables, both tagged by VMID, that keep what they have until an
 * invalidation *and* the sync after it are done, faults with their syndromes.
 * What it does not: stage 1, stalls, secure registers, AArch32 formats.
 * An access that the architecture does not define ends the test: outside the
 * registers that ID registers tell of, of a wrong size, two streams matched.
 */
#ifndef FAKE_SMMU500_H
#define FAKE_SMMU500_H

#define ARCH_MMIO_ACCESS_H
#define ARCH_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

uint32_t mmio_read32(const volatile void *p);
void mmio_write32(volatile void *p, uint32_t v);
void mmio_write64(volatile void *p, uint64_t v);
void fake_barrier(const char *what);
#define isb() fake_barrier("isb")
#define dsb(scope) fake_barrier("dsb " #scope)
#define dmb(scope) fake_barrier("dmb " #scope)

/* ---- for the tests ------------------------------------------------------- */
#define FAKE_SMMUS 2u
#define FAKE_SMMU_SIZE 0x1000000u /* room between two of them */

/* Identification of the MMU-500 of i.MX 8QM: 32 banks, 128 groups, 4 KiB. */
#define FAKE_IDR0 0x7c011e80u
#define FAKE_IDR1 0x40000020u
#define FAKE_IDR2 0x00005555u
#define FAKE_IDR7 0x00000021u

struct fake_smmu {
	/* Set by the test after fake_smmu_reset(). */
	uint32_t idr0, idr1, idr2, idr7;
	uint32_t smr_mask;     /* bits of an SMR that are implemented */
	bool secure_lock;      /* CACHE_LOCK stays as it is */
	bool sync_stuck;       /* a sync never ends */
	uint32_t sync_polls;   /* looks at a status until it does */
	/* An entry of a table as the walker sees it. */
	uint64_t (*table_entry)(uint64_t pa);
	/* Told of each write, before it is done; NULL: nobody. */
	void (*on_write)(uint32_t off, uint64_t v);
	/* Seen by the test. */
	uint32_t nr_syncs, nr_tlbis, nr_walks, nr_hits;
};

extern struct fake_smmu fake_smmu[FAKE_SMMUS];

/*
 * As a boot loader may leave it: @dirty: enabled, streams of its own, banks on,
 * faults recorded, a TLB full of them; else as after power-on.
 */
void fake_smmu_reset(uint32_t n, bool dirty);
/* Where its registers are. */
void *fake_smmu_regs(uint32_t n);
/* A register at @off as it is, without an access. */
uint32_t fake_smmu_peek(uint32_t n, uint32_t off);

enum fake_dma_end {
	DMA_DONE,   /* reached .pa */
	DMA_FAULT,  /* of its context */
	DMA_STREAM, /* its stream is nobody's */
};
struct fake_dma {
	enum fake_dma_end end;
	uint64_t pa;
	bool translated; /* else it went through as it was */
};
struct fake_dma fake_smmu_dma(uint32_t n, uint32_t stream, uint64_t addr,
			      bool write);

/* Levels of its lines. */
bool fake_smmu_global_irq(uint32_t n);
bool fake_smmu_context_irq(uint32_t n);

/* The log of writes and barriers: position of the first from @from; -1. */
void fake_smmu_log_add(int smmu, uint32_t off, uint64_t v, const char *what);
void fake_smmu_log_clear(void);
int fake_smmu_log_write(uint32_t n, uint32_t off, int from);
int fake_smmu_log_value(uint32_t n, uint32_t off, uint64_t v, int from);
int fake_smmu_log_barrier(const char *what, int from);
int fake_smmu_log_len(void);

#endif
