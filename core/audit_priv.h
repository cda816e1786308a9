/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the auditor share. */
#ifndef CORE_AUDIT_PRIV_H
#define CORE_AUDIT_PRIV_H

#include <hv/domain.h>

#define AUDIT_END UINT64_MAX
#define AUDIT_LOOKS 32u  /* frames that one item looks at, at most */
#define AUDIT_RANGES 32u /* of registers of domains that are not dom0 */

/* What was looked at, in the order of the verdict's words. */
enum audit_count {
	AUDITED_PAGES, /* frames of RAM */
	AUDITED_MAPS,  /* guest frames that something is mapped at */
	AUDITED_IRQS,  /* lines of guests */
	AUDITED_PORTS, /* ends of pairs */
	AUDITED_GRANTS,
	AUDITED_TAGS,
	AUDITED_STREAMS, /* of IOMMUs, that belong to somebody */
	NR_AUDITED
};

/* One form of line each; docs/audit.md. */
enum audit_class {
	AUDIT_PAGE,
	AUDIT_FRAME,
	AUDIT_IRQ,
	AUDIT_PORT,
	AUDIT_GRANT,
	AUDIT_TAG,
	AUDIT_STREAM,
};

struct audit_range {
	uint64_t gfn, mfn, nr;
	domid_t domid;
};

/* A run, from its beginning to its verdict. */
struct audit {
	bool is_running;
	uint32_t part;     /* of the table in audit.c */
	domid_t domid;     /* the domain it is at, or the next one */
	uint64_t pos, next;
	bool tells;
	uint32_t run;      /* 1, 2, ... */
	uint32_t tries;    /* to make an item sure */
	uint32_t nr_found;
	uint32_t nr_unsure; /* items of which it cannot say */
	uint64_t nr[NR_AUDITED];
	uint32_t nr_ranges;
	struct audit_range range[AUDIT_RANGES];
	char line[120];    /* what is wrong with this item; empty: nothing */
};

/*
 * The item is wrong: @kind of it, @x and @y as its class prints them. Counts
 * when the item is looked at again, and no CPU does anything meanwhile.
 */
void audit_found(struct audit *a, enum audit_class c, const char *kind,
		 const uint64_t v[4]);

/*
 * Items: look at what is at a->pos, set a->next, or leave it AUDIT_END.
 * Return their cost; 1 is a frame looked at. Nothing is held by them.
 */
uint32_t audit_maps(struct audit *a, struct domain *d);
uint32_t audit_frames(struct audit *a, struct domain *none);
uint32_t audit_lines(struct audit *a, struct domain *none);
uint32_t audit_virqs(struct audit *a, struct domain *d);
uint32_t audit_ports(struct audit *a, struct domain *d);
uint32_t audit_grants(struct audit *a, struct domain *d);
uint32_t audit_tags(struct audit *a, struct domain *d);
uint32_t audit_streams(struct audit *a, struct domain *none);

#endif
