/* SPDX-License-Identifier: Apache-2.0 */
/* The few C library functions that the compiler and libfdt call. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

void *memcpy(void *d, const void *s, size_t n)
{
	uint8_t *to = d;
	const uint8_t *from = s;

	while (n--) {
		*to++ = *from++;
	}
	return d;
}

void *memmove(void *d, const void *s, size_t n)
{
	uint8_t *to = d;
	const uint8_t *from = s;

	if (to <= from) {
		return memcpy(d, s, n);
	}
	while (n--) {
		to[n] = from[n];
	}
	return d;
}

void *memset(void *d, int c, size_t n)
{
	uint8_t *to = d;

	while (n--) {
		*to++ = (uint8_t)c;
	}
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const uint8_t *p = s;

	for (; n; n--, p++) {
		if (*p == (uint8_t)c) {
			return (void *)(uintptr_t)p;
		}
	}
	return NULL;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len]) {
		len++;
	}
	return len;
}

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
	size_t i = strlen(s) + 1;

	while (i--) {
		if (s[i] == (char)c) {
			return (char *)(uintptr_t)&s[i];
		}
	}
	return NULL;
}

/* libfdt asks for decimal unit addresses only. */
unsigned long strtoul(const char *s, char **end, int base)
{
	unsigned long v = 0;

	while (*s >= '0' && *s <= '9') {
		v = v * (unsigned long)base + (unsigned long)(*s++ - '0');
	}
	if (end) {
		*end = (char *)(uintptr_t)s;
	}
	return v;
}

const char *find(const char *haystack, const char *needle)
{
	size_t n = strlen(needle);

	for (; *haystack; haystack++) {
		if (strnlen(haystack, n) == n && !memcmp(haystack, needle, n)) {
			return haystack;
		}
	}
	return NULL;
}

/* Debian builds libfdt with the stack protector. */
extern uintptr_t __stack_chk_guard;
extern void __stack_chk_fail(void);
uintptr_t __stack_chk_guard = 0x5aa5c33c;

void __stack_chk_fail(void)
{
	printf("FAIL stack smashed\nGUEST FAIL 1\n");
	power_off();
}
