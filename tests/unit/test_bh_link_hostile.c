/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between domains: the other side at work between any two accesses
 * to the shared memory, and one that writes what it likes when it likes.
 */
// LINK: guests/lib/client/bh_link.c tests/fakes/fake_link.c
// CFLAGS: -Iguests/lib/client -include tests/fakes/fake_atomics.h
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fake_link.h"

TestSuite(bh_hostile, .init = link_setup, .fini = link_teardown);

/* ---- a hostile peer ------------------------------------------------------ */

static uint32_t nasty(void)
{
	static const uint32_t words[] = { 0, 1, SLOTS, SLOTS + 1, 0x7fffffff,
					  0x80000000, UINT32_MAX, 57, 56 };

	if (random_below(2)) {
		return words[random_below(sizeof(words) / 4)];
	}
	return side[0].tail + random_below(2 * SLOTS) - SLOTS / 2;
}

static void write_nonsense(void)
{
	uint32_t at = random_below(3) ? random_below(128) :
					random_below(BYTES);
	uint32_t value = nasty();

	memcpy(memory + at / 4 * 4, &value, 4);
}

static void expect_sane(enum bh_result r, const struct bh_message *m)
{
	cr_assert_leq(r, BH_MISMATCH);
	if (r == BH_OK) {
		cr_assert_leq(m->length, BH_DATA_BYTES);
	}
}

/* It writes anywhere, also where only we should; nothing of ours breaks. */
Test(bh_hostile, nonsense_everywhere)
{
	struct bh_message *m = malloc(sizeof(*m));
	unsigned int seen[BH_BAD_CALL + 1] = { 0 };

	open_both();
	for (uint32_t i = 0; i < 2000000; i++) {
		enum bh_result r;

		if (random_below(32) == 0) {
			write_nonsense();
		}
		if (random_below(2)) {
			*m = message(i);
			r = bh_send(&side[0], m);
		} else {
			r = bh_receive(&side[0], m);
		}
		expect_sane(r, m);
		seen[r]++;
		if (random_below(3) == 0) {
			bh_receive(&side[1], m); /* it gets going again */
		}
		if (random_below(64) == 0) {
			open_side(1);
		}
		if (random_below(r == BH_CORRUPT ? 4 : 128) == 0) {
			bh_link_restart(&side[0]);
		}
	}
	for (unsigned int r = BH_OK; r <= BH_MISMATCH; r++) {
		cr_assert_gt(seen[r], 100, "result %u is never seen", r);
	}
	free(m);
}

/* Each rule that it breaks is told, stays told, and a restart cures it. */
Test(bh_hostile, corrupt_indices)
{
	struct bh_message m = message(9);

	open_both();
	side[1].mine->head = SLOTS + 1;
	cr_assert_eq(bh_receive(&side[0], &m), BH_CORRUPT);
	side[1].mine->head = 0;
	cr_assert_eq(bh_send(&side[0], &m), BH_CORRUPT);
	bh_link_restart(&side[0]);
	cr_assert_eq(bh_send(&side[0], &m), BH_NEW);
	cr_assert_eq(bh_send(&side[0], &m), BH_DOWN);
	cr_assert_eq(bh_receive(&side[1], &m), BH_NEW);
	m = message(9);
	cr_assert_eq(bh_send(&side[0], &m), BH_OK);
	side[1].mine->tail = 2;
	cr_assert_eq(bh_send(&side[0], &m), BH_CORRUPT);
	open_side(1);
	cr_assert_eq(bh_send(&side[0], &m), BH_NEW);
}

/* Our own line, too: it is written anew when the other side begins again. */
Test(bh_hostile, all_of_it_overwritten)
{
	struct bh_message m = message(9);

	open_both();
	memset(memory, 0xa5, BYTES);
	bh_receive(&side[0], &m);
	open_side(1);
	cr_assert_eq(bh_send(&side[0], &m), BH_NEW);
	cr_assert_eq(bh_receive(&side[1], &m), BH_NEW);
	m = message(9);
	cr_assert_eq(bh_send(&side[0], &m), BH_OK);
	cr_assert_eq(bh_receive(&side[1], &m), BH_OK);
}

/*
 * Memory that is another at each read: what the peer writes, its index words
 * and its messages, changes before whatever load there is. It is in shape and
 * its lives are right, or nothing would get far.
 */
static void change(const volatile void *at)
{
	size_t offset = (size_t)((const volatile uint8_t *)at - memory);
	uint32_t lives = offsetof(struct bh_line, head);
	uint32_t value = nasty();

	if (offset - 64 < lives || random_below(4)) {
		return;
	}
	memcpy(memory + offset, &value, 4);
	if (offset >= 128) { /* the length of a message, or its data */
		value = random_below(2) ? 8 : nasty();
		memcpy(memory + offset + 4, &value, 4);
	}
}

Test(bh_hostile, memory_that_changes_at_each_read)
{
	struct bh_message *m = malloc(sizeof(*m));
	unsigned int seen[BH_BAD_CALL + 1] = { 0 };

	open_both();
	for (uint32_t i = 0; i < 300000; i++) {
		enum bh_result r;

		on_access = change;
		r = bh_receive(&side[0], m);
		expect_sane(r, m);
		seen[r]++;
		*m = message(i);
		r = bh_send(&side[0], m);
		on_access = NULL;
		expect_sane(r, m);
		if (r == BH_CORRUPT || r == BH_DOWN) {
			bh_link_restart(&side[0]);
			open_side(1);
			bh_send(&side[0], m);
			bh_send(&side[1], m);
		}
	}
	cr_assert_gt(seen[BH_OK], 1000);
	cr_assert_gt(seen[BH_CORRUPT], 1000);
	free(m);
}

/* ---- the other side between any two accesses ----------------------------- */

static struct {
	uint32_t sent;	   /* messages that this side has sent */
	uint32_t got;	   /* the last one of the other side's */
	bool gap;	   /* some may be lost: a life has ended */
	bool event;	   /* has come, and it has not looked since */
	bool wants_data;   /* its last look told it to wait */
	bool wants_room;
} race[2];
static unsigned int acting; /* the side whose call is interrupted */
static uint32_t accesses;   /* until it is */

static void race_event(unsigned int from)
{
	race[1 - from].event = true;
}

static void forget_lives(void)
{
	race[0].gap = race[1].gap = true;
}

static void race_receive(unsigned int s)
{
	struct bh_message m;
	enum bh_result r;

	race[s].event = false;
	r = bh_receive(&side[s], &m);
	race[s].wants_data = r == BH_EMPTY || r == BH_DOWN;
	race[s].wants_room = false; /* it is awake and would look again */
	cr_assert(r != BH_CORRUPT && r != BH_MISMATCH);
	if (r == BH_OK) {
		expect_same(&m, m.id);
		cr_assert(race[s].gap ? m.id > race[s].got :
					m.id == race[s].got + 1,
			  "%u after %u", m.id, race[s].got);
		race[s].got = m.id;
		race[s].gap = false;
	} else if (r == BH_NEW) {
		forget_lives();
	}
}

static void race_send(unsigned int s)
{
	struct bh_message m = message(race[s].sent + 1);
	enum bh_result r;

	race[s].event = false;
	r = bh_send(&side[s], &m);
	race[s].wants_room = r == BH_FULL || r == BH_DOWN;
	race[s].wants_data = false;
	cr_assert(r != BH_CORRUPT && r != BH_MISMATCH);
	if (r == BH_OK) {
		race[s].sent++;
	} else if (r == BH_NEW) {
		forget_lives();
	}
}

static void race_step(unsigned int s)
{
	uint32_t dice = random_below(400);

	if (dice < 2) {
		forget_lives();
		race[s].wants_data = false;
		race[s].wants_room = false;
		open_side(s);
	} else if (dice < 200) {
		race_send(s);
	} else {
		race_receive(s);
	}
}

static void interrupt(const volatile void *at)
{
	(void)at;
	if (accesses-- == 0) {
		on_access = NULL;
		for (uint32_t n = random_below(SLOTS + 2); n; n--) {
			race_step(1 - acting);
		}
	}
}

/* There is something to do for a side that waits for an event. */
static bool sleeps_too_long(unsigned int s)
{
	const struct bh_link *l = &side[s];
	bool up = l->theirs->seen == l->epoch;

	if (race[s].event || !(race[s].wants_data || race[s].wants_room)) {
		return false;
	}
	if (l->theirs->epoch != l->peer) {
		return true;
	}
	return up && (race[s].wants_data ?
			      l->theirs->head != l->tail :
			      l->head - l->theirs->tail < l->slots);
}

Test(bh_hostile, the_other_side_between_any_two_accesses)
{
	link_bytes = BH_LINK_BYTES(2);
	on_event = race_event;
	open_side(0);
	open_side(1);
	forget_lives();
	for (uint32_t i = 0; i < 2000000; i++) {
		acting = random_below(2);
		accesses = random_below(16);
		on_access = interrupt;
		race_step(acting);
		on_access = NULL;
		cr_assert(!sleeps_too_long(0) && !sleeps_too_long(1), "%u", i);
	}
	cr_assert_gt(race[0].got, 10000);
	cr_assert_gt(race[1].got, 10000);
}
