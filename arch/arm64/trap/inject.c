/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raise an exception inside the guest, as the architecture's pseudo-code
 * AArch64.TakeException does at EL1.
 *
 * CPU     the vCPU's own: its EL1 registers are in the hardware.
 * Spec    [ARM] J1.1 "AArch64.TakeException", D1.3 "Exceptions".
 */
#include <arch/trap.h>
#include <hv/console.h>
#include <hv/vcpu.h>
#include <lib/bits.h>

#define VECTOR_EL1_SP0 0x000u
#define VECTOR_EL1_SPX 0x200u
#define VECTOR_EL0_64 0x400u
#define VECTOR_EL0_32 0x600u

#define SCTLR_SPAN BIT64(23)
#define SCTLR_DSSBS BIT64(44)
#define PSR_PAN BIT64(22)
#define PSR_SSBS BIT64(12)
#define PSR_DIT BIT64(24)

static uint64_t vector_offset(uint64_t pstate)
{
	if (pstate & PSR_MODE32) {
		return VECTOR_EL0_32;
	}
	switch (pstate & PSR_MODE) {
	case PSR_MODE_EL0T:
		return VECTOR_EL0_64;
	case PSR_MODE_EL1T:
		return VECTOR_EL1_SP0;
	default:
		return VECTOR_EL1_SPX;
	}
}

static bool from_el0(uint64_t pstate)
{
	return (pstate & PSR_MODE32) || (pstate & PSR_MODE) == PSR_MODE_EL0T;
}

static uint64_t new_pstate(uint64_t old)
{
	uint64_t sctlr = read_sysreg(sctlr_el1);
	uint64_t p = PSR_MODE_EL1H | PSR_D | PSR_A | PSR_I | PSR_F;

	p |= old & (PSR_PAN | PSR_DIT);
	if (!(sctlr & SCTLR_SPAN) &&
	    field_get(FIELD64(23, 20), idreg_value(7, 1))) { /* PAN exists */
		p |= PSR_PAN;
	}
	if (sctlr & SCTLR_DSSBS) {
		p |= PSR_SSBS;
	}
	return p;
}

static void inject_sync(struct vcpu *v, uint64_t esr)
{
	struct guest_regs *r = &v->arch.regs;
	uint64_t offset = vector_offset(r->pstate);

	log_guest(v->domain, LOG_INFO, "v%u: pc %#llx gets a fault, ESR "
		  "%#llx\n", v->id, (unsigned long long)r->pc,
		  (unsigned long long)esr);
	write_sysreg(esr, esr_el1);
	write_sysreg(r->pc, elr_el1);
	write_sysreg(r->pstate, spsr_el1);
	r->pc = read_sysreg(vbar_el1) + offset;
	r->pstate = new_pstate(r->pstate);
}

void inject_undef(struct vcpu *v)
{
	inject_sync(v, field_prep(ESR_EC, EC_UNKNOWN) | ESR_IL);
}

#define FSC_SEA_WALK 0x14u /* plus the level */

/*
 * A synchronous external abort, as a bus gives it where nothing answers.
 * @esr is the syndrome of the stage-2 abort it stands for.
 */
static void inject_abort(struct vcpu *v, uint64_t esr, uint64_t far,
			 uint32_t ec_lower, uint64_t iss)
{
	uint64_t pstate = v->arch.regs.pstate;
	uint32_t ec = ec_lower + (from_el0(pstate) ? 0 : 1);
	uint64_t fsc = FSC_SEA;

	if (unlikely(esr & ISS_ABT_S1PTW)) {
		ipa_t at = ipa((read_sysreg(hpfar_el2) & FIELD64(43, 4)) << 8);

		fsc = FSC_SEA_WALK + s1_walk_level(v, far, at);
	}
	write_sysreg(far, far_el1);
	inject_sync(v, field_prep(ESR_EC, ec) | (esr & ESR_IL) | iss | fsc);
}

void inject_data_abort(struct vcpu *v, uint64_t esr, uint64_t far)
{
	inject_abort(v, esr, far, EC_DABT_LOWER,
		     esr & (ISS_DABT_WNR | ISS_DABT_CM));
}

void inject_instr_abort(struct vcpu *v, uint64_t esr, uint64_t far)
{
	inject_abort(v, esr, far, EC_IABT_LOWER, 0);
}

/* A virtual SError: taken when the guest unmasks PSTATE.A. */
void inject_serror(struct vcpu *v)
{
	v->arch.hcr |= HCR_VSE;
	write_sysreg(v->arch.hcr, hcr_el2);
}

/*
 * Past a trapped instruction. In AArch32 the IT state moves on too.
 * [ARM] "AArch32.ITAdvance".
 */
void guest_skip_aarch32(struct vcpu *v, uint64_t esr)
{
	struct guest_regs *r = &v->arch.regs;

	r->pc += (esr & ESR_IL) ? 4 : 2;
	if (unlikely((r->pstate & PSR_MODE32) && (r->pstate & PSR_T32))) {
		/* IT[1:0] = bits 26:25, IT[7:2] = bits 15:10 */
		uint64_t it = field_get(FIELD64(26, 25), r->pstate) |
			      field_get(FIELD64(15, 10), r->pstate) << 2;

		it = (it & 7) ? ((it & 0xe0) | ((it << 1) & 0x1f)) : 0;
		r->pstate &= ~(FIELD64(26, 25) | FIELD64(15, 10));
		r->pstate |= field_prep(FIELD64(26, 25), it & 3) |
			     field_prep(FIELD64(15, 10), it >> 2);
	}
	r->pstate &= ~PSR_SS;
}
