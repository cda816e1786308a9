/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's memory and string functions that the image needs. A hosted
 * build has them already; there ours get the prefix lib_ and are only tested.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stddef.h>

#if __STDC_HOSTED__
#include <string.h>
#define LIB_NAME(name) lib_##name
#else
#define LIB_NAME(name) name
#endif

void *LIB_NAME(memcpy)(void *dst, const void *src, size_t n);
void *LIB_NAME(memmove)(void *dst, const void *src, size_t n);
void *LIB_NAME(memset)(void *dst, int c, size_t n);
int LIB_NAME(memcmp)(const void *a, const void *b, size_t n);
void *LIB_NAME(memchr)(const void *s, int c, size_t n);
size_t LIB_NAME(strlen)(const char *s);
size_t LIB_NAME(strnlen)(const char *s, size_t max);
int LIB_NAME(strcmp)(const char *a, const char *b);
int LIB_NAME(strncmp)(const char *a, const char *b, size_t n);
char *LIB_NAME(strchr)(const char *s, int c);
char *LIB_NAME(strrchr)(const char *s, int c);

/*
 * A short copy, in line: for structures of a few words. Any length, any
 * alignment (Normal memory).
 */
static inline void copy_small(void *dst, const void *src, size_t n)
{
	char *d = (char *)dst;
	const char *s = (const char *)src;
	size_t i = n & 4;

	if (i != 0) {
		__builtin_memcpy(d, s, 4);
	}
	for (; i + 8 <= n; i += 8) {
		__builtin_memcpy(d + i, s + i, 8);
	}
	for (; i < n; i++) { /* bound: 3 */
		d[i] = s[i];
	}
}

/* Keep the compiler from turning a copy loop into a call of memcpy. */
#ifdef __clang__
#define LIB_NO_IDIOM __attribute__((no_builtin))
#else
#define LIB_NO_IDIOM                                                          \
	__attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

#endif
