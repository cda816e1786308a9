/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual timer (the hardware's own, its PPI linked to the guest's INTID
 * 27 so that the guest's deactivation reaches it) and the emulated physical
 * timer (INTID 30, a software timer).
 *
 * Owns    CNTV_* and CNTVOFF_EL2 of the loaded vCPU, v->arch.ptimer.
 * CPU     the vCPU's own; the soft callbacks run where they were armed.
 * Spec    [ARM] D11.2 "The AArch64 view of the Generic Timer".
 */
#include <arch/barrier.h>
#include <arch/time.h>
#include <arch/trap.h>
#include <arch/vgic.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/irqchip.h>
#include <hv/platform.h>


/* The loaded vCPU's timer fired: also the way a lone idle vCPU wakes up. */
void vtimer_irq(struct pcpu *c)
{
	struct vcpu *v = c->loaded;

	if (unlikely(!v)) {
		write_sysreg(0, cntv_ctl_el0);
		irqchip->deactivate(platform.timer.virt);
		return;
	}
	vgic_post_hw(v->domain, &v->arch.vgic.priv[VTIMER_VIRT_INTID]);
}

/* The deadline of a vCPU that is not loaded passed: it gets to run. */
static void vtimer_soft_expired(void *arg)
{
	struct vcpu *v = arg;

	vcpu_wake(v);
}

static void ptimer_expired(void *arg)
{
	struct vcpu *v = arg;

	vcpu_post(v, VWORK_VTIMER);
}

int vtimer_vcpu_init(struct vcpu *v)
{
	timer_init(&v->arch.vtimer_soft, vtimer_soft_expired, v);
	timer_init(&v->arch.ptimer.soft, ptimer_expired, v);
	return vgic_link_hw(v->domain, v, VTIMER_VIRT_INTID,
			    platform.timer.virt);
}

__cold void vtimer_vcpu_reset(struct vcpu *v)
{
	timer_cancel(&v->arch.ptimer.soft);
	v->arch.ptimer.ctl = 0;
	v->arch.ptimer.cval = 0;
	if (v->loaded_on == CPU_NONE) { /* else its timer is in the CPU */
		timer_cancel(&v->arch.vtimer_soft);
	}
}

void vtimer_vcpu_fini(struct vcpu *v)
{
	timer_cancel_wait(&v->arch.vtimer_soft);
	timer_cancel_wait(&v->arch.ptimer.soft);
}

void vtimer_load(struct vcpu *v)
{
	timer_cancel(&v->arch.vtimer_soft);
	write_sysreg(v->domain->arch.cntvoff, cntvoff_el2);
	write_sysreg(v->arch.cntv_cval, cntv_cval_el0);
	isb();
	write_sysreg(v->arch.cntv_ctl, cntv_ctl_el0);
}

/* When its counter reaches CNTV_CVAL, in hypervisor time. */
static uint64_t vtimer_deadline_ns(const struct vcpu *v)
{
	uint64_t cval = v->arch.cntv_cval;
	uint64_t ticks = cval + v->domain->arch.cntvoff;

	return ticks < cval ? UINT64_MAX : ticks_to_ns(ticks); /* never */
}

void vtimer_save(struct vcpu *v)
{
	uint64_t ctl = read_sysreg(cntv_ctl_el0);

	v->arch.cntv_ctl = ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
	v->arch.cntv_cval = read_sysreg(cntv_cval_el0);
	write_sysreg(0, cntv_ctl_el0);
	isb();
	if ((ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) == CNT_CTL_ENABLE) {
		timer_set(&v->arch.vtimer_soft, vtimer_deadline_ns(v));
	}
}

/* ---- emulated physical timer -------------------------------------------- */

static bool ptimer_fires(const struct vtimer_phys *t, uint64_t now)
{
	return (t->ctl & CNT_CTL_ENABLE) && now >= t->cval;
}

/* Bring the line and the software timer in step with the registers. */
static void ptimer_update(struct vcpu *v)
{
	struct vtimer_phys *t = &v->arch.ptimer;
	bool fires = ptimer_fires(t, time_ticks());

	vgic_set_level(v->domain, v, VTIMER_PHYS_INTID,
		       fires && !(t->ctl & CNT_CTL_IMASK));
	if (fires || (t->ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) !=
			     CNT_CTL_ENABLE) {
		timer_cancel(&t->soft);
	} else {
		timer_set(&t->soft, ticks_to_ns(t->cval));
	}
}

void arch_vtimer_sync(struct vcpu *v)
{
	ptimer_update(v);
}

/* op2 of CNTP_TVAL_EL0 and CNTP_CTL_EL0; the third is CNTP_CVAL_EL0. */
#define PTIMER_TVAL 0u
#define PTIMER_CTL 1u

uint64_t vtimer_phys_read(struct vcpu *v, unsigned int op2)
{
	struct vtimer_phys *t = &v->arch.ptimer;
	uint64_t now = time_ticks();

	switch (op2) {
	case PTIMER_TVAL:
		return (uint32_t)(t->cval - now);
	case PTIMER_CTL:
		return t->ctl | (ptimer_fires(t, now) ? CNT_CTL_ISTATUS : 0);
	default:
		return t->cval;
	}
}

void vtimer_phys_write(struct vcpu *v, unsigned int op2, uint64_t val)
{
	struct vtimer_phys *t = &v->arch.ptimer;

	switch (op2) {
	case PTIMER_TVAL:
		t->cval = time_ticks() + (uint64_t)(int64_t)(int32_t)val;
		break;
	case PTIMER_CTL:
		t->ctl = val & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
		break;
	default:
		t->cval = val;
		break;
	}
	ptimer_update(v);
}
