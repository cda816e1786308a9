/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by the CPU's own instructions, during boot only. */
#ifndef ARCH_SHA256_H
#define ARCH_SHA256_H

#include <lib/sha256.h>

/*
 * FEAT_SHA256 is needed. Changes v0 to v7, v16, v17 and saves none: called
 * before any guest has run, when nobody's are in them.
 */
sha256_blocks_fn sha256_blocks_cpu;
/* 0: this CPU has none. */
uint32_t sha256_in_cpu(void);

#endif
