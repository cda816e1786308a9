/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/console.c core/console_serial.c core/percpu.c core/lock.c
// LINK: debug/lock_check.c
// LINK: core/console_guest.c lib/printf.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/guest_console.h>
#include <hv/irq.h>
#include <hv/uart.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define RING 16384u
#define SECOND UINT64_C(1000000000)
#define INTID 33u

static char out[65536];
static uint32_t out_len;
static struct domain dom = { .id = 7, .name = "d7" };
struct domain *hardware_domain = &dom;

/* ---- what the console calls --------------------------------------------- */

static void init(void *regs)
{
	(void)regs;
}

static uint32_t room(void *regs)
{
	(void)regs;
	return 1;
}

static void put(void *regs, char c)
{
	(void)regs;
	cr_assert_lt(out_len, sizeof(out) - 1);
	out[out_len++] = c;
	out[out_len] = '\0';
}

static int nothing_typed(void *regs)
{
	(void)regs;
	return -1;
}

static const struct uart uart = {
	.init = init,
	.room = room,
	.put = put,
	.getc = nothing_typed,
};

int irq_request(uint32_t intid, enum irq_trigger t, void (*h)(uint32_t intid))
{
	(void)intid;
	(void)t;
	(void)h;
	return -EBUSY;
}

void console_key(char key)
{
	(void)key;
}

static unsigned int nr_ring_virqs;

void evtchn_send_global_virq(struct domain *d, uint32_t virq)
{
	cr_assert_eq(d, &dom);
	nr_ring_virqs += virq == VIRQ_CON_RING;
}

struct domain *domain_next_get(domid_t id)
{
	(void)id;
	return NULL;
}

struct domain *domain_lookup_get(domid_t id)
{
	(void)id;
	return NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	return calloc(1, size);
}

void heap_free(struct domain *d, void *mem)
{
	(void)d;
	free(mem);
}

void arch_uart_update_locked(struct domain *d)
{
	(void)d;
}

/* ---- help ---------------------------------------------------------------- */

static void setup(void)
{
	percpu_init(0, 0, 0);
	percpu_init(1, 1, 0);
	console_init(&uart, NULL, INTID);
	console_set_levels(LOG_INFO, LOG_WARN);
	fake_time_ns = 10 * SECOND;
}

TestSuite(console, .init = setup);

static const char *said(void)
{
	out_len = 0;
	return out;
}

/* All of the ring, in pieces of an odd size. */
static uint32_t read_ring(char *buf, uint32_t size, uint32_t *index)
{
	uint32_t n = 0, got;

	do {
		uint32_t room = size - n < 333 ? size - n : 333;

		got = console_ring_read(buf + n, room, index);
		n += got;
	} while (got);
	return n;
}

/* ---- output -------------------------------------------------------------- */

static struct domain *boot_domain(domid_t id, const char *name)
{
	struct domain *d = calloc(1, sizeof(*d));

	d->id = id;
	strcpy(d->name, name);
	cr_assert_eq(guest_console_init(d), 0);
	return d;
}

static void say(struct domain *d, const char *text)
{
	guest_console_write(d, text, (uint32_t)strlen(text));
}

Test(console, lines_of_domains_are_marked_and_do_not_mix)
{
	struct domain *d1 = boot_domain(1, "d1");
	struct domain *d2 = boot_domain(2, "d2");
	char longest[GUEST_LINE + 1];

	say(d1, "one ");
	say(d2, "two\r\n");
	cr_assert_str_eq(said(), "(d2) two\r\n");
	say(d1, "line\033[2J\tand\b\n\n");
	cr_assert_str_eq(said(), "(d1) one line[2J\tand\r\n(d1) \r\n");
	memset(longest, 'x', GUEST_LINE);
	longest[GUEST_LINE] = '\0';
	say(d2, longest);
	say(d2, "\n");
	longest[GUEST_LINE - 1] = '\0';
	cr_assert_eq(strncmp(out, "(d2) ", 5), 0);
	cr_assert_eq(strncmp(out + 5, longest, GUEST_LINE - 1), 0);
	cr_assert_str_eq(out + 5 + GUEST_LINE - 1, "\r\n(d2) x\r\n");
	guest_console_fini(d1);
	guest_console_fini(d2);
	free(d1);
	free(d2);
}

/* Has the keyboard: dom0's id in this test. */
Test(console, a_domain_with_the_keyboard_is_seen_at_once)
{
	struct domain *d0 = boot_domain(0, "d0");
	struct domain *d1 = boot_domain(1, "d1");

	say(d0, "login: ");
	cr_assert_str_eq(said(), "(d0) login: ");
	say(d0, "\bx");
	cr_assert_str_eq(said(), "\bx");
	say(d1, "other\n");
	cr_assert_str_eq(said(), "\r\n(d1) other\r\n");
	say(d0, "y\n");
	cr_assert_str_eq(said(), "(d0) y\r\n");
	say(d0, "z");
	(void)said();
	log_err("news");
	cr_assert_str_eq(said(), "\r\n(BH) news\r\n");
	guest_console_fini(d0);
	guest_console_fini(d1);
	free(d0);
	free(d1);
}

Test(console, lines_and_levels)
{
	log_err("one %u", 1u);
	cr_assert_str_eq(said(), "(BH) one 1\r\n");
	log_info("two\n");
	cr_assert_str_eq(said(), "(BH) two\r\n");
	out[0] = '\0';
	log_printf(LOG_DEBUG, "three\n");
	cr_assert_str_eq(said(), ""); /* to the ring only */
	console_set_levels(LOG_ERR, LOG_ERR);
	log_warn("four\n");
	cr_assert_str_eq(said(), "");
	console_force();
	log_printf(LOG_DEBUG, "last\n");
	cr_assert_str_eq(said(), "(BH) last\r\n");
}

Test(console, a_long_line_is_cut)
{
	char text[600];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_err("%s", text);
	cr_assert_leq(out_len, 5 + 256 + 1);
	cr_assert_eq(out[out_len - 1], '\n');
	cr_assert_eq(out[out_len - 3], 'x');
}

Test(console, what_came_before_the_uart_is_written_then)
{
	log_err("early\n");
	said();
	console_init(&uart, NULL, INTID);
	cr_assert_str_eq(out, "(BH) early\r\n");
}

Test(console, guest_bytes_are_not_logged)
{
	char buf[16];
	uint32_t index = 0;

	console_write_guest(&dom, "a\nb", 3);
	cr_assert_str_eq(said(), "a\r\nb");
	cr_assert_eq(console_ring_read(buf, sizeof(buf), &index), 0);
}

/* ---- the ring ------------------------------------------------------------ */

Test(console, ring_wraps)
{
	static char buf[2 * RING];
	uint32_t index = 0, n;

	console_set_levels(LOG_ERR, LOG_ERR);
	for (unsigned int i = 0; i < 2000; i++) {
		log_printf(LOG_DEBUG, "line %06u\n", i); /* 17 characters */
	}
	n = read_ring(buf, sizeof(buf), &index);
	cr_assert_eq(n, RING);
	cr_assert_eq(index, 2000 * 17);
	cr_assert_eq(memcmp(buf + n - 17, "(BH) line 001999\n", 17), 0);
	cr_assert_eq(memcmp(buf + n - 17 * 900, "(BH) line 001100\n", 17), 0);
	cr_assert_eq(read_ring(buf, sizeof(buf), &index), 0);
	log_printf(LOG_DEBUG, "more\n");
	n = read_ring(buf, sizeof(buf), &index);
	cr_assert_eq(n, 10);
	cr_assert_eq(memcmp(buf, "(BH) more\n", 10), 0);
}

Test(console, ring_clear)
{
	char buf[64];
	uint32_t index = 0;

	log_err("gone\n");
	cr_assert_eq(console_ring_read(buf, sizeof(buf), &index), 10);
	console_ring_clear();
	index = 0;
	cr_assert_eq(console_ring_read(buf, sizeof(buf), &index), 0);
	log_err("new\n");
	index = 0;
	cr_assert_eq(console_ring_read(buf, sizeof(buf), &index), 9);
	cr_assert_eq(memcmp(buf, "(BH) new\n", 9), 0);
}

/* Readers know the low half of a position; the ring the whole of it. */
Test(console, ring_positions_of_others)
{
	static char buf[2 * RING];
	uint32_t index = 0, end, n;

	console_set_levels(LOG_ERR, LOG_ERR);
	for (unsigned int i = 0; i < 2000; i++) {
		log_printf(LOG_DEBUG, "line %06u\n", i); /* 17 characters */
	}
	(void)read_ring(buf, sizeof(buf), &index);
	end = index;
	index = end - RING; /* the oldest there is */
	cr_assert_eq(read_ring(buf, sizeof(buf), &index), RING);
	index = end - RING - 1; /* gone: from the oldest */
	cr_assert_eq(read_ring(buf, sizeof(buf), &index), RING);
	index = end + 1; /* not written yet: from the oldest */
	cr_assert_eq(read_ring(buf, sizeof(buf), &index), RING);
	index = UINT32_MAX;
	cr_assert_eq(read_ring(buf, sizeof(buf), &index), RING);
	index = end - 17;
	n = console_ring_read(buf, 0, &index);
	cr_assert_eq(n, 0);
	cr_assert_eq(index, end - 17);
	n = console_ring_read(buf, 5, &index);
	cr_assert_eq(n, 5);
	cr_assert_eq(index, end - 12);
}

Test(console, log_news_is_told_at_a_work_point)
{
	nr_ring_virqs = 0;
	fake_this_pcpu->work = 0;
	log_printf(LOG_DEBUG, "one\n");
	log_printf(LOG_DEBUG, "two\n");
	cr_assert_eq(nr_ring_virqs, 0);
	cr_assert(fake_this_pcpu->work & PWORK_KEY);
	console_tell_news();
	cr_assert_eq(nr_ring_virqs, 1);
	console_tell_news();
	cr_assert_eq(nr_ring_virqs, 1);
}

/* ---- messages about guests ----------------------------------------------- */

Test(console, guest_messages_are_limited)
{
	for (unsigned int i = 0; i < 25; i++) {
		log_guest(&dom, LOG_WARN, "no %u", i);
	}
	cr_assert_not_null(strstr(out, "(BH) d7: no 9\r\n"));
	cr_assert_null(strstr(out, "no 10"));
	fake_time_ns += SECOND + 1;
	said();
	log_guest(&dom, LOG_ERR, "again");
	cr_assert_str_eq(said(), "(BH) 15 messages about guests left out\r\n"
			 "(BH) d7: again\r\n");
	log_guest(&dom, LOG_ERR, "third"); /* counted from 0 again */
	cr_assert_str_eq(said(), "(BH) d7: third\r\n");
	out[0] = '\0';
	log_guest(&dom, LOG_INFO, "not on the line");
	cr_assert_str_eq(said(), "");
}
