/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GICv3 ITS and the LPI half of redistributors as the architecture lets them
 * be, at their worst: tables are read from memory, not from what the CPU has
 * not cleaned; what commands write reaches memory late; translations and
 * configuration bytes are kept until a command says otherwise; a message is on
 * its way to a redistributor until a SYNC for that one. What software may not
 * do is an error, the first of which stays. With fake_gic_port.h.
 */
#ifndef ITS_MODEL_H
#define ITS_MODEL_H

#include <arch/its.h>

#define IM_CPUS 4u
#define IM_REGS 0x20000u

struct im_config {
	bool indirect;           /* two levels of devices, if asked for */
	bool pta;                /* redistributors by address */
	bool snoops;
	bool has_collections;    /* a table in memory; else inside */
	uint8_t device_pages;    /* what BASERs insist on: 0 to 2; 3: any */
	uint8_t collection_pages;
	uint8_t dev_bits;
	uint8_t itt_entry;       /* bytes, 8 or more */
	uint8_t hurry;           /* of 16 polls so many do a command */
};

enum im_use { IM_NOTHING, IM_QUEUE, IM_CONFIG, IM_PEND, IM_DEVICES,
	      IM_COLLECTIONS, IM_LEVEL, IM_ITT };

extern char im_regs[IM_REGS];
extern char im_gicr[IM_CPUS][IM_REGS];
extern const char *im_error;      /* NULL: none yet */
extern void (*im_between)(void);  /* at each poll; NULL */
extern uint32_t im_stall_in;      /* at the n-th next command; 0: never */
extern bool im_deaf;              /* does no commands */
extern uint32_t im_commands;

void im_start(const struct im_config *c, uint64_t seed);
uint32_t im_any(uint32_t below);
/* Memory for software and ITS, zeroed for the CPU; .va NULL: no more. */
struct its_mem im_alloc(size_t size, size_t align, enum im_use use);
void im_free(const struct its_mem *m, size_t size);
size_t im_in_use(void); /* bytes */
/* A device's write. */
void im_message(uint32_t dev, uint32_t event);
/* Some of what is on its way gets there. */
void im_tick(void);
/* All of it does. */
void im_settle(void);
/* What @cpu acknowledges; 0: no LPI that is pending and enabled there. */
uint32_t im_take(uint32_t cpu);
bool im_is_pending(uint32_t cpu, uint32_t lpi);

#endif
