/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that the device tree sets aside: a domain's own, which no other
 * domain and no heap ever gets, and regions that domains share. What nobody
 * uses has PGF_RESERVED and count 0, as if it had never been handed out.
 */
#ifndef HV_STATIC_MEM_H
#define HV_STATIC_MEM_H

#include <lib/types.h>

struct domain;

#define MAX_STATIC_PIECES 9u

/* Contiguous in the machine and in the guest; in frames. */
struct static_piece {
	uint64_t gfn;
	uint64_t mfn;
	uint64_t nr;
};

/* What one domain has, from its making to its end. */
struct static_mem {
	uint32_t nr;
	uint32_t piece_done;   /* position of static_mem_fini_step() */
	uint64_t frames_done;  /* ... in that piece */
	struct static_piece piece[MAX_STATIC_PIECES];
};

/*
 * Frames that were set aside become @owner's (DOMID_IO: a region that domains
 * share, held for good), cleared, with the count of being allocated. At boot,
 * or with control_lock. -EBUSY: one of them is not unused static memory.
 */
__must_check int static_mem_claim(uint16_t owner, mfn_t m, uint64_t nr);
/*
 * The same for @d, charged to it, as the home of guest frames from @p->gfn on.
 * -ENOMEM: it may not have that much; -ENOSPC: more than MAX_STATIC_PIECES.
 */
__must_check int dom_claim_static(struct domain *d,
				  const struct static_piece *p);
/*
 * The frame whose home @g is, and the @nr - 1 after it; INVALID_FRAME: none.
 * A domain with static memory keeps what it unmaps and gets it back there.
 */
mfn_t static_mem_home(const struct domain *d, gfn_t g, uint64_t nr);
/*
 * Give back what @d has unmapped, when nothing of it is mapped any more: the
 * last reference of others leaves a frame unused. One bounded step; -EAGAIN.
 */
__must_check int static_mem_fini_step(struct domain *d);

#endif
