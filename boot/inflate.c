/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deflate data to bytes.
 *
 * Owns    nothing; all state is in struct gunzip_work.
 * Not     the gzip container and its CRC (gunzip.c).
 * Bounds  input is consumed bit by bit and never re-read, output never passes
 *         the limit, so time is linear in both.
 * Spec    RFC 1951 "DEFLATE".
 */
#include "inflate.h"

#include <lib/errno.h>
#include <lib/string.h>

#define MAX_CODE_BITS 15u
#define NR_LIT 286u
#define NR_DIST 30u

/* At least @n bits at hand, n <= 32; false at the end of input. */
static bool bits_fill(struct gunzip_work *w, uint32_t n)
{
	while (w->nr_bits < n) {
		if (w->src_pos == w->src_size) {
			return false;
		}
		w->bits |= (uint64_t)w->src[w->src_pos++] << w->nr_bits;
		w->nr_bits += 8;
	}
	return true;
}

static uint32_t bits_take(struct gunzip_work *w, uint32_t n)
{
	uint32_t v = (uint32_t)(w->bits & ((UINT64_C(1) << n) - 1));

	w->bits >>= n;
	w->nr_bits -= n;
	return v;
}

/* ---- Huffman codes ------------------------------------------------------- */

static uint32_t reverse(uint32_t v, uint32_t n)
{
	uint32_t r = 0;

	for (uint32_t i = 0; i < n; i++) {
		r = r << 1 | ((v >> i) & 1);
	}
	return r;
}

/*
 * Codes from their lengths. -EINVAL when there are more than fit, or fewer
 * and it is not the single code that RFC 1951 allows.
 */
static int code_make(struct gunzip_code *c, const uint8_t *length, uint32_t nr)
{
	uint16_t first[MAX_CODE_BITS + 2] = { 0 };
	uint32_t code[MAX_CODE_BITS + 2] = { 0 };
	int32_t left = 1;

	memset(c, 0, sizeof(*c));
	for (uint32_t i = 0; i < nr; i++) {
		c->count[length[i]]++;
	}
	for (uint32_t n = 1; n <= MAX_CODE_BITS; n++) {
		left = (left << 1) - c->count[n];
		if (left < 0) {
			return -EINVAL;
		}
		first[n + 1] = (uint16_t)(first[n] + c->count[n]);
		code[n + 1] = (code[n] + c->count[n]) << 1;
	}
	if (left > 0 && nr - c->count[0] > 1) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t n = length[i];

		if (n == 0) {
			continue;
		}
		c->symbol[first[n]++] = (uint16_t)i;
		if (n <= GUNZIP_FAST_BITS) {
			uint32_t step = 1u << n;

			for (uint32_t at = reverse(code[n], n);
			     at < 1u << GUNZIP_FAST_BITS; at += step) {
				c->fast[at] = (uint16_t)(i << 4 | n);
			}
		}
		code[n]++;
	}
	return 0;
}

/* A code longer than the table, or the last ones of the input. */
static int32_t symbol_slow(struct gunzip_work *w, const struct gunzip_code *c)
{
	int32_t code = 0;
	int32_t first = 0;
	int32_t index = 0;

	for (uint32_t n = 1; n <= MAX_CODE_BITS; n++) {
		if (!bits_fill(w, 1)) {
			return -EINVAL;
		}
		code |= (int32_t)bits_take(w, 1);
		if (code - first < c->count[n]) {
			return c->symbol[index + (code - first)];
		}
		index += c->count[n];
		first = (first + c->count[n]) << 1;
		code <<= 1;
	}
	return -EINVAL;
}

static int32_t symbol_read(struct gunzip_work *w, const struct gunzip_code *c)
{
	uint32_t f;

	if (!bits_fill(w, GUNZIP_FAST_BITS)) {
		return symbol_slow(w, c);
	}
	f = c->fast[w->bits & ((1u << GUNZIP_FAST_BITS) - 1)];
	if (f == 0) {
		return symbol_slow(w, c);
	}
	(void)bits_take(w, f & 0xf);
	return (int32_t)(f >> 4);
}

/* ---- blocks -------------------------------------------------------------- */

static int block_stored(struct gunzip_work *w)
{
	uint32_t len;

	(void)bits_take(w, w->nr_bits % 8);
	if (!bits_fill(w, 32)) {
		return -EINVAL;
	}
	len = bits_take(w, 16);
	if (bits_take(w, 16) != (len ^ 0xffff)) {
		return -EINVAL;
	}
	for (; len > 0; len--) {
		if (!bits_fill(w, 8)) {
			return -EINVAL;
		}
		if (w->dst_pos == w->dst_size) {
			return -ENOSPC;
		}
		w->dst[w->dst_pos++] = (uint8_t)bits_take(w, 8);
	}
	return 0;
}

static int copy_match(struct gunzip_work *w, uint32_t len, uint32_t dist)
{
	uint64_t room = w->dst_size - w->dst_pos;
	uint32_t n = len < room ? len : (uint32_t)room;
	uint8_t *to = w->dst + w->dst_pos;

	if (dist > w->dst_pos) {
		return -EINVAL;
	}
	/* Source and target overlap on purpose when dist < len. */
	for (uint32_t i = 0; i < n; i++) {
		to[i] = to[(int64_t)i - (int64_t)dist];
	}
	w->dst_pos += n;
	return n < len ? -ENOSPC : 0;
}

/* Length and distance of a match whose length symbol is @sym. */
static int match_read(struct gunzip_work *w, uint32_t sym)
{
	static const uint16_t len_base[] = {
		3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35,
		43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
	};
	static const uint8_t len_bits[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
		4, 4, 4, 4, 5, 5, 5, 5, 0,
	};
	static const uint16_t dist_base[] = {
		1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193,
		257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
		12289, 16385, 24577,
	};
	uint32_t n = sym - 257;
	uint32_t extra;
	uint32_t len;
	int32_t d;

	if (n >= ARRAY_SIZE(len_base) || !bits_fill(w, len_bits[n])) {
		return -EINVAL;
	}
	len = len_base[n] + bits_take(w, len_bits[n]);
	d = symbol_read(w, &w->dist);
	if (d < 0 || d >= (int32_t)NR_DIST) {
		return -EINVAL;
	}
	extra = d < 4 ? 0 : (uint32_t)d / 2 - 1;
	if (!bits_fill(w, extra)) {
		return -EINVAL;
	}
	return copy_match(w, len, dist_base[d] + bits_take(w, extra));
}

static int block_data(struct gunzip_work *w)
{
	for (;;) { /* bound: each symbol consumes input */
		int32_t sym = symbol_read(w, &w->lit);
		int rc;

		if (sym < 0 || sym == 256) {
			return sym < 0 ? -EINVAL : 0;
		}
		if (sym > 256) {
			rc = match_read(w, (uint32_t)sym);
			if (rc) {
				return rc;
			}
			continue;
		}
		if (w->dst_pos == w->dst_size) {
			return -ENOSPC;
		}
		w->dst[w->dst_pos++] = (uint8_t)sym;
	}
}

static int codes_fixed(struct gunzip_work *w)
{
	memset(w->lengths, 8, 144);
	memset(w->lengths + 144, 9, 112);
	memset(w->lengths + 256, 7, 24);
	memset(w->lengths + 280, 8, 8);
	if (code_make(&w->lit, w->lengths, 288)) {
		return -EINVAL;
	}
	memset(w->lengths, 5, 32);
	return code_make(&w->dist, w->lengths, 32);
}

/* Code lengths, run-length coded with a code of their own (in w->lit). */
static int lengths_read(struct gunzip_work *w, uint32_t nr)
{
	uint32_t i = 0;

	while (i < nr) {
		int32_t sym = symbol_read(w, &w->lit);
		uint32_t repeat = 1;
		uint8_t value = 0;

		if (sym < 0 || (sym == 16 && i == 0) || !bits_fill(w, 7)) {
			return -EINVAL;
		}
		if (sym < 16) {
			value = (uint8_t)sym;
		} else if (sym == 16) {
			value = w->lengths[i - 1];
			repeat = 3 + bits_take(w, 2);
		} else {
			repeat = sym == 17 ? 3 + bits_take(w, 3) :
				 11 + bits_take(w, 7);
		}
		if (repeat > nr - i) {
			return -EINVAL;
		}
		memset(w->lengths + i, value, repeat);
		i += repeat;
	}
	return 0;
}

static int codes_dynamic(struct gunzip_work *w)
{
	static const uint8_t order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5,
					   11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t length[19] = { 0 };
	uint32_t nr_lit;
	uint32_t nr_dist;
	uint32_t nr;

	if (!bits_fill(w, 14)) {
		return -EINVAL;
	}
	nr_lit = 257 + bits_take(w, 5);
	nr_dist = 1 + bits_take(w, 5);
	nr = 4 + bits_take(w, 4);
	if (nr_lit > NR_LIT || nr_dist > NR_DIST) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < nr; i++) {
		if (!bits_fill(w, 3)) {
			return -EINVAL;
		}
		length[order[i]] = (uint8_t)bits_take(w, 3);
	}
	if (code_make(&w->lit, length, 19) ||
	    lengths_read(w, nr_lit + nr_dist) || w->lengths[256] == 0 ||
	    code_make(&w->lit, w->lengths, nr_lit)) {
		return -EINVAL;
	}
	return code_make(&w->dist, w->lengths + nr_lit, nr_dist);
}

int inflate(struct gunzip_work *w)
{
	bool last;

	do { /* bound: each block consumes input */
		uint32_t kind;
		int rc = -EINVAL;

		if (!bits_fill(w, 3)) {
			return -EINVAL;
		}
		last = bits_take(w, 1);
		kind = bits_take(w, 2);
		if (kind == 0) {
			rc = block_stored(w);
		} else if (kind < 3) {
			rc = kind == 1 ? codes_fixed(w) : codes_dynamic(w);
			rc = rc ? rc : block_data(w);
		}
		if (rc) {
			return rc;
		}
	} while (!last);
	return 0;
}
