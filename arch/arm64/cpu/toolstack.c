/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the toolstack says of a guest in terms of this architecture: its
 * interrupt controller, and registers of a vCPU.
 *
 * Owns    the guest's address map, which is the ABI's.
 * Not     how either is made (vgic/, context.c).
 * Spec    [XEN] arch-arm.h "GUEST_*", struct vcpu_guest_context.
 */
#include <arch/sysreg.h>
#include <hv/arch.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/platform.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_SPIS 960u
/* NZCV, D, A, I, F and the mode; what else there is, a guest sets itself. */
#define PSTATE_SETTABLE (FIELD64(31, 28) | FIELD64(9, 6) | FIELD64(4, 0))
#define PSTATE_MODE FIELD64(4, 0)
#define MODE_EL0 0x0u
#define MODE_EL1_SP0 0x4u
#define MODE_EL1_SP1 0x5u

static uint8_t host_version(void)
{
	return platform.gic.version == 3 ? XEN_DOMCTL_CONFIG_GIC_V3
					 : XEN_DOMCTL_CONFIG_GIC_V2;
}

int arch_domain_config(struct dom_config *cfg,
		       struct xen_arch_domainconfig *arch)
{
	if (arch->gic_version == XEN_DOMCTL_CONFIG_GIC_NATIVE) {
		arch->gic_version = host_version();
	}
	if (arch->gic_version != host_version() ||
	    arch->tee_type != XEN_DOMCTL_CONFIG_TEE_NONE ||
	    arch->nr_spis > MAX_SPIS) {
		return -EINVAL;
	}
	arch->clock_frequency = 0; /* what the counter says is right */
	cfg->nr_spis = arch->nr_spis;
	cfg->gic_version = platform.gic.version;
	if (platform.gic.version == 3) {
		cfg->gicd_base = GUEST_GICV3_GICD_BASE;
		cfg->gicd_size = GUEST_GICV3_GICD_SIZE;
		cfg->gicr_base = GUEST_GICV3_GICR0_BASE;
		cfg->gicr_size = GUEST_GICV3_GICR0_SIZE;
	} else {
		cfg->gicd_base = GUEST_GICD_BASE;
		cfg->gicd_size = GUEST_GICD_SIZE;
		cfg->gicc_base = GUEST_GICC_BASE;
		cfg->gicc_size = GUEST_GICC_SIZE < platform.gic.gicv_size ?
					 GUEST_GICC_SIZE :
					 platform.gic.gicv_size;
	}
	return 0;
}

static bool mode_is_allowed(uint64_t pstate)
{
	switch (pstate & PSTATE_MODE) {
	case MODE_EL0:
	case MODE_EL1_SP0:
	case MODE_EL1_SP1:
		return true;
	default:
		return false;
	}
}

/* The ABI has x0 to pc in the same order without a gap. */
STATIC_ASSERT(offsetof(struct vcpu_guest_core_regs, pc64) ==
		      offsetof(struct guest_regs, pc),
	      "x0 to x30 and pc are copied in one piece");

int arch_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	const struct vcpu_guest_core_regs *r = &c->user_regs;
	struct arch_vcpu *a = &v->arch;

	if (!mode_is_allowed(r->cpsr)) {
		return -EINVAL;
	}
	arch_vcpu_reset(v, r->pc64, 0);
	memcpy(a->regs.x, r, sizeof(a->regs.x));
	a->regs.pstate = r->cpsr & PSTATE_SETTABLE;
	a->el1.sp_el0 = r->sp_el0;
	a->el1.sp_el1 = r->sp_el1;
	a->el1.elr = r->elr_el1;
	a->el1.spsr = r->spsr_el1;
	a->el1.sctlr = c->sctlr;
	a->el1.tcr = c->ttbcr;
	a->el1.ttbr0 = c->ttbr0;
	a->el1.ttbr1 = c->ttbr1;
	return 0;
}

void arch_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct arch_vcpu *a = &v->arch;
	struct vcpu_guest_core_regs *r = &c->user_regs;

	memset(c, 0, sizeof(*c));
	memcpy(r, a->regs.x, sizeof(a->regs.x));
	r->pc64 = a->regs.pc;
	r->cpsr = a->regs.pstate;
	r->sp_el0 = a->el1.sp_el0;
	r->sp_el1 = a->el1.sp_el1;
	r->elr_el1 = a->el1.elr;
	r->spsr_el1 = a->el1.spsr;
	c->sctlr = a->el1.sctlr;
	c->ttbcr = a->el1.tcr;
	c->ttbr0 = a->el1.ttbr0;
	c->ttbr1 = a->el1.ttbr1;
}
