/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels whose ports the device tree has fixed, for one vCPU, in
 * Xen's 2-level format. docs/ipc.md; the numbers and the layout are Xen's
 * public/event_channel.h and public/xen.h.
 *
 * Needs   memory that is normal and cacheable: the MMU is on.
 */
#ifndef BH_EVENT_H
#define BH_EVENT_H

#include <stddef.h>
#include <stdint.h>

#define BH_EVENT_INTID 31u /* a domain of boot time; its tree says so too */
#define BH_PAGE_BYTES 4096u

/*
 * @page, of the guest's own memory and aligned to its size, becomes the page
 * that is shared with the hypervisor. To be called in each life, before
 * interrupts are taken. 0 or Xen's negative errno.
 */
long bh_events_open(void *page);

/*
 * Once for each interrupt BH_EVENT_INTID, and once at the start: calls @each
 * (NULL: nobody) for every port with a new event, which it takes.
 */
void bh_events_take(void (*each)(uint32_t port));

/* 0, also when nobody is at the other end; else Xen's negative errno. */
long bh_event_send(uint32_t port);

/* A masked port gathers its event without an interrupt. */
void bh_event_mask(uint32_t port);
long bh_event_unmask(uint32_t port);

/*
 * The sign of life that heartbeat_ms wants, also the first one: each time
 * before that is over. 0 or Xen's negative errno.
 */
long bh_alive(void);

/* Ends this domain as crashed: its on_crash says what then. */
void bh_crash(void) __attribute__((noreturn));

#endif
