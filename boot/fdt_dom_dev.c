/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partial device tree of a domain -> devices of the machine it gets.
 *
 * Owns    which devices are taken.
 * Not     mapping and routing (dom0less.c).
 * Rule    a domain gets the pages of the device that "xen,path" names and no
 *         others, and none of them that any other node has a part in: who
 *         could reach one register would reach its neighbour's too.
 * Bounds  DEV_TREE_MAX bytes, DEV_DEPTH levels; each region is compared with
 *         every "reg" of the machine.
 * Spec    [XEN] docs/misc/arm/passthrough.txt, and booting.txt "Device
 *         Assignment".
 */
#include "fdt_dom_dev.h"

#include <abi/xen.h>
#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>
#include "dom_nodes.h"
#include "fdt_addr.h"
#include "fdt_writer.h"
#include "iommu.h"

#define DEV_DEPTH 8
#define MAX_DEVICES 32u
#define FIRST_SPI 32u

STATIC_ASSERT(MAX_DEVICES <= MAX_DEV_IOMMU, "each may be behind one");

static const char *const ours[] = {
	"xen,reg", "xen,path", "xen,force-assign-without-iommu",
};

/* Nodes of the host's tree that some domain has. */
static uint16_t taken[MAX_DEVICES];
static uint32_t nr_taken;

/* The device that is being read. */
struct device {
	const struct dev_request *q;
	struct boot_devices *out;
	const char *name; /* of its node in the partial tree */
	uint32_t host;    /* its node in the machine's */
	int cells_addr;   /* of the partial tree's bus */
	int cells_size;
};

void fdt_dev_reset(void)
{
	nr_taken = 0;
}

static int tree_error(const struct dev_request *q, const char *node,
		      const char *what, int rc)
{
	log_err("device tree of /chosen/%s: %s%s%s\n", q->domain, node,
		node[0] ? ": " : "", what);
	return rc;
}

static int dev_error(const struct device *v, const char *what)
{
	return tree_error(v->q, v->name, what, -EINVAL);
}

static bool is_apart(uint64_t a, uint64_t a_size, const struct mem_range *r)
{
	return r->size == 0 || (a < r->start ? r->start - a >= a_size :
					       a - r->start >= r->size);
}

/* ---- one region ---------------------------------------------------------- */

int fdt_dev_pages(struct dt *t, uint32_t idx, uint32_t n,
		  struct mem_range *out)
{
	int rc = dt_reg(t, idx, n, out);
	uint64_t end = out->start + out->size;

	if (rc == 0) {
		out->start = align_down(out->start, PAGE_SIZE);
		out->size = align_up(end, PAGE_SIZE) - out->start;
	}
	return rc;
}

static bool is_of_device(const struct device *v, const struct dev_region *r)
{
	struct mem_range pages;
	int rc = 0;

	for (uint32_t n = 0; rc == 0 || rc == -ENXIO; n++) {
		rc = fdt_dev_pages(v->q->host, v->host, n, &pages);
		if (rc == 0 && r->host >= pages.start &&
		    r->host - pages.start <= pages.size &&
		    r->size <= pages.size - (r->host - pages.start)) {
			return true;
		}
	}
	return false;
}

static bool is_touching(struct dt *t, uint32_t idx, const struct mem_range *r)
{
	struct mem_range pages;
	int rc = 0;

	for (uint32_t n = 0; rc == 0 || rc == -ENXIO; n++) {
		rc = fdt_dev_pages(t, idx, n, &pages);
		if (rc == 0 && !is_apart(r->start, r->size, &pages)) {
			return true;
		}
	}
	return false;
}

bool fdt_dev_is_shared(struct dt *t, const struct platform *p, uint32_t idx,
		       const struct mem_range *r)
{
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (i == idx) {
			i = t->node[i].end - 1u;
		} else if (is_touching(t, i, r)) {
			log_warn("device tree: %s has registers there too\n",
				 dt_node_name(t, i));
			return true;
		}
	}
	for (uint32_t i = 0; i < p->nr_banks; i++) {
		if (!is_apart(r->start, r->size, &p->bank[i])) {
			return true;
		}
	}
	return false;
}

static bool is_shared(const struct device *v, const struct dev_region *r)
{
	const struct mem_range host = { .start = r->host, .size = r->size };

	return fdt_dev_is_shared(v->q->host, v->q->platform, v->host, &host);
}

static bool is_in_use(const struct device *v, const struct dev_region *r)
{
	for (uint32_t i = 0; i < v->q->nr_used; i++) {
		if (!is_apart(r->guest, r->size, &v->q->used[i])) {
			return true;
		}
	}
	for (uint32_t i = 0; i < v->out->nr_regions; i++) {
		const struct mem_range other = {
			.start = v->out->region[i].guest,
			.size = v->out->region[i].size,
		};

		if (!is_apart(r->guest, r->size, &other)) {
			return true;
		}
	}
	return false;
}

static int check_region(const struct device *v, const struct dev_region *r)
{
	if (r->size == 0 || ((r->host | r->guest | r->size) % PAGE_SIZE) ||
	    r->size > UINT64_MAX - r->host || r->size > UINT64_MAX - r->guest) {
		return dev_error(v, "\"xen,reg\" is not made of whole pages; "
				 "addresses and sizes are multiples of 0x1000");
	}
	if (!is_of_device(v, r)) {
		return dev_error(v, "\"xen,reg\" is not in the \"reg\" of the "
				 "device that \"xen,path\" names; begin it "
				 "with that");
	}
	if (is_shared(v, r)) {
		return dev_error(v, "\"xen,reg\" has a page that another "
				 "device has a part of; such a device cannot "
				 "be given away");
	}
	if (is_in_use(v, r)) {
		return dev_error(v, "\"xen,reg\" ends with a guest address "
				 "where something else is; choose another, "
				 "0x10000000 for example");
	}
	return 0;
}

/* Host address, size, guest address, again and again. */
static int read_regions(const struct device *v, const void *data, int len)
{
	uint32_t ac = (uint32_t)v->cells_addr;
	uint32_t sc = (uint32_t)v->cells_size;
	int entry = (int)(4 * (2 * ac + sc));

	if (ac < 1 || ac > 2 || sc < 1 || sc > 2 || len == 0 ||
	    len % entry != 0) {
		return dev_error(v, "\"xen,reg\" is not made of <HOST SIZE "
				 "GUEST> in the cells of its bus; set "
				 "#address-cells and #size-cells there");
	}
	for (int pos = 0; pos < len; pos += entry) {
		const uint8_t *p = (const uint8_t *)data + pos;
		struct dev_region r = {
			.host = dt_cells(p, ac),
			.size = dt_cells(p + 4 * ac, sc),
			.guest = dt_cells(p + 4 * (ac + sc), ac),
		};
		int rc = check_region(v, &r);

		if (rc == 0 && v->out->nr_regions == MAX_DEV_REGIONS) {
			rc = dev_error(v, "\"xen,reg\" makes more than 16 "
				       "regions; leave some out");
		}
		if (rc) {
			return rc;
		}
		v->out->region[v->out->nr_regions++] = r;
	}
	return 0;
}

/* ---- interrupts ---------------------------------------------------------- */

static int check_irq(const struct device *v, const struct dt_irq *q)
{
	if (q->intid < FIRST_SPI || q->intid >= NR_INTIDS) {
		return dev_error(v, "has an interrupt of the machine that is "
				 "no SPI; such a device cannot be given away");
	}
	if (q->intid - FIRST_SPI >= v->q->nr_spis) {
		return dev_error(v, "has an interrupt beyond \"nr_spis\"; make "
				 "that larger, or leave it out");
	}
	if (q->intid == v->q->own_spi) {
		return dev_error(v, "has the interrupt of the emulated UART; "
				 "leave \"vpl011\" out");
	}
	if (v->out->nr_irqs == MAX_DEV_IRQS) {
		return dev_error(v, "makes more than 32 interrupts; leave some "
				 "devices out");
	}
	return 0;
}

/* As the machine's tree has them: the numbers stay the same. */
static int read_irqs(const struct device *v)
{
	struct dt *t = v->q->host;
	uint32_t gic = dt_by_offset(t, v->q->platform->gic.node);
	struct dt_irq q;
	int rc = 0;

	for (uint32_t n = 0; rc == 0 || rc == -ENXIO; n++) {
		rc = dt_irq(t, gic, v->host, n, &q);
		if (rc == 0) {
			rc = check_irq(v, &q);
			if (rc) {
				return rc;
			}
			v->out->irq[v->out->nr_irqs++] = q;
		}
	}
	if (rc == -EINVAL) {
		return dev_error(v, "has a malformed \"interrupts\" in the "
				 "machine's tree");
	}
	return 0;
}

/* ---- one device ---------------------------------------------------------- */

static bool is_hypervisors(const struct device *v)
{
	const struct platform *p = v->q->platform;

	return (int)v->q->host->node[v->host].offset == p->uart.node ||
	       dom_node_is_ours(v->q->host, p, v->host);
}

static int find_device(struct device *v, const char *path, int len)
{
	struct dt *t = v->q->host;

	if (len <= 1 || path[len - 1] != '\0' || path[0] != '/') {
		return dev_error(v, "\"xen,path\" is no path of a node");
	}
	v->host = dt_resolve(t, path, (uint32_t)len - 1);
	if (v->host == DT_NONE || v->host == 0) {
		return dev_error(v, "\"xen,path\" names a node that the "
				 "machine's tree does not have");
	}
	if (dom_node_is_scu(t, v->host)) {
		return dev_error(v, "\"xen,path\" names a way to the system "
				 "controller, which can reset and power off "
				 "what is others'");
	}
	if (is_hypervisors(v)) {
		return dev_error(v, "\"xen,path\" names a device that the "
				 "hypervisor itself uses");
	}
	for (uint32_t i = 0; i < nr_taken; i++) {
		if (taken[i] == v->host) {
			return dev_error(v, "\"xen,path\" names a device that "
					 "is given away already");
		}
	}
	if (v->q->has_dom0 && !dt_has(t, v->host, DT_XEN_PASSTHROUGH)) {
		return dev_error(v, "\"xen,path\" names a device of dom0's; "
				 "add \"xen,passthrough\" to that node");
	}
	if (nr_taken == MAX_DEVICES) {
		return dev_error(v, "is more than the 32nd device that is "
				 "given away");
	}
	return 0;
}

/* Behind an SMMU that works, or as its owner accepts. */
static int find_iommu(const struct device *v, bool forced)
{
	struct iommu_device *dev = boot_iommu_device(v->host);

	if (dev) {
		v->out->behind[v->out->nr_behind++] = dev; /* MAX_DEVICES */
		return 0;
	}
	if (!forced) {
		return dev_error(v, "no IOMMU keeps what it does to memory "
				 "within the domain; if that is safe add "
				 "\"xen,force-assign-without-iommu\"");
	}
	log_warn("/chosen/%s: %s: if it does DMA, it reaches the memory of "
		 "all, the hypervisor's too\n", v->q->domain, v->name);
	return 0;
}

static int read_device(struct device *v, int node)
{
	const void *tree = v->q->tree;
	int reg_len, path_len;
	const void *reg = fdt_getprop(tree, node, "xen,reg", &reg_len);
	const char *path = fdt_getprop(tree, node, "xen,path", &path_len);
	int rc;

	if (!reg && !path) {
		return 0; /* clocks and the like: for the guest alone */
	}
	if (!reg || !path) {
		return dev_error(v, "has one of \"xen,reg\" and \"xen,path\"; "
				 "add the other");
	}
	rc = find_device(v, path, path_len);
	if (rc) {
		return rc;
	}
	rc = find_iommu(v, fdt_getprop(tree, node, ours[2], NULL));
	if (rc == 0) {
		rc = read_regions(v, reg, reg_len);
	}
	if (rc == 0) {
		rc = read_irqs(v);
	}
	if (rc == 0) {
		taken[nr_taken++] = (uint16_t)v->host;
	}
	return rc;
}

/* ---- the tree ------------------------------------------------------------ */

/* @bus: the node around it. */
static int read_node(const struct dev_request *q, struct boot_devices *out,
		     int node, int bus)
{
	struct device v = {
		.q = q,
		.out = out,
		.name = fdt_get_name(q->tree, node, NULL),
		.cells_addr = fdt_address_cells(q->tree, bus),
		.cells_size = fdt_size_cells(q->tree, bus),
	};

	if (!v.name) {
		return tree_error(q, "", "is damaged", -EINVAL);
	}
	if (out->gic_phandle == 0 &&
	    fdt_get_phandle(q->tree, node) == GUEST_PHANDLE_GIC) {
		return dev_error(&v, "its phandle is that of the guest's "
				 "interrupt controller; choose another");
	}
	return read_device(&v, node);
}

static int read_nodes(const struct dev_request *q, struct boot_devices *out)
{
	/* The last node of each depth. */
	int bus[DEV_DEPTH + 1] = { out->passthrough };
	int depth = 0;
	int node = fdt_next_node(q->tree, out->passthrough, &depth);
	int rc = 0;

	while (node >= 0 && depth > 0 && rc == 0) { /* bound: DEV_TREE_MAX */
		if (depth > DEV_DEPTH) {
			return tree_error(q, "", "is nested deeper than 8",
					  -EINVAL);
		}
		bus[depth] = node;
		rc = read_node(q, out, node, bus[depth - 1]);
		node = fdt_next_node(q->tree, node, &depth);
	}
	if (rc == 0 && node < 0 && node != -FDT_ERR_NOTFOUND) {
		return tree_error(q, "", "is damaged", -EINVAL);
	}
	return rc;
}

static int open_tree(const struct dev_request *q)
{
	if (q->tree_size < sizeof(struct fdt_header) ||
	    ((uintptr_t)q->tree & 7) || fdt_check_header(q->tree) ||
	    fdt_totalsize(q->tree) > q->tree_size) {
		return tree_error(q, "", "is none; load what dtc wrote, at a "
				  "multiple of 8", -EINVAL);
	}
	if (fdt_totalsize(q->tree) > DEV_TREE_MAX) {
		return tree_error(q, "", "is larger than 32 KiB; leave out "
				  "what is not in /passthrough", -E2BIG);
	}
	return 0;
}

int fdt_dev_parse(const struct dev_request *q, struct boot_devices *out)
{
	uint32_t before = nr_taken;
	int gic;
	int rc = open_tree(q);

	memset(out, 0, sizeof(*out));
	if (rc) {
		return rc;
	}
	out->passthrough = fdt_subnode_offset(q->tree, 0, "passthrough");
	if (out->passthrough < 0) {
		return tree_error(q, "", "has no node /passthrough; put the "
				  "devices there", -ENOENT);
	}
	out->aliases = fdt_subnode_offset(q->tree, 0, "aliases");
	gic = fdt_subnode_offset(q->tree, 0, "gic");
	out->gic_phandle = gic >= 0 ? fdt_get_phandle(q->tree, gic) : 0;
	rc = read_nodes(q, out);
	if (rc) {
		nr_taken = before;
		return rc;
	}
	out->tree = q->tree;
	return 0;
}

/* ---- into the guest's tree ----------------------------------------------- */

static bool is_for_us(const char *name)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (strcmp(name, ours[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void copy_props(struct fdt_writer *w, const void *tree, int node)
{
	int at;

	fdt_for_each_property_offset(at, tree, node) {
		const char *name;
		int len;
		const void *data = fdt_getprop_by_offset(tree, at, &name, &len);

		if (data && !is_for_us(name)) {
			fdtw_prop(w, name, data, (uint32_t)len);
		}
	}
}

/* @top and all below, nodes in their order. */
static void copy_node(struct fdt_writer *w, const void *tree, int top)
{
	int depth = 0;
	int open = 0;

	for (int node = top; node >= 0 && depth >= 0;
	     node = fdt_next_node(tree, node, &depth)) {
		for (; open > depth; open--) {
			fdtw_end_node(w);
		}
		fdtw_node(w, fdt_get_name(tree, node, NULL));
		open = depth + 1;
		copy_props(w, tree, node);
	}
	for (; open > 0; open--) {
		fdtw_end_node(w);
	}
}

void fdt_dev_write(struct fdt_writer *w, const struct boot_devices *dev)
{
	if (dev->aliases >= 0) {
		copy_node(w, dev->tree, dev->aliases);
	}
	copy_node(w, dev->tree, dev->passthrough);
}
