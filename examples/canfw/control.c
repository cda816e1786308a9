/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner bus: a control loop of 100 Hz that takes what the firewall lets
 * through. It counts by id, and what should not have come.
 */
#include "../filter/frame.h"
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"

#define RATE_HZ 100u
#define REPORT_CYCLES 500u
#define AT_ONCE 16u /* frames, then the cycle if it is time */

static struct bh_link link;

static struct frames {
	uint32_t speed;
	uint32_t brake;
	uint32_t door;
	uint32_t wrong;
} n;

static uint32_t cycles;

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	} else if (intid == INTID_TIMER) {
		beat_take();
	}
}

static void take(struct bh_message *m)
{
	if (m->id == ID_SPEED && m->length == 2) {
		n.speed++;
	} else if (m->id == ID_BRAKE && m->length == 1) {
		n.brake++;
	} else if (m->id == ID_DOOR && m->length == 4) {
		n.door++;
	} else {
		n.wrong++;
	}
}

static void report(void)
{
	put_count("control: speed ", n.speed);
	put_count(", brake ", n.brake);
	put_count(", door ", n.door);
	put_count(" frames in 5 s; wrong ", n.wrong);
	put_count("; cycles ", cycles);
	put_count(", missed ", beats_missed());
	put_text("\n");
	n = (struct frames){ .wrong = n.wrong };
}

static void cycle(void)
{
	cycles++;
	if (cycles % REPORT_CYCLES == 0) {
		report();
	}
}

void main(void)
{
	struct bh_link_config c = { OUTBOX, BOX_BYTES, 1, PORT_TRUSTED };

	gic_init();
	events_listen(NULL);
	bh_link_open(&link, &c);
	put_text("control: begins, 100 cycles a second\n");
	beat_start(RATE_HZ);
	for (;;) {
		/* Soon: what waits takes the room of what comes later. */
		bool more = bh_receive_some(&link, AT_ONCE, take);

		if (beat_is_due()) {
			cycle();
		} else if (!more) {
			wait_for_interrupt();
		}
	}
}
