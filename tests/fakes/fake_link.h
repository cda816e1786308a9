/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ends of guests/lib/client/bh_link.c on one memory, for its tests; events
 * are counted. With fake_atomics.h, whose hook it has.
 */
#ifndef FAKE_LINK_H
#define FAKE_LINK_H

#include <stdint.h>

#include "guests/lib/client/bh_link.h"

#define SLOTS 8u
#define BYTES BH_LINK_BYTES(SLOTS)
#define PORT 100u /* of side 0; side 1 has the next */

extern struct bh_link side[2];
extern uint64_t link_bytes;	/* of them, for open_side() */
extern uint8_t *memory;		/* exactly as large as the rings */
extern unsigned int events[2];	/* sent by each */
extern void (*on_event)(unsigned int from);

void link_setup(void);
void link_teardown(void);
uint32_t random_below(uint32_t n);

void open_side(unsigned int s);
void open_both(void); /* and both know of each other */

/* A message that its id tells. */
struct bh_message message(uint32_t id);
void expect_same(const struct bh_message *m, uint32_t id);

#endif
