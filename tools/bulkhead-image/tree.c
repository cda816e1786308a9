/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sections to nodes of /chosen, in Xen's bindings.
 *
 * Not     what a property means, and whether its value is good.
 * Order   libfdt puts a new node before its siblings: the last domain is
 *         written first, so that numbers of domains are the description's.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt, docs/misc/arm/
 *         passthrough.txt.
 */
#include "image.h"

#include <ctype.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include <lib/sha256.h>
#include <lib/types.h>

#include "report.h"

static void *fdt;

static int must(int rc)
{
	if (rc < 0) {
		die("device tree: %s; describe less", fdt_strerror(rc));
	}
	return rc;
}

static void put_u32(int node, const char *prop, uint64_t v)
{
	must(fdt_setprop_u32(fdt, node, prop, (uint32_t)v));
}

static void put_text(int node, const char *prop, const char *v)
{
	must(fdt_setprop_string(fdt, node, prop, v));
}

static void put_cells(int node, const char *prop, const uint64_t *v,
		      uint32_t nr)
{
	uint64_t be[2 * CFG_MAX_ITEMS];

	for (uint32_t i = 0; i < nr && i < ARRAY_SIZE(be); i++) {
		be[i] = cpu_to_fdt64(v[i]);
	}
	must(fdt_setprop(fdt, node, prop, be, (int)(nr * sizeof(be[0]))));
}

static void put_two_cells(int node)
{
	put_u32(node, "#address-cells", 2);
	put_u32(node, "#size-cells", 2);
}

/* ---- modules ------------------------------------------------------------- */

/* What the file must be when it is booted. */
static void put_hash(int node, const struct blob *b)
{
	uint8_t hash[SHA256_SIZE];
	struct sha256 s;

	sha256_begin(&s, sha256_blocks);
	sha256_add(&s, b->data, b->size);
	sha256_end(&s, hash);
	must(fdt_setprop(fdt, node, "bulkhead,sha256", hash, sizeof(hash)));
}

/* The file that key @k of @s names, below @parent. */
static void put_module(struct image *img, int parent, const struct key *k,
		       const struct cfg_section *s)
{
	const struct blob *b = file_of(img, s, k->name);
	char compatible[64];
	int len = snprintf(compatible, sizeof(compatible),
			   "%s%cmultiboot,module", k->module, 0) + 1;
	const char *extra = cfg_text(s, "extra", NULL);
	int node;

	if (!b) {
		return;
	}
	node = must(fdt_add_subnode(fdt, parent,
				    need_text("module@%llx",
					      (unsigned long long)b->at)));
	if (extra && strcmp(k->name, "kernel") == 0) {
		put_text(node, "bootargs", extra);
	}
	if (cfg_number(&img->cfg.section[0], "hashes", 1)) {
		put_hash(node, b);
	}
	put_cells(node, "reg", (const uint64_t[]){ b->at, b->size }, 2);
	must(fdt_setprop(fdt, node, "compatible", compatible, len));
}

static void put_modules(struct image *img, const char *parent,
			const struct cfg_section *s)
{
	for (const struct key *k = domain_keys; k->name; k++) {
		if (k->module) {
			put_module(img, must(fdt_path_offset(fdt, parent)), k,
				   s);
		}
	}
}

/* ---- what is not one property -------------------------------------------- */

bool cpus_parse(const char *text, uint64_t *mask)
{
	*mask = 0;
	do {
		char *end;
		unsigned long first = strtoul(text, &end, 10);
		unsigned long last = first;

		if (!isdigit((unsigned char)*text)) {
			return false;
		}
		if (*end == '-' && isdigit((unsigned char)end[1])) {
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last > 63) {
			return false;
		}
		for (; first <= last; first++) {
			*mask |= UINT64_C(1) << first;
		}
		text = end + (*end == ',');
		if (*end && *end != ',') {
			return false;
		}
	} while (*text);
	return true;
}

/* Each vCPU has a node of its own, with the same CPUs. */
static void put_affinity(const char *path, const struct cfg_section *s)
{
	const struct cfg_entry *e = cfg_find(s, "cpus");
	uint64_t nr = cfg_number(s, "vcpus", 1);
	uint64_t mask;

	if (!e) {
		return;
	}
	if (!cpus_parse(e->value.text, &mask)) {
		bad(e->line, "cpus = \"%s\" is no list of CPUs up to 63; write "
		    "cpus = \"0\", \"1-2\" or \"0,3\"", e->value.text);
		return;
	}
	for (uint32_t i = 0; i < platform.nr_cpus; i++) {
		mask &= ~(UINT64_C(1) << i);
	}
	if (mask) {
		bad(e->line, "CPU %d does not exist; this machine has CPUs 0 "
		    "to %u", __builtin_ctzll(mask), platform.nr_cpus - 1);
		return;
	}
	for (uint64_t i = nr > 128 ? 0 : nr; i-- > 0;) {
		int node = must(fdt_add_subnode(
			fdt, must(fdt_path_offset(fdt, path)),
			need_text("vcpu%llu", (unsigned long long)i)));

		put_text(node, "hard-affinity", e->value.text);
		put_u32(node, "id", i);
		put_text(node, "compatible", "xen,vcpu");
	}
}

bool shared_parse(const char *spec, struct shared *out)
{
	const char *at = spec_field(spec, "at");
	const char *size = spec_field(spec, "size");
	const char *guest = spec_field(spec, "guest");
	uint64_t ignored;

	out->id = spec_field(spec, "id");
	out->role = spec_field(spec, "role");
	return at && size && guest && out->id &&
	       range_parse(need_text("%s+%s", at, size), &out->at,
			   &out->size) &&
	       range_parse(need_text("%s+1", guest), &out->guest, &ignored);
}

static void put_shared(const char *path, const struct cfg_section *s)
{
	const struct cfg_entry *e = cfg_find(s, "shared_mem");
	struct shared sh;

	for (uint32_t i = e ? e->value.nr : 0; i-- > 0;) {
		int node;

		shared_parse(e->value.item[i].text, &sh);
		node = must(fdt_add_subnode(
			fdt, must(fdt_path_offset(fdt, path)),
			need_text("shared-mem@%llx",
				  (unsigned long long)sh.guest)));
		put_cells(node, "xen,shared-mem",
			  (const uint64_t[]){ sh.at, sh.guest, sh.size }, 3);
		if (sh.role) {
			put_text(node, "role", sh.role);
		}
		put_text(node, "xen,shm-id", sh.id);
		put_text(node, "compatible", "xen,domain-shared-memory-v1");
	}
}

/* ---- channels between domains -------------------------------------------- */

/* One end; its partner is the node with @remote. */
static void put_end(const char *domain, uint32_t port, uint32_t self,
		    uint32_t remote)
{
	fdt32_t cells[2] = { cpu_to_fdt32(port), cpu_to_fdt32(remote) };
	int node = must(fdt_path_offset(fdt, need_text("/chosen/%s", domain)));

	node = must(fdt_add_subnode(fdt, node, need_text("evtchn@%x", port)));
	put_u32(node, "phandle", self);
	must(fdt_setprop(fdt, node, "xen,evtchn", cells, sizeof(cells)));
	put_text(node, "compatible", "xen,evtchn-v1");
}

static bool is_domain(const struct cfg *c, const char *name)
{
	for (uint32_t i = 1; i < c->nr; i++) {
		if (strcmp(c->section[i].name, name) == 0) {
			return !is_dom0(&c->section[i]);
		}
	}
	return false;
}

static void put_channel(const struct cfg *c, const struct cfg_value *v)
{
	const char *from = spec_field(v->text, "from");
	const char *to = spec_field(v->text, "to");
	const char *port = spec_field(v->text, "port");
	const char *remote = spec_field(v->text, "remote");
	uint32_t top;

	if (!from || !to || !port || !remote) {
		bad(v->line, "channel \"%s\" is not whole; write "
		    "\"from=a,port=10,to=b,remote=11\"", v->text);
		return;
	}
	if (!is_domain(c, from) || !is_domain(c, to)) {
		bad(v->line, "channel \"%s\" has an end at %s, which is no "
		    "domain here; write the name of one", v->text,
		    is_domain(c, from) ? to : from);
		return;
	}
	must(fdt_find_max_phandle(fdt, &top));
	put_end(from, (uint32_t)strtoul(port, NULL, 0), top + 1, top + 2);
	put_end(to, (uint32_t)strtoul(remote, NULL, 0), top + 2, top + 1);
}

/* ---- domains ------------------------------------------------------------- */

static void put_ranges(int node, const char *prop, const struct cfg_value *v)
{
	uint64_t cells[2 * CFG_MAX_ITEMS];

	for (uint32_t i = 0; i < v->nr; i++) {
		range_parse(v->item[i].text, &cells[2 * i],
			    &cells[2 * i + 1]);
	}
	put_cells(node, prop, cells, 2 * v->nr);
}

static void put_texts(int node, const char *prop, const struct cfg_value *v)
{
	for (uint32_t i = 0; i < v->nr; i++) {
		must(fdt_appendprop_string(fdt, node, prop, v->item[i].text));
	}
}

static void put_prop(int node, const struct key *k, const struct cfg_value *v)
{
	uint64_t kib = v->number << 10;

	switch ((enum key_kind)k->kind) {
	case KEY_NUMBER:
		put_u32(node, k->prop, v->number);
		break;
	case KEY_MIB:
		put_cells(node, k->prop, &kib, 1);
		break;
	case KEY_FLAG:
		if (v->number) {
			must(fdt_setprop(fdt, node, k->prop, NULL, 0));
		}
		break;
	case KEY_TEXT:
		put_text(node, k->prop, v->text);
		break;
	case KEY_RANGES:
		put_ranges(node, k->prop, v);
		break;
	case KEY_LIST:
		put_texts(node, k->prop, v);
		break;
	case KEY_FILE:
	case KEY_ADDRESS:
		break;
	}
}

static void put_domain(struct image *img, const struct cfg_section *s)
{
	const char *path = need_text("/chosen/%s", s->name);
	int node = fdt_path_offset(fdt, "/chosen");

	node = fdt_add_subnode(fdt, must(node), s->name);
	if (node == -FDT_ERR_EXISTS) {
		bad(s->line, "[%s] is the name of another node of /chosen; "
		    "name the domain otherwise", s->name);
		return;
	}
	must(node);
	for (const struct key *k = domain_keys; k->name; k++) {
		const struct cfg_entry *e = k->prop ? cfg_find(s, k->name) :
						      NULL;

		if (e) {
			put_prop(node, k, &e->value);
		}
	}
	put_two_cells(node);
	put_text(node, "compatible", "xen,domain");
	put_modules(img, path, s);
	put_affinity(path, s);
	put_shared(path, s);
	pools_put_domain(fdt, &img->cfg.section[0], s);
}

/* What is /chosen's own, with the cells that Xen wants beside it. */
static void put_machine(const struct cfg_section *m)
{
	int node = must(fdt_path_offset(fdt, "/chosen"));

	for (const struct key *k = machine_keys; k->name; k++) {
		const struct cfg_entry *e = k->prop ? cfg_find(m, k->name) :
						      NULL;

		if (e) {
			put_prop(node, k, &e->value);
			put_u32(node, need_text("#%s-address-cells", k->prop),
				2);
			put_u32(node, need_text("#%s-size-cells", k->prop), 2);
		}
	}
	put_two_cells(node);
}

/* dom0's memory and vCPUs are options of the hypervisor. */
static char *dom0_options(const struct cfg_section *s, char *line)
{
	for (const struct key *k = domain_keys; k->name; k++) {
		const struct cfg_entry *e = cfg_find(s, k->name);

		/* The row says the format; its argument is a number. */
		if (e && k->dom0 && k->dom0[0]) {
			const char *at = strstr(k->dom0, "%llu");

			line = need_text("%s %.*s%llu%s", line,
					 (int)(at - k->dom0), k->dom0,
					 (unsigned long long)e->value.number,
					 at + 4);
		}
	}
	return line;
}

void tree_write(struct image *img)
{
	const struct cfg *c = &img->cfg;
	const struct cfg_section *m = &c->section[0];
	const struct cfg_entry *channels = cfg_find(m, "channels");
	const char *sched = cfg_text(m, "scheduler", NULL);
	char *line = need_text("%s%s%s", cfg_text(m, "options",
						  "console=dtuart"),
			       sched ? " sched=" : "", sched ? sched : "");

	fdt = img->tree;
	pools_put(fdt, m);
	for (uint32_t i = c->nr; i-- > 1;) {
		if (is_dom0(&c->section[i])) {
			line = dom0_options(&c->section[i], line);
			put_modules(img, "/chosen", &c->section[i]);
		} else {
			put_domain(img, &c->section[i]);
		}
	}
	for (uint32_t i = 0; channels && i < channels->value.nr; i++) {
		put_channel(c, &channels->value.item[i]);
	}
	put_machine(m);
	put_text(must(fdt_path_offset(fdt, "/chosen")), "xen,xen-bootargs",
		 line);
	devices_mark(fdt);
	must(fdt_pack(fdt));
}
