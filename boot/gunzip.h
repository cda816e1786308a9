/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking gzip data, all state in the caller's hands. */
#ifndef BOOT_GUNZIP_H
#define BOOT_GUNZIP_H

#include <lib/types.h>

#define GUNZIP_FAST_BITS 9u /* codes this short are one table look-up */

/* One Huffman code: canonical counts, and a table for the short codes. */
struct gunzip_code {
	uint16_t count[16];               /* codes per length */
	uint16_t symbol[288];             /* in the order of their codes */
	uint16_t fast[1u << GUNZIP_FAST_BITS]; /* symbol << 4 | length; 0 */
};

struct gunzip_work {
	const uint8_t *src;
	uint64_t src_size;
	uint64_t src_pos;
	uint8_t *dst;
	uint64_t dst_size;
	uint64_t dst_pos;
	uint64_t bits;     /* not yet consumed, the next one lowest */
	uint32_t nr_bits;
	uint8_t lengths[320];
	struct gunzip_code lit;
	struct gunzip_code dist;
	uint32_t crc_table[256];
};

/* A gzip member starts at @src. */
bool is_gzip(const void *src, uint64_t size);
/* What its trailer says it unpacks to, modulo 2^32. */
uint64_t gunzip_size(const void *src, uint64_t size);
/*
 * Unpack into @dst; *@out_size is what it became. -EINVAL: not gzip, damaged
 * or cut off; -ENOSPC: more than @dst_size (the first @dst_size bytes are
 * there). Reads and writes stay inside the two buffers whatever they hold.
 */
__must_check int gunzip(struct gunzip_work *w, void *dst, uint64_t dst_size,
			const void *src, uint64_t src_size,
			uint64_t *out_size);

#endif
