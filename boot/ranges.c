/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded sorted set of address ranges. Pure: no globals.
 *
 * Owns    nothing: the caller's struct and array.
 * Bounds  ranges.max entries; a place is found by halving, an insertion moves
 *         what lies behind it. Devices mostly come in rising order or next to
 *         each other, so little is moved.
 */
#include "ranges.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

static uint64_t end_of(const struct mem_range *r)
{
	return r->start + r->size;
}

/* Index of the first range that ends at @addr or behind it. */
static uint32_t find(const struct ranges *s, uint64_t addr)
{
	uint32_t lo = 0;
	uint32_t hi = s->nr;

	while (lo < hi) { /* bound: halves */
		uint32_t mid = lo + (hi - lo) / 2;

		if (end_of(&s->r[mid]) < addr) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* Replace @nr ranges at @at by one. */
static int replace(struct ranges *s, uint32_t at, uint32_t nr, uint64_t start,
		   uint64_t end)
{
	if (nr == 0 && s->nr == s->max) {
		s->full = true;
		return -ENOSPC;
	}
	if (nr != 1) {
		memmove(&s->r[at + 1], &s->r[at + nr],
			(s->nr - at - nr) * sizeof(s->r[0]));
		s->nr = s->nr + 1 - nr;
	}
	s->r[at] = (struct mem_range){ .start = start, .size = end - start };
	return 0;
}

static uint64_t clamped_end(uint64_t start, uint64_t size)
{
	return size > UINT64_MAX - start ? UINT64_MAX : start + size;
}

void ranges_clear(struct ranges *s)
{
	s->nr = 0;
	s->full = false;
}

int ranges_copy(struct ranges *to, const struct ranges *from)
{
	if (from->nr > to->max) {
		return -ENOSPC;
	}
	memcpy(to->r, from->r, from->nr * sizeof(from->r[0]));
	to->nr = from->nr;
	to->full = from->full;
	return 0;
}

int ranges_add(struct ranges *s, uint64_t start, uint64_t size)
{
	uint64_t end = clamped_end(start, size);
	uint32_t at = find(s, start);
	uint32_t nr = 0;

	if (start == end) {
		return 0;
	}
	while (at + nr < s->nr && s->r[at + nr].start <= end) {
		const struct mem_range *r = &s->r[at + nr];

		start = r->start < start ? r->start : start;
		end = end_of(r) > end ? end_of(r) : end;
		nr++;
	}
	return replace(s, at, nr, start, end);
}

void ranges_add_pages(struct ranges *s, uint64_t start, uint64_t size)
{
	uint64_t end = clamped_end(start, size);
	uint64_t last = align_down(UINT64_MAX, PAGE_SIZE);
	int rc;

	if (size == 0) {
		return;
	}
	start = align_down(start, PAGE_SIZE);
	end = end > last ? last : align_up(end, PAGE_SIZE);
	rc = ranges_add(s, start, end - start);
	if (rc) {
		s->full = true;
	}
}

int ranges_remove(struct ranges *s, uint64_t start, uint64_t size)
{
	uint64_t end = clamped_end(start, size);
	uint32_t i = find(s, start);

	while (i < s->nr && s->r[i].start < end) {
		struct mem_range r = s->r[i];

		if (end_of(&r) <= start) {
			i++; /* it only touches */
			continue;
		}
		if (r.start < start && end < end_of(&r)) {
			s->r[i].size = start - r.start;
			return replace(s, i + 1, 0, end, end_of(&r));
		}
		if (r.start < start) {
			s->r[i++].size = start - r.start;
		} else if (end < end_of(&r)) {
			s->r[i] = (struct mem_range){
				.start = end, .size = end_of(&r) - end };
		} else {
			s->nr--;
			memmove(&s->r[i], &s->r[i + 1],
				(s->nr - i) * sizeof(s->r[0]));
		}
	}
	return 0;
}

int ranges_take(struct ranges *s, uint64_t want, uint64_t align,
		struct mem_range *out)
{
	struct mem_range best = { 0 };

	for (uint32_t i = 0; i < s->nr; i++) {
		uint64_t start = align_up(s->r[i].start, align);
		uint64_t end = align_down(s->r[i].start + s->r[i].size, align);

		if (start < end && end - start > best.size) {
			best = (struct mem_range){ .start = start,
						   .size = end - start };
		}
	}
	if (best.size == 0) {
		return -ENOMEM;
	}
	out->size = want < best.size ? want : best.size;
	out->start = align_down(best.start + best.size - out->size, align);
	return ranges_remove(s, out->start, out->size);
}

bool ranges_contain(const struct ranges *s, uint64_t start, uint64_t size)
{
	uint32_t i = find(s, start);

	/* One that only touches @start ends there. */
	if (i < s->nr && end_of(&s->r[i]) == start && size != 0) {
		i++;
	}
	return i < s->nr && s->r[i].start <= start &&
	       size <= end_of(&s->r[i]) - start;
}

uint64_t ranges_total(const struct ranges *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->nr; i++) {
		sum += s->r[i].size;
	}
	return sum;
}

bool ranges_next_hole(const struct ranges *s, uint32_t *i, uint64_t *pos,
		      uint64_t limit, struct mem_range *out)
{
	while (*pos < limit) {
		uint64_t end = limit;
		uint64_t next = limit;

		/* Ranges that end at or before pos are behind us. */
		while (*i < s->nr && end_of(&s->r[*i]) <= *pos) {
			(*i)++;
		}
		if (*i < s->nr) {
			end = s->r[*i].start < limit ? s->r[*i].start : limit;
			next = end_of(&s->r[*i]);
		}
		if (end > *pos) {
			*out = (struct mem_range){ .start = *pos,
						   .size = end - *pos };
			*pos = end;
			return true;
		}
		*pos = next;
	}
	return false;
}
