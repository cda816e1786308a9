/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPUs may work together; cpu/features.c. */
#ifndef ARCH_FEATURES_H
#define ARCH_FEATURES_H

#include <lib/types.h>

/* The boot CPU's are what the others must have; after idregs_init(). */
void features_init(void);
/*
 * This CPU, at its bring-up: guests see from now on only what it has, too.
 * NULL, or what cannot be hidden and keeps it off line.
 */
__must_check const char *features_join(void);
/* It tells the boot CPU before it parks, which asks once. NULL: nothing. */
void features_refuse(const char *why);
const char *features_refused(void);

#endif
