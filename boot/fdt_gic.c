/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's interrupt controller, generic timer and PSCI nodes, and whose
 * firmware it has.
 *
 * Not     what the registers say (drivers/gic decide by them).
 * Spec    bindings arm,gic.yaml, arm,gic-v3.yaml, arm,arch_timer.yaml and
 *         arm psci.yaml; [GIC] 12.1 for the redistributor frames.
 */
#include "fdt_parts.h"

#include <hv/console.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_addr.h"
#include "fdt_irq.h"

const char *const dt_gic_v2[] = {
	"arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic",
	"arm,cortex-a7-gic", "qcom,msm-qgic2", "qcom,msm-8660-qgic",
	NULL,
};
const char *const dt_gic_v3[] = { "arm,gic-v3", "qcom,msm8996-gic-v3", NULL };
const char *const dt_gic_its[] = { "arm,gic-v3-its", NULL };
const char *const dt_gic_v2m[] = { "arm,gic-v2m-frame", NULL };
const char *const dt_timer[] = { "arm,armv8-timer", NULL };
const char *const dt_psci[] = {
	"arm,psci-1.0", "arm,psci-0.2", "arm,psci", NULL,
};

#define ITS_SIZE 0x20000u /* registers, translation */

static uint32_t find_compatible(struct dt *t, const char *const *list)
{
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		if (dt_is_compatible(t, i, list) && dt_is_available(t, i)) {
			return i;
		}
	}
	return DT_NONE;
}

/* Entry @n of "reg"; left 0 when it is not there. */
static int gic_reg(struct dt *t, uint32_t gic, uint32_t n, uint64_t *base,
		   uint64_t *size)
{
	struct mem_range r;
	int rc = dt_reg(t, gic, n, &r);

	if (rc == 0 && (r.size == 0 || (r.start & (PAGE_SIZE - 1)) != 0)) {
		rc = -EINVAL;
	}
	if (rc == 0) {
		*base = r.start;
		*size = r.size;
	}
	return rc;
}

static int parse_gic_v2(struct dt *t, uint32_t gic, struct platform *p)
{
	if (gic_reg(t, gic, 0, &p->gic.gicd_base, &p->gic.gicd_size) ||
	    gic_reg(t, gic, 1, &p->gic.gicc_base, &p->gic.gicc_size)) {
		return dt_error(t, gic, "reg",
				"must name GICD and GICC; complete it",
				-EINVAL);
	}
	if (gic_reg(t, gic, 2, &p->gic.gich_base, &p->gic.gich_size) ||
	    gic_reg(t, gic, 3, &p->gic.gicv_base, &p->gic.gicv_size)) {
		return dt_error(t, gic, "reg",
				"names no GICH and GICV; this machine (or QEMU "
				"without virtualization=on) cannot run guests",
				-ENODEV);
	}
	return 0;
}

static int parse_gic_v3(struct dt *t, uint32_t gic, struct platform *p)
{
	uint32_t nr = dt_u32(t, gic, DT_REDIST_REGIONS, 1);
	uint32_t len;
	const uint8_t *stride = dt_prop(t, gic, DT_REDIST_STRIDE, &len);
	int rc;

	if (nr == 0 || nr > MAX_GICR_REGIONS) {
		return dt_error(t, gic, "#redistributor-regions",
				"must be 1 to 8; raise MAX_GICR_REGIONS",
				-EINVAL);
	}
	rc = gic_reg(t, gic, 0, &p->gic.gicd_base, &p->gic.gicd_size);
	for (uint32_t i = 0; i < nr && rc == 0; i++) {
		rc = gic_reg(t, gic, 1 + i, &p->gic.gicr[i].start,
			     &p->gic.gicr[i].size);
	}
	if (rc) {
		return dt_error(t, gic, "reg",
				"must name GICD and each redistributor region; "
				"complete it", -EINVAL);
	}
	p->gic.nr_gicr = nr;
	if (stride) {
		p->gic.gicr_stride = dt_cells(stride, len >= 8 ? 2 : len / 4);
		if ((p->gic.gicr_stride & 0xffff) != 0) {
			return dt_error(t, gic, "redistributor-stride",
					"must be a multiple of 64 KiB",
					-EINVAL);
		}
	}
	/* GICC, GICH and GICV only exist for legacy operation. */
	(void)(gic_reg(t, gic, 1 + nr, &p->gic.gicc_base, &p->gic.gicc_size) ||
	       gic_reg(t, gic, 2 + nr, &p->gic.gich_base, &p->gic.gich_size) ||
	       gic_reg(t, gic, 3 + nr, &p->gic.gicv_base, &p->gic.gicv_size));
	return 0;
}

/* One that serves all: with several, devices of some would be left out. */
static void parse_its(struct dt *t, uint32_t gic, struct platform *p)
{
	uint32_t nr = 0;

	for (uint32_t i = gic + 1; i < t->node[gic].end; i++) {
		if (dt_is_compatible(t, i, dt_gic_its) &&
		    dt_is_available(t, i)) {
			p->its.node = (int)t->node[i].offset;
			nr++;
		}
	}
	if (nr != 1 ||
	    gic_reg(t, dt_by_offset(t, p->its.node), 0, &p->its.base,
		    &p->its.size) || p->its.size < ITS_SIZE) {
		p->its.node = 0;
	}
}

static bool is_gic_v3(struct dt *t, uint32_t gic)
{
	return dt_is_compatible(t, gic, dt_gic_v3);
}

int fdt_parse_gic(struct dt *t, struct platform *p)
{
	struct dt_irq maint;
	uint32_t gic = find_compatible(t, dt_gic_v3);
	int rc;

	if (gic == DT_NONE) {
		gic = find_compatible(t, dt_gic_v2);
	}
	if (gic == DT_NONE) {
		log_err("device tree: no node is compatible with a GICv2 or "
			"GICv3 (arm,gic-400, arm,gic-v3, ...); none other is "
			"supported\n");
		return -ENODEV;
	}
	p->gic.node = (int)t->node[gic].offset;
	p->gic.phandle = t->node[gic].phandle;
	p->gic.version = is_gic_v3(t, gic) ? 3 : 2;
	rc = p->gic.version == 3 ? parse_gic_v3(t, gic, p) :
	     parse_gic_v2(t, gic, p);
	if (rc) {
		return rc;
	}
	/* Its own interrupt parent may be missing: it is the root of all. */
	rc = dt_irq_own(t, gic, &maint);
	if (rc || !dt_irq_is_ppi(&maint)) {
		return dt_error(t, gic, "interrupts",
				"names no maintenance interrupt (a PPI); start "
				"QEMU with virtualization=on or complete it",
				-ENODEV);
	}
	p->gic.maint_intid = maint.intid;
	if (p->gic.version == 3) {
		parse_its(t, gic, p);
	}
	return 0;
}

/* ---- timer --------------------------------------------------------------- */

int fdt_parse_timer(struct dt *t, struct platform *p)
{
	uint32_t timer = find_compatible(t, dt_timer);
	uint32_t gic = dt_by_offset(t, p->gic.node);
	uint32_t *const line[] = {
		&p->timer.sec_phys, &p->timer.phys, &p->timer.virt,
		&p->timer.hyp,
	};

	if (timer == DT_NONE) {
		log_err("device tree: no node is compatible with "
			"\"arm,armv8-timer\"; add it\n");
		return -ENODEV;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(line); i++) {
		struct dt_irq q;

		if (dt_irq(t, gic, timer, i, &q) || !dt_irq_is_ppi(&q)) {
			return dt_error(t, timer, "interrupts",
					"must name four PPIs of the GIC: "
					"secure, physical, virtual, hypervisor",
					-EINVAL);
		}
		*line[i] = q.intid;
	}
	p->timer.clock_frequency = dt_u32(t, timer, DT_CLOCK_FREQUENCY, 0);
	p->timer.node = (int)t->node[timer].offset;
	return 0;
}

/* ---- PSCI ---------------------------------------------------------------- */

int fdt_parse_psci(struct dt *t, struct platform *p)
{
	static const char *const v1_0[] = { "arm,psci-1.0", NULL };
	static const char *const v0_2[] = { "arm,psci-0.2", NULL };
	uint32_t psci = find_compatible(t, dt_psci);
	const char *method;

	if (psci == DT_NONE) {
		return 0; /* one CPU, or spin-table */
	}
	method = dt_string(t, psci, DT_METHOD);
	if (method && strcmp(method, "smc") == 0) {
		p->psci_conduit = PSCI_SMC;
	} else if (method && strcmp(method, "hvc") == 0) {
		p->psci_conduit = PSCI_HVC;
	} else {
		return dt_error(t, psci, "method",
				"must be \"smc\" or \"hvc\"", -EINVAL);
	}
	p->psci_version = dt_is_compatible(t, psci, v1_0) ? 0x10000 :
			  dt_is_compatible(t, psci, v0_2) ? 0x2 : 0x1;
	return 0;
}

/* ---- firmware ------------------------------------------------------------ */

int fdt_parse_firmware(struct dt *t, struct platform *p)
{
	static const char *const imx8mq[] = { "fsl,imx8mq", NULL };
	static const char *const imx8q[] = {
		"fsl,imx8qm", "fsl,imx8qxp", "fsl,imx8dxl", NULL,
	};

	if (dt_is_compatible(t, 0, imx8mq)) {
		p->firmware = FIRMWARE_IMX8MQ;
	} else if (dt_is_compatible(t, 0, imx8q)) {
		p->firmware = FIRMWARE_IMX8Q;
	}
	return 0;
}
