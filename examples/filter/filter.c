/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter between two guests that share nothing: what is on its list goes
 * on, with the right length and not too often; everything else it drops and
 * counts.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "frame.h"

#define AT_ONCE 64u	 /* frames of one turn: then the rest of its work */
#define MOST_WAKES 1000u /* a second; more is a flood: then by the clock only */

/* The list. Frames of an id in half a second: up to most. */
static const struct rule {
	uint32_t id;
	uint32_t length;
	uint32_t most;
} rules[] = {
	{ ID_SPEED, 2, 40 },
	{ ID_BRAKE, 1, 20 },
	{ ID_DOOR, 4, 10 },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

static struct bh_link in;
static struct bh_link out;
static uint32_t taken[RULES]; /* of this half second */
static uint64_t window;	      /* when it began, in counts */
static uint32_t wakes;	      /* by the untrusted guest, of this second */

static struct {
	uint32_t passed;
	uint32_t bad_id;
	uint32_t bad_length;
	uint32_t too_often;
	uint32_t no_room;
	uint32_t broken; /* times that the ring itself was against the rules */
	uint32_t floods; /* of events */
} n, said;

static void event(uint32_t port)
{
	if (port == PORT_FILTER && ++wakes == MOST_WAKES) {
		bh_event_mask(port);
		n.floods++;
	}
}

/* A flood costs us no more than this: the rest of its second is quiet. */
static void second(void)
{
	timer_at(counter() + counter_hz());
	if (wakes >= MOST_WAKES) {
		bh_event_unmask(PORT_FILTER);
	}
	wakes = 0;
}

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(event);
	} else if (intid == INTID_TIMER) {
		second();
	}
}

static uint32_t rule_of(uint32_t id)
{
	uint32_t i = 0;

	while (i < RULES && rules[i].id != id) {
		i++;
	}
	return i;
}

static bool is_too_often(uint32_t rule)
{
	uint64_t now = counter();

	if (now - window >= counter_hz() / 2) {
		window = now;
		for (uint32_t i = 0; i < RULES; i++) {
			taken[i] = 0;
		}
	}
	return taken[rule]++ >= rules[rule].most;
}

/* A copy: nobody else can change it any more. */
static void take_frame(const struct bh_message *m)
{
	uint32_t rule = rule_of(m->id);
	enum bh_result r;

	if (rule == RULES) {
		n.bad_id++;
	} else if (m->length != rules[rule].length) {
		n.bad_length++;
	} else if (is_too_often(rule)) {
		n.too_often++;
	} else {
		r = bh_send(&out, m);
		if (r == BH_NEW) { /* it has just begun: once more */
			r = bh_send(&out, m);
		}
		n.passed += r == BH_OK;
		n.no_room += r != BH_OK;
	}
}

/* True when there may be more. */
static bool read_some(void)
{
	struct bh_message m;
	enum bh_result r;

	for (uint32_t i = 0; i < AT_ONCE; i++) {
		r = bh_receive(&in, &m);
		if (r == BH_OK) {
			take_frame(&m);
		} else if (r == BH_CORRUPT) {
			n.broken++;
			bh_link_restart(&in);
		} else if (r != BH_NEW) {
			return false;
		}
	}
	return true;
}

static uint32_t sum(void)
{
	return n.passed + n.bad_id + n.bad_length + n.too_often + n.no_room +
	       n.broken + n.floods;
}

/* After a burst, once. */
static void report(void)
{
	static uint32_t last;

	if (sum() != last) {
		last = sum();
		return;
	}
	if (said.passed == n.passed && said.broken == n.broken &&
	    said.floods == n.floods) {
		return;
	}
	said = n;
	put_count("filter: passed ", n.passed);
	put_count("; dropped: id ", n.bad_id);
	put_count(", length ", n.bad_length);
	put_count(", rate ", n.too_often);
	put_count(", full ", n.no_room);
	put_count("; mended ", n.broken);
	put_count(", floods ", n.floods);
	put_text("\n");
}

void main(void)
{
	struct bh_link_config ci = { BOX, BOX_BYTES, 1, PORT_FILTER };
	struct bh_link_config co = { OUTBOX, BOX_BYTES, 0, PORT_FILTER_OUT };

	gic_init();
	events_listen(event);
	gic_enable(INTID_TIMER);
	timer_at(counter() + counter_hz());
	bh_link_open(&in, &ci);
	bh_link_open(&out, &co);
	put_text("filter: begins\n");
	for (;;) {
		bool more = read_some();

		report();
		if (!more) {
			wait_for_interrupt();
		}
	}
}
