/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arbiter of two controllers, and what they control: 100 times a second it
 * measures, sends both the sample, and compares what they answered to the last
 * one. Both the same: that is the command. They differ: the last command stays.
 * The one in command is silent: the last command stays, and after two ticks
 * the other one is in command.
 */
#include "bh_event.h"
#include "bh_link.h"
#include "board.h"
#include "control.h"

#define RATE_HZ 100u
#define REPORT_TICKS 500u
#define SETTLED_TICKS 300u
#define SILENT_TICKS 2u	 /* then the other one commands */
#define WANTED 10000	 /* of the value that is controlled */
#define LOAD 100	 /* on it, half a second on, half a second off */

struct controller {
	const char *name;
	struct bh_link link;
	struct command answer;
	bool has_answered; /* the last sample */
	uint32_t silent;   /* ticks in a row */
};

static struct controller both[2] = { { .name = "left" },
				     { .name = "right" } };
static struct controller *first = &both[0]; /* in command */
static struct controller *other = &both[1];
static uint32_t tick;
static int32_t value;
static struct command taken; /* the last one */

static struct {
	uint32_t held;	  /* ticks with the command of the one before */
	uint32_t differ;  /* ticks in which they did not agree */
	int32_t off;	  /* from WANTED, the most since it has settled */
} n;

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

/* ---- what is controlled -------------------------------------------------- */

static void move(void)
{
	int32_t load = tick / (RATE_HZ / 2) % 2 ? LOAD : 0;
	int32_t off;

	value += taken.command - load - value / 32;
	off = value > WANTED ? value - WANTED : WANTED - value;
	if (tick > SETTLED_TICKS && off > n.off) {
		n.off = off;
	}
}

/* ---- the two ------------------------------------------------------------- */

static void say(const char *who, const char *what)
{
	put_text("arbiter: tick ");
	put_number(tick, 10);
	put_text(": ");
	put_text(who);
	put_text(what);
}

static void read_answers(struct controller *c)
{
	struct bh_message m;
	enum bh_result r;

	c->has_answered = false;
	do {
		r = bh_receive(&c->link, &m);
		if (r == BH_OK && m.id == ID_COMMAND &&
		    m.length == sizeof(c->answer)) {
			__builtin_memcpy(&c->answer, m.data.bytes,
					 sizeof(c->answer));
			c->has_answered = c->answer.tick == tick &&
					  c->answer.command <= LIMIT &&
					  c->answer.command >= -LIMIT;
		} else if (r == BH_CORRUPT) {
			bh_link_restart(&c->link);
		}
	} while (r == BH_OK || r == BH_NEW);
	if (c->has_answered && c->silent > SILENT_TICKS) {
		say(c->name, " is back\n");
	}
	c->silent = c->has_answered ? 0 : c->silent + 1;
}

static void send_sample(struct controller *c)
{
	struct sample s = { tick, WANTED - value, taken.integral };
	struct bh_message m = { .id = ID_SAMPLE, .length = sizeof(s) };

	__builtin_memcpy(m.data.bytes, &s, sizeof(s));
	if (bh_send(&c->link, &m) == BH_NEW) { /* it has just begun */
		bh_send(&c->link, &m);
	}
}

static void change(void)
{
	struct controller *was = first;

	first = other;
	other = was;
	say(was->name, " is silent, ");
	put_text(first->name);
	put_text(" is in command after ");
	put_number(was->silent, 10);
	put_text(" ticks\n");
}

static void decide(void)
{
	bool differ = first->has_answered && other->has_answered &&
		      (first->answer.command != other->answer.command ||
		       first->answer.integral != other->answer.integral);

	if (first->silent >= SILENT_TICKS && other->has_answered) {
		change();
	}
	if (differ) {
		n.differ++;
		say("they", " differ: the last command stays\n");
	}
	if (differ || !first->has_answered) {
		n.held++;
	} else {
		taken = first->answer;
	}
}

static void report(void)
{
	say(first->name, " is in command, ");
	put_text(other->name);
	put_text(other->silent ? " is silent" : " stands by");
	put_count("; at most ", (uint32_t)n.off);
	put_count(" off ", WANTED);
	put_count("; ticks held ", n.held);
	put_count(", differing ", n.differ);
	put_count(", missed ", beats_missed());
	put_text("\n");
}

static void one_tick(void)
{
	read_answers(first);
	read_answers(other);
	decide();
	move();
	tick++;
	send_sample(first);
	send_sample(other);
	if (tick % REPORT_TICKS == 0) {
		report();
	}
}

/* ---- faults -------------------------------------------------------------- */

static void type(const char *line)
{
	static const char *const faults[] = { "crash", "hang", "lie" };
	struct bh_message m = { .id = ID_CRASH };

	if (same_text(line, "off")) {
		hvc(PSCI_SYSTEM_OFF, 0);
	}
	for (uint32_t i = 0; i < 3; i++, m.id++) {
		if (same_text(line, faults[i])) {
			say(first->name, " is told to ");
			put_text(line);
			put_char('\n');
			bh_send(&first->link, &m);
			return;
		}
	}
	put_text("arbiter: knows crash, hang, lie and off\n");
}

static void open_links(void)
{
	struct bh_link_config l = { BOX_LEFT, BOX_BYTES, 0, PORT_LEFT };
	struct bh_link_config r = { BOX_RIGHT, BOX_BYTES, 0, PORT_RIGHT };

	events_listen(NULL);
	bh_link_open(&both[0].link, &l);
	bh_link_open(&both[1].link, &r);
}

void main(void)
{
	gic_init();
	open_links();
	uart_listen();
	put_text("arbiter: 100 ticks a second; crash, hang or lie is for the "
		 "one in command\n");
	beat_start(RATE_HZ);
	beats_for_ever(one_tick, type);
}
