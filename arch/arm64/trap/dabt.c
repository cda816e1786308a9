/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-2 aborts: emulated registers, a mapping that is being edited, or an
 * address where there is nothing, which the guest learns as its own external
 * abort.
 *
 * CPU     the vCPU's own.
 * Bounds  one table look-up, one emulated access.
 * Spec    [ARM] "ISS encoding for an exception from a Data Abort", HPFAR_EL2.
 */
#include <arch/barrier.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/mmio.h>
#include <hv/trace.h>

#define HPFAR_FIPA FIELD64(43, 4)

/* HPFAR is not written for permission faults: ask stage 1. */
static bool walk_ipa(uint64_t far, ipa_t *out)
{
	uint64_t saved = read_sysreg(par_el1);
	uint64_t par;

	__asm__ volatile("at s1e1r, %0" : : "r"(far));
	isb();
	par = read_sysreg(par_el1);
	write_sysreg(saved, par_el1);
	*out = ipa((par & PAR_PA) | (far & ~PAGE_MASK));
	return !(par & PAR_F);
}

/* False: not known, the guest changed its tables meanwhile and will retry. */
static __force_inline bool fault_ipa(uint64_t esr, uint64_t far, ipa_t *out)
{
	if (unlikely(FSC_TYPE(esr & ISS_FSC) == FSC_PERMISSION) &&
	    !(esr & ISS_ABT_S1PTW)) {
		return walk_ipa(far, out);
	}
	*out = ipa((read_sysreg(hpfar_el2) & HPFAR_FIPA) << 8 |
		   (far & ~PAGE_MASK));
	return true;
}

/* Bits of a register above an access of @size bytes. */
static unsigned int unused_bits(unsigned int size)
{
	return -(8 * size) & 63;
}

static uint64_t zero_extended(uint64_t val, unsigned int size)
{
	return val << unused_bits(size) >> unused_bits(size);
}

/* The register that is read or written. */
static unsigned int srt(uint64_t esr)
{
	return (unsigned int)field_get(ISS_DABT_SRT, esr);
}

/* What a load leaves in its register: zero-extended, unless it is signed. */
static uint64_t loaded(uint64_t esr, uint64_t val, unsigned int size)
{
	int64_t top = (int64_t)(val << unused_bits(size));

	if (likely(!(esr & ISS_DABT_SSE))) {
		return zero_extended(val, size);
	}
	val = (uint64_t)(top >> unused_bits(size));
	return esr & ISS_DABT_SF ? val : val & UINT32_MAX;
}

/* Done by the device; false: as *@rc says, which was MMIO_ABORT. */
static __force_inline bool emulate(struct vcpu *v, const struct mmio_range *r,
				   uint64_t esr, ipa_t addr,
				   enum mmio_result *rc)
{
	struct mmio_access a;

	a.offset = addr.v - r->start;
	a.size = (uint8_t)(1u << field_get(ISS_DABT_SAS, esr));
	a.write = (esr & ISS_DABT_WNR) != 0;
	a.value = 0;
	/* Without a syndrome: pairs, write-back. */
	if (!(esr & ISS_DABT_ISV) || a.size > r->size - a.offset) {
		return false;
	}
	if (a.write) {
		a.value = zero_extended(guest_reg(v, srt(esr)), a.size);
	}
	*rc = r->fn(v, &a, r->opaque);
	if (unlikely(*rc != MMIO_OK)) {
		return false;
	}
	if (!(esr & ISS_DABT_WNR)) {
		guest_reg_set(v, srt(esr), loaded(esr, a.value, a.size));
	}
	return true;
}

/* An entry that is valid by now was being replaced when the guest came. */
__cold static bool was_in_transit(struct domain *d, ipa_t addr, bool write,
				  bool exec)
{
	struct p2m_entry e;

	p2m_settle(d);
	e = arch_p2m_lookup(d, ipa_to_gfn(addr));
	if (e.type == P2M_NONE || e.type == P2M_DOORBELL ||
	    (exec && !p2m_type_is_ram(e.type))) {
		return false;
	}
	return !write || p2m_type_is_writable(e.type) ||
	       e.type == P2M_MMIO_DIRECT || e.type == P2M_MMIO_DEV;
}

/* No device has @addr. */
__cold static void no_device(struct vcpu *v, uint64_t esr, ipa_t addr)
{
	/* Cache maintenance is no access: nothing to maintain. */
	if (esr & ISS_DABT_CM) {
		guest_skip_instruction(v, esr);
		return;
	}
	if (FSC_TYPE(esr & ISS_FSC) == FSC_TRANSLATION &&
	    was_in_transit(v->domain, addr, (esr & ISS_DABT_WNR) != 0, false)) {
		return;
	}
	trace_event(TRACE_GUEST_ABORT, v->domain->id, addr.v, esr);
	inject_data_abort(v, esr, read_sysreg(far_el2));
}

void trap_dabt(struct vcpu *v, uint64_t esr)
{
	const struct mmio_range *r;
	enum mmio_result rc = MMIO_ABORT;
	ipa_t addr;

	if (unlikely(!fault_ipa(esr, read_sysreg(far_el2), &addr))) {
		return;
	}
	r = mmio_find(v->domain, addr);
	if (unlikely(!r)) {
		no_device(v, esr, addr);
	} else if (likely(emulate(v, r, esr, addr, &rc))) {
		guest_skip_instruction(v, esr);
	} else if (rc == MMIO_ABORT) {
		inject_data_abort(v, esr, read_sysreg(far_el2));
	}
}

__cold void trap_iabt(struct vcpu *v, uint64_t esr)
{
	uint64_t far = read_sysreg(far_el2);
	ipa_t addr;

	if (!fault_ipa(esr, far, &addr)) {
		return;
	}
	if (FSC_TYPE(esr & ISS_FSC) == FSC_TRANSLATION &&
	    was_in_transit(v->domain, addr, false, true)) {
		return;
	}
	trace_event(TRACE_GUEST_ABORT, v->domain->id, addr.v, esr);
	inject_instr_abort(v, esr, far);
}
