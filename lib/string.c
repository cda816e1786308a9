/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and string functions with the C library's meaning.
 *
 * Owns    nothing.
 * Not     an attempt at the last per cent: copies move 128 bytes a turn with
 *         general registers, because EL2 does not touch FP/SIMD.
 * Locks   none; pure functions.
 * Note    words are read unaligned, which needs memory mapped as Normal.
 */
#include <lib/string.h>

#include <stdbool.h>
#include <stdint.h>

/* A machine word at any address, over any type. */
typedef uint64_t word_t __attribute__((may_alias, aligned(1)));
typedef uint32_t half_t __attribute__((may_alias, aligned(1)));

#define WORD sizeof(word_t)
#define BLOCK (4 * WORD)

static inline void copy_block(void *dst, const void *src)
{
	const word_t *from = src;
	word_t *to = dst;
	uint64_t a = from[0];
	uint64_t b = from[1];
	uint64_t c = from[2];
	uint64_t e = from[3];

	to[0] = a;
	to[1] = b;
	to[2] = c;
	to[3] = e;
}

LIB_NO_IDIOM
void *LIB_NAME(memcpy)(void *dst, const void *src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	/* Packets and blocks of disks: copies between granted pages. */
	for (; n >= 4 * BLOCK; n -= 4 * BLOCK, d += 4 * BLOCK, s += 4 * BLOCK) {
		copy_block(d, s);
		copy_block(d + BLOCK, s + BLOCK);
		copy_block(d + 2 * BLOCK, s + 2 * BLOCK);
		copy_block(d + 3 * BLOCK, s + 3 * BLOCK);
	}
	for (; n >= BLOCK; n -= BLOCK, d += BLOCK, s += BLOCK) {
		copy_block(d, s);
	}
	for (; n >= WORD; n -= WORD, d += WORD, s += WORD) {
		*(word_t *)(void *)d = *(const word_t *)(const void *)s;
	}
	if (n >= sizeof(half_t)) {
		*(half_t *)(void *)d = *(const half_t *)(const void *)s;
		n -= sizeof(half_t);
		d += sizeof(half_t);
		s += sizeof(half_t);
	}
	for (; n > 0; n--) {
		*d++ = *s++;
	}
	return dst;
}

LIB_NO_IDIOM
void *LIB_NAME(memmove)(void *dst, const void *src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	/* Forward copy is safe unless dst starts inside [src, src + n). */
	if ((uintptr_t)d - (uintptr_t)s >= n) {
		return LIB_NAME(memcpy)(dst, src, n);
	}
	d += n;
	s += n;
	for (; n >= WORD; n -= WORD) {
		d -= WORD;
		s -= WORD;
		*(word_t *)(void *)d = *(const word_t *)(const void *)s;
	}
	for (; n > 0; n--) {
		*--d = *--s;
	}
	return dst;
}

LIB_NO_IDIOM
void *LIB_NAME(memset)(void *dst, int c, size_t n)
{
	unsigned char *d = dst;
	uint64_t w = (unsigned char)c * UINT64_C(0x0101010101010101);

	for (; n >= BLOCK; n -= BLOCK, d += BLOCK) {
		word_t *to = (word_t *)(void *)d;

		to[0] = w;
		to[1] = w;
		to[2] = w;
		to[3] = w;
	}
	for (; n >= WORD; n -= WORD, d += WORD) {
		*(word_t *)(void *)d = w;
	}
	for (; n > 0; n--) {
		*d++ = (unsigned char)c;
	}
	return dst;
}

LIB_NO_IDIOM
int LIB_NAME(memcmp)(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (; n >= WORD; n -= WORD, x += WORD, y += WORD) {
		if (*(const word_t *)(const void *)x !=
		    *(const word_t *)(const void *)y) {
			break; /* the bytes below tell which is smaller */
		}
	}
	for (; n > 0; n--, x++, y++) {
		if (*x != *y) {
			return *x < *y ? -1 : 1;
		}
	}
	return 0;
}

LIB_NO_IDIOM
void *LIB_NAME(memchr)(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	for (; n > 0; n--, p++) {
		if (*p == (unsigned char)c) {
			return (void *)(uintptr_t)p;
		}
	}
	return NULL;
}

LIB_NO_IDIOM
size_t LIB_NAME(strnlen)(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0') {
		n++;
	}
	return n;
}

LIB_NO_IDIOM
size_t LIB_NAME(strlen)(const char *s)
{
	const char *end = s;

	while (*end != 0) {
		end++;
	}
	return (size_t)(end - s);
}

LIB_NO_IDIOM
int LIB_NAME(strncmp)(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		unsigned char x = (unsigned char)*a;
		unsigned char y = (unsigned char)*b;

		if (x != y) {
			return x < y ? -1 : 1;
		}
		if (x == 0) {
			break;
		}
	}
	return 0;
}

LIB_NO_IDIOM
int LIB_NAME(strcmp)(const char *a, const char *b)
{
	return LIB_NAME(strncmp)(a, b, SIZE_MAX);
}

LIB_NO_IDIOM
char *LIB_NAME(strchr)(const char *s, int c)
{
	for (;; s++) { /* bound: the string's NUL */
		if (*s == (char)c) {
			return (char *)(uintptr_t)s;
		}
		if (*s == '\0') {
			return NULL;
		}
	}
}

LIB_NO_IDIOM
char *LIB_NAME(strrchr)(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) { /* bound: the string's NUL */
		if (*s == (char)c) {
			last = s;
		}
		if (*s == '\0') {
			return (char *)(uintptr_t)last;
		}
	}
}
