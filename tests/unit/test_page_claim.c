/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/page_alloc.c core/page_table.c core/page_tree.c core/page_claim.c
// LINK: core/page_range.c core/lock.c debug/lock_check.c arch/fake/mem.c
// LINK: arch/fake/p2m.c arch/fake/cpu.c arch/fake/last_words.c
#include <criterion/criterion.h>

#include <lib/errno.h>
#include "fake_pages.h"

static struct domain *const d = &dom[0];
static struct domain *const other = &dom[1];

TestSuite(page_claim, .fini = check_invariants);

Test(page_claim, frames_are_kept_for_the_domain)
{
	uint64_t free;
	mfn_t m;

	setup_bank(16 * MIB);
	free = page_alloc_nr_free();
	cr_assert_eq(page_claim(d, free + 1), -ENOMEM);
	cr_assert_eq(page_claim(d, free - 2), 0);
	cr_assert_eq(page_claim(d, free), -EINVAL, "it has a claim");
	cr_assert_eq(page_claim(other, 3), -ENOMEM);
	cr_assert_eq(page_alloc_nr_claimed(), free - 2);
	/* Two are left: for another domain, and for the hypervisor itself. */
	cr_assert_eq(dom_alloc_pages(other, 0, &m), 0);
	cr_assert_eq(dom_alloc_pages(other, 1, &m), -ENOMEM);
	cr_assert_eq(other->tot_pages, 1);
	cr_assert_not_null(hv_alloc_pages(NULL, 0));
	cr_assert_null(hv_alloc_pages(NULL, 0));
	cr_assert_eq(dom_alloc_pages(other, 0, &m), -ENOMEM);
	cr_assert_eq(page_alloc_nr_free(), free - 2);
}

Test(page_claim, shrinks_by_what_is_taken)
{
	uint64_t free;
	mfn_t m;

	setup_bank(16 * MIB);
	cr_assert_eq(dom_alloc_pages(d, 3, &m), 0);
	free = page_alloc_nr_free();
	cr_assert_eq(page_claim(d, 8), -EINVAL, "it has them already");
	cr_assert_eq(page_claim(d, 8 + 20), 0);
	cr_assert_eq(dom_alloc_pages(d, 4, &m), 0);
	cr_assert_eq(d->claimed_pages, 4);
	/* More than its claim, as long as there is more. */
	cr_assert_eq(dom_alloc_pages(d, 3, &m), 0);
	cr_assert_eq(d->claimed_pages, 0);
	cr_assert_eq(page_alloc_nr_claimed(), 0);
	/* What it gives back is nobody's. */
	page_release_range(d, m, 8);
	cr_assert_eq(page_alloc_nr_claimed(), 0);
	cr_assert_eq(page_alloc_nr_free(), free - 16);
	cr_assert_eq(page_claim(other, free - 16), 0);
	page_unclaim(other);
	page_unclaim(other);
	cr_assert_eq(page_alloc_nr_claimed(), 0);
}

Test(page_claim, within_its_limit_and_not_while_it_ends)
{
	setup_bank(16 * MIB);
	d->max_pages = 9;
	cr_assert_eq(page_claim(d, 10), -EINVAL);
	d->max_pages = 10;
	d->state = DOM_DYING;
	cr_assert_eq(page_claim(d, 10), -EINVAL);
	d->state = 0;
	cr_assert_eq(page_claim(d, 10), 0);
}
