/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions as a picture: memory on the left, from the lowest address
 * down, and a box for each domain. A domain has one colour.
 *
 * Form    SVG. Heights grow with the logarithm of a size: all of it can be
 *         read.
 */
#include "image.h"

#include <string.h>

#include "boot/fdt_dom.h"
#include "report.h"

#define MAP_X 20
#define MAP_WIDTH 560
#define BOX_X 620
#define BOX_WIDTH 320
#define BOX_HEIGHT 92
#define TOP 60

/* The colour of the first domain that @name speaks of. */
static const char *colour_of(const char *name)
{
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		const char *of = strstr(name, " of ");
		size_t len = strlen(boot_domains[i].name);

		if (of && strncmp(of + 4, boot_domains[i].name, len) == 0 &&
		    (of[4 + len] == 0 || of[4 + len] == ',')) {
			return svg_colour(i);
		}
	}
	return strcmp(name, "free") ? "#cccccc" : "#ffffff";
}

static int height_of(uint64_t size)
{
	int height = 18;

	for (; size > PAGE_SIZE; size >>= 1) {
		height += 2;
	}
	return height;
}

static int put_memory(FILE *f, const struct areas *l)
{
	int y = TOP;

	for (uint32_t i = 0; i < l->nr; i++) {
		const struct area *a = &l->a[i];
		int height = height_of(a->size);

		svg_box(f, MAP_X, y, MAP_WIDTH, height, colour_of(a->name));
		svg_text(f, MAP_X + 8, y + height / 2 + 4,
			 need_text("0x%010llx  %8llu KiB  %s",
				   (unsigned long long)a->start,
				   (unsigned long long)a->size >> 10,
				   a->name));
		y += height;
	}
	return y;
}

static int put_domain(FILE *f, uint32_t i, int y)
{
	const struct boot_domain *b = &boot_domains[i];

	svg_box(f, BOX_X, y, BOX_WIDTH, BOX_HEIGHT,
		svg_colour(i));
	svg_text(f, BOX_X + 10, y + 20,
		 need_text("d%u: %s%s", i + 1, b->name,
			   b->refused ? " (refused)" : ""));
	svg_text(f, BOX_X + 10, y + 40,
		 need_text("%u vCPUs, %llu MiB", b->nr_vcpus,
			   (unsigned long long)b->mem_kib >> 10));
	svg_text(f, BOX_X + 10, y + 60,
		 need_text("kernel at 0x%llx%s",
			   (unsigned long long)b->kernel.start,
			   b->ramdisk.size ? ", ramdisk" : ""));
	svg_text(f, BOX_X + 10, y + 80,
		 need_text("%s%s", b->vpl011 ? "UART at 0x22000000" :
					       "no UART",
			   b->enhanced ? ", knows the hypervisor" : ""));
	return y + BOX_HEIGHT + 12;
}

void picture(FILE *f, const void *tree, const struct image *img)
{
	static struct areas l;
	int height = TOP + 20;
	int boxes = TOP;
	int y = TOP;

	areas_of_tree(&l, tree, img);
	for (uint32_t i = 0; i < l.nr; i++) {
		height += height_of(l.a[i].size);
	}
	boxes += (int)nr_boot_domains * (BOX_HEIGHT + 12) + 20;
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%d\" font-family=\"monospace\" font-size=\"12\" "
		"style=\"white-space:pre\">\n",
		BOX_X + BOX_WIDTH + MAP_X, boxes > height ? boxes : height);
	svg_text(f, MAP_X, 24,
		 need_text("GICv%u, %u CPUs, %u domains%s",
			   platform.gic.version, platform.nr_cpus,
			   nr_boot_domains,
			   platform.nr_modules ? " and dom0" : ""));
	svg_text(f, MAP_X, 46, "memory (heights are not to scale)");
	put_memory(f, &l);
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		y = put_domain(f, i, y);
	}
	fputs("</svg>\n", f);
}
