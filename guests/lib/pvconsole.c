/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of a guest that a toolstack made: a ring in a page shared with
 * the control domain's console daemon, and an event channel to it. The first
 * domain has none; it prints by hypercall.
 */
#include "guest.h"

#define RING_SIZE ((uint32_t)sizeof(((struct xencons_interface *)0)->out))

static volatile struct xencons_interface *ring;
static evtchn_send_t daemon;
static bool batched;

/* What the toolstack left for us under this number; 0 when nothing. */
static uint64_t hvm_param(uint32_t index)
{
	xen_hvm_param_t p = { .domid = DOMID_SELF, .index = index };

	return hc2(__HYPERVISOR_hvm_op, HVMOP_get_param, PTR(&p)) ? 0 :
	       p.value;
}

void pvconsole_find(void)
{
	daemon.port = (evtchn_port_t)hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
	machine.console = hvm_param(HVM_PARAM_CONSOLE_PFN) * PAGE_SIZE;
}

void pvconsole_open(void)
{
	if (machine.console && daemon.port) {
		ring = (void *)(uintptr_t)machine.console;
	}
}

/* Waits until the daemon has taken all but @left bytes. */
static void drain(uint32_t left)
{
	while (ring->out_prod - ring->out_cons > left) {
		hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send,
		    PTR(&daemon));
		hc1(__HYPERVISOR_sched_op, SCHEDOP_yield);
	}
}

bool pvconsole_write(const char *s, size_t n)
{
	if (!ring) {
		return false;
	}
	while (n--) {
		drain(RING_SIZE - 1);
		ring->out[ring->out_prod % RING_SIZE] = *s++;
		dsb();
		ring->out_prod = ring->out_prod + 1;
	}
	drain(batched ? RING_SIZE / 2 : 0);
	return true;
}

void pvconsole_batch(bool on)
{
	batched = on;
	if (ring && !on) {
		drain(0);
	}
}
