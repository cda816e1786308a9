/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a netfront that have no answer, found by the ring alone.
 *
 * Why     a stock netback answers what it has copied at once and what it has
 *         mapped when that is not needed any more: of two frames of a head and
 *         a body each both heads, then both bodies. Answers take the slots of
 *         requests in their order. So one that dies in between has written the
 *         second head's answer over the first body, and the next one, which
 *         goes on behind the last answer, would answer that head twice and that
 *         body never; netfront gives the card up at that.
 * How     an answer covers no more than the first 4 bytes of a slot: its
 *         request's id and flags stay. From a place in the ring before which
 *         all had their answer, ids asked less ids answered are those that
 *         wait. Where that was is not written anywhere; from a wrong place some
 *         id is answered more often than asked, or some others wait than from
 *         nearly every other place: the places vote. A request has one slot of
 *         extra information at most, as netfront's.
 * Trust   each slot is copied once; whatever is in it, only slots
 *         between its two indices are written, and every loop ends.
 * Spec    xen/io/netif.h, xen/io/ring.h
 */
#include "tx_ring.h"

#include <stddef.h>
#include <string.h>

/* So many of the oldest slots the guest may be writing. */
#define YOUNG 32u

struct ring {
	uint32_t req_prod;
	uint32_t rsp_prod;
	uint32_t oldest;		/* first slot that can be read */
	union tx_slot slot[RING_SLOTS];
	bool is_extra[RING_SLOTS];
};

/* Asked less answered. */
struct balance {
	int16_t of[UINT16_MAX + 1];
	int32_t wrong;			/* ids with neither 0 nor 1 */
	int32_t nulls;
	uint64_t mark;			/* of those with 1 */
};

struct vote {
	uint64_t mark;
	int32_t nulls;
	uint32_t from;
};

static uint32_t index_at(const void *page, size_t offset)
{
	const uint32_t *at = (const uint32_t *)((const char *)page + offset);

	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static size_t slot_at(uint32_t i)
{
	return offsetof(struct netif_tx_sring, ring) +
	       i % RING_SLOTS * sizeof(union tx_slot);
}

static bool is_empty(const struct ring *r, uint32_t i)
{
	return !r->is_extra[i % RING_SLOTS] &&
	       r->slot[i % RING_SLOTS].req.size == 0;
}

/*
 * What tx_ring_empty() wrote stands for all that waited then, and was answered
 * in its order; what it was written over is lost to the balance.
 */
static void forget_before_empty(struct ring *r)
{
	uint32_t end = r->rsp_prod + (r->req_prod != r->rsp_prod);
	bool was = false;

	for (uint32_t i = r->oldest; i != end; i++) {
		bool is = is_empty(r, i);

		if (is && !was) {
			r->oldest = i;
		}
		was = is || (was && r->is_extra[i % RING_SLOTS]);
	}
}

static bool ring_copy(const char *page, struct ring *r)
{
	uint32_t now;
	bool extra = false;

	r->rsp_prod = index_at(page, offsetof(struct netif_tx_sring, rsp_prod));
	r->req_prod = index_at(page, offsetof(struct netif_tx_sring, req_prod));
	for (uint32_t i = 0; i < RING_SLOTS; i++) {
		memcpy(&r->slot[i], page + slot_at(i), sizeof(r->slot[i]));
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	now = index_at(page, offsetof(struct netif_tx_sring, req_prod));
	r->oldest = now < RING_SLOTS ? 0 : now - RING_SLOTS + YOUNG;
	if (r->req_prod - r->rsp_prod > RING_SLOTS ||
	    now - r->rsp_prod > RING_SLOTS) {
		return false;
	}
	if (r->rsp_prod - r->oldest > RING_SLOTS) { /* that full */
		r->oldest = r->rsp_prod;
	}
	for (uint32_t i = r->oldest; i != r->req_prod; i++) {
		r->is_extra[i % RING_SLOTS] = extra;
		extra = !extra && (r->slot[i % RING_SLOTS].req.flags &
				   NETTXF_extra_info);
	}
	forget_before_empty(r);
	return true;
}

/* ---- the balance --------------------------------------------------------- */

static uint64_t mark_of(uint16_t id)
{
	uint64_t x = (id + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ (x >> 32);
}

/* What the id stands for in the sums, in or out. */
static void sum(struct balance *b, uint16_t id, int32_t by)
{
	if (b->of[id] == 1) {
		b->mark ^= mark_of(id);
	} else if (b->of[id] != 0) {
		b->wrong += by;
	}
}

static void add(struct balance *b, uint16_t id, int16_t by)
{
	sum(b, id, -1);
	b->of[id] = (int16_t)(b->of[id] + by);
	sum(b, id, 1);
}

static void add_request(struct balance *b, const struct ring *r, uint32_t i)
{
	if (r->is_extra[i % RING_SLOTS]) {
		b->nulls++;
	} else {
		add(b, r->slot[i % RING_SLOTS].req.id, 1);
	}
}

static void add_answer(struct balance *b, const struct ring *r, uint32_t i)
{
	const struct netif_tx_response *rsp = &r->slot[i % RING_SLOTS].rsp;

	if (rsp->status == NETIF_RSP_NULL) {
		b->nulls--;
	} else {
		add(b, rsp->id, -1);
	}
}

/* Of what was asked from @from on, and answered from there on. */
static void balance_from(struct balance *b, const struct ring *r, uint32_t from)
{
	memset(b, 0, sizeof(*b));
	for (uint32_t i = r->rsp_prod; i != r->req_prod; i++) {
		add_request(b, r, i);
	}
	for (uint32_t i = r->rsp_prod; i != from; i--) {
		add_request(b, r, i - 1);
		add_answer(b, r, i - 1);
	}
}

/* ---- the vote ------------------------------------------------------------ */

static uint32_t votes_of(struct balance *b, const struct ring *r,
			 struct vote *votes)
{
	uint32_t n = 0;

	balance_from(b, r, r->rsp_prod);
	for (uint32_t from = r->rsp_prod;; from--) {
		if (!b->wrong && b->nulls >= 0 &&
		    !r->is_extra[from % RING_SLOTS]) {
			votes[n++] = (struct vote){ b->mark, b->nulls, from };
		}
		if (from == r->oldest) {
			return n;
		}
		add_request(b, r, from - 1);
		add_answer(b, r, from - 1);
	}
}

/* The one with most votes; of two the one that looks back further. */
static bool count_votes(const struct vote *votes, uint32_t n, uint32_t *from)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t same = 0;

		for (uint32_t k = 0; k < n; k++) {
			same += votes[k].mark == votes[i].mark &&
				votes[k].nulls == votes[i].nulls;
		}
		if (same >= most) {
			most = same;
			*from = votes[i].from;
		}
	}
	return most;
}

static void list(struct balance *b, const struct ring *r, uint32_t from,
		 struct tx_left *left)
{
	for (uint32_t i = from; i != r->req_prod; i++) {
		uint16_t id = r->slot[i % RING_SLOTS].req.id;

		if (!r->is_extra[i % RING_SLOTS] && b->of[id] == 1) {
			b->of[id] = 0;
			left->id[left->ids++] = id;
		}
	}
}

/* Those of the list that no slot asks for any more. */
static uint32_t overtaken(struct balance *b, const struct ring *r,
			  const struct tx_left *left)
{
	uint32_t n = 0;

	balance_from(b, r, r->rsp_prod);
	for (uint32_t i = 0; i < left->ids; i++) {
		n += b->of[left->id[i]] == 0;
	}
	return n;
}

bool tx_ring_read(const void *page, struct tx_left *left)
{
	static struct balance b;
	static struct vote votes[RING_SLOTS + 1];
	static struct ring r;
	uint32_t from = 0;

	memset(left, 0, sizeof(*left));
	memset(&r, 0, sizeof(r));
	if (!ring_copy(page, &r) ||
	    !count_votes(votes, votes_of(&b, &r, votes), &from)) {
		return false;
	}
	left->first = r.rsp_prod;
	balance_from(&b, &r, from);
	left->nulls = (uint32_t)b.nulls;
	list(&b, &r, from, left);
	left->overtaken = overtaken(&b, &r, left);
	return left->nulls <= left->ids;
}

/* ---- the next backend's -------------------------------------------------- */

static void put(char *page, uint32_t i, const union tx_slot *s)
{
	memcpy(page + slot_at(i), s, sizeof(*s));
}

void tx_ring_empty(void *page, const struct tx_left *left)
{
	union tx_slot s;
	uint32_t at = left->first;

	for (uint32_t i = 0; i < left->ids; i++) {
		bool extra = i < left->nulls;

		memset(&s, 0, sizeof(s));
		s.req.id = left->id[i];
		s.req.flags = extra ? NETTXF_extra_info : 0;
		put(page, at++, &s);
		if (extra) {
			memset(&s, 0, sizeof(s));
			s.extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
			put(page, at++, &s);
		}
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
