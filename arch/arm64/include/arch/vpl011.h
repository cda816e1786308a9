/* SPDX-License-Identifier: Apache-2.0 */
/* The UART of a domain that was started at boot. */
#ifndef ARCH_VPL011_H
#define ARCH_VPL011_H

#include <lib/types.h>

struct dom_config;
struct domain;

/* Under d->console->lock; the input is in d->console. */
struct vpl011 {
	bool present;
	bool tx;       /* RIS.TX: something was sent and not acknowledged */
	uint16_t imsc;
	uint16_t intid;
};

/* Give @d the UART at its place. -ENOSPC, -EEXIST, -EINVAL (no SPI). */
__must_check int vpl011_init(struct domain *d,
			     const struct dom_config *cfg);
/* As after that, and nothing typed waits. */
void vpl011_reset(struct domain *d);

#endif
