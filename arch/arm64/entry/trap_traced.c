/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doors of trap.c with records for trace buffers: a CPU that shall write
 * them has another vector table, and another interrupt controller for the
 * interrupts that end its sleep.
 *
 * Owns    when and with what the last interrupt of each CPU came.
 * CPU     its own; interrupts masked.
 */
#include <arch/barrier.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/irqchip.h>
#include <hv/tracebuf.h>

#define NR_SPECIAL 4u /* 1020-1023: none. LPIs are above */

static struct {
	uint32_t intid;
	uint32_t begin_ns;
} last[NR_CPUS];

static void put_irq(uint32_t intid)
{
	const uint32_t words[] = {
		intid,
		last[this_cpu()].begin_ns,
		(uint32_t)arch_time_ns(),
	};

	tracebuf_write(TRC_HW_IRQ_HANDLED, words, ARRAY_SIZE(words));
}

static uint32_t traced_ack(void)
{
	uint32_t intid = irqchip->ack();

	last[this_cpu()].intid = intid;
	last[this_cpu()].begin_ns = (uint32_t)arch_time_ns();
	return intid;
}

static void traced_eoi(uint32_t intid)
{
	irqchip->eoi(intid);
	if (!this_pcpu()->current) {
		put_irq(intid); /* nobody comes back to us from the sleep */
	}
}

static void traced_deactivate(uint32_t intid)
{
	irqchip->deactivate(intid);
}

static const struct irqchip traced_irqchip = {
	.ack = traced_ack,
	.eoi = traced_eoi,
	.deactivate = traced_deactivate,
};

void trap_irq_traced(struct vcpu *v)
{
	(void)v;
	trap_take_irq(&traced_irqchip);
	if (last[this_cpu()].intid - NR_INTIDS >= NR_SPECIAL) {
		put_irq(last[this_cpu()].intid);
	}
}

void trap_sync_traced(struct vcpu *v)
{
	if (is_hypercall(read_sysreg(esr_el2))) {
		tracebuf_hypercall(v->arch.regs.x[16], v->arch.regs.x[0]);
	}
	trap_sync(v);
}

void arch_trace_traps(bool on)
{
	this_pcpu()->irqchip = on ? &traced_irqchip : irqchip;
	write_sysreg((uint64_t)(on ? vectors_traced : vectors), vbar_el2);
	isb();
}
