/* SPDX-License-Identifier: Apache-2.0 */
/* The arm64 part of a domain. */
#ifndef ARCH_DOMAIN_H
#define ARCH_DOMAIN_H

#include <lib/types.h>
#include <arch/vgic.h>
#include <arch/vpl011.h>

struct arch_domain {
	struct vgic vgic;
	uint64_t vttbr_root;   /* machine address of the stage-2 root */
	uint64_t vmid_gen;     /* generation << 16 | VMID */
	uint64_t cntvoff;
	bool uncached;         /* a device reads the tables past the caches */
	uint32_t evtchn_intid;
	struct vpl011 uart;
};

#endif
