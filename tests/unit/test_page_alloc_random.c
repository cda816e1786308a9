/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame allocator: a long random run against a simple model.
 */
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/lock.c debug/lock_check.c arch/fake/mem.c
// LINK: arch/fake/p2m.c arch/fake/cpu.c arch/fake/last_words.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include "fake_pages.h"

struct held {
	uint64_t m, nr;
	unsigned int who;
};

static uint64_t rng_state = 88172645463325252u;

static uint64_t rnd(uint64_t n)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state % n;
}

#define MODEL_FRAMES (32 * MIB / PAGE_SIZE)
static uint8_t model[MODEL_FRAMES]; /* 0 free, else owner */
static struct held held[4096];
static unsigned int nr_held;

static void model_set(uint64_t m, uint64_t nr, uint8_t expect, uint8_t who)
{
	uint64_t i;

	for (i = m - FIRST; i < m - FIRST + nr; i++) {
		cr_assert_eq(model[i], expect);
		model[i] = who;
	}
}

static void random_alloc(void)
{
	unsigned int who = (unsigned int)rnd(4);
	unsigned int order = (unsigned int)rnd(rnd(4) ? 4 : 12);
	mfn_t m;

	if (nr_held == ARRAY_SIZE(held) ||
	    dom_alloc_pages(&dom[who], order, &m) != 0) {
		return;
	}
	cr_assert(is_aligned(m.v, BIT64(order)));
	model_set(m.v, BIT64(order), 0, (uint8_t)(who + 1));
	held[nr_held++] = (struct held){ m.v, BIT64(order), who };
}

static void random_claim(void)
{
	unsigned int who = (unsigned int)rnd(4);
	uint64_t m = FIRST + rnd(MODEL_FRAMES);
	uint64_t nr = 1 + rnd(1200);
	bool ok = m + nr <= FIRST + MODEL_FRAMES;
	uint64_t i;

	for (i = m - FIRST; ok && i < m - FIRST + nr; i++) {
		ok = model[i] == 0;
	}
	if (nr_held == ARRAY_SIZE(held)) {
		return;
	}
	cr_assert_eq(dom_claim_range(&dom[who], mfn(m), nr) == 0, ok);
	if (ok) {
		model_set(m, nr, 0, (uint8_t)(who + 1));
		held[nr_held++] = (struct held){ m, nr, who };
	}
}

/* Give back all or part of a block, with references in between. */
static void random_free(void)
{
	struct held *h;
	uint64_t off, nr;

	if (nr_held == 0) {
		return;
	}
	h = &held[rnd(nr_held)];
	off = rnd(3) ? 0 : rnd(h->nr);
	nr = h->nr - off;
	if (rnd(2)) {
		cr_assert_eq(page_ref_range(dom[h->who].id, mfn(h->m + off),
					    nr), 0);
		page_release_range(&dom[h->who], mfn(h->m + off), nr);
		page_unref_range(mfn(h->m + off), nr);
	} else {
		page_release_range(&dom[h->who], mfn(h->m + off), nr);
	}
	model_set(h->m + off, nr, (uint8_t)(h->who + 1), 0);
	h->nr = off;
	if (off == 0) {
		*h = held[--nr_held];
	}
}

static void random_look(void)
{
	uint64_t m = FIRST + rnd(MODEL_FRAMES);
	struct page *pg = page_of(mfn(m));
	uint8_t who = model[m - FIRST];

	if (who == 0) {
		cr_assert(!pg || !page_get(pg));
	} else if (who < 255) {
		cr_assert(pg && page_get_owned(pg, who));
		page_put(pg);
	}
}

Test(page_alloc_random, run_against_a_model, .timeout = 3600)
{
	uint64_t n, i, used;
	unsigned int k;

	setup_bank(32 * MIB);
	/* What the table took is nobody's. */
	used = page_alloc_nr_total() - page_alloc_nr_free();
	memset(model + MODEL_FRAMES - used, 255, used);
	for (n = 0; n < 60000; n++) {
		switch (rnd(8)) {
		case 0:
		case 1:
		case 2:
			random_alloc();
			break;
		case 3:
			random_claim();
			break;
		case 4:
		case 5:
		case 6:
			random_free();
			break;
		default:
			random_look();
			break;
		}
		if (n % 1000 == 0) {
			uint64_t nr_free = 0;

			for (i = 0; i < MODEL_FRAMES; i++) {
				nr_free += model[i] == 0;
			}
			cr_assert_eq(page_alloc_nr_free(), nr_free);
			check_invariants();
		}
	}
	while (nr_held > 0) {
		random_free();
	}
	for (k = 0; k < 4; k++) {
		cr_assert_eq(dom[k].tot_pages, 0);
	}
	cr_assert_eq(page_alloc_nr_free(), page_alloc_nr_total() - used);
	check_invariants();
}
