/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List registers of a few CPUs, with the virtual CPU interface that a guest
 * uses on top of them and the physical lines below. It stops the test when
 * the vGIC does what the hardware calls unpredictable.
 */
#ifndef FAKE_ICH_H
#define FAKE_ICH_H

#include <arch/vgic_hw.h>

#define FAKE_CPUS 4u
#define FAKE_NONE 1023u
#define FAKE_NEST 64u

struct fake_ich {
	uint64_t lr[VGIC_MAX_LRS];
	bool on;
	bool few;          /* maintenance interrupts asked for */
	bool no_pending;
	uint32_t eoi_count;
	uint32_t lr_writes;
	uint32_t lr_reads;
	bool ppi_active[32];
	bool ppi_line[32];
	/* The guest's interface: what it has taken and not yet dropped. */
	uint32_t nest_intid[FAKE_NEST];
	uint8_t nest_prio[FAKE_NEST];
	uint32_t nest;
};

extern struct fake_ich fake_ich[FAKE_CPUS];
extern bool fake_spi_active[1020];
extern bool fake_spi_line[1020];
/* Of equal priority it takes the first list register, not the lowest INTID. */
extern bool fake_first_lr;
extern const struct vgic_hw fake_vgic_hw;

void fake_ich_reset(uint8_t version, uint8_t nr_lrs);
/* Guest on @cpu: ICC_IAR1; FAKE_NONE. GICv2 SGIs: source << 10 | INTID. */
uint32_t fake_ack(unsigned int cpu);
uint32_t fake_highest(unsigned int cpu); /* the same without taking it */
void fake_eoi(unsigned int cpu, uint32_t iar);      /* EOImode 0 */
void fake_drop(unsigned int cpu);                   /* EOImode 1 */
void fake_deactivate(unsigned int cpu, uint32_t iar);
/* The maintenance interrupt line of @cpu. */
bool fake_maintenance(unsigned int cpu);
/* State of @intid in a list register of @cpu. */
enum vgic_lr_state fake_lr_state(unsigned int cpu, uint32_t intid);
uint64_t fake_lr(unsigned int cpu, uint32_t intid); /* 0: none holds it */
unsigned int fake_lrs_in_use(unsigned int cpu);

#endif
