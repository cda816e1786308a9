/* SPDX-License-Identifier: Apache-2.0 */
/* The log of host tests: keeps the last message of each severity. */
#ifndef FAKE_LOG_H
#define FAKE_LOG_H

#include <lib/types.h>

#define FAKE_LOG_LEVELS 4

extern char fake_log_last[FAKE_LOG_LEVELS][512];
extern uint32_t fake_log_count[FAKE_LOG_LEVELS];
extern bool fake_log_print; /* to stderr as well */

void fake_log_reset(void);

#endif
