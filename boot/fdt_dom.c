/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /chosen nodes "xen,domain" -> struct boot_domain: what a domain that starts
 * at boot shall be, read and judged property by property.
 *
 * Owns    the list of these domains.
 * Not     making them (dom0less.c); dom0's modules (fdt_chosen.c); what is
 *         set aside for them (fdt_dom_mem.c).
 * Rule    a mistake refuses its domain, with one message; the others go on. A
 *         property that would make the domain something else than what was
 *         asked for is a mistake too; one that nobody knows is a warning.
 * Bounds  MAX_BOOT_DOMAINS; one look at each property and child.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt "Creating Multiple
 *         Domains directly from Xen".
 */
#include "fdt_dom.h"

#include <abi/xen.h>
#include <hv/console.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "fdt_dom_evtchn.h"
#include "fdt_dom_vcpu.h"
#include "fdt_parts.h"
#include "modules.h"

#define GICV2_MAX_VCPUS 8u
#define MAX_SPIS 960u
#define KIB_PER_PAGE (PAGE_SIZE / 1024u)
/* Both banks of the guest's address map, [XEN] arch-arm.h. */
#define MEM_MAX_KIB ((GUEST_RAM0_SIZE + GUEST_RAM1_SIZE) / 1024u)

struct boot_domain boot_domains[MAX_BOOT_DOMAINS];
uint32_t nr_boot_domains;

/* ---- one property -------------------------------------------------------- */

enum row_kind {
	ROW_TREE,    /* of the tree itself: cells, phandle, compatible */
	ROW_MEM,     /* fdt_dom_mem.c reads it */
	ROW_ELSEWHERE, /* dom_windows.c reads it */
	ROW_FLAG,    /* bool at .to */
	ROW_U32,     /* uint32_t at .to, .min to .max */
	ROW_U64,     /* uint64_t at .to, .min to .max */
	ROW_ENHANCED,
	ROW_PCI,     /* fdt_dom_pci.c reads it */
	ROW_REFUSED, /* we know it and do not have it */
};

struct row {
	const char *name;
	uint8_t kind;  /* enum row_kind */
	bool needed;
	uint16_t to;   /* offset in struct boot_domain */
	uint64_t min;
	uint64_t max;
	const char *range; /* the message when it is not between them */
};

#define TO(member) .to = offsetof(struct boot_domain, member)

static const struct row rows[] = {
	{ .name = "memory", .kind = ROW_U64, .needed = true, TO(mem_kib),
	  .min = KIB_PER_PAGE, .max = MEM_MAX_KIB,
	  .range = "is not a 64-bit number of KiB that a guest can have; write "
		   "<0 65536> for 64 MiB" },
	{ .name = "cpus", .kind = ROW_U32, .needed = true, TO(nr_vcpus),
	  .min = 1, .max = MAX_VCPUS_PER_DOMAIN,
	  .range = "is not a number from 1 to 128; write <1> for one vCPU" },
	{ .name = "nr_spis", .kind = ROW_U32, TO(nr_spis), .max = MAX_SPIS,
	  .range = "is not a number up to 960; leave it out for as many as "
		   "the machine has" },
	{ .name = "bulkhead,weight", .kind = ROW_U32, TO(sched.weight),
	  .min = 1, .max = SCHED_WEIGHT_MAX,
	  .range = "is not a number from 1 to 65535; write <512> for twice "
		   "the share of others" },
	{ .name = "bulkhead,budget-us", .kind = ROW_U32, TO(sched.budget_us),
	  .min = 1, .max = UINT32_MAX,
	  .range = "is not a number of microseconds; write <4000>" },
	{ .name = "bulkhead,period-us", .kind = ROW_U32, TO(sched.period_us),
	  .min = 1, .max = UINT32_MAX,
	  .range = "is not a number of microseconds; write <10000>" },
	{ .name = "bulkhead,extratime", .kind = ROW_FLAG,
	  TO(sched.extratime) },
	{ .name = "vpl011", .kind = ROW_FLAG, TO(vpl011) },
	{ .name = "xen,enhanced", .kind = ROW_ENHANCED },
	{ .name = "bulkhead,pci", .kind = ROW_PCI },
	{ .name = "bulkhead,windows", .kind = ROW_ELSEWHERE },
	{ .name = "compatible", .kind = ROW_TREE },
	{ .name = "#address-cells", .kind = ROW_TREE },
	{ .name = "#size-cells", .kind = ROW_TREE },
	{ .name = "phandle", .kind = ROW_TREE },
	{ .name = "linux,phandle", .kind = ROW_TREE },
	{ .name = "direct-map", .kind = ROW_MEM },
	{ .name = "xen,static-mem", .kind = ROW_MEM },
	{ .name = "#xen,static-mem-address-cells", .kind = ROW_MEM },
	{ .name = "#xen,static-mem-size-cells", .kind = ROW_MEM },
	{ .name = "xen,static-heap", .kind = ROW_REFUSED },
	{ .name = "domain-cpupool", .kind = ROW_U32, TO(pool_phandle),
	  .min = 1, .max = UINT32_MAX,
	  .range = "is no reference to a node; write <&pool>" },
	{ .name = "passthrough", .kind = ROW_REFUSED },
	{ .name = "capabilities", .kind = ROW_REFUSED },
	{ .name = "llc-colors", .kind = ROW_REFUSED },
	{ .name = "sve", .kind = ROW_REFUSED },
};
STATIC_ASSERT(ARRAY_SIZE(rows) < 32, "one bit each in the set of those seen");

static int read_number(const struct row *r, const struct dt_prop *p, void *to)
{
	uint32_t cells = r->kind == ROW_U64 ? 2 : 1;
	uint64_t v;

	if (p->len != 4 * cells) {
		return -EINVAL;
	}
	v = dt_cells(p->data, cells);
	if (v < r->min || v > r->max) {
		return -EINVAL;
	}
	if (r->kind == ROW_U64) {
		*(uint64_t *)to = v;
	} else {
		*(uint32_t *)to = (uint32_t)v;
	}
	return 0;
}

static bool text_is(const struct dt_prop *p, const char *text)
{
	return p->len == strlen(text) + 1 &&
	       memcmp(p->data, text, p->len) == 0;
}

/* Nothing, as a flag, is "enabled" too. */
static int read_enhanced(const struct dt_prop *p, struct boot_domain *b)
{
	b->xenstore = p->len == 0 || text_is(p, "") || text_is(p, "enabled");
	b->enhanced = b->xenstore || text_is(p, "no-xenstore");
	return b->enhanced ? 0 : -EINVAL;
}

static int read_row(struct dt *t, uint32_t idx, const struct row *r,
		    const struct dt_prop *p, struct boot_domain *b)
{
	char *to = (char *)b + r->to;

	switch ((enum row_kind)r->kind) {
	case ROW_TREE:
	case ROW_ELSEWHERE:
		return 0;
	case ROW_MEM:
		b->mem.said = true;
		return 0;
	case ROW_FLAG:
		*(bool *)to = true;
		return 0;
	case ROW_U32:
	case ROW_U64:
		return read_number(r, p, to) ? dt_error(t, idx, r->name,
							r->range, -EINVAL) :
					       0;
	case ROW_ENHANCED:
		return read_enhanced(p, b) ?
			       dt_error(t, idx, r->name,
					"is neither \"enabled\" nor "
					"\"no-xenstore\"; write one of them",
					-EINVAL) :
			       0;
	case ROW_PCI:
		return fdt_dom_pci_parse(t, idx, p, b);
	case ROW_REFUSED:
		break;
	}
	return dt_error(t, idx, r->name, "is not supported; leave it out",
			-EOPNOTSUPP);
}

/* None of our rows: the others', or nobody's. */
static int read_other(struct dt *t, uint32_t idx, const struct dt_prop *p,
		      struct boot_domain *b)
{
	const char *name = t->strings + p->nameoff;
	int rc = fdt_dom_restart_prop(t, idx, name, p, &b->restart);

	if (rc == -ENOENT) {
		log_warn("device tree: /chosen/%s: \"%s\" is nothing this "
			 "hypervisor knows; ignored\n", b->name, name);
		return 0;
	}
	return rc;
}

static const struct row *row_named(const char *name)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].name[0] == name[0] &&
		    strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static int parse_props(struct dt *t, uint32_t idx, struct boot_domain *b)
{
	uint32_t cursor = t->node[idx].props;
	uint32_t seen = 0;
	struct dt_prop p;

	while (dt_prop_next(t, &cursor, &p)) {
		const struct row *r = row_named(t->strings + p.nameoff);
		int rc = r ? read_row(t, idx, r, &p, b) :
			     read_other(t, idx, &p, b);

		if (rc) {
			return rc;
		}
		seen |= r ? 1u << (r - rows) : 0;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].needed && !(seen & (1u << i))) {
			return dt_error(t, idx, rows[i].name,
					"is missing; add it", -ENOENT);
		}
	}
	return 0;
}

/* What one property alone does not tell. */
static int check_props(struct dt *t, uint32_t idx, const struct platform *p,
		       const struct boot_domain *b)
{
	if (b->mem_kib % KIB_PER_PAGE != 0) {
		return dt_error(t, idx, "memory",
				"is not whole pages; make it a multiple of 4",
				-EINVAL);
	}
	if (p->gic.version == 2 && b->nr_vcpus > GICV2_MAX_VCPUS) {
		return dt_error(t, idx, "cpus",
				"is more than a GICv2 serves; make it 8 or "
				"less", -EINVAL);
	}
	if (b->vpl011 && b->nr_spis == 0) {
		return dt_error(t, idx, "nr_spis",
				"leaves vpl011 without its interrupt; make it "
				"1 or more", -EINVAL);
	}
	if (b->xenstore && !module_find(p, MODULE_KERNEL)) {
		return dt_error(t, idx, "xen,enhanced",
				"asks for a xenstore, which dom0 keeps, and "
				"there is no dom0; write \"no-xenstore\"",
				-EINVAL);
	}
	return 0;
}

/* ---- modules ------------------------------------------------------------- */

static int module_bootargs(struct dt *t, uint32_t idx, struct boot_domain *b)
{
	const char *text = dt_string(t, idx, DT_BOOTARGS);

	if (!dt_has(t, idx, DT_BOOTARGS)) {
		return 0;
	}
	if (!text) {
		return dt_error(t, idx, "bootargs", "has no final NUL; set it "
				"as a string", -EINVAL);
	}
	if (strlen(text) >= CMDLINE_MAX) {
		return dt_error(t, idx, "bootargs", "is longer than 1023 "
				"characters; shorten it", -E2BIG);
	}
	b->bootargs = text;
	return 0;
}

static struct mem_range *module_of(struct boot_domain *b,
				   enum module_kind kind)
{
	switch (kind) {
	case MODULE_KERNEL:
		return &b->kernel;
	case MODULE_RAMDISK:
		return &b->ramdisk;
	case MODULE_DTB:
		return &b->dtb;
	case MODULE_OTHER:
		break;
	}
	return NULL;
}

static int parse_module(struct dt *t, uint32_t idx, struct boot_domain *b)
{
	enum module_kind kind = dt_module_kind(t, idx, b->kernel.size != 0,
					       b->ramdisk.size != 0);
	struct mem_range *to = module_of(b, kind);
	struct mem_range r;
	int rc;

	if (!to) {
		return dt_error(t, idx, "compatible",
				"is a module that is not supported; leave it "
				"out", -EOPNOTSUPP);
	}
	rc = dt_module_reg(t, idx, &r);
	if (rc) {
		return rc;
	}
	if (r.size == 0) {
		return dt_error(t, idx, "reg", "is empty; load the module and "
				"set it", -EINVAL);
	}
	if (to->size != 0) {
		return dt_error(t, idx, "compatible", "is a second module of "
				"its kind; leave one out", -EEXIST);
	}
	*to = r;
	rc = dt_module_sha256(t, idx, &b->sha256[kind]);
	return rc || kind != MODULE_KERNEL ? rc : module_bootargs(t, idx, b);
}

static uint8_t number_of(const struct boot_domain *b)
{
	return (uint8_t)(b - boot_domains);
}

static int parse_children(struct dt *t, uint32_t idx, const struct platform *p,
			  struct boot_domain *b)
{
	for (uint32_t i = idx + 1; i < t->node[idx].end; i = t->node[i].end) {
		int rc = 0;

		if (dt_is_compatible(t, i, dt_module)) {
			rc = parse_module(t, i, b);
		} else if (dt_is_compatible(t, i, dt_evtchn)) {
			rc = fdt_evtchn_parse(t, i, number_of(b));
		} else if (dt_is_compatible(t, i, dt_vcpu)) {
			rc = fdt_vcpu_parse(t, i, p, number_of(b));
		} else if (dt_is_compatible(t, i, dt_shared_memory)) {
			rc = fdt_dom_mem_shared(t, i, &b->mem);
		} else {
			log_warn("device tree: /chosen/%s/%s: no module; "
				 "ignored\n", b->name, dt_node_name(t, i));
		}
		if (rc) {
			return rc;
		}
	}
	if (b->kernel.size == 0) {
		return dt_error(t, idx, "compatible",
				"is \"xen,domain\", but no node in it is "
				"compatible with \"multiboot,kernel\", "
				"\"multiboot,module\"; load a kernel and add "
				"it", -ENOENT);
	}
	return 0;
}

/* Hashes are in the modules, or somebody relies on what nobody looks at. */
static int stray_sha256(struct dt *t, uint32_t idx)
{
	int rc = 0;

	for (uint32_t i = idx; i < t->node[idx].end && rc == 0; i++) {
		if (t->node[i].parent != idx ||
		    !dt_is_compatible(t, i, dt_module)) {
			rc = dt_no_sha256(t, i);
		}
	}
	return rc;
}

/* ---- all of them --------------------------------------------------------- */

static void parse_one(struct dt *t, uint32_t idx, const struct platform *p)
{
	struct boot_domain *b = &boot_domains[nr_boot_domains++];
	int rc;

	*b = (struct boot_domain){
		.node = idx, .nr_spis = UINT32_MAX, .bootargs = "",
	};
	fdt_dom_restart_none(&b->restart);
	hv_snprintf(b->name, sizeof(b->name), "%s", dt_node_name(t, idx));
	rc = stray_sha256(t, idx);
	if (rc == 0) {
		rc = parse_props(t, idx, b);
	}
	if (rc == 0) {
		rc = check_props(t, idx, p, b);
	}
	if (rc == 0) {
		rc = fdt_sched_check(t, idx, &b->sched);
	}
	if (rc == 0 && b->mem.said) {
		rc = fdt_dom_mem_parse(t, idx, &b->mem);
	}
	if (rc == 0) {
		rc = fdt_dom_restart_check(t, idx, &b->restart);
	}
	if (rc == 0) {
		rc = parse_children(t, idx, p, b);
	}
	if (rc == 0) {
		rc = fdt_dom_pci_check(t, p, b);
	}
	b->refused = rc != 0;
}

/* Beside the domains; dom0 starts without what is wrong there. */
static void ends_of_dom0(struct dt *t, uint32_t idx, const struct platform *p)
{
	if (module_find(p, MODULE_KERNEL) &&
	    fdt_evtchn_parse(t, idx, STATIC_DOM0)) {
		log_err("device tree: dom0 is without this event channel\n");
	}
}

void fdt_dom_parse(struct dt *t, const struct platform *p)
{
	uint32_t chosen = dt_resolve(t, "/chosen", 7);

	nr_boot_domains = 0;
	dom0_mem = (struct boot_mem){ 0 };
	fdt_evtchn_reset();
	fdt_vcpu_reset();
	for (uint32_t i = chosen + 1;
	     chosen != DT_NONE && i < t->node[chosen].end; i = t->node[i].end) {
		if (dt_is_compatible(t, i, dt_evtchn)) {
			ends_of_dom0(t, i, p);
		}
		if (dt_is_compatible(t, i, dt_shared_memory)) {
			fdt_dom_mem_dom0(t, i, p);
			continue;
		}
		if (!dt_is_compatible(t, i, dt_domain)) {
			continue;
		}
		if (nr_boot_domains == MAX_BOOT_DOMAINS) {
			log_err("device tree: /chosen/%s: more than 16 "
				"domains; this one is left out\n",
				dt_node_name(t, i));
			continue;
		}
		parse_one(t, i, p);
	}
	fdt_evtchn_link(t);
}

/* Two domains may start from one image, but not from parts of it. */
static bool is_torn(const struct mem_range *a, const struct mem_range *b)
{
	bool same = a->start == b->start && a->size == b->size;
	bool apart = a->start + a->size <= b->start ||
		     b->start + b->size <= a->start;

	return a->size && b->size && !same && !apart;
}

/* @m against the images of the domains before @n, which stay as they are. */
static int check_earlier(uint32_t n, const struct module_place *m)
{
	for (uint32_t i = 0; i < n; i++) {
		if (is_torn(&m->r, &boot_domains[i].kernel) ||
		    is_torn(&m->r, &boot_domains[i].ramdisk) ||
		    is_torn(&m->r, &boot_domains[i].dtb)) {
			log_err("boot module of %s at 0x%llx overlaps one of "
				"%s; load them apart\n", m->domain,
				(unsigned long long)m->r.start,
				boot_domains[i].name);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_one(uint32_t n, const struct platform *p,
		     const struct mem_range *image,
		     const struct mem_range *dtb)
{
	static const enum module_kind kinds[] = { MODULE_KERNEL,
						  MODULE_RAMDISK, MODULE_DTB };
	struct boot_domain *b = &boot_domains[n];
	int rc = 0;

	if (is_torn(&b->kernel, &b->ramdisk) || is_torn(&b->kernel, &b->dtb) ||
	    is_torn(&b->ramdisk, &b->dtb)) {
		log_err("boot modules of %s overlap; load them apart\n",
			b->name);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++) {
		const struct module_place m = {
			.domain = b->name, .kind = kinds[i],
			.r = *module_of(b, kinds[i]),
		};

		if (m.r.size != 0) { /* there is a kernel, see above */
			rc = modules_check_domain(p, image, dtb, &m);
			rc = rc ? rc : check_earlier(n, &m);
		}
	}
	return rc;
}

static void forget_images(struct boot_domain *b)
{
	if (b->refused) {
		b->kernel.size = 0;
		b->ramdisk.size = 0;
		b->dtb.size = 0;
	}
}

void fdt_dom_check_modules(const struct platform *p,
			   const struct mem_range *image,
			   const struct mem_range *dtb)
{
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		struct boot_domain *b = &boot_domains[i];

		if (!b->refused && check_one(i, p, image, dtb)) {
			b->refused = true;
		}
		forget_images(b);
	}
	fdt_dom_mem_check(p, image, dtb);
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		forget_images(&boot_domains[i]);
	}
}
