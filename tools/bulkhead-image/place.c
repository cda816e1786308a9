/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies where in memory: the hypervisor, the tree, what the description
 * gives an address, and in what is left the files, from below.
 *
 * Owns    img->areas, the list of all that has a place.
 * Not     memory of domains without static_mem: the hypervisor finds that at
 *         boot, from the top of what is free.
 */
#include "image.h"

#include <string.h>

#include <lib/bits.h>
#include <lib/types.h>

#include "boot/kernel_image.h"
#include "boot/ranges.h"
#include "report.h"

#define TREE_OFFSET (128 * MIB) /* where QEMU puts it, or in the middle */

static struct mem_range free_r[MAX_RANGES];
static struct ranges free_now = RANGES_IN(free_r);

void area_add(struct areas *l, uint64_t start, uint64_t size, int line,
	      const char *name)
{
	if (l->nr == MAX_AREAS) {
		die("more than %u things have an address; describe less",
		    MAX_AREAS);
	}
	l->a[l->nr++] = (struct area){
		.start = start, .size = size, .name = name, .line = line,
	};
}

/* ---- what has its address already ---------------------------------------- */

static void place_hypervisor(struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];
	struct kernel_image k;
	int line = cfg_line(m, "hypervisor_at");

	report_at(m, img->hypervisor.line);
	if (kernel_image_probe(img->hypervisor.data, img->hypervisor.size,
			       &k)) {
		return;
	}
	img->hypervisor_span = align_up(k.image_size, PAGE_SIZE);
	img->hypervisor.at = cfg_number(m, "hypervisor_at",
					platform.bank[0].start + ALIGN_2M +
						k.text_offset);
	if (img->hypervisor.at % ALIGN_2M != k.text_offset % ALIGN_2M) {
		bad(line, "hypervisor_at is no multiple of 2 MiB; write "
		    "hypervisor_at = 0x%llx", (unsigned long long)
		    align_up(img->hypervisor.at, ALIGN_2M));
	}
	area_add(&img->areas, img->hypervisor.at, img->hypervisor_span, line,
		 "the hypervisor");
}

static void place_tree(struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];
	uint64_t half = align_down(platform.bank[0].size / 2, ALIGN_2M);

	img->tree_at = cfg_number(m, "tree_at", platform.bank[0].start +
				  (half < TREE_OFFSET ? half : TREE_OFFSET));
	if (img->tree_at % 8) {
		bad(cfg_line(m, "tree_at"), "tree_at is no multiple of 8; "
		    "write tree_at = 0x%llx", (unsigned long long)
		    align_up(img->tree_at, PAGE_SIZE));
	}
	area_add(&img->areas, img->tree_at, TREE_ROOM, cfg_line(m, "tree_at"),
		 "the device tree");
}

/* QEMU has places of its own for what it loads without a boot loader. */
static void refuse_places(const struct cfg_section *m)
{
	static const char *const keys[] = { "hypervisor_at", "tree_at" };

	for (uint32_t i = 0; cfg_find(m, "machine") && i < ARRAY_SIZE(keys);
	     i++) {
		if (cfg_find(m, keys[i])) {
			bad(cfg_line(m, keys[i]), "%s is not free on QEMU's "
			    "boards; leave it out", keys[i]);
		}
	}
}

static void place_reserved(struct image *img)
{
	for (uint32_t i = 0; i < platform.nr_reserved; i++) {
		area_add(&img->areas, platform.reserved[i].start,
			 platform.reserved[i].size, 0, "reserved memory");
	}
}

static void place_static(struct image *img, const struct cfg_section *s)
{
	const struct cfg_entry *e = cfg_find(s, "static_mem");
	uint64_t total = 0;

	for (uint32_t i = 0; e && i < e->value.nr; i++) {
		uint64_t start;
		uint64_t size;

		range_parse(e->value.item[i].text, &start, &size);
		total += size;
		area_add(&img->areas, start, size, e->value.item[i].line,
			 need_text("static_mem of %s", s->name));
	}
	if (e && total != cfg_number(s, "memory", 0) * MIB) {
		bad(e->line, "static_mem has %llu KiB, memory of [%s] says "
		    "%llu; make them the same", (unsigned long long)total >> 10,
		    s->name, (unsigned long long)
		    cfg_number(s, "memory", 0) << 10);
	}
}

static void place_heap(struct image *img)
{
	const struct cfg_entry *e = cfg_find(&img->cfg.section[0],
					     "static_heap");

	for (uint32_t i = 0; e && i < e->value.nr; i++) {
		uint64_t start;
		uint64_t size;

		range_parse(e->value.item[i].text, &start, &size);
		area_add(&img->areas, start, size, e->value.item[i].line,
			 "static_heap");
	}
}

/* Under one id it is one piece of memory, whoever names it. */
static bool is_placed(const struct areas *l, const struct shared *sh,
		      const char *name)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		if (strcmp(l->a[i].name, name) == 0 &&
		    l->a[i].start == sh->at && l->a[i].size == sh->size) {
			return true;
		}
	}
	return false;
}

static void place_shared(struct image *img, const struct cfg_section *s)
{
	const struct cfg_entry *e = cfg_find(s, "shared_mem");
	struct shared sh;

	for (uint32_t i = 0; e && i < e->value.nr; i++) {
		const struct cfg_value *v = &e->value.item[i];
		const char *name;

		if (!shared_parse(v->text, &sh)) {
			bad(v->line, "shared_mem \"%s\" is not whole; write "
			    "\"id=box,at=0x78000000,size=64K,"
			    "guest=0x50000000,role=owner\"", v->text);
			continue;
		}
		name = need_text("shared_mem %s", sh.id);
		if (!is_placed(&img->areas, &sh, name)) {
			area_add(&img->areas, sh.at, sh.size, v->line, name);
		}
	}
}

static bool is_in_memory(const struct area *a)
{
	for (uint32_t i = 0; i < platform.nr_banks; i++) {
		const struct mem_range *b = &platform.bank[i];

		if (a->start >= b->start && a->start - b->start < b->size &&
		    a->size <= b->size - (a->start - b->start)) {
			return true;
		}
	}
	return false;
}

/* The place of the second is told, with the name of the first. */
static void check_places(const struct areas *l)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct area *a = &l->a[i];

		if (strcmp(a->name, "reserved memory") && !is_in_memory(a)) {
			bad(a->line, "%s, 0x%llx to 0x%llx, is not in the "
			    "machine's memory; move it, or give the machine "
			    "more", a->name, (unsigned long long)a->start,
			    (unsigned long long)(a->start + a->size - 1));
		}
		for (uint32_t j = 0; j < i; j++) {
			const struct area *b = &l->a[j];

			if ((a->line || b->line) &&
			    a->start < b->start + b->size &&
			    b->start < a->start + a->size) {
				bad(a->line ? a->line : b->line, "%s, at "
				    "0x%llx, overlaps %s, 0x%llx to 0x%llx; "
				    "move one of them", a->name,
				    (unsigned long long)a->start, b->name,
				    (unsigned long long)b->start,
				    (unsigned long long)(b->start + b->size -
							 1));
			}
		}
	}
}

/* ---- the files ----------------------------------------------------------- */

static void must(int rc)
{
	if (rc) {
		die("memory is in too many pieces; put things together");
	}
}

static void find_free(const struct image *img)
{
	for (uint32_t i = 0; i < platform.nr_banks; i++) {
		must(ranges_add(&free_now, platform.bank[i].start,
				platform.bank[i].size));
	}
	for (uint32_t i = 0; i < img->areas.nr; i++) {
		const struct area *a = &img->areas.a[i];

		must(ranges_remove(&free_now, a->start, a->size));
	}
}

/* The lowest 2 MiB boundary from @from up with @size behind it; 0: none. */
static uint64_t first_fit(uint64_t from, uint64_t size)
{
	for (uint32_t i = 0; i < free_now.nr; i++) {
		const struct mem_range *r = &free_now.r[i];
		uint64_t at = align_up(r->start > from ? r->start : from,
				       ALIGN_2M);

		if (at - r->start < r->size &&
		    size <= r->size - (at - r->start)) {
			return at;
		}
	}
	return 0;
}

static void place_files(struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];
	bool is_said = cfg_find(m, "modules_at") != NULL;
	/* Lower, QEMU's and U-Boot's own things are. */
	uint64_t from = cfg_number(m, "modules_at", img->hypervisor.at +
				   img->hypervisor_span);

	for (uint32_t i = 0; i < img->nr_blobs; i++) {
		struct blob *b = &img->blob[i];

		b->at = first_fit(from, align_up(b->size, PAGE_SIZE));
		if (b->at == 0) {
			bad(is_said ? cfg_line(m, "modules_at") : b->line,
			    "no %llu KiB of memory in one piece from 0x%llx "
			    "up for %s; give the machine more, or move what "
			    "has an address",
			    (unsigned long long)b->size >> 10,
			    (unsigned long long)from, b->path);
			continue;
		}
		must(ranges_remove(&free_now, b->at,
				   align_up(b->size, PAGE_SIZE)));
	}
}

void place_all(struct image *img)
{
	refuse_places(&img->cfg.section[0]);
	place_reserved(img);
	place_hypervisor(img);
	place_tree(img);
	place_heap(img);
	for (uint32_t i = 1; i < img->cfg.nr; i++) {
		place_static(img, &img->cfg.section[i]);
		place_shared(img, &img->cfg.section[i]);
	}
	check_places(&img->areas);
	find_free(img);
	place_files(img);
}
