/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest frame -> machine frame: what is mapped where, and the references that
 * mappings hold.
 *
 * Owns    the rule that every counted entry holds one reference per 4 KiB
 *         frame, from before it is valid until its TLB maintenance is over
 *         and no CPU is in guest_peek() since.
 * Not     the tables themselves (arch_p2m_*), nor who may map what (memory.c,
 *         grant tables).
 * Locks   d->p2m.lock (rank P2M) for edits. Look-ups take none: they count
 *         themselves in p2m.readers and check what they found again after
 *         they hold the reference; tables are freed when nobody is inside.
 *         No reference is dropped under the lock.
 * Bounds  one page, or one block; p2m_fini_step: STEP_BUDGET.
 */
#include <hv/p2m.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>

/*
 * Work of one step of tear-down: 1 an entry. A 2 MiB block ends the step: its
 * frames may have to be released one by one.
 */
#define STEP_BUDGET 64u
#define BLOCK_COST STEP_BUDGET

int p2m_init(struct domain *d)
{
	int rc;

	spin_lock_init(&d->p2m.lock, LOCK_RANK_P2M);
	d->p2m.max_gfn = 0;
	d->p2m.teardown_next = 0;
	d->p2m.readers = 0;
	d->p2m.dying = false;
	rc = arch_p2m_init(d);
	if (rc) {
		d->p2m.teardown_next = 1; /* no tables: nothing to walk */
	}
	return rc;
}

static bool range_is_valid(gfn_t g, uint64_t nr)
{
	uint64_t end = BIT64(arch_ipa_bits() - PAGE_SHIFT);

	return g.v < end && nr <= end - g.v;
}

static void note_mapped_locked(struct domain *d, gfn_t g, uint64_t nr)
	REQUIRES(d->p2m.lock)
{
	if (g.v + nr - 1 > d->p2m.max_gfn) {
		d->p2m.max_gfn = g.v + nr - 1;
	}
}

static int map_block(struct domain *d, gfn_t g, mfn_t m, unsigned int order,
		     enum p2m_type t)
{
	int rc = -EINVAL;

	spin_lock(&d->p2m.lock);
	if (!d->p2m.dying) {
		rc = arch_p2m_map(d, g, m, order, t);
	}
	if (rc == 0) {
		note_mapped_locked(d, g, BIT64(order));
	}
	spin_unlock(&d->p2m.lock);
	return rc;
}

int p2m_map_ram(struct domain *d, gfn_t g, mfn_t m, unsigned int order,
		enum p2m_type t)
{
	bool own = p2m_type_is_ram((uint8_t)t);
	int rc;

	if ((!own && t != P2M_FOREIGN_RW) || order > MAX_ORDER ||
	    !range_is_valid(g, BIT64(order))) {
		return -EINVAL;
	}
	rc = page_ref_range(own ? d->id : DOMID_IO, m, BIT64(order));
	if (rc) {
		return rc;
	}
	rc = map_block(d, g, m, order, t);
	if (rc) {
		page_unref_range(m, BIT64(order));
	}
	return rc;
}

/* Undo of p2m_map_mmio: nothing of it is counted. */
static void unmap_mmio(struct domain *d, gfn_t g, uint64_t nr)
{
	struct p2m_entry old;
	uint64_t i;
	int rc;

	for (i = 0; i < nr; i++) { /* bound: the caller's range */
		spin_lock(&d->p2m.lock);
		rc = arch_p2m_unmap(d, gfn(g.v + i), &old);
		spin_unlock(&d->p2m.lock);
		if (NEVER(rc != 0)) {
			return; /* what stays is a device of this domain */
		}
	}
}

/* The largest block that starts at both addresses and is within @nr. */
static unsigned int block_order(uint64_t g, uint64_t m, uint64_t nr)
{
	unsigned int order = fls64(nr);
	unsigned int align = (g | m) == 0 ? MAX_ORDER : ffs64(g | m);

	order = align < order ? align : order;
	return order < MAX_ORDER ? order : MAX_ORDER;
}

int p2m_map_mmio(struct domain *d, gfn_t g, mfn_t m, uint64_t nr,
		 enum p2m_type t)
{
	uint64_t at = 0;
	int rc = 0;

	if (!p2m_type_is_device((uint8_t)t) ||
	    !range_is_valid(g, nr) || m.v + nr < m.v) {
		return -EINVAL;
	}
	while (at < nr) { /* bound: blocks of the caller's range */
		unsigned int order =
			block_order(g.v + at, m.v + at, nr - at);

		rc = map_block(d, gfn(g.v + at), mfn(m.v + at), order, t);
		if (rc) {
			unmap_mmio(d, g, at);
			return rc;
		}
		at += BIT64(order);
	}
	return 0;
}

/* Another CPU may have found the frame just before and be copying from it. */
static void wait_for_peeks(void)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) { /* bound: NR_CPUS */
		const struct pcpu *c = pcpus[i];

		/* bound: one short copy */
		while (c && __atomic_load_n(&c->peeks, __ATOMIC_ACQUIRE)) {
			arch_cpu_relax();
		}
	}
}

/* Drop what an entry that is gone held; no lock held. */
static void put_entry(const struct p2m_entry *old)
{
	struct page *pg;

	if (!p2m_type_is_counted(old->type)) {
		return;
	}
	pg = page_of(old->mfn);
	CHECK(pg);
	wait_for_peeks();
	page_put(pg);
}

/* The same, and RAM is no longer the domain's. */
static void give_back_entry(struct domain *d, const struct p2m_entry *old)
{
	struct page *pg;

	if (p2m_type_is_ram(old->type) && !d->direct_mapped &&
	    !d->static_mem) {
		pg = page_of(old->mfn);
		CHECK(pg);
		page_release_owner(d, pg);
	}
	put_entry(old);
}

static bool has_type(const struct p2m_entry *e, uint32_t types)
{
	return (types & P2M_MASK(e->type)) != 0;
}

static int replace_locked(struct domain *d, gfn_t g, mfn_t m, enum p2m_type t,
			  struct p2m_entry *old) REQUIRES(d->p2m.lock)
{
	int rc;

	if (d->p2m.dying) {
		return -EINVAL; /* there may be no tables to look into */
	}
	*old = arch_p2m_lookup(d, g);
	if (old->type != P2M_NONE) {
		if (!has_type(old, P2M_MASK_RAM | P2M_MASK_FOREIGN |
					   P2M_MASK(P2M_XEN_RW))) {
			return -EBUSY;
		}
		rc = arch_p2m_unmap(d, g, old);
		if (rc) {
			return rc;
		}
	}
	rc = arch_p2m_map(d, g, m, 0, t);
	if (rc && old->type != P2M_NONE) {
		/* Cannot fail: the unmap has left the table in place. */
		if (NEVER(arch_p2m_map(d, g, old->mfn, 0,
				       (enum p2m_type)old->type) != 0)) {
			return 1; /* the old one is gone, the new not there */
		}
	}
	return rc;
}

int p2m_map_page(struct domain *d, gfn_t g, struct page *pg, enum p2m_type t)
{
	struct p2m_entry old;
	int rc;

	if (!p2m_type_is_counted((uint8_t)t) || t >= NR_P2M_TYPES ||
	    !range_is_valid(g, 1)) {
		return -EINVAL;
	}
	spin_lock(&d->p2m.lock);
	rc = replace_locked(d, g, page_mfn(pg), t, &old);
	if (rc == 0) {
		note_mapped_locked(d, g, 1);
	}
	spin_unlock(&d->p2m.lock);
	if (rc >= 0) {
		give_back_entry(d, &old);
	}
	return rc > 0 ? -ENOMEM : rc;
}

int p2m_remove_page(struct domain *d, gfn_t g, uint32_t types)
{
	struct p2m_entry e = { .type = P2M_NONE };
	int rc = -ENOENT;

	if (!range_is_valid(g, 1)) {
		return -ENOENT;
	}
	spin_lock(&d->p2m.lock);
	if (!d->p2m.dying) {
		e = arch_p2m_lookup(d, g);
	}
	if (e.type != P2M_NONE) {
		rc = has_type(&e, types) ? arch_p2m_unmap(d, g, &e) : -EINVAL;
	}
	spin_unlock(&d->p2m.lock);
	if (rc == 0) {
		give_back_entry(d, &e);
	}
	return rc;
}

int p2m_remove_grant(struct domain *d, gfn_t g, const struct page *pg)
{
	struct p2m_entry e = { .type = P2M_NONE };
	int rc = 0;

	if (!range_is_valid(g, 1)) {
		return 0;
	}
	spin_lock(&d->p2m.lock);
	if (!d->p2m.dying) {
		e = arch_p2m_lookup(d, g);
	}
	if (has_type(&e, P2M_MASK_GRANT) && e.mfn.v == page_mfn(pg).v) {
		rc = arch_p2m_unmap(d, g, &e);
	} else {
		e.type = P2M_NONE;
	}
	spin_unlock(&d->p2m.lock);
	if (rc == 0) {
		put_entry(&e);
	}
	return rc;
}

__cold void p2m_settle(struct domain *d)
{
	spin_lock(&d->p2m.lock);
	spin_unlock(&d->p2m.lock);
}

/* ---- look-up without the lock ---------------------------------------- */

/* False: the domain is being torn down and its tables may go any moment. */
static bool reader_enter(struct p2m *p)
{
	/* Ordered against p2m_fini_step(): it sees us, or we see dying. */
	(void)__atomic_fetch_add(&p->readers, 1, __ATOMIC_SEQ_CST);
	return !__atomic_load_n(&p->dying, __ATOMIC_SEQ_CST);
}

static void reader_leave(struct p2m *p)
{
	(void)__atomic_fetch_sub(&p->readers, 1, __ATOMIC_RELEASE);
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t g)
{
	struct p2m_entry e = { .mfn = mfn(INVALID_FRAME), .type = P2M_NONE };

	if (!range_is_valid(g, 1)) {
		return e;
	}
	if (reader_enter(&d->p2m)) {
		e = arch_p2m_lookup(d, g);
	}
	reader_leave(&d->p2m);
	return e;
}

static struct page *get_checked(struct domain *d, gfn_t g,
				struct p2m_entry *e)
{
	struct p2m_entry again;
	struct page *pg;

	*e = arch_p2m_lookup(d, g);
	if (!has_type(e, P2M_MASK_RAM | P2M_MASK_FOREIGN | P2M_MASK_GRANT)) {
		return NULL;
	}
	pg = page_of(e->mfn);
	if (!pg || !page_get(pg)) {
		return NULL;
	}
	/*
	 * The entry may have gone before we had the reference, and the frame
	 * be another's by now. If it is still there, it is what we hold.
	 */
	again = arch_p2m_lookup(d, g);
	if (again.mfn.v != e->mfn.v || again.type != e->type) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

struct page *p2m_get_page(struct domain *d, gfn_t g, struct p2m_entry *e)
{
	struct p2m_entry local = { .type = P2M_NONE };
	struct page *pg = NULL;

	e = e ? e : &local;
	*e = (struct p2m_entry){ .mfn = mfn(INVALID_FRAME), .type = P2M_NONE };
	if (!range_is_valid(g, 1)) {
		return NULL;
	}
	if (reader_enter(&d->p2m)) {
		pg = get_checked(d, g, e);
	}
	reader_leave(&d->p2m);
	return pg;
}

/* ---- tear-down ------------------------------------------------------- */

/*
 * Release what the entry at *@g holds, of a block at most 2 MiB, and step
 * over it. The entry itself stays until the tables go: no vCPU of this domain
 * runs any more, and look-ups are refused since p2m.dying was set.
 */
static uint32_t release_entry(struct domain *d, uint64_t *g)
{
	struct p2m_entry e = arch_p2m_lookup(d, gfn(*g));
	bool counted = p2m_type_is_counted(e.type);
	unsigned int order = counted && e.order > ORDER_2M ? ORDER_2M
							   : e.order;
	uint64_t next = align_down(*g, BIT64(order)) + BIT64(order);
	uint64_t nr = next - *g;

	if (p2m_type_is_ram(e.type)) {
		page_release_range(d, e.mfn, nr);
	}
	if (counted) {
		page_unref_range(e.mfn, nr);
	}
	*g = next;
	return counted && order == ORDER_2M ? BLOCK_COST : 1;
}

int p2m_fini_step(struct domain *d)
{
	struct p2m *p = &d->p2m;
	uint32_t cost = 0;

	spin_lock(&p->lock);
	__atomic_store_n(&p->dying, true, __ATOMIC_SEQ_CST);
	spin_unlock(&p->lock);
	if (__atomic_load_n(&p->readers, __ATOMIC_SEQ_CST) != 0) {
		return -EAGAIN; /* a look-up that began before; soon over */
	}
	while (cost < STEP_BUDGET && p->teardown_next <= p->max_gfn) {
		cost += release_entry(d, &p->teardown_next);
	}
	if (p->teardown_next <= p->max_gfn) {
		return -EAGAIN;
	}
	return arch_p2m_fini_step(d);
}
