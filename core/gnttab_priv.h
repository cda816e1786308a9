/* SPDX-License-Identifier: Apache-2.0 */
/* What the grant table files share. */
#ifndef CORE_GNTTAB_PRIV_H
#define CORE_GNTTAB_PRIV_H

#include <hv/domain.h>
#include <hv/gnttab.h>
#include <hv/page_alloc.h>
#include <hv/vcpu.h>

#define GRANTS_PER_FRAME ((uint32_t)(PAGE_SIZE / sizeof(grant_entry_v1_t)))
#define ENTRY_TRIES 64u
#define NO_HANDLE UINT32_MAX

/* Our record of an entry; GNTTAB lock of its domain. */
struct grant_active {
	struct page *pg;   /* while in use: the frame, one reference */
	domid_t domid;     /* who uses it */
	uint16_t nr_read;  /* uses for reading only */
	uint16_t nr_write;
	bool read_only;    /* the granter itself may not write it */
};
#define ACTIVE_ORDER 1u
STATIC_ASSERT(sizeof(struct grant_active) * (4096 / 8) == 4096u
							       << ACTIVE_ORDER,
	      "the records of one frame of entries");

/* One use of an entry. */
struct grant_use {
	uint32_t ref;
	domid_t who;
	bool write;
};

/* One mapping of another's page; GNTTAB lock of the mapper. */
struct grant_maptrack {
	struct domain *granter; /* a reference */
	struct page *pg;        /* held by the granter's record */
	uint64_t gfn;           /* of GNTMAP_host_map */
	uint32_t ref;
	uint32_t next;          /* in its hash chain, or the free list */
	uint32_t prev;          /* in its hash chain */
	uint32_t flags;         /* GNTMAP_*; 0: free */
};
#define TRACK_BUSY 0x8000u /* in flags: somebody works on it, unlocked */

/* The private copy of an operation's structure. */
union gnttab_arg {
	gnttab_map_grant_ref_t map;
	gnttab_unmap_grant_ref_t unmap;
	gnttab_unmap_and_replace_t replace;
	gnttab_setup_table_t setup;
	gnttab_copy_t copy;
	gnttab_query_size_t query;
	gnttab_set_version_t set_version;
	gnttab_get_version_t get_version;
	gnttab_get_status_frames_t status_frames;
	gnttab_swap_grant_ref_t swap;
	gnttab_cache_flush_t flush;
};

#define FINI_PAGES 32u /* freed at a time */

/* Our errno as the interface's status; the one place that converts. */
int16_t gntst_from_errno(int rc);

/*
 * Lock held. -EAGAIN: some have been added, call again; -ENOMEM: some may have
 * been; -EINVAL: too many.
 */
__must_check int gnttab_grow_locked(struct domain *d, uint32_t nr)
	REQUIRES(d->gnttab.lock);

/*
 * Use entry u->ref of @d. GNTST_okay: *pg is its frame with a reference for
 * the caller, and the guest sees the entry in use until grant_release().
 */
int16_t grant_acquire(struct domain *d, const struct grant_use *u,
		      struct page **pg);
void grant_release(struct domain *d, const struct grant_use *u);
/* Exchange two entries that nobody uses. */
int16_t grant_swap(struct domain *d, uint32_t ref_a, uint32_t ref_b);

/* gnttab_track.c */
/* For gnttab_fini_step(). */
__must_check int gnttab_maptrack_fini_step(struct domain *d);
struct grant_maptrack *gnttab_track_at(const struct gnttab *t,
				       uint32_t handle);
/* A record that is in use and at rest, or NULL; lock held. */
struct grant_maptrack *gnttab_track_find(const struct gnttab *t,
					 uint32_t handle);
/* A handle whose record is TRACK_BUSY; -ENOSPC, -ENOMEM. */
__must_check int gnttab_handle_get(struct domain *d, uint32_t *handle);
/* Undo of it, for one that was not published. */
void gnttab_handle_put(struct domain *d, uint32_t handle);
void gnttab_track_publish(struct domain *d, uint32_t handle,
			  const struct grant_maptrack *m);
/* The end of a published record; lock held. */
void gnttab_track_retire_locked(struct gnttab *t, uint32_t handle);
/* A reference on @pg, if @d has it mapped by grant. */
bool gnttab_get_if_mapped(struct domain *d, struct page *pg);
/* Once a handle was made: P2M_GRANT_* by what @d has of @pg, or P2M_NONE. */
uint8_t gnttab_track_type(struct domain *d, const struct page *pg);
/*
 * gnttab_dma.c: bring the mapping of @pg for the devices of @d in line with
 * its records, of which busy ones count as gone. -ENOMEM, -EBUSY.
 */
__must_check int gnttab_dma_update(struct domain *d, struct page *pg);
/* gnttab_map.c */
int gnttab_op_map(struct vcpu *v, union gnttab_arg *arg);
int gnttab_op_unmap(struct vcpu *v, union gnttab_arg *arg);
int gnttab_op_replace(struct vcpu *v, union gnttab_arg *arg);
int gnttab_op_cache_flush(struct vcpu *v, union gnttab_arg *arg);
/* gnttab_copy.c */
int gnttab_op_copy(struct vcpu *v, union gnttab_arg *arg);

#endif
