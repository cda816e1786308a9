/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a table of hypercalls is issued: each with its structure in one page
 * and across two, and with each kind of pointer that cannot be used.
 */
#include "conform.h"

#define NR_OUT	18u		/* words of an answer that are looked at */

static uint8_t page_a[PAGE_SIZE * 2] __attribute__((aligned(4096)));
static uint8_t page_b[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t buffer[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t spare[PAGE_SIZE] __attribute__((aligned(4096)));

static uint64_t real(uint64_t word)
{
	switch (word) {
	case BUF:
		return PTR(buffer);
	case GFN:
		return PTR(spare) / PAGE_SIZE;
	default:
		return word;
	}
}

static void line_word(struct line *l, uint64_t word)
{
	switch (word) {
	case BUF:
		line_string(l, "buf");
		return;
	case GFN:
		line_string(l, "gfn");
		return;
	default:
		line_hex(l, word);
	}
}

static void line_words(struct line *l, const uint64_t *word, unsigned int n)
{
	unsigned int i;

	while (n > 1 && !word[n - 1]) {
		n--;
	}
	for (i = 0; i < n; i++) {
		line_string(l, i ? "," : "");
		line_word(l, word[i]);
	}
}

static void line_case(struct line *l, const struct call_case *c,
		      const char *how)
{
	line_begin(l, c->row);
	line_string(l, how);
	line_string(l, " ");
	line_words(l, c->a, 3);
	if (c->ptr != NO_PTR) {
		line_string(l, " in ");
		line_words(l, c->in, NR_IN);
	}
	line_next(l);
}

static void put_in(const struct call_case *c, uint64_t at, unsigned int bytes)
{
	uint64_t word[NR_IN];
	unsigned int i;

	for (i = 0; i < NR_IN; i++) {
		word[i] = real(c->in[i]);
	}
	memset((void *)(uintptr_t)at, 0, bytes);
	memcpy((void *)(uintptr_t)at, word,
	       bytes < sizeof(word) ? bytes : sizeof(word));
}

static int64_t call(const struct call_case *c, uint64_t ptr)
{
	uint64_t a[3] = { c->a[0], c->a[1], c->a[2] };

	if (c->ptr != NO_PTR) {
		a[c->ptr] = ptr;
	}
	return hypercall(c->nr, a[0], a[1], a[2], 0, 0);
}

static void tell(const struct call_case *c, const char *how, uint64_t ptr)
{
	struct line l;

	line_case(&l, c, how);
	line_value(&l, call(c, ptr));
	line_end(&l);
}

/* The answer: every word that is not what it was. */
static void tell_answer(const struct call_case *c)
{
	uint64_t before[NR_OUT];
	uint64_t after[NR_OUT];
	struct line l;
	unsigned int i;

	put_in(c, PTR(page_a), 1100);
	memcpy(before, page_a, sizeof(before));
	line_case(&l, c, "page");
	line_value(&l, call(c, PTR(page_a)));
	memcpy(after, page_a, sizeof(after));
	for (i = 0; c->ptr != NO_PTR && i < NR_OUT; i++) {
		if (before[i] != after[i] && !(c->hide >> i & 1)) {
			line_string(&l, " w");
			line_hex(&l, i);
			line_string(&l, "=");
			line_hex(&l, after[i]);
		}
	}
	line_end(&l);
}

static void tell_pointers(const struct call_case *c)
{
	uint64_t end = MAP_WINDOW + PAGE_SIZE;

	mmu_window(0, PTR(page_b), MAP_RW);
	mmu_window(1, PTR(page_a), MAP_RW);
	put_in(c, end - 2, 1100);
	tell(c, "across pages", end - 2);
	mmu_window(1, 0, MAP_NONE);
	put_in(c, end - 1, 1);
	tell(c, "half unmapped", end - 1);
	put_in(c, PTR(page_b), 1100);
	mmu_window(0, PTR(page_b), MAP_RO);
	tell(c, "read-only", MAP_WINDOW);
	tell(c, "unmapped", MAP_UNMAPPED);
	tell(c, "no address", WILD);
	tell(c, "device", machine.gicd.base);
}

void run_calls(const struct call_case *c, unsigned int n)
{
	for (; n; n--, c++) {
		if (c->loud) {
			tell(c, "unmapped", MAP_UNMAPPED);
			continue;
		}
		tell_answer(c);
		if (c->ptr != NO_PTR) {
			tell_pointers(c);
		}
	}
}
