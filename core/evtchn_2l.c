/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels, 2-level format: bits of shared_info and a selector word in
 * each vCPU's vcpu_info.
 *
 * Owns    the only accesses to those words.
 * Locks   none: single atomic operations on memory shared with the guest.
 * Bounds  each operation is one atomic read-modify-write per word. A guest
 *         that hammers the word can delay it, as it can any bus master; it
 *         delays the CPU of whoever signals it, never for good.
 * Spec    [XEN] xen.h "struct shared_info". Order: pending, selector, upcall.
 */
#include "evtchn_priv.h"
#include <lib/bits.h>

#define NR_2L_PORTS (64u * 64u)

static bool test_and_set(uint64_t *word, unsigned int bit)
{
	return (__atomic_fetch_or(word, BIT64(bit), __ATOMIC_SEQ_CST) &
		BIT64(bit)) != 0;
}

static uint64_t *pending_word(const struct domain *d, uint32_t port)
{
	return (uint64_t *)(void *)&d->shared_info->evtchn_pending[port / 64];
}

static uint64_t *mask_word(const struct domain *d, uint32_t port)
{
	return (uint64_t *)(void *)&d->shared_info->evtchn_mask[port / 64];
}

/* The port is pending and not masked: tell the vCPU. */
static bool select_port(struct vcpu *v, uint32_t port)
{
	struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_ACQUIRE);

	if (test_and_set((uint64_t *)(void *)&info->evtchn_pending_sel,
			 port / 64)) {
		return false;
	}
	return __atomic_exchange_n(&info->evtchn_upcall_pending, 1,
				   __ATOMIC_SEQ_CST) == 0;
}

static bool set_pending(struct vcpu *v, struct evtchn *chn, uint32_t port)
{
	(void)chn;
	if (test_and_set(pending_word(v->domain, port), port % 64)) {
		return false; /* already: nothing new to tell */
	}
	if (__atomic_load_n(mask_word(v->domain, port), __ATOMIC_SEQ_CST) &
	    BIT64(port % 64)) {
		return false; /* told when the guest unmasks it */
	}
	return select_port(v, port);
}

static bool unmask(struct vcpu *v, struct evtchn *chn, uint32_t port)
{
	struct domain *d = v->domain;
	uint64_t bit = BIT64(port % 64);
	uint64_t was = __atomic_fetch_and(mask_word(d, port), ~bit,
					  __ATOMIC_SEQ_CST);

	(void)chn;
	if (!(was & bit) ||
	    !(__atomic_load_n(pending_word(d, port), __ATOMIC_SEQ_CST) & bit)) {
		return false;
	}
	return select_port(v, port);
}

static void clear_pending(struct domain *d, struct evtchn *chn, uint32_t port)
{
	(void)chn;
	(void)__atomic_fetch_and(pending_word(d, port), ~BIT64(port % 64),
				 __ATOMIC_SEQ_CST);
}

bool evtchn_2l_is_pending(const struct domain *d, uint32_t port)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (__atomic_load_n(pending_word(d, port % NR_2L_PORTS),
				__ATOMIC_ACQUIRE) &
		BIT64(port % 64)) != 0;
}

const struct evtchn_ops evtchn_2l_ops = {
	.set_pending = set_pending,
	.unmask = unmask,
	.clear_pending = clear_pending,
	.is_pending = evtchn_2l_is_pending,
	.max_ports = NR_2L_PORTS,
};
