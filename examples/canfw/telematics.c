/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit with the radio, which nobody inside of the car trusts. It sends
 * the three kinds of frames that it should, and on command what an attacker
 * who has taken it over would send.
 */
#include "../filter/frame.h"
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"

#define STEPS_HZ 20u
#define FLOOD 2000u
#define IDS 2048u /* of a CAN bus with 11 bits */

static struct bh_link link;

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	} else if (intid == INTID_UART) {
		uart_take();
	} else if (intid == INTID_TIMER) {
		beat_take();
	}
}

/* Sleeps while the firewall has to read first. */
static void send(uint32_t id, uint32_t length)
{
	static uint8_t number;
	struct bh_message m = { .id = id, .length = length };
	enum bh_result r;

	m.data.bytes[0] = number++;
	while ((r = bh_send(&link, &m)) != BH_OK) {
		if (r == BH_CORRUPT) {
			bh_link_restart(&link);
		} else if (r != BH_NEW) {
			wait_for_interrupt();
		}
	}
}

/* What it is for: 20 frames of speed, 10 of the brake, 2 of the doors a second. */
static void traffic(void)
{
	static uint32_t step;

	send(ID_SPEED, 2);
	if (step % 2 == 0) {
		send(ID_BRAKE, 1);
	}
	if (step % 10 == 0) {
		send(ID_DOOR, 4);
	}
	step++;
}

/* ---- what it should not do ----------------------------------------------- */

static void flood(void)
{
	for (uint32_t i = 0; i < FLOOD; i++) {
		send(ID_SPEED, 2);
	}
}

static void scan(void)
{
	for (uint32_t id = 0; id < IDS; id++) {
		if (id != ID_SPEED && id != ID_BRAKE && id != ID_DOOR) {
			send(id, 8);
		}
	}
}

static void too_long(void)
{
	for (uint32_t i = 0; i < 100; i++) {
		send(ID_BRAKE, 8);
	}
}

/* The next frame would mend it: the firewall is to see it first. */
static void break_ring(void)
{
	link.mine->head = link.head + 1000;
	bh_event_send(PORT_UNTRUSTED);
	for (uint32_t i = 0; i < 2; i++) { /* a step of time at least */
		wait_for_interrupt();
	}
}

static const struct attack {
	const char *name;
	const char *what;
	void (*run)(void);
} attacks[] = {
	{ "flood", "2000 frames of one id\n", flood },
	{ "scan", "a frame of each id that is not its own, 2045\n", scan },
	{ "long", "100 frames of 8 bytes where 1 is agreed\n", too_long },
	{ "ring", "an index of the shared memory that cannot be\n",
	  break_ring },
	{ "crash", "it crashes\n", bh_crash },
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static void type(const char *line)
{
	for (uint32_t i = 0; i < ATTACKS; i++) {
		if (same_text(line, attacks[i].name)) {
			put_text("telematics: ");
			put_text(attacks[i].what);
			attacks[i].run();
			return;
		}
	}
	put_text("telematics: knows flood, scan, long, ring, crash\n");
}

void main(void)
{
	struct bh_link_config c = { BOX, BOX_BYTES, 0, PORT_UNTRUSTED };

	gic_init();
	events_listen(NULL);
	uart_listen();
	bh_link_open(&link, &c);
	put_text("telematics: begins; type flood, scan, long, ring or crash\n");
	beat_start(STEPS_HZ);
	beats_for_ever(traffic, type);
}
