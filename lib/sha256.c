/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256.
 *
 * Bounds  the time grows with the data.
 * Spec    FIPS 180-4 "Secure Hash Standard", 5.1.1, 6.2; the constants are of
 *         4.2.2 and 5.3.3.
 */
#include <lib/sha256.h>
#include <lib/string.h>

const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8) {
		p[i] = (uint8_t)v;
	}
}

static uint32_t ror(uint32_t v, uint32_t n)
{
	return v >> n | v << (32 - n);
}

/* Word @t of the schedule; the last 16 are kept in @w. */
static uint32_t schedule(uint32_t w[16], uint32_t t, const uint8_t *data)
{
	uint32_t w2 = w[(t - 2) % 16];
	uint32_t w15 = w[(t - 15) % 16];

	if (t < 16) {
		return w[t] = be32(data + 4u * t);
	}
	w[t % 16] += (ror(w2, 17) ^ ror(w2, 19) ^ w2 >> 10) +
		     w[(t - 7) % 16] +
		     (ror(w15, 7) ^ ror(w15, 18) ^ w15 >> 3);
	return w[t % 16];
}

/* The standard's a to h are v[0] to v[7]; in line, they are registers. */
static void one_round(uint32_t v[8], uint32_t kw)
{
	uint32_t t1 = v[7] + kw +
		      (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) +
		      ((v[4] & v[5]) ^ (~v[4] & v[6]));
	uint32_t t2 = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) +
		      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

	v[7] = v[6];
	v[6] = v[5];
	v[5] = v[4];
	v[4] = v[3] + t1;
	v[3] = v[2];
	v[2] = v[1];
	v[1] = v[0];
	v[0] = t1 + t2;
}

static void one_block(uint32_t h[8], const uint8_t *data)
{
	uint32_t w[16] = { 0 };
	uint32_t v[8];

	memcpy(v, h, sizeof(v));
	for (uint32_t t = 0; t < 64; t++) {
		one_round(v, sha256_k[t] + schedule(w, t, data));
	}
	for (uint32_t i = 0; i < 8; i++) {
		h[i] += v[i];
	}
}

void sha256_blocks(uint32_t h[8], const uint8_t *data, uint64_t nr)
{
	for (; nr; nr--, data += SHA256_BLOCK) {
		one_block(h, data);
	}
}

void sha256_begin(struct sha256 *s, sha256_blocks_fn *blocks)
{
	static const uint32_t h[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->h, h, sizeof(h));
	s->size = 0;
	s->blocks = blocks;
}

void sha256_add(struct sha256 *s, const void *data, uint64_t size)
{
	const uint8_t *p = data;
	uint64_t have = s->size % SHA256_BLOCK;
	uint64_t n = size < SHA256_BLOCK - have ? size : SHA256_BLOCK - have;

	s->size += size;
	if (have) {
		memcpy(s->rest + have, p, n);
		p += n;
		size -= n;
		if (have + n < SHA256_BLOCK) {
			return;
		}
		s->blocks(s->h, s->rest, 1);
	}
	s->blocks(s->h, p, size / SHA256_BLOCK);
	memcpy(s->rest, p + (size - size % SHA256_BLOCK),
	       size % SHA256_BLOCK);
}

void sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE])
{
	uint64_t bits = s->size * 8;
	uint64_t have = s->size % SHA256_BLOCK;

	s->rest[have++] = 0x80;
	if (have > SHA256_BLOCK - 8) {
		memset(s->rest + have, 0, SHA256_BLOCK - have);
		s->blocks(s->h, s->rest, 1);
		have = 0;
	}
	memset(s->rest + have, 0, SHA256_BLOCK - 8 - have);
	put_be32(s->rest + SHA256_BLOCK - 8, (uint32_t)(bits >> 32));
	put_be32(s->rest + SHA256_BLOCK - 4, (uint32_t)bits);
	s->blocks(s->h, s->rest, 1);
	for (uint32_t i = 0; i < 8; i++) {
		put_be32(out + 4u * i, s->h[i]);
	}
}
