/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain of boot time becomes what boot had made of it: nothing of its last
 * life stays but its memory, its identity and what others gave it.
 *
 * Owns    the order of the work; restart.part and .at.
 * Not     when (restart.c); the parts: each module empties its own.
 * CPU     that of vCPU 0, whose registers are those of its first instruction
 *         already; the other vCPUs are off their CPUs. The scheduler takes
 *         the CPU away between two steps as from any guest.
 * Order   what the guest has of others goes first, its memory is written when
 *         nothing else refers to it.
 * Shared  a page of another domain (P2M_FOREIGN_*) is not the guest's doing,
 *         who may not map such: it stays, and so does what is in it. What the
 *         guest has unmapped of a region that domains share is mapped again.
 * Bounds  a part answers -EAGAIN after a piece of 20,000 instructions at most.
 */
#include <hv/restart.h>

#include "memory_priv.h"
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define STEP_PAGES 16u
/* Entries looked at in a step, and how many of them a removal stands for. */
#define STRIP_LOOKS 64u
#define STRIP_COST  16u
#define RANGE_SHIFT 48

/* It has ended already: one that expires before this changes nothing. */
static int stop_watchdogs(struct domain *d, struct restart *r)
{
	(void)r;
	domain_watchdog_stop(d);
	d->watchdog_inuse = 0;
	return 0;
}

static int close_ports(struct domain *d, struct restart *r)
{
	(void)r;
	return evtchn_reset_step(d);
}

static int release_mappings(struct domain *d, struct restart *r)
{
	int rc = gnttab_release_step(d);

	(void)r;
	if (rc == 0) {
		d->gnttab.release_next = 0;
	}
	return rc;
}

static int empty_grants(struct domain *d, struct restart *r)
{
	(void)r;
	return gnttab_reset_step(d);
}

/* Senders look for it under the lock of the ports. */
static void forget_info(struct domain *d, struct vcpu *v)
{
	struct page *pg;

	spin_lock(&d->evtchn.lock);
	pg = v->info_page;
	v->info_page = NULL;
	v->info = vcpu_first_info(v);
	memset(&v->own_info, 0, sizeof(v->own_info));
	spin_unlock(&d->evtchn.lock);
	if (pg) {
		page_put(pg);
	}
}

static int reset_vcpus(struct domain *d, struct restart *r)
{
	struct vcpu *v = d->vcpu[r->at];

	if (v) {
		timer_cancel(&v->singleshot);
		timer_cancel(&v->poll_timer);
		v->poll = false;
		v->cont.key = 0;
		vcpu_runstate_release(v);
		v->runstate_area = RUNSTATE_AREA_NONE;
		forget_info(d, v);
	}
	if (v && r->at != 0) {
		vcpu_offline(v);
		arch_vcpu_reset(v, 0, 0);
		vcpu_unpause(v);
	}
	return ++r->at < d->max_vcpus ? -EAGAIN : 0;
}

static int reset_devices(struct domain *d, struct restart *r)
{
	return arch_domain_reset_step(d, &r->at);
}

/* ---- memory -------------------------------------------------------------- */

static bool is_in_ram(const struct restart *r, uint64_t g)
{
	for (uint32_t i = 0; i < r->nr_ram; i++) { /* bound: RESTART_MAX_.. */
		if (!r->ram[i].shared && g - r->ram[i].gfn < r->ram[i].nr) {
			return true;
		}
	}
	return false;
}

/* Did boot leave it there, or another domain's owner? */
static bool stays(const struct restart *r, uint64_t g,
		  const struct p2m_entry *e)
{
	switch (e->type) {
	case P2M_RAM_RW:
		return is_in_ram(r, g);
	case P2M_RAM_RO:
	case P2M_GRANT_RW:
	case P2M_GRANT_RO:
	case P2M_XEN_RW:
		return false;
	default:
		return true; /* nothing, devices, pages of others */
	}
}

/* Whatever the guest has put into its address space goes. */
static int strip(struct domain *d, struct restart *r)
{
	uint32_t looks = 0;

	while (looks < STRIP_LOOKS && r->at <= d->p2m.max_gfn) {
		struct p2m_entry e = p2m_lookup(d, gfn(r->at));

		if (stays(r, r->at, &e)) {
			r->at = align_down(r->at, BIT64(e.order)) +
				BIT64(e.order);
			looks++;
			continue;
		}
		if (p2m_remove_page(d, gfn(r->at), ~0u) == -ENOMEM) {
			return -ENOMEM; /* no table to cut a block with */
		}
		r->at++;
		looks += STRIP_COST;
	}
	return r->at <= d->p2m.max_gfn ? -EAGAIN : 0;
}

/*
 * The end of the piece of @s from page @at on that is mapped, or is now. The
 * guest's own doing are holes only: strip() was here.
 */
static int share_piece(struct domain *d, const struct restart_range *s,
		       uint64_t at, uint64_t *end)
{
	uint64_t g = s->gfn + at;
	struct p2m_entry e = p2m_lookup(d, gfn(g));

	if (e.type != P2M_NONE) {
		*end = at + BIT64(e.order) - (g & (BIT64(e.order) - 1));
		return 0;
	}
	*end = at + 1;
	return p2m_map_ram(d, gfn(g), mfn(s->mfn + at), ORDER_4K,
			   P2M_FOREIGN_RW);
}

/* restart.at: the range in its upper bits, the page of it below. */
static int share(struct domain *d, struct restart *r)
{
	uint32_t n = (uint32_t)(r->at >> RANGE_SHIFT);
	uint64_t page = r->at & (BIT64(RANGE_SHIFT) - 1);
	int rc = 0;

	for (uint32_t i = 0; i < STEP_PAGES && n < r->nr_ram; i++) {
		const struct restart_range *s = &r->ram[n];

		rc = s->shared ? share_piece(d, s, page, &page) : 0;
		if (rc) {
			return rc;
		}
		if (!s->shared || page >= s->nr) {
			page = 0;
			n++;
		}
	}
	r->at = (uint64_t)n << RANGE_SHIFT | page;
	return n < r->nr_ram ? -EAGAIN : 0;
}

/*
 * Frame @g gets the contents of @from, zeros for NULL, if it is the domain's
 * own. -ENOENT: there is none.
 */
static int write_frame(struct domain *d, uint64_t g, const void *from)
{
	struct p2m_entry e;
	struct page *pg = p2m_get_page(d, gfn(g), &e);
	void *to;

	if (!pg) {
		return -ENOENT;
	}
	if (!p2m_type_is_ram(e.type)) {
		page_put(pg);
		return 0;
	}
	to = hv_va(mfn_to_paddr(page_mfn(pg)));
	if (from) {
		memcpy(to, from, PAGE_SIZE);
	} else {
		arch_clear_page(to);
	}
	arch_clean_dcache(to, PAGE_SIZE); /* it starts with caches off */
	page_put(pg);
	return 0;
}

/* The frame number @at of RAM of its own; UINT64_MAX: there are no more. */
static uint64_t ram_frame(const struct restart *r, uint64_t at)
{
	for (uint32_t i = 0; i < r->nr_ram; i++) { /* bound: RESTART_MAX_.. */
		if (r->ram[i].shared) {
			continue;
		}
		if (at < r->ram[i].nr) {
			return r->ram[i].gfn + at;
		}
		at -= r->ram[i].nr;
	}
	return UINT64_MAX;
}

static int scrub(struct domain *d, struct restart *r)
{
	for (uint32_t i = 0; i < STEP_PAGES; i++, r->at++) {
		uint64_t g = ram_frame(r, r->at);
		int rc;

		if (g == UINT64_MAX) {
			return 0;
		}
		rc = write_frame(d, g, NULL);
		if (rc == -ENOENT) { /* the guest gave it away */
			rc = memory_populate(d, g, ORDER_4K);
			rc = rc ? rc : write_frame(d, g, NULL);
		}
		if (rc) {
			return rc;
		}
	}
	return -EAGAIN;
}

/* restart.at: the block in its upper half, the page of it in the lower. */
static int load(struct domain *d, struct restart *r)
{
	uint32_t n = (uint32_t)(r->at >> 32);
	uint32_t page = (uint32_t)r->at;

	for (uint32_t i = 0; i < STEP_PAGES && n < r->nr_blocks; i++) {
		const struct restart_block *b = &r->block[n];
		int rc = write_frame(d, b->gfn + page,
				     (char *)b->va + page * PAGE_SIZE);

		if (rc) {
			return rc;
		}
		page++;
		if (page >> b->order) {
			page = 0;
			n++;
		}
	}
	r->at = (uint64_t)n << 32 | page;
	return n < r->nr_blocks ? -EAGAIN : 0;
}

/* ---- its next life ------------------------------------------------------- */

static int finish(struct domain *d, struct restart *r)
{
	uint8_t down = DOM_SHUTDOWN;

	arch_clear_page(d->shared_info);
	domain_update_wallclock(d);
	d->vm_assist = 0;
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	d->crash_why = NULL; /* something of its last life */
	arch_invalidate_icache();
	if (!__atomic_compare_exchange_n(&d->state, &down, DOM_RUNNING, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
		return -EAGAIN; /* torn down: soon off this CPU */
	}
	restart_begin(d);
	__atomic_store_n(&r->running, false, __ATOMIC_RELEASE);
	__atomic_store_n(&d->shutdown_claimed, 0, __ATOMIC_SEQ_CST);
	return 0;
}

static int (*const parts[])(struct domain *d, struct restart *r) = {
	stop_watchdogs, close_ports, release_mappings,
	empty_grants,	reset_vcpus, reset_devices,
	strip,		share,	     scrub,
	load,		finish,
};

void restart_step(struct vcpu *v)
{
	struct domain *d = v->domain;
	struct restart *r = d->restart;
	int rc = parts[r->part](d, r);

	if (rc == 0) {
		r->part++;
		r->at = 0;
	} else if (rc != -EAGAIN) {
		restart_failed(d);
	}
	if (restart_is_running(r)) {
		(void)__atomic_fetch_or(&v->work, VWORK_VTIMER,
					__ATOMIC_SEQ_CST);
	}
}
