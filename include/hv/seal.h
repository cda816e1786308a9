/* SPDX-License-Identifier: Apache-2.0 */
/* The end of boot. */
#ifndef HV_SEAL_H
#define HV_SEAL_H

#include <lib/types.h>

/*
 * What was decided becomes read-only, boot code and data go, all domains
 * start, this CPU runs guests.
 */
__noreturn void seal(void);

#endif
