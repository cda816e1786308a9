/* SPDX-License-Identifier: Apache-2.0 */
/* Event channels that the device tree makes between domains. */
#ifndef BOOT_FDT_DOM_EVTCHN_H
#define BOOT_FDT_DOM_EVTCHN_H

#include "fdt_util.h"

#define MAX_STATIC_EVTCHNS 128u	     /* ends, of all domains together */
#define STATIC_DOM0 UINT8_MAX /* in place of an index of boot_domains[] */
#define STATIC_NO_PEER UINT16_MAX

/* One end. */
struct static_evtchn {
	uint16_t node; /* of the tree */
	uint16_t peer; /* the other end's place in static_evtchns[] */
	uint32_t port;
	uint32_t to; /* phandle of the other end's node */
	uint8_t dom; /* index of boot_domains[], or STATIC_DOM0 */
};

extern struct static_evtchn static_evtchns[MAX_STATIC_EVTCHNS];
extern uint32_t nr_static_evtchns;
extern const char *const dt_evtchn[]; /* "compatible" of such a node */

void fdt_evtchn_reset(void);
/* Node @idx, of domain @dom. -EINVAL, -ENOSPC: logged. */
__must_check int fdt_evtchn_parse(struct dt *t, uint32_t idx, uint8_t dom);
/*
 * All are read: find the other ends. A domain with an end that leads nowhere
 * is refused, a domain whose peer is refused is not.
 */
void fdt_evtchn_link(struct dt *t);

#endif
