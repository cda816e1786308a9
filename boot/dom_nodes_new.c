/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dom0's tree has instead of the host's nodes.
 *
 * Why     the interrupt controller keeps the host's phandle, cells and
 *         addresses, because all remaining nodes refer to them.
 * Bounds  cell lists of NEW_MAX_CELLS; 128 vCPUs.
 * Spec    bindings arm,gic.yaml, arm,gic-v3.yaml, arm,arch_timer.yaml,
 *         psci.yaml, cpus.yaml; [XEN] docs/misc/arm/device-tree/guest.txt.
 */
#include "dom_nodes_new.h"

#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "dom_nodes.h"
#include "fdt_addr.h"
#include "fdt_parts.h"

#define NEW_MAX_CELLS 512u
#define IRQ_FLAGS 0xf08u /* level, low; CPU mask of GICv2's binding */
#define GICR_PER_CPU UINT64_C(0x20000)
#define CPU_ID_MAX 128u

/* A list of cells in the making; one at a time, too large for a stack. */
static struct {
	uint8_t data[4 * NEW_MAX_CELLS];
	uint32_t nr;
	int error;
} cells;

static void cells_begin(void)
{
	cells.nr = 0;
	cells.error = 0;
}

static void cells_put(uint32_t v)
{
	uint32_t be = __builtin_bswap32(v);

	if (cells.nr == NEW_MAX_CELLS) {
		cells.error = -ENOSPC;
		return;
	}
	memcpy(cells.data + 4u * cells.nr, &be, sizeof(be));
	cells.nr++;
}

/* @v in @n cells. */
static void cells_put_n(uint64_t v, uint32_t n)
{
	if (n == 0 || n > 2 || (n == 1 && v > UINT32_MAX)) {
		cells.error = -ERANGE;
		return;
	}
	if (n == 2) {
		cells_put((uint32_t)(v >> 32));
	}
	cells_put((uint32_t)v);
}

/* Address and size in the root's cells. */
static void cells_put_range(const struct dt *t, uint64_t start, uint64_t size)
{
	cells_put_n(start, t->node[0].addr_cells);
	cells_put_n(size, t->node[0].size_cells);
}

static int cells_write(struct fdt_writer *w, const char *name)
{
	if (cells.error) {
		log_err("dom0: \"%s\" does not fit the root's #address-cells "
			"and #size-cells; use 2 and 2 there\n", name);
		return cells.error;
	}
	fdtw_prop(w, name, cells.data, 4 * cells.nr);
	return 0;
}


static void cells_put_ppi(struct dt *t, uint32_t gic, uint32_t intid)
{
	cells_put(1);
	cells_put(intid - 16);
	cells_put(IRQ_FLAGS);
	if (t->node[gic].irq_cells == 4) {
		cells_put(0); /* no PPI partition */
	}
}

static uint32_t gic_phandle(const struct dt *t, const struct platform *p)
{
	return p->gic.phandle ? p->gic.phandle : t->max_phandle + 1;
}

/* ---- memory -------------------------------------------------------------- */

static int write_memory(struct fdt_writer *w, struct dt *t,
			const struct mem_range *r, uint32_t nr)
{
	int rc;

	if (nr == 0) {
		return 0;
	}
	fdtw_node_at(w, "memory", r[0].start);
	fdtw_string(w, "device_type", "memory");
	cells_begin();
	for (uint32_t i = 0; i < nr; i++) {
		cells_put_range(t, r[i].start, r[i].size);
	}
	rc = cells_write(w, "reg");
	fdtw_end_node(w);
	return rc;
}

/* The part of /reserved-memory that lies in RAM; whole pages. */
static int write_reserved(struct fdt_writer *w, struct dt *t,
			  const struct platform *p)
{
	static struct mem_range list[MAX_RESERVED];
	uint32_t nr = 0;

	for (uint32_t i = 0; i < p->nr_reserved; i++) {
		uint64_t start = align_down(p->reserved[i].start, PAGE_SIZE);
		uint64_t end = align_up(p->reserved[i].start +
					p->reserved[i].size, PAGE_SIZE);

		for (uint32_t b = 0; b < p->nr_banks; b++) {
			const struct mem_range *bank = &p->bank[b];

			if ((p->reserved_flags[i] & RESERVED_NODE) &&
			    start >= bank->start &&
			    end <= bank->start + bank->size) {
				list[nr++] = (struct mem_range){
					.start = start, .size = end - start };
				break;
			}
		}
	}
	return write_memory(w, t, list, nr);
}

/* ---- CPUs and PSCI ------------------------------------------------------- */

/* Affinity of vCPU @n: 16 to a cluster, as the vGIC's SGIs can reach them. */
static uint32_t vcpu_affinity(uint32_t n)
{
	return (n & 0xf) | (n >> 4) << 8;
}

/* "compatible" of the host's first CPU. */
static const uint8_t *cpu_compatible(struct dt *t, uint32_t *len)
{
	uint32_t cpus = dt_resolve(t, "/cpus", 5);

	for (uint32_t i = cpus + 1; cpus != DT_NONE && i < t->node[cpus].end;
	     i = t->node[i].end) {
		const char *type = dt_string(t, i, DT_DEVICE_TYPE);
		const uint8_t *data = dt_prop(t, i, DT_COMPATIBLE, len);

		if (type && strcmp(type, "cpu") == 0 && data) {
			return data;
		}
	}
	*len = sizeof("arm,armv8");
	return (const uint8_t *)"arm,armv8";
}

void dom_nodes_write_cpus(struct fdt_writer *w, struct dt *t, uint32_t nr)
{
	uint32_t len;
	const uint8_t *compatible = cpu_compatible(t, &len);

	fdtw_node(w, "cpus");
	fdtw_u32(w, "#address-cells", 1);
	fdtw_u32(w, "#size-cells", 0);
	for (uint32_t i = 0; i < nr && i < CPU_ID_MAX; i++) {
		fdtw_node_at(w, "cpu", vcpu_affinity(i));
		fdtw_string(w, "device_type", "cpu");
		fdtw_prop(w, "compatible", compatible, len);
		fdtw_string(w, "enable-method", "psci");
		fdtw_u32(w, "reg", vcpu_affinity(i));
		fdtw_end_node(w);
	}
	fdtw_end_node(w);
}

void dom_nodes_write_psci(struct fdt_writer *w)
{
	static const char compatible[] =
		"arm,psci-1.0\0arm,psci-0.2\0arm,psci";

	fdtw_node(w, "psci");
	fdtw_prop(w, "compatible", compatible, sizeof(compatible));
	fdtw_string(w, "method", "hvc");
	fdtw_u32(w, "cpu_off", 1);
	fdtw_u32(w, "cpu_on", 2);
	fdtw_end_node(w);
}

/* ---- interrupt controller ------------------------------------------------ */

/* Redistributor regions that @nr_vcpus need. */
static uint32_t gicr_regions(const struct platform *p, uint32_t nr_vcpus)
{
	uint64_t stride = p->gic.gicr_stride ? p->gic.gicr_stride :
			  GICR_PER_CPU;
	uint64_t nr = 0;

	for (uint32_t i = 0; i < p->gic.nr_gicr; i++) {
		nr += p->gic.gicr[i].size / stride;
		if (nr >= nr_vcpus) {
			return i + 1;
		}
	}
	return p->gic.nr_gicr;
}

static int write_gic_v3(struct fdt_writer *w, struct dt *t,
			const struct dom0_fdt_args *a)
{
	const struct platform *p = a->platform;
	uint32_t nr = gicr_regions(p, a->nr_vcpus);

	cells_begin();
	cells_put_range(t, p->gic.gicd_base, p->gic.gicd_size);
	for (uint32_t i = 0; i < nr; i++) {
		cells_put_range(t, p->gic.gicr[i].start, p->gic.gicr[i].size);
	}
	if (nr > 1) {
		fdtw_u32(w, "#redistributor-regions", nr);
	}
	if (p->gic.gicr_stride) {
		fdtw_u64(w, "redistributor-stride", p->gic.gicr_stride);
	}
	return cells_write(w, "reg");
}

static int write_gic_v2(struct fdt_writer *w, struct dt *t,
			const struct platform *p)
{
	cells_begin();
	cells_put_range(t, p->gic.gicd_base, p->gic.gicd_size);
	cells_put_range(t, p->gic.gicc_base, p->gic.gicc_size);
	return cells_write(w, "reg");
}

static uint32_t msi_next(struct dt *t, const struct platform *p, uint32_t gic,
			 uint32_t idx)
{
	while (idx < t->node[gic].end && !dom_node_is_msi(t, p, gic, idx)) {
		idx++;
	}
	return idx;
}

/*
 * The controller moved to the root: its "ranges" is written per MSI frame or
 * ITS, each of which keeps its "reg".
 */
static int write_msi(struct fdt_writer *w, struct dt *t, uint32_t gic,
		     const struct platform *pl)
{
	uint32_t end = t->node[gic].end;
	int rc;

	cells_begin();
	for (uint32_t i = msi_next(t, pl, gic, gic + 1); i < end;
	     i = msi_next(t, pl, gic, i + 1)) {
		struct mem_range raw;
		struct mem_range r;

		if (dt_reg_raw(t, i, 0, &raw) || dt_reg(t, i, 0, &r)) {
			return dt_error(t, i, "reg",
					"is no address of a GICv2m frame or "
					"an ITS; correct it", -EINVAL);
		}
		cells_put_n(raw.start, t->node[gic].addr_cells);
		cells_put_n(r.start, t->node[0].addr_cells);
		cells_put_n(r.size, t->node[gic].size_cells);
	}
	if (cells.nr == 0) {
		return 0;
	}
	rc = cells_write(w, "ranges");
	for (uint32_t i = msi_next(t, pl, gic, gic + 1); i < end;
	     i = msi_next(t, pl, gic, i + 1)) {
		uint32_t cursor = t->node[i].props;
		struct dt_prop p;

		fdtw_node(w, dt_node_name(t, i));
		while (dt_prop_next(t, &cursor, &p)) {
			fdtw_prop_host(w, &p);
		}
		fdtw_end_node(w);
	}
	return rc;
}

static int write_gic(struct fdt_writer *w, struct dt *t, uint32_t gic,
		     const struct dom0_fdt_args *a)
{
	const struct platform *p = a->platform;
	uint32_t cursor = t->node[gic].props;
	struct dt_prop prop;
	int rc;

	fdtw_node_at(w, "interrupt-controller", p->gic.gicd_base);
	while (dt_prop_next(t, &cursor, &prop)) {
		/* interrupt-map entries count on the cells that were there */
		if (prop.name == DT_COMPATIBLE ||
		    prop.name == DT_INTERRUPT_CELLS ||
		    prop.name == DT_ADDRESS_CELLS ||
		    prop.name == DT_SIZE_CELLS) {
			fdtw_prop_host(w, &prop);
		}
	}
	/* Not said means 0 to interrupt-map; dtc wants it said. */
	if (!dt_has(t, gic, DT_ADDRESS_CELLS) &&
	    msi_next(t, p, gic, gic + 1) == t->node[gic].end) {
		fdtw_u32(w, "#address-cells", 0);
	}
	fdtw_prop(w, "interrupt-controller", "", 0);
	fdtw_u32(w, "phandle", gic_phandle(t, p));
	rc = p->gic.version == 3 ? write_gic_v3(w, t, a) :
	     write_gic_v2(w, t, p);
	if (rc == 0) {
		rc = write_msi(w, t, gic, p);
	}
	fdtw_end_node(w);
	return rc;
}

/* ---- timer and hypervisor ------------------------------------------------ */

static int write_timer(struct fdt_writer *w, struct dt *t, uint32_t gic,
		       const struct platform *p)
{
	int rc;

	fdtw_node(w, "timer");
	fdtw_string(w, "compatible", "arm,armv8-timer");
	cells_begin();
	cells_put_ppi(t, gic, p->timer.sec_phys);
	cells_put_ppi(t, gic, p->timer.phys);
	cells_put_ppi(t, gic, p->timer.virt);
	rc = cells_write(w, "interrupts");
	fdtw_u32(w, "interrupt-parent", gic_phandle(t, p));
	if (p->timer.clock_frequency) {
		fdtw_u32(w, "clock-frequency", p->timer.clock_frequency);
	}
	fdtw_end_node(w);
	return rc;
}

static int write_hypervisor(struct fdt_writer *w, struct dt *t, uint32_t gic,
			    const struct dom0_fdt_args *a)
{
	static const char compatible[] = "xen,xen-4.17\0xen,xen";
	int rc;

	fdtw_node(w, "hypervisor");
	fdtw_prop(w, "compatible", compatible, sizeof(compatible));
	cells_begin();
	cells_put_range(t, a->grant_window.start, a->grant_window.size);
	for (uint32_t i = 0; i < a->nr_extended; i++) {
		const struct mem_range *r = &a->extended[i];

		/* An optional region that the root's cells cannot express. */
		if ((t->node[0].addr_cells == 1 && r->start > UINT32_MAX) ||
		    (t->node[0].size_cells == 1 && r->size > UINT32_MAX)) {
			continue;
		}
		cells_put_range(t, r->start, r->size);
	}
	rc = cells_write(w, "reg");
	if (rc) {
		return rc;
	}
	cells_begin();
	cells_put_ppi(t, gic, a->evtchn_intid);
	rc = cells_write(w, "interrupts");
	fdtw_u32(w, "interrupt-parent", gic_phandle(t, a->platform));
	fdtw_end_node(w);
	return rc;
}

int dom_nodes_write_new(struct fdt_writer *w, struct dt *t,
			const struct dom0_fdt_args *a)
{
	const struct platform *p = a->platform;
	uint32_t gic = dt_by_offset(t, p->gic.node);
	int rc = write_memory(w, t, a->bank, a->nr_banks);

	if (rc == 0) {
		rc = write_reserved(w, t, p);
	}
	if (rc) {
		return rc;
	}
	dom_nodes_write_cpus(w, t, a->nr_vcpus);
	dom_nodes_write_psci(w);
	rc = write_gic(w, t, gic, a);
	if (rc == 0) {
		rc = write_timer(w, t, gic, p);
	}
	return rc ? rc : write_hypervisor(w, t, gic, a);
}
