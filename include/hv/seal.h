/* SPDX-License-Identifier: Apache-2.0 */
/* The end of boot. */
#ifndef HV_SEAL_H
#define HV_SEAL_H

#include <lib/types.h>

struct domain;

/*
 * What was decided becomes read-only, boot code and data go, @first (may be
 * NULL) starts, this CPU runs guests.
 */
__noreturn void seal(struct domain *first);

#endif
