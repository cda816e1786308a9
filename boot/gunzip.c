/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip files: header, data (inflate.c), length and CRC.
 *
 * Owns    nothing; all state is in struct gunzip_work.
 * Not     further members behind the first: nobody packs a kernel like that.
 * Spec    RFC 1952 "GZIP file format".
 */
#include "gunzip.h"

#include <lib/errno.h>
#include <lib/string.h>
#include "inflate.h"

#define HEADER_SIZE 10u
#define TRAILER_SIZE 8u
#define METHOD_DEFLATE 8u

enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16,
       FLAG_RESERVED = 0xe0 };

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

bool is_gzip(const void *src, uint64_t size)
{
	const uint8_t *s = src;

	return size >= 2 && s[0] == 0x1f && s[1] == 0x8b;
}

uint64_t gunzip_size(const void *src, uint64_t size)
{
	const uint8_t *s = src;

	return size < HEADER_SIZE + TRAILER_SIZE ? 0 : le32(s + size - 4);
}

/* Bytes behind a NUL-terminated text at @pos; @size when it has no end. */
static uint64_t text_end(const uint8_t *s, uint64_t size, uint64_t pos)
{
	const uint8_t *nul = pos < size ? memchr(s + pos, 0, size - pos) :
			     NULL;

	return nul ? (uint64_t)(nul - s) + 1 : size;
}

/* Where the data starts; @size or more when the header is not valid. */
static uint64_t header_end(const uint8_t *s, uint64_t size)
{
	uint64_t pos = HEADER_SIZE;

	if (size < HEADER_SIZE + TRAILER_SIZE || !is_gzip(s, size) ||
	    s[2] != METHOD_DEFLATE || (s[3] & FLAG_RESERVED)) {
		return size;
	}
	if (s[3] & FLAG_EXTRA) {
		pos += 2u + s[pos] + ((uint32_t)s[pos + 1] << 8);
	}
	if (s[3] & FLAG_NAME) {
		pos = text_end(s, size, pos);
	}
	if (s[3] & FLAG_COMMENT) {
		pos = text_end(s, size, pos);
	}
	return s[3] & FLAG_HCRC ? pos + 2 : pos;
}

static void crc_prepare(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (uint32_t bit = 0; bit < 8; bit++) {
			v = v >> 1 ^ (v & 1 ? 0xedb88320u : 0);
		}
		table[i] = v;
	}
}

static uint32_t crc_of(const uint32_t table[256], const uint8_t *p, uint64_t n)
{
	uint32_t crc = UINT32_MAX;

	for (uint64_t i = 0; i < n; i++) {
		crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
	}
	return ~crc;
}

int gunzip(struct gunzip_work *w, void *dst, uint64_t dst_size,
	   const void *src, uint64_t src_size, uint64_t *out_size)
{
	uint64_t tail;
	int rc;

	w->src = src;
	w->src_size = src_size;
	w->src_pos = header_end(src, src_size);
	w->dst = dst;
	w->dst_size = dst_size;
	w->dst_pos = 0;
	w->bits = 0;
	w->nr_bits = 0;
	*out_size = 0;
	if (w->src_pos >= src_size) {
		return -EINVAL;
	}
	rc = inflate(w);
	*out_size = w->dst_pos;
	if (rc) {
		return rc;
	}
	tail = w->src_pos - w->nr_bits / 8;
	if (src_size - tail < TRAILER_SIZE ||
	    le32(w->src + tail + 4) != (uint32_t)w->dst_pos) {
		return -EINVAL;
	}
	crc_prepare(w->crc_table);
	return le32(w->src + tail) ==
	       crc_of(w->crc_table, dst, w->dst_pos) ? 0 : -EINVAL;
}
