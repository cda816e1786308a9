/* SPDX-License-Identifier: Apache-2.0 */
/* Only what the device tree lists may be started: SHA-256 of boot modules. */
#ifndef BOOT_MEASURE_H
#define BOOT_MEASURE_H

#include <lib/types.h>

struct boot_domain;
struct dt;

/* The tree itself, which holds the command line, into the log. */
void measure_tree(const struct dt *t);
/*
 * All modules of dom0, or of @b, with the hash that the tree lists or without
 * one. -EACCES: one is not what is listed, or must be and is not; logged. To
 * be called right before they are used.
 */
__must_check int measure_dom0(void);
__must_check int measure_domain(const struct boot_domain *b);

#endif
