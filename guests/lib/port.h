/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels in the 2-level format, for the guests that test them: the
 * shared info page and a port's life.
 */
#ifndef GUEST_PORT_H
#define GUEST_PORT_H

#include "guest.h"

#define EVTCHN(op, arg)	hc2(__HYPERVISOR_event_channel_op, op, PTR(arg))

extern volatile shared_info_t *const shared;

void ports_map(void);			/* the page */
void ports_listen(void);		/* upcalls on */
void ports_init(void);			/* both, and nothing is pending */
void ports_forget(void);		/* nothing is pending any more */
void ports_take(unsigned int intid);	/* an upcall handler that forgets */

uint32_t port_ipi(unsigned int vcpu);	/* a new one, unmasked */
int64_t port_send(uint32_t port);
int64_t port_close(uint32_t port);
evtchn_status_t port_status(uint32_t port);
bool port_pending(uint32_t port);

bool bitmap_bit(const volatile void *map, uint32_t port);
void bitmap_clear(volatile void *map, uint32_t port);
void bitmap_set(volatile void *map, uint32_t port);

#endif
