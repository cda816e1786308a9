/* SPDX-License-Identifier: Apache-2.0 */
/* Host port: the architecture's part of a domain. */
#ifndef ARCH_DOMAIN_H
#define ARCH_DOMAIN_H

#include <lib/types.h>
#include <arch/vgic.h> /* arm64's: pure types */
#include <arch/vpl011.h>

struct fake_p2m;

struct arch_domain {
	struct vgic vgic;
	struct fake_p2m *p2m;
	uint64_t tag; /* arch_p2m_tag() */
	uint32_t evtchn_intid;
	struct vpl011 uart;
};

#endif
