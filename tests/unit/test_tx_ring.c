/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dead netback has left in a ring: a frontend and a backend at work that
 * answers as the stock one does, stopped at any moment; and pages of nonsense.
 */
// LINK: tools/image/driver/tx_ring.c
// CFLAGS: -Itools/image/driver
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tx_ring.h"

#define KILLS 20000
#define IDS 256u
#define HEAD 0x8000u		/* with an id: an extra slot is behind it */

static _Alignas(64) char page[RING_PAGE];
static uint32_t seed;
static uint32_t most;		/* slots that are under way */

static struct {			/* the guest's side */
	uint16_t unused[IDS];
	uint32_t nr_unused;
	bool waits[IDS];
	uint32_t prod, cons;
} front;

static struct {			/* taken and not answered, oldest first */
	uint16_t later[IDS];
	uint32_t nr_later;
	uint32_t cons, prod;
} back;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static struct netif_tx_sring *ring(void)
{
	return (struct netif_tx_sring *)page;
}

static union tx_slot *slot(uint32_t i)
{
	return (union tx_slot *)(page + offsetof(struct netif_tx_sring, ring) +
			      i % RING_SLOTS * sizeof(union tx_slot));
}

static void setup(void)
{
	memset(page, 0, sizeof(page));
	memset(&front, 0, sizeof(front));
	memset(&back, 0, sizeof(back));
	most = 200;
	for (; front.nr_unused < IDS; front.nr_unused++) {
		front.unused[front.nr_unused] = (uint16_t)front.nr_unused;
	}
}

TestSuite(tx_ring, .init = setup);

/* ---- the guest ----------------------------------------------------------- */

static void ask(uint16_t flags, uint16_t size)
{
	uint16_t id = front.unused[--front.nr_unused];

	slot(front.prod++)->req = (struct netif_tx_request){
		0x300u + id, 64, flags, id, size };
	front.waits[id] = true;
}

/* A frame of @slots, the first one a head if there are several. */
static void send(uint32_t slots, bool extra)
{
	if (front.prod - front.cons + slots + extra > most) {
		return;
	}
	for (uint32_t i = 0; i < slots; i++) {
		ask((i + 1 < slots ? NETTXF_more_data : 0) |
		    (i == 0 && extra ? NETTXF_extra_info : 0),
		    i == 0 && slots > 1 ? 66 : 1000);
		if (i == 0 && extra) {
			slot(front.prod++)->extra = (struct netif_extra_info){
				XEN_NETIF_EXTRA_TYPE_GSO, 0,
				.u.gso = { 1448, 1, 0, 0 } };
		}
	}
	ring()->req_prod = front.prod;
}

/* Every answer must be for what waits: netfront gives up at any other. */
static void collect(void)
{
	for (; front.cons != ring()->rsp_prod; front.cons++) {
		const struct netif_tx_response *rsp = &slot(front.cons)->rsp;

		if (rsp->status != NETIF_RSP_NULL) {
			cr_assert_lt(rsp->id, IDS);
			cr_assert(front.waits[rsp->id], "id %u twice", rsp->id);
			front.waits[rsp->id] = false;
			front.unused[front.nr_unused++] = rsp->id;
		}
	}
}

/* ---- the backend --------------------------------------------------------- */

static void answer(uint16_t what)
{
	slot(back.prod++)->rsp = (struct netif_tx_response){
		what & (uint16_t)~HEAD, NETIF_RSP_OKAY };
	if (what & HEAD) {
		slot(back.prod++)->rsp.status = NETIF_RSP_NULL;
	}
	ring()->rsp_prod = back.prod;
}

/* One frame: what is small is copied, and answered, the rest later. */
static void take(void)
{
	bool more = true;

	while (more) {
		struct netif_tx_request req = slot(back.cons++)->req;
		uint16_t what = req.id;

		if (req.flags & NETTXF_extra_info) {
			back.cons++;
			what |= HEAD;
		}
		if (req.size <= 128) {
			answer(what);
		} else {
			back.later[back.nr_later++] = what;
		}
		more = req.flags & NETTXF_more_data;
	}
}

static void release(void)
{
	uint16_t what = back.later[0];

	memmove(back.later, back.later + 1,
		--back.nr_later * sizeof(back.later[0]));
	answer(what);
}

/* A turn: what is there, then all of that is released, as far as it comes. */
static bool turn(uint32_t *steps)
{
	uint32_t frames = 1 + below(8);

	while (frames-- && back.cons != ring()->req_prod) {
		take();
		if (--*steps == 0) {
			return false;
		}
	}
	while (back.nr_later) {
		release();
		if (--*steps == 0) {
			return false;
		}
	}
	return true;
}

static void one_life(uint32_t steps)
{
	do {
		for (uint32_t n = below(16) ? below(6) : 60; n--;) {
			send(below(3) ? 2 + below(3) : 1, below(2));
		}
		if (below(2)) {
			collect();
		}
		steps += back.cons == ring()->req_prod;
	} while (turn(&steps));
}

/* The next one, which refuses what is empty at once. */
static void next_life(void)
{
	back.nr_later = 0;
	back.cons = ring()->rsp_prod;
	back.prod = back.cons;
	while (back.cons != ring()->req_prod) {
		struct netif_tx_request req = slot(back.cons++)->req;
		bool extra = req.flags & NETTXF_extra_info;

		if (extra) {
			const struct netif_extra_info *e =
				&slot(back.cons++)->extra;

			cr_assert_eq(e->type, XEN_NETIF_EXTRA_TYPE_GSO);
			cr_assert_eq(e->flags, 0);
		}
		cr_assert_eq(req.size, 0);
		slot(back.prod++)->rsp = (struct netif_tx_response){
			req.id, NETIF_RSP_ERROR };
		if (extra) {
			slot(back.prod++)->rsp.status = NETIF_RSP_NULL;
		}
		ring()->rsp_prod = back.prod;
	}
}

static uint32_t waiting(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < IDS; i++) {
		n += front.waits[i];
	}
	return n;
}

/* ---- tests --------------------------------------------------------------- */

Test(tx_ring, two_heads_then_two_bodies)
{
	struct tx_left left;
	uint16_t ids[4];

	send(2, false);
	send(2, false);
	for (uint32_t i = 0; i < 4; i++) {
		ids[i] = slot(i)->req.id;
	}
	take();
	take();
	cr_assert(tx_ring_read(page, &left));
	cr_assert_eq(left.first, 2);
	cr_assert_eq(left.ids, 2);
	cr_assert_eq(left.nulls, 0);
	cr_assert_eq(left.overtaken, 1);
	cr_assert_eq(left.id[0], ids[1]);
	cr_assert_eq(left.id[1], ids[3]);
	tx_ring_empty(page, &left);
	next_life();
	collect();
	cr_assert_eq(waiting(), 0);
}

Test(tx_ring, nothing_left)
{
	struct tx_left left;

	cr_assert(tx_ring_read(page, &left));
	cr_assert_eq(left.ids + left.nulls, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		send(1 + i % 3, i % 2);
		take();
		while (back.nr_later) {
			release();
		}
		collect();
	}
	cr_assert(tx_ring_read(page, &left));
	cr_assert_eq(left.ids + left.nulls, 0);
}

/* Written over the request, and not counted yet. */
Test(tx_ring, half_an_answer)
{
	struct tx_left left;

	send(1, false);
	slot(0)->rsp = (struct netif_tx_response){ slot(0)->req.id, 0 };
	cr_assert(tx_ring_read(page, &left));
	cr_assert_eq(left.ids, 1);
	cr_assert_eq(left.id[0], slot(0)->req.id);
}

Test(tx_ring, any_moment)
{
	struct tx_left left;
	uint32_t overtook = 0;
	uint32_t full = 0;

	for (seed = 1; seed <= KILLS; seed++) {
		uint32_t was = seed;

		if (below(4) == 0) {
			setup();
		}
		one_life(1 + below(400));
		cr_assert(tx_ring_read(page, &left), "%u", was);
		cr_assert_eq(left.ids + left.nulls,
			     ring()->req_prod - ring()->rsp_prod, "%u", was);
		overtook += left.overtaken > 0;
		full += left.ids + left.nulls > 100;
		tx_ring_empty(page, &left);
		next_life();
		collect();
		cr_assert_eq(waiting(), 0, "%u", was);
		cr_assert_eq(front.nr_unused, IDS);
		seed = was;
	}
	cr_assert_gt(overtook, KILLS / 10);
	cr_assert_gt(full, 10);
}

Test(tx_ring, nonsense)
{
	static char before[RING_PAGE];
	struct tx_left left;
	uint32_t refused = 0;

	for (seed = 1; seed <= KILLS / 4; seed++) {
		uint32_t was = seed;
		uint32_t small = below(2);

		for (uint32_t i = 0; i < RING_PAGE; i++) {
			page[i] = (char)below(small ? 4 : 256);
		}
		if (below(4)) {
			ring()->req_prod = ring()->rsp_prod + below(300);
		}
		memcpy(before, page, sizeof(page));
		if (!tx_ring_read(page, &left)) {
			refused++;
		} else {
			cr_assert_eq(left.ids + left.nulls,
				     ring()->req_prod - ring()->rsp_prod);
			tx_ring_empty(page, &left);
		}
		for (uint32_t i = ring()->req_prod; left.ids &&
		     i != left.first + RING_SLOTS; i++) {
			cr_assert(!memcmp(slot(i),
					  before + ((char *)slot(i) - page),
					  sizeof(union tx_slot)));
		}
		cr_assert(!memcmp(page, before, 64));
		seed = was;
	}
	cr_assert_gt(refused, 100);
	cr_assert_lt(refused, KILLS / 4 - 100);
}
