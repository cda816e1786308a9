/* SPDX-License-Identifier: Apache-2.0 */
/* Deflate data to bytes, for gunzip.c. */
#ifndef BOOT_INFLATE_H
#define BOOT_INFLATE_H

#include "gunzip.h"

/*
 * From w->src at src_pos to w->dst at dst_pos, both are moved; up to 39 bits
 * that were read and not used stay in w->bits. -EINVAL, -ENOSPC.
 */
__must_check int inflate(struct gunzip_work *w);

#endif
