/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the host's tree dom0 may see.
 *
 * Owns    one bit per node: hidden, for itself or for an ancestor.
 * Not     what is written instead (dom_fdt.c), what is mapped
 *         (dom_devices.c).
 * Why     hidden is what the hypervisor drives itself, what it replaces, what
 *         is kept for other domains (xen,passthrough), and what uses a PPI:
 *         a vGIC cannot pass on a physical PPI. Properties
 *         that point to hidden nodes go too, so nobody waits for them.
 * Spec    [XEN] dom0's tree as Linux 6.1 relies on it; docs/abi.md.
 */
#include "dom_nodes.h"

#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_irq.h"
#include "fdt_parts.h"

/* Replaced, or meaningless for a guest. */
static const char *const hidden_compatible[] = {
	"xen,xen", "xen,domain", "xen,domain-shared-memory-v1",
	"multiboot,module", "xen,multiboot-module", "xen,linux-zimage",
	"xen,linux-initrd",
	"arm,psci", "arm,psci-0.2", "arm,psci-1.0",
	"arm,cortex-a7-pmu", "arm,cortex-a15-pmu", "arm,cortex-a53-edac",
	"arm,armv8-pmuv3", "arm,armv7-timer-mem", "arm,armv8-timer",
	NULL,
};

static const char *const smmu_compatible[] = {
	"arm,smmu-v1", "arm,smmu-v2", "arm,smmu-v3", "arm,mmu-400",
	"arm,mmu-401", "arm,mmu-500", "cavium,smmu-v2", "qcom,smmu-v2",
	"qcom,smmu-500", "qcom,adreno-smmu", "nvidia,smmu-500",
	"marvell,ap806-smmu-500", "hisilicon,hip06-smmu-v3",
	"renesas,ipmmu-vmsa", "renesas,rcar-gen4-ipmmu-vmsa",
	"renesas,ipmmu-r8a774a1", "renesas,ipmmu-r8a774b1",
	"renesas,ipmmu-r8a774c0", "renesas,ipmmu-r8a774e1",
	"renesas,ipmmu-r8a7795", "renesas,ipmmu-r8a7796",
	"renesas,ipmmu-r8a77961", "renesas,ipmmu-r8a77965",
	"renesas,ipmmu-r8a77970", "renesas,ipmmu-r8a77980",
	"renesas,ipmmu-r8a77990", "renesas,ipmmu-r8a77995",
	"renesas,ipmmu-r8a779a0", "renesas,ipmmu-r8a779f0", NULL,
};

/*
 * i.MX 8QuadMax, 8QuadXPlus: firmware of another processor that resets and
 * powers everything, and the message units that it listens to.
 */
static const char *const scu_compatible[] = {
	"fsl,imx-scu", "fsl,imx8-mu-scu", NULL,
};

#define COOLING_ENTRY 12u  /* phandle, lowest and highest state */
#define MAX_DEPENDENCY 8u /* controllers behind each other */

static uint8_t hidden[DT_MAX_NODES / 8];
static uint32_t hidden_generation; /* what the bits are about */
static int hidden_uart, hidden_its;

bool dom_node_is_hidden(uint32_t idx)
{
	return (hidden[idx / 8] >> (idx % 8)) & 1;
}

bool dom_node_is_scu(struct dt *t, uint32_t idx)
{
	return dt_is_compatible(t, idx, scu_compatible);
}

bool dom_node_is_smmu(struct dt *t, uint32_t idx)
{
	return dt_is_compatible(t, idx, smmu_compatible);
}

/* Of which dom0 sees a virtual one in its place. */
static bool is_driven_its(const struct dt *t, const struct platform *p,
			  uint32_t idx)
{
	return p->its.node && (int)t->node[idx].offset == p->its.node;
}

bool dom_node_is_ours(struct dt *t, const struct platform *p, uint32_t idx)
{
	return (int)t->node[idx].offset == p->gic.node ||
	       dt_is_compatible(t, idx, dt_gic_its) ||
	       dom_node_is_smmu(t, idx) ||
	       (p->keeps_scu && dom_node_is_scu(t, idx));
}

static bool is_using_ppi(struct dt *t, uint32_t gic, uint32_t idx)
{
	struct dt_irq q;
	int rc;

	if (!dt_has(t, idx, DT_INTERRUPTS) &&
	    !dt_has(t, idx, DT_INTERRUPTS_EXTENDED)) {
		return false;
	}
	for (uint32_t n = 0;; n++) { /* bound: entries of one property */
		rc = dt_irq(t, gic, idx, n, &q);
		if (rc == 0 && dt_irq_is_ppi(&q)) {
			return true;
		}
		if (rc != 0 && rc != -ENXIO) {
			return false;
		}
	}
}

static bool is_hidden_kind(struct dt *t, const struct platform *p,
			   uint32_t idx)
{
	const char *type = dt_string(t, idx, DT_DEVICE_TYPE);
	bool top = t->node[idx].parent == 0;

	return (top && strcmp(dt_node_name(t, idx), "cpus") == 0) ||
	       (top && strcmp(dt_node_name(t, idx), "hypervisor") == 0) ||
	       (type && strcmp(type, "memory") == 0) ||
	       (int)t->node[idx].offset == p->uart.node ||
	       dt_is_compatible(t, idx, hidden_compatible);
}

static void hide(uint32_t idx)
{
	hidden[idx / 8] = (uint8_t)(hidden[idx / 8] | (1u << (idx % 8)));
}

/* The cell at @pos of @data is a phandle of a hidden node. */
static bool is_to_hidden(const struct dt *t, const uint8_t *data, uint32_t len,
			 uint32_t pos)
{
	uint32_t idx;

	if (len < pos + 4) {
		return false;
	}
	idx = dt_by_phandle(t, dt_be32(data + pos));
	return idx != DT_NONE && dom_node_is_hidden(idx);
}

/*
 * A node that is of no use without a hidden one: its interrupts go there, or
 * it is a cooling map, which without its device stops Linux's whole thermal
 * zone.
 */
static bool is_dependent(struct dt *t, uint32_t gic, uint32_t idx)
{
	uint32_t len;
	const uint8_t *data = dt_prop(t, idx, DT_COOLING_DEVICE, &len);
	uint32_t parent;

	for (uint32_t pos = 0; data && pos < len; pos += COOLING_ENTRY) {
		if (is_to_hidden(t, data, len, pos)) {
			return true;
		}
	}
	if (!dt_has(t, idx, DT_INTERRUPTS)) {
		return false;
	}
	parent = dt_irq_parent(t, idx);
	return parent != DT_NONE && parent != gic &&
	       dom_node_is_hidden(parent);
}

/* The subtrees whose root depends on a hidden node. True: there were some. */
static bool hide_dependents(struct dt *t, uint32_t gic)
{
	bool changed = false;

	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		bool v2m = t->node[i].parent == gic;

		if (!dom_node_is_hidden(i) && !v2m &&
		    (dom_node_is_hidden(t->node[i].parent) ||
		     is_dependent(t, gic, i))) {
			hide(i);
			changed = true;
		}
	}
	return changed;
}

bool dom_node_is_msi(struct dt *t, const struct platform *p, uint32_t gic,
		     uint32_t idx)
{
	return t->node[idx].parent == gic &&
	       (dt_is_compatible(t, idx, dt_gic_v2m) ||
		is_driven_its(t, p, idx));
}

int dom_nodes_select(struct dt *t, const struct platform *p)
{
	uint32_t gic;

	if (t->fdt != p->fdt) {
		int rc = dt_open(t, p->fdt, p->fdt_size);

		if (rc) {
			return rc;
		}
	}
	if (hidden_generation == t->generation &&
	    hidden_uart == p->uart.node && hidden_its == p->its.node) {
		return 0;
	}
	hidden_generation = t->generation;
	hidden_uart = p->uart.node;
	hidden_its = p->its.node;
	memset(hidden, 0, sizeof(hidden));
	gic = dt_by_offset(t, p->gic.node);
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		/* The GIC is written anew, its MSI frames stay. */
		if (dom_node_is_msi(t, p, gic, i)) {
			continue;
		}
		if (dom_node_is_hidden(t->node[i].parent) ||
		    is_hidden_kind(t, p, i) || dom_node_is_ours(t, p, i) ||
		    dt_has(t, i, DT_XEN_PASSTHROUGH) ||
		    is_using_ppi(t, gic, i)) {
			hide(i);
		}
	}
	for (uint32_t n = 0; n < MAX_DEPENDENCY && hide_dependents(t, gic);
	     n++) {
	}
	return 0;
}

static bool is_alias(const struct dt *t, uint32_t idx)
{
	return t->node[idx].parent == 0 &&
	       strcmp(dt_node_name(t, idx), "aliases") == 0;
}

static bool is_alias_to_hidden(struct dt *t, const struct dt_prop *p)
{
	uint32_t to;

	if (p->len == 0 || p->data[0] != '/') {
		return false;
	}
	to = dt_resolve(t, (const char *)p->data, p->len - 1);
	return to != DT_NONE && dom_node_is_hidden(to);
}

static bool is_chosen_prop_hidden(const struct dt *t, const struct dt_prop *p)
{
	const char *name = t->strings + p->nameoff;

	switch ((uint32_t)p->name) {
	case DT_BOOTARGS:
	case DT_XEN_XEN_BOOTARGS:
	case DT_XEN_DOM0_BOOTARGS:
	case DT_STDOUT_PATH:
	case DT_LINUX_STDOUT_PATH:
	case DT_LINUX_INITRD_START:
	case DT_LINUX_INITRD_END:
		return true;
	default:
		return strncmp(name, "linux,uefi-", 11) == 0;
	}
}

bool dom_prop_is_hidden(struct dt *t, uint32_t idx, const struct dt_prop *p)
{
	switch ((uint32_t)p->name) {
	case DT_IOMMUS:
	case DT_MSI_PARENT:
	case DT_POWER_DOMAINS:
		return is_to_hidden(t, p->data, p->len, 0);
	case DT_IOMMU_MAP:
	case DT_MSI_MAP:
		return is_to_hidden(t, p->data, p->len, 4);
	case DT_IOMMU_MAP_MASK: {
		uint32_t len;
		const uint8_t *map = dt_prop(t, idx, DT_IOMMU_MAP, &len);

		return map && is_to_hidden(t, map, len, 4);
	}
	case DT_MSI_MAP_MASK: {
		uint32_t len;
		const uint8_t *map = dt_prop(t, idx, DT_MSI_MAP, &len);

		return map && is_to_hidden(t, map, len, 4);
	}
	default:
		break;
	}
	if (is_alias(t, idx)) {
		return is_alias_to_hidden(t, p);
	}
	return t->node[idx].parent == 0 && idx != 0 &&
	       strcmp(dt_node_name(t, idx), "chosen") == 0 &&
	       is_chosen_prop_hidden(t, p);
}
