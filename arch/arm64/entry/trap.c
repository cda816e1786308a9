/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doors by which a guest enters EL2: synchronous traps by exception
 * class, interrupts, SErrors.
 *
 * Owns    the table of handlers; acknowledging interrupts.
 * Not     what a trap means (trap/) nor what an interrupt is for (core/irq.c).
 * CPU     the trapped vCPU's; interrupts masked.
 * Bounds  one interrupt an entry. Most come alone; one that waits behind it
 *         ends the guest's next run before its first instruction.
 * Spec    [ARM] D1.3.1 "Exception entry", ESR_EL2; [GIC] 4.1 "Interrupt
 *         handling".
 */
#include <arch/barrier.h>
#include <arch/its.h>
#include <arch/trap.h>
#include <arch/vgic.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/ipi.h>
#include <hv/irqchip.h>
#include <hv/platform.h>
#include <hv/trace.h>
#include <lib/check.h>

/* A class that no guest of ours should be able to raise. */
__cold static void trap_unexpected(struct vcpu *v, uint64_t esr)
{
	trace_event(TRACE_GUEST_UNDEF, v->domain->id, v->arch.regs.pc, esr);
	inject_undef(v);
}

__cold static void trap_breakpoint(struct vcpu *v, uint64_t esr)
{
	trap_unexpected(v, esr);
}

typedef void (*trap_fn)(struct vcpu *v, uint64_t esr);

static const trap_fn trap_table[64] = {
	[EC_UNKNOWN] = trap_unexpected,
	[EC_WFX] = trap_wfx,
	[EC_CP15_32] = trap_unexpected, /* 32-bit user space only */
	[EC_CP15_64] = trap_unexpected,
	[EC_CP14_32] = trap_unexpected,
	[EC_CP14_LDC] = trap_unexpected,
	[EC_FP] = trap_unexpected,
	[EC_CP10_ID] = trap_unexpected,
	[EC_CP14_64] = trap_unexpected,
	[EC_HVC64] = trap_hvc64,
	[EC_SMC64] = trap_smc64,
	[EC_SYS64] = trap_sysreg,
	[EC_SVE] = trap_unexpected,
	[EC_IABT_LOWER] = trap_iabt,
	[EC_DABT_LOWER] = trap_dabt,
	[EC_BRK64] = trap_breakpoint,
};

void trap_sync(struct vcpu *v)
{
	uint64_t esr = read_sysreg(esr_el2);
	unsigned int ec = (unsigned int)(esr >> 26) & 63;
	trap_fn fn;

	/* The two that a busy guest makes: known to the branch predictor. */
	if (likely(ec == EC_HVC64)) {
		trap_hvc64(v, esr);
		return;
	}
	if (likely(ec == EC_DABT_LOWER)) {
		trap_dabt(v, esr);
		return;
	}
	fn = trap_table[ec];
	if (unlikely(!fn)) {
		fn = trap_unexpected;
	}
	fn(v, esr);
}

/* One interrupt; the architecture keeps SGIs, its timer and maintenance. */
static void handle_irq(const struct irqchip *chip, uint32_t intid)
{
	struct vcpu *v;

	if (intid >= VGIC_NR_PRIVATE) {
		irq_dispatch(intid);
		return;
	}
	if (intid == platform.timer.virt) {
		/* Stays active: the guest deactivates it. */
		vtimer_irq(this_pcpu());
		return;
	}
	if (intid < 16) {
		ipi_handle(intid);
		chip->deactivate(intid);
		return;
	}
	if (intid == platform.gic.maint_intid) {
		v = this_pcpu()->loaded;
		if (v) {
			vgic_maintenance(v);
		}
		chip->deactivate(intid);
		return;
	}
	irq_dispatch(intid);
}

void trap_take_irq(const struct irqchip *chip)
{
	uint32_t intid = chip->ack();

	if (likely(intid < NR_INTIDS)) { /* 1020-1023: it is gone again */
		chip->eoi(intid);
		handle_irq(chip, intid);
	} else if (intid >= LPI_FIRST) {
		chip->eoi(intid);
		vgic_take_lpi(intid);
	}
}

void trap_irq(struct vcpu *v)
{
	(void)v;
	trap_take_irq(irqchip);
}

void arch_irq_poll(void)
{
	trap_take_irq(this_pcpu()->irqchip);
}

/* No secure side shares its interrupts with us: none is ever expected. */
__cold void trap_fiq(struct vcpu *v)
{
	(void)v;
	trace_event(TRACE_IRQ_SPURIOUS, INTID_NONE, 0, 0);
}

/*
 * An SError while a guest ran is that guest's: it gets it, as its own
 * hardware would have done (XSA-201: never the hypervisor's end).
 */
__cold void trap_serror(struct vcpu *v)
{
	inject_serror(v);
}
