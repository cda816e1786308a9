/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between domains: each rule, against a model with random restarts,
 * and between two threads that sleep.
 */
// LINK: guests/lib/client/bh_link.c tests/fakes/fake_link.c
// CFLAGS: -Iguests/lib/client -include tests/fakes/fake_atomics.h
// LIBS: -lpthread
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "fake_link.h"

#define HANG_S 120

static sem_t wake[2];

TestSuite(bh_link, .init = link_setup, .fini = link_teardown);

/* ---- rules --------------------------------------------------------------- */

Test(bh_link, what_open_takes)
{
	struct bh_link_config c = { memory, BYTES, 2, PORT };
	struct bh_link l;

	cr_assert_eq(bh_link_open(&l, &c), BH_BAD_CALL);
	c.side = 0;
	c.memory = memory + 8;
	cr_assert_eq(bh_link_open(&l, &c), BH_BAD_CALL);
	c.memory = memory;
	c.bytes = BH_LINK_BYTES(1) - 1;
	cr_assert_eq(bh_link_open(&l, &c), BH_BAD_CALL);
	c.bytes = BYTES - 1;
	cr_assert_eq(bh_link_open(&l, &c), BH_OK);
	cr_assert_eq(l.slots, SLOTS / 2);
	c.bytes = BYTES;
	cr_assert_eq(bh_link_open(&l, &c), BH_OK);
	cr_assert_eq(l.slots, SLOTS);
}

Test(bh_link, alone_and_with_another_shape)
{
	struct bh_message m = message(1);
	struct bh_link_config c = { memory, BYTES / 2, 1, PORT + 1 };

	open_side(0);
	cr_assert_eq(bh_send(&side[0], &m), BH_DOWN);
	cr_assert_eq(bh_receive(&side[0], &m), BH_DOWN);
	cr_assert_eq(bh_link_open(&side[1], &c), BH_OK);
	cr_assert_eq(bh_send(&side[0], &m), BH_MISMATCH);
	cr_assert_eq(bh_receive(&side[1], &m), BH_MISMATCH);
	open_side(1);
	cr_assert_eq(bh_send(&side[0], &m), BH_NEW);
}

Test(bh_link, too_long_and_full)
{
	struct bh_message m;

	open_both();
	m = message(1);
	m.length = BH_DATA_BYTES + 1;
	cr_assert_eq(bh_send(&side[0], &m), BH_BAD_CALL);
	m.length = UINT32_MAX;
	cr_assert_eq(bh_send(&side[0], &m), BH_BAD_CALL);
	for (uint32_t i = 0; i < SLOTS; i++) {
		m = message(i);
		cr_assert_eq(bh_send(&side[0], &m), BH_OK);
	}
	cr_assert_eq(bh_send(&side[0], &m), BH_FULL);
	for (uint32_t i = 0; i < SLOTS; i++) {
		cr_assert_eq(bh_receive(&side[1], &m), BH_OK);
		expect_same(&m, i);
	}
	cr_assert_eq(bh_receive(&side[1], &m), BH_EMPTY);
}

/* One event for a burst, one when a full ring has room again. */
Test(bh_link, few_events)
{
	struct bh_message m = message(5);

	open_both();
	events[0] = events[1] = 0;
	for (uint32_t i = 0; i < SLOTS; i++) {
		bh_send(&side[0], &m);
	}
	cr_assert_eq(events[0], 1);
	for (uint32_t i = 0; i < SLOTS; i++) {
		bh_receive(&side[1], &m);
	}
	cr_assert_eq(events[1], 1);
}

static uint32_t got;

static void take(struct bh_message *m)
{
	expect_same(m, got);
	got++;
}

/* Never more than asked for; nothing left, a broken link mended: no more. */
Test(bh_link, some_at_a_time)
{
	struct bh_message m;

	open_both();
	cr_assert(!bh_receive_some(&side[1], 4, take));
	for (uint32_t i = 0; i < SLOTS; i++) {
		m = message(i);
		cr_assert_eq(bh_send(&side[0], &m), BH_OK);
	}
	cr_assert(bh_receive_some(&side[1], 3, take));
	cr_assert_eq(got, 3);
	cr_assert(!bh_receive_some(&side[1], SLOTS, take));
	cr_assert_eq(got, SLOTS);
	side[0].mine->head += 1000;
	cr_assert(!bh_receive_some(&side[1], SLOTS, take));
	cr_assert_eq(got, SLOTS);
	cr_assert(!side[1].broken);
	m = message(SLOTS);
	while (bh_send(&side[0], &m) != BH_OK) {
		(void)bh_receive_some(&side[1], SLOTS, take);
	}
	cr_assert(!bh_receive_some(&side[1], SLOTS, take));
	cr_assert_eq(got, SLOTS + 1);
}

Test(bh_link, nothing_beyond_the_message_goes_out)
{
	struct bh_message m = message(0);

	open_both();
	memset(m.data.bytes, 0xaa, sizeof(m.data.bytes));
	for (uint32_t i = 0; i < SLOTS; i++) {
		m.length = 1 + i * 3;
		cr_assert_eq(bh_send(&side[0], &m), BH_OK);
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		const uint8_t *slot = memory + 128 + i * sizeof(m);

		for (uint32_t k = 0; k < BH_DATA_BYTES; k++) {
			cr_assert_eq(slot[8 + k], k < 1 + i * 3 ? 0xaa : 0);
		}
	}
}

/* Every state that the other side is in while it begins again. */
Test(bh_link, half_a_restart)
{
	struct bh_line *line;
	struct bh_message m = message(3);
	uint32_t epoch;

	open_both();
	line = side[0].mine;
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(bh_send(&side[0], &m), BH_OK);
		cr_assert_eq(bh_receive(&side[1], &m), BH_OK);
	}
	cr_assert_eq(bh_send(&side[0], &m), BH_OK);
	epoch = line->epoch;
	line->epoch = 0;
	cr_assert_eq(bh_receive(&side[1], &m), BH_DOWN);
	line->seen = line->head = line->tail = 0;
	cr_assert_eq(bh_receive(&side[1], &m), BH_DOWN);
	cr_assert_eq(bh_send(&side[1], &m), BH_DOWN);
	line->epoch = epoch + 1;
	cr_assert_eq(bh_send(&side[1], &m), BH_NEW);
	cr_assert_eq(bh_send(&side[1], &m), BH_DOWN);
	line->seen = side[1].epoch;
	cr_assert_eq(bh_send(&side[1], &m), BH_OK);
}

static void begin_again(const volatile void *at)
{
	if (at == &side[1].mine->head) {
		side[1].mine->epoch = side[1].mine->head = 0;
	}
}

/* Its new index, 0, lies a few messages beyond ours when ours go round. */
Test(bh_link, a_restart_while_indices_go_round)
{
	struct bh_message m;

	open_both();
	side[0].tail = side[1].mine->head = UINT32_MAX - 2;
	on_access = begin_again;
	cr_assert_eq(bh_receive(&side[0], &m), BH_DOWN);
}

/* ---- a random model ------------------------------------------------------ */

static struct {
	uint32_t id[SLOTS];
	uint32_t n;
} queue[2]; /* what each side has sent and the other has not read */
static bool is_open[2];
static bool is_new[2];	  /* it has not been told yet that the peer is new */
static bool cannot_read[2]; /* it saw so, and has had no event since */
static bool cannot_send[2];

static void model_event(unsigned int from)
{
	cannot_read[1 - from] = cannot_send[1 - from] = false;
}

/* What a call of side s says, but for the state of the rings. */
static enum bh_result model_peer(unsigned int s)
{
	if (!is_open[1 - s]) {
		return BH_DOWN;
	}
	if (is_new[s]) {
		return BH_NEW;
	}
	return is_new[1 - s] ? BH_DOWN : BH_OK;
}

static enum bh_result model_receive(unsigned int s)
{
	enum bh_result r = model_peer(s);

	return r == BH_OK && queue[1 - s].n == 0 ? BH_EMPTY : r;
}

static enum bh_result model_send(unsigned int s)
{
	enum bh_result r = model_peer(s);

	return r == BH_OK && queue[s].n == SLOTS ? BH_FULL : r;
}

static void step_send(unsigned int s, uint32_t id)
{
	struct bh_message m = message(id);
	enum bh_result want = model_send(s);

	cr_assert_eq(bh_send(&side[s], &m), want);
	if (want == BH_OK) {
		queue[s].id[queue[s].n++] = id;
	} else if (want == BH_NEW) {
		is_new[s] = false;
	} else {
		cannot_send[s] = true;
	}
}

static void step_receive(unsigned int s)
{
	struct bh_message m;
	enum bh_result want = model_receive(s);

	cr_assert_eq(bh_receive(&side[s], &m), want);
	if (want == BH_OK) {
		expect_same(&m, queue[1 - s].id[0]);
		queue[1 - s].n--;
		memmove(queue[1 - s].id, queue[1 - s].id + 1,
			queue[1 - s].n * sizeof(m.id));
	} else if (want == BH_NEW) {
		is_new[s] = false;
	} else {
		cannot_read[s] = true;
	}
}

/* The domain begins again: nothing is left but the shared memory. */
static void step_restart(unsigned int s)
{
	if (random_below(2)) {
		memset(&side[s], 0x5a, sizeof(side[s]));
		open_side(s);
	} else if (is_open[s]) {
		bh_link_restart(&side[s]);
	} else {
		return;
	}
	is_open[s] = is_new[s] = true;
	is_new[1 - s] = true;
	queue[0].n = queue[1].n = 0;
	cannot_read[s] = cannot_send[s] = false;
}

/* As if many messages had gone from s to the other one. */
static void step_warp(unsigned int s)
{
	uint32_t by = (UINT32_MAX - side[s].head) / SLOTS * SLOTS;

	if (model_peer(s) == BH_OK) {
		side[s].head += by;
		side[s].mine->head += by;
		side[1 - s].tail += by;
		side[1 - s].mine->tail += by;
	}
}

static void step(uint32_t i)
{
	unsigned int s = random_below(2);
	uint32_t dice = random_below(1000);

	if (dice < 3 || !is_open[s]) {
		step_restart(s);
	} else if (dice < 8) {
		step_warp(s);
	} else if (dice < 500 + (i / 300 % 2 ? 100 : 0)) {
		step_send(s, i);
	} else {
		step_receive(s);
	}
}

Test(bh_link, model)
{
	on_event = model_event;
	for (uint32_t i = 0; i < 2000000; i++) {
		step(i);
		for (unsigned int s = 0; s < 2; s++) {
			cr_assert(!cannot_read[s] ||
				  model_receive(s) == BH_EMPTY ||
				  model_receive(s) == BH_DOWN,
				  "%u: side %u sleeps over a message", i, s);
			cr_assert(!cannot_send[s] ||
				  model_send(s) == BH_FULL ||
				  model_send(s) == BH_DOWN,
				  "%u: side %u sleeps over room", i, s);
		}
	}
}

/* ---- two CPUs ------------------------------------------------------------ */

#define PASSED 100000u

static void post(unsigned int from)
{
	sem_post(&wake[1 - from]);
}

static void sleep_until_event(unsigned int s)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += HANG_S;
	cr_assert_eq(sem_timedwait(&wake[s], &end), 0, "a lost event");
}

static void *writer(void *arg)
{
	for (uint32_t i = 0; i < PASSED;) {
		struct bh_message m = message(i);
		enum bh_result r = bh_send(&side[0], &m);

		if (r == BH_OK) {
			i++;
		} else if (r == BH_FULL || r == BH_DOWN) {
			sleep_until_event(0);
		} else {
			cr_assert_eq(r, BH_NEW);
		}
	}
	return arg;
}

/* Neither looks again without an event; none is lost, nor a message. */
static void run_two_threads(uint32_t slots)
{
	pthread_t other;

	link_bytes = BH_LINK_BYTES(slots);
	sem_init(&wake[0], 0, 0);
	sem_init(&wake[1], 0, 0);
	on_event = post;
	open_side(0);
	open_side(1);
	pthread_create(&other, NULL, writer, NULL);
	for (uint32_t i = 0; i < PASSED;) {
		struct bh_message m;
		enum bh_result r = bh_receive(&side[1], &m);

		if (r == BH_OK) {
			expect_same(&m, i++);
		} else if (r == BH_EMPTY || r == BH_DOWN) {
			sleep_until_event(1);
		} else {
			cr_assert_eq(r, BH_NEW);
		}
	}
	pthread_join(other, NULL);
}

/* The more often it is full, the more races there are for the last slot. */
Test(bh_link, two_threads)
{
	run_two_threads(2);
	run_two_threads(SLOTS);
	run_two_threads(1);
}
