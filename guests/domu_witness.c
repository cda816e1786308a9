/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest beside one that attacks: it sleeps, looks whether a part of its
 * memory is as it left it, and says now and then how often it did, by how much
 * it was late at most since it said so last, and how many words had changed.
 * Runs by xl, for ever.
 */
#include "guest.h"

#define FIRST_AT UINT64_C(0x200000)	/* in RAM, behind this program */
#define BEAT_US 20000u
#define BEATS 25u			/* until it says something */
#define WORDS 8192u			/* looked at in a beat */

extern char _end[];

static uint64_t expected(const uint64_t *at)
{
	return PTR(at) * UINT64_C(0x9e3779b97f4a7c15) ^ PTR(at) >> 7;
}

static void witness(void)
{
	uint64_t *first = (void *)(uintptr_t)(machine.ram[0].base + FIRST_AT);
	/* The tree is near the end: the first half will do. */
	uint64_t *end = first + machine.ram[0].size / 2 / sizeof(*first);
	uint64_t *at = first;
	uint64_t changed = 0, late = 0, n = 0;
	unsigned int i;

	CHECK(PTR(_end) <= PTR(first));
	for (; at < end; at++) {
		*at = expected(at);
	}
	gic_enable(machine.intid_vtimer);
	for (;;) {
		uint64_t now = sleep_us(BEAT_US);

		late = now > late ? now : late;
		for (i = 0; i < WORDS; i++) {
			at = at + 1 < end ? at + 1 : first;
			changed += *at != expected(at);
		}
		if (++n % BEATS == 0) {
			printf("beat %lu late %lu changed %lu\n", n, late,
			       changed);
			late = 0;
		}
	}
}

const struct test guest_tests[] = {
	{ "witness", witness },
	{ NULL, NULL },
};
