/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of two equal controllers: it answers each sample with a command (PI).
 * Which of the two is in command, only the arbiter knows. Each answer is a sign
 * of life: without one for heartbeat_ms the hypervisor restarts it.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "control.h"

#define AT_ONCE 16u
#define LIES 5u /* wrong answers that one ID_LIE makes */

static struct bh_link box;
static uint32_t lies;

_Static_assert(sizeof(struct sample) <= BH_DATA_BYTES, "fits a message");

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	}
}

static int32_t limited(int32_t v, int32_t most)
{
	return v > most ? most : v < -most ? -most : v;
}

static struct command control(const struct sample *s)
{
	int32_t integral = limited(s->integral + s->error, 16 * LIMIT);

	return (struct command){
		.tick = s->tick,
		.integral = integral,
		.command = limited(s->error / 2 + integral / 16, LIMIT),
	};
}

static void answer(const struct bh_message *m)
{
	struct bh_message a = { .id = ID_COMMAND,
				.length = sizeof(struct command) };
	struct sample s;
	struct command c;

	__builtin_memcpy(&s, m->data.bytes, sizeof(s));
	c = control(&s);
	if (lies) {
		lies--;
		c.command = -c.command - 1;
	}
	__builtin_memcpy(a.data.bytes, &c, sizeof(c));
	bh_send(&box, &a);
	bh_alive();
}

static void take(struct bh_message *m)
{
	if (m->id == ID_SAMPLE && m->length == sizeof(struct sample)) {
		answer(m);
	} else if (m->id == ID_CRASH) {
		*(volatile uint32_t *)0 = 1; /* nothing is there */
	} else if (m->id == ID_HANG) {
		for (;;) {
		}
	} else if (m->id == ID_LIE) {
		lies = LIES;
	}
}

void main(void)
{
	struct bh_link_config c = { BOX_LEFT, BOX_BYTES, 1, PORT_CONTROLLER };

	gic_init();
	events_listen(NULL);
	bh_link_open(&box, &c);
	put_text("controller: begins\n");
	for (;;) {
		if (!bh_receive_some(&box, AT_ONCE, take)) {
			wait_for_interrupt();
		}
	}
}
