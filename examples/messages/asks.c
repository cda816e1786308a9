/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first of two guests that exchange messages; it has the keyboard. What is
 * typed goes to the second one and comes back in capitals. Before that it
 * measures how long messages are under way.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "words.h"

#define ROUNDS 1000u

static struct bh_link box;
static uint32_t rounds_left;
static uint64_t to_handler; /* sums of counts */
static uint64_t to_message;

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	} else if (intid == INTID_UART) {
		uart_take();
	}
}

/* So that no round meets the others at the same point of a count. */
static void pause(uint32_t turns)
{
	for (uint32_t i = 0; i < turns; i++) {
		asm volatile("yield");
	}
}

static void send_stamp(void)
{
	struct bh_message m = { .id = ID_STAMP, .length = 8 };

	pause(400 + rounds_left % 16);
	m.data.words[0] = machine_counter();
	bh_send(&box, &m);
}

static void show(const char *what, uint64_t sum)
{
	put_text(what);
	put_number(ticks_to_ns(sum) / ROUNDS, 10);
	put_text(" ns\n");
}

static void take_stamps(const struct bh_message *m)
{
	to_handler += m->data.words[1] - m->data.words[0];
	to_message += m->data.words[2] - m->data.words[0];
	rounds_left--;
	if (rounds_left) {
		send_stamp();
		return;
	}
	show("asks: from sending to the other's interrupt handler: ",
	     to_handler);
	show("asks: ... until it has the message: ", to_message);
	put_text("asks: type a line; \"crash\" has the other one crash, \"off\" "
		 "powers this one off\n");
}

static void start_measuring(void)
{
	to_handler = to_message = 0;
	rounds_left = ROUNDS;
	send_stamp();
}

static void show_text(const struct bh_message *m)
{
	put_text("asks: got \"");
	for (uint32_t i = 0; i < m->length; i++) {
		put_char((char)m->data.bytes[i]);
	}
	put_text("\"\n");
}

static void take_message(const struct bh_message *m)
{
	if (m->id == ID_STAMP && m->length == sizeof(struct stamps) &&
	    rounds_left) {
		take_stamps(m);
	} else if (m->id == ID_TEXT) {
		show_text(m);
	}
}

static void type(const char *line)
{
	struct bh_message m = { .id = ID_TEXT };

	if (same_text(line, "off")) {
		put_text("asks: good bye\n");
		hvc(PSCI_SYSTEM_OFF, 0);
	}
	if (same_text(line, "crash")) {
		m.id = ID_CRASH;
	}
	for (; line[m.length] && m.length < BH_DATA_BYTES; m.length++) {
		m.data.bytes[m.length] = (uint8_t)line[m.length];
	}
	if (bh_send(&box, &m) != BH_OK) {
		put_text("asks: the other one does not listen now\n");
	}
}

/* Everything that has come. */
static void read_all(void)
{
	struct bh_message m;
	enum bh_result r;

	do {
		r = bh_receive(&box, &m);
		if (r == BH_OK) {
			take_message(&m);
		} else if (r == BH_NEW) {
			put_text("asks: the other one has begun\n");
			if (rounds_left) { /* its answer is lost: anew */
				rounds_left = 0;
				to_message = 0;
			}
		} else if (r == BH_CORRUPT) {
			put_text("asks: the other one broke the rules\n");
			bh_link_restart(&box);
		}
	} while (r != BH_EMPTY && r != BH_DOWN && r != BH_MISMATCH);
	if (r == BH_EMPTY && rounds_left == 0 && to_message == 0) {
		start_measuring();
	}
}

void main(void)
{
	struct bh_link_config c = { BOX, BOX_BYTES, 0, PORT_ASKS };

	gic_init();
	events_listen(NULL);
	uart_listen();
	bh_link_open(&box, &c);
	for (;;) {
		const char *line = uart_line();

		if (line) {
			type(line);
		}
		read_all();
		if (rounds_left) { /* awake: only the other one's way counts */
			asm volatile("yield");
		} else {
			wait_for_interrupt();
		}
	}
}
