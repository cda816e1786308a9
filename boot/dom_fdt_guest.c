/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree of a domain other than dom0: nothing of the host's, all at
 * the addresses that [XEN] arch-arm.h gives to guests.
 *
 * Bounds  guest_fdt_size() bytes.
 * Spec    bindings arm,gic.yaml, arm,gic-v3.yaml, arm,arch_timer.yaml,
 *         arm,sbsa-uart.yaml; [XEN] docs/misc/arm/device-tree/guest.txt.
 */
#include "dom_fdt.h"

#include <abi/xen.h>
#include <hv/vpci.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <libfdt.h>
#include "dom_nodes_new.h"
#include "dom_nodes_shared.h"
#include "fdt_dom_dev.h"
#include "fdt_writer.h"

#define LEVEL_LOW 0xf08u /* with the CPU mask of GICv2's binding */
#define LEVEL_HIGH 4u
#define MEM_32 0x02000000u /* [PCI-OF] 2.2.1.1: of 32 bits */
#define OTHER_BYTES 2560u /* all but CPUs and the command line */
#define CPU_BYTES 256u
#define SHARED_BYTES 256u
#define PCI_BYTES 640u

static uint32_t high(uint64_t v)
{
	return (uint32_t)(v >> 32);
}

static uint32_t low(uint64_t v)
{
	return (uint32_t)v;
}

/* "reg" of a few ranges, two cells each. */
static void write_reg(struct fdt_writer *w, const struct mem_range *r,
		      uint32_t nr)
{
	uint32_t v[4 * MAX_STATIC_BANKS];

	for (uint32_t i = 0; i < nr && i < MAX_STATIC_BANKS; i++) {
		v[4 * i] = high(r[i].start);
		v[4 * i + 1] = low(r[i].start);
		v[4 * i + 2] = high(r[i].size);
		v[4 * i + 3] = low(r[i].size);
	}
	fdtw_cells(w, "reg", v, 4 * nr);
}

/* The devices' tree may have a name of its own for it. */
static uint32_t gic_phandle(const struct guest_fdt_args *a)
{
	return a->devices->gic_phandle ? a->devices->gic_phandle :
					 GUEST_PHANDLE_GIC;
}

static void write_root(struct fdt_writer *w, const struct guest_fdt_args *a)
{
	static const char compatible[] = "xen,xenvm-4.17\0xen,xenvm";

	fdtw_string(w, "model", "XENVM-4.17");
	fdtw_prop(w, "compatible", compatible, sizeof(compatible));
	fdtw_u32(w, "#address-cells", 2);
	fdtw_u32(w, "#size-cells", 2);
	fdtw_u32(w, "interrupt-parent", gic_phandle(a));
}

static void write_chosen(struct fdt_writer *w, const struct guest_fdt_args *a)
{
	fdtw_node(w, "chosen");
	fdtw_string(w, "bootargs", a->bootargs);
	if (a->vpl011) {
		char path[32];

		hv_snprintf(path, sizeof(path), "/sbsa-uart@%llx",
			    (unsigned long long)a->cfg->uart_base);
		fdtw_string(w, "stdout-path", path);
	}
	if (a->initrd_end > a->initrd_start) {
		fdtw_u64(w, "linux,initrd-start", a->initrd_start);
		fdtw_u64(w, "linux,initrd-end", a->initrd_end);
	}
	fdtw_end_node(w);
}

static void write_memory(struct fdt_writer *w, const struct guest_fdt_args *a)
{
	fdtw_node_at(w, "memory", a->bank[0].start);
	fdtw_string(w, "device_type", "memory");
	write_reg(w, a->bank, a->nr_banks);
	fdtw_end_node(w);
}

static void write_gic(struct fdt_writer *w, const struct guest_fdt_args *a)
{
	const struct dom_config *cfg = a->cfg;
	bool v3 = cfg->gic_version == 3;
	const struct mem_range reg[] = {
		{ .start = cfg->gicd_base, .size = cfg->gicd_size },
		{ .start = v3 ? cfg->gicr_base : cfg->gicc_base,
		  .size = v3 ? cfg->gicr_size : cfg->gicc_size },
	};

	fdtw_node_at(w, "interrupt-controller", cfg->gicd_base);
	fdtw_string(w, "compatible", v3 ? "arm,gic-v3" : "arm,gic-400");
	fdtw_u32(w, "#address-cells", 0);
	fdtw_u32(w, "#interrupt-cells", 3);
	fdtw_prop(w, "interrupt-controller", "", 0);
	write_reg(w, reg, 2);
	fdtw_u32(w, "phandle", gic_phandle(a));
	fdtw_end_node(w);
}

/* ---- PCI functions ------------------------------------------------------- */

/* One that no node of the devices' tree has. */
static uint32_t its_phandle(const struct guest_fdt_args *a)
{
	const void *tree = a->devices->tree;
	uint32_t nr = GUEST_PHANDLE_GIC + 1;

	while (tree && fdt_node_offset_by_phandle(tree, nr) >= 0) {
		nr++; /* bound: nodes of that tree */
	}
	return nr;
}

static void write_its(struct fdt_writer *w, uint32_t phandle)
{
	static const struct mem_range reg = { .start = VPCI_ITS_BASE,
					      .size = VPCI_ITS_SIZE };

	fdtw_node_at(w, "msi-controller", VPCI_ITS_BASE);
	fdtw_string(w, "compatible", "arm,gic-v3-its");
	write_reg(w, &reg, 1);
	fdtw_prop(w, "msi-controller", "", 0);
	fdtw_u32(w, "#msi-cells", 1);
	fdtw_u32(w, "phandle", phandle);
	fdtw_end_node(w);
}

/* Addresses on its bus are those of the guest; docs/pci.md. */
static void write_bridge(struct fdt_writer *w, uint32_t its, bool coherent)
{
	static const struct mem_range reg = { .start = VPCI_ECAM_BASE,
					      .size = VPCI_ECAM_SIZE };
	static const uint32_t buses[] = { 0, 0 };
	static const uint32_t ranges[] = {
		MEM_32, 0, VPCI_MEM_BASE, 0, VPCI_MEM_BASE, 0, VPCI_MEM_SIZE,
	};
	const uint32_t map[] = { 0, its, 0, 0x10000 };

	fdtw_node_at(w, "pcie", VPCI_ECAM_BASE);
	fdtw_string(w, "compatible", "pci-host-ecam-generic");
	fdtw_string(w, "device_type", "pci");
	write_reg(w, &reg, 1);
	fdtw_cells(w, "bus-range", buses, ARRAY_SIZE(buses));
	fdtw_u32(w, "#address-cells", 3);
	fdtw_u32(w, "#size-cells", 2);
	fdtw_cells(w, "ranges", ranges, ARRAY_SIZE(ranges));
	fdtw_cells(w, "msi-map", map, ARRAY_SIZE(map));
	if (coherent) {
		fdtw_prop(w, "dma-coherent", "", 0);
	}
	fdtw_end_node(w);
}

static void write_pci(struct fdt_writer *w, const struct guest_fdt_args *a)
{
	uint32_t its = its_phandle(a);

	write_its(w, its);
	write_bridge(w, its, a->pci_is_coherent);
}

static void write_timer(struct fdt_writer *w)
{
	static const uint32_t ppis[] = {
		1, GUEST_TIMER_PHYS_S_PPI - 16, LEVEL_LOW,
		1, GUEST_TIMER_PHYS_NS_PPI - 16, LEVEL_LOW,
		1, GUEST_TIMER_VIRT_PPI - 16, LEVEL_LOW,
	};

	fdtw_node(w, "timer");
	fdtw_string(w, "compatible", "arm,armv8-timer");
	fdtw_cells(w, "interrupts", ppis, ARRAY_SIZE(ppis));
	fdtw_end_node(w);
}

static void write_uart(struct fdt_writer *w, const struct dom_config *cfg)
{
	const struct mem_range reg = { .start = cfg->uart_base,
				       .size = GUEST_PL011_SIZE };
	const uint32_t spi[] = { 0, cfg->uart_intid - 32, LEVEL_HIGH };

	fdtw_node_at(w, "sbsa-uart", cfg->uart_base);
	fdtw_string(w, "compatible", "arm,sbsa-uart");
	write_reg(w, &reg, 1);
	fdtw_cells(w, "interrupts", spi, ARRAY_SIZE(spi));
	fdtw_u32(w, "current-speed", 115200);
	fdtw_end_node(w);
}

static void write_hypervisor(struct fdt_writer *w)
{
	static const char compatible[] = "xen,xen-4.17\0xen,xen";
	static const struct mem_range reg = { .start = GUEST_GNTTAB_BASE,
					      .size = GUEST_GNTTAB_SIZE };
	static const uint32_t ppi[] = { 1, GUEST_EVTCHN_PPI - 16, LEVEL_LOW };

	fdtw_node(w, "hypervisor");
	fdtw_prop(w, "compatible", compatible, sizeof(compatible));
	write_reg(w, &reg, 1);
	fdtw_cells(w, "interrupts", ppi, ARRAY_SIZE(ppi));
	fdtw_end_node(w);
}

uint32_t guest_fdt_size(const struct guest_fdt_args *a)
{
	return OTHER_BYTES + a->cfg->nr_vcpus * CPU_BYTES +
	       a->nr_shm * SHARED_BYTES + a->pci * PCI_BYTES +
	       (uint32_t)strlen(a->bootargs) +
	       (a->devices->tree ? fdt_totalsize(a->devices->tree) : 0);
}

int guest_fdt_build(const struct guest_fdt_args *a, void *buf, uint32_t size,
		    uint32_t *out_size)
{
	struct fdt_writer w;

	fdtw_begin(&w, &host_dt, buf, size);
	fdtw_node(&w, "");
	write_root(&w, a);
	write_chosen(&w, a);
	dom_nodes_write_psci(&w);
	dom_nodes_write_cpus(&w, &host_dt, a->cfg->nr_vcpus);
	write_memory(&w, a);
	dom_nodes_write_shared(&w, a->shm, a->nr_shm, 2, 2);
	write_gic(&w, a);
	write_timer(&w);
	if (a->vpl011) {
		write_uart(&w, a->cfg);
	}
	if (a->hypervisor) {
		write_hypervisor(&w);
	}
	if (a->pci) {
		write_pci(&w, a);
	}
	if (a->devices->tree) {
		fdt_dev_write(&w, a->devices);
	}
	fdtw_end_node(&w);
	return fdtw_finish(&w, out_size);
}
