/* SPDX-License-Identifier: Apache-2.0 */
/* An ITS and the LPIs of a redistributor: registers, commands, a queue. */
#ifndef GUEST_ITS_H
#define GUEST_ITS_H

#include "guest.h"

#define ITS_SIZE	0x20000u
#define GITS_CTLR	0x0000u
#define GITS_IIDR	0x0004u
#define GITS_TYPER	0x0008u
#define GITS_CBASER	0x0080u
#define GITS_CWRITER	0x0088u
#define GITS_CREADR	0x0090u
#define GITS_BASER	0x0100u
#define GITS_PIDR2	0xffe8u
#define GITS_TRANSLATER	0x10040u
#define GICR_CTLR	0x0000u
#define GICR_PROPBASER	0x0070u
#define GICR_PENDBASER	0x0078u
#define VALID		(UINT64_C(1) << 63)

#define MOVI		0x01u
#define INT		0x03u
#define CLEAR		0x04u
#define MAPD		0x08u
#define MAPC		0x09u
#define MAPTI		0x0au
#define INV		0x0cu
#define INVALL		0x0du
#define MOVALL		0x0eu
#define DISCARD		0x0fu

#define SLOTS		128u	/* commands of a queue of a page */

/* A command into slot @at of @queue; gives the next slot. */
static inline unsigned int its_put(uint64_t *queue, unsigned int at,
				   uint64_t w0, uint64_t w1, uint64_t w2,
				   uint64_t w3)
{
	uint64_t *slot = &queue[4 * at];

	slot[0] = w0;
	slot[1] = w1;
	slot[2] = w2;
	slot[3] = w3;
	return (at + 1) % SLOTS;
}

/* All up to slot @written is done, by an ITS that does it at once. */
static inline bool its_run(uint64_t its, unsigned int written)
{
	dsb();
	mmio_write64(its + GITS_CWRITER, written * 32);
	return mmio_read64(its + GITS_CREADR) == written * 32;
}

#endif
