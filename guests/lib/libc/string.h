/* SPDX-License-Identifier: Apache-2.0 */
/* What libfdt's headers expect of a C library; bodies in guests/lib/string.c */
#ifndef GUEST_LIBC_STRING_H
#define GUEST_LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *d, const void *s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

#endif
