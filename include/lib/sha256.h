/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), whole blocks by a function of the caller's choice. */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include <lib/types.h>

#define SHA256_SIZE 32u  /* bytes of a hash */
#define SHA256_BLOCK 64u /* bytes that are taken at a time */

/* Take @nr blocks at @data, which need not be aligned, into @h. */
typedef void sha256_blocks_fn(uint32_t h[8], const uint8_t *data, uint64_t nr);

struct sha256 {
	uint32_t h[8];
	uint64_t size; /* bytes so far */
	uint8_t rest[SHA256_BLOCK]; /* size % SHA256_BLOCK of them */
	sha256_blocks_fn *blocks;
};

extern const uint32_t sha256_k[64]; /* the standard's constants */

/* In plain C, about 60 instructions a byte. */
sha256_blocks_fn sha256_blocks;

void sha256_begin(struct sha256 *s, sha256_blocks_fn *blocks);
void sha256_add(struct sha256 *s, const void *data, uint64_t size);
void sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE]);

#endif
