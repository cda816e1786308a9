/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PCI host of the machine's tree: where its functions are configured, where
 * their memory is, and by which numbers SMMU and ITS know them.
 *
 * Not     who has a function (core/pci*.c).
 * Bounds  entries of one property, PCI_HOST_WINDOWS and PCI_HOST_MAPS of them;
 *         each window is compared with all of the machine.
 * Spec    Linux's bindings host-generic-pci.txt, pci.txt ("bus-range",
 *         "linux,pci-domain"), pci-iommu.txt, pci-msi.txt; [PCI-OF] 2.2.1.1.
 */
#include "fdt_pci.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include "dom_nodes.h"
#include "fdt_addr.h"
#include "fdt_dom_dev.h"

#define BUS_SIZE UINT64_C(0x100000)
#define CELLS 3u
#define SPACE(hi) ((hi) >> 24 & 3u)
#define SPACE_MEM32 2u
#define SPACE_MEM64 3u
#define ALL 0xffffu

static const char *const known[] = { "pci-host-ecam-generic", NULL };

bool fdt_is_pci(struct dt *t, uint32_t idx)
{
	const char *type = dt_string(t, idx, DT_DEVICE_TYPE);

	return type && type[0] == 'p' && type[1] == 'c' && type[2] == 'i' &&
	       type[3] == '\0' && dt_is_compatible(t, idx, known);
}

static const char *read_buses(struct dt *t, uint32_t idx, struct fdt_pci *out)
{
	struct pci_host *h = &out->host;
	uint32_t last = 255;
	struct dt_prop q;
	uint64_t fit;

	if (dt_prop_named(t, idx, "linux,pci-domain", &q)) {
		if (q.len != 4 || dt_be32(q.data) > UINT16_MAX) {
			return "its \"linux,pci-domain\" is malformed";
		}
		h->segment = (uint16_t)dt_be32(q.data);
	}
	if (dt_prop_named(t, idx, "bus-range", &q)) {
		if (q.len != 8 || dt_be32(q.data + 4) > 255 ||
		    dt_be32(q.data) > dt_be32(q.data + 4)) {
			return "its \"bus-range\" is malformed";
		}
		h->first_bus = (uint8_t)dt_be32(q.data);
		last = dt_be32(q.data + 4);
	}
	if (dt_reg(t, idx, 0, &out->ecam) != 0 ||
	    !is_aligned(out->ecam.start, BUS_SIZE) ||
	    out->ecam.size < BUS_SIZE) {
		return "its \"reg\" is malformed";
	}
	fit = h->first_bus + out->ecam.size / BUS_SIZE - 1;
	h->last_bus = (uint8_t)(last < fit ? last : fit);
	out->ecam.size = (h->last_bus - h->first_bus + 1u) * BUS_SIZE;
	return NULL;
}

static bool overlap(const struct mem_range *a, const struct mem_range *b)
{
	return a->start < b->start + b->size && b->start < a->start + a->size;
}

static const char *read_windows(struct dt *t, const struct platform *p,
				uint32_t idx, struct fdt_pci *out)
{
	struct pci_host *h = &out->host;
	struct mem_range r;
	int rc = 0;

	for (uint32_t n = 0; rc == 0; n++) {
		uint32_t len, entry;
		const uint8_t *at;

		rc = dt_pci_window(t, idx, n, &r);
		if (rc != 0) {
			continue; /* and ends: none after it is looked at */
		}
		at = dt_prop(t, idx, DT_RANGES, &len);
		entry = 4u * (CELLS + t->node[t->node[idx].parent].addr_cells +
			      t->node[idx].size_cells);
		at += (size_t)n * entry;
		if (SPACE(dt_be32(at)) < SPACE_MEM32 || r.size == 0) {
			continue;
		}
		if (overlap(&r, &out->ecam) ||
		    fdt_dev_is_shared(t, p, idx, &r)) {
			return "a window of memory is something else's, too";
		}
		if (h->nr_windows == PCI_HOST_WINDOWS) {
			return "it has more than 8 windows of memory";
		}
		h->window[h->nr_windows++] = (struct pci_window){
			.bus = dt_cells(at + 4, 2), .base = r.start,
			.size = r.size,
		};
	}
	return rc == -ENOENT && h->nr_windows ? NULL
					      : "its \"ranges\" is malformed";
}

/* "iommu-map", "msi-map": <function &controller number count>, ... */
static const char *read_map(struct dt *t, uint32_t idx, enum dt_name name,
			    struct pci_map *m, uint32_t *to, uint8_t *nr)
{
	uint32_t len = 0;
	const uint8_t *at = dt_prop(t, idx, name, &len);

	if (!at || len == 0 || len % 16 != 0 ||
	    len / 16 > PCI_HOST_MAPS) {
		return "how its functions are numbered cannot be told";
	}
	for (uint32_t pos = 0; pos < len; pos += 16, m++) {
		*m = (struct pci_map){
			.bdf = dt_be32(at + pos), .to = dt_be32(at + pos + 8),
			.nr = dt_be32(at + pos + 12),
		};
		*to++ = dt_by_phandle(t, dt_be32(at + pos + 4));
		if (m->nr == 0 || m->bdf > ALL || m->nr - 1 > ALL - m->bdf ||
		    m->to > UINT32_MAX - (m->nr - 1)) {
			return "a number of its functions is out of range";
		}
		(*nr)++;
	}
	return NULL;
}

static bool is_masked(struct dt *t, uint32_t idx, enum dt_name name)
{
	return (dt_u32(t, idx, name, ALL) & ALL) != ALL;
}

static const char *read_numbers(struct dt *t, const struct platform *p,
				uint32_t idx, struct fdt_pci *out)
{
	struct pci_host *h = &out->host;
	uint32_t gic = dt_by_offset(t, p->gic.node);
	uint32_t by[PCI_HOST_MAPS];
	const char *wrong;
	struct dt_prop q;

	if (is_masked(t, idx, DT_IOMMU_MAP_MASK) ||
	    is_masked(t, idx, DT_MSI_MAP_MASK)) {
		return "its functions share numbers";
	}
	wrong = read_map(t, idx, DT_IOMMU_MAP, h->stream, out->smmu,
			 &h->nr_streams);
	for (uint32_t i = 0; !wrong && i < h->nr_streams; i++) {
		if (out->smmu[i] == DT_NONE ||
		    !dom_node_is_smmu(t, out->smmu[i])) {
			wrong = "what is in its \"iommu-map\" is no SMMU";
		}
	}
	if (!wrong && (dt_has(t, idx, DT_MSI_MAP) ||
		       dt_prop_named(t, idx, "msi-parent", &q))) {
		wrong = read_map(t, idx, DT_MSI_MAP, h->id, by, &h->nr_ids);
	}
	for (uint32_t i = 0; !wrong && i < h->nr_ids; i++) {
		if (by[i] == DT_NONE || !dom_node_is_msi(t, p, gic, by[i])) {
			wrong = "what is in its \"msi-map\" is not driven";
		}
	}
	return wrong;
}

const char *fdt_pci_read(struct dt *t, const struct platform *p, uint32_t idx,
			 struct fdt_pci *out)
{
	const char *wrong = read_buses(t, idx, out);

	if (!wrong) {
		wrong = read_windows(t, p, idx, out);
	}
	if (!wrong) {
		wrong = fdt_pci_pins(t, p, idx, &out->host);
	}
	return wrong ? wrong : read_numbers(t, p, idx, out);
}
