/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control loop of 1 kHz on a CPU of its own, beside a Linux that works hard.
 * It measures how late the timer's interrupt reaches its handler, and says so
 * each second.
 */
#include "board.h"

#define RATE_HZ 1000u
#define SECONDS 30u
#define BINS 8u
#define FIRST_BIN_NS 500u /* below that; each next bin is twice as wide */
#define BAR 40u           /* characters for all ticks */

struct figures {
	uint32_t ticks;
	uint64_t least; /* counts, all of them */
	uint64_t sum;
	uint64_t most;
	uint32_t bins[BINS];
};

static struct figures now;  /* this second */
static struct figures all;  /* since the beginning */
static uint64_t due;        /* of the next tick */
static uint64_t period;
static volatile bool paused; /* it talks: that is not the loop's work */

static void add(struct figures *f, uint64_t late)
{
	uint64_t ns = ticks_to_ns(late);
	uint32_t bin = 0;

	while (bin < BINS - 1 && ns >= FIRST_BIN_NS << bin) {
		bin++;
	}
	f->least = f->ticks == 0 || late < f->least ? late : f->least;
	f->most = late > f->most ? late : f->most;
	f->sum += late;
	f->bins[bin]++;
	f->ticks++;
}

void on_interrupt(uint32_t intid)
{
	uint64_t late = counter() - due;

	if (intid != INTID_TIMER) {
		return;
	}
	due += period * (1 + late / period);
	timer_at(due);
	if (!paused) {
		add(&now, late);
		add(&all, late);
	}
}

static void put_ns(const char *what, uint64_t ticks)
{
	put_text(what);
	put_number(ticks_to_ns(ticks), 10);
}

static void put_figures(const char *what, const struct figures *f)
{
	put_text(what);
	put_number(f->ticks, 10);
	put_text(" ticks, late by (ns)");
	put_ns(" min ", f->least);
	put_ns(" avg ", f->sum / f->ticks);
	put_ns(" max ", f->most);
	put_text(" = ");
	put_number(f->most, 10);
	put_text(" counts\n");
}

static void put_histogram(const struct figures *f)
{
	for (uint32_t i = 0; i < BINS; i++) {
		put_text(i == BINS - 1 ? "loop: from  " : "loop: below ");
		put_padded(FIRST_BIN_NS << (i == BINS - 1 ? i - 1 : i), 6);
		put_text(" ns ");
		put_padded(f->bins[i], 7);
		put_char(' ');
		for (uint32_t n = 0; n < (f->bins[i] * BAR + f->ticks - 1) /
						 f->ticks; n++) {
			put_char('#');
		}
		put_char('\n');
	}
}

static void say_second(uint32_t second)
{
	put_text("loop: second ");
	put_number(second, 10);
	put_figures(": ", &now);
	if (second % 5 == 0) {
		put_histogram(&all);
	}
}

void main(void)
{
	put_text("loop: 1000 times a second; \"late\" is from the timer's time "
		 "to the handler\n");
	gic_init();
	gic_enable(INTID_TIMER);
	period = counter_hz() / RATE_HZ;
	due = counter() + period;
	timer_at(due);
	for (uint32_t second = 1; second <= SECONDS; second++) {
		while (now.ticks < RATE_HZ) {
			wait_for_interrupt();
		}
		paused = true;
		say_second(second);
		now = (struct figures){ 0 };
		wait_for_interrupt(); /* the one after talking is late, too */
		paused = false;
	}
	timer_off();
	put_figures("loop: all in all ", &all);
	put_text("loop: good bye\n");
	hvc(PSCI_SYSTEM_OFF, 0);
}
