/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sub-operations of hypercalls: row -> rights -> window -> private copy ->
 * handler -> reply.
 *
 * Owns    the order of these steps, and the continuation record of a vCPU.
 * Not     the rows: each module has its own table.
 * Rule    a handler sees the private copy only; the reply goes through the
 *         window that was opened before the handler ran, so it cannot fail.
 * Locks   none; owner CPU of the vCPU.
 */
#include <hv/hypercall.h>

#include "guest_win_fast.h"
#include <lib/bits.h>

/* Even, so no hc_cont_key(). */
#define CONT_KEY_ANY 2u

bool hc_permitted(const struct vcpu *v, uint8_t priv)
{
	return priv == HC_ANY || v->domain->is_control;
}

/* The structure crosses into a second page, or was not there at once. */
__cold static int64_t subop_by_window(struct vcpu *v,
				      const struct hc_subop *op, uint64_t uarg)
{
	union hc_arg arg;
	struct guest_win win;
	int64_t rc = guest_win_open(v, uarg, op->size, op->dir, &win);

	if (rc) {
		return rc;
	}
	memset(&arg, 0, op->size);
	if (op->dir & HC_IN) {
		guest_win_read(&win, &arg, 0, op->size);
	}
	rc = op->fn(v, &arg);
	if (rc >= 0 && (op->dir & HC_OUT)) {
		guest_win_write(&win, &arg, 0, op->size);
	}
	guest_win_close(&win);
	return rc;
}

static inline int64_t subop_one_page(struct vcpu *v,
				     const struct hc_subop *op, uint64_t uarg)
{
	uint32_t size = op->size;
	uint32_t dir = op->dir;
	struct guest_part part;
	union hc_arg arg;
	int64_t rc;

	/* Translate, check rights and pin now: nothing below can fault. */
	if (unlikely(guest_part_open(v, uarg, (dir & HC_OUT) != 0, &part))) {
		return subop_by_window(v, op, uarg);
	}
	if (likely(dir & HC_IN)) {
		guest_mem_copy(&arg, part.va, size);
	} else {
		memset(&arg, 0, size);
	}
	rc = op->fn(v, &arg);
	if (rc >= 0 && (dir & HC_OUT)) {
		guest_mem_copy(part.va, &arg, size);
	}
	page_put(part.pg);
	return rc;
}

int64_t hypercall_subop(struct vcpu *v, const struct hc_subop *ops,
			uint32_t nr_ops, uint64_t cmd, uint64_t uarg)
{
	uint32_t i = (uint32_t)cmd;
	const struct hc_subop *op;

	if (unlikely(i >= nr_ops)) {
		return -ENOSYS;
	}
	op = &ops[array_index_nospec(i, nr_ops)];
	if (unlikely(!op->fn)) {
		return -ENOSYS;
	}
	if (unlikely(!hc_permitted(v, op->priv))) {
		return -EPERM;
	}
	if (unlikely(!guest_is_one_page(uarg, op->size))) {
		return subop_by_window(v, op, uarg);
	}
	return subop_one_page(v, op, uarg);
}

uint64_t hc_cont_key(uint32_t nr, uint32_t op, uint64_t a, uint64_t b,
		     uint64_t c)
{
	uint64_t key = hc_cont_mix(op, nr);

	key = hc_cont_mix(key, a);
	key = hc_cont_mix(key, b);
	key = hc_cont_mix(key, c);
	return key | 1;
}

uint64_t hc_cont_position(const struct vcpu *v, uint64_t key)
{
	if (v->cont.key == key || v->cont.key == CONT_KEY_ANY) {
		return v->cont.done;
	}
	return 0;
}

void hc_cont_set_any(struct vcpu *v, uint64_t done)
{
	v->cont.key = CONT_KEY_ANY;
	v->cont.done = done;
}

int64_t hc_cont_again(struct vcpu *v, uint64_t key, uint64_t done)
{
	v->cont.key = key;
	v->cont.done = done;
	return HC_AGAIN;
}

void hc_cont_end(struct vcpu *v)
{
	v->cont.key = 0;
}
