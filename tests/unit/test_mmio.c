/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/mmio.c
#include <criterion/criterion.h>

#include <hv/domain.h>
#include <hv/mmio.h>
#include <lib/errno.h>

static struct domain d;

static enum mmio_result model(struct vcpu *v, struct mmio_access *a, void *o)
{
	(void)v;
	(void)a;
	(void)o;
	return MMIO_OK;
}

static int reg(uint64_t start, uint64_t size)
{
	struct mmio_range r = { .start = start, .size = size, .fn = model };

	return mmio_register(&d, &r);
}

Test(mmio, finds_by_address_in_any_order_of_registration)
{
	cr_assert_null(mmio_find(&d, ipa(0)));
	cr_assert_eq(reg(0x3000, 0x1000), 0);
	cr_assert_eq(reg(0x1000, 0x1000), 0);
	cr_assert_eq(reg(0x2000, 0x800), 0);
	cr_assert_eq(mmio_find(&d, ipa(0x1000))->start, 0x1000);
	cr_assert_eq(mmio_find(&d, ipa(0x1fff))->start, 0x1000);
	cr_assert_eq(mmio_find(&d, ipa(0x27ff))->start, 0x2000);
	cr_assert_null(mmio_find(&d, ipa(0x2800)));
	cr_assert_eq(mmio_find(&d, ipa(0x3abc))->start, 0x3000);
	cr_assert_null(mmio_find(&d, ipa(0xfff)));
	cr_assert_null(mmio_find(&d, ipa(0x4000)));
	cr_assert_null(mmio_find(&d, ipa(UINT64_MAX)));
	cr_assert_eq(d.mmio.range[0].start, 0x1000);
	cr_assert_eq(d.mmio.range[2].start, 0x3000);
}

Test(mmio, overlaps_are_refused)
{
	cr_assert_eq(reg(0x2000, 0x1000), 0);
	cr_assert_eq(reg(0x2000, 0x1000), -EEXIST);
	cr_assert_eq(reg(0x1001, 0x1000), -EEXIST);
	cr_assert_eq(reg(0x2fff, 1), -EEXIST);
	cr_assert_eq(reg(0x1000, 0x10000), -EEXIST);
	cr_assert_eq(reg(0x1000, 0x1000), 0);
	cr_assert_eq(reg(0x3000, 0x1000), 0);
	cr_assert_eq(d.mmio.nr, 3);
}

Test(mmio, what_is_modelled)
{
	cr_assert_not(mmio_is_modelled(&d, ipa(0), UINT64_MAX));
	cr_assert_eq(reg(0x3000, 0x1000), 0);
	cr_assert_eq(reg(0x1000, 0x800), 0);
	cr_assert(mmio_is_modelled(&d, ipa(0x1000), 1));
	cr_assert(mmio_is_modelled(&d, ipa(0x17ff), 1));
	cr_assert(mmio_is_modelled(&d, ipa(0xfff), 2));
	cr_assert(mmio_is_modelled(&d, ipa(0), UINT64_MAX)); /* around it */
	cr_assert(mmio_is_modelled(&d, ipa(0x3fff), 0x10000));
	cr_assert_not(mmio_is_modelled(&d, ipa(0), 0x1000));
	cr_assert_not(mmio_is_modelled(&d, ipa(0x1800), 0x1800));
	cr_assert_not(mmio_is_modelled(&d, ipa(0x4000), UINT64_MAX - 0x4000));
}

Test(mmio, bad_ranges_and_a_full_table)
{
	struct mmio_range r = { .start = 0, .size = 1 };
	unsigned int i;

	cr_assert_eq(mmio_register(&d, &r), -EINVAL);
	cr_assert_eq(reg(0, 0), -EINVAL);
	cr_assert_eq(reg(UINT64_MAX, 2), -EINVAL);
	for (i = 0; i < MMIO_MAX_RANGES; i++) {
		cr_assert_eq(reg(0x10000 - i * 0x100, 0x100), 0);
	}
	cr_assert_eq(reg(0x100000, 0x100), -ENOSPC);
	cr_assert_eq(mmio_find(&d, ipa(0x10000))->start, 0x10000);
}
