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

static uint8_t events_page[BH_PAGE_BYTES] __attribute__((aligned(4096)));
static struct bh_link link;
static volatile bool is_due;
static uint64_t period_counts;
static uint64_t due;

static struct frames {
	uint32_t speed;
	uint32_t brake;
	uint32_t door;
	uint32_t wrong;
} n;

static uint32_t cycles;
static uint32_t missed; /* that were not over when the next one was due */

void on_interrupt(uint32_t intid)
{
	uint64_t late;

	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	} else if (intid == INTID_TIMER) {
		late = (counter() - due) / period_counts; /* whole ones */
		due += period_counts * (1 + late);
		missed += is_due + (uint32_t)late;
		timer_at(due);
		is_due = true;
	}
}

static void take(const struct bh_message *m)
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

static void put_count(const char *what, uint32_t count)
{
	put_text(what);
	put_number(count, 10);
}

static void report(void)
{
	put_count("control: speed ", n.speed);
	put_count(", brake ", n.brake);
	put_count(", door ", n.door);
	put_count(" frames in 5 s; wrong ", n.wrong);
	put_count("; cycles ", cycles);
	put_count(", missed ", missed);
	put_text("\n");
	n = (struct frames){ .wrong = n.wrong };
}

/* As soon as they come: what waits takes the room of what comes later. */
static void read_some(void)
{
	struct bh_message m;

	for (uint32_t i = 0; i < AT_ONCE; i++) {
		enum bh_result r = bh_receive(&link, &m);

		if (r == BH_OK) {
			take(&m);
		} else if (r == BH_CORRUPT) {
			bh_link_restart(&link);
		} else if (r != BH_NEW) {
			break;
		}
	}
}

static void cycle(void)
{
	cycles++;
	is_due = false;
	if (cycles % REPORT_CYCLES == 0) {
		report();
	}
}

void main(void)
{
	struct bh_link_config c = { OUTBOX, BOX_BYTES, 1, PORT_TRUSTED };

	gic_init();
	bh_events_open(events_page);
	bh_events_take(NULL);
	gic_enable(BH_EVENT_INTID);
	gic_enable(INTID_TIMER);
	bh_link_open(&link, &c);
	put_text("control: begins, 100 cycles a second\n");
	period_counts = counter_hz() / RATE_HZ;
	due = counter() + period_counts;
	timer_at(due);
	for (;;) {
		read_some();
		if (is_due) {
			cycle();
		} else {
			wait_for_interrupt();
		}
	}
}
