/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grant tables, version 1: frames of entries shared with the guest, and the
 * map-track table of what the domain has mapped of others.
 */
#ifndef HV_GNTTAB_H
#define HV_GNTTAB_H

#include <lib/types.h>
#include <hv/lock.h>

struct domain;
struct page;
struct grant_active;
struct grant_maptrack;

struct gnttab {
	struct spinlock lock;           /* rank GNTTAB */
	void **frame;                   /* [max_frames] shared frames of ours */
	struct grant_active **active;   /* [max_frames] beside each */
	uint64_t *frame_gfn;            /* where mapped; INVALID_FRAME: not */
	uint32_t nr_frames;
	uint32_t max_frames;

	/* What the domain has mapped of others. */
	struct grant_maptrack **maptrack; /* pages; made with the first one */
	uint32_t *maptrack_hash;        /* by frame: first handle of a chain */
	uint32_t nr_handles;            /* made so far */
	uint32_t nr_maptrack;           /* in use */
	uint32_t max_maptrack_frames;   /* the ABI's limit, see gnttab_map.c */
	uint32_t maptrack_free;         /* head of the free handle list */
	uint32_t release_next;          /* position of gnttab_release_step() */
};

__must_check int gnttab_init(struct domain *d, uint32_t max_frames,
			     uint32_t max_maptrack_frames);
/* Release mappings this domain holds, bounded step; -EAGAIN: call again. */
__must_check int gnttab_release_step(struct domain *d);
/*
 * Take from a guest that does not run the frames it has and their entries, in
 * bounded steps; -EAGAIN: call again. What others use of them stays theirs.
 */
__must_check int gnttab_reset_step(struct domain *d);
/* Nobody can find @d: free what is left, bounded step; -EAGAIN: call again. */
__must_check int gnttab_fini_step(struct domain *d);
void gnttab_fini(struct domain *d); /* all of it */
/*
 * Page of shared frame @idx, grown to when allowed, with a reference.
 * -EINVAL (index), -ENOMEM; -EAGAIN: it is growing, call again.
 */
__must_check int gnttab_get_shared_frame(struct domain *d, uint32_t idx,
					 struct page **pg);
/* Audit: @d maps @m at @g by a grant that allows that. */
bool gnttab_maps(struct domain *d, mfn_t m, gfn_t g, bool write);
/* Audit: @m is one of its shared frames. */
bool gnttab_is_frame(struct domain *d, mfn_t m);
/* XENMEM_add_to_physmap, XENMAPSPACE_grant_table; -EAGAIN: call again. */
__must_check int gnttab_map_frame(struct domain *d, uint32_t idx, uint64_t g);

#endif
