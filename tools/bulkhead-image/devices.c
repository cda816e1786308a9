/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the machine that partial trees give to domains: each exists, is
 * nobody else's, and is marked in the machine's tree.
 *
 * Spec    [XEN] docs/misc/arm/passthrough.txt.
 */
#include "image.h"

#include <libfdt.h>
#include <string.h>

#include <lib/types.h>

#include "report.h"

#define MAX_GIVEN 256u

static struct {
	const char *path; /* in the machine's tree */
	const char *domain;
	int line;
} given[MAX_GIVEN];
static uint32_t nr_given;

/* One is the other, or contains it. */
static bool is_part(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strncmp(a, b, len) == 0 && (b[len] == 0 || b[len] == '/');
}

/* Why the hypervisor keeps a device, NULL: it does not. */
static const char *kept_for(const void *tree, int node)
{
	const char *type = fdt_getprop(tree, node, "device_type", NULL);

	if (node == platform.gic.node) {
		return "the interrupt controller";
	}
	if (node == platform.timer.node) {
		return "the timer";
	}
	if (type && strcmp(type, "memory") == 0) {
		return "memory";
	}
	return NULL;
}

static void give(const void *tree, const struct cfg_section *s, int line,
		 const char *path)
{
	int node = fdt_path_offset(tree, path);
	const char *why = node < 0 ? NULL : kept_for(tree, node);

	if (node < 0 || path[0] != '/') {
		bad(line, "device %s is not in the machine's tree; write the "
		    "path of a node as xen,path", path);
		return;
	}
	if (why) {
		bad(line, "device %s is %s and stays the hypervisor's; give "
		    "[%s] another one", path, why, s->name);
		return;
	}
	for (uint32_t i = 0; i < nr_given; i++) {
		if (is_part(given[i].path, path) ||
		    is_part(path, given[i].path)) {
			bad(line, "device %s is given to [%s] already, by the "
			    "file of line %d; take it out of one of the two",
			    path, given[i].domain, given[i].line);
			return;
		}
	}
	if (nr_given == MAX_GIVEN) {
		die("more than %u devices are given away; give fewer",
		    MAX_GIVEN);
	}
	given[nr_given].path = path;
	given[nr_given].domain = s->name;
	given[nr_given++].line = line;
}

static void give_all(const struct image *img, const struct cfg_section *s,
		     const struct cfg_entry *e)
{
	/* It was checked when it was read. */
	const void *part = file_of(img, s, e->key)->data;
	int node = -1;
	bool any = false;

	while ((node = fdt_next_node(part, node, NULL)) >= 0) {
		int len;
		const char *path = fdt_getprop(part, node, "xen,path", &len);

		if (path && len > 0 && path[len - 1] == 0) {
			give(img->tree, s, e->line, path);
			any = true;
		}
	}
	if (!any) {
		bad(e->line, "no node of %s has xen,path; say there which "
		    "devices of the machine are meant", e->value.text);
	}
}

void devices_check(const struct image *img)
{
	for (uint32_t i = 1; i < img->cfg.nr; i++) {
		const struct cfg_section *s = &img->cfg.section[i];
		const struct cfg_entry *e = cfg_find(s, "passthrough");

		if (e) {
			give_all(img, s, e);
		}
	}
}

void devices_mark(void *tree)
{
	for (uint32_t i = 0; i < nr_given; i++) {
		int node = fdt_path_offset(tree, given[i].path);

		if (node < 0 ||
		    fdt_setprop(tree, node, "xen,passthrough", NULL, 0)) {
			die("no room in the tree for %s; describe less",
			    given[i].path);
		}
	}
}

void devices_check_console(const void *tree)
{
	for (uint32_t i = 0; i < nr_given; i++) {
		if (platform.uart.node >= 0 &&
		    fdt_path_offset(tree, given[i].path) ==
			    platform.uart.node) {
			bad(given[i].line, "device %s is the hypervisor's "
			    "console and stays that; give [%s] another one",
			    given[i].path, given[i].domain);
		}
	}
}
