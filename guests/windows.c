/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain with one window of 20 us in each frame of 40 us (sched=arinc653):
 * it looks at the clock all the time around the edges of its windows, over
 * FRAMES of them, and says how far they are from where the first one was. With
 * "short" in its bootargs: a hundredth of that; with "busy": it is just busy.
 */
#include "guest.h"

#define FRAMES	  100000u
#define FRAME_US  40u
#define WINDOW_US 20u
#define AWAY_US	  5u	/* not looking for longer: the window was over */
#define BLIND	  8000u	/* turns of a loop, two instructions each: 16 us */
#define WARM_UP	  100u

struct spread {
	int64_t min, max; /* ticks from where it should be */
};

static void note(struct spread *s, int64_t off)
{
	s->min = off < s->min ? off : s->min;
	s->max = off > s->max ? off : s->max;
}

/* Let most of a window pass: reading the clock is slow to emulate. */
static void be_blind(void)
{
	uint64_t n = BLIND;

	asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(n) :: "cc");
}

/* Until a window ends and the next one begins; when each was. */
static uint64_t next_window(uint64_t *ended)
{
	uint64_t away = us_to_ticks(AWAY_US);
	uint64_t last = counter();
	uint64_t now = counter();

	while (now - last < away) {
		last = now;
		now = counter();
	}
	*ended = last;
	return now;
}

static void windows(void)
{
	uint64_t frame = us_to_ticks(FRAME_US);
	struct spread begin = { 0, 0 };
	struct spread end = { 0, 0 };
	uint64_t begin0 = 0;
	uint64_t end0 = 0;
	uint64_t unused;
	bool is_short = has_bootarg("short");
	unsigned int frames = is_short ? FRAMES / 100 : FRAMES;
	unsigned int i;

	while (has_bootarg("busy")) {
		be_blind();
	}

	for (i = 0; i < WARM_UP; i++) {
		begin0 = next_window(&end0);
	}
	for (i = 1; i <= frames; i++) {
		uint64_t ended;
		uint64_t began;

		if (!is_short) {
			be_blind();
		}
		began = next_window(&ended);
		note(&begin, (int64_t)(began - begin0 - i * frame));
		note(&end, (int64_t)(ended - end0 - i * frame));
	}
	for (i = 0; i < WARM_UP; i++) { /* while others still look */
		(void)next_window(&unused);
	}
	printf("%u frames: begin %ld..%ld, end %ld..%ld, away %lu ticks\n",
	       frames, begin.min, begin.max, end.min, end.max, begin0 - end0);
	CHECK(begin.max - begin.min <= 4);
	CHECK(end.max - end.min <= 4);
	CHECK(begin0 - end0 < us_to_ticks(FRAME_US - WINDOW_US + 4));
}

const struct test guest_tests[] = {
	{ "windows", windows },
	{ NULL, NULL },
};
