/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dead network backend has left in a guest's ring of frames to send.
 */
#ifndef TX_RING_H
#define TX_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/netif.h>

#define RING_SLOTS 256u
#define RING_PAGE 4096u

/* An answer takes the first bytes of its slot. */
union tx_slot {
	struct netif_tx_request req;
	struct netif_tx_response rsp;
	struct netif_extra_info extra;
};

struct tx_left {
	uint32_t first;		  /* slot that the next backend begins with */
	uint32_t ids;		  /* requests without an answer, */
	uint32_t nulls;		  /* and what belongs to them and has no id */
	uint32_t overtaken;	  /* of the ids: a later one was answered */
	uint16_t id[RING_SLOTS];
};

/*
 * @page: the ring as it stands, of RING_PAGE bytes, which its guest may change
 * at any time; no backend does. False: it cannot be told what has no answer,
 * as may be when more than 200 slots wait (and some then are told wrongly).
 */
bool tx_ring_read(const void *page, struct tx_left *left);

/*
 * The slots that the next backend finds hold an empty request for each of
 * them: it refuses it, in this order, and the guest has all its ids back.
 */
void tx_ring_empty(void *page, const struct tx_left *left);

#endif
