/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 lines: distributor, redistributors and the physical CPU interface.
 *
 * Owns    the registers of the GIC except ICH_* (ich.c).
 * Not     who a line belongs to; LPIs and the ITS (its.c).
 * Uses    group 1 of the non-secure view. A GIC with one security state
 *         (GICD_CTLR.DS) has the bits used here at the same places. EOImode is
 *         1: EOI drops the priority, deactivation is separate. EL2 reaches the
 *         physical ICC_* registers also while HCR_EL2.{IMO,FMO} are set.
 * Locks   none. The caller keeps two CPUs from changing one line at a time;
 *         set_trigger() changes a word of 16 lines.
 * Bounds  every wait for the hardware ends after GIC_POLLS.
 * Spec    [GIC] "GICD_CTLR", "GICR_WAKER", "GICR_TYPER", "ICC_SGI1R_EL1".
 */
#include <lib/errno.h>
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include "gic_priv.h"
#include "gic_regs.h"
#include "gic_sysreg.h"

#define GICD_CTLR_ENABLE_GRP1A BIT32(1)
#define GICD_CTLR_ARE_NS BIT32(4)
#define GICD_CTLR_RWP BIT32(31)
#define GICD_PIDR2 0xffe8u

#define GICR_CTLR 0x0000u
#define GICR_CTLR_RWP BIT32(3)
#define GICR_TYPER 0x0008u
#define GICR_TYPER_VLPIS BIT64(1)
#define GICR_TYPER_LAST BIT64(4)
#define GICR_WAKER 0x0014u
#define GICR_WAKER_SLEEP BIT32(1)
#define GICR_WAKER_ASLEEP BIT32(2)
#define GICR_SGI_FRAME 0x10000u
#define GICR_FRAMES 0x20000u
#define GICR_FRAMES_VLPIS 0x40000u

#define ICC_SRE_ALL 0xfu /* SRE, DFB, DIB, Enable */
#define ICC_CTLR_EOIMODE BIT64(1)
#define ICC_CTLR_PRIBITS FIELD64(10, 8)

static struct {
	void *gicd;
	uint32_t nr_cpus;
	uint64_t aff[GIC_MAX_CPUS]; /* Aff3 at 39:32, as in MPIDR and IROUTER */
	void *gicr[GIC_MAX_CPUS];
	uint64_t gicr_pa[GIC_MAX_CPUS];
} gic __ro_after_boot;

static bool wait_clear(void *reg, uint32_t bit)
{
	for (uint32_t i = 0; i < GIC_POLLS; i++) {
		if (!(mmio_read32(reg) & bit)) {
			return true;
		}
	}
	return false;
}

static bool gicd_wait(void)
{
	return wait_clear(gic_reg(gic.gicd, GICD_CTLR), GICD_CTLR_RWP);
}

/* The calling CPU; GIC_MAX_CPUS before gicv3_init(). */
static uint32_t own_index(void)
{
	uint64_t aff = read_sysreg(mpidr_el1) & MPIDR_HWID;

	for (uint32_t i = 0; i < gic.nr_cpus; i++) { /* bound: CPUs */
		if (gic.aff[i] == aff) {
			return i;
		}
	}
	return GIC_MAX_CPUS;
}

/* Its redistributor, or NULL. */
static void *own_gicr(void)
{
	uint32_t i = own_index();

	return i < GIC_MAX_CPUS ? gic.gicr[i] : NULL;
}

/* The frame with the bits of @intid; NULL: there is no such line. */
static void *frame_of(uint32_t intid)
{
	void *gicr;

	if (intid >= 32) {
		return intid < irqchip_nr_lines ? gic.gicd : NULL;
	}
	gicr = own_gicr();
	return gicr ? gic_reg(gicr, GICR_SGI_FRAME) : NULL;
}

static void write_bit(uint32_t file, uint32_t intid)
{
	void *frame = frame_of(intid);

	if (frame) {
		gic_write_bit(frame, file, intid);
	}
}

/* ---- irqchip ------------------------------------------------------------- */

static uint32_t gicv3_ack(void)
{
	uint32_t intid = (uint32_t)gic_read_sysreg(ICC_IAR1_EL1);

	/* The device must see it acknowledged before its handler runs. */
	dsb(sy);
	return intid;
}

static void gicv3_eoi(uint32_t intid)
{
	gic_write_sysreg(intid, ICC_EOIR1_EL1);
	isb();
}

static void gicv3_deactivate(uint32_t intid)
{
	gic_write_sysreg(intid, ICC_DIR_EL1);
	isb();
}

static void gicv3_enable(uint32_t intid)
{
	write_bit(GICD_ISENABLER, intid);
}

/* When it returns the line does not interrupt any more. */
static void gicv3_disable(uint32_t intid)
{
	void *gicr;

	write_bit(GICD_ICENABLER, intid);
	if (intid >= 32) {
		(void)gicd_wait();
		return;
	}
	gicr = own_gicr();
	if (gicr) {
		(void)wait_clear(gic_reg(gicr, GICR_CTLR), GICR_CTLR_RWP);
	}
}

/* Only while it is disabled: the change may make it pending otherwise. */
static void gicv3_set_trigger(uint32_t intid, enum irq_trigger t)
{
	void *frame = frame_of(intid);
	bool enabled;

	if (!frame || intid < 16) {
		return; /* SGIs are edge-triggered */
	}
	enabled = gic_read_bit(frame, GICD_ISENABLER, intid);
	if (enabled) {
		gicv3_disable(intid);
	}
	gic_write_cfg(frame, intid, t == IRQ_EDGE);
	if (enabled) {
		gicv3_enable(intid);
	}
}

static void gicv3_route(uint32_t intid, uint16_t cpu)
{
	if (intid >= 32 && intid < irqchip_nr_lines &&
	    cpu < gic.nr_cpus) {
		mmio_write64(gic_reg(gic.gicd, GICD_IROUTER + intid * 8),
			     gic.aff[cpu]);
	}
}

/* MPIDR affinity to the fields of ICC_SGI1R_EL1. */
static uint64_t sgi_target(uint64_t aff)
{
	uint64_t aff0 = aff & 0xff;

	return (aff >> 32 & 0xff) << 48 | (aff >> 16 & 0xff) << 32 |
	       (aff >> 8 & 0xff) << 16 | (aff0 >> 4) << 44 |
	       BIT64(aff0 & 0xf);
}

static void gicv3_send_ipi(uint16_t cpu, uint32_t sgi)
{
	if (cpu >= gic.nr_cpus) {
		return;
	}
	/* Our stores before the interrupt, for the CPU that takes it. */
	dsb(ishst);
	gic_write_sysreg(sgi_target(gic.aff[cpu]) | (uint64_t)sgi << 24,
			 ICC_SGI1R_EL1);
	isb();
}

static void gicv3_set_pending(uint32_t intid, bool pending)
{
	write_bit(pending ? GICD_ISPENDR : GICD_ICPENDR, intid);
}

void gicv3_set_active(uint32_t intid, bool active)
{
	write_bit(active ? GICD_ISACTIVER : GICD_ICACTIVER, intid);
}

bool gicv3_is_pending(uint32_t intid)
{
	void *frame = frame_of(intid);

	return frame && gic_read_bit(frame, GICD_ISPENDR, intid);
}

/* ---- each CPU ------------------------------------------------------------ */

static void clear_active_priorities(void)
{
	switch (field_get(ICC_CTLR_PRIBITS, gic_read_sysreg(ICC_CTLR_EL1))) {
	case 7: /* 8 or 7 bits: four registers */
	case 6:
		gic_write_sysreg(0, ICC_AP1R3_EL1);
		gic_write_sysreg(0, ICC_AP1R2_EL1);
		/* fallthrough */
	case 5:
		gic_write_sysreg(0, ICC_AP1R1_EL1);
		/* fallthrough */
	default:
		gic_write_sysreg(0, ICC_AP1R0_EL1);
	}
}

static void gicv3_init_cpu(void)
{
	uint32_t i = own_index();
	void *gicr, *sgi;

	if (i == GIC_MAX_CPUS) {
		return; /* gicv3_init() found one for each CPU in its list */
	}
	gicr = gic.gicr[i];
	mmio_write32(gic_reg(gicr, GICR_WAKER),
		     mmio_read32(gic_reg(gicr, GICR_WAKER)) &
			     ~GICR_WAKER_SLEEP);
	(void)wait_clear(gic_reg(gicr, GICR_WAKER), GICR_WAKER_ASLEEP);

	sgi = gic_reg(gicr, GICR_SGI_FRAME);
	mmio_write32(gic_reg(sgi, GICD_IGROUPR), ~0u);
	mmio_write32(gic_reg(sgi, GICD_IGRPMODR), 0);
	gic_reset_private(sgi, (1u << NR_IPIS) - 1);
	(void)wait_clear(gic_reg(gicr, GICR_CTLR), GICR_CTLR_RWP);

	gic_write_sysreg(ICC_SRE_ALL, ICC_SRE_EL2);
	isb(); /* the other registers are there from now on */
	gic_write_sysreg(0, ICC_IGRPEN1_EL1);
	gic_write_sysreg(ICC_CTLR_EOIMODE, ICC_CTLR_EL1);
	gic_write_sysreg(0, ICC_BPR1_EL1);
	clear_active_priorities();
	gic_write_sysreg(GIC_PMR_ALL, ICC_PMR_EL1);
	gic_write_sysreg(1, ICC_IGRPEN1_EL1);
	isb();
	/* Without LPIs the CPU cannot join: see its_join_cpu(). */
	its_init_cpu((uint16_t)i, gicr, gic.gicr_pa[i]);
}

const struct irqchip gicv3_irqchip = {
	.name = "GICv3",
	.ack = gicv3_ack,
	.eoi = gicv3_eoi,
	.deactivate = gicv3_deactivate,
	.enable = gicv3_enable,
	.disable = gicv3_disable,
	.set_trigger = gicv3_set_trigger,
	.route = gicv3_route,
	.send_ipi = gicv3_send_ipi,
	.set_pending = gicv3_set_pending,
	.set_active = gicv3_set_active,
	.is_pending = gicv3_is_pending,
	.init_cpu = gicv3_init_cpu,
};

/* ---- once ---------------------------------------------------------------- */

/* Note the redistributors of one region for the CPUs they belong to. */
static void find_gicrs(const struct gic_region *r, uint64_t stride)
{
	uint64_t pos = 0;

	/* bound: the region */
	while (r->size >= GICR_FRAMES && pos <= r->size - GICR_FRAMES) {
		void *gicr = (char *)r->base + pos;
		uint64_t typer = mmio_read64(gic_reg(gicr, GICR_TYPER));
		uint64_t aff = typer >> 32;

		aff = (aff & MPIDR_AFF) | (aff >> 24) << 32;
		for (uint32_t i = 0; i < gic.nr_cpus; i++) {
			if (gic.aff[i] == aff && !gic.gicr[i]) {
				gic.gicr[i] = gicr;
				gic.gicr_pa[i] = r->pa + pos;
			}
		}
		if (typer & GICR_TYPER_LAST) {
			break;
		}
		if (stride) {
			pos += stride;
		} else {
			pos += typer & GICR_TYPER_VLPIS ? GICR_FRAMES_VLPIS :
							  GICR_FRAMES;
		}
	}
}

static int init_gicd(void)
{
	uint32_t i;

	/*
	 * Forwarding off. Affinity routing on stays on: going back is not
	 * allowed.
	 */
	mmio_write32(gic_reg(gic.gicd, GICD_CTLR), GICD_CTLR_ARE_NS);
	if (!gicd_wait()) {
		return -EIO;
	}
	irqchip_nr_lines = gic_nr_lines(gic.gicd);
	for (i = 32; i < irqchip_nr_lines; i += 32) {
		mmio_write32(gic_reg(gic.gicd, GICD_IGROUPR + i / 8), ~0u);
		mmio_write32(gic_reg(gic.gicd, GICD_IGRPMODR + i / 8), 0);
	}
	gic_reset_spis(gic.gicd, irqchip_nr_lines);
	for (i = 32; i < irqchip_nr_lines; i++) {
		gicv3_route(i, 0);
	}
	if (!gicd_wait()) {
		return -EIO;
	}
	mmio_write32(gic_reg(gic.gicd, GICD_CTLR),
		     GICD_CTLR_ARE_NS | GICD_CTLR_ENABLE_GRP1A);
	return gicd_wait() ? 0 : -EIO;
}

int gicv3_init(const struct gicv3_config *c)
{
	uint32_t rev = mmio_read32(gic_reg(c->gicd, GICD_PIDR2)) >> 4 & 0xf;
	uint32_t i;

	if (!c->nr_cpus || c->nr_cpus > GIC_MAX_CPUS ||
	    c->nr_gicr > GIC_MAX_REGIONS ||
	    (c->gicr_stride && c->gicr_stride < GICR_FRAMES)) {
		return -EINVAL;
	}
	if (rev != 3 && rev != 4) {
		return -ENODEV;
	}
	gic.gicd = c->gicd;
	gic.nr_cpus = c->nr_cpus;
	for (i = 0; i < c->nr_cpus; i++) {
		gic.aff[i] = c->mpidr[i] & MPIDR_HWID;
		gic.gicr[i] = NULL;
	}
	for (i = 0; i < c->nr_gicr; i++) {
		find_gicrs(&c->gicr[i], c->gicr_stride);
	}
	for (i = 0; i < c->nr_cpus; i++) {
		if (!gic.gicr[i]) {
			return -ENODEV;
		}
	}
	return init_gicd();
}
