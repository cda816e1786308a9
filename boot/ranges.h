/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded sorted set of address ranges: plans memory, collects devices. */
#ifndef BOOT_RANGES_H
#define BOOT_RANGES_H

#include <hv/platform.h>

#define MAX_RANGES 160u /* of memory */

struct ranges {
	uint32_t nr;
	uint32_t max;
	bool full;           /* one did not fit: the set is not complete */
	struct mem_range *r; /* sorted, not empty, do not touch each other */
};

/* An empty set that keeps its ranges in @array. */
#define RANGES_IN(array)                                                      \
	{ .max = (uint32_t)(sizeof(array) / sizeof((array)[0])), .r = (array) }

/* Make @to the same set as @from. -ENOSPC. */
__must_check int ranges_copy(struct ranges *to, const struct ranges *from);
void ranges_clear(struct ranges *s);
/* Add a range, joined with what it overlaps or touches. -ENOSPC. */
__must_check int ranges_add(struct ranges *s, uint64_t start, uint64_t size);
/*
 * Add the whole pages that [start, start + size) touches; one that does not
 * fit only sets @full. The last page of all is left out: its end is no number.
 */
void ranges_add_pages(struct ranges *s, uint64_t start, uint64_t size);
/* Take [start, start + size) out of whatever covers it. -ENOSPC. */
__must_check int ranges_remove(struct ranges *s, uint64_t start,
			       uint64_t size);
/*
 * Take @want bytes, or as many as are in one piece between boundaries of
 * @align, from the end of the largest such piece. -ENOMEM: there is none;
 * -ENOSPC.
 */
__must_check int ranges_take(struct ranges *s, uint64_t want, uint64_t align,
			     struct mem_range *out);
/* [start, start + size) lies in one range of the set. */
bool ranges_contain(const struct ranges *s, uint64_t start, uint64_t size);
uint64_t ranges_total(const struct ranges *s);
/*
 * The first hole from *@pos up that begins before @limit, cut off there:
 * *@pos becomes its end. *@i: 0 at first, then left alone while *@pos rises.
 * False: nothing more.
 */
bool ranges_next_hole(const struct ranges *s, uint32_t *i, uint64_t *pos,
		      uint64_t limit, struct mem_range *out);

#endif
