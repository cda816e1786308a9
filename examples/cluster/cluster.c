/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instrument cluster without an OS, on a CPU of its own: 60 frames a
 * second, each drawn, read back and shown before the next one is due. It shares
 * nothing with the Linux beside it. With each frame it gives a sign of life:
 * without one for heartbeat_ms the hypervisor restarts it.
 */
#include "bh_event.h"
#include "board.h"

#define FRAMES_S 60u
#define REPORT_FRAMES 300u
#define WIDTH 220u /* a pixel for each km/h */
#define HEIGHT 24u
#define LIT 0xffu
#define BAR 22u /* characters for all of it */

static uint8_t frames[2][HEIGHT][WIDTH]; /* one is shown, one is drawn */
static uint32_t shown;

static struct {
	uint32_t drawn;
	uint32_t wrong;	 /* not what had been drawn */
	uint64_t late;	 /* counts, the most, from due to the handler */
} n;

void on_interrupt(uint32_t intid)
{
	uint64_t late;

	if (intid == INTID_UART) {
		uart_take();
	} else if (intid == INTID_TIMER) {
		late = beat_take();
		n.late = late > n.late ? late : n.late;
	}
}

/* Up to the maximum and down again, 11 seconds each time. */
static uint32_t speed(void)
{
	uint32_t at = n.drawn / 3 % (2 * WIDTH);

	return at < WIDTH ? at : 2 * WIDTH - at;
}

static void draw(uint8_t frame[HEIGHT][WIDTH], uint32_t kmh)
{
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			frame[y][x] = x < kmh ? LIT : 0;
		}
	}
}

/* What is shown must be the speed, whatever has happened to it since. */
static bool is_right(uint8_t frame[HEIGHT][WIDTH], uint32_t kmh)
{
	uint32_t lit = 0;

	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			lit += frame[y][x];
		}
	}
	return lit == kmh * HEIGHT * LIT;
}

static void report(void)
{
	put_text("cluster: [");
	for (uint32_t i = 0; i < BAR; i++) {
		put_char(frames[shown][0][i * WIDTH / BAR] ? '#' : ' ');
	}
	put_text("] ");
	put_padded(speed(), 3);
	put_text(" km/h, ");
	put_number(n.drawn, 10);
	put_text(" frames, ");
	put_number(beats_missed(), 10);
	put_text(" missed, ");
	put_number(n.wrong, 10);
	put_text(" wrong, at most ");
	put_number(ticks_to_ns(n.late), 10);
	put_text(" ns late\n");
}

static void frame(void)
{
	uint32_t next = 1 - shown;
	uint32_t kmh = speed();

	draw(frames[next], kmh);
	n.wrong += !is_right(frames[next], kmh);
	shown = next;
	n.drawn++;
	bh_alive();
	if (n.drawn % REPORT_FRAMES == 0) {
		report();
	}
}

static void answer(const char *line)
{
	if (same_text(line, "hang")) {
		put_text("cluster: hangs now, as it was asked to\n");
		for (;;) {
		}
	}
	if (same_text(line, "crash")) {
		put_text("cluster: crashes now, as it was asked to\n");
		bh_crash();
	}
	put_text("cluster: knows \"hang\" and \"crash\"\n");
}

void main(void)
{
	put_text("cluster: begins, 60 frames a second\n");
	gic_init();
	uart_listen();
	beat_start(FRAMES_S);
	beats_for_ever(frame, answer);
}
