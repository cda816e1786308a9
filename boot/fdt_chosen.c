/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /chosen: the boot modules, and which command line is whose.
 *
 * Not     whether modules make sense (modules.c), what options mean
 *         (cmdline.c), nor the domains that are named there (fdt_dom.c).
 * Bounds  MAX_MODULES; nodes at depth 2 and 3 of the tree.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt.
 */
#include "fdt_parts.h"

#include <hv/console.h>
#include <lib/errno.h>
#include <lib/sha256.h>
#include <lib/string.h>
#include "fdt_addr.h"
#include "modules.h"

const char *const dt_module[] = {
	"multiboot,module", "xen,multiboot-module", "xen,linux-zimage",
	"xen,linux-initrd", NULL,
};
const char *const dt_domain[] = { "xen,domain", NULL };

/* What a "compatible" says about the kind; the first row that fits. */
static const struct {
	const char *const compatible[3];
	enum module_kind kind;
} module_kinds[] = {
	{ .compatible = { "multiboot,kernel", "xen,linux-zimage" },
	  .kind = MODULE_KERNEL },
	{ .compatible = { "multiboot,ramdisk", "xen,linux-initrd" },
	  .kind = MODULE_RAMDISK },
	{ .compatible = { "multiboot,device-tree" }, .kind = MODULE_DTB },
	{ .compatible = { "xen,xsm-policy" }, .kind = MODULE_OTHER },
};

enum module_kind dt_module_kind(struct dt *t, uint32_t idx, bool has_kernel,
				bool has_ramdisk)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(module_kinds); i++) {
		if (dt_is_compatible(t, idx, module_kinds[i].compatible)) {
			return module_kinds[i].kind;
		}
	}
	if (!has_kernel) {
		return MODULE_KERNEL;
	}
	return has_ramdisk ? MODULE_OTHER : MODULE_RAMDISK;
}

/* 0 when absent. @present may be NULL. */
static int text_copy(struct dt *t, uint32_t idx, enum dt_name name,
		     const char *prop, char *out, bool *present)
{
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, name, &len);
	size_t n;

	out[0] = 0;
	if (present) {
		*present = data != NULL;
	}
	if (!data) {
		return 0;
	}
	n = strnlen((const char *)data, len);
	if (n == len && len > 0) {
		return dt_error(t, idx, prop, "has no final NUL; set it as a "
				"string", -EINVAL);
	}
	if (n >= CMDLINE_MAX) {
		return dt_error(t, idx, prop, "is longer than 1023 characters; "
				"shorten it", -E2BIG);
	}
	memcpy(out, data, n);
	out[n] = 0;
	return 0;
}

/*
 * Loaders (QEMU's guest-loader among them) write "reg" in the root's cells
 * without giving /chosen any of its own, so the nearest ancestor that says its
 * cells counts. Addresses are physical: no "ranges".
 */
int dt_module_reg(struct dt *t, uint32_t idx, struct mem_range *out)
{
	uint32_t bus = t->node[idx].parent;
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, DT_REG, &len);
	uint32_t ac;
	uint32_t sc;

	while (bus != 0 && !dt_has(t, bus, DT_ADDRESS_CELLS)) {
		bus = t->node[bus].parent; /* bound: depth of the tree */
	}
	ac = t->node[bus].addr_cells;
	sc = t->node[bus].size_cells;
	if (data && ac >= 1 && ac <= 2 && sc >= 1 && sc <= 2 &&
	    len == 4 * (ac + sc)) {
		out->start = dt_cells(data, ac);
		out->size = dt_cells(data + 4u * ac, sc);
		if (out->size <= UINT64_MAX - out->start) {
			return 0;
		}
	}
	return dt_error(t, idx, "reg",
			"is not one address and size in the parent's cells; "
			"set #address-cells and #size-cells of the parent",
			-EINVAL);
}

int dt_module_sha256(struct dt *t, uint32_t idx, const uint8_t **out)
{
	uint32_t cursor = t->node[idx].props;
	struct dt_prop p;

	*out = NULL;
	if (!dt_has(t, idx, DT_BULKHEAD_SHA256)) {
		return 0;
	}
	while (dt_prop_next(t, &cursor, &p)) { /* bound: the node */
		if (p.name != DT_BULKHEAD_SHA256) {
			continue;
		}
		if (*out || p.len != SHA256_SIZE) {
			return dt_error(t, idx, "bulkhead,sha256", "is not one "
					"hash; write its 32 bytes, once",
					-EINVAL);
		}
		*out = p.data;
	}
	return 0;
}

int dt_no_sha256(struct dt *t, uint32_t idx)
{
	return dt_has(t, idx, DT_BULKHEAD_SHA256) ?
		       dt_error(t, idx, "bulkhead,sha256", "is not in a boot "
				"module's node; move it there", -EINVAL) :
		       0;
}

static int module_add(struct dt *t, uint32_t idx, struct platform *p)
{
	struct boot_module *m = &p->module[p->nr_modules];
	struct mem_range r;
	int rc;

	if (p->nr_modules == MAX_MODULES) {
		return dt_error(t, idx, "compatible",
				"makes more than 16 boot modules; drop some",
				-ENOSPC);
	}
	rc = dt_module_reg(t, idx, &r);
	if (rc == 0) {
		rc = dt_module_sha256(t, idx, &m->sha256);
	}
	if (rc) {
		return rc;
	}
	m->kind = dt_module_kind(t, idx, module_find(p, MODULE_KERNEL),
				 module_find(p, MODULE_RAMDISK));
	m->start = r.start;
	m->size = r.size;
	rc = text_copy(t, idx, DT_BOOTARGS, "bootargs", m->bootargs,
		       &m->has_bootargs);
	if (rc) {
		return rc;
	}
	p->nr_modules++;
	return 0;
}

static int parse_modules(struct dt *t, uint32_t chosen, struct platform *p)
{
	for (uint32_t i = chosen; i < t->node[chosen].end; i++) {
		uint32_t parent = t->node[i].parent;
		uint32_t above = t->node[parent].parent;
		int rc;

		if (dt_is_compatible(t, i, dt_domain)) {
			i = t->node[i].end - 1u;
			continue;
		}
		/* depth 2: below /chosen; depth 3: one node between */
		if ((parent != chosen && above != chosen) ||
		    !dt_is_compatible(t, i, dt_module)) {
			rc = dt_no_sha256(t, i);
		} else {
			rc = module_add(t, i, p);
		}
		if (rc) {
			return rc;
		}
	}
	return 0;
}

/*
 * Ours: xen,xen-bootargs, else "bootargs" when dom0's line comes from
 * elsewhere. dom0's: xen,dom0-bootargs, else its module's, else "bootargs"
 * unless that is ours.
 */
static int parse_cmdlines(struct dt *t, uint32_t chosen, struct platform *p)
{
	const struct boot_module *kernel = module_find(p, MODULE_KERNEL);
	bool module_has = kernel && kernel->bootargs[0] != 0;
	bool hv_has;
	bool dom0_has;
	int rc;

	rc = text_copy(t, chosen, DT_XEN_XEN_BOOTARGS, "xen,xen-bootargs",
		       p->hv_cmdline, &hv_has);
	if (rc) {
		return rc;
	}
	rc = text_copy(t, chosen, DT_XEN_DOM0_BOOTARGS, "xen,dom0-bootargs",
		       p->dom0_cmdline, &dom0_has);
	if (rc) {
		return rc;
	}
	if (!hv_has && (dom0_has || module_has)) {
		rc = text_copy(t, chosen, DT_BOOTARGS, "bootargs",
			       p->hv_cmdline, NULL);
	} else if (!dom0_has && !module_has) {
		rc = text_copy(t, chosen, DT_BOOTARGS, "bootargs",
			       p->dom0_cmdline, NULL);
	}
	if (rc == 0 && !dom0_has && module_has) {
		memcpy(p->dom0_cmdline, kernel->bootargs,
		       strlen(kernel->bootargs) + 1);
	}
	return rc;
}

int fdt_parse_chosen(struct dt *t, struct platform *p)
{
	uint32_t chosen = dt_resolve(t, "/chosen", 7);
	int rc;

	if (chosen == DT_NONE) {
		log_err("device tree: no node /chosen; add it with a "
			"\"multiboot,module\" node for dom0's kernel\n");
		return -ENODEV;
	}
	rc = parse_modules(t, chosen, p);
	return rc ? rc : parse_cmdlines(t, chosen, p);
}
