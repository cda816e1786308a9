/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest frame -> machine frame, with type and rights, and the references that
 * a mapping holds: every valid entry of a RAM type holds one count on its
 * frame (of the domain itself, or of the owner for foreign and grant types).
 */
#ifndef HV_P2M_H
#define HV_P2M_H

#include <lib/types.h>
#include <hv/lock.h>

struct domain;
struct page;

/*
 * Kept in the table entry's software bits; at most 16. RAM of a domain that
 * is not direct-mapped is mapped exactly once while it is allocated: who
 * unmaps it gives it back (p2m_fini_step finds a domain's frames here; static
 * memory, which stays the domain's, static_mem_fini_step).
 */
enum p2m_type {
	P2M_NONE = 0,
	P2M_RAM_RW,
	P2M_RAM_RO,
	P2M_MMIO_DIRECT, /* device, guest's stage 1 decides the type (dom0) */
	P2M_MMIO_DEV,    /* device-nGnRE whatever the guest says (domUs) */
	P2M_DOORBELL,    /* for writes of devices behind an IOMMU; no CPU's */
	P2M_FOREIGN_RW,  /* another domain's page, execute never */
	P2M_FOREIGN_RO,
	P2M_GRANT_RW,
	P2M_GRANT_RO,
	P2M_XEN_RW,      /* hypervisor-owned shared page: shared_info, grants */
	NR_P2M_TYPES
};

struct p2m_entry {
	mfn_t mfn;
	uint8_t type;   /* enum p2m_type */
	/*
	 * Of the mapping found: 0, 9, 18. For P2M_NONE: all 2^order aligned
	 * frames around are empty (0 is always true; more makes walks short).
	 */
	uint8_t order;
};

/* Frames of tables a domain may have before the toolstack says how many. */
#define P2M_POOL_DEFAULT 16u

struct p2m {
	struct spinlock lock;      /* rank P2M */
	uint64_t pool_pages;       /* limit for tables; UINT64_MAX: none */
	uint64_t used_pages;       /* tables in use */
	uint64_t max_gfn;          /* highest ever mapped */
	uint64_t teardown_next;    /* position of p2m_fini_step */
	uint32_t readers;          /* CPUs inside a lock-free look-up; atomic */
	bool dying;                /* p2m_fini_step began: nothing is found */
};

/*
 * After it an edit that another CPU was making is complete: what it had broken
 * meanwhile is whole again. For a walk that found nothing; no lock is held.
 */
void p2m_settle(struct domain *d);

static inline bool p2m_type_is_ram(uint8_t t)
{
	return t == P2M_RAM_RW || t == P2M_RAM_RO;
}

static inline bool p2m_type_is_device(uint8_t t)
{
	return t >= P2M_MMIO_DIRECT && t <= P2M_DOORBELL;
}

/* Backed by a frame that is counted in the frame table. */
static inline bool p2m_type_is_counted(uint8_t t)
{
	return t != P2M_NONE && !p2m_type_is_device(t);
}

static inline bool p2m_type_is_writable(uint8_t t)
{
	return t == P2M_RAM_RW || t == P2M_FOREIGN_RW || t == P2M_GRANT_RW ||
	       t == P2M_XEN_RW;
}

__must_check int p2m_init(struct domain *d);
/*
 * Give back all that is mapped, then the tables; the domain's vCPUs are
 * descheduled for good. One bounded step; -EAGAIN: call again.
 */
__must_check int p2m_fini_step(struct domain *d);

/*
 * Map 2^order frames owned by @d (types RAM_*), or of a region that domains
 * share (DOMID_IO's; FOREIGN_RW): takes the mapping's count on each. -ENOMEM,
 * -EINVAL, -EEXIST; nothing remains after an error.
 */
__must_check int p2m_map_ram(struct domain *d, gfn_t g, mfn_t m,
			     unsigned int order, enum p2m_type t);
/* Map @nr device frames; not counted. Nothing remains after an error. */
__must_check int p2m_map_mmio(struct domain *d, gfn_t g, mfn_t m, uint64_t nr,
			      enum p2m_type t);
/*
 * Map one page on which the caller holds a reference; on success the mapping
 * owns that reference, on error the caller still does. Replaces what is at
 * @g: RAM of @d is given back (kept for a domain that is direct-mapped or has
 * static memory), foreign and hypervisor pages are released. -EBUSY: a grant
 * or device is mapped there.
 */
__must_check int p2m_map_page(struct domain *d, gfn_t g, struct page *pg,
			      enum p2m_type t);
/*
 * Unmap one frame whose type's bit is set in @types (P2M_MASK), else -EINVAL,
 * and drop the mapping's reference after TLB maintenance; RAM is given back
 * too, except where p2m_map_page() keeps it. -ENOENT: nothing there.
 */
__must_check int p2m_remove_page(struct domain *d, gfn_t g, uint32_t types);
/*
 * The same for the grant mapping of @pg. 0: it is not mapped at @g any more,
 * which the guest may have seen to by other means.
 */
__must_check int p2m_remove_grant(struct domain *d, gfn_t g,
				  const struct page *pg);
#define P2M_MASK(t) (1u << (t))
#define P2M_MASK_RAM (P2M_MASK(P2M_RAM_RW) | P2M_MASK(P2M_RAM_RO))
#define P2M_MASK_FOREIGN (P2M_MASK(P2M_FOREIGN_RW) | P2M_MASK(P2M_FOREIGN_RO))
#define P2M_MASK_GRANT (P2M_MASK(P2M_GRANT_RW) | P2M_MASK(P2M_GRANT_RO))
/*
 * The page behind @g with a reference: RAM, foreign, grant types.
 * NULL: nothing there, or not counted, or the owner is dying. Takes no lock.
 */
struct page *p2m_get_page(struct domain *d, gfn_t g, struct p2m_entry *e);
struct p2m_entry p2m_lookup(struct domain *d, gfn_t g);

#endif
