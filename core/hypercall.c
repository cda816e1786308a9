/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch of hypercalls: number -> row -> function.
 *
 * Owns    what becomes of the result: the guest's register, a refusal that is
 *         counted, or the same call again.
 * Not     what a call does: the rows are in hypercall_table.c; sub-operations
 *         go through hypercall_subop.c.
 * Locks   none; owner CPU of the vCPU.
 */
#include <hv/hypercall.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/trace.h>
#include <lib/bits.h>
#include <lib/errno.h>

/* Off the fast path: the call was refused or wants to go on later. */
__cold static __attribute__((noinline)) int64_t
not_done(struct vcpu *v, uint64_t nr, int64_t rc)
{
	if (rc == HC_AGAIN) {
		arch_hypercall_restart(v);
		return HC_RESTARTED;
	}
	(void)__atomic_fetch_add(&v->domain->guest_errors, 1,
				 __ATOMIC_RELAXED);
	trace_event(TRACE_HC_REFUSED, v->domain->id, nr, (uint64_t)rc);
	return rc;
}

int64_t hypercall_dispatch(struct vcpu *v, uint64_t nr, const uint64_t *args)
{
	int64_t (*fn)(struct vcpu *v, const uint64_t *args);
	int64_t rc;

	if (unlikely(nr >= NR_HYPERCALLS)) {
		return -ENOSYS;
	}
	fn = hypercall_table[array_index_nospec(nr, NR_HYPERCALLS)].fn;
	if (unlikely(!fn)) {
		return -ENOSYS;
	}
	rc = fn(v, args);
	return likely(rc >= 0) ? rc : not_done(v, nr, rc);
}
