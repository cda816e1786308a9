/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's context: create, reset, put into the CPU, take out of it; and the
 * answers to core/ about it.
 *
 * Owns    EL1 registers, FP/SIMD, HCR_EL2 of the loaded vCPU.
 * CPU     load and save on the owner; create and reset while it is OFFLINE.
 * Bounds  a fixed list of registers.
 * Spec    [ARM] D1.3 "Exceptions", HCR_EL2.
 */
#include <arch/gic.h>
#include <arch/its.h>
#include <arch/stage2.h>
#include <arch/barrier.h>
#include <arch/time.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/platform.h>
#include <lib/errno.h>
#include <lib/string.h>

#define HCR_TLOR BIT64(35)
#define HCR_TERR BIT64(36)
#define HCR_GUEST                                                             \
	(HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB |           \
	 HCR_BSU_IS | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW |   \
	 HCR_RW | HCR_TLOR | HCR_TERR)

/* dom0 has the host's interrupts: a PPI that no host device uses. */
static uint32_t first_free_ppi(void)
{
	for (uint32_t p = 16; p < 31; p++) {
		if (p != platform.timer.sec_phys && p != platform.timer.phys &&
		    p != platform.timer.virt && p != platform.timer.hyp &&
		    p != platform.gic.maint_intid &&
		    p != VTIMER_VIRT_INTID && p != VTIMER_PHYS_INTID) {
			return p;
		}
	}
	return 31;
}

/*
 * The guest's GICC is the hardware's virtual interface: 8 KiB of it, or all as
 * it is where the guest is told of all.
 */
static int map_gicc(struct domain *d, const struct dom_config *cfg)
{
	uint64_t from = platform.gic.gicv_base;

	if (cfg->gicc_size <= platform.gic.frame) {
		from += platform.gic.frame;
	}
	return p2m_map_mmio(d, ipa_to_gfn(ipa(cfg->gicc_base)),
			    paddr_to_mfn(paddr(from)),
			    cfg->gicc_size >> PAGE_SHIFT, P2M_MMIO_DEV);
}

__cold int arch_domain_init(struct domain *d, const struct dom_config *cfg)
{
	int rc;

	d->features |= BIT32(XENFEAT_ARM_SMCCC_supported);
	d->arch.cntvoff = cfg->is_hardware ? 0 : time_ticks();
	d->time_offset_ns = (int64_t)ticks_to_ns(d->arch.cntvoff);
	d->arch.evtchn_intid = cfg->is_hardware ? first_free_ppi() : 31;
	rc = vgic_domain_init(d, cfg);
	if (rc) {
		return rc;
	}
	if (cfg->its_base) {
		rc = vits_domain_init(d, cfg->its_base);
	}
	if (rc == 0) {
		rc = cfg->gic_version == 3 ? vgic_v3_map(d, cfg) :
					     vgic_v2_map(d, cfg);
	}
	if (rc == 0 && cfg->gic_version == 2 && cfg->gicc_size) {
		rc = map_gicc(d, cfg);
	}
	if (rc == 0 && cfg->has_uart) {
		rc = vpl011_init(d, cfg);
	}
	if (rc) {
		vits_domain_fini(d);
		vgic_domain_fini(d);
	}
	return rc;
}

/* Nothing is pending at the UART any more when its interrupt goes. */
static void reset_soft_devices(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	if (d->console) {
		vpl011_reset(d);
	}
	domain_for_each_vcpu(d, v, i) {
		vtimer_vcpu_reset(v);
	}
}

__cold int arch_domain_reset_step(struct domain *d, uint64_t *at)
{
	if (*at == 0) {
		reset_soft_devices(d);
	}
	return vgic_reset_step(d, at);
}

__cold void arch_domain_fini(struct domain *d)
{
	vits_domain_fini(d);
	vgic_domain_fini(d);
}

uint32_t arch_evtchn_intid(const struct domain *d)
{
	return d->arch.evtchn_intid;
}

__cold int arch_vcpu_init(struct vcpu *v)
{
	int rc = vgic_vcpu_init(v);

	if (rc) {
		return rc;
	}
	/* SGI target lists are 16 wide. */
	v->arch.vmpidr = BIT64(31) | (v->id & 0xf) | (v->id >> 4) << 8;
	v->arch.hcr = HCR_GUEST;
	if (!options.vwfi_native) {
		v->arch.hcr |= HCR_TWI | HCR_TWE;
	}
	rc = vtimer_vcpu_init(v);
	if (rc) {
		vgic_vcpu_fini(v);
	}
	return rc;
}

__cold void arch_vcpu_fini(struct vcpu *v)
{
	vtimer_vcpu_fini(v);
	vgic_vcpu_fini(v);
}

__cold void arch_vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t x0)
{
	struct arch_vcpu *a = &v->arch;

	memset(&a->regs, 0, sizeof(a->regs));
	memset(&a->el1, 0, sizeof(a->el1));
	memset(&a->fp, 0, sizeof(a->fp));
	memset(&a->dbg, 0, sizeof(a->dbg));
	a->regs.pc = pc;
	a->regs.x[0] = x0;
	a->regs.pstate = PSTATE_RESET;
	a->el1.sctlr = SCTLR_EL1_RESET;
	a->cntv_ctl = 0;
	a->cntv_cval = 0;
	a->hcr &= ~HCR_VSE;
}

#define SAVE_EL1(field, reg) v->arch.el1.field = read_sysreg(reg);
#define LOAD_EL1(field, reg) write_sysreg(v->arch.el1.field, reg);

static void el1_save(struct vcpu *v)
{
	EL1_REGS(SAVE_EL1)
}

static void el1_load(const struct vcpu *v)
{
	EL1_REGS(LOAD_EL1)
}

void arch_vcpu_load(struct vcpu *v)
{
	v->arch.regs.stack_top = this_pcpu()->stack_top;
	stage2_load(v);
	write_sysreg(v->arch.vmpidr, vmpidr_el2);
	write_sysreg(v->arch.hcr, hcr_el2);
	el1_load(v);
	fpu_restore(&v->arch.fp);
	debug_load(v);
	vgic_vcpu_load(v);
	vtimer_load(v);
	if (unlikely(gicv2_looks_once)) {
		irq_again_soon();
	}
}

void arch_vcpu_save(struct vcpu *v)
{
	vtimer_save(v);
	vgic_vcpu_save(v);
	debug_save(v);
	fpu_save(&v->arch.fp);
	el1_save(v);
	/* Bit VSE falls when the guest took the SError. */
	v->arch.hcr = (v->arch.hcr & ~HCR_VSE) |
		      (read_sysreg(hcr_el2) & HCR_VSE);
	write_sysreg(HCR_RW | HCR_IMO | HCR_FMO | HCR_AMO, hcr_el2);
	isb();
}

bool arch_vcpu_has_pending(struct vcpu *v)
{
	return vgic_has_pending(v) || (v->arch.hcr & HCR_VSE);
}

/*
 * An edge for each time upcall_pending goes from 0 to 1. As a level it would
 * need a look at the guest's word at every EOI, and a guest that handles the
 * interrupt before it clears the word would be interrupted for ever; real Xen
 * delivers it this way too, whatever the device tree calls it.
 */
void arch_vcpu_set_upcall(struct vcpu *v, bool level)
{
	if (level) {
		vgic_post_edge(v->domain, v, v->domain->arch.evtchn_intid);
	}
}

void arch_virq_flush(struct vcpu *v)
{
	vgic_flush(v);
}

struct virq *arch_virq_of(struct domain *d, uint32_t virq)
{
	return vgic_spi_of(d, virq);
}

__cold int arch_virq_link(struct domain *d, uint32_t virq, uint32_t line)
{
	return vgic_link_hw(d, NULL, virq, line);
}

__cold void arch_virq_unlink(struct domain *d, uint32_t virq)
{
	vgic_unlink_hw(d, NULL, virq);
}

__cold bool arch_virq_line(struct domain *d, uint32_t virq, uint32_t *line)
{
	const struct virq *q = vgic_spi_of(d, virq);

	if (!q || !q->hw) {
		return false;
	}
	*line = q->pintid;
	return true;
}

/*
 * The hardware's virtual CPU interface: it shows each CPU its own. The ITS's
 * doorbell, for devices: who writes says who it is.
 */
__cold bool arch_mmio_is_shared(mfn_t m, uint8_t type)
{
	if (type == P2M_DOORBELL) {
		return platform.its.node &&
		       mfn_to_paddr(m).v == platform.its.base + ITS_DOORBELL;
	}
	return mfn_to_paddr(m).v - platform.gic.gicv_base <
	       platform.gic.gicv_size;
}

void arch_virq_post_hw(struct domain *d, struct virq *q)
{
	vgic_post_hw(d, q);
}

__cold void arch_vcpu_dump(struct vcpu *v)
{
	const struct guest_regs *r = &v->arch.regs;
	const struct el1_regs *e = &v->arch.el1;

	log_err("d%uv%u: pc %016llx pstate %08llx\n", v->domain->id, v->id,
		(unsigned long long)r->pc, (unsigned long long)r->pstate);
	for (unsigned int i = 0; i < 30; i += 3) {
		log_err("  x%-2u %016llx x%-2u %016llx x%-2u %016llx\n", i,
			(unsigned long long)r->x[i], i + 1,
			(unsigned long long)r->x[i + 1], i + 2,
			(unsigned long long)r->x[i + 2]);
	}
	log_err("  x30 %016llx\n", (unsigned long long)r->x[30]);
	if (this_pcpu()->loaded == v) {
		el1_save(v); /* else they are in memory already */
	}
	log_err("  sctlr %llx ttbr0 %llx ttbr1 %llx vbar %llx\n",
		(unsigned long long)e->sctlr, (unsigned long long)e->ttbr0,
		(unsigned long long)e->ttbr1, (unsigned long long)e->vbar);
	log_err("  esr %llx far %llx elr %llx spsr %llx\n",
		(unsigned long long)e->esr, (unsigned long long)e->far,
		(unsigned long long)e->elr, (unsigned long long)e->spsr);
	vgic_dump(v);
}
