/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest at the end of the chain. It checks all that comes against what was
 * agreed, and says so; when nothing has come for three seconds it powers off,
 * and by filter.cfg the machine with it.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "frame.h"

#define AT_ONCE 64u
#define QUIET_S 3u

static struct bh_link link;
static uint32_t seconds; /* of quiet */
static uint32_t good;
static uint32_t bad;

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	} else if (intid == INTID_TIMER) {
		seconds++;
		timer_at(counter() + counter_hz());
	}
}

static bool is_agreed(const struct bh_message *m)
{
	return (m->id == ID_SPEED && m->length == 2) ||
	       (m->id == ID_BRAKE && m->length == 1) ||
	       (m->id == ID_DOOR && m->length == 4);
}

static void take(struct bh_message *m)
{
	seconds = 0;
	good += is_agreed(m);
	bad += !is_agreed(m);
}

static void report(void)
{
	put_text("trusted: ");
	put_number(good, 10);
	put_text(" frames, ");
	put_number(bad, 10);
	put_text(" that should not have come\n");
}

void main(void)
{
	struct bh_link_config c = { OUTBOX, BOX_BYTES, 1, PORT_TRUSTED };
	uint32_t told = 0;

	gic_init();
	events_listen(NULL);
	gic_enable(INTID_TIMER);
	timer_at(counter() + counter_hz());
	bh_link_open(&link, &c);
	while (seconds < QUIET_S || good == 0) {
		if (!bh_receive_some(&link, AT_ONCE, take)) {
			wait_for_interrupt();
		}
		if (seconds == 1 && told != good + bad) {
			told = good + bad;
			report();
		}
	}
	put_text("trusted: nothing comes any more; good bye\n");
	hvc(PSCI_SYSTEM_OFF, 0);
}
