/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host port: the second stage as a sorted array of blocks, with a history.
 *
 * Owns    d->arch.p2m.
 * Rule    as the real one: a map replaces nothing, an unmap is one 4 KiB
 *         frame and splits what is larger, and either can run out of memory.
 */
#include "fake_arch.h"

#include <stdlib.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/iommu.h>
#include <lib/bits.h>
#include <lib/errno.h>

uint32_t fake_p2m_fail_in;
void (*fake_p2m_on_tlbi)(struct domain *d, uint64_t g);
void (*fake_p2m_on_lookup)(struct domain *d, uint64_t g);
unsigned int fake_ipa_bits = 40;

unsigned int arch_ipa_bits(void)
{
	return fake_ipa_bits;
}

static bool fails_now(void)
{
	return fake_p2m_fail_in != 0 && --fake_p2m_fail_in == 0;
}

int arch_p2m_init(struct domain *d)
{
	if (fails_now()) {
		return -ENOMEM;
	}
	d->arch.p2m = calloc(1, sizeof(*d->arch.p2m));
	return d->arch.p2m ? 0 : -ENOMEM;
}

int arch_p2m_fini_step(struct domain *d)
{
	if (d->arch.p2m) {
		free(d->arch.p2m->block);
		free(d->arch.p2m->event);
		free(d->arch.p2m);
		d->arch.p2m = NULL;
	}
	return 0;
}

static uint64_t size_of(const struct fake_p2m_block *b)
{
	return BIT64(b->order);
}

/* Index of the first block that ends above @g. */
static size_t find(const struct fake_p2m *p, uint64_t g)
{
	size_t lo = 0;
	size_t hi = p->nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (p->block[mid].g + size_of(&p->block[mid]) > g) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	return lo;
}

static void note(struct fake_p2m *p, int what, uint64_t g, uint64_t m,
		 unsigned int order, uint8_t type)
{
	if (p->nr_events == p->events_room) {
		p->events_room = p->events_room ? p->events_room * 2 : 64;
		p->event = realloc(p->event,
				   p->events_room * sizeof(*p->event));
	}
	p->event[p->nr_events++] = (struct fake_p2m_event){
		.what = what, .g = g, .m = m, .order = order, .type = type,
	};
}

static void insert(struct fake_p2m *p, size_t at, struct fake_p2m_block b)
{
	if (p->nr == p->room) {
		p->room = p->room ? p->room * 2 : 64;
		p->block = realloc(p->block, p->room * sizeof(*p->block));
	}
	memmove(&p->block[at + 1], &p->block[at],
		(p->nr - at) * sizeof(*p->block));
	p->block[at] = b;
	p->nr++;
}

static void take_out(struct fake_p2m *p, size_t at)
{
	p->nr--;
	memmove(&p->block[at], &p->block[at + 1],
		(p->nr - at) * sizeof(*p->block));
}

/* The block sizes that hardware has. */
static unsigned int block_order(uint64_t g, uint64_t m, uint64_t nr)
{
	if (nr >= BIT64(18) && is_aligned(g | m, BIT64(18))) {
		return 18;
	}
	return nr >= BIT64(9) && is_aligned(g | m, BIT64(9)) ? 9 : 0;
}

int arch_p2m_map(struct domain *d, gfn_t g, mfn_t m, unsigned int order,
		 enum p2m_type t)
{
	struct fake_p2m *p = d->arch.p2m;
	uint64_t nr = BIT64(order);
	uint64_t at = 0;
	size_t i = find(p, g.v);

	if (g.v + nr > BIT64(fake_ipa_bits - PAGE_SHIFT)) {
		return -EINVAL;
	}
	if (i < p->nr && p->block[i].g < g.v + nr) {
		return -EEXIST;
	}
	if (fails_now()) {
		return -ENOMEM;
	}
	while (at < nr) {
		unsigned int o = block_order(g.v + at, m.v + at, nr - at);

		insert(p, i++,
		       (struct fake_p2m_block){ .g = g.v + at, .m = m.v + at,
						.order = (uint8_t)o,
						.type = (uint8_t)t });
		at += BIT64(o);
	}
	note(p, FAKE_P2M_MAP, g.v, m.v, order, (uint8_t)t);
	return 0;
}

/* Blocks of the next smaller size in the place of block @at. */
static void split(struct fake_p2m *p, size_t at)
{
	struct fake_p2m_block b = p->block[at];
	uint64_t i;

	take_out(p, at);
	b.order = (uint8_t)(b.order - 9);
	for (i = 0; i < 512; i++) {
		insert(p, at + i, b);
		b.g += size_of(&b);
		b.m += size_of(&b);
	}
}

int arch_p2m_unmap(struct domain *d, gfn_t g, struct p2m_entry *old)
{
	struct fake_p2m *p = d->arch.p2m;
	size_t i = find(p, g.v);

	if (i == p->nr || p->block[i].g > g.v) {
		return -ENOENT;
	}
	while (p->block[i].order != 0) {
		if (fails_now()) {
			return -ENOMEM;
		}
		split(p, i);
		i = find(p, g.v);
	}
	*old = (struct p2m_entry){ .mfn = mfn(p->block[i].m),
				   .type = p->block[i].type };
	take_out(p, i);
	note(p, FAKE_P2M_UNMAP, g.v, old->mfn.v, 0, old->type);
	if (fake_p2m_on_tlbi) {
		fake_p2m_on_tlbi(d, g.v);
	}
	return 0;
}

struct p2m_entry arch_p2m_lookup(struct domain *d, gfn_t g)
{
	const struct fake_p2m *p = d->arch.p2m;
	struct p2m_entry e = { .mfn = mfn(INVALID_FRAME), .type = P2M_NONE };
	size_t i;

	if (fake_p2m_on_lookup) {
		fake_p2m_on_lookup(d, g.v);
	}
	i = find(p, g.v);
	if (i < p->nr && p->block[i].g <= g.v) {
		e.mfn = mfn(p->block[i].m + (g.v - p->block[i].g));
		e.type = p->block[i].type;
		e.order = p->block[i].order;
	} else if (i == p->nr ||
		   p->block[i].g >= align_down(g.v, 512) + 512) {
		/* As a table walk would say: this level is empty. */
		if (i == 0 || p->block[i - 1].g < align_down(g.v, 512)) {
			e.order = 9;
		}
	}
	return e;
}

void arch_p2m_share(struct domain *d, bool uncached, struct iommu_space *out)
{
	note(d->arch.p2m, FAKE_P2M_SHARE, uncached, 0, 0, 0);
	out->root = (uintptr_t)d->arch.p2m;
	out->bits = fake_ipa_bits;
	out->start_level = 1;
}

/* ---- audit --------------------------------------------------------------- */

/* All of the span of @order around @g; the first block after it is @i. */
static bool is_empty(const struct fake_p2m *p, size_t i, uint64_t g,
		     unsigned int order)
{
	uint64_t start = align_down(g, BIT64(order));

	return (i == p->nr || p->block[i].g >= start + BIT64(order)) &&
	       (i == 0 ||
		p->block[i - 1].g + size_of(&p->block[i - 1]) <= start);
}

/* Empty spans as large as a table of the first level would show them. */
void arch_p2m_inspect(struct domain *d, gfn_t g, struct p2m_raw *r)
{
	const struct fake_p2m *p = d->arch.p2m;
	size_t i = find(p, g.v);
	unsigned int order = 18;

	*r = (struct p2m_raw){ .e = arch_p2m_lookup(d, g) };
	r->is_mapped = i < p->nr && p->block[i].g <= g.v;
	if (r->is_mapped) {
		r->is_sound = !p->block[i].is_unsound;
		r->is_bad_table = p->block[i].is_bad_table;
		return;
	}
	while (order != 0 && !is_empty(p, i, g.v, order)) {
		order -= 9;
	}
	r->e.order = (uint8_t)order;
}

uint64_t arch_p2m_tag(const struct domain *d, uint64_t *root)
{
	*root = (uint64_t)(uintptr_t)d->arch.p2m;
	return d->arch.tag;
}
