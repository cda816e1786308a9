/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tree makes of a machine: each range of memory, each domain in the
 * words of a description, devices.
 *
 * Not     a judgement: check.c has read the tree before, with the
 *         hypervisor's own code.
 * Form    a description with comments: what it says can be written again.
 */
#include "image.h"

#include <ctype.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include <lib/sha256.h>
#include <lib/types.h>

#include "boot/boot.h"
#include "boot/fdt_dom.h"
#include "boot/fdt_parts.h"
#include "boot/fdt_util.h"
#include "report.h"

/* In tenths, rounded down: 48.2 KiB. */
static const char *human(uint64_t size)
{
	static const char *const units[] = { "KiB", "MiB", "GiB" };
	uint64_t tenths = size * 10 >> 10;
	uint32_t unit = 0;

	while (unit < 2 && tenths >= 10240) {
		tenths >>= 10;
		unit++;
	}
	return need_text("%llu.%llu %s", (unsigned long long)tenths / 10,
			 (unsigned long long)tenths % 10, units[unit]);
}

static void print_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		fputc(isprint((unsigned char)*text) ? *text : '?', f);
	}
}

/* ---- memory -------------------------------------------------------------- */

static const char *const kind_names[] = {
	[MODULE_KERNEL] = "kernel", [MODULE_RAMDISK] = "ramdisk",
	[MODULE_DTB] = "passthrough", [MODULE_OTHER] = "module",
};

/* A module below a domain's node, or dom0's. */
struct module {
	uint32_t idx;
	const char *owner;
	enum module_kind kind;
	struct mem_range r;
};

/* The module after node @m->idx; false: no more. */
static bool next_module(struct module *m)
{
	uint32_t chosen = dt_resolve(&host_dt, "/chosen", 7);

	for (uint32_t i = m->idx; chosen != DT_NONE &&
	     i < host_dt.node[chosen].end; i++) {
		uint32_t parent = host_dt.node[i].parent;
		bool of_domain = dt_is_compatible(&host_dt, parent, dt_domain);

		if (i <= chosen || !dt_is_compatible(&host_dt, i, dt_module) ||
		    dt_module_reg(&host_dt, i, &m->r)) {
			continue;
		}
		m->kind = dt_module_kind(&host_dt, i, false, false);
		m->owner = of_domain ? dt_node_name(&host_dt, parent) : DOM0;
		m->idx = i + 1;
		return true;
	}
	return false;
}

static const struct blob *blob_at(const struct image *img, uint64_t at)
{
	for (uint32_t i = 0; img && i < img->nr_blobs; i++) {
		if (img->blob[i].at == at) {
			return &img->blob[i];
		}
	}
	return NULL;
}

/* One file may be the kernel of several domains. */
static void add_module(struct areas *l, const struct module *m)
{
	const char *name = need_text("%s of %s", kind_names[m->kind],
				     m->owner);

	for (uint32_t i = 0; i < l->nr; i++) {
		if (l->a[i].start == m->r.start && l->a[i].size == m->r.size) {
			l->a[i].name = need_text("%s, %s", l->a[i].name, name);
			return;
		}
	}
	area_add(l, m->r.start, m->r.size, 0, name);
}

static int by_start(const void *x, const void *y)
{
	const struct area *a = x;
	const struct area *b = y;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* What is between the areas of @known and in a bank of memory is free. */
static void fill_holes(struct areas *l, const struct areas *known)
{
	for (uint32_t i = 0; i < platform.nr_banks; i++) {
		uint64_t at = platform.bank[i].start;
		uint64_t end = at + platform.bank[i].size;

		for (uint32_t j = 0; j < known->nr; j++) {
			const struct area *a = &known->a[j];

			if (a->start < platform.bank[i].start ||
			    a->start >= end) {
				continue;
			}
			if (a->start > at) {
				area_add(l, at, a->start - at, 0, "free");
			}
			area_add(l, a->start, a->size, 0, a->name);
			if (a->start + a->size > at) {
				at = a->start + a->size;
			}
		}
		if (at < end) {
			area_add(l, at, end - at, 0, "free");
		}
	}
}

/* Ranges of two cells each. */
static void add_ranges(struct areas *l, const void *tree, int node,
		       const char *prop, const char *name)
{
	int len;
	const uint8_t *p = fdt_getprop(tree, node, prop, &len);

	for (int i = 0; p && i + 16 <= len && l->nr < MAX_AREAS / 2; i += 16) {
		area_add(l, dt_cells(p + i, 2), dt_cells(p + i + 8, 2), 0,
			 name);
	}
}

/* Host address, guest address and size; false: is none. */
static bool read_shared(const void *tree, int node, struct shared *out)
{
	int len;
	int id_len;
	const uint8_t *p = fdt_getprop(tree, node, "xen,shared-mem", &len);

	out->id = fdt_getprop(tree, node, "xen,shm-id", &id_len);
	if (!p || len != 24 || !out->id || id_len <= 0 ||
	    out->id[id_len - 1]) {
		return false;
	}
	out->role = fdt_getprop(tree, node, "role", NULL);
	out->at = dt_cells(p, 2);
	out->guest = dt_cells(p + 8, 2);
	out->size = dt_cells(p + 16, 2);
	return true;
}

/* One piece of memory, which several domains name. */
static void add_shared(struct areas *l, const struct shared *sh)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		if (l->a[i].start == sh->at && l->a[i].size == sh->size) {
			return;
		}
	}
	if (l->nr < MAX_AREAS / 2) {
		area_add(l, sh->at, sh->size, 0,
			 need_text("shared_mem %s", sh->id));
	}
}

static void add_domain(struct areas *l, const void *tree, int domain)
{
	struct shared sh;
	int node;

	add_ranges(l, tree, domain, "xen,static-mem",
		   need_text("static_mem of %s",
			     fdt_get_name(tree, domain, NULL)));
	fdt_for_each_subnode(node, tree, domain) {
		if (read_shared(tree, node, &sh)) {
			add_shared(l, &sh);
		}
	}
}

void areas_of_tree(struct areas *l, const void *tree, const struct image *img)
{
	static struct areas known;
	struct module m = { 0 };
	int node = -1;

	known.nr = 0;
	if (img) {
		area_add(&known, img->hypervisor.at, img->hypervisor_span, 0,
			 "the hypervisor");
		area_add(&known, img->tree_at, TREE_ROOM, 0,
			 "the device tree");
	}
	for (uint32_t i = 0; i < platform.nr_reserved; i++) {
		area_add(&known, platform.reserved[i].start,
			 platform.reserved[i].size, 0, "reserved");
	}
	while (next_module(&m) && known.nr < MAX_AREAS / 2) {
		add_module(&known, &m);
	}
	while ((node = fdt_node_offset_by_compatible(tree, node,
						     "xen,domain")) >= 0) {
		add_domain(&known, tree, node);
	}
	add_ranges(&known, tree, fdt_path_offset(tree, "/chosen"),
		   "xen,static-heap", "static_heap");
	qsort(known.a, known.nr, sizeof(known.a[0]), by_start);
	l->nr = 0;
	fill_holes(l, &known);
}

static void tell_memory(FILE *f, const void *tree, const struct image *img)
{
	static struct areas l;

	areas_of_tree(&l, tree, img);
	fputs("\n# Memory; what is free goes to domains, from the top:\n", f);
	for (uint32_t i = 0; i < l.nr; i++) {
		const struct blob *b = blob_at(img, l.a[i].start);

		fprintf(f, "#   0x%010llx-0x%010llx %12s  %s%s%s\n",
			(unsigned long long)l.a[i].start,
			(unsigned long long)(l.a[i].start + l.a[i].size - 1),
			human(l.a[i].size), l.a[i].name, b ? ": " : "",
			b ? b->path : "");
	}
	if (img) {
		fprintf(f, "# Domains can have %llu KiB of it, the "
			"hypervisor's tables are the rest.\n",
			(unsigned long long)check_free_memory() >> 10);
	}
}

/* ---- one domain ---------------------------------------------------------- */

static void tell_ranges(FILE *f, const uint8_t *p, int len)
{
	fputs("[ ", f);
	for (int i = 0; i + 16 <= len; i += 16) {
		fprintf(f, "\"0x%llx+0x%llx\", ",
			(unsigned long long)dt_cells(p + i, 2),
			(unsigned long long)dt_cells(p + i + 8, 2));
	}
	fputs("]", f);
}

static void tell_texts(FILE *f, const uint8_t *p, int len)
{
	fputs("[ ", f);
	for (int at = 0; at < len; at += (int)strlen((const char *)p + at) + 1) {
		fputs(at ? ", \"" : "\"", f);
		print_text(f, (const char *)p + at);
		fputs("\"", f);
	}
	fputs(" ]", f);
}

/* A property whose length is not its kind's was refused; "?" then. */
static void tell_value(FILE *f, const struct key *k, const uint8_t *p,
		       int len)
{
	if (k->kind == KEY_FLAG) {
		fputs("1", f);
	} else if (k->kind == KEY_NUMBER && len == 4) {
		fprintf(f, "%u", dt_be32(p));
	} else if (k->kind == KEY_MIB && len == 8) {
		uint64_t kib = dt_cells(p, 2);

		fprintf(f, "%llu", (unsigned long long)kib >> 10);
		if (kib % 1024) {
			fprintf(f, " # and %u KiB", (uint32_t)(kib % 1024));
		}
	} else if (k->kind == KEY_TEXT && len > 0 && p[len - 1] == 0) {
		fputs("\"", f);
		print_text(f, (const char *)p);
		fputs("\"", f);
	} else if (k->kind == KEY_RANGES) {
		tell_ranges(f, p, len);
	} else if (k->kind == KEY_LIST && len > 0 && p[len - 1] == 0) {
		tell_texts(f, p, len);
	} else {
		fputs("\"?\"", f);
	}
}

/* What it must be, as sha256sum tells it. */
static void tell_hash(FILE *f, uint32_t idx)
{
	const uint8_t *hash;

	if (dt_module_sha256(&host_dt, idx, &hash) || !hash) {
		return;
	}
	fputs("#   SHA-256 ", f);
	for (uint32_t i = 0; i < SHA256_SIZE; i++) {
		fprintf(f, "%02x", hash[i]);
	}
	fputs("\n", f);
}

static void tell_modules(FILE *f, const char *owner, const struct image *img)
{
	struct module m = { 0 };

	while (next_module(&m)) {
		const struct blob *b = blob_at(img, m.r.start);
		const char *args = dt_string(&host_dt, m.idx - 1,
					     DT_BOOTARGS);

		if (strcmp(m.owner, owner)) {
			continue;
		}
		fprintf(f, "%s = \"%s\" # at 0x%llx, %llu bytes\n",
			kind_names[m.kind], b ? b->path : "?",
			(unsigned long long)m.r.start,
			(unsigned long long)m.r.size);
		tell_hash(f, m.idx - 1);
		if (m.kind == MODULE_KERNEL && args && args[0]) {
			fputs("extra = \"", f);
			print_text(f, args);
			fputs("\"\n", f);
		}
	}
}

/* All vCPUs have the same CPUs in a description. */
static void tell_affinity(FILE *f, const void *tree, int domain)
{
	int node;
	int len;

	fdt_for_each_subnode(node, tree, domain) {
		const char *cpus = fdt_getprop(tree, node, "hard-affinity",
					       &len);

		if (cpus && len > 0 && cpus[len - 1] == 0) {
			fputs("cpus = \"", f);
			print_text(f, cpus);
			fputs("\"\n", f);
			return;
		}
	}
}

static void tell_shared(FILE *f, const void *tree, int domain)
{
	const char *before = "shared_mem = [";
	struct shared sh;
	int node;

	fdt_for_each_subnode(node, tree, domain) {
		if (!read_shared(tree, node, &sh)) {
			continue;
		}
		fprintf(f, "%s \"id=", before);
		print_text(f, sh.id);
		fprintf(f, ",at=0x%llx,size=0x%llx,guest=0x%llx%s%s\"",
			(unsigned long long)sh.at, (unsigned long long)sh.size,
			(unsigned long long)sh.guest, sh.role ? ",role=" : "",
			sh.role && strcmp(sh.role, "owner") == 0 ? "owner" :
			sh.role ? "borrower" : "");
		before = ",";
	}
	if (before[0] == ',') {
		fputs(" ]\n", f);
	}
}

static void tell_domain(FILE *f, const void *tree,
			const struct boot_domain *b, const struct image *img)
{
	int node = fdt_path_offset(tree, need_text("/chosen/%s", b->name));

	fputs("\n", f);
	if (b->refused) {
		fputs("# the hypervisor refuses this one, see above\n", f);
	}
	fputs("[", f);
	print_text(f, b->name);
	fputs("]\n", f);
	for (const struct key *k = domain_keys; k->name && node >= 0; k++) {
		int len;
		const void *p = k->prop ? fdt_getprop(tree, node, k->prop,
						      &len) : NULL;

		if (p) {
			fprintf(f, "%s = ", k->name);
			tell_value(f, k, p, len);
			fputs("\n", f);
		}
	}
	tell_modules(f, b->name, img);
	if (node >= 0) {
		tell_affinity(f, tree, node);
		tell_shared(f, tree, node);
		pools_tell_domain(f, tree, node);
	}
}

/* ---- the machine --------------------------------------------------------- */

/* Each channel has two ends; it is told at the one with the lower handle. */
static bool tell_channel(FILE *f, const void *tree, int node,
			 const char *before)
{
	int len;
	const uint8_t *p = fdt_getprop(tree, node, "xen,evtchn", &len);
	uint32_t handle = fdt_get_phandle(tree, node);
	const uint8_t *other;
	int end;
	int from;
	int to;

	if (!p || len != 8 || dt_be32(p + 4) <= handle) {
		return false;
	}
	end = fdt_node_offset_by_phandle(tree, dt_be32(p + 4));
	other = end < 0 ? NULL : fdt_getprop(tree, end, "xen,evtchn", &len);
	if (!other || len != 8) {
		return false;
	}
	from = fdt_parent_offset(tree, node);
	to = fdt_parent_offset(tree, end);
	fprintf(f, "%s \"from=%s,port=%u,to=%s,remote=%u\"", before,
		fdt_get_name(tree, from, NULL), dt_be32(p),
		fdt_get_name(tree, to, NULL), dt_be32(other));
	return true;
}

static void tell_channels(FILE *f, const void *tree)
{
	const char *before = "channels = [";
	int node = -1;

	while ((node = fdt_node_offset_by_compatible(tree, node,
						     "xen,evtchn-v1")) >= 0) {
		if (tell_channel(f, tree, node, before)) {
			before = ",";
		}
	}
	if (before[0] == ',') {
		fputs(" ]\n", f);
	}
}

static void tell_heap(FILE *f, const void *tree)
{
	int chosen = fdt_path_offset(tree, "/chosen");
	int len;
	const uint8_t *p = fdt_getprop(tree, chosen, "xen,static-heap", &len);

	if (p) {
		fputs("static_heap = ", f);
		tell_ranges(f, p, len);
		fputs("\n", f);
	}
}

/* A description makes hashes unless it says otherwise. */
static void tell_hashes(FILE *f)
{
	struct module m = { 0 };
	bool any = false;

	while (next_module(&m)) {
		if (dt_has(&host_dt, m.idx - 1, DT_BULKHEAD_SHA256)) {
			return;
		}
		any = true;
	}
	fputs(any ? "hashes = 0\n" : "", f);
}

static void tell_machine(FILE *f, const void *tree)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < platform.nr_banks; i++) {
		total += platform.bank[i].size;
	}
	fprintf(f, "# The machine: GICv%u, %u CPUs, %llu MiB of memory\n",
		platform.gic.version, platform.nr_cpus,
		(unsigned long long)(total / MIB));
	for (uint32_t i = 0; i < platform.nr_cpus; i++) {
		fprintf(f, "# CPU %u: MPIDR 0x%llx%s\n", i,
			(unsigned long long)platform.cpu_mpidr[i],
			i ? "" : ", boots");
	}
	fputs("options = \"", f);
	print_text(f, platform.hv_cmdline);
	fputs("\"\n", f);
	tell_hashes(f);
	tell_heap(f, tree);
	tell_channels(f, tree);
	pools_tell(f, tree);
}

/* Who has what; without dom0 nobody has the rest. */
static void tell_devices(FILE *f, const void *tree)
{
	char path[256];
	uint32_t others = 0;
	int node = -1;

	fputs("\n# Devices\n", f);
	while ((node = fdt_next_node(tree, node, NULL)) >= 0) {
		const char *who = "";

		if (node == platform.gic.node || node == platform.timer.node ||
		    node == platform.uart.node) {
			who = "the hypervisor's";
		} else if (fdt_getprop(tree, node, "xen,passthrough", NULL)) {
			who = "given to a domain";
		} else if (fdt_getprop(tree, node, "interrupts", NULL)) {
			others++;
		}
		if (who[0] && fdt_get_path(tree, node, path, sizeof(path)) ==
				      0) {
			fprintf(f, "#   %-17s %s\n", who, path);
		}
	}
	fprintf(f, "#   %-17s %u others with interrupts\n",
		platform.nr_modules ? "dom0's" : "nobody's", others);
}

void explain(FILE *f, const void *tree, const struct image *img)
{
	tell_machine(f, tree);
	tell_memory(f, tree, img);
	if (platform.nr_modules) {
		fputs("\n[" DOM0 "]\n", f);
		tell_modules(f, DOM0, img);
	}
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		tell_domain(f, tree, &boot_domains[i], img);
	}
	tell_devices(f, tree);
}
