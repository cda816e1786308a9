/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multicall: a list of hypercalls, each with its own result. The toolstack
 * sends every memory_op this way to get a 64-bit result.
 *
 * Owns    the walk over the list.
 * Not     the calls: they see no difference.
 * Rule    an entry's window stays open while its call runs, so the result can
 *         always be written; entries before it are not looked at again.
 * Bounds  STEP_ENTRIES entries a step. The position is the entry's index and,
 *         if that call itself goes on later, its own position.
 * Spec    [XEN] xen.h "HYPERVISOR_multicall".
 */
#include <hv/hypercall.h>

#include <hv/domain.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define STEP_ENTRIES 32u
#define INNER_BITS 32u /* of v->cont.done: the inner call's position */

static int64_t call_one(struct vcpu *v, const multicall_entry_t *e)
{
	int64_t (*fn)(struct vcpu *v, const uint64_t *args);
	uint64_t args[ARRAY_SIZE(e->args)];
	uint32_t i;

	if (e->op == __HYPERVISOR_multicall) {
		return -EINVAL;
	}
	if (e->op >= NR_HYPERCALLS) {
		return -ENOSYS;
	}
	fn = hypercall_table[array_index_nospec(e->op, NR_HYPERCALLS)].fn;
	if (!fn) {
		return -ENOSYS;
	}
	for (i = 0; i < ARRAY_SIZE(args); i++) {
		args[i] = e->args[i];
	}
	return fn(v, args);
}

/*
 * Run the entry at @va. HC_AGAIN: it wants to go on later, its position is in
 * v->cont. 0: done; -EFAULT.
 */
static int64_t run_entry(struct vcpu *v, uint64_t va)
{
	multicall_entry_t e;
	struct guest_win w;
	int64_t rc;

	if (guest_win_open(v, va, sizeof(e), HC_IN | HC_OUT, &w) != 0) {
		return -EFAULT;
	}
	guest_win_read(&w, &e, 0, sizeof(e));
	rc = call_one(v, &e);
	if (rc != HC_AGAIN) {
		e.result = (xen_ulong_t)rc;
		guest_win_write(&w, &e.result, offsetof(multicall_entry_t,
							result),
				sizeof(e.result));
		rc = 0;
	}
	guest_win_close(&w);
	return rc;
}

int64_t hc_multicall(struct vcpu *v, const uint64_t *args)
{
	uint64_t va = args[0];
	uint32_t nr = (uint32_t)args[1];
	uint64_t key = hc_cont_key(__HYPERVISOR_multicall, 0, va, nr, 0);
	uint64_t done = hc_cont_position(v, key);
	uint64_t inner = done & (BIT64(INNER_BITS) - 1);
	uint64_t at = done >> INNER_BITS;
	uint64_t end = at + STEP_ENTRIES < nr ? at + STEP_ENTRIES : nr;
	int64_t rc = 0;

	if (nr * sizeof(multicall_entry_t) > UINT64_MAX - va) {
		return -EFAULT;
	}
	hc_cont_set_any(v, inner);
	for (; at < end && rc == 0; at++) { /* bound: STEP_ENTRIES */
		rc = run_entry(v, va + at * sizeof(multicall_entry_t));
		if (rc == HC_AGAIN) {
			inner = v->cont.done & (BIT64(INNER_BITS) - 1);
			return hc_cont_again(v, key, at << INNER_BITS | inner);
		}
		hc_cont_end(v); /* it was for the first entry only */
	}
	if (rc == 0 && at < nr) {
		return hc_cont_again(v, key, at << INNER_BITS);
	}
	hc_cont_end(v);
	return rc;
}
