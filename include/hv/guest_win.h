/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way a hypercall reads or writes guest memory: a window is opened
 * (translate, check rights, pin the frames), used, and closed. Between open
 * and close nothing can fault and the frames cannot change owner.
 */
#ifndef HV_GUEST_WIN_H
#define HV_GUEST_WIN_H

#include <lib/types.h>

struct vcpu;
struct page;

#define HC_IN 1u
#define HC_OUT 2u
/* Bytes one window can span: at most two frames. */
#define GUEST_WIN_MAX 4096u

struct guest_win {
	char *va[2];          /* direct-map address of each part */
	uint32_t len[2];      /* len[1] == 0: one part */
	struct page *pg[2];
};

#ifdef CONFIG_DEBUG
/* A use after the close faults instead of reading somebody's memory. */
static inline void guest_win_poison(struct guest_win *w)
{
	w->va[0] = w->va[1] = NULL;
	w->pg[0] = w->pg[1] = NULL;
	w->len[0] = w->len[1] = 0;
}
#else
static inline void guest_win_poison(struct guest_win *w)
{
	(void)w;
}
#endif

/* 0 or -EFAULT (unmapped, not RAM, no right, @len 0 or > GUEST_WIN_MAX). */
__must_check int guest_win_open(struct vcpu *v, uint64_t va, uint32_t len,
				unsigned int dir, struct guest_win *w);
void guest_win_read(const struct guest_win *w, void *dst, uint32_t off,
		    uint32_t len);
void guest_win_write(const struct guest_win *w, const void *src, uint32_t off,
		     uint32_t len);
void guest_win_close(struct guest_win *w);

/* One-shot copies, each guest byte touched once. 0 or -EFAULT. */
__must_check int guest_copy_in(struct vcpu *v, void *dst, uint64_t va,
			       uint32_t len);
__must_check int guest_copy_out(struct vcpu *v, uint64_t va, const void *src,
				uint32_t len);

/*
 * An array in guest memory, one private element at a time, in order, never
 * twice. Index and length are checked against wrap-around.
 */
struct guest_iter {
	struct vcpu *v;
	uint64_t va;
	uint64_t nr;
	uint64_t next;
	uint32_t size;
};

/* -EFAULT when the array wraps the address space. */
__must_check int guest_iter_init(struct guest_iter *it, struct vcpu *v,
				 uint64_t va, uint64_t nr, uint32_t size);
/* Go on with element @n (a continuation); beyond the end is the end. */
void guest_iter_seek(struct guest_iter *it, uint64_t n);
/* Copy element it->next in and go on. -ENODATA at the end, -EFAULT. */
__must_check int guest_iter_next(struct guest_iter *it, void *elem);
/* Write back the element handed out last. */
__must_check int guest_iter_reply(struct guest_iter *it, const void *elem);

#endif
