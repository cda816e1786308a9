/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only code that reads or writes guest memory for a hypercall.
 *
 * Owns    the references that open windows hold on frames.
 * Not     translation (arch_gva_to_pa), nor memory that is shared by design.
 * Rule    translate with the guest's own rights, take a reference, and then
 *         make sure that the frame still is what was translated: it is if it
 *         belongs to the guest, or if a second translation says the same.
 * Locks   P2M of the domain, for a moment, when there is no translation; owner
 *         CPU of the vCPU.
 * Bounds  two frames a window; a copy visits each frame once.
 */
#include <hv/guest_win.h>

#include "guest_win_fast.h"
#include <lib/check.h>

__cold bool guest_part_still_there(struct vcpu *v, uint64_t va, bool write,
				   paddr_t pa)
{
	paddr_t again;

	return arch_gva_to_pa(v, gva(va), write, &again) == 0 &&
	       again.v == pa.v;
}

static int part_open(struct vcpu *v, uint64_t va, bool write,
		     struct guest_win *w, unsigned int i)
{
	bool settled = false;
	struct guest_part p;
	int rc;

	/* Bound: twice. What is not there may be just what is replaced. */
	while ((rc = guest_part_open(v, va, write, &p)) != 0 && !settled) {
		p2m_settle(v->domain);
		settled = true;
	}
	if (rc == 0) {
		w->pg[i] = p.pg;
		w->va[i] = p.va;
	}
	return rc;
}

/* The second part of a window that crosses into the next page. */
static int tail_open(struct vcpu *v, uint64_t va, uint32_t len, bool write,
		     struct guest_win *w)
{
	uint32_t first = (uint32_t)(PAGE_SIZE - (va & (PAGE_SIZE - 1)));
	int rc;

	if (va + len < va) {
		page_put(w->pg[0]);
		return -EFAULT;
	}
	rc = part_open(v, va + first, write, w, 1);
	if (rc) {
		page_put(w->pg[0]);
		return rc;
	}
	w->len[0] = first;
	w->len[1] = len - first;
	return 0;
}

int guest_win_open(struct vcpu *v, uint64_t va, uint32_t len, unsigned int dir,
		   struct guest_win *w)
{
	bool write = (dir & HC_OUT) != 0;
	int rc;

	if (unlikely(len - 1 >= GUEST_WIN_MAX)) {
		return -EFAULT;
	}
	rc = part_open(v, va, write, w, 0);
	if (unlikely(rc)) {
		return rc;
	}
	w->len[0] = len;
	w->len[1] = 0;
	if (unlikely(!guest_is_one_page(va, len))) {
		return tail_open(v, va, len, write, w);
	}
	return 0;
}

void guest_win_read(const struct guest_win *w, void *dst, uint32_t off,
		    uint32_t len)
{
	char *to = dst;

	ASSERT(off <= w->len[0] + w->len[1] &&
	       len <= w->len[0] + w->len[1] - off);
	if (unlikely(off + len > w->len[0])) {
		uint32_t head = off < w->len[0] ? w->len[0] - off : 0;

		memcpy(to, w->va[0] + off, head);
		memcpy(to + head, w->va[1] + (off + head - w->len[0]),
		       len - head);
		return;
	}
	memcpy(to, w->va[0] + off, len);
}

void guest_win_write(const struct guest_win *w, const void *src, uint32_t off,
		     uint32_t len)
{
	const char *from = src;

	ASSERT(off <= w->len[0] + w->len[1] &&
	       len <= w->len[0] + w->len[1] - off);
	if (unlikely(off + len > w->len[0])) {
		uint32_t head = off < w->len[0] ? w->len[0] - off : 0;

		memcpy(w->va[0] + off, from, head);
		memcpy(w->va[1] + (off + head - w->len[0]), from + head,
		       len - head);
		return;
	}
	memcpy(w->va[0] + off, from, len);
}

void guest_win_close(struct guest_win *w)
{
	page_put(w->pg[0]);
	if (unlikely(w->len[1] != 0)) {
		page_put(w->pg[1]);
	}
	guest_win_poison(w);
}

/* Bytes from @va to the end of its page, at most @len. */
static uint32_t bytes_in_page(uint64_t va, uint32_t len)
{
	uint32_t left = (uint32_t)(PAGE_SIZE - (va & (PAGE_SIZE - 1)));

	return len < left ? len : left;
}

int guest_copy_in(struct vcpu *v, void *dst, uint64_t va, uint32_t len)
{
	char *to = dst;

	if (len > 0 && len - 1 > UINT64_MAX - va) {
		return -EFAULT;
	}
	while (len > 0) { /* bound: pages of the caller's length */
		uint32_t step = bytes_in_page(va, len);
		struct guest_win w;
		int rc = guest_win_open(v, va, step, HC_IN, &w);

		if (rc) {
			return rc;
		}
		guest_win_read(&w, to, 0, step);
		guest_win_close(&w);
		to += step;
		va += step;
		len -= step;
	}
	return 0;
}

int guest_copy_out(struct vcpu *v, uint64_t va, const void *src, uint32_t len)
{
	const char *from = src;

	if (len > 0 && len - 1 > UINT64_MAX - va) {
		return -EFAULT;
	}
	while (len > 0) { /* bound: pages of the caller's length */
		uint32_t step = bytes_in_page(va, len);
		struct guest_win w;
		int rc = guest_win_open(v, va, step, HC_OUT, &w);

		if (rc) {
			return rc;
		}
		guest_win_write(&w, from, 0, step);
		guest_win_close(&w);
		from += step;
		va += step;
		len -= step;
	}
	return 0;
}

int guest_iter_init(struct guest_iter *it, struct vcpu *v, uint64_t va,
		    uint64_t nr, uint32_t size)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(nr, (uint64_t)size, &bytes) ||
	    bytes > UINT64_MAX - va) {
		return -EFAULT;
	}
	*it = (struct guest_iter){ .v = v, .va = va, .nr = nr, .size = size };
	return 0;
}

void guest_iter_seek(struct guest_iter *it, uint64_t n)
{
	it->next = n < it->nr ? n : it->nr;
}

int guest_iter_next(struct guest_iter *it, void *elem)
{
	int rc;

	if (it->next >= it->nr) {
		return -ENODATA;
	}
	rc = guest_copy_in(it->v, elem, it->va + it->next * it->size,
			   it->size);
	if (rc == 0) {
		it->next++;
	}
	return rc;
}

int guest_iter_reply(struct guest_iter *it, const void *elem)
{
	if (it->next == 0) {
		return -ENODATA;
	}
	return guest_copy_out(it->v, it->va + (it->next - 1) * it->size, elem,
			      it->size);
}
