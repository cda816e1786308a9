/* SPDX-License-Identifier: Apache-2.0 */
/* What libfdt's headers expect of a C library; bodies in guests/lib/string.c */
#ifndef GUEST_LIBC_STDLIB_H
#define GUEST_LIBC_STDLIB_H

unsigned long strtoul(const char *s, char **end, int base);

#endif
