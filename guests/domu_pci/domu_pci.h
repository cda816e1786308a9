/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the guest that attacks by PCI functions share: main.c. */
#ifndef DOMU_PCI_H
#define DOMU_PCI_H

#include "its.h"

/* docs/pci.md */
#define ITS UINT64_C(0x04020000)
#define ECAM UINT64_C(0x04100000)
#define ECAM_SIZE 0x100000u
#define STOCK_ECAM UINT64_C(0x10000000)
#define WINDOW UINT64_C(0x08000000)
#define WINDOW_SIZE UINT64_C(0x08000000)

#define EDU_ID 0x11e81234u
#define DEVICE 8u		/* 00:01.0; the second card is 00:02.0 */
#define CARD (ECAM + 0x8000u)
#define COMMAND 0x04u
#define BAR0 0x10u
#define LPI LPI_FIRST
#define NR_LPIS 8192u
#define EVENT 3u
#define WAIT_US 500u
#define STORM 3000u

#define MANY 1024u		/* LPIs that it has */

extern uint64_t queue[4 * SLOTS], spare[512];
extern uint8_t lpi_config[NR_LPIS], pending[65536];
extern unsigned int written;		/* next slot of the queue */
extern volatile unsigned int taken;	/* of EVENT's LPI */
extern volatile unsigned int strange;	/* of others */

uint64_t random64(void);
uint64_t any(unsigned int i);		/* a bad value, or a random one */
/* One access of 1, 2, 4 or 8 bytes, which may abort. */
void write_any(uint64_t at, unsigned int bytes, uint64_t value);
uint64_t read_any(uint64_t at, unsigned int bytes);
void odd_accesses(uint64_t at);		/* those that carry no syndrome */

/* A command into the queue; run(): all is done. */
void command(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
bool run(void);
void lpis(uint64_t config, uint64_t pend);	/* on, with these tables */
void start(void);			/* as after reset, nothing pending */
/* The first card answers, and its message arrives, once. */
void works(const char *after);
/* A page of ours at @at comes or goes: XENMEM_... */
long one_frame(unsigned int op, uint64_t at);

/* config.c */
void every_register(void);
void every_function(void);
void bars_anywhere(void);
void bars_in_the_way(void);
void bars_as_memory(void);
/* its.c */
void its_registers(void);
void redistributors(void);
void queues_anywhere(void);
void random_command(unsigned int i);
void random_commands(void);
void every_lpi(void);
void page_goes(void);

#endif
