/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest that nobody trusts. Every two seconds it sends good frames, then
 * bad ones, then does to the shared memory what a broken or hostile program
 * could do, one thing after the other; then it behaves again.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "frame.h"

#define ROUNDS 12u
#define SETTLE_MS 20u

static struct bh_link link;
static volatile bool time_is_up;
static uint32_t seed = 1;

void on_interrupt(uint32_t intid)
{
	if (intid == BH_EVENT_INTID) {
		bh_events_take(NULL);
	} else if (intid == INTID_TIMER) {
		timer_off();
		time_is_up = true;
	}
}

static void rest(uint32_t ms)
{
	time_is_up = false;
	timer_at(counter() + counter_hz() / 1000 * ms);
	while (!time_is_up) {
		wait_for_interrupt();
	}
}

/* Sleeps while the filter has to read first. */
static void send(uint32_t id, uint32_t length, uint32_t times)
{
	struct bh_message m = { .id = id, .length = length };

	while (times) {
		enum bh_result r = bh_send(&link, &m);

		if (r == BH_OK) {
			m.data.bytes[0]++;
			times--;
		} else if (r == BH_CORRUPT) {
			bh_link_restart(&link);
		} else if (r != BH_NEW) {
			wait_for_interrupt();
		}
	}
}

/* ---- attacks ------------------------------------------------------------- */

static void head_far_ahead(void)
{
	link.mine->head = link.head + 1000;
}

static void impossible_length(void)
{
	link.out[(link.head & (link.slots - 1)) *
		 sizeof(struct bh_message) / 8] = UINT64_MAX;
	link.mine->head = link.head + 1;
}

static void head_goes_back(void)
{
	link.mine->head = link.head - 5;
}

static void noise_everywhere(void)
{
	volatile uint32_t *word = BOX;

	for (uint32_t i = 0; i < 50 * BOX_BYTES / 4; i++) {
		seed = seed * 1664525 + 1013904223;
		word[(seed >> 8) % (BOX_BYTES / 4)] = seed;
		if (i % 64 == 0) {
			bh_event_send(PORT_UNTRUSTED);
		}
	}
}

static void begins_all_the_time(void)
{
	for (uint32_t i = 0; i < 1000; i++) {
		bh_link_restart(&link);
	}
}

/* Yielding gives the other one the time to be woken each time, in QEMU. */
static void events_without_end(void)
{
	for (uint32_t i = 0; i < 5000; i++) {
		bh_event_send(PORT_UNTRUSTED);
		asm volatile("yield");
	}
}

static const struct attack {
	const char *name;
	void (*run)(void);
} attacks[] = {
	{ "an index far ahead", head_far_ahead },
	{ "a message of 4 GiB", impossible_length },
	{ "an index that goes back", head_goes_back },
	{ "noise all over the shared memory", noise_everywhere },
	{ "1000 new lives", begins_all_the_time },
	{ "5000 events", events_without_end },
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

/* Indices make sense only when the filter has read all that was sent. */
static void attack(const struct attack *a)
{
	put_text("untrusted: ");
	put_text(a->name);
	put_text("\n");
	rest(SETTLE_MS);
	a->run();
	bh_event_send(PORT_UNTRUSTED);
	rest(SETTLE_MS);
	bh_link_restart(&link);
}

void main(void)
{
	struct bh_link_config c = { BOX, BOX_BYTES, 0, PORT_UNTRUSTED };

	gic_init();
	events_listen(NULL);
	gic_enable(INTID_TIMER);
	bh_link_open(&link, &c);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		send(ID_SPEED, 2, 20);
		send(ID_BRAKE, 1, 5);
		send(ID_DOOR, 4, 2);
		send(0x7ff, 8, 7);   /* nobody knows it */
		send(ID_BRAKE, 8, 3); /* too long */
		send(ID_SPEED, 2, 50); /* too many: 20 more may pass */
		attack(&attacks[round % ATTACKS]);
		rest(2000);
	}
	put_text("untrusted: good bye\n");
	hvc(PSCI_SYSTEM_OFF, 0);
}
