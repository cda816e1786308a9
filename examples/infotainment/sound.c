/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sound of the car, without an OS, on a CPU of its own: every 10 ms it
 * mixes the music of two Linux domains and the chimes that the driver must
 * hear. Each Linux says how loud its music is in one word of shared memory;
 * what it writes is looked at once, limited, and never waited for. With each
 * period it gives a sign of life.
 *
 * Not     a sound card: samples go to memory, and are counted.
 */
#include "bh_event.h"
#include "board.h"

#define RATE_HZ 100u /* periods */
#define SAMPLES 480u /* of a period: 48 kHz */
#define REPORT_PERIODS 500u
#define CHIME_EVERY 400u /* periods; it sounds in the first 50 of them */
#define CHIME_FOR 50u
#define CHIME_LEVEL 16000
#define LOUDEST 100u /* of a Linux */

struct source {
	const char *name;
	volatile uint32_t *word; /* the other side's, it may be anything */
	uint32_t half;		 /* samples of half a wave */
	uint32_t volume;	 /* what we have made of it */
};

static struct source sources[] = {
	{ "ivi", (volatile uint32_t *)0x50000000u, 54, 0 },
	{ "apps", (volatile uint32_t *)0x51000000u, 36, 0 },
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static int16_t out[SAMPLES];

static struct {
	uint32_t periods;
	uint32_t chimes;
	uint32_t quiet;	 /* periods of a chime that could not be heard */
} n;

void on_interrupt(uint32_t intid)
{
	if (intid == INTID_TIMER) {
		beat_take();
	}
}

/* A stock Linux writes past the caches, by /dev/mem: no copy of ours counts. */
static uint32_t look(volatile uint32_t *word)
{
	asm volatile("dc civac, %0\n\tdsb sy" : : "r"(word) : "memory");
	return *word;
}

static void say_volume(const struct source *s, uint32_t said)
{
	put_text("sound: ");
	put_text(s->name);
	put_text(" wants volume ");
	put_number(said, 10);
	put_text(" and gets ");
	put_number(s->volume, 10);
	put_text("\n");
}

static void take_volume(struct source *s)
{
	uint32_t said = look(s->word);
	uint32_t volume = said > LOUDEST ? LOUDEST : said;

	if (volume != s->volume) {
		s->volume = volume;
		say_volume(s, said);
	}
}

/* Square waves do. */
static int32_t wave(uint32_t at, uint32_t half, int32_t level)
{
	return at / half % 2 ? level : -level;
}

static int32_t chime_at(uint32_t at)
{
	return wave(at, 27, CHIME_LEVEL);
}

static int16_t limited(int32_t v)
{
	return (int16_t)(v > INT16_MAX ? INT16_MAX :
			 v < INT16_MIN ? INT16_MIN : v);
}

/* Music is at most a quarter of what a chime is while there is one. */
static void mix(bool has_chime)
{
	int32_t most = has_chime ? CHIME_LEVEL / 8 : CHIME_LEVEL / 2;

	for (uint32_t i = 0; i < SAMPLES; i++) {
		uint32_t at = n.periods * SAMPLES + i;
		int32_t v = has_chime ? chime_at(at) : 0;

		for (uint32_t k = 0; k < SOURCES; k++) {
			v += wave(at, sources[k].half, most *
				  (int32_t)sources[k].volume / (int32_t)LOUDEST);
		}
		out[i] = limited(v);
	}
}

/* Whatever the music is, each sample has most of the chime in it. */
static bool is_heard(void)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		int32_t chime = chime_at(n.periods * SAMPLES + i);

		if (chime > 0 ? out[i] < chime / 2 : out[i] > chime / 2) {
			return false;
		}
	}
	return true;
}

static void report(void)
{
	put_count("sound: ", n.periods);
	put_count(" periods, ", beats_missed());
	put_count(" missed; ", n.chimes);
	put_count(" chimes, ", n.quiet);
	put_count(" not heard; volume of ivi ", sources[0].volume);
	put_count(", of apps ", sources[1].volume);
	put_text("\n");
}

static void period(void)
{
	uint32_t at = n.periods % CHIME_EVERY;
	bool has_chime = at < CHIME_FOR;

	for (uint32_t k = 0; k < SOURCES; k++) {
		take_volume(&sources[k]);
	}
	mix(has_chime);
	n.quiet += has_chime && !is_heard();
	n.chimes += at == CHIME_FOR;
	n.periods++;
	bh_alive();
	if (n.periods % REPORT_PERIODS == 0) {
		report();
	}
}

void main(void)
{
	put_text("sound: begins, 100 periods of 10 ms a second\n");
	gic_init();
	beat_start(RATE_HZ);
	beats_for_ever(period, NULL);
}
