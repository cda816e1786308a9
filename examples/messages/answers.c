/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second of two guests that exchange messages: it sleeps until one comes
 * and answers it. messages.cfg has it restarted when it crashes.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "words.h"

#define AT_ONCE 16u

static struct bh_link box;
static uint64_t interrupted_at;

void on_interrupt(uint32_t intid)
{
	interrupted_at = machine_counter();
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	}
}

static void answer_text(struct bh_message *m)
{
	put_text("answers: got ");
	put_number(m->length, 10);
	put_text(" bytes\n");
	for (uint32_t i = 0; i < m->length; i++) {
		uint8_t c = m->data.bytes[i];

		m->data.bytes[i] = c >= 'a' && c <= 'z' ? c - 32 : c;
	}
	bh_send(&box, m);
}

static void answer_stamp(struct bh_message *m)
{
	m->data.words[2] = machine_counter();
	m->data.words[1] = interrupted_at;
	m->length = sizeof(struct stamps);
	bh_send(&box, m);
}

static void take_message(struct bh_message *m)
{
	if (m->id == ID_TEXT) {
		answer_text(m);
	} else if (m->id == ID_STAMP && m->length == 8) {
		answer_stamp(m);
	} else if (m->id == ID_CRASH) {
		put_text("answers: crashes now, as it was asked to\n");
		*(volatile uint32_t *)0 = 1; /* nothing is there */
	}
}

void main(void)
{
	struct bh_link_config c = { BOX, BOX_BYTES, 1, PORT_ANSWERS };

	gic_init();
	events_listen(NULL);
	bh_link_open(&box, &c);
	put_text("answers: begins\n");
	for (;;) {
		if (!bh_receive_some(&box, AT_ONCE, take_message)) {
			wait_for_interrupt();
		}
	}
}
