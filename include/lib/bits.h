/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits and fields, named by the bit numbers the manuals print.
 */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include <stdint.h>

#define BIT32(n) (UINT32_C(1) << (n))
#define BIT64(n) (UINT64_C(1) << (n))
#define FIELD64(hi, lo)                                                       \
	((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))
#define field_lsb(mask) ((mask) & (~(mask) + 1))
#define field_get(mask, reg) (((reg) & (mask)) / field_lsb(mask))
#define field_prep(mask, val) (((uint64_t)(val) * field_lsb(mask)) & (mask))

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Index of the lowest set bit; @x must not be 0. */
static inline unsigned int ffs64(uint64_t x)
{
	return (unsigned int)__builtin_ctzll(x);
}

/* Index of the highest set bit; @x must not be 0. */
static inline unsigned int fls64(uint64_t x)
{
	return 63u - (unsigned int)__builtin_clzll(x);
}

/* Number of set bits; without the FP unit there is no instruction for it. */
static inline unsigned int popcount64(uint64_t x)
{
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) +
	    (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (unsigned int)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* @a is a power of two; the caller knows that x + a - 1 does not wrap. */
static inline uint64_t align_up(uint64_t x, uint64_t a)
{
	return (x + a - 1) & ~(a - 1);
}

static inline uint64_t align_down(uint64_t x, uint64_t a)
{
	return x & ~(a - 1);
}

static inline int is_aligned(uint64_t x, uint64_t a)
{
	return (x & (a - 1)) == 0;
}

/*
 * An index that a guest chose, forced below @nr even on a mispredicted path.
 * @i < @nr must already have been checked; both below 2^63. The compiler must
 * not see that check through @i, or it drops the mask as pointless.
 */
static inline uint64_t array_index_nospec(uint64_t i, uint64_t nr)
{
	uint64_t mask;

	__asm__("" : "+r"(i));
	if (__builtin_constant_p(nr) && (nr & (nr - 1)) == 0) {
		return i & (nr - 1); /* a power of two: one instruction */
	}
	mask = (uint64_t)((int64_t)(i - nr) >> 63);
	__asm__("" : "+r"(mask));
	return i & mask;
}

#endif
