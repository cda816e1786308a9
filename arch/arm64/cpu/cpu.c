/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What EL2 traps and grants, the same on every CPU.
 *
 * Spec    [ARM] D19 CPTR_EL2, MDCR_EL2, HSTR_EL2, CNTHCTL_EL2.
 */
#include <arch/barrier.h>
#include <arch/errata.h>
#include <arch/gic.h>
#include <arch/trap.h>
#include <hv/arch.h>

/* Everything but FP/SIMD: SVE, SME, trace, activity monitors. */
#define CPTR_RES1 UINT64_C(0x000022ff)
#define CPTR_TZ BIT64(8)
#define CPTR_TSM BIT64(12)
#define CPTR_TTA BIT64(20)
#define CPTR_TAM BIT64(30)

#define MDCR_TPMCR BIT64(5)
#define MDCR_TPM BIT64(6)
#define MDCR_TDA BIT64(9)
#define MDCR_TDOSA BIT64(10)
#define MDCR_TDRA BIT64(11)
#define MDCR_TPMS BIT64(14)
#define MDCR_TTRF BIT64(19)
#define MDCR_HPMN FIELD64(4, 0)
#define PMCR_N FIELD64(15, 11)

#define CNTHCTL_EL1PCTEN BIT64(0)

static uint64_t mdcr(void)
{
	uint64_t v = MDCR_TPMCR | MDCR_TPM | MDCR_TDA | MDCR_TDOSA |
		     MDCR_TDRA | MDCR_TPMS | MDCR_TTRF;
	uint64_t pmu = field_get(FIELD64(11, 8), read_sysreg(id_aa64dfr0_el1));

	if (pmu != 0 && pmu != 0xf) { /* HPMN: all counters, none ours */
		v |= field_prep(MDCR_HPMN,
				field_get(PMCR_N, read_sysreg(pmcr_el0)));
	}
	return v;
}

void cpu_init_el2(void)
{
	write_sysreg(CPTR_RES1 | CPTR_TZ | CPTR_TSM | CPTR_TTA | CPTR_TAM,
		     cptr_el2);
	write_sysreg(mdcr(), mdcr_el2);
	write_sysreg(0, hstr_el2);
	write_sysreg(CNTHCTL_EL1PCTEN, cnthctl_el2);
	write_sysreg(0, cntv_ctl_el0);
	write_sysreg(0, cnthp_ctl_el2);
	write_sysreg(HCR_RW | HCR_IMO | HCR_FMO | HCR_AMO, hcr_el2);
	write_sysreg(read_sysreg(midr_el1), vpidr_el2);
	isb();
	errata_init_cpu();
}

void arch_cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/* Interrupts are masked: WFI still ends when one is pending. */
void arch_cpu_idle(void)
{
	dsb(sy);
	wfi();
	if (unlikely(gicv2_looks_once)) {
		irq_again_soon(); /* a guest may run now */
	}
}

void arch_wmb(void)
{
	dmb(ishst);
}
