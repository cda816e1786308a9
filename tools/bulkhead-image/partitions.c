/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions of a description as a picture: a box for each domain, below
 * it a bar for each piece of shared memory and each event channel, with a foot
 * under every domain that has a part in it, and the hypervisor under all.
 *
 * Form    SVG, from the description alone: no address that a build would
 *         change.
 */
#include "image.h"

#include <string.h>

#include <lib/types.h>

#include "report.h"

#define BOX_WIDTH 232
#define BOX_HEIGHT 128
#define GAP 24
#define TOP 16
#define LINE 19
#define BAR_HEIGHT 24
#define BAR_STEP 36
#define FOOT_STEP 28

/* What connects domains, a bit for each of them from the first section. */
struct bar {
	const char *text;
	uint64_t domains;
};

struct bars {
	uint32_t nr;
	struct bar bar[128];
};

static int left_of(uint32_t domain)
{
	return GAP + (int)domain * (BOX_WIDTH + GAP);
}

static int top_of(uint32_t row)
{
	return TOP + BOX_HEIGHT + 14 + (int)row * BAR_STEP;
}

/* ---- a domain ------------------------------------------------------------ */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *end_of(const struct cfg_section *s)
{
	const char *crash = cfg_text(s, "on_crash", "");

	if (strcmp(crash, "restart") == 0) {
		return "begins again after a crash";
	}
	return strcmp(crash, "crash-machine") == 0 ?
		       "its crash ends the machine" : "";
}

static void put_domain(FILE *f, uint32_t i, const struct cfg_section *s)
{
	uint64_t vcpus = cfg_number(s, "vcpus", 0);
	uint64_t beat = cfg_number(s, "heartbeat_ms", 0);
	const char *cpus = cfg_text(s, "cpus", NULL);
	int x = left_of(i) + 10;
	int y = TOP + 6;

	svg_box(f, left_of(i), TOP, BOX_WIDTH, BOX_HEIGHT,
		svg_colour(i));
	fputs("<g font-weight=\"bold\">", f);
	svg_text(f, x, y += LINE - 4, s->name);
	fputs("</g>", f);
	svg_text(f, x, y += LINE, file_name(cfg_text(s, "kernel", "")));
	svg_text(f, x, y += LINE,
		 need_text("%llu vCPU%s%s%s", (unsigned long long)vcpus,
			   vcpus == 1 ? "" : "s", cpus ? " on CPU " : "",
			   cpus ? cpus : ""));
	svg_text(f, x, y += LINE,
		 need_text("%llu MiB",
			   (unsigned long long)cfg_number(s, "memory", 0)));
	if (*end_of(s)) {
		svg_text(f, x, y += LINE, end_of(s));
	}
	if (beat) {
		svg_text(f, x, y + LINE,
			 need_text("... or %llu ms without a sign",
				   (unsigned long long)beat));
	}
}

/* ---- what connects them -------------------------------------------------- */

static uint64_t bit_of(const struct cfg *c, const char *name)
{
	for (uint32_t i = 1; name && i < c->nr; i++) {
		if (strcmp(c->section[i].name, name) == 0) {
			return UINT64_C(1) << (i - 1);
		}
	}
	return 0;
}

static void add_bar(struct bars *l, const char *text, uint64_t domains)
{
	if (l->nr < ARRAY_SIZE(l->bar) && domains) {
		l->bar[l->nr++] = (struct bar){ text, domains };
	}
}

/* One bar for each id, whoever names it. */
static void add_shared(struct bars *l, const char *spec, uint64_t domain)
{
	const char *text;
	struct shared sh;

	if (!shared_parse(spec, &sh)) {
		return;
	}
	text = need_text("shared memory: %s, %llu KiB", sh.id,
			 (unsigned long long)sh.size >> 10);
	for (uint32_t i = 0; i < l->nr; i++) {
		if (strcmp(l->bar[i].text, text) == 0) {
			l->bar[i].domains |= domain;
			return;
		}
	}
	add_bar(l, text, domain);
}

static void find_bars(struct bars *l, const struct cfg *c)
{
	const struct cfg_entry *e;

	for (uint32_t i = 1; i < c->nr; i++) {
		e = cfg_find(&c->section[i], "shared_mem");
		for (uint32_t k = 0; e && k < e->value.nr; k++) {
			add_shared(l, e->value.item[k].text,
				   UINT64_C(1) << (i - 1));
		}
	}
	e = cfg_find(&c->section[0], "channels");
	for (uint32_t k = 0; e && k < e->value.nr; k++) {
		const char *spec = e->value.item[k].text;

		add_bar(l, "event channel",
			bit_of(c, spec_field(spec, "from")) |
				bit_of(c, spec_field(spec, "to")));
	}
}

/* Behind the bars that they pass. */
static void put_feet(FILE *f, const struct bar *b, uint32_t row)
{
	int foot = 16 + (int)row * FOOT_STEP % (BOX_WIDTH - 20);

	for (uint32_t i = 0; i < 64; i++) {
		if (b->domains >> i & 1) {
			fprintf(f, "<path d=\"M%d %dV%d\" stroke=\"#333\" "
				"stroke-width=\"3\"/>\n", left_of(i) + foot,
				TOP + BOX_HEIGHT, top_of(row));
		}
	}
}

static void put_bar(FILE *f, const struct bar *b, uint32_t row)
{
	uint32_t first = (uint32_t)__builtin_ctzll(b->domains);
	uint32_t last = 63 - (uint32_t)__builtin_clzll(b->domains);

	svg_box(f, left_of(first), top_of(row),
		left_of(last) + BOX_WIDTH - left_of(first), BAR_HEIGHT,
		"#eeeeee");
	svg_text(f, left_of(first) + 10, top_of(row) + 17, b->text);
}

/* ---- all of it ----------------------------------------------------------- */

void partitions(FILE *f, const struct cfg *c)
{
	static struct bars l;
	int width = left_of(c->nr - 1);
	int bottom;

	find_bars(&l, c);
	bottom = top_of(l.nr);
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%d\" font-family=\"sans-serif\" font-size=\"14\">\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fafafa\"/>\n",
		width, bottom + 46, width, bottom + 46);
	for (uint32_t i = 0; i < l.nr; i++) {
		put_feet(f, &l.bar[i], i);
	}
	for (uint32_t i = 0; i < l.nr; i++) {
		put_bar(f, &l.bar[i], i);
	}
	for (uint32_t i = 1; i < c->nr; i++) {
		put_domain(f, i - 1, &c->section[i]);
	}
	svg_box(f, GAP, bottom, width - 2 * GAP, 30, "#d9d9d9");
	svg_text(f, GAP + 10, bottom + 20,
		 need_text("Bulkhead, sched=%s",
			   cfg_text(&c->section[0], "scheduler", "credit2")));
	fputs("</svg>\n", f);
}
