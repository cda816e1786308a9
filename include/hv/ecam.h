/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PORT: configuration space of PCI functions, a page each, as it is mapped.
 * One access each, of 1, 2 or 4 bytes at a multiple of that.
 */
#ifndef HV_ECAM_H
#define HV_ECAM_H

#include <lib/types.h>

uint32_t ecam_read(const volatile void *at, unsigned int bytes);
void ecam_write(volatile void *at, unsigned int bytes, uint32_t value);

#endif
