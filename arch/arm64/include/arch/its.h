/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PORT: the physical ITS and the LPIs of the redistributors; drivers/gic/its.c
 * is the one implementation. LPIs have no active state: eoi() is all they get.
 *
 * The caller keeps two CPUs from using the command queue at a time, and gives
 * all memory, zeroed: the hardware reads and writes it until the machine ends.
 * Commands wait until they are carried out, boundedly; -EIO: the ITS does not
 * answer and is left alone from then on.
 */
#ifndef ARCH_ITS_H
#define ARCH_ITS_H

#include <lib/types.h>
#include <arch/gic.h>

#define LPI_FIRST 8192u
#define LPI_NR 8192u            /* of the machine: 14 bits of INTID */
#define ITS_QUEUE_SIZE 4096u
#define ITS_PEND_SIZE 2048u     /* one bit for each INTID */
#define ITS_PEND_ALIGN 65536u
#define ITS_ITT_ALIGN 256u
#define ITS_DOORBELL 0x10000u   /* of its registers: with GITS_TRANSLATER */

struct its_mem {
	void *va;
	uint64_t pa;
};

/* What it wants: bytes, powers of 2, which are alignments too. */
struct its_sizes {
	uint32_t devices;      /* table of devices, or its first level */
	uint32_t page;         /* of collections; of a second level */
};

struct its_config {
	struct its_mem queue;              /* ITS_QUEUE_SIZE */
	struct its_mem config;             /* LPI_NR bytes, aligned so */
	struct its_mem pend[GIC_MAX_CPUS]; /* ITS_PEND_SIZE, ITS_PEND_ALIGN */
	struct its_mem devices, collections;
};

/* Stops it and asks. -ENODEV: not such an ITS; -EIO: it does not stop. */
__must_check int its_probe(void *regs, struct its_sizes *out);
/* The tables and the queue. -EIO: it does not take them. */
__must_check int its_start(const struct its_config *c, uint32_t nr_cpus);

/* The caller comes on line: LPIs for @cpu, which is it, go there. -ENODEV. */
__must_check int its_join_cpu(uint16_t cpu);
/* @cpu goes off line: its LPIs, pending ones too, go to @to. -ENODEV. */
__must_check int its_leave_cpu(uint16_t cpu, uint16_t to);
/* Is a second-level page (its_page_size()) missing for @dev? */
bool its_needs_page(uint32_t dev);
void its_give_page(uint32_t dev, const struct its_mem *page);
uint32_t its_page_size(void);
uint32_t its_itt_entry(void); /* bytes of an event in a device's table */
/* Is @dev within what it can tell apart? */
bool its_has_device(uint32_t dev);
/* @itt has 2^@bits entries. */
__must_check int its_map_device(uint32_t dev, uint64_t itt, unsigned int bits);
/*
 * Event n is mapped where @lpi[n], of @nr, is not 0: nothing of it is pending
 * any more, at any CPU, when this is done.
 */
__must_check int its_unmap_device(uint32_t dev, const uint16_t *lpi,
				  uint32_t nr);
__must_check int its_map_event(uint32_t dev, uint32_t event, uint32_t lpi,
			       uint16_t cpu);
__must_check int its_move_event(uint32_t dev, uint32_t event, uint16_t cpu);

enum its_event_op {
	ITS_INT = 0x03,
	ITS_CLEAR = 0x04,
	ITS_INV = 0x0c,
	ITS_DISCARD = 0x0f,
};
/* @cpu: where the event is to go, as its_move_event() was told. */
__must_check int its_event(enum its_event_op op, uint32_t dev, uint32_t event,
			   uint16_t cpu);
/* Takes effect with ITS_INV of its event, or its_inv_all(). */
void its_set_enable(uint32_t lpi, bool enable);
__must_check int its_inv_all(void);

/* Implemented by the architecture: to the point of coherency. */
void arch_clean_dcache(const void *va, size_t len);

#endif
