/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiler may call even in a freestanding program. */
#include <stddef.h>

void *memset(void *to, int value, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);

void *memset(void *to, int value, size_t n)
{
	unsigned char *t = to;

	while (n--) {
		*t++ = (unsigned char)value;
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (n--) {
		*t++ = *f++;
	}
	return to;
}
