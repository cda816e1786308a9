/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dom0's device tree: the host's with what dom0 must not see left out, and
 * with CPUs, memory, interrupt controller, timer, PSCI and /hypervisor
 * written anew at the end of the root.
 *
 * Not     what is left out (dom_nodes.c), what is mapped (dom_devices.c).
 * Why     one walk front to back; host properties are copied as bytes.
 * Bounds  the caller's buffer, DT_MAX_DEPTH open nodes.
 * Spec    [XEN] docs/misc/arm/device-tree/guest.txt; Linux takes a node
 *         "hypervisor" below the root whose "compatible" starts with
 *         "xen,xen-".
 */
#include "dom_fdt.h"

#include <hv/console.h>
#include <hv/pci.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>
#include "dom_nodes.h"
#include "dom_nodes_new.h"
#include "dom_nodes_shared.h"
#include "fdt_writer.h"

/* Beside what is copied: nodes of our own, a CPU's, a property's name. */
#define NEW_NODES 8192u
#define NEW_CPU 256u
#define NAME_BYTES 16u

/* [PCI-OF] 2.2.1.1: an address on the bus, and the spaces that are memory. */
#define PCI_CELLS 3u
#define SPACE_MEM 2u

/* The host at node @idx; NULL: there is none that we could use. */
static const struct pci_host *host_at(const struct pci_host *h, uint32_t idx)
{
	while (h && h->node != idx) {
		h = h->next; /* bound: hosts of the tree */
	}
	return h;
}

/* Of the window at @bus, of @size bytes, what dom0 may have. */
static uint64_t cut(const struct pci_host *h, uint64_t bus, uint64_t size)
{
	for (uint32_t i = 0; i < h->nr_windows; i++) {
		const struct pci_window *w = &h->window[i];

		if (w->bus == bus && w->size == size) {
			return size - h->kept[i];
		}
	}
	return size;
}

/* "ranges" of @h, node @idx: fdt_pci.c has read it. */
static void write_windows(struct fdt_writer *w, const struct dt *t,
			  uint32_t idx, const struct dt_prop *p,
			  const struct pci_host *h)
{
	uint32_t of_size = 4u * t->node[idx].size_cells;
	uint32_t entry = 4u * (PCI_CELLS + of_size / 4 +
			       t->node[t->node[idx].parent].addr_cells);
	uint8_t *at = fdtw_prop_copy(w, p);

	for (uint32_t pos = 0; at && p->len - pos >= entry; pos += entry) {
		uint8_t *end = at + pos + entry;
		uint64_t size = dt_cells(end - of_size, of_size / 4);

		if ((dt_be32(at + pos) >> 24 & SPACE_MEM) == 0) {
			continue;
		}
		size = cut(h, dt_cells(at + pos + 4, 2), size);
		for (uint32_t i = 1; i <= of_size; i++, size >>= 8) {
			end[-(int)i] = (uint8_t)size;
		}
	}
}

static void copy_props(struct fdt_writer *w, struct dt *t, uint32_t idx,
		       const struct pci_host *h)
{
	uint32_t cursor = t->node[idx].props;
	struct dt_prop p;

	while (dt_prop_next(t, &cursor, &p)) {
		if (h && p.name == DT_RANGES) {
			write_windows(w, t, idx, &p, h);
		} else if (!dom_prop_is_hidden(t, idx, &p)) {
			fdtw_prop_host(w, &p);
		}
	}
}

static void write_chosen_props(struct fdt_writer *w,
			       const struct dom0_fdt_args *a)
{
	fdtw_string(w, "bootargs", a->bootargs ? a->bootargs : "");
	if (a->initrd_end > a->initrd_start) {
		fdtw_u64(w, "linux,initrd-start", a->initrd_start);
		fdtw_u64(w, "linux,initrd-end", a->initrd_end);
	}
}

static void copy_node(struct fdt_writer *w, struct dt *t, uint32_t idx,
		      const struct dom0_fdt_args *a)
{
	fdtw_node(w, dt_node_name(t, idx));
	copy_props(w, t, idx, host_at(a->pci, idx));
	if (idx == 0 || t->node[idx].parent != 0) {
		return;
	}
	if (strcmp(dt_node_name(t, idx), "chosen") == 0) {
		write_chosen_props(w, a);
	} else if (strcmp(dt_node_name(t, idx), "reserved-memory") == 0) {
		dom_nodes_put_shared(w, a->shm, a->nr_shm,
				     t->node[idx].addr_cells,
				     t->node[idx].size_cells);
	}
}

/* Everything that dom0 may see; the root stays open. */
static void copy_tree(struct fdt_writer *w, struct dt *t,
		      const struct dom0_fdt_args *a)
{
	uint16_t end[DT_MAX_DEPTH];
	uint32_t depth = 0;
	uint32_t idx = 0;

	while (idx < t->nr_nodes) {
		while (depth > 0 && end[depth - 1] <= idx) {
			fdtw_end_node(w);
			depth--;
		}
		if (dom_node_is_hidden(idx)) {
			idx = t->node[idx].end;
			continue;
		}
		copy_node(w, t, idx, a);
		end[depth++] = t->node[idx].end;
		idx++;
	}
	while (depth > 1) {
		fdtw_end_node(w);
		depth--;
	}
}

static int check_args(const struct dom0_fdt_args *a, const struct dt *t,
		      const void *buf)
{
	if (a->nr_banks == 0 || a->nr_vcpus == 0 ||
	    a->evtchn_intid < 16 || a->evtchn_intid >= 32 ||
	    !is_aligned((uintptr_t)buf, 8) || buf == t->fdt) {
		log_err("dom0: its device tree needs memory, a vCPU and a PPI "
			"for events\n");
		return -EINVAL;
	}
	return 0;
}

/* What the tree will need, mostly; names are written for each property. */
static uint32_t usual_size(const struct dom0_fdt_args *a, const struct dt *t)
{
	return fdt_size_dt_struct(t->fdt) + t->nr_props * NAME_BYTES +
	       NEW_NODES + a->nr_vcpus * NEW_CPU;
}

static int write_tree(const struct dom0_fdt_args *a, struct dt *t, void *buf,
		      uint32_t size, uint32_t *out_size)
{
	struct fdt_writer w;
	int rc;

	fdtw_begin(&w, t, buf, size);
	copy_tree(&w, t, a);
	if (dt_resolve(t, "/reserved-memory", 16) == DT_NONE) {
		dom_nodes_write_shared(&w, a->shm, a->nr_shm,
				       t->node[0].addr_cells,
				       t->node[0].size_cells);
	}
	rc = dom_nodes_write_new(&w, t, a);
	if (rc) {
		return rc;
	}
	fdtw_end_node(&w);
	return fdtw_finish(&w, out_size);
}

int dom0_fdt_build(const struct dom0_fdt_args *a, void *buf, size_t size,
		   uint32_t *out_size)
{
	struct dt *t = &host_dt;
	uint32_t all = size > DT_MAX_SIZE ? DT_MAX_SIZE : (uint32_t)size;
	uint32_t first;
	int rc = dom_nodes_select(t, a->platform);

	if (rc) {
		return rc;
	}
	rc = check_args(a, t, buf);
	if (rc) {
		return rc;
	}
	/* libfdt clears what it is given: not 2 MiB without need. */
	first = usual_size(a, t);
	rc = write_tree(a, t, buf, first < all ? first : all, out_size);
	if (rc == -ENOSPC && first < all) {
		rc = write_tree(a, t, buf, all, out_size);
	}
	if (rc == -ENOSPC) {
		log_err("dom0: its device tree does not fit %llu bytes; give "
			"it more\n", (unsigned long long)size);
	}
	return rc;
}
