/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/wallclock.c core/lock.c debug/lock_check.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c
#include <criterion/criterion.h>

#include <hv/domain.h>
#include "arch/fake/fake_arch.h"

#define NS UINT64_C(1000000000)
#define NR 3

static struct shared_info info[NR];
static struct domain dom[NR]; /* 0, 7 and the last number */
static int refs;

/* ---- domain.c ------------------------------------------------------------ */

struct domain *domain_next_get(domid_t id)
{
	for (uint32_t i = 0; i < NR; i++) {
		if (dom[i].id >= id) {
			refs++;
			return &dom[i];
		}
	}
	return NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
	refs--;
}

static void setup(void)
{
	static const domid_t ids[NR] = {0, 7, MAX_DOMAINS - 1};

	for (uint32_t i = 0; i < NR; i++) {
		dom[i].id = ids[i];
		dom[i].shared_info = &info[i];
		spin_lock_init(&dom[i].lock, LOCK_RANK_DOMAIN);
	}
}

TestSuite(wallclock, .init = setup);

static void check(uint32_t i, uint64_t sec, uint32_t nsec)
{
	const struct shared_info *s = &info[i];
	uint64_t got = s->wc_sec | (uint64_t)s->wc_sec_hi << 32;

	cr_assert_eq(got, sec, "d%u: %lu s, not %lu", dom[i].id, got, sec);
	cr_assert_eq(s->wc_nsec, nsec, "d%u: %u ns", dom[i].id, s->wc_nsec);
	cr_assert_eq(s->wc_version & 1, 0);
}

/* ---- tests --------------------------------------------------------------- */

/* Time of day at the zero of a guest's clock. */
Test(wallclock, the_zero_of_a_guests_clock)
{
	static const struct {
		uint64_t sec;
		uint32_t nsec;
		uint64_t system_ns;
		int64_t offset_ns;
		uint64_t want_sec;
		uint32_t want_nsec;
	} rows[] = {
		{1000, 0, 0, 0, 1000, 0},
		{1000, 5, 5, 0, 1000, 0},
		{1000, 5, 6, 0, 999, 999999999},
		{1000, 999999999, 0, 0, 1000, 999999999},
		{1000, 0, 10 * NS + 1, 0, 989, 999999999},
		{1000, 0, 0, 1, 1000, 1},
		{1000, 999999999, 0, 1, 1001, 0},
		{1000, 0, 10 * NS, 10 * NS, 1000, 0},
		{1000, 999999999, 999999999, 100 * NS - 1, 1099, 999999999},
		{UINT64_C(0x100000000), 0, NS, 0, UINT32_MAX, 0},
		{UINT64_C(0x1ffffffff), 0, 0, NS, UINT64_C(0x200000000), 0},
		/* It ran before the time of day was known to be so early. */
		{0, 0, NS, 2 * NS, 1, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t version = info[1].wc_version;

		dom[1].time_offset_ns = rows[i].offset_ns;
		wallclock_set(rows[i].sec, rows[i].nsec, rows[i].system_ns);
		check(1, rows[i].want_sec, rows[i].want_nsec);
		cr_assert_eq(info[1].wc_version, version + 2);
	}
}

Test(wallclock, every_domain_hears_of_it_once)
{
	dom[2].time_offset_ns = 3;
	wallclock_set(50, 1, 0);
	cr_assert_eq(refs, 0);
	check(0, 50, 1);
	check(1, 50, 1);
	check(2, 50, 4);
	for (uint32_t i = 0; i < NR; i++) {
		cr_assert_eq(info[i].wc_version, 2);
	}
	dom[1].time_offset_ns = 9; /* a new one, or a restored one */
	domain_update_wallclock(&dom[1]);
	check(1, 50, 10);
	cr_assert_eq(info[0].wc_version, 2);
}

/* The page is the guest's too. */
Test(wallclock, a_version_the_guest_made_odd)
{
	info[0].wc_version = 7;
	domain_set_wallclock(&dom[0], 1, 2);
	check(0, 1, 2);
	cr_assert_eq(info[0].wc_version, 8);
	info[0].wc_version = UINT32_MAX;
	domain_set_wallclock(&dom[0], 3, 4);
	check(0, 3, 4);
	cr_assert_eq(info[0].wc_version, 0);
}
