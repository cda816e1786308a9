/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2 lines: distributor and physical CPU interface, both memory-mapped and
 * in part banked by CPU.
 *
 * Owns    the GICD and GICC frames.
 * Not     who a line belongs to; list registers (gich.c).
 * Uses    the group that software of its security state has: interrupt groups
 *         stay as the firmware left them, bit 0 of the control registers
 *         enables ours. EOImode is 1: EOI drops the priority only.
 * SGIs    end with the value they were acknowledged with, which names the
 *         sender: kept per CPU and SGI from ack() to deactivate().
 * Locks   none. The caller keeps two CPUs from changing one line at a time;
 *         set_trigger() changes a word of 16 lines.
 * Spec    [GICv2] 4.3 "Distributor register descriptions", 4.4 "CPU interface
 *         register descriptions".
 */
#include <lib/errno.h>
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include "gic_priv.h"
#include "gic_regs.h"

#define MAX_CPUS_V2 8u

#define GICD_CTLR_ENABLE BIT32(0)

#define GICC_CTLR 0x00u
#define GICC_CTLR_ENABLE BIT32(0)
#define GICC_CTLR_EOIMODE BIT32(9)
#define GICC_PMR 0x04u
#define GICC_BPR 0x08u
#define GICC_IAR 0x0cu
#define GICC_IAR_INTID 0x3ffu
#define GICC_EOIR 0x10u
#define GICC_APR 0xd0u
#define GICC_IIDR 0xfcu
#define IIDR_QEMU 0x0002043bu /* Arm's, but no product of Arm's */
#define IIDR_ARCH(iidr) ((iidr) >> 16 & 0xf)
#define GICC_DIR 0x1000u

static struct {
	void *gicd;
	void *gicc;
	uint32_t nr_cpus;
	uint64_t aff[MAX_CPUS_V2];
} gic __ro_after_boot;

bool gicv2_looks_once __ro_after_boot;

/* Bit of each CPU in GICD_ITARGETSR and GICD_SGIR; each CPU writes its own. */
static uint8_t cpu_mask[MAX_CPUS_V2];
static uint32_t sgi_iar[MAX_CPUS_V2][16];

/* Index of the calling CPU; one that is not in the list counts as the first. */
static uint32_t own_cpu(void)
{
	uint64_t aff = read_sysreg(mpidr_el1) & MPIDR_HWID;

	for (uint32_t i = 0; i < gic.nr_cpus; i++) { /* bound: CPUs */
		if (gic.aff[i] == aff) {
			return i;
		}
	}
	return 0;
}

static bool exists(uint32_t intid)
{
	return intid < irqchip_nr_lines;
}

static void write_bit(uint32_t file, uint32_t intid)
{
	if (exists(intid)) {
		gic_write_bit(gic.gicd, file, intid);
	}
}

/* ---- irqchip ------------------------------------------------------------- */

static uint32_t gicv2_ack(void)
{
	uint32_t iar = mmio_read32(gic_reg(gic.gicc, GICC_IAR));
	uint32_t intid = iar & GICC_IAR_INTID;

	if (intid < 16) {
		sgi_iar[own_cpu()][intid] = iar;
	}
	return intid;
}

static uint32_t iar_of(uint32_t intid)
{
	return intid < 16 ? sgi_iar[own_cpu()][intid] : intid;
}

static void gicv2_eoi(uint32_t intid)
{
	mmio_write32(gic_reg(gic.gicc, GICC_EOIR), iar_of(intid));
}

static void gicv2_deactivate(uint32_t intid)
{
	mmio_write32(gic_reg(gic.gicc, GICC_DIR), iar_of(intid));
}

static void gicv2_enable(uint32_t intid)
{
	write_bit(GICD_ISENABLER, intid);
}

static void gicv2_disable(uint32_t intid)
{
	write_bit(GICD_ICENABLER, intid);
	dsb(sy); /* the line is quiet for what follows */
}

/* Only while it is disabled: the change may make it pending otherwise. */
static void gicv2_set_trigger(uint32_t intid, enum irq_trigger t)
{
	bool enabled;

	if (!exists(intid) || intid < 16) {
		return; /* SGIs are edge-triggered */
	}
	enabled = gic_read_bit(gic.gicd, GICD_ISENABLER, intid);
	if (enabled) {
		gicv2_disable(intid);
	}
	gic_write_cfg(gic.gicd, intid, t == IRQ_EDGE);
	if (enabled) {
		gicv2_enable(intid);
	}
}

static void gicv2_route(uint32_t intid, uint16_t cpu)
{
	if (intid >= 32 && exists(intid) && cpu < gic.nr_cpus) {
		mmio_write8(gic_reg(gic.gicd, GICD_ITARGETSR + intid),
			    cpu_mask[cpu]);
	}
}

static void gicv2_send_ipi(uint16_t cpu, uint32_t sgi)
{
	if (cpu >= gic.nr_cpus) {
		return;
	}
	/* Our stores before the interrupt, for the CPU that takes it. */
	dsb(ishst);
	mmio_write32(gic_reg(gic.gicd, GICD_SGIR),
		     (uint32_t)cpu_mask[cpu] << 16 | sgi);
}

static void gicv2_set_pending(uint32_t intid, bool pending)
{
	write_bit(pending ? GICD_ISPENDR : GICD_ICPENDR, intid);
}

void gicv2_set_active(uint32_t intid, bool active)
{
	write_bit(active ? GICD_ISACTIVER : GICD_ICACTIVER, intid);
}

bool gicv2_is_pending(uint32_t intid)
{
	return exists(intid) && gic_read_bit(gic.gicd, GICD_ISPENDR, intid);
}

/* A write of no bit: QEMU then decides anew for all CPUs. */
void gicv2_look_again(void)
{
	mmio_write32(gic_reg(gic.gicd, GICD_ISENABLER), 0);
}

/* ---- each CPU ------------------------------------------------------------ */

/* A private interrupt's target byte is the bit of the CPU that reads it. */
static uint8_t read_own_mask(void)
{
	uint32_t v = mmio_read32(gic_reg(gic.gicd, GICD_ITARGETSR));

	v |= v >> 16;
	v |= v >> 8;
	v &= 0xff;
	return (uint8_t)(v ? v : 1); /* one CPU: the registers read as zero */
}

static void gicv2_init_cpu(void)
{
	cpu_mask[own_cpu()] = read_own_mask();
	gic_reset_private(gic.gicd, (1u << NR_IPIS) - 1);
	mmio_write32(gic_reg(gic.gicc, GICC_CTLR), 0);
	mmio_write32(gic_reg(gic.gicc, GICC_APR), 0);
	mmio_write32(gic_reg(gic.gicc, GICC_BPR), 0);
	mmio_write32(gic_reg(gic.gicc, GICC_PMR), GIC_PMR_ALL);
	mmio_write32(gic_reg(gic.gicc, GICC_CTLR),
		     GICC_CTLR_ENABLE | GICC_CTLR_EOIMODE);
	dsb(sy); /* on before we wait for interrupts */
}

const struct irqchip gicv2_irqchip = {
	.name = "GICv2",
	.ack = gicv2_ack,
	.eoi = gicv2_eoi,
	.deactivate = gicv2_deactivate,
	.enable = gicv2_enable,
	.disable = gicv2_disable,
	.set_trigger = gicv2_set_trigger,
	.route = gicv2_route,
	.send_ipi = gicv2_send_ipi,
	.set_pending = gicv2_set_pending,
	.set_active = gicv2_set_active,
	.is_pending = gicv2_is_pending,
	.init_cpu = gicv2_init_cpu,
};

/* ---- once ---------------------------------------------------------------- */

/*
 * For pages of 64 KiB some chips show each 4 KiB of the interface 16 times. The
 * last copy of the first 4 KiB then lies right below the second.
 */
size_t gicv2_frame(void *gicc, size_t size)
{
	uint32_t iidr = mmio_read32(gic_reg(gicc, GICC_IIDR));
	uint32_t last = 0xf000;

	if (size < 0x20000 || IIDR_ARCH(iidr) != 2 ||
	    mmio_read32(gic_reg(gicc, last + GICC_IIDR)) != iidr) {
		return 0;
	}
	return last;
}

int gicv2_init(const struct gicv2_config *c)
{
	uint32_t i;

	if (!c->gicd || !c->gicc || !c->nr_cpus || c->nr_cpus > MAX_CPUS_V2) {
		return -EINVAL;
	}
	gic.gicd = c->gicd;
	gic.gicc = c->gicc;
	gic.nr_cpus = c->nr_cpus;
	for (i = 0; i < c->nr_cpus; i++) {
		gic.aff[i] = c->mpidr[i] & MPIDR_HWID;
		cpu_mask[i] = 0;
	}
	gicv2_looks_once =
		mmio_read32(gic_reg(gic.gicc, GICC_IIDR)) == IIDR_QEMU;
	mmio_write32(gic_reg(gic.gicd, GICD_CTLR), 0);
	irqchip_nr_lines = gic_nr_lines(gic.gicd);
	gic_reset_spis(gic.gicd, irqchip_nr_lines);
	cpu_mask[own_cpu()] = read_own_mask();
	for (i = 32; i < irqchip_nr_lines; i++) {
		gicv2_route(i, (uint16_t)own_cpu());
	}
	mmio_write32(gic_reg(gic.gicd, GICD_CTLR), GICD_CTLR_ENABLE);
	return 0;
}
