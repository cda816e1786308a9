/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_link.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "guests/lib/client/bh_event.h"

void (*on_access)(const volatile void *at);
struct bh_link side[2];
uint64_t link_bytes = BYTES;
uint8_t *memory;
unsigned int events[2];
void (*on_event)(unsigned int from);
static uint32_t seed = 11;

long bh_event_send(uint32_t port)
{
	events[port - PORT]++;
	if (on_event) {
		on_event(port - PORT);
	}
	return 0;
}

uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

void link_setup(void)
{
	memory = aligned_alloc(64, BYTES);
	memset(memory, 0, BYTES);
}

void link_teardown(void)
{
	free(memory);
}

void open_side(unsigned int s)
{
	struct bh_link_config c = { memory, link_bytes, s, PORT + s };

	cr_assert_eq(bh_link_open(&side[s], &c), BH_OK);
}

struct bh_message message(uint32_t id)
{
	struct bh_message m = { .id = id, .length = id % (BH_DATA_BYTES + 1) };

	for (uint32_t i = 0; i < BH_DATA_BYTES; i++) {
		m.data.bytes[i] = (uint8_t)(id + i * 7);
	}
	return m;
}

void expect_same(const struct bh_message *m, uint32_t id)
{
	struct bh_message want = message(id);

	cr_assert_eq(m->id, id);
	cr_assert_eq(m->length, want.length);
	cr_assert_arr_eq(m->data.bytes, want.data.bytes, want.length);
}

/* Both are there and know it. */
void open_both(void)
{
	struct bh_message m = message(0);

	open_side(0);
	open_side(1);
	cr_assert_eq(bh_receive(&side[0], &m), BH_NEW);
	cr_assert_eq(bh_receive(&side[0], &m), BH_DOWN);
	cr_assert_eq(bh_receive(&side[1], &m), BH_NEW);
	cr_assert_eq(bh_receive(&side[1], &m), BH_EMPTY);
	cr_assert_eq(bh_receive(&side[0], &m), BH_EMPTY);
}
