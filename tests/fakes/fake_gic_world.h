/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain with vCPUs on fake CPUs, for tests of the vGIC: what the rest of
 * the hypervisor would do around it, and a log of what it was asked to do.
 */
#ifndef FAKE_GIC_WORLD_H
#define FAKE_GIC_WORLD_H

#include <hv/domain.h>
#include <hv/dom_config.h>
#include <hv/irq.h>
#include "fake_ich.h"

#define WORLD_GICD 0x8000000u
#define WORLD_GICR 0x80a0000u
#define WORLD_ITS 0x8080000u
#define WORLD_VTIMER 27u

struct world {
	struct domain d;
	struct vcpu *vcpu[MAX_VCPUS_PER_DOMAIN];
	struct dom_config cfg;
	/* What irq_guest_*() were told, by physical INTID. */
	bool line_enabled[1020];
	bool line_edge[1020];
	uint16_t line_cpu[1020];
	uint32_t posts;        /* calls of vcpu_post */
};

extern struct world world;
extern bool fake_heap_fails;
extern int fake_heap_fail_at; /* the n-th heap_alloc() fails; 0: none */
extern int fake_heap_live;
extern int fake_mmio_fail_at; /* the n-th mmio_register() fails; 0: none */

/* A domain with @nr vCPUs, all off, distributor off, mapped. */
void world_init(uint8_t version, uint8_t nr_lrs, uint32_t nr_vcpus,
		uint32_t nr_spis);
void world_fini(void);
/* vCPU @id runs on CPU @cpu; what is pending is in list registers. */
void world_run(uint32_t id, uint16_t cpu);
/* It is taken off its CPU. */
void world_stop(uint32_t id);
/* From here on the code under test runs on @cpu. */
void world_on(uint16_t cpu);
/* Each CPU: physical lines, maintenance interrupts, work; until quiet. */
void world_settle(void);
/* Enable everything with one priority and let the distributor forward. */
void world_enable_all(void);

/* A register access of vCPU @id; cr_asserts that it is not an abort. */
uint64_t reg_read(uint32_t id, uint64_t addr, uint8_t size);
void reg_write(uint32_t id, uint64_t addr, uint8_t size, uint64_t val);
/* The same, whatever comes of it. */
void reg_try_write(uint32_t id, uint64_t addr, uint8_t size, uint64_t val);
bool reg_aborts(uint32_t id, uint64_t addr, uint8_t size, bool write);

#endif
